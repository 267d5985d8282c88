"""Memory for all arrays that only one function works with, in one piece: `room` for each, one allocation, `placed` for each.

An array of numba has an owner, lengths and strides that such memory has no use for, and what numba writes to make, hand on
and free each takes it longer to compile than most loops.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

LINE = 64
"""Bytes of a line of the cache, where each array begins."""

PAGE = 4096
SHIFT = 17 * LINE
"""Bytes left free after an array of a page or more: neighbours are then at different places of their pages, see `blocks`."""

MOST_BYTES = 2**62
"""Where a length is negative, or the bytes of an array are more than a number can tell, so many are asked for, which there are
not."""

MOST_KEPT = 8
"""Arrays that one call keeps, at most."""


@intrinsic
def room(context, total, shape, element):
    """The first byte of an array of a shape and a numba type of elements, behind the `total[0]` bytes of those before, to which
    its own are added."""

    def generate(context, builder, signature, arguments):
        word = ir.IntType(64)
        size = word(context.get_abi_sizeof(context.get_data_type(element.instance_type)))
        too_big: Any = ir.IntType(1)(0)

        def checked(pair: Any) -> Any:
            nonlocal too_big
            too_big = builder.or_(too_big, builder.extract_value(pair, 1))
            return builder.extract_value(pair, 0)

        for value, kind in zip(cgutils.unpack_tuple(builder, arguments[1]), signature.args[1]):
            length = context.cast(builder, value, kind, types.int64)
            too_big = builder.or_(too_big, builder.icmp_signed("<", length, word(0)))
            size = checked(builder.smul_with_overflow(size, length))
        shift = builder.select(builder.icmp_signed(">=", size, word(PAGE)), word(SHIFT + LINE - 1), word(LINE - 1))
        size = builder.and_(checked(builder.sadd_with_overflow(size, shift)), word(-LINE))
        first = builder.load(arguments[0])
        after = checked(builder.sadd_with_overflow(first, size))
        builder.store(builder.select(too_big, word(MOST_BYTES), after), arguments[0])
        return first

    return types.int64(total, shape, element), generate


@intrinsic
def placed(context, pool, first, element):
    """The address of the elements of a numba type that begin at a byte of an array of bytes."""
    kind = types.CPointer(types.uint8 if element.instance_type == types.boolean else element.instance_type)

    def generate(context, builder, signature, arguments):
        data = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        return builder.bitcast(builder.gep(data, [arguments[1]]), context.get_value_type(kind))

    return kind(pool, first, element), generate


def _keeper(count: int) -> Any:
    """The function of so many arrays that does nothing, after everything before it: none is freed until then. numba's code for a
    tuple of them grows with its square."""
    names = ", ".join(f"array_{k}" for k in range(count))
    namespace: dict[str, Any] = {"types": types}
    text = f"""
def keep(context, {names}):
    def generate(context, builder, signature, arguments):
        return context.get_dummy_value()
    return types.none({names}), generate
"""
    exec(text, namespace)
    return intrinsic(namespace["keep"])


KEEPERS: dict[str, Any] = {f"keep_{count}": _keeper(count) for count in range(1, MOST_KEPT + 1)}
"""Those functions by name."""

POOL_NAMES: dict[str, Any] = {"room": room, "placed": placed}


def kept_lines(arrays: Sequence[str]) -> Iterator[str]:
    """Source that keeps arrays until then."""
    for start in range(0, len(arrays), MOST_KEPT):
        some = arrays[start : start + MOST_KEPT]
        yield f"keep_{len(some)}({', '.join(some)})"
