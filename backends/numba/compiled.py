"""A native driver as a backend's `run`: any arguments that fit, arrays out."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from egc.backend import Compiled, bind_arguments
from egc.backends.numba.native import Native
from egc.ir import Program
from egc.lower.loops import LoopProgram
from egc.sizes import SizeGuard


def compile_native(program: Program, loops: LoopProgram, guards: Sequence[SizeGuard]) -> Compiled:
    """A Program whose driver is native. `raw` is numba's dispatcher; it and `run` compile when first used."""
    made = Native(program, loops, guards)
    native = lru_cache(made.function)
    scalar_inputs = [node.type.rank == 0 for node in program.inputs]
    dtypes = [node.type.dtype if node.type.rank == 0 else None for node in program.outputs]
    single = len(program.outputs) == 1

    def run(*arguments: Any) -> tuple[Any, ...]:
        arrays, _ = bind_arguments(program, arguments)
        given = [x.item() if scalar else behaved(x) for x, scalar in zip(arrays, scalar_inputs)]
        found = native()(*given)
        outputs = (found,) if single else found
        return tuple(x if dtype is None else np.asarray(x, dtype) for x, dtype in zip(outputs, dtypes))

    return Compiled(run, tuple(made.driver.kernels), made.driver.code, native, {"loops": str(loops)})


def behaved(array: np.ndarray) -> np.ndarray:
    """The array itself where generated code can address it, an aligned copy in C order where not."""
    return array if array.flags.carray and type(array) is np.ndarray else np.array(array, order="C", subok=False)
