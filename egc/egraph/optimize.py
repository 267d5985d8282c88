"""Program -> Program: the cheapest equal Program that rules reach."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from egc import ir
from egc.alternatives import Alternative, Laws, NoLaws
from egc.backend import CostTable
from egc.costs import CostModel
from egc.egraph.chains import ordered_chains
from egc.egraph.decode import Graph
from egc.egraph.engine import Engine, Scopes, engine
from egc.egraph.extract import given_and_found
from egc.egraph.extractor import INSTABILITY
from egc.egraph.pieces import Pieces
from egc.egraph.saturate import Budget, saturate
from egc.ir import Node, Program
from egc.ops import OPS
from egc.rewrite import Rewrite
from egc.trips import inside, trip_count


@dataclass(frozen=True)
class Question:
    """What a Program is optimized with: rewrites for all of it and by scope, costs, sizes, and the budget of a search.

    numbers: for a region, the sizes around it that are no lengths of axes, such as the number of an iteration.
    varying: the inputs that change from one iteration of the innermost loop around a region to the next.
    known: the regions that were searched already.
    """

    rewrites: tuple[Rewrite, ...]
    table: CostTable
    bindings: Mapping[str, int]
    budget: Budget
    scoped: Scopes = field(default_factory=dict)
    region: bool = False
    numbers: frozenset[str] = frozenset()
    varying: frozenset[str] = frozenset()
    laws: Laws = field(default_factory=NoLaws)
    known: dict[Program, list[tuple[Question, Result]]] = field(default_factory=dict, compare=False)

    @property
    def model(self) -> CostModel:
        return CostModel(self.table, self.bindings, self.region)

    def inside(self, program: Program, node: Node) -> Question:
        """The same of the regions of a loop or branch in a Program."""
        own = {name for _, region in ir.regions(node) for name in region.size_inputs}
        numbers = self.numbers | own | program.size_inputs
        laws = self.laws.inside(program, node)
        varying = _varying(node, self.varying)
        sizes = inside(node, self.bindings)
        return replace(self, bindings=sizes, region=True, numbers=numbers, varying=varying, laws=laws)


def _varying(node: Node, outside: frozenset[str]) -> frozenset[str]:
    """The inputs of a loop's or branch's regions that vary, given those outside of it."""
    if node.op == "loop":
        first = int(node.params["counted"]) + node.params["states"]
        return frozenset(each.params["name"] for each in node.params["update"].inputs[:first])
    pairs = zip(node.params["then"].inputs, node.inputs[1:])
    changing = {
        place.params["name"]
        for place, value in pairs
        if any(each.op == "input" and each.params["name"] in outside for each in ir.topological([value]))
    }
    return frozenset(changing)


@dataclass(frozen=True)
class Result:
    """The outcome of optimizing a Program.

    cost_before, cost_after: nanoseconds by the cost model, and for each operation that loses values which a stabilizing
    rule keeps, ten times the input Program's; `unstable_before` and `unstable_after` are the numbers of these operations.
    nodes: e-nodes at the end. fired: matches by rule name. `before` and `question` are kept for `explain_steps`.
    pieces: the results for the pieces of a long Program, whose further inputs stand for values of the pieces before. Equal
    pieces have one result.
    regions: the results for the regions of its loops and branches, which are searched first, and how often each `runs`.
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
    seconds_extracting: float
    fired: Mapping[str, int]
    before: Program
    question: Question
    pieces: tuple[Result, ...] = ()
    regions: tuple[Result, ...] = ()
    runs: float = 1.0
    alternatives: tuple[Alternative, ...] = ()


def optimize_program(
    program: Program,
    rewrites: Sequence[Rewrite],
    costs: CostTable,
    bindings: Mapping[str, int],
    budget: Budget | None = None,
    scoped: Scopes | None = None,
    laws: Laws | None = None,
) -> Result:
    """The cheapest Program equal to `program` by `rewrites`, by a backend's costs at the sizes in `bindings`.

    scoped: further rewrites by `egc.scope` name, which apply to that scope's Nodes only. A Program of more Nodes than
    `budget.piece` is optimized piece by piece. laws: who finds equal forms of loops.
    The result never costs more than `program` and is the same in every run and process.
    Raises RuleError for a rewrite that cannot be compiled, SaturationError where the e-graph engine fails.
    """
    started = time.perf_counter()
    budget, scoped = budget or Budget(), dict(scoped or {})
    return _optimized(
        program, Question(tuple(rewrites), costs, bindings, budget, scoped, laws=laws or NoLaws()), started
    )


def _optimized(program: Program, question: Question, started: float) -> Result:
    """A Program whose regions are optimized by the same rules, and then itself."""
    found: dict[Node, list[Result]] = {}
    written: Written = {}

    def visit(node: Node, inputs: tuple[Node, ...]) -> Node:
        node = ir.rebuild(node, inputs)
        if OPS[node.op].kind != "region":
            return node
        within, results = question.inside(program, node), []

        def searched(region: Program) -> Program:
            results.append(_known(region, within))
            return results[-1].program

        new = ir.with_regions(node, searched)
        found[new] = results
        written[tuple(ir.regions(new))] = node.params
        return new

    inner = ir.map_nodes(program, visit) if any(OPS[node.op].kind == "region" for node in program.nodes()) else program
    whole = _whole(inner, question, written, started)
    return _with_regions(program, whole, found) if found else whole


def _known(region: Program, question: Question) -> Result:
    """A region that is optimized, once for each question: loops that were unrolled have many equal ones."""
    answers = question.known.setdefault(region, [])
    found = next((result for asked, result in answers if asked == question), None)
    if found is None:
        found = _optimized(region, question, time.perf_counter())
        answers.append((question, found))
    return found


def _with_regions(before: Program, whole: Result, found: Mapping[Node, Sequence[Result]]) -> Result:
    """The result for a Program of that for the Program with optimized regions, and theirs."""
    question = whole.question
    regions = tuple(
        replace(result, runs=_runs(node, question.bindings)) for node, results in found.items() for result in results
    )
    fired = Counter(whole.fired)
    for result in regions:
        fired.update(result.fired)
    time_before = question.model.program(before)
    unstable = [
        sum(result.unstable_before for result in (whole, *regions)),
        sum(result.unstable_after for result in (whole, *regions)),
    ]
    reasons = Counter(result.stop_reason for result in regions)
    why = ", ".join(f"{count} {reason}" for reason, count in reasons.items())
    return replace(
        whole,
        cost_before=time_before * (1 + INSTABILITY * unstable[0]),
        cost_after=question.model.program(whole.program) + INSTABILITY * unstable[1] * time_before,
        unstable_before=unstable[0],
        unstable_after=unstable[1],
        stop_reason=f"{whole.stop_reason}; {len(regions)} regions: {why}",
        nodes=whole.nodes + sum(result.nodes for result in regions),
        fired=dict(sorted(fired.items())),
        before=before,
        pieces=whole.pieces or (whole,),
        regions=regions,
    )


def _runs(node: Node, bindings: Mapping[str, int]) -> float:
    return trip_count(node, bindings) if node.op == "loop" else 0.5


Written = dict[tuple[tuple[str, Program], ...], Mapping[str, Any]]
"""The parameters of loops and branches as they were given, by those with optimized regions."""


def _alternatives(program: Program, question: Question, written: Written) -> tuple[Alternative, ...]:
    """What the laws find for a Program's values, looking at loops as they were given; how these are put together, as they
    were found."""
    given: dict[Node, Node] = {}
    for node in program.nodes():
        inputs = [given[child] for child in node.inputs]
        params = written.get(tuple(ir.regions(node))) if OPS[node.op].kind == "region" else None
        if params is None:
            given[node] = ir.rebuild(node, inputs)
        else:
            given[node] = ir.make(node.op, *inputs, line=node.line, scopes=node.scopes, **params)
    before = {value: node for node, value in given.items()}
    found = question.laws.alternatives(program.with_outputs(given[output] for output in program.outputs))
    back = dict(before)
    for node in ir.topological(each.after for each in found):
        if node not in back:
            back[node] = ir.rebuild(node, [back[child] for child in node.inputs])
    same = all(given[output] is output for output in program.outputs)
    again = () if same else question.laws.arrangements(program)
    return (*(replace(each, before=back[each.before], after=back[each.after]) for each in found), *again)


def _whole(program: Program, question: Question, written: Written, started: float) -> Result:
    """A Program whose regions stay as they are."""
    budget, scoped = question.budget, question.scoped
    if sum(1 for _ in program.nodes()) <= budget.piece:
        return _searched(program, question, written, started)[0]
    parts = Pieces(program, budget.piece)
    predicates = engine(question.rewrites, scoped).predicates(program)
    results = []
    searched: dict[Program, tuple[Result, Mapping[Node, tuple[str, ...]]]] = {}
    for piece in parts:
        if piece.program not in searched:
            searched[piece.program] = _searched(piece.program, question, written, time.perf_counter(), predicates)
        result, facts = searched[piece.program]
        parts.found(piece, result.program, facts)
        results.append(result)
    return _together(program, parts.result(), question, results, started)


def _searched(
    program: Program,
    question: Question,
    written: Written,
    started: float,
    predicates: frozenset[str] = frozenset(),
) -> tuple[Result, Mapping[Node, tuple[str, ...]]]:
    """A Program that is searched as a whole, and which of the predicates are known of its outputs."""
    model = question.model
    running = engine(question.rewrites, question.scoped)
    alternatives = _alternatives(program, question, written)
    alternatives += ordered_chains(program, question.rewrites, question.bindings)
    saturated = saturate(
        running, program, question.budget, (), predicates, question.numbers, alternatives, question.varying,
        question.bindings,
    )  # fmt: skip
    try:
        graph = Graph(program, saturated)
        known = graph.facts(program.outputs) if predicates else {}
    finally:
        running.release()
    extracting = time.perf_counter()
    given, found = given_and_found(graph, model)
    ended = time.perf_counter()
    result = Result(
        found.program, given.cost, found.cost, given.unstable, found.unstable, saturated.stop_reason, saturated.nodes,
        saturated.iterations, ended - started, ended - extracting, saturated.matches, program, question,
        alternatives=alternatives,
    )  # fmt: skip
    return result, known


def searches(result: Result, runs: float = 1.0) -> Iterator[tuple[Result, float]]:
    """The searches that a result is put together from, and how often what they found runs."""
    for part in (*result.pieces, *result.regions):
        yield from searches(part, runs * part.runs)
    if not result.pieces and not result.regions:
        yield result, runs


def searched_graph(result: Result, running: Engine | None = None, dropped: Iterable[str] = ()) -> Graph:
    """The e-graph of one of the `searches` of a result, made again.

    running: an Engine of the same rules, which may record what fires. dropped: rules and laws that are left out.
    """
    question = result.question
    again = running or engine(question.rewrites, question.scoped)
    saturated = saturate(
        again, result.before, question.budget, dropped, (), question.numbers, result.alternatives, question.varying,
        question.bindings,
    )  # fmt: skip
    try:
        return Graph(result.before, saturated, firings=again.recorded)
    finally:
        again.release()


def _together(before: Program, after: Program, question: Question, pieces: Sequence[Result], started: float) -> Result:
    """The result for a Program of the results for its pieces; the Program itself where it does not cost more."""
    model = question.model
    unstable = [sum(piece.unstable_before for piece in pieces), sum(piece.unstable_after for piece in pieces)]
    times = [model.program(before), model.program(after)]
    costs = [time + number * INSTABILITY * times[0] for time, number in zip(times, unstable)]
    if costs[1] >= costs[0]:
        after, costs[1], unstable[1] = before, costs[0], unstable[0]
    fired: Counter[str] = Counter()
    for piece in pieces:
        fired.update(piece.fired)
    reasons = Counter(piece.stop_reason for piece in pieces)
    distinct = {id(piece): piece for piece in pieces}.values()
    why = ", ".join(f"{count} {reason}" for reason, count in reasons.items())
    return Result(
        after, costs[0], costs[1], unstable[0], unstable[1], f"{len(pieces)} pieces: {why}",
        sum(piece.nodes for piece in pieces), max(piece.iterations for piece in pieces),
        time.perf_counter() - started, sum(piece.seconds_extracting for piece in distinct), dict(sorted(fired.items())),
        before, question, tuple(pieces),
    )  # fmt: skip
