"""NumPy notation for the rows of the tables of derivatives: arithmetic and ufuncs on Nodes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from egc import ir
from egc.ir import Node, make
from egc.types import ArrayType, TupleType

Number = bool | int | float | complex

_RENAMED = {"psi": "digamma"}
"""Ufuncs whose own name is not that of their op."""


def is_differentiable(type: Any) -> bool:
    """Whether values of a type have tangents: floating and complex arrays."""
    return isinstance(type, ArrayType) and type.dtype.kind in "fc"


def carries(node: Node) -> bool:
    """Whether a value, or one of several results, may have a tangent."""
    return is_differentiable(node.type) or isinstance(node.type, TupleType)


class Value:
    """A Node in NumPy's notation. Numbers that it meets take its dtype and shape; other operands must have them."""

    __slots__ = ("node",)
    __array_priority__ = 1000

    def __init__(self, node: Node):
        self.node = node

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *operands: Any) -> Value:
        return apply(_RENAMED.get(ufunc.__name__, ufunc.__name__), *operands)

    def __add__(self, other: Any) -> Value:
        return apply("add", self, other)

    def __radd__(self, other: Any) -> Value:
        return apply("add", other, self)

    def __sub__(self, other: Any) -> Value:
        return apply("subtract", self, other)

    def __rsub__(self, other: Any) -> Value:
        return apply("subtract", other, self)

    def __mul__(self, other: Any) -> Value:
        return apply("multiply", self, other)

    def __rmul__(self, other: Any) -> Value:
        return apply("multiply", other, self)

    def __truediv__(self, other: Any) -> Value:
        return apply("divide", self, other)

    def __rtruediv__(self, other: Any) -> Value:
        return apply("divide", other, self)

    def __pow__(self, other: Any) -> Value:
        return apply("power", self, other)

    def __neg__(self) -> Value:
        return apply("negative", self)

    def __lt__(self, other: Any) -> Value:
        return apply("less", self, other)

    def __le__(self, other: Any) -> Value:
        return apply("less_equal", self, other)

    def __gt__(self, other: Any) -> Value:
        return apply("greater", self, other)

    def __ge__(self, other: Any) -> Value:
        return apply("greater_equal", self, other)

    def equals(self, other: Any) -> Value:
        return apply("equal", self, other)


def apply(op: str, *operands: Value | Number) -> Value:
    """An elementwise op. A factor or divisor of 1 is left out, and of a product with a diagonal matrix all but the diagonal."""
    like = next(each.node.type for each in operands if isinstance(each, Value))
    for each in operands:
        if isinstance(each, Value) and each.node.type.dtype.kind == "c":
            like = each.node.type
    nodes = [each.node if isinstance(each, Value) else ir.constant(each, like.dtype, like.shape) for each in operands]
    nodes = [_cast(node, like.dtype) if node.type.dtype.kind in "fc" else node for node in nodes]
    if op == "multiply":
        for one, other in (nodes, nodes[::-1]):
            if ir.is_constant(one, 1):
                return Value(other)
        for one, other in (nodes, nodes[::-1]):
            if one.op == "diagonal_matrix":
                return Value(_only_diagonal(one, other))
    if op == "divide" and ir.is_constant(nodes[1], 1):
        return Value(nodes[0])
    return Value(make(op, *nodes))


def _only_diagonal(matrix: Node, x: Node) -> Node:
    """A diagonal matrix times another one, element by element: nothing but a diagonal is left."""
    (values,), offset = matrix.inputs, matrix.params["offset"]
    part = make("diagonal", x, offset=offset, size=values.type.shape[-1])
    return make("diagonal_matrix", make("multiply", part, values), offset=offset)


def _cast(node: Node, dtype: np.dtype) -> Node:
    return node if node.type.dtype == dtype else make("cast", node, dtype=dtype)


def where(mask: Value, x: Value | Number, y: Value | Number) -> Value:
    """The one of two values that a mask chooses; a number takes the other's dtype, and both the mask's shape."""
    like = next(each.node.type for each in (x, y) if isinstance(each, Value))
    nodes = [each.node if isinstance(each, Value) else ir.constant(each, like.dtype, like.shape) for each in (x, y)]
    return Value(make("where", mask.node, *nodes))


def zeros(type: ArrayType) -> Node:
    return ir.constant(0, type.dtype, type.shape)


def plus(x: Node | None, y: Node | None) -> Node | None:
    """The sum of two tangents or cotangents, where None is 0."""
    if x is None or y is None:
        return x if y is None else y
    return make("add", x, y)


def negated(x: Node) -> Node:
    return x.inputs[0] if x.op == "negative" else make("negative", x)


def conjugated(x: Node) -> Node:
    return make("conjugate", x) if x.type.dtype.kind == "c" else x


def turned(x: Node) -> Node:
    """The last two axes exchanged."""
    rank = x.type.rank
    if x.op == "transpose" and x.params["axes"] == (*range(rank - 2), rank - 1, rank - 2):
        return x.inputs[0]
    return make("transpose", x, axes=(*range(rank - 2), rank - 1, rank - 2))


def broadcast(x: Node, shape: Sequence[Any], axes: Sequence[int]) -> Node:
    """x with its axes at `axes` of a shape; constants become larger ones."""
    shape = tuple(shape)
    if x.type.shape == shape:
        return x
    if x.op == "constant":
        return ir.constant(x.params["value"], x.type.dtype, shape)
    return make("broadcast", x, shape=shape, axes=tuple(axes))


def kept(x: Node, like: ArrayType, axes: Sequence[int]) -> Node:
    """What a reduction over `axes` gave, repeated along them again."""
    return broadcast(x, like.shape, [axis for axis in range(like.rank) if axis not in axes])


def total(x: Node, axes: Sequence[int]) -> Node:
    """The sum over axes; of a diagonal matrix, that of its diagonal."""
    if x.op == "diagonal_matrix" and len(axes) > 1 and set(axes) >= {x.type.rank - 2, x.type.rank - 1}:
        kept = [axis for axis in axes if axis < x.type.rank - 2]
        return make("sum", x.inputs[0], axes=(*kept, x.type.rank - 2))
    return make("sum", x, axes=tuple(axes)) if axes else x
