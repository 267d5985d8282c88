"""The expressions as an expert writes them with SciPy: BLAS and LAPACK routines by structure, and no work that can be avoided."""

import numpy as np
from scipy import linalg
from scipy.linalg import blas, lapack


def _routine(name, *arrays):
    module = blas if hasattr(blas, f"d{name}") else lapack
    return getattr(module, ("s" if arrays[0].dtype == np.float32 else "d") + name)


def _gram(A):
    """A A^T by half of its products, and the other half copied."""
    full = _routine("syrk", A)(1.0, A.T, trans=1, lower=0)
    result = full.T
    rows = np.arange(len(result))
    upper = rows[:, None] < rows
    return np.where(upper, result.T, result)


def product(A, B):
    return A @ B


def triangular_product(L, B):
    return _routine("trmm", L)(1.0, L.T, B.T, side=1, lower=0, trans_a=0).T


def symmetric_product(A):
    return _gram(A)


def tridiagonal_product(T, B):
    result = np.diag(T)[:, None] * B
    result[1:] += np.diag(T, -1)[:, None] * B[:-1]
    result[:-1] += np.diag(T, 1)[:, None] * B[1:]
    return result


def common_product(A, B):
    return 2 * (A.T @ B)


def common_product_with_parentheses(A, B):
    return _gram((A.T @ B).T)


common_product_without_parentheses = common_product_with_parentheses


def misleading_common_product(A, B, y):
    return A.T @ (B @ (A.T @ (B @ y)))


def right_to_left_chain(H, x):
    return H.T @ (H @ x)


def left_to_right_chain(y, H):
    return (y @ H.T) @ H


def mixed_chain(H, y, x):
    return np.outer(H.T @ y, x @ H)


def distributive_products(A, B, C):
    return A @ (B + C)


def distributed_difference(A, H, x):
    return A @ x - H.T @ (H @ x)


def transposed_factors(A, B):
    return _gram((A.T @ B).T)


def invariant_product(A, B, V):
    return 3 * (A @ B) + V[:3].T @ V[:3]


def element_of_sum(A, B):
    return A[2, 2] + B[2, 2]


def element_of_product(A, B):
    return A[2] @ B[:, 2]


def chain_to_vector(A, B, C, x):
    return A @ (B @ (C @ x))


def chain_of_rectangles(A, B, C, D):
    return A @ ((B @ C) @ D)


def transposed_chain(A, B, x):
    return B.T @ (A.T @ x)


def scaled_chain(a, A, B, x):
    return A @ (B @ x)


def triangular_times_vector(L, x):
    return _routine("trmv", L)(L.T, x, lower=0, trans=1)


def upper_triangular_product(B, U):
    return _routine("trmm", U)(1.0, U.T, B.T, side=0, lower=1).T


def diagonal_sandwich(u, A, v):
    return u[:, None] * A * v


def identity_product(A, B):
    return A @ B + B


def permuted_product(P, A):
    return A[np.argmax(P, axis=1)]


def permutation_by_indices(A, p):
    return A[p]


def gram_of_product(A, B):
    return _gram((A @ B).T)


def symmetric_sandwich(A, S):
    return A.T @ (S @ A)


def inverse_times_vector(A, b):
    return np.linalg.solve(A, b)


def vector_times_inverse(A, b):
    return np.linalg.solve(A.T, b)


def inverse_times_product(A, B, x):
    return np.linalg.solve(A, B @ x)


def inverse_of_product(A, B, x):
    return np.linalg.solve(B, np.linalg.solve(A, x))


transposed_inverse = vector_times_inverse


def positive_definite_solution(S, b):
    return linalg.cho_solve(linalg.cho_factor(S, check_finite=False), b, check_finite=False)


def triangular_solution(L, b):
    return linalg.solve_triangular(L, b, lower=True, check_finite=False)


def triangular_solutions(U, B):
    return linalg.solve_triangular(U, B, check_finite=False)


def diagonal_solution(v, B):
    return B / v[:, None]


def tridiagonal_solution(T, b):
    return _routine("gtsv", T)(np.diag(T, -1), np.diag(T), np.diag(T, 1), b)[3]


def positive_definite_tridiagonal_solution(T, b):
    return _routine("ptsv", T)(np.diag(T), np.diag(T, -1), b)[2]


def pentadiagonal_solution(P, b):
    bands = np.zeros((5, len(P)))
    for k in range(-2, 3):
        bands[2 - k, max(k, 0) : len(P) + min(k, 0)] = np.diag(P, k)
    return linalg.solve_banded((2, 2), bands, b, check_finite=False)


def banded_solution(ab, b):
    return linalg.solve_banded((3, 3), ab, b)


def symmetric_solution(S, b):
    return linalg.solve(S, b, assume_a="sym", check_finite=False)


def orthogonal_solution(Q, B):
    return Q.T @ B


def solutions_with_one_matrix(A, b, c):
    factors = linalg.lu_factor(A, check_finite=False)
    x = linalg.lu_solve(factors, b, check_finite=False)
    return x, linalg.lu_solve(factors, c * x, check_finite=False)


def solution_and_transposed_solution(A, b, c):
    factors = linalg.lu_factor(A, check_finite=False)
    x = linalg.lu_solve(factors, b, check_finite=False)
    return x, linalg.lu_solve(factors, c * x, trans=1, check_finite=False)


def solution_and_log_determinant(S, b):
    L = np.linalg.cholesky(S)
    half = linalg.solve_triangular(L, b, lower=True, check_finite=False)
    return half @ half + 2 * np.sum(np.log(np.diag(L)))


def general_solution_and_determinant(A, b):
    factors, pivots = linalg.lu_factor(A, check_finite=False)
    x = linalg.lu_solve((factors, pivots), b, check_finite=False)
    return x, np.sum(np.log(np.abs(np.diag(factors))))


def quadratic_form(S, b):
    half = linalg.solve_triangular(np.linalg.cholesky(S), b, lower=True, check_finite=False)
    return half @ half


def quadratic_forms(S, B):
    half = linalg.solve_triangular(np.linalg.cholesky(S), B, lower=True, check_finite=False)
    return half.T @ half


def normal_equations(X, y):
    return linalg.cho_solve(linalg.cho_factor(X.T @ X, check_finite=False), X.T @ y, check_finite=False)


def least_squares(X, y):
    Q, R = linalg.qr(X, mode="economic", check_finite=False)
    return linalg.solve_triangular(R, Q.T @ y, check_finite=False)


def log_determinant_of_product(A, B):
    return np.linalg.slogdet(A)[1] + np.linalg.slogdet(B)[1]


def log_determinant_of_inverse(S):
    return -2 * np.sum(np.log(np.diag(np.linalg.cholesky(S))))


def log_determinant_of_gram(A):
    return 2 * np.sum(np.log(np.abs(np.diag(linalg.qr(A.T, mode="r", check_finite=False)[0]))))


def determinant_of_triangular_product(L, U):
    return np.prod(np.diag(L)) * np.prod(np.diag(U))


def determinant_of_scaled(A, s):
    return len(A) * np.log(abs(s)) + np.linalg.slogdet(A)[1]


def log_determinant_of_kronecker(A, B):
    return len(B) * np.linalg.slogdet(A)[1] + len(A) * np.linalg.slogdet(B)[1]


def log_determinant_of_blocks(A, B):
    return np.linalg.slogdet(A)[1] + np.linalg.slogdet(B)[1]


def trace_of_product(A, B):
    return np.einsum("ij,ji->", A, B)


def trace_of_inverse_product(S, B):
    half = linalg.solve_triangular(np.linalg.cholesky(S), B, lower=True, check_finite=False)
    return np.vdot(half, half)


def sum_of_product(A, B):
    return np.sum(A, axis=0) @ np.sum(B, axis=1)


def diagonal_of_product(A, B):
    return np.einsum("ij,ji->i", A, B)


def column_of_product(A, B):
    return A @ B[:, 3]


def row_means_of_product(A, B):
    return A @ np.mean(B, axis=1)


def thin_residual(X, U, V):
    return np.vdot(X, X) - 2 * np.vdot(X @ V, U) + np.vdot(U.T @ U, V.T @ V)


def squared_norm_of_product(U, V):
    product = np.linalg.qr(U, mode="r") @ V.T
    return np.vdot(product, product)


def _capacitance(v, U):
    scaled = U / v[:, None]
    return scaled, np.eye(U.shape[1]) + U.T @ scaled


def woodbury_solution(v, U, b):
    scaled, inner = _capacitance(v, U)
    factor = linalg.cho_factor(inner, check_finite=False)
    return b / v - scaled @ linalg.cho_solve(factor, scaled.T @ b, check_finite=False)


def woodbury_log_determinant(v, U):
    inner = _capacitance(v, U)[1]
    return np.sum(np.log(v)) + 2 * np.sum(np.log(np.diag(np.linalg.cholesky(inner))))


def woodbury_inverse(v, U):
    scaled, inner = _capacitance(v, U)
    half = linalg.solve_triangular(np.linalg.cholesky(inner), scaled.T, lower=True, check_finite=False)
    return np.diag(1 / v) - half.T @ half


def woodbury_density(v, U, b):
    scaled, inner = _capacitance(v, U)
    L = np.linalg.cholesky(inner)
    half = linalg.solve_triangular(L, scaled.T @ b, lower=True, check_finite=False)
    return -0.5 * (b @ (b / v) - half @ half + np.sum(np.log(v)) + 2 * np.sum(np.log(np.diag(L))))


def kronecker_times_vector(A, B, x):
    return (A @ x.reshape(A.shape[1], B.shape[1]) @ B.T).ravel()


def kronecker_solution(A, B, b):
    first = np.linalg.solve(A, b.reshape(A.shape[0], B.shape[0]))
    return np.linalg.solve(B, first.T).T.ravel()


kronecker_inverse_times_vector = kronecker_solution


def product_of_kroneckers(A, B, C, D, x):
    return kronecker_times_vector(A, B, kronecker_times_vector(C, D, x))


def trace_of_kronecker(A, B):
    return np.trace(A) * np.trace(B)


def block_diagonal_times_vector(A, B, x):
    return np.concatenate([A @ x[: A.shape[1]], B @ x[A.shape[1] :]])


def block_diagonal_solution(A, B, b):
    return np.concatenate([np.linalg.solve(A, b[: len(A)]), np.linalg.solve(B, b[len(A) :])])


def kronecker_times_matrix(A, B, X):
    k = X.shape[1]
    left = (A @ X.reshape(A.shape[1], B.shape[1] * k)).reshape(A.shape[0], B.shape[1], k)
    return (B @ left).reshape(A.shape[0] * B.shape[0], k)


def block_triangular_solution(A, B, D, b):
    n = len(A)
    y = np.linalg.solve(D, b[n:])
    return np.concatenate([np.linalg.solve(A, b[:n] - B @ y), y])


def four_blocks_times_vector(A, B, C, D, x):
    n = A.shape[1]
    return np.concatenate([A @ x[:n] + B @ x[n:], C @ x[:n] + D @ x[n:]])


def three_blocks_times_vector(A, B, C, x):
    n, m = A.shape[1], A.shape[1] + B.shape[1]
    return np.concatenate([A @ x[:n], B @ x[n:m], C @ x[m:]])


def weighted_woodbury(v, U, K, b):
    Z = U @ np.linalg.cholesky(K)
    scaled, inner = _capacitance(v, Z)
    factor = linalg.cho_factor(inner, check_finite=False)
    return b / v - scaled @ linalg.cho_solve(factor, scaled.T @ b, check_finite=False)


def permuted_columns(A, P):
    return A[:, np.argmax(P, axis=0)]


def centered_columns(A):
    return A - A.mean(axis=0)


def push_through(A, B):
    return np.linalg.solve((np.eye(B.shape[0]) + B @ A).T, A.T).T


def distributed_vectors(A, x, y):
    return A @ (x + y - x * y)


def low_rank_update_times_vector(A, U, V, x):
    return A @ x + U @ (V.T @ x)


def einsum_chain(A, B, C, x):
    return A @ (B @ (C @ x))


def einsum_trace(A, B, C):
    return np.vdot(A @ B, C.T)


def einsum_with_weights(A, w, B):
    return (A * w) @ B.T


def batched_by_loop(A, X):
    return X @ A.T


def shifted_eigenvalues(S, s):
    values = np.linalg.eigvalsh(S)
    return values, values + s


def exponential_of_diagonal(v, x):
    return np.exp(v) * x


def power_times_vector(A, x):
    for _ in range(8):
        x = A @ x
    return x


def cholesky_of_factors(L, b):
    return linalg.solve_triangular(L, b, lower=True, check_finite=False)


def orthogonal_norm(Q, A):
    return np.linalg.norm(A)


def singular_values_of_rotated(Q, A):
    return np.linalg.svd(A, compute_uv=False)
