"""Matrices copied into new memory in C order, whatever order they have: those down columns by blocks that fit into registers."""

from __future__ import annotations

from typing import Any

from numba import njit, types
from numba.extending import intrinsic, overload

from egc.backends.numba.blas import shifted
from egc.backends.numba.functions import allocate, copy_to, keep, pointer
from egc.backends.numba.linked import PART
from egc.backends.numba.panels import LINE, turn

TILE = 64
"""Rows and columns of which blocks are turned one after the other: as many pages as a processor has at hand."""

compiled = njit(no_cfunc_wrapper=True, no_cpython_wrapper=True, **PART)


def copied(x: Any) -> Any:
    """A new array in C order with the elements of an array of one or two axes."""
    raise NotImplementedError


@overload(copied, jit_options=PART)
def _copied(x):
    if x.layout == "C":

        def in_order(x):
            result = allocate(x.shape, x.dtype)
            copy_to(pointer(result), x)
            return result

        return in_order
    if x.ndim == 1:

        def vector(x):
            result = allocate(x.shape, x.dtype)
            for k in range(x.shape[0]):
                result[k] = x[k]
            return result

        return vector

    def matrix(x):
        (rows, columns), (along, across), size = x.shape, x.strides, x.itemsize
        result = allocate(x.shape, x.dtype)
        if along == size and across >= 0 and across % size == 0:
            turned(rows, columns, pointer(x), across // size, pointer(result), columns)
            keep(x)
        else:
            for i in range(rows):
                for j in range(columns):
                    result[i, j] = x[i, j]
        return result

    return matrix


def turned(rows: int, columns: int, source: Any, step: int, target: Any, length: int) -> None:
    """Writes a matrix in C order, its rows `length` elements apart. At `source` it lies column by column, these `step` apart."""
    raise NotImplementedError


@overload(turned, jit_options=PART)
def _turned(rows, columns, source, step, target, length):
    if source.dtype == types.complex128:
        return lambda rows, columns, source, step, target, length: _moved(rows, columns, source, step, target, length)
    side = LINE // {types.float64: 8, types.float32: 4, types.complex64: 8}[source.dtype]

    def blocks(rows, columns, source, step, target, length):
        given, made = _words(source), _words(target)
        whole, full = rows // side * side, columns // side * side
        for top in range(0, whole, TILE):
            for left in range(0, full, TILE):
                for i in range(top, min(top + TILE, whole), side):
                    for j in range(left, min(left + TILE, full), side):
                        turn(shifted(given, i + j * step), step, shifted(made, i * length + j), length)
        _moved(whole, columns - full, shifted(source, full * step), step, shifted(target, full), length)
        _moved(rows - whole, columns, shifted(source, whole), step, shifted(target, whole * length), length)

    return blocks


@compiled
def _moved(rows: int, columns: int, source: Any, step: int, target: Any, length: int) -> None:
    """The same, element by element."""
    for left in range(0, columns, 8):
        for i in range(rows):
            for j in range(left, min(left + 8, columns)):
                target[i * length + j] = source[i + j * step]


@intrinsic
def _words(context, place):
    """An address of complex numbers as one of words of their size, which vectors can have as elements."""
    result = types.CPointer(types.float64) if place.dtype == types.complex64 else place

    def generate(context, builder, signature, arguments):
        return builder.bitcast(arguments[0], context.get_value_type(result))

    return result(place), generate
