"""A native driver as a backend's `run`, and for direct calls: any arguments that fit, arrays out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from itertools import chain
from typing import Any

import numpy as np

from egc.backend import Argument, Compiled, Demands, DirectCall, bind_arguments
from egc.backends.numba.direct import make_direct
from egc.backends.numba.entry import RAISES, STORES, TUPLE, supported
from egc.backends.numba.held import held_length
from egc.backends.numba.layouts import arranged
from egc.backends.numba.long import LongNative, is_long
from egc.backends.numba.native import MOST_RESULTS, Native
from egc.errors import InternalError
from egc.ir import Program
from egc.lower.loops import LoopProgram

SUPPORTED = supported()


def in_order(demands: Demands) -> dict[int, str]:
    """The outputs that can be stored in inputs as these lie in memory."""
    return {number: name for number, name in demands.stores.items() if demands.layouts.get(name, "C") == "C"}


def may_store(program: Program, loops: LoopProgram) -> bool:
    """Whether callers make sure of what storing in inputs needs: those of direct calls, see `entry`."""
    return SUPPORTED and len(program.outputs) <= MOST_RESULTS and not is_long(loops)


def compile_native(program: Program, laid: Program, loops: LoopProgram, demands: Demands) -> Compiled:
    """A Program whose driver is native. `raw` is numba's dispatcher, where that can return the results as a tuple; it, `run`
    and `direct` compile when first used. There is no `direct` where results come in lists.

    `laid` is the Program for inputs in C order, which `loops` is of.
    """
    made = LongNative(laid, loops, demands) if is_long(loops) else Native(laid, loops, demands)
    layouts = [demands.layouts.get(node.params["name"], "C") for node in program.inputs]
    given, dtypes, stored = [node.type.dtype for node in program.inputs], made.dtypes, loops.stored
    changed = [k for k, node in enumerate(program.inputs) if node.params["name"] in {loops.outputs[n] for n in stored}]
    held = held_length(loops.steps)
    listed = len(program.outputs) > MOST_RESULTS
    is_direct = SUPPORTED and not listed

    def direct(call: DirectCall, mode: int = 0) -> Callable[..., Any]:
        if stored:
            results = tuple("python" if k in stored else kind for k, kind in enumerate(call.results))
            call, mode = replace(call, results=results), mode | STORES
        return make_direct(adapter(), layouts, dtypes, held, call, mode)

    adapter = lru_cache(made.adapter)
    arrays_run = lru_cache(lambda: direct(_for_arrays(program), RAISES | TUPLE))

    def run(*arguments: Any) -> tuple[Any, ...]:
        own, _ = bind_arguments(program, arguments)
        arrays = list(map(arranged, own, layouts, given))
        found = arrays_run()(*arrays) if is_direct else through_numba(arrays)
        for k in changed:
            if arrays[k] is not own[k]:
                own[k][...] = arrays[k]
        return found

    def through_numba(arrays: list[np.ndarray]) -> tuple[Any, ...]:
        found = native()(*(x if x.ndim else x.item() for x in arrays))
        outputs = (found,) if len(dtypes) == 1 else chain.from_iterable(found) if listed else found
        return tuple(map(np.asarray, outputs, dtypes))

    native = lru_cache(made.function)
    lines, details = tuple(made.driver.kernels), {"loops": str(loops)}
    raw = None if listed else native
    return Compiled(run, lines, made.driver.code, raw, details, direct if is_direct else None, stored)


def _for_arrays(program: Program) -> DirectCall:
    """Calls with arrays for all inputs."""
    types = [node.type for node in program.inputs]
    arguments = tuple(Argument("array", np.empty((0,) * type.rank, type.dtype)) for type in types)
    results = ("array",) * len(program.outputs)
    return DirectCall((None,) * len(types), arguments, tuple(range(len(types))), (), (), results, None, _refuse)


def _refuse(*arguments: Any) -> Any:
    raise InternalError("run", "arguments are not those that code was compiled for")
