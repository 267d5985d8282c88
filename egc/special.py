"""scipy.special's ufuncs under their names, for rule files: SciPy is imported when numbers are to be computed.

Tracing a rule needs to know which function it calls and no more, so that compiling a program without special functions
does not wait for their module, the slowest that there is to import.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np

from egc.ops import SPECIAL

FLOAT64 = np.dtype(np.float64)


class Function:
    """A primitive of scipy.special: on traced operands its op, on all others SciPy's own function."""

    def __init__(self, name: str, nin: int):
        self.__name__ = self.__qualname__ = name
        self.__module__ = "scipy.special"
        self.nin, self.nout = nin, 1

    @cached_property
    def __egc_plain__(self) -> Any:
        import scipy.special

        return getattr(scipy.special, self.__name__)

    def __call__(self, *operands: Any, **options: Any) -> Any:
        traced = next((x for x in operands if getattr(type(x), "traced", False)), None)
        if traced is None:
            return self.__egc_plain__(*operands, **options)
        return traced.__array_ufunc__(self, "__call__", *operands, **options)

    def resolve_dtypes(self, keys: tuple[Any, ...], **options: Any) -> tuple[np.dtype, ...]:
        """As a ufunc's: the dtypes of the loop for these operands and results."""
        if not options and FLOAT64 in keys and all(key in (FLOAT64, float, int, None) for key in keys):
            return (FLOAT64,) * len(keys)
        return self.__egc_plain__.resolve_dtypes(keys, **options)


FUNCTIONS = {name: Function(name, arity) for arity, names in SPECIAL.items() for name in names if name != "zeta"}


def __getattr__(name: str) -> Any:
    """
    >>> expit(0.0)
    np.float64(0.5)
    """
    if name in FUNCTIONS:
        return FUNCTIONS[name]
    raise AttributeError(f"scipy.special.{name} is no primitive of egc's")
