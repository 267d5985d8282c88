"""Runs rules on a Program's e-graph within a budget, and reads the result.

The only module that talks to egglog. An e-graph and the rules it has loaded are kept and used again: `push`, work, `pop`.
"""

from __future__ import annotations

import re
import threading
import time
from collections import Counter, OrderedDict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from egc.alternatives import Alternative
from egc.egraph import facts, native, schema
from egc.egraph.bindings import EggSmolError, EGraph
from egc.egraph.directions import Compiled, Directed, directions
from egc.egraph.encode import all_nodes, encode
from egc.egraph.relevance import relevant
from egc.egraph.rulesets import compile_direction
from egc.errors import SaturationError
from egc.ir import Node, Program
from egc.rewrite import Rewrite
from egc.types import SHORT, ArrayType

SATURATED, NODE_LIMIT, TIME_LIMIT, ITERATION_LIMIT = "saturated", "node limit", "time limit", "iteration limit"

Scopes = Mapping[str, Sequence[Rewrite]]


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


class _Limits:
    """Pauses of the rules that expand: one whose matches exceed its limit pauses for some iterations and comes back with
    twice the limit (the back-off of egg, Willsey et al. 2021)."""

    def __init__(self, rulesets: Sequence[str], limit: int):
        self.until = dict.fromkeys(rulesets, 0)
        self.limit = dict.fromkeys(self.until, max(limit, LEAST_LIMIT))
        self.pause = dict.fromkeys(self.until, 2)

    def running(self, iteration: int) -> list[str]:
        return [name for name, until in self.until.items() if until <= iteration]

    def note(self, iteration: int, ruleset: str, matches: int) -> None:
        if ruleset in self.limit and matches > self.limit[ruleset]:
            self.until[ruleset] = iteration + 1 + self.pause[ruleset]
            self.pause[ruleset] *= 2
            self.limit[ruleset] *= 2

    def resume(self, iteration: int) -> bool:
        """Ends the pauses; whether there were any."""
        paused = [name for name, until in self.until.items() if until > iteration + 1]
        self.until.update(dict.fromkeys(paused, 0))
        return bool(paused)


LEAST_LIMIT = 500
"""Matches that a rule that expands may have in one iteration before it pauses."""

ENDLESS_ITERATIONS = 3
"""Iterations in which a rule runs that makes terms of the form that it rewrites."""

MOST_GROWTH = 16
"""An iteration of a graph that is so many times smaller than the node budget cannot end far above it."""

MOST_EXCESS = 2
"""How many times the node budget an iteration may reach and be kept."""

MOST_LOADED = 6_000
"""Commands that an e-graph keeps loaded, at some 50 kB each, before it is begun anew: Programs of many kinds add up."""


class Engine:
    """An e-graph for one choice of rewrites, for use by one thread.

    A rewrite's rules are compiled and loaded when a Program first has terms that they could match.
    """

    def __init__(self, rewrites: Sequence[Rewrite], scoped: Scopes | None = None, recorded: bool = False):
        pairs: list[tuple[Rewrite, str | None]] = [(rewrite, None) for rewrite in rewrites]
        pairs += [(rewrite, scope) for scope, limited in (scoped or {}).items() for rewrite in limited]
        self.scopes: dict[Directed, str | None] = {}
        for index, (rewrite, scope) in enumerate(pairs):
            self.scopes.update((directed, scope) for directed in directions(rewrite, str(index)))
        self.recorded = recorded
        self.compiled: dict[tuple[Directed, frozenset[str]], Compiled] = {}
        self.egraph: Any = None
        self.loaded: set[str] = set()
        self.pushed = False

    def load(
        self,
        active: Sequence[Directed] = (),
        dtypes: frozenset[str] = frozenset(),
        ops: frozenset[str] = frozenset(),
        predicates: Collection[str] = (),
    ) -> list[Compiled]:
        """Makes the e-graph ready for Programs with these dtypes and ops, with the rules of these directions, and to infer
        these predicates besides those that the rules need."""
        if self.egraph is None:
            self.egraph, self.pushed, self.loaded = EGraph(), False, set()
            self._load([*schema.declarations(), "(ruleset analysis)", f"(ruleset {schema.MARKS})", *native.rules()])
        compiled = [self._compile(directed, dtypes) for directed in active]
        self._load(declaration for each in compiled for declaration in each.declarations)
        if "slice" in ops:
            self._load(native.slices())
        self._load(facts.inference({*predicates, *(name for each in compiled for name in each.predicates)}, ops))
        self._load(rule for each in compiled for rule in each.rules)
        return compiled

    def _compile(self, directed: Directed, dtypes: frozenset[str]) -> Compiled:
        key = directed, dtypes
        if key not in self.compiled:
            self.compiled[key] = compile_direction(directed, self.scopes[directed], self.recorded, dtypes)
        return self.compiled[key]

    def _load(self, commands: Iterable[str]) -> None:
        missing = list(dict.fromkeys(command for command in commands if command not in self.loaded))
        for text in _batches(missing):
            self._run(text)
        self.loaded.update(missing)

    def _run(self, text: str) -> list[Any]:
        """Runs commands; a failure of egglog becomes a SaturationError and the e-graph is given up."""
        assert self.egraph is not None
        try:
            return self.egraph.run_program(*self.egraph.parse_program(text))
        except EggSmolError as error:
            self.egraph = None
            raise SaturationError(f"the e-graph refused a command: {error}") from error
        except BaseException as error:
            self.egraph = None
            if type(error).__name__ == "PanicException":
                raise SaturationError(f"the e-graph engine failed: {error}") from error
            raise

    def predicates(self, program: Program) -> frozenset[str]:
        """What the rules that could match need to know of a Program's terms."""
        active, _ = relevant(list(program.nodes()), list(self.scopes))
        dtypes = _dtypes(program.nodes())
        return frozenset(name for each in active for name in self._compile(each, dtypes).predicates)

    def saturate(
        self,
        program: Program,
        budget: Budget,
        dropped: Iterable[str] = (),
        predicates: Collection[str] = (),
        numbers: Collection[str] = (),
        alternatives: Sequence[Alternative] = (),
        varying: Collection[str] = (),
        bindings: Mapping[str, int] | None = None,
    ) -> Saturated:
        """The saturated e-graph of a Program, without the rules named in `dropped`. Call `release` afterwards.

        predicates: what is inferred although no rule needs it. numbers: the sizes that count iterations around it.
        alternatives: equal forms of its values, but those by the laws in `dropped`. varying, bindings: see `encode`.
        """
        self.release()
        if len(self.loaded) > MOST_LOADED:
            self.egraph = None
            self.compiled.clear()
        dropped = set(dropped)
        alternatives = [each for each in alternatives if each.law not in dropped]
        nodes = all_nodes(program, alternatives)
        allowed = [each for each in self.scopes if each.rewrite.identifier not in dropped]
        active, ops = relevant(nodes, allowed)
        dtypes = _dtypes(nodes)
        compiled = self.load(active, dtypes, ops, predicates)
        if dropped:
            marking = [each for each in self.scopes if each.stabilizes and each not in active]
            self.load(relevant(nodes, [*active, *marking])[0], dtypes, ops)
        forms = dict.fromkeys(form for each in compiled for form in each.forms)
        needed = {*predicates, *(name for each in compiled for name in each.predicates)}
        sized = any(each.sized for each in compiled)
        encoded = encode(program, forms, sized, numbers, alternatives, needed, varying, bindings)
        self._run("(push)")
        self.pushed = True
        for text in _batches(encoded.commands):
            self._run(text)
        simplify = [rules.ruleset for rules, each in zip(compiled, active) if rules.rules and not each.expands]
        explore = [rules.ruleset for rules, each in zip(compiled, active) if rules.rules and each.expands]
        endless = {rules.ruleset for rules, each in zip(compiled, active) if each.feeds_itself and each.stabilizes}
        result = self._iterate(simplify, explore, endless, budget)
        for law, count in Counter(each.law for each in alternatives).items():
            result.matches[law] = count
        result.nodes_encoded, result.directed, result.egraph = encoded.nodes, active, self.egraph
        return result

    def _iterate(
        self, simplify: Sequence[str], explore: Sequence[str], endless: Collection[str], budget: Budget
    ) -> Saturated:
        """Directed rules and rules that expand run in turn. A rule of the second kind with too many matches pauses, and the
        `endless` ones, whose results they match themselves, run in the first iterations only.

        Of an iteration that ends far above the node budget, nothing is kept; one that is bound to is not begun.
        """
        started = time.perf_counter()
        matches: Counter[str] = Counter()
        nodes, before = self._size(), 0
        limits = _Limits(explore, 4 * nodes)
        self._run(f"(unstable-combined-ruleset simplify {' '.join([schema.MARKS, *simplify])})")
        for iteration in range(budget.iterations):
            if nodes >= budget.nodes or _projected(nodes, before) > MOST_EXCESS * budget.nodes:
                return self._stopped(NODE_LIMIT, iteration, nodes, matches)
            if time.perf_counter() - started > budget.seconds:
                return self._stopped(TIME_LIMIT, iteration, nodes, matches)
            snapshot = self._freeze() if nodes * MOST_GROWTH > budget.nodes else None
            running = limits.running(iteration)
            if iteration >= ENDLESS_ITERATIONS:
                running = [ruleset for ruleset in running if ruleset not in endless]
            updated, found = self._iteration(iteration, running, MOST_EXCESS * budget.nodes)
            after = self._size()
            if snapshot is not None and after > MOST_EXCESS * budget.nodes:
                return self._stopped(NODE_LIMIT, iteration, nodes, matches, snapshot)
            nodes, before = after, nodes
            for (rule, rewrite), count in found.items():
                matches[rule] += count
                limits.note(iteration, rewrite, count)
            if not updated and not limits.resume(iteration):
                return self._stopped(SATURATED, iteration, nodes, matches)
        return self._stopped(ITERATION_LIMIT, budget.iterations, nodes, matches)

    def _iteration(self, iteration: int, running: Sequence[str], most: int) -> tuple[bool, Counter[tuple[str, str]]]:
        """Whether anything changed, and the matches by rule and rewrite. What simplifying has brought above `most` e-nodes
        is not explored."""
        self._run(f"(unstable-combined-ruleset explore-{iteration} {' '.join(running)})")
        updated, found = False, Counter[tuple[str, str]]()
        for stage in (SIMPLIFY, f"(run-schedule (run explore-{iteration}))"):
            if stage != SIMPLIFY and self._size() > most:
                break
            report = self._run(stage)[0].report
            updated = updated or report.updated
            for name, count in report.num_matches_per_rule.items():
                rule, mark, rest = name.partition("#")
                if mark and count:
                    found[rule, rest.partition("/")[0]] += count
        return updated, found

    def _stopped(
        self, reason: str, iterations: int, nodes: int, matches: Mapping[str, int], snapshot: Any = None
    ) -> Saturated:
        frozen = snapshot or self._freeze()
        return Saturated(None, frozen, (), (), reason, iterations, nodes, dict(sorted(matches.items())))

    def _freeze(self) -> Any:
        assert self.egraph is not None
        return self.egraph.freeze()

    def _size(self) -> int:
        """The number of e-nodes."""
        printed = str(self._run("(print-size)")[0])
        return sum(int(count) for count in re.findall(r"\(op-\S+ (\d+)\)", printed))

    def release(self) -> None:
        """Makes the e-graph ready for the next Program."""
        if self.egraph is not None and self.pushed:
            self._run("(pop)")
        self.pushed = False


def _projected(nodes: int, before: int) -> float:
    """The size after one more iteration, if growth goes on as it was in the last one."""
    return nodes * nodes / before if before else 0.0


SIMPLIFY = "(run-schedule (seq (saturate (run analysis)) (run simplify)))"
LOADED_AT_ONCE = 1000
"""Characters that are given to egglog together: its time to read a text grows faster than the text."""


def _batches(commands: Iterable[str]) -> Iterator[str]:
    batch: list[str] = []
    size = 0
    for command in commands:
        if batch and size + len(command) > LOADED_AT_ONCE:
            yield " ".join(batch)
            batch, size = [], 0
        batch.append(command)
        size += len(command)
    if batch:
        yield " ".join(batch)


def _dtypes(nodes: Iterable[Node]) -> frozenset[str]:
    types = {part for node in nodes for part in _parts(node)}
    return frozenset(SHORT[type.dtype] for type in types)


def _parts(node: Node) -> tuple[ArrayType, ...]:
    return (node.type,) if isinstance(node.type, ArrayType) else node.type.items


KEPT_ENGINES = 8


class _Engines(threading.local):
    """The engines last used by a thread: egglog's e-graphs must stay in the thread that made them."""

    def __init__(self) -> None:
        self.kept: OrderedDict[Any, Engine] = OrderedDict()


_engines = _Engines()


def engine(rewrites: Sequence[Rewrite], scoped: Scopes | None = None) -> Engine:
    """An Engine for these rewrites, one that was used before where possible. Raises RuleError for a broken rewrite."""
    scopes = tuple((name, tuple(map(id, limited))) for name, limited in (scoped or {}).items())
    key = (tuple(map(id, rewrites)), scopes)
    found = _engines.kept.pop(key, None)
    if found is None:
        found = Engine(rewrites, scoped)
    _engines.kept[key] = found
    while len(_engines.kept) > KEPT_ENGINES:
        _engines.kept.popitem(last=False)
    return found
