"""Products of Nodes: operands brought to one dtype and to batches that fit, in the form that rules see."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from egc import sizes
from egc.capture import build
from egc.capture.array import to_node
from egc.capture.context import current
from egc.capture.surface.arguments import equal, smaller
from egc.errors import NotEncodable, ShapeError
from egc.ir import Node
from egc.sizes import Dim
from egc.types import SHORT, format_shape


def promoted(*operands: Any) -> list[Node]:
    """The operands as arrays of one dtype. Python numbers count as arrays here, as in NumPy's `dot`."""
    nodes = [to_node(operand) for operand in operands]
    return [build.cast(node, common_dtype(nodes)) for node in nodes]


def common_dtype(nodes: Sequence[Node]) -> np.dtype:
    """`np.result_type` of arrays."""
    dtype = np.result_type(*(node.type.dtype for node in nodes))
    if dtype not in SHORT:
        raise NotEncodable(f"a product in {dtype}", f"egc has no dtype {dtype}", current().line)
    return dtype


def with_length(x: Node, axis: int, length: Dim) -> Node:
    """The Node with an axis written as a size that is known to equal its own."""
    axis %= x.type.rank
    return build.reshape(x, (*x.type.shape[:axis], length, *x.type.shape[axis + 1 :]))


def matched_batches(a: Node, b: Node, core_a: int, core_b: int) -> tuple[Node, Node]:
    """Operands whose leading axes are equal, or absent from one that every element of the batch shares."""
    batch_a, batch_b = a.type.shape[: a.type.rank - core_a], b.type.shape[: b.type.rank - core_b]
    if not batch_a or not batch_b or batch_a == batch_b:
        return a, b
    batch = build.broadcast_shape(batch_a, batch_b)
    if batch == batch_b and all(dim == 1 for dim in batch_a):
        return build.reshape(a, a.type.shape[len(batch_a) :]), b
    if batch == batch_a and all(dim == 1 for dim in batch_b):
        return a, build.reshape(b, b.type.shape[len(batch_b) :])
    return (
        build.broadcast_to(a, (*batch, *a.type.shape[len(batch_a) :])),
        build.broadcast_to(b, (*batch, *b.type.shape[len(batch_b) :])),
    )


def matmul(a: Node, b: Node, name: str = "matmul") -> Node:
    """NumPy's `matmul` of two Nodes of one dtype. Of bools it is the or of ands."""
    for position, node in enumerate((a, b)):
        if not node.type.rank:
            raise ValueError(f"{name}: Input operand {position} does not have enough dimensions (has 0, requires 1)")
    note_matching_factors(a, b)
    inner = a.type.shape[-1]
    axis = -2 if b.type.rank > 1 else 0
    if not equal(inner, b.type.shape[axis]):
        raise ShapeError(
            f"{name}: Input operand 1 has a mismatch in its core dimension 0 "
            f"(size {b.type.shape[axis]} is different from {inner})",
            current().line,
        )
    b = with_length(b, axis, inner)
    a, b = matched_batches(a, b, min(a.type.rank, 2), min(b.type.rank, 2))
    if a.type.dtype.kind == "b":
        count = current().make("matmul", build.cast(a, np.float64), build.cast(b, np.float64))
        return current().make("not_equal", count, build.zeros_like(count))
    return current().make("matmul", a, b)


def multiply(a: Node, b: Node) -> Node:
    return current().make("multiply", *build.broadcast_together(a, b))


def total(x: Node, axes: Sequence[int]) -> Node:
    """The sum over axes in the operand's dtype, the or of bools."""
    return build.reduce("any" if x.type.dtype.kind == "b" else "sum", x, axes)


def conjugate(x: Node) -> Node:
    return current().make("conjugate", x) if x.type.dtype.kind == "c" else x


def matrix_transpose(x: Node) -> Node:
    rank = x.type.rank
    return build.transpose(x, (*range(rank - 2), rank - 1, rank - 2))


def dot(a: Node, b: Node) -> Node:
    """NumPy's `dot`: over the last axis of a and the last but one of b, without broadcasting."""
    if not a.type.rank or not b.type.rank:
        return multiply(a, b)
    axis = b.type.rank - 2 if b.type.rank > 1 else 0
    if not equal(a.type.shape[-1], b.type.shape[axis]):
        raise ShapeError(
            f"shapes {format_shape(a.type.shape)} and {format_shape(b.type.shape)} not aligned: "
            f"{a.type.shape[-1]} (dim {a.type.rank - 1}) != {b.type.shape[axis]} (dim {axis})",
            current().line,
        )
    if b.type.rank <= 2 or a.type.rank == 1:
        return matmul(a, b)
    return tensordot(a, b, [a.type.rank - 1], [axis])


def tensordot(a: Node, b: Node, summed_a: Sequence[int], summed_b: Sequence[int]) -> Node:
    """The sum over pairs of axes, as one `matmul`; the result has a's other axes, then b's."""
    free_a = [axis for axis in range(a.type.rank) if axis not in summed_a]
    free_b = [axis for axis in range(b.type.rank) if axis not in summed_b]
    shape = [*(a.type.shape[axis] for axis in free_a), *(b.type.shape[axis] for axis in free_b)]
    rows, columns = build.count(a.type.shape, free_a), build.count(b.type.shape, free_b)
    inner = sizes.product(tuple(a.type.shape[axis] for axis in summed_a))
    left = build.transpose(a, (*free_a, *summed_a))
    right = build.transpose(b, (*summed_b, *free_b))
    left = build.reshape(left, (rows, inner) if free_a else (inner,))
    right = build.reshape(right, (inner, columns) if free_b else (inner,))
    return build.reshape(matmul(left, right), shape)


def diagonal(x: Node, offset: int = 0) -> Node:
    """The diagonals of the last two axes. What is square is taken to be so for every call: laws of traces speak of that."""
    rows, columns = x.type.shape[-2:]
    if current().alike(rows, columns):
        note_square_factors(x)
    if offset >= 0:
        columns = columns - offset
    else:
        rows = rows + offset
    size = smaller(rows, columns) if current().at_least(rows, 0) and current().at_least(columns, 0) else 0
    return current().make("diagonal", x, offset=offset, size=size)


JOINED = frozenset("transpose reshape broadcast multiply negative pad".split())


def note_square_factors(node: Node) -> None:
    """Square factors, and blocks on the diagonal, of a square matrix are taken to be so for every call: laws of determinants,
    inverses and traces speak of them. Factors of a product in a rule are what its parameters say."""
    stack = [node]
    while stack:
        each = stack.pop()
        if each.op == "concatenate":
            stack += [_on_diagonal(row, k, len(each.inputs)) for k, row in enumerate(each.inputs)]
        elif each.op == "matmul":
            stack += each.inputs if current().notes_factors else ()
        elif each.op in JOINED:
            stack += each.inputs
        elif each.type.rank == 2 and each.op != "constant":
            current().alike(*each.type.shape)


def note_matching_factors(a: Node, b: Node) -> None:
    """Where each factor of a Kronecker product has a product with that of another here, it is taken to have one for every
    call: the mixed law (A o B) (C o D) = (A C) o (B D) speaks of these."""
    if a.op == b.op == "reshape" and a.type.rank == b.type.rank == 2 and current().notes_factors:
        left, right = _factors(a), _factors(b)
        if len(left) == len(right) > 1:
            for x, y in zip(left, right):
                current().alike(x.type.shape[1], y.type.shape[0])


def _factors(node: Node) -> list[Node]:
    """The matrices that a reshaped product of broadcast ones is made of, in order."""
    if node.op in ("reshape", "broadcast", "multiply", "transpose"):
        return [factor for each in node.inputs for factor in _factors(each)]
    return [node] if node.type.rank == 2 and node.op != "constant" else []


def _on_diagonal(row: Node, place: int, count: int) -> Node:
    """The block of a row of blocks that lies on the diagonal; the row itself where it is not one of as many."""
    return row.inputs[place] if row.op == "concatenate" and len(row.inputs) == count else row


def last_axes(x: Node, *axes: int) -> Node:
    """The Node with these axes moved to the end, in this order."""
    moved = [build.normalize_axis(axis, x.type.rank) for axis in axes]
    if len(set(moved)) != len(moved):
        raise ValueError("axis1 and axis2 cannot be the same")
    return build.transpose(x, (*(axis for axis in range(x.type.rank) if axis not in moved), *moved))
