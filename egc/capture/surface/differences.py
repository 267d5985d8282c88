"""Differences, gradients, integrals along an axis."""

from __future__ import annotations

from typing import Any

import numpy as np

from egc.capture import build
from egc.capture.array import Array, as_array, fresh, result, to_node
from egc.capture.context import current
from egc.capture.registry import implements
from egc.capture.surface.arguments import FLOAT64, axis_of, concrete_int, equal, flat, refuse, where
from egc.capture.surface.joining import concatenate
from egc.capture.surface.reductions import NoValue, quantified
from egc.capture.surface.shapes import broadcast_to
from egc.capture.ufuncs import call_ufunc

THEME = "differences"


def on_axis(axis: int, rank: int, entry: Any) -> tuple[Any, ...]:
    """An index with `entry` at one axis."""
    return (*[slice(None)] * axis, entry, *[slice(None)] * (rank - axis - 1))


def part(x: Array, axis: int, start: Any, stop: Any) -> Array:
    """`x[..., start:stop, ...]` along an axis."""
    return x[on_axis(axis, x.ndim, slice(start, stop))]


@implements(np.diff, theme=THEME)
def diff(a, n=1, axis=-1, prepend=NoValue, append=NoValue):
    order = concrete_int(n)
    if order == 0:
        return a
    if order < 0:
        raise ValueError(f"order must be non-negative but got {order}")
    x = as_array(a)
    if not x.ndim:
        raise ValueError("diff requires input that is at least one dimensional")
    axis = axis_of(axis, x.ndim)
    ends = [e if e is NoValue else _spread(as_array(e), x, axis) for e in (prepend, append)]
    combined = [e for e in (ends[0], x, ends[1]) if e is not NoValue]
    x = concatenate(combined, axis) if len(combined) > 1 else x
    for _ in range(order):
        step = np.not_equal if x.dtype.kind == "b" else np.subtract
        x = call_ufunc(step, "__call__", (part(x, axis, 1, None), part(x, axis, None, -1)), {})
    return x


def _spread(end: Array, x: Array, axis: int) -> Array:
    return end if end.ndim else broadcast_to(end, tuple(1 if k == axis else dim for k, dim in enumerate(x.shape)))


@implements(np.ediff1d, theme=THEME)
def ediff1d(ary, to_end=None, to_begin=None):
    x = result(flat(to_node(ary)))
    found = [fresh((x[1:] - x[:-1]).node)]
    for value, front in ((to_begin, True), (to_end, False)):
        if value is not None:
            end = as_array(value)
            if not np.can_cast(end.dtype, x.dtype, "same_kind"):
                raise TypeError("dtype of `to_end` must be compatible with input `ary` under the `same_kind` rule.")
            piece = fresh(flat(build.cast(end.node, x.dtype)))
            found = [piece, *found] if front else [*found, piece]
    return concatenate(found)


@implements(np.trapezoid, theme=THEME)
def trapezoid(y, x=None, dx=1.0, axis=-1):
    y = as_array(y)
    at = axis_of(axis, y.ndim)
    if x is None:
        d = dx
    else:
        x = as_array(x)
        if x.ndim == 1:
            d = diff(x)
            d = result(build.reshape(d.node, [d.size if k == at else 1 for k in range(y.ndim)]))
        else:
            d = diff(x, axis=axis)
    return (d * (part(y, at, 1, None) + part(y, at, None, -1)) / 2.0).sum(axis)


def _spacings(varargs: tuple[Any, ...], f: Array, axes: list[int]) -> list[Any]:
    """The distance, or the differences of the coordinates, along each axis."""
    if not varargs:
        return [1.0] * len(axes)
    if len(varargs) == 1 and as_array(varargs[0]).ndim == 0:
        return list(varargs) * len(axes)
    if len(varargs) != len(axes):
        raise TypeError("invalid number of arguments")
    found: list[Any] = []
    for distances, axis in zip(varargs, axes):
        points = as_array(distances)
        if not points.ndim:
            found.append(distances)
            continue
        if points.ndim != 1:
            raise ValueError("distances must be either scalars or 1d")
        if not equal(points.shape[0], f.shape[axis]):
            raise ValueError("when 1d, distances must match the length of the corresponding dimension")
        found.append(diff(points.astype(np.float64) if points.dtype.kind in "iu" else points))
    return found


@implements(np.gradient, theme=THEME)
def gradient(f, *varargs, axis=None, edge_order=1):
    f = as_array(f)
    axes = (
        [axis_of(k, f.ndim) for k in (axis if isinstance(axis, (tuple, list)) else (axis,))]
        if axis is not None
        else (list(range(f.ndim)))
    )
    if len(set(axes)) != len(axes):
        raise ValueError("repeated axis")
    spacings = _spacings(varargs, f, axes)
    order = concrete_int(edge_order)
    if order > 2:
        raise ValueError("'edge_order' greater than 2 not supported")
    if order < 1:
        raise refuse("gradient(edge_order=0)")
    dtype = f.dtype if f.dtype.kind in "fc" else FLOAT64
    f = f.astype(np.float64) if f.dtype.kind in "iu" else f
    found = []
    for at, spacing in zip(axes, spacings):
        if not current().at_least(f.shape[at], order + 1):
            raise ValueError(
                "Shape of array too small to calculate a numerical gradient, "
                "at least (edge_order + 1) elements are required."
            )
        if isinstance(spacing, Array) and spacing.ndim:
            first = spacing[0]
            even = quantified("all", spacing == first, None, False, True)
            slopes = [_by_formula(f, at, s, order, dtype).node for s in (first, spacing)]
            found.append(fresh(where(even, *slopes)))
        else:
            found.append(_by_formula(f, at, spacing, order, dtype))
    return found[0] if len(axes) == 1 else tuple(found)


def _by_formula(f: Array, axis: int, h: Any, order: int, dtype: np.dtype) -> Array:
    """Central differences inside, one-sided ones of the given order at the ends."""
    shape = [-1 if k == axis else 1 for k in range(f.ndim)]
    uneven = isinstance(h, Array) and h.ndim > 0
    before, middle, after = part(f, axis, None, -2), part(f, axis, 1, -1), part(f, axis, 2, None)
    if uneven:
        d1, d2 = h[:-1].reshape(shape), h[1:].reshape(shape)
        inner = -d2 / (d1 * (d1 + d2)) * before + (d2 - d1) / (d1 * d2) * middle + d1 / (d2 * (d1 + d2)) * after
    else:
        inner = (after - before) / (2.0 * h)
    rows = [part(f, axis, k, k + 1) for k in range(order + 1)]
    last = [part(f, axis, -k, None if k == 1 else 1 - k) for k in range(order + 1, 0, -1)]
    if order == 1:
        starts, ends = (h[0], h[-1]) if uneven else (h, h)
        left, right = (rows[1] - rows[0]) / starts, (last[1] - last[0]) / ends
    elif uneven:
        d1, d2, e1, e2 = h[0], h[1], h[-2], h[-1]
        left = (
            -(2.0 * d1 + d2) / (d1 * (d1 + d2)) * rows[0]
            + (d1 + d2) / (d1 * d2) * rows[1]
            + -d1 / (d2 * (d1 + d2)) * rows[2]
        )
        right = (
            e2 / (e1 * (e1 + e2)) * last[0]
            + -(e2 + e1) / (e1 * e2) * last[1]
            + (2.0 * e2 + e1) / (e2 * (e1 + e2)) * last[2]
        )
    else:
        left = -1.5 / h * rows[0] + 2.0 / h * rows[1] + -0.5 / h * rows[2]
        right = 0.5 / h * last[0] + -2.0 / h * last[1] + 1.5 / h * last[2]
    return concatenate([piece.astype(dtype) for piece in (left, inner, right)], axis)


@implements(np.unwrap, theme=THEME)
def unwrap(p, discont=None, axis=-1, *, period=2 * np.pi):
    p = as_array(p)
    at = axis_of(axis, p.ndim)
    steps = diff(p, axis=at)
    limit = period / 2 if discont is None else discont
    dtype = np.result_type(steps.dtype, period)
    if dtype.kind in "iu":
        high, rest = divmod(period, 2)
        ambiguous = rest == 0
    else:
        high, ambiguous = period / 2, True
    wrapped = np.mod(steps - (-high), period) + (-high)
    if ambiguous:
        wrapped = np.where((wrapped == -high) & (steps > 0), high, wrapped)
    correction = np.where(abs(steps) < limit, 0, wrapped - steps)
    moved = part(p, at, 1, None) + correction.cumsum(at)
    return concatenate([part(p, at, None, 1).astype(dtype), moved.astype(dtype)], at)
