"""gammaln and digamma on float64, below 4 ulp for positive arguments, next to their zeros at 1, 2 and 1.4616... too.

Large arguments take Stirling's series (Abramowitz and Stegun, Handbook of Mathematical Functions, 6.1.40 and 6.3.18), small
ones the recurrence to an interval where a polynomial vanishes exactly at the zero (for digamma as Cody, Strecok and
Thacher, Chebyshev approximations for the psi function, Mathematics of Computation 27, 1973). Negative arguments are
exceptional: they are reflected, and their error is a few units of the last place of the larger one of the two terms, which
cancel next to the zeros between the poles. All polynomials are minimax (Remez).
"""

from __future__ import annotations

import math

from egc.backends.numba.vector.exceptional import exceptionally
from egc.backends.numba.vector.lanes import multiply_add, narrowed, nearest, polynomial, select, widened, with_sign
from egc.backends.numba.vector.logarithm import log
from egc.backends.numba.vector.trigonometric import sine_of_quarters, tangent_of_quarters

LOG_GAMMA = (
    0.42278433509846713,
    0.3224670334241132,
    -0.06735230105319828,
    0.02058080842778635,
    -0.007385551028635508,
    0.0028905103306243775,
    -0.0011927539147473657,
    0.0005096695238143789,
    -0.00022315464793330863,
    9.94577961549223e-05,
    -4.492793600648538e-05,
    2.049843879380845e-05,
    -9.438127410440422e-06,
    4.469556683869867e-06,
    -1.8213372600230294e-06,
    8.681901765650696e-07,
    -1.7679929019722208e-06,
    -2.668753218536105e-06,
    -3.3174198491907375e-06,
    -1.9075974185320408e-06,
    -5.622540548853479e-07,
)
"""log(gamma(2 + t)) / t from -3/4 to 1/4, within 2**-60 of the function."""

STIRLING = (
    0.08333333333333229,
    -0.0027777777766810133,
    0.0007936504584324968,
    -0.0005951926141961201,
    0.0008385397758801962,
    -0.0017925334625336295,
    0.0037431198252212295,
)
"""x times what Stirling's formula lacks, in x**-2 for x > 5.25, within 2**-58 of the function."""

DIGAMMA = (
    0.9510558760318328,
    -0.4236274212814606,
    0.24054248424078722,
    -0.14840492305388028,
    0.09498872445284973,
    -0.061922133275542725,
    0.0407608339433919,
    -0.026975796657622588,
    0.01790724823558128,
    -0.011908220153246177,
    0.007927023327039026,
    -0.005279936634901524,
    0.003518088710902708,
    -0.002345499843336394,
    0.0015635033559333895,
    -0.0010364319895039234,
    0.0006902823184846957,
    -0.00048603468639146937,
    0.00032588034009431644,
    -0.0001446563513890112,
    9.329557917699555e-05,
    -0.00017833335809480462,
    0.00012117312336271894,
)
"""digamma(3/2 + t) over the distance from its zero, for abs(t) <= 1/2, within 2**-58 of the function."""

DIGAMMA_STIRLING = (
    0.08333333333332875,
    -0.008333333329514431,
    0.003968252875517156,
    -0.0041665143288574695,
    0.007563849100904133,
    -0.02053638330244107,
    0.06743540717975141,
    -0.16527056814417884,
)
"""x*x times what log(x) - 1/(2x) is above digamma, in x**-2 for x > 5, within 2**-59 of the function."""


STIRLING_CONSTANT = 0.4189385332046727
"""(log(2 pi) - 1) / 2."""
ZERO, ZERO_LOW = 1.4616321449683622, 9.549995429965697e-17
"""Digamma's positive zero in two parts."""


def positive_gammaln(x):
    """log(gamma(2 + t)) plus or minus the logarithm of the factors between x and 2 + t."""
    above, far = x >= 2.25, x >= 5.25
    first, second, third = x - 1.0, x - 2.0, x - 3.0
    factors = select(x >= 3.25, first * select(x >= 4.25, second * third, second), first)
    factors = select(above, factors, select(x >= 1.25, 1.0, select(x >= 0.25, x, multiply_add(x, x, x))))
    whole = select(
        above, select(x >= 4.25, 5.0, select(x >= 3.25, 4.0, 3.0)), select(x >= 1.25, 2.0, select(x >= 0.25, 1.0, 0.0))
    )
    t = x - whole
    logarithm = log(select(far, x, factors))
    near = multiply_add(t, polynomial(t, LOG_GAMMA), select(above, logarithm, -logarithm))
    inverse = 1.0 / x
    tail = multiply_add(inverse, polynomial(inverse * inverse, STIRLING), STIRLING_CONSTANT)
    return select(far, multiply_add(x - 0.5, logarithm - 1.0, tail), near)


def positive_digamma(x):
    """digamma on [1, 2], plus one quotient for the terms 1/(x-1) and so on, or minus 1/x."""
    first, second, third = x - 1.0, x - 2.0, x - 3.0
    two = first * second
    denominator = select(x >= 4.0, two * third, select(x >= 3.0, two, select(x >= 2.0, first, x)))
    numerator = select(
        x >= 4.0,
        multiply_add(third, first + second, two),
        select(x >= 3.0, first + second, select(x >= 2.0, 1.0, select(x >= 1.0, 0.0, -1.0))),
    )
    base = select(x >= 4.0, third, select(x >= 3.0, second, select(x >= 2.0, first, select(x >= 1.0, x, x + 1.0))))
    far = x >= 5.0
    quotient = select(far, 1.0, numerator) / select(far, x, denominator)
    near = multiply_add((base - ZERO) - ZERO_LOW, polynomial(base - 1.5, DIGAMMA), quotient)
    square = quotient * quotient
    return select(far, log(x) - multiply_add(square, polynomial(square, DIGAMMA_STIRLING), 0.5 * quotient), near)


def _gammaln(x):
    """gamma(x) * gamma(-x) = -pi / (x * sin(pi*x)); what SciPy gives at -inf is -inf."""
    sine = abs(sine_of_quarters(2.0 * (x - nearest(x)), 0.0))
    value = log(math.pi / (-x * sine)) - positive_gammaln(-x)
    value = select(sine == 0.0, math.inf, value)
    return select(x > -1e-20, -log(-x), select(x == -math.inf, x, value))


def _digamma(x):
    """digamma(x) = digamma(1-x) - pi / tan(pi*x)."""
    part = x - nearest(x)
    size = abs(part)
    near = size <= 0.25
    tangent = tangent_of_quarters(select(near, 2.0 * size, 1.0 - 2.0 * size), 0.0)
    cotangent = with_sign(select(near, 1.0 / tangent, tangent), part)
    return select(part == 0.0, math.nan, positive_digamma(1.0 - x) - math.pi * cotangent)


exceptional_gammaln = exceptionally(_gammaln, 0.0, math.inf)
exceptional_digamma = exceptionally(_digamma, 0.0, math.inf)


def gammaln(x):
    return exceptional_gammaln(x, positive_gammaln(x))


def digamma(x):
    return exceptional_digamma(x, positive_digamma(x))


def gammaln_float32(x):
    return narrowed(gammaln(widened(x)))


def digamma_float32(x):
    return narrowed(digamma(widened(x)))
