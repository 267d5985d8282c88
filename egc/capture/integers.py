"""Python's integers have no bounds. Where an int64 may not hold one, a check says so, and the function runs as written.

A number that grows by less than `STEP` at a time, such as a counter, is not checked: it would take longer than anybody waits.
"""

from __future__ import annotations

import numpy as np

from egc import ir, sizes
from egc.capture.bounds import extreme
from egc.capture.context import GREATEST_SIZE, current
from egc.ir import Node
from egc.sizes import Size

MOST = 2**63 - 1
STEP = GREATEST_SIZE

FAR = 9.2e18
"""A float64 below `MOST` by more than the error of a product."""

VISITED = 200
"""Nodes that a bound is found from, at most."""

LARGEST = {"maximum", "minimum", "where", "bitwise_and", "bitwise_or", "bitwise_xor"}
KEPT = {"absolute", "negative", "reshape", "slice", "right_shift", "floor_divide", "broadcast"}
INT64 = np.dtype(np.int64)


def magnitude(node: Node) -> int | None:
    """What the absolute value of an integer is surely not above; None where nothing is known."""
    return _magnitude(node, [VISITED])


def _magnitude(node: Node, left: list[int]) -> int | None:
    left[0] -= 1
    kind = getattr(node.type, "dtype", INT64)
    if left[0] < 0:
        return None
    known = current().magnitudes.get(node)
    if known is not None:
        return known
    if kind.kind == "b":
        return 1
    if kind.kind in "iu" and kind.itemsize < 8:
        return int(np.iinfo(kind).max) + 1
    operands = node.inputs
    match node.op:
        case "constant":
            value = node.params["value"]
            return abs(int(value)) if isinstance(value, (int, np.integer)) else None
        case "size":
            return bound_of(node.params["value"])
        case "argmax" | "argmin":
            return STEP
        case "cast":
            return _magnitude(operands[0], left) if operands[0].type.dtype.kind in "biu" else None
        case "sum" if operands[0].op == "cast" and operands[0].inputs[0].type.dtype.kind == "b":
            return STEP
        case "remainder":
            return _magnitude(operands[1], left)
        case "bitwise_and" if any(each.op == "constant" and each.params["value"] >= 0 for each in operands):
            return min(abs(each.params["value"]) for each in operands if each.op == "constant")
        case "item":
            return _result(operands[0], node.params["index"], left)
        case "add" | "subtract" | "multiply":
            found = [_magnitude(each, left) for each in operands]
            if found[0] is None or found[1] is None:
                return None
            total = found[0] * found[1] if node.op == "multiply" else found[0] + found[1]
            return total if total <= MOST else None
    if node.op in KEPT:
        return _magnitude(operands[0], left)
    if node.op in LARGEST:
        several = [_magnitude(each, left) for each in operands[-2:]]
        return None if None in several else max(each for each in several if each is not None)
    return None


def bound_of(value: Size | int) -> int | None:
    """What the absolute value of a size is not above. Of an integer that is an argument nothing is known: there it is guarded,
    and None where it does not hold."""
    if isinstance(value, int):
        return abs(value)
    context = current()
    ends = [extreme(value, context.ranges, greatest) for greatest in (False, True)]
    for end in ends:
        argument = isinstance(end, Size) and not set(sizes.symbols(end)) <= set(context.least)
        if argument and end is not None and not (context.at_least(STEP, end) and context.at_least(end, -STEP)):
            return None
    return max(abs(end) if isinstance(end, int) else STEP for end in ends)


def _result(region: Node, index: int, left: list[int]) -> int | None:
    """The bound of a result of a branch or loop, whatever is given to what it runs."""
    if region.op == "cond":
        found = [_magnitude(region.params[side].outputs[index], left) for side in ("then", "otherwise")]
    elif region.op == "loop":
        first = region.inputs[int(region.params["counted"]) + index]
        found = [_magnitude(first, left), _magnitude(region.params["update"].outputs[index], left)]
    else:
        return None
    return None if found[0] is None or found[1] is None else max(found[0], found[1])


def check_integer(ufunc: np.ufunc, node: Node) -> None:
    """Leaves a check behind where the result of an operator of Python's integers may not be an int64."""
    if node.type.dtype != INT64 or node.op not in ("add", "subtract", "multiply", "power", "left_shift"):
        return
    a, b = node.inputs
    bounds = [magnitude(each) for each in (a, b)]
    if node.op in ("add", "subtract"):
        if any(bound is not None and bound <= STEP for bound in bounds) or magnitude(node) is not None:
            return
        _check_float(node.op, a, b)
    elif node.op == "multiply":
        if magnitude(node) is None and 0 not in bounds:
            _check_float(node.op, a, b)
    elif node.op == "power":
        known = bounds[0] is not None and b.op == "constant" and 0 <= b.params["value"] < 64
        if not (known and bounds[0] is not None and bounds[0] ** b.params["value"] <= MOST):
            _check_float(node.op, a, b)
    else:
        make = current().make
        current().check(make("less", b, ir.constant(0, INT64)))
        current().check(make("less", ir.constant(62, INT64), b))
        _check_float("multiply", a, make("exp2", make("cast", b, dtype=np.dtype(float))))


def _check_float(op: str, *operands: Node) -> None:
    make, real = current().make, np.dtype(float)
    near = make(op, *(each if each.type.dtype == real else make("cast", each, dtype=real) for each in operands))
    current().check(make("logical_not", make("less", make("absolute", near), ir.constant(FAR, real))))
