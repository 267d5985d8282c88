"""Results in the place of what they are computed from, where that is read for the last time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from egc.lower.loops import Branch, Call, For, Gather, Item, Load, Loop, Reduce, Repeat, Scatter, Step, Store
from egc.lower.names import mentioned, renamed
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
    if written[name] != {number}:
        return None
    accesses = list(_accesses(step.body))
    stores = [each for each in accesses if each[2].access.array == name]
    if len(stores) != 1 or not isinstance(stores[0][2], Store):
        return None
    body, position, store = stores[0]
    for where, at, load in accesses:
        found = load.access.array
        if (
            where is not body
            or at > position
            or load.access.strides != store.access.strides
            or not isinstance(load, Load)
        ):
            continue
        if load.access.offset != store.access.offset or types.get(found) != type or last.get(found) != number:
            continue
        if all(other is load for _, _, other in accesses if other.access.array == found):
            return found
    return None


def _accesses(
    body: tuple[Item, ...],
) -> Iterator[tuple[tuple[Item, ...], int, Load | Store | Reduce | Gather | Scatter]]:
    for position, item in enumerate(body):
        if isinstance(item, For):
            yield from _accesses(item.body)
        elif isinstance(item, (Load, Store, Reduce, Gather, Scatter)):
            yield body, position, item


def _last_reads(steps: list[Step], outputs: tuple[str, ...]) -> dict[str, int]:
    """The number of the last step that reads each array; forever for what is returned or viewed, or regions know."""
    last: dict[str, int] = {}
    kept = {*outputs, *(name for step in steps if isinstance(step, Call) for name in step.operands)}
    kept.update(name for step in steps if isinstance(step, (Repeat, Branch)) for name in mentioned(step))
    for number, step in enumerate(steps):
        if isinstance(step, Loop):
            last.update(
                (item.access.array, number) for *_, item in _accesses(step.body) if isinstance(item, (Load, Gather))
            )
    last.update(dict.fromkeys(kept, FOREVER))
    return last


def _writers(steps: list[Step]) -> dict[str, set[int]]:
    """The numbers of the steps that write each array."""
    found: dict[str, set[int]] = {}
    for number, step in enumerate(steps):
        if isinstance(step, Loop):
            for *_, item in _accesses(step.body):
                if isinstance(item, (Store, Reduce, Scatter)):
                    found.setdefault(item.access.array, set()).add(number)
    return found
