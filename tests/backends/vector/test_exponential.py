"""Vector mathematics: exp, log and log1p within 1 or 2 ulp of the exact value, and C's results at special values."""

import math

import numpy as np
import pytest
from numba import njit

from egc.backends.numba import vector

mpmath = pytest.importorskip("mpmath")

RNG = np.random.default_rng(0)
TINY = 5e-324
MAGNITUDES = np.ldexp(RNG.uniform(1, 2, 1500), RNG.integers(-1074, 1024, 1500))
POINTS = {
    "exp": [RNG.uniform(-745.2, 709.79, 1500), RNG.uniform(-1, 1, 1000), RNG.normal(size=500) * 1e-9],
    "log": [MAGNITUDES, RNG.uniform(0.5, 2, 1500), 1 + RNG.normal(size=500) * 1e-6, RNG.integers(1, 2**52, 500) * TINY],
    "log1p": [
        MAGNITUDES,
        RNG.uniform(-0.999, 3, 1500),
        RNG.normal(size=500) * 1e-9,
        np.exp(RNG.uniform(-36, 0, 500)) - 1,
    ],
}
LIMITS = {"exp": 1.0, "log": 1.0, "log1p": 2.0}
SPECIAL = np.array(
    [0.0, -0.0, 1.0, -1.0, math.inf, -math.inf, math.nan, 1e308, -1e308, TINY, -TINY, 2.2250738585072014e-308]
    + [709.782712893384, 709.7827128933841, -745.1332191019411, -745.1332191019412, -746.5, 711.0, 1e-20, -1e-20]
)


def over(name, values):
    scalar = getattr(vector, name)

    @njit(error_model="numpy")
    def loop(x, result):
        for i in range(x.size):
            result[i] = scalar(x[i])

    result = np.empty_like(values)
    loop(values, result)
    return result


@pytest.mark.parametrize("name", POINTS)
def test_error_in_units_of_the_last_place(name):
    points = np.concatenate(POINTS[name])
    with mpmath.workprec(120):
        for x, got in zip(points.tolist(), over(name, points).tolist()):
            exact = getattr(mpmath, name)(mpmath.mpf(x))
            error = abs(mpmath.mpf(got) - exact) / mpmath.mpf(float(np.spacing(abs(float(exact)))))
            assert error <= LIMITS[name], (x, got)


@pytest.mark.parametrize("name", POINTS)
def test_special_values(name):
    with np.errstate(all="ignore"):
        want = getattr(np, name)(SPECIAL)
    got = over(name, SPECIAL)
    np.testing.assert_allclose(got, want, rtol=4e-16, atol=0)
    assert np.array_equal(np.signbit(got), np.signbit(want) & ~np.isnan(want) | np.signbit(got) & np.isnan(want))
