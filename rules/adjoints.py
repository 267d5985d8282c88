"""What derivatives leave behind: systems with a diagonal on the right, sums against outer products and rows."""

from __future__ import annotations

import numpy as np

from egc import Matrix, SquareMatrix, Vector, rule


@rule
def solution_for_diagonal_matrix(A: SquareMatrix, v: Vector):
    """A X = diag(v): X = A^-1 diag(v), the columns of the inverse scaled"""
    return np.linalg.solve(A, np.diag(v)), np.linalg.inv(A) * v


@rule
def sum_of_product_with_outer_product(A: Matrix, x: Vector, y: Vector):
    """sum_ij A_ij x_i y_j = x A y"""
    return np.sum(A * np.outer(x, y)), x @ A @ y


@rule
def sum_of_scaled_rows(A: Matrix, x: Vector):
    """sum_j A_ij x_j = A x"""
    return np.sum(A * x, axis=1), A @ x
