"""Native drivers of long programs: cut into sections, of which each kind is compiled once, and a table of the order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from egc.backend import Demands
from egc.backends.numba.alike import shared_kernels
from egc.backends.numba.emit import Segment
from egc.backends.numba.functions import NAMES
from egc.backends.numba.machine import DriverSource, Kernel
from egc.backends.numba.native import MOST_RESULTS, Native, NativeWriter
from egc.backends.numba.sections import TOKENS, Sections, cut
from egc.backends.numba.tape import tape
from egc.ir import Program
from egc.lower.loops import Branch, Call, Loop, LoopProgram, Repeat
from egc.types import ArrayType

MOST_STEPS = 16
"""Loops and library calls of a driver in one piece, at most: numba takes longer for each than a short driver takes in all."""

CALLS = 4
"""Library calls of a section."""


def is_long(loops: LoopProgram) -> bool:
    """Whether a driver is cut: in one with loops or branches, arrays change their places."""
    if any(isinstance(step, (Repeat, Branch)) for step in loops.steps):
        return False
    return len(loops.steps) > MOST_STEPS or len(loops.outputs) > MOST_RESULTS


class LongNative(Native):
    """A Program as one native function, which gives lists of arrays where it has more results than MOST_RESULTS."""

    writer: LongWriter

    def _writer(self, loops: LoopProgram, demands: Demands) -> LongWriter:
        return LongWriter(self.program, loops, demands)

    @cached_property
    def source(self) -> DriverSource:
        writer = self.writer
        kernels, functions = _kernels(writer.pending)
        sections = writer.sections(functions)
        names = {**self.driver.names, "owned_scalar": NAMES["owned_scalar"]}
        listed = len(writer.loops.outputs) > MOST_RESULTS

        known: dict[str, Any] = {}

        def further(namespace: Mapping[str, Any]) -> Mapping[str, Any]:
            if not known:
                known["sections"] = tape(sections, {**names, **namespace}, writer.numbers, listed)
            return known

        texts = [repr(sections), repr({name: (str(x.dtype), repr(x)) for name, x in writer.numbers.items()})]
        return DriverSource(writer.main(sections, listed), names, kernels, texts, further)


def _kernels(pending: Sequence[Kernel]) -> tuple[dict[str, Kernel], dict[str, str]]:
    """The different kernels by name, and the names of all in terms of these. Arrays of rank 0 outlast the section that makes
    them."""
    known: dict[Kernel, str] = {}
    kernels: dict[str, Kernel] = {}
    functions: dict[str, str] = {}
    for number, kernel in enumerate(pending):
        name = known.setdefault(kernel, f"kernel_{len(known)}")
        kernels.setdefault(name, kernel)
        functions[f"loops_{number}"] = name
    functions["empty_scalar"] = "owned_scalar"
    return kernels, functions


class LongWriter(NativeWriter):
    """`marks` are the numbers of lines at which sections begin and, last, end."""

    def __init__(self, program: Program, loops: LoopProgram, demands: Demands):
        super().__init__(program, loops, demands)
        segments = [
            super(LongWriter, self).emitted([step for step in part if isinstance(step, Loop)])[0]
            for part in self.parts()
            if not isinstance(part, Call) and any(isinstance(step, Loop) for step in part)
        ]
        self.numbers: dict[str, np.generic] = {}
        self.names_of: dict[str, str] = {}
        self.kinds = iter(shared_kernels(segments))
        self.marks: list[int] = []
        self.head_lines = self.calls = 0

    def emitted(self, loops: Sequence[Loop]) -> tuple[Segment, Sequence[str]]:
        segment, texts = next(self.kinds)
        return segment, [self._number(text) for text in texts]

    def _number(self, text: str) -> str:
        if text not in self.names_of:
            name = self.names_of[text] = f"number_{len(self.numbers)}"
            kind, _, rest = text.partition("(")
            self.numbers[name] = getattr(np, kind)(eval(rest[:-1], {"complex": complex}))
        return self.names_of[text]

    keeps_sizes = False

    def begin(self) -> int:
        self.head_lines = len(self.driver.lines)
        self.marks.append(self.head_lines)
        return super().begin()

    def call(self, call: Call, depth: int) -> None:
        super().call(call, depth)
        self.calls += 1
        if self.calls == CALLS:
            self._mark()

    def empty(self, type: ArrayType) -> str:
        text = super().empty(type)
        return text if type.rank else f"empty_scalar(T_{type.dtype.name}(0))"

    def allocate(self, name: str, type: ArrayType, depth: int) -> None:
        """A section of its own, which is the same for all arrays of a shape."""
        self._mark()
        super().allocate(name, type, depth)
        self._mark()

    def run_segment(self, *arguments: Any) -> Iterator[str]:
        self._mark()
        return super().run_segment(*arguments)

    def kept(self, arrays: Sequence[str]) -> Sequence[str]:
        """None: what a section takes is kept by its caller."""
        return ()

    def segment(self, steps: Any, depth: int) -> None:
        super().segment(steps, depth)
        self._mark()

    def _mark(self) -> None:
        self.calls = 0
        if len(self.driver.lines) > self.marks[-1]:
            self.marks.append(len(self.driver.lines))

    def sections(self, functions: Mapping[str, str]) -> Sections:
        *_, end = lines = self.driver.lines
        marks = [*self.marks, *([len(lines) - 1] if self.marks[-1] < len(lines) - 1 else [])]
        chunks = [lines[start:stop] for start, stop in zip(marks, marks[1:])]
        head = self._head_names()
        if len(self.loops.outputs) > MOST_RESULTS:
            scalar = [n for n in self.loops.outputs if n not in self.scalars and not self.types[n].rank]
            values = {name: f"{self.arrays[name]}value" for name in scalar}
            chunks += [[f"    {value} = {self.arrays[name]}[()]"] for name, value in values.items()]
            wanted = [values.get(name, self.arrays[name]) for name in self.loops.outputs]
        else:
            wanted = list(dict.fromkeys(m[0] for m in TOKENS.finditer(end) if m[0] not in head and m[0] != "return"))
        return cut(chunks, [*self.numbers, *head], wanted, functions)

    def _head_names(self) -> dict[str, None]:
        """The variables that the head defines."""
        first, *rest = self.driver.lines[: self.head_lines]
        parameters = first.partition("(")[2].rstrip("):").split(", ")
        assigned = [line.strip().partition(" = ")[0] for line in rest if " = " in line and "if " not in line]
        return dict.fromkeys(name for name in (*parameters, *assigned) if name.isidentifier())

    def main(self, sections: Sections, listed: bool) -> str:
        """The source of what remains of the driver."""
        head = self.driver.lines[: self.head_lines]
        given = "".join(f"{name}, " for name in sections.given if name not in self.numbers)
        call = f"sections(({given}))"
        if listed:
            return "\n".join([*head, f"    return {call}"]) + "\n"
        parts = [f"    {name} = found[{k}]" for k, name in enumerate(sections.wanted)]
        return "\n".join([*head, f"    found = {call}", *parts, self.driver.lines[-1]]) + "\n"
