"""Functions that Python runs while what they call is traced: each name that has a traced meaning stands for that.

Most functions of arrays dispatch on their operands; those of SciPy and of egc itself, and what makes arrays of sizes, do not.
"""

from __future__ import annotations

import importlib
from functools import lru_cache
from types import FunctionType, ModuleType
from typing import Any

import numpy as np

from egc.capture.registry import BY_NAME, lookup


def tracing(function: FunctionType) -> FunctionType:
    """The function on names that are traced. It runs inside of an active Context.

    What it reads from its module is as it was when the first function of that module was asked for.
    """
    return _on(function, _traced_names(_Names(function.__globals__)))


class _Names:
    """A module's names, compared by identity."""

    def __init__(self, names: dict[str, Any]):
        self.names = names

    def __hash__(self) -> int:
        return id(self.names)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Names) and self.names is other.names


@lru_cache(maxsize=256)
def _traced_names(module: _Names) -> dict[str, Any]:
    names: dict[str, Any] = {}
    for name, value in module.names.items():
        own = isinstance(value, FunctionType) and value.__globals__ is module.names
        names[name] = _on(value, names) if own else traced(value)
    return names


def _on(function: FunctionType, names: dict[str, Any]) -> FunctionType:
    made = FunctionType(function.__code__, names, function.__name__, function.__defaults__, function.__closure__)
    made.__kwdefaults__ = function.__kwdefaults__
    return made


class Traced(ModuleType):
    """A module whose functions are traced. What is known by name is not looked for in the module: SciPy's parts take longer to
    import than a program to compile."""

    def __init__(self, name: str):
        super().__init__(name)

    def __getattr__(self, attribute: str) -> Any:
        name = f"{self.__name__}.{attribute}"
        if name in BY_NAME:
            found: Any = BY_NAME[name]
        elif any(known.startswith(f"{name}.") for known in BY_NAME):
            found = Traced(name)
        else:
            found = traced(getattr(importlib.import_module(self.__name__), attribute))
        self.__dict__[attribute] = found
        return found


def traced(value: Any) -> Any:
    """What a value of a module stands for."""
    if isinstance(value, ModuleType):
        return Traced(value.__name__)
    if isinstance(value, (type, np.ufunc)) or not callable(value):
        return value
    return lookup(value) or value
