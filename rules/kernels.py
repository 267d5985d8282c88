"""Products with matrices of structure by less work: permutations, diagonals, triangles, equal rows and columns."""

import numpy as np

from egc import (
    Constant,
    Index,
    Matrix,
    Scalar,
    SquareMatrix,
    Vector,
    finite,
    identity,
    lower_triangular,
    one_hot,
    pentadiagonal,
    permutation,
    require,
    rule,
    tridiagonal,
    upper_triangular,
    zero,
)
from egc.factors import gram, triangular_product


@rule
def places_of_ones(P: SquareMatrix):
    """the place of the 1 in each row of P is P (0, 1, ..., n - 1), exactly, for P a permutation"""
    require(permutation(P))
    return np.argmax(P, axis=1), (P @ np.arange(P.shape[0]).astype(P.dtype)).astype(np.int64)


@rule
def permutation_of_rows(P: SquareMatrix, A: Matrix):
    """P A are the rows of A in another order, for P a permutation"""
    require(permutation(P))
    return P @ A, A[np.argmax(P, axis=1)]


@rule
def permutation_of_elements(P: SquareMatrix, x: Vector):
    """P x are the elements of x in another order, for P a permutation"""
    require(permutation(P))
    return P @ x, x[np.argmax(P, axis=1)]


@rule
def selection_of_rows(P: Matrix, A: Matrix):
    """P A takes rows of A, for P with one 1 in each row, and A finite: what is not taken is not seen"""
    require(one_hot(P), finite(A))
    return P @ A, A[np.argmax(P, axis=1)]


@rule
def selection_of_elements(P: Matrix, x: Vector):
    """P x takes elements of x, for P with one 1 in each row, and x finite: what is not taken is not seen"""
    require(one_hot(P), finite(x))
    return P @ x, x[np.argmax(P, axis=1)]


@rule
def tridiagonal_times_matrix(T: SquareMatrix, B: Matrix):
    """row i of T B is T_i,i-1 B_i-1 + T_ii B_i + T_i,i+1 B_i+1, for T tridiagonal"""
    require(tridiagonal(T))
    none = np.zeros((1, B.shape[1]), T.dtype)
    above = np.concatenate([none, np.diag(T, -1)[:, None] * B[:-1]])
    below = np.concatenate([np.diag(T, 1)[:, None] * B[1:], none])
    return T @ B, above + np.diag(T)[:, None] * B + below


@rule
def tridiagonal_times_vector(T: SquareMatrix, x: Vector):
    """(T x)_i = T_i,i-1 x_i-1 + T_ii x_i + T_i,i+1 x_i+1, for T tridiagonal"""
    require(tridiagonal(T))
    none = np.zeros(1, T.dtype)
    above, below = np.concatenate([none, np.diag(T, -1) * x[:-1]]), np.concatenate([np.diag(T, 1) * x[1:], none])
    return T @ x, above + np.diag(T) * x + below


@rule
def pentadiagonal_times_vector(P: SquareMatrix, x: Vector):
    """(P x)_i = sum of P_ij x_j over |i - j| <= 2, for P pentadiagonal"""
    require(pentadiagonal(P))
    rows = np.arange(P.shape[0])
    columns = rows + np.arange(-2, 3)[:, None]
    inside = (columns >= 0) & (columns < P.shape[0])
    near = np.where(inside, columns, 0)
    return P @ x, np.sum(np.where(inside, P[rows, near] * x[near], 0), axis=0)


@rule
def matrix_times_its_transpose(A: Matrix):
    """A A^T is symmetric: half of its products are made"""
    return A @ A.T, gram(A)


@rule
def transpose_times_its_matrix(A: Matrix):
    """A^T A is symmetric: half of its products are made"""
    return A.T @ A, gram(A, transposed=True)


@rule
def lower_triangular_times_matrix(L: SquareMatrix, B: Matrix):
    """L B without the products with zeros, for L lower triangular"""
    require(lower_triangular(L))
    return L @ B, triangular_product(L, B, lower=True)


@rule
def upper_triangular_times_matrix(U: SquareMatrix, B: Matrix):
    """U B without the products with zeros, for U upper triangular"""
    require(upper_triangular(U))
    return U @ B, triangular_product(U, B)


@rule
def matrix_times_lower_triangular(B: Matrix, L: SquareMatrix):
    """B L without the products with zeros, for L lower triangular"""
    require(lower_triangular(L))
    return B @ L, triangular_product(L, B, lower=True, right=True)


@rule
def matrix_times_upper_triangular(B: Matrix, U: SquareMatrix):
    """B U without the products with zeros, for U upper triangular"""
    require(upper_triangular(U))
    return B @ U, triangular_product(U, B, right=True)


@rule
def lower_triangular_times_vector(L: SquareMatrix, x: Vector):
    """L x without the other triangle, for L lower triangular"""
    require(lower_triangular(L))
    return L @ x, triangular_product(L, x, lower=True)


@rule
def upper_triangular_times_vector(U: SquareMatrix, x: Vector):
    """U x without the other triangle, for U upper triangular"""
    require(upper_triangular(U))
    return U @ x, triangular_product(U, x)


@rule
def vector_times_lower_triangular(x: Vector, L: SquareMatrix):
    """x L without the other triangle, for L lower triangular"""
    require(lower_triangular(L))
    return x @ L, triangular_product(L, x, lower=True, right=True)


@rule
def vector_times_upper_triangular(x: Vector, U: SquareMatrix):
    """x U without the other triangle, for U upper triangular"""
    require(upper_triangular(U))
    return x @ U, triangular_product(U, x, right=True)


@rule
def permutation_of_columns(A: Matrix, P: SquareMatrix):
    """A P are the columns of A in another order, for P a permutation"""
    require(permutation(P))
    return A @ P, A[:, np.argmax(P, axis=0)]


@rule
def vector_times_permutation(x: Vector, P: SquareMatrix):
    """x P are the elements of x in another order, for P a permutation"""
    require(permutation(P))
    return x @ P, x[np.argmax(P, axis=0)]


@rule
def product_with_zero(Z: Matrix, A: Matrix):
    """0 A = 0, for A finite"""
    require(zero(Z), finite(A))
    return Z @ A, np.zeros((Z.shape[0], A.shape[1]), A.dtype)


@rule
def product_by_zero(A: Matrix, Z: Matrix):
    """A 0 = 0, for A finite"""
    require(zero(Z), finite(A))
    return A @ Z, np.zeros((A.shape[0], Z.shape[1]), A.dtype)


@rule
def zero_times_vector(Z: Matrix, x: Vector):
    """0 x = 0, for x finite"""
    require(zero(Z), finite(x))
    return Z @ x, np.zeros(Z.shape[0], x.dtype)


@rule
def equal_rows_times_matrix(v: Vector, B: Matrix, k: Index):
    """(1 v^T) B = 1 (v B): where the rows of a matrix are equal, so are those of its products"""
    return np.broadcast_to(v, (k, v.shape[0])) @ B, np.broadcast_to(v @ B, (k, B.shape[1]))


@rule
def matrix_times_equal_rows(A: Matrix, v: Vector):
    """A (1 v^T) = (A 1) v^T"""
    return A @ np.broadcast_to(v, (A.shape[1], v.shape[0])), np.outer(np.sum(A, axis=1), v)


@rule
def equal_columns_times_matrix(u: Vector, B: Matrix):
    """(u 1^T) B = u (1^T B)"""
    return np.broadcast_to(u[:, None], (u.shape[0], B.shape[0])) @ B, np.outer(u, np.sum(B, axis=0))


@rule
def equal_rows_times_vector(v: Vector, x: Vector, k: Index):
    """(1 v^T) x = 1 (v x)"""
    return np.broadcast_to(v, (k, v.shape[0])) @ x, np.broadcast_to(v @ x, (k,))


@rule
def equal_columns_times_vector(u: Vector, x: Vector):
    """(u 1^T) x = u (1 x)"""
    return np.broadcast_to(u[:, None], (u.shape[0], x.shape[0])) @ x, u * np.sum(x)


@rule
def equal_elements_times_matrix(c: Constant, B: Matrix, k: Index):
    """(c 1 1^T) B = c 1 (1^T B)"""
    return np.full((k, B.shape[0]), c, B.dtype) @ B, np.broadcast_to(c * np.sum(B, axis=0), (k, B.shape[1]))


@rule
def equal_elements_times_vector(c: Constant, x: Vector, k: Index):
    """(c 1 1^T) x = c 1 (1 x)"""
    return np.full((k, x.shape[0]), c, x.dtype) @ x, np.broadcast_to(c * np.sum(x), (k,))


@rule
def identity_minus_number_times_matrix(E: SquareMatrix, s: Scalar, B: Matrix):
    """(I - s 1 1^T) B = B - s 1 (1^T B), which centers columns where s is 1 / n"""
    require(identity(E))
    return (E - s) @ B, B - s * np.sum(B, axis=0)


@rule
def identity_minus_number_times_vector(E: SquareMatrix, s: Scalar, x: Vector):
    """(I - s 1 1^T) x = x - s (1 x)"""
    require(identity(E))
    return (E - s) @ x, x - s * np.sum(x)


@rule
def identity_minus_constant_times_matrix(E: SquareMatrix, c: Constant, B: Matrix):
    """(I - c 1 1^T) B = B - c 1 (1^T B), which centers columns where c is 1 / n"""
    require(identity(E))
    return (E - c) @ B, B - c * np.sum(B, axis=0)


@rule
def identity_minus_constant_times_vector(E: SquareMatrix, c: Constant, x: Vector):
    """(I - c 1 1^T) x = x - c (1 x)"""
    require(identity(E))
    return (E - c) @ x, x - c * np.sum(x)
