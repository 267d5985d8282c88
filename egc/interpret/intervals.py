"""Interval arithmetic: bounds of all values that a Program's results can take.

Bounds are those of exact arithmetic on real numbers, whatever operands in their intervals are taken, and infinities where
NumPy overflows; `nan` marks what may be no number in NumPy's arithmetic. Zero has no sign: 1 / [0, 1] is [1, inf].
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from egc.errors import NotEncodable
from egc.interpret import interval_arrays, interval_functions
from egc.interpret.fold import MOVES, Call, Domain, Rule, data_of, places, unknown
from egc.interpret.interval import Interval, hull, point, whole
from egc.interpret.interval_arrays import FLOATS
from egc.interpret.interval_functions import RAW, ROWS
from egc.interpret.interval_logic import BOOLEAN, truths
from egc.ops import MASKED
from egc.types import ArrayType, TupleType


class Intervals(Domain):
    """Facts are Intervals of the dtype and shape of the value."""

    def exact(self, array: np.ndarray) -> Interval:
        return point(_real(array))

    def known(self, fact: Interval) -> np.ndarray | None:
        return fact.low if not fact.nan.any() and np.array_equal(fact.low, fact.high) else None

    def computes(self, call: Call) -> bool:
        """Integers and truth values are exact."""
        types = [child.type for child in call.node.inputs]
        types += list(call.type.items) if isinstance(call.type, TupleType) else [call.type]
        kinds = [_real(type).dtype.kind for type in types if isinstance(type, ArrayType)]
        return all(kind in "biu" for kind in kinds)

    def top(self, type: ArrayType, operands: Sequence[Any]) -> Interval:
        return whole(type.dtype, type.shape)  # type: ignore[arg-type]

    def join(self, a: Interval, b: Interval) -> Interval:
        return hull(a, b)

    def widen(self, before: Interval, after: Interval) -> Interval:
        both, limits = hull(before, after), whole(before.dtype, before.shape)
        return Interval.of(
            np.where(both.low < before.low, limits.low, both.low),
            np.where(both.high > before.high, limits.high, both.high),
            both.nan,
        )

    def same(self, a: Interval, b: Interval) -> bool:
        inexact = a.dtype.kind == "f"
        bounds = ((a.low, b.low), (a.high, b.high))
        return all(np.array_equal(x, y, equal_nan=inexact) for x, y in bounds) and np.array_equal(a.nan, b.nan)

    def range(self, fact: Interval) -> tuple[int, int]:
        return int(fact.low), int(fact.high)


def _real(value: Any) -> Any:
    """An array, or a type. Raises NotEncodable for complex ones."""
    if value.dtype.kind == "c":
        raise NotEncodable("a complex value", "intervals are of real numbers")
    return value


def _moved(domain: Intervals, call: Call) -> Interval:
    """An op that moves elements; where it is not known to which places, the hull of all that may come there."""
    source = places(domain, call)
    if source is None:
        return _scattered(domain, call)
    data = [call.operands[position] for position in data_of(call.node)]
    zero = np.zeros(1, call.type.dtype)
    low, high, nan = (
        np.concatenate([first, *(getattr(fact, name).ravel() for fact in data)])[source]
        for name, first in (("low", zero), ("high", zero), ("nan", np.zeros(1, bool)))
    )
    return Interval.of(low, high, nan)


def _scattered(domain: Intervals, call: Call) -> Interval:
    if call.op == "gather":
        x, axes = call.operands[0], tuple(call.params["axes"])
        if not all(x.shape[axis] for axis in axes):
            return unknown(domain, call)
        among = interval_arrays.spanned(x, axes)
        return Interval.of(*(np.broadcast_to(part, call.type.shape) for part in (among.low, among.high, among.nan)))
    if call.op == "scatter" and call.params["combine"] == "set":
        x, value = call.operands[:2]
        if not value.low.size:
            return x
        axes = tuple(range(call.operands[2].ndim))
        among = interval_arrays.spanned(value, axes)
        expanded = [np.expand_dims(part, tuple(call.params["axes"])) for part in (among.low, among.high, among.nan)]
        return hull(x, Interval.of(*(np.broadcast_to(part, x.shape) for part in expanded)))
    if call.op == "scatter":
        with np.errstate(all="ignore"):
            return interval_arrays.scatter(call, *call.operands) or unknown(domain, call)
    return unknown(domain, call)


def _where(domain: Intervals, call: Call) -> Interval:
    condition, a, b = call.operands
    return interval_functions.chosen(condition, a, b)


def _constant(domain: Intervals, call: Call) -> Interval:
    return domain.exact(domain.value(call.node, (), call.bindings))


def _elementwise(domain: Intervals, call: Call) -> Interval:
    """A row of the tables of functions: on float64, with what holds of any operand that may be no number."""
    operands = tuple(map(interval_arrays.to_float, call.operands))
    if call.type.dtype.kind in "iu" and call.op in ("floor_divide", "remainder", "fmod"):
        divisor = operands[1]
        if np.any((divisor.low <= 0) & (divisor.high >= 0)):
            return unknown(domain, call)
    same = len(operands) == 2 and call.node.inputs[0] is call.node.inputs[1]
    name = {"multiply": "square", "subtract": "nothing"}.get(call.op, call.op) if same else call.op
    with np.errstate(all="ignore"):
        result = ROWS[name](*operands[:1] if name != call.op else operands)
        if call.op not in RAW:
            nan = np.logical_or.reduce([result.nan, *(operand.nan for operand in operands)])
            empty = np.logical_or.reduce([np.isnan(result.low), *(np.isnan(operand.low) for operand in operands)])
            result = Interval.of(np.where(empty, np.nan, result.low), np.where(empty, np.nan, result.high), nan | empty)
        return interval_arrays.from_float(result, call.type.dtype)


def _masked(domain: Intervals, call: Call) -> Interval:
    """A function where a mask holds, and another value elsewhere."""
    mask, other, *operands = call.operands
    name, dtype = MASKED[call.op], call.type.dtype
    if name not in ROWS:
        return interval_functions.chosen(mask, whole(dtype, mask.shape), other)
    with np.errstate(all="ignore"):
        found = interval_arrays.from_float(ROWS[name](*map(interval_arrays.to_float, operands)), dtype)
    nan = np.logical_or.reduce([found.nan, *(operand.nan for operand in operands)])
    return interval_functions.chosen(mask, Interval.of(found.low, found.high, nan), other)


def _boolean(domain: Intervals, call: Call) -> Interval:
    with np.errstate(all="ignore"):
        low, high = BOOLEAN[call.op](*call.operands)
    return Interval.of(low, high, np.zeros(low.shape, bool))


def _cast(domain: Intervals, call: Call) -> Interval:
    (x,), dtype = call.operands, call.type.dtype
    if dtype.kind == "b":
        low, high = truths(x)
        return Interval.of(low, high, np.zeros(x.shape, bool))
    if dtype.kind in "iu":
        if x.dtype.kind == "f" and x.nan.any():
            return unknown(domain, call)
        with np.errstate(all="ignore"):
            return interval_arrays.from_float(ROWS["trunc"](interval_arrays.to_float(x)), dtype)
    return interval_arrays.from_float(interval_arrays.to_float(x), dtype)


def _floats(domain: Intervals, call: Call) -> Any:
    """A row of `interval_arrays`, on float64."""
    operands = tuple(map(interval_arrays.to_float, call.operands))
    with np.errstate(all="ignore"):
        result = FLOATS[call.op](call, *operands)
    if result is None:
        return unknown(domain, call)
    return interval_arrays.from_float(result, call.type.dtype)


def _arrays(domain: Intervals, call: Call) -> Any:
    with np.errstate(all="ignore"):
        result = interval_arrays.ARRAYS[call.op](call, *call.operands)
    return unknown(domain, call) if result is None else result


RULES: dict[str, Rule] = {
    **dict.fromkeys(MOVES, _moved),
    **dict.fromkeys(ROWS.keys() - {"square", "nothing"}, _elementwise),
    **dict.fromkeys(MASKED, _masked),
    **dict.fromkeys(BOOLEAN, _boolean),
    **dict.fromkeys(FLOATS, _floats),
    **dict.fromkeys(interval_arrays.ARRAYS, _arrays),
    "constant": _constant,
    "empty": _constant,
    "where": _where,
    "cast": _cast,
}
Intervals.rules = RULES
