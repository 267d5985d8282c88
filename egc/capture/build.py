"""Smart constructors: Nodes with the casts, broadcasts and simplifications that NumPy's semantics imply."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from egc import ir, sizes
from egc.capture.bounds import mentions
from egc.capture.context import current
from egc.errors import NotEncodable, ShapeError
from egc.ir import Node
from egc.sizes import Dim
from egc.types import Shape, format_shape


def cast(x: Node, dtype: Any) -> Node:
    """`x.astype(dtype)`."""
    dtype = np.dtype(dtype)
    if x.type.dtype == dtype:
        return x
    if x.op == "constant":
        value = x.params["value"]
        if dtype.kind not in "iu" or not isinstance(value, float):
            return ir.constant(
                value if dtype.kind == "c" or not isinstance(value, complex) else value.real, dtype, x.type.shape
            )
    if x.op == "broadcast":
        return broadcast(cast(x.inputs[0], dtype), x.params["shape"], x.params["axes"])
    if x.type.dtype.kind == "c" and dtype.kind != "c":
        return cast(
            current().make("not_equal", x, zeros_like(x)) if dtype.kind == "b" else current().make("real", x), dtype
        )
    return current().make("cast", x, dtype=dtype)


def zeros_like(x: Node) -> Node:
    return ir.constant(0, x.type.dtype, x.type.shape)


def reshape(x: Node, shape: Sequence[Dim]) -> Node:
    """`x.reshape(shape)` for a shape without -1, of the same size."""
    shape = tuple(shape)
    if x.op == "reshape":
        x = x.inputs[0]
    if x.type.shape == shape:
        return x
    if x.op == "constant":
        return ir.constant(x.params["value"], x.type.dtype, shape)
    if x.op == "broadcast" and not x.inputs[0].type.shape:
        return broadcast(x.inputs[0], shape, ())
    return current().make("reshape", x, shape=shape)


def broadcast(x: Node, shape: Sequence[Dim], axes: Sequence[int]) -> Node:
    """`x` with its axis i as axis `axes[i]` of the result, repeated along the others."""
    shape, axes = tuple(shape), tuple(axes)
    if x.type.shape == shape:
        return x
    if x.op == "constant":
        return ir.constant(x.params["value"], x.type.dtype, shape)
    if x.op == "broadcast":
        return broadcast(x.inputs[0], shape, tuple(axes[axis] for axis in x.params["axes"]))
    return current().make("broadcast", x, shape=shape, axes=axes)


def broadcast_to(x: Node, shape: Shape) -> Node:
    """NumPy's `broadcast_to`: axes of length 1 are repeated, missing leading axes are added."""
    if x.type.shape == shape:
        return x
    offset = len(shape) - x.type.rank
    if offset < 0:
        raise ShapeError(f"cannot broadcast {x.type} to shape {format_shape(shape)}")
    kept: list[int] = []
    for axis, dim in enumerate(x.type.shape):
        if dim != 1 or shape[axis + offset] == 1:
            if dim != shape[axis + offset] and not current().same(dim, shape[axis + offset]):
                raise ShapeError(f"cannot broadcast {x.type} to shape {format_shape(shape)}")
            kept.append(axis)
    lengths = [shape[axis + offset] for axis in kept]
    return broadcast(reshape(x, lengths), shape, [axis + offset for axis in kept])


def broadcast_shape(*shapes: Shape) -> Shape:
    """NumPy's broadcast of shapes, guarding equalities of symbolic sizes."""
    rank = max(map(len, shapes), default=0)
    result: list[Dim] = [1] * rank
    for shape in shapes:
        for axis, dim in enumerate(shape, start=rank - len(shape)):
            if result[axis] == 1:
                result[axis] = dim
            elif dim != 1 and dim != result[axis] and not current().same(dim, result[axis]):
                settle_ones(dim, result[axis])
                shown = " ".join(format_shape(s) for s in shapes)
                raise ShapeError(f"operands could not be broadcast together with shapes {shown}", current().line)
    return tuple(result)


def settle_ones(*dims: Dim) -> None:
    """Two lengths differ: one that turns out to be 1 broadcasts, and capture begins again with it as 1.

    NotEncodable where that cannot be expressed, since it is a quotient or the like.
    """
    for dim in dims:
        if mentions(dim, current().ranges):
            raise NotEncodable(f"a broadcast of an axis of length {dim}", "its length changes", current().line)
        if current().value(dim) == 1 and dim != 1 and current().same(dim, 1):
            what = f"a broadcast of an axis of length {dim}"
            raise NotEncodable(what, "whether it is 1 is not settled", current().line)


def broadcast_together(*nodes: Node) -> tuple[Node, ...]:
    shape = broadcast_shape(*(node.type.shape for node in nodes))
    return tuple(broadcast_to(node, shape) for node in nodes)


def transpose(x: Node, axes: Sequence[int]) -> Node:
    axes = tuple(axes)
    if x.op == "transpose":
        axes = tuple(x.params["axes"][axis] for axis in axes)
        x = x.inputs[0]
    if axes == tuple(range(x.type.rank)):
        return x
    if x.op == "constant":
        return ir.constant(x.params["value"], x.type.dtype, tuple(x.type.shape[axis] for axis in axes))
    return current().make("transpose", x, axes=axes)


def slice_axes(x: Node, start: Sequence[Dim], size: Sequence[Dim], step: Sequence[int]) -> Node:
    """Element j along each axis is `x[start + j * step]`."""
    if all(s == 0 for s in start) and all(s == 1 for s in step) and tuple(size) == x.type.shape:
        return x
    if x.op == "constant":
        return ir.constant(x.params["value"], x.type.dtype, tuple(size))
    return current().make("slice", x, start=tuple(start), size=tuple(size), step=tuple(step))


def slice_axis(x: Node, axis: int, start: Dim, size: Dim, step: int = 1) -> Node:
    starts: list[Dim] = [0] * x.type.rank
    steps, lengths = [1] * x.type.rank, list(x.type.shape)
    starts[axis], lengths[axis], steps[axis] = start, size, step
    return slice_axes(x, starts, lengths, steps)


def expand_dims(x: Node, axis: int) -> Node:
    return reshape(x, (*x.type.shape[:axis], 1, *x.type.shape[axis:]))


def concatenate(nodes: Sequence[Node], axis: int) -> Node:
    return nodes[0] if len(nodes) == 1 else current().make("concatenate", *nodes, axis=axis)


def reduce(op: str, x: Node, axes: Sequence[int]) -> Node:
    axes = tuple(sorted(axes))
    return x if not axes and op not in ("argmax", "argmin") else current().make(op, x, axes=axes)


def normalize_axis(axis: int, rank: int) -> int:
    if not -rank <= axis < rank:
        raise np.exceptions.AxisError(axis, rank)
    return axis % rank


def normalize_axes(axis: Any, rank: int) -> tuple[int, ...]:
    """The sorted axes that NumPy's `axis=` argument names; None is all of them."""
    if axis is None:
        return tuple(range(rank))
    axes = tuple(normalize_axis(int(a), rank) for a in (axis if isinstance(axis, (tuple, list)) else (axis,)))
    if len(set(axes)) != len(axes):
        raise ValueError("duplicate value in 'axis'")
    return tuple(sorted(axes))


def keep_axes(reduced: Node, shape: Shape, axes: Sequence[int]) -> Node:
    """A reduction's result with the reduced axes put back with length 1."""
    return reshape(reduced, [1 if axis in axes else dim for axis, dim in enumerate(shape)])


def count(shape: Shape, axes: Sequence[int]) -> Dim:
    return sizes.product(tuple(shape[axis] for axis in axes))
