"""BLAS and LAPACK as SciPy ships them, called from compiled code by symbol, so that machine code can be stored.

A symbol is known to LLVM once `routine` has been asked for it in this process, also for code that comes from a store.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from llvmlite import binding, ir
from numba import types
from numba.core import cgutils
from numba.extending import get_cython_function_address, intrinsic

from egc.backends.numba import one_thread
from egc.backends.numba.crew import CELL

LETTERS = {"float32": "s", "float64": "d", "complex64": "c", "complex128": "z"}
"""The letter in a routine's name, by the type of elements."""

BLAS = frozenset("gemm gemv ger dot dotu nrm2 trsv trsm trmm trmv syrk symm syr".split())


@cache
def routine(name: str) -> Any:
    """The intrinsic that calls a routine: its argument is a tuple, in which integers (as C int), letters (as uint8) and
    numbers go by reference, and pointers as they are."""
    module = "cython_blas" if name[1:] in BLAS else "cython_lapack"
    symbol = f"egc_{name}"
    one_thread.find(CELL)
    binding.add_symbol(symbol, get_cython_function_address(f"scipy.linalg.{module}", name))

    def typed(context, arguments):
        if not isinstance(arguments, types.BaseTuple):
            return None

        def generate(context, builder, signature, values):
            kinds = signature.args[0].types if hasattr(signature.args[0], "types") else list(signature.args[0])
            given = []
            for kind, value in zip(kinds, cgutils.unpack_tuple(builder, values[0])):
                if not isinstance(kind, types.CPointer):
                    width = ir.IntType(8) if kind == types.uint8 else ir.IntType(32)
                    if isinstance(kind, types.Integer) and value.type != width:
                        value = builder.trunc(value, width)
                    place = cgutils.alloca_once(builder, value.type)
                    builder.store(value, place)
                    value = place
                given.append(builder.bitcast(value, ir.IntType(8).as_pointer()))
            kind = ir.FunctionType(ir.VoidType(), [value.type for value in given])
            builder.call(cgutils.get_or_insert_function(builder.module, kind, symbol), given)
            return context.get_dummy_value()

        return types.none(arguments), generate

    return intrinsic(typed)
