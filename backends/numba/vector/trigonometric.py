"""sin, cos and tan. On float64 errors stay below 2 ulp, on float32, which float64 serves, below 1.

Up to 2**20 quarter turns are taken off in four parts of pi/2, of which the first three have 33 bits, so that their multiples
are exact (Cody and Waite, Software Manual for the Elementary Functions, 1980, chapter 8; the parts as in fdlibm, Sun
Microsystems, 1993); what is left is one minimax polynomial (Remez) on half a turn, or on a quarter for tan. Arguments above
are exceptional: of 2/pi times the power of two in them only the bits below a full turn are used (Payne and Hanek, Radian
reduction for trigonometric functions, ACM SIGNUM Newsletter 18(1), 1983), 26 at a time, whose products with half a mantissa
are exact.
"""

from __future__ import annotations

import math

from egc.backends.numba.vector.exceptional import element, exceptionally
from egc.backends.numba.vector.exponential import power_of_two
from egc.backends.numba.vector.lanes import (
    bits,
    from_bits,
    multiply_add,
    narrowed,
    polynomial,
    product_error,
    select,
    sum_error,
    widened,
    with_sign,
)

QUARTER = 1.5707963267341256
QUARTER_2 = 6.077100506303966e-11
QUARTER_3 = 2.0222662487111665e-21
QUARTER_4 = 8.4784276603689e-32
QUARTERS = 2.0 / math.pi
HALF_PI = 1.5707963267948966
HALF_PI_LOW = 6.123233995736766e-17
LARGEST = 1.0e6
ROUND = 1.5 * 2.0**52
"""Adding it rounds a small float64 to an integer, which then stands in the low bits."""
MANY_TURNS, TURNS = 1.5 * 2.0**92, 1.5 * 2.0**54
"""Likewise to a multiple of 2**40, and of 4."""
ROUNDED, MANTISSA, UPPER = 0x4330000000000000, (1 << 52) - 1, -(1 << 27)
"""The bits of 2**52, and those that hold a mantissa and its upper half."""
ROUND_EVEN = 1.5 * 2.0**53
"""Likewise to an even integer, half of which then stands in the low bits."""


def _inverse_tangent(n: int, unit: int) -> int:
    """arctan(1/n) as a multiple of 1/unit."""
    term = total = unit // n
    for k in range(3, unit.bit_length(), 2):
        term //= -n * n
        total += term // k
    return total


def _digits() -> tuple[float, ...]:
    """2/pi in base 2**26, with pi by Machin's formula (1706)."""
    unit = 1 << 1240
    quarter = 4 * _inverse_tangent(5, unit) - _inverse_tangent(239, unit)
    exact = (unit << 1196) // (2 * quarter)
    return tuple(float(exact >> (1196 - 26 * k) & 0x3FFFFFF) for k in range(1, 47))


DIGITS = _digits()


def reduced(x, n):
    """x - n*pi/2 as a float64 and what is left."""
    first = multiply_add(n, -QUARTER, x)
    second = n * -QUARTER_2
    a = first + second
    third = n * -QUARTER_3
    b = a + third
    low = sum_error(first, second, a) + sum_error(a, third, b)
    low = multiply_add(n, -QUARTER_4, low)
    high = b + low
    return high, (b - high) + low


def sine(high, low):
    """sin(high + low) between -pi/2 and pi/2."""
    z = high * high
    p = polynomial(z, (
        -0.16666666666666666, 0.008333333333333207, -0.0001984126984121247, 2.755731921156621e-06,
        -2.505210690393275e-08, 1.6058940967914666e-10, -7.643018223701894e-13, 2.7214048330238817e-15,
    ))  # fmt: skip
    return high + multiply_add(high * z, p, multiply_add(low * z, -0.5, low))


def negated(x, odd):
    """-x where the integer is odd, else x."""
    return from_bits(bits(x) ^ (odd << 63))


def tangent(high, low):
    """tan(high + low) between -pi/4 and pi/4."""
    z = high * high
    p = polynomial(z, (
        0.33333333333332776, 0.13333333333414832, 0.05396825392656355, 0.021869489611607135, 0.00886321912630366,
        0.003592289430904002, 0.0014547557738051307, 0.0005950741808108183, 0.00022235146053173924,
        0.000136584793707925, -2.6470651814114502e-05, 8.953073099034472e-05, -4.491923324549365e-05,
        2.0873598929340386e-05,
    ))  # fmt: skip
    return high + multiply_add(high * z, p, multiply_add(low, z, low))


def two_sum(a, b):
    """a + b as rounded, and the error."""
    total = a + b
    return total, sum_error(a, b, total)


def quarters(x):
    """abs(x) = (n + high + low) * pi/2 with abs(high) <= 1/2: n + ROUND, high and low, for large x.

    With x = m * 2**k for an integer m, digits before number (k-2)//26 make only full turns.
    """
    k = from_bits(((bits(x) >> 52) & 0x7FF) | ROUNDED) - (2.0**52 + 1075.0)
    start = multiply_add(k - 14.5, 1.0 / 26.0, ROUND)
    start = select(start < ROUND, ROUND, start)
    scale = power_of_two((k - 26.0) - 26.0 * (start - ROUND))
    place = bits(start) & 0xFF
    mantissa = from_bits((bits(x) & MANTISSA) | ROUNDED)
    upper = from_bits(bits(mantissa) & UPPER)
    first = second = third = x * 0.0
    for number in range(8):
        digit = element(DIGITS, place + number) * scale
        scale = scale * 2.0**-26
        for half in (upper, mantissa - upper):
            part = half * digit
            part = part - ((part + MANY_TURNS) - MANY_TURNS)
            first, rest = two_sum(first, part - ((part + TURNS) - TURNS))
            second, rest = two_sum(second, rest)
            third = third + rest
    shifted = (first + second) + ROUND
    first, second = two_sum(first - (shifted - ROUND), second)
    high, low = two_sum(first, second + third)
    return shifted, high, low


def sine_of_quarters(high, low):
    """sin((high + low) * pi/2) between -1 and 1."""
    product = high * HALF_PI
    return sine(product, product_error(high, HALF_PI, product) + (high * HALF_PI_LOW + low * HALF_PI))


def tangent_of_quarters(high, low):
    """tan((high + low) * pi/2) between -1/2 and 1/2."""
    product = high * HALF_PI
    return tangent(product, product_error(high, HALF_PI, product) + (high * HALF_PI_LOW + low * HALF_PI))


def is_odd(n):
    """Whether an integer is odd, as a float64."""
    return n != 2.0 * (multiply_add(n, 0.5, ROUND) - ROUND)


def exceptional_sine(x, turned):
    """sin(abs(x) + turned * pi/2)."""
    shifted, high, low = quarters(x)
    n = shifted + turned
    odd = is_odd(n - ROUND)
    step = select(odd, with_sign(x * 0.0 + 1.0, high), 0.0)
    high, rest = two_sum(high, -step)
    return negated(sine_of_quarters(high, low + rest), bits(n + step) >> 1)


def _sin(x):
    return negated(exceptional_sine(x, 0.0), bits(x) >> 63)


def _cos(x):
    return exceptional_sine(x, 1.0)


def _tan(x):
    shifted, high, low = quarters(x)
    value = tangent_of_quarters(high, low)
    value = select(is_odd(shifted - ROUND), -1.0 / value, value)
    return negated(value, bits(x) >> 63)


exceptional_sin = exceptionally(_sin, -LARGEST, LARGEST)
exceptional_cos = exceptionally(_cos, -LARGEST, LARGEST)
exceptional_tan = exceptionally(_tan, -LARGEST, LARGEST)


def sin(x):
    """x = n*pi + r; sin(x) = (-1)**n * sin(r)."""
    shifted = multiply_add(x, QUARTERS, ROUND_EVEN)
    high, low = reduced(x, shifted - ROUND_EVEN)
    value = select(x == 0.0, x, negated(sine(high, low), bits(shifted)))
    return exceptional_sin(x, value)


def cos(x):
    """x = n*pi + pi/2 + r; cos(x) = -(-1)**n * sin(r)."""
    shifted = multiply_add(x, QUARTERS, -1.0) + ROUND_EVEN
    high, low = reduced(x, (shifted - ROUND_EVEN) + 1.0)
    return exceptional_cos(x, negated(sine(high, low), bits(shifted) + 1))


def tan(x):
    """x = n*pi/2 + r; tan(x) is tan(r) for even n, -1/tan(r) for odd n."""
    n = multiply_add(x, QUARTERS, ROUND) - ROUND
    high, low = reduced(x, n)
    value = tangent(high, low)
    value = select(is_odd(n), -1.0 / value, value)
    return exceptional_tan(x, select(x == 0.0, x, value))


def reduced_once(x, n):
    """x - n*pi/2 for a float64 that is a float32."""
    return multiply_add(n, -6.077100506506192e-11, multiply_add(n, -QUARTER, x))


def sine_once(r):
    z = r * r
    p = polynomial(z, (
        -0.16666666626199356, 0.0083333311104834, -0.0001984086839881127, 2.7525391291977956e-06, -2.388898735625081e-08,
    ))  # fmt: skip
    return multiply_add(r * z, p, r)


def sin_float32(x):
    wide = widened(x)
    shifted = multiply_add(wide, QUARTERS, ROUND_EVEN)
    value = negated(sine_once(reduced_once(wide, shifted - ROUND_EVEN)), bits(shifted))
    return select(x == 0.0, x, narrowed(exceptional_sin(wide, value)))


def cos_float32(x):
    wide = widened(x)
    shifted = multiply_add(wide, QUARTERS, -1.0) + ROUND_EVEN
    value = sine_once(reduced_once(wide, (shifted - ROUND_EVEN) + 1.0))
    return narrowed(exceptional_cos(wide, negated(value, bits(shifted) + 1)))


def tan_float32(x):
    wide = widened(x)
    n = multiply_add(wide, QUARTERS, ROUND) - ROUND
    r = reduced_once(wide, n)
    z = r * r
    p = polynomial(
        z,
        (
            0.33333331845124187,
            0.13333410578596896,
            0.05395463621717092,
            0.02198459630577283,
            0.008331796621002054,
            0.0049916743200083095,
            -0.0005945114062067736,
            0.002040514363693812,
        ),
    )
    value = multiply_add(r * z, p, r)
    value = select(is_odd(n), -1.0 / value, value)
    return select(x == 0.0, x, narrowed(exceptional_tan(wide, value)))
