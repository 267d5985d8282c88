"""Runs rules on a Program's e-graph within a budget, and reads the result.

The only module that talks to egglog. An e-graph with its rules loaded is kept and used again: `push`, work, `pop`.
"""

from __future__ import annotations

import re
import threading
import time
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from egglog.bindings import EGraph, EggSmolError

from egc.egraph import facts, native, schema
from egc.egraph.encode import encode
from egc.egraph.rulesets import CompiledRules, Directed, compile_rewrites
from egc.errors import SaturationError
from egc.ir import Node, Program
from egc.rewrite import Rewrite

SATURATED, NODE_LIMIT, TIME_LIMIT, ITERATION_LIMIT = "saturated", "node limit", "time limit", "iteration limit"

Scopes = Mapping[str, Sequence[Rewrite]]


@dataclass(frozen=True)
class Budget:
    """When saturation stops: at so many e-nodes, iterations or seconds.

    Results must not depend on the machine's speed, so `seconds` is a safety stop well above what the others allow.
    """

    nodes: int = 10_000
    seconds: float = 2.0
    iterations: int = 12


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


class Engine:
    """An e-graph with the rules for one choice of rewrites, for use by one thread."""

    def __init__(self, rewrites: Sequence[Rewrite], scoped: Scopes | None = None):
        pairs = [(rewrite, None) for rewrite in rewrites]
        pairs += [(rewrite, scope) for scope, limited in (scoped or {}).items() for rewrite in limited]
        self.compiled: CompiledRules = compile_rewrites([r for r, _ in pairs], [scope for _, scope in pairs])
        self.egraph: EGraph | None = None

    def load(self) -> EGraph:
        if self.egraph is None:
            self.egraph = EGraph()
            commands = self.commands()
            for start in range(0, len(commands), LOADED_AT_ONCE):
                self._run("\n".join(commands[start : start + LOADED_AT_ONCE]))
        assert self.egraph is not None
        return self.egraph

    def commands(self) -> list[str]:
        """Everything that is loaded before a Program is."""
        compiled = self.compiled
        arities = {len(form.symbols) for form in compiled.forms}
        rulesets = ["analysis", *compiled.rules]
        return [
            *schema.declarations(),
            *(f"(relation size-form-{n} ({' '.join(['String'] * (n + 2))}))" for n in sorted(arities)),
            *compiled.declarations,
            *(f"(ruleset {name})" for name in rulesets),
            *native.rules(),
            *facts.inference(compiled.predicates),
            *(text for texts in compiled.rules.values() for text in texts),
        ]

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

    def saturate(self, program: Program, budget: Budget, dropped: Iterable[str] = ()) -> Saturated:
        """The saturated e-graph of a Program, without the rules named in `dropped`. Call `release` afterwards."""
        self.load()
        dropped = set(dropped)
        encoded = encode(program, self.compiled.forms, self.compiled.sized)
        active = [each for each in self.compiled.directed if each.rewrite.identifier not in dropped]
        simplify = [_ruleset(each) for each in active if not each.expands]
        explore = [_ruleset(each) for each in active if each.expands]
        self._run("(push)")
        self._run(f"(unstable-combined-ruleset simplify {' '.join(simplify)})")
        self._run(f"(unstable-combined-ruleset explore {' '.join(explore)})")
        self._run(encoded.text)
        result = self._iterate(budget)
        result.nodes_encoded, result.directed = encoded.nodes, active
        assert self.egraph is not None
        result.egraph, result.frozen = self.egraph, self.egraph.freeze()
        return result

    def _iterate(self, budget: Budget) -> Saturated:
        started = time.perf_counter()
        matches: dict[str, int] = {}
        nodes = before = self._size()
        for iteration in range(budget.iterations):
            if nodes >= budget.nodes or nodes * nodes > 2 * before * budget.nodes:
                return self._stopped(NODE_LIMIT, iteration, nodes, matches)
            if time.perf_counter() - started > budget.seconds:
                return self._stopped(TIME_LIMIT, iteration, nodes, matches)
            updated = False
            for stage in (SIMPLIFY, EXPLORE):
                report = self._run(stage)[0].report
                updated = updated or report.updated
                for name, count in report.num_matches_per_rule.items():
                    rule, mark, _ = name.partition("#")
                    if mark and count:
                        matches[rule] = matches.get(rule, 0) + count
            if not updated:
                return self._stopped(SATURATED, iteration, nodes, matches)
            nodes, before = self._size(), nodes
        return self._stopped(ITERATION_LIMIT, budget.iterations, nodes, matches)

    def _stopped(self, reason: str, iterations: int, nodes: int, matches: dict[str, int]) -> Saturated:
        return Saturated(None, None, (), (), reason, iterations, nodes, dict(sorted(matches.items())))

    def _size(self) -> int:
        """The number of e-nodes."""
        printed = str(self._run("(print-size)")[0])
        return sum(int(count) for count in re.findall(r"\(op-\S+ (\d+)\)", printed))

    def release(self) -> None:
        """Makes the e-graph ready for the next Program."""
        if self.egraph is not None:
            self._run("(pop)")


SIMPLIFY = "(run-schedule (seq (saturate (run analysis)) (run simplify)))"
EXPLORE = "(run-schedule (run explore))"

LOADED_AT_ONCE = 40
"""Commands that are given to egglog together: its time grows faster than the number of commands."""


def _ruleset(directed: Directed) -> str:
    return directed.fired.replace("fired-", "rewrite-")


KEPT_ENGINES = 8


class _Engines(threading.local):
    """The engines last used by a thread: egglog's e-graphs must stay in the thread that made them."""

    def __init__(self) -> None:
        self.kept: OrderedDict[Any, Engine] = OrderedDict()


_engines = _Engines()


def engine(rewrites: Sequence[Rewrite], scoped: Scopes | None = None) -> Engine:
    """An Engine for these rewrites, loaded before where possible. Raises RuleError for a rewrite without a rule text."""
    scopes = tuple((name, tuple(limited)) for name, limited in sorted((scoped or {}).items()))
    key = (tuple(rewrites), scopes)
    found = _engines.kept.pop(key, None)
    if found is None:
        found = Engine(rewrites, scoped)
    _engines.kept[key] = found
    while len(_engines.kept) > KEPT_ENGINES:
        _engines.kept.popitem(last=False)
    return found
