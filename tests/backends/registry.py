"""What makes the operands of each op that is not elementwise."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from .operands import Random

Samples = Callable[[Random, str], Iterator[tuple[tuple[np.ndarray, ...], dict[str, Any]]]]
BUILDERS: dict[str, tuple[tuple[str, ...], Samples]] = {}


def samples(dtypes: tuple[str, ...], *names: str) -> Callable[[Samples], Samples]:
    def register(build: Samples) -> Samples:
        for name in names:
            BUILDERS[name] = dtypes, build
        return build

    return register
