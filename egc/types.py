"""The types of values: a dtype and a shape of symbolic sizes, or a tuple of such types."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Union

import numpy as np

from egc import sizes
from egc.errors import ProgramError, ShapeError
from egc.sizes import Dim

Shape = tuple[Dim, ...]

NAMES = {
    "f64": "float64", "f32": "float32", "c128": "complex128", "c64": "complex64", "bool": "bool",
    "i8": "int8", "i16": "int16", "i32": "int32", "i64": "int64",
    "u8": "uint8", "u16": "uint16", "u32": "uint32", "u64": "uint64",
}  # fmt: skip
DTYPES = {short: np.dtype(name) for short, name in NAMES.items()}
SHORT = {dtype: short for short, dtype in DTYPES.items()}


def dtype(name: str | np.dtype | type) -> np.dtype:
    """The NumPy dtype for a short name (`f64`), a NumPy name or a NumPy dtype; ProgramError if egc has none."""
    found = DTYPES.get(name) if isinstance(name, str) else None
    if found is not None:
        return found
    try:
        result = np.dtype(name)
    except TypeError as error:
        raise ProgramError(f"not a dtype: {name!r}") from error
    if result not in SHORT:
        raise ProgramError(f"egc has no dtype {result}; it has {', '.join(SHORT.values())}")
    return result


@dataclass(frozen=True)
class ArrayType:
    """An array of `dtype` with one `Dim` per axis; rank 0 is a scalar."""

    dtype: np.dtype
    shape: Shape

    @property
    def rank(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> Dim:
        return sizes.product(self.shape)

    def with_shape(self, shape: Sequence[Dim]) -> ArrayType:
        return ArrayType(self.dtype, tuple(shape))

    def with_dtype(self, dtype: np.dtype) -> ArrayType:
        return ArrayType(dtype, self.shape)

    def __str__(self) -> str:
        return f"{SHORT[self.dtype]}[{', '.join(map(str, self.shape))}]"


@dataclass(frozen=True)
class TupleType:
    """The type of an op with several results, such as `qr`; `item` picks one."""

    items: tuple[ArrayType, ...]

    def __str__(self) -> str:
        return f"({', '.join(map(str, self.items))})"


Type = Union[ArrayType, TupleType]


def parse_type(text: str) -> ArrayType:
    """The type written as `f64[n, 50]`; `f64` alone is a scalar.

    >>> str(parse_type("f64[n, 2*n + 1]"))
    'f64[n, 2*n + 1]'
    """
    name, bracket, rest = text.strip().partition("[")
    if bracket and not rest.endswith("]"):
        raise ProgramError(f"not a type: {text!r}; write f64[n, 50]")
    if name.strip() not in DTYPES:
        raise ProgramError(f"not a type: {text!r}; dtypes are {', '.join(DTYPES)}")
    return ArrayType(DTYPES[name.strip()], tuple(map(sizes.parse, split_commas(rest[:-1] if bracket else ""))))


def split_commas(text: str) -> Iterator[str]:
    """The pieces between commas that stand outside parentheses and brackets."""
    depth, start = 0, 0
    for position, character in enumerate(text):
        depth += (character in "([") - (character in ")]")
        if character == "," and depth == 0:
            yield text[start:position].strip()
            start = position + 1
    if text[start:].strip():
        yield text[start:].strip()


def broadcast_shapes(*shapes: Shape) -> Shape:
    """NumPy's broadcast of shapes. Two different symbolic sizes do not broadcast: ShapeError."""
    rank = max(map(len, shapes), default=0)
    result: list[Dim] = [1] * rank
    for shape in shapes:
        for axis, dim in enumerate(shape, start=rank - len(shape)):
            if result[axis] == 1:
                result[axis] = dim
            elif dim != 1 and dim != result[axis]:
                shown = " ".join(format_shape(s) for s in shapes)
                raise ShapeError(f"operands could not be broadcast together with shapes {shown}")
    return tuple(result)


def format_shape(shape: Shape) -> str:
    inner = ", ".join(map(str, shape))
    return f"({inner},)" if len(shape) == 1 else f"({inner})"


def concrete(type: ArrayType, bindings: Mapping[str, int]) -> ArrayType:
    """The type with every size replaced by its integer."""
    return ArrayType(type.dtype, tuple(sizes.evaluate(dim, bindings) for dim in type.shape))
