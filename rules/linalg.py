"""Products, transposes, traces, diagonals and outer products of matrices."""

import numpy as np

from egc import (
    Matrix,
    Scalar,
    SquareMatrix,
    Vector,
    diagonal,
    equation,
    lower_triangular,
    orthogonal,
    require,
    rule,
    symmetric,
    upper_triangular,
)


@equation(dtypes="number")
def matrix_product_is_associative(A: Matrix, B: Matrix, C: Matrix):
    """(A B) C = A (B C)"""
    return (A @ B) @ C, A @ (B @ C)


@equation(dtypes="number")
def product_with_vector_is_associative(A: Matrix, B: Matrix, x: Vector):
    """(A B) x = A (B x)"""
    return (A @ B) @ x, A @ (B @ x)


@equation(dtypes="number")
def vector_with_product_is_associative(x: Vector, A: Matrix, B: Matrix):
    """(x A) B = x (A B)"""
    return (x @ A) @ B, x @ (A @ B)


@equation(dtypes="number")
def bilinear_form_is_associative(x: Vector, A: Matrix, y: Vector):
    """(x A) y = x (A y)"""
    return (x @ A) @ y, x @ (A @ y)


@rule(dtypes="number")
def dot_commutes(x: Vector, y: Vector):
    """x y = y x"""
    return x @ y, y @ x


@equation(dtypes="number")
def scalar_of_left_factor(s: Scalar, A: Matrix, B: Matrix):
    """(s A) B = s (A B)"""
    return (s * A) @ B, s * (A @ B)


@equation(dtypes="number")
def scalar_of_right_factor(s: Scalar, A: Matrix, B: Matrix):
    """A (s B) = s (A B)"""
    return A @ (s * B), s * (A @ B)


@equation(dtypes="number")
def scalar_of_matrix_times_vector(s: Scalar, A: Matrix, x: Vector):
    """(s A) x = s (A x)"""
    return (s * A) @ x, s * (A @ x)


@equation(dtypes="number")
def scalar_of_vector_in_product(s: Scalar, A: Matrix, x: Vector):
    """A (s x) = s (A x)"""
    return A @ (s * x), s * (A @ x)


@rule(dtypes="number")
def scalar_of_dot(s: Scalar, x: Vector, y: Vector):
    """(s x) y = s (x y)"""
    return (s * x) @ y, s * (x @ y)


@rule(dtypes="number")
def negative_of_left_factor(A: Matrix, B: Matrix):
    """(-A) B = -(A B)"""
    return (-A) @ B, -(A @ B)


@rule(dtypes="number")
def negative_of_right_factor(A: Matrix, B: Matrix):
    """A (-B) = -(A B)"""
    return A @ (-B), -(A @ B)


@equation(dtypes="number")
def transpose_of_product(A: Matrix, B: Matrix):
    """(A B)^T = B^T A^T"""
    return (A @ B).T, B.T @ A.T


@equation(precision="exact", dtypes="number")
def transpose_of_sum(A: Matrix, B: Matrix):
    """(A + B)^T = A^T + B^T"""
    return (A + B).T, A.T + B.T


@equation(precision="exact", dtypes="number")
def transpose_of_elementwise_product(A: Matrix, B: Matrix):
    """(A * B)^T = A^T * B^T"""
    return (A * B).T, A.T * B.T


@equation(dtypes="number")
def transposed_matrix_times_vector(A: Matrix, x: Vector):
    """A^T x = x A"""
    return A.T @ x, x @ A


@rule(precision="exact")
def transpose_of_symmetric(A: SquareMatrix):
    """A^T = A, for A symmetric"""
    require(symmetric(A))
    return A.T, A


@rule(dtypes="number")
def factor_of_left_products(A: Matrix, B: Matrix, C: Matrix):
    """A B + A C = A (B + C)"""
    return A @ B + A @ C, A @ (B + C)


@rule(dtypes="number")
def factor_of_right_products(A: Matrix, B: Matrix, C: Matrix):
    """A C + B C = (A + B) C"""
    return A @ C + B @ C, (A + B) @ C


@rule(dtypes="number")
def difference_of_left_products(A: Matrix, B: Matrix, C: Matrix):
    """A B - A C = A (B - C)"""
    return A @ B - A @ C, A @ (B - C)


@rule(dtypes="number")
def matrix_times_sum_of_vectors(A: Matrix, x: Vector, y: Vector):
    """A x + A y = A (x + y)"""
    return A @ x + A @ y, A @ (x + y)


@rule(dtypes="number")
def matrix_times_difference_of_vectors(A: Matrix, x: Vector, y: Vector):
    """A x - A y = A (x - y)"""
    return A @ x - A @ y, A @ (x - y)


@rule(dtypes="number")
def sum_of_matrices_times_vector(A: Matrix, B: Matrix, x: Vector):
    """A x + B x = (A + B) x"""
    return A @ x + B @ x, (A + B) @ x


@rule
def sum_of_dots(x: Vector, y: Vector, z: Vector):
    """x y + x z = x (y + z)"""
    return x @ y + x @ z, x @ (y + z)


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
def scaled_rows_times_vector(A: Matrix, u: Vector, x: Vector):
    """(u A) x = u (A x), u along the columns"""
    return (A * u[:, None]) @ x, u * (A @ x)


@rule
def scaled_columns_times_vector(A: Matrix, v: Vector, x: Vector):
    """(A v) x = A (v x), v along the rows"""
    return (A * v) @ x, A @ (v * x)


@equation
def scaled_rows_times_matrix(A: Matrix, B: Matrix, u: Vector):
    """(u A) B = u (A B), u along the columns"""
    return (A * u[:, None]) @ B, (A @ B) * u[:, None]


@equation
def matrix_times_scaled_columns(A: Matrix, B: Matrix, v: Vector):
    """A (B v) = (A B) v, v along the rows"""
    return A @ (B * v), (A @ B) * v


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
def sum_of_matrix_vector_product(A: Matrix, x: Vector):
    """sum_i (A x)_i = (sum_i A_ij) x"""
    return np.sum(A @ x), np.sum(A, axis=0) @ x


@rule
def column_sums_of_product(A: Matrix, B: Matrix):
    """sum_i (A B)_ij = (sum_i A_i) B"""
    return np.sum(A @ B, axis=0), np.sum(A, axis=0) @ B


@rule
def row_sums_of_product(A: Matrix, B: Matrix):
    """sum_j (A B)_ij = A (sum_j B_j)"""
    return np.sum(A @ B, axis=1), A @ np.sum(B, axis=1)


@rule
def sum_of_product(A: Matrix, B: Matrix):
    """sum_ij (A B)_ij = (sum_i A_i) (sum_j B_j)"""
    return np.sum(A @ B), np.sum(A, axis=0) @ np.sum(B, axis=1)


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
def orthogonal_preserves_length(Q: SquareMatrix, x: Vector):
    """|Q x|^2 = |x|^2, for Q orthogonal"""
    require(orthogonal(Q))
    y = Q @ x
    return np.sum(y * y), np.sum(x * x)
