"""Products that compiled drivers compute without a library, or with BLAS where that is faster."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit, types
from numba.extending import overload

from egc.backends.numba.functions import pointer
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


@njit
def matmul(a: Any, b: Any) -> Any:
    return np.dot(in_order(a), in_order(b))


@njit(error_model="numpy", no_cpython_wrapper=True, fastmath={"contract"}, forceinline=True)
def _loops(left: Any, right: Any, out: Any, count: int, steps: Any, rows: int, inner: int, columns: int) -> None:
    """The products of stacks, element by element; where the three sizes are literals, without loops."""
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
    result = np.empty((count, rows, columns), a.dtype)
    steps = (rows * inner if a.shape[0] > 1 else 0, inner * columns if b.shape[0] > 1 else 0)
    left, right, out = pointer(a), pointer(b), pointer(result)
    if rows == 3 and inner == 3 and columns == 3:
        _loops(left, right, out, count, steps, 3, 3, 3)
    elif rows == 4 and inner == 4 and columns == 4:
        _loops(left, right, out, count, steps, 4, 4, 4)
    elif inner and rows * inner * columns <= SMALL:
        _loops(left, right, out, count, steps, rows, inner, columns)
    else:
        for k in range(count):
            np.dot(a[k if a.shape[0] > 1 else 0], b[k if b.shape[0] > 1 else 0], result[k])
    return result
