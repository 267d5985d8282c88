"""From generated source to machine code: one compilation per text and types in the life of the process."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numba import from_dtype, njit, types
from numba.core.dispatcher import Dispatcher

from egc.backends.numba.adapter import AdaptedCompiler, Adapter
from egc.backends.numba.emit import Segment
from egc.backends.numba.functions import NAMES, TYPES, address_type
from egc.backends.numba.linked import LinkedCompiler, compile_linked
from egc.backends.numba.pools import KEEPERS
from egc.backends.numba.store import adapt_stored, compile_stored
from egc.backends.numba.threads import RAISED, call, cells, in_vectors, pack, part, run_phase
from egc.types import ArrayType

Kernel = tuple[str, Any, tuple[tuple[str, Any], ...], bool]
"""The source of a segment, its signature, what it names besides `NAMES`, and whether it is contracted."""


SHARING_NAMES: dict[str, Any] = {"pack": pack, "run_phase": run_phase, "part": part, "cells": cells, "RAISED": RAISED}
SHARING_NAMES["allocate"] = NAMES["allocate"]
SHARING_NAMES |= {name: getattr(types, name) for name in TYPES if name != "boolean"}
"""What calls of a kernel in phases may name."""

CALL_NAMES: dict[str, Any] = {"pointer": NAMES["pointer"], "call": call, **KEEPERS}
"""What calls of all kernels name."""


@lru_cache(maxsize=1024)
def machine_code(source: str, signature: Any, names: tuple[tuple[str, Any], ...] = (), contracted: bool = False) -> Any:
    """The compiled function of a segment, for calls from compiled functions. Programs with equal segments share it.
    `names` are functions that it calls besides `NAMES`, each name one function, or the kernel of one. contracted: products and
    sums are rounded once."""
    further = {name: machine_code(*value) if isinstance(value, tuple) else value for name, value in names}
    namespace = {"__name__": __name__, **NAMES, "call": call, "cells": cells, "in_vectors": in_vectors, **further}
    exec(compile(source, "<egc loops>", "exec"), namespace)
    options: dict[str, Any] = {"nogil": True, "error_model": "numpy", "no_cfunc_wrapper": True}
    if contracted:
        options["fastmath"] = {"contract"}
    linked = njit(pipeline_class=LinkedCompiler, no_cpython_wrapper=True, **options)
    return compile_linked(linked(namespace["loops"]), signature)


def kernel_of(segment: Segment, arrays: Sequence[tuple[ArrayType, bool]]) -> Kernel:
    return segment.source, signature_of(segment, arrays), tuple(segment.names.items()), segment.contracted


def signature_of(segment: Segment, arrays: Sequence[tuple[ArrayType, bool]]) -> Any:
    """The addresses of C-contiguous arrays, whose bools are bytes, then the sizes and numbers."""
    addresses = [address_type(types.Array(from_dtype(type.dtype), type.rank, "C")) for type, _ in arrays]
    result = types.int64 if segment.may_fail or segment.exchanged or segment.errors else types.void
    sizes = [types.int64] * len(segment.dims) + [getattr(types, kind) for kind in segment.constants]
    if segment.calls is None:
        return result(*addresses, *sizes)
    cells = [types.CPointer(getattr(types, kind)) for kind, _ in segment.calls.cells]
    buffers = [types.CPointer(getattr(types, kind)) for kind, _ in segment.calls.buffers]
    return result(*[types.int64] * 4, *addresses, *sizes, *cells, *buffers)


@dataclass(frozen=True)
class DriverSource:
    """The text of a function `run`, what it names, and the kernels that it calls by their names.

    further: gives what else it names, from all names so far. It follows from `texts`.
    """

    text: str
    names: Mapping[str, Any]
    kernels: Mapping[str, Kernel]
    texts: Sequence[str] = ()
    further: Callable[[Mapping[str, Any]], Mapping[str, Any]] | None = None


DRIVER: dict[str, Any] = {"nogil": True, "error_model": "numpy", "no_cfunc_wrapper": True}


def compile_driver(driver: DriverSource, signature: tuple[Any, ...]) -> Dispatcher:
    """The compiled driver, for arguments of exactly these types. Its kernels are compiled where it is not stored."""
    function, key, link = _driver(driver)
    return compile_stored(njit(**DRIVER)(function), signature, key, link)


def compile_adapter(driver: DriverSource, signature: tuple[Any, ...], outputs: Sequence[np.dtype]) -> Adapter:
    """The same for calls through `entry`. outputs: the dtypes of the driver's outputs."""
    function, key, link = _driver(driver)
    dispatcher = njit(pipeline_class=AdaptedCompiler, no_cpython_wrapper=True, **DRIVER)(function)
    return adapt_stored(dispatcher, signature, tuple(map(from_dtype, outputs)), key, link)


def _driver(driver: DriverSource) -> tuple[Callable[..., Any], list[str] | None, Callable[[], None]]:
    """The Python function of a driver, what tells it from others, and what makes its kernels."""
    namespace = {"__name__": __name__, **driver.names}
    exec(compile(driver.text, "<egc driver>", "exec"), namespace)

    def link() -> None:
        namespace.update({name: machine_code(*kernel) for name, kernel in driver.kernels.items()})
        if driver.further is not None:
            namespace.update(driver.further(namespace))

    names = [_named(name, value) for name, value in driver.names.items()]
    if None in names:
        return namespace["run"], None, link
    kernels = (part for name, kernel in driver.kernels.items() for part in _texts(name, kernel))
    return namespace["run"], [driver.text, *filter(None, names), *kernels, *driver.texts], link


def _texts(name: str, kernel: Kernel) -> Iterator[str]:
    """What tells a kernel from others, with those that it calls."""
    text, taken, names, contracted = kernel
    yield f"{name}{text}{taken}{' contracted' * contracted}"
    for inner, value in names:
        if isinstance(value, tuple):
            yield from _texts(inner, value)


def _named(name: str, value: Any) -> str | None:
    """A name that a driver uses, for a key: names of functions stand for one function each."""
    if callable(value) and not isinstance(value, np.dtype):
        return name
    return f"{name}={value!r}" if isinstance(value, (np.dtype, bool, int, float, complex, str, tuple)) else None


def compile_alone(segment: Segment, arrays: Sequence[tuple[ArrayType, bool]]) -> Any:
    """The function of a segment for use in Python: it takes arrays and sizes, and after them the sizes that sharing needs."""
    names, sizes = ([f"{letter}{k}" for k in range(len(each))] for letter, each in zip("an", (arrays, segment.dims)))
    extra = [f"m{k}" for k in range(len(segment.calls.extra) if segment.calls is not None else 0)]
    given = [*(f"pointer({name})" for name in names), *sizes]
    if segment.calls is not None:
        lines = list(segment.calls.lines("loops_0", given, extra, segment.may_fail))
    else:
        lines = [
            f"{'return ' if segment.may_fail or segment.exchanged or segment.errors else ''}loops_0({', '.join(given)})"
        ]
    source = "\n    ".join([f"def run({', '.join([*names, *sizes, *extra])}):", *lines]) + "\n"
    taken = [types.Array(from_dtype(type.dtype), type.rank, "C", readonly=not written) for type, written in arrays]
    return _alone(source, kernel_of(segment, arrays), (*taken, *[types.int64] * (len(sizes) + len(extra))))


@lru_cache(maxsize=1024)
def _alone(source: str, kernel: Kernel, signature: tuple[Any, ...]) -> Any:
    names = {**CALL_NAMES, **SHARING_NAMES}
    return compile_driver(DriverSource(source, names, {"loops_0": kernel}), signature)


def lazy(segment: Segment, arrays: Sequence[tuple[ArrayType, bool]], install: Callable[[Any], None]) -> Any:
    """A function that compiles the segment when it is first called, and puts the machine code in its own place."""

    def first_call(*arguments: Any) -> int | None:
        compiled = compile_alone(segment, arrays)
        install(compiled)
        return compiled(*arguments)

    return first_call
