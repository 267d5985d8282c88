"""Products and sums that are rounded once: only where another rounding is all that it is."""

import numpy as np
import pytest

import egc
from egc.backends.numba.contraction import is_continuous
from egc.options import Options
from egc.pipeline import make_plan


def orbit(x, y, c, n):
    for _ in range(n):
        x, y = x * c - y * 0.3, y * c + x * 0.3
    return x, y


def root_after(x, y, n):
    for _ in range(n):
        x, y = y, x
    return np.sqrt(x * x - y * y)


def root_inside(x, y, n):
    total = 0.0
    for _ in range(n):
        total = total + np.sqrt(x * x - y * y)
        x, y = y, x
    return total


def root_before(x, y, n):
    c = np.sqrt(y)
    for _ in range(n):
        x = x * c + y
    return x


def compared(x, y, n):
    for _ in range(n):
        x = x * y + 1.0 if x * y < 2.0 else x - y
    return x


def rounded(x, y, n):
    for _ in range(n):
        x = np.floor(x * y + 0.5)
    return x


def complex_square(x, y, n):
    z = x + 1j * y
    for _ in range(n):
        z = z * z + x
    return z


def whole_numbers(x, y, n):
    for k in range(n):
        x = x * y + k // 2
    return x


@pytest.mark.parametrize(
    "function, continuous",
    [
        (root_before, True), (whole_numbers, True), (root_after, False), (root_inside, False), (compared, False),
        (rounded, False), (complex_square, False),
    ],
)  # fmt: skip
def test_only_continuous_programs_are_contracted(function, continuous):
    given = 1.25, 0.75, 5
    assert (
        is_continuous(make_plan(function, given, {}, Options(backend="reference"), cached=False).program) is continuous
    )
    np.testing.assert_allclose(egc.optimize(function)(*given), function(*given), rtol=1e-13)


def test_a_difference_of_equal_squares_has_a_root():
    """Rounded once, x x - y y would be less than zero for many of these."""
    optimized = egc.optimize(root_inside)
    for x in np.random.default_rng(0).uniform(1, 2, 50):
        assert optimized(x, x, 3) == 0.0


def test_results_are_those_of_numpy_up_to_rounding_and_exact_where_that_is_asked_for():
    given = 0.3, -0.7, 0.9, 200
    expected = orbit(*given)
    np.testing.assert_allclose(egc.optimize(orbit)(*given), expected, rtol=1e-12)
    assert egc.optimize(orbit, precision="exact")(*given) == expected
