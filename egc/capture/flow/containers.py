"""Containers that a branch or loop makes again, with the numbers and arrays that are in them after it.

The new ones stand for those that variables were bound to. Where another variable may be bound to one of these too, a change
through one name would not be seen through the other: then neither may be changed any more.
"""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Iterable, Iterator
from typing import Any

from egc.capture.bytecode import Closure, Enclosed

CONTAINERS = (list, dict, set)


def is_container(value: Any) -> bool:
    return isinstance(value, CONTAINERS) or (
        dataclasses.is_dataclass(value) and not isinstance(value, (type, Enclosed))
    )


def parts(value: Any) -> Iterator[Any]:
    """What a value reaches at once: the elements of a container, and what a function defined during the capture holds."""
    if isinstance(value, (list, tuple, set)):
        yield from value
    elif isinstance(value, dict):
        yield from value.values()
    elif isinstance(value, Closure):
        yield from value.defaults
        for cell in value.cells:
            held = cell.cell_contents
            yield held.frame.values.get(held.name) if isinstance(held, Enclosed) else held
    elif is_container(value):
        yield from (getattr(value, field.name) for field in dataclasses.fields(value))
    elif isinstance(value, (types.MethodType, types.BuiltinMethodType)):
        yield value.__self__


def reached(values: Iterable[Any]) -> Iterator[Any]:
    """All that the values reach, each as often as it is reached, but what is in a container only once."""
    stack, seen = list(values), set()
    while stack:
        value = stack.pop()
        yield value
        if isinstance(value, tuple) or id(value) not in seen:
            seen.add(id(value))
            stack.extend(parts(value))


def elsewhere(frame: Any, values: dict[str, Any], names: Iterable[str]) -> Iterator[Any]:
    """The values of some variables of a frame, and of all the frames around it."""
    yield from (values[name] for name in names if name in values)
    for other in frame.machine.frames:
        if other is not frame:
            yield from other.values.values()


def are_free(machine: Any, originals: Iterable[Any], others: Iterable[Any]) -> bool:
    """Whether the containers of a value may be changed, and nothing else reaches them. If not, nobody may change them."""
    found = [value for value in reached(originals) if is_container(value)]
    own = set(map(id, found))
    shared = len(own) < len(found) or any(id(value) in own for value in reached(others))
    if not shared and all(map(machine.is_free, found)):
        return True
    for container in found:
        machine.freeze(container)
    return False


def is_one(a: Any, b: Any) -> bool:
    """Whether two values have the very same containers."""
    return a is b or all(x is y for x, y in zip(reached([a]), reached([b])) if is_container(x) or is_container(y))
