"""Arrays made of others in compiled drivers: in other shapes, repeated.

numba has functions for all of these, whose checks and messages take it up to seconds to compile.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.core.imputils import impl_ret_borrowed
from numba.extending import intrinsic, overload
from numba.np.arrayobj import make_array, populate_array

from egc.backends.numba.copies import as_contiguous
from egc.backends.numba.functions import allocate
from egc.backends.numba.linked import HELPER


def _loops(rank: int, source: list[str]) -> Any:
    """The function that fills a new array with the elements of `x` at the indices `source`, and steps s0, s1, ... that are 0
    along axes of length 1."""
    lines = ["def filled(x, shape):", "    result = allocate(shape, x.dtype)"]
    lines += [f"    s{axis} = min(x.shape[{axis}], 2) - 1" for axis in range(rank)]
    lines += [f"{'    ' * (axis + 1)}for i{axis} in range(shape[{axis}]):" for axis in range(rank)]
    place = ", ".join(f"i{axis}" for axis in range(rank))
    lines += [f"{'    ' * (rank + 1)}result[{place}] = x[{', '.join(source)}]", "    return result"]
    names: dict[str, Any] = {"allocate": allocate}
    exec("\n".join(lines), names)
    return njit(names["filled"], **HELPER)


def repeated(x: Any, shape: Any) -> Any:
    """A new array of a shape, with an array that has length 1 along some of its axes repeated there."""
    raise NotImplementedError


@overload(repeated, jit_options=HELPER)
def _repeated(x, shape):
    filled = _loops(x.ndim, [f"i{axis} * s{axis}" for axis in range(x.ndim)])
    return lambda x, shape: filled(x, shape)


@intrinsic
def _shaped(context, x, shape):
    """An array in C order with other lengths, in the same memory."""
    result = types.Array(x.dtype, len(shape), "C")

    def generate(context, builder, signature, arguments):
        source = make_array(x)(context, builder, arguments[0])
        array = make_array(result)(context, builder)
        kinds = signature.args[1]
        lengths = [
            context.cast(builder, value, kind, types.intp)
            for value, kind in zip(cgutils.unpack_tuple(builder, arguments[1]), kinds)
        ]
        step = source.itemsize
        steps: list[Any] = []
        for length in reversed(lengths):
            steps.insert(0, step)
            step = builder.mul(step, length)
        word = ir.IntType(64)
        populate_array(
            array, data=source.data, shape=cgutils.pack_array(builder, lengths, ty=word),
            strides=cgutils.pack_array(builder, steps, ty=word), itemsize=source.itemsize, meminfo=source.meminfo,
            parent=source.parent,
        )  # fmt: skip
        return impl_ret_borrowed(context, builder, result, array._getvalue())

    return result(x, shape), generate


@njit(**HELPER)
def _check_sizes(before: int, after: int) -> None:
    if before != after:
        raise ValueError("cannot reshape array into that shape")


@njit(**HELPER)
def reshaped(x: Any, shape: Any, before: int, after: int) -> Any:
    """An array with other lengths, `after` elements instead of `before`: in its memory where it is in order."""
    _check_sizes(before, after)
    return _shaped(as_contiguous(x), shape)


@njit(**HELPER)
def only_element(x: Any, before: int, after: int) -> Any:
    """The only element as an array of rank 0."""
    _check_sizes(before, after)
    return _shaped(as_contiguous(x), ())


@njit(**HELPER)
def diagonal(x: Any, row: int, column: int, size: int) -> Any:
    """The elements on a diagonal that begins there, put side by side."""
    if size > 0 and (row + size > x.shape[0] or column + size > x.shape[1]):
        raise IndexError("diagonal is out of bounds")
    result = allocate((size,), x.dtype)
    for k in range(size):
        result[k] = x[row + k, column + k]
    return result
