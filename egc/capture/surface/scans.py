"""Running sums, products and extremes."""

from __future__ import annotations

from typing import Any

import numpy as np

from egc.capture import build
from egc.capture.array import result, to_node
from egc.capture.context import current
from egc.capture.registry import implements
from egc.capture.surface.arguments import BOOL, along, axis_of, dtype_of, finish, flag, number, where
from egc.capture.surface.reductions import accumulator
from egc.ir import Node

THEME = "scans"
SCANS = {"add": "cumsum", "multiply": "cumprod", "maximum": "cummax", "minimum": "cummin"}


def scan(op: str, node: Node, axis: int) -> Node:
    """A scan along an axis; in bool, sums and maxima are `or`, products and minima `and`."""
    if node.type.dtype != BOOL:
        return current().make(op, node, axis=axis)
    extreme = {"cumsum": "cummax", "cumprod": "cummin"}.get(op, op)
    return build.cast(current().make(extreme, build.cast(node, np.uint8), axis=axis), BOOL)


def accumulated(op: str, a: Any, axis: Any, dtype: Any) -> Node:
    node, at = along(a, axis)
    return scan(op, build.cast(node, dtype_of(dtype, accumulator(node.type.dtype))), at)


@implements(np.cumsum, theme=THEME, method="cumsum")
def cumsum(a, axis=None, dtype=None, out=None):
    return finish(accumulated("cumsum", a, axis, dtype), out)


@implements(np.cumprod, theme=THEME, method="cumprod")
def cumprod(a, axis=None, dtype=None, out=None):
    return finish(accumulated("cumprod", a, axis, dtype), out)


def without_nan(a: Any, neutral: float) -> Node:
    """The operand with `neutral` in place of nan."""
    node = to_node(a)
    if node.type.dtype.kind not in "fc":
        return node
    return where(current().make("isnan", node), number(neutral, node.type.dtype), node)


@implements(np.nancumsum, theme=THEME)
def nancumsum(a, axis=None, dtype=None, out=None):
    return finish(accumulated("cumsum", result(without_nan(a, 0)), axis, dtype), out)


@implements(np.nancumprod, theme=THEME)
def nancumprod(a, axis=None, dtype=None, out=None):
    return finish(accumulated("cumprod", result(without_nan(a, 1)), axis, dtype), out)


def _cumulative(op: str, start: int) -> Any:
    def meaning(x, /, *, axis=None, dtype=None, out=None, include_initial=False):
        node = to_node(x)
        if axis is None:
            if node.type.rank != 1:
                raise ValueError("For arrays which have more than one dimension ``axis`` argument is required.")
            axis = 0
        axis = axis_of(axis, node.type.rank)
        found = accumulated(op, x, axis, dtype)
        if flag(include_initial):
            shape = found.type.shape
            first = number(start, found.type.dtype, (*shape[:axis], 1, *shape[axis + 1 :]))
            found = build.concatenate([first, found], axis)
        return finish(found, out)

    return meaning


if hasattr(np, "cumulative_sum"):
    implements(np.cumulative_sum, theme=THEME)(_cumulative("cumsum", 0))
    implements(np.cumulative_prod, theme=THEME)(_cumulative("cumprod", 1))
