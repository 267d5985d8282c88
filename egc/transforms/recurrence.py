"""A state that is made from what it was by a factor and a term: s = a s + b, however it is written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from egc import ir
from egc.ir import Node, make


@dataclass(frozen=True)
class Line:
    """`factor s + term` for the state s; None stands for 0. Neither depends on the state."""

    factor: Node | None
    term: Node | None


def line_of(output: Node, state: Node) -> Line | None:
    """A value of a region as a line in one of its states, or None."""
    found = {state: Line(ir.constant(1, state.type.dtype, state.type.shape), None)}
    for node in ir.topological([output]):
        if node is state or not any(child in found for child in node.inputs):
            continue
        row = ROWS.get(node.op)
        line = row(node, [found.get(child, Line(None, child)) for child in node.inputs]) if row is not None else None
        if line is None:
            return None
        found[node] = line
    return found.get(output)


def _of_one(node: Node, lines: Sequence[Line]) -> Line:
    (line,) = lines
    return Line(*(part and make(node.op, part, **node.params) for part in (line.factor, line.term)))


def _sum(node: Node, lines: Sequence[Line]) -> Line:
    a, b = lines
    return Line(_together(node.op, a.factor, b.factor), _together(node.op, a.term, b.term))


def _together(op: str, a: Node | None, b: Node | None) -> Node | None:
    if a is None or b is None:
        return a if b is None else b if op == "add" else make("negative", b)
    return make(op, a, b)


def _scaled(node: Node, lines: Sequence[Line]) -> Line | None:
    """A product with, or quotient by, what does not depend on the state."""
    a, b = lines
    if a.factor is None and node.op == "multiply":
        a, b = b, a
    if b.factor is not None or b.term is None or (node.op == "divide" and node.type.dtype.kind not in "fc"):
        return None
    by = b.term

    def scaled(part: Node) -> Node:
        return by if node.op == "multiply" and ir.is_constant(part, 1) else make(node.op, part, by)

    return Line(*(part and scaled(part) for part in (a.factor, a.term)))


def _chosen(node: Node, lines: Sequence[Line]) -> Line | None:
    """A choice between two lines. A number in the place of one would be lost where the state it replaces is infinite."""
    mask, a, b = lines
    if mask.factor is not None or a.factor is None or b.factor is None or mask.term is None:
        return None
    nothing = ir.constant(0, node.type.dtype, node.type.shape)
    term = None if a.term is b.term is None else make("where", mask.term, a.term or nothing, b.term or nothing)
    return Line(a.factor if a.factor is b.factor else make("where", mask.term, a.factor, b.factor), term)


ROWS: dict[str, Callable[[Node, Sequence[Line]], Line | None]] = {
    "negative": _of_one,
    "reshape": _of_one,
    "add": _sum,
    "subtract": _sum,
    "multiply": _scaled,
    "divide": _scaled,
    "where": _chosen,
}
"""The ops that make lines of lines."""
