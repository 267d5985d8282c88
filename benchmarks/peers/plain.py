"""The kernels in NumPy: what egc is given, too."""

from __future__ import annotations

import numpy as np
from scipy import special


def gaussian(x):
    return np.exp(-x * x / 2)


def elementwise_chain(x, y):
    return np.sqrt(x * x + y * y) * np.exp(-0.1 * x) + np.tanh(y)


def polynomial(x):
    return 1.0 + 0.5 * x + 0.25 * x**2 - 0.125 * x**3 + 0.0625 * x**4 - 0.03125 * x**5


def black_scholes(price, strike, time):
    rate, volatility = 0.02, 0.3
    spread = volatility * np.sqrt(time)
    d1 = (np.log(price / strike) + (rate + 0.5 * volatility**2) * time) / spread
    d2 = d1 - spread
    first = 0.5 * (1 + special.erf(d1 / np.sqrt(2.0)))
    second = 0.5 * (1 + special.erf(d2 / np.sqrt(2.0)))
    return price * first - strike * np.exp(-rate * time) * second


def softmax(X):
    e = np.exp(X - np.max(X, axis=1, keepdims=True))
    return e / np.sum(e, axis=1, keepdims=True)


def log_sum_exp(X):
    return np.log(np.sum(np.exp(X), axis=1))


def layer_norm(X, gain, bias):
    centred = X - X.mean(axis=1, keepdims=True)
    return centred / np.sqrt(X.var(axis=1, keepdims=True) + 1e-5) * gain + bias


def pairwise_distances(X, Y):
    return np.sqrt(np.sum((X[:, None, :] - Y[None, :, :]) ** 2, axis=2))


def gaussian_likelihood(x, mean, deviation):
    return np.sum(-0.5 * ((x - mean) / deviation) ** 2 - np.log(deviation) - 0.5 * np.log(2 * np.pi))


def poisson_likelihood(counts, eta):
    return np.sum(counts * eta - np.exp(eta) - special.gammaln(counts + 1))


def logistic_posterior(b, X, y):
    p = 1 / (1 + np.exp(-X @ b))
    return np.sum(y * np.log(p) + (1 - y) * np.log(1 - p)) - 0.5 * np.sum(b**2)


def matrix_chain(A, B, x):
    return A @ B @ x


def inverse_times_vector(A, b):
    return np.linalg.inv(A) @ b


def squared_error(x, y):
    return np.sum((x - y) ** 2)


def running_mean(x):
    return np.cumsum(x) / np.arange(1, len(x) + 1)


def weighted_moments(x, w):
    total = np.sum(w)
    mean = np.sum(w * x) / total
    return mean, np.sum(w * (x - mean) ** 2) / total


def low_rank_residual(X, U, V):
    return np.sum((X - U @ V.T) ** 2)
