"""A driver that stays a Python function: for Programs with library calls that only NumPy or SciPy have."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np

from egc.backend import Demands, bind_arguments
from egc.backends.numba.driver import Driver, Writer
from egc.backends.numba.emit import Segment
from egc.backends.numba.machine import lazy
from egc.backends.reference import EVALUATE
from egc.errors import InternalError
from egc.ir import Program
from egc.lower.loops import Call, LoopProgram
from egc.types import ArrayType, TupleType

SCALARS = (bool, int, float, complex)


def generate(program: Program, loops: LoopProgram, demands: Demands) -> tuple[Callable[..., tuple[Any, ...]], Driver]:
    """The function that runs a loop program on arrays, and the module it lives in."""
    driver = InterpretedWriter(program, loops, demands).write()
    exec(compile(driver.source, f"<egc {loops.name}>", "exec"), driver.names)
    return driver.names["run"], driver


class InterpretedWriter(Writer):
    def __init__(self, program: Program, loops: LoopProgram, demands: Demands):
        super().__init__(program, loops, demands)
        self.driver.names.update(
            empty=np.empty, ndarray=np.ndarray, asarray=np.asarray, errstate=np.errstate, SCALARS=SCALARS,
            arguments=lambda *values: tuple(bind_arguments(program, values)[0]),
            behaved=_behaved, checked=_checked, check_slice=_check_slice,
        )  # fmt: skip

    def begin(self) -> int:
        if not any(isinstance(step, Call) and not step.view for step in self.loops.steps):
            return 1
        self.line('with errstate(all="ignore"):')
        return 2

    def arguments(self) -> None:
        """Reads the size symbols off the arguments; whatever is not plainly right goes to `bind_arguments`."""
        parameters = [self.arrays[name] for name, _ in self.loops.inputs]
        self.driver.lines.append(f"def run({', '.join(parameters)}):")
        good = []
        for (_, type), variable in zip(self.loops.inputs, parameters):
            dtype = self.constant(type.dtype)
            if type.rank == 0:
                scalars = self.constant(frozenset([*SCALARS, type.dtype.type]))
                self.line(f"if type({variable}) in {scalars}:")
                self.line(f"{variable} = asarray({variable}, {dtype})", 2)
            good.append(
                f"type({variable}) is ndarray and {variable}.dtype is {dtype} and {variable}.ndim == {type.rank}"
            )
        if good:
            self.line(f"if not ({' and '.join(good)}):")
            self.line(f"{', '.join(parameters)}, = arguments({', '.join(parameters)})", 2)
        self.bind_sizes()
        wrong = [
            f"{variable}.shape != {self.shape(type)}"
            for (_, type), variable in zip(self.loops.inputs, parameters)
            if type.rank
        ]
        if wrong:
            self.line(f"if {' or '.join(wrong)}:")
            self.line(f"arguments({', '.join(parameters)})", 2)

    def empty(self, type: ArrayType) -> str:
        return f"empty({self.shape(type)}, {self.constant(type.dtype)})"

    def operand(self, name: str, depth: int) -> str:
        """The variable that holds an array in C order, made on first use."""
        if name not in self.contiguous:
            variable = self.name(name)
            self.contiguous[name] = f"{variable}c"
            self.line(f"{variable}c = {variable} if {variable}.flags.carray else behaved({variable})", depth)
        return self.contiguous[name]

    def kernel(self, number: int, segment: Segment, types: Sequence[tuple[ArrayType, bool]]) -> None:
        function = f"loops_{number}"
        self.driver.names[function] = lazy(segment, types, partial(self.driver.names.__setitem__, function))

    def run_segment(
        self, number: int, segment: Segment, arrays: Sequence[str], further: Sequence[str]
    ) -> Iterator[str]:
        if segment.calls is None:
            yield from super().run_segment(number, segment, arrays, further)
        else:
            yield f"loops_{number}({', '.join([*arrays, *further, *map(self.dim, segment.calls.extra)])})"

    def call(self, call: Call, depth: int) -> None:
        node, variable = call.node, self.name(call.name)
        self.types[call.name] = node.type
        operands = [self.arrays[name] for name in call.operands]
        if node.op == "assume":
            self.line(f"{variable} = {operands[0]}", depth)
            return
        if node.op == "item":
            self.line(f"{variable} = {operands[0]}[{node.params['index']}]", depth)
            return
        self.driver.kernels.append(f"{'view' if call.view else 'call'} {node.op}: {node.type}")
        self.driver.names[f"op_{node.op}"] = EVALUATE[node.op]
        text = f"op_{node.op}({', '.join([self.params(node.params), *operands])})"
        if call.view:
            self.line(f"{variable} = {text}", depth)
        elif isinstance(node.type, TupleType):
            self.line(f"{variable} = {text}", depth)
            parts = ", ".join(
                f"checked({variable}[{k}], {self.constant(type.dtype)}, {self.shape(type)})"
                for k, type in enumerate(node.type.items)
            )
            self.line(f"{variable} = ({parts},)", depth)
        else:
            self.line(f"{variable} = checked({text}, {self.constant(node.type.dtype)}, {self.shape(node.type)})", depth)

    def results(self) -> str:
        return f"({''.join(f'{self.arrays[name]}, ' for name in self.loops.outputs)})"


def _behaved(array: np.ndarray) -> np.ndarray:
    """The array itself where generated code can address it, a C-contiguous aligned copy where not."""
    return array if array.flags.c_contiguous and array.flags.aligned else array.copy(order="C")


def _checked(value: Any, dtype: np.dtype, shape: tuple[int, ...]) -> np.ndarray:
    """A library's result as an array of the dtype and shape that the type promises, which loops rely on."""
    result = np.asarray(value)
    if result.dtype is not dtype:
        result = result.astype(dtype)
    if result.shape != shape:
        raise InternalError("numba", f"a library call gave shape {result.shape}, not {shape}")
    return result


def _check_slice(start: int, size: int, step: int, length: int) -> None:
    last = start + (size - 1) * step
    if size and not (0 <= start < length and 0 <= last < length):
        raise IndexError(f"slice from {start} to {last} is out of bounds for axis of size {length}")
