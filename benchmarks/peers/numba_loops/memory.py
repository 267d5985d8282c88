"""Stencils, scans, gathers and scatters: where the time goes to addressing."""

from __future__ import annotations

import math

import numpy as np
from numba import prange

PARTS = 4
"""How many ranges have counts of their own."""


def heat_1d(u):
    result = np.empty(u.size - 2)
    for i in prange(result.size):
        result[i] = u[i + 1] + 0.1 * (u[i] - 2 * u[i + 1] + u[i + 2])
    return result


def heat_2d(u):
    result = np.empty((u.shape[0] - 2, u.shape[1] - 2))
    for i in prange(result.shape[0]):
        for j in range(result.shape[1]):
            here = u[i + 1, j + 1]
            result[i, j] = here + 0.1 * (u[i, j + 1] + u[i + 2, j + 1] + u[i + 1, j] + u[i + 1, j + 2] - 4 * here)
    return result


def heat_3d(u):
    result = np.empty((u.shape[0] - 2, u.shape[1] - 2, u.shape[2] - 2))
    for i in prange(result.shape[0]):
        for j in range(result.shape[1]):
            for k in range(result.shape[2]):
                here = u[i + 1, j + 1, k + 1]
                around = u[i, j + 1, k + 1] + u[i + 2, j + 1, k + 1] + u[i + 1, j, k + 1] + u[i + 1, j + 2, k + 1]
                result[i, j, k] = here + 0.1 * (around + u[i + 1, j + 1, k] + u[i + 1, j + 1, k + 2] - 6 * here)
    return result


def blur_2d(u):
    result = np.empty((u.shape[0] - 2, u.shape[1] - 2))
    for i in prange(result.shape[0]):
        for j in range(result.shape[1]):
            left = u[i, j] + 2 * u[i + 1, j] + u[i + 2, j]
            middle = u[i, j + 1] + 2 * u[i + 1, j + 1] + u[i + 2, j + 1]
            right = u[i, j + 2] + 2 * u[i + 1, j + 2] + u[i + 2, j + 2]
            result[i, j] = 0.0625 * (left + 2 * middle + right)
    return result


def convolution(x, weights):
    taps = weights.size
    result = np.empty(x.size - taps + 1)
    for i in prange(result.size):
        total = 0.0
        for k in range(taps):
            total += weights[k] * x[i + taps - 1 - k]
        result[i] = total
    return result


def histogram(x):
    parts = PARTS
    counts = np.zeros((parts, 64), np.int64)
    for part in prange(parts):
        for i in range(part * x.size // parts, (part + 1) * x.size // parts):
            counts[part, int(x[i] * 64)] += 1
    return counts.sum(axis=0)


def scatter_add(values, index, start):
    total = start.copy()
    for i in range(values.size):
        total[index[i]] += values[i]
    return total


def edge_forces(x, first, second):
    total = np.zeros_like(x)
    for k in range(first.size):
        i, j = first[k], second[k]
        difference = x[j] - x[i]
        force = difference * math.exp(-difference * difference)
        total[i] += force
        total[j] -= force
    return total


def running_mean(x):
    result = np.empty_like(x)
    total = 0.0
    for i in range(x.size):
        total += x[i]
        result[i] = total / (i + 1)
    return result


def cumulative_rows(X):
    result = np.empty_like(X)
    for i in prange(X.shape[0]):
        total = 0.0
        for j in range(X.shape[1]):
            total += X[i, j] * X[i, j]
            result[i, j] = total
    return result
