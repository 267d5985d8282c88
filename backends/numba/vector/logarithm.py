"""log, log2, log10 and log1p, each below 1.5 ulp.

The argument is 2**k * (1 + f) with sqrt(1/2) <= 1 + f < sqrt(2), and log(1 + f) = 2*atanh(s), s = f / (2 + f), taken as
f - (f*f/2 - s*(f*f/2 + R(s*s))), whose first term is exact (fdlibm, Sun Microsystems, 1993: e_log.c). The polynomial is
minimax. log2 and log10 multiply log(1 + f) as two parts (as fdlibm's e_log2.c and e_log10.c do).
"""

from __future__ import annotations

import math

from egc.backends.numba.vector.exponential import power_of_two
from egc.backends.numba.vector.lanes import (
    bits,
    from_bits,
    multiply_add,
    polynomial,
    product_error,
    select,
    sum_error,
)


def exponent(x):
    """k of x = 2**k * m with sqrt(1/2) <= m < sqrt(2), for normal numbers."""
    form = x.format
    field = (bits(x) + (form.one - form.sqrt_half)) >> form.digits
    return from_bits(field | ((form.bias + form.digits) << form.digits)) - (2.0**form.digits + form.bias)


def mantissa(x):
    """m of x = 2**k * m with sqrt(1/2) <= m < sqrt(2), for normal numbers."""
    form = x.format
    return from_bits(((bits(x) + (form.one - form.sqrt_half)) & form.mantissa) + form.sqrt_half)


def normalized(x):
    """A positive number times a power of two that makes it normal, and that power."""
    small = x < x.format.least_normal
    shift = x.format.digits + 2.0
    return select(small, x * 2.0**shift, x), select(small, shift, 0.0)


def halved(f):
    """f*f/2 and f*f/2 - (f - log(1 + f))."""
    s = f / (2.0 + f)
    z = s * s
    half = 0.5 * f * f
    return half, s * multiply_add(z, polynomial(z, f.format.atanh), half)


def inverse_power(k):
    """2**-k as far as it counts beside 1."""
    limit = k.format.digits + 8.0
    return power_of_two(select(k > limit, -limit, -k))


def log_terms(k, f, low=None):
    """k*log(2) + log(1 + f) + low / (1 + f), and what its last sums lost: the factor of a correction needs few bits."""
    ln2_high, ln2_low = f.format.ln2
    s = f / (2.0 + f)
    z = s * s
    half = 0.5 * f * f
    tail = k * ln2_low
    if low is not None:
        tail = multiply_add(low, multiply_add(s, multiply_add(s, 2.0, -2.0), 1.0), tail)
    tail = multiply_add(s, multiply_add(z, polynomial(z, f.format.atanh), half), tail)
    units, curvature = k * ln2_high, half - tail
    less = curvature - f
    total = units - less
    return total, ((units - total) - less) - (curvature - (less + f))


def log_sum(k, f, low=None):
    return log_terms(k, f, low)[0]


def at_ends(x, value):
    """A logarithm of x, given its value for positive finite numbers."""
    value = select(x == math.inf, x, value)
    value = select(x == 0.0, -math.inf, value)
    return select((x < 0.0) | (x != x), math.nan, value)


def log(x):
    normal, shift = normalized(x)
    return at_ends(x, log_sum(exponent(normal) - shift, mantissa(normal) - 1.0))


def reduced(t):
    """k, 2**-k and f of 1 + t = 2**k * (1 + f): k from 1 + t as rounded, so that f is rounded once, and exact for k = 0."""
    u = 1.0 + t
    k = exponent(u)
    scale = inverse_power(k)
    return k, scale, select(k > t.format.digits + 8.0, mantissa(u) - 1.0, multiply_add(t, scale, scale - 1.0))


def log1p(x):
    k, _, f = reduced(x)
    return select(x == 0.0, x, at_ends(1.0 + x, log_sum(k, f)))


def log1p_sum(t, low, more):
    """log(1 + t + low) + more*log(2), for t >= 0 and a small correction."""
    k, scale, f = reduced(t)
    return log_sum(k + more, f, low * scale)


def log1p_unit(t, low):
    """log(1 + t + low) for 0 <= t <= 1 and a small correction, and what its last sums lost."""
    large = t > 0.41421356237309503
    scale = select(large, 0.5, 1.0)
    return log_terms(select(large, 1.0, 0.0), multiply_add(t, scale, scale - 1.0), low * scale)


def log_ratio(a, a_low, b, b_low):
    """log((a + a_low) / (b + b_low)) of positive finite numbers, the low parts not 0 only where the high ones are between
    2**-60 and 2; from mantissas that differ by less than a factor sqrt(2)."""
    (a, a_shift), (b, b_shift) = normalized(a), normalized(b)
    a_exponent, b_exponent = exponent(a), exponent(b)
    p, q = mantissa(a), mantissa(b)
    p_low, q_low = a_low * inverse_power(a_exponent), b_low * inverse_power(b_exponent)
    double, halve = p > 1.4142135623730951 * q, q > 1.4142135623730951 * p
    more = select(double, 1.0, select(halve, -1.0, 0.0))
    factor = select(double, 2.0, select(halve, 0.5, 1.0))
    k = (a_exponent - b_exponent) + (more + (b_shift - a_shift))
    q, q_low = q * factor, q_low * factor
    difference, below, inverse = p - q, p + q, 1.0 / (p + q)
    above = difference + (p_low - q_low)
    above_low = (difference - above) + (p_low - q_low)
    below_low = sum_error(p, q, below) + (p_low + q_low)
    s = above * inverse
    product = s * below
    s_low = (((above - product) - product_error(s, below, product)) + (above_low - s * below_low)) * inverse
    z = s * s
    ln2_high, ln2_low = a.format.ln2
    units = k * ln2_high
    total = units + 2.0 * s
    lost = (units - total) + 2.0 * s
    return total + (lost + multiply_add(s * z, polynomial(z, a.format.atanh), multiply_add(k, ln2_low, 2.0 * s_low)))


def parts(f):
    """log(1 + f) as a float of half the mantissa's bits, and the rest."""
    half, tail = halved(f)
    high = from_bits(bits(f - half) & f.format.upper)
    return high, ((f - high) - half) + tail


def log2(x):
    normal, shift = normalized(x)
    k = exponent(normal) - shift
    high, low = parts(mantissa(normal) - 1.0)
    factor, factor_low = x.format.inverse_ln2
    product = high * factor
    total = k + product
    rest = ((k - total) + product) + multiply_add(low, factor, (high + low) * factor_low)
    return at_ends(x, total + rest)


def log10(x):
    normal, shift = normalized(x)
    k = exponent(normal) - shift
    high, low = parts(mantissa(normal) - 1.0)
    factor, factor_low = x.format.inverse_ln10
    unit, unit_low = x.format.log10_2
    product, units = high * factor, k * unit
    total = units + product
    rest = multiply_add(low, factor, (high + low) * factor_low) + k * unit_low
    return at_ends(x, total + (((units - total) + product) + rest))
