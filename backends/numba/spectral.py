"""Eigenvalues of symmetric matrices, singular values, and what NumPy makes of these, by LAPACK on copies in its own order.

`functions(letter)` gives, for one element type (s, d, c or z), the functions of one matrix by op name. Each calls the routine
that NumPy calls: syevd, or heevd, gesdd and gelsd.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numba import uint8

from egc.backends.numba.copies import copied
from egc.backends.numba.fortran import routine
from egc.backends.numba.functions import allocate, keep, pointer
from egc.backends.numba.linalg import LOWER, PLAIN, UPPER, compiled
from egc.backends.numba.threads import cells

NONE, VECTORS, ALL, SOME = (uint8(ord(letter)) for letter in "NVAS")
"""What is asked for beside the values: nothing, eigenvectors, all singular vectors or those of singular values."""


@compiled
def room(asked: float) -> int:
    """The elements of the memory that LAPACK asks for in a float, which may have been rounded down."""
    return int(asked * 1.000001) + 1


@cache
def functions(letter: str) -> dict[str, Any]:
    real: Any = {"s": np.float32, "d": np.float64, "c": np.float32, "z": np.float64}[letter]
    one: Any = {"s": np.float32, "d": np.float64, "c": np.complex64, "z": np.complex128}[letter](1)
    symmetric = routine(f"{letter}{'syevd' if letter in 'sd' else 'heevd'}")
    decompose, least, product = (routine(f"{letter}{name}") for name in ("gesdd", "gelsd", "gemm"))
    epsilon = float(np.finfo(real).eps)
    eigen, singular, squares = (_real if letter in "sd" else _complex)(symmetric, decompose, least, real)

    @compiled
    def decomposed(a, vectors, lower):
        """The eigenvalues, and the matrix or its eigenvectors: a column in each row."""
        n, columns = a.shape[0], copied(a.T)
        values = allocate((n,), real)
        part = LOWER if lower else UPPER
        if n and eigen(VECTORS if vectors else NONE, part, n, columns, values) != 0:
            raise np.linalg.LinAlgError("Eigenvalues did not converge")
        return values, columns

    @compiled
    def eigh(a, lower):
        values, columns = decomposed(a, True, lower)
        return values, columns.T

    @compiled
    def eigvalsh(a, lower):
        return decomposed(a, False, lower)[0]

    @compiled
    def unit(matrix):
        """Makes it the identity."""
        for i in range(matrix.shape[0]):
            for j in range(matrix.shape[1]):
                matrix[i, j] = 0
            matrix[i, i] = 1

    @compiled
    def factored(a, job, left, right):
        """The singular values, the left vectors in rows, and the right ones, each of so many, as columns of such."""
        m, n = a.shape
        count = min(m, n)
        values, u, v = allocate((count,), real), allocate((left, m), a.dtype), allocate((n, right), a.dtype)
        if count:
            columns = copied(a.T)
            if singular(job, m, n, columns, values, u, v) != 0:
                raise np.linalg.LinAlgError("SVD did not converge")
        elif job == ALL:
            unit(u)
            unit(v)
        return values, u, v

    @compiled
    def svdvals(a):
        return factored(a, NONE, 1, 1)[0]

    @compiled
    def svd(a, full_matrices):
        count = min(a.shape)
        left, right = a.shape if full_matrices else (count, count)
        values, u, v = factored(a, ALL if full_matrices else SOME, left, right)
        return u.T, values, v.T

    conjugate = compiled((lambda a: a) if letter in "sd" else (lambda a: np.conj(a)))

    @compiled
    def pinv(a, given, rcond):
        """V S^+ U^H of the singular values beyond `rcond` of the largest; its default is a rounding unit for each row or column."""
        m, n = a.shape
        count = min(m, n)
        result = allocate((n, m), a.dtype)
        values, u, v = factored(conjugate(a), SOME, count, count)
        if not count:
            result.fill(0)
            return result
        cutoff = (rcond if given else max(m, n) * epsilon) * np.float64(values[0])
        for k in range(count):
            factor = 1 / values[k] if values[k] > cutoff else real(0)
            for i in range(m):
                u[k, i] *= factor
        product((PLAIN, PLAIN, m, n, count, one, pointer(u), m, pointer(v), count, 0 * one, pointer(result), m))
        keep(u)
        keep(v)
        return result

    @compiled
    def lstsq(a, b, given, rcond):
        """The solution, the rank and the singular values; the right sides lie one after the other."""
        m, n = a.shape
        right = b.shape[1]
        longest, count = max(m, n), min(m, n)
        x, columns = allocate((max(right, 1), max(longest, 1)), a.dtype), copied(a.T)
        for j in range(right):
            for i in range(m):
                x[j, i] = b[i, j]
            for i in range(m, longest):
                x[j, i] = 0
        values, rank = allocate((count,), real), cells(np.int32, 1)
        rank[0] = 0
        least = real(rcond if given else longest * epsilon)
        if count and squares(m, n, columns, x, values, least, rank) != 0:
            raise np.linalg.LinAlgError("SVD did not converge in Linear Least Squares")
        solution = allocate((n, right), a.dtype)
        for i in range(n):
            for j in range(right):
                solution[i, j] = x[j, i]
        return solution, np.asarray(rank[0]), values

    @compiled
    def lstsq_vector(a, b, given, rcond):
        solution, rank, values = lstsq(a, copied(b).reshape((b.size, 1)), given, rcond)
        return solution.reshape(solution.size), rank, values

    return {
        "eigh": eigh, "eigvalsh": eigvalsh, "svd": svd, "svdvals": svdvals, "pinv": pinv, "lstsq": lstsq,
        "lstsq_vector": lstsq_vector,
    }  # fmt: skip


def _real(symmetric: Any, decompose: Any, least: Any, real: Any) -> tuple[Any, Any, Any]:
    """The routines with the memory that they ask for. Each gives LAPACK's status."""

    @compiled
    def eigen(job, part, n, columns, values):
        asked, whole, status = cells(real, 1), cells(np.int32, 1), cells(np.int32, 1)
        symmetric((job, part, n, pointer(columns), n, pointer(values), asked, -1, whole, -1, status))
        length, count = room(asked[0]), whole[0]
        work, integers = allocate((length,), real), allocate((count,), np.int32)
        places = pointer(work), pointer(integers)
        symmetric((job, part, n, pointer(columns), n, pointer(values), places[0], length, places[1], count, status))
        keep(work)
        keep(integers)
        return status[0]

    @compiled
    def singular(job, m, n, columns, values, u, v):
        asked, status, integers = cells(real, 1), cells(np.int32, 1), allocate((8 * values.shape[0],), np.int32)
        a, s, left, right, whole = pointer(columns), pointer(values), pointer(u), pointer(v), pointer(integers)
        wide = max(v.shape[1], 1)
        decompose((job, m, n, a, m, s, left, m, right, wide, asked, -1, whole, status))
        length = room(asked[0])
        work = allocate((length,), real)
        decompose((job, m, n, a, m, s, left, m, right, wide, pointer(work), length, whole, status))
        keep(work)
        keep(integers)
        return status[0]

    @compiled
    def squares(m, n, columns, x, values, rcond, rank):
        asked, count, status = cells(real, 1), cells(np.int32, 1), cells(np.int32, 1)
        a, b, s, right, long = pointer(columns), pointer(x), pointer(values), x.shape[0], x.shape[1]
        least((m, n, right, a, m, b, long, s, rcond, rank, asked, -1, count, status))
        length = room(asked[0])
        work, integers = allocate((length,), real), allocate((count[0],), np.int32)
        least((m, n, right, a, m, b, long, s, rcond, rank, pointer(work), length, pointer(integers), status))
        keep(work)
        keep(integers)
        return status[0]

    return eigen, singular, squares


def _complex(symmetric: Any, decompose: Any, least: Any, real: Any) -> tuple[Any, Any, Any]:
    """As `_real`; there is memory for real numbers, too."""

    @compiled
    def eigen(job, part, n, columns, values):
        asked, reals, whole = cells(columns.dtype, 1), cells(real, 1), cells(np.int32, 1)
        status = cells(np.int32, 1)
        a, s = pointer(columns), pointer(values)
        symmetric((job, part, n, a, n, s, asked, -1, reals, -1, whole, -1, status))
        length, more, count = room(asked[0].real), room(reals[0]), whole[0]
        work, other, integers = (
            allocate((length,), columns.dtype),
            allocate((more,), real),
            allocate((count,), np.int32),
        )
        places = pointer(work), pointer(other), pointer(integers)
        symmetric((job, part, n, a, n, s, places[0], length, places[1], more, places[2], count, status))
        keep(work)
        keep(other)
        keep(integers)
        return status[0]

    @compiled
    def singular(job, m, n, columns, values, u, v):
        count, wide = values.shape[0], max(v.shape[1], 1)
        asked, status, integers = cells(columns.dtype, 1), cells(np.int32, 1), allocate((8 * count,), np.int32)
        more = count * (7 if job == NONE else max(5 * count + 7, 2 * max(m, n) + 2 * count + 1))
        other = allocate((more,), real)
        a, s, left, right = pointer(columns), pointer(values), pointer(u), pointer(v)
        places = pointer(other), pointer(integers)
        decompose((job, m, n, a, m, s, left, m, right, wide, asked, -1, places[0], places[1], status))
        length = room(asked[0].real)
        work = allocate((length,), columns.dtype)
        decompose((job, m, n, a, m, s, left, m, right, wide, pointer(work), length, places[0], places[1], status))
        keep(work)
        keep(other)
        keep(integers)
        return status[0]

    @compiled
    def squares(m, n, columns, x, values, rcond, rank):
        asked, reals, count = cells(columns.dtype, 1), cells(real, 1), cells(np.int32, 1)
        status = cells(np.int32, 1)
        a, b, s, right, long = pointer(columns), pointer(x), pointer(values), x.shape[0], x.shape[1]
        least((m, n, right, a, m, b, long, s, rcond, rank, asked, -1, reals, count, status))
        length = room(asked[0].real)
        work, other = allocate((length,), columns.dtype), allocate((room(reals[0]),), real)
        integers = allocate((count[0],), np.int32)
        places = pointer(work), pointer(other), pointer(integers)
        least((m, n, right, a, m, b, long, s, rcond, rank, places[0], length, places[1], places[2], status))
        keep(work)
        keep(other)
        keep(integers)
        return status[0]

    return eigen, singular, squares
