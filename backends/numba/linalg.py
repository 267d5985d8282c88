"""Systems, inverses and determinants by LU: LAPACK on copies in its own order, with NumPy's errors.

`functions(letter)` gives, for one element type (s, d, c or z), the functions of one matrix by op name. Each has the
routines and the pivoting order that NumPy uses, so that what is singular for one is singular for the other.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numba import njit, types, uint8

from egc.backends.numba.blas import shifted
from egc.backends.numba.fortran import routine, symbol
from egc.backends.numba.functions import pointer
from egc.backends.numba.instructions import INT, WORD, Code, Value, outlined
from egc.backends.numba.linked import HELPER
from egc.backends.numba.operands import Array, of_arrays, raise_where, replaced

compiled = njit(error_model="numpy", **HELPER)

LOWER, UPPER, PLAIN, UNIT, RIGHT = (uint8(ord(letter)) for letter in "LUNUR")

BLOCK = 48
"""Columns that are factorized together before the rest of a matrix is multiplied with them."""

FEW = 8
"""Right sides are few where so many times their number are fewer than the rows."""


def like(position: int, rank: int, layout: str = "C") -> Any:
    """What gives the type of an array with the elements of one of the arguments."""
    return lambda *kinds: types.Array(kinds[position].dtype, rank, layout)


@outlined()
def factorize(code: Code, n: Value, factors: Value, pivots: Value) -> None:
    """Puts the factors of a matrix, column by column, in its place; the exchanges of rows count from 0."""
    with code.when(n > 0):
        code.routine("getrf", n, n, factors, n, pivots, code.cell(INT))
    with code.range(0, n) as k:
        pivots[k] = pivots[k] - 1


@outlined(WORD)
def fault(code: Code, n: Value, factors: Value, step: Value, pivots: Value) -> Value:
    """1 where a diagonal element is 0, 2 where a pivot is no row, whichever comes first; 0 where nothing is."""
    found = code.cell(WORD, 0)
    with code.falling(n) as k:
        with code.when((pivots[k] < 0) | (pivots[k] >= n)):
            found[0] = 2
        with code.when(factors[k * step + k].is_zero()):
            found[0] = 1
    return found[0]


def exchange(code: Code, place: Value, row: Value, other: Value, step: Any, count: Any) -> None:
    """Exchanges two rows of so many elements, which begin at these and whose elements are `step` apart."""
    with code.when(row != other), code.range(0, count) as j:
        a, b = place + (row + j * step), place + (other + j * step)
        first, second = a[0], b[0]
        a[0], b[0] = second, first


@outlined()
def substitute(
    code: Code, n: Value, count: Value, factors: Value, step: Value, rowwise: Value, pivots: Value, right: Value,
    few: Value, transposed: Value,
) -> None:  # fmt: skip
    """Replaces right sides by solutions. Where they are few they lie one after the other; rows in C order are columns to BLAS,
    and the right sides the left factor of a product."""
    down, along = code.select(few, 1, count), code.select(few, n, 1)
    side, rows, columns = code.select(few, "L", "R"), code.select(few, n, count), code.select(few, count, n)
    way = code.select(rowwise ^ transposed ^ few, "N", "T")
    one = code.element(right.value.type.pointee, 1)
    with code.when((n > 0) & (count > 0)):
        with code.when(~transposed), code.range(0, n) as k:
            exchange(code, right, k * down, pivots[k] * down, along, count)
        for part, own in _halves(code, rowwise, transposed):
            code.routine("trsm", side, part, way, own, rows, columns, one, factors, step, right, rows)
        with code.when(transposed), code.falling(n) as k:
            exchange(code, right, k * down, pivots[k] * down, along, count)


@outlined()
def substitute_vector(
    code: Code, n: Value, factors: Value, step: Value, rowwise: Value, pivots: Value, right: Value, transposed: Value
) -> None:
    """As `substitute`, of one right side."""
    way = code.select(rowwise ^ transposed, "T", "N")
    with code.when(~transposed), code.range(0, n) as k:
        exchange(code, right, k, pivots[k], 1, 1)
    with code.when(n > 0):
        for part, own in _halves(code, rowwise, transposed):
            code.routine("trsv", part, way, own, n, factors, step, right, 1)
    with code.when(transposed), code.falling(n) as k:
        exchange(code, right, k, pivots[k], 1, 1)


def _halves(code: Code, rowwise: Value, transposed: Value) -> list[tuple[Value, Value]]:
    """The triangles to be substituted with, one after the other, and whether their diagonals are 1."""
    first, second = code.select(rowwise ^ transposed, "U", "L"), code.select(rowwise ^ transposed, "L", "U")
    own, other = code.select(transposed, "N", "U"), code.select(transposed, "U", "N")
    return [(first, own), (second, other)]


def factorized(code: Code, a: Array) -> tuple[Array, Array]:
    """The factors, column by column, and the exchanges of rows."""
    factors, pivots = a.turned.copied(), Array.new(code, types.int32, a.lengths[0])
    factorize(code, a.lengths[0], factors.place, pivots.place)
    return factors.turned, pivots


def solved(code: Code, factors: Array, pivots: Array, b: Array, transposed: Any) -> Array:
    found, exchanges = factors.addressable(), pivots.contiguous()
    n, (step, rowwise) = factors.lengths[0], found.lies()
    status = fault(code, n, found.place, step, exchanges.place)
    raise_where(code, status == 1, np.linalg.LinAlgError, "Singular matrix")
    raise_where(code, status == 2, IndexError, "lu_solve: a pivot is no row")
    given = found.place, step, rowwise, exchanges.place
    if len(b.lengths) == 1:
        x = b.copied()
        substitute_vector(code, n, *given, x.place, transposed)
    else:
        count = b.lengths[1]
        few = count * FEW < n
        x = replaced(b, few, lambda place: substitute(code, n, count, *given, place, few, transposed))
    found.release()
    exchanges.release()
    return x


def _lu(code: Code, a: Array) -> Any:
    made = factorized(code, a)
    return code.context.make_tuple(code.builder, _factors_of(a), [each.result() for each in made])


def _factors_of(a: Any) -> Any:
    return types.Tuple([types.Array(a.dtype, 2, "F"), types.Array(types.int32, 1, "C")])


def _lu_solve(code: Code, factors: Array, pivots: Array, b: Array, transposed: Value) -> Any:
    return solved(code, factors, pivots, b, transposed).result()


def _solve(code: Code, a: Array, b: Array) -> Any:
    factors, pivots = factorized(code, a)
    x = solved(code, factors, pivots, b, False)
    factors.release()
    pivots.release()
    return x.result()


def _inv(code: Code, a: Array) -> Any:
    n = a.lengths[0]
    unit = Array.new(code, a.dtype, n, n)
    code.clear(unit.place, n * n)
    with code.range(0, n) as k:
        unit.place[k * n + k] = code.element(unit.place.value.type.pointee, 1)
    factors, pivots = factorized(code, a)
    x = solved(code, factors, pivots, unit, False)
    for each in (unit, factors, pivots):
        each.release()
    return x.result()


LU = of_arrays(_factors_of, _lu)
LU_SOLVE = of_arrays(lambda factors, pivots, b, transposed: types.Array(b.dtype, b.ndim, "C"), _lu_solve)
SOLVE = of_arrays(lambda a, b: types.Array(b.dtype, b.ndim, "C"), _solve)
INV = of_arrays(like(0, 2), _inv)


@cache
def functions(letter: str) -> dict[str, Any]:
    for name in ("getrf", "trsm", "trsv"):
        symbol(letter + name)
    product, triangles = routine(f"{letter}gemm"), routine(f"{letter}trsm")
    one: Any = {"s": np.float32, "d": np.float64, "c": np.complex64, "z": np.complex128}[letter](1)
    lu = LU

    @compiled
    def diagonal_of(a):
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
        factors, sign, singular = diagonal_of(a)
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

    return {
        "lu": LU, "lu_solve": LU_SOLVE, "lu_solve_vector": LU_SOLVE, "solve": SOLVE, "solve_vector": SOLVE, "inv": INV,
        "slogdet": slogdet, "det": det, "lu_factors": lu_factors,
    }  # fmt: skip
