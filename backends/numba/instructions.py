"""The language of functions with loops and branches: Python on `Value`s writes LLVM instructions as it runs.

Numbers are whole (64 bits), truth values, elements of arrays and addresses. For what programs of linear algebra have in common:
numba's front end takes a hundred times as long for such a function, and once more for each order of its arrays in memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import wraps
from inspect import Signature, signature
from typing import Any

from llvmlite import ir
from numba.core import cgutils
from numba.extending import intrinsic

from egc.backends.numba.fortran import INT, invoke, symbol

WORD, BYTE, TRUTH, VOID = ir.IntType(64), ir.IntType(8), ir.IntType(1), ir.VoidType()

__all__ = [
    "BYTE", "INT", "TRUTH", "VOID", "WORD", "Code", "Value", "added_product", "as_intrinsic", "outlined", "product", "unpacked",
]  # fmt: skip


class Value:
    """A value in the code being written."""

    __slots__ = ("builder", "value")

    def __init__(self, builder: Any, value: Any):
        self.builder, self.value = builder, value

    def _operand(self, other: Any) -> Any:
        return other.value if isinstance(other, Value) else ir.Constant(self.value.type, other)

    def _made(self, method: str, other: Any) -> Value:
        return Value(self.builder, getattr(self.builder, method)(self.value, self._operand(other)))

    def _compared(self, operator: str, other: Any) -> Value:
        return Value(self.builder, self.builder.icmp_signed(operator, self.value, self._operand(other)))

    def __add__(self, other: Any) -> Value:
        """The sum; of an address, that of a number of elements further on."""
        if isinstance(self.value.type, ir.PointerType):
            count = other.value if isinstance(other, Value) else WORD(other)
            return Value(self.builder, self.builder.gep(self.value, [count]))
        return self._made("add", other)

    def __sub__(self, other: Any) -> Value:
        return self._made("sub", other)

    def __mul__(self, other: Any) -> Value:
        return self._made("mul", other)

    def __floordiv__(self, other: Any) -> Value:
        """Rounded to zero."""
        return self._made("sdiv", other)

    def __mod__(self, other: Any) -> Value:
        """With the sign of the left operand."""
        return self._made("srem", other)

    def __and__(self, other: Any) -> Value:
        return self._made("and_", other)

    def __or__(self, other: Any) -> Value:
        return self._made("or_", other)

    def __xor__(self, other: Any) -> Value:
        return self._made("xor", other)

    def __invert__(self) -> Value:
        return Value(self.builder, self.builder.not_(self.value))

    def __lt__(self, other: Any) -> Value:
        return self._compared("<", other)

    def __le__(self, other: Any) -> Value:
        return self._compared("<=", other)

    def __gt__(self, other: Any) -> Value:
        return self._compared(">", other)

    def __ge__(self, other: Any) -> Value:
        return self._compared(">=", other)

    def __eq__(self, other: Any) -> Value:  # type: ignore[override]
        return self._compared("==", other)

    def __ne__(self, other: Any) -> Value:  # type: ignore[override]
        return self._compared("!=", other)

    __hash__ = None  # type: ignore[assignment]

    def __getitem__(self, index: Any) -> Value:
        """What an address refers to, so many elements on; a whole number with 64 bits."""
        found = self.builder.load((self + index).value)
        if isinstance(found.type, ir.IntType) and found.type.width < WORD.width:
            found = self.builder.sext(found, WORD)
        return Value(self.builder, found)

    def __setitem__(self, index: Any, value: Any) -> None:
        kind, place = self.value.type.pointee, (self + index).value
        given = value.value if isinstance(value, Value) else ir.Constant(kind, value)
        if isinstance(kind, ir.IntType) and given.type != kind:
            given = self.builder.trunc(given, kind)
        self.builder.store(given, place)

    def is_zero(self) -> Value:
        """Of an element of an array."""
        if not isinstance(self.value.type, ir.LiteralStructType):
            return Value(self.builder, self.builder.fcmp_ordered("==", self.value, ir.Constant(self.value.type, 0)))
        real, imaginary = self._parts()
        return real.is_zero() & imaginary.is_zero()

    def _parts(self) -> list[Value]:
        """Of a complex number."""
        return [Value(self.builder, self.builder.extract_value(self.value, k)) for k in (0, 1)]

    def _joined(self, real: Any, imaginary: Any) -> Value:
        made = self.builder.insert_value(ir.Constant(self.value.type, ir.Undefined), real, 0)
        return Value(self.builder, self.builder.insert_value(made, imaginary, 1))

    def __bool__(self) -> bool:
        raise TypeError("written code branches with `when`, `either` and `select`")


def product(a: Value, b: Value) -> Value:
    """Of two elements of arrays."""
    builder = a.builder
    if not isinstance(a.value.type, ir.LiteralStructType):
        return Value(builder, builder.fmul(a.value, b.value, flags=("contract",)))
    (x, y), (u, v) = a._parts(), b._parts()
    ends, middle = product(x, u), (product(x, v), product(y, u))
    real = builder.fsub(ends.value, product(y, v).value, flags=("contract",))
    imaginary = builder.fadd(middle[0].value, middle[1].value, flags=("contract",))
    return a._joined(real, imaginary)


def added_product(total: Value, a: Value, b: Value) -> Value:
    """`total + a * b` of elements, rounded once where the processor can."""
    builder, more = total.builder, product(a, b)
    if not isinstance(total.value.type, ir.LiteralStructType):
        return Value(builder, builder.fadd(total.value, more.value, flags=("contract",)))
    pairs = zip(total._parts(), more._parts())
    return total._joined(*(builder.fadd(x.value, y.value, flags=("contract",)) for x, y in pairs))


class Code:
    """Where code is being written. letter: that of LAPACK's routines for the elements."""

    def __init__(self, context: Any, builder: Any, letter: str):
        self.context, self.builder, self.letter = context, builder, letter

    def value(self, given: Any) -> Value:
        """Of Python's integers and truth values, LLVM's values, and values."""
        if isinstance(given, Value):
            return given
        if isinstance(given, (bool, int)):
            given = (TRUTH if isinstance(given, bool) else WORD)(given)
        return Value(self.builder, given)

    def letter_value(self, character: str) -> Value:
        """What LAPACK takes a letter as."""
        return Value(self.builder, BYTE(ord(character)))

    @contextmanager
    def when(self, condition: Value) -> Iterator[None]:
        with self.builder.if_then(condition.value):
            yield

    def either(self, condition: Value) -> AbstractContextManager[Any]:
        """Gives two contexts: of code where the condition holds, and where not."""
        return self.builder.if_else(condition.value)

    @contextmanager
    def range(self, start: Any, stop: Any, step: Any = 1) -> Iterator[Value]:
        """A loop with rising indices; gives the index."""
        bounds = [self.value(each).value for each in (start, stop, step)]
        with cgutils.for_range_slice(self.builder, *bounds, WORD) as (index, _):
            yield Value(self.builder, index)

    @contextmanager
    def falling(self, count: Value) -> Iterator[Value]:
        """A loop over the indices below a number, the last one first."""
        with self.range(0, count) as index:
            yield count - 1 - index

    def select(self, condition: Value, a: Any, b: Any) -> Value:
        """One of two values; a string is a letter for LAPACK."""
        first, second = (self.letter_value(x) if isinstance(x, str) else self.value(x) for x in (a, b))
        return Value(self.builder, self.builder.select(condition.value, first.value, second.value))

    def larger(self, a: Value, *others: Any) -> Value:
        for other in others:
            a = self.select(a > other, a, other)
        return a

    def smaller(self, a: Value, b: Any) -> Value:
        return self.select(a < b, a, b)

    def cell(self, kind: Any, initial: Any = None) -> Value:
        """The address of a value on the stack."""
        place = Value(self.builder, cgutils.alloca_once(self.builder, kind))
        if initial is not None:
            place[0] = initial
        return place

    def element(self, kind: Any, number: float) -> Value:
        """A number as an element of an array of a type of LLVM's."""
        constant = [number, 0] if isinstance(kind, ir.LiteralStructType) else number
        return Value(self.builder, ir.Constant(kind, constant))

    def clear(self, place: Value, count: Value) -> None:
        """Makes so many elements 0."""
        size = self.context.get_abi_sizeof(place.value.type.pointee)
        cgutils.memset(self.builder, place.value, (count * size).value, 0)

    def routine(self, name: str, *arguments: Any) -> None:
        """Calls one of BLAS or LAPACK, see `fortran.routine`; a string is a letter."""
        given = (self.letter_value(x) if isinstance(x, str) else self.value(x) for x in arguments)
        invoke(self.builder, symbol(self.letter + name), [each.value for each in given])


Written = Callable[..., Any]


def outlined(gives: Any = VOID) -> Callable[[Written], Written]:
    """For a function of a `Code` and of values: it is written once in a module, for each letter, and called.

    gives: LLVM's type of its result.
    """

    def decorated(function: Written) -> Written:
        @wraps(function)
        def call(code: Code, *arguments: Any) -> Value:
            values = [code.value(each).value for each in arguments]
            kind = ir.FunctionType(gives, [each.type for each in values])
            name = f"egc_{function.__name__}_{code.letter}"
            written = cgutils.get_or_insert_function(code.builder.module, kind, name)
            if not written.blocks:
                _write(code, written, function)
            return Value(code.builder, code.builder.call(written, values))

        return call

    return decorated


def _write(code: Code, written: Any, function: Written) -> None:
    written.linkage = "linkonce_odr"
    written.attributes.add("noinline")
    written.attributes.add("nounwind")
    builder = ir.IRBuilder(written.append_basic_block("entry"))
    inner = Code(code.context, builder, code.letter)
    result = function(inner, *(Value(builder, each) for each in written.args))
    if result is None:
        builder.ret_void()
    else:
        builder.ret(inner.value(result).value)


def as_intrinsic(typed: Callable[..., Any], write: Written) -> Any:
    """The intrinsic function of numba's that `typed` is, with the parameters of what it writes behind a `Code`."""
    first, *rest = signature(write).parameters.values()
    typed.__signature__ = Signature([first, *rest])  # type: ignore[attr-defined]
    typed.__name__ = typed.__qualname__ = write.__name__.lstrip("_")
    return intrinsic(typed)


def unpacked(builder: Any, packed: Any) -> Sequence[Value]:
    """The values of a tuple, or of lengths and strides."""
    return [Value(builder, each) for each in cgutils.unpack_tuple(builder, packed)]
