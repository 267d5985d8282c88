"""erf within 2 ulp, erfc and the normal distribution within 4, all within 1 in float32; SciPy's values at special arguments."""

import math

import numpy as np
import pytest
from scipy import special

from .units import DTYPES, assert_special, assert_within, every_magnitude, mpmath

RNG = np.random.default_rng(4)
LIMITS = {"erf": 2.0, "erfc": 4.0, "ndtr": 4.0}
SPECIAL = np.array(
    [0.0, -0.0, math.inf, -math.inf, math.nan, 5e-324, -1e-310, 1e-40, 1.0, -1.0, 28.0, 40.0, -40.0, 1e30, -1e30]
)


def exact(name):
    return (lambda x: mpmath.erfc(-x / mpmath.sqrt(2)) / 2) if name == "ndtr" else getattr(mpmath, name)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", LIMITS)
def test_error_in_units_of_the_last_place(name, dtype):
    points = [RNG.uniform(-1.2, 1.2, 1200), RNG.uniform(-6.5, 6.5, 1200), RNG.uniform(-39, 39, 1200)]
    points = np.concatenate([np.concatenate(points).astype(dtype), every_magnitude(RNG, dtype, 600, greatest=5)])
    assert_within(LIMITS[name] if dtype == "float64" else 1.0, exact(name), name, points, precision=220)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", LIMITS)
def test_special_arguments(name, dtype):
    assert_special(name, getattr(special, name), SPECIAL.astype(dtype))
