"""The language of straight-line mathematics: Python arithmetic on `Lane` values writes LLVM instructions as it runs.

A function of lanes serves float64 and float32, calls other such functions like any Python function, and has no branches
or loops that remain in the code; `compiled` makes it callable from numba's code. The name is SIMD's: LLVM runs the
iterations of a loop around the code in the lanes of vector registers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from inspect import signature
from typing import Any

from llvmlite import ir
from numba.core import cgutils
from numba.extending import intrinsic

from egc.backends.numba.vector import formats

FLOAT64, FLOAT32 = ir.DoubleType(), ir.FloatType()
INTEGER = {FLOAT64: ir.IntType(64), FLOAT32: ir.IntType(32)}
FORMATS = {FLOAT64: formats.FLOAT64, FLOAT32: formats.FLOAT32}


class Lane:
    """A value in the code being written: a float, an integer of a float's bits, or a truth value.

    `kind` is the float type that is computed with, `fuses` whether the processor multiplies and adds with one rounding.
    """

    __slots__ = ("builder", "fuses", "kind", "value")

    def __init__(self, builder: Any, value: Any, kind: Any, fuses: bool):
        self.builder, self.value, self.kind, self.fuses = builder, value, kind, fuses

    @property
    def format(self) -> formats.Format:
        return FORMATS[self.kind]

    def like(self, value: Any) -> Lane:
        return Lane(self.builder, value, self.kind, self.fuses)

    def operand(self, other: Any) -> Any:
        return other.value if isinstance(other, Lane) else ir.Constant(self.value.type, other)

    def _is_float(self) -> bool:
        return self.value.type == self.kind

    def _arithmetic(self, name: str, other: Any) -> Lane:
        method = getattr(self.builder, "f" + name if self._is_float() else name)
        return self.like(method(self.value, self.operand(other)))

    def _reversed(self, name: str, other: Any) -> Lane:
        return self.like(self.operand(other))._arithmetic(name, self)

    def _compared(self, operator: str, other: Any) -> Lane:
        compare = self.builder.fcmp_unordered if operator == "!=" else self.builder.fcmp_ordered
        return self.like(compare(operator, self.value, self.operand(other)))

    def __add__(self, other: Any) -> Lane:
        return self._arithmetic("add", other)

    def __radd__(self, other: Any) -> Lane:
        return self._reversed("add", other)

    def __sub__(self, other: Any) -> Lane:
        return self._arithmetic("sub", other)

    def __rsub__(self, other: Any) -> Lane:
        return self._reversed("sub", other)

    def __mul__(self, other: Any) -> Lane:
        return self._arithmetic("mul", other)

    def __rmul__(self, other: Any) -> Lane:
        return self._reversed("mul", other)

    def __truediv__(self, other: Any) -> Lane:
        return self._arithmetic("div", other)

    def __rtruediv__(self, other: Any) -> Lane:
        return self._reversed("div", other)

    def __neg__(self) -> Lane:
        return self.like(self.builder.fneg(self.value))

    def __abs__(self) -> Lane:
        return _call("fabs", self)

    def __lt__(self, other: Any) -> Lane:
        return self._compared("<", other)

    def __le__(self, other: Any) -> Lane:
        return self._compared("<=", other)

    def __gt__(self, other: Any) -> Lane:
        return self._compared(">", other)

    def __ge__(self, other: Any) -> Lane:
        return self._compared(">=", other)

    def __eq__(self, other: Any) -> Lane:  # type: ignore[override]
        return self._compared("==", other)

    def __ne__(self, other: Any) -> Lane:  # type: ignore[override]
        return self._compared("!=", other)

    __hash__ = None  # type: ignore[assignment]

    def __and__(self, other: Any) -> Lane:
        return self.like(self.builder.and_(self.value, self.operand(other)))

    def __or__(self, other: Any) -> Lane:
        return self.like(self.builder.or_(self.value, self.operand(other)))

    def __xor__(self, other: Any) -> Lane:
        return self.like(self.builder.xor(self.value, self.operand(other)))

    def __invert__(self) -> Lane:
        return self.like(self.builder.not_(self.value))

    def __lshift__(self, count: int) -> Lane:
        return self.like(self.builder.shl(self.value, self.operand(count)))

    def __rshift__(self, count: int) -> Lane:
        """With zeros from the left."""
        return self.like(self.builder.lshr(self.value, self.operand(count)))

    def __bool__(self) -> bool:
        raise TypeError("code without branches chooses with select")


def _call(name: str, first: Lane, *others: Any) -> Lane:
    """LLVM's intrinsic function of that name."""
    values = [first.value, *map(first.operand, others)]
    kind = ir.FunctionType(first.kind, [first.kind] * len(values))
    suffix = "f64" if first.kind == FLOAT64 else "f32"
    function = cgutils.get_or_insert_function(first.builder.module, kind, f"llvm.{name}.{suffix}")
    return first.like(first.builder.call(function, values))


def _lane(example: Lane, value: Any) -> Lane:
    return value if isinstance(value, Lane) else example.like(ir.Constant(example.kind, value))


def bits(x: Lane) -> Lane:
    """The bits of a float as an integer of its width."""
    return x.like(x.builder.bitcast(x.value, INTEGER[x.kind]))


def from_bits(pattern: Lane) -> Lane:
    """The float that has these bits."""
    return pattern.like(pattern.builder.bitcast(pattern.value, pattern.kind))


def select(condition: Lane, a: Any, b: Any) -> Lane:
    """`a if condition else b` without a branch; both are there."""
    example = next((value for value in (a, b) if isinstance(value, Lane)), None)
    first, second = (
        (_lane(condition, a), _lane(condition, b))
        if example is None
        else (example.like(example.operand(a)), example.like(example.operand(b)))
    )
    return condition.like(condition.builder.select(condition.value, first.value, second.value))


def with_sign(magnitude: Lane, sign: Lane) -> Lane:
    """The magnitude of the one with the sign of the other."""
    return _call("copysign", magnitude, sign)


def square_root(x: Lane) -> Lane:
    return _call("sqrt", x)


def nearest(x: Lane) -> Lane:
    """The nearest integer, the even one of two."""
    return _call("rint", x)


def multiply_add(a: Any, b: Any, c: Any) -> Lane:
    """`a*b + c`, rounded once where the processor does so in one instruction."""
    example = next(value for value in (a, b, c) if isinstance(value, Lane))
    return _call("fmuladd", _lane(example, a), b, c)


def polynomial(x: Lane, coefficients: Sequence[float]) -> Lane:
    """The polynomial with these coefficients, the constant one first, by Horner's rule."""
    result = _lane(x, coefficients[-1])
    for coefficient in coefficients[-2::-1]:
        result = multiply_add(result, x, coefficient)
    return result


def product_error(a: Lane, b: Any, product: Lane) -> Lane:
    """What `product = a * b` lost by rounding, exactly: fused, or from half mantissas (Dekker, A floating-point
    technique for extending the available precision, Numerische Mathematik 18, 1971), far from the ends of the range."""
    if a.fuses:
        return _call("fma", a, b, -product)
    b = _lane(a, b)
    split = a.format.split
    a_high, b_high = a * split - (a * split - a), b * split - (b * split - b)
    a_low, b_low = a - a_high, b - b_high
    return ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low


def sum_error(a: Any, b: Any, total: Lane) -> Lane:
    """What `total = a + b` lost by rounding, exactly (Knuth's TwoSum, The Art of Computer Programming 2, 4.2.2)."""
    part = total - a
    return (a - (total - part)) + (b - part)


def widened(x: Lane) -> Lane:
    """A float32 as a float64."""
    return Lane(x.builder, x.builder.fpext(x.value, FLOAT64), FLOAT64, x.fuses)


def narrowed(x: Lane) -> Lane:
    """A float64 rounded to float32."""
    return Lane(x.builder, x.builder.fptrunc(x.value, FLOAT32), FLOAT32, x.fuses)


def fuses(context: Any) -> bool:
    """Whether the processor that is compiled for multiplies and adds with one rounding."""
    triple, _, features = context.codegen().magic_tuple()
    return "+fma" in features.split(",") or triple.startswith(("aarch64", "arm64", "powerpc64", "ppc64"))


def compiled(function: Callable[..., Lane]) -> Any:
    """A function of one or two lanes, callable from numba's code on float64 or on float32 scalars."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Sequence[Any]) -> Any:
        fused = fuses(context)
        return function(*(Lane(builder, value, value.type, fused) for value in arguments)).value

    def unary(context, x):
        return x(x), generate

    def binary(context, x, y):
        return x(x, y), generate

    return intrinsic(unary if len(signature(function).parameters) == 1 else binary)
