"""Functions whose loops are array expressions, with the shapes of their arguments, and those whose loops are not."""

from __future__ import annotations

import numpy as np


def matrix_product(A, B):
    C = np.zeros((A.shape[0], B.shape[1]))
    for i in range(A.shape[0]):
        for j in range(B.shape[1]):
            for k in range(A.shape[1]):
                C[i, j] += A[i, k] * B[k, j]
    return C


def outer_products(A, B):
    C = np.zeros((A.shape[0], B.shape[1]))
    for k in range(A.shape[1]):
        for i in range(A.shape[0]):
            C[i] += A[i, k] * B[k]
    return C


def prefix_sums(x):
    y = x.copy()
    for i in range(1, len(x)):
        y[i] = y[i - 1] + x[i]
    return y


def total(x):
    s = 0.0
    for v in x:
        s += v * v - 1.0
    return s


def difference(x):
    s = 1.0
    for i in range(len(x)):
        s = s - x[i] + 2.0
    return s


def largest(x):
    m = x[0]
    for i in range(1, x.shape[0]):
        if x[i] > m:
            m = x[i]
    return m


def smallest(x):
    m = np.inf
    for v in x:
        m = v if v < m else m
    return m


def columns(A, x):
    y = np.zeros(A.shape[0])
    for j in range(A.shape[1]):
        y += A[:, j] * x[j]
    return y


def matrix_vector(A, x):
    y = np.zeros(A.shape[0])
    for i in range(A.shape[0]):
        y[i] = A[i] @ x
    return y


def running(x):
    y = np.zeros(len(x))
    s = 0.0
    for i in range(len(x)):
        s += x[i]
        y[i] = s
    return y, s


def diagonal(A):
    B = A.copy()
    for i in range(A.shape[0]):
        B[i, i] = 2 * A[i, i] + i
    return B


def reverse(x):
    y = np.zeros(len(x))
    for i in range(len(x)):
        y[len(x) - 1 - i] = x[i] ** 2
    return y


def shifted_back(x):
    y = x.copy()
    for i in range(len(x) - 1):
        y[i] = y[i + 1] * 2
    return y


def distances(x):
    D = np.zeros((len(x), len(x)))
    for i in range(len(x)):
        for j in range(len(x)):
            D[i, j] = abs(x[i] - x[j])
    return D


def windows(x, w):
    y = np.zeros(len(x) - 2)
    for i in range(len(x) - 2):
        y[i] = (x[i : i + 3] * w).sum()
    return y


def lagged(x):
    p, s = x[0], 0.0
    for i in range(1, len(x)):
        s += (x[i] - p) ** 2
        p = x[i]
    return s


def rows_below(A):
    B = A.copy()
    for i in range(1, A.shape[0]):
        for j in range(A.shape[1]):
            B[i, j] = B[i - 1, j] + A[i, j]
    return B


def strided(x):
    y = x.copy()
    for i in range(0, len(x), 2):
        y[i] = x[i] + 1.0
    return y


ARRAYS = [
    (matrix_product, "nm", "mk"), (outer_products, "nm", "mk"), (prefix_sums, "n"), (total, "n"), (difference, "n"),
    (largest, "n"), (smallest, "n"), (columns, "nm", "m"), (matrix_vector, "nm", "m"), (running, "n"),
    (diagonal, "nn"), (reverse, "n"), (shifted_back, "n"), (distances, "n"), (windows, "n", "3"), (lagged, "n"),
    (rows_below, "nm"), (strided, "n"),
]  # fmt: skip


def shifted_on(x):
    y = x.copy()
    for i in range(len(x) - 1):
        y[i + 1] = y[i] * y[i]
    return y


def fibonacci(x):
    a, b = 0.0, 1.0
    for _ in x:
        a, b = b, a + b
    return a


def powers(x):
    y = x.copy()
    for _ in range(len(x)):
        y = y * y - x
    return y


def counted(x):
    y = np.zeros(3)
    for i in range(len(x)):
        y[i % 3] += x[i]
    return y


def two_columns(A):
    B = A.copy()
    for i in range(A.shape[0] - 1):
        B[i, 0] = B[i + 1, 1]
        B[i, 1] = B[i, 0]
    return B


LOOPS = [(shifted_on, "n"), (fibonacci, "n"), (powers, "n"), (counted, "n"), (two_columns, "n2")]
