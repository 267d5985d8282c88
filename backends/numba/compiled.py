"""A native driver as a backend's `run`: any arguments that fit, arrays out."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from egc.backend import Compiled, Demands, bind_arguments
from egc.backends.numba.layouts import arranged
from egc.backends.numba.native import Native
from egc.ir import Program
from egc.lower.loops import LoopProgram


def compile_native(program: Program, laid: Program, loops: LoopProgram, demands: Demands) -> Compiled:
    """A Program whose driver is native. `raw` is numba's dispatcher; it and `run` compile when first used.

    `laid` is the Program for inputs in C order, which `loops` is of.
    """
    made = Native(laid, loops, demands)
    native = lru_cache(made.function)
    kinds = [None if node.type.rank == 0 else demands.layouts.get(node.params["name"], "C") for node in program.inputs]
    dtypes = [node.type.dtype if node.type.rank == 0 else None for node in program.outputs]
    single = len(program.outputs) == 1

    def run(*arguments: Any) -> tuple[Any, ...]:
        arrays, _ = bind_arguments(program, arguments)
        given = [x.item() if layout is None else arranged(x, layout) for x, layout in zip(arrays, kinds)]
        found = native()(*given)
        outputs = (found,) if single else found
        return tuple(x if dtype is None else np.asarray(x, dtype) for x, dtype in zip(outputs, dtypes))

    return Compiled(run, tuple(made.driver.kernels), made.driver.code, native, {"loops": str(loops)})
