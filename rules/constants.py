"""Literals brought together, so that their arithmetic is done once."""

import numpy as np

from egc import Axes, Constant, nonnegative, nonzero, positive, require, rule


@rule
def constants_of_sum(x, c: Constant, d: Constant):
    """(x + c) + d = x + (c + d), for c + d != 0: otherwise it rounds x, to a multiple of what the numbers' last digits are"""
    require(nonzero(c + d))
    return (x + c) + d, x + (c + d)


@rule
def constants_of_sum_and_difference(x, c: Constant, d: Constant):
    """(x + c) - d = x + (c - d), for c != d"""
    require(nonzero(c - d))
    return (x + c) - d, x + (c - d)


@rule
def constants_of_difference_and_sum(x, c: Constant, d: Constant):
    """(c - x) + d = (c + d) - x, for c + d != 0"""
    require(nonzero(c + d))
    return (c - x) + d, (c + d) - x


@rule
def constants_of_double_difference(x, c: Constant, d: Constant):
    """c - (d - x) = (c - d) + x, for c != d"""
    require(nonzero(c - d))
    return c - (d - x), (c - d) + x


@rule
def constants_of_product(x, c: Constant, d: Constant):
    """c (d x) = (c d) x"""
    return c * (d * x), (c * d) * x


@rule
def constants_of_scaled_quotient(x, c: Constant, d: Constant):
    """(c x) / d = (c / d) x, for d != 0"""
    require(nonzero(d))
    return (c * x) / d, (c * d**-1.0) * x


@rule
def divide_by_constant(x, c: Constant):
    """x / c = x (1 / c), for c != 0"""
    require(nonzero(c))
    return x / c, x * c**-1.0


@rule
def collect_multiples(x, c: Constant, d: Constant):
    """c x + d x = (c + d) x"""
    return c * x + d * x, (c + d) * x


@rule
def collect_multiples_of_difference(x, c: Constant, d: Constant):
    """c x - d x = (c - d) x"""
    return c * x - d * x, (c - d) * x


@rule
def collect_single(x, c: Constant):
    """x + c x = (1 + c) x"""
    return x + c * x, (1 + c) * x


@rule
def negative_of_multiple(x, c: Constant):
    """-(c x) = (-c) x"""
    return -(c * x), (-c) * x


@rule
def power_of_power(x, c: Constant, d: Constant):
    """(x^c)^d = x^(c d), for x > 0"""
    require(positive(x))
    return (x**c) ** d, x ** (c * d)


@rule
def reciprocal_of_power(x, c: Constant):
    """1 / x^c = x^-c, for x > 0"""
    require(positive(x))
    return 1 / x**c, x**-c


@rule
def log_of_constant_power(x, c: Constant):
    """log(x^c) = c log x, for x >= 0 and c != 0"""
    require(nonnegative(x), nonzero(c))
    return np.log(x**c), c * np.log(x)


@rule
def exp_of_constant_multiple_of_log(x, c: Constant):
    """exp(c log x) = x^c, for x >= 0 and c != 0"""
    require(nonnegative(x), nonzero(c))
    return np.exp(c * np.log(x)), x**c


@rule
def constant_power_of_exp(x, c: Constant):
    """(exp x)^c = exp(c x), for c != 0"""
    require(nonzero(c))
    return np.exp(x) ** c, np.exp(c * x)


@rule
def sum_of_multiple(x, c: Constant, axes: Axes):
    """sum(c x) = c sum(x)"""
    return np.sum(c * x, axis=axes), c * np.sum(x, axis=axes)


@rule
def max_of_positive_multiple(x, c: Constant, axes: Axes):
    """max(c x) = c max(x), for c > 0"""
    require(positive(c))
    return np.max(c * x, axis=axes), c * np.max(x, axis=axes)


@rule
def max_of_shift(x, c: Constant, axes: Axes):
    """max(x + c) = max(x) + c"""
    return np.max(x + c, axis=axes), np.max(x, axis=axes) + c
