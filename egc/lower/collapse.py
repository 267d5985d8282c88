"""Fewer, longer loops: axes of length 1 disappear, and neighbours that every access walks as one become one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from egc.lower.loops import Access, Index, Load, Loop, Reduce, Statement, Store
from egc.sizes import Dim

Strides = tuple[Dim, ...]


def collapse(loop: Loop) -> Loop:
    """The same work in a nest of the fewest loops, one flat loop where all arrays have the loop's shape."""
    for axis in reversed(range(len(loop.dims))):
        if loop.dims[axis] == 1:
            loop = _without(loop, axis)
    for axis in reversed(range(len(loop.dims) - 1)):
        if _one_walk(loop, axis):
            merged = (*loop.dims[: axis + 1], loop.dims[axis] * loop.dims[axis + 1], *loop.dims[axis + 2 :])
            loop = _without(replace(loop, dims=merged), axis)
    return loop


def _strides(statement: Statement) -> Strides | None:
    match statement:
        case Load(access=access) | Store(access=access) | Reduce(access=access):
            return access.strides
        case Index(strides=strides):
            return strides
    return None


def _one_walk(loop: Loop, axis: int) -> bool:
    """Whether a step along `axis` is the same, everywhere, as walking the whole next axis."""
    for statement in loop.body:
        strides = _strides(statement)
        if strides is not None and strides[axis] != strides[axis + 1] * loop.dims[axis + 1]:
            return False
        if isinstance(statement, Reduce) and (axis in statement.axes) != (axis + 1 in statement.axes):
            return False
    return True


def _without(loop: Loop, axis: int) -> Loop:
    def drop(strides: Strides) -> Strides:
        return strides[:axis] + strides[axis + 1 :]

    dims = loop.dims[:axis] + loop.dims[axis + 1 :]
    return Loop(dims, loop.results, tuple(_map_strides(statement, drop, axis) for statement in loop.body))


def _map_strides(statement: Statement, change: Callable[[Strides], Strides], axis: int) -> Statement:
    match statement:
        case Index():
            return replace(statement, strides=change(statement.strides))
        case Load() | Store():
            return replace(statement, access=_changed(statement.access, change))
        case Reduce():
            axes = frozenset(a - (a > axis) for a in statement.axes if a != axis)
            access = _changed(statement.access, change)
            return replace(statement, access=access, axes=axes) if axes else Store(access, statement.value)
    return statement


def _changed(access: Access, change: Callable[[Strides], Strides]) -> Access:
    return replace(access, strides=change(access.strides))
