"""Error functions, the normal distribution, gamma and beta functions, x log y."""

import math

import numpy as np

from egc import finite, not_nan, positive, require, rule, special

ROOT_2 = math.sqrt(2)


@rule
def complement_of_erf(x):
    """1 - erf x = erfc x, which does not cancel for large x"""
    return 1 - special.erf(x), special.erfc(x)


@rule
def complement_of_erfc(x):
    """1 - erfc x = erf x, which does not cancel near 0"""
    return 1 - special.erfc(x), special.erf(x)


@rule
def erf_is_odd(x):
    """erf(-x) = -erf x"""
    return special.erf(-x), -special.erf(x)


@rule
def normal_distribution_of_erfc(x):
    """erfc(-x / sqrt 2) / 2 = ndtr x"""
    return 0.5 * special.erfc(-x / ROOT_2), special.ndtr(x)


@rule
def normal_distribution_of_erf(x):
    """(1 + erf(x / sqrt 2)) / 2 = ndtr x, which does not cancel for x < 0"""
    return 0.5 * (1 + special.erf(x / ROOT_2)), special.ndtr(x)


@rule
def complement_of_normal_distribution(x):
    """1 - ndtr x = ndtr(-x), which does not cancel for large x"""
    return 1 - special.ndtr(x), special.ndtr(-x)


@rule
def log_of_normal_distribution(x):
    """log(ndtr x) = log_ndtr x, which does not underflow"""
    return np.log(special.ndtr(x)), special.log_ndtr(x)


@rule
def log_of_erfc(x):
    """log(erfc x) = log1p(-erf x) for x < 1, log(erfcx x) - x^2 otherwise, which does not underflow"""
    large = np.log(special.erfcx(x)) - x * x
    return np.log(special.erfc(x)), np.where(x < 1, np.log1p(-special.erf(x)), large)


@rule
def scaled_erfc(x):
    """exp(x^2) erfc x = erfcx x, which neither over- nor underflows"""
    return np.exp(x * x) * special.erfc(x), special.erfcx(x)


@rule
def log_of_gamma(x):
    """log(gamma x) = gammaln x, for x > 0, which does not overflow"""
    require(positive(x))
    return np.log(special.gamma(x)), special.gammaln(x)


@rule
def exp_of_gammaln(x):
    """exp(gammaln x) = gamma x, for x > 0"""
    require(positive(x))
    return np.exp(special.gammaln(x)), special.gamma(x)


@rule
def reciprocal_of_gamma(x):
    """1 / gamma x = rgamma x, for x > 0"""
    require(positive(x))
    return 1 / special.gamma(x), special.rgamma(x)


@rule
def step_of_gammaln(x):
    """gammaln(x + 1) - gammaln x = log x, for x > 0, which does not cancel"""
    require(positive(x))
    return special.gammaln(x + 1) - special.gammaln(x), np.log(x)


@rule
def step_of_digamma(x):
    """digamma(x + 1) - digamma x = 1 / x, for x > 0, which does not cancel"""
    require(positive(x))
    return special.digamma(x + 1) - special.digamma(x), 1 / x


# Retired: log(beta(x, y)) = betaln(x, y), where betaln(1e13, 2e4) is off by 1e-9.


@rule
def betaln_of_gammaln(x, y):
    """gammaln x + gammaln y - gammaln(x + y) = betaln(x, y), for x, y > 0, which does not cancel"""
    require(positive(x), positive(y))
    return special.gammaln(x) + special.gammaln(y) - special.gammaln(x + y), special.betaln(x, y)


@rule(precision="finite")
def times_log(x, y):
    """x log y = xlogy(x, y); xlogy(0, 0) is 0 where the left is nan"""
    return x * np.log(y), special.xlogy(x, y)


@rule(precision="finite")
def times_log1p(x, y):
    """x log1p y = xlog1py(x, y); xlog1py(0, -1) is 0 where the left is nan"""
    return x * np.log1p(y), special.xlog1py(x, y)


@rule
def xlogy_of_positive(x, y):
    """xlogy(x, y) = x log y, for y > 0 and finite"""
    require(positive(y), finite(y))
    return special.xlogy(x, y), x * np.log(y)


@rule
def xlogy_one_plus(x, y):
    """xlogy(x, 1 + y) = xlog1py(x, y), which does not lose small y"""
    return special.xlogy(x, 1 + y), special.xlog1py(x, y)


@rule
def guarded_xlogy(x, y):
    """x log y, with 0 at x = 0, is xlogy(x, y) for y that is a number"""
    require(positive(y), not_nan(y))
    return np.where(x == 0, 0, special.xlogy(x, y)), special.xlogy(x, y)


@rule
def negative_xlogx(x):
    """-xlogy(x, x) = entr x, for x >= 0"""
    require(positive(x))
    return -special.xlogy(x, x), special.entr(x)


@rule(precision="finite")
def relative_entropy(x, y):
    """x log(x / y) = rel_entr(x, y), for x, y > 0"""
    require(positive(x), positive(y))
    return x * np.log(x / y), special.rel_entr(x, y)
