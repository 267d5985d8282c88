"""From generated source to machine code: one compilation per text and types in the life of the process."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numba import from_dtype, njit, types
from numba.core.compiler import Compiler
from numba.core.dispatcher import Dispatcher

from egc.backends.numba.adapter import AdaptedCompiler, Adapter
from egc.backends.numba.emit import Segment
from egc.backends.numba.functions import NAMES, TYPES
from egc.backends.numba.linked import LinkedCompiler, compile_linked
from egc.backends.numba.store import adapt_stored, compile_stored
from egc.backends.numba.threads import RAISED, cells, pack, part, run_phase
from egc.types import ArrayType

Kernel = tuple[Segment, Sequence[tuple[ArrayType, bool]]]
"""A segment, and its arrays' types with whether they are written."""


SHARING_NAMES: dict[str, Any] = {"pack": pack, "run_phase": run_phase, "part": part, "cells": cells, "RAISED": RAISED}
SHARING_NAMES |= {"keep": NAMES["keep"]}
SHARING_NAMES |= {name: getattr(types, name) for name in TYPES if name != "boolean"}
"""What calls of a kernel in phases may name."""


class Unaliased(Compiler):
    """numba's compiler, told that no two array arguments overlap where one is written: the driver allocates results."""

    def __init__(self, *arguments: Any):
        super().__init__(*arguments)
        self.state.flags.noalias = True


@lru_cache(maxsize=1024)
def machine_code(source: str, signature: Any, wrapper: bool, names: tuple[tuple[str, Any], ...] = ()) -> Any:
    """The compiled function of a segment, with or without a way to call it from Python. Programs with equal segments
    share it. `names` are functions that it calls besides `NAMES`, each name one function."""
    namespace = {"__name__": __name__, **NAMES, "cells": cells, **dict(names)}
    exec(compile(source, "<egc loops>", "exec"), namespace)
    options: dict[str, Any] = {"nogil": True, "error_model": "numpy", "no_cfunc_wrapper": True}
    if wrapper:
        return compile_stored(njit(pipeline_class=Unaliased, **options)(namespace["loops"]), signature, [source])
    linked = njit(pipeline_class=LinkedCompiler, no_cpython_wrapper=True, **options)
    return compile_linked(linked(namespace["loops"]), signature)


def signature_of(segment: Segment, arrays: Sequence[tuple[ArrayType, bool]]) -> Any:
    """C-contiguous arrays, read-only unless written, then the sizes."""
    array_types = [
        types.Array(from_dtype(type.dtype), type.rank, "C", readonly=not written) for type, written in arrays
    ]
    result = types.int64 if segment.may_fail or segment.exchanged else types.void
    sizes = [types.int64] * len(segment.dims)
    if segment.calls is None:
        return result(*array_types, *sizes)
    cells = [types.CPointer(getattr(types, kind)) for kind, _ in segment.calls.cells]
    buffers = [types.Array(getattr(types, kind), 1, "C") for kind, _ in segment.calls.buffers]
    return result(*[types.int64] * 4, *array_types, *sizes, *cells, *buffers)


def compile_kernel(segment: Segment, arrays: Sequence[tuple[ArrayType, bool]]) -> Any:
    """The function of a segment for use in a driver."""
    return machine_code(segment.source, signature_of(segment, arrays), False, tuple(segment.names.items()))


def compile_driver(
    source: str, names: Mapping[str, Any], kernels: Sequence[Kernel], signature: tuple[Any, ...]
) -> Dispatcher:
    """The compiled driver, for arguments of exactly these types. It calls the kernels as `loops_0`, `loops_1`, ..., which
    are compiled where the driver is not stored."""
    function, key, link = _driver(source, names, kernels)
    return compile_stored(njit(**DRIVER)(function), signature, key, link)


def compile_adapter(
    source: str,
    names: Mapping[str, Any],
    kernels: Sequence[Kernel],
    signature: tuple[Any, ...],
    outputs: Sequence[np.dtype],
) -> Adapter:
    """The same for calls through `entry`. outputs: the dtypes of the driver's outputs."""
    function, key, link = _driver(source, names, kernels)
    dispatcher = njit(pipeline_class=AdaptedCompiler, no_cpython_wrapper=True, **DRIVER)(function)
    return adapt_stored(dispatcher, signature, tuple(map(from_dtype, outputs)), key, link)


DRIVER: dict[str, Any] = {"nogil": True, "error_model": "numpy", "no_cfunc_wrapper": True}


def _driver(
    source: str, names: Mapping[str, Any], kernels: Sequence[Kernel]
) -> tuple[Callable[..., Any], list[str] | None, Callable[[], None]]:
    """The Python function of a driver, what tells it from others, and what makes its kernels."""
    namespace = {"__name__": __name__, **names}
    exec(compile(source, "<egc driver>", "exec"), namespace)

    def link() -> None:
        namespace.update({f"loops_{number}": compile_kernel(*kernel) for number, kernel in enumerate(kernels)})

    texts = list(map(_named, names, names.values()))
    if None in texts:
        return namespace["run"], None, link
    loops = (f"{segment.source}{signature_of(segment, arrays)}" for segment, arrays in kernels)
    return namespace["run"], [source, *filter(None, texts), *loops], link


def _named(name: str, value: Any) -> str | None:
    """A name that a driver uses, for a key: names of functions stand for one function each."""
    if callable(value) and not isinstance(value, np.dtype):
        return name
    return f"{name}={value!r}" if isinstance(value, (np.dtype, bool, int, float, complex, str, tuple)) else None


def compile_alone(segment: Segment, arrays: Sequence[tuple[ArrayType, bool]]) -> Any:
    """The function of a segment for use in Python: it takes arrays and sizes, and after them the sizes that sharing needs."""
    signature = signature_of(segment, arrays)
    if segment.calls is None:
        return machine_code(segment.source, signature, True, tuple(segment.names.items()))
    arguments = [*(f"a{k}" for k in range(len(segment.arrays))), *(f"n{k}" for k in range(len(segment.dims)))]
    extra = [f"m{k}" for k in range(len(segment.calls.extra))]
    lines = segment.calls.lines("loops_0", arguments, extra, segment.may_fail)
    source = "\n    ".join([f"def run({', '.join([*arguments, *extra])}):", *lines]) + "\n"
    given = (*signature.args[4 : 4 + len(arguments)], *[types.int64] * len(extra))
    return compile_driver(source, {**SHARING_NAMES, "empty": np.empty}, [(segment, arrays)], given)


def lazy(segment: Segment, arrays: Sequence[tuple[ArrayType, bool]], install: Callable[[Any], None]) -> Any:
    """A function that compiles the segment when it is first called, and puts the machine code in its own place."""

    def first_call(*arguments: Any) -> int | None:
        compiled = compile_alone(segment, arrays)
        install(compiled)
        return compiled(*arguments)

    return first_call
