"""Loops that carry the rounding errors of their sums beside their states, so that the way back finds the numbers that were.

A state is the sum of two numbers, of which the second is what the first cannot hold: Knuth's two-sum gives the error of each
addition ("The Art of Computer Programming", volume 2, section 4.2.2), Dekker's joins it with the errors before ("A
floating-point technique for extending the available precision", 1971). What is added is made of the first numbers alone, the
same on the way forward and back, so that taking it off again leaves errors of 2**-104 of the state, far below its last bit.
"""

from __future__ import annotations

from collections.abc import Sequence

from egc import ir
from egc.ir import Node, Program, make
from egc.transforms.derivatives.inverse import Solution
from egc.transforms.derivatives.notation import is_differentiable, zeros
from egc.transforms.derivatives.regions import replaced, stand_ins
from egc.transforms.derivatives.step import Step


def two_sum(high: Node, low: Node, added: Node) -> tuple[Node, Node]:
    """A number in two parts and another one, added up in two parts. Infinities and nan carry nothing."""
    total = make("add", high, added)
    part = make("subtract", total, high)
    error = make(
        "add", make("subtract", high, make("subtract", total, part)), make("subtract", added, part)
    )  # fmt: skip
    rest = make("where", make("isfinite", error), make("add", low, error), zeros(low.type))
    found = make("add", total, rest)
    return found, make("subtract", rest, make("subtract", found, total))


def compensated(step: Step) -> tuple[Step, Program] | None:
    """The loop with what its states carry as further states, after them, and its reverse; None where sums alone do not give the
    states that the cotangents depend on."""
    update, first, number = step.update, step.first, step.number
    solution = Solution(update, first, number, additive=True, compensated=True)
    solution.solve()
    reached = _reached(solution, step.used_states)
    if not reached:
        return None
    states, after = update.inputs[first : first + number], tuple(solution.after)
    carrying = [k for k in sorted(reached) if is_differentiable(states[k].type)]
    lows = tuple(stand_ins(update, "_low", [states[k].type for k in carrying]))
    new, carried = _forward(update, solution, {states[k]: low for k, low in zip(carrying, lows)})
    after_lows = [carried.get(update.outputs[k]) for k in carrying]
    if any(each is None for each in after_lows):
        return None
    operands = update.inputs[first + number :]
    outputs = (*(new[each] for each in update.outputs), *after_lows)
    layout = (*update.inputs[: first + number], *lows, *operands)
    node = _with_states(step, layout, outputs, len(lows))  # type: ignore[arg-type]
    back = tuple(solution.known.get(state, each) for state, each in zip(states, after))
    low_after = tuple(solution.low_after[k] for k in carrying)
    reverse = Program(
        (*update.inputs[:first], *after, *low_after, *operands),  # type: ignore[arg-type]
        (*back, *(solution.low[states[k]] for k in carrying)),
        "reverse",
        update.size_inputs,
    )
    places = tuple(k + len(lows) for k in step.operands)
    results = tuple(replaced(step.outputs, {old: each for old, each in new.items() if old in carried}))
    return Step(node, step.states, places, step.fresh, results, step.segment), reverse


def _reached(solution: Solution, needed: set[int]) -> set[int]:
    """The states that are run back for those that are needed; none where one is not known, or not what it carries."""
    reached = set(needed)
    while True:
        nodes: list[Node] = []
        for k in reached:
            state = solution.states[k]
            found = [solution.known.get(state)]
            found += [solution.low.get(state)] if is_differentiable(state.type) else []
            if any(each is None for each in found):
                return set()
            nodes += [each for each in found if each is not None]
        used = set(ir.topological(nodes))
        ends = zip(solution.after, solution.low_after)
        grown = reached | {k for k, (value, low) in enumerate(ends) if value in used or low in used}
        if grown == reached:
            return reached
        reached = grown


def _forward(update: Program, solution: Solution, lows: dict[Node, Node]) -> tuple[dict[Node, Node], dict[Node, Node]]:
    """The Nodes of an update with compensated sums, and what they carry, given what the states carry."""
    new: dict[Node, Node] = {}
    carried = dict(lows)
    for node in ir.topological(update.outputs):
        new[node] = ir.rebuild(node, [new[child] for child in node.inputs])
        child = solution.source.get(node)
        if node not in solution.low or child not in carried:
            continue
        if node.op not in ("add", "subtract"):
            (carried[node],) = replaced([node], {child: carried[child]})
            continue
        place = node.inputs.index(child)
        high, low, added = new[child], carried[child], new[node.inputs[1 - place]]
        if node.op == "subtract" and place == 0:
            added = make("negative", added)
        elif node.op == "subtract":
            high, low = make("negative", high), make("negative", low)
        new[node], carried[node] = two_sum(high, low, added)
    return new, carried


def _with_states(step: Step, layout: Sequence[Node], outputs: Sequence[Node], more: int) -> Node:
    """The loop with an update of more states, which begin as 0."""
    node, first, number = step.node, step.first, step.number
    before, after = node.inputs[: first + number], node.inputs[first + number :]
    start = [zeros(each.type) for each in layout[first + number : first + number + more]]

    def laid(region: Program | None) -> Program | None:
        """A region that ends the loop."""
        if region is None:
            return None
        found = replaced(region.outputs, dict(zip(region.inputs, step.update.inputs)))
        return Program(layout, tuple(found), region.name, step.update.size_inputs)  # type: ignore[arg-type]

    update = Program(tuple(layout), tuple(outputs), "update", step.update.size_inputs)
    return make(
        "loop", *before, *start, *after, line=node.line, counted=bool(first), states=number + more,
        pre=laid(node.params["pre"]), update=update, post=laid(node.params["post"]), reverse=None,
    )  # fmt: skip
