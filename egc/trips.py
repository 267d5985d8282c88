"""How often the regions of loops and branches run, as far as sizes tell."""

from __future__ import annotations

from collections.abc import Mapping

from egc import sizes
from egc.errors import ProgramError
from egc.ir import Node
from egc.kinds import NEGATED, TURNED
from egc.sizes import Dim

ASSUMED = 100
"""Iterations of a loop whose number depends on data."""


def count_size(node: Node) -> Dim | None:
    """An int64 scalar as a size; None where it depends on data."""
    while node.op == "assume" or (node.op == "cast" and node.type.dtype.kind == "i" and not node.type.rank):
        node = node.inputs[0]
    if node.op == "size":
        found: Dim = node.params["value"]
        return found
    if node.op == "constant" and node.type.dtype.kind in "iu":
        return int(node.params["value"])
    if node.op in _OPERATIONS:
        a, b = map(count_size, node.inputs)
        if a is not None and b is not None:
            return _OPERATIONS[node.op](a, b)
    return None


_OPERATIONS = {
    "add": lambda a, b: a + b,
    "subtract": lambda a, b: a - b,
    "multiply": lambda a, b: a * b,
    "maximum": sizes.maximum,
    "minimum": sizes.minimum,
}


MOST = 2**20
"""The largest number that a size goes on by in an iteration: no loop that ends takes it out of the range of int64."""

_AHEAD = {"less": 0, "less_equal": 1, "greater": 0, "greater_equal": 1}
"""Comparisons of a number that counts with a bound, and how far beyond it the last number that passes lies."""


def while_count(loop: Node) -> tuple[Dim, int | None] | None:
    """How often a loop runs while a state that counts, in a size, has not reached another size, and which state says that it
    has; None for other loops.

    That is told before an iteration, by the state itself, or after it, by a flag.
    """
    params, number = loop.params, loop.params["states"]
    if params["counted"] or params["pre"] is None or params["post"] is not None or params["reverse"] is not None:
        return None
    update, pre = params["update"], params["pre"]
    (test,) = pre.outputs
    inputs, numbers, passes, flag = pre.inputs, pre.inputs[:number], True, None
    while test.op == "logical_not":
        test, passes = test.inputs[0], not passes
    if test in numbers:
        flag = numbers.index(test)
        first = loop.inputs[flag]
        if first.op != "constant" or bool(first.params["value"]) != passes:
            return None
        inputs, numbers, test = update.inputs, update.outputs, update.outputs[flag]
        while test.op == "logical_not":
            test, passes = test.inputs[0], not passes
    if test.op not in _AHEAD:
        return None
    op = test.op if passes else NEGATED[test.op]
    left, right = test.inputs
    if left not in numbers:
        left, right, op = right, left, TURNED[op]
    if left not in numbers or right in numbers:
        return None
    k, given = numbers.index(left), dict(zip(inputs[number:], loop.inputs[number:]))
    by, up = _step(update.inputs[k], update.outputs[k]), op.startswith("less")
    bound, start = (
        count_size(each) if each.type.dtype.itemsize == 8 else None
        for each in (given.get(right, right), loop.inputs[k])
    )
    if bound is None or start is None or by == 0 or (by > 0) != up or abs(by) > MOST:
        return None
    way = bound - start if up else start - bound
    count = sizes.floordiv(way + _AHEAD[op] + abs(by) - 1, abs(by))
    return sizes.maximum(count, 0 if flag is None else 1), flag


def _step(state: Node, output: Node) -> int:
    """The number that is added to a state; 0 for another state."""
    by = 0
    while output is not state:
        sign = {"add": 1, "subtract": -1}.get(output.op, 0)
        left, right = output.inputs if sign else (output, output)
        left, right = (right, left) if sign > 0 and left.op == "constant" else (left, right)
        if not sign or right.op != "constant":
            return 0
        by += sign * int(right.params["value"])
        output = left
    return by


def trip_count(loop: Node, bindings: Mapping[str, int]) -> int:
    """The number of iterations of a loop: as counted, where sizes give it, else an assumed one.

    A size argument is known by its name.
    """
    if loop.params["counted"]:
        count = loop.inputs[0]
        if count.op == "input":
            return max(bindings.get(count.params["name"], ASSUMED), 0)
        size = count_size(count)
    else:
        found = while_count(loop)
        size = None if found is None else found[0]
    if size is None:
        return ASSUMED
    try:
        return max(sizes.evaluate(size, bindings), 0)
    except ProgramError:
        return ASSUMED


def inside(node: Node, bindings: Mapping[str, int]) -> dict[str, int]:
    """The sizes in the regions of a loop or branch, with a typical number for the iteration."""
    if node.op != "loop" or not node.params["counted"]:
        return dict(bindings)
    return {**bindings, node.params["update"].inputs[0].params["name"]: max(trip_count(node, bindings), 1) // 2}
