"""Results in the place of what they are computed from, where that is read for the last time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from egc.lower.loops import Branch, Call, Loop, Repeat, Step
from egc.lower.names import mentioned, renamed
from egc.lower.row_buffers import rows_in_results
from egc.lower.statements import Access, For, Item, Load, Statement, Store, reads, writes
from egc.types import ArrayType

FOREVER = 1 << 60


def reuse(steps: Iterable[Step], outputs: tuple[str, ...]) -> tuple[list[Step], tuple[str, ...]]:
    """The same steps with fewer arrays.

    A result takes the place of an array of its type that loops have made, whose elements the innermost loop that stores
    the result reads before, at the same address, and that nothing reads elsewhere or later.
    """
    steps = list(steps)
    last, written = _last_reads(steps, outputs), _writers(steps)
    types: dict[str, ArrayType] = {}
    places: dict[str, str] = {}
    done: list[Step] = []
    for number, step in enumerate(steps):
        if isinstance(step, Loop):
            taken: dict[str, str] = {}
            for name, type in step.results:
                place = _place(step, name, type, types, number, last, written) if type.rank else None
                if place is not None and place not in taken.values():
                    taken[name] = place
            places.update((name, places.get(place, place)) for name, place in taken.items())
            types.update(result for result in step.results)
            step = replace(
                step,
                results=tuple(result for result in step.results if result[0] not in taken),
                body=tuple(renamed(item, places) for item in step.body),
            )
            step = rows_in_results(step)
        elif isinstance(step, Call):
            step = replace(step, operands=tuple(places.get(name, name) for name in step.operands))
        elif isinstance(step, (Repeat, Branch)):
            step = renamed(step, places)
        done.append(step)
    return done, tuple(places.get(name, name) for name in outputs)


def _place(
    step: Loop,
    name: str,
    type: ArrayType,
    types: Mapping[str, ArrayType],
    number: int,
    last: Mapping[str, int],
    written: Mapping[str, set[int]],
) -> str | None:
    """The array that a result of a step can replace."""
    if written.get(name) != {number}:
        return None
    accesses = list(_accesses(step.body))
    stores = [each for each in accesses if each[3].array == name]
    if len(stores) != 1 or not isinstance(stores[0][2], Store):
        return None
    body, position, _, written_to = stores[0]
    for where, at, load, access in accesses:
        found = access.array
        if where is not body or at > position or access.strides != written_to.strides or not isinstance(load, Load):
            continue
        if access.offset != written_to.offset or types.get(found) != type or last.get(found) != number:
            continue
        if all(other is load for _, _, other, place in accesses if place.array == found):
            return found
    return None


def _accesses(body: tuple[Item, ...]) -> Iterator[tuple[tuple[Item, ...], int, Statement, Access]]:
    """Each access of a tree, with the items that it stands among, its place there, and its statement."""
    for position, item in enumerate(body):
        if isinstance(item, For):
            yield from _accesses(item.body)
        else:
            yield from ((body, position, item, access) for access in (*reads(item), *writes(item)))


def _last_reads(steps: list[Step], outputs: tuple[str, ...]) -> dict[str, int]:
    """The number of the last step that reads each array; forever for what is returned or viewed, or regions know."""
    last: dict[str, int] = {}
    kept = {*outputs, *(name for step in steps if isinstance(step, Call) for name in step.operands)}
    kept.update(name for step in steps if isinstance(step, (Repeat, Branch)) for name in mentioned(step))
    for number, step in enumerate(steps):
        if isinstance(step, Loop):
            last.update((access.array, number) for item in step.statements() for access in reads(item))
    last.update(dict.fromkeys(kept, FOREVER))
    return last


def _writers(steps: list[Step]) -> dict[str, set[int]]:
    """The numbers of the steps that write each array."""
    found: dict[str, set[int]] = {}
    for number, step in enumerate(steps):
        if isinstance(step, Loop):
            for access in (access for item in step.statements() for access in writes(item)):
                found.setdefault(access.array, set()).add(number)
    return found
