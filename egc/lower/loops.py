"""The loop program: what a Program does, step by step, on flat C-contiguous arrays.

Loop nests are trees. Every array is addressed by an affine function of the indices of the loops around the statement.
Values inside are scalars in static single assignment. All sizes are symbolic, so one loop program serves all sizes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Union

import numpy as np

from egc.ir import Node
from egc.lower.statements import (
    Apply,
    Blocks,
    Fold,
    For,
    Gather,
    Item,
    Product,
    Reduce,
    Scatter,
    Statement,
    statements,
)
from egc.sizes import Dim
from egc.types import SHORT, ArrayType, Type
from egc.views import Check


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


def _lines(body: Iterable[Item], depth: int, indent: int) -> Iterator[str]:
    for item in body:
        if not isinstance(item, For):
            yield "    " * indent + str(item)
            continue
        if isinstance(item, Blocks):
            yield "    " * indent + f"blocks of {item.run} of {item.dim}"
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
    """Steps to run in order. `inputs` are the arguments; `outputs` name the arrays to return. Inputs that are not in C order
    are read by their `strides`. The outputs whose numbers are `stored` are inputs, with new elements; where code fails, those in
    `saved` have to be as they were."""

    name: str
    inputs: tuple[tuple[str, ArrayType], ...]
    steps: tuple[Step, ...]
    outputs: tuple[str, ...]
    strides: Mapping[str, tuple[Dim, ...]] = field(default_factory=dict)
    stored: frozenset[int] = frozenset()
    saved: frozenset[str] = frozenset()

    def __str__(self) -> str:
        arguments = ", ".join(f"{name}: {type}" for name, type in self.inputs)
        return "\n".join([f"{self.name}({arguments})", *map(str, self.steps), f"return {', '.join(self.outputs)}"])


def _param_text(value: Any) -> str:
    return f"({', '.join(map(str, value))})" if isinstance(value, tuple) else str(value)
