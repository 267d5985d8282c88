"""Matrix products by BLAS into memory that the caller has, with transposes and row lengths as BLAS takes them: no copies."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from egc.backends.numba.fortran import LETTERS, symbol
from egc.backends.numba.instructions import Code, Value, as_intrinsic, outlined

SINGLE = 2**18
"""Multiplications of a product for which OpenBLAS takes one thread in any case."""


@intrinsic
def shifted(context, pointer, elements):
    """The address of a number of elements further on."""

    def generate(context, builder, signature, arguments):
        place, count = arguments
        if count.type != ir.IntType(64):
            count = context.cast(builder, count, signature.args[1], types.int64)
        return builder.gep(place, [count])

    return pointer(pointer, elements), generate


@outlined()
def multiply(
    code: Code, rows: Value, columns: Value, inner: Value, left: Value, left_step: Value, left_turned: Value,
    right: Value, right_step: Value, right_turned: Value, out: Value, out_step: Value,
) -> None:  # fmt: skip
    """Writes the product of `rows` by `inner` and `inner` by `columns` elements to `out`.

    left, right, out: addresses of matrices in C order whose rows (columns where `turned`) are so many elements apart.
    """
    one, zero = (code.element(out.value.type.pointee, number) for number in (1, 0))
    # To BLAS, a matrix in C order is its transpose in Fortran order: the product's transpose is asked for.
    first, second = code.select(right_turned, "T", "N"), code.select(left_turned, "T", "N")
    before, after, step = (code.larger(each, 1) for each in (right_step, left_step, out_step))
    code.routine("gemm", first, second, columns, rows, inner, one, right, before, left, after, zero, out, step)


@outlined()
def multiply_block(
    code: Code, rows: Value, columns: Value, inner: Value, left: Value, left_step: Value, left_turned: Value,
    right: Value, right_step: Value, right_turned: Value, out: Value, out_step: Value, several: Value,
) -> None:  # fmt: skip
    """As `multiply`: on one thread where it is one of `several` that make the rows of a matrix."""
    alone = several & (rows * columns * inner > SINGLE)
    with code.when(alone):
        _call(code, "egc_blas_one_thread")
    multiply(
        code, rows, columns, inner, left, left_step, left_turned, right, right_step, right_turned, out, out_step
    )  # fmt: skip
    with code.when(alone):
        _call(code, "egc_blas_threads_again")


def _call(code: Code, name: str) -> None:
    kind = ir.FunctionType(ir.VoidType(), [])
    code.builder.call(cgutils.get_or_insert_function(code.builder.module, kind, name), [])


@outlined()
def multiply_vector(
    code: Code, rows: Value, inner: Value, matrix: Value, down: Value, along: Value, vector: Value, step: Value,
    out: Value,
) -> None:  # fmt: skip
    """Writes the product of a matrix of `rows` by `inner` elements and a vector to `out`.

    matrix, vector, out: addresses. From a row to the next there are `down` elements, from a column to the next `along`, one of
    which is 1; from an element of the vector to the next, `step`.
    """
    one, zero = (code.element(out.value.type.pointee, number) for number in (1, 0))
    with code.either(along == 1) as (rowwise, columnwise):
        with rowwise:
            wide = code.larger(down, inner, 1)
            code.routine("gemv", "T", inner, rows, one, matrix, wide, vector, step, zero, out, 1)
        with columnwise:
            long = code.larger(along, rows, 1)
            code.routine("gemv", "N", rows, inner, one, matrix, long, vector, step, zero, out, 1)


def of_addresses(write: Callable[..., Any], place: int) -> Any:
    """The intrinsic function that calls one of numbers, truth values and addresses. place: of the address whose elements say
    what its letter is."""

    def typed(context: Any, *kinds: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            code = Code(context, builder, LETTERS[kinds[place].dtype.name])
            write(code, *cast_values(code, signature.args, arguments))
            return context.get_dummy_value()

        return types.none(*map(types.unliteral, kinds)), generate

    return as_intrinsic(typed, write)


def cast_values(code: Code, kinds: Sequence[Any], arguments: Sequence[Any]) -> list[Value]:
    """Arguments of numba's types, integers with 64 bits."""
    return [
        code.value(
            code.context.cast(code.builder, each, kind, types.int64) if isinstance(kind, types.Integer) else each
        )
        for kind, each in zip(kinds, arguments)
    ]


matrix_product = of_addresses(multiply, 9)
block_product = of_addresses(multiply_block, 9)


def known_product(dtype: np.dtype) -> None:
    """Asks for the routines of products of a dtype, with vectors too: code that calls them, also from a store, needs that."""
    for name in ("gemv", "gemm"):
        symbol(LETTERS[dtype.name] + name)
