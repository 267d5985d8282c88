"""Exponentials and logarithms."""

import math

import numpy as np

from egc import equation, nonnegative, nonpositive, positive, require, rule, unless

LOG_2, LOG_10 = math.log(2), math.log(10)

# Retired: x / exp y = x exp(-y), which is nan and not 0 at x = 0, y = -711.


@rule
def log_of_exp(x):
    """log(exp x) = x"""
    return np.log(np.exp(x)), x


@rule
def exp_of_log(x):
    """exp(log x) = x, for x >= 0"""
    require(nonnegative(x))
    return np.exp(np.log(x)), x


@rule
def log_of_product(x, y):
    """log(x y) = log x + log y, for x, y > 0; never the other way, where the product may underflow"""
    require(positive(x), positive(y))
    return np.log(x * y), np.log(x) + np.log(y)


@rule
def log_of_quotient(x, y):
    """log(x / y) = log x - log y, for x, y > 0"""
    require(positive(x), positive(y))
    return np.log(x / y), np.log(x) - np.log(y)


@rule
def log_of_reciprocal(x):
    """log(1 / x) = -log x, for x >= 0"""
    require(nonnegative(x))
    return np.log(1 / x), -np.log(x)


@rule
def log_of_square(x):
    """log(x^2) = 2 log |x|"""
    return np.log(x * x), 2 * np.log(np.abs(x))


@rule
def log_of_root(x):
    """log(sqrt x) = log(x) / 2"""
    return np.log(np.sqrt(x)), 0.5 * np.log(x)


@rule(precision="finite")
def log_of_power(x, y):
    """log(x^y) = y log x, for x > 0; nan for x infinite and y = 0"""
    require(positive(x))
    return np.log(np.power(x, y)), y * np.log(x)


@rule(precision="finite")
def exp_of_multiple_of_log(x, y):
    """exp(y log x) = x^y, for x > 0; nan for x infinite and y = 0"""
    require(positive(x))
    return np.exp(y * np.log(x)), np.power(x, y)


@rule
def log_of_scaled_exp(x, y):
    """log(y exp x) = x + log y, for y >= 0"""
    require(nonnegative(y))
    return np.log(y * np.exp(x)), x + np.log(y)


@rule
def log_of_exp_quotient(x, y):
    """log(exp(x) / y) = x - log y, for y > 0"""
    require(positive(y))
    return np.log(np.exp(x) / y), x - np.log(y)


@rule
def log_of_quotient_by_exp(x, y):
    """log(x / exp y) = log x - y, for x >= 0"""
    require(nonnegative(x))
    return np.log(x / np.exp(y)), np.log(x) - y


@rule
def product_of_exps(x, y):
    """exp x exp y = exp(x + y); never the other way, where a factor may overflow"""
    return np.exp(x) * np.exp(y), np.exp(x + y)


@rule(stabilizes="overflow")
def quotient_of_exps(x, y):
    """exp x / exp y = exp(x - y)"""
    return np.exp(x) / np.exp(y), np.exp(x - y)


@rule
def reciprocal_of_exp(x):
    """1 / exp x = exp(-x)"""
    return 1 / np.exp(x), np.exp(-x)


@rule
def square_of_exp(x):
    """(exp x)^2 = exp(2 x)"""
    return np.exp(x) * np.exp(x), np.exp(2 * x)


@rule
def root_of_exp(x):
    """sqrt(exp x) = exp(x / 2)"""
    return np.sqrt(np.exp(x)), np.exp(0.5 * x)


@rule
def exp_of_negative_log(x):
    """exp(-log x) = 1 / x, for x > 0"""
    require(positive(x))
    return np.exp(-np.log(x)), 1 / x


@rule(stabilizes="cancellation")
def exp_minus_one(x):
    """exp x - 1 = expm1 x, which does not cancel near 0"""
    return np.exp(x) - 1, np.expm1(x)


@rule(stabilizes="cancellation")
def one_minus_exp(x):
    """1 - exp x = -expm1 x, which does not cancel near 0"""
    return 1 - np.exp(x), -np.expm1(x)


@rule(stabilizes="cancellation")
def log_one_plus(x):
    """log(1 + x) = log1p x, which does not lose small x"""
    return np.log(1 + x), np.log1p(x)


@rule(stabilizes="cancellation")
def log_one_minus(x):
    """log(1 - x) = log1p(-x), which does not lose small x"""
    return np.log(1 - x), np.log1p(-x)


@rule
def log1p_of_expm1(x):
    """log1p(expm1 x) = x"""
    return np.log1p(np.expm1(x)), x


@rule
def expm1_of_log1p(x):
    """expm1(log1p x) = x, for x >= 0"""
    require(nonnegative(x))
    return np.expm1(np.log1p(x)), x


@rule
def expm1_plus_one(x):
    """expm1 x + 1 = exp x"""
    return np.expm1(x) + 1, np.exp(x)


@rule
def exp_of_log1p(x):
    """exp(log1p x) = 1 + x, for x >= 0"""
    require(nonnegative(x))
    return np.exp(np.log1p(x)), 1 + x


@rule
def log_base_two(x):
    """log x / log 2 = log2 x"""
    return np.log(x) / LOG_2, np.log2(x)


@rule
def log_base_ten(x):
    """log x / log 10 = log10 x"""
    return np.log(x) / LOG_10, np.log10(x)


@rule
def power_of_two(x):
    """2^x = exp2 x"""
    return np.power(2.0, x), np.exp2(x)


@rule
def log2_of_exp2(x):
    """log2(exp2 x) = x"""
    return np.log2(np.exp2(x)), x


@rule
def exp2_of_log2(x):
    """exp2(log2 x) = x, for x >= 0"""
    require(nonnegative(x))
    return np.exp2(np.log2(x)), x


@rule(stabilizes="overflow")
def log_of_sum_of_exps(x, y):
    """log(exp x + exp y) = logaddexp(x, y), which does not overflow"""
    return np.log(np.exp(x) + np.exp(y)), np.logaddexp(x, y)


@rule
def exp_of_logaddexp(x, y):
    """exp(logaddexp(x, y)) = exp x + exp y"""
    return np.exp(np.logaddexp(x, y)), np.exp(x) + np.exp(y)


@rule
def logaddexp_commutes(x, y):
    """logaddexp(x, y) = logaddexp(y, x)"""
    return np.logaddexp(x, y), np.logaddexp(y, x)


@equation
def softplus_as_log1p(x):
    """logaddexp(0, x) = max(x, 0) + log1p(exp(-|x|)): the stable form of log(1 + exp x)"""
    return np.logaddexp(0, x), np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


@rule(stabilizes="overflow")
def softplus(x):
    """log(1 + exp x) = logaddexp(0, x), which does not overflow"""
    unless(nonpositive(x))
    return np.log(1 + np.exp(x)), np.logaddexp(0, x)


@rule(stabilizes="overflow")
def softplus_of_log1p(x):
    """log1p(exp x) = logaddexp(0, x), which does not overflow"""
    unless(nonpositive(x))
    return np.log1p(np.exp(x)), np.logaddexp(0, x)


@rule(stabilizes="cancellation")
def softplus_minus_argument(x):
    """logaddexp(0, x) - x = logaddexp(0, -x), which does not cancel"""
    return np.logaddexp(0, x) - x, np.logaddexp(0, -x)


@rule(stabilizes="cancellation")
def softplus_of_negative_plus_argument(x):
    """logaddexp(0, -x) + x = logaddexp(0, x), which does not cancel"""
    return np.logaddexp(0, -x) + x, np.logaddexp(0, x)
