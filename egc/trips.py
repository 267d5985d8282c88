"""How often the regions of loops and branches run, as far as sizes tell."""

from __future__ import annotations

from collections.abc import Mapping

from egc import sizes
from egc.errors import ProgramError
from egc.ir import Node
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


def trip_count(loop: Node, bindings: Mapping[str, int]) -> int:
    """The number of iterations of a loop: as counted, where sizes give it, else an assumed one.

    A size argument is known by its name.
    """
    if not loop.params["counted"]:
        return ASSUMED
    count = loop.inputs[0]
    if count.op == "input":
        return max(bindings.get(count.params["name"], ASSUMED), 0)
    size = count_size(count)
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
