"""Functions of intervals to truth values: where they hold for certain, and where they may hold."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from egc.interpret.interval import Interval
from egc.interpret.rounding import Pair


def truths(x: Interval) -> Pair:
    """Whether values are certainly, and possibly, not zero; nan is not zero."""
    if x.dtype.kind == "b":
        return x.low, x.high
    empty = x.low != x.low
    return (x.low > 0) | (x.high < 0) | empty, ~((x.low == 0) & (x.high == 0)) | x.nan


def _less(a: Interval, b: Interval, strict: bool) -> Pair:
    compare = np.less if strict else np.less_equal
    return compare(a.high, b.low) & ~a.nan & ~b.nan, compare(a.low, b.high)


def _equal(a: Interval, b: Interval) -> Pair:
    points = (a.low == a.high) & (b.low == b.high) & (a.low == b.low) & ~a.nan & ~b.nan
    return points, (a.low <= b.high) & (b.low <= a.high)


def _not(pair: Pair) -> Pair:
    return ~pair[1], ~pair[0]


def _both(a: Interval, b: Interval) -> Pair:
    (sure_a, may_a), (sure_b, may_b) = truths(a), truths(b)
    return sure_a & sure_b, may_a & may_b


def _either(a: Interval, b: Interval) -> Pair:
    (sure_a, may_a), (sure_b, may_b) = truths(a), truths(b)
    return sure_a | sure_b, may_a | may_b


def _differ(a: Interval, b: Interval) -> Pair:
    (sure_a, may_a), (sure_b, may_b) = truths(a), truths(b)
    return (sure_a & ~may_b) | (~may_a & sure_b), ~((sure_a & sure_b) | (~may_a & ~may_b))


BOOLEAN: dict[str, Callable[..., Pair]] = {
    "less": lambda a, b: _less(a, b, True),
    "less_equal": lambda a, b: _less(a, b, False),
    "greater": lambda a, b: _less(b, a, True),
    "greater_equal": lambda a, b: _less(b, a, False),
    "equal": _equal,
    "not_equal": lambda a, b: _not(_equal(a, b)),
    "logical_not": lambda a: _not(truths(a)),
    "logical_and": _both,
    "logical_or": _either,
    "logical_xor": _differ,
    "isnan": lambda a: (a.low != a.low, a.nan),
    "isinf": lambda a: (
        (a.low == a.high) & np.isinf(a.low) & ~a.nan,
        np.isinf(a.low) | np.isinf(a.high) if a.dtype.kind == "f" else np.zeros(a.shape, bool),
    ),
    "isfinite": lambda a: (
        np.isfinite(a.low) & np.isfinite(a.high) & ~a.nan,
        ~(np.isinf(a.low) & (a.low == a.high)) & (a.low == a.low),
    ),
    "signbit": lambda a: ((a.high < 0) & ~a.nan, (a.low <= 0) | a.nan),
}
"""Functions to truth values: where they hold for certain, and where they may hold."""
