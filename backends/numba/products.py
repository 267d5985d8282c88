"""Products that compiled drivers compute without a library, or with BLAS where that is faster."""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic, overload

from egc.backends.numba.blas import matrix_product, shifted
from egc.backends.numba.functions import allocate, pointer
from egc.backends.numba.machine import Unaliased

fused = njit(
    error_model="numpy", no_cfunc_wrapper=True, no_cpython_wrapper=True, fastmath={"contract"}, pipeline_class=Unaliased
)
"""Multiplies and adds may round once, and results are not operands."""

SMALL = 32
"""Multiplications of one matrix product below which BLAS's start costs more than its speed gains."""


def in_order(x):
    """An array that BLAS can read: itself in C or Fortran order, a copy where not."""
    raise NotImplementedError


@overload(in_order)
def _in_order(x):
    if isinstance(x, types.Array) and x.layout in "CF":
        return lambda x: x
    return lambda x: np.ascontiguousarray(x)


def matmul(a: Any, b: Any) -> Any:
    """The product of two arrays of one or two axes; of matrices, in memory from `blocks`."""
    raise NotImplementedError


@overload(matmul)
def _matmul(a, b):
    if a.ndim != 2 or b.ndim != 2:
        return lambda a, b: np.dot(in_order(a), in_order(b))
    left_turned, right_turned = a.layout == "F", b.layout == "F"

    def product(a, b):
        x, y = in_order(a), in_order(b)
        (rows, inner), columns = x.shape, y.shape[1]
        result = allocate((rows, columns), x.dtype)
        if rows and columns:
            steps = rows if left_turned else inner, inner if right_turned else columns
            given = pointer(x), steps[0], left_turned, pointer(y), steps[1], right_turned
            matrix_product(rows, columns, inner, *given, pointer(result), columns)
        return result

    return product


@intrinsic(prefer_literal=True)
def _tiny(context, left, right, out, rows, inner, columns):
    """The product of two matrices of known sizes, row by row in registers."""
    sizes = [size.literal_value for size in (rows, inner, columns)]

    def generate(context, builder, signature, arguments):
        element = context.get_value_type(signature.args[0].dtype)
        align = context.get_abi_sizeof(element)
        vector = ir.VectorType(element, sizes[2])
        everywhere = ir.Constant(ir.VectorType(ir.IntType(32), sizes[2]), [0] * sizes[2])

        def place(base: Any, index: int) -> Any:
            return builder.gep(base, [ir.IntType(64)(index)])

        def row(base: Any, index: int) -> Any:
            return builder.bitcast(place(base, index * sizes[2]), vector.as_pointer())

        lines = [builder.load(row(arguments[1], k), align=align) for k in range(sizes[1])]
        for i in range(sizes[0]):
            total = None
            for k, line in enumerate(lines):
                factor = builder.load(place(arguments[0], i * sizes[1] + k), align=align)
                single = builder.insert_element(ir.Constant(vector, ir.Undefined), factor, ir.IntType(32)(0))
                term = builder.fmul(builder.shuffle_vector(single, single, everywhere), line, flags=("contract",))
                total = term if total is None else builder.fadd(total, term, flags=("contract",))
            builder.store(total, row(arguments[2], i), align=align)
        return context.get_dummy_value()

    return types.none(left, right, out, rows, inner, columns), generate


def _squares(left: Any, right: Any, out: Any, count: int, steps: Any, size: int) -> None:
    """The products of stacks of square matrices of 2, 3 or 4 rows."""
    raise NotImplementedError


@overload(_squares, jit_options={"error_model": "numpy"})
def _products_of_squares(left, right, out, count, steps, size):
    if not isinstance(left.dtype, types.Float):
        return lambda left, right, out, count, steps, size: _loops(left, right, out, count, steps, size, size, size)

    def products(left, right, out, count, steps, size):
        for k in range(count):
            a, b, c = shifted(left, k * steps[0]), shifted(right, k * steps[1]), shifted(out, k * size * size)
            if size == 2:
                _tiny(a, b, c, 2, 2, 2)
            elif size == 3:
                _tiny(a, b, c, 3, 3, 3)
            else:
                _tiny(a, b, c, 4, 4, 4)

    return products


@njit(error_model="numpy", no_cpython_wrapper=True, fastmath={"contract"}, forceinline=True)
def _loops(left: Any, right: Any, out: Any, count: int, steps: Any, rows: int, inner: int, columns: int) -> None:
    """The products of stacks, element by element."""
    for k in range(count):
        a, b, c = k * steps[0], k * steps[1], k * rows * columns
        for i in range(rows):
            for j in range(columns):
                total = left[a + i * inner] * right[b + j]
                for m in range(1, inner):
                    total += left[a + i * inner + m] * right[b + m * columns + j]
                out[c + i * columns + j] = total


@fused
def matmul_stack(a: Any, b: Any) -> Any:
    """Products of two stacks of matrices in C order; a stack of one serves all of the other."""
    count = max(a.shape[0], b.shape[0])
    if a.shape[0] == 0 or b.shape[0] == 0:
        count = 0
    rows, inner, columns = a.shape[1], a.shape[2], b.shape[2]
    result = allocate((count, rows, columns), a.dtype)
    steps = (rows * inner if a.shape[0] > 1 else 0, inner * columns if b.shape[0] > 1 else 0)
    left, right, out = pointer(a), pointer(b), pointer(result)
    if rows == inner == columns and 2 <= rows <= 4:
        _squares(left, right, out, count, steps, rows)
    elif inner and rows * inner * columns <= SMALL:
        _loops(left, right, out, count, steps, rows, inner, columns)
    elif rows and columns:
        for k in range(count):
            given = shifted(left, k * steps[0]), inner, False, shifted(right, k * steps[1]), columns, False
            matrix_product(rows, columns, inner, *given, shifted(out, k * rows * columns), columns)
    return result
