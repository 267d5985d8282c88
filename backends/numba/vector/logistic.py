"""The logistic function and its relatives, and logarithms with a factor, each below 2 ulp."""

from __future__ import annotations

import math

from egc.backends.numba.vector.exponential import LOG2_E, exp, growth, growth2, with_rest
from egc.backends.numba.vector.lanes import multiply_add, select, sum_error
from egc.backends.numba.vector.logarithm import log, log1p, log1p_unit, log_ratio


def expit(x):
    """1 / (1 + exp(-x)), for negative x as exp(x) / (1 + exp(x)), corrected by what the denominator lost by rounding."""
    tail = exp(-abs(x))
    below = 1.0 + tail
    quotient = select(x < 0.0, tail, 1.0) / below
    inverse = select(x < 0.0, 1.0 - quotient, quotient)
    return quotient - quotient * ((tail - (below - 1.0)) * inverse)


def log_expit(x):
    tail, low = with_rest(*growth(-abs(x)))
    return select(x < 0.0, x, -0.0) - log1p_unit(tail, low)[0]


def difference(x, y):
    """-abs(x - y), and what it lost by rounding."""
    d = x - y
    lost = sum_error(x, -y, d)
    return -abs(d), select(abs(d) < x.format.units, select(d > 0.0, -lost, lost), 0.0)


def logaddexp(x, y):
    """The larger one plus what the smaller one adds; the logarithm of 2 where they are equal, infinities included.

    The error is below 2 ulp of the result or of the larger operand, where the two cancel.
    """
    tail, low = with_rest(*growth(*difference(x, y)))
    larger = select(x > y, x, y) + log1p_unit(tail, low)[0]
    return select(x == y, x + math.log(2.0), larger)


def logaddexp2(x, y):
    """As logaddexp."""
    tail, low = with_rest(*growth2(*difference(x, y)))
    natural, lost = log1p_unit(tail, low)
    larger = multiply_add(natural, LOG2_E, multiply_add(lost, LOG2_E, select(x > y, x, y)))
    return select(x == y, x + 1.0, larger)


def logit(p):
    """log(p / (1 - p)), where what 1 - p loses by rounding is not lost."""
    rest = 1.0 - p
    value = log_ratio(p, 0.0, rest, (1.0 - rest) - p)
    value = select(p == 0.0, -math.inf, select(p == 1.0, math.inf, value))
    return select((p >= 0.0) & (p <= 1.0), value, math.nan)


def xlogy(x, y):
    return select((x == 0.0) & (y == y), 0.0, x * log(y))


def xlog1py(x, y):
    return select((x == 0.0) & (y == y), 0.0, x * log1p(y))


def entr(x):
    return select(x == 0.0, 0.0, select(x < 0.0, -math.inf, -x * log(x)))


def rel_entr(x, y):
    ratio = select(x == math.inf, select(y == math.inf, math.nan, math.inf), log_ratio(x, 0.0, y, 0.0))
    ratio = select((y == math.inf) & (x < math.inf), -math.inf, ratio)
    value = select((x == 0.0) & (y >= 0.0), 0.0, select((x != x) | (y != y), math.nan, math.inf))
    return select((x > 0.0) & (y > 0.0), x * ratio, value)


def kl_div(x, y):
    """x*log(x/y) - x + y, where SciPy's x/y overflows and underflows."""
    quotient = x / y
    ends = select(quotient == 0.0, -math.inf, quotient)
    ratio = select((quotient > 0.0) & (quotient < math.inf), log_ratio(x, 0.0, y, 0.0), ends)
    value = select((x == 0.0) & (y >= 0.0), y, select((x != x) | (y != y), math.nan, math.inf))
    return select((x > 0.0) & (y > 0.0), x * ratio - x + y, value)
