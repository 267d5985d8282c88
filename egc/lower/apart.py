"""Loop nests made of others, so that arrays can lie in the memory of older versions: a part that is made apart and put into its
place afterwards, and an array that is taken out of a nest which makes others as well."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from egc import sizes
from egc.lower.access import row_major
from egc.lower.names import filtered, without_unused
from egc.lower.statements import Access, For, Literal, Load, Statement, Store, reads, statements, writes
from egc.sizes import Dim
from egc.types import ArrayType


def with_dims(items: Iterable[Any], dims: tuple[Dim, ...]) -> Iterator[tuple[tuple[Dim, ...], Any]]:
    for item in items:
        if isinstance(item, For):
            yield from with_dims(item.body, (*dims, item.dim))
        else:
            yield dims, item


def made_apart(
    steps: Sequence[Any], arrays: Mapping[str, ArrayType], number: int, new: str, old: str
) -> tuple[list[Any], dict[str, ArrayType]]:
    """The steps with a nest that writes to a buffer, and one after it that puts the buffer's elements into the array."""
    nest = steps[number]
    ((dims, store),) = [
        (dims, s) for dims, s in with_dims((nest,), ()) if isinstance(s, Store) and s.access.array == new
    ]
    part, value = f"{new}p", f"{new}v"
    there = Access(part, 0, row_major(dims))

    def redirected(item: Any) -> Any:
        if isinstance(item, For):
            return replace(item, body=tuple(map(redirected, item.body)))
        return replace(item, access=there) if item is store else item

    placed: tuple[Any, ...] = (
        Load(value, there, store.dtype, False),
        replace(store, value=value),
    )
    for dim in reversed(dims):
        placed = (For(dim, placed),)
    size = sizes.product(dims)
    if any(name.startswith("_i") for name in sizes.symbols(size)):
        size = arrays[new].size
    made_now = {**arrays, part: ArrayType(store.dtype, (size,))}
    return [*steps[:number], redirected(nest), *placed, *steps[number + 1 :]], made_now


def can_be_taken_out(nest: Any, new: str) -> bool:
    """Whether a nest makes an array by copies and constants only, beside others."""
    if not isinstance(nest, For):
        return False
    inside = list(statements([nest]))
    values = {s.name: s for s in inside if isinstance(s, (Load, Literal))}
    own = [s for s in inside if any(access.array == new for access in writes(s))]
    others = any(access.array != new for s in inside for access in writes(s))
    read = any(access.array == new for s in inside for access in reads(s))
    return others and not read and all(isinstance(s, Store) and s.value in values for s in own)


def taken_out(steps: Sequence[Any], number: int, new: str) -> list[Any]:
    """The steps with a nest of its own for an array, after the one that made others as well."""
    nest = steps[number]

    def kept(wanted: Callable[[Statement], bool]) -> list[Any]:
        return list(without_unused(list(filtered([nest], wanted))))

    def is_own(statement: Statement) -> bool:
        return any(access.array == new for access in writes(statement))

    own = kept(lambda s: is_own(s) or isinstance(s, (Load, Literal)))
    others = kept(lambda s: not is_own(s))

    def named(item: Any) -> Any:
        match item:
            case For():
                return replace(item, body=tuple(map(named, item.body)))
            case Store():
                return replace(item, value=f"{item.value}_{new}")
        return replace(item, name=f"{item.name}_{new}")

    return [*steps[:number], *others, *map(named, own), *steps[number + 1 :]]


def one_by_one(steps: Sequence[Any]) -> list[Any]:
    """The steps with a nest of its own for each array, where nests only copy elements and write constants."""
    found: list[Any] = []
    for step in steps:
        nests = [step]
        if isinstance(step, For) and all(isinstance(s, (Load, Literal, Store)) for s in statements([step])):
            arrays = list(dict.fromkeys(access.array for s in statements([step]) for access in writes(s)))
            for array in arrays[1:]:
                if can_be_taken_out(nests[0], array):
                    nests[:1] = taken_out(nests[:1], 0, array)
        found += nests
    return found
