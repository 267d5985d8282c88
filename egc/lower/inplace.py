"""New versions of arrays in the memory of older ones.

A region is a list of units: statements and loop nests, calls, loops and branches. Each makes values that no other unit
changes, so that only what reads fixes their order. This module gives arrays the memory of others, and then orders units.

Its law: a new version takes the place of an older one only if, in the order that results, every read of the older one comes
before the first write that changes it: reads in other units by the order of units, which has an edge for each of them, and
reads in the same loop nest by `overlap`. Copies of elements to their own place are then gone. The older version must be the
region's own: a state, or made in it; nothing that is returned, and no operand, is ever replaced. (Henriksen et al.,
Futhark: purely functional GPU-programming with nested parallelism and in-place array updates, 2017, has types for it.)

Where a nest reads what it would overwrite, a new version of the whole array stays in memory of its own, and the two
exchange their memory at the end of the iteration; a new version of a part is made apart and then put into its place.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from egc.lower.apart import can_be_taken_out, made_apart, one_by_one, taken_out, with_dims
from egc.lower.loops import Body, Branch, Call, Check, Repeat
from egc.lower.names import WRITES, filtered, is_item, made, mentioned, operands, renamed, without_unused
from egc.lower.overlap import reads_in_time, writes_in_time
from egc.lower.statements import (
    For,
    Gather,
    Load,
    Statement,
    Store,
    reads,
    statements,
    writes,
)
from egc.ranges import Ranges
from egc.types import ArrayType


@dataclass(frozen=True)
class Memory:
    """What a region's results become: `targets` are what it owns, in the order of its `outputs`, of which those in `blank`
    have no value before. Without targets, it only gives the outputs' names."""

    targets: tuple[tuple[str, ArrayType], ...]
    blank: tuple[str, ...]
    outputs: tuple[str, ...]


def in_place(
    steps: Sequence[Any],
    arrays: Mapping[str, ArrayType],
    scalars: Mapping[str, ArrayType],
    memory: Memory,
    ranges: Ranges,
) -> tuple[Body, tuple[str, ...]]:
    """The body of a region with as few arrays and copies as the law allows, and the names of its outputs. Nests that only copy
    are taken apart where that leaves fewer arrays."""
    found = _placed(steps, arrays, scalars, memory, ranges)
    apart = one_by_one(steps)
    if found[0].blocks and len(apart) > len(steps):
        other = _placed(apart, arrays, scalars, memory, ranges)
        found = other if len(other[0].blocks) < len(found[0].blocks) else found
    return found


def _placed(
    steps: Sequence[Any],
    arrays: Mapping[str, ArrayType],
    scalars: Mapping[str, ArrayType],
    memory: Memory,
    ranges: Ranges,
) -> tuple[Body, tuple[str, ...]]:
    while True:
        plan = _Plan(steps, arrays, memory, ranges)
        part = plan.choose()
        if part is None:
            break
        number, new, old = part
        steps, arrays = made_apart(steps, arrays, *part) if old else (taken_out(steps, number, new), arrays)
    places = plan.resolved()
    ordered = [renamed(step, places) for number in plan.order() for step in plan.without_idle(plan.steps[number])]
    outputs = tuple(places.get(name, name) for name in memory.outputs)
    blocks = tuple((name, type) for name, type in arrays.items() if name not in places)
    made_scalars = tuple((name, type.dtype) for name, type in scalars.items())
    return Body(tuple(without_unused(ordered)), moves(memory.targets, outputs), blocks, made_scalars), outputs


def moves(targets: Sequence[tuple[str, ArrayType]], outputs: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """What becomes what at the end, so that targets have the outputs' values and no memory is lost: the blocks that targets
    leave go to the arrays whose blocks they take."""
    pairs = [(target, value) for (target, _), value in zip(targets, outputs)]
    arrays = {target: value for (target, type), value in zip(targets, outputs) if type.rank}
    taken = set(arrays.values())
    for target in arrays:
        if target not in taken:
            value = arrays[target]
            while value in arrays:
                value = arrays[value]
            pairs.append((value, target))
    return tuple((target, value) for target, value in pairs if target != value)


class _Unit:
    """A step with the names of the arrays, scalars and values that it reads and writes."""

    def __init__(self, step: Any):
        self.step = step
        self.reads: set[str] = set()
        self.writes: set[str] = set()
        if isinstance(step, (Repeat, Branch)):
            self.writes.update(name for name, _ in step.states)
            self.reads.update(set(mentioned(step)) - set(made(step)))
        elif isinstance(step, Call):
            self.reads.update(step.operands)
            self.writes.add(step.name)
        elif not isinstance(step, Check):
            for statement in statements([step]):
                self.reads.update(operands(statement))
                self.reads.update(access.array for access in reads(statement))
                self.writes.update(access.array for access in writes(statement))
                if (name := getattr(statement, "name", None)) is not None:
                    self.writes.add(name)


class _Plan:
    """Which arrays take which others' places, and which units come before which."""

    def __init__(self, steps: Sequence[Any], arrays: Mapping[str, ArrayType], memory: Memory, ranges: Ranges):
        self.steps, self.arrays, self.memory, self.ranges = list(steps), arrays, memory, ranges
        self.types = {**arrays, **{name: type for name, type in memory.targets if type.rank}}
        self.units = [_Unit(step) for step in self.steps]
        self.places: dict[str, str] = {}
        self.replaced: set[str] = set()
        self.idle: set[int] = set()
        self.kept = {*memory.outputs, *memory.blank}
        self.defined = {s.name: s for s in self._statements() if hasattr(s, "name")}
        self.used: dict[str, list[Statement]] = {}
        for statement in self._statements():
            for name in operands(statement):
                self.used.setdefault(name, []).append(statement)
        self.writers: dict[str, list[int]] = {}
        self.readers: dict[str, list[int]] = {}
        self.shown: dict[str, str] = {}
        self.before: list[set[int]] = []
        for number, unit in enumerate(self.units):
            self._enter(number, unit)

    def _statements(self) -> Iterator[Any]:
        for step in self.steps:
            if is_item(step):
                yield from statements([step])

    def _enter(self, number: int, unit: _Unit) -> None:
        self.before.append({w for name in unit.reads | unit.writes for w in self.writers.get(name, ())})
        if isinstance(unit.step, Call) and unit.step.view:
            (operand, *_) = unit.step.operands
            self.shown[unit.step.name] = self.shown.get(operand, operand)
        for name in unit.reads:
            self.readers.setdefault(name, []).append(number)
            if name in self.shown:
                self.readers.setdefault(self.shown[name], []).append(number)
        for name in unit.writes:
            self.writers.setdefault(name, []).append(number)

    def choose(self) -> tuple[int, str, str] | None:
        """Finds places for all arrays; the number of a nest that has to make a part of an array apart, with the array and the
        older one, or the number of one from which an array has to be taken out, and no older one, if there is such a nest."""
        self.kept.update(self.shown.get(name, name) for name in self.memory.outputs)
        for new in sorted(self.arrays, key=lambda name: self.writers.get(name, [0])[0]):
            self.early: list[int] = []
            for old in self._older(new):
                nest = self._try(new, old)
                if nest is not None and self._is_part(self.steps[nest], new):
                    return nest, new, old
                if new in self.places:
                    break
            else:
                mixed = next((n for n in self.early if can_be_taken_out(self.steps[n], new)), None)
                if mixed is not None:
                    return mixed, new, ""
        for (target, type), output in zip(self.memory.targets, self.memory.outputs):
            own = output in self.arrays and output not in self.places
            if own and target in self.memory.blank and self.arrays[output] == type:
                self.places[output] = target
        return None

    def _older(self, new: str) -> list[str]:
        """The arrays that a new one may replace, those first that it copies elements of, then the state that it becomes."""
        found: dict[str, bool] = {}
        for number in self.writers.get(new, ()):
            step = self.steps[number]
            if not is_item(step):
                continue
            for statement in statements([step]):
                if isinstance(statement, (Load, Gather)):
                    old = statement.access.array
                    found[old] = found.get(old, False) or self._only_copied(statement, new)
                elif isinstance(statement, Store) and (load := self._copied(statement, new)) is not None:
                    found[load.access.array] = True
        free = [
            old
            for old in found
            if self.types.get(old) == self.types[new] and old not in self.kept | self.replaced and old != new
        ]
        becomes = {target for (target, _), output in zip(self.memory.targets, self.memory.outputs) if output == new}
        return sorted(free, key=lambda old: (not found[old], old not in becomes))

    def _copied(self, store: Any, new: str) -> Load | None:
        """The load whose element a store puts into the same place of `new`."""
        if not isinstance(store, Store) or store.access.array != new:
            return None
        load = self.defined.get(store.value)
        if not isinstance(load, Load):
            return None
        same = (load.access.offset, load.access.strides) == (store.access.offset, store.access.strides)
        return load if same else None

    def _only_copied(self, load: Any, new: str) -> bool:
        used = self.used.get(getattr(load, "name", ""), ())
        return isinstance(load, Load) and bool(used) and all(self._copied(s, new) is load for s in used)

    def _changes(self, number: int, new: str, old: str) -> bool:
        """Whether a unit writes elements of `new` that differ from `old`'s."""
        step = self.steps[number]
        if not is_item(step):
            return True
        for statement in statements([step]):
            if isinstance(statement, WRITES) and statement.access.array == new:
                load = self._copied(statement, new)
                if load is None or load.access.array != old:
                    return True
        return False

    def _reads(self, number: int, new: str, old: str) -> bool:
        """Whether a unit reads `old` other than to copy elements to their places in `new`."""
        step = self.steps[number]
        if not is_item(step):
            return True
        return any(
            self.shown.get(access.array, access.array) == old
            and not (access.array == old and self._only_copied(s, new))
            for s in statements([step])
            for access in reads(s)
        )

    def _try(self, new: str, old: str) -> int | None:
        """Lets an array take another's place if it can. The number of a nest that is in the way by what it reads itself."""
        active = [n for n in self.writers.get(new, ()) if self._changes(n, new, old)]
        reading = [n for n in self.readers.get(old, ()) if self._reads(n, new, old)]
        for n in active:
            step = self.steps[n]
            if n not in reading:
                continue
            if not isinstance(step, For) or n != active[0]:
                return None
            if any(name in self.shown for name in self.units[n].reads if self.shown.get(name) == old):
                return n

            def idle(s: Any) -> bool:
                load = s if self._only_copied(s, new) else self._copied(s, new)
                return load is not None and load.access.array == old

            if not reads_in_time(step, new, old, self.types[new], idle, self.ranges):
                return n
        writing = [n for n in self.writers.get(old, ()) if self._still_writes(n, old)]
        added = {(u, n) for n in active for u in (*reading, *writing) if u != n and u not in active}
        if any(u in active and not self._in_one_nest(u, active, new, old) for u in writing):
            return None
        if early := [n for u, n in added if self._precedes(n, u)]:
            self.early += early
            return None
        for u, n in added:
            self.before[n].add(u)
        self.places[new] = old
        self.replaced.add(old)
        self.idle.update(
            id(s) for s in self._statements() if (load := self._copied(s, new)) and load.access.array == old
        )
        if not active:
            self.readers.setdefault(new, []).extend(reading)
            self.writers[new] = [*self.writers.get(old, ()), *self.writers[new]]
        return None

    def _still_writes(self, number: int, name: str) -> bool:
        """Whether a unit writes an array other than by copies that will be gone."""
        step = self.steps[number]
        return not is_item(step) or any(
            id(s) not in self.idle and any(access.array == name for access in writes(s)) for s in statements([step])
        )

    def _in_one_nest(self, number: int, active: Sequence[int], new: str, old: str) -> bool:
        """Whether the one unit that changes a new version may be one that writes the older one too: for what lies in its memory,
        elements are read before they are changed, and written in the order of versions."""
        step, placed = self.steps[number], self.resolved()
        if not isinstance(step, For) or list(active) != [number] or placed.get(new):
            return False
        memory = placed.get(old, old)
        versions = {memory, old, *(name for name, place in placed.items() if place == memory)}

        def idle(s: Any) -> bool:
            load = s if isinstance(s, Load) and self._only_copied(s, new) else self._copied(s, new)
            return id(s) in self.idle or (load is not None and load.access.array == old)

        return all(
            reads_in_time(step, new, version, self.types[new], idle, self.ranges)
            and writes_in_time(step, new, version, self.types[new], idle)
            for version in versions
        )

    def without_idle(self, step: Any) -> Iterator[Any]:
        """A step without copies of elements to their own places."""
        yield from filtered([step], lambda s: id(s) not in self.idle)

    def _precedes(self, first: int, second: int) -> bool:
        """Whether one unit has to come before another."""
        stack, seen = [second], set()
        while stack:
            number = stack.pop()
            if number == first:
                return True
            if number not in seen:
                seen.add(number)
                stack.extend(self.before[number])
        return False

    def _is_part(self, nest: For, new: str) -> bool:
        """Whether the one place where a nest writes an array is a part of it that may be far smaller than the whole."""
        found = [(dims, s) for dims, s in with_dims((nest,), ()) if isinstance(s, WRITES) and s.access.array == new]
        if len(found) != 1 or not isinstance(found[0][1], Store) or not self._copies_elsewhere(new):
            return False
        dims, whole = found[0][0], [dim for dim in self.types[new].shape if dim != 1]
        return len(dims) != len(whole) or any(not isinstance(a - b, int) for a, b in zip(dims, whole))

    def _copies_elsewhere(self, new: str) -> bool:
        return any(
            self._copied(s, new) is not None
            for n in self.writers[new]
            if is_item(self.steps[n])
            for s in statements([self.steps[n]])
        )

    def resolved(self) -> dict[str, str]:
        """The array in whose memory each of the others lies."""
        found: dict[str, str] = {}
        for name, place in self.places.items():
            while place in self.places:
                place = self.places[place]
            found[name] = place
        return found

    def order(self) -> list[int]:
        """The units, each after those that have to come before it, else as they were."""
        done: dict[int, None] = {}
        for last in range(len(self.units)):
            stack = [(last, False)]
            while stack:
                number, ready = stack.pop()
                if number in done:
                    continue
                if ready:
                    done[number] = None
                else:
                    stack.append((number, True))
                    stack.extend((earlier, False) for earlier in sorted(self.before[number], reverse=True))
        return list(done)
