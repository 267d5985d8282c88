"""log and log1p on float64, each below 1 ulp or little above.

The argument is 2**k * (1 + f) with sqrt(1/2) <= 1 + f < sqrt(2), and log(1 + f) = 2*atanh(s), s = f / (2 + f), taken as
f - (f*f/2 - s*(f*f/2 + R(s*s))), whose first term is exact (fdlibm, Sun Microsystems, 1993: e_log.c). The polynomial is
minimax, by Remez' algorithm.
"""

from __future__ import annotations

import math

from egc.backends.numba.vector.exponential import LN2_HIGH, LN2_LOW, power_of_two
from egc.backends.numba.vector.primitives import bits, from_bits, inner, multiply_add, polynomial, select, shift_right

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


@inner
def exponent(x):
    """k of x = 2**k * m with sqrt(1/2) <= m < sqrt(2), for normal numbers."""
    field = shift_right(bits(x) + (ONE - SQRT_HALF), 52)
    return from_bits(field | UNIT_EXPONENT) - (4503599627370496.0 + 1023.0)


@inner
def mantissa(x):
    """m of x = 2**k * m with sqrt(1/2) <= m < sqrt(2), for normal numbers."""
    return from_bits(((bits(x) + (ONE - SQRT_HALF)) & MANTISSA) + SQRT_HALF)


@inner
def log_sum(k, f):
    """k*log(2) + log(1 + f)."""
    s = f / (2.0 + f)
    z = s * s
    half = 0.5 * f * f
    tail = multiply_add(s, multiply_add(z, polynomial(z, ATANH), half), k * LN2_LOW)
    return k * LN2_HIGH - ((half - tail) - f)


@inner
def at_ends(x, value):
    """A logarithm of x, given its value for positive finite numbers."""
    value = select(x == math.inf, x, value)
    value = select(x == 0.0, -math.inf, value)
    return select((x < 0.0) | (x != x), math.nan, value)


@inner
def log(x):
    small = x < LEAST_NORMAL
    normal = select(small, x * 18014398509481984.0, x)
    k = exponent(normal) - select(small, 54.0, 0.0)
    return at_ends(x, log_sum(k, mantissa(normal) - 1.0))


@inner
def log1p(x):
    """With k from 1 + x as rounded, f = 2**-k * x + (2**-k - 1) is rounded once, and exact where k is 0."""
    u = 1.0 + x
    k = exponent(u)
    scale = power_of_two(-k)
    f = select(k > 60.0, mantissa(u) - 1.0, multiply_add(x, scale, scale - 1.0))
    return select(x == 0.0, x, at_ends(u, log_sum(k, f)))
