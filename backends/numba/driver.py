"""The driver: a straight-line function that checks arguments, allocates results, calls loops and libraries.

It is compiled as a whole where every library call has a native form; otherwise it stays a Python function that calls
compiled loops and NumPy.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Any

from egc import sizes
from egc.backend import PLAIN, Demands, Region
from egc.backends.numba.contraction import is_continuous
from egc.backends.numba.emit import Segment, emit
from egc.backends.numba.flow import Around, emit_flow
from egc.backends.numba.measures import few_operations
from egc.backends.numba.phases import call_text, emit_shared
from egc.ir import Program, free_symbols
from egc.lower.build import known_sizes
from egc.lower.independent import sizes_of
from egc.lower.loops import Branch, Call, Check, Flow, Loop, LoopProgram, Repeat, Step
from egc.lower.statements import reads, statements
from egc.sizes import Dim, Size
from egc.types import ArrayType

MOST_WEIGHT = 500
"""Statements of the loops of one function, at most: numba takes ever longer for larger ones."""

RESULT_WEIGHT = 8
"""Statements that an array is worth."""

REPEATING_WEIGHT = 100
"""Statements of steps that equal earlier ones, from which on it pays to look for equal functions, """

SHARED_WEIGHT = 60
"""of so many statements at most."""


@dataclass
class Driver:
    """The generated module: its source, the names it uses, and one line per kernel."""

    lines: list[str] = field(default_factory=list)
    names: dict[str, Any] = field(default_factory=dict)
    segments: list[Segment] = field(default_factory=list)
    kernels: list[str] = field(default_factory=list)

    @property
    def source(self) -> str:
        return "\n".join(self.lines) + "\n"

    @property
    def code(self) -> str:
        """All generated source: the kernels, then the driver."""
        texts: dict[str, str] = {}
        for number, segment in enumerate(self.segments):
            name = f"loops_{number}"
            if segment.source in texts:
                texts[f"{name} = {texts[segment.source]}\n"] = ""
            else:
                texts[segment.source] = name
        rows = {name: each for segment in self.segments for name, each in _rows(segment.names)}
        texts = {**{text: name for name, text in rows.items()}, **texts}
        kernels = [text.replace("def loops(", f"def {name}(", 1) for text, name in texts.items()]
        return "\n\n".join([*kernels, self.source])


class Writer(ABC):
    """Writes a driver. What differs between a compiled and a Python driver is in the subclasses."""

    keeps_sizes = False
    """Whether sizes are computed once, each at its first use: numba takes a part of a millisecond for an operation, and for a
    minimum several."""

    def __init__(self, program: Program, loops: LoopProgram, demands: Demands = PLAIN):
        self.program, self.loops, self.driver, self.demands = program, loops, Driver(), demands
        self.exact = demands.exact
        self.types: dict[str, Any] = dict(loops.inputs)
        self.contiguous: dict[str, str] = {}
        self.arrays = {name: f"{name}_" for name, _ in loops.inputs}
        self.symbols: dict[str, Dim] = {}
        self.known: dict[str, Dim] | None = None
        self.contracted: bool | None = None
        self.computed: dict[Dim, str] = {}
        self.sums: dict[Size, str] = {}

    def line(self, text: str, depth: int = 1) -> None:
        self.driver.lines.append("    " * depth + text)

    def write(self) -> Driver:
        self.arguments()
        depth = self.begin()
        for part in self.parts():
            if isinstance(part, Call):
                self.call(part, depth)
            elif isinstance(part, (Repeat, Branch)):
                self.flow(part, depth)
            else:
                self.segment(part, depth)
        self.line(f"return {self.results()}", depth)
        return self.driver

    def parts(self) -> Iterator[Call | Flow | list[Step]]:
        """Calls, loops and branches, and the steps of one function between them."""
        for alone, members in groupby(self.loops.steps, lambda step: isinstance(step, (Call, Repeat, Branch))):
            steps = list(members)
            yield from steps if alone else _functions(steps)  # type: ignore[misc]

    @abstractmethod
    def arguments(self) -> None:
        """The head of the function, and the size symbols."""

    def begin(self) -> int:
        """Opens what surrounds the steps; the depth at which they are written."""
        return 1

    @abstractmethod
    def call(self, call: Call, depth: int) -> None:
        """Writes a library call or a view."""

    @abstractmethod
    def results(self) -> str:
        """The expression that is returned."""

    @abstractmethod
    def empty(self, type: ArrayType) -> str:
        """The expression that allocates an array."""

    @abstractmethod
    def operand(self, name: str, depth: int) -> str:
        """The variable that a segment can read an array from."""

    @abstractmethod
    def kernel(self, number: int, segment: Segment, types: Sequence[tuple[ArrayType, bool]]) -> None:
        """Makes the function `loops_<number>` known."""

    def bind_sizes(self) -> None:
        for number, (symbol, source) in enumerate(self._symbol_sources().items()):
            self.symbols[symbol] = sizes.symbol(f"n{number}")
            self.line(f"n{number} = {source}")

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

    def constant(self, value: Any) -> str:
        for name, known in self.driver.names.items():
            if known is value or (type(known) is type(value) is frozenset and known == value):
                return name
        name = f"c{len(self.driver.names)}"
        self.driver.names[name] = value
        return name

    def dim(self, value: Dim) -> str:
        if value in self.computed:
            return self.computed[value]
        polynomial = self._polynomial(value)
        text = few_operations(polynomial, self.sums)
        if not self.keeps_sizes or not isinstance(polynomial, Size) or text.isidentifier():
            return text
        name = self.computed[value] = f"size_{len(self.computed)}"
        self.line(f"{name} = {text[1:-1]}")
        if len(polynomial.terms) > 1:
            self.sums[polynomial] = name
        return name

    def _polynomial(self, value: Dim) -> Dim:
        """A size as a polynomial over variables, where quotients and minima have names of their own."""
        if not self.keeps_sizes or not isinstance(value, Size):
            return sizes.substitute(value, self.symbols)
        total: Dim = 0
        for monomial, coefficient in value.terms:
            factor: Dim = coefficient
            for atom, power in monomial:
                variable = self.symbols.get(atom, sizes.symbol(atom)) if isinstance(atom, str) else self._called(*atom)
                for _ in range(power):
                    factor = factor * variable
            total = total + factor
        return total

    def _called(self, function: str, *operands: Dim) -> Dim:
        """The variable of a quotient, remainder, minimum or maximum."""
        whole = sizes.FUNCTIONS[function](*operands)
        if whole not in self.computed:
            first, second = (each if isinstance(each, int) else sizes.symbol(self.dim(each)) for each in operands)
            text = str(sizes.FUNCTIONS[function](first, second))
            self.line(f"size_{len(self.computed)} = {text[1:-1] if text.startswith('(') else text}")
            self.computed[whole] = f"size_{len(self.computed)}"
        return sizes.symbol(self.computed[whole])

    def number(self, value: str) -> str:
        """An integer as an argument of a function."""
        return value

    def shape(self, type: ArrayType) -> str:
        return f"({''.join(f'{self.dim(dim)}, ' for dim in type.shape)})"

    def name(self, array: str) -> str:
        return self.arrays.setdefault(array, f"{array}_")

    def segment(self, steps: Sequence[Step], depth: int) -> None:
        for step in steps:
            if isinstance(step, Check):
                self.check(step, depth)
        loops = [step for step in steps if isinstance(step, Loop)]
        if not loops:
            return
        for name, type in (result for loop in loops for result in loop.results):
            self.allocate(name, type, depth)
        loops = [loop for loop in loops if loop.body]
        if loops:
            self.run(*self.emitted(loops), depth)
        for loop in loops:
            self.driver.kernels.append(f"loop over [{', '.join(map(str, loop.dims))}]: {'+'.join(loop.ops) or 'copy'}")

    def flow(self, step: Flow, depth: int) -> None:
        """Writes a loop or branch."""
        if self.contracted is None:
            self.contracted = not self.exact and is_continuous(self.program)
        segment = emit_flow(step, self.around(), self.exact, self.contracted, bool(self.loops.saved))
        for name, type in step.results:
            self.allocate(name, type, depth)
        self.buffers(segment, depth)
        self.run(segment, (), depth)
        self.driver.kernels.append(described(step))

    def around(self) -> Around:
        """What is known around a loop or branch."""
        if self.known is None:
            self.known = sizes_of(self.loops.steps)
        flags = frozenset(self.loops.outputs[number] for number in self.demands.checks)
        return Around(self.types, self.known, known_sizes(self.program, self.demands.guards), flags)

    def allocate(self, name: str, type: ArrayType, depth: int) -> None:
        """Makes an array for results."""
        self.types[name] = type
        self.contiguous[name] = self.name(name)
        self.line(f"{self.name(name)} = {self.empty(type)}", depth)

    def buffers(self, segment: Segment, depth: int) -> None:
        """Makes the arrays that only a loop or branch works with."""
        for name, type in segment.buffers:
            self.allocate(name, type, depth)

    def emitted(self, loops: Sequence[Loop]) -> tuple[Segment, Sequence[str]]:
        """The function of loop nests, and what is given to it as numbers."""
        return emit_shared(loops, self.exact) or emit(loops, self.exact), ()

    def run(self, segment: Segment, numbers: Sequence[str], depth: int) -> None:
        """Runs a new function."""
        number = len(self.driver.segments)
        self.driver.segments.append(segment)
        arrays = [self.operand(name, depth) for name, _ in segment.arrays]
        self.kernel(number, segment, [(self.types[name], written) for name, written in segment.arrays])
        for line in self.run_segment(number, segment, arrays, [*map(self.dim, segment.dims), *numbers]):
            self.line(line, depth)

    def run_segment(
        self, number: int, segment: Segment, arrays: Sequence[str], further: Sequence[str]
    ) -> Iterator[str]:
        """The lines that run the function `loops_<number>` on arrays, and on sizes and numbers."""
        call = call_text(f"loops_{number}", [*arrays, *further])
        if segment.exchanged or segment.errors:
            call, told = f"loops_{number}_places", call
            yield f"{call} = {told}"
        if segment.errors:
            yield from self.put_back(f"{call} < 0")
            yield from (
                f"if {call} == {-1 - k}: raise {error}({text!r})" for k, (error, text) in enumerate(segment.errors)
            )
        if segment.exchanged:
            yield from self.exchange(segment, f"loops_{number}_places")
            return
        if not segment.errors:
            yield f"if {call}: raise IndexError('index is out of bounds')" if segment.may_fail else call

    def put_back(self, condition: str) -> Iterator[str]:
        """The lines that make inputs what they were, where a condition holds."""
        return iter(())

    def exchange(self, segment: Segment, places: str) -> Iterator[str]:
        """The line that gives arrays the memory in which their values lie."""
        found, below = [], 1
        for _, homes in reversed(segment.exchanged):
            digit = f"{places} // {below} % {len(homes)}"
            found.append(f"({', '.join(map(self.name, homes))})[{digit}]")
            below *= len(homes)
        yield f"{', '.join(self.name(name) for name, _ in segment.exchanged)} = {', '.join(reversed(found))}"

    def check(self, check: Check, depth: int) -> None:
        values = [self.dim(value) for value in check.values]
        message = repr(check.message)
        match check.what:
            case "slice":
                self.line(f"check_slice({', '.join(map(self.number, values))})", depth)
            case "reshape":
                self.line(f"if {values[0]} != {values[1]}: raise ValueError({message})", depth)
            case "nonempty":
                self.line(f"if {values[0]} == 0: raise ValueError({message})", depth)
            case "index":
                self.line(f"if {values[0]} == 0 and {values[1]} != 0: raise IndexError({message})", depth)
            case _:
                raise AssertionError(check)

    def params(self, params: Mapping[str, Any]) -> str:
        """The parameters of a call: one shared dict, or an expression where they mention sizes."""
        if not any(isinstance(part, (sizes.Size, Program)) for value in params.values() for part in _parts(value)):
            return self.constant(dict(params))
        texts = []
        for name, value in params.items():
            if isinstance(value, tuple) and all(isinstance(part, (int, sizes.Size)) for part in value):
                texts.append(f"{name!r}: ({''.join(f'{self.dim(part)}, ' for part in value)})")
            elif isinstance(value, sizes.Size):
                texts.append(f"{name!r}: {self.dim(value)}")
            elif isinstance(value, Program):
                known = sorted(free_symbols(value) - value.size_inputs)
                bindings = ", ".join(f"{symbol!r}: {self.dim(sizes.symbol(symbol))}" for symbol in known)
                self.driver.names["Region"] = Region
                texts.append(f"{name!r}: Region({self.constant(value)}, {{{bindings}}})")
            else:
                texts.append(f"{name!r}: {self.constant(value)}")
        return "{" + ", ".join(texts) + "}"


def _rows(names: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The functions that a kernel calls by name and that are kernels themselves, with their source."""
    for name, value in names.items():
        if isinstance(value, tuple):
            yield from _rows(dict(value[2]))
            yield name, value[0]


def _functions(steps: Iterable[Step]) -> Iterator[list[Step]]:
    """Consecutive steps, in as many functions as are compiled in the least time. Where steps repeat, functions begin with
    the most frequent kind of step: then they are equal, and the shorter they are, the less is compiled."""
    steps = list(steps)
    weights, kinds = list(map(_weight, steps)), list(map(_kind, steps))
    repeats = sum(weights) - sum(dict(zip(kinds, weights)).values()) >= REPEATING_WEIGHT
    common = Counter(kind for kind in kinds if kind is not None).most_common(1)[0][0] if repeats else None
    most = min(SHARED_WEIGHT, MOST_WEIGHT) if repeats else MOST_WEIGHT
    functions: list[list[Step]] = []
    start = 0
    while start < len(steps):
        stop, weight = start + 1, weights[start]
        while stop < len(steps) and weight + weights[stop] <= most:
            stop, weight = stop + 1, weight + weights[stop]
        if repeats and stop < len(steps):
            stop = next((place for place in range(stop, start, -1) if kinds[place] == common), stop)
        functions.append(steps[start:stop])
        start = stop
    read: set[str] = set()
    for function in reversed(functions):
        inside = {
            access.array
            for step in function
            if isinstance(step, Loop)
            for s in step.statements()
            for access in reads(s)
        }
        function[:] = [_handed_on(step, read) if isinstance(step, Loop) else step for step in function]
        read |= inside
    yield from functions


def _weight(step: Step) -> int:
    if not isinstance(step, Loop):
        return 0
    return len(step.results) * RESULT_WEIGHT + sum(1 for _ in statements(step.body))


def _kind(step: Step) -> Any:
    """What equal loops have in common, numbers and names apart."""
    return (step.dims, tuple(step.ops), len(step.results)) if isinstance(step, Loop) else None


def _handed_on(loop: Loop, read: Container[str]) -> Loop:
    """The loop with those scalars as results that later functions read."""
    shared = [(name, ArrayType(dtype, ())) for name, dtype in loop.locals if name in read]
    kept = tuple((name, dtype) for name, dtype in loop.locals if name not in read)
    return replace(loop, results=(*loop.results, *shared), locals=kept)


def described(step: Flow) -> str:
    """What a loop or branch does, in a line."""
    kind = "branch" if isinstance(step, Branch) else "while" if step.count is None else "for"
    return f"{kind} with {', '.join(str(type) for _, type in step.states)}"


def _parts(value: Any) -> Iterator[Any]:
    yield from value if isinstance(value, tuple) else (value,)
