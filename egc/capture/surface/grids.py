"""Arrays of evenly spaced numbers and of indices: arange, linspace, meshgrid, mgrid, r_."""

from __future__ import annotations

import math
from functools import reduce
from typing import Any

import numpy as np

from egc.capture import build
from egc.capture.array import Array, as_array, as_size, fresh, result, to_node
from egc.capture.context import current
from egc.capture.registry import DOCUMENTED, FUNCTIONS, implements
from egc.capture.surface.arguments import (
    FLOAT64,
    INT64,
    absent,
    axis_of,
    dtype_of,
    flag,
    iota,
    make,
    new_array,
    number,
    refuse,
    where,
)
from egc.capture.surface.creation import array, checked_shape, leaf_dtype
from egc.capture.surface.joining import concatenate
from egc.capture.surface.shapes import moveaxis
from egc.ir import Node
from egc.sizes import Dim, Size

THEME = "creation"


def ramp(length: Dim, dtype: Any) -> Node:
    """0, 1, 2, ... in a dtype."""
    return build.cast(iota((length,), 0), dtype)


def _bound(value: Any) -> Any:
    """An argument of arange: a size, or a number that is known at capture."""
    if isinstance(value, Array):
        if value.node.op == "constant" and not value.ndim:
            return value.node.params["value"]
        return as_size(value, "the length of arange")
    if isinstance(value, (int, float, Size)):
        return value
    return np.asarray(value).item()


def progression_length(start: Any, stop: Any, step: Any) -> Dim:
    """ceil((stop - start) / step), at least 0; sizes stay symbolic in integer progressions."""
    start, stop, step = (int(v) if isinstance(v, float) and v.is_integer() else v for v in (start, stop, step))
    if isinstance(step, Size):
        step = current().concretize(step)
    if step == 0:
        raise ZeroDivisionError("division by zero")
    if all(isinstance(v, (int, Size)) for v in (start, stop, step)):
        length = -((start - stop) // step) if step > 0 else -((stop - start) // -step)
        return length if current().at_least(length, 1) else 0
    start, stop = (current().concretize(v) if isinstance(v, Size) else v for v in (start, stop))
    quotient = (stop - start) / step
    if not math.isfinite(quotient):
        raise ValueError("arange: cannot compute length")
    return max(math.ceil(quotient), 0)


@implements(np.arange, theme=THEME)
def arange(*bounds, start=None, stop=None, step=None, dtype=None, device=None, like=None):
    given = dict(zip(("start", "stop", "step"), bounds)) if len(bounds) > 1 else {"stop": bounds[0]} if bounds else {}
    named = {"start": start, "stop": stop, "step": step} | given
    if len(bounds) == 4:
        dtype = bounds[3]
    if named["stop"] is None:
        named = {"start": 0, "stop": named["start"], "step": named["step"]}
    values = [0 if named["start"] is None else named["start"], named["stop"], named["step"]]
    values[2] = 1 if values[2] is None else values[2]
    kind = dtype_of(dtype, reduce(np.promote_types, map(leaf_dtype, values)))
    if kind.kind not in "iuf":
        raise refuse(f"arange in {kind}")
    first, last, stride = map(_bound, values)
    length = progression_length(first, last, stride)
    return new_array(_progression(first, stride, length, kind))


def _progression(start: Any, step: Any, length: Dim, dtype: np.dtype) -> Node:
    if dtype.kind in "iu":
        start, step = (int(v) if isinstance(v, float) else v for v in (start, step))
        index = iota((length,), 0)
        spread = index if step == 1 else make("multiply", index, number(step, INT64))
        return build.cast(spread if start == 0 else make("add", spread, to_node(start)), dtype)
    step = current().concretize(step) if isinstance(step, Size) else step
    index = ramp(length, dtype)
    if isinstance(start, Size):
        return make("add", make("multiply", index, number(step, dtype)), build.cast(to_node(start), dtype))
    origin = dtype.type(start)
    second = dtype.type(start + step)
    delta = second - origin
    found = make("add", make("multiply", index, number(delta, dtype)), number(origin, dtype))
    if origin + delta == second:
        return found
    return where(make("equal", index, number(1, dtype)), number(second, dtype), found)


def weak_result_type(*values: Any) -> np.dtype:
    """The floating dtype NumPy computes in for these operands; Python numbers are weak."""
    kinds = [_representative(value) for value in values]
    return np.result_type(*kinds, 0.0)


def _representative(value: Any) -> Any:
    if isinstance(value, Array):
        return (
            {"b": True, "i": 0, "u": 0, "f": 0.0, "c": 0j}[value.dtype.kind] if value.kind == "python" else value.dtype
        )
    return 0 if isinstance(value, Size) else value if isinstance(value, (int, float, complex)) else leaf_dtype(value)


@implements(np.linspace, theme=THEME)
def linspace(start, stop, num=50, endpoint=True, retstep=False, dtype=None, axis=0, *, device=None):
    num = as_size(num)
    if not current().at_least(num, 0):
        raise ValueError(f"Number of samples, {num}, must be non-negative.")
    dt = weak_result_type(start, stop)
    kind = dtype_of(dtype, dt)
    step, y = _spaced(to_node(array(start), dt), to_node(array(stop), dt), num, flag(endpoint), dt)
    if kind.kind in "iu":
        y = make("floor", y)
    spread: Any = new_array(build.cast(y, kind))
    if axis != 0:
        spread = moveaxis(spread, 0, axis)
    return (spread, step) if flag(retstep) else spread


def _spaced(start: Node, stop: Node, num: Dim, endpoint: bool, dtype: np.dtype) -> tuple[Any, Node]:
    """The step and the samples, along a new first axis; in the order of operations of NumPy's linspace."""
    div = num - 1 if endpoint else num
    start, stop = build.broadcast_together(start, stop)
    delta = make("subtract", stop, start)
    shape = (num, *delta.type.shape)
    y = build.cast(iota(shape, 0), dtype)
    if current().at_least(div, 1):
        divisor = build.cast(to_node(div), dtype)
        step = make("divide", delta, divisor)
        flat = build.reduce("any", make("equal", step, build.zeros_like(step)), range(step.type.rank))
        slow = make("multiply", make("divide", y, divisor), delta)
        y = where(flat, slow, make("multiply", y, step)) if not _nonzero(step) else make("multiply", y, step)
        spacing: Any = result(step)
    else:
        y, spacing = make("multiply", y, delta), np.nan
    y = make("add", y, start)
    if endpoint and current().at_least(num, 2):
        y = where(make("equal", iota(shape, 0), to_node(num - 1)), stop, y)
    return spacing, y


def _nonzero(step: Node) -> bool:
    """Whether a step of linspace is known not to be zero."""
    return step.op == "constant" and step.params["value"] != 0


@implements(np.logspace, theme=THEME)
def logspace(start, stop, num=50, endpoint=True, base=10.0, dtype=None, axis=0):
    if not isinstance(base, (int, float)) and as_array(base).ndim:
        raise refuse("logspace(base=) with an array")
    y = linspace(start, stop, num, endpoint, axis=axis)
    found = np.power(base, y)
    return found if absent(dtype) else found.astype(dtype)


@implements(np.geomspace, theme=THEME)
def geomspace(start, stop, num=50, endpoint=True, dtype=None, axis=0):
    dt = dtype_of(dtype, FLOAT64) if not absent(dtype) else weak_result_type(start, stop, float(0))
    if weak_result_type(start, stop).kind == "c" or dt.kind not in "f":
        raise refuse("geomspace of complex numbers or into integers")
    dt = np.result_type(weak_result_type(start, stop), dt)
    first, last = (Array(to_node(array(v), dt)) for v in (start, stop))
    for end in (first, last):
        zero = make("equal", end.node, build.zeros_like(end.node))
        current().check(build.reduce("any", zero, range(end.ndim)))
    sign = np.sign(first)
    first, last = first / sign, last / sign
    found = logspace(np.log10(first), np.log10(last), num, endpoint, 10.0, dt)
    index = iota(found.shape, 0)
    node = where(make("equal", index, number(0, INT64)), first.node, found.node)
    if flag(endpoint) and current().at_least(as_size(num), 2):
        node = where(make("equal", index, to_node(as_size(num) - 1)), last.node, node)
    found = result(node) * sign
    if axis != 0:
        found = moveaxis(found, 0, axis)
    return new_array(build.cast(found.node, dtype_of(dtype, dt)))


@implements(np.indices, theme=THEME)
def indices(dimensions, dtype=int, sparse=False):
    shape = checked_shape(tuple(dimensions))
    kind = dtype_of(dtype, INT64)
    if flag(sparse):
        return tuple(new_array(_open(ramp(n, kind), k, len(shape))) for k, n in enumerate(shape))
    if not shape:
        return new_array(number(0, kind, (0,)))
    return new_array(_stacked([build.cast(iota(shape, k), kind) for k in range(len(shape))]))


def _open(node: Node, axis: int, rank: int) -> Node:
    return build.reshape(node, [node.type.shape[0] if k == axis else 1 for k in range(rank)])


def _stacked(nodes: list[Node]) -> Node:
    return build.concatenate([build.reshape(node, (1, *node.type.shape)) for node in nodes], 0)


@implements(np.meshgrid, theme=THEME)
def meshgrid(*xi, copy=True, sparse=False, indexing="xy"):
    if indexing not in ("xy", "ij"):
        raise ValueError("Valid values for `indexing` are 'xy' and 'ij'.")
    rank = len(xi)
    nodes = [_open(build.reshape(a.node, (a.size,)), k, rank) for k, a in enumerate(map(as_array, xi))]
    if indexing == "xy" and rank > 1:
        nodes = [build.transpose(node, (1, 0, *range(2, rank))) for node in nodes]
    if not flag(sparse):
        nodes = list(build.broadcast_together(*nodes))
    return tuple(Array(node, writeable=flag(copy)) for node in nodes)


def _grid_axis(key: Any) -> tuple[Any, Any, Any, Dim]:
    """Start, stop, step and length that a slice of mgrid stands for; a complex step counts samples."""
    start = 0 if key.start is None else _bound(key.start)
    step, stop = 1 if key.step is None else key.step, _bound(key.stop)
    if isinstance(step, complex):
        count = int(abs(step))
        if isinstance(start, Size) or isinstance(stop, Size):
            start, stop = (current().concretize(v) if isinstance(v, Size) else v for v in (start, stop))
        return start, stop, (stop - start) / float(count - 1) if count != 1 else 1, count
    step = _bound(step)
    return start, stop, step, progression_length(start, stop, step)


def _grid(sparse: bool) -> Any:
    def meaning(key: Any) -> Any:
        keys = key if isinstance(key, tuple) else (key,)
        if not all(isinstance(k, slice) for k in keys):
            raise TypeError("a grid needs slices")
        if not isinstance(key, tuple) and not isinstance(key.step, complex):
            return arange(0 if key.start is None else key.start, key.stop, 1 if key.step is None else key.step)
        axes = [_grid_axis(k) for k in keys]
        inexact = any(isinstance(v, float) for k in axes for v in k[:3]) or any(
            isinstance(k.step, complex) for k in keys
        )
        kind = FLOAT64 if inexact else INT64
        shape = tuple(length for *_, length in axes)
        nodes = []
        for k, (start, _stop, step, length) in enumerate(axes):
            index = _open(ramp(length, kind), k, len(axes)) if sparse else build.cast(iota(shape, k), kind)
            scaled = make("multiply", index, to_node(step, kind))
            nodes.append(make("add", scaled, build.cast(to_node(start), kind)))
        if not isinstance(key, tuple):
            return new_array(nodes[0])
        return tuple(map(new_array, nodes)) if sparse else new_array(_stacked(nodes))

    return meaning


FUNCTIONS[np.mgrid] = _grid(False)
FUNCTIONS[np.ogrid] = _grid(True)


def _row(key: Any) -> Array:
    """`np.r_[...]`: slices, arrays and numbers joined along the first axis."""
    return concatenate([np.atleast_1d(_row_part(k)) for k in (key if isinstance(key, tuple) else (key,))])


def _row_part(key: Any) -> Any:
    if isinstance(key, str):
        raise refuse("r_ with a directive")
    if isinstance(key, slice):
        return _grid(False)(key)
    return fresh(to_node(key)) if not isinstance(key, Array) else key


def _column(key: Any) -> Array:
    """`np.c_[...]`: columns joined along the last axis."""
    parts = [as_array(_row_part(k)) for k in (key if isinstance(key, tuple) else (key,))]
    rank = max(2, *(part.ndim for part in parts))
    padded = [fresh(build.reshape(p.node, (*p.shape, *[1] * (rank - p.ndim)))) for p in parts]
    if any(p.ndim not in (1, rank) for p in parts):
        raise refuse("c_ of arrays of several ranks")
    return concatenate(padded, axis_of(-1, rank))


FUNCTIONS[np.r_] = _row
FUNCTIONS[np.c_] = _column
DOCUMENTED[THEME] += ["numpy.mgrid", "numpy.ogrid", "numpy.r_", "numpy.c_"]
