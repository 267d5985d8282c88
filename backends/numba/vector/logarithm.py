"""log and log1p on float64, each below 1 ulp or little above.

The argument is 2**k * (1 + f) with sqrt(1/2) <= 1 + f < sqrt(2), and log(1 + f) = 2*atanh(s), s = f / (2 + f), taken as
f - (f*f/2 - s*(f*f/2 + R(s*s))), whose first term is exact (fdlibm, Sun Microsystems, 1993: e_log.c). The polynomial is
minimax, by Remez' algorithm.
"""

from __future__ import annotations

import math

from egc.backends.numba.vector.exponential import LN2_HIGH, LN2_LOW, power_of_two
from egc.backends.numba.vector.lanes import (
    bits,
    from_bits,
    multiply_add,
    polynomial,
    product_error,
    select,
    sum_error,
)

LEAST_NORMAL = 2.2250738585072014e-308
SQRT_HALF = 0x3FE6A09E667F3BCD
"""The bits of the square root of 1/2."""
ONE = 0x3FF0000000000000
MANTISSA = 0xFFFFFFFFFFFFF
UNIT_EXPONENT = 0x4330000000000000
"""The bits of 2**52, whose low bits count units."""

ATANH = (
    0.6666666666666734,
    0.39999999999414116,
    0.2857142874254848,
    0.22222198553578299,
    0.18183565478845042,
    0.15314018160467152,
    0.14796298990994806,
)
"""2 * (atanh(s) - s) / s**3 in s**2, within 2**-59."""


def exponent(x):
    """k of x = 2**k * m with sqrt(1/2) <= m < sqrt(2), for normal numbers."""
    field = (bits(x) + (ONE - SQRT_HALF)) >> 52
    return from_bits(field | UNIT_EXPONENT) - (4503599627370496.0 + 1023.0)


def mantissa(x):
    """m of x = 2**k * m with sqrt(1/2) <= m < sqrt(2), for normal numbers."""
    return from_bits(((bits(x) + (ONE - SQRT_HALF)) & MANTISSA) + SQRT_HALF)


def log_sum(k, f):
    """k*log(2) + log(1 + f)."""
    s = f / (2.0 + f)
    z = s * s
    half = 0.5 * f * f
    tail = multiply_add(s, multiply_add(z, polynomial(z, ATANH), half), k * LN2_LOW)
    return k * LN2_HIGH - ((half - tail) - f)


def at_ends(x, value):
    """A logarithm of x, given its value for positive finite numbers."""
    value = select(x == math.inf, x, value)
    value = select(x == 0.0, -math.inf, value)
    return select((x < 0.0) | (x != x), math.nan, value)


def log(x):
    small = x < LEAST_NORMAL
    normal = select(small, x * 18014398509481984.0, x)
    k = exponent(normal) - select(small, 54.0, 0.0)
    return at_ends(x, log_sum(k, mantissa(normal) - 1.0))


def log1p(x):
    """With k from 1 + x as rounded, f = 2**-k * x + (2**-k - 1) is rounded once, and exact where k is 0."""
    u = 1.0 + x
    k = exponent(u)
    scale = power_of_two(-k)
    f = select(k > 60.0, mantissa(u) - 1.0, multiply_add(x, scale, scale - 1.0))
    return select(x == 0.0, x, at_ends(u, log_sum(k, f)))


def log1p_sum(t, low, more):
    """log(1 + t + low) + more*log(2), for t >= 0 and a small correction, whose factor 1 / (1 + t) needs few bits."""
    u = 1.0 + t
    k = exponent(u)
    scale = power_of_two(select(k > 60.0, -60.0, -k))
    f = select(k > 60.0, mantissa(u) - 1.0, multiply_add(t, scale, scale - 1.0))
    s = f / (2.0 + f)
    z = s * s
    half = 0.5 * f * f
    k = k + more
    tail = multiply_add(low * scale, multiply_add(s, multiply_add(s, 2.0, -2.0), 1.0), k * LN2_LOW)
    tail = multiply_add(s, multiply_add(z, polynomial(z, ATANH), half), tail)
    return k * LN2_HIGH - ((half - tail) - f)


def log1p_unit(t, low):
    """log(1 + t + low) for 0 <= t <= 1 and a small correction."""
    large = t > 0.41421356237309503
    scale = select(large, 0.5, 1.0)
    f = multiply_add(t, scale, scale - 1.0)
    s = f / (2.0 + f)
    z = s * s
    half = 0.5 * f * f
    correction = low * scale * multiply_add(s, multiply_add(s, 2.0, -2.0), 1.0)
    tail = multiply_add(s, multiply_add(z, polynomial(z, ATANH), half), correction + select(large, LN2_LOW, 0.0))
    return select(large, LN2_HIGH, 0.0) - ((half - tail) - f)


def log_ratio(a, a_low, b, b_low):
    """log((a + a_low) / (b + b_low)) of positive finite numbers, the low parts not 0 only where the high ones are between
    2**-60 and 2; from mantissas that differ by less than a factor sqrt(2)."""
    a_small, b_small = a < LEAST_NORMAL, b < LEAST_NORMAL
    a = select(a_small, a * 18014398509481984.0, a)
    b = select(b_small, b * 18014398509481984.0, b)
    a_exponent, b_exponent = exponent(a), exponent(b)
    p, q = mantissa(a), mantissa(b)
    p_low = a_low * power_of_two(select(a_exponent > 60.0, -60.0, -a_exponent))
    q_low = b_low * power_of_two(select(b_exponent > 60.0, -60.0, -b_exponent))
    double, halve = p > 1.4142135623730951 * q, q > 1.4142135623730951 * p
    more = select(double, 1.0, select(halve, -1.0, 0.0))
    factor = select(double, 2.0, select(halve, 0.5, 1.0))
    k = (a_exponent - b_exponent) + (more + (select(b_small, 54.0, 0.0) - select(a_small, 54.0, 0.0)))
    q, q_low = q * factor, q_low * factor
    difference, below, inverse = p - q, p + q, 1.0 / (p + q)
    above = difference + (p_low - q_low)
    above_low = (difference - above) + (p_low - q_low)
    below_low = sum_error(p, q, below) + (p_low + q_low)
    s = above * inverse
    product = s * below
    s_low = (((above - product) - product_error(s, below, product)) + (above_low - s * below_low)) * inverse
    z = s * s
    units = k * LN2_HIGH
    total = units + 2.0 * s
    lost = (units - total) + 2.0 * s
    return total + (lost + multiply_add(s * z, polynomial(z, ATANH), multiply_add(k, LN2_LOW, 2.0 * s_low)))


INVERSE_LN2_HIGH, INVERSE_LN2_LOW = 1.4426950365304947, 4.3584687174185184e-09
INVERSE_LN10_HIGH, INVERSE_LN10_LOW = 0.434294480830431, 1.0728208431540585e-09
LOG10_2_HIGH, LOG10_2_LOW = 0.30102999566361177, 3.694239077158931e-13
"""1/log(2), 1/log(10) and log10(2) in two parts, the first with 28 bits and with 40."""
UPPER = -0x100000000
"""The bits that hold the upper 20 bits of a mantissa."""


def parts(f):
    """log(1 + f) as a float64 of 20 bits, and the rest."""
    s = f / (2.0 + f)
    z = s * s
    half = 0.5 * f * f
    high = from_bits(bits(f - half) & UPPER)
    return high, ((f - high) - half) + s * multiply_add(z, polynomial(z, ATANH), half)


def log2(x):
    small = x < LEAST_NORMAL
    normal = select(small, x * 18014398509481984.0, x)
    k = exponent(normal) - select(small, 54.0, 0.0)
    high, low = parts(mantissa(normal) - 1.0)
    product = high * INVERSE_LN2_HIGH
    total = k + product
    rest = ((k - total) + product) + multiply_add(low, INVERSE_LN2_HIGH, (high + low) * INVERSE_LN2_LOW)
    return at_ends(x, total + rest)


def log10(x):
    small = x < LEAST_NORMAL
    normal = select(small, x * 18014398509481984.0, x)
    k = exponent(normal) - select(small, 54.0, 0.0)
    high, low = parts(mantissa(normal) - 1.0)
    product = high * INVERSE_LN10_HIGH
    units = k * LOG10_2_HIGH
    total = units + product
    rest = multiply_add(low, INVERSE_LN10_HIGH, (high + low) * INVERSE_LN10_LOW) + k * LOG10_2_LOW
    return at_ends(x, total + (((units - total) + product) + rest))
