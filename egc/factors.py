"""Factorizations that NumPy has not: without exchanges of rows, and without exceptions."""

from __future__ import annotations

import numpy as np


def cholesky_or_nan(a: np.ndarray) -> np.ndarray:
    """The lower factor L of a = L @ L.T.conj() from the lower triangle; nan everywhere where a matrix has none.

    a: shape (..., n, n).

    >>> cholesky_or_nan(np.array([[4.0, 0.0], [2.0, 2.0]])), cholesky_or_nan(np.array([[-1.0]]))
    (array([[2., 0.],
           [1., 1.]]), array([[nan]]))
    """
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
    factors = np.array(a)
    with np.errstate(all="ignore"):
        for k in range(a.shape[-1]):
            factors[..., k + 1 :, k] /= factors[..., k, k, None]
            factors[..., k + 1 :, k + 1 :] -= factors[..., k + 1 :, k, None] * factors[..., k, None, k + 1 :]
    return factors
