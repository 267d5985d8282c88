"""Kronecker products and block-diagonal matrices, never formed. `o` is the Kronecker product, `+` of blocks the direct sum."""

import numpy as np
import scipy

from egc import Matrix, SquareMatrix, Vector, rule


@rule
def kronecker_times_vector(A: Matrix, B: Matrix, x: Vector):
    """(A o B) vec X = vec(A X B^T), by rows"""
    X = x.reshape(A.shape[1], B.shape[1])
    return np.kron(A, B) @ x, (A @ X @ B.T).reshape(-1)


@rule
def vector_times_kronecker(A: Matrix, B: Matrix, x: Vector):
    """vec X (A o B) = vec(A^T X B), by rows"""
    X = x.reshape(A.shape[0], B.shape[0])
    return x @ np.kron(A, B), (A.T @ X @ B).reshape(-1)


@rule
def product_of_kronecker_products(A: Matrix, B: Matrix, C: Matrix, D: Matrix):
    """(A o B) (C o D) = (A C) o (B D)"""
    return np.kron(A, B) @ np.kron(C, D), np.kron(A @ C, B @ D)


@rule(precision="exact", dtypes="number")
def transpose_of_kronecker(A: Matrix, B: Matrix):
    """(A o B)^T = A^T o B^T"""
    return np.kron(A, B).T, np.kron(A.T, B.T)


@rule
def inverse_of_kronecker(A: Matrix, B: Matrix):
    """(A o B)^-1 = A^-1 o B^-1"""
    return np.linalg.inv(np.kron(A, B)), np.kron(np.linalg.inv(A), np.linalg.inv(B))


@rule
def solution_with_kronecker(A: Matrix, B: Matrix, b: Vector):
    """(A o B) vec X = vec Y is solved by X = A^-1 Y B^-T"""
    Y = b.reshape(A.shape[0], B.shape[0])
    return np.linalg.solve(np.kron(A, B), b), np.linalg.solve(B, np.linalg.solve(A, Y).T).T.reshape(-1)


@rule
def log_determinant_of_kronecker(A: Matrix, B: Matrix):
    """log |det(A o B)| = m log |det A| + n log |det B|, for A of n and B of m rows"""
    left, right = np.linalg.slogdet(A)[1], np.linalg.slogdet(B)[1]
    return np.linalg.slogdet(np.kron(A, B))[1], B.shape[0] * left + A.shape[0] * right


@rule
def trace_of_kronecker(A: Matrix, B: Matrix):
    """tr(A o B) = tr A tr B"""
    left, right = np.trace(A), np.trace(B)
    return np.trace(np.kron(A, B)), left * right


@rule
def sum_of_kronecker(A: Matrix, B: Matrix):
    """the sum of all elements of A o B is that of A times that of B"""
    return np.sum(np.kron(A, B)), np.sum(A) * np.sum(B)


@rule
def squares_of_kronecker(A: Matrix, B: Matrix):
    """|A o B|^2 = |A|^2 |B|^2, the sums of squares"""
    K = np.kron(A, B)
    return np.sum(K * K), np.sum(A * A) * np.sum(B * B)


@rule
def block_diagonal_times_vector(A: Matrix, B: Matrix, x: Vector):
    """(A + B) x works on each part of x"""
    n = A.shape[1]
    return scipy.linalg.block_diag(A, B) @ x, np.concatenate([A @ x[:n], B @ x[n:]])


@rule
def block_diagonal_times_matrix(A: Matrix, B: Matrix, C: Matrix):
    """(A + B) C works on each part of C's rows"""
    n = A.shape[1]
    return scipy.linalg.block_diag(A, B) @ C, np.concatenate([A @ C[:n], B @ C[n:]])


@rule
def solution_with_block_diagonal(A: SquareMatrix, B: Matrix, b: Vector):
    """(A + B)^-1 b solves for each part of b"""
    whole, n = np.linalg.solve(scipy.linalg.block_diag(A, B), b), A.shape[0]
    return whole, np.concatenate([np.linalg.solve(A, b[:n]), np.linalg.solve(B, b[n:])])


@rule
def inverse_of_block_diagonal(A: SquareMatrix, B: Matrix):
    """(A + B)^-1 = A^-1 + B^-1"""
    return np.linalg.inv(scipy.linalg.block_diag(A, B)), scipy.linalg.block_diag(np.linalg.inv(A), np.linalg.inv(B))


@rule
def determinant_of_block_diagonal(A: SquareMatrix, B: Matrix):
    """det(A + B) = det A det B"""
    left, right = np.linalg.det(A), np.linalg.det(B)
    return np.linalg.det(scipy.linalg.block_diag(A, B)), left * right


@rule
def log_determinant_of_block_diagonal(A: SquareMatrix, B: Matrix):
    """log |det(A + B)| = log |det A| + log |det B|"""
    left, right = np.linalg.slogdet(A)[1], np.linalg.slogdet(B)[1]
    return np.linalg.slogdet(scipy.linalg.block_diag(A, B))[1], left + right


@rule
def trace_of_block_diagonal(A: SquareMatrix, B: Matrix):
    """tr(A + B) = tr A + tr B"""
    left, right = np.trace(A), np.trace(B)
    return np.trace(scipy.linalg.block_diag(A, B)), left + right


@rule
def kronecker_times_matrix(A: Matrix, B: Matrix, X: Matrix):
    """(A o B) times the columns of X, each as for a vector"""
    whole, k = np.kron(A, B) @ X, X.shape[1]
    left = (A @ X.reshape(A.shape[1], B.shape[1] * k)).reshape(A.shape[0], B.shape[1], k)
    return whole, (B @ left).reshape(A.shape[0] * B.shape[0], k)


@rule(precision="exact", dtypes="number")
def diagonal_of_kronecker(A: SquareMatrix, B: Matrix):
    """diag(A o B) = diag A o diag B"""
    return np.diag(np.kron(A, B)), np.outer(np.diag(A), np.diag(B)).reshape(-1)


@rule
def vector_times_block_diagonal(x: Vector, A: Matrix, B: Matrix):
    """x (A + B) works on each part of x"""
    n = A.shape[0]
    return x @ scipy.linalg.block_diag(A, B), np.concatenate([x[:n] @ A, x[n:] @ B])


@rule
def solutions_with_block_diagonal(A: SquareMatrix, B: Matrix, C: Matrix):
    """(A + B)^-1 C solves for each part of C's rows"""
    whole, n = np.linalg.solve(scipy.linalg.block_diag(A, B), C), A.shape[0]
    return whole, np.concatenate([np.linalg.solve(A, C[:n]), np.linalg.solve(B, C[n:])])


@rule(precision="exact", dtypes="number")
def transpose_of_block_diagonal(A: Matrix, B: Matrix):
    """(A + B)^T = A^T + B^T"""
    return scipy.linalg.block_diag(A, B).T, scipy.linalg.block_diag(A.T, B.T)
