"""exp, exp2 and expm1 on float64, each below 1 ulp or little above.

The argument is n*log(2) + r with abs(r) <= log(2)/2, and log(2) is taken in two parts whose products with n are exact
(Cody and Waite, Software Manual for the Elementary Functions, 1980, chapter 6). The polynomials are minimax, by
Remez' algorithm.
"""

from __future__ import annotations

from egc.backends.numba.vector.lanes import bits, from_bits, multiply_add, polynomial, select

LN2_HIGH = 6.93147180369123816490e-01
LN2_LOW = 1.90821492927058770002e-10
LOG2_E = 1.44269504088896338700
ROUND = 6755399441055744.0
"""1.5 * 2**52: adding it rounds a small float64 to an integer, which then stands in the low bits."""
POWER_OF_TWO = ROUND + 1023.0
"""Adding it to an integer n leaves, in the low bits, the exponent field of 2**n."""

EXP = (
    0.5000000000000001,
    0.16666666666666674,
    0.04166666666662412,
    0.008333333333322207,
    0.0013888888917217457,
    0.00019841269886591,
    2.4801521290973345e-05,
    2.7557242336680357e-06,
    2.7620090518499427e-07,
    2.5110049895858716e-08,
)
"""(exp(r) - 1 - r) / r**2, within 2**-53."""

EXP2 = (
    0.6931471805599453,
    0.24022650695910097,
    0.05550410866482166,
    0.00961812910760685,
    0.0013333558146395952,
    0.0001540353044179974,
    1.5252733853339906e-05,
    1.321544254953422e-06,
    1.0178051700635756e-07,
    7.0725935588867845e-09,
    4.4566799241111394e-10,
)
"""(2**r - 1) / r for abs(r) <= 1/2, within 2**-56."""


def power_of_two(n):
    """2**n for integers from -1022 to 1023."""
    return from_bits(bits(n + POWER_OF_TWO) << 52)


def scaled(value, n):
    """value * 2**n in two factors, since n may be beyond the exponents."""
    half = multiply_add(n, 0.5, ROUND) - ROUND
    return value * power_of_two(half) * power_of_two(n - half)


def whole(x):
    """The integer nearest to x / log(2), as a float64."""
    return multiply_add(x, LOG2_E, ROUND) - ROUND


def rest(x, n):
    """x - n*log(2)."""
    return multiply_add(n, -LN2_LOW, multiply_add(n, -LN2_HIGH, x))


def growth(x):
    """n and exp(r) - 1."""
    x = select(x > 710.0, 710.0, select(x < -746.0, -746.0, x))
    n = whole(x)
    r = rest(x, n)
    return n, multiply_add(r * r, polynomial(r, EXP), r)


def growth2(x, low):
    """n and 2**r - 1 for x + low = n + r."""
    x = select(x > 1025.0, 1025.0, select(x < -1077.0, -1077.0, x))
    n = (x + ROUND) - ROUND
    r = (x - n) + low
    return n, r * polynomial(r, EXP2)


def with_rest(n, change):
    """2**n * (1 + change) for n <= 0, and what it lost by rounding, where that is not tiny."""
    value = 1.0 + change
    return scaled(value, n), (change - (value - 1.0)) * select(n > -960.0, power_of_two(n), 0.0)


def exp(x):
    n, change = growth(x)
    return scaled(1.0 + change, n)


def exp2(x):
    n, change = growth2(x, -0.0)
    return scaled(1.0 + change, n)


def expm1(x):
    """2**n - 1 + 2**n * r, and then the rest of 2**n * expm1(r); halved, since n may be 1024."""
    clipped = select(x > 710.0, 710.0, select(x < -56.0, -56.0, x))
    n = whole(clipped)
    r = rest(clipped, n)
    half = power_of_two(n - 1.0)
    linear = multiply_add(half, r, half - 0.5)
    value = 2.0 * multiply_add(half, r * r * polynomial(r, EXP), linear)
    return select(abs(x) < 5.551115123125783e-17, x, value)
