"""Loops in the order of memory: transposes move from operands to results, where they cost nothing."""

from __future__ import annotations

from egc import ir
from egc.ir import Node, Program, make
from egc.kinds import FUSED_REDUCTIONS, viewed
from egc.ops import OPS

Axes = tuple[int, ...]

ANY_ORDER = frozenset(["constant", "empty", "iota", "broadcast"])
"""Ops whose elements are as cheap in any order."""


def in_memory_order(program: Program) -> Program:
    """The same function, in which elementwise ops and reductions of transposes walk what is transposed.

    >>> from egc.types import parse_type
    >>> x = ir.input("x", parse_type("f64[n, m]"))
    >>> [node.op for node in in_memory_order(Program((x,), (make("exp", make("transpose", x, axes=(1, 0))),))).nodes()]
    ['input', 'exp', 'transpose']
    """
    nodes = list(program.nodes())
    if not any(node.op == "transpose" for node in nodes):
        return program
    order = _Order()
    for node in nodes:
        order.visit(node)
    made = program.with_outputs(order.value(node) for node in program.outputs)
    return made if _owners(made) == _owners(program) else program


def _owners(program: Program) -> int:
    """The number of values that the outputs show: results must not come to share memory."""
    return len(set(map(viewed, program.outputs)))


class _Order:
    """`turned` has, for each Node, what it is the transpose of, with the axis there of each of its own axes."""

    def __init__(self) -> None:
        self.turned: dict[Node, tuple[Node, Axes]] = {}

    def value(self, node: Node) -> Node:
        inner, axes = self.turned[node]
        return inner if axes == tuple(range(len(axes))) else make("transpose", inner, line=node.line, axes=axes)

    def visit(self, node: Node) -> None:
        if node.op == "transpose":
            inner, axes = self.turned[node.inputs[0]]
            self.turned[node] = inner, tuple(axes[axis] for axis in node.params["axes"])
        elif OPS[node.op].kind == "elementwise" and node.op != "assume" and (common := self._common(node)):
            operands = [self._soft(child, common) or self.turned[child][0] for child in node.inputs]
            self.turned[node] = ir.rebuild(node, operands), common
        elif node.op in FUSED_REDUCTIONS:
            self._reduce(node)
        else:
            made = ir.rebuild(node, [self.value(child) for child in node.inputs])
            self.turned[node] = made, tuple(range(getattr(made.type, "rank", 0)))

    def _common(self, node: Node) -> Axes | None:
        """The order that all operands have that are not free to have any; None where that is the given one."""
        found = {self.turned[child][1] for child in node.inputs if child.op not in ANY_ORDER}
        if len(found) != 1:
            return None
        (axes,) = found
        return axes if axes != tuple(range(len(axes))) else None

    def _soft(self, node: Node, axes: Axes) -> Node | None:
        """What a value that is cheap in any order is the transpose of."""
        if node.op not in ANY_ORDER:
            return None
        shape = tuple(node.type.shape[axes.index(axis)] for axis in range(len(axes)))
        if node.op == "constant":
            return ir.constant(node.params["value"], node.params["dtype"], shape)
        if node.op == "empty":
            return make("empty", dtype=node.type.dtype, shape=shape)
        if node.op == "iota":
            return make("iota", shape=shape, axis=axes[node.params["axis"]])
        operand, places = self.value(node.inputs[0]), [axes[axis] for axis in node.params["axes"]]
        ranks = sorted(range(len(places)), key=places.__getitem__)
        if ranks != list(range(len(places))):
            operand = make("transpose", operand, axes=tuple(ranks))
        return make("broadcast", operand, shape=shape, axes=tuple(sorted(places)))

    def _reduce(self, node: Node) -> None:
        inner, axes = self.turned[node.inputs[0]]
        reduced = sorted(axes[axis] for axis in node.params["axes"])
        left = [axis for axis in range(len(axes)) if axis not in reduced]
        kept = tuple(left.index(axes[axis]) for axis in range(len(axes)) if axis not in node.params["axes"])
        self.turned[node] = make(node.op, inner, line=node.line, axes=tuple(reduced)), kept
