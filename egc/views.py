"""Views as index maps: which element of a stored value an element of a view is.

A map gives, for each axis of a value, an index that is affine in loop indices. Views compose maps, so that a chain of
slices, transposes and broadcasts costs nothing to read through.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from egc.ir import Node
from egc.sizes import Dim
from egc.types import Shape, format_shape


@dataclass(frozen=True)
class Check:
    """A condition on sizes that a loop nest relies on and that NumPy would check; `values` are its sizes.

    slice: start, size, step, length; reshape: the sizes before and after; nonempty: the number of elements reduced;
    index: the length of an axis and the number of indices into it.
    """

    what: str
    values: tuple[Dim, ...]
    message: str

    def __str__(self) -> str:
        return f"check {self.what}({', '.join(map(str, self.values))})"


@dataclass(frozen=True)
class Index:
    """The index `offset + sum(step * i[loop])` along one axis, with a (loop, step) for each loop it depends on."""

    offset: Dim
    terms: tuple[tuple[int, Dim], ...] = ()

    def scaled(self, step: Dim, start: Dim) -> Index:
        if step == 0:
            return Index(start)
        return Index(self.offset * step + start, tuple((loop, factor * step) for loop, factor in self.terms))


Map = tuple[Index, ...]


@lru_cache(maxsize=64)
def identity(rank: int) -> Map:
    """The map of a value that the loops walk axis by axis."""
    return tuple(Index(0, ((axis, 1),)) for axis in range(rank))


@dataclass(frozen=True)
class Source:
    """Where elements come from: `index` into `base`, whose elements in C order are seen as an array of `shape`."""

    base: Node
    shape: Shape
    index: Map
    checks: tuple[Check, ...] = ()

    def aligned(self) -> int:
        """The number of leading axes of the base that the leading loops walk, each its own."""
        if self.shape != self.base.type.shape:
            return 0
        for axis, index in enumerate(self.index):
            if index.offset != 0 or index.terms != ((axis, 1),):
                return axis
        return len(self.index)


def trace(node: Node, index: Map) -> Source:
    """Follows views from a value down to what holds its elements, for the elements at `index`."""
    checks: tuple[Check, ...] = ()
    while True:
        step = _VIEWS.get(node.op)
        found = step(node, index) if step is not None else None
        if found is None:
            return Source(node, node.type.shape, index, checks)
        checks += found.checks
        if found.shape != found.base.type.shape:
            return Source(found.base, found.shape, found.index, checks)
        node, index = found.base, found.index


def _child(node: Node, index: Map, checks: tuple[Check, ...] = ()) -> Source:
    child = node.inputs[0]
    return Source(child, child.type.shape, index, checks)


def _assume(node: Node, index: Map) -> Source:
    return _child(node, index)


def _transpose(node: Node, index: Map) -> Source:
    axes = node.params["axes"]
    return _child(node, tuple(index[axes.index(axis)] for axis in range(len(axes))))


def _broadcast(node: Node, index: Map) -> Source:
    return _child(node, tuple(index[axis] for axis in node.params["axes"]))


def _slice(node: Node, index: Map) -> Source:
    lengths, checks, moved = node.inputs[0].type.shape, [], []
    picks = zip(index, lengths, node.params["start"], node.params["size"], node.params["step"])
    for place, length, start, size, step in picks:
        moved.append(place.scaled(step, start))
        checks.extend(inside(start, size, step, length))
    return _child(node, tuple(moved), tuple(checks))


def inside(start: Dim, size: Dim, step: Dim, length: Dim) -> list[Check]:
    """The check that `start + step*i` is an index for all `i < size`, unless it surely is."""
    surely = _surely_inside(start, size, step, length)
    return [] if surely else [Check("slice", (start, size, step, length), "slice is out of bounds")]


def _surely_inside(start: Dim, size: Dim, step: Dim, length: Dim) -> bool:
    if isinstance(start, int) and start >= 0 and step == 1:
        room = length - start - size
        return isinstance(room, int) and room >= 0
    if not (isinstance(start, int) and isinstance(size, int) and isinstance(step, int) and isinstance(length, int)):
        return False
    return size == 0 or (0 <= start < length and 0 <= start + (size - 1) * step < length)


def _diagonal(node: Node, index: Map) -> Source | None:
    offset, size = node.params["offset"], node.params["size"]
    if not isinstance(offset, int):
        return None
    row, column = max(-offset, 0), max(offset, 0)
    height, width = node.inputs[0].type.shape[-2:]
    checks = (*inside(row, size, 1, height), *inside(column, size, 1, width))
    *rest, last = index
    return _child(node, (*rest, last.scaled(1, row), last.scaled(1, column)), checks)


def _reshape(node: Node, index: Map) -> Source | None:
    """Axes of length 1 come and go; a whole value keeps its order of elements; all else needs a copy."""
    child = node.inputs[0]
    before, after = child.type.shape, node.type.shape
    sizes = child.type.size, node.type.size
    message = f"cannot reshape array of size {sizes[0]} into shape {format_shape(after)}"
    checks = () if sizes[0] == sizes[1] else (Check("reshape", sizes, message),)
    if [dim for dim in before if dim != 1] == [dim for dim in after if dim != 1]:
        walked = iter([place for place, dim in zip(index, after) if dim != 1])
        return _child(node, tuple(Index(0) if dim == 1 else next(walked) for dim in before), checks)
    while child.op in ("assume", "reshape"):
        child = child.inputs[0]
    constant = child
    while constant.op in _VIEWS:
        constant = constant.inputs[0]
    if constant.op == "constant":
        return Source(constant, after, index, checks)
    if child.op in _VIEWS or child.op == "iota":
        return None
    return Source(child, after, index, checks)


_VIEWS = {
    "assume": _assume,
    "transpose": _transpose,
    "broadcast": _broadcast,
    "slice": _slice,
    "diagonal": _diagonal,
    "reshape": _reshape,
}
