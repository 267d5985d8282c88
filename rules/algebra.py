"""Addition, multiplication and division of arrays of one shape."""

import numpy as np

from egc import rule


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
def nested_pair(a, b, x, y):
    """a y + b (x y) = y (a + b x)"""
    return a * y + b * (x * y), y * (a + b * x)


@rule
def nested_pair_of_difference(a, b, x, y):
    """a y - b (x y) = y (a - b x)"""
    return a * y - b * (x * y), y * (a - b * x)


@rule
def nested_pair_with_later_difference(a, b, x, y):
    """b (x y) - a y = y (b x - a)"""
    return b * (x * y) - a * y, y * (b * x - a)


@rule
def nested_sum(s, a, b, x, y):
    """(s + a y) + b (x y) = s + y (a + b x): a step of Horner's scheme"""
    return (s + a * y) + b * (x * y), s + y * (a + b * x)


@rule
def nested_sum_of_difference(s, a, b, x, y):
    """(s - a y) + b (x y) = s - y (a - b x)"""
    return (s - a * y) + b * (x * y), s - y * (a - b * x)


@rule
def nested_difference(s, a, b, x, y):
    """(s + a y) - b (x y) = s + y (a - b x)"""
    return (s + a * y) - b * (x * y), s + y * (a - b * x)


@rule
def nested_difference_of_difference(s, a, b, x, y):
    """(s - a y) - b (x y) = s - y (a + b x)"""
    return (s - a * y) - b * (x * y), s - y * (a + b * x)


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
