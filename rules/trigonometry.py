"""Circular and hyperbolic functions."""

import numpy as np

from egc import at_least_one, at_most_one, require, rule


@rule(precision="finite")
def pythagorean_identity(x):
    """sin^2 x + cos^2 x = 1; nan for x infinite or nan"""
    return np.sin(x) * np.sin(x) + np.cos(x) * np.cos(x), np.ones_like(x)


@rule
def one_minus_sin_squared(x):
    """1 - sin^2 x = cos^2 x, which does not cancel"""
    return 1 - np.sin(x) * np.sin(x), np.cos(x) * np.cos(x)


@rule
def one_minus_cos_squared(x):
    """1 - cos^2 x = sin^2 x, which does not cancel near 0"""
    return 1 - np.cos(x) * np.cos(x), np.sin(x) * np.sin(x)


@rule
def one_minus_cos(x):
    """1 - cos x = 2 sin^2(x / 2), which does not cancel near 0"""
    half = np.sin(0.5 * x)
    return 1 - np.cos(x), 2 * (half * half)


@rule
def cos_minus_one(x):
    """cos x - 1 = -2 sin^2(x / 2), which does not cancel near 0"""
    half = np.sin(0.5 * x)
    return np.cos(x) - 1, -2 * (half * half)


@rule(precision="exact")
def sin_is_odd(x):
    """sin(-x) = -sin x"""
    return np.sin(-x), -np.sin(x)


@rule(precision="exact")
def cos_is_even(x):
    """cos(-x) = cos x"""
    return np.cos(-x), np.cos(x)


@rule(precision="exact")
def tan_is_odd(x):
    """tan(-x) = -tan x"""
    return np.tan(-x), -np.tan(x)


@rule(precision="exact")
def arctan_is_odd(x):
    """arctan(-x) = -arctan x"""
    return np.arctan(-x), -np.arctan(x)


@rule(precision="exact")
def cos_of_absolute(x):
    """cos |x| = cos x"""
    return np.cos(np.abs(x)), np.cos(x)


@rule
def tan_as_quotient(x):
    """sin x / cos x = tan x"""
    return np.sin(x) / np.cos(x), np.tan(x)


@rule
def product_of_sin_and_cos(x):
    """sin x cos x = sin(2 x) / 2"""
    return np.sin(x) * np.cos(x), 0.5 * np.sin(2 * x)


@rule
def cos_of_double_angle(x):
    """cos^2 x - sin^2 x = cos 2x"""
    return np.cos(x) * np.cos(x) - np.sin(x) * np.sin(x), np.cos(2 * x)


@rule
def sin_of_sum(x, y):
    """sin x cos y + cos x sin y = sin(x + y)"""
    return np.sin(x) * np.cos(y) + np.cos(x) * np.sin(y), np.sin(x + y)


@rule
def sin_of_difference(x, y):
    """sin x cos y - cos x sin y = sin(x - y)"""
    return np.sin(x) * np.cos(y) - np.cos(x) * np.sin(y), np.sin(x - y)


@rule
def cos_of_sum(x, y):
    """cos x cos y - sin x sin y = cos(x + y)"""
    return np.cos(x) * np.cos(y) - np.sin(x) * np.sin(y), np.cos(x + y)


@rule
def cos_of_difference(x, y):
    """cos x cos y + sin x sin y = cos(x - y)"""
    return np.cos(x) * np.cos(y) + np.sin(x) * np.sin(y), np.cos(x - y)


@rule(precision="finite")
def tan_of_arctan(x):
    """tan(arctan x) = x; the left is finite for x infinite"""
    return np.tan(np.arctan(x)), x


@rule
def sin_of_arcsin(x):
    """sin(arcsin x) = x, for |x| <= 1"""
    require(at_most_one(np.abs(x)))
    return np.sin(np.arcsin(x)), x


@rule
def cos_of_arccos(x):
    """cos(arccos x) = x, for |x| <= 1"""
    require(at_most_one(np.abs(x)))
    return np.cos(np.arccos(x)), x


@rule
def cos_of_arcsin(x):
    """cos(arcsin x) = sqrt((1 - x) (1 + x))"""
    return np.cos(np.arcsin(x)), np.sqrt((1 - x) * (1 + x))


@rule
def sin_of_arccos(x):
    """sin(arccos x) = sqrt((1 - x) (1 + x))"""
    return np.sin(np.arccos(x)), np.sqrt((1 - x) * (1 + x))


@rule(precision="finite")
def cos_of_arctan(x):
    """cos(arctan x) = 1 / sqrt(1 + x^2)"""
    return np.cos(np.arctan(x)), 1 / np.sqrt(1 + x * x)


@rule(precision="exact")
def sinh_is_odd(x):
    """sinh(-x) = -sinh x"""
    return np.sinh(-x), -np.sinh(x)


@rule(precision="exact")
def cosh_is_even(x):
    """cosh(-x) = cosh x"""
    return np.cosh(-x), np.cosh(x)


@rule(precision="exact")
def tanh_is_odd(x):
    """tanh(-x) = -tanh x"""
    return np.tanh(-x), -np.tanh(x)


@rule
def sinh_of_exps(x):
    """(exp x - exp(-x)) / 2 = sinh x, which does not cancel near 0"""
    return (np.exp(x) - np.exp(-x)) / 2, np.sinh(x)


@rule
def cosh_of_exps(x):
    """(exp x + exp(-x)) / 2 = cosh x"""
    return (np.exp(x) + np.exp(-x)) / 2, np.cosh(x)


@rule
def tanh_of_exps(x):
    """(exp x - exp(-x)) / (exp x + exp(-x)) = tanh x, which does not overflow"""
    return (np.exp(x) - np.exp(-x)) / (np.exp(x) + np.exp(-x)), np.tanh(x)


@rule
def tanh_of_double_exp(x):
    """(exp 2x - 1) / (exp 2x + 1) = tanh x, which does not overflow"""
    return (np.exp(2 * x) - 1) / (np.exp(2 * x) + 1), np.tanh(x)


@rule
def tanh_as_quotient(x):
    """sinh x / cosh x = tanh x, which does not overflow"""
    return np.sinh(x) / np.cosh(x), np.tanh(x)


@rule(precision="finite")
def hyperbolic_identity(x):
    """cosh^2 x - sinh^2 x = 1; nan for x infinite or nan"""
    return np.cosh(x) * np.cosh(x) - np.sinh(x) * np.sinh(x), np.ones_like(x)


@rule
def one_minus_tanh_squared(x):
    """1 - tanh^2 x = 1 / cosh^2 x, which does not cancel"""
    return 1 - np.tanh(x) * np.tanh(x), 1 / (np.cosh(x) * np.cosh(x))


@rule
def arcsinh_of_log(x):
    """log(x + sqrt(x^2 + 1)) = arcsinh x, which does not cancel for x < 0"""
    return np.log(x + np.sqrt(x * x + 1)), np.arcsinh(x)


@rule
def arccosh_of_log(x):
    """log(x + sqrt(x^2 - 1)) = arccosh x, for x >= 1"""
    require(at_least_one(x))
    return np.log(x + np.sqrt(x * x - 1)), np.arccosh(x)


@rule
def arctanh_of_log(x):
    """log((1 + x) / (1 - x)) / 2 = arctanh x, which does not lose small x"""
    return 0.5 * np.log((1 + x) / (1 - x)), np.arctanh(x)


@rule
def arctanh_of_log1p(x):
    """log1p x - log1p(-x) = 2 arctanh x"""
    return np.log1p(x) - np.log1p(-x), 2 * np.arctanh(x)


@rule
def tanh_of_arctanh(x):
    """tanh(arctanh x) = x, for |x| <= 1"""
    require(at_most_one(np.abs(x)))
    return np.tanh(np.arctanh(x)), x


@rule
def arctanh_of_tanh(x):
    """arctanh(tanh x) = x"""
    return np.arctanh(np.tanh(x)), x


@rule
def arcsinh_of_sinh(x):
    """arcsinh(sinh x) = x"""
    return np.arcsinh(np.sinh(x)), x


@rule
def sinh_of_arcsinh(x):
    """sinh(arcsinh x) = x"""
    return np.sinh(np.arcsinh(x)), x
