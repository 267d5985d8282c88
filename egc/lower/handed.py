"""Arrays handed on from step to step: a loop starts in the memory of what it starts from, where that is read for the last time.

Loops and branches work on copies of what they change. Such a copy of a whole array that an earlier step has made, which nothing
reads later and nothing shows a part of, is that array itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from egc.lower.loops import Branch, Call, Loop, Step
from egc.lower.names import filtered, mentioned, renamed, without_identities, without_unused
from egc.lower.statements import Load, Store, reads, writes
from egc.types import ArrayType


def handed_on(steps: Sequence[Step], outputs: tuple[str, ...]) -> tuple[list[Step], tuple[str, ...]]:
    """The same steps with fewer copies, and the outputs' names.

    >>> import numpy as np
    >>> from egc.lower.statements import Access, For
    >>> there = Access("a", 0, (1,))
    >>> vector = ArrayType(np.dtype(float), (3,))
    >>> filled = Loop((("a", vector),), (For(3, (Store(there, "v", vector.dtype),)),))
    >>> copied = Load("w", there, vector.dtype, False), Store(replace(there, array="b"), "w", vector.dtype)
    >>> handed_on([filled, Loop((("b", vector),), (For(3, copied),))], ("b",))[1]
    ('a',)
    """
    steps = list(steps)
    types: dict[str, ArrayType] = {}
    for number, step in enumerate(steps):
        if not isinstance(step, Loop):
            types.update(step.results if isinstance(step, Branch) else ())
            continue
        plain = replace(step, body=tuple(without_identities(step.body)))
        for new, type in step.results:
            old = _copied(plain, new, type, types) if type.rank else None
            if old is None or old in outputs or not _is_last(steps, number, old) or _written(steps, new) != {number}:
                continue
            plain = _without(plain, new, old)
            names = {new: old}
            steps[number:] = [plain, *(_renamed(each, names) for each in steps[number + 1 :])]
            outputs = tuple(names.get(name, name) for name in outputs)
        types.update(step.results)
    return [step for step in steps if not isinstance(step, Loop) or step.body or step.results], outputs


def _copied(step: Loop, new: str, type: ArrayType, types: dict[str, ArrayType]) -> str | None:
    """The array of which all that a step does to another one is a copy."""
    found = [s for s in step.statements() if any(access.array == new for access in (*reads(s), *writes(s)))]
    if len(found) != 1 or not isinstance(found[0], Store):
        return None
    store = found[0]
    load = next((s for s in step.statements() if isinstance(s, Load) and s.name == store.value), None)
    if load is None or replace(load.access, array=new) != store.access or types.get(load.access.array) != type:
        return None
    old = load.access.array
    changed = any(access.array == old for s in step.statements() for access in writes(s))
    return None if changed else old


def _is_last(steps: Sequence[Step], number: int, old: str) -> bool:
    """Whether no step after one of them reads an array, and nothing is a view of it."""
    shown = any(isinstance(step, Call) and step.view and old in step.operands for step in steps)
    return not shown and not any(old in _mentioned(step) for step in steps[number + 1 :])


def _written(steps: Sequence[Step], name: str) -> set[int]:
    """The numbers of the loop nests that write an array."""
    return {
        number
        for number, step in enumerate(steps)
        if isinstance(step, Loop) and any(access.array == name for s in step.statements() for access in writes(s))
    }


def _mentioned(step: Step) -> Iterable[str]:
    if isinstance(step, Loop):
        return {access.array for s in step.statements() for access in (*reads(s), *writes(s))}
    return set(mentioned(step))


def _renamed(step: Step, names: dict[str, str]) -> Step:
    if isinstance(step, Loop):
        return replace(step, body=tuple(renamed(item, names) for item in step.body))
    found: Step = renamed(step, names)
    return found


def _without(step: Loop, new: str, old: str) -> Loop:
    """A step that leaves an array where it is, instead of copying it."""
    kept = filtered(step.body, lambda s: not (isinstance(s, Store) and s.access.array == new))
    body = tuple(without_unused(list(kept)))
    return replace(step, results=tuple(result for result in step.results if result[0] != new), body=body)
