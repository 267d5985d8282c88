"""Whether the iterations of a loop may run in any order, or at once.

They may where each writes elements of arrays that no other one reads or writes: in all accesses to such an array the number
of the iteration chooses a part, and the rest of the address stays inside of it. What an iteration makes for itself is its own.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import numpy as np

from egc import sizes
from egc.lower.access import row_major
from egc.lower.loops import Body, Branch, Call, Check, Condition, Repeat
from egc.lower.names import is_item, made
from egc.lower.statements import (
    Access,
    Apply,
    Blocks,
    For,
    Gather,
    Index,
    Item,
    Literal,
    Load,
    Reduce,
    Scatter,
    Store,
    reads,
    statements,
    writes,
)
from egc.ranges import Ranges, coefficient
from egc.sizes import Dim, Size
from egc.types import ArrayType


@dataclass(frozen=True)
class Place:
    """An access: the address, with a symbol for each index, and what is known of these."""

    address: Dim
    ranges: Ranges


@dataclass
class Touched:
    """The places of arrays that steps read and write; `whole` are those of which more is read or written than that."""

    places: dict[str, list[Place]] = field(default_factory=dict)
    written: set[str] = field(default_factory=set)
    whole: set[str] = field(default_factory=set)


def independent(
    step: Repeat, types: Mapping[str, ArrayType], known: Mapping[str, Dim], ranges: Ranges, flags: Collection[str]
) -> bool:
    """Whether no iteration of a counted loop needs another one.

    types: those of arrays around it. known: the scalars that are sizes. flags: bool scalars that, once true, make all else
    meaningless: a loop may stop for them, or go on.
    """
    if step.count is None or step.index is None or step.post is not None:
        return False
    scalars = [name for name, type in step.states if not type.rank]
    if not set(scalars) <= set(flags) or (step.pre is not None and stops_for(step.pre) not in scalars):
        return False
    touched = touched_by(step, known, ranges)
    own = set(made(step))
    moved = {name for body in _bodies(step) for pair in body.moves for name in pair}
    states = {name for name, type in step.states if type.rank}
    if moved & states or any(name in types and types[name].rank and name not in own for name in moved):
        return False
    for name in touched.written - own - set(scalars):
        if name in touched.whole or name not in types or not types[name].rank:
            return False
        if not apart(touched.places[name], step.index, types[name]):
            return False
    return True


def stops_for(condition: Condition) -> str | None:
    """The scalar that ends a loop when it is true, where the condition says no more than that."""
    match condition.body.steps:
        case (
            Load(name=a, access=Access(array=flag)),
            Apply(name=b, operands=(c,), node=node),
            Store(access=there, value=d),
        ):
            same = a == c and b == d and there.array == condition.value
            return flag if same and node.op == "logical_not" else None
    return None


def touched_by(step: Repeat, known: Mapping[str, Dim], ranges: Ranges) -> Touched:
    """The places of arrays that a loop's iterations read and write."""
    walk = _Walk(known)
    walk.repeat(step, ranges)
    return walk.touched


class _Walk:
    def __init__(self, known: Mapping[str, Dim]):
        self.known, self.touched, self.fresh = known, Touched(), (f"_i.{k}" for k in count())

    def repeat(self, step: Repeat, ranges: Ranges) -> None:
        if step.index is not None:
            ranges = ranges.within(step.index, self.known.get(step.count or ""))
        for body in step.bodies():
            self.body(body, ranges)

    def body(self, body: Body, ranges: Ranges) -> None:
        for step in body.steps:
            match step:
                case Repeat():
                    self.repeat(step, ranges)
                case Branch():
                    for inner in step.bodies():
                        self.body(inner, ranges)
                case Call():
                    self.touched.whole.update([step.name, *step.operands])
                    self.touched.written.update([] if step.view else [step.name])
                case Check():
                    pass
                case _:
                    self.item(step, (), ranges)

    def item(self, item: Item, indices: tuple[str, ...], ranges: Ranges) -> None:
        if isinstance(item, For):
            if isinstance(item, Blocks):
                self._whole(item)
                return
            name = next(self.fresh)
            inner = ranges.within(name, item.dim)
            for each in item.body:
                self.item(each, (*indices, name), inner)
            return
        for access in writes(item):
            self.touched.written.add(access.array)
        for access in (*reads(item), *writes(item)):
            address, within = self._address(access, indices), ranges
            further: list[tuple[Dim, Dim]] = []
            if isinstance(item, (Gather, Scatter)):
                further = [(pick.stride, pick.length) for pick in item.picks]
            for stride, length in further:
                name = next(self.fresh)
                address, within = address + stride * sizes.symbol(name), within.within(name, length)
            self._add(access.array, address, within)
            if isinstance(item, Reduce):
                name = next(self.fresh)
                start = self._address(Access(access.array, access.offset, access.strides[: item.depth]), indices)
                self._add(access.array, start + sizes.symbol(name), ranges.within(name, item.size))

    def _address(self, access: Access, indices: Sequence[str]) -> Dim:
        return sum((stride * sizes.symbol(name) for stride, name in zip(access.strides, indices)), access.offset)

    def _add(self, array: str, address: Dim, ranges: Ranges) -> None:
        self.touched.places.setdefault(array, []).append(Place(address, ranges))

    def _whole(self, item: For) -> None:
        for statement in statements([item]):
            written = [access.array for access in writes(statement)]
            self.touched.written.update(written)
            self.touched.whole.update(written, (access.array for access in reads(statement)))


def apart(places: Sequence[Place], index: str, type: ArrayType) -> bool:
    """Whether places that two different values of an index choose are never the same."""
    steps = {coefficient(place.address, index) for place in places}
    (step, *others) = steps
    if others or step is None or step == 0 or any(name.startswith("_") for name in sizes.symbols(step)):
        return False
    rows: list[Dim | None] = [None, *row_major(type.shape)[:-1]]
    return any(_part_of_own(places, index, step, row) for row in rows)


def _part_of_own(places: Sequence[Place], index: str, step: Dim, row: Dim | None) -> bool:
    """Whether, in rows of so many elements, each value of the index has `step` elements for itself."""
    rests: list[tuple[Dim, Ranges]] = []
    for place in places:
        rest = place.address - step * sizes.symbol(index)
        if row is not None:
            low = _without_multiples(rest, row, place.ranges)
            within = low + step * sizes.symbol(index)
            if low == rest or not place.ranges.holds(within) or not place.ranges.holds(row - 1 - within):
                return False
            rest = low
        rests.append((rest, place.ranges))
    first, ranges = rests[0]
    begins = _multiples(_fixed(first, ranges), step)
    return any(
        all(
            ranges.holds(rest - start * step) and ranges.holds(step - 1 - rest + start * step) for rest, ranges in rests
        )
        for start in dict.fromkeys([begins, begins - 1, begins + 1, 0])
    )


def _fixed(size: Dim, ranges: Ranges) -> Dim:
    """A size where all indices are 0."""
    return sizes.substitute(size, dict.fromkeys(ranges.counts, 0))


def _terms(size: Dim) -> Iterator[Dim]:
    yield from (Size((term,)) if term[0] else term[1] for term in size.terms) if isinstance(size, Size) else [size]


def _multiples(size: Dim, step: Dim) -> Dim:
    """How often a size has a step in it, as far as its terms show."""
    if step == 1:
        return size
    whole = [sizes.floordiv(term, step) for term in _terms(size)]
    return sum((times for times, term in zip(whole, _terms(size)) if times * step == term), 0)


def _without_multiples(size: Dim, row: Dim, ranges: Ranges) -> Dim:
    """A size without what is a multiple of a row."""
    left = size - _multiples(_fixed(size, ranges), row) * row
    for name in ranges.counts:
        factor = coefficient(left, name)
        if factor is not None and factor != 0 and sizes.floordiv(factor, row) * row == factor:
            left = sizes.substitute(left, {name: 0})
    return left


def _bodies(step: Repeat | Branch) -> Iterator[Body]:
    for body in step.bodies():
        yield body
        for inner in body.steps:
            if isinstance(inner, (Repeat, Branch)):
                yield from _bodies(inner)


def sizes_of(steps: Iterable[Any]) -> dict[str, Dim]:
    """The scalars that steps store a size in, those of regions included. Names that change are none of them."""
    found: dict[str, Dim] = {}
    changed: set[str] = set()

    def visit(items: Iterable[Any]) -> None:
        values: dict[str, Dim] = {}
        for step in items:
            if isinstance(step, (Repeat, Branch)):
                changed.update(name for name, _ in step.states)
                for body in step.bodies():
                    visit(body.steps)
                    changed.update(target for target, _ in body.moves)
            elif is_item(step):
                if not isinstance(step, For):
                    _follow(step, values, found)
            elif hasattr(step, "body"):
                visit(step.body)

    visit(steps)
    return {name: size for name, size in found.items() if name not in changed}


def _follow(statement: Any, values: dict[str, Dim], found: dict[str, Dim]) -> None:
    match statement:
        case Index(name=name, offset=offset, strides=strides) if all(stride == 0 for stride in strides):
            values[name] = offset
        case Literal(name=name, value=value, dtype=dtype) if dtype.kind == "i":
            values[name] = int(value)
        case Apply(name=name, operands=(operand,), node=node) if node.op == "cast" and operand in values:
            if node.type.dtype == np.int64:
                values[name] = values[operand]
        case Store(access=access, value=value) if value in values:
            found[access.array] = values[value]
