"""Linear recurrences in JAX. A CPU takes one step after the other. An accelerator, which starts a kernel for each step, takes a
logarithmic number of steps where that loses nothing."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from jax import lax

from egc.backends.jax.table import Errors, Params, meaning

GROWTH = 16.0
"""What products of neighbouring factors may grow to: sums of larger terms would cancel."""

TOGETHER = 8
"""Steps that an iteration takes: less time than one of one step each."""

Steps = tuple[Any, Any]


@meaning("linear_recurrence")
def _linear_recurrence(errors: Errors, params: Params, factor: Any, term: Any, start: Any) -> Any:
    axis = params["axis"]
    if not term.size:
        return term
    by, more = jnp.moveaxis(factor, axis, 0), jnp.moveaxis(term, axis, 0)
    found = lax.platform_dependent(by, more, start, cpu=in_turn, default=in_few_steps)
    return jnp.moveaxis(found, 0, axis)


def in_turn(factor: Any, term: Any, start: Any) -> Any:
    """y[i] = factor[i] y[i - 1] + term[i] along the first axis."""

    def step(last: Any, row: Steps) -> Steps:
        after = row[0] * last + row[1]
        return after, after

    return lax.scan(step, start, (factor, term), unroll=TOGETHER)[1]


def in_few_steps(factor: Any, term: Any, start: Any) -> Any:
    """The same up to rounding, by `y -> c y + d` after `y -> a y + b` is `y -> (c a) y + (c b + d)`; in turn where that would
    lose more."""

    def combine(first: Steps, second: Steps) -> Steps:
        (a, b), (c, d) = first, second
        return c * a, c * b + d

    first = factor[0] * start + term[0]
    found = lax.associative_scan(combine, (factor, term.at[0].set(first)))[1]
    if term.dtype.kind in "iu":
        return found
    return lax.cond(_sound(factor, term, found), lambda: found, lambda: in_turn(factor, term, start))


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
