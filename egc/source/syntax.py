"""Pieces of NumPy source: expressions that know their precedence, literals, sizes, indices and names."""

from __future__ import annotations

import keyword
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from egc import sizes
from egc.sizes import Dim

COMPARISON, OR, XOR, AND, SHIFT, SUM, PRODUCT, UNARY, POWER, ATOM = range(10)
"""Python's binding strengths, from the loosest to the tightest that source from a Program needs."""

SizeText = Callable[[Dim], str]


@dataclass(frozen=True)
class Expression:
    """Source text and how tightly it binds."""

    text: str
    level: int = ATOM

    def at(self, level: int) -> str:
        """The text, in parentheses where it binds more loosely than `level`."""
        return self.text if self.level >= level else f"({self.text})"

    @property
    def is_name(self) -> bool:
        return self.text.isidentifier()


BINARY: dict[str, tuple[str, int]] = {
    "add": (" + ", SUM), "subtract": (" - ", SUM), "multiply": (" * ", PRODUCT), "divide": (" / ", PRODUCT),
    "floor_divide": (" // ", PRODUCT), "remainder": (" % ", PRODUCT), "matmul": (" @ ", PRODUCT),
    "power": ("**", POWER), "bitwise_and": (" & ", AND), "bitwise_or": (" | ", OR), "bitwise_xor": (" ^ ", XOR),
    "left_shift": (" << ", SHIFT), "right_shift": (" >> ", SHIFT), "equal": (" == ", COMPARISON),
    "not_equal": (" != ", COMPARISON), "less": (" < ", COMPARISON), "less_equal": (" <= ", COMPARISON),
    "greater": (" > ", COMPARISON), "greater_equal": (" >= ", COMPARISON),
}  # fmt: skip
LOGICAL = {
    "logical_and": "bitwise_and",
    "logical_or": "bitwise_or",
    "logical_xor": "bitwise_xor",
    "logical_not": "invert",
}
"""The bit operation that equals a logical one on bool operands."""

SAFE_FOR_SCALARS = frozenset(
    """add subtract multiply divide bitwise_and bitwise_or bitwise_xor equal not_equal less less_equal greater
       greater_equal""".split()
)
"""The operators that on NumPy's real scalars compute, bit for bit, what the ufunc computes."""


def binary(op: str, a: Expression, b: Expression) -> Expression:
    symbol, level = BINARY[op]
    if op == "power":
        return Expression(f"{a.at(ATOM)}{symbol}{b.at(UNARY)}", POWER)
    left = level + 1 if level == COMPARISON else level
    return Expression(f"{a.at(left)}{symbol}{b.at(level + 1)}", level)


def negated(a: Expression, symbol: str = "-") -> Expression:
    return Expression(f"{symbol}{a.at(UNARY)}", UNARY)


def call(function: str, *arguments: Any, **options: Any) -> Expression:
    parts = [*map(_argument, arguments), *(f"{name}={_argument(value)}" for name, value in options.items())]
    return Expression(f"{function}({', '.join(parts)})")


def _argument(value: Any) -> str:
    return value.text if isinstance(value, Expression) else str(value)


def quoted(text: str) -> str:
    return f'"{text}"'


def after(a: Expression, postfix: str) -> Expression:
    """An attribute, method call or index of an expression."""
    return Expression(f"{a.at(ATOM)}{postfix}")


def index(a: Expression, entries: Sequence[str]) -> Expression:
    """`a[entries]`, without the full slices at the end."""
    kept = list(entries)
    while kept and kept[-1] == ":":
        kept.pop()
    return after(a, f"[{', '.join(kept)}]") if kept else a


def tuple_text(items: Iterable[str]) -> str:
    found = list(items)
    return f"({found[0]},)" if len(found) == 1 else f"({', '.join(found)})"


def literal(value: Any) -> Expression:
    """A Python number. Every value is written so that it reads back as the same bits, but for the sign of a nan."""
    if isinstance(value, complex):
        return _complex_literal(value)
    if isinstance(value, float) and not math.isfinite(value):
        return Expression("np.nan") if math.isnan(value) else _signed("np.inf", value)
    return _signed(repr(abs(value)) if not isinstance(value, bool) else repr(value), value)


def _signed(text: str, value: float) -> Expression:
    return Expression(f"-{text}", UNARY) if math.copysign(1.0, value) < 0 else Expression(text)


def _complex_literal(value: complex) -> Expression:
    real, imag = value.real, value.imag
    if math.isfinite(real) and math.isfinite(imag) and real and imag:
        return Expression(f"({real!r} {'-' if imag < 0 else '+'} {abs(imag)!r}j)")
    return call("complex", literal(real), literal(imag))


def literal_of(value: Any, dtype: np.dtype) -> Expression:
    """A Python number that becomes `value` when it is rounded to `dtype`, in as few digits as float32 needs."""
    if dtype == np.float32 and math.isfinite(value):
        short = float(str(np.float32(value)))
        return literal(short if np.float32(short) == np.float32(value) else value)
    return literal(value)


def scalar_type(dtype: np.dtype) -> str:
    return "np.bool_" if dtype == np.bool_ else f"np.{dtype.name}"


def dtype_text(dtype: np.dtype) -> str:
    return "bool" if dtype == np.bool_ else f"np.{dtype.name}"


def shape_text(shape: Sequence[Dim], text: SizeText) -> str:
    return text(shape[0]) if len(shape) == 1 else tuple_text(map(text, shape))


DEFAULT_DTYPES = {bool: np.dtype(bool), int: np.dtype(np.int64), float: np.dtype(float), complex: np.dtype(complex)}


def filled(value: Any, dtype: np.dtype, shape: Sequence[Dim], text: SizeText) -> Expression:
    """A constant as an array, or as a NumPy scalar at rank 0."""
    if not shape:
        return call(scalar_type(dtype), literal_of(value, dtype))
    place = shape_text(shape, text)
    options = {} if dtype == np.float64 else {"dtype": dtype_text(dtype)}
    plain = not isinstance(value, complex)
    if plain and value == 1:
        return call("np.ones", place, **options)
    if plain and value == 0 and math.copysign(1.0, value) > 0:
        return call("np.zeros", place, **options)
    if dtype == DEFAULT_DTYPES[type(value)]:
        options = {}
    return call("np.full", place, literal_of(value, dtype), **options)


def size_level(value: Dim) -> int:
    """How tightly the text of a size binds."""
    if isinstance(value, int):
        return ATOM if value >= 0 else UNARY
    if len(value.terms) > 1:
        return SUM
    ((monomial, coefficient),) = value.terms
    if coefficient < 0:
        return UNARY if len(monomial) == 1 and coefficient == -1 else SUM
    single = len(monomial) == 1 and coefficient == 1
    return PRODUCT if not single else (ATOM if monomial[0][1] == 1 else POWER)


def slice_entry(length: Dim, start: Dim, count: Dim, step: int, text: SizeText) -> tuple[str, bool]:
    """The slice of an axis that picks `start + j*step` for `0 <= j < count`, and whether to reverse it afterwards.

    The elements exist whenever there are any, so a stop past the end, and one counted from the end, are safe.
    """
    if step < 0:
        whole = sizes.floordiv(length - 1 - step, -step)
        if _same(start, length - 1) and _same(count, whole):
            return f"::{step}", False
        if _same(count, 0):
            return ":0", False
        forward, _ = slice_entry(length, start + (count - 1) * step, count, -step, text)
        return forward, True
    first = "" if _same(start, 0) else text(start)
    stride = f":{step}" if step != 1 else ""
    to_the_end = sizes.floordiv(length - start + step - 1, step)
    if _same(count, to_the_end):
        behind = start - length
        first = text(behind) if isinstance(behind, int) and isinstance(length, sizes.Size) and behind < 0 else first
        return f"{first}:{stride}", False
    stop = start + count * step
    behind = stop - length
    if isinstance(behind, int) and behind < 0 and isinstance(stop, sizes.Size):
        stop = behind
    return f"{first}:{text(stop)}{stride}", False


def position_entry(length: Dim, place: Dim, text: SizeText) -> str:
    """An integer index, counted from the end where that is a plain number."""
    behind = place - length
    if isinstance(behind, int) and isinstance(length, sizes.Size):
        place = behind
    return text(place)


def _same(a: Dim, b: Dim) -> bool:
    return bool(a == b)


class Names:
    """Names that are still free in a function."""

    def __init__(self) -> None:
        self.taken = {"np", "special", "linalg", "factors", "bool", "complex", "max", "min", *keyword.kwlist}

    def new(self, wish: str) -> str:
        """The name itself, or with a number after it when it is taken."""
        clean = "".join(c if c.isalnum() or c == "_" else "_" for c in wish) or "x"
        clean = clean if clean.isidentifier() else f"_{clean}"
        name, number = clean, 1
        while name in self.taken:
            number += 1
            name = f"{clean}{number}"
        self.taken.add(name)
        return name
