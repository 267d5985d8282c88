"""Elements, rows, columns and windows of products and sums, without the rest."""

import numpy as np

from egc import Index, Matrix, Vector, finite, require, rule


@rule
def element_of_product(A: Matrix, B: Matrix, i: Index, j: Index):
    """(A B)_ij = sum_k A_ik B_kj"""
    return (A @ B)[i, j], A[i] @ B[:, j]


@rule
def row_of_product(A: Matrix, B: Matrix, i: Index):
    """row i of A B is (row i of A) B"""
    return (A @ B)[i], A[i] @ B


@rule
def column_of_product(A: Matrix, B: Matrix, j: Index):
    """column j of A B is A (column j of B)"""
    return (A @ B)[:, j], A @ B[:, j]


@rule
def row_by_unit_vector(A: Matrix, i: Index):
    """e_i^T A is row i of A, for e_i a row of the identity, A finite"""
    require(finite(A))
    return np.eye(A.shape[0], dtype=A.dtype)[i] @ A, A[i]


@rule
def row_by_unit_column(A: Matrix, i: Index):
    """e_i^T A is row i of A, for e_i a column of the identity, A finite"""
    require(finite(A))
    return np.eye(A.shape[0], dtype=A.dtype)[:, i] @ A, A[i]


@rule
def column_by_unit_vector(A: Matrix, j: Index):
    """A e_j is column j of A, for e_j a row of the identity, A finite"""
    require(finite(A))
    return A @ np.eye(A.shape[1], dtype=A.dtype)[j], A[:, j]


@rule
def column_by_unit_column(A: Matrix, j: Index):
    """A e_j is column j of A, for e_j a column of the identity, A finite"""
    require(finite(A))
    return A @ np.eye(A.shape[1], dtype=A.dtype)[:, j], A[:, j]


@rule
def window_of_product(A: Matrix, B: Matrix, i: Index, j: Index, k: Index, m: Index):
    """rows and columns of A B are those rows of A times those columns of B"""
    return (A @ B)[i : i + k, j : j + m], A[i : i + k] @ B[:, j : j + m]


@rule
def element_of_matrix_times_vector(A: Matrix, x: Vector, i: Index):
    """(A x)_i = sum_k A_ik x_k"""
    return (A @ x)[i], A[i] @ x


@rule
def window_of_matrix_times_vector(A: Matrix, x: Vector, i: Index, k: Index):
    """elements of A x are those rows of A times x"""
    return (A @ x)[i : i + k], A[i : i + k] @ x


@rule
def element_of_vector_times_matrix(x: Vector, A: Matrix, j: Index):
    """(x A)_j = sum_k x_k A_kj"""
    return (x @ A)[j], x @ A[:, j]


@rule
def window_of_vector_times_matrix(x: Vector, A: Matrix, j: Index, m: Index):
    """elements of x A are x times those columns of A"""
    return (x @ A)[j : j + m], x @ A[:, j : j + m]


@rule(precision="exact", dtypes="any")
def window_of_transpose(A: Matrix, i: Index, j: Index, k: Index, m: Index):
    """a window of A^T is the transpose of one of A"""
    return A.T[i : i + k, j : j + m], A[j : j + m, i : i + k].T


@rule(precision="exact", dtypes="any")
def slice_of_diagonal(A: Matrix, i: Index, k: Index):
    """elements of a diagonal are the diagonal of a window"""
    return np.diag(A)[i : i + k], np.diag(A[i : i + k, i : i + k])
