"""The kernels in `jax.numpy`, compiled with `jax.jit` in float64."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax.scipy import special

jax.config.update("jax_enable_x64", True)


@jax.jit
def gaussian(x):
    return jnp.exp(-x * x / 2)


@jax.jit
def elementwise_chain(x, y):
    return jnp.sqrt(x * x + y * y) * jnp.exp(-0.1 * x) + jnp.tanh(y)


@jax.jit
def polynomial(x):
    return 1.0 + 0.5 * x + 0.25 * x**2 - 0.125 * x**3 + 0.0625 * x**4 - 0.03125 * x**5


@jax.jit
def black_scholes(price, strike, time):
    rate, volatility = 0.02, 0.3
    spread = volatility * jnp.sqrt(time)
    d1 = (jnp.log(price / strike) + (rate + 0.5 * volatility**2) * time) / spread
    d2 = d1 - spread
    first = 0.5 * (1 + special.erf(d1 / jnp.sqrt(2.0)))
    second = 0.5 * (1 + special.erf(d2 / jnp.sqrt(2.0)))
    return price * first - strike * jnp.exp(-rate * time) * second


@jax.jit
def softmax(X):
    return jax.nn.softmax(X, axis=1)


@jax.jit
def log_sum_exp(X):
    return special.logsumexp(X, axis=1)


@jax.jit
def layer_norm(X, gain, bias):
    centred = X - X.mean(axis=1, keepdims=True)
    return centred / jnp.sqrt(X.var(axis=1, keepdims=True) + 1e-5) * gain + bias


@jax.jit
def pairwise_distances(X, Y):
    return jnp.sqrt(jnp.sum((X[:, None, :] - Y[None, :, :]) ** 2, axis=2))


@jax.jit
def gaussian_likelihood(x, mean, deviation):
    return jnp.sum(-0.5 * ((x - mean) / deviation) ** 2 - jnp.log(deviation) - 0.5 * jnp.log(2 * jnp.pi))


@jax.jit
def poisson_likelihood(counts, eta):
    return jnp.sum(counts * eta - jnp.exp(eta) - special.gammaln(counts + 1))


@jax.jit
def logistic_posterior(b, X, y):
    z = X @ b
    return jnp.sum(y * z - jnp.logaddexp(0.0, z)) - 0.5 * jnp.sum(b**2)


@jax.jit
def matrix_chain(A, B, x):
    return A @ (B @ x)


@jax.jit
def inverse_times_vector(A, b):
    return jnp.linalg.solve(A, b)


@jax.jit
def squared_error(x, y):
    return jnp.sum((x - y) ** 2)


@jax.jit
def running_mean(x):
    return jnp.cumsum(x) / jnp.arange(1, len(x) + 1)


@jax.jit
def weighted_moments(x, w):
    total = jnp.sum(w)
    mean = jnp.sum(w * x) / total
    return mean, jnp.sum(w * (x - mean) ** 2) / total


@jax.jit
def low_rank_residual(X, U, V):
    return jnp.sum((X - U @ V.T) ** 2)
