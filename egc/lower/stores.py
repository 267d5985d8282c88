"""Outputs in the memory of inputs: what a function does to its arguments, done to them as it goes.

An output takes the place of an input only if every element of the input is read before an element of the output is written
there: by a loop that runs before, or within the iteration that writes it. Where something may fail from then on, or a check may
refuse the outcome, the input is saved: code that fails puts it back as it was. Only loops and branches without calls that raise
tell of their failure. Copies of elements to their own places are gone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from egc.kinds import VIEWS
from egc.lower.loops import Branch, Call, Check, Loop, Repeat, Step
from egc.lower.names import filtered, mentioned, operands, renamed, without_identities, without_unused
from egc.lower.statements import (
    Access,
    Blocks,
    For,
    Gather,
    Item,
    Load,
    Scatter,
    Statement,
    Store,
    reads,
    statements,
    writes,
)
from egc.types import ArrayType


def stored(
    steps: Sequence[Step],
    outputs: tuple[str, ...],
    wanted: Mapping[int, tuple[str, ArrayType]],
    checked: bool = False,
) -> tuple[list[Step], tuple[str, ...], frozenset[str]]:
    """The steps with those `wanted` outputs, by number, in the place of inputs that can be there; the outputs' names; and the
    inputs to save. checked: a check may refuse the outcome."""
    steps, saved = list(steps), set()
    for number, (given, type) in wanted.items():
        name = outputs[number]
        if given in outputs or outputs.count(name) > 1 or not _is_made(steps, name, type):
            continue
        plain = [_without_identities(step) for step in steps]
        first = _in_time(plain, name, given)
        late = [step for step in plain[first:] if may_fail(step)] if first is not None else []
        if first is not None and all(map(_tells, late)):
            saved.update([given] if late or checked else [])
            steps = [step for each in plain if (step := _in_place(each, name, given)) is not None]
            outputs = tuple(given if place == number else other for place, other in enumerate(outputs))
    return steps, outputs, frozenset(saved)


def _tells(step: object) -> bool:
    """Whether a step that fails lets its caller say so."""
    match step:
        case Repeat() | Branch():
            return all(_tells(inner) for body in step.bodies() for inner in body.steps)
        case Call() | Loop():
            return not may_fail(step)
    return True


def may_fail(step: object) -> bool:
    """Whether a step may raise an exception, but for one of memory."""
    match step:
        case Loop():
            return step.may_fail
        case Repeat() | Branch():
            return any(may_fail(inner) for body in step.bodies() for inner in body.steps)
        case Call():
            return not step.view or step.node.op not in VIEWS
        case Check():
            return True
        case For():
            return any(map(may_fail, statements([step])))
        case Gather() | Scatter():
            return step.mode == "raise"
    return False


def _is_made(steps: Iterable[Step], name: str, type: ArrayType) -> bool:
    """Whether loops make an array of a type, which nothing shows a part of."""
    shown = any(isinstance(step, Call) and name in step.operands for step in steps)
    return not shown and any(isinstance(step, Loop) and (name, type) in step.results for step in steps)


def _without_identities(step: Step) -> Step:
    return replace(step, body=tuple(without_identities(step.body))) if isinstance(step, Loop) else step


@dataclass(frozen=True)
class _Use:
    """Where an array is read or written: the nest that does it, the loops from there to the statement, and the place in each
    one's body. A loop that carries the array, or a call, has no statement."""

    nest: tuple[int, int]
    loops: tuple[For, ...] = ()
    places: tuple[int, ...] = ()
    statement: Statement | None = None
    access: Access | None = None


def _in_time(steps: Sequence[Step], name: str, given: str) -> int | None:
    """The first step that writes elements of `name`, where those of an input in their places are read before; None where they are
    not."""
    idle = {id(s) for step in steps if isinstance(step, Loop) for s in _copies(step.body, name, given)}
    uses = [use for use in _uses(steps, {name, given}) if id(use.statement) not in idle]
    if any(use.statement is None and given in mentioned(steps[use.nest[0]]) for use in uses):
        return None
    reading = [use for use in uses if use.access is not None and use.access.array == given]
    writing = [use for use in uses if use.statement is None or use.access in writes(use.statement)]
    if not all(_precedes(read, write) for read in reading for write in writing):
        return None
    return min((write.nest[0] for write in writing), default=len(steps))


def _precedes(read: _Use, write: _Use) -> bool:
    """Whether an element is read before it is written, in every iteration of the loops that are around both."""
    if read.nest != write.nest:
        return read.nest < write.nest
    if not isinstance(read.statement, Load) or not isinstance(write.statement, Store):
        return False
    shared = sum(1 for a, b in zip(read.loops, write.loops) if a is b)
    first, second = read.statement.access, write.statement.access
    return (
        read.places[shared] < write.places[shared]
        and first.offset == second.offset
        and first.strides[:shared] == second.strides[:shared]
        and _in_rows(read, first, shared)
        and _in_rows(write, second, shared)
        and not any(isinstance(loop, Blocks) for loop in read.loops[:shared])
    )


def _in_rows(use: _Use, access: Access, shared: int) -> bool:
    """Whether each iteration of the `shared` loops walks elements of its own: the loops inside walk less than a step further
    out."""
    dims = [loop.dim for loop in use.loops]
    strides = list(access.strides)[: len(dims)]
    if not shared:
        return False
    if len(strides) == shared == len(dims) and len(strides) == 1:
        return strides[0] != 0
    return strides[-1] == 1 and all(a == b * dim for a, b, dim in zip(strides, strides[1:], dims[1:]))


def _uses(steps: Iterable[Step], names: set[str]) -> Iterator[_Use]:
    for number, step in enumerate(steps):
        if isinstance(step, Loop):
            for place, item in enumerate(step.body):
                yield from _uses_inside([item], names, _Use((number, place)))
        elif names.intersection(mentioned(step)):
            yield _Use((number, 0))


def _uses_inside(body: Iterable[Item], names: set[str], where: _Use) -> Iterator[_Use]:
    for position, item in enumerate(body):
        places = (*where.places, position)
        if isinstance(item, For):
            yield from _uses_inside(item.body, names, replace(where, loops=(*where.loops, item), places=places))
            continue
        for access in (*reads(item), *writes(item)):
            if access.array in names:
                yield replace(where, places=places, statement=item, access=access)


def _copies(body: Iterable[Item], name: str, given: str) -> list[Statement]:
    """The statements that only copy elements of an input to their places in an array."""
    inside = list(statements(body))
    loads = {s.name: s for s in inside if isinstance(s, Load) and s.access.array == given}
    stores: list[Statement] = []
    used: dict[str, int] = {}
    copied: dict[str, int] = {}
    for statement in inside:
        for value in operands(statement):
            used[value] = used.get(value, 0) + 1
        if not isinstance(statement, Store) or statement.access.array != name:
            continue
        load = loads.get(statement.value)
        if load is not None and replace(load.access, array=name) == statement.access:
            stores.append(statement)
            copied[load.name] = copied.get(load.name, 0) + 1
    return [*stores, *(load for value, load in loads.items() if copied.get(value, 0) == used.get(value, 0))]


def _in_place(step: Step, name: str, given: str) -> Step | None:
    """A step with an input for an array, or None where nothing is left of it: it may make arrays of any elements."""
    if not isinstance(step, Loop):
        found: Step = renamed(step, {name: given})
        return found
    idle = {id(s) for s in _copies(step.body, name, given)}
    kept = without_unused(list(filtered(step.body, lambda s: id(s) not in idle)))
    results = tuple(result for result in step.results if result[0] != name)
    body = tuple(renamed(item, {name: given}) for item in kept)
    return replace(step, results=results, body=body) if body or results else None
