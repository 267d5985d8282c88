"""power and cbrt on float64, each below 1.5 ulp."""

from __future__ import annotations

import math

from egc.backends.numba.vector import formats
from egc.backends.numba.vector.exponential import clipped, growth2, power_of_two, rounded, scaled
from egc.backends.numba.vector.lanes import (
    multiply_add,
    narrowed,
    polynomial,
    product_error,
    select,
    widened,
    with_sign,
)
from egc.backends.numba.vector.logarithm import exponent, mantissa, normalized

ATANH_TAIL = (
    0.1999999999999999,
    0.1428571428572256,
    0.11111111108767133,
    0.09090909435302708,
    0.07692278424984034,
    0.06668159132162475,
    0.05837400391018,
    0.059945821958656484,
)
"""(atanh(s) - s - s**3/3) / s**5 in s**2, within 2**-73 relative to s."""
THIRD_HIGH, THIRD_LOW = 0.3333333333333333, 1.850371707708594e-17
TWO_OVER_LN2_HIGH, TWO_OVER_LN2_LOW = 2.8853900817779268, 4.0710547481862066e-17

LOG2_SHORT = (2.8853900817779268, 0.9617966791889544, 0.5770828537080749, 0.41170619507513473, 0.3402218101080105)
"""2/log(2) * atanh(s) / s in s**2, within 2**-37."""

INVERSE_ROOT = (
    1.7810624012403227,
    -1.5660445055794794,
    1.2438063279932223,
    -0.5978862215500009,
    0.1560758138445245,
    -0.01701956205853195,
)
"""m**(-1/3) for 1 <= m <= 2, within 2**-17."""
INTEGERS = 4503599627370496.0
"""2**52: from here on every float64 is an integer, and from twice that an even one."""


def log2_parts(x):
    """log2 of a positive finite number as a sum of two float64, within 2**-65 of it.

    log2(x) = k + 2/log(2) * atanh(s), s = f / (2 + f), as in log; s, its series' first two terms and the factor are sums
    of two float64 (Dekker, A floating-point technique for extending the available precision, Numerische Mathematik 18,
    1971).
    """
    normal, shift = normalized(x)
    k = exponent(normal) - shift
    f = mantissa(normal) - 1.0
    below = 2.0 + f
    inverse = 1.0 / below
    s = f * inverse
    product = s * below
    s_low = (((f - product) - product_error(s, below, product)) - s * (f - (below - 2.0))) * inverse
    z = s * s
    z_low = multiply_add(2.0 * s, s_low, product_error(s, s, z))
    third = z * THIRD_HIGH
    third_low = multiply_add(z_low, THIRD_HIGH, multiply_add(z, THIRD_LOW, product_error(z, THIRD_HIGH, third)))
    tail = z * z * polynomial(z, ATANH_TAIL)
    series = third + tail
    series_low = ((third - series) + tail) + third_low
    cubic = s * series
    cubic_low = multiply_add(s, series_low, multiply_add(s_low, series, product_error(s, series, cubic)))
    total = s + cubic
    total_low = ((s - total) + cubic) + (cubic_low + s_low)
    part = total * TWO_OVER_LN2_HIGH
    part_low = multiply_add(
        total_low,
        TWO_OVER_LN2_HIGH,
        multiply_add(total, TWO_OVER_LN2_LOW, product_error(total, TWO_OVER_LN2_HIGH, part)),
    )
    high = k + part
    return high, ((k - high) + part) + part_low


def is_integer(size):
    return (size >= INTEGERS) | ((size + INTEGERS) - INTEGERS == size)


def with_ends(x, y, value):
    """pow(x, y) with its sign and special values (ISO C, annex F.10.4.4), given abs(x)**y for finite x other than 0."""
    base = abs(x)
    ends = (base == 0.0) | (base == math.inf)
    value = select(ends, select((base == 0.0) ^ (y > 0.0), math.inf, 0.0), value)
    value = select(base == 1.0, 1.0, value)
    size = abs(y)
    integer = is_integer(size)
    odd = integer & (size < 2.0 * INTEGERS) & ~is_integer(0.5 * size)
    value = with_sign(value, select(odd, x, 1.0))
    value = select((x < 0.0) & (base < math.inf) & ~integer, math.nan, value)
    value = select((x != x) | (y != y), math.nan, value)
    return select((x == 1.0) | (y == 0.0), 1.0, value)


def power(x, y):
    """2**(y * log2(abs(x)))."""
    high, low = log2_parts(abs(x))
    product = y * high
    rest = multiply_add(y, low, product_error(y, high, product))
    n, change = growth2(product, select(abs(product) < 1100.0, rest, 0.0))
    return with_ends(x, y, scaled(1.0 + change, n))


def power_float32(x, y):
    """As power, in plain float64."""
    x, y = widened(x), widened(y)
    base = abs(x)
    f = mantissa(base) - 1.0
    s = f / (2.0 + f)
    logarithm = exponent(base) + s * polynomial(s * s, LOG2_SHORT)
    product = clipped(y * logarithm, -200.0, 200.0)
    n = rounded(product)
    r = product - n
    value = multiply_add(r, polynomial(r, formats.FLOAT32.exp2), 1.0) * power_of_two(n)
    return narrowed(with_ends(x, y, value))


def inverse_cube_root(size):
    """a and its cube root's inverse y, and k, where a * 8**k is the given number: a polynomial, and a step of Halley's."""
    normal, shift = normalized(size)
    k, m = exponent(normal) - shift, mantissa(normal)
    low = m < 1.0
    m, k = select(low, 2.0 * m, m), select(low, k - 1.0, k)
    third = rounded(k * 0.3333333333333333)
    remainder = multiply_add(third, -3.0, k)
    y = polynomial(m, INVERSE_ROOT)
    y = y * select(remainder > 0.0, 0.7937005259840998, select(remainder < 0.0, 1.2599210498948732, 1.0))
    a = m * select(remainder > 0.0, 2.0, select(remainder < 0.0, 0.5, 1.0))
    error = multiply_add(-a * y, y * y, 1.0)
    return a, multiply_add(y * error, multiply_add(error, 0.2222222222222222, 0.3333333333333333), y), third


def cbrt(x):
    """c = a * y**2, and Newton's step on c**3 - a, whose residual is exact but for its last bits."""
    a, y, k = inverse_cube_root(abs(x))
    square = y * y
    c = a * square
    c_square = c * c
    cube = c_square * c
    residual = ((a - cube) - product_error(c_square, c, cube)) - c * product_error(c, c, c_square)
    value = scaled(multiply_add(residual, 0.3333333333333333 * square, c), k)
    return select((x == 0.0) | (abs(x) == math.inf) | (x != x), x, with_sign(value, x))


def cbrt_float32(x):
    """As cbrt, in plain float64."""
    x = widened(x)
    a, y, k = inverse_cube_root(abs(x))
    value = a * (y * y) * power_of_two(k)
    return narrowed(select((x == 0.0) | (abs(x) == math.inf) | (x != x), x, with_sign(value, x)))
