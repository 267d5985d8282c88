"""exp, exp2 and expm1, each below 2 ulp.

The argument is n*log(2) + r with abs(r) <= log(2)/2, and log(2) is taken in two parts whose products with n are exact
(Cody and Waite, Software Manual for the Elementary Functions, 1980, chapter 6). The polynomials are minimax.
"""

from __future__ import annotations

import math

from egc.backends.numba.vector.lanes import bits, from_bits, multiply_add, polynomial, select

LOG2_E = 1 / math.log(2.0)


def rounded(x):
    """The nearest integer to a small float."""
    return (x + x.format.round) - x.format.round


def power_of_two(n):
    """2**n for integers that are exponents of normal numbers: the sum's low bits are the field of the exponent."""
    return from_bits(bits(n + (n.format.round + n.format.bias)) << n.format.digits)


def scaled(value, n):
    """value * 2**n in two factors, since n may be beyond the exponents."""
    half = rounded(0.5 * n)
    return value * power_of_two(half) * power_of_two(n - half)


def whole(x):
    """The integer nearest to x / log(2)."""
    return multiply_add(x, LOG2_E, x.format.round) - x.format.round


def rest(x, n):
    """x - n*log(2)."""
    high, low = x.format.ln2
    return multiply_add(n, -low, multiply_add(n, -high, x))


def clipped(x, low, high):
    """The nearest number between low and high."""
    return select(x > high, high, select(x < low, low, x))


def growth(x, low=-0.0):
    """n and exp(r) - 1 for x + low = n*log(2) + r."""
    x = clipped(x, x.format.log_lowest, x.format.log_highest)
    n = whole(x)
    r = rest(x, n) + low
    return n, multiply_add(r * r, polynomial(r, x.format.exp), r)


def growth2(x, low=-0.0):
    """n and 2**r - 1 for x + low = n + r."""
    form = x.format
    x = clipped(x, -(form.bias + form.digits + 2.0), form.bias + 2.0)
    n = rounded(x)
    r = (x - n) + low
    return n, r * polynomial(r, form.exp2)


def with_rest(n, change):
    """2**n * (1 + change) for n <= 0, and what it lost by rounding, where that is not tiny."""
    value = 1.0 + change
    large = n > n.format.digits + 2.0 - n.format.bias
    return scaled(value, n), (change - (value - 1.0)) * select(large, power_of_two(n), 0.0)


def exp(x):
    n, change = growth(x)
    return scaled(1.0 + change, n)


def exp2(x):
    n, change = growth2(x)
    return scaled(1.0 + change, n)


def expm1(x):
    """2**n - 1 + 2**n * r, and then the rest of 2**n * expm1(r); halved, since 2**n may be too large."""
    inside = clipped(x, -x.format.digits - 4.0, x.format.log_highest)
    n = whole(inside)
    r = rest(inside, n)
    half = power_of_two(n - 1.0)
    linear = multiply_add(half, r, half - 0.5)
    value = 2.0 * multiply_add(half, r * r * polynomial(r, x.format.exp), linear)
    return select(abs(x) < 2.0 ** -(x.format.digits + 2), x, value)
