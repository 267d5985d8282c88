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


def elementwise_cond(mask: Any, then: Callable[..., Any], otherwise: Callable[..., Any], *operands: Any) -> np.ndarray:
    """`then` of the elements of the operands at which a mask holds, and `otherwise` of the others, each in its place.

    mask: a bool array. then, otherwise: functions of one number, or one-dimensional array, for each operand, which give a number
    for each of its elements that depends on nothing else. operands: numbers, or arrays of any shapes that broadcast with the
    mask's. The result has the broadcast shape, and the dtype of both sides' together, as that of `np.where`.

    As plain Python each function gets only the elements that it is for. An optimized function has a `where` of both sides:
    on numba, one of much work is computed only for the elements that take it, and little is computed for all, which takes less.

    >>> elementwise_cond(np.array([True, False, True]), np.sqrt, np.negative, np.array([4.0, 1.0, 9.0]))
    array([ 2., -1.,  3.])
    """
    mask = np.asarray(mask, bool)
    shape = np.broadcast_shapes(mask.shape, *map(np.shape, operands))
    mask = np.broadcast_to(mask, shape)
    sides = []
    for place, function in ((mask, then), (~mask, otherwise)):
        given = [np.broadcast_to(each, shape)[place] if np.ndim(each) else each for each in operands]
        sides.append((place, function(*given)))
    result = np.empty(shape, np.result_type(*(values for _, values in sides)))
    for place, values in sides:
        result[place] = values
    return result


def _of_both_sides(mask: Any, then: Callable[..., Any], otherwise: Callable[..., Any], *operands: Any) -> np.ndarray:
    return np.where(mask, then(*operands), otherwise(*operands))


# What an optimized function reads in the place of the calls that choose elements by number.
setattr(elementwise_cond, "__egc_plain__", _of_both_sides)  # noqa: B010


__all__ = ["cond", "do_while", "elementwise_cond", "fori_loop", "loop", "scan", "while_loop"]
