"""What lengths must be for a kernel to run, as NumPy says it."""

from __future__ import annotations

from egc import sizes
from egc.ir import Node
from egc.lower.loops import Check
from egc.sizes import Dim, Size


def nonempty(node: Node) -> Check:
    """That there is an element for a maximum or minimum."""
    reduced = sizes.product(tuple(node.inputs[0].type.shape[axis] for axis in node.params["axes"]))
    name = {"max": "maximum", "min": "minimum"}[node.op]
    text = f"zero-size array to reduction operation {name} which has no identity"
    return Check("nonempty", (reduced,), text)


def indexed(length: Dim, node: Node) -> Check:
    """That there are elements where some are picked."""
    count = node.type.size if node.op == "gather" else node.inputs[1].type.size
    return Check("index", (length, count), "index is out of bounds for an axis of length 0")


def holds(check: Check, inside: bool = False) -> bool:
    """Whether a check surely holds; the symbols of axes stand for positive lengths, those of iterations may be 0. `inside` of
    loops and branches, slices are within bounds."""
    length = check.values[0]
    if check.what == "slice":
        return inside
    return check.what in ("nonempty", "index") and (
        length > 0 if isinstance(length, int) else check.what == "index" and is_axis(length)
    )


def is_axis(length: Size) -> bool:
    """Whether a size is the length of an argument's axis."""
    return str(length).isidentifier() and not str(length).startswith("_i")
