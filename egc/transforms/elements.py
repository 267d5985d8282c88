"""Choices of expensive values: where the mask does not hold, they are not made.

where(mask, f(x), y) = f(x) where the mask holds, alone, and y elsewhere
"""

from __future__ import annotations

from egc import ir
from egc.ir import Node, Program, make
from egc.kinds import ELEMENTWISE
from egc.ops import MASKED, OPS

MASKABLE = {function: name for name, function in MASKED.items()}


def masked_choices(program: Program) -> dict[Node, Node]:
    """The choices of a Program of which one value alone has slow functions, with these applied under the mask."""
    found: dict[Node, Node] = {}
    for node in program.nodes():
        new = _masked(node) if node.op == "where" and node.type.rank else node
        if new is not node:
            found[node] = new
    return found


def _masked(node: Node) -> Node:
    mask, *values = node.inputs
    slow = [{each for each in _cone(value) if each.op in MASKABLE} for value in values]
    kept = {each for each in _cone(mask) if each.op in MASKABLE}
    new = list(values)
    for k, value in enumerate(values):
        alone = slow[k] - slow[1 - k] - kept
        if alone:
            holds = make("logical_not", mask) if k else mask
            new[k] = _replaced(value, alone, holds, values[1 - k])
    return ir.rebuild(node, (mask, *new)) if len(new) == 2 and new != values else node


def _replaced(value: Node, slow: set[Node], mask: Node, other: Node) -> Node:
    new: dict[Node, Node] = {}
    inner = set(_cone(value))
    for node in ir.topological([value]):
        if node not in inner:
            new[node] = node
            continue
        inputs = [new[child] for child in node.inputs]
        if node in slow:
            rest = other if node is value else ir.constant(0, node.type.dtype, node.type.shape)
            new[node] = make(MASKABLE[node.op], mask, rest, *inputs, line=node.line, scopes=node.scopes)
        else:
            new[node] = ir.rebuild(node, inputs)
    return new[value]


def _cone(node: Node) -> list[Node]:
    """The elementwise ops that a value is made of, inputs first."""
    found: dict[Node, None] = {}
    waiting = [node]
    while waiting:
        each = waiting.pop()
        if each not in found and OPS[each.op].kind == ELEMENTWISE and each.inputs:
            found[each] = None
            waiting.extend(each.inputs)
    return [each for each in ir.topological([node]) if each in found]
