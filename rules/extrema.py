"""Elementwise maxima and minima."""

import numpy as np

from egc import nonnegative, nonpositive, positive, require, rule


@rule(dtypes="any")
def maximum_commutes(x, y):
    """max(x, y) = max(y, x), but for the sign of zero"""
    return np.maximum(x, y), np.maximum(y, x)


@rule(dtypes="any")
def minimum_commutes(x, y):
    """min(x, y) = min(y, x), but for the sign of zero"""
    return np.minimum(x, y), np.minimum(y, x)


@rule(precision="exact", dtypes="any")
def maximum_of_itself(x):
    """max(x, x) = x"""
    return np.maximum(x, x), x


@rule(precision="exact", dtypes="any")
def minimum_of_itself(x):
    """min(x, x) = x"""
    return np.minimum(x, x), x


@rule
def maximum_of_negatives(x, y):
    """max(-x, -y) = -min(x, y)"""
    return np.maximum(-x, -y), -np.minimum(x, y)


@rule
def minimum_of_negatives(x, y):
    """min(-x, -y) = -max(x, y)"""
    return np.minimum(-x, -y), -np.maximum(x, y)


@rule
def maximum_of_sums(x, y, z):
    """max(x + z, y + z) = max(x, y) + z"""
    return np.maximum(x + z, y + z), np.maximum(x, y) + z


@rule
def minimum_of_sums(x, y, z):
    """min(x + z, y + z) = min(x, y) + z"""
    return np.minimum(x + z, y + z), np.minimum(x, y) + z


@rule
def maximum_of_products(x, y, z):
    """max(x z, y z) = max(x, y) z, for z > 0"""
    require(positive(z))
    return np.maximum(x * z, y * z), np.maximum(x, y) * z


@rule
def minimum_of_products(x, y, z):
    """min(x z, y z) = min(x, y) z, for z > 0"""
    require(positive(z))
    return np.minimum(x * z, y * z), np.minimum(x, y) * z


@rule
def maximum_of_exps(x, y):
    """max(exp x, exp y) = exp max(x, y)"""
    return np.maximum(np.exp(x), np.exp(y)), np.exp(np.maximum(x, y))


@rule
def minimum_of_exps(x, y):
    """min(exp x, exp y) = exp min(x, y)"""
    return np.minimum(np.exp(x), np.exp(y)), np.exp(np.minimum(x, y))


@rule
def maximum_of_logs(x, y):
    """max(log x, log y) = log max(x, y), for x, y >= 0"""
    require(nonnegative(x), nonnegative(y))
    return np.maximum(np.log(x), np.log(y)), np.log(np.maximum(x, y))


@rule
def minimum_of_logs(x, y):
    """min(log x, log y) = log min(x, y)"""
    return np.minimum(np.log(x), np.log(y)), np.log(np.minimum(x, y))


@rule
def maximum_of_roots(x, y):
    """max(sqrt x, sqrt y) = sqrt max(x, y), for x, y >= 0"""
    require(nonnegative(x), nonnegative(y))
    return np.maximum(np.sqrt(x), np.sqrt(y)), np.sqrt(np.maximum(x, y))


@rule
def maximum_plus_minimum(x, y):
    """max(x, y) + min(x, y) = x + y"""
    return np.maximum(x, y) + np.minimum(x, y), x + y


@rule
def maximum_minus_minimum(x, y):
    """max(x, y) - min(x, y) = |x - y|"""
    return np.maximum(x, y) - np.minimum(x, y), np.abs(x - y)


@rule
def maximum_with_own_negative(x):
    """max(x, -x) = |x|"""
    return np.maximum(x, -x), np.abs(x)


@rule
def minimum_with_own_negative(x):
    """min(x, -x) = -|x|"""
    return np.minimum(x, -x), -np.abs(x)


@rule
def positive_part_of_nonnegative(x):
    """max(x, 0) = x, for x >= 0"""
    require(nonnegative(x))
    return np.maximum(x, 0), x


@rule
def negative_part_of_nonpositive(x):
    """min(x, 0) = x, for x <= 0"""
    require(nonpositive(x))
    return np.minimum(x, 0), x


@rule
def parts_add_up(x):
    """max(x, 0) + min(x, 0) = x"""
    return np.maximum(x, 0) + np.minimum(x, 0), x


@rule
def parts_of_absolute(x):
    """max(x, 0) - min(x, 0) = |x|"""
    return np.maximum(x, 0) - np.minimum(x, 0), np.abs(x)


@rule
def parts_of_both_signs(x):
    """max(x, 0) + max(-x, 0) = |x|"""
    return np.maximum(x, 0) + np.maximum(-x, 0), np.abs(x)


@rule(precision="finite")
def absorption_by_maximum(x, y):
    """max(x, min(x, y)) = x; nan for y nan"""
    return np.maximum(x, np.minimum(x, y)), x


@rule(precision="finite")
def absorption_by_minimum(x, y):
    """min(x, max(x, y)) = x; nan for y nan"""
    return np.minimum(x, np.maximum(x, y)), x


@rule
def maximum_repeated(x, y):
    """max(max(x, y), y) = max(x, y)"""
    return np.maximum(np.maximum(x, y), y), np.maximum(x, y)


@rule
def minimum_repeated(x, y):
    """min(min(x, y), y) = min(x, y)"""
    return np.minimum(np.minimum(x, y), y), np.minimum(x, y)
