"""Loops and branches as functions, for those who want to say which they mean. Each is plain Python that runs as it stands;
optimized functions that call them have one loop or branch in their place.

The names and the order of arguments follow `jax.lax`. A state is a number, an array, or a tuple, list or dict of them; its
form, dtypes and shapes stay the same.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np


def loop(
    pre: Callable[[Any], Any] | None,
    update: Callable[[Any], Any],
    post: Callable[[Any], Any] | None,
    state: Any,
    reverse: Callable[[Any], Any] | None = None,
) -> Any:
    """The state after `update` has been applied while `pre` of the state before and `post` of the state after it hold.

    pre, post: functions of the state, or None for a condition that always holds; both None is refused with ValueError.
    reverse: the inverse of `update`, which gives the state before from the state after it.

    >>> loop(lambda s: s[1] > 1, lambda s: (s[0] * s[1], s[1] - 1), None, (1, 5))
    (120, 1)
    """
    if pre is None and post is None:
        raise ValueError("a loop needs a condition before or after its update")
    while pre is None or pre(state):
        state = update(state)
        if post is not None and not post(state):
            break
    return state


def while_loop(condition: Callable[[Any], Any], body: Callable[[Any], Any], state: Any) -> Any:
    """The state after `body` has been applied while `condition(state)` holds.

    >>> while_loop(lambda x: x < 100.0, lambda x: 2.0 * x, 3.0)
    192.0
    """
    while condition(state):
        state = body(state)
    return state


def do_while(body: Callable[[Any], Any], condition: Callable[[Any], Any], state: Any) -> Any:
    """The state after `body` has been applied once, and again while `condition` of its result holds.

    >>> do_while(lambda x: 2.0 * x, lambda x: x < 100.0, 300.0)
    600.0
    """
    while True:
        state = body(state)
        if not condition(state):
            return state


def fori_loop(lower: Any, upper: Any, body: Callable[[Any, Any], Any], state: Any) -> Any:
    """The state after `state = body(i, state)` for the integers i from `lower` to below `upper`.

    >>> fori_loop(1, 6, lambda i, product: product * i, 1)
    120
    """
    for i in range(lower, upper):
        state = body(i, state)
    return state


def scan(step: Callable[[Any, Any], tuple[Any, Any]], state: Any, xs: Any) -> tuple[Any, np.ndarray]:
    """The last state, and the results stacked, of `state, y = step(state, x)` for the rows x of an array.

    step: gives the next state, and a number or array y whose shape and dtype are always the same.
    xs: an array of at least one row; ValueError for one without.

    >>> total, totals = scan(lambda s, x: (s + x, s + x), 0.0, np.array([1.0, 2.0, 3.0]))
    >>> float(total), totals
    (6.0, array([1., 3., 6.]))
    """
    if len(xs) == 0:
        raise ValueError("a scan needs at least one row")
    state, y = step(state, xs[0])
    first = np.asarray(y)
    ys = np.empty((len(xs), *first.shape), first.dtype)
    ys[0] = first
    for i in range(1, len(xs)):
        state, ys[i] = step(state, xs[i])
    return state, ys


def cond(condition: Any, then: Callable[..., Any], otherwise: Callable[..., Any], *operands: Any) -> Any:
    """`then(*operands)` where the condition, one truth value, holds, else `otherwise(*operands)`; only that one runs.

    >>> cond(2.0 > 1.0, lambda x: x + 1.0, lambda x: x - 1.0, 5.0)
    6.0
    """
    return then(*operands) if condition else otherwise(*operands)


__all__ = ["cond", "do_while", "fori_loop", "loop", "scan", "while_loop"]
