"""Fewer, longer loops: perfectly nested neighbours that every access walks as one become one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from egc.lower.loops import Loop
from egc.lower.statements import (
    Access,
    Blocks,
    Fold,
    For,
    Gather,
    Index,
    Item,
    Load,
    Reduce,
    Scan,
    Scatter,
    Statement,
    Store,
    statements,
)
from egc.sizes import Dim

Strides = tuple[Dim, ...]


def collapse(loop: Loop) -> Loop:
    """The same work in a tree of the fewest loops, one flat loop where all arrays have the loop's shape."""
    return replace(loop, body=tuple(_collapsed(item, 0) for item in loop.body))


def _collapsed(item: Item, depth: int) -> Item:
    """A tree that is inside `depth` loops."""
    if not isinstance(item, For):
        return item
    if isinstance(item, Blocks):
        return replace(item, body=tuple(_rows_collapsed(child, depth) for child in item.body))
    item = For(item.dim, tuple(_collapsed(child, depth + 1) for child in item.body))
    while len(item.body) == 1 and isinstance(inner := item.body[0], For):
        if not all(_one_walk(statement, depth, inner.dim) for statement in statements(inner.body)):
            break
        item = For(item.dim * inner.dim, tuple(_without(child, depth) for child in inner.body))
    return item


def _rows_collapsed(item: Item, depth: int) -> Item:
    """A loop over rows of a block, which stays one over rows."""
    if not isinstance(item, For):
        return item
    return For(item.dim, tuple(_collapsed(child, depth + 1) for child in item.body))


def _strides(statement: Statement) -> Strides | None:
    match statement:
        case (
            Load(access=access)
            | Store(access=access)
            | Reduce(access=access)
            | Gather(access=access)
            | Scatter(access=access)
        ):
            return access.strides
        case Index(strides=strides):
            return strides
    return None


def _one_walk(statement: Statement, axis: int, length: Dim) -> bool:
    """Whether a step along `axis` is the same for a statement as walking the whole next axis."""
    if isinstance(statement, (Fold, Reduce, Scan)) and statement.depth == axis + 1:
        return False
    strides = _strides(statement)
    return strides is None or strides[axis] == strides[axis + 1] * length


def _without(item: Item, axis: int) -> Item:
    """A tree in which a loop is gone."""

    def drop(strides: Strides) -> Strides:
        return strides[:axis] + strides[axis + 1 :]

    match item:
        case For():
            return For(item.dim, tuple(_without(child, axis) for child in item.body))
        case Index():
            return replace(item, strides=drop(item.strides))
        case Load() | Store() | Gather() | Scatter():
            return replace(item, access=_changed(item.access, drop))
        case Reduce():
            return replace(item, access=_changed(item.access, drop), depth=item.depth - (item.depth > axis))
        case Fold() | Scan():
            return replace(item, depth=item.depth - (item.depth > axis))
    return item


def _changed(access: Access, change: Callable[[Strides], Strides]) -> Access:
    return replace(access, strides=change(access.strides))
