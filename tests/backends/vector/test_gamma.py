"""gammaln and digamma: within 4 ulp for positive arguments, next to their zeros too, and of the terms that are reflected."""

import math

import numpy as np
import pytest
from scipy import special

from .units import DTYPES, assert_special, assert_within, every_magnitude, mpmath, over

RNG = np.random.default_rng(5)
LIMITS = {"float64": 4.0, "float32": 1.0}
ZEROS = {"gammaln": (1.0, 2.0), "digamma": (1.4616321449683622,)}
EXACT = {"gammaln": lambda x: mpmath.log(abs(mpmath.gamma(x))), "digamma": lambda x: mpmath.digamma(x)}
SPECIAL = np.array([0.0, -0.0, math.inf, -math.inf, math.nan, 1.0, 2.0, 3.0, -1.0, -2.0, -30.0, -0.5, -1e17, 1e30])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ZEROS)
def test_positive_arguments(name, dtype):
    points = [RNG.uniform(0, 1, 800), RNG.uniform(0.5, 6, 1500), RNG.uniform(5, 60, 800)]
    points = np.concatenate([np.concatenate(points).astype(dtype), abs(every_magnitude(RNG, dtype, 800))])
    exact = mpmath.loggamma if name == "gammaln" else EXACT[name]
    assert_within(LIMITS[dtype], exact, name, points, precision=200)


@pytest.mark.parametrize("name", ZEROS)
def test_arguments_next_to_a_positive_zero(name):
    for zero in ZEROS[name]:
        points = zero + RNG.choice([-1, 1], 800) * np.exp2(RNG.uniform(-52, -2, 800))
        points = points[points != zero] if name == "gammaln" else points
        assert_within(4.0, EXACT[name], name, points, precision=200)


@pytest.mark.parametrize("name", ZEROS)
def test_negative_arguments_are_as_exact_as_the_terms_of_the_reflection(name):
    points = -np.concatenate([RNG.uniform(0, 25, 1200), RNG.uniform(0, 160, 300), np.exp2(RNG.uniform(-1000, 0, 300))])
    points = points[points != np.rint(points)]
    values = over(name, points)
    with mpmath.workprec(200):
        for x, value in zip(points.tolist(), values.tolist()):
            if name == "gammaln":
                term = mpmath.loggamma(1 - x)
            else:
                term = mpmath.digamma(1 - x)
            truth = EXACT[name](mpmath.mpf(x))
            size = max(abs(truth), abs(term), abs(truth - term), 1)
            assert abs(value - truth) <= 8 * mpmath.ldexp(size, -53), (x, value)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ZEROS)
def test_special_arguments(name, dtype):
    assert_special(name, {"gammaln": special.gammaln, "digamma": special.digamma}[name], SPECIAL.astype(dtype))
