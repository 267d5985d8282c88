"""Views as affine addresses: how to read a view's elements directly from the flat array that it shows."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from egc.ir import Node
from egc.sizes import Dim
from egc.types import Shape
from egc.views import Check, Map, identity, trace


@dataclass(frozen=True)
class Affine:
    """Element i of a value is `offset + sum(strides * i)` of C-contiguous `base`, given that `checks` hold."""

    base: Node
    offset: Dim
    strides: tuple[Dim, ...]
    checks: tuple[Check, ...] = ()


@lru_cache(maxsize=4096)
def row_major(shape: Shape) -> tuple[Dim, ...]:
    """The strides of a C-contiguous array, counted in elements.

    >>> row_major((2, 3, 4))
    (12, 4, 1)
    """
    strides: list[Dim] = []
    step: Dim = 1
    for dim in reversed(shape):
        strides.append(step)
        step = step * dim
    return tuple(reversed(strides))


def ordered(name: str) -> str:
    """The name of an array's copy in C order; no array of a Program has such a name."""
    return f"{name}.ordered"


def address(index: Map, strides: tuple[Dim, ...], loops: int) -> tuple[Dim, tuple[Dim, ...]]:
    """The offset, and the stride for each of the loops, of the element at an index of an array with these strides."""
    offset: Dim = 0
    steps: list[Dim] = [0] * loops
    for place, stride in zip(index, strides):
        offset = offset + place.offset * stride
        for loop, step in place.terms:
            steps[loop] = steps[loop] + step * stride
    return offset, tuple(steps)


def affine(node: Node) -> Affine:
    """A value as an affine view. Where that is not possible, the value itself is the base."""
    rank = node.type.rank
    source = trace(node, identity(rank))
    return Affine(source.base, *address(source.index, row_major(source.shape), rank), source.checks)
