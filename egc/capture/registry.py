"""The NumPy surface: which functions capture knows, as a table from function to its meaning in ops."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from egc.capture.array import METHODS, OPERATORS, PROPERTIES, Array
from egc.capture.context import current
from egc.errors import NotEncodable

FUNCTIONS: dict[Any, Callable[..., Any]] = {}
"""Function object -> its traced meaning, with the same signature."""

BY_NAME: dict[str, Callable[..., Any]] = {}
"""Dotted public name -> traced meaning, for functions of modules that capture must not import, such as SciPy's."""

DOCUMENTED: dict[str, list[str]] = {}
"""Theme -> dotted names, in order: the coverage table that `egc` prints."""


def implements(*functions: Any, theme: str, method: str | None = None) -> Callable[[Any], Any]:
    """Registers the traced meaning of NumPy or SciPy functions, and of an ndarray method of that name."""

    def register(meaning: Callable[..., Any]) -> Callable[..., Any]:
        for function in functions:
            FUNCTIONS[function] = meaning
            DOCUMENTED.setdefault(theme, []).append(dotted_name(function))
        if method is not None:
            METHODS[method] = meaning
            DOCUMENTED.setdefault(theme, []).append(f"ndarray.{method}")
        return meaning

    return register


def implements_by_name(*names: str, theme: str) -> Callable[[Any], Any]:
    """Registers the traced meaning of functions by dotted public name, without importing their module."""

    def register(meaning: Callable[..., Any]) -> Callable[..., Any]:
        for name in names:
            BY_NAME[name] = meaning
            DOCUMENTED.setdefault(theme, []).append(name)
        return meaning

    return register


def method(*names: str, theme: str) -> Callable[[Any], Any]:
    """Registers ndarray methods that differ from the function of that name."""

    def register(meaning: Callable[..., Any]) -> Callable[..., Any]:
        for name in names:
            METHODS[name] = meaning
            DOCUMENTED.setdefault(theme, []).append(f"ndarray.{name}")
        return meaning

    return register


def attribute(name: str, theme: str = "attributes") -> Callable[[Any], Any]:
    """Registers an attribute of ndarray."""

    def register(meaning: Callable[[Array], Any]) -> Callable[[Array], Any]:
        PROPERTIES[name] = meaning
        DOCUMENTED.setdefault(theme, []).append(f"ndarray.{name}")
        return meaning

    return register


def dotted_name(function: Any) -> str:
    module = getattr(function, "__module__", None) or "numpy"
    if isinstance(function, np.ufunc):
        module = "numpy" if getattr(np, function.__name__, None) is function else "scipy.special"
    name = getattr(function, "__qualname__", None) or getattr(function, "__name__", None) or type(function).__name__
    module = ".".join(part for part in module.split(".") if not part.startswith("_"))
    return f"{module}.{name}"


def lookup(function: Any) -> Callable[..., Any] | None:
    """The traced meaning of a callable, or None."""
    try:
        found = FUNCTIONS.get(function)
    except TypeError:
        return None
    return _lookup_by_name(function) if found is None else found


def _lookup_by_name(function: Any) -> Callable[..., Any] | None:
    """The meaning under the callable's public name, where that name leads to this very object."""
    name = dotted_name(function)
    meaning = BY_NAME.get(name)
    module, _, attribute = name.rpartition(".")
    return meaning if meaning is not None and getattr(sys.modules.get(module), attribute, None) is function else None


def unknown(function: Any) -> NotEncodable:
    return NotEncodable(f"a call of {dotted_name(function)}", "egc has no ops for it", current().line)


def _call_function(function: Any, arguments: tuple[Any, ...], options: dict[str, Any]) -> Any:
    meaning = lookup(function)
    if meaning is None:
        raise unknown(function)
    return meaning(*arguments, **options)


OPERATORS["function"] = _call_function
