"""float32 forms: the same functions, or those in float64, rounded once."""

from __future__ import annotations

from collections.abc import Callable
from inspect import signature

from egc.backends.numba.vector.lanes import Lane, narrowed, widened

WIDE = {"kl_div"}
"""The functions whose intermediate results overflow in float32, where SciPy's do not."""


def form(name: str, function: Callable[..., Lane]) -> Callable[..., Lane]:
    """The form on float32 of an op that has none of its own, given the one for both formats."""
    if name not in WIDE:
        return function
    if len(signature(function).parameters) == 1:
        return lambda x: narrowed(function(widened(x)))
    return lambda x, y: narrowed(function(widened(x), widened(y)))
