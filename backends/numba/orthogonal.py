"""Orthogonal factors by LAPACK, on copies in its own order."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from egc.backends.numba.copies import copied
from egc.backends.numba.fortran import routine
from egc.backends.numba.functions import allocate, keep, pointer
from egc.backends.numba.linalg import compiled
from egc.backends.numba.threads import cells

WORK = 64
"""Columns that reflections are applied to together."""


@cache
def functions(letter: str) -> dict[str, Any]:
    """The functions of one matrix by op name and mode, for one element type (s, d, c or z)."""
    reflect = routine(f"{letter}geqrf")
    gather = routine(f"{letter}{'orgqr' if letter in 'sd' else 'ungqr'}")

    @compiled
    def reflections(a):
        """The factors, a column of the matrix in each row, and the scales of the reflections."""
        m, n = a.shape
        count = min(m, n)
        columns, scales, status = copied(a.T), allocate((count,), a.dtype), cells(np.int32, 1)
        if count:
            room = WORK * n
            work = allocate((room,), a.dtype)
            reflect((m, n, pointer(columns), m, pointer(scales), pointer(work), room, status))
            keep(work)
        return columns, scales

    @compiled
    def triangle(columns, rows):
        """The upper triangle of so many rows, in C order."""
        n = columns.shape[0]
        result = allocate((rows, n), columns.dtype)
        for i in range(rows):
            for j in range(min(i, n)):
                result[i, j] = 0
            for j in range(i, n):
                result[i, j] = columns[j, i]
        return result

    @compiled
    def formed(columns, scales, count):
        """The first columns of the product of the reflections, in place of these."""
        m, status = columns.shape[1], cells(np.int32, 1)
        if m and count:
            room = WORK * count
            work = allocate((room,), columns.dtype)
            gather((m, count, scales.shape[0], pointer(columns), m, pointer(scales), pointer(work), room, status))
            keep(work)
            keep(scales)
        return columns

    @compiled
    def qr_r(a):
        columns, scales = reflections(a)
        keep(scales)
        return (triangle(columns, min(a.shape)),)

    @compiled
    def qr_reduced(a):
        columns, scales = reflections(a)
        count = scales.shape[0]
        upper = triangle(columns, count)
        return formed(columns[:count], scales, count).T, upper

    @compiled
    def qr_complete(a):
        columns, scales = reflections(a)
        m, n = a.shape
        upper = triangle(columns, m)
        whole = allocate((m, m), a.dtype)
        for j in range(m):
            for i in range(m):
                whole[j, i] = columns[j, i] if j < n else 0
        return formed(whole, scales, m).T, upper

    return {name: value for name, value in locals().items() if name.startswith("qr_")}
