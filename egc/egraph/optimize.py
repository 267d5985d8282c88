"""Program -> Program: the cheapest equal Program that rules reach."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from egc.backend import CostTable
from egc.costs import CostModel
from egc.egraph.decode import Graph
from egc.egraph.extract import given_and_found
from egc.egraph.saturate import Budget, Scopes, engine
from egc.ir import Program
from egc.rewrite import Rewrite


@dataclass(frozen=True)
class Result:
    """The outcome of optimizing a Program.

    cost_before, cost_after: nanoseconds by the cost model, and for each operation that loses values which a stabilizing
    rule keeps, ten times the input Program's; `unstable_before` and `unstable_after` are the numbers of these operations.
    nodes: e-nodes at the end. fired: matches by rule name.
    `before`, `rewrites`, `scoped`, `table`, `bindings` and `budget` repeat the question, for `explain_steps`.
    """

    program: Program
    cost_before: float
    cost_after: float
    unstable_before: int
    unstable_after: int
    stop_reason: str
    nodes: int
    iterations: int
    seconds: float
    fired: Mapping[str, int]
    before: Program
    rewrites: tuple[Rewrite, ...]
    table: CostTable
    bindings: Mapping[str, int]
    budget: Budget
    scoped: Scopes = field(default_factory=dict)


def optimize_program(
    program: Program,
    rewrites: Sequence[Rewrite],
    costs: CostTable,
    bindings: Mapping[str, int],
    budget: Budget | None = None,
    scoped: Scopes | None = None,
) -> Result:
    """The cheapest Program equal to `program` by `rewrites`, by a backend's costs at the sizes in `bindings`.

    scoped: further rewrites by `egc.scope` name, which apply to that scope's Nodes only.
    The result never costs more than `program` and is the same in every run and process.
    Raises RuleError for a rewrite that cannot be compiled, SaturationError where the e-graph engine fails.
    """
    started = time.perf_counter()
    budget, scoped = budget or Budget(), dict(scoped or {})
    model = CostModel(costs, bindings)
    running = engine(rewrites, scoped)
    saturated = running.saturate(program, budget)
    try:
        graph = Graph(program, saturated)
    finally:
        running.release()
    given, found = given_and_found(graph, model)
    return Result(
        found.program,
        given.cost,
        found.cost,
        given.unstable,
        found.unstable,
        saturated.stop_reason,
        saturated.nodes,
        saturated.iterations,
        time.perf_counter() - started,
        saturated.matches,
        program,
        tuple(rewrites),
        costs,
        bindings,
        budget,
        scoped,
    )
