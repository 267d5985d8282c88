"""Polynomials: one multiplication for each degree, however they are written."""

import numpy as np
import pytest

import egc


def rising(x, a, b, c, d):
    return a + b * x - c * x**2 + d * x**3 - 0.5 * x**4


def falling(x, a, b, c, d):
    return 0.5 * x**4 - d * x**3 - c * x**2 + b * x - a


def with_a_common_factor(x, a, b, c, d):
    return a * x**2 - b * x**3 + c * x**4 + d * x**5


@pytest.mark.parametrize("polynomial, most", [(rising, 4), (falling, 4), (with_a_common_factor, 5)])
def test_a_polynomial_takes_a_multiplication_for_each_degree(polynomial, most):
    x, coefficients = np.linspace(-2, 2, 33), (0.3, -1.2, 0.7, 2.5)
    optimized = egc.optimize(polynomial, backend="numba")
    np.testing.assert_allclose(optimized(x, *coefficients), polynomial(x, *coefficients), rtol=1e-12, atol=1e-13)
    (kernel,) = (line for line in optimized.explain(x, *coefficients).kernels if line.startswith("loop"))
    assert kernel.count("multiply") <= most and "power" not in kernel
