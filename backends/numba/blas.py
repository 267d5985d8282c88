"""Matrix products by BLAS into memory that the caller has, with transposes and row lengths as BLAS takes them: no copies."""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types, uint8
from numba.extending import intrinsic, overload
from numba.np.numpy_support import as_dtype

from egc.backends.numba.fortran import LETTERS, routine
from egc.backends.numba.linked import HELPER

SINGLE = 2**18
"""Multiplications of a product for which OpenBLAS takes one thread in any case."""

PLAIN, TRANSPOSED = uint8(ord("N")), uint8(ord("T"))


@intrinsic
def shifted(context, pointer, elements):
    """The address of a number of elements further on."""

    def generate(context, builder, signature, arguments):
        place, count = arguments
        if count.type != ir.IntType(64):
            count = context.cast(builder, count, signature.args[1], types.int64)
        return builder.gep(place, [count])

    return pointer(pointer, elements), generate


def matrix_product(
    rows: int, columns: int, inner: int, left: Any, left_step: int, left_turned: bool, right: Any, right_step: int,
    right_turned: bool, out: Any, out_step: int,
) -> None:  # fmt: skip
    """Writes the product of `rows` by `inner` and `inner` by `columns` elements to `out`.

    left, right, out: addresses of matrices in C order whose rows (columns where `turned`) are so many elements apart.
    """
    raise NotImplementedError


@overload(matrix_product, jit_options=HELPER)
def _matrix_product(
    rows, columns, inner, left, left_step, left_turned, right, right_step, right_turned, out, out_step
):  # fmt: skip
    gemm = known_product(as_dtype(out.dtype))
    one, zero = as_dtype(out.dtype).type(1), as_dtype(out.dtype).type(0)

    def product(rows, columns, inner, left, left_step, left_turned, right, right_step, right_turned, out, out_step):
        """To BLAS, a matrix in C order is its transpose in Fortran order: the product's transpose is asked for."""
        first, second = TRANSPOSED if right_turned else PLAIN, TRANSPOSED if left_turned else PLAIN
        steps = max(right_step, 1), max(left_step, 1), max(out_step, 1)
        gemm((first, second, columns, rows, inner, one, right, steps[0], left, steps[1], zero, out, steps[2]))

    return product


one_thread = types.ExternalFunction("egc_blas_one_thread", types.void())
threads_again = types.ExternalFunction("egc_blas_threads_again", types.void())


def block_product(
    rows: int, columns: int, inner: int, left: Any, left_step: int, left_turned: bool, right: Any, right_step: int,
    right_turned: bool, out: Any, out_step: int, several: bool,
) -> None:  # fmt: skip
    """As `matrix_product`: on one thread where it is one of `several` that make the rows of a matrix."""
    raise NotImplementedError


@overload(block_product)
def _block_product(
    rows, columns, inner, left, left_step, left_turned, right, right_step, right_turned, out, out_step, several
):  # fmt: skip
    def product(
        rows, columns, inner, left, left_step, left_turned, right, right_step, right_turned, out, out_step, several
    ):
        given = left, left_step, left_turned, right, right_step, right_turned, out, out_step
        if not several or rows * columns * inner <= SINGLE:
            matrix_product(rows, columns, inner, *given)
        else:
            one_thread()
            matrix_product(rows, columns, inner, *given)
            threads_again()

    return product


def known_product(dtype: np.dtype) -> Any:
    """The routine for products of a dtype, which code that calls it, also from a store, needs to have been asked for; as that
    for products with vectors."""
    routine(f"{LETTERS[dtype.name]}gemv")
    return routine(f"{LETTERS[dtype.name]}gemm")


def vector_product(
    rows: int, inner: int, matrix: Any, down: int, along: int, vector: Any, step: int, out: Any
) -> None:  # fmt: skip
    """Writes the product of a matrix of `rows` by `inner` elements and a vector to `out`.

    matrix, vector, out: addresses. From a row to the next there are `down` elements, from a column to the next `along`, one of
    which is 1; from an element of the vector to the next, `step`.
    """
    raise NotImplementedError


@overload(vector_product, jit_options=HELPER)
def _vector_product(rows, inner, matrix, down, along, vector, step, out):
    dtype = as_dtype(out.dtype)
    gemv = routine(f"{LETTERS[dtype.name]}gemv")
    one, zero = dtype.type(1), dtype.type(0)

    def product(rows, inner, matrix, down, along, vector, step, out):
        if along == 1:
            gemv((TRANSPOSED, inner, rows, one, matrix, max(down, inner, 1), vector, step, zero, out, 1))
        else:
            gemv((PLAIN, rows, inner, one, matrix, max(along, rows, 1), vector, step, zero, out, 1))

    return product
