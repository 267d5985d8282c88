"""Inverses, linear systems, determinants and Cholesky factors. Normal equations and Gram forms are never made."""

import numpy as np
import scipy

from egc import (
    Constant,
    Matrix,
    Scalar,
    SquareMatrix,
    Vector,
    equation,
    identity,
    lower_triangular,
    nonsingular,
    nonzero,
    orthogonal,
    require,
    rule,
    spd,
    upper_triangular,
)
from egc.factors import cholesky_inverse


@rule
def inverse_times_vector(A: SquareMatrix, b: Vector):
    """A^-1 b is the solution of A x = b"""
    return np.linalg.inv(A) @ b, np.linalg.solve(A, b)


@rule
def inverse_times_matrix(A: SquareMatrix, B: Matrix):
    """A^-1 B is the solution of A X = B"""
    return np.linalg.inv(A) @ B, np.linalg.solve(A, B)


@rule
def vector_times_inverse(A: SquareMatrix, b: Vector):
    """b A^-1 is the solution of A^T x = b"""
    return b @ np.linalg.inv(A), np.linalg.solve(A.T, b)


@rule
def matrix_times_inverse(A: SquareMatrix, B: Matrix):
    """B A^-1 is the transposed solution of A^T X = B^T"""
    return B @ np.linalg.inv(A), np.linalg.solve(A.T, B.T).T


@rule
def inverse_of_inverse(A: SquareMatrix):
    """(A^-1)^-1 = A, for A nonsingular"""
    require(nonsingular(A))
    return np.linalg.inv(np.linalg.inv(A)), A


@equation
def inverse_of_transpose(A: SquareMatrix):
    """(A^T)^-1 = (A^-1)^T"""
    return np.linalg.inv(A.T), np.linalg.inv(A).T


@rule
def inverse_of_product(A: SquareMatrix, B: SquareMatrix):
    """(A B)^-1 = B^-1 A^-1, as the solution of B X = A^-1"""
    return np.linalg.inv(A @ B), np.linalg.solve(B, np.linalg.inv(A))


@rule
def inverse_of_scaled(A: SquareMatrix, s: Scalar):
    """(s A)^-1 = A^-1 / s, for s != 0"""
    require(nonzero(s))
    return np.linalg.inv(s * A), np.linalg.inv(A) / s


@rule
def inverse_of_orthogonal(Q: SquareMatrix):
    """Q^-1 = Q^T, for Q orthogonal"""
    require(orthogonal(Q))
    return np.linalg.inv(Q), Q.T


@rule
def solution_with_orthogonal(Q: SquareMatrix, b: Vector):
    """Q x = b is solved by Q^T b, for Q orthogonal"""
    require(orthogonal(Q))
    return np.linalg.solve(Q, b), Q.T @ b


@rule
def inverse_of_diagonal(v: Vector):
    """diag(v)^-1 = diag(1 / v), for v != 0"""
    require(nonzero(v))
    return np.linalg.inv(np.diag(v)), np.diag(1 / v)


@rule
def solution_with_diagonal(v: Vector, b: Vector):
    """diag(v) x = b is solved by b / v, for v != 0"""
    require(nonzero(v))
    return np.linalg.solve(np.diag(v), b), b / v


@rule
def product_with_solution(A: SquareMatrix, b: Vector):
    """A A^-1 b = b, for A nonsingular"""
    require(nonsingular(A))
    return A @ np.linalg.solve(A, b), b


@rule
def solution_of_product(A: SquareMatrix, b: Vector):
    """A^-1 A b = b, for A nonsingular"""
    require(nonsingular(A))
    return np.linalg.solve(A, A @ b), b


@rule
def solution_with_inverse(A: SquareMatrix, b: Vector):
    """A^-1 x = b is solved by A b, for A nonsingular"""
    require(nonsingular(A))
    return np.linalg.solve(np.linalg.inv(A), b), A @ b


@rule
def solution_times_vector(A: SquareMatrix, B: Matrix, x: Vector):
    """(A^-1 B) x = A^-1 (B x)"""
    return np.linalg.solve(A, B) @ x, np.linalg.solve(A, B @ x)


@equation
def solution_times_matrix(A: SquareMatrix, B: Matrix, C: Matrix):
    """(A^-1 B) C = A^-1 (B C)"""
    return np.linalg.solve(A, B) @ C, np.linalg.solve(A, B @ C)


@rule
def vector_times_solution(A: SquareMatrix, B: Matrix, x: Vector):
    """x (A^-1 B) = (x A^-1) B"""
    return x @ np.linalg.solve(A, B), np.linalg.solve(A.T, x) @ B


@equation
def scalar_of_right_side(A: SquareMatrix, s: Scalar, b: Vector):
    """A^-1 (s b) = s A^-1 b"""
    return np.linalg.solve(A, s * b), s * np.linalg.solve(A, b)


@rule
def scalar_of_system(A: SquareMatrix, s: Scalar, b: Vector):
    """(s A)^-1 b = A^-1 b / s, for s != 0"""
    require(nonzero(s))
    return np.linalg.solve(s * A, b), np.linalg.solve(A, b) / s


@rule
def sum_of_solutions(A: SquareMatrix, b: Vector, c: Vector):
    """A^-1 b + A^-1 c = A^-1 (b + c)"""
    return np.linalg.solve(A, b) + np.linalg.solve(A, c), np.linalg.solve(A, b + c)


@rule
def solution_with_product(A: SquareMatrix, B: SquareMatrix, b: Vector):
    """A^-1 (B^-1 b) solves A after B"""
    return np.linalg.inv(A) @ (np.linalg.inv(B) @ b), np.linalg.solve(A, np.linalg.solve(B, b))


@rule
def solution_with_lower_triangular(L: SquareMatrix, b: Vector):
    """L x = b by forward substitution, for L lower triangular"""
    require(lower_triangular(L))
    return np.linalg.solve(L, b), scipy.linalg.solve_triangular(L, b, lower=True, check_finite=False)


@rule
def solution_with_upper_triangular(U: SquareMatrix, b: Vector):
    """U x = b by back substitution, for U upper triangular"""
    require(upper_triangular(U))
    return np.linalg.solve(U, b), scipy.linalg.solve_triangular(U, b, lower=False, check_finite=False)


@rule
def solution_by_cholesky(A: SquareMatrix, b: Vector):
    """A x = b by A = L L^T, for A symmetric positive definite"""
    require(spd(A))
    L = np.linalg.cholesky(A)
    half = scipy.linalg.solve_triangular(L, b, lower=True, check_finite=False)
    return np.linalg.solve(A, b), scipy.linalg.solve_triangular(L.T, half, lower=False, check_finite=False)


@rule
def solutions_with_lower_triangular(L: SquareMatrix, B: Matrix):
    """L X = B by forward substitution, for L lower triangular"""
    require(lower_triangular(L))
    return np.linalg.solve(L, B), scipy.linalg.solve_triangular(L, B, lower=True, check_finite=False)


@rule
def solutions_with_upper_triangular(U: SquareMatrix, B: Matrix):
    """U X = B by back substitution, for U upper triangular"""
    require(upper_triangular(U))
    return np.linalg.solve(U, B), scipy.linalg.solve_triangular(U, B, lower=False, check_finite=False)


@rule
def solutions_by_cholesky(A: SquareMatrix, B: Matrix):
    """A X = B by A = L L^T, for A symmetric positive definite"""
    require(spd(A))
    L = np.linalg.cholesky(A)
    half = scipy.linalg.solve_triangular(L, B, lower=True, check_finite=False)
    return np.linalg.solve(A, B), scipy.linalg.solve_triangular(L.T, half, lower=False, check_finite=False)


@rule
def inverse_by_cholesky(A: SquareMatrix):
    """A^-1 = L^-T L^-1 with A = L L^T, for A symmetric positive definite"""
    require(spd(A))
    return np.linalg.inv(A), cholesky_inverse(np.linalg.cholesky(A))


@rule
def inverse_from_triangular_solutions(L: SquareMatrix, E: SquareMatrix):
    """L^-T (L^-1 I) = (L L^T)^-1, for L lower triangular"""
    require(identity(E))
    half = scipy.linalg.solve_triangular(L, E, lower=True, check_finite=False)
    whole = scipy.linalg.solve_triangular(L, half, lower=True, trans=1, check_finite=False)
    return whole, cholesky_inverse(L)


@rule
def transposed_triangular_inverse(L: SquareMatrix, E: SquareMatrix):
    """(L^-T I)^T = L^-1 I"""
    require(identity(E))
    turned = scipy.linalg.solve_triangular(L, E, lower=True, trans=1, check_finite=False)
    return turned.T, scipy.linalg.solve_triangular(L, E, lower=True, check_finite=False)


@rule
def triangular_solution_for_multiple_of_identity(L: SquareMatrix, c: Constant):
    """L^-1 (c I) = c L^-1"""
    right, unit = np.diag(np.full(L.shape[0], c, L.dtype)), np.eye(L.shape[0], dtype=L.dtype)
    solution = scipy.linalg.solve_triangular(L, right, lower=True, check_finite=False)
    return solution, c * scipy.linalg.solve_triangular(L, unit, lower=True, check_finite=False)


@rule
def transposed_triangular_solution_for_multiple_of_identity(L: SquareMatrix, c: Constant):
    """L^-T (c I) = c L^-T"""
    right, unit = np.diag(np.full(L.shape[0], c, L.dtype)), np.eye(L.shape[0], dtype=L.dtype)
    solution = scipy.linalg.solve_triangular(L, right, lower=True, trans=1, check_finite=False)
    return solution, c * scipy.linalg.solve_triangular(L, unit, lower=True, trans=1, check_finite=False)


@rule
def triangular_solution_for_multiple(L: SquareMatrix, c: Constant, B: Matrix):
    """L^-1 (c B) = c L^-1 B"""
    solution = scipy.linalg.solve_triangular(L, c * B, lower=True, check_finite=False)
    return solution, c * scipy.linalg.solve_triangular(L, B, lower=True, check_finite=False)


@rule
def transposed_triangular_solution_for_multiple(L: SquareMatrix, c: Constant, B: Matrix):
    """L^-T (c B) = c L^-T B"""
    solution = scipy.linalg.solve_triangular(L, c * B, lower=True, trans=1, check_finite=False)
    return solution, c * scipy.linalg.solve_triangular(L, B, lower=True, trans=1, check_finite=False)


@rule
def diagonal_of_cholesky_factor_divided(A: SquareMatrix, c: Constant):
    """d c / d = c for the diagonal d of a Cholesky factor, which is positive"""
    require(spd(A))
    d = np.diag(np.linalg.cholesky(A))
    return d * (c / d), np.full(A.shape[0], c, A.dtype)


@rule
def product_of_cholesky_factors(A: SquareMatrix):
    """L L^T = A for the Cholesky factor L of A"""
    require(spd(A))
    L = np.linalg.cholesky(A)
    return L @ L.T, A


@rule
def log_absolute_determinant(A: SquareMatrix):
    """log |det A| = slogdet(A)[1], which does not overflow"""
    return np.log(np.abs(np.linalg.det(A))), np.linalg.slogdet(A)[1]


@rule
def log_determinant_of_positive_definite(A: SquareMatrix):
    """log det A = slogdet(A)[1], for A symmetric positive definite"""
    require(spd(A))
    return np.log(np.linalg.det(A)), np.linalg.slogdet(A)[1]


@rule
def sign_of_determinant(A: SquareMatrix):
    """sign(det A) = slogdet(A)[0], which does not underflow"""
    return np.sign(np.linalg.det(A)), np.linalg.slogdet(A)[0]


@rule
def log_determinant_by_cholesky(A: SquareMatrix):
    """slogdet(A)[1] = 2 sum log diag L with A = L L^T, for A symmetric positive definite"""
    require(spd(A))
    return np.linalg.slogdet(A)[1], 2 * np.sum(np.log(np.diag(np.linalg.cholesky(A))))


@rule
def determinant_of_transpose(A: SquareMatrix):
    """det A^T = det A"""
    return np.linalg.det(A.T), np.linalg.det(A)


@rule
def determinant_of_product(A: SquareMatrix, B: SquareMatrix):
    """det(A B) = det A det B"""
    return np.linalg.det(A @ B), np.linalg.det(A) * np.linalg.det(B)


@rule
def determinant_of_inverse(A: SquareMatrix):
    """det A^-1 = 1 / det A"""
    return np.linalg.det(np.linalg.inv(A)), 1 / np.linalg.det(A)


@rule
def determinant_of_lower_triangular(L: SquareMatrix):
    """det L = prod_i L_ii, for L lower triangular"""
    require(lower_triangular(L))
    return np.linalg.det(L), np.prod(np.diag(L))


@rule
def determinant_of_upper_triangular(U: SquareMatrix):
    """det U = prod_i U_ii, for U upper triangular"""
    require(upper_triangular(U))
    return np.linalg.det(U), np.prod(np.diag(U))


@rule
def determinant_of_diagonal_matrix(v: Vector):
    """det diag(v) = prod v"""
    return np.linalg.det(np.diag(v)), np.prod(v)


@rule
def log_determinant_of_lower_triangular(L: SquareMatrix):
    """slogdet(L)[1] = sum_i log |L_ii|, for L lower triangular"""
    require(lower_triangular(L))
    return np.linalg.slogdet(L)[1], np.sum(np.log(np.abs(np.diag(L))))


@rule
def log_determinant_of_inverse(A: SquareMatrix):
    """slogdet(A^-1)[1] = -slogdet(A)[1], for A nonsingular"""
    require(nonsingular(A))
    return np.linalg.slogdet(np.linalg.inv(A))[1], -np.linalg.slogdet(A)[1]


@rule
def log_determinant_of_product(A: SquareMatrix, B: SquareMatrix):
    """slogdet(A B)[1] = slogdet(A)[1] + slogdet(B)[1]"""
    return np.linalg.slogdet(A @ B)[1], np.linalg.slogdet(A)[1] + np.linalg.slogdet(B)[1]


@rule
def log_determinant_of_transpose(A: SquareMatrix):
    """slogdet(A^T)[1] = slogdet(A)[1]"""
    return np.linalg.slogdet(A.T)[1], np.linalg.slogdet(A)[1]


@rule
def solutions_with_orthogonal(Q: SquareMatrix, B: Matrix):
    """Q X = B is solved by Q^T B, for Q orthogonal"""
    require(orthogonal(Q))
    return np.linalg.solve(Q, B), Q.T @ B
