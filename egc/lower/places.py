"""Indices that are values, where they are affine functions of the loops: an element that they choose is read like any other."""

from __future__ import annotations

from collections.abc import Sequence

from egc import sizes
from egc.ir import Node
from egc.ops import INT64
from egc.ranges import Ranges
from egc.sizes import Dim
from egc.views import Index, Map, trace


def place_of(node: Node, index: Map) -> Index | None:
    """The element of an int64 value at an index, as an affine function of the loops that `index` is one of; None where it
    is none. Sizes and numbers of iterations are far from where int64 wraps around.

    >>> from egc import ir
    >>> from egc.views import identity
    >>> k = ir.make("iota", shape=(sizes.symbol("n"),), axis=0)
    >>> print(place_of(ir.make("subtract", k, ir.constant(1, INT64, k.type.shape)), identity(1)))
    Index(offset=-1, terms=((0, 1),))
    """
    if node.type.dtype != INT64:
        return None
    source = trace(node, index)
    base = source.base
    if base.op == "constant":
        return Index(int(base.params["value"]))
    if base.op == "size":
        return Index(base.params["value"])
    if source.checks or source.shape != base.type.shape:
        return None
    if base.op == "iota":
        return source.index[base.params["axis"]]
    if base.op not in ("add", "subtract", "multiply", "negative", "cast"):
        return None
    found = [place_of(child, source.index) for child in base.inputs]
    operands = [place for place in found if place is not None]
    if len(operands) < len(found):
        return None
    match base.op, operands:
        case "add", (a, b):
            return _sum(a, b, 1)
        case "subtract", (a, b):
            return _sum(a, b, -1)
        case "multiply", (a, b) if not a.terms or not b.terms:
            factor, other = (a, b) if not a.terms else (b, a)
            return other.scaled(factor.offset, 0)
        case "negative", (a,):
            return a.scaled(-1, 0)
        case "cast", (a,):
            return a
    return None


def _sum(a: Index, b: Index, sign: int) -> Index:
    steps: dict[int, Dim] = dict(a.terms)
    for loop, step in b.terms:
        steps[loop] = steps.get(loop, 0) + sign * step
    return Index(a.offset + sign * b.offset, tuple((loop, step) for loop, step in steps.items() if step != 0))


def surely_inside(place: Index, length: Dim, dims: Sequence[Dim], ranges: Ranges) -> Index | None:
    """The same place, counted from the start of an axis, where it lies within the axis in all iterations of loops over `dims`;
    None where that is not sure."""
    names = [f"_i.{loop}" for loop in range(len(dims))]
    for name, dim in zip(names, dims):
        ranges = ranges.within(name, dim)
    value = sum((step * sizes.symbol(names[loop]) for loop, step in place.terms), place.offset)
    if ranges.holds(value) and ranges.holds(length - 1 - value):
        return place
    if ranges.holds(-1 - value) and ranges.holds(value + length):
        return Index(place.offset + length, place.terms)
    return None
