"""power and cbrt within 2 ulp of the exact value, with C's special values."""

import numpy as np
import pytest
from numba import njit

from egc.backends.numba.functions import NAMES
from egc.backends.numba.scalars import POWERS
from egc.backends.numba.vector import lanes, power

from .measure import DTYPES, RNG, TABLES, assert_special, assert_vectorized, assert_within, mpmath, pairs, special, wide


def operands(dtype):
    """Bases of all magnitudes and near 1, with exponents that keep the result inside the range, and others."""
    high = 1020 if dtype == "float64" else 126
    base = np.concatenate([wide(500, dtype), 1 + RNG.normal(size=400) * 1e-4, RNG.uniform(0, 10, 600)]).astype(dtype)
    exponent = RNG.uniform(-1.05 * high, high, base.size) / np.log2(base.astype(float))
    exponent[::3] = RNG.uniform(-9, 9, exponent[::3].size)
    return base, exponent.astype(dtype)


def cube_root(x):
    return mpmath.sign(x) * mpmath.cbrt(abs(x))


def signed(dtype):
    return np.concatenate([wide(500, dtype), -wide(500, dtype), RNG.uniform(-10, 10, 500)]).astype(dtype)


@pytest.mark.parametrize("dtype", DTYPES)
def test_error_is_below_2_ulp(dtype):
    assert_within(2.0, TABLES[dtype]["power"], mpmath.power, *operands(dtype))
    assert_within(2.0, TABLES[dtype]["cbrt"], cube_root, signed(dtype))


def test_error_is_below_2_ulp_without_fused_products(monkeypatch):
    monkeypatch.setattr(lanes, "fuses", lambda context: False)
    assert_within(2.0, lanes.compiled(power.power), mpmath.power, *operands("float64"))
    assert_within(2.0, lanes.compiled(power.cbrt), cube_root, signed("float64"))


@pytest.mark.parametrize("dtype", DTYPES)
def test_negative_bases_have_integer_powers(dtype):
    base = -RNG.uniform(0.5, 4, 600).astype(dtype)
    exponent = RNG.integers(-40, 40, 600).astype(dtype)
    assert_within(2.0, TABLES[dtype]["power"], mpmath.power, base, exponent)


@pytest.mark.parametrize("dtype", DTYPES)
def test_special_values(dtype):
    assert_special(TABLES[dtype]["power"], np.power, *pairs(special(dtype)))
    assert_special(TABLES[dtype]["cbrt"], np.cbrt, special(dtype))


@pytest.mark.parametrize("dtype", DTYPES)
def test_loops_are_vectorized(dtype):
    assert_vectorized(TABLES[dtype]["power"], 2, dtype)
    assert_vectorized(TABLES[dtype]["cbrt"], 1, dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("exponent", POWERS)
def test_short_forms_of_constant_exponents_are_powers(exponent, dtype):
    text = POWERS[exponent].format("x", T=dtype)
    scalar = njit(error_model="numpy")(eval(f"lambda x: {text}", dict(NAMES)))
    points = np.concatenate([wide(800, dtype), RNG.uniform(0, 10, 200)]).astype(dtype)
    assert_within(2.0, scalar, lambda x: mpmath.power(x, mpmath.mpf(exponent)), points)
    assert_special(scalar, lambda x: np.power(x, x.dtype.type(exponent)), special(dtype))
