"""The kernels in NumPy: what egc is given, too."""

from __future__ import annotations

import numpy as np
from scipy import special


def arithmetic(x, y):
    return 2.5 * x * y + x - 0.5 * y


def gaussian(x):
    return np.exp(-x * x / 2)


def gaussian_float32(x):
    return np.exp(-x * x / 2)


def five_calls(x, y):
    return np.exp(-x * x) * np.sin(y) + np.log(1 + y * y) * np.cos(x) + np.tanh(x * y)


def black_scholes(price, strike, time):
    rate, volatility = 0.02, 0.3
    spread = volatility * np.sqrt(time)
    d1 = (np.log(price / strike) + (rate + 0.5 * volatility**2) * time) / spread
    d2 = d1 - spread
    first = 0.5 * (1 + special.erf(d1 / np.sqrt(2.0)))
    second = 0.5 * (1 + special.erf(d2 / np.sqrt(2.0)))
    return price * first - strike * np.exp(-rate * time) * second


def gelu(x):
    return 0.5 * x * (1 + special.erf(x / np.sqrt(2.0)))


def polynomial(x):
    return 1.0 + 0.5 * x + 0.25 * x**2 - 0.125 * x**3 + 0.0625 * x**4 - 0.03125 * x**5


def huber(r):
    size = np.abs(r)
    return np.where(size <= 1.0, 0.5 * r * r, size - 0.5)


def complex_magnitude(z):
    return np.abs(z)


def hash_integers(x):
    x = (x ^ (x >> 16)) * 0x7FEB352D
    x = (x ^ (x >> 15)) * 0x846CA68B
    return x ^ (x >> 16)


def inside_ring(x, y):
    squared = x * x + y * y
    return (squared > 0.25) & (squared < 1.0) & ((x > 0) | (y > 0))


def squared_error(x, y):
    return np.sum((x - y) ** 2)


def gaussian_likelihood(x, mean, deviation):
    return np.sum(-0.5 * ((x - mean) / deviation) ** 2 - np.log(deviation) - 0.5 * np.log(2 * np.pi))


def poisson_likelihood(counts, eta):
    return np.sum(counts * eta - np.exp(eta) - special.gammaln(counts + 1))


def logistic_posterior(b, X, y):
    p = 1 / (1 + np.exp(-X @ b))
    return np.sum(y * np.log(p) + (1 - y) * np.log(1 - p)) - 0.5 * np.sum(b**2)


def log_loss(z, y):
    return np.mean(np.logaddexp(0.0, z) - y * z)


def weighted_moments(x, w):
    total = np.sum(w)
    mean = np.sum(w * x) / total
    return mean, np.sum(w * (x - mean) ** 2) / total


def correlation(x, y):
    dx, dy = x - np.mean(x), y - np.mean(y)
    return np.sum(dx * dy) / np.sqrt(np.sum(dx * dx) * np.sum(dy * dy))


def masked_means(X, valid):
    return np.sum(np.where(valid, X, 0.0), axis=1) / np.sum(valid, axis=1)


def trapezoid(x, y):
    return 0.5 * np.sum((y[1:] + y[:-1]) * (x[1:] - x[:-1]))


def softmax(X):
    e = np.exp(X - np.max(X, axis=1, keepdims=True))
    return e / np.sum(e, axis=1, keepdims=True)


def softmax_float32(X):
    e = np.exp(X - np.max(X, axis=1, keepdims=True))
    return e / np.sum(e, axis=1, keepdims=True)


def log_softmax(X):
    shifted = X - np.max(X, axis=1, keepdims=True)
    return shifted - np.log(np.sum(np.exp(shifted), axis=1, keepdims=True))


def log_sum_exp_rows(X):
    peak = np.max(X, axis=1)
    return peak + np.log(np.sum(np.exp(X - peak[:, None]), axis=1))


def log_sum_exp_columns(X):
    peak = np.max(X, axis=0)
    return peak + np.log(np.sum(np.exp(X - peak), axis=0))


def layer_norm(X, gain, bias):
    centred = X - X.mean(axis=1, keepdims=True)
    return centred / np.sqrt(X.var(axis=1, keepdims=True) + 1e-5) * gain + bias


def batch_norm(X, gain, bias):
    return (X - X.mean(axis=0)) / np.sqrt(X.var(axis=0) + 1e-5) * gain + bias


def normalized_rows(X):
    return X / np.sqrt(np.sum(X * X, axis=1, keepdims=True))


def heat_1d(u):
    return u[1:-1] + 0.1 * (u[:-2] - 2 * u[1:-1] + u[2:])


def heat_2d(u):
    inner = u[1:-1, 1:-1]
    return inner + 0.1 * (u[:-2, 1:-1] + u[2:, 1:-1] + u[1:-1, :-2] + u[1:-1, 2:] - 4 * inner)


def heat_3d(u):
    inner = u[1:-1, 1:-1, 1:-1]
    around = u[:-2, 1:-1, 1:-1] + u[2:, 1:-1, 1:-1] + u[1:-1, :-2, 1:-1] + u[1:-1, 2:, 1:-1]
    return inner + 0.1 * (around + u[1:-1, 1:-1, :-2] + u[1:-1, 1:-1, 2:] - 6 * inner)


def blur_2d(u):
    rows = 0.25 * u[:-2] + 0.5 * u[1:-1] + 0.25 * u[2:]
    return 0.25 * rows[:, :-2] + 0.5 * rows[:, 1:-1] + 0.25 * rows[:, 2:]


def convolution(x, weights):
    return np.convolve(x, weights, mode="valid")


def histogram(x):
    return np.bincount((x * 64).astype(np.int64), minlength=64)


def scatter_add(values, index, start):
    total = start.copy()
    np.add.at(total, index, values)
    return total


def edge_forces(x, first, second):
    difference = x[second] - x[first]
    force = difference * np.exp(-difference * difference)
    total = np.zeros_like(x)
    np.add.at(total, first, force)
    np.add.at(total, second, -force)
    return total


def running_mean(x):
    return np.cumsum(x) / np.arange(1, len(x) + 1)


def cumulative_rows(X):
    return np.cumsum(X * X, axis=1)


def small_products(A, B):
    return A @ B


def quadratic_forms(X, A):
    return np.sum((X @ A) * X, axis=1)


def dense_layer(X, W, b):
    return np.maximum(X @ W + b, 0.0)


def attention(Q, K, V):
    scores = Q @ K.T / np.sqrt(Q.shape[1])
    e = np.exp(scores - np.max(scores, axis=1, keepdims=True))
    return (e / np.sum(e, axis=1, keepdims=True)) @ V


def pairwise_distances(X, Y):
    return np.sqrt(np.sum((X[:, None, :] - Y[None, :, :]) ** 2, axis=2))


def nearest_center(X, centers):
    return np.argmin(np.sum((X[:, None, :] - centers[None, :, :]) ** 2, axis=2), axis=1)


def symmetrized(A):
    return 0.5 * (A + A.T)


def matrix_chain(A, B, x):
    return A @ B @ x


def inverse_times_vector(A, b):
    return np.linalg.inv(A) @ b


def low_rank_residual(X, U, V):
    return np.sum((X - U @ V.T) ** 2)
