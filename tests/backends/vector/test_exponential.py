"""exp, exp2, expm1, log, log2, log10 and log1p within 2 ulp of the exact value, with NumPy's special values."""

import numpy as np
import pytest

from .measure import DTYPES, RNG, TABLES, TINY, assert_special, assert_vectorized, assert_within, mpmath, special, wide

NEAR_ZERO = [RNG.uniform(-1, 1, 800), RNG.normal(size=300) * 1e-4, RNG.normal(size=200) * 1e-9]
NEAR_ONE = [RNG.uniform(0.5, 2, 700), 1 + RNG.normal(size=200) * 1e-6]
POINTS = {
    "exp": lambda ends: [RNG.uniform(-745.2, 709.7, 700) * ends, *NEAR_ZERO],
    "exp2": lambda ends: [RNG.uniform(-1074, 1023, 700) * ends, *NEAR_ZERO],
    "expm1": lambda ends: [RNG.uniform(-60, 60, 400), RNG.uniform(0, 709, 300) * ends, *NEAR_ZERO],
    "log": lambda ends: NEAR_ONE,
    "log2": lambda ends: NEAR_ONE,
    "log10": lambda ends: NEAR_ONE,
    "log1p": lambda ends: [*NEAR_ONE, RNG.uniform(-0.999, 3, 500), RNG.normal(size=200) * 1e-9],
}
EXACT = {
    "exp": mpmath.exp,
    "exp2": lambda x: mpmath.mpf(2) ** x,
    "expm1": mpmath.expm1,
    "log": mpmath.log,
    "log2": lambda x: mpmath.log(x) / mpmath.log(2),
    "log10": mpmath.log10,
    "log1p": mpmath.log1p,
}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", POINTS)
def test_error_is_below_2_ulp(name, dtype):
    points = np.concatenate(POINTS[name](1.0 if dtype == "float64" else 0.123))
    if name.startswith("log"):
        points = np.concatenate([points, wide(600, dtype), RNG.integers(1, 2**20, 200) * TINY[dtype]])
    assert_within(2.0, TABLES[dtype][name], EXACT[name], points.astype(dtype))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", POINTS)
def test_special_values(name, dtype):
    assert_special(TABLES[dtype][name], getattr(np, name), special(dtype))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", POINTS)
def test_loops_are_vectorized(name, dtype):
    assert_vectorized(TABLES[dtype][name], 1, dtype)
