"""When one side of a rule may stand for the other, by the rule's precision class.

Where the two sides differ by more than a few units in the last place, the left side's formula is evaluated with
mpmath, without rounding, and the right side must be as close to that truth as the left one is, or as close as operands
that are rounded allow.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from egc.rewrite import Axes, Matrix, Rule, SquareMatrix, Vector
from egc.rulecheck import bigarray
from egc.rulecheck.bigarray import NoTruth
from egc.rulecheck.samples import Sample, recorded

CLOSE = 16
"""Units in the last place by which two sides may differ without a look at the truth."""

SLACK = 64
"""How many times the effect of moving the operands by a few units of rounding a right side may be off."""

OWN = 64
"""How many times the left side's own error a right side may be off."""

BITS = (400, 1500, 3000)
"""The truth is what evaluations with two neighbours among these precisions agree on."""

FAR = 30
"""Operands beyond this may be too large for `BITS`: what the exponential of their square adds to 1 is lost."""

WITNESSES = 2
"""How many doubtful elements of an elementwise rule's result are compared with the truth."""


def difference(
    rule: Rule, sample: Sample, sides: tuple[np.ndarray, np.ndarray], from_side: int, random: np.random.Generator
) -> str | None:
    """Why `sides[from_side]` may not be replaced by the other side, or None."""
    left, right = sides[from_side], sides[1 - from_side]
    if left.dtype.kind not in "fc":
        return _discrete_difference(rule, sample, left, right, from_side)
    if rule.precision == "exact":
        return None if _same_bits(left, right) else "the sides are not equal bit for bit"
    if sample.kind in ("nan", "infinite") and {Matrix, SquareMatrix, Vector} & set(rule.parameters.values()):
        same = np.isfinite(left).all() == np.isfinite(right).all()
        return None if same else "one side is finite, the other is not"
    doubtful = ~_agree(left, right)
    if rule.precision in ("finite", "approx") or left.dtype.kind == "c":
        doubtful &= np.isfinite(left)
    if not doubtful.any():
        return None
    places, left, right, operands = _witnesses(rule, sample, from_side, left, right, doubtful)
    extents = np.concatenate([np.zeros(0), *(np.abs(np.ravel(x)) for x in operands if _floating(x))])
    far = bool(np.any(extents > FAR))
    truth = _truth(rule, operands, from_side)
    reach = _reach(rule, operands, from_side, truth, random)
    infinite = bool(np.any(extents == np.inf)) and not np.any(np.isnan(extents))
    scale = _scale(rule, truth)
    for place, index in places:
        reason = _element(rule, far, infinite, left[index], right[index], truth[index], reach[index], scale)
        if reason is not None:
            return f"at index {place}, {reason}"
    return None


def _scale(rule: Rule, truth: np.ndarray) -> Any:
    """The largest true value where rounding is relative to that: linear algebra is accurate by norms."""
    if not {Matrix, SquareMatrix} & set(rule.parameters.values()):
        return 0
    return max((abs(value) for value in truth.ravel() if value is not None and abs(value) < np.inf), default=0)


def _floating(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.dtype.kind in "fc"


Place = tuple[int, ...]


def _witnesses(
    rule: Rule, sample: Sample, side: int, left: np.ndarray, right: np.ndarray, doubtful: np.ndarray
) -> tuple[list[tuple[Place, Place]], np.ndarray, np.ndarray, Sequence[Any]]:
    """The doubtful elements' places, and their places in the sides and operands that are then compared.

    Of an elementwise rule only a few elements are kept, since the truth is slow to find.
    """
    places = [tuple(map(int, place)) for place in np.argwhere(doubtful)]
    arrays = [x for x in sample.operands if isinstance(x, np.ndarray)]
    if left.ndim and Axes not in rule.parameters.values() and all(x.shape == left.shape for x in arrays):
        kept = places[:WITNESSES]
        chosen = tuple(np.array(kept).T)
        operands = [x[chosen] if isinstance(x, np.ndarray) else x for x in sample.operands]
        sides, _ = recorded(rule, operands)
        same = isinstance(sides, tuple) and all(
            np.array_equal(sides[at], whole[chosen], equal_nan=True) for at, whole in ((side, left), (1 - side, right))
        )
        if same:
            return [(place, (row,)) for row, place in enumerate(kept)], left[chosen], right[chosen], operands
    return [(place, place) for place in places], left, right, sample.operands


def _discrete_difference(rule: Rule, sample: Sample, left: Any, right: Any, from_side: int) -> str | None:
    """Integers and bools are equal, except that under `real` a comparison may be decided without rounding."""
    if np.array_equal(left, right):
        return None
    if rule.precision != "exact" and any(map(_floating, sample.operands)):
        truth = _truth(rule, sample.operands, from_side)
        if not np.any(np.equal(truth, None)) and np.array_equal(truth.astype(right.dtype), right):
            return None
    return "the sides are not equal"


def _same_bits(left: np.ndarray, right: np.ndarray) -> bool:
    if left.dtype.kind == "c":
        return _same_bits(left.real, right.real) and _same_bits(left.imag, right.imag)
    nan = np.isnan(left)
    same = (left == right) & (np.signbit(left) == np.signbit(right))
    return bool(np.all(np.where(nan, np.isnan(right), same)))


def _agree(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    limits = np.finfo(left.dtype)
    close = np.abs(left - right) <= CLOSE * limits.eps * np.abs(left) + 4 * limits.tiny
    return np.where(np.isfinite(left), close, (left == right) | (np.isnan(left) & np.isnan(right)))


def _truth(rule: Rule, operands: Sequence[Any], side: int) -> np.ndarray:
    """The unrounded values of a side, nan where undefined and None where unknown."""
    values = known = None
    for bits in BITS:
        try:
            finer = bigarray.evaluate(rule.function, operands, side, bits)
        except NoTruth:
            break
        if values is not None:
            settled = np.frompyfunc(partial(_settled, bits == BITS[-1]), 2, 1)
            known = np.asarray(settled(values, finer), dtype=object)
            if not np.any(np.equal(known, None)):
                return known
        values = finer
    if known is None:
        known = np.full(np.shape(recorded(rule, operands)[0][side]), None, dtype=object)
    return known


def _settled(last: bool, low: Any, high: Any) -> Any:
    """What two precisions agree on. That something is 0 or infinite is believed only of the last one."""
    if isinstance(high, (bool, np.bool_, int)):
        return high if low == high else None
    if low != low and high != high:
        return high
    if abs(high) == np.inf or high == 0:
        return high if low == high and last else None
    if abs(low) < 2.0**-300 and abs(high) < abs(low) * 2.0**-300:
        return high * 0
    return high if abs(low - high) <= abs(high) * 2.0**-80 else None


def _reach(rule: Rule, operands: Sequence[Any], side: int, truth: np.ndarray, random: np.random.Generator) -> Any:
    """How far the true values move when operands move by a few units of rounding, and how far NumPy is then off."""
    moved, off = np.zeros(truth.shape, dtype=object), np.zeros(truth.shape, dtype=object)
    for _ in range(5):
        if np.all(np.equal(truth, None)):
            break
        nearby = [_nudged(x, random) for x in operands]
        other = bigarray.evaluate(rule.function, nearby, side, BITS[0])
        moved = np.asarray(np.frompyfunc(_further, 3, 1)(moved, truth, other), dtype=object)
        sides, _ = recorded(rule, nearby)
        if isinstance(sides, tuple):
            rounded = np.frompyfunc(bigarray.number, 1, 1)(np.asarray(sides[side]))
            off = np.asarray(np.frompyfunc(_further, 3, 1)(off, other, rounded), dtype=object)
    return np.asarray(np.frompyfunc(lambda *pair: pair, 2, 1)(moved, off), dtype=object)


def _nudged(value: Any, random: np.random.Generator) -> Any:
    if not _floating(value):
        return value
    steps = random.choice([-4, -3, -2, -1, 1, 2, 3, 4], size=value.shape) * np.finfo(value.dtype).eps
    return np.asarray(value * (1 + steps.astype(value.dtype)), value.dtype)


def _further(distance: Any, a: Any, b: Any) -> Any:
    """The larger of a distance and that of two numbers, where they have one."""
    if a is None or b is None:
        return distance
    step = abs(b - a)
    return max(distance, step) if step < np.inf else distance


def _element(
    rule: Rule, far: bool, infinite: bool, left: Any, right: Any, truth: Any, reach: Any, scale: Any
) -> str | None:
    """Why a right value may not stand for a left one whose true value is `truth` (None: not known).

    `far` and `infinite` tell whether some operand is beyond FAR, or infinite and none nan.
    """
    lost = far and not np.isfinite(left) and np.isfinite(right)
    if truth is None:
        return None if lost else "the sides differ"
    if truth != truth:
        if np.isnan(left) and (not np.isfinite(right) or infinite):
            return None
        if np.isfinite(left) or np.isinf(left):
            return "the sides differ"
        return "the left side is nan and has no real value, the right side is a number"
    limits = np.finfo(left.dtype)
    if abs(truth) == np.inf:
        return None if lost or right == complex(truth).real else f"the true value is {truth}"
    if abs(truth) > limits.max and np.isinf(right) and np.sign(right) == (1 if truth.real > 0 else -1):
        return None
    error = abs(bigarray.number(right) - truth) if np.isfinite(right) else np.inf
    if rule.precision == "approx":
        allowed = rule.error_bound * max(abs(truth), scale) + limits.tiny
    else:
        moved, off = reach
        own = max(off, abs(bigarray.number(left) - truth)) if np.isfinite(left) else float(limits.eps)
        allowed = max(OWN * own, SLACK * (float(limits.eps) * max(abs(truth), scale) + moved)) + 4 * float(limits.tiny)
    if error <= allowed:
        return None
    if not np.isfinite(left) and (right == left or (np.isnan(left) and np.isnan(right))):
        return None
    return f"the true value is {float(abs(truth)) if abs(truth) < 1e300 else truth}, out of reach of the right side"
