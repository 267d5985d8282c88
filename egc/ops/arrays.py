"""Ops on whole arrays: leaves, reductions, scans, shapes, indices and products."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from egc import sizes
from egc.errors import OperandTypeError, ShapeError
from egc.ops.table import BOOL, INT64, op, same_shape
from egc.types import ArrayType, TupleType, format_shape


@op("input", "leaf", 0, "name", "type")
def _input(types, params):
    return params["type"]


@op("constant", "leaf", 0, "value", "dtype", "shape")
def _constant(types, params):
    return ArrayType(params["dtype"], params["shape"])


@op("empty", "leaf", 0, "dtype", "shape")
def _empty(types, params):
    """An array whose elements have no meaning: each is written before it is read."""
    return ArrayType(params["dtype"], params["shape"])


@op("size", "leaf", 0, "value")
def _size(types, params):
    return ArrayType(INT64, ())


@op("iota", "leaf", 0, "shape", "axis")
def _iota(types, params):
    return ArrayType(INT64, params["shape"])


def _axes(x: ArrayType, axes: Sequence[int]) -> Sequence[int]:
    if list(axes) != sorted(set(axes)) or any(not 0 <= axis < x.rank for axis in axes):
        raise ShapeError(f"axes {tuple(axes)} are not sorted, distinct axes of {x}")
    return axes


def _without(x: ArrayType, axes: Sequence[int]) -> tuple[Any, ...]:
    return tuple(dim for axis, dim in enumerate(x.shape) if axis not in axes)


@op("sum", "reduction", 1, "axes")
@op("prod", "reduction", 1, "axes")
@op("max", "reduction", 1, "axes")
@op("min", "reduction", 1, "axes")
def _reduction(types, params):
    return types[0].with_shape(_without(types[0], _axes(types[0], params["axes"])))


@op("any", "reduction", 1, "axes")
@op("all", "reduction", 1, "axes")
def _logical_reduction(types, params):
    if types[0].dtype != BOOL:
        raise OperandTypeError("any, all: need a bool operand")
    return _reduction(types, params)


@op("argmax", "reduction", 1, "axis")
@op("argmin", "reduction", 1, "axis")
def _arg_reduction(types, params):
    return ArrayType(INT64, _without(types[0], _axes(types[0], (params["axis"],))))


@op("cumsum", "scan", 1, "axis")
@op("cumprod", "scan", 1, "axis")
@op("cummax", "scan", 1, "axis")
@op("cummin", "scan", 1, "axis")
@op("sort", "order", 1, "axis")
def _along_axis(types, params):
    _axes(types[0], (params["axis"],))
    return types[0]


@op("linear_recurrence", "scan", 3, "axis")
def _linear_recurrence(types, params):
    """y[i] = factor[i] * y[i - 1] + term[i] along the axis, from `start` on, which stands before the first."""
    factor, term, start = types
    (axis,) = _axes(factor, (params["axis"],))
    if factor.dtype.kind == "b":
        raise OperandTypeError("linear_recurrence: needs numbers")
    if factor != term or start != factor.with_shape(_without(factor, (axis,))):
        raise ShapeError(f"linear_recurrence: {factor}, {term} and a start {start} do not fit along axis {axis}")
    return factor


@op("argsort", "order", 1, "axis", "kind")
def _argsort(types, params):
    _axes(types[0], (params["axis"],))
    return types[0].with_dtype(INT64)


@op("searchsorted", "order", 2, "side")
def _searchsorted(types, params):
    return types[1].with_dtype(INT64)


@op("broadcast", "shape", 1, "shape", "axes")
def _broadcast(types, params):
    (x,), shape, axes = types, params["shape"], params["axes"]
    if len(axes) != x.rank or list(axes) != sorted(set(axes)):
        raise ShapeError(f"broadcast: axes {axes} do not place the axes of {x}")
    for dim, axis in zip(x.shape, axes):
        if dim != shape[axis]:
            raise ShapeError(f"broadcast: {x} does not fit axes {axes} of {format_shape(shape)}")
    return x.with_shape(shape)


@op("reshape", "shape", 1, "shape")
def _reshape(types, params):
    (x,), shape = types, params["shape"]
    difference = x.size - sizes.product(shape)
    if isinstance(difference, int) and difference:
        raise ShapeError(f"cannot reshape array of size {x.size} into shape {format_shape(shape)}")
    return x.with_shape(shape)


@op("transpose", "shape", 1, "axes")
def _transpose(types, params):
    (x,), axes = types, params["axes"]
    if sorted(axes) != list(range(x.rank)):
        raise ShapeError(f"transpose: axes {axes} are not a permutation of the axes of {x}")
    return x.with_shape([x.shape[axis] for axis in axes])


@op("slice", "shape", 1, "start", "size", "step")
def _slice(types, params):
    (x,) = types
    if not len(params["start"]) == len(params["size"]) == len(params["step"]) == x.rank:
        raise ShapeError(f"slice: needs start, size and step for each axis of {x}")
    return x.with_shape(params["size"])


@op("update_slice", "shape", 2, "start", "step")
def _update_slice(types, params):
    x, value = types
    if x.dtype != value.dtype or x.rank != value.rank:
        raise OperandTypeError(f"update_slice: a value of type {value} does not fit into {x}")
    return x


@op("pad", "shape", 2, "low", "high")
def _pad(types, params):
    x, fill = types
    if fill.dtype != x.dtype or fill.rank:
        raise OperandTypeError(f"pad: needs a scalar of dtype {x.dtype}")
    return x.with_shape([low + dim + high for low, dim, high in zip(params["low"], x.shape, params["high"])])


@op("concatenate", "shape", None, "axis")
def _concatenate(types, params):
    first, axis = types[0], params["axis"]
    _axes(first, (axis,))
    for other in types[1:]:
        if other.dtype != first.dtype or _without(other, (axis,)) != _without(first, (axis,)):
            raise ShapeError(f"concatenate: {first} and {other} do not fit along axis {axis}")
    total = sum((t.shape[axis] for t in types[1:]), first.shape[axis])
    return first.with_shape([*first.shape[:axis], total, *first.shape[axis + 1 :]])


def _gathered(x: ArrayType, indices: Sequence[ArrayType], axes: Sequence[int]) -> ArrayType:
    _axes(x, axes)
    if len(indices) != len(axes) or any(i.dtype != INT64 for i in indices):
        raise OperandTypeError("gather, scatter: need one int64 index array for each axis")
    return x.with_shape([*same_shape("gather", indices), *_without(x, axes)])


@op("gather", "index", None, "axes", "mode")
def _gather(types, params):
    return _gathered(types[0], types[1:], params["axes"])


@op("scatter", "index", None, "axes", "combine")
def _scatter(types, params):
    x, value, *indices = types
    if _gathered(x, indices, params["axes"]) != value:
        raise ShapeError(f"scatter: a value of type {value} does not fit {x} at these indices")
    return x


@op("matmul", "contraction", 2)
def _matmul(types, params):
    a, b = types
    if a.dtype != b.dtype:
        raise OperandTypeError("matmul: operands must have one dtype")
    if not a.rank or not b.rank:
        raise ShapeError("matmul: input operand does not have enough dimensions")
    if a.shape[-1] != b.shape[-2 if b.rank > 1 else 0]:
        raise ShapeError(f"matmul: inner sizes of {a} and {b} differ")
    if a.rank > 2 and b.rank > 2 and a.shape[:-2] != b.shape[:-2]:
        raise ShapeError(f"matmul: batch sizes of {a} and {b} differ")
    batch = max(a.shape[:-2], b.shape[:-2], key=len)
    return a.with_shape([*batch, *a.shape[-2:-1], *(b.shape[-1:] if b.rank > 1 else ())])


@op("convolve", "contraction", 2)
def _convolve(types, params):
    a, b = types
    if a.rank != 1 or b.rank != 1 or a.dtype != b.dtype:
        raise ShapeError("convolve: needs two vectors of one dtype")
    return a.with_shape([a.shape[0] + b.shape[0] - 1])


@op("diagonal", "shape", 1, "offset", "size")
def _diagonal(types, params):
    (x,) = types
    if x.rank < 2:
        raise ShapeError("diagonal: needs an array of at least two dimensions")
    return x.with_shape([*x.shape[:-2], params["size"]])


@op("diagonal_matrix", "shape", 1, "offset")
def _diagonal_matrix(types, params):
    (x,) = types
    side = x.shape[-1] + abs(params["offset"])
    return x.with_shape([*x.shape[:-1], side, side])


@op("tril", "shape", 1, "offset")
@op("triu", "shape", 1, "offset")
def _triangle(types, params):
    if types[0].rank < 2:
        raise ShapeError("tril, triu: need an array of at least two dimensions")
    return types[0]


@op("item", "tuple", 1, "index")
def _item(types, params):
    if not isinstance(types[0], TupleType):
        raise OperandTypeError("item: needs an op with several results")
    return types[0].items[params["index"]]
