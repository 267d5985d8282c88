"""exp, log and log1p on float64 as straight-line arithmetic, which LLVM turns into vector code.

Errors stay below 1 ulp for exp and log, and below 2 ulp for log1p; infinities, nan, zeros and subnormal numbers give
what C's functions give. The reductions and the coefficients of log are those of fdlibm (Sun Microsystems, 1993:
e_exp.c and e_log.c); exp's polynomial is its Taylor series, whose 14th term is below 2**-57 on the reduced interval.
"""

from __future__ import annotations

import math

from llvmlite import ir
from numba import int64, njit, types
from numba.core import cgutils
from numba.extending import intrinsic

inner = njit(error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True, forceinline=True)

LN2_HIGH = 6.93147180369123816490e-01
LN2_LOW = 1.90821492927058770002e-10
LOG2_E = 1.44269504088896338700
ROUND = 6755399441055744.0
"""1.5 * 2**52: adding it rounds a small float64 to an integer, which then stands in the low bits."""


@intrinsic
def bits(context, x):
    """The bits of a float64 as an int64."""

    def generate(context, builder, signature, arguments):
        return builder.bitcast(arguments[0], context.get_value_type(types.int64))

    return types.int64(types.float64), generate


@intrinsic
def from_bits(context, x):
    """The float64 that has the bits of an int64."""

    def generate(context, builder, signature, arguments):
        return builder.bitcast(arguments[0], context.get_value_type(types.float64))

    return types.float64(types.int64), generate


@intrinsic
def select(context, condition, a, b):
    """`a if condition else b` without a branch, for two values of one type."""

    def generate(context, builder, signature, arguments):
        return builder.select(*arguments)

    return a(types.boolean, a, a), generate


@intrinsic
def multiply_add(context, a, b, c):
    """`a*b + c` for float64, rounded once where the processor does so in one instruction."""

    def generate(context, builder, signature, arguments):
        double = ir.DoubleType()
        kind = ir.FunctionType(double, [double] * 3)
        declared = cgutils.get_or_insert_function(builder.module, kind, "llvm.fmuladd.f64")
        return builder.call(declared, arguments)

    return types.float64(types.float64, types.float64, types.float64), generate


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
