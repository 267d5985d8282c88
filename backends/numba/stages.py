"""Loops that wait for the iteration before, in stages: what does not wait runs ahead or behind, a block at a time, in vectors.

A running sum needs every value only when it comes to it, and who reads it can follow later (loop distribution: Allen and
Kennedy, Automatic Translation of FORTRAN Programs to Vector Form, 1987). Between stages the values of one block stay in the
first cache. A scan or a scatter itself takes the elements one after the other, so that it rounds as in NumPy.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from egc.backends.numba.accumulators import stored
from egc.kinds import CHEAP
from egc.lower.statements import (
    Apply,
    Fold,
    For,
    Gather,
    Index,
    Load,
    Scan,
    Scatter,
    Statement,
    is_invariant,
    operands,
    reads,
    writes,
)

if TYPE_CHECKING:
    from egc.backends.numba.emit import Nest

SCANNED = 64
"""Elements of a block with a scan: so few that a processor begins the next block's vectors while it still adds these up."""

SCATTERED = 256
"""Elements of a block without: a scatter waits less, so that starting stages weighs more."""

MUCH = 4
"""Cheap operations on an element from which stages pay; one that is not cheap does, too."""

MOST_BUFFERS = 8
"""Values that pass between stages, at most."""


def write_stages(nest: Nest, loop: For, depth: int, start: str, stop: str, indent: int) -> str:
    """The blocks of an innermost loop inside `depth` loops, where stages pay. Gives where the other iterations start."""
    if not suits(loop, nest.inside):
        return start
    stages = _Stages(nest, loop, depth)
    return stages.write(start, stop, indent) if len(stages.buffers) <= MOST_BUFFERS else start


def suits(loop: For, inside: bool) -> bool:
    """Whether a loop has something that waits, enough that does not, and no array that it both reads and writes. `inside` of
    loops, an index out of bounds must stop it at once."""
    body = [s for s in loop.body if not isinstance(s, For)]
    if len(body) < len(loop.body) or not any(isinstance(s, (Scan, Scatter)) for s in body):
        return False
    if inside and any(isinstance(s, (Gather, Scatter)) for s in body):
        return False
    ops = [s.node.op for s in body if isinstance(s, Apply)]
    if len(ops) < MUCH and all(op in CHEAP for op in ops):
        return False
    written = {access.array for s in body for access in writes(s)}
    return written.isdisjoint(access.array for s in body for access in reads(s))


class _Stages:
    """`stage` is the number of the stage of vectors in which a statement runs; what waits follows the stage of its number.

    `used` has the stages that read a value, `buffers` where it is kept for a block, with the dtype of its elements.
    """

    def __init__(self, nest: Nest, loop: For, depth: int):
        self.nest, self.depth = nest, depth
        self.index = nest.index(depth)
        self.block = f"g{self.index}"
        self.body: list[Statement] = [s for s in loop.body if not isinstance(s, For) and not is_invariant(s)]
        self.size = SCANNED if any(isinstance(s, Scan) for s in self.body) else SCATTERED
        self.makers = {s.name: s for s in self.body if hasattr(s, "name")}
        self.stage: dict[int, int] = {}
        self.used: dict[str, set[int]] = {name: set() for name in self.makers}
        self.buffers: dict[str, np.dtype] = {}
        self._arrange()

    def _read(self, statement: Statement) -> list[str]:
        """The values of the body that a statement reads."""
        if isinstance(statement, Fold) and statement.value in self.nest.products:
            return [name for name in self.nest.products[statement.value] if name in self.makers]
        return [name for name in operands(statement) if name in self.makers]

    def _arrange(self) -> None:
        """Each statement as late as its readers allow: so that fewest values are kept."""
        ready: dict[str, int] = {}
        for statement in self.body:
            first = max((ready[name] for name in self._read(statement)), default=0)
            self.stage[id(statement)] = first
            ready[getattr(statement, "name", "")] = first + isinstance(statement, Scan)
        for statement in reversed(self.body):
            if isinstance(statement, (Apply, Gather)) and self.used[statement.name]:
                self.stage[id(statement)] = min(self.used[statement.name])
            if isinstance(statement, (Load, Index)):
                continue
            for operand in self._read(statement):
                alone = isinstance(statement, (Scan, Scatter)) and operand == statement.value
                if not alone or self._is_kept(operand):
                    self.used[operand].add(self.stage[id(statement)])
        for statement in self.body:
            if isinstance(statement, Scan):
                self.buffers[statement.name] = statement.dtype
            elif isinstance(statement, (Apply, Gather)) and self.used[statement.name] - {self.stage[id(statement)]}:
                self.buffers[statement.name] = _dtype(statement)
            elif isinstance(statement, Scatter):
                self.buffers[self._place(statement)] = np.dtype(np.int64)
                if self._is_kept(statement.value):
                    self.buffers[statement.value] = statement.dtype

    def _place(self, scatter: Scatter) -> str:
        """The name under which the places are kept to which a scatter goes."""
        return f"place{self.body.index(scatter)}"

    def write(self, start: str, stop: str, indent: int) -> str:
        source, rest = self.nest.source, f"h{self.index}"
        for name, dtype in self.buffers.items():
            kind = "uint8" if dtype.kind == "b" else dtype.name
            source.line(indent, f"{self._buffer(name)} = cells({kind}, {self.size})")
        whole = f"{stop if start == '0' else f'({stop} - {start})'} // {self.size} * {self.size}"
        source.line(indent, f"{rest} = {whole if start == '0' else f'{start} + {whole}'}")
        source.line(indent, f"for {self.block} in range({start}, {rest}, {self.size}):")
        for stage in range(max(self.stage.values()) + 1):
            waiting = [s for s in self.body if isinstance(s, (Scan, Scatter)) and self.stage[id(s)] == stage]
            self._vectors(stage, waiting, indent + 1)
            if waiting:
                self._each(indent + 1)
            for statement in waiting:
                self._wait(statement, indent + 2)
        return rest

    def _each(self, indent: int) -> None:
        self.nest.source.line(indent, f"for {self.index} in range({self.block}, {self.block} + {self.size}):")

    def _vectors(self, stage: int, waiting: Sequence[Statement], indent: int) -> None:
        """What runs in a stage, ahead of what waits in it."""
        inside = list(self._inside(stage))
        made = {s.name for s in inside if hasattr(s, "name") and not isinstance(s, Fold)}
        kept = {name: name for name in self.buffers if name in made}
        kept.update({s.name: s.value for s in waiting if isinstance(s, Scan) and self._is_kept(s.value)})
        scatters = [s for s in waiting if isinstance(s, Scatter)]
        if not kept and not scatters and all(isinstance(s, (Load, Index)) for s in inside):
            return
        self._each(indent)
        read = {name for s in inside for name in self._read(s)} | {pick.index for s in scatters for pick in s.picks}
        for name in self.buffers:
            if name in read | set(kept.values()) and name not in made:
                self.nest.source.line(indent + 1, f"{self.nest.value(name)} = {self._kept(name)}")
        for statement in inside:
            if isinstance(statement, Fold):
                self.nest.folds[id(statement)].step(indent + 1)
            elif getattr(statement, "name", None) not in self.nest.products:
                self.nest.statement(self.depth + 1, indent + 1, statement)
        for buffer, name in kept.items():
            self._keep(buffer, self.nest.value(name), indent + 1)
        for scatter in scatters:
            parts = [part for part in self.nest.picked(scatter.picks, "raise", indent + 1) if part != "0"]
            self._keep(self._place(scatter), " + ".join(parts) or "0", indent + 1)

    def _inside(self, stage: int) -> Iterator[Statement]:
        """The statements of a stage, with what is loaded for it."""
        for statement in self.body:
            if isinstance(statement, (Load, Index)):
                if stage in self.used[statement.name]:
                    yield statement
            elif not isinstance(statement, (Scan, Scatter)) and self.stage[id(statement)] == stage:
                yield statement

    def _is_kept(self, name: str) -> bool:
        """Whether what waits reads a value from where it is kept, rather than loading it itself."""
        return not isinstance(self.makers.get(name), (Load, Index, type(None)))

    def _wait(self, statement: Statement, indent: int) -> None:
        """A scan or a scatter of one element."""
        source = self.nest.source
        assert isinstance(statement, (Scan, Scatter))
        if not self._is_kept(statement.value):
            if maker := self.makers.get(statement.value):
                self.nest.statement(self.depth + 1, indent, maker)
        else:
            buffer = statement.name if isinstance(statement, Scan) else statement.value
            source.line(indent, f"{self.nest.value(statement.value)} = {self._kept(buffer)}")
        if isinstance(statement, Scatter):
            self.nest.scatter(statement, [self._kept(self._place(statement))], indent)
            return
        self.nest.statement(self.depth + 1, indent, statement)
        self._keep(statement.name, self.nest.value(statement.name), indent)

    def _buffer(self, name: str) -> str:
        return f"y{self.nest.value(name)}"

    def _kept(self, name: str) -> str:
        text = f"{self._buffer(name)}[{self.index} - {self.block}]"
        return f"{text} != 0" if self.buffers[name].kind == "b" else text

    def _keep(self, name: str, value: str, indent: int) -> None:
        place = f"{self._buffer(name)}[{self.index} - {self.block}]"
        self.nest.source.line(indent, f"{place} = {stored(value, self.buffers[name])}")


def _dtype(statement: Apply | Gather) -> np.dtype:
    return statement.node.type.dtype if isinstance(statement, Apply) else statement.dtype
