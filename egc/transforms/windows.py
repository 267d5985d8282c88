"""Windows of arrays: what a slice reads, and an update_slice writes."""

from __future__ import annotations

from collections.abc import Sequence

from egc.ir import Node, make
from egc.sizes import Dim
from egc.types import Shape

Window = tuple[Sequence[Dim], Shape, Sequence[int]]
"""Start, size and step."""


def window_of(node: Node) -> Window:
    """The window that a slice reads, or an update_slice writes."""
    value = node if node.op == "slice" else node.inputs[1]
    return node.params["start"], value.type.shape, node.params["step"]


def read(x: Node, window: Node) -> Node:
    """The elements of an array in the window of a slice or update_slice."""
    start, size, step = window_of(window)
    if x.op == "update_slice" and window_of(x) == (start, size, step):
        return x.inputs[1]
    return make("slice", x, start=start, size=size, step=step, line=window.line, scopes=window.scopes)


def write(x: Node, value: Node, window: Node) -> Node:
    """An array with other elements in the window that an update_slice writes."""
    while x.op == "update_slice" and window_of(x) == window_of(window):
        x = x.inputs[0]
    start, _, step = window_of(window)
    return make("update_slice", x, value, start=start, step=step, line=window.line, scopes=window.scopes)
