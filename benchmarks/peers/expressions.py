"""Expressions of linear algebra, as they are written down: what egc, NumPy, `jax.jit`, PyTorch and PyTensor get.

The first seventeen are those of the linear-algebra-awareness benchmark (Sankaran, Akbari Alashti, Psarras and Bientinesi,
"Benchmarking the Linear Algebra Awareness of TensorFlow and PyTorch", 2022). `expressions_by_hand` has the same names.
"""

import numpy as np
from scipy import linalg


def product(A, B):
    return A @ B


def triangular_product(L, B):
    return L @ B


def symmetric_product(A):
    return A @ A.T


def tridiagonal_product(T, B):
    return T @ B


def common_product(A, B):
    return A.T @ B + A.T @ B


def common_product_with_parentheses(A, B):
    return (A.T @ B).T @ (A.T @ B)


def common_product_without_parentheses(A, B):
    return (A.T @ B).T @ A.T @ B


def misleading_common_product(A, B, y):
    return A.T @ B @ A.T @ B @ y


def right_to_left_chain(H, x):
    return H.T @ H @ x


def left_to_right_chain(y, H):
    return y @ (H.T @ H)


def mixed_chain(H, y, x):
    return H.T @ (np.outer(y, x) @ H)


def distributive_products(A, B, C):
    return A @ B + A @ C


def distributed_difference(A, H, x):
    return (A - H.T @ H) @ x


def transposed_factors(A, B):
    return B.T @ A @ A.T @ B


def invariant_product(A, B, V):
    total = np.zeros_like(A)
    for i in range(3):
        total = total + A @ B + np.outer(V[i], V[i])
    return total


def element_of_sum(A, B):
    return (A + B)[2, 2]


def element_of_product(A, B):
    return (A @ B)[2, 2]


def chain_to_vector(A, B, C, x):
    return A @ B @ C @ x


def chain_of_rectangles(A, B, C, D):
    return A @ B @ C @ D


def transposed_chain(A, B, x):
    return (A @ B).T @ x


def scaled_chain(a, A, B, x):
    return (a * A) @ (B / a) @ x


def triangular_times_vector(L, x):
    return L @ x


def upper_triangular_product(B, U):
    return B @ U


def diagonal_sandwich(u, A, v):
    return np.diag(u) @ A @ np.diag(v)


def identity_product(A, B):
    return (A + np.eye(A.shape[0])) @ B


def permuted_product(P, A):
    return P @ A


def permutation_by_indices(A, p):
    return np.eye(A.shape[0])[p] @ A


def gram_of_product(A, B):
    return (A @ B).T @ (A @ B)


def symmetric_sandwich(A, S):
    return A.T @ S @ A


def inverse_times_vector(A, b):
    return np.linalg.inv(A) @ b


def vector_times_inverse(A, b):
    return b @ np.linalg.inv(A)


def inverse_times_product(A, B, x):
    return np.linalg.inv(A) @ B @ x


def inverse_of_product(A, B, x):
    return np.linalg.inv(A @ B) @ x


def transposed_inverse(A, b):
    return np.linalg.inv(A).T @ b


def positive_definite_solution(S, b):
    return np.linalg.inv(S) @ b


def triangular_solution(L, b):
    return np.linalg.inv(L) @ b


def triangular_solutions(U, B):
    return np.linalg.solve(U, B)


def diagonal_solution(v, B):
    return np.linalg.inv(np.diag(v)) @ B


def tridiagonal_solution(T, b):
    return np.linalg.solve(T, b)


def positive_definite_tridiagonal_solution(T, b):
    return np.linalg.solve(T, b)


def pentadiagonal_solution(P, b):
    return np.linalg.solve(P, b)


def banded_solution(ab, b):
    return linalg.solve_banded((3, 3), ab, b)


def symmetric_solution(S, b):
    return np.linalg.solve(S, b)


def orthogonal_solution(Q, B):
    return np.linalg.inv(Q) @ B


def solutions_with_one_matrix(A, b, c):
    x = np.linalg.solve(A, b)
    return x, np.linalg.solve(A, c * x)


def solution_and_transposed_solution(A, b, c):
    x = np.linalg.solve(A, b)
    return x, np.linalg.solve(A.T, c * x)


def solution_and_log_determinant(S, b):
    return b @ np.linalg.inv(S) @ b + np.linalg.slogdet(S)[1]


def general_solution_and_determinant(A, b):
    return np.linalg.solve(A, b), np.linalg.slogdet(A)[1]


def quadratic_form(S, b):
    return b.T @ np.linalg.inv(S) @ b


def quadratic_forms(S, B):
    return B.T @ np.linalg.inv(S) @ B


def normal_equations(X, y):
    return np.linalg.inv(X.T @ X) @ X.T @ y


def least_squares(X, y):
    return np.linalg.pinv(X) @ y


def log_determinant_of_product(A, B):
    return np.linalg.slogdet(A @ B)[1]


def log_determinant_of_inverse(S):
    return np.log(np.linalg.det(np.linalg.inv(S)))


def log_determinant_of_gram(A):
    return np.log(np.linalg.det(A @ A.T))


def determinant_of_triangular_product(L, U):
    return np.linalg.det(L @ U)


def determinant_of_scaled(A, s):
    return np.linalg.slogdet(s * A)[1]


def log_determinant_of_kronecker(A, B):
    return np.linalg.slogdet(np.kron(A, B))[1]


def log_determinant_of_blocks(A, B):
    return np.linalg.slogdet(linalg.block_diag(A, B))[1]


def trace_of_product(A, B):
    return np.trace(A @ B)


def trace_of_inverse_product(S, B):
    return np.trace(np.linalg.inv(S) @ (B @ B.T))


def sum_of_product(A, B):
    return np.sum(A @ B)


def diagonal_of_product(A, B):
    return np.diag(A @ B)


def column_of_product(A, B):
    return (A @ B)[:, 3]


def row_means_of_product(A, B):
    return np.mean(A @ B, axis=1)


def thin_residual(X, U, V):
    return np.sum((X - U @ V.T) ** 2)


def squared_norm_of_product(U, V):
    return np.linalg.norm(U @ V.T, "fro") ** 2


def woodbury_solution(v, U, b):
    return np.linalg.solve(np.diag(v) + U @ U.T, b)


def woodbury_log_determinant(v, U):
    return np.linalg.slogdet(np.diag(v) + U @ U.T)[1]


def woodbury_inverse(v, U):
    return np.linalg.inv(np.diag(v) + U @ U.T)


def woodbury_density(v, U, b):
    C = np.diag(v) + U @ U.T
    return -0.5 * (b @ np.linalg.inv(C) @ b + np.linalg.slogdet(C)[1])


def kronecker_times_vector(A, B, x):
    return np.kron(A, B) @ x


def kronecker_solution(A, B, b):
    return np.linalg.solve(np.kron(A, B), b)


def kronecker_inverse_times_vector(A, B, x):
    return np.linalg.inv(np.kron(A, B)) @ x


def product_of_kroneckers(A, B, C, D, x):
    return np.kron(A, B) @ np.kron(C, D) @ x


def trace_of_kronecker(A, B):
    return np.trace(np.kron(A, B))


def block_diagonal_times_vector(A, B, x):
    return linalg.block_diag(A, B) @ x


def block_diagonal_solution(A, B, b):
    return np.linalg.solve(linalg.block_diag(A, B), b)


def kronecker_times_matrix(A, B, X):
    return np.kron(A, B) @ X


def block_triangular_solution(A, B, D, b):
    return np.linalg.solve(np.block([[A, B], [np.zeros((D.shape[0], A.shape[1])), D]]), b)


def four_blocks_times_vector(A, B, C, D, x):
    return np.block([[A, B], [C, D]]) @ x


def three_blocks_times_vector(A, B, C, x):
    return linalg.block_diag(A, B, C) @ x


def weighted_woodbury(v, U, K, b):
    return np.linalg.solve(np.diag(v) + U @ K @ U.T, b)


def permuted_columns(A, P):
    return A @ P


def centered_columns(A):
    n = A.shape[0]
    return (np.eye(n) - np.ones((n, n)) / n) @ A


def push_through(A, B):
    return np.linalg.inv(np.eye(A.shape[0]) + A @ B) @ A


def distributed_vectors(A, x, y):
    return A @ x + A @ y - A @ (x * y)


def low_rank_update_times_vector(A, U, V, x):
    return (A + U @ V.T) @ x


def einsum_chain(A, B, C, x):
    return np.einsum("ij,jk,kl,l->i", A, B, C, x)


def einsum_trace(A, B, C):
    return np.einsum("ij,jk,ki->", A, B, C)


def einsum_with_weights(A, w, B):
    return np.einsum("ij,j,kj->ik", A, w, B)


def batched_by_loop(A, X):
    Y = np.empty_like(X)
    for k in range(X.shape[0]):
        Y[k] = A @ X[k]
    return Y


def shifted_eigenvalues(S, s):
    return np.linalg.eigvalsh(S), np.linalg.eigvalsh(S + s * np.eye(S.shape[0]))


def exponential_of_diagonal(v, x):
    return linalg.expm(np.diag(v)) @ x


def power_times_vector(A, x):
    return np.linalg.matrix_power(A, 8) @ x


def cholesky_of_factors(L, b):
    return np.linalg.solve(np.linalg.cholesky(L @ L.T), b)


def orthogonal_norm(Q, A):
    return np.linalg.norm(Q @ A)


def singular_values_of_rotated(Q, A):
    return np.linalg.svd(Q @ A, compute_uv=False)
