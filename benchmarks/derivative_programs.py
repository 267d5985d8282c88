"""What the suite `derivatives` differentiates: log densities, simulations and losses as one writes them with NumPy.

Each function has a twin of its name in `peers/derivatives_jax`, some in `peers/derivatives_numba` (value and gradient by
hand) and `peers/derivatives_pytensor`. The values of them all agree.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np


def eight_schools(q, y, sigma):
    mu, log_tau, eta = q[0], q[1], q[2:]
    tau = np.exp(log_tau)
    residuals = (y - mu - tau * eta) / sigma
    prior = -0.5 * (mu / 5.0) ** 2 - np.log(1.0 + (tau / 5.0) ** 2) + log_tau
    return prior - 0.5 * np.sum(eta**2) - 0.5 * np.sum(residuals**2)


def logistic_regression(beta, X, y):
    z = X @ beta
    return np.sum(y * z - np.logaddexp(0.0, z)) - 0.5 * np.sum(beta**2)


def poisson_mixed(q, X, group, y):
    beta, log_sigma, u = q[:9], q[9], q[10:]
    eta = X @ beta + np.exp(log_sigma) * u[group]
    return np.sum(y * eta - np.exp(eta)) - 0.5 * np.sum(u**2) - 0.5 * np.sum(beta**2) - 0.5 * log_sigma**2


def hierarchical_regression(mean, log_scale, slopes, log_noise, x, group, y):
    scale = np.exp(log_scale)
    predicted = slopes[group, 0] + slopes[group, 1] * x
    residuals = (y - predicted) * np.exp(-log_noise)
    spread = (slopes - mean) / scale
    prior = -0.5 * np.sum(spread**2) - len(slopes) * np.sum(log_scale) - 0.5 * np.sum(mean**2)
    return prior - 0.5 * np.sum(log_scale**2) - 0.5 * np.sum(residuals**2) - len(y) * log_noise


def gaussian_mixture(logits, means, log_scales, X):
    log_weights = logits - np.log(np.sum(np.exp(logits)))
    spread = (X[:, None, :] - means) * np.exp(-log_scales)
    parts = log_weights - np.sum(log_scales, axis=1) - 0.5 * np.sum(spread**2, axis=2)
    largest = np.max(parts, axis=1)
    return np.sum(largest + np.log(np.sum(np.exp(parts - largest[:, None]), axis=1)))


def gaussian_process(q, x, y):
    amplitude, length, noise = np.exp(q[0]), np.exp(q[1]), np.exp(q[2])
    distance = (x[:, None] - x) / length
    K = amplitude**2 * np.exp(-0.5 * distance**2) + (noise**2 + 1e-8) * np.eye(len(x))
    L = np.linalg.cholesky(K)
    return -0.5 * y @ np.linalg.solve(K, y) - np.sum(np.log(np.diag(L))) - 0.5 * np.sum(q**2)


def stochastic_volatility(q, innovations, y):
    mu, phi, sigma = q[0], np.tanh(q[1]), np.exp(q[2])
    h = mu + sigma / np.sqrt(1.0 - phi**2) * innovations[0]
    total = -0.5 * h - 0.5 * y[0] ** 2 * np.exp(-h)
    for t in range(1, len(y)):
        h = mu + phi * (h - mu) + sigma * innovations[t]
        total = total - 0.5 * h - 0.5 * y[t] ** 2 * np.exp(-h)
    return total - 0.5 * np.sum(innovations**2) - 0.5 * np.sum(q**2)


def garch(q, y):
    mu, omega, alpha, beta = q[0], np.exp(q[1]), np.exp(q[2]), np.exp(q[3])
    variance = omega
    total = 0.0
    for t in range(len(y)):
        residual = y[t] - mu
        total = total - 0.5 * np.log(variance) - 0.5 * residual**2 / variance
        variance = omega + alpha * residual**2 + beta * variance
    return total


def hidden_markov(log_transitions, log_start, log_emissions, observed):
    forward = log_start + log_emissions[:, observed[0]]
    for t in range(1, len(observed)):
        joint = forward[:, None] + log_transitions
        largest = np.max(joint, axis=0)
        forward = largest + np.log(np.sum(np.exp(joint - largest), axis=0)) + log_emissions[:, observed[t]]
    largest = np.max(forward)
    return largest + np.log(np.sum(np.exp(forward - largest)))


def kalman_filter(A, H, log_q, log_r, y):
    n = len(A)
    Q, R = np.exp(log_q) * np.eye(n), np.exp(log_r) * np.eye(len(H))
    x, P = np.zeros(n), np.eye(n)
    total = 0.0
    for t in range(len(y)):
        x, P = A @ x, A @ P @ A.T + Q
        S = H @ P @ H.T + R
        residual = y[t] - H @ x
        total = total - 0.5 * np.linalg.slogdet(S)[1] - 0.5 * residual @ np.linalg.solve(S, residual)
        gain = np.linalg.solve(S, H @ P).T
        x, P = x + gain @ residual, P - gain @ H @ P
    return total


def lotka_volterra(q, data, h):
    a, b, c, d = np.exp(q[0]), np.exp(q[1]), np.exp(q[2]), np.exp(q[3])
    x, y = np.exp(q[4]), np.exp(q[5])
    total = 0.0
    for t in range(len(data)):
        x1, y1 = a * x - b * x * y, d * x * y - c * y
        u, v = x + 0.5 * h * x1, y + 0.5 * h * y1
        x2, y2 = a * u - b * u * v, d * u * v - c * v
        u, v = x + 0.5 * h * x2, y + 0.5 * h * y2
        x3, y3 = a * u - b * u * v, d * u * v - c * v
        u, v = x + h * x3, y + h * y3
        x4, y4 = a * u - b * u * v, d * u * v - c * v
        x = x + h / 6.0 * (x1 + 2.0 * x2 + 2.0 * x3 + x4)
        y = y + h / 6.0 * (y1 + 2.0 * y2 + 2.0 * y3 + y4)
        total = total + (x - data[t, 0]) ** 2 + (y - data[t, 1]) ** 2
    return total


def n_body(positions, velocities, masses, target, steps, h):
    def accelerations(x):
        apart = x - x[:, None]
        squared = np.sum(apart**2, axis=2) + 0.01
        return np.sum(apart * (masses / squared**1.5)[:, :, None], axis=1)

    x, v = positions, velocities
    for _ in range(steps):
        v = v + 0.5 * h * accelerations(x)
        x = x + h * v
        v = v + 0.5 * h * accelerations(x)
    return np.sum((x - target) ** 2)


def neural_ode(W1, b1, W2, b2, start, target, steps, h):
    def slope(z):
        return np.tanh(z @ W1 + b1) @ W2 + b2

    z = start
    for _ in range(steps):
        k1 = slope(z)
        k2 = slope(z + 0.5 * h * k1)
        k3 = slope(z + 0.5 * h * k2)
        k4 = slope(z + h * k3)
        z = z + h / 6.0 * (k1 + 2.0 * k2 + 2.0 * k3 + k4)
    return np.mean((z - target) ** 2)


def small_mlp(layers, X, y):
    z = X
    for W, b in layers[:-1]:
        z = np.tanh(z @ W + b)
    W, b = layers[-1]
    return np.mean((z @ W + b - y) ** 2)


def matrix_factorization(U, V, R, mask):
    residuals = mask * (R - U @ V.T)
    return 0.5 * np.sum(residuals**2) + 0.05 * np.sum(U**2) + 0.05 * np.sum(V**2)


@dataclass(frozen=True)
class Problem:
    """A function, what makes its arguments, and by which of them it is differentiated.

    static: positions that are Python numbers also for `jax.jit`.
    """

    function: Callable[..., Any]
    make: Callable[[np.random.Generator], tuple[Any, ...]]
    argnums: int | tuple[int, ...] = 0
    static: tuple[int, ...] = ()
    tolerance: float = 1e-7

    @property
    def name(self) -> str:
        return self.function.__name__

    def arguments(self) -> tuple[Any, ...]:
        return self.make(np.random.default_rng(0))


def _eight_schools(rng: np.random.Generator) -> tuple[Any, ...]:
    y = np.array([28.0, 8.0, -3.0, 7.0, -1.0, 1.0, 18.0, 12.0])
    return rng.normal(size=10), y, np.array([15.0, 10.0, 16.0, 11.0, 9.0, 11.0, 10.0, 18.0])


def _logistic(rng: np.random.Generator) -> tuple[Any, ...]:
    return rng.normal(size=7), rng.normal(size=(3000, 7)), rng.integers(0, 2, 3000).astype(float)


def _poisson(rng: np.random.Generator) -> tuple[Any, ...]:
    q = 0.3 * rng.normal(size=250)
    return q, rng.normal(size=(2400, 9)), rng.integers(0, 240, 2400), rng.poisson(1.0, 2400).astype(float)


def _hierarchical(rng: np.random.Generator) -> tuple[Any, ...]:
    parameters = (rng.normal(size=2), 0.1 * rng.normal(size=2), rng.normal(size=(50, 2)), 0.1)
    return *parameters, rng.normal(size=2000), rng.integers(0, 50, 2000), rng.normal(size=2000)


def _mixture(rng: np.random.Generator) -> tuple[Any, ...]:
    return rng.normal(size=5), rng.normal(size=(5, 2)), 0.3 * rng.normal(size=(5, 2)), rng.normal(size=(1000, 2))


def _process(rng: np.random.Generator) -> tuple[Any, ...]:
    x = np.sort(rng.uniform(0.0, 10.0, 200))
    return np.array([0.1, -0.3, -1.0]), x, np.sin(x) + 0.3 * rng.normal(size=200)


def _volatility(rng: np.random.Generator) -> tuple[Any, ...]:
    return np.array([-0.5, 1.0, -1.0]), rng.normal(size=500), rng.normal(size=500)


def _garch(rng: np.random.Generator) -> tuple[Any, ...]:
    return np.array([0.05, -2.0, -2.0, -0.3]), rng.normal(size=200)


def _markov(rng: np.random.Generator) -> tuple[Any, ...]:
    def log_rows(*shape: int) -> np.ndarray:
        return np.log(rng.dirichlet(np.ones(shape[-1]), shape[:-1]))

    return log_rows(8, 8), log_rows(8), log_rows(8, 12), rng.integers(0, 12, 200)


def _kalman(rng: np.random.Generator) -> tuple[Any, ...]:
    A = 0.9 * np.linalg.qr(rng.normal(size=(4, 4)))[0]
    return A, rng.normal(size=(2, 4)), -1.0, -0.5, rng.normal(size=(100, 2))


def _lotka(rng: np.random.Generator) -> tuple[Any, ...]:
    return np.log([0.6, 0.03, 0.8, 0.025, 30.0, 4.0]), 20.0 + 5.0 * rng.normal(size=(400, 2)), 0.05


def _bodies(rng: np.random.Generator) -> tuple[Any, ...]:
    x, v = rng.normal(size=(5, 3)), 0.3 * rng.normal(size=(5, 3))
    return x, v, rng.uniform(0.5, 1.5, 5), rng.normal(size=(5, 3)), 200, 0.005


def _ode(rng: np.random.Generator) -> tuple[Any, ...]:
    weights = (0.5 * rng.normal(size=(2, 16)), np.zeros(16), 0.5 * rng.normal(size=(16, 2)), np.zeros(2))
    return *weights, rng.normal(size=(32, 2)), rng.normal(size=(32, 2)), 20, 0.05


def _mlp(rng: np.random.Generator) -> tuple[Any, ...]:
    sizes = (16, 32, 32, 1)
    layers = [(rng.normal(size=(m, n)) / np.sqrt(m), 0.1 * rng.normal(size=n)) for m, n in zip(sizes, sizes[1:])]
    return layers, rng.normal(size=(128, 16)), rng.normal(size=(128, 1))


def _factors(rng: np.random.Generator) -> tuple[Any, ...]:
    shape = (200, 150)
    factors = (rng.normal(size=(200, 10)), rng.normal(size=(150, 10)))
    return *factors, rng.normal(size=shape), (rng.uniform(size=shape) < 0.3).astype(float)


PROBLEMS: Sequence[Problem] = (
    Problem(eight_schools, _eight_schools),
    Problem(logistic_regression, _logistic),
    Problem(poisson_mixed, _poisson),
    Problem(hierarchical_regression, _hierarchical, (0, 1, 2, 3)),
    Problem(gaussian_mixture, _mixture, (0, 1, 2)),
    Problem(gaussian_process, _process),
    Problem(stochastic_volatility, _volatility, (0, 1)),
    Problem(garch, _garch),
    Problem(hidden_markov, _markov, (0, 1, 2)),
    Problem(kalman_filter, _kalman, (0, 1, 2, 3)),
    Problem(lotka_volterra, _lotka),
    Problem(n_body, _bodies, (0, 1, 2), static=(4,)),
    Problem(neural_ode, _ode, (0, 1, 2, 3), static=(6,)),
    Problem(small_mlp, _mlp),
    Problem(matrix_factorization, _factors, (0, 1)),
)
