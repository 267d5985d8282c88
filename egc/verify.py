"""Compares results of an optimized function with those of the plain one."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from egc.errors import VerificationError

RELATIVE = {"f4": 1e-4, "c8": 1e-4, "f8": 1e-8, "c16": 1e-8}
"""Relative tolerances by dtype, with respect to the largest magnitude in the array."""


def require_equal(found: Any, expected: Any, where: str) -> None:
    """Raises VerificationError unless two results are equal in structure, dtype, shape and value.

    Floating values may differ by rounding. Where the plain function overflowed or gave nan, a finite value may stand
    instead: that is what stability rules are for.
    """
    if isinstance(expected, (np.ndarray, np.generic)):
        _require_same_array(np.asarray(found), np.asarray(expected), where)
    elif isinstance(expected, (list, tuple)):
        if type(found) is not type(expected) or len(found) != len(expected):
            raise VerificationError(f"{where} is {found!r}, the plain function gives {expected!r}")
        for position, (a, b) in enumerate(zip(found, expected)):
            require_equal(a, b, f"{where}[{position}]")
    elif isinstance(expected, dict):
        if not isinstance(found, dict) or list(found) != list(expected):
            raise VerificationError(f"{where} has other keys than the plain function's")
        for key in expected:
            require_equal(found[key], expected[key], f"{where}[{key!r}]")
    elif dataclasses.is_dataclass(expected) and not isinstance(expected, type):
        for field in dataclasses.fields(expected):
            require_equal(getattr(found, field.name), getattr(expected, field.name), f"{where}.{field.name}")
    elif isinstance(expected, (float, complex)):
        if type(found) is not type(expected):
            raise VerificationError(f"{where} is a {type(found).__name__}, the plain function gives {expected!r}")
        _require_same_array(np.asarray(found), np.asarray(expected), where)
    elif type(found) is not type(expected) or not (found is expected or bool(found == expected)):
        raise VerificationError(f"{where} is {found!r}, the plain function gives {expected!r}")


def _require_same_array(found: np.ndarray, expected: np.ndarray, where: str) -> None:
    if found.dtype != expected.dtype or found.shape != expected.shape:
        raise VerificationError(
            f"{where} is {found.dtype}{found.shape}, the plain function gives {expected.dtype}{expected.shape}"
        )
    relative = RELATIVE.get(expected.dtype.str[1:])
    if relative is None:
        same = found == expected
    else:
        with np.errstate(all="ignore"):
            finite = np.isfinite(expected)
            scale = np.max(np.abs(expected), where=finite, initial=0.0)
            close = np.abs(found - expected) <= relative * (np.abs(expected) + scale)
            alike = (found == expected) | (np.isnan(found) & np.isnan(expected)) | np.isfinite(found)
            same = np.where(finite, close, alike)
    if not np.all(same):
        place = tuple(int(i) for i in np.argwhere(~np.asarray(same))[0])
        raise VerificationError(f"{where}{list(place)} is {found[place]}, the plain function gives {expected[place]}")
