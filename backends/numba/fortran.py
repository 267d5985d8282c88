"""BLAS and LAPACK as SciPy ships them, called from compiled code by symbol, so that machine code can be stored.

A symbol is known to LLVM once `symbol` has been asked for it in this process, also for code that comes from a store.
"""

from __future__ import annotations

from collections.abc import Sequence
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

INT = ir.IntType(32)

BLAS = frozenset("gemm gemv ger dot dotu nrm2 trsv trsm trmm trmv syrk symm syr".split())


@cache
def symbol(name: str) -> str:
    """The symbol of a routine, which LLVM knows from now on."""
    module = "cython_blas" if name[1:] in BLAS else "cython_lapack"
    one_thread.find(CELL)
    binding.add_symbol(f"egc_{name}", get_cython_function_address(f"scipy.linalg.{module}", name))
    return f"egc_{name}"


def invoke(builder: Any, symbol: str, values: Sequence[Any]) -> None:
    """Calls a routine with values of LLVM's: integers (as C int), letters (of 8 bits) and numbers by reference, and pointers as
    they are."""
    given = []
    for value in values:
        if not isinstance(value.type, ir.PointerType):
            if isinstance(value.type, ir.IntType) and value.type.width > INT.width:
                value = builder.trunc(value, INT)
            place = cgutils.alloca_once(builder, value.type)
            builder.store(value, place)
            value = place
        given.append(builder.bitcast(value, ir.IntType(8).as_pointer()))
    kind = ir.FunctionType(ir.VoidType(), [value.type for value in given])
    builder.call(cgutils.get_or_insert_function(builder.module, kind, symbol), given)


@cache
def routine(name: str) -> Any:
    """The intrinsic that calls a routine with the values of a tuple, see `invoke`; letters are uint8."""
    known = symbol(name)

    def typed(context, arguments):
        if not isinstance(arguments, types.BaseTuple):
            return None

        def generate(context, builder, signature, values):
            invoke(builder, known, cgutils.unpack_tuple(builder, values[0]))
            return context.get_dummy_value()

        return types.none(arguments), generate

    return intrinsic(typed)
