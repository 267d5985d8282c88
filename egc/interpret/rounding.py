"""Float64 arithmetic rounded outwards: for each operation the greatest double that is not above the exact result, or little
less, and the least one that is not below it.

Sums, products, quotients and roots find by an error-free transformation on which side of the exact result the rounded one lies
(Dekker 1971; Knuth, TAOCP 4.2.2), so that what is exact stays exact. Where that may overflow or underflow, both neighbours are
taken.
"""

from __future__ import annotations

import numpy as np

Pair = tuple[np.ndarray, np.ndarray]

EPSILON = 2.0**-52
TINY = 5e-324

LARGEST = 1.797e308

SMALL, LARGE = 1e-280, 1e290
"""Between these, products of two numbers and their errors neither underflow nor overflow."""


def down(x: np.ndarray) -> np.ndarray:
    return np.nextafter(x, -np.inf)


def up(x: np.ndarray) -> np.ndarray:
    return np.nextafter(x, np.inf)


def _directed(rounded: np.ndarray, error: np.ndarray, sure: np.ndarray) -> Pair:
    """Bounds of what was rounded, when `error` has the sign of exact minus rounded; where that is not sure, both neighbours."""
    low = np.where(sure & (error >= 0), rounded, down(rounded))
    high = np.where(sure & (error <= 0), rounded, up(rounded))
    return low, high


def two_sum(a: np.ndarray, b: np.ndarray) -> Pair:
    """The rounded sum and its error, exactly, where nothing overflows."""
    total = a + b
    part = total - a
    return total, (a - (total - part)) + (b - part)


def two_product(a: np.ndarray, b: np.ndarray) -> Pair:
    """The rounded product and its error, exactly, within SMALL and LARGE."""
    product = a * b
    (a1, a2), (b1, b2) = _split(a), _split(b)
    return product, ((a1 * b1 - product) + a1 * b2 + a2 * b1) + a2 * b2


def _split(a: np.ndarray) -> Pair:
    scaled = a * 134217729.0
    high = scaled - (scaled - a)
    return high, a - high


def _ordinary(*arrays: np.ndarray) -> np.ndarray:
    """Where all are well inside of the range of doubles."""
    sizes = [np.abs(array) for array in arrays]
    return np.logical_and.reduce([(size > SMALL) & (size < LARGE) for size in sizes])


def add(a: np.ndarray, b: np.ndarray) -> Pair:
    """The sum of two infinities of opposite signs may be anything."""
    total, error = two_sum(a, b)
    low, high = _directed(total, error, np.isfinite(total) & np.isfinite(error))
    anything = np.isnan(total) & ~np.isnan(a) & ~np.isnan(b)
    return np.where(anything, -np.inf, low), np.where(anything, np.inf, high)


def multiply(a: np.ndarray, b: np.ndarray) -> Pair:
    """Zero times infinity is zero: the infinity is a bound."""
    product, error = two_product(a, b)
    nothing = (a == 0) | (b == 0)
    low, high = _directed(product, error, _ordinary(a, b, product))
    return np.where(nothing, 0.0, low), np.where(nothing, 0.0, high)


def divide(a: np.ndarray, b: np.ndarray) -> Pair:
    """For b that is not zero."""
    quotient = a / b
    product, error = two_product(quotient, b)
    rest = (a - product) - error
    low, high = _directed(quotient, rest * np.sign(b), _ordinary(a, b, quotient, product))
    nothing = (a == 0) | (np.isinf(b) & np.isfinite(a))
    low, high = np.where(nothing, 0.0, low), np.where(nothing, 0.0, high)
    limits, sign = np.isinf(a) & np.isinf(b), np.sign(a) * np.sign(b)
    low, high = np.where(limits & (sign > 0), 0.0, low), np.where(limits & (sign < 0), 0.0, high)
    return np.where(limits & (sign < 0), -np.inf, low), np.where(limits & (sign > 0), np.inf, high)


def sqrt(a: np.ndarray) -> Pair:
    """For a that is not negative."""
    root = np.sqrt(a)
    product, error = two_product(root, root)
    low, high = _directed(root, (a - product) - error, _ordinary(a, root))
    exact = (a == 0) | np.isinf(a)
    return np.where(exact, root, low), np.where(exact, root, high)


def around(x: np.ndarray, units: float) -> Pair:
    """Bounds of a result that is known to some units in the last place; one that overflowed may be large instead."""
    margin = np.where(np.isinf(x), 0.0, np.abs(x) * (units * EPSILON) + units * TINY)
    low, high = down(x - margin), up(x + margin)
    return np.where(x == np.inf, LARGEST, np.where(x == -np.inf, x, low)), np.where(
        x == -np.inf, -LARGEST, np.where(x == np.inf, x, high)
    )


def total(x: np.ndarray) -> Pair:
    """Bounds of the sums along the first axis, of which no element is nan: pairs are added with their errors, whose sum has an
    error of second order."""
    errors, spread = np.zeros(x.shape[1:]), np.zeros(x.shape[1:])
    count = len(x)
    while len(x) > 1:
        half = len(x) // 2
        sums, error = two_sum(x[:half], x[half : 2 * half])
        error = np.where(np.isfinite(error), error, np.inf)
        errors = errors + np.sum(error, axis=0)
        spread = spread + np.sum(np.abs(error), axis=0)
        x = np.concatenate([sums, x[2 * half :]])
    rounded = x[0] if count else np.zeros(x.shape[1:])
    margin = spread * (2 * count * EPSILON) + np.where(spread == 0, 0.0, count * TINY)
    low, high = add(rounded, errors)
    low, high = np.where(margin > 0, down(low - margin), low), np.where(margin > 0, up(high + margin), high)
    sure = np.isfinite(rounded) & np.isfinite(spread)
    return np.where(sure, low, -np.inf), np.where(sure, high, np.inf)
