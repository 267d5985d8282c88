"""Arrays that a loop nest walks across: what a panel of rows reads down the columns is put into rows first.

An element for each iteration of an inner loop, all a long step apart, fills no vector, and is a line of memory each. But the
iterations of the loop around read the elements beside these. So a panel of as many rows as fill a line is turned round
before, in blocks that fit into registers (Eklundh, A Fast Computer Method for Matrix Transposing, 1972).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from egc.lower.statements import Access, Blocks, For, Load, is_invariant, writes
from egc.sizes import Dim

if TYPE_CHECKING:
    from egc.backends.numba.emit import Nest

LINE = 64
"""Bytes of a line of memory, and of the longest vectors."""

LEAST = 64
"""Iterations of the inner loop from which panels pay."""

FAR = 8
"""Elements of a step, at least, that a line of memory is lost for."""

AHEAD = 2
"""A panel is read a line here and a line there, which no processor foresees: what the panel after the next one reads is fetched
in advance, along with what is read so many blocks later."""

SECOND_CACHE = 2
"""The number by which LLVM knows it."""

MOST = 4
"""Accesses of a loop that get panels."""


def write_panels(nest: Nest, loop: For, depth: int, start: str, stop: str, indent: int) -> str:
    """The iterations of a loop inside `depth` loops that fill panels. Gives where the others start."""
    across = {} if nest.inside or isinstance(loop, Blocks) else dict(_across(nest, loop, depth))
    if not across or len(across) > MOST:
        return start
    source, index = nest.source, nest.index(depth)
    rest, first, column = f"m{index}", f"f{index}", f"j{nest.suffix}"
    rows = LINE // min(dtype.itemsize for _, dtype in across.values())
    lengths = dict.fromkeys(source.dim(dim) for dim, _ in across.values())
    enough = " and ".join([*(f"{length} >= {LEAST}" for length in lengths), f"{stop} - {start} >= {rows}"])
    source.line(indent, f"{rest} = {start}")
    source.line(indent, f"if {enough}:")
    source.line(indent + 1, f"{rest} = {start} + ({stop} - {start}) // {rows} * {rows}")
    for number, (dim, dtype) in enumerate(across.values()):
        name = f"d{number}{index}"
        source.line(indent + 1, f"{name} = allocate(({rows} * {source.dim(dim)}, ), {dtype.name})")
        source.line(indent + 1, f"q{name} = pointer({name})")
    source.line(indent + 1, f"for {first} in range({start}, {rest}, {rows}):")
    around = [nest.index(k) for k in range(depth)]
    for number, (access, (dim, dtype)) in enumerate(across.items()):
        panel, length, side = f"qd{number}{index}", source.dim(dim), LINE // dtype.itemsize
        base = source.address(access.offset, access.strides[: depth + 1], [*around, first])
        step, array = source.dim(access.strides[depth + 1]), source.array(access.array)
        source.line(indent + 2, f"for {column} in range(0, {length} // {side} * {side}, {side}):")
        for row in range(0, rows, side):
            place = f"shifted({array}, {base} + {row} + {column} * {step})"
            source.line(indent + 3, f"turn({place}, {step}, shifted({panel}, {row} * {length} + {column}), {length})")
        source.line(indent + 2, f"for {column} in range({length} // {side} * {side}, {length}):")
        source.line(indent + 3, f"for {index} in range({rows}):")
        there = f"{panel}[{index} * {length} + {column}]"
        source.line(indent + 4, f"{there} = {array}[{base} + {index} + {column} * {step}]")
        nest.turned[access] = f"{panel}[({index} - {first}) * {length} + {nest.index(depth + 1)}]"
    source.line(indent + 2, f"for {index} in range({first}, {first} + {rows}):")
    nest.body(loop.body, depth + 1, indent + 3)
    nest.turned.clear()
    for number in range(len(across)):
        source.line(indent + 1, f"keep(d{number}{index})")
    nest.allocates()
    return rest


def _across(nest: Nest, loop: For, depth: int) -> Iterator[tuple[Access, tuple[Dim, np.dtype]]]:
    """What inner loops load across, with their lengths and the dtypes."""
    written = {access.array for s in nest.loop.statements() for access in writes(s)}
    for inner in loop.body:
        if not isinstance(inner, For) or any(isinstance(item, For) for item in inner.body):
            continue
        if nest.span(inner, depth + 1) != ("0", nest.source.dim(inner.dim)):
            continue
        for load in inner.body:
            if isinstance(load, Load) and not is_invariant(load) and load.access.array not in written:
                step = load.access.strides[depth + 1]
                far = abs(step) >= FAR if isinstance(step, int) else True
                if far and load.access.strides[depth] == 1 and load.dtype.kind in "fiu" and load.dtype.itemsize >= 4:
                    yield load.access, (inner.dim, load.dtype)


@intrinsic
def turn(context, source, source_step, target, target_step):
    """Writes the columns of a square block, as many elements as fill a line, as rows. Steps are those between rows."""

    def generate(context, builder, signature, arguments):
        turn_block(context, builder, *arguments)
        return context.get_dummy_value()

    return types.none(source, source_step, target, target_step), generate


def turn_block(context: Any, builder: Any, source: Any, source_step: Any, target: Any, target_step: Any) -> None:
    """The code of `turn`."""
    element = source.type.pointee
    side = LINE // context.get_abi_sizeof(element)
    align = context.get_abi_alignment(element)

    def row(pointer: Any, step: Any, number: int) -> Any:
        place = builder.gep(pointer, [builder.mul(step, ir.Constant(step.type, number))])
        return builder.bitcast(place, ir.VectorType(element, side).as_pointer())

    for number in range(side):
        _fetch(builder, row(source, source_step, number + AHEAD * side), AHEAD)
    rows = [builder.load(row(source, source_step, k), align=align) for k in range(side)]
    distance = 1
    while distance < side:
        for low in range(side):
            if not low & distance:
                pair = rows[low], rows[low | distance]
                rows[low] = _mixed(
                    builder, *pair, [k if not k & distance else side + (k ^ distance) for k in range(side)]
                )
                rows[low | distance] = _mixed(
                    builder, *pair, [(k | distance) if not k & distance else side + k for k in range(side)]
                )
        distance *= 2
    for number, vector in enumerate(rows):
        builder.store(vector, row(target, target_step, number), align=align)


def _fetch(builder: Any, line: Any, further: int) -> None:
    """Asks for the line of memory that lies so many lines further, which need not belong to any array."""
    byte, word = ir.IntType(8).as_pointer(), ir.IntType(32)
    kind = ir.FunctionType(ir.VoidType(), [byte, word, word, word])
    fetch = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
    place = builder.gep(line, [ir.Constant(word, further)])
    builder.call(fetch, [builder.bitcast(place, byte), word(0), word(SECOND_CACHE), word(1)])


def _mixed(builder: Any, first: Any, second: Any, places: list[int]) -> Any:
    """The elements of two vectors, one after the other, at these places."""
    return builder.shuffle_vector(first, second, ir.Constant(ir.VectorType(ir.IntType(32), len(places)), places))
