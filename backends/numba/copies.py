"""Arrays copied into new memory in C order, whatever order they have: matrices down columns by blocks that fit into registers.

Written in LLVM's language, since nearly every function of linear algebra needs it: numba's front end takes ten times as long.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, NamedTuple

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.imputils import impl_ret_borrowed, impl_ret_new_ref
from numba.extending import intrinsic
from numba.np.arrayobj import make_array

from egc.backends.numba.functions import new_array
from egc.backends.numba.panels import LINE, turn_block

TILE = 64
"""Rows and columns of which blocks are turned one after the other: as many pages as a processor has at hand."""

NARROW = 8
"""Columns that are walked together, element by element."""

WORD = ir.IntType(64)

WORDS = {4: ir.FloatType(), 8: ir.DoubleType()}
"""What elements of these sizes are moved as, complex numbers too: vectors have them as elements."""


class Lying(NamedTuple):
    """How an array lies in memory: LLVM's values of its lengths, its strides in bytes and its address, and numba's layout."""

    lengths: Sequence[Any]
    strides: Sequence[Any]
    data: Any
    layout: str


@intrinsic
def copied(context, x):
    """A new array in C order with the elements of an array."""
    result = x.copy(layout="C", readonly=False)

    def generate(context, builder, signature, arguments):
        made = _copy(context, builder, signature.args[0], result, arguments[0])
        return impl_ret_new_ref(context, builder, result, made)

    return result(x), generate


@intrinsic
def as_contiguous(context, x):
    """An array in C order: itself, or a copy. What its type says may be less than its lengths and strides do: a slice may be the
    whole."""
    result = x if x.layout == "C" else x.copy(layout="C", readonly=False)

    def generate(context, builder, signature, arguments):
        kind, (value,) = signature.args[0], arguments
        if kind.layout == "C":
            return impl_ret_borrowed(context, builder, result, value)
        if kind.layout == "F":
            return impl_ret_new_ref(context, builder, result, _copy(context, builder, kind, result, value))
        place = cgutils.alloca_once(builder, value.type)
        with builder.if_else(_in_order(context, builder, kind, value)) as (itself, copy):
            with itself:
                context.nrt.incref(builder, kind, value)
                builder.store(value, place)
            with copy:
                builder.store(_copy(context, builder, kind, result, value), place)
        return impl_ret_new_ref(context, builder, result, builder.load(place))

    return result(x), generate


def _in_order(context: Any, builder: Any, kind: Any, value: Any) -> Any:
    """Whether an array lies in C order."""
    array = make_array(kind)(context, builder, value)
    lengths, strides = cgutils.unpack_tuple(builder, array.shape), cgutils.unpack_tuple(builder, array.strides)
    step, holds = array.itemsize, ir.IntType(1)(1)
    for length, stride in zip(reversed(lengths), reversed(strides)):
        alone = builder.icmp_signed("==", length, WORD(1))
        holds = builder.and_(holds, builder.or_(alone, builder.icmp_signed("==", stride, step)))
        step = builder.mul(step, length)
    return holds


def copy_to(context: Any, builder: Any, source: Lying, target: Any) -> None:
    """Writes the code that puts the elements of an array in C order from an address on."""
    lengths, strides, data, layout = source
    size = context.get_abi_sizeof(data.type.pointee)
    if layout == "C":
        count = WORD(size)
        for length in lengths:
            count = builder.mul(count, length)
        cgutils.raw_memcpy(builder, target, data, count, 1)
    elif len(lengths) != 2:
        _walked(builder, lengths, data, strides, target)
    else:
        (rows, columns), (along, across) = lengths, strides
        whole = builder.icmp_signed("==", builder.srem(across, WORD(size)), WORD(0))
        forward = builder.and_(builder.icmp_signed(">=", across, WORD(0)), whole)
        down = builder.and_(builder.icmp_signed("==", along, WORD(size)), forward)
        with builder.if_else(down) as (in_blocks, one_by_one):
            with in_blocks:
                step = builder.sdiv(across, WORD(size))
                turn_into(context, builder, rows, columns, data, step, target, columns)
            with one_by_one:
                _moved(builder, rows, columns, data, along, across, target, columns)


def _copy(context: Any, builder: Any, kind: Any, result: Any, value: Any) -> Any:
    """The code of `copied`."""
    array = make_array(kind)(context, builder, value)
    lengths, strides = (cgutils.unpack_tuple(builder, each) for each in (array.shape, array.strides))
    made = new_array(context, builder, result, lengths)
    copy_to(context, builder, Lying(lengths, strides, array.data, kind.layout), made.data)
    return made._getvalue()


def _walked(builder: Any, lengths: Sequence[Any], source: Any, strides: Sequence[Any], target: Any) -> None:
    """Writes an array in C order, element by element."""
    begin, there = builder.bitcast(source, ir.IntType(8).as_pointer()), WORD(0)
    with ExitStack() as loops:
        for length, stride in zip(lengths, strides):
            index = loops.enter_context(_range(builder, WORD(0), length, WORD(1)))
            begin = builder.gep(begin, [builder.mul(index, stride)])
            there = _at(builder, there, length, index)
        builder.store(builder.load(builder.bitcast(begin, source.type)), builder.gep(target, [there]))


@intrinsic
def turned(context, rows, columns, source, step, target, length):
    """Writes a matrix in C order, its rows `length` elements apart. At `source` it lies column by column, these `step` apart."""

    def generate(context, builder, signature, arguments):
        words = [
            value if value.type == WORD or isinstance(value.type, ir.PointerType) else builder.sext(value, WORD)
            for value in arguments
        ]
        turn_into(context, builder, *words)
        return context.get_dummy_value()

    return types.none(rows, columns, source, step, target, length), generate


def turn_into(
    context: Any, builder: Any, rows: Any, columns: Any, source: Any, step: Any, target: Any, length: Any
) -> None:
    """The code of `turned`."""
    size = context.get_abi_sizeof(source.type.pointee)
    if size not in WORDS:
        _moved(builder, rows, columns, source, WORD(size), builder.mul(step, WORD(size)), target, length)
        return
    word = WORDS[size].as_pointer()
    kind = ir.FunctionType(ir.VoidType(), [WORD, WORD, word, WORD, word, WORD])
    function = cgutils.get_or_insert_function(builder.module, kind, f"egc_turned_{size}")
    if not function.blocks:
        function.linkage = "linkonce_odr"
        function.attributes.add("noinline")
        inside = ir.IRBuilder(function.append_basic_block("entry"))
        _turned_in_tiles(context, inside, *function.args)
        inside.ret_void()
    given, made = builder.bitcast(source, word), builder.bitcast(target, word)
    builder.call(function, [rows, columns, given, step, made, length])


def _turned_in_tiles(
    context: Any, builder: Any, rows: Any, columns: Any, source: Any, step: Any, target: Any, length: Any
) -> None:
    """The same for words, once in a module."""
    size = context.get_abi_sizeof(source.type.pointee)
    side = WORD(LINE // size)
    whole, full = (builder.mul(builder.sdiv(each, side), side) for each in (rows, columns))
    tile = WORD(TILE)
    with _range(builder, WORD(0), whole, tile) as top, _range(builder, WORD(0), full, tile) as left:
        below, right = (_least(builder, builder.add(a, tile), b) for a, b in ((top, whole), (left, full)))
        with _range(builder, top, below, side) as i, _range(builder, left, right, side) as j:
            place = builder.gep(source, [_at(builder, j, step, i)])
            turn_block(context, builder, place, step, builder.gep(target, [_at(builder, i, length, j)]), length)
    bytes_apart = builder.mul(step, WORD(size))
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
