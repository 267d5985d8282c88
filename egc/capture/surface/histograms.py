"""Histograms, counts of integers, and bins."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from egc.capture import build
from egc.capture.array import Array, as_array, as_size, fresh, result, to_node
from egc.capture.context import current
from egc.capture.registry import implements
from egc.capture.surface.arguments import (
    BOOL,
    FLOAT64,
    INT64,
    flag,
    flat,
    is_traced,
    make,
    number,
    refuse,
    size_node,
    where,
)
from egc.capture.surface.differences import diff
from egc.capture.surface.grids import linspace
from egc.capture.surface.joining import concatenate
from egc.capture.surface.sorting import searchsorted
from egc.ir import Node
from egc.sizes import Dim, Size

THEME = "histograms"


def check_any(unusual: Node) -> None:
    """Runs the function as written when any of these is True."""
    current().check(build.reduce("any", unusual, range(unusual.type.rank)))


def tally(index: Node, weights: Node, bins: Dim) -> Node:
    """The weights added up by index."""
    start = number(0, weights.type.dtype, (bins,))
    return current().make("scatter", start, weights, index, axes=(0,), combine="add")


@implements(np.bincount, theme=THEME)
def bincount(x, /, weights=None, minlength=0):
    a = as_array(x)
    if a.ndim != 1:
        raise ValueError("object too deep for desired array")
    if not np.can_cast(a.dtype, INT64, "safe"):
        raise TypeError(f"Cannot cast array data from {a.dtype!r} to dtype('int64') according to the rule 'safe'")
    bins = as_size(minlength)
    if not current().at_least(bins, 0):
        raise ValueError("'minlength' must not be negative")
    index = build.cast(a.node, INT64)
    if weights is None:
        amounts = number(1, INT64, a.shape)
    else:
        amounts = build.cast(to_node(weights), FLOAT64)
        if amounts.type.rank != 1 or not current().same(amounts.type.shape[0], a.shape[0]):
            raise ValueError("The weights and list don't have the same length.")
        amounts = build.reshape(amounts, a.shape)
    if not current().at_least(a.shape[0], 1):
        return fresh(number(0, INT64 if weights is None else FLOAT64, (bins,)))
    if not current().at_least(bins, 1):
        raise refuse("bincount without minlength", "the result's length depends on data")
    unusual = make("logical_or", make("less", index, number(0, INT64)), make("greater_equal", index, size_node(bins)))
    check_any(unusual)
    return fresh(tally(where(unusual, number(0, INT64), index), amounts, bins))


@implements(np.digitize, theme=THEME)
def digitize(x, bins, right=False):
    values, edges = as_array(x), as_array(bins)
    if values.dtype.kind == "c":
        raise TypeError("x may not be complex")
    if edges.ndim != 1:
        raise ValueError("object too deep for desired array")
    check_any((edges[1:] < edges[:-1]).node)
    return searchsorted(edges, x, side="left" if flag(right) else "right")


def outer_edges(a: Array, limits: Any, dtype: np.dtype | None = None) -> tuple[Any, Any]:
    """The first and last edge, and checks for those that NumPy refuses."""
    if limits is not None:
        first, last = limits
        if not is_traced(first, last):
            if first > last:
                raise ValueError("max must be larger than min in range parameter.")
            if not (math.isfinite(first) and math.isfinite(last)):
                raise ValueError(f"supplied range of [{first}, {last}] is not finite")
            return (first - 0.5, last + 0.5) if first == last else (first, last)
        first, last = result(to_node(first)), result(to_node(last))
        check_any((first > last).node)
    elif not current().at_least(a.size, 1):
        return 0, 1
    else:
        first, last = a.min(), a.max()
    check_any((~(np.isfinite(first) & np.isfinite(last))).node)
    same = first == last
    kind = np.result_type(first.dtype, last.dtype)
    kind = kind if kind.kind == "f" else FLOAT64
    low, high = build.cast(first.node, kind), build.cast(last.node, kind)
    half = number(0.5, kind)
    return (
        result(where(same.node, make("subtract", low, half), low)),
        result(where(same.node, make("add", high, half), high)),
    )


def uniform_edges(a: Array, bins: Any, limits: Any) -> tuple[Array, Any, Any, Dim]:
    count = as_size(bins, "a number of bins")
    if not current().at_least(count, 1):
        raise ValueError("`bins` must be positive, when an integer")
    first, last = outer_edges(a, limits)
    weak = [v.dtype if isinstance(v, (Array, np.generic)) else v for v in (first, last)]
    kind = np.result_type(*weak, a.dtype)
    kind = kind if kind.kind == "f" else np.result_type(kind, float)
    edges = linspace(first, last, count + 1, dtype=kind)
    check_any((edges[:-1] >= edges[1:]).node)
    return edges, first, last, count


def _checked(a: Any, weights: Any) -> tuple[Array, Array | None]:
    x = as_array(a)
    if x.dtype.kind == "c":
        raise refuse("a histogram of complex numbers")
    if x.dtype == BOOL:
        x = x.astype(np.uint8)
    if weights is None:
        return result(flat(x.node)) if x.ndim != 1 else x, None
    w = as_array(weights)
    if w.ndim != x.ndim or not all(current().same(m, n) for m, n in zip(w.shape, x.shape)):
        raise ValueError("weights should have the same shape as a.")
    return fresh(flat(x.node)), fresh(build.reshape(w.node, (x.size,)))


def _uniform_counts(a: Array, weights: Array | None, edges: Array, first: Any, last: Any, count: Dim) -> Node:
    """NumPy's index arithmetic for equal bins, with its corrections for rounding at the edges."""
    keep = ((a >= first) & (a <= last)).node
    dtype = edges.dtype
    low, high = to_node(first, dtype), to_node(last, dtype)
    inside = where(keep, build.cast(a.node, dtype), low)
    scaled = make("divide", make("subtract", inside, low), make("subtract", high, low))
    scaled = make("multiply", scaled, size_node(count, dtype))
    one, top = number(1, INT64), size_node(count - 1)
    index = make("minimum", build.cast(scaled, INT64), top)

    def edge(at: Node) -> Node:
        return current().make("gather", edges.node, at, axes=(0,), mode="clip")

    lower = make("less", inside, edge(index))
    index = make("subtract", index, build.cast(lower, INT64))
    raised = make("greater_equal", inside, edge(make("add", index, one)))
    raised = make("logical_and", raised, make("less", index, top))
    index = make("add", index, build.cast(raised, INT64))
    if weights is None:
        return tally(index, build.cast(keep, INT64), count)
    kind = np.dtype(np.complex128) if weights.dtype.kind == "c" else FLOAT64
    amounts = where(keep, build.cast(weights.node, kind), number(0, kind))
    return build.cast(tally(index, amounts, count), weights.dtype)


def _counts_between(a: Array, weights: Array | None, edges: Array) -> Array:
    """Counts from the positions of the edges among the sorted values; the last bin includes its right edge."""
    if weights is None:
        ordered, totals = np.sort(a), None
    else:
        order = np.argsort(a)
        ordered = a[order]
        totals = concatenate([fresh(number(0, weights.dtype, (1,))), np.cumsum(weights[order], dtype=weights.dtype)])
    places = concatenate([searchsorted(ordered, edges[:-1], "left"), searchsorted(ordered, edges[-1:], "right")])
    return diff(places if totals is None else totals[places])


@implements(np.histogram, theme=THEME)
def histogram(a, bins=10, range=None, density=None, weights=None):
    x, w = _checked(a, weights)
    if isinstance(bins, str):
        raise refuse(f"histogram(bins={bins!r})", "the number of bins depends on data")
    if isinstance(bins, (int, Size)) or (isinstance(bins, Array) and not bins.ndim):
        edges, first, last, count = uniform_edges(x, bins, range)
        n = fresh(_uniform_counts(x, w, edges, first, last, count))
    else:
        edges = as_array(bins)
        if edges.ndim != 1:
            raise ValueError("`bins` must be 1d, when an array")
        check_any((edges[:-1] > edges[1:]).node)
        n = _counts_between(x, w, edges)
    if flag(density):
        widths = diff(edges).astype(float)
        return n / widths / n.sum(), edges
    return n, edges


@implements(np.histogram_bin_edges, theme=THEME)
def histogram_bin_edges(a, bins=10, range=None, weights=None):
    x, _ = _checked(a, weights)
    if isinstance(bins, (int, Size)):
        return uniform_edges(x, bins, range)[0]
    if isinstance(bins, str):
        raise refuse(f"histogram_bin_edges(bins={bins!r})", "the number of bins depends on data")
    edges = as_array(bins)
    check_any((edges[:-1] > edges[1:]).node)
    return edges
