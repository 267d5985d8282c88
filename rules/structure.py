"""Traces, diagonals, outer products, and matrices with structure."""

import numpy as np

from egc import (
    Constant,
    Matrix,
    Scalar,
    SquareMatrix,
    Vector,
    diagonal,
    hermitian,
    identity,
    lower_triangular,
    orthogonal,
    require,
    rule,
    symmetric,
    unitary,
    upper_triangular,
    zero,
)


@rule(precision="exact")
def transpose_of_symmetric(A: SquareMatrix):
    """A^T = A, for A symmetric"""
    require(symmetric(A))
    return A.T, A


@rule
def trace_of_product(A: Matrix, B: Matrix):
    """tr(A B) = sum_ij A_ij B_ji"""
    return np.trace(A @ B), np.sum(A * B.T)


@rule
def trace_of_transpose(A: SquareMatrix):
    """tr(A^T) = tr A"""
    return np.trace(A.T), np.trace(A)


@rule
def trace_of_sum(A: SquareMatrix, B: SquareMatrix):
    """tr(A + B) = tr A + tr B"""
    return np.trace(A + B), np.trace(A) + np.trace(B)


@rule
def trace_of_scaled(s: Scalar, A: SquareMatrix):
    """tr(s A) = s tr A"""
    return np.trace(s * A), s * np.trace(A)


@rule
def trace_of_outer_product(x: Vector, y: Vector):
    """tr(x y^T) = x y"""
    return np.trace(np.outer(x, y)), x @ y


@rule
def diagonal_of_product(A: Matrix, B: Matrix):
    """diag(A B)_i = sum_k A_ik B_ki"""
    return np.diag(A @ B), np.sum(A * B.T, axis=1)


@rule(precision="exact", dtypes="number")
def diagonal_of_sum(A: SquareMatrix, B: SquareMatrix):
    """diag(A + B) = diag A + diag B"""
    return np.diag(A + B), np.diag(A) + np.diag(B)


@rule(precision="exact", dtypes="number")
def diagonal_of_scaled(s: Scalar, A: SquareMatrix):
    """diag(s A) = s diag A"""
    return np.diag(s * A), s * np.diag(A)


@rule(precision="exact", dtypes="number")
def diagonal_of_elementwise_product(A: SquareMatrix, B: SquareMatrix):
    """diag(A * B) = diag A * diag B"""
    return np.diag(A * B), np.diag(A) * np.diag(B)


@rule(precision="exact", dtypes="any")
def diagonal_of_transpose(A: SquareMatrix):
    """diag(A^T) = diag A"""
    return np.diag(A.T), np.diag(A)


@rule(precision="exact", dtypes="any")
def diagonal_of_diagonal_matrix(v: Vector):
    """diag(diag v) = v"""
    return np.diag(np.diag(v)), v


@rule
def diagonal_matrix_times_matrix(v: Vector, A: Matrix):
    """diag(v) A scales the rows of A"""
    return np.diag(v) @ A, v[:, None] * A


@rule
def matrix_times_diagonal_matrix(A: Matrix, v: Vector):
    """A diag(v) scales the columns of A"""
    return A @ np.diag(v), A * v


@rule
def diagonal_matrix_times_vector(v: Vector, x: Vector):
    """diag(v) x = v * x"""
    return np.diag(v) @ x, v * x


@rule
def diagonal_times_vector(A: SquareMatrix, x: Vector):
    """A x = diag(A) * x, for A diagonal"""
    require(diagonal(A))
    return A @ x, np.diag(A) * x


@rule
def outer_product_times_vector(x: Vector, y: Vector, z: Vector):
    """(x y^T) z = x (y z)"""
    return np.outer(x, y) @ z, x * (y @ z)


@rule
def vector_times_outer_product(x: Vector, y: Vector, z: Vector):
    """z (x y^T) = (z x) y"""
    return z @ np.outer(x, y), (z @ x) * y


@rule
def matrix_times_outer_product(A: Matrix, x: Vector, y: Vector):
    """A (x y^T) = (A x) y^T"""
    return A @ np.outer(x, y), np.outer(A @ x, y)


@rule
def outer_product_times_matrix(x: Vector, y: Vector, A: Matrix):
    """(x y^T) A = x (y A)^T"""
    return np.outer(x, y) @ A, np.outer(x, y @ A)


@rule
def rank_one_update_times_vector(A: Matrix, x: Vector, y: Vector, z: Vector):
    """(A + x y^T) z = A z + x (y z)"""
    return (A + np.outer(x, y)) @ z, A @ z + x * (y @ z)


@rule
def outer_weights_times_vector(A: Matrix, x: Vector, y: Vector, z: Vector):
    """(A * x y^T) z = x * (A (y * z))"""
    return (A * np.outer(x, y)) @ z, x * (A @ (y * z))


@rule
def sum_of_outer_product(x: Vector, y: Vector):
    """sum_ij x_i y_j = sum x sum y"""
    return np.sum(np.outer(x, y)), np.sum(x) * np.sum(y)


@rule
def trace_of_triple_product(A: Matrix, B: Matrix, C: Matrix):
    """sum (A B) * C^T = tr(A B C), without a second product"""
    return np.trace(A @ B @ C), np.sum((A @ B) * C.T)


@rule(precision="exact")
def lower_triangle_of_lower_triangular(A: SquareMatrix):
    """tril A = A, for A lower triangular"""
    require(lower_triangular(A))
    return np.tril(A), A


@rule(precision="exact")
def upper_triangle_of_upper_triangular(A: SquareMatrix):
    """triu A = A, for A upper triangular"""
    require(upper_triangular(A))
    return np.triu(A), A


@rule
def lower_triangle_of_upper_triangular(A: SquareMatrix):
    """tril A is the diagonal of A, for A upper triangular"""
    require(upper_triangular(A))
    return np.tril(A), np.diag(np.diag(A))


@rule
def upper_triangle_of_lower_triangular(A: SquareMatrix):
    """triu A is the diagonal of A, for A lower triangular"""
    require(lower_triangular(A))
    return np.triu(A), np.diag(np.diag(A))


@rule(precision="exact", dtypes="number")
def diagonal_of_lower_triangle(A: SquareMatrix):
    """diag(tril A) = diag A"""
    return np.diag(np.tril(A)), np.diag(A)


@rule(precision="exact", dtypes="number")
def diagonal_of_upper_triangle(A: SquareMatrix):
    """diag(triu A) = diag A"""
    return np.diag(np.triu(A)), np.diag(A)


@rule(precision="exact", dtypes="number")
def diagonal_below_which_is_a_triangle(A: SquareMatrix):
    """diag(tril(A, -1)) = 0"""
    return np.diag(np.tril(A, -1)), np.zeros(A.shape[0], dtype=A.dtype)


@rule(precision="exact", dtypes="number")
def diagonal_above_which_is_a_triangle(A: SquareMatrix):
    """diag(triu(A, 1)) = 0"""
    return np.diag(np.triu(A, 1)), np.zeros(A.shape[0], dtype=A.dtype)


@rule(precision="exact", dtypes="number")
def diagonal_of_negative(A: SquareMatrix):
    """diag(-A) = -diag A"""
    return np.diag(-A), -np.diag(A)


@rule
def diagonal_of_scaled_columns(A: SquareMatrix, v: Vector):
    """diag(A diag v) = diag A * v"""
    return np.diag(A * v), np.diag(A) * v


@rule
def diagonal_of_scaled_rows(A: SquareMatrix, v: Vector):
    """diag(diag v A) = v * diag A"""
    return np.diag(v[:, None] * A), v * np.diag(A)


@rule(precision="exact", dtypes="any")
def diagonal_of_repeated_row(v: Vector):
    """the diagonal of a matrix of which each row is v is v"""
    return np.diag(np.broadcast_to(v, (v.shape[0], v.shape[0]))), v


@rule(precision="exact", dtypes="any")
def diagonal_of_repeated_column(v: Vector):
    """the diagonal of a matrix of which each column is v is v"""
    return np.diag(np.broadcast_to(v[:, None], (v.shape[0], v.shape[0]))), v


@rule
def orthogonal_preserves_length(Q: SquareMatrix, x: Vector):
    """|Q x|^2 = |x|^2, for Q orthogonal"""
    require(orthogonal(Q))
    y = Q @ x
    return np.sum(y * y), np.sum(x * x)


@rule(precision="exact", dtypes="number")
def sum_of_diagonal_matrices(v: Vector, w: Vector):
    """diag v + diag w = diag(v + w)"""
    return np.diag(v) + np.diag(w), np.diag(v + w)


@rule
def scaled_diagonal_matrix(s: Scalar, v: Vector):
    """s diag v = diag(s v)"""
    return s * np.diag(v), np.diag(s * v)


@rule
def product_with_identity(E: SquareMatrix, A: Matrix):
    """I A = A"""
    require(identity(E))
    return E @ A, A


@rule
def product_by_identity(A: Matrix, E: SquareMatrix):
    """A I = A"""
    require(identity(E))
    return A @ E, A


@rule
def matrix_plus_identity_times_matrix(A: SquareMatrix, E: SquareMatrix, B: Matrix):
    """(A + I) B = A B + B"""
    require(identity(E))
    return (A + E) @ B, A @ B + B


@rule(dtypes="inexact")
def conjugate_transpose_of_hermitian(A: SquareMatrix):
    """A^H = A, for A Hermitian"""
    require(hermitian(A))
    return np.conj(A.T), A


@rule(dtypes="inexact")
def inverse_of_unitary(Q: SquareMatrix):
    """Q^-1 = Q^H, for Q unitary"""
    require(unitary(Q))
    return np.linalg.inv(Q), np.conj(Q.T)


@rule
def sum_with_zero(A: Matrix, Z: Matrix):
    """A + 0 = A"""
    require(zero(Z))
    return A + Z, A


@rule
def multiple_of_diagonal_matrix(c: Constant, v: Vector):
    """c diag v = diag(c v)"""
    return c * np.diag(v), np.diag(c * v)
