"""Medians, percentiles and quantiles, by sorting."""

from __future__ import annotations

from typing import Any

import numpy as np

from egc import sizes
from egc.capture import build
from egc.capture.array import Array, as_array, result, to_node
from egc.capture.context import current
from egc.capture.registry import implements
from egc.capture.surface.arguments import (
    INT64,
    axes_of,
    equal,
    finish,
    flag,
    make,
    nonempty,
    number,
    reduced,
    refuse,
    size_node,
    where,
)
from egc.capture.surface.nan_reductions import known, quiet_nan
from egc.capture.surface.reductions import mean_dtype
from egc.capture.surface.selection import take_along_axis
from egc.ir import Node
from egc.sizes import Dim

THEME = "order statistics"


def sorted_first(node: Node, axes: tuple[int, ...]) -> Node:
    """The reduced axes merged into one, moved to the front and sorted."""
    shape = node.type.shape
    rest = [k for k in range(len(shape)) if k not in axes]
    moved = build.transpose(node, (*axes, *rest))
    merged = build.reshape(moved, (build.count(shape, axes), *(shape[k] for k in rest)))
    return current().make("sort", merged, axis=0)


def row(node: Node, index: Dim) -> Node:
    return build.reshape(build.slice_axis(node, 0, index, 1), node.type.shape[1:])


def nan_where_unordered(found: Node, ordered: Node) -> Node:
    """nan where the sorted values end in nan."""
    if ordered.type.dtype.kind not in "fc":
        return found
    last = row(ordered, ordered.type.shape[0] - 1)
    return where(current().make("isnan", last), build.cast(last, found.type.dtype), found)


@implements(np.median, theme=THEME)
def median(a, axis=None, out=None, overwrite_input=False, keepdims=False):
    node = to_node(a)
    if not node.type.rank:
        raise refuse("the median of a 0-d array")
    axes, shape = axes_of(axis, node.type.rank), node.type.shape
    dtype, count = mean_dtype(node, None), build.count(shape, axes)
    rest = tuple(dim for k, dim in enumerate(shape) if k not in axes)
    if not nonempty(*(shape[k] for k in axes)):
        return finish(reduced(number(np.nan, dtype, rest), shape, axes, keepdims), out)
    ordered = sorted_first(node, axes)
    if equal(sizes.mod(count, 2), 0):
        half = sizes.floordiv(count, 2)
        pair = make("add", *(build.cast(row(ordered, k), dtype) for k in (half - 1, half)))
        found = make("divide", pair, number(2, dtype))
    else:
        found = build.cast(row(ordered, sizes.floordiv(count - 1, 2)), dtype)
    return finish(reduced(nan_where_unordered(found, ordered), shape, axes, keepdims), out)


@implements(np.nanmedian, theme=THEME)
def nanmedian(a, axis=None, out=None, overwrite_input=False, keepdims=False):
    node = to_node(a)
    if node.type.dtype.kind not in "fc":
        return median(a, axis, out, overwrite_input, keepdims)
    if not node.type.rank:
        raise refuse("the median of a 0-d array")
    axes, shape = axes_of(axis, node.type.rank), node.type.shape
    if not nonempty(*shape):
        raise refuse("the nanmedian of an empty array")
    ordered = sorted_first(node, axes)
    count = build.reduce("sum", build.cast(known(ordered), INT64), (0,))
    two, one = number(2, INT64), number(1, INT64)
    places = [make("floor_divide", make("subtract", count, one), two), make("floor_divide", count, two)]
    low, high = (_pick(ordered, make("maximum", place, number(0, INT64))) for place in places)
    middle = make("divide", make("add", low, high), number(2, node.type.dtype))
    found = where(make("equal", *places), low, middle)
    found = where(make("equal", count, number(0, INT64)), quiet_nan(found), found)
    return finish(reduced(found, shape, axes, keepdims), out)


def _pick(ordered: Node, place: Node) -> Node:
    """The element of each column at its own position."""
    if ordered.type.rank == 1:
        return current().make("gather", ordered, place, axes=(0,), mode="clip")
    index = build.reshape(current().make("minimum", place, _last(ordered, place)), (1, *place.type.shape))
    return row(take_along_axis(result(ordered), result(index), 0).node, 0)


def _last(ordered: Node, like: Node) -> Node:
    return build.broadcast_to(size_node(ordered.type.shape[0] - 1), like.type.shape)


CONTINUOUS = {
    "interpolated_inverted_cdf": (0, 1),
    "hazen": (0.5, 0.5),
    "weibull": (0, 0),
    "median_unbiased": (1 / 3.0, 1 / 3.0),
    "normal_unbiased": (3 / 8.0, 3 / 8.0),
}
"""Hyndman and Fan's methods by their alpha and beta, as NumPy has them."""

NEAREST = {"lower": np.floor, "higher": np.ceil, "nearest": np.rint}


def virtual_index(count: Node, q: Array, method: str) -> Any:
    """The position in the sorted values, between elements, that a quantile stands for."""
    n = Array(count, "python")
    if method in CONTINUOUS:
        alpha, beta = CONTINUOUS[method]
        return n * q + (alpha + q * (1 - alpha - beta)) - 1
    if method == "inverted_cdf":
        index = n * q - 1
        below = np.floor(index)
        return np.maximum(np.where(index - below > 0, below + 1, below).astype(np.int64), 0)
    at = (n - 1) * q
    if method in NEAREST:
        return NEAREST[method](at).astype(np.int64)
    if method == "midpoint":
        return 0.5 * (np.floor(at) + np.ceil(at))
    if method == "linear":
        return at
    raise refuse(f"quantile(method={method!r})", "egc does not encode this method")


def interpolated(ordered: Node, index: Any, method: str, weak: bool) -> Node:
    """The values at fractional positions, by NumPy's `_lerp`."""
    last = Array(size_node(ordered.type.shape[0] - 1), "python")
    below, above = index >= last, index < 0
    low: Any = np.where(below, last, np.where(above, 0, np.floor(index).astype(np.int64)))
    high: Any = np.where(below, last, np.where(above, 0, np.floor(index).astype(np.int64) + 1))
    marked = np.where(below, -1, low)
    gamma: Any = np.where(index % 1 == 0, 0.0, 0.5) if method == "midpoint" else index - marked
    gamma = gamma.astype(index.dtype) if isinstance(gamma, Array) else gamma
    previous, following = (
        result(current().make("gather", ordered, at.node, axes=(0,), mode="raise")) for at in (low, high)
    )
    if weak:
        t: Any = Array(gamma.node, "python")
    else:
        t = result(build.reshape(gamma.node, (*gamma.shape, *[1] * (ordered.type.rank - 1))))
    difference = following - previous
    found = previous + difference * t
    other = following.astype(found.dtype) - (difference * (1 - t)).astype(found.dtype)
    return where((t >= 0.5).node, other.node, found.node)


def quantiles(a: Any, q: Any, axis: Any, out: Any, method: str, keepdims: Any, weak: bool) -> Array:
    node = to_node(a)
    if node.type.dtype.kind == "c":
        raise TypeError("a must be an array of real numbers")
    axes, shape = axes_of(axis, node.type.rank), node.type.shape
    if not nonempty(*(shape[k] for k in axes)):
        raise refuse("a quantile of nothing")
    _check_range(q)
    ordered = sorted_first(node, axes)
    index = virtual_index(size_node(build.count(shape, axes)), q, method)
    if index.dtype.kind in "iu":
        if method == "linear" or method in NEAREST or method == "inverted_cdf":
            found = current().make("gather", ordered, build.cast(index.node, INT64), axes=(0,), mode="raise")
        else:
            raise refuse(f"quantile(method={method!r}) of integers")
    else:
        found = interpolated(ordered, index, method, weak)
    if node.type.dtype.kind == "f":
        end = row(ordered, ordered.type.shape[0] - 1)
        found = where(current().make("isnan", end), build.cast(end, found.type.dtype), found)
    if flag(keepdims):
        kept = [1 if k in axes else dim for k, dim in enumerate(shape)]
        found = build.reshape(found, (*q.shape, *kept))
    return finish(found, out)


def _check_range(q: Array) -> None:
    """NumPy raises for quantiles outside of 0 to 1."""
    inside: Node = ((q >= 0) & (q <= 1)).node
    outside = current().make("logical_not", build.reduce("all", inside, range(inside.type.rank)))
    current().check(outside)


def is_weak(q: Any) -> bool:
    return type(q) in (int, float) or (isinstance(q, Array) and q.kind == "python")


@implements(np.quantile, theme=THEME)
def quantile(a, q, axis=None, out=None, overwrite_input=False, method="linear", keepdims=False, *, weights=None):
    if weights is not None:
        raise refuse("quantile(weights=)")
    return quantiles(a, as_array(q), axis, out, method, keepdims, is_weak(q))


@implements(np.percentile, theme=THEME)
def percentile(a, q, axis=None, out=None, overwrite_input=False, method="linear", keepdims=False, *, weights=None):
    if weights is not None:
        raise refuse("percentile(weights=)")
    return quantiles(a, np.true_divide(as_array(q), 100), axis, out, method, keepdims, is_weak(q))


__all__ = ["median", "percentile", "quantile"]
