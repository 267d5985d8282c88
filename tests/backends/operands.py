"""Operands of given dtypes and shapes: ordinary and extreme values, memory layouts, matrices."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from egc.types import DTYPES

INEXACT = ("f64", "f32", "c128", "c64")
ALL = tuple(DTYPES)
EVERY_DTYPE = bool(os.environ.get("EGC_TEST_ALL"))


def chosen(rng: np.random.Generator, dtypes: Sequence[Any], count: int, every: bool = EVERY_DTYPE) -> list[Any]:
    """The first of some dtypes and `count` others, in order; all where `every`."""
    if every or len(dtypes) <= count + 1:
        return list(dtypes)
    return [dtypes[0], *(dtypes[k] for k in sorted(1 + rng.permutation(len(dtypes) - 1)[:count]))]


Random = np.random.Generator


def ordinary(rng: Random, dtype: str, shape: tuple[int, ...], low: float = -4, high: float = 4) -> np.ndarray:
    """Random values of moderate size."""
    kind = DTYPES[dtype].kind
    if kind == "b":
        return rng.random(shape) < 0.5
    if kind in "iu":
        return rng.integers(max(low, 0) if kind == "u" else low, high + 3, shape).astype(DTYPES[dtype])
    values = rng.uniform(low, high, shape)
    if kind == "c":
        values = values + 1j * rng.uniform(low, high, shape)
    return np.asarray(values).astype(DTYPES[dtype])


def extremes(dtype: str) -> np.ndarray:
    """Values at the corners of a dtype; no subnormal numbers, nor any whose half is."""
    kind = DTYPES[dtype]
    if kind.kind == "b":
        return np.array([False, True])
    if kind.kind in "iu":
        info = np.iinfo(kind)
        small = [v for v in (0, 1, -1, 2, -2, 3, 7, -7, 8, 31, 33, 63, 64, 100) if info.min <= v]
        return np.array([*small, info.min, info.min + 1, info.max, info.max - 1], kind)
    real = np.dtype(f"f{kind.itemsize // 2}") if kind.kind == "c" else kind
    info = np.finfo(real)
    parts = [0.0, -0.0, 1, -1, 0.5, -0.5, 2.5, -3.5, 1e-3, 17.25, -100.5, 1e10, np.inf, -np.inf, np.nan]
    if kind.kind == "f":
        return np.array([*parts, info.max, -info.max, 4 * info.tiny], real)
    few = [0.0, -0.0, 1, -2.5, np.inf, np.nan]
    return np.array([complex(a, b) for a in few for b in few]).astype(kind)


def layouts(values: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """The first elements of `values` (60 at least) as arrays without axes, without elements, and with gaps."""
    yield "0-d", values.reshape(-1)[3].copy().reshape(())
    yield "empty", values[:0].reshape(0, 3)
    yield "strided", values[:60].reshape(6, 10)[::-2, 1::3]


def square(rng: Random, dtype: str, shape: tuple[int, ...]) -> np.ndarray:
    """Well-conditioned matrices."""
    return (ordinary(rng, dtype, shape, -1, 1) + 3 * np.eye(shape[-1])).astype(DTYPES[dtype])


def definite(rng: Random, dtype: str, shape: tuple[int, ...]) -> np.ndarray:
    """Positive definite by either triangle; the triangles differ, so that reading the wrong one shows."""
    a = ordinary(rng, dtype, shape, -0.5, 0.5)
    identity = np.eye(shape[-1])
    return (np.where(identity, a.real, a) + 3 * identity).astype(a.dtype)
