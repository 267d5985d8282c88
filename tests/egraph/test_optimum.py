"""The optimum: proved, never above the greedy choice, without cycles; and it is found where greedy extraction misses it."""

from dataclasses import replace

import pytest

from egc.backend import CostTable
from egc.costs import CostModel
from egc.egraph import Budget, extract, optimize_program
from egc.egraph.extractor import Extractor
from egc.egraph.optimum import Limits, optimum
from tests.egraph import rules as r
from tests.egraph import support as s
from tests.egraph.support import SIZES, TABLE, law, p, program, random_program, saturated, var

x, y, z = (var(name, p) for name in "xyz")
PLAIN = CostTable(
    call=0.0, byte=0.0, default=1.0, elementwise={"sin": 4.0, "cos": 5.0, "tan": 5.0, "exp": 8.0}, flop=1.0, linalg={}
)


@pytest.fixture(params=["enumerated", "solved"], autouse=True)
def way(request, monkeypatch):
    """What is small is enumerated; or all is left to the solver."""
    if request.param == "solved":
        monkeypatch.setattr("egc.egraph.optimum.FEW_STEPS", 0)


def extractor_of(given, rewrites, table=TABLE, budget=None):
    return Extractor(saturated(rewrites, given, budget), CostModel(table, SIZES))


def shared_work():
    """`tan x` and `cos x` are 5 each, or 1 each from `exp x`, which is 8: dear for one of them, cheap for three."""
    from_exp = [
        law(name, getattr(s, name)(r.x), getattr(s, other)(s.exp(r.x)))
        for name, other in (("tan", "negative"), ("cos", "absolute"), ("sin", "sqrt"))
    ]
    return program(s.tan(x), s.cos(x), s.sin(x)), from_exp


def test_the_optimum_shares_work_that_is_too_dear_for_each_of_its_uses():
    given, rewrites = shared_work()
    extractor = extractor_of(given, rewrites, PLAIN)
    greedy = extractor.shared()
    assert extractor.build(greedy).outputs == given.outputs
    best = optimum(extractor, greedy)
    e = s.exp(x)
    assert extractor.build(best.choice).outputs == (s.negative(e), s.absolute(e), s.sqrt(e))
    assert best.proved and best.cost == extractor.additive(best.choice) < extractor.additive(greedy)


def test_a_search_takes_the_optimum_where_local_search_does_not_reach_it():
    given, rewrites = shared_work()
    result = optimize_program(given, rewrites, PLAIN, SIZES)
    assert s.exp(x) in set(result.program.nodes()) and result.cost_after < result.cost_before


def test_the_optimum_counts_only_where_its_program_is_cheaper():
    given, rewrites = shared_work()
    extractor = extractor_of(given, rewrites, PLAIN)
    start = extract.greedy(extractor)
    least = extractor.priced(extractor.build(optimum(extractor, start.choice).choice), start.choice).cost
    for price, cheaper in ((least, True), (least / 2, False)):
        found = replace(start, cost=price * (1 + 1e-9))
        assert (extract.with_optimum(extractor, found, start, Limits()) is found) is not cheaper


def turned_around():
    """`sin x`, `cos x` and `tan x` are each the next one negated, which costs less than any of them."""
    turned = [
        law(f"{name}_is_{other}", getattr(s, name)(r.x), s.negative(getattr(s, other)(r.x)))
        for name, other in (("sin", "cos"), ("cos", "tan"), ("tan", "sin"))
    ]
    return program(s.add(s.sin(x), y), s.multiply(s.cos(x), y), s.exp(s.tan(x))), turned


def test_the_optimum_has_no_cycle():
    given, rewrites = turned_around()
    extractor = extractor_of(given, rewrites, PLAIN)
    best = optimum(extractor, dict.fromkeys(()))
    ops = [node.op for node in extractor.build(best.choice).nodes()]
    assert best.proved and best.cost == extractor.additive(best.choice)
    assert ops.count("negative") == 2 and ops.count("sin") == 1 and "cos" not in ops and "tan" not in ops


@pytest.mark.parametrize("seed", range(12))
def test_no_step_of_extraction_is_worse_than_the_one_before(seed):
    given = random_program(seed)
    extractor = extractor_of(given, r.ALL, budget=Budget(nodes=400))
    greedy, start = extractor.shared(), extract.greedy(extractor)
    best = optimum(extractor, greedy, Limits(seconds=1.0))
    assert best.bound <= best.cost * (1 + 1e-6) and best.cost <= extractor.additive(greedy)
    assert extractor.build(best.choice) is not None
    found, chosen = extract.given_and_found(extractor.graph, extractor.model)
    assert chosen.cost <= min(found.cost, start.cost)


def choices(extractor, number, path=()):
    """Every way to choose e-nodes for a class and those it needs, as dicts; those that contradict each other included."""
    for enode in extractor.graph.enodes[number]:
        if not {number, *path} & set(enode.children):
            found = [{number: enode}]
            for child in enode.children:
                below = list(choices(extractor, child, (*path, number)))
                found = [
                    {**a, **b} for a in found for b in below if all(a.get(key, each) is each for key, each in b.items())
                ]
            yield from found


@pytest.mark.parametrize(
    "given",
    [
        program(s.log(s.multiply(s.exp(x), s.exp(y)))),
        program(s.log(s.exp(s.add(x, y))), s.exp(s.add(y, x))),
        program(s.multiply(s.add(x, y), z), s.add(s.multiply(x, z), s.multiply(y, z))),
        turned_around()[0],
    ],
)
def test_the_optimum_is_the_least_of_all_choices(given):
    extractor = extractor_of(given, [*r.ALL, *turned_around()[1]], PLAIN, Budget(nodes=60, iterations=3))
    together = [{}]
    for output in given.outputs:
        own = list(choices(extractor, extractor.graph.class_of[output]))
        together = [
            {**a, **b} for a in together for b in own if all(a.get(key, each) is each for key, each in b.items())
        ]
    best = optimum(extractor, extractor.shared())
    least = min(extractor.additive(choice) for choice in together if extractor.build(choice) is not None)
    assert best.proved and best.cost == pytest.approx(least)
