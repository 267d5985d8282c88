"""The kernels as PyTensor graphs, compiled by its numba mode; each function takes symbolic variables."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytensor
import pytensor.tensor as pt


def compiled(graph: Callable[..., Any], dtypes: Sequence[str], ranks: Sequence[int]) -> Callable[..., Any]:
    """The compiled function of a graph for arguments of these dtypes and ranks."""
    variables = [pt.TensorType(dtype, (None,) * rank)() for dtype, rank in zip(dtypes, ranks)]
    outputs = graph(*variables)
    results = list(outputs) if isinstance(outputs, tuple) else outputs
    function = pytensor.function(variables, results, mode="NUMBA")
    function.trust_input = True
    return function


def arithmetic(x, y):
    return 2.5 * x * y + x - 0.5 * y


def gaussian(x):
    return pt.exp(-x * x / 2)


def gaussian_float32(x):
    return pt.exp(-x * x * np.float32(0.5))


def five_calls(x, y):
    return pt.exp(-x * x) * pt.sin(y) + pt.log(1 + y * y) * pt.cos(x) + pt.tanh(x * y)


def black_scholes(price, strike, time):
    rate, volatility = 0.02, 0.3
    spread = volatility * pt.sqrt(time)
    d1 = (pt.log(price / strike) + (rate + 0.5 * volatility**2) * time) / spread
    d2 = d1 - spread
    first = 0.5 * (1 + pt.erf(d1 / np.sqrt(2.0)))
    second = 0.5 * (1 + pt.erf(d2 / np.sqrt(2.0)))
    return price * first - strike * pt.exp(-rate * time) * second


def gelu(x):
    return 0.5 * x * (1 + pt.erf(x / np.sqrt(2.0)))


def polynomial(x):
    return 1.0 + x * (0.5 + x * (0.25 + x * (-0.125 + x * (0.0625 - 0.03125 * x))))


def huber(r):
    size = pt.abs(r)
    return pt.switch(size <= 1.0, 0.5 * r * r, size - 0.5)


def complex_magnitude(z):
    return pt.abs(z)


def inside_ring(x, y):
    squared = x * x + y * y
    return (squared > 0.25) & (squared < 1.0) & ((x > 0) | (y > 0))


def squared_error(x, y):
    return pt.sum((x - y) ** 2)


def gaussian_likelihood(x, mean, deviation):
    total = pt.sum(-0.5 * ((x - mean) / deviation) ** 2 - pt.log(deviation))
    return total - 0.5 * np.log(2 * np.pi) * x.shape[0]


def poisson_likelihood(counts, eta):
    return pt.sum(counts * eta - pt.exp(eta) - pt.gammaln(counts + 1))


def logistic_posterior(b, X, y):
    z = X @ b
    return pt.sum(y * z - pt.softplus(z)) - 0.5 * pt.sum(b**2)


def log_loss(z, y):
    return pt.mean(pt.softplus(z) - y * z)


def weighted_moments(x, w):
    total = pt.sum(w)
    mean = pt.sum(w * x) / total
    return mean, pt.sum(w * (x - mean) ** 2) / total


def correlation(x, y):
    dx, dy = x - pt.mean(x), y - pt.mean(y)
    return pt.sum(dx * dy) / pt.sqrt(pt.sum(dx * dx) * pt.sum(dy * dy))


def masked_means(X, valid):
    return pt.sum(pt.switch(valid, X, 0.0), axis=1) / pt.sum(valid, axis=1)


def trapezoid(x, y):
    return 0.5 * pt.sum((y[1:] + y[:-1]) * (x[1:] - x[:-1]))


def softmax(X):
    return pt.special.softmax(X, axis=1)


def softmax_float32(X):
    return pt.special.softmax(X, axis=1)


def log_softmax(X):
    return pt.special.log_softmax(X, axis=1)


def log_sum_exp_rows(X):
    return pt.logsumexp(X, axis=1)


def log_sum_exp_columns(X):
    return pt.logsumexp(X, axis=0)


def layer_norm(X, gain, bias):
    centred = X - X.mean(axis=1, keepdims=True)
    return centred / pt.sqrt(X.var(axis=1, keepdims=True) + 1e-5) * gain + bias


def batch_norm(X, gain, bias):
    return (X - X.mean(axis=0)) * (gain / pt.sqrt(X.var(axis=0) + 1e-5)) + bias


def normalized_rows(X):
    return X / pt.sqrt(pt.sum(X * X, axis=1, keepdims=True))


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
    return pt.signal.convolve1d(x, weights, mode="valid")


def histogram(x):
    return pt.bincount(pt.cast(x * 64, "int64"), minlength=64)


def scatter_add(values, index, start):
    return start[index].inc(values)


def edge_forces(x, first, second):
    difference = x[second] - x[first]
    force = difference * pt.exp(-difference * difference)
    return pt.zeros_like(x)[first].inc(force)[second].inc(-force)


def running_mean(x):
    return pt.cumsum(x) / pt.arange(1, x.shape[0] + 1)


def cumulative_rows(X):
    return pt.cumsum(X * X, axis=1)


def small_products(A, B):
    return A @ B


def quadratic_forms(X, A):
    return pt.sum((X @ A) * X, axis=1)


def dense_layer(X, W, b):
    return pt.maximum(X @ W + b, 0.0)


def attention(Q, K, V):
    return pt.special.softmax(Q @ K.T / pt.sqrt(Q.shape[1].astype("float64")), axis=1) @ V


def pairwise_distances(X, Y):
    return pt.sqrt(pt.sum((X[:, None, :] - Y[None, :, :]) ** 2, axis=2))


def nearest_center(X, centers):
    return pt.argmin(pt.sum((X[:, None, :] - centers[None, :, :]) ** 2, axis=2), axis=1)


def symmetrized(A):
    return 0.5 * (A + A.T)


def matrix_chain(A, B, x):
    return A @ (B @ x)


def inverse_times_vector(A, b):
    return pt.linalg.solve(A, b, b_ndim=1)


def low_rank_residual(X, U, V):
    return pt.sum((X - U @ V.T) ** 2)
