"""Library calls and views that numba can compile, as expressions over variables that hold arrays.

`native_call` gives None for a call that has no such form; its Program then keeps a driver in Python.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numba import njit

from egc.backends.numba import convolution, linalg, orthogonal, products, spectral, structured, triangular
from egc.backends.numba.arrays import diagonal, only_element, repeated, reshaped
from egc.backends.numba.blas import known_product
from egc.backends.numba.copies import as_contiguous
from egc.backends.numba.fortran import LETTERS
from egc.backends.numba.linked import HELPER
from egc.lower.loops import Call
from egc.ops import OPS
from egc.sizes import product
from egc.types import ArrayType, Shape

if TYPE_CHECKING:
    from egc.backends.numba.driver import Writer

ONE_MATRIX = {
    **dict.fromkeys("solve inv lu lu_factors lu_solve det slogdet".split(), linalg.functions),
    **dict.fromkeys(
        "cholesky cholesky_or_nan cholesky_inverse gram solve_triangular triangular_product".split(),
        triangular.functions,
    ),
    **dict.fromkeys("tridiagonal_solve banded_solve symmetric_solve".split(), structured.functions),
}
"""Where the functions of one matrix are, by op and letter of elements. All read operands in any order of memory but one."""

Form = Callable[["Writer", Call, Sequence[str]], "str | None"]


def native_call(writer: Writer, call: Call, operands: Sequence[str]) -> str | None:
    """The expression of a call, or None."""
    form = FORMS.get(call.node.op)
    return form(writer, call, operands) if form is not None else None


def _transpose(writer: Writer, call: Call, operands: Sequence[str]) -> str | None:
    axes = call.node.params["axes"]
    if axes == tuple(range(len(axes))):
        return operands[0]
    if axes == tuple(reversed(range(len(axes)))):
        return f"{operands[0]}.T"
    return f"transpose({operands[0]}, {axes})"


def _slice(writer: Writer, call: Call, operands: Sequence[str]) -> str | None:
    """Steps of known sign only. Elements in falling order are those in rising order, turned around: a stop below 0 would count
    from the end."""
    parts = []
    params = call.node.params
    for start, size, step, length in zip(
        params["start"], params["size"], params["step"], call.node.inputs[0].type.shape
    ):
        if not isinstance(step, int) or step == 0:
            return None
        least = start if step > 0 else start + (size - 1) * step
        if (least, size, step) == (0, length, 1):
            parts.append(":")
        else:
            parts.append(f"window({', '.join(map(writer.dim, (least, size, abs(step), length)))})")
    text = f"{operands[0]}[{', '.join(parts)}]" if parts else operands[0]
    turned = ["::-1" if step < 0 else ":" for step in params["step"]]
    return f"{text}[{', '.join(turned)}]" if "::-1" in turned else text


def _reshape(writer: Writer, call: Call, operands: Sequence[str]) -> str | None:
    return _reshaped(writer, operands[0], call.node.inputs[0].type, call.node.type.shape)


def _reshaped(writer: Writer, operand: str, before: ArrayType, shape: Shape) -> str:
    """numba has no arrays of rank 0 in `reshape`."""
    after = "".join(f"{writer.dim(dim)}, " for dim in shape)
    if not before.rank:
        return f"full(({after}), {operand}[()])"
    sizes = f"{writer.dim(before.size)}, {writer.dim(product(shape))}"
    return f"reshaped({operand}, ({after}), {sizes})" if shape else f"only_element({operand}, {sizes})"


def _diagonal(writer: Writer, call: Call, operands: Sequence[str]) -> str | None:
    x, offset = call.node.inputs[0].type, call.node.params["offset"]
    if x.rank != 2 or not isinstance(offset, int):
        return None
    return f"diagonal({operands[0]}, {max(-offset, 0)}, {max(offset, 0)}, {writer.dim(call.node.params['size'])})"


def _broadcast(writer: Writer, call: Call, operands: Sequence[str]) -> str | None:
    """Repeated at once: what reads it needs its elements in order."""
    x, axes, result = call.node.inputs[0].type, call.node.params["axes"], call.node.type
    if list(axes) != sorted(axes):
        return None
    if not x.rank:
        return f"full({writer.shape(result)}, {operands[0]}[()])"
    middle = tuple(x.shape[axes.index(axis)] if axis in axes else 1 for axis in range(result.rank))
    return f"repeated({_reshaped(writer, operands[0], x, middle)}, {writer.shape(result)})"


def _constant(writer: Writer, call: Call, operands: Sequence[str]) -> str | None:
    value, type = call.node.params["value"], call.node.type
    return f"full({writer.shape(type)}, {writer.constant(type.dtype.type(value))})"


def _empty(writer: Writer, call: Call, operands: Sequence[str]) -> str | None:
    return writer.empty(call.node.type)


def _size(writer: Writer, call: Call, operands: Sequence[str]) -> str | None:
    return f"empty_scalar({writer.dim(call.node.params['value'])})"


def _matmul(writer: Writer, call: Call, operands: Sequence[str]) -> str | None:
    a, b = (node.type for node in call.node.inputs)
    if a.dtype != b.dtype or a.dtype.name not in LETTERS:
        return None
    known_product(a.dtype)
    if a.rank > 2 or b.rank > 2:
        return _batched_matmul(writer, call, operands)
    if call.node.type.rank == 0:
        return f"empty_scalar(matmul({operands[0]}, {operands[1]}))"
    return f"matmul({operands[0]}, {operands[1]})"


def _convolve(writer: Writer, call: Call, operands: Sequence[str]) -> str | None:
    if call.node.type.dtype.kind not in "fc":
        return None
    return f"convolve({', '.join(f'as_contiguous({operand})' for operand in operands)})"


def _batched_matmul(writer: Writer, call: Call, operands: Sequence[str]) -> str | None:
    """Batches of equal shape, or one operand without a batch."""
    a, b = (node.type for node in call.node.inputs)
    batches = {x.shape[:-2] for x in (a, b) if x.rank > 2}
    if len(batches) != 1 or min(a.rank, b.rank) < 2:
        return None
    stacked = [
        _reshaped(writer, operand, x, (product(x.shape[:-2]), *x.shape[-2:])) if x.rank != 3 else operand
        for operand, x in zip(operands, (a, b))
    ]
    ordered = ", ".join(f"as_contiguous({operand})" for operand in stacked)
    whole = ArrayType(a.dtype, (product(next(iter(batches))), *call.node.type.shape[-2:]))
    if call.node.type.rank == 3:
        return f"matmul_stack({ordered})"
    return _reshaped(writer, f"matmul_stack({ordered})", whole, call.node.type.shape)


def _matrix(writer: Writer, call: Call, operands: Sequence[str]) -> str | None:
    """Linear algebra of one matrix, and of a right side of one or two axes."""
    node, dtype = call.node, call.node.inputs[0].type.dtype
    letter = LETTERS.get(dtype.name)
    rank = 1 if node.op == "tridiagonal_solve" else 2
    if letter is None or node.inputs[0].type.rank != rank or node.inputs[-1].type.rank > 2:
        return None
    if any(x.type.dtype != dtype for x in node.inputs if x.type.dtype.kind in "fc"):
        return None
    vector = len(node.inputs) > 1 and node.inputs[-1].type.rank == 1
    name = f"{node.op}_vector" if vector else node.op
    writer.driver.names[f"{name}_{letter}"] = ONE_MATRIX[node.op](letter)[name]
    given = operands if node.op != "lu_factors" else [f"as_contiguous({operand})" for operand in operands]
    return f"{name}_{letter}({', '.join([*given, *(str(node.params[key]) for key in OPS[node.op].params)])})"


def _first(writer: Writer, call: Call, operands: Sequence[str]) -> str | None:
    return operands[0]


def _item(writer: Writer, call: Call, operands: Sequence[str]) -> str | None:
    return f"{operands[0]}[{call.node.params['index']}]"


def _qr(writer: Writer, call: Call, operands: Sequence[str]) -> str | None:
    a = call.node.inputs[0].type
    letter = LETTERS.get(a.dtype.name)
    if letter is None or a.rank != 2:
        return None
    name = f"qr_{call.node.params['mode']}"
    writer.driver.names[f"{name}_{letter}"] = orthogonal.functions(letter)[name]
    return f"{name}_{letter}({operands[0]})"


def _spectral(writer: Writer, call: Call, operands: Sequence[str]) -> str | None:
    """Eigen- and singular values of one matrix, and least squares. A ratio that nobody gave is LAPACK's and NumPy's default."""
    node, dtype = call.node, call.node.inputs[0].type.dtype
    letter = LETTERS.get(dtype.name)
    given = [node.params[key] for key in OPS[node.op].params]
    if letter is None or node.inputs[0].type.rank != 2 or any(x.type.dtype != dtype for x in node.inputs):
        return None
    if "rcond" in node.params:
        (rcond,) = given
        if not isinstance(rcond, (int, float, type(None))):
            return None
        given = [rcond is not None, writer.constant(np.float64(rcond or 0))]
    vector = len(node.inputs) > 1 and node.inputs[-1].type.rank == 1
    name = f"{node.op}_vector" if vector else node.op
    writer.driver.names[f"{name}_{letter}"] = spectral.functions(letter)[name]
    return f"{name}_{letter}({', '.join([*operands, *map(str, given)])})"


FORMS: dict[str, Form] = {
    "transpose": _transpose,
    "slice": _slice,
    "reshape": _reshape,
    "diagonal": _diagonal,
    "broadcast": _broadcast,
    "constant": _constant,
    "empty": _empty,
    "size": _size,
    "matmul": _matmul,
    "convolve": _convolve,
    **dict.fromkeys(ONE_MATRIX, _matrix),
    "qr": _qr,
    **dict.fromkeys("eigh eigvalsh svd svdvals pinv lstsq".split(), _spectral),
    "assume": _first,
    "item": _item,
}


@njit(**HELPER)
def window(start: int, size: int, step: int, length: int) -> slice:
    """The slice of `size` elements from `start` on; IndexError where one of them lies outside."""
    last = start + (size - 1) * step
    if size > 0 and (start < 0 or start >= length or last >= length):
        raise IndexError("slice is out of bounds")
    return slice(start, start + size * step, step) if size > 0 else slice(0, 0, step)


@njit(**HELPER)
def check_slice(start: int, size: int, step: int, length: int) -> None:
    last = start + (size - 1) * step
    if size != 0 and not (0 <= start < length and 0 <= last < length):
        raise IndexError("slice is out of bounds")


FUNCTIONS: dict[str, Any] = {
    "as_contiguous": as_contiguous,
    "check_slice": check_slice,
    "window": window,
    "reshaped": reshaped,
    "only_element": only_element,
    "diagonal": diagonal,
    "repeated": repeated,
    "matmul": products.matmul,
    "matmul_stack": products.matmul_stack,
    "convolve": convolution.convolve,
    "transpose": np.transpose,
    "full": np.full,
}
"""What those expressions name."""
