"""Products of matrices put together from others; of four blocks [[A, B], [C, D]], triangular ones, and positive definite ones
by their Schur complement.

Elimination by blocks exchanges no rows between them, so that it may lose all digits where A is nearly singular, or small
beside B and C, and the whole is not. It is therefore used only where no exchange is needed: for triangular blocks, and for
positive definite matrices, whose Cholesky factor it is.
"""

import numpy as np
import scipy

from egc import Index, Matrix, SquareMatrix, Vector, nonzero, require, rule, spd


def blocks(a, b, c, d):
    """[[a, b], [c, d]]; what stands in one column has one width"""
    for upper, lower in ((a, c), (b, d)):
        np.concatenate([upper, lower])
    return np.concatenate([np.concatenate([a, b], axis=1), np.concatenate([c, d], axis=1)])


def square(a, b, c, d):
    """[[a, b], [c, d]] for a and d square, which is what the sizes of b d c + a say"""
    np.add(b @ d @ c, a)
    return blocks(a, b, c, d)


def below(a, c, d):
    """[[a, 0], [c, d]]"""
    return blocks(a, np.zeros((a.shape[0], d.shape[1]), a.dtype), c, d)


def above(a, b, d):
    """[[a, b], [0, d]]"""
    return blocks(a, b, np.zeros((d.shape[0], a.shape[1]), a.dtype), d)


def forward(a, b):
    """a^-1 b, for a lower triangular"""
    return scipy.linalg.solve_triangular(a, b, lower=True, check_finite=False)


def back(a, b):
    """a^-T b, for a lower triangular"""
    return scipy.linalg.solve_triangular(a.T, b, lower=False, check_finite=False)


@rule
def stacked_times_vector(A: Matrix, B: Matrix, x: Vector):
    """[A; B] x = [A x; B x]"""
    return np.concatenate([A, B]) @ x, np.concatenate([A @ x, B @ x])


@rule
def stacked_times_matrix(A: Matrix, B: Matrix, X: Matrix):
    """[A; B] X = [A X; B X]"""
    return np.concatenate([A, B]) @ X, np.concatenate([A @ X, B @ X])


@rule
def joined_times_vector(A: Matrix, B: Matrix, x: Vector):
    """[A, B] [x; y] = A x + B y"""
    n = A.shape[1]
    return np.concatenate([A, B], axis=1) @ x, A @ x[:n] + B @ x[n:]


@rule
def joined_times_matrix(A: Matrix, B: Matrix, X: Matrix):
    """[A, B] [X; Y] = A X + B Y"""
    n = A.shape[1]
    return np.concatenate([A, B], axis=1) @ X, A @ X[:n] + B @ X[n:]


@rule
def vector_times_joined(x: Vector, A: Matrix, B: Matrix):
    """x^T [A, B] = [x^T A, x^T B]"""
    return x @ np.concatenate([A, B], axis=1), np.concatenate([x @ A, x @ B])


@rule
def vector_times_stacked(x: Vector, A: Matrix, B: Matrix):
    """[x; y]^T [A; B] = x^T A + y^T B"""
    n = A.shape[0]
    return x @ np.concatenate([A, B]), x[:n] @ A + x[n:] @ B


@rule
def matrix_times_joined(X: Matrix, A: Matrix, B: Matrix):
    """X [A, B] = [X A, X B]"""
    return X @ np.concatenate([A, B], axis=1), np.concatenate([X @ A, X @ B], axis=1)


@rule
def matrix_times_stacked(X: Matrix, A: Matrix, B: Matrix):
    """[X, Y] [A; B] = X A + Y B"""
    n = A.shape[0]
    return X @ np.concatenate([A, B]), X[:, :n] @ A + X[:, n:] @ B


@rule(precision="exact", dtypes="any")
def three_stacked(A: Matrix, B: Matrix, C: Matrix):
    """[A; B; C] = [A; [B; C]]"""
    return np.concatenate([A, B, C]), np.concatenate([A, np.concatenate([B, C])])


@rule(precision="exact", dtypes="any")
def three_joined(A: Matrix, B: Matrix, C: Matrix):
    """[A, B, C] = [A, [B, C]]"""
    return np.concatenate([A, B, C], axis=1), np.concatenate([A, np.concatenate([B, C], axis=1)], axis=1)


@rule(precision="exact", dtypes="any")
def four_stacked(A: Matrix, B: Matrix, C: Matrix, D: Matrix):
    """[A; B; C; D] = [[A; B]; [C; D]]"""
    return np.concatenate([A, B, C, D]), np.concatenate([np.concatenate([A, B]), np.concatenate([C, D])])


@rule(precision="exact", dtypes="any")
def four_joined(A: Matrix, B: Matrix, C: Matrix, D: Matrix):
    """[A, B, C, D] = [[A, B], [C, D]]"""
    left, right = np.concatenate([A, B], axis=1), np.concatenate([C, D], axis=1)
    return np.concatenate([A, B, C, D], axis=1), np.concatenate([left, right], axis=1)


@rule(precision="exact", dtypes="any")
def diagonal_of_blocks(A: SquareMatrix, B: Matrix, C: Matrix, D: Matrix):
    """diag [[A, B], [C, D]] = [diag A, diag D], for A square"""
    return np.diag(square(A, B, C, D)), np.concatenate([np.diag(A), np.diag(D)])


@rule(precision="exact", dtypes="any")
def transpose_of_blocks(A: Matrix, B: Matrix, C: Matrix, D: Matrix):
    """[[A, B], [C, D]]^T = [[A^T, C^T], [B^T, D^T]]"""
    return blocks(A, B, C, D).T, blocks(A.T, C.T, B.T, D.T)


@rule
def solution_with_block_upper_triangular(A: SquareMatrix, B: Matrix, D: Matrix, b: Vector):
    """[[A, B], [0, D]] x = b by back substitution of blocks"""
    whole = np.linalg.solve(above(A, B, D), b)
    n = A.shape[0]
    y = np.linalg.solve(D, b[n:])
    return whole, np.concatenate([np.linalg.solve(A, b[:n] - B @ y), y])


@rule
def solution_with_block_lower_triangular(A: SquareMatrix, C: Matrix, D: Matrix, b: Vector):
    """[[A, 0], [C, D]] x = b by forward substitution of blocks"""
    whole = np.linalg.solve(below(A, C, D), b)
    n = A.shape[0]
    x = np.linalg.solve(A, b[:n])
    return whole, np.concatenate([x, np.linalg.solve(D, b[n:] - C @ x)])


@rule
def inverse_of_block_upper_triangular(A: SquareMatrix, B: Matrix, D: Matrix):
    """[[A, B], [0, D]]^-1 = [[A^-1, -A^-1 B D^-1], [0, D^-1]]"""
    none = np.zeros((D.shape[0], A.shape[1]), A.dtype)
    left, right = np.linalg.inv(A), np.linalg.inv(D)
    return np.linalg.inv(blocks(A, B, none, D)), blocks(left, -np.linalg.solve(A, B @ right), none, right)


@rule
def log_determinant_of_block_upper_triangular(A: SquareMatrix, B: Matrix, D: Matrix):
    """log |det [[A, B], [0, D]]| = log |det A| + log |det D|"""
    return np.linalg.slogdet(above(A, B, D))[1], np.linalg.slogdet(A)[1] + np.linalg.slogdet(D)[1]


@rule
def log_determinant_of_block_lower_triangular(A: SquareMatrix, C: Matrix, D: Matrix):
    """log |det [[A, 0], [C, D]]| = log |det A| + log |det D|"""
    return np.linalg.slogdet(below(A, C, D))[1], np.linalg.slogdet(A)[1] + np.linalg.slogdet(D)[1]


@rule
def determinant_of_block_upper_triangular(A: SquareMatrix, B: Matrix, D: Matrix):
    """det [[A, B], [0, D]] = det A det D"""
    return np.linalg.det(above(A, B, D)), np.linalg.det(A) * np.linalg.det(D)


@rule
def determinant_of_block_lower_triangular(A: SquareMatrix, C: Matrix, D: Matrix):
    """det [[A, 0], [C, D]] = det A det D"""
    return np.linalg.det(below(A, C, D)), np.linalg.det(A) * np.linalg.det(D)


@rule
def solution_with_blocks_beside_diagonal(B: SquareMatrix, C: Matrix, b: Vector):
    """[[0, B], [C, 0]] [x, y] = [c, d] is solved by x = C^-1 d, y = B^-1 c"""
    n, k = B.shape[0], C.shape[0]
    whole = np.linalg.solve(blocks(np.zeros((n, k), B.dtype), B, C, np.zeros((k, n), B.dtype)), b)
    return whole, np.concatenate([np.linalg.solve(C, b[n:]), np.linalg.solve(B, b[:n])])


@rule
def forward_substitution_by_blocks(A: SquareMatrix, C: Matrix, D: Matrix, b: Vector):
    """[[A, 0], [C, D]] [x, y] = [c, d]: A x = c, D y = d - C x, for A, D lower triangular, whose upper parts are not read"""
    whole, n = forward(below(A, C, D), b), A.shape[0]
    x = forward(A, b[:n])
    return whole, np.concatenate([x, forward(D, b[n:] - C @ x)])


@rule
def back_substitution_by_blocks(A: SquareMatrix, C: Matrix, D: Matrix, b: Vector):
    """[[A, 0], [C, D]]^T [x, y] = [c, d]: D^T y = d, A^T x = c - C^T y, for A, D lower triangular"""
    whole, n = back(below(A, C, D), b), A.shape[0]
    y = back(D, b[n:])
    return whole, np.concatenate([back(A, b[:n] - C.T @ y), y])


@rule
def forward_substitutions_by_blocks(A: SquareMatrix, C: Matrix, D: Matrix, E: Matrix):
    """[[A, 0], [C, D]] [X, Y] = [F, G]: A X = F, D Y = G - C X, for A, D lower triangular"""
    whole, n = forward(below(A, C, D), E), A.shape[0]
    x = forward(A, E[:n])
    return whole, np.concatenate([x, forward(D, E[n:] - C @ x)])


@rule
def back_substitutions_by_blocks(A: SquareMatrix, C: Matrix, D: Matrix, E: Matrix):
    """[[A, 0], [C, D]]^T [X, Y] = [F, G]: D^T Y = G, A^T X = F - C^T Y, for A, D lower triangular"""
    whole, n = back(below(A, C, D), E), A.shape[0]
    y = back(D, E[n:])
    return whole, np.concatenate([back(A, E[:n] - C.T @ y), y])


@rule
def substitution_with_diagonal(v: Vector, b: Vector):
    """diag(v) x = b is solved by b / v, for v != 0"""
    require(nonzero(v))
    return forward(np.diag(v), b), b / v


@rule
def transposed_substitution_with_diagonal(v: Vector, b: Vector):
    """diag(v)^T x = b is solved by b / v, for v != 0"""
    require(nonzero(v))
    return back(np.diag(v), b), b / v


@rule
def substitutions_with_diagonal(v: Vector, B: Matrix):
    """diag(v) X = B is solved by the rows of B over v, for v != 0"""
    require(nonzero(v))
    return forward(np.diag(v), B), B / v[:, None]


@rule
def transposed_substitutions_with_diagonal(v: Vector, B: Matrix):
    """diag(v)^T X = B is solved by the rows of B over v, for v != 0"""
    require(nonzero(v))
    return back(np.diag(v), B), B / v[:, None]


@rule
def cholesky_of_blocks(A: SquareMatrix, B: Matrix, C: Matrix, D: Matrix):
    """[[A, C^T], [C, D]] = L L^T with L = [[K, 0], [W, M]], A = K K^T, W = C K^-T and M the factor of the Schur complement
    D - W W^T (Golub and Van Loan, Matrix Computations, 4.2.9), for A, D positive definite; B is not read"""
    require(spd(A), spd(D))
    whole, K = np.linalg.cholesky(square(A, B, C, D)), np.linalg.cholesky(A)
    W = forward(K, C.T).T
    return whole, below(K, W, np.linalg.cholesky(D - W @ W.T))


@rule
def last_block_of_inverse(S: SquareMatrix, k: Index):
    """the last block of S^-1 is that of the last block M of S's Cholesky factor: (M M^T)^-1, for S positive definite"""
    require(spd(S))
    M = np.linalg.cholesky(S)[k:, k:]
    H = forward(M, np.eye(M.shape[0], dtype=S.dtype))
    return np.linalg.inv(S)[k:, k:], H.T @ H


@rule(precision="exact", dtypes="any")
def first_elements(x: Vector, y: Vector):
    """the first elements of [x, y] are x"""
    return np.concatenate([x, y])[: x.shape[0]], x


@rule(precision="exact", dtypes="any")
def last_elements(x: Vector, y: Vector):
    """the last elements of [x, y] are y"""
    return np.concatenate([x, y])[x.shape[0] :], y


@rule(precision="exact", dtypes="any")
def first_rows(A: Matrix, C: Matrix):
    """the first rows of [A, C] are A"""
    return np.concatenate([A, C])[: A.shape[0]], A


@rule(precision="exact", dtypes="any")
def last_rows(A: Matrix, C: Matrix):
    """the last rows of [A, C] are C"""
    return np.concatenate([A, C])[A.shape[0] :], C


@rule(precision="exact", dtypes="any")
def first_block(A: Matrix, B: Matrix, C: Matrix, D: Matrix):
    """the first block of [[A, B], [C, D]] is A"""
    return blocks(A, B, C, D)[: A.shape[0], : A.shape[1]], A


@rule(precision="exact", dtypes="any")
def last_block(A: Matrix, B: Matrix, C: Matrix, D: Matrix):
    """the last block of [[A, B], [C, D]] is D"""
    return blocks(A, B, C, D)[A.shape[0] :, A.shape[1] :], D
