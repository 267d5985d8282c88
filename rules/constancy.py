"""Matrices whose rows, or columns, are known to be equal: what is the same for all of them is computed once."""

import numpy as np

from egc import Matrix, Vector, equal_columns, equal_rows, finite, nonempty, require, rule


@rule
def same_rows_times_matrix(A: Matrix, B: Matrix):
    """(1 v^T) B = 1 (v B), for A = 1 v^T, whose rows are equal"""
    require(equal_rows(A), nonempty(A))
    return A @ B, np.broadcast_to(A[0] @ B, (A.shape[0], B.shape[1]))


@rule
def same_rows_times_vector(A: Matrix, x: Vector):
    """(1 v^T) x = 1 (v x), for A = 1 v^T, whose rows are equal"""
    require(equal_rows(A), nonempty(A))
    return A @ x, np.broadcast_to(A[0] @ x, (A.shape[0],))


@rule
def matrix_times_same_rows(B: Matrix, A: Matrix):
    """B (1 v^T) = (B 1) v^T, for A = 1 v^T, whose rows are equal"""
    require(equal_rows(A), nonempty(A))
    return B @ A, np.outer(np.sum(B, axis=1), A[0])


@rule
def vector_times_same_rows(x: Vector, A: Matrix):
    """x (1 v^T) = (x 1) v, for A = 1 v^T, whose rows are equal"""
    require(equal_rows(A), nonempty(A))
    return x @ A, np.sum(x) * A[0]


@rule
def same_columns_times_matrix(A: Matrix, B: Matrix):
    """(u 1^T) B = u (1 B), for A = u 1^T, whose columns are equal"""
    require(equal_columns(A), nonempty(A))
    return A @ B, np.outer(A[:, 0], np.sum(B, axis=0))


@rule
def same_columns_times_vector(A: Matrix, x: Vector):
    """(u 1^T) x = u (1 x), for A = u 1^T, whose columns are equal"""
    require(equal_columns(A), nonempty(A))
    return A @ x, A[:, 0] * np.sum(x)


@rule
def matrix_times_same_columns(B: Matrix, A: Matrix):
    """B (u 1^T) = (B u) 1^T, for A = u 1^T, whose columns are equal"""
    require(equal_columns(A), nonempty(A))
    return B @ A, np.broadcast_to((B @ A[:, 0])[:, None], (B.shape[0], A.shape[1]))


@rule
def vector_times_same_columns(x: Vector, A: Matrix):
    """x (u 1^T) = (x u) 1, for A = u 1^T, whose columns are equal"""
    require(equal_columns(A), nonempty(A))
    return x @ A, np.broadcast_to(x @ A[:, 0], (A.shape[1],))


@rule
def sum_over_same_rows(A: Matrix):
    """the sum of n equal rows is n times one"""
    require(equal_rows(A), nonempty(A))
    return np.sum(A, axis=0), A.shape[0] * A[0]


@rule
def sum_over_same_columns(A: Matrix):
    """the sum of n equal columns is n times one"""
    require(equal_columns(A), nonempty(A))
    return np.sum(A, axis=1), A.shape[1] * A[:, 0]


@rule
def mean_of_same_rows(A: Matrix):
    """the mean of equal rows is one of them"""
    require(equal_rows(A), nonempty(A))
    return np.mean(A, axis=0), A[0]


@rule
def mean_of_same_columns(A: Matrix):
    """the mean of equal columns is one of them"""
    require(equal_columns(A), nonempty(A))
    return np.mean(A, axis=1), A[:, 0]


@rule
def greatest_of_same_rows(A: Matrix):
    """the greatest of equal rows is each of them"""
    require(equal_rows(A), nonempty(A))
    return np.max(A, axis=0), A[0]


@rule
def greatest_of_same_columns(A: Matrix):
    """the greatest of equal columns is each of them"""
    require(equal_columns(A), nonempty(A))
    return np.max(A, axis=1), A[:, 0]


@rule
def deviations_of_same_rows(A: Matrix):
    """equal rows, less their mean, are 0, for A finite"""
    require(equal_rows(A), nonempty(A), finite(A))
    return A - np.mean(A, axis=0), np.zeros(A.shape, A.dtype)


@rule
def deviations_of_same_columns(A: Matrix):
    """equal columns, less their mean, are 0, for A finite"""
    require(equal_columns(A), nonempty(A), finite(A))
    return A - np.mean(A, axis=1)[:, None], np.zeros(A.shape, A.dtype)
