"""What is put into a window of an array is read from there by what reads the array too: it takes no memory of its own."""

from __future__ import annotations

from collections.abc import Mapping

from egc import ir
from egc.ir import Node, Program, make


def read_in_windows(program: Program) -> Program:
    """The same function, in which what depends on an array after an update reads the update's value as a slice of the array.

    >>> from egc import sizes
    >>> from egc.types import parse_type
    >>> x = ir.input("x", parse_type("f64[n]"))
    >>> part = make("exp", make("slice", x, start=(0,), size=(sizes.symbol("n") - 1,), step=(1,)))
    >>> new = make("update_slice", x, part, start=(1,), step=(1,))
    >>> last = make("slice", new, start=(0,), size=part.type.shape, step=(1,))
    >>> (total,) = read_in_windows(Program((x,), (make("add", part, last),))).outputs
    >>> [operand.op for operand in total.inputs]
    ['slice', 'slice']
    """
    updates: dict[Node, Node] = {}
    users: dict[Node, int] = {}
    nodes = tuple(program.nodes())
    for node in nodes:
        for child in set(node.inputs):
            users[child] = users.get(child, 0) + 1
        if node.op == "update_slice" and node.inputs[1].type.rank and all(step == 1 for step in node.params["step"]):
            updates.setdefault(node.inputs[1], node)
    shared = {value: update for value, update in updates.items() if users[value] > 1 and value not in program.outputs}
    if not shared:
        return program
    later = _later(nodes, shared)
    made: dict[Node, Node] = {}

    def visit(node: Node, inputs: tuple[Node, ...]) -> Node:
        operands = list(inputs)
        for number, child in enumerate(node.inputs):
            update = shared.get(child)
            if update is not None and node in later[update]:
                ones = (1,) * child.type.rank
                operands[number] = make(
                    "slice", made[update], start=update.params["start"], size=child.type.shape, step=ones
                )
        made[node] = ir.rebuild(node, operands)
        return made[node]

    return ir.map_nodes(program, visit)


def _later(nodes: tuple[Node, ...], shared: Mapping[Node, Node]) -> dict[Node, set[Node]]:
    """What depends on each of the updates."""
    later: dict[Node, set[Node]] = {update: set() for update in shared.values()}
    for node in nodes:
        for update, found in later.items():
            if any(child is update or child in found for child in node.inputs):
                found.add(node)
    return later
