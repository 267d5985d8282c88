"""What lies in the regions of a loop or branch: their steps, statements, memory and numbers."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

import numpy as np

from egc import sizes
from egc.lower.loops import Body, Branch, Call, Check, Flow, Repeat
from egc.lower.statements import For, Gather, Scatter, statements
from egc.ranges import coefficient
from egc.sizes import Dim
from egc.types import ArrayType


def may_fail(step: Flow) -> bool:
    """Whether a nest has an index that is a value and may be out of bounds."""
    nests = (inner for inner in steps_in(step) if isinstance(inner, For))
    return any(isinstance(s, (Gather, Scatter)) and s.mode == "raise" for s in statements(nests))


def statements_in(step: Flow) -> Iterator[Any]:
    for inner in steps_in(step):
        if not isinstance(inner, (Repeat, Branch, Check, Call)):
            yield from statements([inner])


def steps_in(step: Flow) -> Iterator[Any]:
    """The steps of all regions, at any depth."""
    for body in step.bodies():
        for inner in body.steps:
            yield inner
            if isinstance(inner, (Repeat, Branch)):
                yield from steps_in(inner)


def bodies_in(step: Flow, without: Collection[int] = ()) -> Iterator[Body]:
    for body in step.bodies():
        yield body
        for inner in body.steps:
            if isinstance(inner, (Repeat, Branch)) and id(inner) not in without:
                yield from bodies_in(inner, without)


def blocks_in(step: Flow, without: Collection[int] = ()) -> Iterator[tuple[str, ArrayType]]:
    """The arrays of the regions, those of some loops left out."""
    if id(step) not in without:
        for body in bodies_in(step, without):
            yield from body.blocks


def scalars_in(step: Flow) -> Iterator[tuple[str, np.dtype]]:
    for body in bodies_in(step):
        yield from body.scalars
    for inner in (step, *steps_in(step)):
        if isinstance(inner, Repeat) and inner.index is not None:
            yield inner.index, np.dtype(np.int64)


def indices_in(step: Flow) -> Iterator[str]:
    yield from (index for index, _ in counts_in(step))


def counts_in(step: Flow) -> Iterator[tuple[str, str | None]]:
    """The iterations' numbers of the loops, and the scalars that say how often they run; what is inside comes later."""
    for inner in (step, *steps_in(step)):
        if isinstance(inner, Repeat) and inner.index is not None:
            yield inner.index, inner.count


def moved_in(step: Flow) -> Iterator[str]:
    for body in bodies_in(step):
        for target, value in body.moves:
            yield from (target, value)


def largest(type: ArrayType, counts: Mapping[str, Dim | None]) -> ArrayType:
    """Memory that holds an array in every iteration of the loops that run `counts` times, by the names of their iterations'
    numbers, the outermost first: made once, rather than in each. The type itself where its size has no such bound.

    >>> from egc.sizes import symbol
    >>> print(largest(ArrayType(np.dtype(float), (symbol("n") - symbol("_i1") - 1,)), {"_i1": symbol("n")}))
    f64[max(0, n - 1)]
    """
    size = type.size
    for index, count in reversed(counts.items()):
        factor = coefficient(size, index)
        if factor == 0:
            continue
        if not isinstance(factor, int) or (factor > 0 and count is None):
            return type
        last = 0 if factor < 0 or count is None else count - 1
        size = sizes.substitute(size, {index: last})
    return type if size == type.size else ArrayType(type.dtype, (sizes.maximum(0, size),))
