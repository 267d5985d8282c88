"""The kernels as fused loops for numba, as one writes them by hand.

Each outer loop is a `prange`, which is a `range` unless the function is compiled in parallel; sums over everything are
such loops too, and what numba does not recognize as a reduction is split into parts by hand.
"""

from __future__ import annotations

import types
from collections.abc import Callable
from typing import Any

from numba import njit

from benchmarks.peers.numba_loops import elementwise, matrices, memory, normalizations, reductions

MODULES = (elementwise, reductions, normalizations, memory, matrices)

VARIANTS: dict[str, dict[str, bool]] = {
    "numba": {},
    "numba fastmath": {"fastmath": True},
    "numba parallel": {"fastmath": True, "parallel": True},
}


def compiled(name: str, variant: str) -> Callable[..., Any] | None:
    """The kernel under numba's options of this variant, its machine code cached on disk; None where no loop is parallel."""
    written = next(getattr(module, name) for module in MODULES if hasattr(module, name))
    if "parallel" in VARIANTS[variant] and "prange" not in written.__code__.co_names:
        return None
    function = types.FunctionType(written.__code__, written.__globals__, written.__name__, written.__defaults__)
    # numba's cache knows a function by its qualified name, not by its options.
    function.__module__, function.__qualname__ = written.__module__, f"{name}_{variant.replace(' ', '_')}"
    return njit(cache=True, **VARIANTS[variant])(function)
