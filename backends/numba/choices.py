"""Choices of much work by a mask: a side is computed only for the elements that take it, in vectors.

A branch for each element leaves no vectors. In blocks, the elements at which a side is taken are put next to one another, its
work is done on these, and the results go back to their places (active-lane compaction: Wald, Active Thread Compaction for GPU
Path Tracing, 2011). A block of which no element takes a side does none of its work; one of which nearly all do skips the
moving. Every value is computed as in the plain loop, so that results are the same to the last bit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Union

import numpy as np

from egc.backends.numba.accumulators import stored
from egc.backends.numba.sharing import price_of
from egc.lower.statements import (
    Apply,
    Fold,
    For,
    Index,
    Literal,
    Load,
    Reduce,
    Statement,
    Store,
    is_invariant,
    operands,
    reads,
    writes,
)

if TYPE_CHECKING:
    from egc.backends.numba.emit import Nest

Made = Union[Load, Literal, Index, Apply]
"""Statements that make a value, and do nothing else."""

SIZE = 256
"""Elements of a block: its buffers stay in the first cache."""

LEAST = 64
"""Elements of a loop, at least: starting the loops of a block takes as long as some work."""

MUCH = 4.0
"""Nanoseconds of an element's work on one side from which it pays to find out who needs it."""

NEARLY = 4
"""A side that all but one in so many elements take is computed for all."""

MOST_BUFFERS = 8
"""Values that one side reads, at most."""


@dataclass(frozen=True)
class Side:
    """What is computed only for the elements at which a mask holds, or does not. `results` are the values that choices take,
    `given` those that the work reads, `work` the statements between."""

    mask: str
    holds: bool
    work: tuple[Apply, ...]
    results: tuple[Apply, ...]
    given: tuple[Made, ...]


def write_choices(nest: Nest, loop: For, depth: int, start: str, stop: str, indent: int) -> str:
    """The iterations of an innermost loop inside `depth` loops, where a choice in it is between values of much work. Gives where
    the other iterations start."""
    sides = found_sides(loop, nest.products)
    if not sides:
        return start
    return _Choices(nest, loop, depth, sides).write(start, stop, indent)


def found_sides(loop: For, products: Mapping[str, tuple[str, ...]]) -> list[Side]:
    """The sides of choices in an innermost loop that are worth a block's moves. `products` are values that only sums compute."""
    body = [s for s in loop.body if not isinstance(s, For)]
    if len(body) < len(loop.body) or not _is_plain(body):
        return []
    makers = {s.name: s for s in body if isinstance(s, (Load, Literal, Index, Apply))}
    users: dict[str, list[Statement]] = {name: [] for name in makers}
    for statement in body:
        for name in _read(statement, products):
            if name in users:
                users[name].append(statement)
    masks = dict.fromkeys(s.operands[0] for s in body if isinstance(s, Apply) and s.node.op == "where")
    found: list[Side] = []
    taken: set[str] = set()
    shared: set[str] = set()
    for mask, holds in ((mask, holds) for mask in masks for holds in (True, False)):
        if mask not in makers or is_invariant(makers[mask]):
            continue
        side = _side(mask, holds, body, makers, users, products)
        work, cone = {s.name for s in side.work}, {s.name for s in _needed([mask, *_names(side.given)], makers, set())}
        if sum(map(price_of, side.work)) < MUCH or len(side.given) > MOST_BUFFERS:
            continue
        if taken.isdisjoint(work | cone) and shared.isdisjoint(work):
            found.append(side)
            taken |= work
            shared |= cone
    return found


def _is_plain(body: Sequence[Statement]) -> bool:
    """Whether statements may run for a block before the next, each reading what no earlier one of them has written."""
    written: set[str] = set()
    for statement in body:
        if not isinstance(statement, (Load, Literal, Index, Apply, Store, Fold, Reduce)):
            return False
        if any(access.array in written for access in reads(statement)):
            return False
        written.update(access.array for access in writes(statement))
    return True


def _read(statement: Statement, products: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """The values that a statement reads."""
    if isinstance(statement, Fold) and statement.value in products:
        return (*products[statement.value], statement.value)
    return tuple(operands(statement))


def _names(statements: Sequence[Made]) -> list[str]:
    return [statement.name for statement in statements]


def _side(
    mask: str,
    holds: bool,
    body: Sequence[Statement],
    makers: Mapping[str, Made],
    users: Mapping[str, Sequence[Statement]],
    products: Mapping[str, tuple[str, ...]],
) -> Side:
    alone: dict[str, Apply] = {}
    results: dict[str, Apply] = {}
    for statement in reversed(body):
        if not isinstance(statement, Apply) or not users[statement.name] or statement.name in products:
            continue
        chosen = [user for user in users[statement.name] if getattr(user, "name", None) not in alone]
        if all(_takes(user, statement.name, mask, holds) for user in chosen):
            alone[statement.name] = statement
            if chosen:
                results[statement.name] = statement
    given = {name: makers[name] for s in alone.values() for name in s.operands if name not in alone and name in makers}
    moving = tuple(s for s in given.values() if not is_invariant(s))
    return Side(mask, holds, tuple(reversed(alone.values())), tuple(results.values()), moving)


def _takes(user: Statement, name: str, mask: str, holds: bool) -> bool:
    """Whether a statement is a choice that reads a value on one side only."""
    if not isinstance(user, Apply) or user.node.op != "where" or user.operands[0] != mask or name == mask:
        return False
    _, then, otherwise = user.operands
    return name not in ((otherwise,) if holds else (then,))


def _needed(names: Sequence[str], makers: Mapping[str, Made], known: set[str]) -> list[Made]:
    """The statements that make values, in order, from those that are known."""
    wanted: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name in makers and name not in known and name not in wanted:
            wanted.add(name)
            waiting.extend(operands(makers[name]))
    return [statement for name, statement in makers.items() if name in wanted]


class _Choices:
    """The blocks of a loop: masks and what sides share, then each side where it is taken, then the rest."""

    def __init__(self, nest: Nest, loop: For, depth: int, sides: Sequence[Side]):
        self.nest, self.depth, self.sides = nest, depth, sides
        self.body: list[Statement] = [s for s in loop.body if not isinstance(s, For) and not is_invariant(s)]
        self.makers = {s.name: s for s in self.body if isinstance(s, (Load, Index, Apply))}
        self.index = nest.index(depth)
        self.block, self.end, self.lane = f"g{self.index}", f"z{self.index}", f"l{self.index}"
        self.kept = {side.mask for side in sides}
        self.kept.update(s.name for side in sides for s in side.given if isinstance(s, Apply))

    def line(self, indent: int, text: str) -> None:
        self.nest.source.line(indent, text)

    def write(self, start: str, stop: str, indent: int) -> str:
        rest = f"o{self.index}"
        self.line(indent, f"{rest} = {start}")
        self.line(indent, f"if {stop} - {start} >= {LEAST}:")
        indent += 1
        self.line(indent, f"{rest} = {stop}")
        for name in self.kept:
            self._cells(self._buffer("y", name), self._dtype(name), indent)
        for number, side in enumerate(self.sides):
            self._cells(f"j{number}{self.index}", np.dtype(np.int64), indent)
            for prefix, statements in (("u", side.given), ("v", side.results), ("w", side.results)):
                for statement in statements:
                    self._cells(self._buffer(f"{prefix}{number}", statement.name), self._dtype(statement.name), indent)
        self.line(indent, f"for {self.block} in range({start}, {stop}, {SIZE}):")
        indent += 1
        self.line(indent, f"{self.end} = min({self.block} + {SIZE}, {stop})")
        self._shared(indent)
        for number, side in enumerate(self.sides):
            self._side(number, side, indent)
        self._rest(indent)
        return rest

    def _shared(self, indent: int) -> None:
        """The masks of a block, and what else sides read that is no element of an array."""
        self.line(indent, f"for {self.index} in range({self.block}, {self.end}):")
        for statement in _needed(sorted(self.kept), self.makers, set()):
            self.nest.statement(self.depth + 1, indent + 1, statement)
        for name in self.kept:
            self._put("y", name, f"{self.index} - {self.block}", indent + 1)

    def _side(self, number: int, side: Side, indent: int) -> None:
        count, places = f"c{number}{self.index}", f"j{number}{self.index}"
        taken = f"{self._buffer('y', side.mask)}[{self.lane}]"
        taken = f"int64({taken})" if side.holds else f"int64(1 - {taken})"
        self.line(indent, f"{count} = 0")
        self.line(indent, f"for {self.lane} in range({self.end} - {self.block}):")
        self.line(indent + 1, f"{count} += {taken}")
        self.line(indent, f"if {count} > 0:")
        indent += 1
        dense = f"d{number}{self.index}"
        self.line(indent, f"{dense} = {NEARLY} * {count} >= {NEARLY - 1} * ({self.end} - {self.block})")
        self.line(indent, f"if {dense}:")
        self.line(indent + 1, f"{count} = {self.end} - {self.block}")
        self._pick(number, side, None, indent + 1)
        self.line(indent, "else:")
        self.line(indent + 1, f"{count} = 0")
        self.line(indent + 1, f"for {self.lane} in range({self.end} - {self.block}):")
        self.line(indent + 2, f"{places}[{count}] = {self.lane}")
        self.line(indent + 2, f"{count} += {taken}")
        self._pick(number, side, places, indent + 1)
        self.line(indent, f"for {self.lane} in range({count}):")
        self.line(indent + 1, "in_vectors()")
        for statement in side.given:
            self._get(f"u{number}", statement.name, self.lane, indent + 1)
        for statement in side.work:
            self.nest.statement(self.depth + 1, indent + 1, statement)
        for statement in side.results:
            self._put(f"w{number}", statement.name, self.lane, indent + 1)
        self.line(indent, f"if {dense}:")
        self._back(number, side, self.lane, indent + 1, count)
        self.line(indent, "else:")
        self._back(number, side, f"{places}[{self.lane}]", indent + 1, count)

    def _pick(self, number: int, side: Side, places: str | None, indent: int) -> None:
        """Puts what a side reads next to one another."""
        if not side.given:
            return
        self.line(indent, f"for {self.lane} in range(c{number}{self.index}):")
        at = self.lane if places is None else f"{places}[{self.lane}]"
        self.line(indent + 1, f"{self.index} = {self.block} + {at}")
        for statement in side.given:
            name = statement.name
            if isinstance(statement, Apply):
                self._get("y", name, at, indent + 1)
            else:
                self.nest.statement(self.depth + 1, indent + 1, statement)
            self._put(f"u{number}", name, self.lane, indent + 1)

    def _back(self, number: int, side: Side, at: str, indent: int, count: str) -> None:
        self.line(indent, f"for {self.lane} in range({count}):")
        for statement in side.results:
            target, source = (self._buffer(f"{letter}{number}", statement.name) for letter in "vw")
            self.line(indent + 1, f"{target}[{at}] = {source}[{self.lane}]")

    def _rest(self, indent: int) -> None:
        """What all elements need, with the results of sides, which mean nothing where the side is not taken."""
        self.line(indent, f"for {self.index} in range({self.block}, {self.end}):")
        at = f"{self.index} - {self.block}"
        results = {s.name: number for number, side in enumerate(self.sides) for s in side.results}
        roots = [s for s in self.body if isinstance(s, (Store, Fold, Reduce))]
        wanted = [name for s in roots for name in _read(s, self.nest.products)]
        needed = _needed(wanted, self.makers, {*results, *self.kept})
        read = {*wanted, *(name for s in needed for name in operands(s))}
        for name in sorted(self.kept & read):
            self._get("y", name, at, indent + 1)
        for name, number in results.items():
            self._get(f"v{number}", name, at, indent + 1)
        self.nest.body([s for s in self.body if s in needed or s in roots], self.depth + 1, indent + 1)

    def _cells(self, name: str, dtype: np.dtype, indent: int) -> None:
        self.line(indent, f"{name} = cells({'uint8' if dtype.kind == 'b' else dtype.name}, {SIZE})")

    def _buffer(self, prefix: str, name: str) -> str:
        return f"{prefix}_{self.nest.value(name)}"

    def _put(self, prefix: str, name: str, at: str, indent: int) -> None:
        self.line(indent, f"{self._buffer(prefix, name)}[{at}] = {stored(self.nest.value(name), self._dtype(name))}")

    def _get(self, prefix: str, name: str, at: str, indent: int) -> None:
        text = f"{self._buffer(prefix, name)}[{at}]"
        self.line(indent, f"{self.nest.value(name)} = {text}{' != 0' if self._dtype(name).kind == 'b' else ''}")

    def _dtype(self, name: str) -> np.dtype:
        statement = self.makers[name]
        if isinstance(statement, Index):
            return np.dtype(np.int64)
        return statement.node.type.dtype if isinstance(statement, Apply) else statement.dtype
