"""The contract that a backend fulfils."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from importlib.metadata import entry_points
from importlib.util import find_spec
from typing import Any, Protocol

import numpy as np

from egc import sizes
from egc.costtable import CostTable
from egc.errors import BackendError, Line, OperandTypeError, ShapeError
from egc.ir import Node, Program
from egc.sizes import SizeGuard
from egc.types import ArrayType, format_shape


@dataclass(frozen=True)
class Missing:
    """An op that a backend does not have, with the user's line."""

    op: str
    why: str
    line: Line | None = None


@dataclass(frozen=True)
class Compiled:
    """A runnable Program. `run(*arrays)` returns a tuple of arrays, one per output of the Program.

    `kernels` names what runs, one line each; `code` is the generated source; `native` makes `raw`, the inner function of
    the backend's own library: it takes the arguments as that library has them, scalars for rank 0, and returns a tuple
    of outputs, or the one output. A backend without such a level leaves it out. `direct(call)` makes what Python calls
    for arguments of one kind, with no Python code between; None where the backend has no such way. `stored` are those of
    `Demands.stores` that code puts into the inputs' arrays; in their places, results have what means nothing. An error is
    then raised before any array is changed, unless there is no memory.
    """

    run: Callable[..., tuple[Any, ...]]
    kernels: tuple[str, ...] = ()
    code: str = ""
    native: Callable[[], Any] | None = None
    details: Mapping[str, Any] = field(default_factory=dict)
    direct: Callable[[DirectCall], Callable[..., Any]] | None = None
    stored: frozenset[int] = frozenset()

    @property
    def raw(self) -> Any:
        """The inner function, compiled on first use; None where there is none."""
        return self.native() if self.native is not None else None


@dataclass(frozen=True)
class Argument:
    """An argument of a direct call, by an example of it.

    kind: `array` (dtype, rank and order in memory are the example's), `number` (of the same type), `integer` (an int of 64
    bits) or `fixed` (the example itself). sizes: the numbers of elements that an array may have, None for any.
    written: whether the array must be one that may be written, and shares memory with no other one of the call.
    """

    kind: str
    example: Any
    sizes: range | None = None
    written: bool = False


@dataclass(frozen=True)
class DirectCall:
    """What a callable is made for: calls of a function whose arguments are arrays and numbers.

    names: the parameters of the arguments, interned; None for one that is given by position only. inputs: the argument of each
    Program input; the inputs after those take `constants`. guards: (namespace, name, object) for globals that must be this
    object, and (None, function, object) for what a function without arguments must return. results: for each output `array`,
    or for rank 0 `scalar` (NumPy's) or `python` as well. finish: called with the output, or the tuple of outputs, and the
    arguments; it returns the result, or NotImplemented. slow: called with the arguments where they are others than these, code
    fails, or `finish` gives NotImplemented.
    """

    names: tuple[str | None, ...]
    arguments: tuple[Argument, ...]
    inputs: tuple[int, ...]
    constants: tuple[np.ndarray, ...]
    guards: tuple[tuple[Mapping[str, Any] | None, Any, Any], ...]
    results: tuple[str, ...]
    finish: Callable[..., Any] | None
    slow: Callable[..., Any]


@dataclass(frozen=True)
class Interface:
    """How a function's callers see a Program whose code they call without Python.

    leaves: the types of the function's arguments, flattened; None for one that is not a number or array. inputs: the
    leaf of each Program input; the inputs after those take `constants`. results: the tree of results as nested tuples
    of output numbers, and -1 - leaf for an argument that is returned. writes: (leaf, output) pairs of changed arguments.
    guards: what must hold of the sizes.
    """

    program: Program
    leaves: tuple[ArrayType | None, ...]
    inputs: tuple[int, ...]
    constants: tuple[np.ndarray, ...]
    results: Any
    writes: tuple[tuple[int, int], ...]
    guards: tuple[SizeGuard, ...]


@dataclass(frozen=True)
class Demands:
    """What code is made for.

    guards: what callers of `run` make sure of; `raw`, which has other callers, checks them where it can.
    layouts: by the names of inputs, how arrays lie in memory (`layouts.layout_of`), C being the rule; code that is fastest
    for these, and runs on all.
    exact: elementary functions are the system library's, rather than the backend's own.
    stores: outputs, by number, that callers put into inputs' own arrays and use for nothing else; no array shares memory with
    such an input. Code may put them there itself; where it fails, or a check is true, the inputs are as they were.
    checks: outputs, by number, that are bool scalars; callers use nothing else of a result in which one is true.
    """

    guards: tuple[SizeGuard, ...] = ()
    layouts: Mapping[str, str] = field(default_factory=dict)
    exact: bool = False
    stores: Mapping[int, str] = field(default_factory=dict)
    checks: frozenset[int] = frozenset()


PLAIN = Demands()


class Backend(Protocol):
    """A way to run Programs. Third parties register one through the entry-point group `egc.backends`.

    One that has a method `calibrate(table)` gives with it the table that `egc backends calibrate` writes: the measured one,
    with what only the backend can measure. One that has a method `limit_threads(count)` is told how many threads a call may
    use, None for its own choice.
    """

    name: str
    description: str
    costs: CostTable

    def missing(self, program: Program) -> Sequence[Missing]:
        """The Nodes of a Program that this backend cannot run; empty when it can run all of it."""

    def compile(self, program: Program, demands: Demands = PLAIN) -> Compiled:
        """Code for a Program, for every value of its size symbols. Raises BackendError when ops are missing."""


def limit_threads(backend: Backend, count: int | None) -> None:
    """Sets how many threads the calls of a backend's code may use, where it has a say in that; None is its own choice."""
    if hasattr(backend, "limit_threads"):
        backend.limit_threads(count)


def require_supported(backend: Backend, program: Program) -> None:
    """Raises BackendError naming the first op that a backend lacks and the user's line."""
    for gap in backend.missing(program):
        raise BackendError(f"backend {backend.name!r} has no {gap.op}: {gap.why}", gap.line)


def bind_arguments(program: Program, arguments: Sequence[Any]) -> tuple[list[np.ndarray], dict[str, int]]:
    """The arguments as arrays of the inputs' dtypes, and the values of the size symbols.

    Python scalars take the input's dtype. Raises OperandTypeError for an array of another dtype, and ShapeError for
    one of another rank or of sizes that do not fit the others'.
    """
    if len(arguments) != len(program.inputs):
        raise ShapeError(f"{program.name} takes {len(program.inputs)} arguments, not {len(arguments)}")
    bindings = program.bind(arguments)
    arrays = []
    for node, value in zip(program.inputs, arguments):
        name, expected = node.params["name"], node.type
        array = np.asarray(value, expected.dtype if type(value) in (bool, int, float, complex) else None)
        if array.dtype != expected.dtype:
            raise OperandTypeError(f"argument {name} has dtype {array.dtype}, not {expected.dtype}")
        known = all(symbol in bindings for dim in expected.shape for symbol in sizes.symbols(dim))
        if array.ndim != expected.rank or (
            known and array.shape != tuple(sizes.evaluate(dim, bindings) for dim in expected.shape)
        ):
            raise ShapeError(f"argument {name} has shape {array.shape}, not {format_shape(expected.shape)}")
        arrays.append(array)
    return arrays, bindings


@dataclass(frozen=True)
class Region:
    """A Program that is a parameter of an op, with the values of the size symbols around it."""

    program: Program
    bindings: Mapping[str, int]

    def bind(self, operands: Sequence[Any]) -> tuple[dict[Node, Any], dict[str, int]]:
        """The values of its inputs, and of all size symbols inside, for these operands."""
        inside = {
            node.params["name"]: int(value)
            for node, value in zip(self.program.inputs, operands)
            if node.params["name"] in self.program.size_inputs
        }
        return dict(zip(self.program.inputs, operands)), {**self.bindings, **inside}


def bind_params(params: Mapping[str, Any], bindings: Mapping[str, int]) -> dict[str, Any]:
    """The parameters with every size replaced by its integer, and every Program by its Region."""

    def bound(value: Any) -> Any:
        if isinstance(value, tuple):
            return tuple(sizes.evaluate(v, bindings) if isinstance(v, sizes.Size) else v for v in value)
        if isinstance(value, Program):
            return Region(value, bindings)
        return sizes.evaluate(value, bindings) if isinstance(value, sizes.Size) else value

    return {name: bound(value) for name, value in params.items()}


def window(shape: Sequence[int], start: Sequence[int], size: Sequence[int], step: Sequence[int]) -> Any:
    """The index of the elements `start + j*step`, `0 <= j < size`. IndexError when one lies outside of `shape`."""
    slices: list[Any] = []
    for length, first, count, stride in zip(shape, start, size, step):
        last = first + (count - 1) * stride
        if count and not (0 <= first < length and 0 <= last < length):
            raise IndexError(f"slice from {first} to {last} is out of bounds for axis of size {length}")
        stop = first + count * stride
        slices.append(slice(first, stop if stop >= 0 else None, stride) if count else slice(0, 0))
    return (*slices, ...)


BUILT_IN = {"reference": "egc", "numba": "egc", "jax": "egc[jax]"}
"""The backends that ship with egc, and what to install to have their library."""

ENTRY_POINTS = "egc.backends"


def available() -> tuple[str, ...]:
    """The names of the built-in backends and of those that installed packages register, installed or not."""
    return (*BUILT_IN, *sorted({point.name for point in entry_points(group=ENTRY_POINTS)} - set(BUILT_IN)))


def load(name: str) -> Backend:
    """The backend of that name. Raises BackendError for an unknown one, or one whose library is not installed.

    >>> load("reference").name
    'reference'
    """
    if name in BUILT_IN:
        if name != "reference" and find_spec(name) is None:
            raise BackendError(f"backend {name!r} needs a library that is not installed: pip install {BUILT_IN[name]}")
        return import_module(f"egc.backends.{name}").BACKEND
    for point in entry_points(group=ENTRY_POINTS, name=name):
        try:
            found = point.load()
        except ImportError as error:
            raise BackendError(f"backend {name!r} does not load: {error}") from error
        return getattr(found, "BACKEND", found)
    raise BackendError(f"no backend named {name!r}; there are {', '.join(available())}")
