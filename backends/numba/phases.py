"""Loop nests that threads may share: a kernel in phases, and the calls that run them one after the other.

The kernel is one function, `loops(start, stop, step, phase, ...)`. A shared phase runs one outermost loop from `start` to
`stop`; a serial phase runs what stands between such loops, and takes the number of partial results as `step`. What a phase
hands to later ones goes through cells, which the caller provides. A reduction over a shared loop leaves one partial result
for each chunk, and the next phase combines them in order: chunks depend on sizes only, and so does every result.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby

import numpy as np

from egc.backends.numba.accumulators import Accumulator, stored
from egc.backends.numba.crew import PARTS
from egc.backends.numba.emit import Nest, Segment, Source, declare
from egc.backends.numba.pools import kept_lines
from egc.backends.numba.sharing import shared_axis, work_of
from egc.backends.numba.strips import LANES, suits
from egc.lower.loops import Loop
from egc.lower.statements import (
    Blocks,
    Fold,
    For,
    Item,
    Load,
    Reduce,
    Statement,
    Store,
    is_invariant,
    operands,
    reads,
    statements,
    writes,
)
from egc.sizes import Dim

COLUMNS = 512
"""The columns of one chunk where threads share a loop over columns: several lines of memory for each row."""

TOGETHER = 8
"""Arguments of one tuple: code for a tuple grows with the square of its length."""

MOST_PASSED = 24
"""Arguments of a plain call, at most: from 31 on, Python's bytecode is another."""


@dataclass
class Phase:
    """Top-level items of one Loop. `axis` is the number of the loop that threads share, 0 or 1; None for serial work.

    `folds` are the reductions over the shared loop, which the phase after it combines.
    """

    loop: int
    items: list[Item]
    axis: int | None = None
    combines: tuple[Fold, ...] = ()

    @property
    def shared(self) -> For:
        """The loop that threads share."""
        (outer,) = self.items
        assert isinstance(outer, For) and self.axis is not None
        if self.axis == 0:
            return outer
        return next(item for item in outer.body if isinstance(item, For))

    @property
    def folds(self) -> tuple[Fold, ...]:
        """The reductions that leave partial results."""
        if self.axis is None:
            return ()
        return tuple(s for s in statements(self.items) if isinstance(s, Fold) and s.depth == 0)


@dataclass(frozen=True)
class Shared:
    """How the caller shares a phase: the numbers among `Calls.extra` of the length and, where sizes alone must cut it
    into chunks, of the elements and of the rows that chunks are multiples of; what it takes, as prices of numbers of
    iterations among `extra`."""

    length: int
    elements: int | None
    step: int
    rows: int | None
    prices: tuple[tuple[float, int], ...]


@dataclass(frozen=True)
class Calls:
    """How to run a kernel in phases. `extra` are the sizes that only the caller needs; a phase is Shared, None for serial
    work, or the number of the phase whose partial results it combines. `cells` and `buffers` are what phases hand on."""

    phases: tuple[Shared | int | None, ...]
    extra: tuple[Dim, ...]
    cells: tuple[tuple[str, int], ...]
    buffers: tuple[tuple[str, Dim], ...]
    may_raise: bool

    def lines(
        self, function: str, arguments: Sequence[str], extra: Sequence[str], may_fail: bool, kept: Sequence[str] = ()
    ) -> Iterator[str]:
        """The calls, as source. `extra` are the values of `self.extra`; `kept` are arrays that must not be freed before."""
        prefix = f"{function}_"
        cells = [f"{prefix}z{k}" for k in range(len(self.cells))]
        buffers = [f"{prefix}b{k}" for k in range(len(self.buffers))]
        yield from (f"{name} = cells({kind}, {count})" for name, (kind, count) in zip(cells, self.cells))
        sizes_of = dict(zip(self.extra, extra))
        for name, (kind, size) in zip(buffers, self.buffers):
            yield f"{name} = allocate(({sizes_of.get(size, size)}, ), {kind})"
        packed = f"{prefix}p"
        given = (*arguments, *cells, *(f"pointer({name})" for name in buffers))
        yield f"{packed} = pack({function}, {grouped(given)})"
        for number, phase in enumerate(self.phases):
            if isinstance(phase, Shared):
                length, step = extra[phase.length], str(phase.step)
                work = " + ".join(f"{price} * ({extra[count]})" for price, count in phase.prices)
                if phase.elements is not None:
                    step = f"{prefix}s{number}"
                    chunk = f"part({length}, {extra[phase.elements]})"
                    rows = extra[phase.rows] if phase.rows is not None else "1"
                    yield f"{step} = {chunk if rows == '1' else f'({chunk} + {rows} - 1) // ({rows}) * ({rows})'}"
                call = f"run_phase({packed}, {number}, {length}, {step}, {step}, {work})"
            else:
                count = "0"
                if phase is not None:
                    before, step = self.phases[phase], f"{prefix}s{phase}"
                    assert isinstance(before, Shared)
                    count = f"({extra[before.length]} + {step} - 1) // {step}"
                call = f"run_phase({packed}, {number}, 1, 1, {count}, 0.0)"
            yield from self._checked(call, f"{prefix}status", may_fail)
        yield from kept_lines([*kept, *buffers])

    def _checked(self, call: str, status: str, may_fail: bool) -> Iterator[str]:
        if not may_fail and not self.may_raise:
            yield call
            return
        yield f"{status} = {call}"
        if self.may_raise:
            yield f"if {status} == RAISED: raise MemoryError"
        if may_fail:
            yield f"if {status}: raise IndexError('index is out of bounds')"


def grouped(values: Sequence[str]) -> str:
    """Values as a tuple of tuples, for `pack` and `call`: numba's code for a tuple grows with its square."""
    groups = [values[start : start + TOGETHER] for start in range(0, len(values), TOGETHER)]
    texts = [f"({', '.join(group)}, )" for group in groups]
    return f"({', '.join(texts)}, )"


def call_text(function: str, values: Sequence[str]) -> str:
    """A call of a compiled function, as source. Python puts many arguments together in a list, one by one, which numba takes for
    so many tuples."""
    return f"call({function}, {grouped(values)})" if len(values) > MOST_PASSED else f"{function}({', '.join(values)})"


def emit_shared(loops: Sequence[Loop], exact: bool = False) -> Segment | None:
    """The kernel in phases for loop nests, or None where threads have nothing to share."""
    phases = [phase for number, loop in enumerate(loops) for phase in _phases(number, loop)]
    if all(phase.axis is None for phase in phases):
        return None
    return _Kernel(loops, phases, Source(exact)).segment()


def _phases(number: int, loop: Loop) -> Iterator[Phase]:
    serial: list[Item] = []
    folds: tuple[Fold, ...] = ()
    for item in loop.body:
        axis = shared_axis(item, loop) if isinstance(item, For) else None
        if axis is None:
            serial.append(item)
            continue
        if folds or any(isinstance(i, For) or not is_invariant(i) for i in serial):
            yield Phase(number, serial, combines=folds)
        phase = Phase(number, [item], axis)
        serial, folds = [], phase.folds
        yield phase
    if folds or any(isinstance(i, For) or not is_invariant(i) for i in serial):
        yield Phase(number, serial, combines=folds)


def _called_together(phases: Sequence[Phase]) -> Iterator[list[Phase]]:
    """Serial phases that follow one another take one call."""
    for serial, group in groupby(phases, lambda phase: phase.axis is None):
        members = list(group)
        yield from [members] if serial else ([phase] for phase in members)


@dataclass
class _Kernel:
    loops: Sequence[Loop]
    phases: list[Phase]
    source: Source = field(default_factory=Source)
    cells: list[tuple[str, int]] = field(default_factory=list)
    buffers: list[tuple[str, Dim]] = field(default_factory=list)
    extra: dict[Dim, int] = field(default_factory=dict)
    private: bool = False

    def cell(self, kind: str, count: int = 1) -> str:
        self.cells.append((kind, count))
        return f"z{len(self.cells) - 1}"

    def size(self, value: Dim) -> int:
        return self.extra.setdefault(value, len(self.extra))

    def segment(self) -> Segment:
        source = self.source
        declare(source, self.loops)
        for loop in self.loops:
            source.scalars.update({name: f"{self.cell(_kind(dtype))}[0]" for name, dtype in loop.locals})
        nests = [_PhasedNest(self, loop, f"_{k}" if len(self.loops) > 1 else "") for k, loop in enumerate(self.loops)]
        for k, nest in enumerate(nests):
            nest.prepare([phase for phase in self.phases if phase.loop == k])
        calls: list[Shared | int | None] = []
        for number, together in enumerate(_called_together(self.phases)):
            source.line(0, f"if phase == {number}:")
            for phase in together:
                nests[phase.loop].write(phase)
            calls.append(self._call(together[0], number))
        may_fail = any(loop.may_fail for loop in self.loops)
        arrays = tuple((name, name in source.written) for name in source.arrays)
        parameters = [
            *["start", "stop", "step", "phase"],
            *(f"p{k}" for k in range(len(arrays))),
            *source.dims.values(),
            *(f"z{k}" for k in range(len(self.cells))),
            *(f"qb{k}" for k in range(len(self.buffers))),
        ]
        head = f"def loops({', '.join(parameters)}):"
        status = (["    bad = False"], ["    return int64(bad)"]) if may_fail else ([], [])
        text = "\n".join([head, *status[0], *source.lines, *status[1]]) + "\n"
        for _, size in self.buffers:
            self.size(size)
        made = Calls(tuple(calls), tuple(self.extra), tuple(self.cells), tuple(self.buffers), self.private)
        return Segment(text, arrays, tuple(source.dims), may_fail, made)

    def _call(self, phase: Phase, number: int) -> Shared | int | None:
        if phase.axis is None:
            return number - 1 if phase.combines else None
        work = work_of(phase.items)
        rows: Dim = phase.shared.run if isinstance(phase.shared, Blocks) else 1
        if phase.axis == 0 and suits(phase.shared, self.loops[phase.loop]):
            rows = LANES
        alike = rows != 1
        elements = self.size(work.iterations) if phase.folds or alike else None
        prices = tuple((price, self.size(count)) for count, price in work.prices.items())
        whole = self.size(rows) if alike else None
        return Shared(self.size(phase.shared.dim), elements, COLUMNS if phase.axis else 0, whole, prices)


def _kind(dtype: np.dtype) -> str:
    """The name of the type in which memory holds a dtype: bools are bytes."""
    return "uint8" if dtype.kind == "b" else dtype.name


class _PhasedNest(Nest):
    """Writes the phases of one Loop."""

    def __init__(self, kernel: _Kernel, loop: Loop, suffix: str):
        super().__init__(kernel.source, loop, suffix)
        self.kernel = kernel
        self.split: For | None = None
        self.columns = False
        self.partial: dict[int, list[str]] = {}
        self.handed: dict[str, tuple[str, np.dtype]] = {}
        self.defined: dict[int, list[str]] = {}
        self.used: dict[int, list[str]] = {}
        self.own: dict[int, list[tuple[str, np.dtype, Dim]]] = {}

    def prepare(self, phases: Sequence[Phase]) -> None:
        """Finds what phases hand to later ones."""
        again = {getattr(s, "name", "") for s in self.loop.statements() if is_invariant(s)}
        dtypes: dict[str, np.dtype] = {}
        for phase in phases:
            top = [s for s in phase.items if not isinstance(s, For)]
            late = [] if phase.axis is not None else [s for s in statements(phase.items) if isinstance(s, Fold)]
            made = [s for s in (*top, *late, *phase.combines) if hasattr(s, "name") and s.name not in again]
            self.defined[id(phase)] = list(dict.fromkeys(s.name for s in made))
            dtypes.update((s.name, _dtype(s)) for s in made)
            inside = {getattr(s, "name", "") for s in statements(phase.items) if not isinstance(s, Fold)}
            read = {name for s in statements(phase.items) for name in operands(s)}
            wanted = [n for n in dtypes if n in read and n not in inside and n not in self.defined[id(phase)]]
            self.used[id(phase)] = wanted
            for name in wanted:
                if name not in self.handed:
                    self.handed[name] = self.kernel.cell(_kind(dtypes[name])), dtypes[name]
            for fold in phase.folds:
                variables = self.folds[id(fold)].variables()
                self.partial[id(fold)] = [self.kernel.cell(kind, PARTS) for _, kind in variables]
        for name, dtype, size in self.loop.scratch:
            users = [phase for phase in phases if name in _arrays(phase.items)]
            if len(users) == 1:
                self.own.setdefault(id(users[0]), []).append((name, dtype, size))
                self.kernel.private = True
            else:
                self.source.pointers[name] = f"qb{len(self.kernel.buffers)}"
                self.kernel.buffers.append((_kind(dtype), size))

    def write(self, phase: Phase) -> None:
        self.rows.clear()
        self.split, self.columns = phase.shared if phase.axis is not None else None, phase.axis == 1
        buffers = []
        for name, dtype, size in self.own.get(id(phase), ()):
            buffers.append(f"b{name}{self.suffix}")
            self.source.pointers[name] = f"q{buffers[-1]}"
            self.source.line(1, f"{buffers[-1]} = allocate(({self.source.dim(size)}, ), {_kind(dtype)})")
            self.source.line(1, f"q{buffers[-1]} = pointer({buffers[-1]})")
        for statement in self.loop.statements():
            if is_invariant(statement):
                self.statement(0, 1, statement)
        for name in self.used[id(phase)]:
            cell, dtype = self.handed[name]
            self.source.line(1, f"{self.value(name)} = {cell}[0]{' != 0' if dtype.kind == 'b' else ''}")
        for fold in phase.combines:
            self._combine(fold)
        self.body(phase.items, 0, 1)
        for name in self.defined[id(phase)]:
            if name in self.handed:
                cell, dtype = self.handed[name]
                self.source.line(1, f"{cell}[0] = {stored(self.value(name), dtype)}")
        for buffer in buffers:
            self.source.line(1, f"keep({buffer})")

    def allocates(self) -> None:
        self.kernel.private = True

    def span(self, loop: For, depth: int) -> tuple[str, str]:
        shared = self.split is not None and depth == self.columns and id(loop) not in self.spans
        return ("start", "stop") if shared else super().span(loop, depth)

    def fill_span(self, reduce: Reduce) -> tuple[str, str]:
        if not self.columns or reduce.depth:
            return super().fill_span(reduce)
        stride = reduce.access.strides[1]
        factor = "" if stride == 1 else f" * {self.source.dim(stride)}"
        return f"start{factor}", f"stop{factor}"

    def finish(self, loop: For, fold: Accumulator, indent: int) -> None:
        if loop is not self.split or fold.fold.depth:
            super().finish(loop, fold, indent)
            return
        for (name, kind), cell in zip(fold.variables(), self.partial[id(fold.fold)]):
            self.source.line(indent, f"{cell}[start // step] = {f'uint8({name})' if kind == 'uint8' else name}")

    def _combine(self, fold: Fold) -> None:
        accumulator, index = self.folds[id(fold)], f"h{self.suffix}"
        accumulator.start(1)
        self.source.line(1, f"for {index} in range(step):")
        accumulator.add_partial([f"{cell}[{index}]" for cell in self.partial[id(fold)]], 2)
        accumulator.finish(1)

    def statement(self, depth: int, indent: int, statement: Statement) -> None:
        match statement:
            case Load(name=name, access=access, dtype=dtype) if (
                dtype.kind == "b" and access.array in self.source.scalars
            ):
                self.source.line(indent, f"{self.value(name)} = {self.source.scalars[access.array]} != 0")
            case Store(access=access, value=value, dtype=dtype) if access.array in self.source.scalars:
                self.source.line(indent, f"{self.source.scalars[access.array]} = {stored(self.value(value), dtype)}")
            case _:
                super().statement(depth, indent, statement)


def _dtype(statement: Statement) -> np.dtype:
    node = getattr(statement, "node", None)
    return node.type.dtype if node is not None else getattr(statement, "dtype", np.dtype(np.int64))


def _arrays(items: Sequence[Item]) -> set[str]:
    return {access.array for s in statements(items) for access in (*reads(s), *writes(s))}
