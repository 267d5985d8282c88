"""The logistic family within 2 ulp of the exact value, with SciPy's special values."""

import numpy as np
import pytest
from scipy import special as scipy_special

from .measure import (
    DTYPES,
    RNG,
    TABLES,
    assert_special,
    assert_vectorized,
    assert_within,
    mpmath,
    pairs,
    special,
    wide,
)


def softplus(x):
    return mpmath.log1p(mpmath.exp(x))


EXACT = {
    "expit": lambda x: 1 / (1 + mpmath.exp(-x)),
    "log_expit": lambda x: -softplus(-x),
    "logit": lambda p: mpmath.log(p / (1 - p)),
    "entr": lambda x: -x * mpmath.log(x),
    "xlogy": lambda x, y: x * mpmath.log(y),
    "xlog1py": lambda x, y: x * mpmath.log1p(y),
    "rel_entr": lambda x, y: x * mpmath.log(x / y),
}
SUMS = {
    "logaddexp": lambda x, y: max(x, y) + softplus(-abs(x - y)),
    "logaddexp2": lambda x, y: max(x, y) + softplus(-abs(x - y) * mpmath.log(2)) / mpmath.log(2),
}
LINE = [RNG.uniform(-80, 80, 500), RNG.uniform(-6, 6, 900)]
UNIT = [RNG.uniform(0, 1, 500), RNG.uniform(0.25, 0.75, 500), np.exp(RNG.uniform(-80, 0, 300))]
POSITIVE = [RNG.uniform(0, 3, 800), np.exp(RNG.uniform(-80, 80, 400))]
POINTS = {"expit": LINE, "log_expit": LINE, "logit": UNIT, "entr": POSITIVE}
BINARY = ["xlogy", "xlog1py", "rel_entr"]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", POINTS)
def test_error_is_below_2_ulp(name, dtype):
    points = np.concatenate(POINTS[name]).astype(dtype)
    points = points[points != 1] if name == "logit" else points
    assert_within(2.0, TABLES[dtype][name], EXACT[name], points)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", BINARY)
def test_error_of_two_operands_is_below_2_ulp(name, dtype):
    y = np.concatenate(POSITIVE).astype(dtype)
    x = RNG.uniform(0, 4, y.size).astype(dtype)
    assert_within(2.0, TABLES[dtype][name], EXACT[name], x, y)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", SUMS)
def test_error_of_log_sums_is_below_2_ulp_of_the_larger_operand(name, dtype):
    x = np.concatenate([np.zeros(500), RNG.normal(size=500) * 5, RNG.uniform(-700, 700, 500), wide(100, dtype)])
    y = np.concatenate([RNG.normal(size=500) * 9, RNG.normal(size=500), x[1000:] + RNG.normal(size=600) * 9])
    assert_within(2.0, TABLES[dtype][name], SUMS[name], x.astype(dtype), y.astype(dtype), larger=True)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", POINTS)
def test_special_values(name, dtype):
    reference = getattr(scipy_special, name)
    values = special(dtype)
    if name == "expit":
        values = values[~(values < -700)] if dtype == "float64" else values[~(values < -87)]
    assert_special(TABLES[dtype][name], reference, values)


@pytest.mark.parametrize("dtype", DTYPES)
def test_expit_is_exp_far_below_zero(dtype):
    low = np.linspace(-750, -650, 500) if dtype == "float64" else np.linspace(-104, -80, 500)
    assert_within(2.0, TABLES[dtype]["expit"], EXACT["expit"], low.astype(dtype))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", [*BINARY, "kl_div"])
def test_special_values_of_two_operands(name, dtype):
    x, y = pairs(np.array([0.0, -0.0, 1.0, np.inf, -np.inf, np.nan, 2.5, 1e30, 1e-30, -1.0], dtype))
    assert_special(TABLES[dtype][name], getattr(scipy_special, name), x, y)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", SUMS)
def test_special_values_of_log_sums(name, dtype):
    x, y = pairs(np.array([0.0, -0.0, 1.0, np.inf, -np.inf, np.nan, 2.5, 1e30, -1e30, 1e-30, 300.0], dtype))
    assert_special(TABLES[dtype][name], getattr(np, name), x, y)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", [*POINTS, *BINARY, *SUMS, "kl_div"])
def test_loops_are_vectorized(name, dtype):
    assert_vectorized(TABLES[dtype][name], 1 if name in POINTS else 2, dtype)
