"""Reductions that leave out nan."""

from __future__ import annotations

from typing import Any

import numpy as np

from egc.capture import build
from egc.capture.array import result, to_node
from egc.capture.context import current
from egc.capture.registry import implements
from egc.capture.surface.arguments import (
    INT64,
    absent,
    axes_of,
    dtype_of,
    finish,
    make,
    number,
    reduced,
    refuse,
    where,
)
from egc.capture.surface.reductions import (
    NoValue,
    add_up,
    extreme,
    masked,
    mean,
    position_of_extreme,
    reduce_nonempty,
    var,
)
from egc.capture.surface.scans import without_nan
from egc.ir import Node

THEME = "nan reductions"


@implements(np.nansum, theme=THEME)
def nansum(a, axis=None, dtype=None, out=None, keepdims=False, initial=NoValue, where=NoValue):
    return finish(add_up("sum", result(without_nan(a, 0)), axis, dtype, keepdims, initial, where), out)


@implements(np.nanprod, theme=THEME)
def nanprod(a, axis=None, dtype=None, out=None, keepdims=False, initial=NoValue, where=NoValue):
    return finish(add_up("prod", result(without_nan(a, 1)), axis, dtype, keepdims, initial, where), out)


def _nan_extreme(op: str, a: Any, axis: Any, keepdims: Any, initial: Any, mask: Any) -> Node:
    """The extreme of what is not nan; nan where there is nothing else."""
    node = to_node(a)
    kind = node.type.dtype.kind
    if kind not in "fc":
        return extreme(op, a, axis, keepdims, initial, mask)
    if kind == "c":
        raise refuse(f"nan{op} of complex numbers", "egc orders real numbers only")
    if mask is not True and mask is not NoValue and initial is NoValue:
        return extreme(op, a, axis, keepdims, initial, mask)
    worst = number(-np.inf if op == "max" else np.inf, node.type.dtype)
    unknown = masked(current().make("isnan", node), mask, True)
    axes, shape = axes_of(axis, node.type.rank, lenient=True), node.type.shape
    pairwise = {"max": "maximum", "min": "minimum"}[op]
    filled = where(unknown, worst, node)
    if initial is NoValue:
        best = reduce_nonempty(op, filled, axes, pairwise)
        return reduced(where(build.reduce("all", unknown, axes), quiet_nan(best), best), shape, axes, keepdims)
    start = to_node(initial, node.type.dtype)
    best = extreme(op, result(filled), axis, False, result(where(current().make("isnan", start), worst, start)), True)
    nothing = make("logical_and", build.reduce("all", unknown, axes), current().make("isnan", start))
    return reduced(where(nothing, quiet_nan(best), best), shape, axes, keepdims)


def quiet_nan(like: Node) -> Node:
    return number(np.nan, like.type.dtype, like.type.shape)


@implements(np.nanmax, theme=THEME)
def nanmax(a, axis=None, out=None, keepdims=False, initial=NoValue, where=NoValue):
    return finish(_nan_extreme("max", a, axis, keepdims, initial, where), out)


@implements(np.nanmin, theme=THEME)
def nanmin(a, axis=None, out=None, keepdims=False, initial=NoValue, where=NoValue):
    return finish(_nan_extreme("min", a, axis, keepdims, initial, where), out)


def known(node: Node, mask: Any = NoValue) -> Node:
    """Where elements are not nan and selected by the mask of `where=`."""
    return masked(current().make("logical_not", current().make("isnan", node)), mask, False)


@implements(np.nanmean, theme=THEME)
def nanmean(a, axis=None, dtype=None, out=None, keepdims=False, *, where=NoValue):
    node = to_node(a)
    if node.type.dtype.kind not in "fc":
        return mean(a, axis, dtype, out, keepdims, where=where)
    kind, axes = dtype_of(dtype, node.type.dtype), axes_of(axis, node.type.rank, lenient=True)
    if kind.kind not in "fc":
        raise TypeError("If a is inexact, then dtype must be inexact")
    return finish(reduced(_known_mean(build.cast(node, kind), axes, where), node.type.shape, axes, keepdims), out)


def _known_mean(node: Node, axes: tuple[int, ...], mask: Any) -> Node:
    chosen = known(node, mask)
    total = build.reduce("sum", where(chosen, node, number(0, node.type.dtype)), axes)
    return make("divide", total, build.cast(build.reduce("sum", build.cast(chosen, INT64), axes), node.type.dtype))


def _nan_variance(
    a: Any, axis: Any, dtype: Any, ddof: Any, keepdims: Any, mask: Any, mean: Any, correction: Any
) -> Node | None:
    if correction is not NoValue:
        if ddof != 0:
            raise ValueError("ddof and correction can't be provided simultaneously.")
        ddof = correction
    node = to_node(a)
    if node.type.dtype.kind not in "fc":
        return None
    kind, axes, shape = dtype_of(dtype, node.type.dtype), axes_of(axis, node.type.rank, lenient=True), node.type.shape
    if kind.kind not in "fc":
        raise TypeError("If a is inexact, then dtype must be inexact")
    chosen, node = known(node, mask), build.cast(node, kind)
    center = to_node(mean, kind) if mean is not NoValue else build.keep_axes(_known_mean(node, axes, mask), shape, axes)
    distance = where(chosen, make("subtract", node, center), number(0, kind))
    squares = make("multiply", distance, current().make("conjugate", distance) if kind.kind == "c" else distance)
    squares = current().make("real", squares) if kind.kind == "c" else squares
    total = build.reduce("sum", squares, axes)
    count = build.cast(build.reduce("sum", build.cast(chosen, INT64), axes), np.float64)
    free = make("subtract", count, to_node(ddof, np.dtype(np.float64)))
    quotient = make("divide", total, build.cast(free, total.type.dtype))
    nothing = current().make("less_equal", *build.broadcast_together(free, build.zeros_like(free)))
    return reduced(where(nothing, quiet_nan(quotient), quotient), shape, axes, keepdims)


@implements(np.nanvar, theme=THEME)
def nanvar(
    a, axis=None, dtype=None, out=None, ddof=0, keepdims=False, *, where=NoValue, mean=NoValue, correction=NoValue
):
    found = _nan_variance(a, axis, dtype, ddof, keepdims, where, mean, correction)
    if found is None:
        return var(a, axis, dtype, out, ddof, keepdims, where=where, mean=mean, correction=correction)
    return finish(found, out)


@implements(np.nanstd, theme=THEME)
def nanstd(
    a, axis=None, dtype=None, out=None, ddof=0, keepdims=False, *, where=NoValue, mean=NoValue, correction=NoValue
):
    squares = nanvar(a, axis, dtype, None, ddof, keepdims, where=where, mean=mean, correction=correction)
    return finish(make("sqrt", squares.node), out)


def _nan_position(op: str, a: Any, axis: Any, out: Any, keepdims: Any) -> Any:
    """The extreme's position; NumPy raises for a slice of nothing but nan, so such calls run as written."""
    node = to_node(a)
    if node.type.dtype.kind not in "fc":
        return position_of_extreme(op, node, axis, out, keepdims)
    if node.type.dtype.kind == "c":
        raise refuse(f"nan{op} of complex numbers", "egc orders real numbers only")
    unknown, rank = current().make("isnan", node), node.type.rank
    nothing = build.reduce("all", unknown, axes_of(axis, rank, lenient=True) if not absent(axis) else range(rank))
    worst = number(-np.inf if op == "argmax" else np.inf, node.type.dtype)
    found = position_of_extreme(op, where(unknown, worst, node), axis, out, keepdims)
    current().check(build.reduce("any", nothing, range(nothing.type.rank)))
    return found


@implements(np.nanargmax, theme=THEME)
def nanargmax(a, axis=None, out=None, *, keepdims=False):
    return _nan_position("argmax", a, axis, out, keepdims)


@implements(np.nanargmin, theme=THEME)
def nanargmin(a, axis=None, out=None, *, keepdims=False):
    return _nan_position("argmin", a, axis, out, keepdims)
