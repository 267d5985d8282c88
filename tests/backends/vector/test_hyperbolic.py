"""sinh, cosh, tanh and their inverses within 2 ulp of the exact value, with NumPy's special values."""

import numpy as np
import pytest

from egc.backends.numba.vector import hyperbolic, lanes

from .measure import DTYPES, RNG, TABLES, assert_special, assert_vectorized, assert_within, mpmath, special, wide

SMALL = [RNG.uniform(-3, 3, 700), RNG.uniform(-0.6, 0.6, 500), RNG.normal(size=300) * 1e-5]
INSIDE = [RNG.uniform(-1, 1, 700), RNG.uniform(-0.4, 0.4, 500), 1 - np.exp(RNG.uniform(-15, -1, 400))]
POINTS = {
    "sinh": lambda ends: [RNG.uniform(-710, 710, 500) * ends, *SMALL],
    "cosh": lambda ends: [RNG.uniform(-710, 710, 500) * ends, *SMALL],
    "tanh": lambda ends: [RNG.uniform(-23, 23, 500), *SMALL],
    "arcsinh": lambda ends: SMALL,
    "arccosh": lambda ends: [1 + np.exp(RNG.uniform(-15, 3, 800)), RNG.uniform(1, 3, 700)],
    "arctanh": lambda ends: INSIDE,
}
EXACT = {
    "sinh": mpmath.sinh,
    "cosh": mpmath.cosh,
    "tanh": mpmath.tanh,
    "arcsinh": mpmath.asinh,
    "arccosh": mpmath.acosh,
    "arctanh": mpmath.atanh,
}


def points(name, dtype):
    found = POINTS[name](1.0 if dtype == "float64" else 0.125)
    if name == "arcsinh":
        found = [*found, wide(300, dtype), -wide(300, dtype)]
    found = np.concatenate(found).astype(dtype)
    return found[np.abs(found) < 1] if name == "arctanh" else found


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", POINTS)
def test_error_is_below_2_ulp(name, dtype):
    assert_within(2.0, TABLES[dtype][name], EXACT[name], points(name, dtype))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", POINTS)
def test_special_values(name, dtype):
    assert_special(TABLES[dtype][name], getattr(np, name), special(dtype))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", POINTS)
def test_loops_are_vectorized(name, dtype):
    assert_vectorized(TABLES[dtype][name], 1, dtype)


@pytest.mark.parametrize("dtype", DTYPES)
def test_error_is_below_2_ulp_without_fused_products(dtype, monkeypatch):
    monkeypatch.setattr(lanes, "fuses", lambda context: False)
    assert_within(2.0, lanes.compiled(hyperbolic.arctanh), EXACT["arctanh"], points("arctanh", dtype))
