"""Linear algebra, on the last two axes."""

from __future__ import annotations

from typing import Any

import numpy as np

from egc import sizes
from egc.errors import OperandTypeError, ProgramError, ShapeError
from egc.ops.table import op
from egc.types import ArrayType, TupleType

INT32 = np.dtype(np.int32)


def _square(name: str, a: Any, dtypes: str = "fc") -> ArrayType:
    if a.rank < 2 or a.shape[-1] != a.shape[-2]:
        raise ShapeError(f"{name}: last two dimensions of the array must be square, not {a}")
    if a.dtype.kind not in dtypes:
        raise OperandTypeError(f"{name}: no linear algebra for dtype {a.dtype}")
    return a


def _real_dtype(dtype: np.dtype) -> np.dtype:
    return np.dtype(f"f{dtype.itemsize // 2}") if dtype.kind == "c" else dtype


def _complex_dtype(dtype: np.dtype) -> np.dtype:
    return dtype if dtype.kind == "c" else np.dtype(f"c{dtype.itemsize * 2}")


@op("inv", "linalg", 1)
@op("expm", "linalg", 1)
@op("cholesky", "linalg", 1, "upper")
@op("cholesky_or_nan", "linalg", 1)
@op("lu_factors", "linalg", 1)
def _square_to_square(types, params):
    return _square("inv, expm, cholesky, lu_factors", types[0])


@op("cholesky_inverse", "linalg", 1)
def _cholesky_inverse(types, params):
    return _square("cholesky_inverse", types[0], "f")


@op("det", "linalg", 1)
def _det(types, params):
    return types[0].with_shape(_square("det", types[0]).shape[:-2])


@op("slogdet", "linalg", 1)
def _slogdet(types, params):
    a = _square("slogdet", types[0])
    return TupleType((a.with_shape(a.shape[:-2]), ArrayType(_real_dtype(a.dtype), a.shape[:-2])))


def _right_side(name: str, a: ArrayType, b: ArrayType) -> ArrayType:
    _square(name, a)
    if a.dtype != b.dtype:
        raise OperandTypeError(f"{name}: operands must have one dtype")
    if b.rank == 1:
        if b.shape[0] != a.shape[-1]:
            raise ShapeError(f"{name}: {a} does not fit the right side {b}")
        return b.with_shape([*a.shape[:-2], b.shape[0]])
    if b.shape[-2] != a.shape[-1] or (a.rank > 2 and b.rank > 2 and a.shape[:-2] != b.shape[:-2]):
        raise ShapeError(f"{name}: {a} does not fit the right side {b}")
    return b.with_shape([*max(a.shape[:-2], b.shape[:-2], key=len), *b.shape[-2:]])


@op("solve", "linalg", 2)
def _solve(types, params):
    return _right_side("solve", *types)


@op("lu", "linalg", 1)
def _lu(types, params):
    a = _square("lu", types[0])
    return TupleType((a, ArrayType(INT32, a.shape[:-1])))


@op("lu_solve", "linalg", 3, "transposed")
def _lu_solve(types, params):
    factors, pivots, b = types
    result = _right_side("lu_solve", factors, b)
    if pivots != ArrayType(INT32, factors.shape[:-1]):
        raise ShapeError(f"lu_solve: {pivots} are not the exchanges of rows of {factors}")
    return result


@op("solve_triangular", "linalg", 2, "lower", "transposed", "unit_diagonal")
def _solve_triangular(types, params):
    return _right_side("solve_triangular", *types)


@op("qr", "linalg", 1, "mode")
def _qr(types, params):
    (a,) = types
    *batch, rows, columns = a.shape
    inner = sizes.minimum(rows, columns)
    match params["mode"]:
        case "reduced":
            return TupleType((a.with_shape([*batch, rows, inner]), a.with_shape([*batch, inner, columns])))
        case "complete":
            return TupleType((a.with_shape([*batch, rows, rows]), a))
        case "r":
            return TupleType((a.with_shape([*batch, inner, columns]),))
    raise ProgramError(f"qr: no mode {params['mode']!r}")


@op("svd", "linalg", 1, "full_matrices")
def _svd(types, params):
    (a,) = types
    *batch, rows, columns = a.shape
    inner = sizes.minimum(rows, columns)
    left, right = (rows, columns) if params["full_matrices"] else (inner, inner)
    singular = ArrayType(_real_dtype(a.dtype), (*batch, inner))
    return TupleType((a.with_shape([*batch, rows, left]), singular, a.with_shape([*batch, right, columns])))


@op("svdvals", "linalg", 1)
def _svdvals(types, params):
    (a,) = types
    return ArrayType(_real_dtype(a.dtype), (*a.shape[:-2], sizes.minimum(*a.shape[-2:])))


@op("eigh", "linalg", 1, "lower")
def _eigh(types, params):
    a = _square("eigh", types[0])
    return TupleType((ArrayType(_real_dtype(a.dtype), a.shape[:-1]), a))


@op("eigvalsh", "linalg", 1, "lower")
def _eigvalsh(types, params):
    a = _square("eigvalsh", types[0])
    return ArrayType(_real_dtype(a.dtype), a.shape[:-1])


@op("eig", "linalg", 1)
def _eig(types, params):
    a = _square("eig", types[0]).with_dtype(_complex_dtype(types[0].dtype))
    return TupleType((a.with_shape(a.shape[:-1]), a))


@op("eigvals", "linalg", 1)
def _eigvals(types, params):
    a = _square("eigvals", types[0])
    return ArrayType(_complex_dtype(a.dtype), a.shape[:-1])


@op("pinv", "linalg", 1, "rcond")
def _pinv(types, params):
    (a,) = types
    return a.with_shape([*a.shape[:-2], a.shape[-1], a.shape[-2]])


@op("lstsq", "linalg", 2, "rcond")
def _lstsq(types, params):
    a, b = types
    (_rows, columns), real = a.shape, _real_dtype(a.dtype)
    singular = ArrayType(real, (sizes.minimum(*a.shape),))
    return TupleType((b.with_shape([columns, *b.shape[1:]]), ArrayType(INT32, ()), singular))


@op("gram", "linalg", 1, "transposed")
def _gram(types, params):
    (a,) = types
    if a.rank < 2 or a.dtype.kind not in "fc":
        raise OperandTypeError(f"gram: not for {a}")
    length = a.shape[-1 if params["transposed"] else -2]
    return a.with_shape([*a.shape[:-2], length, length])


@op("triangular_product", "linalg", 2, "lower", "transposed", "right")
def _triangular_product(types, params):
    triangle, b = types
    if not params["right"] or b.rank == 1:
        return _right_side("triangular_product", triangle, b)
    turned = _right_side("triangular_product", triangle, b.with_shape([*b.shape[:-2], *b.shape[:-3:-1]]))
    return turned.with_shape([*turned.shape[:-2], *turned.shape[:-3:-1]])


@op("tridiagonal_solve", "linalg", 4, "positive")
def _tridiagonal_solve(types, params):
    """That the other diagonals are shorter by one is for backends to check: a size may be a symbol."""
    lower, diagonal, upper, b = types
    if len({x.dtype for x in types}) > 1 or diagonal.dtype.kind not in "fc":
        raise OperandTypeError("tridiagonal_solve: operands must have one dtype of linear algebra")
    if diagonal.rank != 1 or b.rank not in (1, 2) or b.shape[0] != diagonal.shape[0] or lower.shape != upper.shape:
        raise ShapeError(f"tridiagonal_solve: {lower} {diagonal} {upper} {b} do not fit")
    return b


@op("banded_solve", "linalg", 2, "below", "above", "positive")
def _banded_solve(types, params):
    """That there are as many diagonals as are said is for backends to check: a size may be a symbol."""
    bands, b = types
    if bands.dtype != b.dtype or b.dtype.kind not in "fc":
        raise OperandTypeError("banded_solve: operands must have one dtype of linear algebra")
    if bands.rank != 2 or b.rank not in (1, 2) or b.shape[0] != bands.shape[1]:
        raise ShapeError(f"banded_solve: {bands} {b} do not fit")
    return b


@op("symmetric_solve", "linalg", 2, "lower")
def _symmetric_solve(types, params):
    a, b = types
    if a.rank != 2 or b.rank > 2:
        raise ShapeError("symmetric_solve: one matrix, and a right side of one or two axes")
    return _right_side("symmetric_solve", a, b)
