"""Why a Program was changed: the rules that the change needs, each with the subterm it rewrote and what it saved.

A smallest sufficient set of rules is found by QuickXplain (Junker 2004): every rule in it is needed to reach the cost
that was reached, so two rules that can stand in for each other give one step, not none. What a step saved is found by
ablation: the cost of the best Program without the rule, less the cost with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from egc import ir
from egc.egraph.decode import Graph
from egc.egraph.directions import Directed
from egc.egraph.engine import Engine
from egc.egraph.extract import extract
from egc.egraph.extractor import Extracted, Extractor
from egc.egraph.instantiate import instantiate, operand_dtype
from egc.egraph.optimize import Result, searched_graph, searches
from egc.errors import EgcError
from egc.ir import Node
from egc.rewrite import Rewrite

SAME_COST = 1e-9
"""Relative difference below which two costs are the same."""

FARTHEST = 4
"""A rule that is not known to have rewritten anything comes after all others."""

FIRINGS = 64
"""Firings of one rule that are considered for display."""


@dataclass(frozen=True)
class Step:
    """A rule that a change needed: `before` was replaced by `after`.

    saved: nanoseconds by the cost model that the best Program found without the rule would cost more.
    """

    rule: str
    file: str
    line: int
    before: Node
    after: Node
    saved: float
    precision: str


class _Ablation:
    """The best cost with a part of the rules that fired."""

    def __init__(self, result: Result):
        self.result = result
        question = result.question
        self.rewrites = [each for each in question.rewrites if each.identifier in result.fired]
        self.scoped = {
            scope: [each for each in limited if each.identifier in result.fired]
            for scope, limited in question.scoped.items()
        }
        everything = [*self.rewrites, *(each for limited in self.scoped.values() for each in limited)]
        self.alternatives = {each.law: each for each in reversed(result.alternatives)}
        self.names = tuple(dict.fromkeys([*(each.identifier for each in everything), *self.alternatives]))
        self.rules: dict[str, Any] = {each.identifier: each.rule for each in everything} | self.alternatives
        self.engine = Engine(self.rewrites, self.scoped, recorded=True)
        self.model = question.model
        self.costs: dict[frozenset[str], float] = {}

    def graph(self, kept: Iterable[str]) -> Graph:
        return searched_graph(self.result, self.engine, set(self.names) - set(kept))

    def cost(self, kept: Iterable[str]) -> float:
        key = frozenset(kept)
        if key not in self.costs:
            self.costs[key] = extract(self.graph(key), self.model).cost
        return self.costs[key]


def explain_steps(result: Result) -> tuple[Step, ...]:
    """The steps from `result.before` to `result.program`, those that rewrote the input Program's own terms first.

    Empty exactly where the Program was not changed. The steps of pieces and regions are one step for each rule,
    shown where it saved most. Raises SaturationError where the e-graph engine fails.
    """
    if result.program.outputs == result.before.outputs:
        return ()
    if not result.pieces and not result.regions:
        return tuple(step for _, step in _steps(result))
    by_rule: dict[str, list[tuple[bool, Step]]] = {}
    for piece, runs in searches(result):
        if piece.program.outputs != piece.before.outputs:
            for derived, step in _steps(piece):
                step = replace(step, saved=runs * step.saved)
                by_rule.setdefault(step.rule, []).append((derived, step))
    merged = []
    for found in by_rule.values():
        derived, shown = min(found, key=lambda pair: (pair[0], -pair[1].saved))
        merged.append((derived, replace(shown, saved=sum(step.saved for _, step in found))))
    return tuple(step for _, step in sorted(merged, key=lambda pair: pair[0]))


def _steps(result: Result) -> list[tuple[bool, Step]]:
    """The steps, and whether each rewrote what other steps made; those that did not first."""
    ablation = _Ablation(result)
    graph = ablation.graph(ablation.names)
    found = extract(graph, ablation.model)
    everything = ablation.costs[frozenset(ablation.names)] = found.cost
    goal = max(everything, result.cost_after) * (1 + SAME_COST)
    needed = _quick_explain(ablation, goal, [], _nearest_first(ablation, graph, found), False)
    graph = ablation.graph(needed)
    found = extract(graph, ablation.model)
    display = _Display(graph, found, Extractor(graph, ablation.model))
    steps = []
    for name in (each for each in ablation.names if each in needed):
        without = ablation.cost(each for each in ablation.names if each != name)
        rule = ablation.rules[name]
        own, before, after = display.choose(name, ablation, needed)
        step = Step(name, rule.file, rule.line, before, after, max(without - everything, 0.0), rule.precision)
        steps.append((not own, step))
    return sorted(steps, key=lambda pair: pair[0])


def _nearest_first(ablation: _Ablation, graph: Graph, found: Extracted) -> list[str]:
    """The rules, those first that rewrote terms for which the result has others, and of these the ones that rewrote the input
    Program's own. What comes first is preferred where rules can stand in for each other, and found with fewer searches."""
    used = set(Extractor(graph, ablation.model).used(found.choice)) if found.choice else set()
    distance: dict[str, int] = {}
    for name in ablation.names:
        rows = (
            row
            for directed in ablation.engine.scopes
            if directed.rewrite.identifier == name
            for row in graph.firings.get(directed.fired, ())
        )
        distance[name] = min(
            (2 * (row[0] not in used) + (row[0] not in graph.original) for row in rows), default=FARTHEST
        )
    return sorted(ablation.names, key=distance.__getitem__)


def _quick_explain(
    ablation: _Ablation, goal: float, given: list[str], candidates: list[str], changed: bool
) -> list[str]:
    """A minimal part of the candidates that, with the given rules, reaches the goal."""
    if changed and ablation.cost(given) <= goal:
        return []
    if len(candidates) <= 1:
        return candidates
    middle = len(candidates) // 2
    first, second = candidates[:middle], candidates[middle:]
    from_second = _quick_explain(ablation, goal, given + first, second, True)
    from_first = _quick_explain(ablation, goal, given + from_second, first, bool(from_second))
    return from_first + from_second


class _Display:
    """Chooses the firing of a rule that shows best what it did."""

    def __init__(self, graph: Graph, found: Extracted, extractor: Extractor):
        self.graph, self.extractor, self.choice = graph, extractor, found.choice
        self.built: dict[int, Node] = {}
        self.before = set(graph.program.nodes())
        self.after = set(found.program.nodes())
        self.used = set(extractor.used(found.choice)) if found.choice else set()

    def choose(self, name: str, ablation: _Ablation, kept: Sequence[str]) -> tuple[bool, Node, Node]:
        """Whether the firing rewrote a term of the input Program, that term, and what it became."""
        if name in ablation.alternatives:
            return True, ablation.alternatives[name].before, ablation.alternatives[name].after
        shown = list(self._shown(name, ablation))
        if not shown:
            rewrite = next(each for each in self._rewrites(ablation) if each.identifier == name)
            return False, rewrite.left, rewrite.right
        score, _, before, after = min(shown, key=lambda each: each[:2])
        return score[0] == 0, before, after

    def _rewrites(self, ablation: _Ablation) -> Iterator[Rewrite]:
        yield from ablation.rewrites
        for limited in ablation.scoped.values():
            yield from limited

    def _shown(self, name: str, ablation: _Ablation) -> Iterator[tuple[Any, int, Node, Node]]:
        count = 0
        for directed in ablation.engine.scopes:
            if directed.rewrite.identifier != name:
                continue
            rows = sorted(self.graph.firings.get(directed.fired, ()), key=self._order)
            for row in rows[:FIRINGS]:
                pair = self._instantiate(directed, row)
                if pair is not None and pair[0] is not pair[1]:
                    before, after = pair
                    count += 1
                    yield (before not in self.before, after not in self.after), count, before, after

    def _order(self, row: tuple[Any, ...]) -> tuple[Any, ...]:
        """Orders firings: on the input Program's classes, on the result's, then by the classes' ranks."""
        rank = self.extractor.rank
        root = row[0]
        classes = tuple(rank[each] if isinstance(each, int) and each < len(rank) else each for each in row)
        return root not in self.graph.original, root not in self.used, classes

    def _instantiate(self, directed: Directed, row: tuple[Any, ...]) -> tuple[Node, Node] | None:
        rewrite, names = directed.rewrite, [variable.params["name"] for variable in directed.variables]
        operands = dict(zip(names, row[1:]))
        nodes: dict[str, Node] = {}
        for name, value in operands.items():
            if name not in rewrite.constants:
                node = self._term(value)
                if node is None:
                    return None
                nodes[name] = node
        traced = operand_dtype(rewrite)
        root = self.graph.types[row[0]] if row[0] < len(self.graph.types) else None
        dtypes = [
            nodes[v.params["name"]].type.dtype
            for v in rewrite.variables
            if v.params["name"] in nodes and v.type.dtype == traced
        ]
        for name in rewrite.constants & set(operands):
            dtype: Any = dtypes[0] if dtypes else getattr(root, "dtype", traced)
            nodes[name] = ir.constant(operands[name], dtype)
        try:
            return tuple(instantiate(rewrite, side, nodes) for side in (directed.source, directed.target))  # type: ignore[return-value]
        except EgcError:
            return None

    def _term(self, number: int) -> Node | None:
        if number in self.graph.original:
            return self.graph.original[number]
        return self.extractor.term(number, self.choice, self.built) if number in self.extractor.best else None
