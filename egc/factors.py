"""Linear algebra that NumPy has not: factorizations to keep, what one triangle or some diagonals suffice for, recurrences.

These are functions of plain arrays; in a function that egc optimizes, and in rules, each but `bands` is an op.
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


def cholesky_inverse(factor: np.ndarray) -> np.ndarray:
    """The inverse of a = L @ L.T for its lower factor L, by a third of the multiplications of two systems.

    factor: shape (..., n, n), real numbers, of which the lower triangle is read.
    LinAlgError where it has an exact zero on its diagonal.

    >>> cholesky_inverse(np.array([[2.0, 9.0], [0.0, 1.0]]))
    array([[0.25, 0.  ],
           [0.  , 1.  ]])
    """
    factor = _square(factor)
    if factor.dtype.kind == "c":
        raise TypeError("cholesky_inverse: for real numbers only")
    found = np.empty(factor.shape, factor.dtype)
    for place in _matrices(factor):
        lower, status = _lapack("potri", factor)(factor[place], lower=1)
        if status:
            raise np.linalg.LinAlgError("Singular matrix")
        found[place] = np.tril(lower) + _turned(np.tril(lower, -1))
    return found


def linear_recurrence(factor: np.ndarray, term: np.ndarray, start: np.ndarray, axis: int = 0) -> np.ndarray:
    """y[i] = factor[i] * y[i - 1] + term[i] along an axis, where `start` stands before the first.

    factor, term: of shapes that broadcast together, of numbers. start: of that shape without the axis, or less.
    Raises TypeError for other dtypes, ValueError for shapes that do not broadcast.

    Source, of what is done in parallel where it pays: Blelloch, Prefix Sums and Their Applications (1990).

    >>> linear_recurrence(np.array([2.0, 0.5, 1.0]), np.array([1.0, 0.0, 3.0]), np.array(1.0))
    array([3. , 1.5, 4.5])
    """
    factor, term = np.broadcast_arrays(factor, term)
    found = np.empty(term.shape, np.result_type(factor, term, start))
    if found.dtype.kind not in "iufc":
        raise TypeError("linear_recurrence: for numbers only")
    rows, factors, terms = (np.moveaxis(x.astype(found.dtype, copy=False), axis, 0) for x in (found, factor, term))
    last = np.broadcast_to(start, rows.shape[1:]).astype(found.dtype)
    for k in range(len(rows)):
        rows[k] = last = factors[k] * last + terms[k]
    return found


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


def gram(a: np.ndarray, *, transposed: bool = False) -> np.ndarray:
    """a @ a.T, or a.T @ a, of half the multiplications: the result is symmetric.

    a: shape (..., n, k). The transpose is plain for complex numbers too.

    >>> gram(np.array([[1.0, 2.0]])), gram(np.array([[1.0, 2.0]]), transposed=True)
    (array([[5.]]), array([[1., 2.],
           [2., 4.]]))
    """
    (a,) = _arrays(a)
    turned = _turned(a)
    return np.matmul(turned, a) if transposed else np.matmul(a, turned)


def triangular_product(
    triangle: np.ndarray, b: np.ndarray, *, lower: bool = False, transposed: bool = False, right: bool = False
) -> np.ndarray:
    """The product of a triangular matrix, or its transpose, and b; with the matrix on the right, b @ triangle.

    triangle: shape (..., n, n), of which one triangle is read. b: a vector, shape (n,), or matrices, shape (..., n, k);
    on the left shape (..., k, n). Finite numbers: what the other triangle has in the place of its zeros, inf may meet.

    >>> triangular_product(np.array([[1.0, 9.0], [2.0, 3.0]]), np.array([1.0, 1.0]), lower=True)
    array([1., 5.])
    """
    triangle, b = _arrays(_square(triangle), b)
    read = np.tril(triangle) if lower else np.triu(triangle)
    read = _turned(read) if transposed else read
    return np.matmul(b, read) if right else np.matmul(read, b)


def tridiagonal_solve(
    lower: np.ndarray, diagonal: np.ndarray, upper: np.ndarray, b: np.ndarray, *, positive: bool = False
) -> np.ndarray:
    """The solution x of a @ x = b for a matrix with three diagonals.

    diagonal: shape (n,). lower, upper: shape (n - 1,), beside it. b: shape (n,) or (n, k).
    positive: the matrix is Hermitian and positive definite; `upper` is not read.
    LinAlgError where the matrix is singular, or is to be positive definite and is not.

    >>> tridiagonal_solve(np.array([1.0]), np.array([2.0, 2.0]), np.array([1.0]), np.array([3.0, 3.0]))
    array([1., 1.])
    """
    lower, diagonal, upper, b = _arrays(lower, diagonal, upper, b)
    n = _vector_length(diagonal)
    if lower.shape != upper.shape or lower.shape != (max(n - 1, 0),) or b.ndim not in (1, 2) or len(b) != n:
        raise ValueError(f"tridiagonal_solve: shapes {lower.shape} {diagonal.shape} {upper.shape} {b.shape} do not fit")
    if not n:
        return b.copy()
    columns = b if b.size else np.zeros(n, b.dtype)
    if n == 1:
        failed = not diagonal[0].real > 0 if positive else diagonal[0] == 0
        x, status = columns / np.where(failed, 1, diagonal.real if positive else diagonal)[0], int(failed)
    elif positive:
        *_, x, status = _lapack("ptsv", b)(diagonal.real, lower, columns)
    else:
        *_, x, status = _lapack("gtsv", b)(lower, diagonal, upper, columns)
    if status:
        raise np.linalg.LinAlgError("Matrix is not positive definite" if positive else "Singular matrix")
    return x if b.size else b.copy()


def bands(a: np.ndarray, *, below: int = 0, above: int = 0) -> np.ndarray:
    """So many diagonals of a matrix below and above its own, in the form of `banded_solve` and `scipy.linalg.solve_banded`.

    a: shape (n, n). The result has shape (above + 1 + below, n), and zeros where the matrix has no elements.

    >>> bands(np.array([[1.0, 2.0], [3.0, 4.0]]), above=1)
    array([[0., 2.],
           [1., 4.]])
    """
    n = a.shape[0]
    columns = np.arange(n)
    rows = columns + np.arange(-above, below + 1)[:, None]
    inside = (rows >= 0) & (rows < n)
    return np.where(inside, a[np.where(inside, rows, 0), columns], np.zeros((), a.dtype))


def banded_solve(
    bands: np.ndarray, b: np.ndarray, *, below: int = 0, above: int = 0, positive: bool = False
) -> np.ndarray:
    """The solution x of a @ x = b for a matrix with so many diagonals below and above its own.

    bands: shape (below + 1 + above, n), where element (i, j) of the matrix is `bands[above + i - j, j]`, as for
    `scipy.linalg.solve_banded`; what is outside of the matrix is not read. b: shape (n,) or (n, k).
    positive: the matrix is Hermitian and positive definite, and the diagonals are those on one side of its own: `below`
    or `above` is 0.
    LinAlgError where the matrix is singular, or is to be positive definite and is not.

    >>> banded_solve(np.array([[2.0, 2.0], [1.0, np.nan]]), np.array([2.0, 3.0]), below=1, above=0)
    array([1., 1.])
    """
    bands, b = _arrays(bands, b)
    if bands.shape != (below + 1 + above, len(b)) or b.ndim not in (1, 2) or (positive and below and above):
        raise ValueError(f"banded_solve: shapes {bands.shape} {b.shape} do not fit")
    if not bands.size or not b.size:
        return b.copy()
    if positive:
        _, x, status = _lapack("pbsv", b)(bands, b, lower=int(not above))
    else:
        room = np.zeros((2 * below + above + 1, len(b)), b.dtype)
        room[below:] = bands
        *_, x, status = _lapack("gbsv", b)(below, above, room, b)
    if status:
        raise np.linalg.LinAlgError("Matrix is not positive definite" if positive else "Singular matrix")
    return x


def symmetric_solve(a: np.ndarray, b: np.ndarray, *, lower: bool = False) -> np.ndarray:
    """The solution x of a @ x = b for a symmetric matrix, of which one triangle is read.

    a: shape (n, n), symmetric also where it is complex. b: shape (n,) or (n, k).
    LinAlgError where the matrix is singular.

    >>> symmetric_solve(np.array([[1.0, 2.0], [np.nan, 1.0]]), np.array([3.0, 3.0]))
    array([1., 1.])
    """
    a, b = _arrays(_square(a), b)
    if a.ndim != 2 or b.ndim not in (1, 2) or len(b) != len(a):
        raise ValueError(f"symmetric_solve: shapes {a.shape} {b.shape} do not fit")
    if not a.size:
        return b.copy()
    columns = b if b.size else np.zeros(len(b), b.dtype)
    *_, x, status = _lapack("sysv", b)(a, columns, lower=int(lower))
    if status:
        raise np.linalg.LinAlgError("Singular matrix")
    return x if b.size else b.copy()


def _vector_length(x: np.ndarray) -> int:
    return len(x) if x.ndim == 1 else -1


def _turned(a: np.ndarray) -> np.ndarray:
    return np.swapaxes(a, -1, -2)


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
