"""Matrix products inside of loops, from addresses into memory that the loop has: nothing is made, handed on or copied.

Matrices are told by the elements from one row to the next (`down`, `across`) and from one column to the next (`along`, `near`),
of which one is 1; so that one function serves them all, transposed or not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from egc.backends.numba.calls import native_call
from egc.backends.numba.products import block_product_at, product_at, vector_product_at
from egc.lower.loops import Call
from egc.sizes import Dim

if TYPE_CHECKING:
    from egc.backends.numba.flow import FlowWriter

ONE = "int64(1)"

PLACED_NAMES: dict[str, Any] = {
    "product_at": product_at, "vector_product_at": vector_product_at, "block_product": block_product_at,
}  # fmt: skip
"""What generated code may name."""


def is_placed(writer: FlowWriter, call: Call, indent: int) -> bool:
    """Whether a call is a product of matrices known by addresses, which is written where its result is to be; or shows such a
    matrix transposed, to products alone."""
    node, name = call.node, call.name
    if node.op == "transpose" and node.params["axes"] == (1, 0) and call.operands[0] in writer.source.pointers:
        # The address may be exchanged for another one before the view is read.
        writer.types[name], writer.turned[name] = node.type, f"u{name}"
        writer.line(indent, f"u{name} = {writer.source.pointers[call.operands[0]]}")
        return name not in writer.read
    if node.op != "matmul" or not node.type.rank or native_call(writer.calls, call, ["x", "x"]) is None:  # type: ignore[arg-type]
        return False
    a, b = (each.type for each in node.inputs)
    matrices = [_matrix(writer, operand) for operand in call.operands]
    if None in matrices or max(a.rank, b.rank) > 2:
        return False
    writer.types[name] = node.type
    (left, down, along), (right, across, near) = matrices  # type: ignore[misc]
    if a.rank == b.rank == 2:
        function, lengths = "product_at", (*a.shape, b.shape[1])
        given: tuple[str, ...] = (left, down, along, right, across, near)
    elif a.rank == 2:
        function, lengths, given = "vector_product_at", a.shape, (left, down, along, right)
    else:
        function, lengths, given = "vector_product_at", b.shape[::-1], (right, near, across, left)
    texts = *(_number(writer, dim) for dim in lengths), *given, writer.source.pointers[name]
    writer.line(indent, f"{function}({', '.join(texts)})")
    return True


def _matrix(writer: FlowWriter, name: str) -> tuple[str, str, str] | None:
    """The address of a matrix or vector, and the elements from one row and one column to the next."""
    if name in writer.turned:
        return writer.turned[name], ONE, _number(writer, writer.types[name].shape[0])
    if name not in writer.source.pointers or name in writer.arrays:
        return None
    type = writer.types[name]
    return writer.source.pointers[name], _number(writer, type.shape[1]) if type.rank == 2 else ONE, ONE


def _number(writer: FlowWriter, dim: Dim) -> str:
    """numba compiles a function anew for each literal that it is given."""
    text = writer.source.dim(dim)
    return f"int64({text})" if text.isdigit() else text
