"""Linear algebra of compiled drivers: LAPACK on copies in its own order, with NumPy's errors.

`functions(letter)` gives, for one element type (s, d, c or z), the functions of one matrix by op name. Each has the
routines and the pivoting order that NumPy uses, so that what is singular for one is singular for the other.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numba import njit, uint8

from egc.backends.numba.blas import shifted
from egc.backends.numba.copies import copied
from egc.backends.numba.fortran import routine
from egc.backends.numba.functions import allocate, keep, pointer
from egc.backends.numba.linked import HELPER
from egc.backends.numba.products import addressable
from egc.backends.numba.threads import cells

compiled = njit(error_model="numpy", **HELPER)

LOWER, UPPER, PLAIN, TRANSPOSED, UNIT, GENERAL, LEFT, RIGHT = (uint8(ord(letter)) for letter in "LUNTUNLR")

BLOCK = 48
"""Columns that are factorized together before the rest of a matrix is multiplied with them."""

FEW = 8
"""Right sides are few where so many times their number are fewer than the rows."""


@compiled
def exchange(place: Any, row: int, other: int, step: int, count: int) -> None:
    """Exchanges two rows of so many elements, which begin at the first two places and whose elements are `step` apart."""
    if row != other:
        for j in range(count):
            first, second = row + j * step, other + j * step
            place[first], place[second] = place[second], place[first]


@cache
def functions(letter: str) -> dict[str, Any]:
    factor, root = (routine(f"{letter}{name}") for name in ("getrf", "potrf"))
    product, triangles, triangle = (routine(f"{letter}{name}") for name in ("gemm", "trsm", "trsv"))
    one: Any = {"s": np.float32, "d": np.float64, "c": np.complex64, "z": np.complex128}[letter](1)

    @compiled
    def lu(a):
        """The factors, which lie in memory column by column, and the exchanges of rows; nothing raises."""
        n = a.shape[0]
        factors, pivots, status = copied(a.T), allocate((n,), np.int32), cells(np.int32, 1)
        if n:
            factor((n, n, pointer(factors), n, pointer(pivots), status))
        for k in range(n):
            pivots[k] -= 1
        return factors.T, pivots

    @compiled
    def checked(factors, pivots):
        """The factors where BLAS can read them, the rows of their columns, and whether they lie row by row."""
        n = factors.shape[0]
        for k in range(n):
            if factors[k, k] == 0:
                raise np.linalg.LinAlgError("Singular matrix")
            if pivots[k] < 0 or pivots[k] >= n:
                raise IndexError("lu_solve: a pivot is no row")
        found = addressable(factors)
        turned = found.strides[0] != found.itemsize
        return found, max(found.strides[0 if turned else 1] // found.itemsize, n), turned

    @compiled
    def lu_solve(factors, pivots, b, transposed):
        """Rows in C order are columns to BLAS, and b the left factor of a product, unless it has few columns: those are turned."""
        found, step, turned = checked(factors, pivots)
        n, count = b.shape
        few = count * FEW < n
        x = copied(b.T) if few else copied(b)
        place, right = pointer(found), pointer(x)
        down, along = (1, n) if few else (count, 1)
        side, rows, columns = (LEFT, n, count) if few else (RIGHT, count, n)
        low, up = (UPPER, LOWER) if turned else (LOWER, UPPER)
        way = TRANSPOSED if (turned != transposed) == few else PLAIN
        if n and count:
            for k in range(0 if transposed else n):
                exchange(right, k * down, pivots[k] * down, along, count)
            first, second, own, other = (up, low, GENERAL, UNIT) if transposed else (low, up, UNIT, GENERAL)
            triangles((side, first, way, own, rows, columns, one, place, step, right, rows))
            triangles((side, second, way, other, rows, columns, one, place, step, right, rows))
            for k in range(n - 1 if transposed else -1, -1, -1):
                exchange(right, k * down, pivots[k] * down, along, count)
        keep(found)
        return copied(x.T) if few else x

    @compiled
    def lu_solve_vector(factors, pivots, b, transposed):
        found, step, turned = checked(factors, pivots)
        x, n = copied(b), b.shape[0]
        place, right = pointer(found), pointer(x)
        low, up = (UPPER, LOWER) if turned else (LOWER, UPPER)
        way = TRANSPOSED if turned != transposed else PLAIN
        for k in range(0 if transposed else n):
            exchange(right, k, pivots[k], 1, 1)
        if n:
            first, second, own, other = (up, low, GENERAL, UNIT) if transposed else (low, up, UNIT, GENERAL)
            triangle((first, way, own, n, place, step, right, 1))
            triangle((second, way, other, n, place, step, right, 1))
        for k in range(n - 1 if transposed else -1, -1, -1):
            exchange(right, k, pivots[k], 1, 1)
        keep(found)
        return x

    @compiled
    def solve(a, b):
        """a @ x = b for a matrix b."""
        factors, pivots = lu(a)
        return lu_solve(factors, pivots, b, False)

    @compiled
    def solve_vector(a, b):
        factors, pivots = lu(a)
        return lu_solve_vector(factors, pivots, b, False)

    @compiled
    def inv(a):
        unit = allocate(a.shape, a.dtype)
        for i in range(a.shape[0]):
            for j in range(a.shape[0]):
                unit[i, j] = 0
            unit[i, i] = 1
        return solve(a, unit)

    @compiled
    def factorized(a):
        """The LU factors, and the sign of the permutation; a zero diagonal where a is singular."""
        factors, pivots = lu(a)
        sign, singular = 1.0, False
        for k in range(a.shape[0]):
            if pivots[k] != k:
                sign = -sign
            singular = singular or factors[k, k] == 0
        return factors, sign, singular

    @compiled
    def sign_and_log(a):
        """The sign (or phase) of the determinant and the logarithm of its size, as NumPy's slogdet."""
        factors, sign, singular = factorized(a)
        phase = sign * one
        total = np.abs(phase) * 0
        if singular:
            return phase * 0, total - np.inf
        for k in range(a.shape[0]):
            size = np.abs(factors[k, k])
            phase *= factors[k, k] / size
            total += np.log(size)
        return phase, total

    @compiled
    def slogdet(a):
        phase, total = sign_and_log(a)
        return np.asarray(phase), np.asarray(total)

    @compiled
    def det(a):
        """As NumPy has it, which overflows only where the determinant does."""
        phase, total = sign_and_log(a)
        return np.asarray(phase * np.exp(total))

    @compiled
    def rooted(a, upper):
        """The factor in place of one triangle, and LAPACK's status. Rows in C order are columns to LAPACK, and one triangle of
        a matrix is the other one of its transpose, so that nothing is turned."""
        n, factors, status = a.shape[0], copied(a), cells(np.int32, 1)
        if n:
            root((LOWER if upper else UPPER, n, pointer(factors), n, status))
        for i in range(n):
            if upper:
                factors[i, :i] = 0
            else:
                factors[i, i + 1 :] = 0
        return factors, status[0] if n else 0

    @compiled
    def cholesky(a, upper):
        """The lower triangle's factor L, a = L @ L^H, or the upper triangle's factor U, a = U^H @ U."""
        factors, status = rooted(a, upper)
        if status != 0:
            raise np.linalg.LinAlgError("Matrix is not positive definite")
        return factors

    @compiled
    def cholesky_or_nan(a):
        """The lower triangle's factor; nan everywhere where there is none."""
        factors, status = rooted(a, False)
        if status != 0:
            factors[:] = np.nan
        return factors

    @compiled
    def lu_factors(a):
        """Factors without exchanges, in blocks of columns. A matrix in C order is its transpose to BLAS."""
        n, factors = a.shape[0], a.copy()
        place = pointer(factors)
        for first in range(0, n, BLOCK):
            end = min(first + BLOCK, n)
            for k in range(first, end):
                for i in range(k + 1, n):
                    factors[i, k] /= factors[k, k]
                    for j in range(k + 1, end):
                        factors[i, j] -= factors[i, k] * factors[k, j]
            width, rest = end - first, n - end
            if rest:
                corner, right = shifted(place, first * n + first), shifted(place, first * n + end)
                below, inner = shifted(place, end * n + first), shifted(place, end * n + end)
                triangles((RIGHT, UPPER, PLAIN, UNIT, rest, width, one, corner, n, right, n))
                product((PLAIN, PLAIN, rest, rest, width, -one, right, n, below, n, one, inner, n))
        return factors

    @compiled
    def regular(a, unit_diagonal):
        """The matrix where BLAS can read it, the rows of its columns, and whether it lies row by row."""
        n = a.shape[0]
        for k in range(0 if unit_diagonal else n):
            if a[k, k] == 0:
                raise np.linalg.LinAlgError("singular matrix: a zero on the diagonal")
        found = addressable(a)
        turned = found.strides[0] != found.itemsize
        return found, max(found.strides[0 if turned else 1] // found.itemsize, n), turned

    @compiled
    def solve_triangular(a, b, lower, transposed, unit_diagonal):
        """Rows in C order are columns to BLAS, and b the left factor of a product, as in `lu_solve`."""
        found, step, turned = regular(a, unit_diagonal)
        n, count = b.shape
        few = count * FEW < n
        x = copied(b.T) if few else copied(b)
        if n and count:
            part, own = LOWER if lower != turned else UPPER, UNIT if unit_diagonal else GENERAL
            way = TRANSPOSED if (turned != transposed) == few else PLAIN
            side, rows, columns = (LEFT, n, count) if few else (RIGHT, count, n)
            triangles((side, part, way, own, rows, columns, one, pointer(found), step, pointer(x), rows))
        keep(found)
        return copied(x.T) if few else x

    @compiled
    def solve_triangular_vector(a, b, lower, transposed, unit_diagonal):
        found, step, turned = regular(a, unit_diagonal)
        x, n = copied(b), b.shape[0]
        if n:
            part, own = LOWER if lower != turned else UPPER, UNIT if unit_diagonal else GENERAL
            way = TRANSPOSED if turned != transposed else PLAIN
            triangle((part, way, own, n, pointer(found), step, pointer(x), 1))
        keep(found)
        return x

    return {name: value for name, value in locals().items() if hasattr(value, "py_func")}
