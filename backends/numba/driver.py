"""The driver: a straight-line Python function that checks arguments, allocates results, calls loops and libraries."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import groupby
from typing import Any

import numpy as np

from egc import sizes
from egc.backend import bind_arguments
from egc.backends.numba.emit import Segment, emit
from egc.backends.numba.machine import lazy
from egc.backends.reference import EVALUATE
from egc.errors import InternalError
from egc.ir import Program
from egc.lower.loops import Call, Check, Loop, LoopProgram, Step
from egc.sizes import Dim
from egc.types import ArrayType, TupleType

SCALARS = (bool, int, float, complex)


@dataclass
class Driver:
    """The generated module: its source, the names it uses, and one line per kernel."""

    lines: list[str] = field(default_factory=list)
    names: dict[str, Any] = field(default_factory=dict)
    segments: list[Segment] = field(default_factory=list)
    kernels: list[str] = field(default_factory=list)

    @property
    def code(self) -> str:
        """All generated source: the kernels, then the driver."""
        kernels = [s.source.replace("def loops(", f"def loops_{k}(", 1) for k, s in enumerate(self.segments)]
        return "\n\n".join([*kernels, "\n".join(self.lines) + "\n"])


def generate(program: Program, loops: LoopProgram) -> tuple[Callable[..., tuple[Any, ...]], Driver]:
    """The function that runs a loop program on arrays, and the module it lives in."""
    writer = _Writer(program, loops)
    writer.write()
    driver = writer.driver
    exec(compile("\n".join(driver.lines), f"<egc {loops.name}>", "exec"), driver.names)
    return driver.names["run"], driver


class _Writer:
    def __init__(self, program: Program, loops: LoopProgram):
        self.program, self.loops, self.driver = program, loops, Driver()
        self.types: dict[str, Any] = dict(loops.inputs)
        self.contiguous: dict[str, str] = {}
        self.driver.names.update(
            empty=np.empty, ndarray=np.ndarray, asarray=np.asarray, errstate=np.errstate, SCALARS=SCALARS,
            arguments=lambda *values: tuple(bind_arguments(program, values)[0]),
            behaved=_behaved, checked=_checked, check_slice=_check_slice, fail=_fail,
        )  # fmt: skip
        self.arrays = {name: f"{name}_" for name, _ in loops.inputs}
        self.symbols: dict[str, Dim] = {}

    def line(self, text: str, depth: int = 1) -> None:
        self.driver.lines.append("    " * depth + text)

    def write(self) -> None:
        self._arguments()
        steps = list(self.loops.steps)
        quiet = any(isinstance(step, Call) and not step.view for step in steps)
        depth = 2 if quiet else 1
        if quiet:
            self.line('with errstate(all="ignore"):')
        for is_call, members in groupby(steps, lambda step: isinstance(step, Call)):
            group = list(members)
            if not is_call:
                self._segment(group, depth)
            for step in group:
                if isinstance(step, Call):
                    self._call(step, depth)
        outputs = "".join(f"{self.arrays[name]}, " for name in self.loops.outputs)
        self.line(f"return ({outputs})", depth)

    def _arguments(self) -> None:
        """Reads the size symbols off the arguments; whatever is not plainly right goes to `bind_arguments`."""
        parameters = [self.arrays[name] for name, _ in self.loops.inputs]
        self.driver.lines.append(f"def run({', '.join(parameters)}):")
        good = []
        for (_, type), variable in zip(self.loops.inputs, parameters):
            dtype = self._constant(type.dtype)
            if type.rank == 0:
                scalars = self._constant(frozenset([*SCALARS, type.dtype.type]))
                self.line(f"if type({variable}) in {scalars}:")
                self.line(f"{variable} = asarray({variable}, {dtype})", 2)
            good.append(
                f"type({variable}) is ndarray and {variable}.dtype is {dtype} and {variable}.ndim == {type.rank}"
            )
        if good:
            self.line(f"if not ({' and '.join(good)}):")
            self.line(f"{', '.join(parameters)}, = arguments({', '.join(parameters)})", 2)
        sources = self._symbol_sources()
        for number, (symbol, source) in enumerate(sources.items()):
            self.symbols[symbol] = sizes.symbol(f"n{number}")
            self.line(f"n{number} = {source}")
        wrong = [
            f"{variable}.shape != {self._shape(type)}"
            for (_, type), variable in zip(self.loops.inputs, parameters)
            if type.rank
        ]
        if wrong:
            self.line(f"if {' or '.join(wrong)}:")
            self.line(f"arguments({', '.join(parameters)})", 2)

    def _symbol_sources(self) -> dict[str, str]:
        """Where each size symbol's value comes from; the same choice as `Program.bind`."""
        sources: dict[str, str] = {}
        for name, type in self.loops.inputs:
            if name in self.program.size_inputs:
                sources[name] = f"int({self.arrays[name]})"
                continue
            for axis, dim in enumerate(type.shape):
                if isinstance(dim, sizes.Size) and str(dim).isidentifier():
                    sources.setdefault(str(dim), f"{self.arrays[name]}.shape[{axis}]")
        return sources

    def _constant(self, value: Any) -> str:
        for name, known in self.driver.names.items():
            if known is value or (type(known) is type(value) is frozenset and known == value):
                return name
        name = f"c{len(self.driver.names)}"
        self.driver.names[name] = value
        return name

    def _dim(self, value: Dim) -> str:
        return str(sizes.substitute(value, self.symbols))

    def _shape(self, type: ArrayType) -> str:
        return f"({''.join(f'{self._dim(dim)}, ' for dim in type.shape)})"

    def _name(self, array: str) -> str:
        return self.arrays.setdefault(array, f"{array}_")

    def _segment(self, steps: Sequence[Step], depth: int) -> None:
        for step in steps:
            if isinstance(step, Check):
                self._check(step, depth)
        loops = [step for step in steps if isinstance(step, Loop)]
        for name, type in (result for loop in loops for result in loop.results):
            self.types[name] = type
            self.contiguous[name] = self._name(name)
            self.line(f"{self._name(name)} = empty({self._shape(type)}, {self._constant(type.dtype)})", depth)
        segment = emit(loops)
        number = len(self.driver.segments)
        self.driver.segments.append(segment)
        arrays = [self._contiguous(name, depth) for name, _ in segment.arrays]
        function = f"loops_{number}"
        types = [(self.types[name], written) for name, written in segment.arrays]
        self.driver.names[function] = lazy(segment, types, partial(self.driver.names.__setitem__, function))
        self.line(f"{function}({', '.join([*arrays, *map(self._dim, segment.dims)])})", depth)
        for loop in loops:
            ops = "+".join(name for statement in loop.body if (name := _op_of(statement)))
            self.driver.kernels.append(f"loop over [{', '.join(map(str, loop.dims))}]: {ops or 'copy'}")

    def _contiguous(self, name: str, depth: int) -> str:
        """The variable that holds an array in C order, made on first use."""
        if name not in self.contiguous:
            variable = self._name(name)
            self.contiguous[name] = f"{variable}c"
            self.line(f"{variable}c = {variable} if {variable}.flags.carray else behaved({variable})", depth)
        return self.contiguous[name]

    def _check(self, check: Check, depth: int) -> None:
        values = [self._dim(value) for value in check.values]
        message = repr(check.message)
        match check.what:
            case "slice":
                self.line(f"check_slice({', '.join(values)})", depth)
            case "reshape":
                self.line(f"if {values[0]} != {values[1]}: fail({message})", depth)
            case "nonempty":
                self.line(f"if {values[0]} == 0: fail({message})", depth)
            case _:
                raise AssertionError(check)

    def _call(self, call: Call, depth: int) -> None:
        node, variable = call.node, self._name(call.name)
        self.types[call.name] = node.type
        operands = [self.arrays[name] for name in call.operands]
        if node.op == "assume":
            self.line(f"{variable} = {operands[0]}", depth)
            return
        if node.op == "item":
            self.line(f"{variable} = {operands[0]}[{node.params['index']}]", depth)
            return
        self.driver.kernels.append(f"{'view' if call.view else 'call'} {node.op}: {node.type}")
        function = self._function(node.op)
        text = f"{function}({', '.join([self._params(node.params), *operands])})"
        if call.view:
            self.line(f"{variable} = {text}", depth)
        elif isinstance(node.type, TupleType):
            self.line(f"{variable} = {text}", depth)
            parts = ", ".join(
                f"checked({variable}[{k}], {self._constant(type.dtype)}, {self._shape(type)})"
                for k, type in enumerate(node.type.items)
            )
            self.line(f"{variable} = ({parts},)", depth)
        else:
            self.line(
                f"{variable} = checked({text}, {self._constant(node.type.dtype)}, {self._shape(node.type)})", depth
            )

    def _function(self, op: str) -> str:
        self.driver.names[f"op_{op}"] = EVALUATE[op]
        return f"op_{op}"

    def _params(self, params: Mapping[str, Any]) -> str:
        """The parameters of a call: one shared dict, or an expression where they mention sizes."""
        if not any(isinstance(part, sizes.Size) for value in params.values() for part in _parts(value)):
            return self._constant(dict(params))
        texts = []
        for name, value in params.items():
            if isinstance(value, tuple) and all(isinstance(part, (int, sizes.Size)) for part in value):
                texts.append(f"{name!r}: ({''.join(f'{self._dim(part)}, ' for part in value)})")
            elif isinstance(value, sizes.Size):
                texts.append(f"{name!r}: {self._dim(value)}")
            else:
                texts.append(f"{name!r}: {self._constant(value)}")
        return "{" + ", ".join(texts) + "}"


def _parts(value: Any) -> Iterator[Any]:
    yield from value if isinstance(value, tuple) else (value,)


def _op_of(statement: Any) -> str:
    node = getattr(statement, "node", None)
    return node.op if node is not None else getattr(statement, "op", "")


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


def _fail(message: str) -> None:
    raise ValueError(message)
