"""The loop program: what a Program does, step by step, on flat C-contiguous arrays.

Loop nests are trees. Every array is addressed by an affine function of the indices of the loops around the statement.
Values inside are scalars in static single assignment. All sizes are symbolic, so one loop program serves all sizes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Union

import numpy as np

from egc.ir import Node
from egc.sizes import Dim
from egc.types import SHORT, ArrayType, Type
from egc.views import Check


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
    """`name` is the element of an array that `picks` choose, from the access on; `mode` says what happens outside."""

    name: str
    access: Access
    picks: tuple[Pick, ...]
    mode: str
    dtype: np.dtype

    def __str__(self) -> str:
        return f"{self.name}: {SHORT[self.dtype]} = {self.access} at {_picks_text(self.picks)}"


@dataclass(frozen=True)
class Scatter:
    """Sets the element of an array that `picks` choose, or combines a value in."""

    access: Access
    picks: tuple[Pick, ...]
    value: str
    combine: str
    dtype: np.dtype

    mode = "raise"

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
    """A loop from 0 to below `dim` in runs of `rows` indices, so that what one run makes stays in cache.

    Its items are `For` over `dim`, which walk one run only, and `Product` of the rows of one run. The arrays in `held`, with
    the step between rows, hold the rows of one run: the first one's are at index 0.
    """

    rows: int = 1
    held: tuple[tuple[str, Dim], ...] = ()


Item = Union[Statement, For]


@dataclass(frozen=True)
class Loop:
    """Loop nests that run one after the other, and share loops: a tree.

    `results` are the arrays it fills; their types fix what to allocate before. `locals` are the scalars it makes for later
    loops of the same segment, which need no array. `scratch` are the buffers that live while it runs, with their sizes: the
    generated function makes them.
    """

    results: tuple[tuple[str, ArrayType], ...]
    body: tuple[Item, ...]
    scratch: tuple[tuple[str, np.dtype, Dim], ...] = ()
    locals: tuple[tuple[str, np.dtype], ...] = ()

    @property
    def dims(self) -> tuple[Dim, ...]:
        """The loops around the first innermost statement."""
        dims: list[Dim] = []
        body = self.body
        while found := next((item for item in body if isinstance(item, For)), None):
            if not isinstance(found, Blocks):
                dims.append(found.dim)
            body = found.body
        return tuple(dims)

    def statements(self) -> Iterator[Statement]:
        yield from statements(self.body)

    @property
    def may_fail(self) -> bool:
        """Whether an index that is a value may be out of bounds."""
        return any(isinstance(s, (Gather, Scatter)) and s.mode == "raise" for s in self.statements())

    @property
    def ops(self) -> list[str]:
        """The ops it computes."""
        return [
            s.node.op if isinstance(s, Apply) else s.op
            for s in self.statements()
            if isinstance(s, (Apply, Fold, Reduce, Product))
        ]

    def __str__(self) -> str:
        made = ", ".join(
            [f"{name}: {type}" for name, type in self.results]
            + [f"{name}: {SHORT[dtype]}" for name, dtype in self.locals]
            + [f"scratch {name}: {SHORT[dtype]}[{size}]" for name, dtype, size in self.scratch]
        )
        return "\n".join([f"make {made}", *_lines(self.body, 0, 1)])


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


def _lines(body: Iterable[Item], depth: int, indent: int) -> Iterator[str]:
    for item in body:
        if not isinstance(item, For):
            yield "    " * indent + str(item)
            continue
        if isinstance(item, Blocks):
            yield "    " * indent + f"blocks of {item.rows} of {item.dim}"
            yield from _lines(item.body, depth, indent + 1)
            continue
        loops, inner = [_head(item, depth)], item.body
        while len(inner) == 1 and isinstance(inner[0], For):
            loops.append(_head(inner[0], depth + len(loops)))
            inner = inner[0].body
        yield "    " * indent + f"for {', '.join(loops)}"
        yield from _lines(inner, depth + len(loops), indent + 1)


def _head(loop: For, depth: int) -> str:
    return f"i{depth} < {loop.dim}" + (f" ({loop.together} together)" if loop.together > 1 else "")


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
class Body:
    """What a region does, in order; then each value of `moves` becomes what its target names, all at once.

    An array is a name for a block of memory, and a target that is an array takes the other name's block. `blocks` are the
    arrays that the steps fill, `scalars` the values of rank 0 that they make.
    """

    steps: tuple[BodyStep, ...]
    moves: tuple[tuple[str, str], ...] = ()
    blocks: tuple[tuple[str, ArrayType], ...] = ()
    scalars: tuple[tuple[str, np.dtype], ...] = ()


@dataclass(frozen=True)
class Condition:
    """A bool scalar, and what makes it."""

    body: Body
    value: str


@dataclass(frozen=True)
class Repeat:
    """Runs `update` as often as the scalar `count` says, while `pre` holds before an iteration and `post` after it.

    `states` start with the values of `starts`; an array's start is the state itself. `index` names the iteration's number,
    as a scalar and as a size. `results` are the states that need memory of their own.
    """

    states: tuple[tuple[str, ArrayType], ...]
    starts: tuple[str, ...]
    count: str | None
    index: str | None
    pre: Condition | None
    update: Body
    post: Condition | None
    results: tuple[tuple[str, ArrayType], ...] = ()

    def bodies(self) -> Iterator[Body]:
        if self.pre is not None:
            yield self.pre.body
        yield self.update
        if self.post is not None:
            yield self.post.body

    def __str__(self) -> str:
        how = "" if self.count is None else f" {self.index} < {self.count}"
        starts = ", ".join(f"{name}: {type} = {start}" for (name, type), start in zip(self.states, self.starts))
        return "\n".join([f"repeat{how} with {starts}", *_region_lines(self, 1)])


@dataclass(frozen=True)
class Branch:
    """Runs one of two bodies, which leave the values of `states`; `results` are those that need memory of their own."""

    condition: str
    states: tuple[tuple[str, ArrayType], ...]
    then: Body
    otherwise: Body
    results: tuple[tuple[str, ArrayType], ...] = ()

    def bodies(self) -> Iterator[Body]:
        yield self.then
        yield self.otherwise

    def __str__(self) -> str:
        made = ", ".join(f"{name}: {type}" for name, type in self.states)
        return "\n".join([f"if {self.condition} gives {made}", *_region_lines(self, 1)])


BodyStep = Union[Item, Call, Check, Repeat, Branch]
Flow = Union[Repeat, Branch]
Step = Union[Loop, Call, Check, Repeat, Branch]


def _region_lines(step: Flow, indent: int) -> Iterator[str]:
    def within(body: Body) -> Iterator[str]:
        for inner in body.steps:
            if isinstance(inner, (Repeat, Branch)):
                yield from ("    " * indent + line for line in str(inner).splitlines())
            else:
                yield from (
                    _lines([inner], 0, indent)
                    if not isinstance(inner, (Call, Check))
                    else ["    " * indent + str(inner)]
                )
        for name, value in body.moves:
            yield "    " * indent + f"{name} = {value}"

    match step:
        case Repeat(pre=pre, update=update, post=post):
            if pre is not None:
                yield from within(pre.body)
                yield "    " * indent + f"while {pre.value}"
            yield from within(update)
            if post is not None:
                yield from within(post.body)
                yield "    " * indent + f"while {post.value}"
        case Branch(then=then, otherwise=otherwise):
            yield from within(then)
            yield "    " * (indent - 1) + "else"
            yield from within(otherwise)


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
