"""The loop program: what a Program does, step by step, on flat C-contiguous arrays.

A loop nest runs over `dims`; every array it touches is addressed by an affine function of the loop indices. Values
inside are scalars in static single assignment. All sizes are symbolic, so one loop program serves all sizes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Union

import numpy as np

from egc.ir import Node
from egc.sizes import Dim
from egc.types import SHORT, ArrayType, Type


@dataclass(frozen=True)
class Access:
    """The element `offset + sum(stride * index)` of a flat array, with one stride for each loop."""

    array: str
    offset: Dim
    strides: tuple[Dim, ...]

    def __str__(self) -> str:
        return f"{self.array}[{affine_text(self.offset, self.strides)}]"


@dataclass(frozen=True)
class Load:
    """`name` is an element of an array; of a scalar where `scalar` is true, which can be read ahead of the loops."""

    name: str
    access: Access
    dtype: np.dtype
    scalar: bool

    def __str__(self) -> str:
        return f"{self.name}: {SHORT[self.dtype]} = {self.access}"


@dataclass(frozen=True)
class Literal:
    """`name` is a Python scalar of a dtype."""

    name: str
    value: Any
    dtype: np.dtype

    def __str__(self) -> str:
        return f"{self.name}: {SHORT[self.dtype]} = {self.value!r}"


@dataclass(frozen=True)
class Index:
    """`name` is an int64: an affine function of the loop indices, or a size where all strides are 0."""

    name: str
    offset: Dim
    strides: tuple[Dim, ...]

    def __str__(self) -> str:
        return f"{self.name}: i64 = {affine_text(self.offset, self.strides)}"


@dataclass(frozen=True)
class Apply:
    """`name` is an elementwise op applied to earlier values. `node` is the Node it computes."""

    name: str
    operands: tuple[str, ...]
    node: Node

    def __str__(self) -> str:
        params = "".join(f", {key}={value}" for key, value in self.node.params.items() if key != "facts")
        return f"{self.name}: {SHORT[self.node.type.dtype]} = {self.node.op}({', '.join(self.operands)}{params})"


@dataclass(frozen=True)
class Store:
    """Writes a value to an element of a result."""

    access: Access
    value: str

    def __str__(self) -> str:
        return f"{self.access} = {self.value}"


@dataclass(frozen=True)
class Reduce:
    """Combines a value over the loops in `axes` into `access`, which does not depend on them.

    `size` is the number of the result's elements.
    """

    op: str
    access: Access
    value: str
    axes: frozenset[int]
    dtype: np.dtype
    size: Dim

    def __str__(self) -> str:
        over = ", ".join(f"i{axis}" for axis in sorted(self.axes))
        return f"{self.access} = {self.op}({self.value}) over {over}"


Statement = Union[Load, Literal, Index, Apply, Store, Reduce]


@dataclass(frozen=True)
class Loop:
    """A loop nest, outermost dimension first. `results` are the arrays it fills; their types fix what to allocate."""

    dims: tuple[Dim, ...]
    results: tuple[tuple[str, ArrayType], ...]
    body: tuple[Statement, ...]

    def __str__(self) -> str:
        loops = ", ".join(f"i{axis} < {dim}" for axis, dim in enumerate(self.dims))
        made = ", ".join(f"{name}: {type}" for name, type in self.results)
        return "\n".join(
            [f"for {loops} make {made}" if loops else f"once make {made}", *(f"    {s}" for s in self.body)]
        )


@dataclass(frozen=True)
class Call:
    """`name` is a Node's op applied to whole arrays by the library; a view of its operand where `view` is true."""

    name: str
    operands: tuple[str, ...]
    node: Node
    view: bool

    @property
    def type(self) -> Type:
        return self.node.type

    def __str__(self) -> str:
        params = "".join(f", {key}={_param_text(value)}" for key, value in self.node.params.items())
        kind = "view" if self.view else "call"
        return f"{kind} {self.name}: {self.node.type} = {self.node.op}({', '.join(self.operands)}{params})"


@dataclass(frozen=True)
class Check:
    """A condition on sizes that a loop nest relies on and that NumPy would check; `values` are its sizes.

    slice: start, size, step, length; reshape: the sizes before and after; nonempty: the number of elements reduced.
    """

    what: str
    values: tuple[Dim, ...]
    message: str

    def __str__(self) -> str:
        return f"check {self.what}({', '.join(map(str, self.values))})"


Step = Union[Loop, Call, Check]


@dataclass(frozen=True)
class LoopProgram:
    """Steps to run in order. `inputs` are the arguments; `outputs` name the arrays to return."""

    name: str
    inputs: tuple[tuple[str, ArrayType], ...]
    steps: tuple[Step, ...]
    outputs: tuple[str, ...]

    def __str__(self) -> str:
        arguments = ", ".join(f"{name}: {type}" for name, type in self.inputs)
        return "\n".join([f"{self.name}({arguments})", *map(str, self.steps), f"return {', '.join(self.outputs)}"])


def affine_text(offset: Dim, strides: tuple[Dim, ...], names: Mapping[int, str] = {}) -> str:
    """`offset + stride*index + ...` without the parts that are zero, indices named `i0`, `i1`, ... unless given."""
    parts = [] if offset == 0 else [str(offset)]
    for axis, stride in enumerate(strides):
        if stride != 0:
            index = names.get(axis, f"i{axis}")
            parts.append(index if stride == 1 else f"{_factor_text(stride)}*{index}")
    return " + ".join(parts) or "0"


def _factor_text(value: Dim) -> str:
    text = str(value)
    return text if text.isidentifier() or text.isdigit() else f"({text})"


def _param_text(value: Any) -> str:
    return f"({', '.join(map(str, value))})" if isinstance(value, tuple) else str(value)
