"""Factorizations: least squares, eigenvalues, singular values, exponentials, powers and norms of matrices with structure."""

import numpy as np
import scipy

from egc import (
    Constant,
    Matrix,
    Scalar,
    SquareMatrix,
    Vector,
    full_column_rank,
    full_row_rank,
    lower_triangular,
    nonempty,
    nonnegative,
    orthogonal,
    pentadiagonal,
    positive,
    positive_diagonal,
    require,
    rule,
    spd,
    symmetric,
    thin,
    tridiagonal,
)
from egc.factors import banded_solve, bands, lu, lu_solve, symmetric_solve, tridiagonal_solve


@rule
def solution_by_factors(A: SquareMatrix, b: Vector):
    """A x = b by A = P L U, which other systems with A share"""
    factors, pivots = lu(A)
    return np.linalg.solve(A, b), lu_solve(factors, pivots, b)


@rule
def solutions_by_factors(A: SquareMatrix, B: Matrix):
    """A X = B by A = P L U, which other systems with A share"""
    factors, pivots = lu(A)
    return np.linalg.solve(A, B), lu_solve(factors, pivots, B)


@rule
def solution_with_transpose_by_factors(A: SquareMatrix, b: Vector):
    """A^T x = b by A = P L U, which systems with A share"""
    factors, pivots = lu(A)
    return np.linalg.solve(A.T, b), lu_solve(factors, pivots, b, transposed=True)


@rule
def solutions_with_transpose_by_factors(A: SquareMatrix, B: Matrix):
    """A^T X = B by A = P L U, which systems with A share"""
    factors, pivots = lu(A)
    return np.linalg.solve(A.T, B), lu_solve(factors, pivots, B, transposed=True)


@rule
def inverse_by_factors(A: SquareMatrix):
    """A^-1 = A^-1 I by A = P L U, which systems with A share"""
    factors, pivots = lu(A)
    return np.linalg.inv(A), lu_solve(factors, pivots, np.eye(A.shape[0], dtype=A.dtype))


@rule
def inverse_of_transpose_by_factors(A: SquareMatrix):
    """A^-T = A^-T I by A = P L U, which systems with A share"""
    factors, pivots = lu(A)
    return np.linalg.inv(A.T), lu_solve(factors, pivots, np.eye(A.shape[0], dtype=A.dtype), transposed=True)


@rule
def log_determinant_by_factors(A: SquareMatrix):
    """log |det A| = sum log |U_ii| with A = P L U, which systems with A share"""
    return np.linalg.slogdet(A)[1], np.sum(np.log(np.abs(np.diag(lu(A)[0]))))


@rule
def determinant_by_factors(A: SquareMatrix):
    """det A = det P prod U_ii with A = P L U, which systems with A share"""
    factors, pivots = lu(A)
    exchanges = np.sum(pivots != np.arange(A.shape[0]))
    return np.linalg.det(A), np.where(exchanges % 2 == 1, -1, 1).astype(A.dtype) * np.prod(np.diag(factors))


@rule
def tridiagonal_solution(T: SquareMatrix, b: Vector):
    """T x = b by its three diagonals, for T tridiagonal"""
    require(tridiagonal(T))
    return np.linalg.solve(T, b), tridiagonal_solve(np.diag(T, -1), np.diag(T), np.diag(T, 1), b)


@rule
def tridiagonal_solutions(T: SquareMatrix, B: Matrix):
    """T X = B by its three diagonals, for T tridiagonal"""
    require(tridiagonal(T))
    return np.linalg.solve(T, B), tridiagonal_solve(np.diag(T, -1), np.diag(T), np.diag(T, 1), B)


@rule
def positive_definite_tridiagonal_solution(T: SquareMatrix, b: Vector):
    """T x = b by two of its diagonals, for T tridiagonal and positive definite"""
    require(tridiagonal(T), spd(T))
    lower = np.diag(T, -1)
    return np.linalg.solve(T, b), tridiagonal_solve(lower, np.diag(T), lower, b, positive=True)


@rule
def pentadiagonal_solution(P: SquareMatrix, b: Vector):
    """P x = b by its five diagonals, for P pentadiagonal"""
    require(pentadiagonal(P))
    return np.linalg.solve(P, b), banded_solve(bands(P, below=2, above=2), b, below=2, above=2)


@rule
def pentadiagonal_solutions(P: SquareMatrix, B: Matrix):
    """P X = B by its five diagonals, for P pentadiagonal"""
    require(pentadiagonal(P))
    return np.linalg.solve(P, B), banded_solve(bands(P, below=2, above=2), B, below=2, above=2)


@rule
def positive_definite_pentadiagonal_solution(P: SquareMatrix, b: Vector):
    """P x = b by three of its diagonals, for P pentadiagonal and positive definite"""
    require(pentadiagonal(P), spd(P))
    return np.linalg.solve(P, b), banded_solve(bands(P, below=2), b, below=2, positive=True)


@rule
def solution_with_symmetric(S: SquareMatrix, b: Vector):
    """S x = b by S = P L D L^T P^T (Bunch and Kaufman), for S symmetric"""
    require(symmetric(S))
    return np.linalg.solve(S, b), symmetric_solve(S, b)


@rule
def solutions_with_symmetric(S: SquareMatrix, B: Matrix):
    """S X = B by S = P L D L^T P^T (Bunch and Kaufman), for S symmetric"""
    require(symmetric(S))
    return np.linalg.solve(S, B), symmetric_solve(S, B)


@rule
def pseudoinverse_times_vector(X: Matrix, y: Vector):
    """X^+ y = R^-1 Q^T y with X = Q R, for X of full column rank"""
    require(full_column_rank(X))
    (Q, R), k = np.linalg.qr(X), X.shape[1]
    found = scipy.linalg.solve_triangular(R[:k], (Q.T @ y)[:k], lower=False, check_finite=False)
    return np.linalg.pinv(X) @ y, found


@rule
def pseudoinverse_times_matrix(X: Matrix, Y: Matrix):
    """X^+ Y = R^-1 Q^T Y with X = Q R, for X of full column rank"""
    require(full_column_rank(X))
    (Q, R), k = np.linalg.qr(X), X.shape[1]
    found = scipy.linalg.solve_triangular(R[:k], (Q.T @ Y)[:k], lower=False, check_finite=False)
    return np.linalg.pinv(X) @ Y, found


@rule
def log_determinant_of_gram(A: Matrix):
    """log |det(A A^T)| = 2 sum log |R_ii| with A^T = Q R, for A of full row rank: without A A^T, which squares the condition"""
    require(full_row_rank(A))
    R = np.linalg.qr(A.T, mode="r")[: A.shape[0]]
    return np.linalg.slogdet(A @ A.T)[1], 2 * np.sum(np.log(np.abs(np.diag(R))))


@rule
def cholesky_of_triangular_factors(L: SquareMatrix):
    """the Cholesky factor of L L^T is L, for L lower triangular with a positive diagonal"""
    require(lower_triangular(L), positive_diagonal(L))
    return np.linalg.cholesky(L @ L.T), L


@rule
def cholesky_of_diagonal(v: Vector):
    """the Cholesky factor of diag v is diag sqrt v, for v > 0"""
    require(positive(v))
    return np.linalg.cholesky(np.diag(v)), np.diag(np.sqrt(v))


@rule
def quadratic_form_by_cholesky(S: SquareMatrix, b: Vector):
    """b S^-1 b = |L^-1 b|^2 with S = L L^T, for S symmetric positive definite"""
    require(spd(S))
    half = scipy.linalg.solve_triangular(np.linalg.cholesky(S), b, lower=True, check_finite=False)
    return b @ np.linalg.solve(S, b), half @ half


@rule
def quadratic_forms_by_cholesky(S: SquareMatrix, B: Matrix):
    """B^T S^-1 B = H^T H with H = L^-1 B, S = L L^T, for S symmetric positive definite"""
    require(spd(S))
    half = scipy.linalg.solve_triangular(np.linalg.cholesky(S), B, lower=True, check_finite=False)
    return B.T @ np.linalg.solve(S, B), half.T @ half


@rule
def trace_of_solution(S: SquareMatrix, B: Matrix):
    """tr(S^-1 B B^T) = sum of (L^-1 B)^2 with S = L L^T, for S symmetric positive definite"""
    require(spd(S))
    half = scipy.linalg.solve_triangular(np.linalg.cholesky(S), B, lower=True, check_finite=False)
    return np.trace(np.linalg.solve(S, B @ B.T)), np.sum(half * half)


@rule
def trace_of_quadratic_forms(S: SquareMatrix, B: Matrix):
    """tr(B^T S^-1 B) = sum of (L^-1 B)^2 with S = L L^T, for S symmetric positive definite"""
    require(spd(S))
    half = scipy.linalg.solve_triangular(np.linalg.cholesky(S), B, lower=True, check_finite=False)
    return np.sum(B * np.linalg.solve(S, B)), np.sum(half * half)


@rule
def eigenvalues_of_shifted(S: SquareMatrix, s: Scalar):
    """the eigenvalues of S + s I are those of S, plus s, for S symmetric"""
    require(symmetric(S))
    return np.linalg.eigvalsh(S + s * np.eye(S.shape[0], dtype=S.dtype)), np.linalg.eigvalsh(S) + s


@rule
def eigenvalues_of_scaled(S: SquareMatrix, s: Scalar):
    """the eigenvalues of s S are s times those of S, for s >= 0"""
    require(nonnegative(s))
    return np.linalg.eigvalsh(s * S), s * np.linalg.eigvalsh(S)


@rule
def eigenvalues_of_diagonal(v: Vector):
    """the eigenvalues of diag v are v, in order"""
    return np.linalg.eigvalsh(np.diag(v)), np.sort(v)


@rule
def sum_of_eigenvalues(S: SquareMatrix):
    """the sum of the eigenvalues is the trace, for S symmetric"""
    require(symmetric(S))
    return np.sum(np.linalg.eigvalsh(S)), np.trace(S)


@rule
def singular_values_of_gram(A: SquareMatrix):
    """the singular values of A^T A are the squares of those of A, which are found to full accuracy"""
    return np.linalg.svd(A.T @ A, compute_uv=False), np.linalg.svd(A, compute_uv=False) ** 2


@rule
def singular_values_of_transpose(A: Matrix):
    """A^T has the singular values of A"""
    return np.linalg.svd(A.T, compute_uv=False), np.linalg.svd(A, compute_uv=False)


@rule
def singular_values_of_rotated(Q: SquareMatrix, A: Matrix):
    """Q A has the singular values of A, for Q orthogonal"""
    require(orthogonal(Q))
    return np.linalg.svd(Q @ A, compute_uv=False), np.linalg.svd(A, compute_uv=False)


@rule
def singular_values_of_columns_rotated(A: Matrix, Q: SquareMatrix):
    """A Q has the singular values of A, for Q orthogonal"""
    require(orthogonal(Q))
    return np.linalg.svd(A @ Q, compute_uv=False), np.linalg.svd(A, compute_uv=False)


@rule
def sum_of_squared_singular_values(A: Matrix):
    """the squares of the singular values sum to those of the elements"""
    s = np.linalg.svd(A, compute_uv=False)
    return np.sum(s * s), np.sum(A * A)


@rule
def exponential_of_diagonal(v: Vector):
    """exp(diag v) = diag(exp v)"""
    return scipy.linalg.expm(np.diag(v)), np.diag(np.exp(v))


@rule
def exponential_of_transpose(A: SquareMatrix):
    """exp(A^T) = exp(A)^T"""
    return scipy.linalg.expm(A.T), scipy.linalg.expm(A).T


@rule
def squares_of_rotated(Q: SquareMatrix, A: Matrix):
    """|Q A|^2 = |A|^2, the sums of squares, for Q orthogonal"""
    require(orthogonal(Q))
    B = Q @ A
    return np.sum(B * B), np.sum(A * A)


@rule
def squares_of_columns_rotated(A: Matrix, Q: SquareMatrix):
    """|A Q|^2 = |A|^2, the sums of squares, for Q orthogonal"""
    require(orthogonal(Q))
    B = A @ Q
    return np.sum(B * B), np.sum(A * A)


@rule
def squares_of_product(U: Matrix, V: Matrix):
    """|U V|^2 = |R V|^2 with U = Q R, the sums of squares, for U thin: sums of products of Gram matrices may be negative"""
    require(thin(U))
    B, C = U @ V, np.linalg.qr(U, mode="r") @ V
    return np.sum(B * B), np.sum(C * C)


@rule
def singular_values_of_diagonal(v: Vector):
    """the singular values of diag v are |v|, in order"""
    return np.linalg.svd(np.diag(v), compute_uv=False), np.sort(np.abs(v))[::-1]


@rule
def eigenvalues_of_multiple(S: SquareMatrix, c: Constant):
    """the eigenvalues of c S are c times those of S, for c >= 0"""
    require(nonnegative(c))
    return np.linalg.eigvalsh(c * S), c * np.linalg.eigvalsh(S)


@rule(precision="approx", error_bound=1e-5)
def largest_singular_value_by_gram(A: Matrix):
    """the square of A's largest singular value is the largest eigenvalue of A^T A, for A thin: its digits are not lost,
    but its square must be in the range of numbers"""
    require(thin(A), nonempty(A))
    values = np.linalg.svd(A, compute_uv=False)
    return np.max(values), np.sqrt(np.maximum(np.max(np.linalg.eigvalsh(A.T @ A)), 0))


@rule(precision="approx", error_bound=2e-3)
def singular_values_by_gram(A: Matrix):
    """the squares of A's singular values are the largest eigenvalues of A^T A, for A thin: small ones are right to the root of
    the unit of rounding, relative to the largest"""
    require(thin(A))
    values = np.linalg.svd(A, compute_uv=False)
    squares = np.linalg.eigvalsh(A.T @ A)[::-1][: values.shape[0]]
    return values, np.sqrt(np.maximum(squares, 0))
