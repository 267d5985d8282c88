"""Derivatives of linear recurrences: the tangent's recurrence has the same factors, the cotangent's has them from the last one
back.

    y[i] = a[i] y[i - 1] + b[i]          dy[i] = a[i] dy[i - 1] + (da[i] y[i - 1] + db[i])
                                         b'[i] = y'[i] + a[i + 1] b'[i + 1],  a'[i] = b'[i] y[i - 1]
"""

from __future__ import annotations

from egc import ir
from egc.ir import Node, make
from egc.transforms.derivatives.arrays import flipped
from egc.transforms.derivatives.notation import plus, zeros
from egc.transforms.derivatives.tables import Tangents, backward, forward
from egc.types import Shape

OP = "linear_recurrence"


@forward(OP)
def _linear_recurrence(node: Node, tangents: Tangents) -> Node | None:
    factor, _, start = node.inputs
    by, more, first = tangents
    if by is not None:
        more = plus(make("multiply", by, _before(node)), more)
    more = zeros(node.type) if more is None else more
    return make(OP, factor, more, zeros(start.type) if first is None else first, **node.params)


def _before(node: Node) -> Node:
    """What each element was made from: the start, and all but the last."""
    shape = node.type.shape
    row = make("reshape", node.inputs[2], shape=_with_one(node))
    joined = make("concatenate", row, node, axis=node.params["axis"])
    return make("slice", joined, start=(0,) * len(shape), size=shape, step=(1,) * len(shape))


def _with_one(node: Node) -> Shape:
    """The shape of one of the rows that come one after the other."""
    shape, axis = node.type.shape, node.params["axis"]
    return (*shape[:axis], 1, *shape[axis + 1 :])


@backward(OP)
def _linear_recurrence_back(node: Node, ct: Node, k: int) -> Node | None:
    """By one more element than there are: the first is the start's."""
    if k == 0:
        return None
    (factor, _, start), axis, shape = node.inputs, node.params["axis"], node.type.shape
    none, nothing = (0,) * len(shape), ir.constant(0, node.type.dtype)
    one = tuple(int(each == axis) for each in range(len(shape)))
    by, more = make("pad", factor, nothing, low=none, high=one), make("pad", ct, nothing, low=one, high=none)
    found = flipped(make(OP, flipped(by, axis), flipped(more, axis), zeros(start.type), axis=axis), axis)
    if k == 1:
        return make("slice", found, start=one, size=shape, step=(1,) * len(shape))
    size = _with_one(node)
    first = make("slice", found, start=none, size=size, step=(1,) * len(shape))
    return make("reshape", first, shape=start.type.shape)
