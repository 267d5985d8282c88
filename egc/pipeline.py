"""The whole compiler as one chain: a function and its arguments go in, a Plan that runs comes out.

    capture -> simplify -> saturate and extract -> simplify -> compile

Every stage takes a Program and gives a Program, and can be skipped, printed and interpreted on its own.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from egc import backend as backends
from egc import cache, rulefiles, stored
from egc.backend import Backend, Compiled, Demands
from egc.cache import Store
from egc.callpath import entry_guards, stores_of
from egc.capture import Captured, capture
from egc.capture.rules import RANKS, rewrites
from egc.check import check
from egc.costfiles import costs_of
from egc.errors import EgcError, InternalError, NotEncodable, RuleError
from egc.ir import Program
from egc.ops import OPS
from egc.options import Options, backend_name, thread_count
from egc.rewrite import PRECISIONS, Matrix, Rewrite, Rule, SquareMatrix
from egc.transforms import LOOP_LAWS, LoopLaws, derivatives, simplify


@dataclass
class Trace:
    """What each stage gave and took: `programs` by stage name, `seconds` by stage name.

    repeatable: whether another run would give the same, however fast the machine is.
    """

    programs: dict[str, Program] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    results: dict[str, Any] = field(default_factory=dict)
    repeatable: bool = True

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Times a stage, and turns its unexpected failures into InternalError."""
        start = time.perf_counter()
        try:
            yield
        except (EgcError, KeyboardInterrupt):
            raise
        except Exception as error:
            raise InternalError(name, f"{type(error).__name__}: {error}") from error
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - start


@dataclass(frozen=True)
class Plan:
    """A function compiled for one kind of arguments."""

    captured: Captured
    program: Program
    compiled: Compiled
    backend: Backend
    trace: Trace
    demands: Demands = backends.PLAIN


@dataclass(frozen=True)
class RuleChoice:
    """The rules of a call: for the whole Program, and by scope."""

    everywhere: tuple[Rule, ...]
    scoped: Mapping[str, tuple[Rule, ...]]

    @property
    def empty(self) -> bool:
        return not self.everywhere and not any(self.scoped.values())


def choose_rules(rules: Any, precision: str) -> RuleChoice:
    """The rules that `optimize(rules=..., precision=...)` names.

    None is the default libraries; a list names libraries, modules, paths or rules; a dict gives such lists by scope, with
    None as the key for the whole function. Laws of loops are in every class of precision: whether one rounds otherwise is
    known only where it is applied.
    """
    allowed = PRECISIONS[: PRECISIONS.index(precision) + 1]

    def load(specification: Any) -> tuple[Rule, ...]:
        found = rulefiles.load(specification)
        for rule in found:
            if rule.of_loops and rule.name not in LOOP_LAWS:
                raise RuleError(f"there is no law of loops named {rule.name}", rule.place)
        return tuple(rule for rule in found if rule.of_loops or rule.precision in allowed)

    if isinstance(rules, Mapping):
        everywhere = load(rules[None]) if None in rules else load(None)
        return RuleChoice(everywhere, {scope: load(given) for scope, given in rules.items() if scope is not None})
    return RuleChoice(load(rules), {})


MATRICES = frozenset([Matrix, SquareMatrix])


@lru_cache(maxsize=16384)
def traced_rule(rule: Rule, max_rank: int = RANKS[-1]) -> tuple[Rewrite, ...]:
    return () if rule.of_loops else rewrites(rule, max_rank)


def traced_rules(rules: Sequence[Rule], program: Program) -> tuple[Rewrite, ...]:
    """The rules as pairs of Nodes, for the ranks that a Program has: where it has neither matrices nor regions, those of matrices
    say nothing."""
    nodes = list(program.nodes())
    ranks = [len(getattr(node.type, "shape", ())) for node in nodes]
    max_rank = min(max([2, *ranks]), RANKS[-1])
    if max(ranks, default=0) < 2 and not any(OPS[node.op].kind == "region" for node in nodes):
        rules = [rule for rule in rules if MATRICES.isdisjoint(rule.parameters.values())]
    return tuple(rewrite for rule in rules for rewrite in traced_rule(rule, max_rank))


def rules_identity(options: Options, program: Program) -> list[str]:
    """The rules of a call as texts: themes that ship by name, without loading them, and others by what tracing gives."""
    given = options.rules if isinstance(options.rules, Mapping) else {None: options.rules}
    found: list[str] = []
    for scope, specification in {None: None, **given}.items():
        for part in rulefiles.parts(specification):
            if rulefiles.ships(part):
                found.append(f"{scope!r} {part}")
            else:
                rules = choose_rules([part], options.precision).everywhere
                found += [f"{scope!r} {rule.name} {rule.file}:{rule.line}" for rule in rules if rule.of_loops]
                found += [f"{scope!r} {stored.rewrite_identity(each)}" for each in traced_rules(rules, program)]
    return found


def evaluate_reference(program: Program, arguments: Sequence[Any]) -> tuple[Any, ...]:
    """The meaning of a Program: the reference interpreter's results."""
    return backends.load("reference").compile(program).run(*arguments)


def capture_stage(
    function: Callable[..., Any], positional: Sequence[Any], named: Mapping[str, Any], options: Options, trace: Trace
) -> Captured:
    start = time.perf_counter()
    try:
        captured = capture(function, positional, named, options.assume, derivatives=derivatives)
    finally:
        trace.seconds["capture"] = time.perf_counter() - start
    trace.programs["captured"] = captured.program
    return captured


def optimize_stage(
    program: Program,
    bindings: Mapping[str, int],
    options: Options,
    backend: Backend,
    trace: Trace,
    store: Store | None = None,
) -> Program:
    """The cheapest equal Program that the rules reach; out of the store, where it is there."""
    if store is None:
        return search(program, bindings, options, backend, trace)
    with trace.stage("cache"):
        identity = rules_identity(options, program)
        costs = costs_of(backend)
        key = stored.program_key(program, bindings, identity, options.precision, costs) if identity else None
        entry = store.read(stored.KIND, key) if key is not None else None
        found = stored.decode(program, entry) if entry is not None else None
    if found is None:
        found = search(program, bindings, options, backend, trace)
        with trace.stage("cache"):
            entry = stored.encode(program, found)
            if key is not None and entry is not None and trace.repeatable:
                store.write(stored.KIND, key, entry)
    trace.programs["optimized"] = found
    return found


def search(program: Program, bindings: Mapping[str, int], options: Options, backend: Backend, trace: Trace) -> Program:
    """The cheapest equal Program, by saturation."""
    with trace.stage("simplify"):
        program = check(simplify(program, evaluate_reference))
    trace.programs["simplified"] = program
    with trace.stage("rules"):
        choice = choose_rules(options.rules, options.precision)
        everywhere = traced_rules(choice.everywhere, program)
        scoped = {scope: traced_rules(rules, program) for scope, rules in choice.scoped.items()}
    if program.outputs and not choice.empty:
        from egc import egraph

        with trace.stage("saturate"):
            laws = LoopLaws.of(choice.everywhere, choice.scoped, options.precision == "exact", evaluate_reference)
            result = egraph.optimize_program(program, everywhere, costs_of(backend), bindings, scoped=scoped, laws=laws)
        trace.results["egraph"] = result
        trace.repeatable = egraph.TIME_LIMIT not in result.stop_reason
        with trace.stage("simplify"):
            program = check(simplify(result.program, evaluate_reference))
    trace.programs["optimized"] = program
    return program


def compile_stage(
    program: Program,
    backend: Backend,
    trace: Trace,
    demands: Demands = backends.PLAIN,
) -> Compiled:
    backends.require_supported(backend, program)
    with trace.stage("compile"):
        return backend.compile(program, demands)


def explained_steps(trace: Trace) -> Sequence[Any]:
    """The rules that mattered in a search, see `egraph.explain_steps`."""
    from egc import egraph

    result = trace.results.get("egraph")
    return () if result is None else egraph.explain_steps(result)


def make_plan(
    function: Callable[..., Any],
    positional: Sequence[Any],
    named: Mapping[str, Any],
    options: Options,
    cached: bool = True,
    in_c_order: bool = False,
) -> Plan:
    """Runs every stage. Raises NotEncodable when the function must run as written, the function's own errors for bad
    arguments, and InternalError when a stage fails.

    cached: whether the optimized Program may come from the cache; the trace then says nothing of a search.
    in_c_order: whether the code is for arrays in C order, whatever order these have.
    """
    trace = Trace()
    backend = backends.load(backend_name(options))
    backends.limit_threads(backend, thread_count())
    captured = capture_stage(function, positional, named, options, trace)
    store = cache.shared() if cached else None
    program = optimize_stage(captured.program, captured.hints(), options, backend, trace, store)
    for gap in backend.missing(program):
        error = NotEncodable(gap.op, f"the backend {backend.name!r} has none: {gap.why}", gap.line)
        error.size_guards, error.value_guards = captured.size_guards, captured.value_guards
        raise error
    layouts = {} if in_c_order else captured.layouts()
    stores = {} if in_c_order else stores_of(captured)
    demands = Demands(entry_guards(captured), layouts, options.precision == "exact", stores, frozenset(captured.checks))
    compiled = compile_stage(program, backend, trace, demands)
    return Plan(captured, program, compiled, backend, trace, demands)


__all__ = [
    "NotEncodable",
    "Plan",
    "Trace",
    "capture_stage",
    "choose_rules",
    "explained_steps",
    "make_plan",
    "optimize_stage",
    "traced_rule",
]
