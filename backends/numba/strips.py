"""Rows side by side: where all loops inside a row are short, each statement runs for a strip of rows before the next.

Vectors then hold one element of each of several rows rather than several of one row, and sums over short rows take no sum
across a vector (outer-loop vectorization: Nuzman and Zaks, Outer-Loop Vectorization - Revisited for Short SIMD Architectures,
2008). What differs between rows is read in a strip's order, in which it is put before; values that pass from one loop to the
next are held for all rows of a strip.

The rows are those of the outermost loop. Or they are those of the one inside it, where each iteration of the outermost one
reads the same rows: each strip is then put in order once, and meets all these iterations before the next.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np

from egc.backends.numba.accumulators import stored
from egc.backends.numba.scalars import type_name
from egc.lower.loops import Loop
from egc.lower.statements import (
    Access,
    Apply,
    Blocks,
    Fold,
    For,
    Index,
    Item,
    Literal,
    Load,
    Statement,
    Store,
    is_invariant,
    operands,
    statements,
)
from egc.sizes import Dim

if TYPE_CHECKING:
    from egc.backends.numba.emit import Nest

LANES = 64
"""Rows of a strip: several vectors of them."""

LEAST_ROWS = 28
"""Rows of the last strip, at least: what it computes for rows that are not there costs less than so many rows in turn."""

SHORT = 16
"""The longest innermost loops, whose elements are added one after the other, and """

SHORT_ROW = 64
"""the longest loops around them, for which rows run side by side."""

REUSED = 4
"""Iterations of a loop around, at least, for which strips are put in order."""

MOST_BUFFERS = 6
"""Arrays of a strip that have an element for each iteration of a loop inside a row, at most; they lie on the stack."""


def suits(loop: For, nest: Loop) -> bool:
    """Whether the rows that an outermost loop walks can run side by side, and gain from it: loops inside a row have sums inside."""
    if isinstance(loop, Blocks) or loop.together > 1:
        return False
    inside, levels = list(statements([loop])), list(_levels([loop], 0))
    innermost = [level for level in levels if level[0] == 2]
    if max(depth for depth, _ in levels) != 2 or not any(
        isinstance(s, Fold) for _, item in innermost for s in item.body
    ):
        return False
    scratch = {name for name, *_ in nest.scratch}
    if sum(1 for _ in scratch) + sum(len(_walks(s)) for s in inside if isinstance(s, Load)) > MOST_BUFFERS:
        return False
    return all(_may(statement, scratch) for statement in inside)


def suits_inside(loop: For, nest: Loop) -> bool:
    """Whether that is so for the rows that the loop inside an outermost one walks, which are the same in all its iterations."""
    rows, direct = _rows_inside(loop), [s for s in loop.body if not isinstance(s, For)]
    if isinstance(loop, Blocks) or loop.together > 1 or rows is None or nest.scratch:
        return False
    inner = [item for item in rows.body if isinstance(item, For)]
    if len(inner) != 1 or any(isinstance(item, For) for item in inner[0].body) or rows.together > 1:
        return False
    if not any(isinstance(s, Fold) for s in inner[0].body):
        return False
    inside = list(statements([rows]))
    packed = [s.access for s in inside if isinstance(s, Load) and _walks(s, 1)]
    if not packed or len(packed) > MOST_BUFFERS or any(access.strides[0] != 0 for access in packed):
        return False
    return all(isinstance(s, (Load, Index, Literal)) for s in direct) and all(_may(s, set(), 1) for s in inside)


def _rows_inside(loop: For) -> For | None:
    found = [item for item in loop.body if isinstance(item, For)]
    return found[0] if len(found) == 1 else None


def _levels(items: Sequence[Item], depth: int) -> Iterator[tuple[int, For]]:
    """All loops, each with the number of loops around it."""
    for item in items:
        if isinstance(item, For):
            yield depth, item
            yield from _levels(item.body, depth + 1)


def _may(statement: Statement, scratch: set[str], around: int = 0) -> bool:
    """Whether a statement can run for rows side by side that are inside of loops around."""
    match statement:
        case Fold(op=op, depth=depth, dtype=dtype):
            long = depth == 1 and not around
            return depth > around and dtype.kind in "fiub" and not (op == "sum" and long and dtype == np.float32)
        case Load(access=access, dtype=dtype):
            both = len(_walks(statement, around)) > 1
            return dtype.kind in "fiub" and (access.array in scratch or not both)
        case Store(access=access, dtype=dtype):
            row_result = len(access.strides) == around + 1 and access.strides[around] != 0
            return dtype.kind in "fiub" and (access.array in scratch or row_result)
        case Apply(node=node):
            return all(x.type.dtype.kind in "fiub" for x in (node, *node.inputs))
        case Index() | Literal():
            return True
    return False


def _walks(load: Load, around: int = 0) -> list[int]:
    """The loops inside a row along which a load moves that has to be put in a strip's order: one that differs between rows, and
    is not in that order as it lies."""
    strides = load.access.strides
    if len(strides) <= around or strides[around] in (0, 1):
        return []
    return [k for k in range(around + 1, len(strides)) if strides[k] != 0]


def write_strips(nest: Nest, loop: For, start: str, stop: str, indent: int) -> str:
    """The rows that fill strips, where loops inside are short. Gives where the others start."""
    return _Strips(nest, loop, start, stop).write(indent)


def write_strips_inside(nest: Nest, loop: For, start: str, stop: str, indent: int) -> None:
    """The same for the loop inside an outermost one, for which it says where the others start."""
    rows = _rows_inside(loop)
    assert rows is not None
    first, last = nest.span(rows, 1)
    rest = _Strips(nest, rows, first, last, loop).write(indent, start, stop)
    nest.spans[id(rows)] = rest, last


class _Strips:
    """The strips of a loop from start to stop, which stands in a loop `around` it or in none."""

    def __init__(self, nest: Nest, loop: For, start: str, stop: str, around: For | None = None):
        self.nest, self.loop, self.start, self.stop, self.around = nest, loop, start, stop, around
        self.depth = int(around is not None)
        self.suffix, self.first, self.count = nest.suffix, f"g{nest.suffix}", f"m{nest.suffix}"
        # A strip with rows missing shares more values than a whole one: room for these is room for both.
        self.there = self.count
        self.scratch = {name: dtype for name, dtype, _ in nest.loop.scratch}
        self.packed: dict[tuple[Access, Dim], str] = {}
        self.homes: dict[str, int] = {}
        self.dtypes: dict[str, np.dtype] = {}
        self.shared = self._shared()

    def line(self, indent: int, text: str) -> None:
        self.nest.source.line(indent, text)

    def _shared(self) -> set[str]:
        """Values that another group of statements reads than makes them."""
        shared: set[str] = set()
        groups = list(self._groups(self.loop.body))
        for number, group in enumerate(groups):
            for statement in group:
                if not isinstance(statement, Fold) and (name := getattr(statement, "name", None)):
                    self.homes[name] = number
                    node = getattr(statement, "node", None)
                    self.dtypes[name] = node.type.dtype if node else getattr(statement, "dtype", np.dtype(np.int64))
        for number, group in enumerate(groups):
            for name in (name for statement in group for name in self._read(statement)):
                if self.homes.get(name, number) != number:
                    shared.add(name)
        return shared

    def _groups(self, items: Sequence[Item]) -> Iterator[list[Statement]]:
        for is_loop, members in groupby(items, lambda item: isinstance(item, For)):
            if not is_loop:
                yield from self._runs([s for s in members if not isinstance(s, For)])
                continue
            for member in members:
                assert isinstance(member, For)
                yield from self._groups(member.body)

    def _runs(self, group: Sequence[Statement]) -> Iterator[list[Statement]]:
        """Statements that run together. Where rows are missing, those for all rows of a strip and those for the rows that are
        there run in turn: what all have is in registers then, since compilers see each of its elements."""
        missing = self.there == self.count
        for _, run in groupby((s for s in group if not is_invariant(s)), lambda s: missing and self._stays_inside(s)):
            yield list(run)

    def _read(self, statement: Statement) -> Sequence[str]:
        if isinstance(statement, Fold) and statement.value in self.nest.products:
            return self.nest.products[statement.value]
        return list(operands(statement))

    def write(self, indent: int, begin: str = "", end: str = "") -> str:
        """For a loop around, from begin to end."""
        source, rest = self.nest.source, f"q{self.suffix}"
        levels = list(_levels(self.loop.body, 1 + self.depth))
        limits = {level.dim: SHORT_ROW for depth, level in levels if depth == 1}
        limits |= {size: SHORT_ROW for _, _, size in self.nest.loop.scratch}
        limits |= {level.dim: SHORT for depth, level in levels if depth == 2}
        short = [f"{source.dim(dim)} <= {limit}" for dim, limit in limits.items()]
        short += [f"{end} - {begin} >= {REUSED}"] * self.depth
        self.line(indent, f"{rest} = {self.start}")
        self.line(indent, f"if {' and '.join([*short, f'{self.stop} - {self.start} >= {LEAST_ROWS}'])}:")
        self.line(indent + 1, f"{rest} = {self.stop}")
        self.line(indent + 1, f"if ({self.stop} - {self.start}) % {LANES} < {LEAST_ROWS}:")
        self.line(indent + 2, f"{rest} = {self.start} + ({self.stop} - {self.start}) // {LANES} * {LANES}")
        for name in sorted(self.shared):
            self._cells(indent + 1, self._lane(name), self.dtypes[name], 1)
        for statement in statements([self.loop]):
            if isinstance(statement, Fold):
                self._cells(indent + 1, self._total(statement), self._wide(statement), 1)
        for name, dtype in self.scratch.items():
            self._cells(indent + 1, f"y{name}{self.suffix}", dtype, SHORT_ROW)
        loads = list(self._packed_loads(self.loop.body, ()))
        for load, dims in loads:
            self._cells(indent + 1, self.packed[load.access, dims[-1]], load.dtype, SHORT_ROW)
        self.line(indent + 1, f"for {self.first} in range({self.start}, {rest}, {LANES}):")
        self.line(indent + 2, f"{self.count} = min({LANES}, {rest} - {self.first})")
        # Compilers make better code for the number of rows that most strips have.
        self.line(indent + 2, f"if {self.count} == {LANES}:")
        self._strip(loads, str(LANES), begin, end, indent + 3)
        self.line(indent + 2, "else:")
        self._strip(loads, self.count, begin, end, indent + 3)
        return rest

    def _strip(
        self, loads: Sequence[tuple[Load, tuple[Dim, ...]]], there: str, begin: str, end: str, indent: int
    ) -> None:
        """One strip, of which so many rows are there."""
        self.there = there
        self.shared = self._shared()
        for load, dims in loads:
            self._pack(load, dims, indent)
        known, self.nest.rows = self.nest.rows, {}
        if self.around is not None:
            self.line(indent, f"for {self.nest.index(0)} in range({begin}, {end}):")
            self.nest.body([item for item in self.around.body if item is not self.loop], 1, indent + 1)
        self._body(self.loop.body, 1 + self.depth, indent + self.depth)
        self.nest.rows = known

    def _cells(self, indent: int, name: str, dtype: np.dtype, count: int) -> None:
        kind = "uint8" if dtype.kind == "b" else dtype.name
        self.line(indent, f"{name} = cells({kind}, {count * LANES})")

    def _packed_loads(self, items: Sequence[Item], dims: tuple[Dim, ...]) -> Iterator[tuple[Load, tuple[Dim, ...]]]:
        """Loads from arrays, each place once, that move along a loop inside a row; with the lengths of the loops."""
        for item in items:
            if isinstance(item, For):
                yield from self._packed_loads(item.body, (*dims, item.dim))
            elif isinstance(item, Load) and item.access.array not in self.scratch and (walks := self._walks(item)):
                inside = walks[0] - self.depth - 1
                length = dims[inside]
                if (item.access, length) not in self.packed:
                    self.packed[item.access, length] = f"k{len(self.packed)}{self.suffix}"
                    yield item, (*dims[:inside], length)

    def _pack(self, load: Load, dims: tuple[Dim, ...], indent: int) -> None:
        """Puts what a strip of rows reads in the strip's order, and zeros for rows that are not there."""
        source, (walk,) = self.nest.source, self._walks(load)
        lane, index = f"l{self.suffix}", f"i{walk}{self.suffix}"
        indices = [*["0"] * self.depth, f"({self.first} + {lane})", *["0"] * (walk - self.depth - 1), index]
        place = source.address(load.access.offset, load.access.strides[: walk + 1], indices)
        target = f"{self.packed[load.access, dims[-1]]}[{index} * {LANES} + {lane}]"
        zero = stored(f"{type_name(load.dtype)}(0)", load.dtype)
        filled = [(self.there, f"{source.array(load.access.array)}[{place}]")]
        if self.there == self.count:
            filled.append((f"{self.there}, {LANES}", zero))
        for lanes, value in filled:
            self.line(indent, f"for {lane} in range({lanes}):")
            self.line(indent + 1, f"for {index} in range({source.dim(dims[-1])}):")
            self.line(indent + 2, f"{target} = {value}")

    def _body(self, items: Sequence[Item], depth: int, indent: int) -> None:
        for is_loop, members in groupby(items, lambda item: isinstance(item, For)):
            if is_loop:
                for member in members:
                    assert isinstance(member, For)
                    self._loop(member, depth, indent)
            else:
                for run in self._runs([s for s in members if not isinstance(s, For)]):
                    self._group(run, depth, indent)

    def _loop(self, loop: For, depth: int, indent: int) -> None:
        """A loop inside a row: reductions that end with it start anew before."""
        folds = [s for s in statements(loop.body) if isinstance(s, Fold) and s.depth == depth]
        if folds:
            lane = f"l{self.suffix}"
            self.line(indent, f"for {lane} in range({LANES}):")
            for fold in folds:
                self.line(indent + 1, f"{self._total(fold)}[{lane}] = {stored(self._identity(fold), fold.dtype)}")
        self.line(indent, f"for i{depth}{self.suffix} in range({self.nest.source.dim(loop.dim)}):")
        self._body(loop.body, depth + 1, indent + 1)

    def _group(self, group: Sequence[Statement], depth: int, indent: int) -> None:
        """Statements for each row of a strip."""
        lane = f"l{self.suffix}"
        count = LANES if self._stays_inside(group[0]) else self.there
        self.line(indent, f"for {lane} in range({count}):")
        self.line(indent + 1, f"{self.nest.index(self.depth)} = {self.first} + {lane}")
        made = {s.name for s in group if not isinstance(s, Fold) and hasattr(s, "name")}
        for name in dict.fromkeys(name for s in group for name in self._read(s)):
            if name in self.shared and name not in made:
                self.line(indent + 1, f"{self.nest.value(name)} = {self._element(self._lane(name), self.dtypes[name])}")
            elif (fold := self._fold(name)) is not None:
                value = self._element(self._total(fold), fold.dtype)
                value = value if fold.dtype.kind == "b" else f"{type_name(fold.dtype)}({value})"
                self.line(indent + 1, f"{self.nest.value(name)} = {value}")
        for statement in group:
            self._statement(statement, depth, indent + 1)
        for name in sorted(made & self.shared):
            value = stored(self.nest.value(name), self.dtypes[name])
            self.line(indent + 1, f"{self._lane(name)}[{lane}] = {value}")

    def _stays_inside(self, statement: Statement) -> bool:
        """Whether a statement reads and writes only what a strip has for all its rows, also for those that are not there."""
        match statement:
            case Load(access=access):
                same = len(access.strides) <= self.depth or access.strides[self.depth] == 0
                return same or access.array in self.scratch or bool(self._walks(statement))
            case Store(access=access):
                return access.array in self.scratch
        return True

    def _statement(self, statement: Statement, depth: int, indent: int) -> None:
        lane = f"l{self.suffix}"
        match statement:
            case Fold():
                place = self._element(self._total(statement), statement.dtype)
                text = self.nest.folds[id(statement)].stepped(place, self.nest.value(statement.value))
                self.line(indent, f"{self._total(statement)}[{lane}] = {stored(text, statement.dtype)}")
            case Load(name=name, access=access, dtype=dtype) if access.array in self.scratch:
                self.line(indent, f"{self.nest.value(name)} = {self._held(access, dtype)}")
            case Load(name=name, access=access, dtype=dtype) if self._walks(statement):
                (walk,) = self._walks(statement)
                array = next(self.packed[key] for key in self.packed if key[0] == access)
                text = f"{array}[i{walk}{self.suffix} * {LANES} + {lane}]"
                self.line(indent, f"{self.nest.value(name)} = {text}{' != 0' if dtype.kind == 'b' else ''}")
            case Store(access=access, value=value, dtype=dtype) if access.array in self.scratch:
                self.line(indent, f"{self._held(access)} = {stored(self.nest.value(value), dtype)}")
            case _ if getattr(statement, "name", None) not in self.nest.products:
                self.nest.statement(depth, indent, statement)

    def _held(self, access: Access, dtype: np.dtype | None = None) -> str:
        """An element of a row's buffer, in a strip's order."""
        indices = self.nest.indices(len(access.strides))
        place = self.nest.source.address(access.offset, access.strides, indices)
        text = f"y{access.array}{self.suffix}[({place}) * {LANES} + l{self.suffix}]"
        return f"{text} != 0" if dtype is not None and dtype.kind == "b" else text

    def _element(self, array: str, dtype: np.dtype) -> str:
        return f"{array}[l{self.suffix}]{' != 0' if dtype.kind == 'b' else ''}"

    def _walks(self, load: Load) -> list[int]:
        return _walks(load, self.depth)

    def _fold(self, name: str) -> Fold | None:
        return next((s for s in statements([self.loop]) if isinstance(s, Fold) and s.name == name), None)

    def _identity(self, fold: Fold) -> str:
        return self.nest.folds[id(fold)].identity()

    def _wide(self, fold: Fold) -> np.dtype:
        """The dtype in which a reduction adds up."""
        wide = fold.op in ("sum", "prod") and fold.dtype.kind in "iu"
        return np.dtype("uint64" if fold.dtype.kind == "u" else "int64") if wide else fold.dtype

    def _lane(self, name: str) -> str:
        return f"u{self.nest.value(name)}"

    def _total(self, fold: Fold) -> str:
        return f"w{self.nest.value(fold.name)}"
