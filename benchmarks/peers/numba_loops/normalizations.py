"""A reduction of every row or column, and what is computed from it."""

from __future__ import annotations

import math

import numpy as np
from numba import prange

PARTS = 4
"""How many ranges of rows have sums of their own."""


def softmax(X):
    result = np.empty_like(X)
    for i in prange(X.shape[0]):
        peak = X[i, 0]
        for j in range(1, X.shape[1]):
            peak = max(peak, X[i, j])
        total = 0.0
        for j in range(X.shape[1]):
            e = math.exp(X[i, j] - peak)
            result[i, j] = e
            total += e
        scale = 1.0 / total
        for j in range(X.shape[1]):
            result[i, j] *= scale
    return result


def softmax_float32(X):
    result = np.empty_like(X)
    for i in prange(X.shape[0]):
        peak = X[i, 0]
        for j in range(1, X.shape[1]):
            peak = max(peak, X[i, j])
        total = np.float32(0.0)
        for j in range(X.shape[1]):
            e = math.exp(X[i, j] - peak)
            result[i, j] = e
            total += e
        scale = np.float32(1.0) / total
        for j in range(X.shape[1]):
            result[i, j] *= scale
    return result


def log_softmax(X):
    result = np.empty_like(X)
    for i in prange(X.shape[0]):
        peak = X[i, 0]
        for j in range(1, X.shape[1]):
            peak = max(peak, X[i, j])
        total = 0.0
        for j in range(X.shape[1]):
            total += math.exp(X[i, j] - peak)
        shift = peak + math.log(total)
        for j in range(X.shape[1]):
            result[i, j] = X[i, j] - shift
    return result


def log_sum_exp_rows(X):
    result = np.empty(X.shape[0])
    for i in prange(X.shape[0]):
        peak = X[i, 0]
        for j in range(1, X.shape[1]):
            peak = max(peak, X[i, j])
        total = 0.0
        for j in range(X.shape[1]):
            total += math.exp(X[i, j] - peak)
        result[i] = peak + math.log(total)
    return result


def log_sum_exp_columns(X):
    rows, columns = X.shape
    parts = min(PARTS, rows)
    peaks = np.empty((parts, columns))
    totals = np.zeros((parts, columns))
    for part in prange(parts):
        first, last = part * rows // parts, (part + 1) * rows // parts
        for j in range(columns):
            peaks[part, j] = X[first, j]
        for i in range(first + 1, last):
            for j in range(columns):
                peaks[part, j] = max(peaks[part, j], X[i, j])
        for i in range(first, last):
            for j in range(columns):
                totals[part, j] += math.exp(X[i, j] - peaks[part, j])
    result = np.empty(columns)
    for j in range(columns):
        peak = peaks[:, j].max()
        total = 0.0
        for part in range(parts):
            total += totals[part, j] * math.exp(peaks[part, j] - peak)
        result[j] = peak + math.log(total)
    return result


def layer_norm(X, gain, bias):
    result = np.empty_like(X)
    n = X.shape[1]
    for i in prange(X.shape[0]):
        mean = 0.0
        for j in range(n):
            mean += X[i, j]
        mean /= n
        variance = 0.0
        for j in range(n):
            variance += (X[i, j] - mean) ** 2
        scale = 1.0 / math.sqrt(variance / n + 1e-5)
        for j in range(n):
            result[i, j] = (X[i, j] - mean) * scale * gain[j] + bias[j]
    return result


def batch_norm(X, gain, bias):
    rows, columns = X.shape
    parts = PARTS
    sums = np.zeros((parts, columns))
    for part in prange(parts):
        for i in range(part * rows // parts, (part + 1) * rows // parts):
            for j in range(columns):
                sums[part, j] += X[i, j]
    mean = sums.sum(axis=0) / rows
    squares = np.zeros((parts, columns))
    for part in prange(parts):
        for i in range(part * rows // parts, (part + 1) * rows // parts):
            for j in range(columns):
                squares[part, j] += (X[i, j] - mean[j]) ** 2
    scale = gain / np.sqrt(squares.sum(axis=0) / rows + 1e-5)
    shift = bias - mean * scale
    result = np.empty_like(X)
    for i in prange(rows):
        for j in range(columns):
            result[i, j] = X[i, j] * scale[j] + shift[j]
    return result


def normalized_rows(X):
    result = np.empty_like(X)
    for i in prange(X.shape[0]):
        total = 0.0
        for j in range(X.shape[1]):
            total += X[i, j] * X[i, j]
        scale = 1.0 / math.sqrt(total)
        for j in range(X.shape[1]):
            result[i, j] = X[i, j] * scale
    return result
