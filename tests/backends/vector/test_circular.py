"""Circular functions and their inverses: within 2 ulp in float64 and 1 in float32, NumPy's values at special arguments."""

import math

import numpy as np
import pytest

from .units import DTYPES, assert_special, assert_within, every_magnitude, mpmath, signed

RNG = np.random.default_rng(3)
LIMITS = {"float64": 2.0, "float32": 1.0}
CIRCULAR = {"sin": "sin", "cos": "cos", "tan": "tan"}
INVERSE = {"arcsin": "asin", "arccos": "acos", "arctan": "atan"}
QUARTERS = np.arange(1, 1200) * (math.pi / 4)
HARDEST = np.array(
    [6381956970095103.0 * 2.0**797, 5.319372648326541e255, 1.0e6, 1e6 + 0.5, 2.0**1023, 1.7976931348623157e308]
)
"""The first is the float64 nearest to a multiple of pi/2 (Muller et al., Handbook of Floating-Point Arithmetic, 10.3)."""
SPECIAL = np.array(
    [
        0.0,
        -0.0,
        math.inf,
        -math.inf,
        math.nan,
        5e-324,
        -5e-324,
        1e-310,
        1e-40,
        -1e-20,
        0.5,
        -0.5,
        1.0,
        -1.0,
        1.5,
        2.0,
        -3.0,
    ]
)


def turns(dtype):
    moderate = [RNG.uniform(-1, 1, 500), RNG.uniform(-20, 20, 1500), RNG.uniform(-1.1e6, 1.1e6, 500)]
    return np.concatenate([*moderate, QUARTERS, np.nextafter(QUARTERS, 0), -np.nextafter(QUARTERS, 9e9)]).astype(dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", CIRCULAR)
def test_circular_functions_of_moderate_arguments(name, dtype):
    assert_within(LIMITS[dtype], getattr(mpmath, CIRCULAR[name]), name, turns(dtype))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", CIRCULAR)
def test_circular_functions_of_every_magnitude(name, dtype):
    points = every_magnitude(RNG, dtype, 1500)
    if dtype == "float64":
        points = np.concatenate([points, signed(HARDEST)])
    assert_within(LIMITS[dtype], getattr(mpmath, CIRCULAR[name]), name, points, precision=1300)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", INVERSE)
def test_inverse_functions(name, dtype):
    near_one = 1 - np.exp2(RNG.uniform(-23, -1, 700))
    points = [RNG.uniform(-1, 1, 1500), signed(near_one), signed(RNG.uniform(0.45, 0.55, 500))]
    if name == "arctan":
        points = [RNG.uniform(-20, 20, 1500), signed(RNG.uniform(0.9, 1.1, 500))]
    greatest = None if name == "arctan" else -1
    points = np.concatenate([point.astype(dtype) for point in points] + [every_magnitude(RNG, dtype, 700, greatest)])
    assert_within(LIMITS[dtype], getattr(mpmath, INVERSE[name]), name, points, precision=300)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("name", "exact"), [("arctan2", "atan2"), ("hypot", "hypot")])
def test_functions_of_two_sides(name, exact, dtype):
    near = RNG.normal(size=(2, 1500)).astype(dtype)
    scale = (
        np.exp2(np.floor(RNG.uniform(-140, 120, 500))) if dtype == "float32" else np.exp2(RNG.uniform(-1060, 1020, 500))
    )
    close = scale * signed(RNG.uniform(0.5, 2, (2, 500)).ravel()).reshape(2, 500)
    apart = [every_magnitude(RNG, dtype, 800)[RNG.permutation(800)] for _ in range(2)]
    y, x = (np.concatenate([a, b.astype(dtype), c]) for a, b, c in zip(near, close, apart))
    assert_within(LIMITS[dtype], getattr(mpmath, exact), name, y, x, precision=200)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", [*CIRCULAR, *INVERSE])
def test_special_arguments(name, dtype):
    assert_special(name, getattr(np, name), SPECIAL.astype(dtype))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ["arctan2", "hypot"])
def test_special_pairs(name, dtype):
    ends = np.array([1e308, -1e308, 1e-308], np.float64) if dtype == "float64" else np.array([3e38, -3e38, 1e-38])
    y, x = np.meshgrid(*[np.concatenate([SPECIAL, ends]).astype(dtype)] * 2)
    assert_special(name, getattr(np, name), y.ravel().copy(), x.ravel().copy())
