"""Low-rank updates: a matrix that is cheap to solve with, plus a thin product, as the smaller problem (Woodbury 1950).

Where the diagonal's elements differ by orders of magnitude, the smaller problem is less accurate than the written one: with three
variances of 1e-12 among others of 1, it loses six digits more.
"""

import numpy as np

from egc import Matrix, SquareMatrix, Vector, positive, require, rule, spd, thin


@rule
def low_rank_update_times_vector(A: Matrix, B: Matrix, C: Matrix, x: Vector):
    """(A + B C) x = A x + B (C x)"""
    return (A + B @ C) @ x, A @ x + B @ (C @ x)


@rule
def low_rank_downdate_times_vector(A: Matrix, B: Matrix, C: Matrix, x: Vector):
    """(A - B C) x = A x - B (C x)"""
    return (A - B @ C) @ x, A @ x - B @ (C @ x)


@rule
def vector_times_low_rank_update(A: Matrix, B: Matrix, C: Matrix, x: Vector):
    """x (A + B C) = x A + (x B) C"""
    return x @ (A + B @ C), x @ A + (x @ B) @ C


@rule
def vector_times_low_rank_downdate(A: Matrix, B: Matrix, C: Matrix, x: Vector):
    """x (A - B C) = x A - (x B) C"""
    return x @ (A - B @ C), x @ A - (x @ B) @ C


@rule
def low_rank_update_times_matrix(A: Matrix, B: Matrix, C: Matrix, D: Matrix):
    """(A + B C) D = A D + B (C D)"""
    return (A + B @ C) @ D, A @ D + B @ (C @ D)


@rule
def low_rank_downdate_times_matrix(A: Matrix, B: Matrix, C: Matrix, D: Matrix):
    """(A - B C) D = A D - B (C D)"""
    return (A - B @ C) @ D, A @ D - B @ (C @ D)


@rule
def solution_with_updated_diagonal(v: Vector, U: Matrix, b: Vector):
    """(D + U U^T)^-1 b = D^-1 b - D^-1 U (I + U^T D^-1 U)^-1 U^T D^-1 b, for D > 0 and U thin"""
    require(positive(v), thin(U))
    W, x = U / v[:, None], b / v
    inner = np.eye(U.shape[1], dtype=v.dtype) + U.T @ W
    return np.linalg.solve(np.diag(v) + U @ U.T, b), x - W @ np.linalg.solve(inner, U.T @ x)


@rule
def solutions_with_updated_diagonal(v: Vector, U: Matrix, B: Matrix):
    """(D + U U^T)^-1 B = D^-1 B - D^-1 U (I + U^T D^-1 U)^-1 U^T D^-1 B, for D > 0 and U thin"""
    require(positive(v), thin(U))
    W, X = U / v[:, None], B / v[:, None]
    inner = np.eye(U.shape[1], dtype=v.dtype) + U.T @ W
    return np.linalg.solve(np.diag(v) + U @ U.T, B), X - W @ np.linalg.solve(inner, U.T @ X)


@rule
def inverse_of_updated_diagonal(v: Vector, U: Matrix):
    """(D + U U^T)^-1 = D^-1 - D^-1 U (I + U^T D^-1 U)^-1 U^T D^-1, for D > 0 and U thin"""
    require(positive(v), thin(U))
    W = U / v[:, None]
    inner = np.eye(U.shape[1], dtype=v.dtype) + U.T @ W
    return np.linalg.inv(np.diag(v) + U @ U.T), np.diag(1 / v) - W @ np.linalg.solve(inner, W.T)


@rule
def determinant_of_updated_diagonal(v: Vector, U: Matrix):
    """det(D + U U^T) = det D det(I + U^T D^-1 U), for D > 0 and U thin"""
    require(positive(v), thin(U))
    inner = np.eye(U.shape[1], dtype=v.dtype) + U.T @ (U / v[:, None])
    return np.linalg.det(np.diag(v) + U @ U.T), np.prod(v) * np.linalg.det(inner)


@rule
def log_determinant_of_updated_diagonal(v: Vector, U: Matrix):
    """log det(D + U U^T) = log det D + log det(I + U^T D^-1 U), for D > 0 and U thin"""
    require(positive(v), thin(U))
    inner = np.eye(U.shape[1], dtype=v.dtype) + U.T @ (U / v[:, None])
    return np.linalg.slogdet(np.diag(v) + U @ U.T)[1], np.sum(np.log(v)) + np.linalg.slogdet(inner)[1]


@rule
def push_through(A: Matrix, B: Matrix):
    """(I + A B)^-1 A = A (I + B A)^-1, for A thin"""
    require(thin(A))
    left = np.eye(A.shape[0], dtype=A.dtype) + A @ B
    right = np.eye(A.shape[1], dtype=A.dtype) + B @ A
    return np.linalg.solve(left, A), np.linalg.solve(right.T, A.T).T


@rule
def determinant_of_updated_identity(A: Matrix, B: Matrix):
    """det(I + A B) = det(I + B A), for A thin (Sylvester)"""
    require(thin(A))
    left = np.eye(A.shape[0], dtype=A.dtype) + A @ B
    return np.linalg.det(left), np.linalg.det(np.eye(A.shape[1], dtype=A.dtype) + B @ A)


@rule
def log_determinant_of_updated_identity(A: Matrix, B: Matrix):
    """log |det(I + A B)| = log |det(I + B A)|, for A thin (Sylvester)"""
    require(thin(A))
    left = np.eye(A.shape[0], dtype=A.dtype) + A @ B
    right = np.eye(A.shape[1], dtype=A.dtype) + B @ A
    return np.linalg.slogdet(left)[1], np.linalg.slogdet(right)[1]


@rule
def solution_with_weighted_update(v: Vector, U: Matrix, K: SquareMatrix, b: Vector):
    """(D + U K U^T)^-1 b by Woodbury with Z = U C, K = C C^T, for D > 0, K positive definite and U thin"""
    require(positive(v), spd(K), thin(U))
    Z = U @ np.linalg.cholesky(K)
    W, x = Z / v[:, None], b / v
    inner = np.eye(U.shape[1], dtype=v.dtype) + Z.T @ W
    return np.linalg.solve(np.diag(v) + U @ K @ U.T, b), x - W @ np.linalg.solve(inner, Z.T @ x)


@rule
def log_determinant_of_weighted_update(v: Vector, U: Matrix, K: SquareMatrix):
    """log det(D + U K U^T) = log det D + log det(I + Z^T D^-1 Z), Z = U C, K = C C^T > 0, for D > 0 and U thin"""
    require(positive(v), spd(K), thin(U))
    Z = U @ np.linalg.cholesky(K)
    inner = np.eye(U.shape[1], dtype=v.dtype) + Z.T @ (Z / v[:, None])
    return np.linalg.slogdet(np.diag(v) + U @ K @ U.T)[1], np.sum(np.log(v)) + np.linalg.slogdet(inner)[1]
