"""Sums over whole arrays and over rows."""

from __future__ import annotations

import math

import numpy as np
from numba import prange


def squared_error(x, y):
    total = 0.0
    for i in prange(x.size):
        total += (x[i] - y[i]) ** 2
    return total


def gaussian_likelihood(x, mean, deviation):
    total = 0.0
    for i in prange(x.size):
        total += -0.5 * ((x[i] - mean[i]) / deviation[i]) ** 2 - math.log(deviation[i])
    return total - 0.5 * math.log(2 * math.pi) * x.size


def poisson_likelihood(counts, eta):
    total = 0.0
    for i in prange(counts.size):
        total += counts[i] * eta[i] - math.exp(eta[i]) - math.lgamma(counts[i] + 1)
    return total


def logistic_posterior(b, X, y):
    total = 0.0
    for i in prange(X.shape[0]):
        z = 0.0
        for j in range(X.shape[1]):
            z += X[i, j] * b[j]
        total += y[i] * z - max(z, 0.0) - math.log1p(math.exp(-abs(z)))
    return total - 0.5 * np.dot(b, b)


def log_loss(z, y):
    total = 0.0
    for i in prange(z.size):
        total += max(z[i], 0.0) + math.log1p(math.exp(-abs(z[i]))) - y[i] * z[i]
    return total / z.size


def weighted_moments(x, w):
    total, first = 0.0, 0.0
    for i in prange(x.size):
        total += w[i]
        first += w[i] * x[i]
    mean, second = first / total, 0.0
    for i in prange(x.size):
        second += w[i] * (x[i] - mean) ** 2
    return mean, second / total


def correlation(x, y):
    sx, sy = 0.0, 0.0
    for i in prange(x.size):
        sx += x[i]
        sy += y[i]
    mx, my = sx / x.size, sy / x.size
    xy, xx, yy = 0.0, 0.0, 0.0
    for i in prange(x.size):
        dx, dy = x[i] - mx, y[i] - my
        xy += dx * dy
        xx += dx * dx
        yy += dy * dy
    return xy / math.sqrt(xx * yy)


def masked_means(X, valid):
    result = np.empty(X.shape[0])
    for i in prange(X.shape[0]):
        total, count = 0.0, 0
        for j in range(X.shape[1]):
            total += X[i, j] if valid[i, j] else 0.0
            count += valid[i, j]
        result[i] = total / count
    return result


def trapezoid(x, y):
    total = 0.0
    for i in prange(x.size - 1):
        total += (y[i + 1] + y[i]) * (x[i + 1] - x[i])
    return 0.5 * total
