"""Every law of loops is found in its own instance, and what it gives is what the loop gives."""

from __future__ import annotations

import numpy as np
import pytest

import egc
from egc import backend as backends
from egc import ir
from egc.capture import capture
from egc.errors import RuleError
from egc.pipeline import choose_rules, evaluate_reference
from egc.rewrite import Matrix, Rule, Scalar, SquareMatrix, Vector, recording, stop_recording
from egc.rulefiles import load
from egc.transforms import LOOP_LAWS, LoopLaws, simplify

LOOPS = load("loops")
ELEMENTWISE = [rule for rule in LOOPS if SquareMatrix not in rule.parameters.values()]
RANKS = {Scalar: 0, Vector: 1, Matrix: 2, SquareMatrix: 2}


def left_side(rule: Rule):
    """The function of a rule's left side."""

    def left(*operands):
        return rule.function(*operands)[0]

    return left


def operands(rule: Rule, seed: int, lengths=(5, 4)):
    rng = np.random.default_rng(seed)
    size = int(rng.choice(lengths))
    found = [
        rng.uniform(0.5, 1.5, (size,) * RANKS[kind]) if RANKS[kind] else float(rng.uniform(0.5, 1.5))
        for kind in rule.parameters.values()
    ]
    return [
        x @ x.T + size * np.eye(size) if kind is SquareMatrix else x for x, kind in zip(found, rule.parameters.values())
    ]


def alternatives(program, rules, exact=False):
    """The alternatives of a Program and of all its regions."""

    def found(program, laws):
        yield from laws.alternatives(program)
        for node in program.nodes():
            for _, region in ir.regions(node):
                yield from found(region, laws.inside(program, node))

    return list(found(program, LoopLaws.of(rules, {}, exact, evaluate_reference)))


def captured(function, given):
    token = recording([])
    try:
        return simplify(capture(function, given, {}, {}).program, evaluate_reference)
    finally:
        stop_recording(token)


@pytest.mark.parametrize("rule", LOOPS, ids=lambda rule: rule.name)
def test_a_law_is_found_in_its_own_instance(rule):
    p = captured(left_side(rule), operands(rule, 0))
    rest = [each for each in LOOPS if each is not rule]
    found = alternatives(p, LOOPS)
    assert rule.name in {each.law for each in found} or len(found) > len(alternatives(p, rest))


@pytest.mark.parametrize("rule", LOOPS, ids=lambda rule: rule.name)
def test_a_law_that_is_off_is_not_found(rule):
    p = captured(left_side(rule), operands(rule, 0))
    rest = [each for each in LOOPS if each is not rule]
    assert rule.name not in {each.law for each in alternatives(p, rest)}


@pytest.mark.parametrize("backend", ["reference", "numba"])
@pytest.mark.parametrize("rule", LOOPS, ids=lambda rule: rule.name)
def test_every_form_gives_what_the_loop_gives(rule, backend):
    function = left_side(rule)
    p = captured(function, operands(rule, 0))
    forms = alternatives(p, LOOPS)
    assert forms
    if backend == "numba":
        forms = [form for form in forms if form.law == rule.name] or forms
    for form in forms:
        pair = [p.with_outputs([each]) for each in (form.before, form.after)]
        if any(node.op == "input" and node not in p.inputs for each in pair for node in each.nodes()):
            continue
        run = backends.load(backend).compile(pair[1]).run
        for seed in range(6):
            given = operands(rule, seed, (5, 4, 2, 1))
            expected, ours = evaluate_reference(pair[0], given)[0], run(*given)[0]
            if form.precision == "exact" and backend == "reference":
                np.testing.assert_array_equal(ours, expected)
            else:
                np.testing.assert_allclose(ours, expected, rtol=1e-12)


@pytest.mark.parametrize("value", [np.nan, np.inf, 0.0, -1.0])
@pytest.mark.parametrize(
    "rule", [each for each in LOOPS if SquareMatrix not in each.parameters.values()], ids=lambda rule: rule.name
)
def test_every_form_is_finite_where_the_loop_is(rule, value):
    function = left_side(rule)
    p = captured(function, operands(rule, 0))
    forms = alternatives(p, LOOPS)
    for seed in range(3):
        given = operands(rule, seed, (3, 2))
        place = seed % len(given)
        if np.ndim(given[place]):
            given[place][..., -1] = value
        else:
            given[place] = value
        for form in forms:
            pair = [p.with_outputs([each]) for each in (form.before, form.after)]
            if any(node.op == "input" and node not in p.inputs for each in pair for node in each.nodes()):
                continue
            with np.errstate(all="ignore"):
                expected, ours = (np.asarray(evaluate_reference(each, given)[0]) for each in pair)
            np.testing.assert_array_equal(np.isfinite(ours), np.isfinite(expected))
            np.testing.assert_allclose(ours[np.isfinite(ours)], expected[np.isfinite(ours)], rtol=1e-12, atol=1e-14)


def test_the_transforms_know_the_laws_that_are_stated():
    assert sorted(rule.name for rule in LOOPS) == sorted(LOOP_LAWS)


def test_a_law_that_no_transform_knows_is_refused():
    @egc.loop_rule
    def loops_are_short(s: Scalar):
        return s, s

    with pytest.raises(RuleError, match="no law of loops"):
        choose_rules([loops_are_short], "real")


def test_laws_of_loops_are_switched_by_name():
    def total(x):
        s = 0.0
        for v in x:
            s += v * v
        return s

    x = np.linspace(0.0, 1.0, 20_000)
    both = {"sum_of_products_is_matmul", "accumulation_is_reduction"}
    for rules, some in (([*LOOPS], True), ([each for each in LOOPS if each.name not in both], False)):
        steps = {step.rule for step in egc.optimize(total, rules=rules).explain(x).steps}
        assert bool(steps & both) == some
