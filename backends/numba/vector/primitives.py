"""What straight-line mathematics is written with: bit patterns, choices without branches, polynomials, and products and
sums together with what their rounding lost. All take float64 or float32 alike."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

inner = njit(error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True, forceinline=True)

PATTERN = {types.float64: types.int64, types.float32: types.int32}
FLOAT = {integer: real for real, integer in PATTERN.items()}


def call(builder: Any, name: str, *arguments: Any) -> Any:
    """LLVM's intrinsic of that name on floats of one type."""
    kind = arguments[0].type
    suffix = "f64" if kind == ir.DoubleType() else "f32"
    function = ir.FunctionType(kind, [kind] * len(arguments))
    return builder.call(cgutils.get_or_insert_function(builder.module, function, f"llvm.{name}.{suffix}"), arguments)


def fuses(context: Any) -> bool:
    """Whether the processor that is compiled for multiplies and adds with one rounding."""
    triple, _, features = context.codegen().magic_tuple()
    return "+fma" in features.split(",") or triple.startswith(("aarch64", "arm64", "powerpc64", "ppc64"))


@intrinsic
def bits(context, x):
    """The bits of a float as a signed integer of its width."""

    def generate(context, builder, signature, arguments):
        return builder.bitcast(arguments[0], context.get_value_type(signature.return_type))

    return PATTERN[x](x), generate


@intrinsic
def from_bits(context, x):
    """The float that has the bits of an integer of its width."""

    def generate(context, builder, signature, arguments):
        return builder.bitcast(arguments[0], context.get_value_type(signature.return_type))

    return FLOAT[x](x), generate


@intrinsic
def shift_right(context, x, count):
    """`x >> count` with zeros from the left."""

    def generate(context, builder, signature, arguments):
        return builder.lshr(*arguments)

    return x(x, x), generate


@intrinsic
def select(context, condition, a, b):
    """`a if condition else b` without a branch, for two values of one type."""

    def generate(context, builder, signature, arguments):
        return builder.select(*arguments)

    return a(types.boolean, a, a), generate


@intrinsic
def with_sign(context, magnitude, sign):
    """The magnitude of the one with the sign of the other."""

    def generate(context, builder, signature, arguments):
        return call(builder, "copysign", *arguments)

    return magnitude(magnitude, magnitude), generate


@intrinsic
def multiply_add(context, a, b, c):
    """`a*b + c`, rounded once where the processor does so in one instruction."""

    def generate(context, builder, signature, arguments):
        return call(builder, "fmuladd", *arguments)

    return a(a, a, a), generate


@intrinsic
def polynomial(context, x, coefficients):
    """The polynomial with these coefficients, the constant one first, by Horner's rule."""

    def generate(context, builder, signature, arguments):
        point, values = arguments
        result, *rest = reversed(cgutils.unpack_tuple(builder, values))
        for value in rest:
            result = call(builder, "fmuladd", result, point, value)
        return result

    return x(x, coefficients), generate


def _halves_product_error(a, b, product):
    split = a * 134217729.0
    a_high = split - (split - a)
    a_low = a - a_high
    split = b * 134217729.0
    b_high = split - (split - b)
    b_low = b - b_high
    return ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low


@intrinsic
def product_error(context, a, b, product):
    """What `product = a * b` on float64 lost by rounding, exactly: fused, or from half mantissas (Dekker, A floating-point
    technique for extending the available precision, Numerische Mathematik 18, 1971). Magnitudes from 1e-140 to 1e290."""

    def generate(context, builder, signature, arguments):
        if fuses(context):
            a, b, product = arguments
            return call(builder, "fma", a, b, builder.fneg(product))
        return context.compile_internal(builder, _halves_product_error, signature, arguments)

    return a(a, a, a), generate


@inner
def sum_error(a, b, total):
    """What `total = a + b` lost by rounding, exactly (Knuth's TwoSum, The Art of Computer Programming 2, 4.2.2)."""
    part = total - a
    return (a - (total - part)) + (b - part)
