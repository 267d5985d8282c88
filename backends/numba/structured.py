"""Systems of symmetric and of banded matrices, by LAPACK on copies in its own order."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from egc.backends.numba.copies import as_contiguous, copied
from egc.backends.numba.fortran import routine
from egc.backends.numba.functions import allocate, keep, pointer
from egc.backends.numba.linalg import LOWER, UPPER, compiled
from egc.backends.numba.threads import cells

WORK = 64
"""Columns that sytrf takes together."""


@cache
def functions(letter: str) -> dict[str, Any]:
    """The functions of one matrix by op name, for one element type (s, d, c or z)."""
    three, definite, indefinite = (routine(f"{letter}{name}") for name in ("gtsv", "ptsv", "sysv"))
    many, definite_many = (routine(f"{letter}{name}") for name in ("gbsv", "pbsv"))
    real: Any = {"s": np.float32, "d": np.float64, "c": np.float32, "z": np.float64}[letter]

    @compiled
    def tridiagonal(lower, diagonal, upper, x, count, positive):
        """Replaces `count` right sides, which lie one after the other, by the solutions."""
        n, status = diagonal.shape[0], cells(np.int32, 1)
        if lower.shape[0] != max(n - 1, 0) or upper.shape[0] != max(n - 1, 0):
            raise ValueError("tridiagonal_solve: the lengths of the diagonals do not fit")
        if not n:
            return
        beside = copied(lower)
        if positive:
            middle = allocate((n,), real)
            for k in range(n):
                middle[k] = diagonal[k].real
            definite((n, count, pointer(middle), pointer(beside), pointer(x), n, status))
            if status[0] != 0:
                raise np.linalg.LinAlgError("Matrix is not positive definite")
            return
        center, above = copied(diagonal), copied(upper)
        three((n, count, pointer(beside), pointer(center), pointer(above), pointer(x), n, status))
        keep(center)
        keep(above)
        if status[0] != 0:
            raise np.linalg.LinAlgError("Singular matrix")

    @compiled
    def tridiagonal_solve(lower, diagonal, upper, b, positive):
        x = copied(b.T)
        tridiagonal(lower, diagonal, upper, x, b.shape[1], positive)
        return copied(x.T)

    @compiled
    def tridiagonal_solve_vector(lower, diagonal, upper, b, positive):
        x = copied(b)
        tridiagonal(lower, diagonal, upper, x, 1, positive)
        return x

    @compiled
    def banded(bands, x, count, below, above, positive):
        """Replaces `count` right sides by the solutions. To LAPACK a column of the matrix is a row, with room for the rows
        that exchanges fill."""
        n, depth = bands.shape[1], bands.shape[0]
        if depth != below + 1 + above:
            raise ValueError("banded_solve: the number of diagonals does not fit")
        if not n or not count:
            return
        room = 0 if positive else below
        step, status = room + depth, cells(np.int32, 1)
        columns = allocate((n, step), bands.dtype)
        for j in range(n):
            for i in range(room):
                columns[j, i] = 0
            for i in range(depth):
                columns[j, room + i] = bands[i, j]
        if positive:
            part, wide = (UPPER, above) if above else (LOWER, below)
            definite_many((part, n, wide, count, pointer(columns), step, pointer(x), n, status))
            keep(columns)
            if status[0] != 0:
                raise np.linalg.LinAlgError("Matrix is not positive definite")
            return
        pivots = allocate((n,), np.int32)
        many((n, below, above, count, pointer(columns), step, pointer(pivots), pointer(x), n, status))
        keep(columns)
        keep(pivots)
        if status[0] != 0:
            raise np.linalg.LinAlgError("Singular matrix")

    @compiled
    def banded_solve(bands, b, below, above, positive):
        x = copied(b.T)
        banded(bands, x, b.shape[1], below, above, positive)
        return copied(x.T)

    @compiled
    def banded_solve_vector(bands, b, below, above, positive):
        x = copied(b)
        banded(bands, x, 1, below, above, positive)
        return x

    @compiled
    def symmetric_solve(a, b, lower):
        n, count = b.shape
        rowwise = a.strides[1] == a.itemsize
        matrix, x, status = copied(a) if rowwise else copied(a.T), copied(b.T), cells(np.int32, 1)
        if n:
            pivots, work = allocate((n,), np.int32), allocate((WORK * n,), a.dtype)
            part = LOWER if lower != rowwise else UPPER
            place, room = pointer(matrix), pointer(work)
            indefinite((part, n, count, place, n, pointer(pivots), pointer(x), n, room, WORK * n, status))
            keep(matrix)
            keep(work)
            keep(pivots)
            if status[0] != 0:
                raise np.linalg.LinAlgError("Singular matrix")
        return copied(x.T)

    @compiled
    def symmetric_solve_vector(a, b, lower):
        return symmetric_solve(a, as_contiguous(b).reshape((b.size, 1)), lower).reshape(b.size)

    return {name: value for name, value in locals().items() if hasattr(value, "py_func")}
