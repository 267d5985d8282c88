"""Several iterations of a short loop as one.

for k < n: A(k)  = for k < n // 4: A(4 k); A(4 k + 1); A(4 k + 2); A(4 k + 3), and the rest one by one
for k < 3: A(k)  = A(0); A(1); A(2)
"""

from __future__ import annotations

from collections.abc import Sequence

from egc import ir, sizes
from egc.ir import Node, Program
from egc.kinds import OP_KINDS
from egc.ranges import Ranges
from egc.sizes import Dim, symbol
from egc.transforms.forms import Allowed, Forms
from egc.transforms.inline import inline
from egc.transforms.promote import is_plain
from egc.trips import count_size

LAW = "short_loop_is_unrolled"

FACTOR = 4
"""Iterations that become one, of a loop of many."""

SHORT = 16
"""Nodes of a region of which several are put side by side."""

WRITES = frozenset(["update_slice", "scatter"])
"""Ops that change elements of their first operand."""

FEW = 8
"""Iterations of a loop that are all written out."""


def unrolled(node: Node, ranges: Ranges, allowed: Allowed) -> Forms | None:
    """The results of a short loop by a loop of fewer iterations, or none; None for a loop that is long or counted by data."""
    if LAW not in allowed or not is_plain(node):
        return None
    count, update = count_size(node.inputs[0]), node.params["update"]
    nodes = [each for each in update.nodes() if each.op != "input"]
    if count is None or len(nodes) > SHORT or any(True for each in nodes for _ in ir.regions(each)):
        return None
    states, operands = _given(node)
    if isinstance(count, int):
        if count > FEW:
            return None
        for k in range(count):
            states = _step(update, k, states, operands)
        return Forms(list(states), {LAW})
    if any(OP_KINDS.get(each.op, "call") == "call" for each in nodes) or _reads_what_it_writes(update, len(states)):
        return None
    count = count if ranges.holds(count) else sizes.maximum(0, count)
    name = update.inputs[0].params["name"]
    whole = sizes.floordiv(count, FACTOR)
    inside = states = update.inputs[1 : 1 + node.params["states"]]
    for k in range(FACTOR):
        inside = _step(update, FACTOR * symbol(name) + k, inside, update.inputs[1 + len(states) :])
    body = Program(update.inputs, tuple(inside), "update", update.size_inputs)
    most = ir.loop(body, node.inputs[1 : 1 + len(states)], operands, ir.size(whole), line=node.line)
    last = _step(update, FACTOR * whole + symbol(name), states, update.inputs[1 + len(states) :])
    rest = Program(update.inputs, tuple(last), "update", update.size_inputs)
    return Forms(list(ir.loop(rest, most, operands, ir.size(count - FACTOR * whole), line=node.line)), {LAW})


def _reads_what_it_writes(update: Program, states: int) -> bool:
    """Whether an iteration reads an array that it changes: between several changes of one iteration, where nothing is changed in
    place, that takes a copy."""
    arrays = {state for state in update.inputs[1 : 1 + states] if state.type.rank}
    return any(
        child in arrays and not (node.op in WRITES and place == 0)
        for node in update.nodes()
        for place, child in enumerate(node.inputs)
    )


def _given(node: Node) -> tuple[Sequence[Node], Sequence[Node]]:
    number = node.params["states"]
    return node.inputs[1 : 1 + number], node.inputs[1 + number :]


def _step(update: Program, at: Dim, states: Sequence[Node], operands: Sequence[Node]) -> Sequence[Node]:
    """The states after one iteration."""
    return inline(update, [ir.size(at), *states, *operands], {update.inputs[0].params["name"]: at})
