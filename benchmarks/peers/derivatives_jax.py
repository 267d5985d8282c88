"""The functions of `derivative_programs` for JAX, in float64: the same on `jax.numpy`, and with `lax` where they loop."""

from __future__ import annotations

import types
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax
from jax.scipy import linalg

from benchmarks import derivative_programs

jax.config.update("jax_enable_x64", True)


def function(name: str) -> Callable[..., Any]:
    """The twin of this name."""
    own = globals().get(name)
    if own is not None:
        return own
    plain = getattr(derivative_programs, name)
    return types.FunctionType(plain.__code__, {**vars(derivative_programs), "np": jnp}, name)


def gaussian_process(q, x, y):
    amplitude, length, noise = jnp.exp(q)
    distance = (x[:, None] - x) / length
    K = amplitude**2 * jnp.exp(-0.5 * distance**2) + (noise**2 + 1e-8) * jnp.eye(len(x))
    L = jnp.linalg.cholesky(K)
    half = linalg.solve_triangular(L, y, lower=True)
    return -0.5 * half @ half - jnp.sum(jnp.log(jnp.diag(L))) - 0.5 * jnp.sum(q**2)


def stochastic_volatility(q, innovations, y):
    mu, phi, sigma = q[0], jnp.tanh(q[1]), jnp.exp(q[2])

    def step(h, given):
        innovation, observed = given
        h = mu + phi * (h - mu) + sigma * innovation
        return h, -0.5 * h - 0.5 * observed**2 * jnp.exp(-h)

    h = mu + sigma / jnp.sqrt(1.0 - phi**2) * innovations[0]
    first = -0.5 * h - 0.5 * y[0] ** 2 * jnp.exp(-h)
    _, parts = lax.scan(step, h, (innovations[1:], y[1:]))
    return first + jnp.sum(parts) - 0.5 * jnp.sum(innovations**2) - 0.5 * jnp.sum(q**2)


def garch(q, y):
    mu, omega, alpha, beta = q[0], jnp.exp(q[1]), jnp.exp(q[2]), jnp.exp(q[3])

    def step(variance, observed):
        squared = (observed - mu) ** 2
        return omega + alpha * squared + beta * variance, -0.5 * jnp.log(variance) - 0.5 * squared / variance

    return jnp.sum(lax.scan(step, omega, y)[1])


def hidden_markov(log_transitions, log_start, log_emissions, observed):
    def step(forward, symbol):
        joint = forward[:, None] + log_transitions
        return jax.nn.logsumexp(joint, axis=0) + log_emissions[:, symbol], None

    start = log_start + log_emissions[:, observed[0]]
    return jax.nn.logsumexp(lax.scan(step, start, observed[1:])[0])


def kalman_filter(A, H, log_q, log_r, y):
    n = len(A)
    Q, R = jnp.exp(log_q) * jnp.eye(n), jnp.exp(log_r) * jnp.eye(len(H))

    def step(state, observed):
        x, P = state
        x, P = A @ x, A @ P @ A.T + Q
        S = H @ P @ H.T + R
        residual = observed - H @ x
        part = -0.5 * jnp.linalg.slogdet(S)[1] - 0.5 * residual @ jnp.linalg.solve(S, residual)
        gain = jnp.linalg.solve(S, H @ P).T
        return (x + gain @ residual, P - gain @ H @ P), part

    return jnp.sum(lax.scan(step, (jnp.zeros(n), jnp.eye(n)), y)[1])


def lotka_volterra(q, data, h):
    a, b, c, d, x, y = jnp.exp(q)

    def slope(x, y):
        return a * x - b * x * y, d * x * y - c * y

    def step(state, observed):
        x, y = state
        x1, y1 = slope(x, y)
        x2, y2 = slope(x + 0.5 * h * x1, y + 0.5 * h * y1)
        x3, y3 = slope(x + 0.5 * h * x2, y + 0.5 * h * y2)
        x4, y4 = slope(x + h * x3, y + h * y3)
        x = x + h / 6.0 * (x1 + 2.0 * x2 + 2.0 * x3 + x4)
        y = y + h / 6.0 * (y1 + 2.0 * y2 + 2.0 * y3 + y4)
        return (x, y), (x - observed[0]) ** 2 + (y - observed[1]) ** 2

    return jnp.sum(lax.scan(step, (x, y), data)[1])


def n_body(positions, velocities, masses, target, steps, h):
    def accelerations(x):
        apart = x - x[:, None]
        squared = jnp.sum(apart**2, axis=2) + 0.01
        return jnp.sum(apart * (masses / squared**1.5)[:, :, None], axis=1)

    def step(_, state):
        x, v = state
        v = v + 0.5 * h * accelerations(x)
        x = x + h * v
        return x, v + 0.5 * h * accelerations(x)

    return jnp.sum((lax.fori_loop(0, steps, step, (positions, velocities))[0] - target) ** 2)


def neural_ode(W1, b1, W2, b2, start, target, steps, h):
    def slope(z):
        return jnp.tanh(z @ W1 + b1) @ W2 + b2

    def step(_, z):
        k1 = slope(z)
        k2 = slope(z + 0.5 * h * k1)
        k3 = slope(z + 0.5 * h * k2)
        k4 = slope(z + h * k3)
        return z + h / 6.0 * (k1 + 2.0 * k2 + 2.0 * k3 + k4)

    return jnp.mean((lax.fori_loop(0, steps, step, start) - target) ** 2)
