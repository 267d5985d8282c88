"""Sums of products over an axis that both factors have, as matrix products."""

from __future__ import annotations

from egc import ir
from egc.ir import Node, make
from egc.transforms.vmap import reshaped, transposed


def contracted(root: Node) -> Node:
    """A value with every sum of a product of two repeated arrays as a matrix product, where it is one.

    >>> from egc.types import parse_type
    >>> a, b = ir.input("a", parse_type("f64[n, k]")), ir.input("b", parse_type("f64[m, k]"))
    >>> shape = (*a.type.shape[:1], *b.type.shape)
    >>> repeated = [make("broadcast", a, shape=shape, axes=(0, 2)), make("broadcast", b, shape=shape, axes=(1, 2))]
    >>> contracted(make("sum", make("multiply", *repeated), axes=(2,))).op
    'matmul'
    """
    new: dict[Node, Node] = {}
    for node in ir.topological([root]):
        same = ir.rebuild(node, [new[child] for child in node.inputs])
        new[node] = _product(same) or same
    return new[root]


def _placed(node: Node) -> tuple[Node, list[int]]:
    """What a repeated array repeats, and the axis of the result that each of its axes is."""
    if node.op == "broadcast":
        base, axes = _placed(node.inputs[0])
        return base, [node.params["axes"][axis] for axis in axes]
    if node.op == "transpose" and node.inputs[0].op in ("broadcast", "transpose"):
        base, axes = _placed(node.inputs[0])
        return base, [node.params["axes"].index(axis) for axis in axes]
    return node, list(range(node.type.rank))


def _product(node: Node) -> Node | None:
    if node.op != "sum" or len(node.params["axes"]) != 1 or node.inputs[0].op != "multiply":
        return None
    if node.type.dtype.kind not in "fc":
        return None
    (summed,) = node.params["axes"]
    (a, ours), (b, theirs) = map(_placed, node.inputs[0].inputs)
    rank = node.inputs[0].type.rank
    if summed not in ours or summed not in theirs or {*ours, *theirs} != set(range(rank)):
        return None
    batch = [axis for axis in range(rank) if axis in ours and axis in theirs and axis != summed]
    rows = [axis for axis in ours if axis not in theirs]
    columns = [axis for axis in theirs if axis not in ours]
    if len(batch) > 1 or len(rows) > 1 or len(columns) > 1 or (batch and not (rows or columns)):
        return None
    left = transposed(a, [ours.index(axis) for axis in (*batch, *rows, summed)])
    right = transposed(b, [theirs.index(axis) for axis in (*batch, summed, *columns)])
    shape = node.inputs[0].type.shape
    if batch:
        lengths = [shape[axis] for axis in (*batch, *(rows or [-1]), summed)]
        left = reshaped(left, lengths if rows else [lengths[0], 1, shape[summed]])
        right = right if columns else reshaped(right, [shape[batch[0]], shape[summed], 1])
    found = make("matmul", left, right)
    order = [*batch, *rows, *columns]
    found = reshaped(found, [shape[axis] for axis in order])
    return transposed(found, [order.index(axis) for axis in sorted(order)])
