"""Whole functions as scientists write them: captured with nothing opaque, and equal to NumPy, on every backend."""

import math
from itertools import product

import numpy as np
import pytest
from scipy import special

import egc
from tests.sampling import crossed


def black_scholes(spot, strike, time, rate, volatility):
    d1 = (np.log(spot / strike) + (rate + volatility**2 / 2) * time) / (volatility * np.sqrt(time))
    d2 = d1 - volatility * np.sqrt(time)
    return spot * special.ndtr(d1) - strike * np.exp(-rate * time) * special.ndtr(d2)


def gaussian_process(X, y, length, variance, noise):
    distance = ((X[:, None, :] - X[None, :, :]) ** 2).sum(-1)
    K = variance * np.exp(-0.5 * distance / length**2) + noise * np.eye(len(X))
    return -0.5 * y @ np.linalg.inv(K) @ y - 0.5 * np.log(np.linalg.det(K)) - 0.5 * len(y) * np.log(2 * np.pi)


def k_means_step(X, centers):
    distance = ((X[:, None] - centers[None]) ** 2).sum(2)
    nearest = distance.argmin(1)
    chosen = (nearest[:, None] == np.arange(len(centers))[None]).astype(float)
    return (chosen.T @ X) / chosen.sum(0)[:, None], nearest


def principal_components(X, k=2):
    centred = X - X.mean(0)
    _, singular, directions = np.linalg.svd(centred, full_matrices=False)
    return np.abs(centred @ directions[:k].T), singular**2 / (len(X) - 1)


def ridge(X, y, penalty):
    return np.linalg.inv(X.T @ X + penalty * np.eye(X.shape[1])) @ X.T @ y


def kalman_update(x, P, z, H, R):
    S = H @ P @ H.T + R
    K = P @ H.T @ np.linalg.inv(S)
    return x + K @ (z - H @ x), (np.eye(len(x)) - K @ H) @ P


def network(parameters, x):
    for W, b in parameters[:-1]:
        x = np.tanh(x @ W + b)
    W, b = parameters[-1]
    z = x @ W + b
    return z - special.logsumexp(z, axis=1, keepdims=True)


def attention(q, k, v):
    score = q @ k.T / np.sqrt(q.shape[-1])
    weight = np.exp(score - score.max(-1, keepdims=True))
    return (weight / weight.sum(-1, keepdims=True)) @ v


def layer_norm(x, gain, bias, epsilon=1e-5):
    return (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + epsilon) * gain + bias


def heat_step(u, a):
    new = u.copy()
    new[1:-1, 1:-1] += a * (u[2:, 1:-1] + u[:-2, 1:-1] + u[1:-1, 2:] + u[1:-1, :-2] - 4 * u[1:-1, 1:-1])
    return new


def weighted_histogram(x, w):
    return np.histogram(x, bins=10, range=(0, 1), weights=w)


def poisson_log_likelihood(b, X, y):
    return np.sum(y * (X @ b) - np.exp(X @ b) - special.gammaln(y + 1))


def normal_log_density(x, mean, S):
    d = x - mean
    return -0.5 * (d @ np.linalg.solve(S, d) + np.linalg.slogdet(S)[1] + len(x) * math.log(2 * math.pi))


def scatter_add(i, v, n):
    out = np.zeros(n)
    np.add.at(out, i, v)
    return out


def horner(x, coefficients):
    total = np.zeros_like(x)
    for c in coefficients[::-1]:
        total = total * x + c
    return total


def mandelbrot(c, steps):
    z, count = np.zeros_like(c), np.zeros(c.shape, int)
    for _ in range(steps):
        z = np.where(np.abs(z) <= 2, z * z + c, z)
        count += np.abs(z) <= 2
    return count


def contractions(A, B, C):
    return np.einsum("ij,jk,kl->il", A, B, C), np.einsum("ii->i", A), np.einsum("ij,ij->", A, A)


class Linear:
    def __init__(self):
        self.weights = np.arange(3.0)

    def predict(self, x):
        return x @ self.weights


def predict(model, x):
    return model.predict(x)


R = np.random.default_rng(0)
A = R.standard_normal((6, 6))
SPD = A @ A.T + 6 * np.eye(6)
X, Y = R.standard_normal((20, 3)), R.standard_normal(20)
LAYERS = [(R.random((3, 5)), R.random(5)), (R.random((5, 2)), R.random(2))]
PLANE = (R.random((4, 5)) * 4 - 2) + 1j * (R.random((4, 5)) * 4 - 2)

CALLS = [
    (black_scholes, (100 * R.random(50) + 50, 100.0, 1.0, 0.05, 0.2)),
    (gaussian_process, (X, Y, 1.0, 2.0, 0.1)),
    (k_means_step, (X, X[:4].copy())),
    (principal_components, (X,)),
    (ridge, (X, Y, 0.5)),
    (kalman_update, (Y[:6].copy(), SPD, Y[:3].copy(), A[:3].copy(), np.eye(3))),
    (network, (LAYERS, X)),
    (attention, (X, X + 1, X)),
    (layer_norm, (X, R.random(3), R.random(3))),
    (heat_step, (R.random((8, 9)), 0.1)),
    (weighted_histogram, (R.random(100), R.random(100))),
    (poisson_log_likelihood, (R.random(3), X, np.floor(5 * R.random(20)))),
    (normal_log_density, (Y[:6].copy(), np.zeros(6), SPD)),
    (scatter_add, (np.array([0, 1, 1, 3]), np.array([1.0, 2.0, 3.0, 4.0]), 5)),
    (horner, (Y, [1.0, 2.0, 3.0])),
    (mandelbrot, (PLANE, 8)),
    (contractions, (A, SPD, A)),
    (predict, (Linear(), X)),
]


@pytest.mark.parametrize(
    ("call", "backend"),
    [*product(CALLS, ["numba"]), *crossed(CALLS, ["reference", "jax"])],
    ids=lambda value: value if isinstance(value, str) else value[0].__name__,
)
def test_equals_numpy(call, backend):
    function, arguments = call
    optimized = egc.optimize(function, backend=backend)
    found, expected = optimized(*arguments), function(*arguments)
    assert optimized.statistics.as_written == 0, optimized.statistics.reasons
    single = not isinstance(expected, tuple)
    for ours, theirs in zip((found,) if single else found, (expected,) if single else expected):
        ours, theirs = np.asarray(ours), np.asarray(theirs)
        assert (ours.dtype, ours.shape) == (theirs.dtype, theirs.shape)
        np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=1e-12)
