"""Convolutions of vectors: several taps at a time, added to blocks of the result that stay in the first cache."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numba import njit, types
from numba.core.imputils import impl_ret_new_ref
from numba.extending import intrinsic

from egc.backends.numba.functions import new_array, pointer
from egc.backends.numba.linked import HELPER, WITHOUT_WRAPPERS, UnaliasedHelper

BLOCK = 1024
"""Elements of a block of the result."""

OPTIONS: dict[str, Any] = {"error_model": "numpy", "fastmath": {"contract"}}
"""Multiplies and adds may round once."""


def _taps(width: int) -> Callable[..., None]:
    """A function that adds `width` taps from number k on to a part of the result, or sets it to their sum."""

    @njit(forceinline=True, **OPTIONS, **HELPER)
    def add(x: Any, w: Any, out: Any, k: int, first: int, last: int, fresh: bool) -> None:
        if fresh:
            for j in range(first, last):
                total = w[k] * x[j - k]
                for m in range(1, width):
                    total += w[k + m] * x[j - k - m]
                out[j] = total
        else:
            for j in range(first, last):
                total = w[k] * x[j - k]
                for m in range(1, width):
                    total += w[k + m] * x[j - k - m]
                out[j] += total

    return add


_add8, _add4, _add1 = _taps(8), _taps(4), _taps(1)


@njit(pipeline_class=UnaliasedHelper, **OPTIONS, **WITHOUT_WRAPPERS)
def _convolve(long: Any, short: Any, result: Any) -> None:
    n, taps = long.size, short.size
    x, w, out = pointer(long), pointer(short), pointer(result)
    for start in range(0, n + taps - 1, BLOCK):
        stop = min(start + BLOCK, n + taps - 1)
        k = 0
        while k < taps:
            width = 8 if taps - k >= 8 else 4 if taps - k >= 4 else 1
            first = min(max(start, k + width - 1), stop)
            last = max(min(stop, n + k), first)
            if k == 0:
                for j in range(start, first):
                    out[j] = 0
                for j in range(last, stop):
                    out[j] = 0
            if width == 8:
                _add8(x, w, out, k, first, last, k == 0)
            elif width == 4:
                _add4(x, w, out, k, first, last, k == 0)
            else:
                _add1(x, w, out, k, first, last, k == 0)
            for tap in range(k, k + width):
                _add1(x, w, out, tap, max(start, tap), first, False)
                _add1(x, w, out, tap, max(last, tap), min(stop, n + tap), False)
            k += width


@intrinsic
def _vector(context, count, like):
    """A new vector of so many elements of the type of another's."""

    def generate(context, builder, signature, arguments):
        length = context.cast(builder, arguments[0], signature.args[0], types.intp)
        array = new_array(context, builder, signature.return_type, [length])
        return impl_ret_new_ref(context, builder, signature.return_type, array._getvalue())

    return types.Array(like.dtype, 1, "C")(count, like), generate


@njit(**OPTIONS, **HELPER)
def convolve(a: Any, b: Any) -> Any:
    """All of the convolution of two vectors."""
    if a.size == 0 or b.size == 0:
        raise ValueError("convolve: an operand is empty")
    long, short = (a, b) if a.size >= b.size else (b, a)
    result = _vector(long.size + short.size - 1, long)
    _convolve(long, short, result)
    return result
