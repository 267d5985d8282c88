"""Powers, roots and absolute values."""

import numpy as np

from egc import equation, nonnegative, nonpositive, positive, require, rule


@rule
def square(x):
    """x^2 = x x"""
    return np.power(x, 2.0), x * x


@rule
def cube(x):
    """x^3 = (x x) x"""
    return x**3, x * x * x


@rule
def fourth_power(x):
    """x^4 = (x x) (x x)"""
    return x**4, (x * x) * (x * x)


@rule
def fifth_power(x):
    """x^5 = (x x) (x x) x"""
    return x**5, (x * x) * (x * x) * x


@rule
def fourth_power_after_cube(x):
    """x^4 = x^3 x, for polynomials"""
    return x**4, x**3 * x


@rule
def sixth_power_after_fifth(x):
    """x^6 = x^5 x, for polynomials"""
    return x**6, x**5 * x


@rule
def sixth_power(x):
    """x^6 = (x x x) (x x x)"""
    return x**6, (x * x * x) * (x * x * x)


@rule(precision="exact")
def zeroth_power(x):
    """x^0 = 1, for nan too"""
    return x**0, np.ones_like(x)


@rule
def power_minus_two(x):
    """x^-2 = 1 / (x x)"""
    return x**-2.0, 1 / (x * x)


@rule
def power_one_half(x):
    """x^(1/2) = sqrt x, for x >= 0: power takes minus infinity to infinity"""
    require(nonnegative(x))
    return np.power(x, 0.5), np.sqrt(x)


@rule
def power_minus_one_half(x):
    """x^(-1/2) = 1 / sqrt x, for x >= 0"""
    require(positive(x))
    return x**-0.5, 1 / np.sqrt(x)


@rule
def power_three_halves(x):
    """x^(3/2) = x sqrt x, for x >= 0"""
    require(nonnegative(x))
    return x**1.5, x * np.sqrt(x)


@rule
def power_minus_three_halves(x):
    """x^(-3/2) = 1 / (x sqrt x), for x >= 0"""
    require(positive(x))
    return x**-1.5, 1 / (x * np.sqrt(x))


@rule(precision="finite")
def product_of_powers(x, a, b):
    """x^a x^b = x^(a + b), for x > 0"""
    require(positive(x))
    return np.power(x, a) * np.power(x, b), np.power(x, a + b)


@rule
def square_of_root(x):
    """(sqrt x)^2 = x, for x >= 0"""
    require(nonnegative(x))
    return np.sqrt(x) * np.sqrt(x), x


@rule
def root_of_square(x):
    """sqrt(x^2) = |x|"""
    return np.sqrt(x * x), np.abs(x)


@rule
def product_of_roots(x, y):
    """sqrt x sqrt y = sqrt(x y), for x, y >= 0"""
    require(nonnegative(x), nonnegative(y))
    return np.sqrt(x) * np.sqrt(y), np.sqrt(x * y)


@rule
def quotient_of_roots(x, y):
    """sqrt x / sqrt y = sqrt(x / y), for x >= 0 and y > 0"""
    require(nonnegative(x), positive(y))
    return np.sqrt(x) / np.sqrt(y), np.sqrt(x / y)


@rule(precision="finite")
def over_own_root(x):
    """x / sqrt x = sqrt x, for x > 0; nan for x infinite"""
    require(positive(x))
    return x / np.sqrt(x), np.sqrt(x)


@rule
def difference_of_neighbouring_roots(x):
    """sqrt(x + 1) - sqrt x = 1 / (sqrt(x + 1) + sqrt x), which does not cancel"""
    return np.sqrt(x + 1) - np.sqrt(x), 1 / (np.sqrt(x + 1) + np.sqrt(x))


@rule(precision="finite")
def difference_of_roots(x, y):
    """sqrt(x + y) - sqrt x = y / (sqrt(x + y) + sqrt x), for x > 0, which does not cancel; nan for y infinite"""
    require(positive(x))
    return np.sqrt(x + y) - np.sqrt(x), y / (np.sqrt(x + y) + np.sqrt(x))


@rule(precision="finite")
def root_minus_one(x):
    """sqrt(1 + x) - 1 = x / (sqrt(1 + x) + 1), which does not cancel near 0; nan for x infinite"""
    return np.sqrt(1 + x) - 1, x / (np.sqrt(1 + x) + 1)


@rule(precision="exact")
def absolute_of_absolute(x):
    """||x|| = |x|"""
    return np.abs(np.abs(x)), np.abs(x)


@rule(precision="exact")
def absolute_of_negative(x):
    """|-x| = |x|"""
    return np.abs(-x), np.abs(x)


@equation(precision="exact")
def absolute_of_product(x, y):
    """|x y| = |x| |y|"""
    return np.abs(x * y), np.abs(x) * np.abs(y)


@equation(precision="exact")
def absolute_of_quotient(x, y):
    """|x / y| = |x| / |y|"""
    return np.abs(x / y), np.abs(x) / np.abs(y)


@rule(precision="exact")
def square_of_absolute(x):
    """|x| |x| = x x"""
    return np.abs(x) * np.abs(x), x * x


@rule
def absolute_of_nonnegative(x):
    """|x| = x, for x >= 0"""
    require(nonnegative(x))
    return np.abs(x), x


@rule
def absolute_of_nonpositive(x):
    """|x| = -x, for x <= 0"""
    require(nonpositive(x))
    return np.abs(x), -x


@rule
def sign_times_absolute(x):
    """sign(x) |x| = x"""
    return np.sign(x) * np.abs(x), x


@rule
def times_sign(x):
    """x sign(x) = |x|"""
    return x * np.sign(x), np.abs(x)
