"""Linear recurrences in JAX: in a logarithmic number of steps where that loses nothing, else one after the other."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from jax import lax

from egc.backends.jax.table import Errors, Params, meaning

GROWTH = 16.0
"""What products of neighbouring factors may grow to: sums of larger terms would cancel."""

SHORT = 8
"""Elements that are not worth more than a step each."""

Steps = tuple[Any, Any]


@meaning("linear_recurrence")
def _linear_recurrence(errors: Errors, params: Params, factor: Any, term: Any, start: Any) -> Any:
    axis = params["axis"]
    if not term.size:
        return term
    by, more = jnp.moveaxis(factor, axis, 0), jnp.moveaxis(term, axis, 0)
    if len(by) <= SHORT:
        found = _one_by_one(by, more, start)
    elif term.dtype.kind in "iu":
        found = _at_once(by, more, start)
    else:
        ahead = _at_once(by, more, start)
        found = lax.cond(_sound(by, more, ahead), lambda: ahead, lambda: _one_by_one(by, more, start))
    return jnp.moveaxis(found, 0, axis)


def _one_by_one(factor: Any, term: Any, start: Any) -> Any:
    def step(last: Any, row: Steps) -> Steps:
        after = row[0] * last + row[1]
        return after, after

    return lax.scan(step, start, (factor, term))[1]


def _at_once(factor: Any, term: Any, start: Any) -> Any:
    """`y -> c y + d` after `y -> a y + b` is `y -> (c a) y + (c b + d)`."""

    def combine(first: Steps, second: Steps) -> Steps:
        (a, b), (c, d) = first, second
        return c * a, c * b + d

    first = factor[0] * start + term[0]
    return lax.associative_scan(combine, (factor, term.at[0].set(first)))[1]


def _sound(factor: Any, term: Any, found: Any) -> Any:
    """Whether products of factors neither grew, so that what they are multiplied with could cancel, nor left the range of numbers
    where that counts: no product can have, or each element is so large that what was lost is nothing beside it, or is zero
    like what it is made from."""
    limits = jnp.finfo(factor.dtype)
    tiny, eps = float(limits.tiny), float(limits.eps)
    by, size = jnp.abs(factor), jnp.abs(found)
    growth = jnp.prod(jnp.maximum(by, 1), axis=0)
    least = jnp.prod(jnp.where(by == 0, 1, jnp.minimum(by, 1)), axis=0)
    zero = (size == 0) & (term == 0)
    same = (by == 0) | jnp.concatenate([zero[:1], zero[1:] & (size[:-1] == 0)])
    clear = (size * eps >= tiny * jnp.max(size, axis=0)) | same
    counted = (least * eps >= tiny) | jnp.all(clear, axis=0)
    return jnp.all((growth <= GROWTH) & counted) & jnp.all(jnp.isfinite(found))
