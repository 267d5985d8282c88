"""Vector functions over arrays, in one compilation each, and their errors against mpmath in units of the last place."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest
from numba import njit, types

from egc.backends.numba import vector

mpmath = pytest.importorskip("mpmath")

FUNCTIONS = {"float64": vector.FLOAT64, "float32": vector.FLOAT32}
DTYPES = tuple(FUNCTIONS)


@cache
def loop(name: str, dtype: str, operands: int = 1) -> Any:
    """The op as a loop over arrays, compiled."""
    scalar = FUNCTIONS[dtype][name]
    operand = types.Array(getattr(types, dtype), 1, "C", readonly=True)
    result = types.Array(getattr(types, dtype), 1, "C")

    def unary(x, out):
        for i in range(np.uint64(x.size)):
            out[i] = scalar(x[i])

    def binary(x, y, out):
        for i in range(np.uint64(x.size)):
            out[i] = scalar(x[i], y[i])

    signature = types.void(*[operand] * operands, result)
    return njit(signature, error_model="numpy")(unary if operands == 1 else binary)


def over(name: str, *operands: np.ndarray) -> np.ndarray:
    """The op's values at arrays of one dtype."""
    result = np.empty_like(operands[0])
    loop(name, str(result.dtype), len(operands))(*operands, result)
    return result


def errors(exact: Callable[..., Any], values: np.ndarray, *operands: np.ndarray, precision: int = 120) -> np.ndarray:
    """How far each value is from the exact one, in units of the exact one's last place."""
    found = np.zeros(values.size)
    info = np.finfo(values.dtype)
    least = mpmath.mpf(float(info.smallest_subnormal))
    with mpmath.workprec(precision):
        for k, (value, *point) in enumerate(zip(values.tolist(), *(operand.tolist() for operand in operands))):
            truth = exact(*map(mpmath.mpf, point))
            unit = max(mpmath.ldexp(1, mpmath.frexp(truth)[1] - info.nmant - 1), least)
            if np.isfinite(value):
                found[k] = abs(mpmath.mpf(value) - truth) / unit
            else:
                found[k] = 0 if abs(truth) > float(info.max) else np.inf
    return found


def assert_within(
    limit: float, exact: Callable[..., Any], name: str, *points: np.ndarray, precision: int = 120
) -> None:
    values = over(name, *points)
    found = errors(exact, values, *points, precision=precision)
    worst = int(np.argmax(found))
    assert found[worst] <= limit, (name, [point[worst] for point in points], values[worst], found[worst])


def signed(magnitudes: np.ndarray) -> np.ndarray:
    """The numbers, every other one negated."""
    return magnitudes * np.where(np.arange(magnitudes.size) % 2, -1.0, 1.0)


def every_magnitude(rng: np.random.Generator, dtype: str, count: int, greatest: int | None = None) -> np.ndarray:
    """Numbers of either sign with exponents spread over the whole range of the dtype, or up to 2**greatest."""
    info = np.finfo(dtype)
    exponents = rng.uniform(info.minexp - info.nmant, info.maxexp if greatest is None else greatest, count)
    return signed(np.exp2(exponents)).astype(dtype)


def assert_special(name: str, expected: Callable[..., np.ndarray], *operands: np.ndarray) -> None:
    """Equal to the library's values up to rounding, with nan, infinities, zeros and signs exactly its own."""
    with np.errstate(all="ignore"):
        want = expected(*operands)
    got = over(name, *operands)
    np.testing.assert_array_equal(np.isnan(got), np.isnan(want))
    settled = (want == 0) | np.isinf(want)
    np.testing.assert_array_equal(got[settled], want[settled])
    np.testing.assert_array_equal(np.signbit(got[~np.isnan(want)]), np.signbit(want[~np.isnan(want)]))
    least = 2 * float(np.finfo(want.dtype).smallest_subnormal)
    np.testing.assert_allclose(got, want, rtol=8 * np.finfo(want.dtype).eps, atol=least, equal_nan=True)
