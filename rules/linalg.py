"""Products, transposes and sums of matrices."""

import numpy as np

from egc import Matrix, Scalar, Vector, equation, rule


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
def negative_of_matrix_times_vector(A: Matrix, x: Vector):
    """(-A) x = -(A x)"""
    return (-A) @ x, -(A @ x)


@rule(dtypes="number")
def vector_times_negative_of_matrix(x: Vector, A: Matrix):
    """x (-A) = -(x A)"""
    return x @ (-A), -(x @ A)


@rule(dtypes="number")
def negative_of_right_factor(A: Matrix, B: Matrix):
    """A (-B) = -(A B)"""
    return A @ (-B), -(A @ B)


@equation(dtypes="number")
def transpose_of_product(A: Matrix, B: Matrix):
    """(A B)^T = B^T A^T"""
    return (A @ B).T, B.T @ A.T


@rule(dtypes="number")
def transposed_matrix_times_matrix(A: Matrix, B: Matrix):
    """A^T B = (B^T A)^T"""
    return A.T @ B, (B.T @ A).T


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
