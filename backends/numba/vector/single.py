"""float32 forms of the functions that have none of their own: computed in float64, which is exact enough to round once."""

from __future__ import annotations

from typing import Any

from numba import float32, float64

from egc.backends.numba.vector.primitives import inner


def rounded(function: Any) -> Any:
    """A function of one float64 as a function of one float32."""

    @inner
    def single(x):
        return float32(function(float64(x)))

    return single


def rounded2(function: Any) -> Any:
    """A function of two float64 as a function of two float32."""

    @inner
    def single(x, y):
        return float32(function(float64(x), float64(y)))

    return single
