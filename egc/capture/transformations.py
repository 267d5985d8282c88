"""Calls of what egc itself gives: transformed functions, functions with a derivative of their own, and loops with a reverse."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from egc import flow
from egc.capture import custom, derivatives, reversible
from egc.custom import CustomDerivative
from egc.transformed import Transformed

LOOP = ("pre", "update", "post", "state", "reverse")
"""The parameters of `egc.loop`, all of them given where it has a reverse."""

ORDINARY = object()
"""The answer for any other function."""


def call(machine: Any, function: Any, arguments: Sequence[Any], options: dict[str, Any]) -> Any:
    """The results of a call, or ORDINARY."""
    if isinstance(function, derivatives.Pull):
        return machine.call(function.function, (function.primals, *arguments), options)
    if isinstance(function, CustomDerivative):
        return custom.call(machine, function, arguments)
    if isinstance(function, Transformed):
        return derivatives.call(machine, function, arguments, options)
    if function is flow.loop:
        named = {**dict(zip(LOOP, arguments)), **options}
        if named.keys() == set(LOOP) and named["reverse"] is not None:
            return reversible.loop(machine, **named)
    return ORDINARY
