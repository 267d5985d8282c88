"""Functions that Python runs while what they call is traced: each name that has a traced meaning stands for that.

Most functions of arrays dispatch on their operands; those of SciPy and of egc itself, and what makes arrays of sizes, do not.
"""

from __future__ import annotations

import builtins
import importlib
from collections.abc import Callable, Iterator
from functools import lru_cache
from types import CodeType, FunctionType, ModuleType
from typing import Any

import numpy as np

from egc.capture.registry import BY_NAME, lookup

FACTORS = "egc.factors"
"""The module of functions of matrices that are written in NumPy."""


def tracing(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, with the functions of its own module that it calls, on names that are traced. It runs inside of an active
    Context."""
    if not isinstance(function, FunctionType):
        return function
    names: dict[str, Any] = {"__builtins__": function.__globals__.get("__builtins__", builtins)}
    return _on(function, names)


def _on(function: FunctionType, names: dict[str, Any]) -> FunctionType:
    """The function on names, to which it adds those that it reads."""
    module = function.__globals__
    for name in _read(function.__code__):
        if name not in module or name in names:
            continue
        value = module[name]
        if isinstance(value, FunctionType) and value.__globals__ is module:
            names[name] = value
            names[name] = _on(value, names)
        else:
            names[name] = traced(value)
    made = FunctionType(function.__code__, names, function.__name__, function.__defaults__, function.__closure__)
    made.__kwdefaults__ = function.__kwdefaults__
    return made


def _read(code: CodeType) -> Iterator[str]:
    """The names that code may read from its module, also in functions that it defines."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _read(constant)


class Traced(ModuleType):
    """A module whose functions are traced. What is known by name is not looked for in the module: SciPy's parts take longer to
    import than a program to compile."""

    def __getattr__(self, attribute: str) -> Any:
        name = f"{self.__name__}.{attribute}"
        if name in BY_NAME:
            return BY_NAME[name]
        if _has_functions(name, len(BY_NAME)):
            return _module(name)
        return traced(getattr(importlib.import_module(self.__name__), attribute))


@lru_cache(maxsize=1024)
def _has_functions(name: str, known: int) -> bool:
    """Whether some of the functions that are known by name, which only become more, are in a module."""
    return any(each.startswith(f"{name}.") for each in BY_NAME)


@lru_cache
def _module(name: str) -> Traced:
    return Traced(name)


def traced(value: Any) -> Any:
    """What a value of a module stands for."""
    if isinstance(value, ModuleType):
        return _module(value.__name__)
    if isinstance(value, (type, np.ufunc)) or not callable(value):
        return value
    found = lookup(value)
    if found is None and isinstance(value, FunctionType) and value.__module__ == FACTORS:
        return tracing(value)
    return found or value
