"""A driver that numba compiles as a whole: callable from `@njit` code, and in Python at the price of one call.

Arguments are C-contiguous arrays, and scalars for inputs of rank 0; an output of rank 0 is a scalar too. Several outputs
come as a tuple.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numba import from_dtype, int64, types

from egc.backend import PLAIN, Demands
from egc.backends.numba.adapter import Adapter
from egc.backends.numba.calls import FUNCTIONS, native_call
from egc.backends.numba.copies import as_contiguous, copied
from egc.backends.numba.driver import Driver, Writer
from egc.backends.numba.emit import Segment
from egc.backends.numba.functions import NAMES, copy_to, is_at
from egc.backends.numba.machine import (
    CALL_NAMES,
    SHARING_NAMES,
    DriverSource,
    Kernel,
    compile_adapter,
    compile_driver,
    kernel_of,
)
from egc.backends.numba.pools import POOL_NAMES, kept_lines
from egc.errors import ShapeError
from egc.ir import Program
from egc.layouts import axes_of
from egc.lower.access import ordered
from egc.lower.loops import Branch, Call, LoopProgram, Repeat
from egc.lower.names import mentioned
from egc.ops import INT64
from egc.types import ArrayType, TupleType, format_shape

MOST_STEPS = 64
"""Steps of a driver with loops or branches, at most: numba takes longer for each than a short driver takes in all."""

MOST_RESULTS = 16
"""Results of a driver in one piece, at most, for the same reason."""

MOST_ARGUMENTS = 64
"""Arguments of a compiled driver, at most: what it takes numba to read them grows faster than their number."""


def is_native(program: Program, loops: LoopProgram) -> bool:
    """Whether numba can compile all steps; with loops or branches among them, as a driver in one piece."""
    if len(program.inputs) > MOST_ARGUMENTS:
        return False
    flows = any(isinstance(step, (Repeat, Branch)) for step in loops.steps)
    if flows and (len(loops.steps) > MOST_STEPS or len(program.outputs) > MOST_RESULTS):
        return False
    writer = NativeWriter(program, loops)
    return all(
        native_call(writer, step, ["x"] * len(step.operands)) is not None
        for step in loops.steps
        if isinstance(step, Call)
    ) and all(isinstance(node.type, ArrayType) for node in program.outputs)


class Native:
    """A Program as one native function, compiled when `function` is first called."""

    def __init__(self, program: Program, loops: LoopProgram, demands: Demands):
        self.program, self.layouts = program, demands.layouts
        self.writer = self._writer(loops, demands)
        self.driver: Driver = self.writer.write()

    def _writer(self, loops: LoopProgram, demands: Demands) -> NativeWriter:
        return NativeWriter(self.program, loops, demands)

    @cached_property
    def source(self) -> DriverSource:
        kernels = {f"loops_{number}": kernel for number, kernel in enumerate(self.writer.pending)}
        return DriverSource(self.driver.source, self.driver.names, kernels)

    def function(self) -> Any:
        """numba's dispatcher of the compiled driver."""
        return compile_driver(self.source, self.signature())

    def adapter(self) -> Adapter:
        """The compiled driver, for calls from Python."""
        return compile_adapter(self.source, self.signature(), self.dtypes)

    @property
    def dtypes(self) -> list[np.dtype]:
        """Those of the outputs; in the place of one that is stored in an input, there is an int."""
        stored = self.writer.loops.stored
        return [INT64 if k in stored else node.type.dtype for k, node in enumerate(self.program.outputs)]

    def signature(self) -> Any:
        return tuple(
            argument_type(node.type, self.layouts.get(node.params["name"], "C")) for node in self.program.inputs
        )


def argument_type(type: ArrayType, layout: str = "C") -> Any:
    element = from_dtype(type.dtype)
    return types.Array(element, type.rank, layout if layout in ("C", "F") else "A") if type.rank else element


class NativeWriter(Writer):
    def __init__(self, program: Program, loops: LoopProgram, demands: Demands = PLAIN):
        super().__init__(program, loops, demands)
        self.guards, self.layouts = demands.guards, demands.layouts
        self.strides = loops.strides
        self.types.update((ordered(name), self.types[name]) for name in self.strides)
        self.pending: list[Kernel] = []
        self.left: list[str] = []
        self.addresses: dict[str, str] = {}
        self.pools: dict[int, str] = {}
        self.driver.names.update(
            FUNCTIONS, allocate=NAMES["allocate"], empty_scalar=NAMES["empty_scalar"], ShapeError=ShapeError,
            as_contiguous=as_contiguous, addressed=NAMES["addressed"], is_at=is_at, copied=copied, copy_to=copy_to,
            int64=int64, **CALL_NAMES,
        )  # fmt: skip

    def arguments(self) -> None:
        self.driver.lines.append(f"def run({', '.join(self._parameter(name) for name, _ in self.loops.inputs)}):")
        for name, type in self.loops.inputs:
            if (layout := self.layouts.get(name, "C")) != "C":
                self.line(f"{self.arrays[name]} = {self._laid(name, layout, type)}")
        self.bind_sizes()
        if self.guards:
            conditions = [f"({self.dim(guard.size)} {guard.relation} 0)" for guard in self.guards]
            self.line(f"if not ({' & '.join(conditions)}):")
            message = f"compiled for arguments with {', '.join(map(str, self.guards))}"
            self.line(f"raise ShapeError({message!r})", 2)
        for name, type in self.loops.inputs:
            self._check_shape(name, type)
        for name, type in self.loops.inputs:
            if type.rank and name not in self.strides:
                self.contiguous[name] = self.arrays[name]
        for name in sorted(self.loops.saved):
            self.line(f"{self.arrays[name]}saved = copied({self.arrays[name]})")

    def _parameter(self, name: str) -> str:
        return f"{self.arrays[name]}given" if self.layouts.get(name, "C") != "C" else self.arrays[name]

    def _laid(self, name: str, layout: str, type: ArrayType) -> str:
        """An argument with its axes in the order of its layout."""
        parameter = self._parameter(name)
        if layout == "F":
            return f"{parameter}.T"
        if layout == "A":
            return f"as_contiguous({parameter})"
        turned = f"transpose({parameter}, {axes_of(layout, type.rank)})" if layout[1:] else parameter
        if layout[0] == "C":
            return f"addressed({turned})"
        return turned if name in self.strides else f"as_contiguous({turned})"

    def _symbol_sources(self) -> dict[str, str]:
        sources = super()._symbol_sources()
        for name, strides in self.strides.items():
            for axis, stride in enumerate(strides):
                if stride != 1:
                    item = self.types[name].dtype.itemsize
                    sources[str(stride)] = f"{self.arrays[name]}.strides[{axis}] // {item}"
        return sources

    def _check_shape(self, name: str, type: ArrayType) -> None:
        sources = self._symbol_sources()
        for axis, dim in enumerate(type.shape):
            length = f"{self.arrays[name]}.shape[{axis}]"
            if sources.get(str(dim)) != length:
                message = f"argument {name} does not have shape {format_shape(type.shape)}"
                self.line(f"if {length} != {self.dim(dim)}:")
                self.line(f"raise ShapeError({message!r})", 2)

    keeps_sizes = True

    def empty(self, type: ArrayType) -> str:
        element = f"T_{type.dtype.name}"
        self.driver.names[element] = from_dtype(type.dtype)
        return f"allocate({self.shape(type)}, {element})"

    def number(self, value: str) -> str:
        """numba compiles a function anew for each literal that it is given."""
        return f"int64({value})" if value.isdigit() else value

    def allocate(self, name: str, type: ArrayType, depth: int) -> None:
        """Makes an array for results; one number needs no memory but the driver's own, unless a view is to keep it."""
        viewed = any(isinstance(step, Call) and name in step.operands for step in self.loops.steps)
        if type.rank or viewed:
            super().allocate(name, type, depth)
            return
        self.types[name] = type
        element = f"T_{type.dtype.name}"
        self.driver.names[element] = from_dtype(type.dtype)
        self.contiguous[name] = self.name(name)
        self.line(f"{self.name(name)} = empty_scalar({element}(0))", depth)

    def buffers(self, segment: Segment, depth: int) -> None:
        """In one piece of memory, but for those that other arrays may change places with."""
        homes = {home for _, homes in segment.exchanged for home in homes}
        own = [(name, type) for name, type in segment.buffers if name not in homes]
        for name, type in segment.buffers:
            if name in homes:
                self.allocate(name, type, depth)
        self.driver.names.update(SHARING_NAMES, **POOL_NAMES)
        elements = {name: "uint8" if type.dtype.kind == "b" else type.dtype.name for name, type in own}
        number, pooled = len(self.driver.segments), [(name, type) for name, type in own if type.rank]
        for name, type in own:
            self.types[name] = type
            self.contiguous[name] = self.addresses[name] = f"q{name}"
            if not type.rank:
                self.line(f"q{name} = cells({elements[name]}, 1)", depth)
        if not pooled:
            return
        total, pool = f"room_{number}", f"pool_{number}"
        self.line(f"{total} = cells(int64, 1)", depth)
        self.line(f"{total}[0] = 0", depth)
        for name, type in pooled:
            self.line(f"o{name} = room({total}, {self.shape(type)}, {elements[name]})", depth)
        self.line(f"{pool} = allocate(({total}[0], ), uint8)", depth)
        for name, _ in pooled:
            self.line(f"q{name} = placed({pool}, o{name}, {elements[name]})", depth)
        self.pools[number] = pool

    def operand(self, name: str, depth: int) -> str:
        """The variable that loops read an array from, made on first use: in C order, unless they know its strides; a scalar gets
        an array to be read from."""
        if name in self.strides and name not in self.contiguous:
            self.contiguous[name] = f"{self.arrays[name]}k"
            self.line(f"{self.contiguous[name]} = addressed({self.arrays[name]})", depth)
        elif name in map(ordered, self.strides) and name not in self.contiguous:
            given = self.arrays[name.removesuffix(ordered(""))]
            self.contiguous[name] = f"{given}c"
            self.line(f"{given}c = as_contiguous({given})", depth)
        elif name not in self.contiguous:
            variable = self.name(name)
            self.contiguous[name] = f"{variable}c"
            if name not in self.scalars and not self.types[name].rank:
                self.contiguous[name] = variable
            elif name in self.scalars:
                self.line(f"{variable}c = empty_scalar({variable})", depth)
            else:
                self.line(f"{variable}c = as_contiguous({variable})", depth)
        return self.contiguous[name]

    @property
    def scalars(self) -> frozenset[str]:
        """The inputs of rank 0, which are not arrays."""
        return frozenset(name for name, type in self.loops.inputs if not type.rank)

    def kernel(self, number: int, segment: Segment, types: Sequence[tuple[ArrayType, bool]]) -> None:
        self.pending.append(kernel_of(segment, types))

    def run_segment(
        self, number: int, segment: Segment, arrays: Sequence[str], further: Sequence[str]
    ) -> Iterator[str]:
        placed = frozenset(self.addresses.values())
        arguments = [array if array in placed else f"pointer({array})" for array in arrays] + list(further)
        pool = [self.pools[number]] if number in self.pools else []
        kept = self.kept([*(array for array in arrays if array not in placed), *pool])
        if segment.calls is not None:
            self.driver.names.update(SHARING_NAMES)
            extra = list(map(self.dim, segment.calls.extra))
            yield from segment.calls.lines(f"loops_{number}", arguments, extra, segment.may_fail, kept)
            return
        yield from super().run_segment(number, segment, arguments, ())
        yield from kept_lines(kept)

    def kept(self, arrays: Sequence[str]) -> Sequence[str]:
        """The arrays that might be freed before a kernel ends, which knows their addresses only."""
        return arrays

    def call(self, call: Call, depth: int) -> None:
        self.types[call.name] = call.node.type
        operands = [self.arrays[name] for name in call.operands]
        if call.node.op not in ("assume", "item"):
            self.driver.kernels.append(f"{'view' if call.view else 'call'} {call.node.op}: {call.node.type}")
        scalars = [name for name in call.operands if name in self.scalars]
        if scalars:
            operands = [self.operand(name, depth) if name in scalars else self.arrays[name] for name in call.operands]
        elif call.node.op not in ("slice", "transpose", "assume"):
            operands = [
                self.operand(ordered(name), depth) if name in self.strides else self.arrays[name]
                for name in call.operands
            ]
        text = native_call(self, call, operands)
        assert text is not None
        if not call.view and not isinstance(call.node.type, TupleType):
            self.contiguous[call.name] = self.name(call.name)
        self.line(f"{self.name(call.name)} = {text}", depth)

    def exchange(self, segment: Segment, places: str) -> Iterator[str]:
        """An input in which an output is stored may leave its memory; what lies there instead and is still to be read is copied,
        since the output comes back in the end."""
        stored = {self.loops.outputs[number] for number in self.loops.stored}
        for name, _ in segment.exchanged:
            if name in stored and name not in self.left:
                self.left.append(name)
                yield f"{self.arrays[name]}own = {self.arrays[name]}"
        yield from super().exchange(segment, places)
        for name, homes in segment.exchanged:
            if name not in stored and self._is_read_later(name):
                array, owns = self.arrays[name], [f"{self.arrays[home]}own" for home in homes if home in self.left]
                yield from (
                    f"if is_at(pointer({array}), pointer({own})) != 0: {array} = {array}.copy()" for own in owns
                )

    def _is_read_later(self, name: str) -> bool:
        """Whether anything but the loop that makes an array is about it."""
        return name in self.loops.outputs or sum(name in mentioned(step) for step in self.loops.steps) > 1

    def put_back(self, condition: str) -> Iterator[str]:
        if self.loops.saved:
            yield f"if {condition}:"
        for name in sorted(self.loops.saved):
            array = self.arrays[name]
            yield f"    copy_to(pointer({f'{array}own' if name in self.left else array}), {array}saved)"

    def results(self) -> str:
        for name in self.left if len(self.left) > 1 else ():
            array, own = self.arrays[name], f"{self.arrays[name]}own"
            self.line(f"if is_at(pointer({array}), pointer({own})) == 0: {array} = {array}.copy()")
        for name in self.left:
            array, own = self.arrays[name], f"{self.arrays[name]}own"
            self.line(f"if is_at(pointer({array}), pointer({own})) == 0: copy_to(pointer({own}), {array})")
        checks = [f"{self.arrays[self.loops.outputs[number]]}[()]" for number in sorted(self.demands.checks)]
        for line in self.put_back(" | ".join(checks)) if checks else ():
            self.line(line)
        found = []
        for number, name in enumerate(self.loops.outputs):
            if number in self.loops.stored:
                found.append("0")
                continue
            type = self.types[name]
            scalar = type.rank == 0 and name not in self.scalars
            found.append(f"{self.arrays[name]}[()]" if scalar else self.arrays[name])
        return found[0] if len(found) == 1 else f"({''.join(f'{text}, ' for text in found)})"
