"""Whether loops that write a new version of an array over the old one read each element of the old one in time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from egc import sizes
from egc.lower.access import row_major
from egc.lower.statements import Access, For, Item, Load, Statement, Store, reads, writes
from egc.ranges import Ranges
from egc.sizes import Dim
from egc.types import ArrayType

IsCopy = Callable[[object], bool]

BLOCKS = range(-2, 3)
"""How many blocks of the last axes further on elements are looked for."""


@dataclass(frozen=True)
class _Place:
    """A statement: the body that holds it, its position there, and the lengths of the loops around it."""

    body: tuple[Item, ...]
    position: int
    dims: tuple[Dim, ...]
    statement: Statement


def reads_in_time(loop: For, new: str, old: str, type: ArrayType, idle: IsCopy, ranges: Ranges) -> bool:
    """Whether each element of `old` that a nest reads is read before the same element of `new` is written, whatever the
    sizes. Statements that are `idle` will be gone.

    Stores walk a box of the array in row-major order, so that all elements written so far lie at or below the one that is
    written; an element further on is still the old one. Where loops walk the first axes only, what is read at other places of
    the last ones is never written.
    """
    places = [place for place in _places((loop,), ()) if not idle(place.statement)]
    before = [place for place in places if any(access.array == old for access in reads(place.statement))]
    after = [place for place in places if any(access.array == new for access in writes(place.statement))]
    return all(_in_time(read, write, type, ranges) for read in before for write in after)


def writes_in_time(loop: For, new: str, old: str, type: ArrayType, idle: IsCopy) -> bool:
    """Whether no element of `old` that a nest writes is written after the same element of `new`, whatever the sizes."""
    places = [place for place in _places((loop,), ()) if not idle(place.statement)]
    before = [place for place in places if any(access.array == old for access in writes(place.statement))]
    after = [place for place in places if any(access.array == new for access in writes(place.statement))]
    return all(_overwrites(first, then, type) for first in before for then in after)


def _overwrites(first: _Place, then: _Place, type: ArrayType) -> bool:
    """Whether the same elements are written by the second of two stores in each iteration, if by both."""
    one, other = first.statement, then.statement
    if not isinstance(one, Store) or not isinstance(other, Store):
        return False
    if first.body is not then.body or first.position > then.position or one.access.strides != other.access.strides:
        return False
    shift = one.access.offset - other.access.offset
    return shift == 0 or _by_whole_blocks(other.access, then.dims, shift, type)


def _places(items: tuple[Item, ...], dims: tuple[Dim, ...]) -> Iterator[_Place]:
    for position, item in enumerate(items):
        if isinstance(item, For):
            yield from _places(item.body, (*dims, item.dim))
        else:
            yield _Place(items, position, dims, item)


def _in_time(read: _Place, write: _Place, type: ArrayType, ranges: Ranges) -> bool:
    load, store = read.statement, write.statement
    if not isinstance(load, Load) or not isinstance(store, Store):
        return False
    if read.body is not write.body or load.access.strides != store.access.strides:
        return False
    shift = load.access.offset - store.access.offset
    if shift == 0:
        return read.position < write.position
    if is_positive(shift, type) or _never_meet(store.access, shift, type, ranges):
        return True
    return read.position < write.position and _by_whole_blocks(store.access, write.dims, shift, type)


def _never_meet(access: Access, shift: Dim, type: ArrayType, ranges: Ranges) -> bool:
    """Whether elements that are a shift apart lie at different places of the array's last axes, while loops walk along the axes
    before these."""
    strides = row_major(type.shape)
    for axis in range(1, len(strides)):
        block = strides[axis - 1]
        if not all(stride == 0 or stride in strides[:axis] for stride in access.strides):
            continue
        for blocks in BLOCKS:
            rest = shift - blocks * block
            if ranges.holds(rest - 1) and ranges.holds(block - 1 - rest):
                return True
    return False


def is_positive(value: Dim, type: ArrayType) -> bool:
    """Whether a size is surely above 0 where the array has elements: its lengths are then, and numbers of iterations are not
    below 0. Nothing is known of integers that are arguments."""
    known = {name: 0 for name in sizes.symbols(value) if name.startswith("_i")}
    known |= {str(dim): 1 for dim in type.shape if str(dim).isidentifier()}
    least = sizes.lower_bound(value, known)
    return least is not None and least > 0


def _by_whole_blocks(access: Access, dims: tuple[Dim, ...], shift: Dim, type: ArrayType) -> bool:
    """Whether a store stays within one block of the array's last axes, which the shift is a multiple of: what is read lies in
    another block, or is the element that is written. One loop may walk several axes: then it is longer than any of them."""
    strides = row_major(type.shape)
    for axis in range(1, len(strides)):
        block = strides[axis - 1]
        lengths = dict(zip(strides[axis:], type.shape[axis:]))
        within = all(
            stride == 0 or (stride in lengths and is_positive(lengths[stride] - dim + 1, type))
            for stride, dim in zip(access.strides, dims)
        )
        if within and sizes.floordiv(shift, block) * block == shift:
            return True
    return False
