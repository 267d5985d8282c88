"""The kernels as PyTensor graphs; each function takes symbolic variables."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytensor
import pytensor.tensor as pt


def compiled(graph: Callable[..., Any], arguments: tuple[np.ndarray, ...]) -> Callable[..., Any]:
    """The compiled function of a graph for arguments of these ranks."""
    variables = [pt.TensorType("float64", (None,) * a.ndim)() for a in arguments]
    outputs = graph(*variables)
    function = pytensor.function(variables, list(outputs) if isinstance(outputs, tuple) else outputs)
    function.trust_input = True
    return function


def gaussian(x):
    return pt.exp(-x * x / 2)


def elementwise_chain(x, y):
    return pt.sqrt(x * x + y * y) * pt.exp(-0.1 * x) + pt.tanh(y)


def polynomial(x):
    return 1.0 + 0.5 * x + 0.25 * x**2 - 0.125 * x**3 + 0.0625 * x**4 - 0.03125 * x**5


def black_scholes(price, strike, time):
    rate, volatility = 0.02, 0.3
    spread = volatility * pt.sqrt(time)
    d1 = (pt.log(price / strike) + (rate + 0.5 * volatility**2) * time) / spread
    d2 = d1 - spread
    first = 0.5 * (1 + pt.erf(d1 / np.sqrt(2.0)))
    second = 0.5 * (1 + pt.erf(d2 / np.sqrt(2.0)))
    return price * first - strike * pt.exp(-rate * time) * second


def softmax(X):
    return pt.special.softmax(X, axis=1)


def log_sum_exp(X):
    return pt.logsumexp(X, axis=1)


def layer_norm(X, gain, bias):
    centred = X - X.mean(axis=1, keepdims=True)
    return centred / pt.sqrt(X.var(axis=1, keepdims=True) + 1e-5) * gain + bias


def pairwise_distances(X, Y):
    return pt.sqrt(pt.sum((X[:, None, :] - Y[None, :, :]) ** 2, axis=2))


def gaussian_likelihood(x, mean, deviation):
    return pt.sum(-0.5 * ((x - mean) / deviation) ** 2 - pt.log(deviation) - 0.5 * np.log(2 * np.pi))


def poisson_likelihood(counts, eta):
    return pt.sum(counts * eta - pt.exp(eta) - pt.gammaln(counts + 1))


def logistic_posterior(b, X, y):
    z = X @ b
    return pt.sum(y * z - pt.softplus(z)) - 0.5 * pt.sum(b**2)


def matrix_chain(A, B, x):
    return A @ (B @ x)


def inverse_times_vector(A, b):
    return pt.linalg.solve(A, b, b_ndim=1)


def squared_error(x, y):
    return pt.sum((x - y) ** 2)


def running_mean(x):
    return pt.cumsum(x) / pt.arange(1, x.shape[0] + 1)


def weighted_moments(x, w):
    total = pt.sum(w)
    mean = pt.sum(w * x) / total
    return mean, pt.sum(w * (x - mean) ** 2) / total


def low_rank_residual(X, U, V):
    return pt.sum((X - U @ V.T) ** 2)
