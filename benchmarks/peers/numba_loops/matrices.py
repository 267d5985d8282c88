"""Matrix products, and sums over an axis of what broadcasting makes."""

from __future__ import annotations

import math

import numpy as np
from numba import prange


def small_products(A, B):
    result = np.empty_like(A)
    for n in prange(A.shape[0]):
        for i in range(4):
            for j in range(4):
                result[n, i, j] = (
                    A[n, i, 0] * B[n, 0, j]
                    + A[n, i, 1] * B[n, 1, j]
                    + A[n, i, 2] * B[n, 2, j]
                    + A[n, i, 3] * B[n, 3, j]
                )
    return result


def quadratic_forms(X, A):
    result = np.empty(X.shape[0])
    for n in prange(X.shape[0]):
        total = 0.0
        for i in range(X.shape[1]):
            partial = 0.0
            for j in range(X.shape[1]):
                partial += A[i, j] * X[n, j]
            total += X[n, i] * partial
        result[n] = total
    return result


def dense_layer(X, W, b):
    result = X @ W
    for i in prange(result.shape[0]):
        for j in range(result.shape[1]):
            result[i, j] = max(result[i, j] + b[j], 0.0)
    return result


def attention(Q, K, V):
    scores = Q @ K.T
    scale = 1.0 / math.sqrt(Q.shape[1])
    for i in prange(scores.shape[0]):
        peak = scores[i, 0]
        for j in range(1, scores.shape[1]):
            peak = max(peak, scores[i, j])
        total = 0.0
        for j in range(scores.shape[1]):
            e = math.exp((scores[i, j] - peak) * scale)
            scores[i, j] = e
            total += e
        inverse = 1.0 / total
        for j in range(scores.shape[1]):
            scores[i, j] *= inverse
    return scores @ V


def pairwise_distances(X, Y):
    result = np.empty((X.shape[0], Y.shape[0]))
    for i in prange(X.shape[0]):
        for j in range(Y.shape[0]):
            total = 0.0
            for k in range(X.shape[1]):
                total += (X[i, k] - Y[j, k]) ** 2
            result[i, j] = math.sqrt(total)
    return result


def nearest_center(X, centers):
    result = np.empty(X.shape[0], np.int64)
    for i in prange(X.shape[0]):
        best, smallest = 0, math.inf
        for c in range(centers.shape[0]):
            total = 0.0
            for k in range(X.shape[1]):
                total += (X[i, k] - centers[c, k]) ** 2
            if total < smallest:
                best, smallest = c, total
        result[i] = best
    return result


def symmetrized(A):
    result = np.empty_like(A)
    for i in prange(A.shape[0]):
        for j in range(A.shape[1]):
            result[i, j] = 0.5 * (A[i, j] + A[j, i])
    return result


def matrix_chain(A, B, x):
    return A @ (B @ x)


def inverse_times_vector(A, b):
    return np.linalg.solve(A, b)


def low_rank_residual(X, U, V):
    total = 0.0
    for i in prange(X.shape[0]):
        for j in range(X.shape[1]):
            product = 0.0
            for k in range(U.shape[1]):
                product += U[i, k] * V[j, k]
            total += (X[i, j] - product) ** 2
    return total
