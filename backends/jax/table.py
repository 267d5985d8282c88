"""The table of emitters and the exceptions that they announce."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import jax.numpy as jnp

Params = Mapping[str, Any]
Emit = Callable[..., Any]

EMIT: dict[str, Emit] = {}
"""For each op a function `(errors, params, *values) -> traced value`, or a tuple of them for several results."""


class Errors:
    """The exceptions that a run may have to raise: the class and message of each, and a traced bool that tells."""

    def __init__(self) -> None:
        self.flags: dict[tuple[str, str], Any] = {}

    def when(self, flag: Any, kind: str, message: str) -> None:
        key, some = (kind, message), jnp.any(flag)
        self.flags[key] = jnp.logical_or(self.flags[key], some) if key in self.flags else some


def meaning(*names: str) -> Callable[[Emit], Emit]:
    """Enters a function as the emitter of ops. One that serves several ops takes the op's name first."""

    def register(function: Emit) -> Emit:
        for name in names:
            EMIT[name] = function if len(names) == 1 else partial(function, name)
        return function

    return register
