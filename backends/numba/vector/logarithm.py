"""log (below 1 ulp) and log1p (below 2 ulp) on float64, with the reduction and coefficients of fdlibm (Sun Microsystems, 1993:
e_log.c)."""

from __future__ import annotations

import math

from numba import int64

from egc.backends.numba.vector.exponential import LN2_HIGH, LN2_LOW, ROUND
from egc.backends.numba.vector.primitives import bits, from_bits, inner, multiply_add, select


@inner
def log(x):
    """x = 2**k * (1 + f) with sqrt(1/2) <= 1 + f < sqrt(2); log(1 + f) = f - f*f/2 + s*(f*f/2 + R(s*s)), s = f/(2+f)."""
    small = x < 2.2250738585072014e-308
    scaled = select(small, x * 18014398509481984.0, x)
    pattern = bits(scaled)
    mantissa = from_bits((pattern & int64(0xFFFFFFFFFFFFF)) | int64(0x3FF0000000000000))
    large = mantissa > 1.4142135623730951
    f = select(large, mantissa * 0.5, mantissa) - 1.0
    exponent = (pattern >> int64(52)) - int64(1023)
    k = from_bits(exponent + bits(ROUND)) - ROUND
    k = k + select(large, 1.0, 0.0) - select(small, 54.0, 0.0)
    s = f / (2.0 + f)
    z = s * s
    w = z * z
    even = multiply_add(w, 1.531383769920937332e-01, 2.222219843214978396e-01)
    even = w * multiply_add(w, even, 3.999999999940941908e-01)
    odd = multiply_add(w, 1.479819860511658591e-01, 1.818357216161805012e-01)
    odd = multiply_add(w, odd, 2.857142874366239149e-01)
    odd = z * multiply_add(w, odd, 6.666666666666735130e-01)
    half = 0.5 * f * f
    series = multiply_add(s, half + (even + odd), k * LN2_LOW)
    value = k * LN2_HIGH - ((half - series) - f)
    value = select(x == math.inf, x, value)
    value = select(x == 0.0, -math.inf, value)
    return select((x < 0.0) | (x != x), math.nan, value)


@inner
def log1p(x):
    """log(u) for the rounded u = 1 + x, plus what the rounding lost, to first order."""
    u = 1.0 + x
    lost = select(x > 1.0, 1.0 - (u - x), x - (u - 1.0))
    correction = select((u > 0.0) & (u < math.inf), lost / u, 0.0)
    return select(x == 0.0, x, log(u) + correction)
