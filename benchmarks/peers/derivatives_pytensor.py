"""The functions of `derivative_programs` as PyTensor graphs, for those that need no `scan`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytensor
import pytensor.tensor as pt


def value_and_grad(name: str, arguments: tuple[Any, ...], chosen: tuple[int, ...]) -> Callable[[], list[Any]]:
    """A call of the compiled value and gradients by the chosen arguments, in PyTensor's numba mode."""
    given = [np.asarray(each) for each in arguments]
    symbols = [pt.tensor(dtype=each.dtype, shape=(None,) * each.ndim) for each in given]
    value = globals()[name](*symbols)
    gradients = pt.grad(value, [symbols[k] for k in chosen])
    compiled = pytensor.function(symbols, [value, *gradients], mode="NUMBA", trust_input=True)
    return lambda: compiled(*given)


def eight_schools(q, y, sigma):
    mu, log_tau, eta = q[0], q[1], q[2:]
    tau = pt.exp(log_tau)
    residuals = (y - mu - tau * eta) / sigma
    prior = -0.5 * (mu / 5.0) ** 2 - pt.log(1.0 + (tau / 5.0) ** 2) + log_tau
    return prior - 0.5 * pt.sum(eta**2) - 0.5 * pt.sum(residuals**2)


def logistic_regression(beta, X, y):
    z = X @ beta
    return pt.sum(y * z - pt.softplus(z)) - 0.5 * pt.sum(beta**2)


def poisson_mixed(q, X, group, y):
    beta, log_sigma, u = q[:9], q[9], q[10:]
    eta = X @ beta + pt.exp(log_sigma) * u[group]
    return pt.sum(y * eta - pt.exp(eta)) - 0.5 * pt.sum(u**2) - 0.5 * pt.sum(beta**2) - 0.5 * log_sigma**2


def hierarchical_regression(mean, log_scale, slopes, log_noise, x, group, y):
    residuals = (y - slopes[group, 0] - slopes[group, 1] * x) * pt.exp(-log_noise)
    spread = (slopes - mean) / pt.exp(log_scale)
    prior = -0.5 * pt.sum(spread**2) - slopes.shape[0] * pt.sum(log_scale) - 0.5 * pt.sum(mean**2)
    return prior - 0.5 * pt.sum(log_scale**2) - 0.5 * pt.sum(residuals**2) - y.shape[0] * log_noise


def gaussian_mixture(logits, means, log_scales, X):
    spread = (X[:, None, :] - means) * pt.exp(-log_scales)
    parts = logits - pt.logsumexp(logits) - pt.sum(log_scales, axis=1) - 0.5 * pt.sum(spread**2, axis=2)
    return pt.sum(pt.logsumexp(parts, axis=1))


def gaussian_process(q, x, y):
    distance = (x[:, None] - x) / pt.exp(q[1])
    noise = pt.exp(2.0 * q[2]) + 1e-8
    K = pt.exp(2.0 * q[0]) * pt.exp(-0.5 * distance**2) + noise * pt.eye(x.shape[0])
    L = pt.linalg.cholesky(K)
    half = pt.linalg.solve_triangular(L, y, lower=True)
    return -0.5 * pt.sum(half**2) - pt.sum(pt.log(pt.diag(L))) - 0.5 * pt.sum(q**2)


def matrix_factorization(U, V, R, mask):
    residuals = mask * (R - U @ V.T)
    return 0.5 * pt.sum(residuals**2) + 0.05 * pt.sum(U**2) + 0.05 * pt.sum(V**2)
