"""Indices outside of nests that are values: looked at once, and before a loop where its ends say what is inside.

An index is looked at where it is used first; the same one, as far as statements show, is not looked at again. In a counted
loop with no loop inside, an index that moves by a fixed step from one iteration to the next lies within bounds if it does in
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
from egc.lower.statements import Apply, For, Gather, Index, Literal, Load, Pick
from egc.ranges import coefficient
from egc.sizes import Dim

if TYPE_CHECKING:
    from egc.backends.numba.flow import FlowWriter

STEPS = 1024
"""The largest step from one iteration to the next; and """

ITERATIONS = 2**50
"""the number of them up to which the last index does not wrap around."""


@dataclass(frozen=True)
class Linear:
    """`offset`, a size, and int64 scalars with their factors."""

    offset: Dim = 0
    scalars: tuple[tuple[str, int], ...] = ()

    def plus(self, other: Linear, factor: int) -> Linear:
        found = dict(self.scalars)
        for name, times in other.scalars:
            found[name] = found.get(name, 0) + factor * times
        kept = tuple(sorted((name, times) for name, times in found.items() if times))
        return Linear(self.offset + factor * other.offset, kept)


@dataclass
class Bounds:
    """What is known of values: `linear` forms, the values that come from `data`, the variables of indices that have been `seen`
    within bounds of a length, and those that are `sure` to be."""

    linear: dict[str, Linear] = field(default_factory=dict)
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
                    self.linear[name] = Linear(0, ((access.array, 1),))
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
        case "cast", (a,):
            return a
    return None


def ends_inside(writer: FlowWriter, step: Repeat, indent: int) -> frozenset[tuple[Linear, Dim]]:
    """Writes what says whether the indices that a loop moves are within bounds in its first and last iteration, as `w` and the
    loop's index; gives these indices, or none where there is nothing to gain."""
    if step.count is None or step.index is None or not _innermost(step):
        return frozenset()
    changed = {name for name, _ in step.states} | {name for body in _bodies(step) for name, _ in body.scalars}
    bounds, found = Bounds(), dict[tuple[Linear, Dim], int]()
    for body in _bodies(step):
        for statement in body.steps:
            for pick in getattr(statement, "picks", ()) if getattr(statement, "mode", "") == "raise" else ():
                linear, length = bounds.key(pick)
                if not isinstance(linear, Linear) or changed.intersection(name for name, _ in linear.scalars):
                    continue
                factor = coefficient(linear.offset, step.index)
                if isinstance(factor, int) and 0 < abs(factor) <= STEPS:
                    found[linear, length] = factor
            bounds.note(statement, writer.scalars)
    if not found:
        return frozenset()
    count, tests = writer.scalar(step.count), []
    for number, ((linear, length), factor) in enumerate(found.items()):
        first = f"f{step.index}_{number}"
        start = Linear(sizes.substitute(linear.offset, {step.index: 0}), linear.scalars)
        writer.line(indent, f"{first} = {_text(writer, start)}")
        for index in (first, f"({first} + {factor} * ({count} - 1))"):
            tests.append(f"(uint64({index}) < uint64({writer.source.dim(length)}))")
    writer.line(indent, f"w{step.index} = ({count} < {ITERATIONS}) & {' & '.join(tests)}")
    return frozenset(found)


def _text(writer: FlowWriter, linear: Linear) -> str:
    parts = [writer.source.dim(linear.offset)] if linear.offset != 0 else []
    for name, factor in linear.scalars:
        parts.append(writer.scalar(name) if factor == 1 else f"{factor} * {writer.scalar(name)}")
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
