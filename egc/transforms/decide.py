"""What the ranges of iterations' numbers decide.

comparison of sizes that holds in every iteration, or in none = true, false
element at a position that is never negative, or always = slice
remainder of a size below the divisor = the size
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any

from egc import ir, sizes
from egc.ir import Node, Program, make
from egc.ops import INT64
from egc.ranges import Ranges
from egc.sizes import Dim, Size
from egc.transforms.tidy import tidy
from egc.transforms.vmap import reshaped
from egc.trips import count_size
from egc.types import ArrayType

COMPARISONS = frozenset(["equal", "not_equal", "less", "less_equal", "greater", "greater_equal"])


def decided(program: Program, ranges: Ranges) -> Program:
    """The Program with what is known of sizes put into it."""

    def visit(node: Node, inputs: tuple[Node, ...]) -> Node:
        node = ir.rebuild(node, inputs)
        if node.op == "size":
            return ir.size(reduced(node.params["value"], ranges), node.line)
        if node.op in COMPARISONS and not node.type.rank:
            return _compared(node, ranges)
        if node.op == "gather":
            return _sliced(node, ranges)
        if node.op in ("slice", "update_slice"):
            start = tuple(reduced(each, ranges) for each in node.params["start"])
            return make(node.op, *inputs, line=node.line, scopes=node.scopes, **{**node.params, "start": start})
        inner = ranges.inside(node)
        return ir.with_regions(node, lambda region: decided(region, inner))

    return tidy(ir.map_nodes(program, visit), ranges)


def reduced(size: Dim, ranges: Ranges) -> Dim:
    """A size without remainders, maxima and minima that ranges decide.

    >>> from egc.sizes import mod, symbol
    >>> print(reduced(mod(symbol("_i1"), symbol("n")), Ranges({"n": 1}, {"_i1": symbol("n")})))
    _i1
    """
    if isinstance(size, int):
        return size
    total: Dim = 0
    for monomial, factor in size.terms:
        product: Dim = factor
        for atom, power in monomial:
            value = sizes.symbol(atom) if isinstance(atom, str) else _atom(atom, ranges)
            for _ in range(power):
                product = product * value
        total = total + product
    return total


def _atom(atom: tuple[str, Dim, Dim], ranges: Ranges) -> Dim:
    name, a, b = atom[0], reduced(atom[1], ranges), reduced(atom[2], ranges)
    if name == "mod" and ranges.holds(b - 1):
        for times in (0, 1, -1):
            rest = a - times * b
            if ranges.holds(rest) and ranges.holds(b - 1 - rest):
                return rest
    if name in ("max", "min"):
        for larger, smaller in ((a, b), (b, a)):
            if ranges.holds(larger - smaller):
                return larger if name == "max" else smaller
    functions: Mapping[str, Callable[[Any, Any], Dim]] = {
        "mod": sizes.mod, "floordiv": sizes.floordiv, "max": sizes.maximum, "min": sizes.minimum,
    }  # fmt: skip
    return functions[name](a, b)


def _compared(node: Node, ranges: Ranges) -> Node:
    a, b = (count_size(child) if child.type.dtype == INT64 else None for child in node.inputs)
    if a is None or b is None:
        return node
    apart = reduced(a - b, ranges)
    if isinstance(apart, Size):
        low, high = _lower(apart, ranges), _lower(0 - apart, ranges)
    else:
        low, high = apart, -apart
    known = _outcome(node.op, low, None if high is None else -high)
    return node if known is None else ir.constant(known, node.type.dtype, line=node.line)


def _lower(size: Dim, ranges: Ranges) -> int | None:
    """A number that a size is not below, by what else is known to be not negative too."""
    low = ranges.lower(size)
    if ranges.facts and (low is None or low < 1):
        return next((least for least in (1, 0) if ranges.holds(size - least)), low)
    return low


def _outcome(op: str, low: int | None, high: int | None) -> bool | None:
    """Whether `d op 0`, for all d from low to high; None where that depends."""
    compare: Callable[[int, int], bool] = getattr(operator, NAMES[op])
    if low is not None and low == high:
        return compare(low, 0)
    if low is not None and low > 0:
        return compare(1, 0)
    if high is not None and high < 0:
        return compare(-1, 0)
    if low == 0 and op in ("greater_equal", "less"):
        return op == "greater_equal"
    if high == 0 and op in ("less_equal", "greater"):
        return op == "less_equal"
    return None


NAMES = {"equal": "eq", "not_equal": "ne", "less": "lt", "less_equal": "le", "greater": "gt", "greater_equal": "ge"}


def _sliced(node: Node, ranges: Ranges) -> Node:
    x, *places = node.inputs
    axes = node.params["axes"]
    if node.params["mode"] != "raise" or any(place.type.rank for place in places):
        return node
    starts: dict[int, Dim] = {}
    for axis, place in zip(axes, places):
        size, length = count_size(place), x.type.shape[axis]
        if size is None:
            return node
        options = (reduced(each, ranges) for each in (size, size + length))
        start = next((each for each in options if ranges.holds(each) and ranges.holds(length - 1 - each)), None)
        if start is None:
            return node
        starts[axis] = start
    rank = x.type.rank
    shape = tuple(1 if axis in starts else dim for axis, dim in enumerate(x.type.shape))
    window = make("slice", x, start=tuple(starts.get(axis, 0) for axis in range(rank)), size=shape, step=(1,) * rank)
    assert isinstance(node.type, ArrayType)
    return reshaped(window, node.type.shape) if list(axes) == sorted(axes) else node
