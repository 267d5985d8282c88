"""Indices outside of nests that are values: looked at once, and before a loop where its ends say what is inside.

An index is looked at where it is used first; the same one, as far as statements show, is not looked at again. In a counted
loop with no loop inside, an index that moves by the same step from each iteration to the next lies within bounds if it does in
the first and in the last one: then the loop runs that does not look.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from egc import sizes
from egc.lower.loops import Body, Branch, Call, Check, Repeat
from egc.lower.names import is_item
from egc.lower.statements import Apply, For, Gather, Index, Literal, Load, Pick, Store
from egc.ranges import coefficient
from egc.sizes import Dim

if TYPE_CHECKING:
    from egc.backends.numba.flow import FlowWriter

STEPS = 1024
"""The largest step from one iteration to the next; and """

ITERATIONS = 2**50
"""the number of them up to which the last index does not wrap around."""

FAR = 2**31
"""The same for a step that is a scalar, and the number of them."""


@dataclass(frozen=True)
class Linear:
    """`offset`, a size, and int64 scalars with their factors, which are sizes."""

    offset: Dim = 0
    scalars: tuple[tuple[str, Dim], ...] = ()

    def plus(self, other: Linear, factor: Dim) -> Linear:
        found = dict(self.scalars)
        for name, times in other.scalars:
            found[name] = found.get(name, 0) + factor * times
        return Linear(self.offset + factor * other.offset, _sorted(found))

    def at(self, name: str, value: int) -> Linear:
        """The same with a number for a symbol."""
        found = {scalar: sizes.substitute(times, {name: value}) for scalar, times in self.scalars}
        return Linear(sizes.substitute(self.offset, {name: value}), _sorted(found))

    def step(self, name: str) -> Linear | None:
        """What it grows by with a symbol: a number up to `STEPS`, or a scalar; None where that is not so."""
        own = coefficient(self.offset, name)
        moving = [(scalar, coefficient(times, name)) for scalar, times in self.scalars]
        moving = [(scalar, factor) for scalar, factor in moving if factor != 0]
        if not moving:
            return Linear(own) if isinstance(own, int) and 0 < abs(own) <= STEPS else None
        return Linear(0, ((moving[0][0], 1),)) if own == 0 and [factor for _, factor in moving] == [1] else None


def _sorted(scalars: dict[str, Dim]) -> tuple[tuple[str, Dim], ...]:
    return tuple(sorted((name, times) for name, times in scalars.items() if times != 0))


@dataclass
class Bounds:
    """What is known of values: `linear` forms, those of scalars that are `kept` from where they are made to where they are read,
    the values that come from `data`, the variables of indices that have been `seen` within bounds of a length, and those that are
    `sure` to be."""

    linear: dict[str, Linear] = field(default_factory=dict)
    kept: dict[str, Linear] = field(default_factory=dict)
    data: set[str] = field(default_factory=set)
    seen: dict[tuple[Any, Dim], str] = field(default_factory=dict)
    sure: frozenset[tuple[Linear, Dim]] = frozenset()

    def note(self, statement: Any, scalars: Iterable[str]) -> None:
        """Takes a statement outside of nests into account."""
        match statement:
            case Load(name=name, access=access, dtype=dtype):
                if access.array not in scalars:
                    self.data.add(name)
                elif dtype == np.int64:
                    self.linear[name] = self.kept.get(access.array, Linear(0, ((access.array, 1),)))
            case Store(access=access, value=value) if value in self.linear and access.array in scalars:
                self.kept[access.array] = self.linear[value]
            case Gather(name=name):
                self.data.add(name)
            case Index(name=name, offset=offset):
                self.linear[name] = Linear(offset)
            case Literal(name=name, value=value, dtype=dtype) if dtype == np.int64:
                self.linear[name] = Linear(int(value))
            case Apply(name=name, operands=operands, node=node):
                if self.data.intersection(operands):
                    self.data.add(name)
                known = [self.linear[each] for each in operands if each in self.linear]
                found = (
                    _applied(node.op, known) if node.type.dtype == np.int64 and len(known) == len(operands) else None
                )
                if found is not None:
                    self.linear[name] = found

    def key(self, pick: Pick) -> tuple[Any, Dim]:
        return self.linear.get(pick.index, pick.index), pick.length


def _applied(op: str, known: Sequence[Linear]) -> Linear | None:
    match op, known:
        case "add", (a, b):
            return a.plus(b, 1)
        case "subtract", (a, b):
            return a.plus(b, -1)
        case "negative", (a,):
            return Linear().plus(a, -1)
        case "multiply", (a, b) if not (a.scalars and b.scalars):
            return Linear().plus(b, a.offset) if b.scalars else Linear().plus(a, b.offset)
        case "cast", (a,):
            return a
    return None


def ends_inside(writer: FlowWriter, step: Repeat, indent: int) -> frozenset[tuple[Linear, Dim]]:
    """Writes what says whether the indices that a loop moves are within bounds in its first and last iteration, as `w` and the
    loop's index; gives these indices, or none where there is nothing to gain."""
    if step.count is None or step.index is None or not _innermost(step):
        return frozenset()
    changed = {name for name, _ in step.states} | {name for body in _bodies(step) for name, _ in body.scalars}
    known = writer.source.bounds
    bounds = Bounds(dict(known.linear), dict(known.kept), set(known.data))
    found: dict[tuple[Linear, Dim], Linear] = {}
    for body in _bodies(step):
        for statement in body.steps:
            mode = getattr(statement, "mode", "")
            for pick in getattr(statement, "picks", ()):
                linear, length = bounds.key(pick)
                if not isinstance(linear, Linear) or changed.intersection(name for name, _ in linear.scalars):
                    continue
                moved = linear.step(step.index)
                if moved is not None and mode in ("raise", "clip"):
                    found[linear, length] = moved
            bounds.note(statement, writer.scalars)
    if not found:
        return frozenset()
    count = writer.scalar(step.count)
    fixed = not any(moved.scalars for moved in found.values())
    tests = {f"({count} < {ITERATIONS if fixed else FAR})": None}
    for number, ((linear, length), moved) in enumerate(found.items()):
        first, by = f"f{step.index}_{number}", _text(writer, moved)
        writer.line(indent, f"{first} = {_text(writer, linear.at(step.index, 0))}")
        if moved.scalars:
            tests[f"({-FAR} < {by} < {FAR})"] = None
        for index in (first, f"({first} + {by} * ({count} - 1))"):
            tests[f"(uint64({index}) < uint64({writer.source.dim(length)}))"] = None
    writer.line(indent, f"w{step.index} = {' & '.join(tests)}")
    return frozenset(found)


def _text(writer: FlowWriter, linear: Linear) -> str:
    parts = [writer.source.dim(linear.offset)] if linear.offset != 0 else []
    for name, factor in linear.scalars:
        parts.append(writer.scalar(name) if factor == 1 else f"{writer.source.dim(factor)} * {writer.scalar(name)}")
    return f"int64({' + '.join(parts) or 0})"


def _innermost(step: Repeat) -> bool:
    steps = [inner for body in _bodies(step) for inner in body.steps]
    return all(is_item(inner) or isinstance(inner, (Branch, Check)) for inner in steps) and not any(
        isinstance(inner, (For, Repeat, Call)) for inner in steps
    )


def _bodies(step: Repeat | Branch) -> Iterator[Body]:
    for body in step.bodies():
        yield body
        for inner in body.steps:
            if isinstance(inner, Branch):
                yield from _bodies(inner)
