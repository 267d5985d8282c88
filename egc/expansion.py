"""Ops that loops run as compositions of simpler ones."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from egc import ir
from egc.ir import Node, Program, make
from egc.ops import INT64
from egc.sizes import Dim
from egc.types import Shape


def expand(program: Program, inside: bool = False) -> Program:
    """The same function, in which argmax, argmin, tril, triu and diagonal matrices are elementwise ops on indices, and
    reductions. `inside` of loops and branches, products of two vectors and what is written with gaps are such ops too, since a
    library call takes longer to start, and a few numbers that are put side by side into an array are put there one by one.

    >>> from egc.types import parse_type
    >>> x = ir.input("x", parse_type("f64[n]"))
    >>> [node.op for node in expand(Program((x,), (make("argmax", x, axis=0),))).nodes()][-1]
    'min'
    """
    known = {**_EXPANSIONS, **_INSIDE} if inside else _EXPANSIONS
    if not any(node.op in known for node in program.nodes()):
        return program

    def visit(node: Node, inputs: tuple[Node, ...]) -> Node:
        same = ir.rebuild(node, inputs)
        return known[node.op](same) or same if node.op in known else same

    return ir.map_nodes(program, visit)


def _extreme(node: Node) -> Node | None:
    """The first index of the extreme: of nan where there is one, which the extreme is then too."""
    (x,), axis = node.inputs, node.params["axis"]
    if x.type.dtype.kind == "c":
        return None
    shape = x.type.shape
    extreme = make(node.op.removeprefix("arg"), x, axes=(axis,))
    others = tuple(other for other in range(len(shape)) if other != axis)
    found = make("equal", x, make("broadcast", extreme, shape=shape, axes=others))
    if x.type.dtype.kind == "f":
        found = make("logical_or", found, make("isnan", x))
    nowhere = ir.constant(np.iinfo(np.int64).max, INT64, shape)
    return make("min", make("where", found, make("iota", shape=shape, axis=axis), nowhere), axes=(axis,))


def _triangle(node: Node) -> Node | None:
    (x,), offset, shape = node.inputs, node.params["offset"], node.inputs[0].type.shape
    if not isinstance(offset, int):
        return None
    row = make("iota", shape=shape, axis=len(shape) - 2)
    column = make("iota", shape=shape, axis=len(shape) - 1)
    diagonal = make("add", row, ir.constant(offset, INT64, shape))
    kept = make("less_equal" if node.op == "tril" else "greater_equal", column, diagonal)
    return make("where", kept, x, ir.constant(0, x.type.dtype, shape))


def _on_diagonal(node: Node) -> Node | None:
    """Elements of a matrix that is zero elsewhere."""
    (x,), shape = node.inputs, node.type.shape
    if node.params["offset"] != 0:
        return None
    rank = len(shape)
    row, column = (make("iota", shape=shape, axis=axis) for axis in (rank - 2, rank - 1))
    repeated = make("broadcast", x, shape=shape, axes=(*range(rank - 2), rank - 1))
    return make("where", make("equal", row, column), repeated, ir.constant(0, x.type.dtype, shape))


def _dot(node: Node) -> Node | None:
    """Products that are not rounded further than sums, which halves would be."""
    a, b = node.inputs
    dtype = node.type.dtype
    if node.type.rank or a.type != b.type or a.type.dtype != dtype or dtype.kind not in "iufc" or dtype == np.float16:
        return None
    return make("sum", make("multiply", a, b), axes=(0,))


def _apart(node: Node) -> Node | None:
    """Elements that are written to places with gaps along the first axis, as elements at indices."""
    (base, part), start, step = node.inputs, node.params["start"], node.params["step"]
    whole = part.type.shape[1:] == base.type.shape[1:] and all(first == 0 for first in start[1:])
    if step[0] == 1 or any(each != 1 for each in step[1:]) or not whole:
        return None
    count = part.type.shape[:1]
    places = make("multiply", make("iota", shape=count, axis=0), ir.constant(step[0], INT64, count))
    places = make("add", places, make("broadcast", ir.size(start[0]), shape=count, axes=()))
    return make("scatter", base, part, places, axes=(0,), combine="set")


def _one_by_one(node: Node) -> Node | None:
    result, value = node.inputs
    joined = value
    while joined.op == "reshape" and _proper(joined.inputs[0].type.shape) == _proper(joined.type.shape):
        joined = joined.inputs[0]
    if joined.op != "concatenate" or not 1 < len(joined.inputs) <= FEW or any(x.type.size != 1 for x in joined.inputs):
        return None
    (axis,) = (k for k, dim in enumerate(value.type.shape) if dim != 1)
    start, step = list(node.params["start"]), node.params["step"]
    ones = (1,) * value.type.rank
    for x in joined.inputs:
        element = x if x.type.shape == ones else make("reshape", x, shape=ones)
        result = make("update_slice", result, element, start=tuple(start), step=(1,) * len(step))
        start[axis] = start[axis] + step[axis]
    return result


def _proper(shape: Shape) -> list[Dim]:
    return [dim for dim in shape if dim != 1]


FEW = 8
"""Numbers of an array that are stored one by one, at most."""


def _written(node: Node) -> Node | None:
    return _one_by_one(node) or _apart(node)


_INSIDE: dict[str, Callable[[Node], Node | None]] = {"matmul": _dot, "update_slice": _written}
"""What loops and branches do themselves rather than call a library for."""

_EXPANSIONS: dict[str, Callable[[Node], Node | None]] = {
    "argmax": _extreme,
    "argmin": _extreme,
    "diagonal_matrix": _on_diagonal,
    "tril": _triangle,
    "triu": _triangle,
}
