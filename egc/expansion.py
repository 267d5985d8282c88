"""Ops that loops run as compositions of simpler ones."""

from __future__ import annotations

from collections.abc import Callable, Container
from itertools import count

import numpy as np

from egc import ir
from egc.ir import Node, Program, dims_of, make
from egc.ops import INT64
from egc.rows import row_of, with_row
from egc.sizes import Dim, symbol, symbols
from egc.types import ArrayType, Shape


def expand(program: Program, inside: bool = False, kept: Container[str] = ()) -> Program:
    """The same function, in which argmax, argmin, tril, triu and diagonal matrices are elementwise ops on indices, and
    reductions, and linear recurrences are loops. `inside` of loops and branches, products of two vectors and what is written
    with gaps are such ops too, since a library call takes longer to start, and a few numbers that are put side by side into an
    array are put there one by one. kept: the recurrences that stay, where a backend has them.

    >>> from egc.types import parse_type
    >>> x = ir.input("x", parse_type("f64[n]"))
    >>> [node.op for node in expand(Program((x,), (make("argmax", x, axis=0),))).nodes()][-1]
    'min'
    """
    known = {**_EXPANSIONS, **_INSIDE} if inside else _EXPANSIONS
    known = {op: expansion for op, expansion in known.items() if op not in RECURRENCES or op not in kept}
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


def _recurrence(node: Node) -> Node:
    """A loop along the first axis that keeps the last row; where it goes along a later one, a loop over independent rows."""
    axis, shape = node.params["axis"], node.type.shape
    taken = {name for each in (node, *node.inputs) for dim in dims_of(each.type) for name in symbols(dim)}
    name = next(text for k in count() if (text := f"_k{len(shape)}_{k}") not in taken)
    operands = node.inputs if axis else (*(_repeated(x) or x for x in node.inputs[:2]), node.inputs[2])
    inputs = [ir.input(f"{name}_{k}", x.type) for k, x in enumerate(operands)]
    number, found = ir.input(name, ArrayType(INT64, ())), ir.input(f"{name}_y", node.type)
    size = frozenset([name])
    if axis:
        rows = [row_of(x, symbol(name)) for x in inputs]
        row = make(node.op, *rows, axis=axis - 1)
        update = Program((number, found, *inputs), (with_row(found, row, symbol(name)),), "update", size)
        given = []
    else:
        factor, term, last = inputs
        by, more = (inner if inner.type.rank < len(shape) else row_of(inner, symbol(name)) for inner in (factor, term))
        row = make("add", make("multiply", by, last), more)
        outputs = (with_row(found, row, symbol(name)), row)
        update = Program((number, found, last, factor, term), outputs, "update", size)
        given, operands = [node.inputs[2]], operands[:2]
    start = make("empty", dtype=node.type.dtype, shape=shape)
    return ir.loop(update, [start, *given], operands, ir.size(shape[0]), line=node.line)[0]


def _repeated(x: Node) -> Node | None:
    """The row that an array has in every place of its first axis; None where they may differ."""
    if x.op == "constant" and x.type.rank:
        return ir.constant(x.params["value"], x.type.dtype, x.type.shape[1:])
    if x.op != "broadcast" or 0 in x.params["axes"]:
        return None
    (row,), shape = x.inputs, x.type.shape[1:]
    return (
        row
        if row.type.shape == shape
        else make("broadcast", row, shape=shape, axes=tuple(k - 1 for k in x.params["axes"]))
    )


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


RECURRENCES = frozenset(["linear_recurrence"])
"""Ops that are a loop, but where a backend has something else for them."""

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
    "linear_recurrence": _recurrence,
}
