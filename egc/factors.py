"""Linear algebra that NumPy has not: factorizations to keep, and what one triangle or three diagonals suffice for.

These are functions of plain arrays; in a function that egc optimizes, and in rules, each is an op.
"""

from __future__ import annotations

from typing import Any

import numpy as np


def cholesky_or_nan(a: np.ndarray) -> np.ndarray:
    """The lower factor L of a = L @ L.T.conj() from the lower triangle; nan everywhere where a matrix has none.

    a: shape (..., n, n).

    >>> cholesky_or_nan(np.array([[4.0, 0.0], [2.0, 2.0]])), cholesky_or_nan(np.array([[-1.0]]))
    (array([[2., 0.],
           [1., 1.]]), array([[nan]]))
    """
    a = _square(a)
    try:
        return np.linalg.cholesky(a)
    except np.linalg.LinAlgError:
        return np.full(a.shape, np.nan, a.dtype)


def lu_factors(a: np.ndarray) -> np.ndarray:
    """The factors of a = L @ U without exchanges of rows: U, and below its diagonal L, whose own diagonal is 1.

    a: shape (..., n, n). A pivot that is zero gives what dividing by it gives.

    >>> lu_factors(np.array([[2.0, 1.0], [4.0, 5.0]]))
    array([[2., 1.],
           [2., 3.]])
    """
    factors = np.array(_square(a))
    with np.errstate(all="ignore"):
        for k in range(factors.shape[-1]):
            factors[..., k + 1 :, k] /= factors[..., k, k, None]
            factors[..., k + 1 :, k + 1 :] -= factors[..., k + 1 :, k, None] * factors[..., k, None, k + 1 :]
    return factors


def lu(a: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The factors of a with rows exchanged, L @ U, in one matrix as those of `lu_factors`; and the exchanges: row k with
    row pivots[k], for k = 0, 1, ... one after the other (int32, at least k).

    a: shape (..., n, n). Never raises; U has a zero on its diagonal where a is singular.

    >>> lu(np.array([[2.0, 1.0], [4.0, 5.0]]))
    (array([[ 4. ,  5. ],
           [ 0.5, -1.5]]), array([1, 1], dtype=int32))
    """
    a = _square(a)
    factors, pivots = np.empty(a.shape, a.dtype), np.empty(a.shape[:-1], np.int32)
    for place in _matrices(a):
        factors[place], pivots[place], _ = _lapack("getrf", a)(a[place])
    return factors, pivots


def lu_solve(factors: np.ndarray, pivots: np.ndarray, b: np.ndarray, *, transposed: bool = False) -> np.ndarray:
    """The solution x of a @ x = b, or of a.T @ x = b, for `factors, pivots = lu(a)`.

    factors: shape (..., n, n). pivots: shape (..., n), int32. b: a vector, shape (n,), or matrices, shape (..., n, k).
    LinAlgError where U has an exact zero on its diagonal, as `np.linalg.solve`; IndexError for a pivot that is no row.

    >>> lu_solve(*lu(np.array([[2.0, 1.0], [4.0, 5.0]])), np.array([3.0, 9.0]))
    array([1., 1.])
    """
    factors, b = _arrays(factors, b)
    pivots = np.asarray(pivots, np.int32)
    if np.any((pivots < 0) | (pivots >= factors.shape[-1])):
        raise IndexError("lu_solve: a pivot is no row")
    if np.any(np.diagonal(factors, 0, -2, -1) == 0):
        raise np.linalg.LinAlgError("Singular matrix")
    batch = factors.shape[:-2]
    x = np.empty((*batch, *b.shape) if b.ndim == 1 else np.broadcast_shapes(b.shape, (*batch, 1, 1)), b.dtype)
    rank = min(b.ndim, 2)
    batch = x.shape[: x.ndim - rank]
    factors, pivots = (
        np.broadcast_to(factors, batch + factors.shape[-2:]),
        np.broadcast_to(pivots, batch + pivots.shape[-1:]),
    )
    b = np.broadcast_to(b, x.shape)
    for place in _matrices(x, rank):
        x[place], _ = _lapack("getrs", x)(factors[place], pivots[place], b[place], trans=int(transposed))
    return x


def _arrays(*operands: Any) -> list[np.ndarray]:
    """The operands as arrays in one dtype in which LAPACK computes: integers and bool become float64."""
    arrays = [np.asarray(operand) for operand in operands]
    dtype = np.result_type(*(np.float64 if x.dtype.kind in "biu" else x.dtype for x in arrays))
    if dtype.char not in "fdFD":
        raise TypeError(f"array type {dtype} is unsupported in linear algebra")
    return [x.astype(dtype, copy=False) for x in arrays]


def _square(a: Any) -> np.ndarray:
    (a,) = _arrays(a)
    if a.ndim < 2 or a.shape[-1] != a.shape[-2]:
        raise np.linalg.LinAlgError(f"the last two lengths of shape {a.shape} are not those of a square matrix")
    return a


def _matrices(x: np.ndarray, rank: int = 2) -> Any:
    """The indices of those matrices of a stack that have elements."""
    return np.ndindex(x.shape[: x.ndim - rank]) if x.size else ()


def _lapack(name: str, x: np.ndarray) -> Any:
    from scipy.linalg import get_lapack_funcs

    return get_lapack_funcs(name, (x,))
