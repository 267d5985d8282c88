"""The cheapest Program in an e-graph, in four steps.

The cheapest tree of every class; a greedy choice in which shared subterms count once; a local search from the better of both by
the price of the true Program, and the greedy choice again with what that shares; and, where a bound says that the sum of local
costs can fall and the e-graph is small enough, the choice that is proved to have the least sum, by an integer program. That one
counts where its true Program is the cheapest.
"""

from __future__ import annotations

from egc.costs import CostModel
from egc.egraph.decode import Graph
from egc.egraph.extractor import Choice, Extracted, Extractor
from egc.egraph.improve import improved
from egc.egraph.optimum import Limits, optimum

LIMITS = Limits(enodes=250, worth=0.02, least=100.0, rounds=10, nodes=500, seconds=2.0)
"""When a search asks for the optimum: not where less than a tenth of a microsecond can be saved, for which loading the solver
seldom pays. Without that limit, over the e-graphs of `python -m benchmarks extraction`, one of this size takes 13 ms in
the middle and 0.2 s at most, and SciPy's solver 0.2 s to load, once. It lowers the price of one program in thirty, by up
to a third: where the results of several loops or branches pay together, which greedy and local search do not see."""

ROUNDS = 6
"""How often the greedy choice is made again at most."""

AGAIN = 0.25
"""The part of a local search's work that one from there may take."""


def extract(graph: Graph, model: CostModel) -> Extracted:
    """The cheapest Program found; the input Program itself where none is cheaper."""
    return given_and_found(graph, model)[1]


def given_and_found(graph: Graph, model: CostModel) -> tuple[Extracted, Extracted]:
    """The input Program and the cheapest Program found, which is the same where none is cheaper."""
    extractor = Extractor(graph, model)
    given = extractor.input()
    start = greedy(extractor)
    if start is None:
        return given, given
    found = with_optimum(extractor, shared_more(extractor, improved(extractor, start)), start, LIMITS)
    return given, found if found.cost < given.cost else given


def greedy(extractor: Extractor) -> Extracted | None:
    """The cheaper one of the Program with shared subterms and that of the cheapest trees. None where neither can be built."""
    return _cheaper(extractor, _cheaper(extractor, None, extractor.shared()), dict(extractor.best))


def shared_more(extractor: Extractor, found: Extracted) -> Extracted:
    """The greedy choice again, in which what a Program uses several times costs its users a part only; while that is
    cheaper."""
    before = found
    for _ in range(ROUNDS):
        again = _cheaper(extractor, found, extractor.shared(extractor.uses(found.choice)))
        if again is None or again is found:
            break
        found = again
    return found if found is before else improved(extractor, found, AGAIN)


def _cheaper(extractor: Extractor, best: Extracted | None, choice: Choice) -> Extracted | None:
    """The cheaper one of a Program and that of a choice, where it can be built."""
    built = extractor.build(choice)
    if built is None:
        return best
    found = extractor.priced(built, choice)
    return found if best is None or found.cost < best.cost else best


def with_optimum(extractor: Extractor, found: Extracted, start: Extracted, limits: Limits) -> Extracted:
    """The Program of the least sum of local costs, searched from there too, where it is cheaper than what was found."""
    least = min((found.choice, start.choice), key=extractor.additive)
    best = optimum(extractor, least, limits)
    program = extractor.build(best.choice) if best.choice is not least else None
    if program is None:
        return found
    other = extractor.priced(program, best.choice)
    return improved(extractor, other) if other.cost < found.cost else found
