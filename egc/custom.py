"""Functions with a derivative of their own."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any


class CustomDerivative:
    """A function whose tangents are what a rule says, not what its definition would give: see `custom_derivative`."""

    __name__: str

    def __init__(self, function: Callable[..., Any]):
        functools.update_wrapper(self, function)
        self.function = function
        self.rule: Callable[[Any, Any], Any] | None = None

    def defjvp(self, rule: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
        """Sets the rule: `rule(primals, tangents)` gives the value and its tangent, for tuples of arguments and of their
        tangents. The tangent must be linear in `tangents`: cotangents are found by transposing it."""
        self.rule = rule
        return rule

    def __call__(self, *arguments: Any) -> Any:
        return self.function(*arguments)


def custom_derivative(function: Callable[..., Any]) -> CustomDerivative:
    """A function of floating arrays and numbers, by position, whose derivative is given with `defjvp`.

    For what is computed in a way that should not be differentiated: an iteration whose result has an implicit derivative, a
    table, a sum that is known to converge. As in JAX's `custom_jvp`.

    >>> import numpy as np
    >>> from egc.derivatives import grad
    >>> @custom_derivative
    ... def root(a):
    ...     x = a
    ...     while np.abs(x * x - a) > 1e-12 * a:
    ...         x = 0.5 * (x + a / x)
    ...     return x
    >>> @root.defjvp
    ... def root_tangent(primals, tangents):
    ...     x = root(*primals)
    ...     return x, tangents[0] / (2 * x)
    >>> float(grad(root)(4.0))
    0.25
    """
    return CustomDerivative(function)
