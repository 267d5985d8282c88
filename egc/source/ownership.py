"""Which arrays of a Program may be written into, so that an update needs no copy when it is written as a statement."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from egc import ir
from egc.ir import Node, Program
from egc.kinds import VIEWS

ALIASES = VIEWS | {"real", "imag", "gather", "loop", "cond"}
"""Ops whose results may be the memory of an operand."""

UPDATES = frozenset(["update_slice", "scatter"])

Readers = Mapping[Node, Sequence[Node]]


def readers_of(nodes: Iterable[Node]) -> dict[Node, list[Node]]:
    """The Nodes that use each Node."""
    found: dict[Node, list[Node]] = {}
    for node in nodes:
        for child in dict.fromkeys(node.inputs):
            found.setdefault(child, []).append(node)
    return found


def may_overwrite(readers: Readers, outputs: Sequence[Node], x: Node, user: Node, position: int) -> bool:
    """Whether `user` may write into the array x, its operand at `position`: all that reads x, or a view of it, stands
    before."""
    others = [child for k, child in enumerate(user.inputs) if k != position]
    before = set(ir.topological(others))
    path = {user.inputs[position], *_under_facts(user.inputs[position])}
    safe = user.op == "update_slice" or user.params.get("combine") == "set"
    waiting = [x]
    while waiting:
        alias = waiting.pop()
        if alias in outputs:
            return False
        for reader in readers.get(alias, ()):
            if reader is user:
                if alias in others and not safe:
                    return False
            elif reader in path and reader.op == "assume":
                waiting.append(reader)
            elif reader not in before:
                return False
            elif _is_alias(reader):
                waiting.append(reader)
    return True


def _is_alias(node: Node) -> bool:
    """Whether a value may be the memory of an operand. An element that is picked by its position is a number of its own."""
    if node.op == "reshape" and not node.type.rank:
        return any(dim != 1 for dim in node.inputs[0].type.shape)
    return node.op in ALIASES


def _under_facts(node: Node) -> list[Node]:
    found = []
    while node.op == "assume":
        node = node.inputs[0]
        found.append(node)
    return found


def updated_input(program: Program, index: int) -> Node | None:
    """The input that an output is, after writes that may all be made in its memory; None where there is none."""
    readers = readers_of(program.nodes())
    node = program.outputs[index]
    if program.outputs.count(node) > 1 or _is_seen(readers, program.outputs, node):
        return None
    while True:
        node = [node, *_under_facts(node)][-1]
        if node.op == "input":
            return node
        found = written_operand(node)
        if found is None:
            return None
        user, position = found
        base = [user.inputs[position], *_under_facts(user.inputs[position])][-1]
        if not may_overwrite(readers, program.outputs, base, user, position):
            return None
        node = base


def _is_seen(readers: Readers, outputs: Sequence[Node], node: Node) -> bool:
    """Whether an output other than the Node itself may be its memory."""
    waiting = [node]
    while waiting:
        for reader in readers.get(waiting.pop(), ()):
            if _is_alias(reader):
                if reader in outputs:
                    return True
                waiting.append(reader)
    return False


def written_operand(node: Node) -> tuple[Node, int] | None:
    """The op that makes a value by writing into the memory of one of its operands, and which operand that is."""
    if node.op in UPDATES:
        return (node, 0) if node.type.rank else None
    if node.op != "item":
        return None
    several, index = node.inputs[0], node.params["index"]
    if several.op == "loop":
        first = 1 if several.params["counted"] else 0
        state = several.params["update"].inputs[first + index]
        return (several, first + index) if updated_input(several.params["update"], index) is state else None
    if several.op == "cond":
        branches = (several.params["then"], several.params["otherwise"])
        places = {_place(branch, updated_input(branch, index)) for branch in branches}
        place = places.pop()
        return (several, 1 + place) if not places and place is not None else None
    return None


def _place(program: Program, node: Node | None) -> int | None:
    return program.inputs.index(node) if node is not None else None
