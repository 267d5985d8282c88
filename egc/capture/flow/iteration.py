"""What `for` loops iterate over: sequences whose length may be symbolic or depend on data."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Union

from egc import ir, sizes
from egc.capture.array import Array, as_size, python_number, to_node
from egc.capture.builtins import concretized
from egc.capture.context import current
from egc.capture.indexing import at_least_none
from egc.capture.integers import STEP
from egc.capture.registry import implements
from egc.capture.stretches import Stretch
from egc.errors import NotEncodable
from egc.ir import Node
from egc.ops import INT64
from egc.sizes import Dim, Size

Length = Union[Dim, Node]
"""A number of elements; a Node where it depends on data."""

UNROLLED = 4
"""Iterations over concrete numbers that are captured one after the other, at most."""

theme = "Python builtins"


@dataclass(frozen=True)
class Sequenced:
    """A sequence by its length and its elements: `at(k)` for a position that may be symbolic."""

    length: Length
    at: Callable[[Dim], Any]

    def __iter__(self) -> Iterator[Any]:
        """The elements, as many as there are for the arguments at hand."""
        if isinstance(self.length, Node):
            raise NotEncodable("a sequence whose length depends on data", "it is not looped over", current().line)
        return builtins.map(self.at, builtins.range(max(current().concretize(self.length), 0)))

    def __len__(self) -> int:
        return len(list(iter(self)))

    def __getitem__(self, index: Any) -> Any:
        return list(self)[concretized(index)]


class Iterating:
    """An iterator over a sequence. Its `position` is part of the state that branches are captured from."""

    def __init__(self, source: Any):
        self.sequence = source if isinstance(source, Sequenced) else None
        self.elements: list[Any] = []
        self.rest = iter(source) if self.sequence is None else None
        self.position = 0
        self.number: Dim | None = None

    def __iter__(self) -> Iterating:
        return self

    def __next__(self) -> Any:
        if self.rest is None:
            self.rest = iter(self.sequence)  # type: ignore[arg-type]
        while len(self.elements) <= self.position:
            self.elements.append(next(self.rest))
        self.position += 1
        return self.elements[self.position - 1]

    @property
    def fresh(self) -> bool:
        return not self.position


def sequenced(value: Any) -> Sequenced | None:
    """A value as a sequence by position, where it is one that is not simply gone through at capture."""
    if isinstance(value, Sequenced):
        return value
    if isinstance(value, Stretch):
        return Sequenced(value.current().count, value.at)
    if isinstance(value, range) and len(value) > UNROLLED:
        return Sequenced(len(value), lambda k: value.start + value.step * k)
    if isinstance(value, Array) and value.kind == "array" and value.ndim:
        return Sequenced(value.shape[0], lambda k: value[k])
    return None


@implements(builtins.range, theme=theme)
def traced_range(*bounds: Any) -> Any:
    """`range`; symbolic where a bound is."""
    if not any(isinstance(bound, (Size, Array)) for bound in bounds):
        return range(*bounds)
    if not 1 <= len(bounds) <= 3:
        raise TypeError(f"range expected 1 to 3 arguments, got {len(bounds)}")
    bounds = tuple(map(_integer, bounds))
    start, stop = (0, bounds[0]) if len(bounds) == 1 else bounds[:2]
    if len(bounds) == 3 and isinstance(bounds[2], Array):
        return _rising(start, stop, bounds[2].node)
    step = current().concretize(as_size(bounds[2], "a step")) if len(bounds) == 3 else 1
    if step == 0:
        raise ValueError("range() arg 3 must not be zero")
    if isinstance(start, Array) or isinstance(stop, Array):
        return Sequenced(_count(start, stop, step), lambda k: start + step * k)
    span = stop - start if step > 0 else start - stop
    length = sizes.floordiv(at_least_none(span) + abs(step) - 1, abs(step))
    return range(0) if length == 0 else Sequenced(length, lambda k: start + step * k)


def _rising(start: Any, stop: Any, step: Node) -> Sequenced:
    """A range whose step depends on data: where it is not above 0, or so large that sums may not be int64, the function runs
    as written."""
    make, one = current().make, ir.constant(1, INT64)
    current().check(make("less", step, one))
    current().check(make("less", ir.constant(STEP, INT64), step))
    step = make("maximum", step, one)
    span = make("maximum", to_node(stop - start, INT64), ir.constant(0, INT64))
    count = make("floor_divide", make("add", span, make("subtract", step, one)), step)
    first = to_node(start, INT64)
    return Sequenced(count, lambda k: python_number(make("add", first, make("multiply", step, to_node(k, INT64)))))


def _integer(value: Any) -> Any:
    """A bound of a range: a size, or an integer that depends on data."""
    if not isinstance(value, Array):
        return as_size(value, "a bound of a range")
    node = value.node
    if node.op in ("size", "constant") and node.type.dtype.kind in "iu":
        return as_size(value)
    if node.type.rank or node.type.dtype.kind not in "iu":
        raise TypeError(f"'{node.type.dtype.name}' object cannot be interpreted as an integer")
    return python_number(to_node(value, INT64))


def _count(start: Any, stop: Any, step: int) -> Node:
    span = to_node(stop - start if step > 0 else start - stop, INT64)
    make = current().make
    zero = ir.constant(0, INT64)
    span = make("maximum", span, zero)
    if abs(step) == 1:
        return span
    rounded = make("add", span, ir.constant(abs(step) - 1, INT64))
    return make("floor_divide", rounded, ir.constant(abs(step), INT64))


@implements(builtins.enumerate, theme=theme)
def traced_enumerate(iterable: Any, start: Any = 0) -> Any:
    found = sequenced(iterable)
    if found is None:
        return enumerate(iterable, start)
    return Sequenced(found.length, lambda k: (start + k, found.at(k)))


@implements(builtins.zip, theme=theme)
def traced_zip(*iterables: Any, strict: bool = False) -> Any:
    found = [sequenced(iterable) for iterable in iterables]
    if strict or not found or any(each is None for each in found):
        return zip(*iterables, strict=strict)
    kept = [each for each in found if each is not None]
    lengths: list[Any] = [each.length for each in kept]
    if any(isinstance(length, Node) for length in lengths):
        nodes = list(dict.fromkeys(to_node(Array(x) if isinstance(x, Node) else x, INT64) for x in lengths))
        least = nodes[0]
        for node in nodes[1:]:
            least = current().make("minimum", least, node)
        return Sequenced(least, lambda k: tuple(each.at(k) for each in kept))
    shortest = lengths[0]
    for length in lengths[1:]:
        shortest = length if current().at_least(shortest, length) else shortest
    return Sequenced(shortest, lambda k: tuple(each.at(k) for each in kept))


@implements(builtins.reversed, theme=theme)
def traced_reversed(sequence: Any) -> Any:
    found = sequenced(sequence)
    if found is None or isinstance(found.length, Node):
        return reversed(sequence)
    last = found.length - 1
    return Sequenced(found.length, lambda k: found.at(last - k))


def iterate(value: Any) -> Any:
    """`iter(value)`."""
    if isinstance(value, Size):
        raise TypeError("'int' object is not iterable")
    if isinstance(value, Iterating):
        return value
    if isinstance(value, Array) and not value.ndim:
        raise TypeError("iteration over a 0-d array")
    found = sequenced(value)
    return Iterating(value if found is None else found)
