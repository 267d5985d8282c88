"""Truth values, comparisons and choices."""

import numpy as np

from egc import Bool, equation, positive, require, rule


@rule(precision="exact", dtypes="bool")
def and_commutes(a, b):
    """a and b = b and a"""
    return np.logical_and(a, b), np.logical_and(b, a)


@rule(precision="exact", dtypes="bool")
def or_commutes(a, b):
    """a or b = b or a"""
    return np.logical_or(a, b), np.logical_or(b, a)


@rule(precision="exact", dtypes="bool")
def xor_commutes(a, b):
    """a xor b = b xor a"""
    return np.logical_xor(a, b), np.logical_xor(b, a)


@rule(precision="exact", dtypes="bool")
def double_negation(a):
    """not not a = a"""
    return np.logical_not(np.logical_not(a)), a


@equation(precision="exact", dtypes="bool")
def not_and(a, b):
    """not (a and b) = not a or not b (De Morgan)"""
    return np.logical_not(np.logical_and(a, b)), np.logical_or(np.logical_not(a), np.logical_not(b))


@equation(precision="exact", dtypes="bool")
def not_or(a, b):
    """not (a or b) = not a and not b (De Morgan)"""
    return np.logical_not(np.logical_or(a, b)), np.logical_and(np.logical_not(a), np.logical_not(b))


@rule(precision="exact", dtypes="bool")
def and_with_itself(a):
    """a and a = a"""
    return np.logical_and(a, a), a


@rule(precision="exact", dtypes="bool")
def or_with_itself(a):
    """a or a = a"""
    return np.logical_or(a, a), a


@rule(precision="exact", dtypes="bool")
def xor_with_itself(a):
    """a xor a = false"""
    return np.logical_xor(a, a), np.zeros_like(a)


@rule(precision="exact", dtypes="bool")
def contradiction(a):
    """a and not a = false"""
    return np.logical_and(a, np.logical_not(a)), np.zeros_like(a)


@rule(precision="exact", dtypes="bool")
def excluded_middle(a):
    """a or not a = true"""
    return np.logical_or(a, np.logical_not(a)), np.ones_like(a)


@rule(precision="exact", dtypes="bool")
def and_true(a):
    """a and true = a"""
    return np.logical_and(a, True), a


@rule(precision="exact", dtypes="bool")
def or_false(a):
    """a or false = a"""
    return np.logical_or(a, False), a


@rule(precision="exact", dtypes="bool")
def and_absorbs(a, b):
    """a and (a or b) = a"""
    return np.logical_and(a, np.logical_or(a, b)), a


@rule(precision="exact", dtypes="bool")
def or_absorbs(a, b):
    """a or (a and b) = a"""
    return np.logical_or(a, np.logical_and(a, b)), a


@rule(precision="exact", dtypes="bool")
def and_factors(a, b, c):
    """(a and b) or (a and c) = a and (b or c)"""
    return np.logical_or(np.logical_and(a, b), np.logical_and(a, c)), np.logical_and(a, np.logical_or(b, c))


@rule(precision="exact", dtypes="any")
def equal_commutes(x, y):
    """(x = y) = (y = x)"""
    return x == y, y == x


@rule(precision="exact", dtypes="any")
def not_equal_commutes(x, y):
    """(x != y) = (y != x)"""
    return x != y, y != x


@equation(precision="exact", dtypes="any")
def less_is_greater_turned(x, y):
    """(x < y) = (y > x)"""
    return x < y, y > x


@equation(precision="exact", dtypes="any")
def less_equal_is_greater_equal_turned(x, y):
    """(x <= y) = (y >= x)"""
    return x <= y, y >= x


@rule(precision="exact", dtypes="any")
def not_of_equal(x, y):
    """not (x = y) = (x != y)"""
    return np.logical_not(x == y), x != y


@rule(precision="exact", dtypes="any")
def not_of_not_equal(x, y):
    """not (x != y) = (x = y)"""
    return np.logical_not(x != y), x == y


@rule(precision="exact", dtypes="integer")
def not_of_integer_less(x, y):
    """not (x < y) = (x >= y)"""
    return np.logical_not(x < y), x >= y


@rule(precision="finite")
def not_of_less(x, y):
    """not (x < y) = (x >= y); differs for nan"""
    return np.logical_not(x < y), x >= y


@rule(precision="finite")
def not_of_less_equal(x, y):
    """not (x <= y) = (x > y); differs for nan"""
    return np.logical_not(x <= y), x > y


@rule(precision="exact")
def differs_from_itself(x):
    """(x != x) = isnan x"""
    return x != x, np.isnan(x)


@rule(precision="exact")
def at_most_and_at_least(x, y):
    """x <= y and y <= x = (x = y)"""
    return np.logical_and(x <= y, y <= x), x == y


@rule(precision="exact")
def less_of_negatives(x, y):
    """(-x < -y) = (y < x)"""
    return -x < -y, y < x


@rule(precision="exact")
def sign_of_difference(x, y):
    """(x - y > 0) = (x > y)"""
    return x - y > 0, x > y


@rule
def less_of_exps(x, y):
    """(exp x < exp y) = (x < y)"""
    return np.exp(x) < np.exp(y), x < y


@rule
def less_of_logs(x, y):
    """(log x < log y) = (x < y), for x, y > 0"""
    require(positive(x), positive(y))
    return np.log(x) < np.log(y), x < y


@rule(precision="exact", dtypes="any")
def choice_of_equals(c: Bool, x):
    """where(c, x, x) = x"""
    return np.where(c, x, x), x


@rule(precision="exact", dtypes="any")
def choice_by_negation(c: Bool, x, y):
    """where(not c, x, y) = where(c, y, x)"""
    return np.where(np.logical_not(c), x, y), np.where(c, y, x)


@rule(precision="exact", dtypes="any")
def choice_inside_first(c: Bool, x, y, z):
    """where(c, where(c, x, y), z) = where(c, x, z)"""
    return np.where(c, np.where(c, x, y), z), np.where(c, x, z)


@rule(precision="exact", dtypes="any")
def choice_inside_second(c: Bool, x, y, z):
    """where(c, x, where(c, y, z)) = where(c, x, z)"""
    return np.where(c, x, np.where(c, y, z)), np.where(c, x, z)


@rule(precision="exact", dtypes="any")
def nested_choice(a: Bool, b: Bool, x, y):
    """where(a, where(b, x, y), y) = where(a and b, x, y)"""
    return np.where(a, np.where(b, x, y), y), np.where(np.logical_and(a, b), x, y)


@rule(precision="exact", dtypes="any")
def chained_choice(a: Bool, b: Bool, x, y):
    """where(a, x, where(b, x, y)) = where(a or b, x, y)"""
    return np.where(a, x, np.where(b, x, y)), np.where(np.logical_or(a, b), x, y)


@rule(precision="finite")
def choice_of_larger(x, y):
    """where(x > y, x, y) = max(x, y); differs for x nan"""
    return np.where(x > y, x, y), np.maximum(x, y)


@rule(precision="finite")
def choice_of_smaller(x, y):
    """where(x < y, x, y) = min(x, y); differs for x nan"""
    return np.where(x < y, x, y), np.minimum(x, y)


@rule
def choice_of_absolute(x):
    """where(x < 0, -x, x) = |x|"""
    return np.where(x < 0, -x, x), np.abs(x)


@rule
def choice_of_nonnegative_or_negated(x):
    """where(x > 0, x, -x) = |x|"""
    return np.where(x > 0, x, -x), np.abs(x)
