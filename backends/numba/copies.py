"""Matrices copied into new memory in C order, whatever order they have: those down columns by blocks that fit into registers.

Written in LLVM's language, since nearly every function of linear algebra needs it: numba's front end takes ten times as long.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.imputils import impl_ret_new_ref
from numba.extending import intrinsic
from numba.np.arrayobj import make_array

from egc.backends.numba.functions import new_array
from egc.backends.numba.panels import LINE, turn_block

TILE = 64
"""Rows and columns of which blocks are turned one after the other: as many pages as a processor has at hand."""

NARROW = 8
"""Columns that are walked together, element by element."""

WORD = ir.IntType(64)


@intrinsic
def copied(context, x):
    """A new array in C order with the elements of an array of one or two axes."""
    result = x.copy(layout="C", readonly=False)

    def generate(context, builder, signature, arguments):
        kind = signature.args[0]
        source = make_array(kind)(context, builder, arguments[0])
        lengths, strides = cgutils.unpack_tuple(builder, source.shape), cgutils.unpack_tuple(builder, source.strides)
        made = new_array(context, builder, result, lengths)
        if kind.layout == "C":
            cgutils.raw_memcpy(builder, made.data, source.data, builder.mul(source.nitems, source.itemsize), 1)
        elif kind.ndim == 1:
            _moved(builder, WORD(1), lengths[0], source.data, WORD(0), strides[0], made.data, WORD(0))
        else:
            rows, columns = lengths
            along, across = strides
            size = WORD(context.get_abi_sizeof(source.data.type.pointee))
            whole = builder.icmp_signed("==", builder.srem(across, size), WORD(0))
            forward = builder.and_(builder.icmp_signed(">=", across, WORD(0)), whole)
            down = builder.and_(builder.icmp_signed("==", along, size), forward)
            with builder.if_else(down) as (in_blocks, one_by_one):
                with in_blocks:
                    step = builder.sdiv(across, size)
                    _turned(context, builder, rows, columns, source.data, step, made.data, columns)
                with one_by_one:
                    _moved(builder, rows, columns, source.data, along, across, made.data, columns)
        return impl_ret_new_ref(context, builder, result, made._getvalue())

    return result(x), generate


@intrinsic
def turned(context, rows, columns, source, step, target, length):
    """Writes a matrix in C order, its rows `length` elements apart. At `source` it lies column by column, these `step` apart."""

    def generate(context, builder, signature, arguments):
        words = [
            value if value.type == WORD or isinstance(value.type, ir.PointerType) else builder.sext(value, WORD)
            for value in arguments
        ]
        _turned(context, builder, *words)
        return context.get_dummy_value()

    return types.none(rows, columns, source, step, target, length), generate


def _turned(
    context: Any, builder: Any, rows: Any, columns: Any, source: Any, step: Any, target: Any, length: Any
) -> None:
    """The code of `turned`."""
    size = context.get_abi_sizeof(source.type.pointee)
    bytes_apart = builder.mul(step, WORD(size))
    if size > 8:
        _moved(builder, rows, columns, source, WORD(size), bytes_apart, target, length)
        return
    # Complex numbers are words of their size, which vectors can have as elements.
    word = (ir.DoubleType() if size == 8 else ir.FloatType()).as_pointer()
    given, made = builder.bitcast(source, word), builder.bitcast(target, word)
    side = WORD(LINE // size)
    whole, full = (builder.mul(builder.sdiv(each, side), side) for each in (rows, columns))
    tile = WORD(TILE)
    with _range(builder, WORD(0), whole, tile) as top, _range(builder, WORD(0), full, tile) as left:
        below, right = (_least(builder, builder.add(a, tile), b) for a, b in ((top, whole), (left, full)))
        with _range(builder, top, below, side) as i, _range(builder, left, right, side) as j:
            place = builder.gep(given, [_at(builder, j, step, i)])
            turn_block(context, builder, place, step, builder.gep(made, [_at(builder, i, length, j)]), length)
    for i, j, height, width in ((0, full, whole, columns), (whole, 0, rows, columns)):
        first, second = (WORD(0) if k == 0 else k for k in (i, j))
        place = builder.gep(source, [builder.add(first, builder.mul(second, step))])
        there = builder.gep(target, [_at(builder, first, length, second)])
        sizes = builder.sub(height, first), builder.sub(width, second)
        _moved(builder, *sizes, place, WORD(size), bytes_apart, there, length)


def _moved(
    builder: Any, rows: Any, columns: Any, source: Any, along: Any, across: Any, target: Any, length: Any
) -> None:
    """Writes a matrix in C order, element by element. At `source`, rows and columns are so many bytes apart."""
    byte = ir.IntType(8).as_pointer()
    begin = builder.bitcast(source, byte)
    with _range(builder, WORD(0), columns, WORD(NARROW)) as left, _range(builder, WORD(0), rows, WORD(1)) as i:
        right = _least(builder, builder.add(left, WORD(NARROW)), columns)
        with _range(builder, left, right, WORD(1)) as j:
            place = builder.gep(begin, [builder.add(builder.mul(i, along), builder.mul(j, across))])
            value = builder.load(builder.bitcast(place, source.type))
            builder.store(value, builder.gep(target, [_at(builder, i, length, j)]))


@contextmanager
def _range(builder: Any, start: Any, stop: Any, step: Any) -> Iterator[Any]:
    """A loop; gives its index."""
    with cgutils.for_range_slice(builder, start, stop, step, WORD) as (index, _):
        yield index


def _at(builder: Any, row: Any, length: Any, column: Any) -> Any:
    return builder.add(builder.mul(row, length, flags=("nsw",)), column, flags=("nsw",))


def _least(builder: Any, a: Any, b: Any) -> Any:
    return builder.select(builder.icmp_signed("<", a, b), a, b)
