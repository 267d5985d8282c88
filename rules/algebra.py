"""Addition, multiplication, division, powers, roots and absolute values of arrays of one shape."""

import numpy as np

from egc import equation, nonnegative, nonpositive, positive, require, rule


@rule(precision="exact", dtypes="number")
def add_commutes(x, y):
    """x + y = y + x"""
    return x + y, y + x


@rule(precision="exact", dtypes="integer")
def integer_multiply_commutes(x, y):
    """x y = y x"""
    return x * y, y * x


@rule(precision="exact")
def multiply_commutes(x, y):
    """x y = y x"""
    return x * y, y * x


@rule(precision="exact", dtypes="number")
def double_negative(x):
    """-(-x) = x"""
    return np.negative(-x), x


@rule(precision="exact", dtypes="number")
def add_negative(x, y):
    """x + (-y) = x - y"""
    return x + (-y), x - y


@rule(precision="exact", dtypes="number")
def subtract_negative(x, y):
    """x - (-y) = x + y"""
    return x - (-y), x + y


@rule(dtypes="number")
def negative_of_difference(x, y):
    """-(x - y) = y - x"""
    return -(x - y), y - x


@rule(dtypes="number")
def negative_of_sum(x, y):
    """-x - y = -(x + y)"""
    return -x - y, -(x + y)


@rule(precision="exact")
def negative_times(x, y):
    """(-x) y = -(x y)"""
    return (-x) * y, -(x * y)


@rule(precision="exact")
def negative_over(x, y):
    """(-x) / y = -(x / y)"""
    return (-x) / y, -(x / y)


@rule(precision="exact")
def over_negative(x, y):
    """x / (-y) = -(x / y)"""
    return x / (-y), -(x / y)


@rule
def add_zero(x):
    """x + 0 = x; not exact, for -0 + 0 is +0"""
    return x + 0, x


@rule(precision="exact")
def subtract_zero(x):
    """x - 0 = x"""
    return x - 0, x


@rule
def subtract_from_zero(x):
    """0 - x = -x; not exact, for 0 - 0 is +0"""
    return 0 - x, -x


@rule(precision="exact")
def times_one(x):
    """x 1 = x"""
    return x * 1, x


@rule(precision="exact")
def over_one(x):
    """x / 1 = x"""
    return x / 1, x


@rule(precision="exact")
def times_minus_one(x):
    """x (-1) = -x"""
    return x * -1, -x


@rule(precision="finite")
def times_zero(x):
    """x 0 = 0; nan for x infinite or nan"""
    return x * 0, np.zeros_like(x)


@rule(precision="exact", dtypes="integer")
def integer_times_zero(x):
    """x 0 = 0"""
    return x * 0, np.zeros_like(x)


@rule(precision="finite")
def subtract_self(x):
    """x - x = 0; nan for x infinite or nan"""
    return x - x, np.zeros_like(x)


@rule(precision="exact", dtypes="integer")
def integer_subtract_self(x):
    """x - x = 0"""
    return x - x, np.zeros_like(x)


@rule(precision="finite")
def over_self(x):
    """x / x = 1; nan for x zero, infinite or nan"""
    return x / x, np.ones_like(x)


@rule(precision="exact")
def double(x):
    """x + x = 2 x"""
    return x + x, 2 * x


@rule(precision="finite")
def add_then_subtract(x, y):
    """(x + y) - y = x; nan for y infinite"""
    return (x + y) - y, x


@rule(precision="finite")
def multiply_then_divide(x, y):
    """(x y) / y = x; nan for y zero"""
    return (x * y) / y, x


@rule(precision="finite")
def divide_then_multiply(x, y):
    """(x / y) y = x; nan for y zero"""
    return (x / y) * y, x


@rule(dtypes="number")
def factor_of_sum(x, y, z):
    """x y + x z = x (y + z)"""
    return x * y + x * z, x * (y + z)


@rule(dtypes="number")
def factor_of_difference(x, y, z):
    """x y - x z = x (y - z)"""
    return x * y - x * z, x * (y - z)


@rule(dtypes="number")
def factor_with_itself(x, y):
    """x y + x = x (y + 1)"""
    return x * y + x, x * (y + 1)


@rule
def sum_over_common_denominator(x, y, z):
    """x / z + y / z = (x + y) / z"""
    return x / z + y / z, (x + y) / z


@rule
def difference_over_common_denominator(x, y, z):
    """x / z - y / z = (x - y) / z"""
    return x / z - y / z, (x - y) / z


@rule
def quotient_over(x, y, z):
    """(x / y) / z = x / (y z)"""
    return (x / y) / z, x / (y * z)


@rule
def over_quotient(x, y, z):
    """x / (y / z) = x z / y"""
    return x / (y / z), x * z / y


@rule
def times_reciprocal(x, y):
    """x (1 / y) = x / y"""
    return x * (1 / y), x / y


@rule
def reciprocal_of_reciprocal(x):
    """1 / (1 / x) = x"""
    return 1 / (1 / x), x


@rule
def difference_of_squares(x, y):
    """x^2 - y^2 = (x - y) (x + y), which does not cancel; never the other way"""
    return x * x - y * y, (x - y) * (x + y)


@rule
def one_minus_square(x):
    """1 - x^2 = (1 - x) (1 + x), which does not cancel near 1"""
    return 1 - x * x, (1 - x) * (1 + x)


@rule
def difference_of_neighbouring_reciprocals(x):
    """1/x - 1/(x + 1) = 1 / (x (x + 1)), which does not cancel"""
    return 1 / x - 1 / (x + 1), 1 / (x * (x + 1))


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


@rule(precision="exact")
def zeroth_power(x):
    """x^0 = 1, for nan too"""
    return x**0, np.ones_like(x)


@rule
def power_minus_two(x):
    """x^-2 = 1 / (x x)"""
    return x**-2.0, 1 / (x * x)


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
