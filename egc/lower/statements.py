"""The statements of loop nests, and the loops around them: what happens to each element."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Union

import numpy as np

from egc.ir import Node
from egc.sizes import Dim
from egc.types import SHORT


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
    """Writes a value to an element of an array."""

    access: Access
    value: str
    dtype: np.dtype

    def __str__(self) -> str:
        return f"{self.access} = {self.value}"


@dataclass(frozen=True)
class Fold:
    """`name` is a value combined over all the loops inside the first `depth`; it is known after they end."""

    name: str
    op: str
    value: str
    depth: int
    dtype: np.dtype

    def __str__(self) -> str:
        return f"{self.name}: {SHORT[self.dtype]} = {self.op}({self.value}) inside {self.depth} loops"


@dataclass(frozen=True)
class Reduce:
    """Combines a value into an element of an array, which starts anew in the first `depth` loops.

    There, `size` elements from the access at index 0 of all further loops start as the identity.
    """

    op: str
    access: Access
    value: str
    depth: int
    dtype: np.dtype
    size: Dim

    def __str__(self) -> str:
        return f"{self.access} = {self.op}({self.access}, {self.value})"


@dataclass(frozen=True)
class Scan:
    """`name` is a value combined over the iterations so far of the innermost loop, which is inside `depth` loops."""

    name: str
    op: str
    value: str
    depth: int
    dtype: np.dtype

    def __str__(self) -> str:
        return f"{self.name}: {SHORT[self.dtype]} = {self.op}({self.value})"


@dataclass(frozen=True)
class Pick:
    """One index that is a value: it moves an access by `stride` for each element along an axis of `length`."""

    index: str
    stride: Dim
    length: Dim


@dataclass(frozen=True)
class Gather:
    """`name` is the element of an array that `picks` choose, from the access on; `mode` says what happens outside, where it is
    not `sure` that they are inside."""

    name: str
    access: Access
    picks: tuple[Pick, ...]
    mode: str
    dtype: np.dtype

    def __str__(self) -> str:
        return f"{self.name}: {SHORT[self.dtype]} = {self.access} at {_picks_text(self.picks)}"


@dataclass(frozen=True)
class Scatter:
    """Sets the element of an array that `picks` choose, or combines a value in; `mode` as of a `Gather`."""

    access: Access
    picks: tuple[Pick, ...]
    value: str
    combine: str
    dtype: np.dtype
    mode: str = "raise"

    def __str__(self) -> str:
        return f"{self.access} at {_picks_text(self.picks)} = {self.combine} {self.value}"


@dataclass(frozen=True)
class Product:
    """Rows of a matrix product: those of one run of the `Blocks` that it stands in.

    `access` and `left` are the first elements of a row of the result and of the left operand, `right` that of the right
    operand. Elements of a row of the result are neighbours. A step along the `inner` elements that are multiplied is
    `left_step` and `right_steps[0]`, one along the `columns` is `right_steps[1]`.
    """

    access: Access
    left: Access
    right: Access
    left_step: Dim
    right_steps: tuple[Dim, Dim]
    inner: Dim
    columns: Dim
    dtype: np.dtype

    op = "matmul"

    def __str__(self) -> str:
        return f"{self.access} = {self.left} @ {self.right} over {self.inner}, {self.columns} columns"


def _picks_text(picks: Iterable[Pick]) -> str:
    return " + ".join(pick.index if pick.stride == 1 else f"{_factor_text(pick.stride)}*{pick.index}" for pick in picks)


Statement = Union[Load, Literal, Index, Apply, Store, Fold, Reduce, Scan, Gather, Scatter, Product]


def reads(statement: Statement) -> tuple[Access, ...]:
    """Where a statement reads arrays that it does not also write."""
    match statement:
        case Load(access=access) | Gather(access=access):
            return (access,)
        case Product(left=left, right=right):
            return left, right
    return ()


def writes(statement: Statement) -> tuple[Access, ...]:
    """Where a statement writes."""
    return (statement.access,) if isinstance(statement, (Store, Reduce, Scatter, Product)) else ()


@dataclass(frozen=True)
class For:
    """A loop from 0 to below `dim`; the number of loops around it is its index's number.

    So many of its iterations may run `together`, each inner loop for all of them before the next statement.
    """

    dim: Dim
    body: tuple[Item, ...]
    together: int = 1


@dataclass(frozen=True)
class Blocks(For):
    """A loop from 0 to below `dim` in runs of `run` indices, so that what one run makes stays in cache.

    Its items are `For` over `dim`, which walk one run only, and `Product` of the rows of one run. The arrays in `held`, with
    the step between rows, hold the rows of one run: the first one's are at index 0.
    """

    run: Dim = 1
    held: tuple[tuple[str, Dim], ...] = ()


Item = Union[Statement, For]


def statements(body: Iterable[Item]) -> Iterator[Statement]:
    """All statements of a tree."""
    for item in body:
        if isinstance(item, For):
            yield from statements(item.body)
        else:
            yield item


def is_invariant(statement: Item) -> bool:
    """Whether a statement can run before the loops. An array may be empty, a scalar is always there."""
    if isinstance(statement, Index):
        return not any(stride != 0 for stride in statement.strides)
    return isinstance(statement, Literal) or (isinstance(statement, Load) and statement.scalar)


def operands(statement: Statement) -> Iterator[str]:
    """The values that a statement reads."""
    yield from getattr(statement, "operands", ())
    if isinstance(value := getattr(statement, "value", None), str):
        yield value
    yield from (pick.index for pick in getattr(statement, "picks", ()))


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
