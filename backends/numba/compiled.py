"""A native driver as a backend's `run`, and for direct calls: any arguments that fit, arrays out."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np

from egc.backend import Argument, Compiled, Demands, DirectCall, bind_arguments
from egc.backends.numba.direct import make_direct
from egc.backends.numba.entry import RAISES, TUPLE, supported
from egc.backends.numba.held import held_length
from egc.backends.numba.layouts import arranged
from egc.backends.numba.native import Native
from egc.errors import InternalError
from egc.ir import Program
from egc.lower.loops import LoopProgram

SUPPORTED = supported()


def compile_native(program: Program, laid: Program, loops: LoopProgram, demands: Demands) -> Compiled:
    """A Program whose driver is native. `raw` is numba's dispatcher; it, `run` and `direct` compile when first used.

    `laid` is the Program for inputs in C order, which `loops` is of.
    """
    made = Native(laid, loops, demands)
    layouts = [demands.layouts.get(node.params["name"], "C") for node in program.inputs]
    given, dtypes = ([node.type.dtype for node in nodes] for nodes in (program.inputs, program.outputs))
    held = held_length(loops.steps)

    def direct(call: DirectCall, mode: int = 0) -> Callable[..., Any]:
        return make_direct(adapter(), layouts, dtypes, held, call, mode)

    adapter = lru_cache(made.adapter)
    arrays_run = lru_cache(lambda: direct(_for_arrays(program), RAISES | TUPLE))

    def run(*arguments: Any) -> tuple[Any, ...]:
        arrays, _ = bind_arguments(program, arguments)
        arrays = list(map(arranged, arrays, layouts, given))
        return arrays_run()(*arrays) if SUPPORTED else through_numba(arrays)

    def through_numba(arrays: list[np.ndarray]) -> tuple[Any, ...]:
        found = native()(*(x if x.ndim else x.item() for x in arrays))
        return tuple(map(np.asarray, (found,) if len(dtypes) == 1 else found, dtypes))

    native = lru_cache(made.function)
    lines, details = tuple(made.driver.kernels), {"loops": str(loops)}
    return Compiled(run, lines, made.driver.code, native, details, direct if SUPPORTED else None)


def _for_arrays(program: Program) -> DirectCall:
    """Calls with arrays for all inputs."""
    types = [node.type for node in program.inputs]
    arguments = tuple(Argument("array", np.empty((0,) * type.rank, type.dtype)) for type in types)
    results = ("array",) * len(program.outputs)
    return DirectCall((None,) * len(types), arguments, tuple(range(len(types))), (), (), results, None, _refuse)


def _refuse(*arguments: Any) -> Any:
    raise InternalError("run", "arguments are not those that code was compiled for")
