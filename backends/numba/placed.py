"""Matrix products inside of loops, from addresses into memory that the loop has: nothing is made, handed on or copied.

Matrices are told by the elements from one row to the next (`down`, `across`) and from one column to the next (`along`, `near`),
of which one is 1; so that one function serves them all, transposed or not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from numba import njit, types
from numba.extending import overload
from numba.np.numpy_support import as_dtype

from egc.backends.numba.blas import block_product, matrix_product, vector_product
from egc.backends.numba.calls import native_call
from egc.backends.numba.linked import HELPER
from egc.backends.numba.products import ELEMENT, FEW, MANY, SMALL, _dots, _product
from egc.backends.numba.threads import share
from egc.lower.loops import Call
from egc.sizes import Dim

if TYPE_CHECKING:
    from egc.backends.numba.flow import FlowWriter

ONE = "int64(1)"

SMALL_DOTS = 4 * SMALL
"""The same as `SMALL` where the rows of both matrices are multiplied, for which BLAS takes three times as long."""


@njit(error_model="numpy", **HELPER)
def product_at(
    rows: int, inner: int, columns: int, left: Any, down: int, along: int, right: Any, across: int, near: int, out: Any
) -> None:
    """Writes the product of `rows` by `inner` and `inner` by `columns` elements to `out`, in C order."""
    small = SMALL_DOTS if along == 1 and near != 1 else SMALL
    if inner == 0:
        for k in range(rows * columns):
            out[k] = 0
    elif rows * inner * columns <= small:
        _product(left, down, along, right, across, near, out, rows, inner, columns)
    else:
        turned = along != 1, near != 1
        steps = (
            max(along, rows) if turned[0] else max(down, inner),
            max(near, inner) if turned[1] else max(across, columns),
        )
        matrix_product(rows, columns, inner, left, steps[0], turned[0], right, steps[1], turned[1], out, columns)


def vector_product_at(rows: int, inner: int, left: Any, down: int, along: int, right: Any, out: Any) -> None:
    """Writes the product of a matrix and a vector, whose elements are neighbours, to `out`."""
    raise NotImplementedError


@overload(vector_product_at, jit_options=HELPER)
def _vector_product_at(rows, inner, left, down, along, right, out):
    if not isinstance(out.dtype, types.Float):
        return lambda rows, inner, left, down, along, right, out: _whole(rows, inner, left, down, along, right, out)
    zero = as_dtype(out.dtype).type(0)

    def product(rows, inner, left, down, along, right, out):
        if along != 1 or inner < FEW or inner > MANY:
            _whole(rows, inner, left, down, along, right, out)
        else:
            share(_dots, rows, 0, ELEMENT * rows * inner, (left, down, right, out, inner, zero))

    return product


@njit(error_model="numpy", **HELPER)
def _whole(rows: int, inner: int, left: Any, down: int, along: int, right: Any, out: Any) -> None:
    if inner == 0:
        for k in range(rows):
            out[k] = 0
    elif rows * inner <= SMALL:
        _product(left, down, along, right, 1, 0, out, rows, inner, 1)
    else:
        vector_product(rows, inner, left, down, along, right, 1, out)


@njit(error_model="numpy", **HELPER)
def block_product_at(
    rows: int, columns: int, inner: int, left: Any, left_step: int, left_turned: bool, right: Any, right_step: int,
    right_turned: bool, out: Any, out_step: int, several: bool,
) -> None:  # fmt: skip
    """As `block_product`, for small products too."""
    if out_step == columns and not several and rows * columns * inner <= SMALL_DOTS:
        left_steps = (1, left_step) if left_turned else (left_step, 1)
        right_steps = (1, right_step) if right_turned else (right_step, 1)
        product_at(rows, inner, columns, left, *left_steps, right, *right_steps, out)
    else:
        given = left, left_step, left_turned, right, right_step, right_turned, out, out_step
        block_product(rows, columns, inner, *given, several)


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
