"""Reductions, scans, orders, products and linear systems of arrays of intervals.

`FLOATS` has those that compute, on float64; `ARRAYS` those that compare, on any dtype. None says that anything is possible.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from egc.interpret import rounding
from egc.interpret.fold import Call, in_turns
from egc.interpret.interval import Interval, whole
from egc.interpret.interval_functions import ROWS, add, multiply, subtract, sure, unbounded

EXACT = 2.0**53
"""Integers up to this are doubles."""

MOST_PRODUCTS = 1 << 20
"""Products of elements that are made one by one for a matrix product; beyond, its bounds are those by midpoint and radius."""


def to_float(x: Interval) -> Interval:
    """Bounds as float64."""
    if x.dtype.kind != "f":
        low, high = x.low.astype(float), x.high.astype(float)
        low = np.where(np.abs(low) < EXACT, low, rounding.down(low))
        return Interval.of(low, np.where(np.abs(high) < EXACT, high, rounding.up(high)), x.nan)
    return Interval.of(x.low.astype(float), x.high.astype(float), x.nan)


def from_float(x: Interval, dtype: np.dtype) -> Interval:
    """Bounds as another dtype, outwards; any integer, where bounds are beyond those that are exact or that the dtype has."""
    if dtype == np.float64:
        return Interval.of(np.asarray(x.low), np.asarray(x.high), x.nan)
    if dtype.kind == "f":
        low, high = np.asarray(x.low).astype(dtype), np.asarray(x.high).astype(dtype)
        low = np.where(low > x.low, np.nextafter(low, dtype.type(-np.inf)), low)
        return Interval.of(low, np.where(high < x.high, np.nextafter(high, dtype.type(np.inf)), high), x.nan)
    if dtype.kind == "b":
        return Interval.of(np.asarray(x.low > 0), np.asarray(x.high > 0), np.zeros(x.shape, bool))
    limits, any_value = np.iinfo(dtype), whole(dtype, x.shape)
    low, high = np.ceil(x.low), np.floor(x.high)
    fits = (low >= max(limits.min, -EXACT)) & (high <= min(limits.max, EXACT)) & (low <= high)
    low, high = (np.where(fits, bound, 0.0).astype(dtype) for bound in (low, high))
    return Interval.of(
        np.where(fits, low, any_value.low), np.where(fits, high, any_value.high), np.zeros(x.shape, bool)
    )


def _front(x: Interval, axes: Sequence[int]) -> Interval:
    """The given axes as one, the first."""
    others = [axis for axis in range(x.ndim) if axis not in axes]
    shape = (-1, *(x.shape[axis] for axis in others))
    if not x.low.size:
        shape = (int(np.prod([x.shape[axis] for axis in axes])), *shape[1:])
    return Interval.of(*(part.transpose([*axes, *others]).reshape(shape) for part in (x.low, x.high, x.nan)))


def spanned(x: Interval, axes: Sequence[int]) -> Interval:
    """The hull of the elements along axes, of which there are some."""
    parts = _front(x, axes)
    least, most = (np.fmin, np.fmax) if x.dtype.kind == "f" else (np.minimum, np.maximum)
    return Interval.of(
        *(np.asarray(part) for part in (least.reduce(parts.low), most.reduce(parts.high), parts.nan.any(0)))
    )


def _sum(call: Call, x: Interval) -> Interval | None:
    parts = _front(x, call.params["axes"])
    if call.node.inputs[0].type.dtype.kind == "b":
        return sure(np.max(parts.low, axis=0, initial=0.0), np.max(parts.high, axis=0, initial=0.0))
    return total(parts)


def total(parts: Interval) -> Interval:
    """The sum along the first axis."""
    empty = np.isnan(parts.low)
    low, high = (rounding.total(np.where(empty, 0.0, bound)) for bound in (parts.low, parts.high))
    none = empty.any(axis=0)
    opposite = (parts.low == -np.inf).any(axis=0) & (parts.high == np.inf).any(axis=0)
    nan = parts.nan.any(axis=0) | none | (opposite & (len(parts.low) > 1))
    return sure(np.where(none, np.nan, low[0]), np.where(none, np.nan, high[1]), nan)


def _prod(call: Call, x: Interval) -> Interval:
    parts = _front(x, call.params["axes"])
    if not len(parts):
        return sure(np.ones(parts.shape[1:]), np.ones(parts.shape[1:]))
    while len(parts) > 1:
        half = len(parts) // 2
        made = _combined(multiply, parts[:half], parts[half : 2 * half])
        parts = _joined(made, parts[2 * half :])
    return parts[0]


def _combined(function: Callable[[Interval, Interval], Interval], a: Interval, b: Interval) -> Interval:
    found = function(a, b)
    empty = np.isnan(a.low) | np.isnan(b.low)
    low, high = (np.where(empty, np.nan, bound) for bound in (found.low, found.high))
    return Interval.of(low, high, found.nan | a.nan | b.nan)


def _joined(*parts: Interval) -> Interval:
    return Interval.of(*(np.concatenate([getattr(x, name) for x in parts]) for name in ("low", "high", "nan")))


def _scan(function: Callable[[Interval, Interval], Interval]) -> Callable[[Call, Interval], Interval]:
    """All results of a scan, in a logarithmic number of steps (Hillis and Steele 1986)."""

    def scanned(call: Call, x: Interval) -> Interval:
        axis = call.params["axis"]
        parts = Interval.of(*(np.moveaxis(part, axis, 0) for part in (x.low, x.high, x.nan)))
        step = 1
        while step < len(parts):
            parts = _joined(parts[:step], _combined(function, parts[step:], parts[:-step]))
            step *= 2
        return Interval.of(*(np.moveaxis(part, 0, axis) for part in (parts.low, parts.high, parts.nan)))

    return scanned


def _recurrence(call: Call, factor: Interval, term: Interval, start: Interval) -> Interval | None:
    """One after the other, as the numbers come."""
    if call.type.dtype.kind == "f" and call.type.dtype != np.float64:
        return None
    axis, last, found = call.params["axis"], start, []
    by, more = (Interval.of(*(np.moveaxis(part, axis, 0) for part in (x.low, x.high, x.nan))) for x in (factor, term))
    for k in range(len(by)):
        last = _combined(add, _combined(multiply, by[k], last), more[k])
        found.append(last)
    if not found:
        return factor
    return Interval.of(*(np.stack([getattr(x, name) for x in found], axis) for name in ("low", "high", "nan")))


def matmul(a: Interval, b: Interval) -> Interval:
    """The product of matrices (or vectors), of which there may be batches."""
    left = a.low[None, :] if a.ndim == 1 else a.low
    right = b.low[:, None] if b.ndim == 1 else b.low
    products = int(np.prod(np.broadcast_shapes(left.shape[:-2], right.shape[:-2]))) * int(
        np.prod((*left.shape[-2:], right.shape[-1]))
    )
    finite = not (unbounded(a).any() or unbounded(b).any() or a.nan.any() or b.nan.any())
    if products > MOST_PRODUCTS and finite:
        return _by_midpoints(a, b)
    rows = [part[None, :] if a.ndim == 1 else part for part in (a.low, a.high, a.nan)]
    columns = [part[:, None] if b.ndim == 1 else part for part in (b.low, b.high, b.nan)]
    first = Interval.of(*(np.moveaxis(part, -1, 0)[..., :, None] for part in rows))
    second = Interval.of(*(np.moveaxis(part, -2, 0)[..., None, :] for part in columns))
    shape = np.broadcast_shapes(first.shape[1:], second.shape[1:])
    spread = [
        Interval.of(*(np.broadcast_to(_aligned(part, len(shape)), (len(x), *shape)) for part in (x.low, x.high, x.nan)))
        for x in (first, second)
    ]
    found = total(_combined(multiply, *spread))
    keep = tuple(slice(None) for _ in shape[:-2])
    index = (*keep, 0 if a.ndim == 1 else slice(None), 0 if b.ndim == 1 else slice(None))
    return found[index]


def _aligned(part: np.ndarray, rank: int) -> np.ndarray:
    """Axes of length 1 after the first one, up to a rank beside it."""
    return part.reshape(part.shape[0], *[1] * (rank + 1 - part.ndim), *part.shape[1:])


def _by_midpoints(a: Interval, b: Interval) -> Interval:
    """Rump's product: midpoints times midpoints, and bounds of all errors (Fast and parallel interval arithmetic, BIT 1999)."""
    (left, right), inner = (a.middle, b.middle), a.shape[-1]
    radius_a, radius_b = (
        rounding.up(np.maximum(x.high - middle, middle - x.low)) for x, middle in ((a, left), (b, right))
    )
    size_a, size_b = np.abs(left), np.abs(right)
    slack = (inner + 4) * rounding.EPSILON
    radius = np.matmul(size_a, radius_b) + np.matmul(radius_a, size_b + radius_b) + slack * np.matmul(size_a, size_b)
    radius = rounding.up(radius * (1 + 4 * slack) + inner * rounding.TINY)
    middle = np.matmul(left, right)
    return sure(rounding.down(middle - radius), rounding.up(middle + radius))


def _matmul(call: Call, a: Interval, b: Interval) -> Interval | None:
    return None if call.type.dtype.kind == "b" else matmul(a, b)


def _convolve(call: Call, a: Interval, b: Interval) -> Interval | None:
    """As the product of a matrix, of a's elements, and a vector."""
    if call.type.dtype.kind == "b":
        return None
    place = np.arange(len(a) + len(b) - 1)[:, None] - np.arange(len(b))
    inside = (place >= 0) & (place < len(a))
    rows = a[np.clip(place, 0, len(a) - 1)]
    return matmul(Interval.of(*(np.where(inside, part, 0) for part in (rows.low, rows.high, rows.nan))), b)


def _solve(call: Call, a: Interval, b: Interval) -> Interval | None:
    """A x = b for every matrix and right side: by Krawczyk's operator with an inverse of the midpoints, where that contracts
    (Rump, Verification methods, Acta Numerica 2010, section 10)."""
    if a.ndim != 2 or b.ndim > 2 or unbounded(a).any() or unbounded(b).any() or a.nan.any() or b.nan.any():
        return None
    right = b if b.ndim == 2 else Interval.of(*(part[:, None] for part in (b.low, b.high, b.nan)))
    try:
        inverse = np.linalg.inv(a.middle)
    except np.linalg.LinAlgError:
        return None
    if not np.isfinite(inverse).all():
        return None
    near = inverse @ right.middle
    preconditioner = sure(inverse, inverse)
    identity = np.eye(len(inverse))
    away = subtract(sure(identity, identity), matmul(preconditioner, a))
    rest = matmul(preconditioner, subtract(right, matmul(a, sure(near, near))))
    size, error = (np.maximum(np.abs(x.low), np.abs(x.high)) for x in (away, rest))
    norm = np.max(total(_front(sure(size, size), (1,))).high, initial=0.0)
    if not norm < 1:
        return None
    bound = np.max(error, axis=0, initial=0.0) / rounding.down(np.asarray(1 - norm))
    bound = np.broadcast_to(rounding.up(rounding.up(bound)), error.shape)
    for _ in range(3):
        wider = add(sure(error, error), matmul(sure(size, size), sure(bound, bound))).high
        bound = np.minimum(bound, wider)
    low, high = subtract(sure(near, near), sure(bound, bound)).low, add(sure(near, near), sure(bound, bound)).high
    return sure(low, high) if b.ndim == 2 else sure(low[:, 0], high[:, 0])


def _inverse(call: Call, a: Interval) -> Interval | None:
    identity = np.eye(a.shape[-1])
    return _solve(call, a, sure(identity, identity))


def scatter(call: Call, x: Interval, value: Interval, *indices: Interval) -> Interval | None:
    """Values combined in one after another, for places that are known."""
    combine = ROWS.get(call.params["combine"])
    if combine is None or call.type.dtype.kind != "f" or any(not np.array_equal(i.low, i.high) for i in indices):
        return None
    x, value = to_float(x), to_float(value)
    axes = call.params["axes"]
    numbers = np.arange(x.low.size).reshape(x.shape)
    view = numbers.transpose([*axes, *(axis for axis in range(x.ndim) if axis not in axes)])
    positions = view[tuple(i.low.astype(np.int64) for i in indices)].ravel()
    parts = [part.ravel().copy() for part in (x.low, x.high, x.nan)]
    flat = Interval.of(*(part.ravel() for part in (value.low, value.high, value.nan)))
    for entries in in_turns(positions):
        at = positions[entries]
        found = _combined(combine, Interval.of(*(part[at] for part in parts)), flat[entries])
        for part, new in zip(parts, (found.low, found.high, found.nan)):
            part[at] = new
    return from_float(Interval.of(*(part.reshape(x.shape) for part in parts)), call.type.dtype)


FLOATS: dict[str, Callable[..., Interval | None]] = {
    "sum": _sum,
    "prod": _prod,
    "cumsum": _scan(add),
    "cumprod": _scan(multiply),
    "linear_recurrence": _recurrence,
    "matmul": _matmul,
    "convolve": _convolve,
    "solve": _solve,
    "inv": _inverse,
}


def _extreme(function: Any) -> Callable[[Call, Interval], Interval | None]:
    def bounds(call: Call, x: Interval) -> Interval | None:
        parts = _front(x, call.params["axes"])
        if not len(parts):
            return None
        return sure(function.reduce(parts.low), function.reduce(parts.high), parts.nan.any(axis=0))

    return bounds


def _accumulated(function: Any) -> Callable[[Call, Interval], Interval]:
    def bounds(call: Call, x: Interval) -> Interval:
        axis = call.params["axis"]
        low, high = (function.accumulate(bound, axis=axis) for bound in (x.low, x.high))
        return sure(low, high, np.logical_or.accumulate(x.nan, axis=axis))

    return bounds


def _truth(function: Any) -> Callable[[Call, Interval], Interval]:
    def bounds(call: Call, x: Interval) -> Interval:
        axes = tuple(call.params["axes"])
        return sure(function(x.low, axis=axes), function(x.high, axis=axes))

    return bounds


def _place(sign: int) -> Callable[[Call, Interval], Interval | None]:
    """The first and the last of the elements that may be the extreme one."""

    def bounds(call: Call, x: Interval) -> Interval | None:
        if x.nan.any() or not x.low.size or x.dtype.kind == "b":
            return None
        parts = to_float(_front(x, (call.params["axis"],)))
        low, high = (parts.low, parts.high) if sign > 0 else (-parts.high, -parts.low)
        possible = high >= np.max(low, axis=0)
        return sure(np.argmax(possible, axis=0), len(possible) - 1 - np.argmax(possible[::-1], axis=0))

    return bounds


def _sort(call: Call, x: Interval) -> Interval | None:
    """The k-th least number rises with each of them."""
    if x.nan.any():
        return None
    low, high = (np.sort(bound, axis=call.params["axis"]) for bound in (x.low, x.high))
    return Interval.of(low, high, x.nan)


def _argsort(call: Call, x: Interval) -> Interval | None:
    """Known where no interval meets another one, else any place."""
    if x.nan.any():
        return None
    axis = call.params["axis"]
    order = np.argsort(x.low, axis=axis, kind="stable")
    low, high = (np.moveaxis(np.take_along_axis(bound, order, axis), axis, 0) for bound in (x.low, x.high))
    apart = bool(np.all(high[:-1] < low[1:]))
    if apart:
        return sure(order, order)
    return sure(np.zeros(x.shape, np.int64), np.full(x.shape, x.shape[axis] - 1))


def _searchsorted(call: Call, x: Interval, values: Interval) -> Interval | None:
    if x.nan.any() or values.nan.any():
        return None
    low = np.searchsorted(np.sort(x.high), values.low, side=call.params["side"])
    return sure(np.asarray(low), np.asarray(np.searchsorted(np.sort(x.low), values.high, side=call.params["side"])))


ARRAYS: dict[str, Callable[..., Interval | None]] = {
    "max": _extreme(np.maximum),
    "min": _extreme(np.minimum),
    "any": _truth(np.any),
    "all": _truth(np.all),
    "cummax": _accumulated(np.maximum),
    "cummin": _accumulated(np.minimum),
    "argmax": _place(1),
    "argmin": _place(-1),
    "sort": _sort,
    "argsort": _argsort,
    "searchsorted": _searchsorted,
}
