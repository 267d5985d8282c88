"""Products and systems of which one triangle, or some diagonals, are read: BLAS and LAPACK where the operands lie."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from egc.backends.numba.blas import shifted
from egc.backends.numba.copies import TILE, as_contiguous, copied, turned
from egc.backends.numba.fortran import routine
from egc.backends.numba.functions import allocate, keep, pointer
from egc.backends.numba.linalg import FEW, GENERAL, LEFT, LOWER, PLAIN, RIGHT, TRANSPOSED, UPPER, compiled
from egc.backends.numba.products import addressable
from egc.backends.numba.threads import cells

WORK = 64
"""Columns that sytrf takes together."""


@compiled
def lies(x: Any) -> tuple[int, bool]:
    """The elements from a row, or a column, of a matrix for BLAS to the next; and whether it lies row by row."""
    rowwise = x.strides[1] == x.itemsize and (x.strides[0] != x.itemsize or x.shape[0] == 1)
    if rowwise:
        return max(x.strides[0] // x.itemsize, x.shape[1], 1), True
    return max(x.strides[1] // x.itemsize, x.shape[0], 1), False


@compiled
def mirror(place: Any, n: int) -> None:
    """Fills the triangle below the diagonal of a symmetric matrix in C order from that above."""
    for top in range(0, n, TILE):
        rows = min(TILE, n - top)
        turned(rows, top, shifted(place, top), n, shifted(place, top * n), n)
        for i in range(top, top + rows):
            for j in range(top, i):
                place[i * n + j] = place[j * n + i]


@compiled
def mirror_above(place: Any, n: int) -> None:
    """Fills the triangle above the diagonal of a symmetric matrix in C order from that below."""
    for top in range(0, n, TILE):
        rows = min(TILE, n - top)
        turned(top, rows, shifted(place, top * n), n, shifted(place, top), n)
        for i in range(top, top + rows):
            for j in range(top, i):
                place[j * n + i] = place[i * n + j]


@cache
def functions(letter: str) -> dict[str, Any]:
    """The functions of one matrix by op name, for one element type (s, d, c or z)."""
    rank_k, triangles, triangle = (routine(f"{letter}{name}") for name in ("syrk", "trmm", "trmv"))
    three, definite, indefinite = (routine(f"{letter}{name}") for name in ("gtsv", "ptsv", "sysv"))
    inverted = routine(f"{letter}potri")
    many, definite_many = (routine(f"{letter}{name}") for name in ("gbsv", "pbsv"))
    one: Any = {"s": np.float32, "d": np.float64, "c": np.complex64, "z": np.complex128}[letter](1)
    real: Any = {"s": np.float32, "d": np.float64, "c": np.float32, "z": np.float64}[letter]

    @compiled
    def gram(a, transposed):
        x = addressable(a)
        step, rowwise = lies(x)
        n, inner = (x.shape[1], x.shape[0]) if transposed else x.shape
        result = allocate((n, n), a.dtype)
        if inner == 0:
            result.fill(0)
        elif n:
            way = TRANSPOSED if rowwise != transposed else PLAIN
            rank_k((LOWER, way, n, inner, one, pointer(x), step, 0 * one, pointer(result), n))
            mirror(pointer(result), n)
        keep(x)
        return result

    @compiled
    def cholesky_inverse(factor):
        """To LAPACK, rows in C order are the columns of the upper factor; the triangle of the inverse that takes its place is
        the lower one of rows."""
        n, found, status = factor.shape[0], copied(factor), cells(np.int32, 1)
        if n:
            inverted((UPPER, n, pointer(found), n, status))
            if status[0] != 0:
                raise np.linalg.LinAlgError("Singular matrix")
            mirror_above(pointer(found), n)
        return found

    @compiled
    def triangular_product(matrix, b, lower, transposed, right):
        """To BLAS, rows in C order are columns: the matrix stands on the other side. Few columns are turned."""
        t = addressable(matrix)
        step, rowwise = lies(t)
        n, count = (b.shape[1], b.shape[0]) if right else b.shape
        few = not right and count * FEW < n
        x = copied(b.T) if few else copied(b)
        if n and count:
            part = LOWER if lower != rowwise else UPPER
            way = TRANSPOSED if (rowwise != transposed) == few else PLAIN
            if right or few:
                side, rows, columns = LEFT, n, count
            else:
                side, rows, columns = RIGHT, count, n
            triangles((side, part, way, GENERAL, rows, columns, one, pointer(t), step, pointer(x), rows))
        keep(t)
        return copied(x.T) if few else x

    @compiled
    def triangular_product_vector(matrix, b, lower, transposed, right):
        t, x, n = addressable(matrix), copied(b), b.shape[0]
        step, rowwise = lies(t)
        if n:
            part = LOWER if lower != rowwise else UPPER
            way = TRANSPOSED if (rowwise != transposed) != right else PLAIN
            triangle((part, way, GENERAL, n, pointer(t), step, pointer(x), 1))
        keep(t)
        return x

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
