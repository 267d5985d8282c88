"""The kernels as loops for numba, compiled with `njit(fastmath=False)` and no parallel loops."""

from __future__ import annotations

import math

import numpy as np
from numba import njit


@njit
def gaussian(x):
    result = np.empty_like(x)
    for i in range(x.size):
        result[i] = math.exp(-x[i] * x[i] / 2)
    return result


@njit
def elementwise_chain(x, y):
    result = np.empty_like(x)
    for i in range(x.size):
        result[i] = math.sqrt(x[i] * x[i] + y[i] * y[i]) * math.exp(-0.1 * x[i]) + math.tanh(y[i])
    return result


@njit
def polynomial(x):
    result = np.empty_like(x)
    for i in range(x.size):
        v = x[i]
        result[i] = 1.0 + v * (0.5 + v * (0.25 + v * (-0.125 + v * (0.0625 - 0.03125 * v))))
    return result


@njit
def black_scholes(price, strike, time):
    rate, volatility = 0.02, 0.3
    result = np.empty_like(price)
    for i in range(price.size):
        spread = volatility * math.sqrt(time[i])
        d1 = (math.log(price[i] / strike[i]) + (rate + 0.5 * volatility**2) * time[i]) / spread
        d2 = d1 - spread
        first = 0.5 * (1 + math.erf(d1 / math.sqrt(2.0)))
        second = 0.5 * (1 + math.erf(d2 / math.sqrt(2.0)))
        result[i] = price[i] * first - strike[i] * math.exp(-rate * time[i]) * second
    return result


@njit
def softmax(X):
    result = np.empty_like(X)
    for i in range(X.shape[0]):
        peak = X[i, 0]
        for j in range(1, X.shape[1]):
            peak = max(peak, X[i, j])
        total = 0.0
        for j in range(X.shape[1]):
            result[i, j] = math.exp(X[i, j] - peak)
            total += result[i, j]
        for j in range(X.shape[1]):
            result[i, j] /= total
    return result


@njit
def log_sum_exp(X):
    result = np.empty(X.shape[0])
    for i in range(X.shape[0]):
        peak = X[i, 0]
        for j in range(1, X.shape[1]):
            peak = max(peak, X[i, j])
        total = 0.0
        for j in range(X.shape[1]):
            total += math.exp(X[i, j] - peak)
        result[i] = peak + math.log(total)
    return result


@njit
def layer_norm(X, gain, bias):
    result = np.empty_like(X)
    n = X.shape[1]
    for i in range(X.shape[0]):
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


@njit
def pairwise_distances(X, Y):
    result = np.empty((X.shape[0], Y.shape[0]))
    for i in range(X.shape[0]):
        for j in range(Y.shape[0]):
            total = 0.0
            for k in range(X.shape[1]):
                total += (X[i, k] - Y[j, k]) ** 2
            result[i, j] = math.sqrt(total)
    return result


@njit
def gaussian_likelihood(x, mean, deviation):
    total = 0.0
    for i in range(x.size):
        total += -0.5 * ((x[i] - mean[i]) / deviation[i]) ** 2 - math.log(deviation[i])
    return total - 0.5 * math.log(2 * math.pi) * x.size


@njit
def poisson_likelihood(counts, eta):
    total = 0.0
    for i in range(counts.size):
        total += counts[i] * eta[i] - math.exp(eta[i]) - math.lgamma(counts[i] + 1)
    return total


@njit
def logistic_posterior(b, X, y):
    z = X @ b
    total = 0.0
    for i in range(z.size):
        total += y[i] * z[i] - max(z[i], 0.0) - math.log1p(math.exp(-abs(z[i])))
    for j in range(b.size):
        total -= 0.5 * b[j] * b[j]
    return total


@njit
def matrix_chain(A, B, x):
    return A @ (B @ x)


@njit
def inverse_times_vector(A, b):
    return np.linalg.solve(A, b)


@njit
def squared_error(x, y):
    total = 0.0
    for i in range(x.size):
        total += (x[i] - y[i]) ** 2
    return total


@njit
def running_mean(x):
    result = np.empty_like(x)
    total = 0.0
    for i in range(x.size):
        total += x[i]
        result[i] = total / (i + 1)
    return result


@njit
def weighted_moments(x, w):
    total, first = 0.0, 0.0
    for i in range(x.size):
        total += w[i]
        first += w[i] * x[i]
    mean, second = first / total, 0.0
    for i in range(x.size):
        second += w[i] * (x[i] - mean) ** 2
    return mean, second / total


@njit
def low_rank_residual(X, U, V):
    product = U @ V.T
    total = 0.0
    for i in range(X.shape[0]):
        for j in range(X.shape[1]):
            total += (X[i, j] - product[i, j]) ** 2
    return total
