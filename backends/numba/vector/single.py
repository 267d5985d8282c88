"""float32 forms: of their own where those are cheaper, otherwise computed in float64 and rounded once."""

from __future__ import annotations

from collections.abc import Callable
from inspect import signature

from egc.backends.numba.vector.lanes import Lane, narrowed, widened


def form(name: str, function: Callable[..., Lane]) -> Callable[..., Lane]:
    """The form on float32 of an op, given the one on float64."""
    if name in OWN:
        return OWN[name]
    if len(signature(function).parameters) == 1:
        return lambda x: narrowed(function(widened(x)))
    return lambda x, y: narrowed(function(widened(x), widened(y)))


OWN: dict[str, Callable[..., Lane]] = {}
