"""exp on float64. Errors stay below 1 ulp; the reduction is fdlibm's (Sun Microsystems, 1993: e_exp.c), the polynomial its
Taylor series, whose 14th term is below 2**-57 on the reduced interval."""

from __future__ import annotations

from numba import int64

from egc.backends.numba.vector.primitives import bits, from_bits, inner, multiply_add, select

LN2_HIGH = 6.93147180369123816490e-01
LN2_LOW = 1.90821492927058770002e-10
LOG2_E = 1.44269504088896338700
ROUND = 6755399441055744.0
"""1.5 * 2**52: adding it rounds a small float64 to an integer, which then stands in the low bits."""


@inner
def exp(x):
    """x = n*log(2) + r with abs(r) <= log(2)/2; 2**n in two factors, since n may be below the least exponent."""
    x = select(x > 710.0, 710.0, select(x < -746.0, -746.0, x))
    shifted = multiply_add(x, LOG2_E, ROUND)
    n = shifted - ROUND
    r = multiply_add(n, -LN2_LOW, multiply_add(n, -LN2_HIGH, x))
    q = multiply_add(r, 1.0 / 6227020800.0, 1.0 / 479001600.0)
    q = multiply_add(r, q, 1.0 / 39916800.0)
    q = multiply_add(r, q, 1.0 / 3628800.0)
    q = multiply_add(r, q, 1.0 / 362880.0)
    q = multiply_add(r, q, 1.0 / 40320.0)
    q = multiply_add(r, q, 1.0 / 5040.0)
    q = multiply_add(r, q, 1.0 / 720.0)
    q = multiply_add(r, q, 1.0 / 120.0)
    q = multiply_add(r, q, 1.0 / 24.0)
    q = multiply_add(r, q, 1.0 / 6.0)
    q = multiply_add(r, q, 0.5)
    value = 1.0 + multiply_add(r * r, q, r)
    exponent = bits(shifted) - bits(ROUND)
    half = exponent >> int64(1)
    return value * from_bits((half + 1023) << int64(52)) * from_bits((exponent - half + 1023) << int64(52))
