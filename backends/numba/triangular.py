"""Matrices of which one triangle is read: roots, systems and products, by BLAS and LAPACK where the operands lie."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from egc.backends.numba.copies import TILE, turn_into
from egc.backends.numba.fortran import symbol
from egc.backends.numba.instructions import INT, WORD, Code, Value, outlined
from egc.backends.numba.linalg import FEW, like
from egc.backends.numba.operands import Addressable, Array, of_arrays, raise_where, replaced

DEFINITE = "Matrix is not positive definite"


@outlined(WORD)
def root(code: Code, n: Value, factors: Value, upper: Value) -> Value:
    """Puts the factor of a matrix in place of its triangle and zeros in the other; gives LAPACK's status. Rows in C order are
    columns to LAPACK, and one triangle of a matrix is the other one of its transpose, so that nothing is turned."""
    status = code.cell(INT, 0)
    with code.when(n > 0):
        code.routine("potrf", code.select(upper, "L", "U"), n, factors, n, status)
    with code.range(0, n) as i:
        start, end = code.select(upper, 0, i + 1), code.select(upper, i, n)
        code.clear(factors + (i * n + start), end - start)
    return status[0]


def _rooted(code: Code, a: Array, upper: Any) -> tuple[Array, Value]:
    factors = a.copied()
    return factors, root(code, a.lengths[0], factors.place, upper)


def _cholesky(code: Code, a: Array, upper: Value) -> Any:
    """The lower triangle's factor L, a = L @ L^H, or the upper triangle's factor U, a = U^H @ U."""
    factors, status = _rooted(code, a, upper)
    raise_where(code, status != 0, np.linalg.LinAlgError, DEFINITE)
    return factors.result()


def _cholesky_or_nan(code: Code, a: Array) -> Any:
    """The lower triangle's factor; nan everywhere where there is none."""
    factors, status = _rooted(code, a, False)
    n, kind = a.lengths[0], factors.place.value.type.pointee
    with code.when(status != 0), code.range(0, n * n) as k:
        factors.place[k] = code.element(kind, np.nan)
    return factors.result()


@outlined()
def mirror(code: Code, place: Value, n: Value, below: Value) -> None:
    """Fills the triangle below, or above, the diagonal of a symmetric matrix in C order from the other one."""
    with code.range(0, n, TILE) as top:
        rows = code.smaller(n - top, TILE)
        left, up = place + top, place + top * n
        source, target = code.select(below, left, up), code.select(below, up, left)
        sizes = code.select(below, rows, top), code.select(below, top, rows)
        given = *sizes, source, n, target, n
        turn_into(code.context, code.builder, *(each.value for each in given))
        with code.range(top, top + rows) as i, code.range(top, i) as j:
            low, high = i * n + j, j * n + i
            place[code.select(below, low, high)] = place[code.select(below, high, low)]


def _gram(code: Code, a: Array, transposed: Value) -> Any:
    """a @ a.T, or a.T @ a."""
    x = a.addressable()
    n, inner = (code.select(transposed, *pair) for pair in (a.lengths[::-1], a.lengths))
    result = Array.new(code, a.dtype, n, n)
    rank_update(code, n, inner, x.place, *x.lies(), transposed, result.place)
    x.release()
    return result.result()


@outlined()
def rank_update(
    code: Code, n: Value, inner: Value, place: Value, step: Value, rowwise: Value, transposed: Value, out: Value
) -> None:
    one, zero = (code.element(out.value.type.pointee, number) for number in (1, 0))
    with code.either((inner == 0) | (n == 0)) as (nothing, something):
        with nothing:
            code.clear(out, n * n)
        with something:
            way = code.select(rowwise ^ transposed, "T", "N")
            code.routine("syrk", "L", way, n, inner, one, place, step, zero, out, n)
            mirror(code, out, n, True)


def _cholesky_inverse(code: Code, factor: Array) -> Any:
    """To LAPACK, rows in C order are the columns of the upper factor; the triangle of the inverse that takes its place is the
    lower one of rows."""
    n, found = factor.lengths[0], factor.copied()
    status = invert(code, n, found.place)
    raise_where(code, status != 0, np.linalg.LinAlgError, "Singular matrix")
    return found.result()


@outlined(WORD)
def invert(code: Code, n: Value, factor: Value) -> Value:
    status = code.cell(INT, 0)
    with code.when(n > 0):
        code.routine("potri", "U", n, factor, n, status)
        mirror(code, factor, n, False)
    return status[0]


@outlined(WORD)
def singular(code: Code, n: Value, place: Value, step: Value) -> Value:
    """1 where a diagonal has a zero."""
    found = code.cell(WORD, 0)
    with code.range(0, n) as k, code.when(place[k * step + k].is_zero()):
        found[0] = 1
    return found[0]


@outlined()
def with_triangle(
    code: Code, n: Value, count: Value, place: Value, step: Value, rowwise: Value, right: Value, few: Value,
    lower: Value, transposed: Value, unit: Value, solves: Value,
) -> None:  # fmt: skip
    """Replaces right sides by solutions, or by products, as `linalg.substitute`."""
    part, way = code.select(lower ^ rowwise, "L", "U"), code.select(rowwise ^ transposed ^ few, "N", "T")
    own, side = code.select(unit, "U", "N"), code.select(few, "L", "R")
    rows, columns = code.select(few, n, count), code.select(few, count, n)
    one = code.element(right.value.type.pointee, 1)
    given = side, part, way, own, rows, columns, one, place, step, right, rows
    with code.when((n > 0) & (count > 0)), code.either(solves) as (solution, product):
        with solution:
            code.routine("trsm", *given)
        with product:
            code.routine("trmm", *given)


@outlined()
def vector_with_triangle(
    code: Code, n: Value, place: Value, step: Value, rowwise: Value, right: Value, lower: Value, transposed: Value,
    unit: Value, solves: Value,
) -> None:  # fmt: skip
    """As `with_triangle`, of one right side."""
    part, way = code.select(lower ^ rowwise, "L", "U"), code.select(rowwise ^ transposed, "T", "N")
    given = part, way, code.select(unit, "U", "N"), n, place, step, right, 1
    with code.when(n > 0), code.either(solves) as (solution, product):
        with solution:
            code.routine("trsv", *given)
        with product:
            code.routine("trmv", *given)


def _solve_triangular(code: Code, a: Array, b: Array, lower: Value, transposed: Value, unit_diagonal: Value) -> Any:
    found = a.addressable()
    zero = singular(code, a.lengths[0], found.place, found.lies()[0])
    message = "singular matrix: a zero on the diagonal"
    raise_where(code, (zero != 0) & ~unit_diagonal, np.linalg.LinAlgError, message)
    return _with_triangle(code, found, b, lower, transposed, unit_diagonal, True)


def _triangular_product(code: Code, matrix: Array, b: Array, lower: Value, transposed: Value, right: Value) -> Any:
    """To BLAS, rows in C order are columns: the matrix stands on the other side."""
    found = matrix.addressable()
    if len(b.lengths) == 1:
        return _with_triangle(code, found, b, lower, transposed ^ right, False, False)
    n, (step, rowwise) = matrix.lengths[0], found.lies()
    beside = code.select(right, *b.lengths)
    few = ~right & (beside * FEW < n)

    def write(place: Value) -> None:
        with_triangle(
            code, n, beside, found.place, step, rowwise, place, few | right, lower, transposed ^ right, False, False
        )  # fmt: skip

    x = replaced(b, few, write)
    found.release()
    return x.result()


def _with_triangle(
    code: Code, found: Addressable, b: Array, lower: Value, transposed: Any, unit: Any, solves: bool
) -> Any:
    n, (step, rowwise) = b.lengths[0], found.lies()
    given = found.place, step, rowwise
    if len(b.lengths) == 1:
        x = b.copied()
        vector_with_triangle(code, n, *given, x.place, lower, transposed, unit, solves)
    else:
        count = b.lengths[1]
        few = count * FEW < n
        x = replaced(
            b, few, lambda place: with_triangle(code, n, count, *given, place, few, lower, transposed, unit, solves)
        )
    found.release()
    return x.result()


TRIANGULAR: dict[str, Any] = {
    "cholesky": of_arrays(like(0, 2), _cholesky),
    "cholesky_or_nan": of_arrays(like(0, 2), _cholesky_or_nan),
    "gram": of_arrays(like(0, 2), _gram),
    "cholesky_inverse": of_arrays(like(0, 2), _cholesky_inverse),
}
for _name, _write in (("solve_triangular", _solve_triangular), ("triangular_product", _triangular_product)):
    TRIANGULAR[_name] = of_arrays(like(1, 2), _write)
    TRIANGULAR[f"{_name}_vector"] = of_arrays(like(1, 1), _write)


@cache
def functions(letter: str) -> dict[str, Any]:
    """The functions of one matrix by op name, for one element type (s, d, c or z)."""
    for name in "potrf potri syrk trsm trmm trsv trmv".split():
        symbol(letter + name)
    return TRIANGULAR
