"""Orthogonal factors by LAPACK, on copies in its own order."""

from __future__ import annotations

from functools import cache
from typing import Any

from numba import types

from egc.backends.numba.fortran import symbol
from egc.backends.numba.instructions import INT, Code, Value, outlined
from egc.backends.numba.operands import Array, of_arrays

WORK = 64
"""Columns that reflections are applied to together."""


@outlined()
def reflect(code: Code, m: Value, n: Value, columns: Value, scales: Value, work: Value) -> None:
    with code.when((m > 0) & (n > 0)):
        code.routine("geqrf", m, n, columns, m, scales, work, n * WORK, code.cell(INT))


@outlined()
def triangle(code: Code, rows: Value, n: Value, columns: Value, m: Value, result: Value) -> None:
    """Writes the upper triangle of so many rows, in C order."""
    with code.range(0, rows) as i:
        row, start = result + i * n, code.smaller(i, n)
        code.clear(row, start)
        with code.range(start, n) as j:
            row[j] = columns[j * m + i]


@outlined()
def gather(code: Code, m: Value, count: Value, known: Value, columns: Value, scales: Value, work: Value) -> None:
    """Puts the first columns of the product of the reflections, of which so many are known, in place of these."""
    routine = "orgqr" if code.letter in "sd" else "ungqr"
    with code.when((m > 0) & (count > 0)):
        code.routine(routine, m, count, known, columns, m, scales, work, count * WORK, code.cell(INT))


def _reflections(code: Code, a: Array) -> tuple[Array, Array]:
    """The factors, a column of the matrix in each row, and the scales of the reflections."""
    m, n = a.lengths
    columns, scales = a.turned.copied(), Array.new(code, a.dtype, code.smaller(m, n))
    work = Array.new(code, a.dtype, n * WORK)
    reflect(code, m, n, columns.place, scales.place, work.place)
    work.release()
    return columns, scales


def _upper(code: Code, columns: Array, rows: Value) -> Array:
    n, m = columns.lengths
    result = Array.new(code, columns.dtype, rows, n)
    triangle(code, rows, n, columns.place, m, result.place)
    return result


def _formed(code: Code, columns: Array, scales: Array) -> Array:
    """The orthogonal factor, of which the rows are the columns of the result, in their place."""
    count, m = columns.lengths
    work = Array.new(code, columns.dtype, count * WORK)
    gather(code, m, count, scales.lengths[0], columns.place, scales.place, work.place)
    work.release()
    scales.release()
    return columns.turned


def _pair(code: Code, q: Array, r: Array) -> Any:
    kind = types.Tuple([types.Array(q.dtype, 2, "F"), types.Array(q.dtype, 2, "C")])
    return code.context.make_tuple(code.builder, kind, [q.result(), r.result()])


def _qr_r(code: Code, a: Array) -> Any:
    columns, scales = _reflections(code, a)
    upper = _upper(code, columns, scales.lengths[0])
    columns.release()
    scales.release()
    return code.context.make_tuple(code.builder, _triangle_of(a), [upper.result()])


def _qr_reduced(code: Code, a: Array) -> Any:
    columns, scales = _reflections(code, a)
    upper = _upper(code, columns, scales.lengths[0])
    return _pair(code, _formed(code, columns.first(scales.lengths[0]), scales), upper)


def _qr_complete(code: Code, a: Array) -> Any:
    columns, scales = _reflections(code, a)
    m = a.lengths[0]
    upper, whole = _upper(code, columns, m), Array.new(code, a.dtype, m, m)
    code.clear(whole.place, m * m)
    columns.first(code.smaller(*a.lengths)).copy_to(whole.place)
    columns.release()
    return _pair(code, _formed(code, whole, scales), upper)


def _triangle_of(a: Any) -> Any:
    return types.Tuple([types.Array(a.dtype, 2, "C")])


def _factors_of(a: Any) -> Any:
    return types.Tuple([types.Array(a.dtype, 2, "F"), types.Array(a.dtype, 2, "C")])


FACTORS = {
    "qr_r": of_arrays(_triangle_of, _qr_r),
    "qr_reduced": of_arrays(_factors_of, _qr_reduced),
    "qr_complete": of_arrays(_factors_of, _qr_complete),
}


@cache
def functions(letter: str) -> dict[str, Any]:
    """The functions of one matrix by op name and mode, for one element type (s, d, c or z)."""
    for name in ("geqrf", "orgqr" if letter in "sd" else "ungqr"):
        symbol(letter + name)
    return FACTORS
