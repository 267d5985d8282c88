"""Runs rules on a Program's e-graph within a budget, and reads the result."""

from __future__ import annotations

import itertools
import time
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from egc.alternatives import Alternative
from egc.egraph import schema
from egc.egraph.admission import Admission
from egc.egraph.backoff import BackOff
from egc.egraph.directions import Directed
from egc.egraph.encode import Encoded, all_nodes, encode
from egc.egraph.engine import Engine, dtypes
from egc.egraph.relevance import Link, links, relevant
from egc.ir import Node, Program

SATURATED, NODE_LIMIT, TIME_LIMIT, ITERATION_LIMIT = "saturated", "node limit", "time limit", "iteration limit"


@dataclass(frozen=True)
class Budget:
    """When saturation stops: at so many e-nodes, iterations or seconds.

    Results must not depend on the machine's speed, so `seconds` is a safety stop well above what the others allow.
    piece: the Nodes of a Program that are searched together; a longer Program is searched piece by piece.
    """

    nodes: int = 3_000
    seconds: float = 2.0
    iterations: int = 12
    piece: int = 400


@dataclass
class Saturated:
    """The rows of a saturated e-graph, as egglog froze them, and how saturation went."""

    egraph: Any
    frozen: Any
    nodes_encoded: tuple[Node, ...]
    directed: Sequence[Directed]
    stop_reason: str
    iterations: int
    nodes: int
    matches: dict[str, int] = field(default_factory=dict)


ENDLESS_ITERATIONS = 3
"""Iterations in which a rule runs that makes terms of the form that it rewrites."""

MOST_GROWTH = 16
"""An iteration of a graph that is so many times smaller than the node budget cannot end far above it."""

MOST_LOOKED_AT = 1_500
"""E-nodes up to which it takes less time to see which rules they can match than to load the others."""

MOST_EXCESS = 2
"""How many times the node budget an iteration may reach and be kept."""


def saturate(
    engine: Engine,
    program: Program,
    budget: Budget,
    dropped: Iterable[str] = (),
    predicates: Collection[str] = (),
    numbers: Collection[str] = (),
    alternatives: Sequence[Alternative] = (),
    varying: Collection[str] = (),
    bindings: Mapping[str, int] | None = None,
) -> Saturated:
    """The saturated e-graph of a Program, without the rules named in `dropped`. Call `engine.release` afterwards.

    predicates: what is inferred although no rule needs it. numbers: the sizes that count iterations around it.
    alternatives: equal forms of its values, but those by the laws in `dropped`. varying, bindings: see `encode`.
    """
    engine.release()
    dropped = set(dropped)
    alternatives = [each for each in alternatives if each.law not in dropped]
    nodes = all_nodes(program, alternatives)
    active, _ = relevant(nodes, [each for each in engine.scopes if each.rewrite.identifier not in dropped])
    marking: list[Directed] = []
    if dropped:
        stabilizing = [each for each in engine.scopes if each.stabilizes and each not in active]
        marking = [each for each in relevant(nodes, [*active, *stabilizing])[0] if each not in active]
    encoded = encode(program, numbers, alternatives, varying, bindings)
    result = _Search(engine, encoded, Admission(active, marking), predicates).run(budget)
    for law, count in Counter(each.law for each in alternatives).items():
        result.matches[law] = count
    return result


class _Search:
    """The search from one Program: gives an Engine the rules that its e-graph has terms for, and runs them."""

    def __init__(self, engine: Engine, encoded: Encoded, rules: Admission, predicates: Collection[str]):
        self.engine, self.encoded, self.rules, self.predicates = engine, encoded, rules, predicates
        self.dtypes = dtypes(encoded.nodes)
        self.numbers = itertools.count()

    def run(self, budget: Budget) -> Saturated:
        self._admit((node.op for node in self.encoded.nodes), links(self.encoded.nodes))
        self.engine.push(self.encoded.commands)
        self._tell()
        result = self._iterate(budget)
        result.nodes_encoded, result.directed = self.encoded.nodes, self.rules.active
        result.egraph = self.engine.egraph
        return result

    def _admit_more(self, sizes: Mapping[str, int]) -> None:
        """As `_admit`, where there are so many e-nodes by op."""
        self._admit(sizes, self.engine.links() if sum(sizes.values()) <= MOST_LOOKED_AT else None)

    def _admit(self, present: Iterable[str], links: Iterable[Link] | None) -> None:
        """Loads the rules that terms of these ops make ready; the first time, also those that were needed later before."""
        before = self.rules.present.copy()
        ready = self.rules.ready(present, links, () if self.engine.pushed else self.engine.used)
        if ready or before != self.rules.present or not self.engine.pushed:
            wanted = self.rules.predicates().union(self.predicates)
            self.rules.add(self.engine.load(ready, self.dtypes, self.rules.present, wanted))
        if ready and self.engine.pushed:
            self._tell()

    def _tell(self) -> None:
        """Adds what the rules so far need to be told of the Program."""
        self.engine.add(self.encoded.facts(self.rules.predicates().union(self.predicates)))
        self.engine.add(self.encoded.values(self.rules.forms()))
        if self.rules.sized():
            self.engine.add(self.encoded.fixed_sizes())

    def _iterate(self, budget: Budget) -> Saturated:
        """Directed rules and rules that expand run in turn. A rule of the second kind with too many matches pauses, and the
        endless ones, whose results they match themselves, run in the first iterations only.

        Of an iteration that ends far above the node budget, nothing is kept; one that is bound to is not begun.
        """
        started = time.perf_counter()
        matches: Counter[str] = Counter()
        nodes, before = sum(self.engine.sizes().values()), 0
        pauses = BackOff(4 * nodes)
        for iteration in range(budget.iterations):
            if nodes >= budget.nodes or _projected(nodes, before) > MOST_EXCESS * budget.nodes:
                return self._stopped(NODE_LIMIT, iteration, nodes, matches)
            if time.perf_counter() - started > budget.seconds:
                return self._stopped(TIME_LIMIT, iteration, nodes, matches)
            snapshot = self.engine.freeze() if nodes * MOST_GROWTH > budget.nodes else None
            updated, found = self._iteration(iteration, pauses, MOST_EXCESS * budget.nodes)
            after = sum(self.engine.sizes().values())
            if snapshot is not None and after > MOST_EXCESS * budget.nodes:
                return self._stopped(NODE_LIMIT, iteration, nodes, matches, snapshot)
            nodes, before = after, nodes
            exploring = set(self.rules.rulesets(expand=True))
            for (rule, rewrite), count in found.items():
                matches[rule] += count
                if rewrite in exploring:
                    pauses.note(iteration, rewrite, count)
            if not updated and not pauses.resume(iteration):
                return self._stopped(SATURATED, iteration, nodes, matches)
        return self._stopped(ITERATION_LIMIT, budget.iterations, nodes, matches)

    def _iteration(self, iteration: int, pauses: BackOff, most: int) -> tuple[bool, Counter[tuple[str, str]]]:
        """Whether anything changed, and the matches by rule and rewrite. What simplifying has brought above `most` e-nodes
        is not explored."""
        found = Counter[tuple[str, str]]()
        self._admit_more(self.engine.sizes())
        simplify = self._combined([schema.MARKS, *self.rules.rulesets(expand=False)])
        updated = self._run(f"(seq (saturate (run analysis)) (run {simplify}))", found)
        sizes = self.engine.sizes()
        if sum(sizes.values()) <= most:
            self._admit_more(sizes)
            running = pauses.running(iteration, self.rules.rulesets(expand=True))
            if iteration >= ENDLESS_ITERATIONS:
                endless = self.rules.endless
                running = [ruleset for ruleset in running if ruleset not in endless]
            updated |= self._run(f"(run {self._combined(running)})", found)
        return updated, found

    def _combined(self, rulesets: Sequence[str]) -> str:
        name = f"stage-{next(self.numbers)}"
        self.engine.run(f"(unstable-combined-ruleset {name} {' '.join(rulesets)})")
        return name

    def _run(self, schedule: str, found: Counter[tuple[str, str]]) -> bool:
        """Whether anything changed; adds the matches by rule and rewrite."""
        report = self.engine.run(f"(run-schedule {schedule})")[0].report
        for name, count in report.num_matches_per_rule.items():
            rule, mark, rest = name.partition("#")
            if mark and count:
                found[rule, rest.partition("/")[0]] += count
        return bool(report.updated)

    def _stopped(
        self, reason: str, iterations: int, nodes: int, matches: Mapping[str, int], snapshot: Any = None
    ) -> Saturated:
        frozen = snapshot or self.engine.freeze()
        return Saturated(None, frozen, (), (), reason, iterations, nodes, dict(sorted(matches.items())))


def _projected(nodes: int, before: int) -> float:
    """The size after one more iteration, if growth goes on as it was in the last one."""
    return nodes * nodes / before if before else 0.0
