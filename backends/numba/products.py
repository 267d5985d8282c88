"""Products that compiled drivers compute without a library, or with BLAS where that is faster."""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic, overload
from numba.np.numpy_support import as_dtype

from egc.backends.numba.blas import matrix_product, shifted, vector_product
from egc.backends.numba.copies import as_contiguous
from egc.backends.numba.functions import accumulate_product_of, allocate, keep, pointer
from egc.backends.numba.linked import HELPER, WITHOUT_WRAPPERS, UnaliasedHelper
from egc.backends.numba.threads import share

FUSED: dict[str, Any] = {"error_model": "numpy", "fastmath": {"contract"}}
"""Multiplies and adds may round once."""

fused = njit(pipeline_class=UnaliasedHelper, **FUSED, **WITHOUT_WRAPPERS)
"""Results are not operands."""

SMALL = 32
"""Multiplications of one matrix product below which BLAS's start costs more than its speed gains."""

FEW, MANY = 17, 512
"""Elements of a row, at least and at most, for which a product with a vector is a sum for each row. BLAS takes several rows at
a time: memory is fetched ahead of one walk, not of several short ones."""

ELEMENT = 0.2
"""Nanoseconds that such a product takes for each element."""


def addressable(x):
    """An array whose elements BLAS can address: itself, unless neighbours along no axis, or rows that overlap, ask for a copy."""
    raise NotImplementedError


@overload(addressable, jit_options=HELPER)
def _addressable(x):
    if x.layout in "CF":
        return lambda x: x
    if x.ndim == 1:

        def vector(x):
            if x.strides[0] > 0 and x.strides[0] % x.itemsize == 0:
                return x
            return as_contiguous(x)[::1]

        return vector

    def matrix(x):
        (rows, columns), (along, across), size = x.shape, x.strides, x.itemsize
        in_rows = across == size and along >= columns * size and along % size == 0
        in_columns = along == size and across >= rows * size and across % size == 0
        if in_rows or in_columns:
            return x
        return as_contiguous(x)[:, ::1]

    return matrix


@njit(forceinline=True, **HELPER)
def _steps(x):
    """The elements from one row, and from one column, of a matrix to the next; those along neighbours are 1."""
    return x.strides[0] // x.itemsize, x.strides[1] // x.itemsize


def matmul(a: Any, b: Any) -> Any:
    """The product of two arrays of one or two axes, in memory from `blocks` where it is an array."""
    raise NotImplementedError


@overload(matmul, jit_options=HELPER)
def _matmul(a, b):
    if a.ndim == b.ndim == 1:
        return lambda a, b: np.dot(as_contiguous(a), as_contiguous(b))
    if a.ndim == b.ndim == 2:
        return _matrix_times_matrix
    if a.ndim == 1:
        return lambda a, b: times_vector(b.T, a)
    return _sums_of_rows(as_dtype(a.dtype).type(0)) if isinstance(a.dtype, types.Float) else _matrix_times_vector


def _matrix_times_matrix(a, b):
    x, y = addressable(a), addressable(b)
    (rows, inner), columns = x.shape, y.shape[1]
    result = allocate((rows, columns), x.dtype)
    left, right, out = pointer(x), pointer(y), pointer(result)
    (down, along), (across, near) = _steps(x), _steps(y)
    if inner == 0:
        for k in range(rows * columns):
            out[k] = 0
    elif rows * inner * columns <= SMALL:
        _product(left, down, along, right, across, near, out, rows, inner, columns)
    else:
        left_turned, right_turned = along != 1, near != 1
        steps = (
            max(along, rows) if left_turned else max(down, inner),
            max(near, inner) if right_turned else max(across, columns),
        )
        matrix_product(rows, columns, inner, left, steps[0], left_turned, right, steps[1], right_turned, out, columns)
    return result


def _matrix_times_vector(a, b):
    x, y = addressable(a), addressable(b)
    rows, inner = x.shape
    result = allocate((rows,), x.dtype)
    left, right, out = pointer(x), pointer(y), pointer(result)
    (down, along), step = _steps(x), y.strides[0] // y.itemsize
    if inner == 0:
        for k in range(rows):
            out[k] = 0
    elif rows * inner <= SMALL:
        _product(left, down, along, right, step, 0, out, rows, inner, 1)
    else:
        vector_product(rows, inner, left, down, along, right, step, out)
    return result


times_vector = njit(error_model="numpy", **HELPER)(_matrix_times_vector)


@fused
def _dots(start, stop, left, down, right, out, inner, zero):
    """The sums of products of rows with a vector."""
    for i in range(start, stop):
        total = zero
        for j in range(inner):
            total = accumulate_product_of(total, left[i * down + j], right[j])
        out[i] = total


def _sums_of_rows(zero):
    """As `_matrix_times_vector`, for real numbers of this zero's type."""

    def product(a, b):
        x, y = addressable(a), addressable(b)
        (rows, inner), (down, along) = x.shape, _steps(x)
        if along != 1 or y.strides[0] != y.itemsize or inner < FEW or inner > MANY:
            return times_vector(x, y)
        result = allocate((rows,), x.dtype)
        left, right, out = pointer(x), pointer(y), pointer(result)
        share(_dots, rows, 0, ELEMENT * rows * inner, (left, down, right, out, inner, zero))
        keep(x)
        keep(y)
        return result

    return product


@njit(forceinline=True, **FUSED, **HELPER)
def _product(
    left: Any, down: int, along: int, right: Any, across: int, near: int, out: Any, rows: int, inner: int, columns: int
) -> None:
    """A product of two small matrices by their steps, element by element."""
    for i in range(rows):
        for j in range(columns):
            total = left[i * down] * right[j * near]
            for m in range(1, inner):
                total += left[i * down + m * along] * right[m * across + j * near]
            out[i * columns + j] = total


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


@overload(_squares, jit_options={"error_model": "numpy", **HELPER})
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


@njit(forceinline=True, **FUSED, **HELPER)
def _loops(left: Any, right: Any, out: Any, count: int, steps: Any, rows: int, inner: int, columns: int) -> None:
    """The products of stacks, element by element."""
    for k in range(count):
        a, b, c = shifted(left, k * steps[0]), shifted(right, k * steps[1]), shifted(out, k * rows * columns)
        _product(a, inner, 1, b, columns, 1, c, rows, inner, columns)


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
