"""The ordinary run takes a seeded sample of many cases that are alike; the others are slow tests.

Of those a run takes EGC_PROGRAMS cases of each test, where that is set, and all of them otherwise.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pytest

MOST = int(os.environ.get("EGC_PROGRAMS", "0"))


def places(count: int, many: int, seed: int = 0) -> set[int]:
    """A seeded choice of `many` of the numbers below `count`, or all where there are no more."""
    return set(np.random.default_rng(seed).permutation(count)[:many].tolist())


def some(values: Iterable[Any], many: int, seed: int = 0) -> list[Any]:
    """Parameters for all values, where all but a seeded choice of `many` are slow."""
    values = list(values)
    now = places(len(values), many, seed)
    return [value if k in now else _slow(value) for k, value in enumerate(values)]


def crossed(first: Sequence[Any], second: Sequence[Any], many: int = 1) -> list[Any]:
    """Parameters for all pairs, where all but `many` pairs of each value of the first are slow: those of the second take turns."""
    found = []
    for k, one in enumerate(first):
        now = {(many * k + j) % len(second) for j in range(many)}
        found += [(one, other) if j in now else _slow((one, other)) for j, other in enumerate(second)]
    return found


def _slow(value: Any) -> Any:
    if isinstance(value, type(pytest.param())):
        return pytest.param(*value.values, id=value.id, marks=(*value.marks, pytest.mark.slow))
    return pytest.param(*(value if isinstance(value, tuple) else (value,)), marks=pytest.mark.slow)


def left_out(items: Sequence[pytest.Item], many: int = MOST) -> set[str]:
    """The slow cases beyond a seeded choice of `many` of each test's; none where `many` is 0."""
    tests: dict[str, list[str]] = {}
    for item in items:
        if many and item.get_closest_marker("slow"):
            tests.setdefault(item.nodeid.split("[")[0], []).append(item.nodeid)
    return {
        cases[k]
        for name, cases in tests.items()
        for k in set(range(len(cases))) - places(len(cases), many, zlib.crc32(name.encode()))
    }
