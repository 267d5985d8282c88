"""The kernels in `jax.numpy`, compiled with `jax.jit` in float64."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax.scipy import special

jax.config.update("jax_enable_x64", True)


@jax.jit
def arithmetic(x, y):
    return 2.5 * x * y + x - 0.5 * y


@jax.jit
def gaussian(x):
    return jnp.exp(-x * x / 2)


@jax.jit
def gaussian_float32(x):
    return jnp.exp(-x * x / 2)


@jax.jit
def five_calls(x, y):
    return jnp.exp(-x * x) * jnp.sin(y) + jnp.log(1 + y * y) * jnp.cos(x) + jnp.tanh(x * y)


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
def gelu(x):
    return jax.nn.gelu(x, approximate=False)


@jax.jit
def polynomial(x):
    return 1.0 + x * (0.5 + x * (0.25 + x * (-0.125 + x * (0.0625 - 0.03125 * x))))


@jax.jit
def huber(r):
    size = jnp.abs(r)
    return jnp.where(size <= 1.0, 0.5 * r * r, size - 0.5)


@jax.jit
def complex_magnitude(z):
    return jnp.sqrt(z.real * z.real + z.imag * z.imag)


@jax.jit
def hash_integers(x):
    x = (x ^ (x >> 16)) * jnp.uint32(0x7FEB352D)
    x = (x ^ (x >> 15)) * jnp.uint32(0x846CA68B)
    return x ^ (x >> 16)


@jax.jit
def inside_ring(x, y):
    squared = x * x + y * y
    return (squared > 0.25) & (squared < 1.0) & ((x > 0) | (y > 0))


@jax.jit
def squared_error(x, y):
    return jnp.sum((x - y) ** 2)


@jax.jit
def gaussian_likelihood(x, mean, deviation):
    return jnp.sum(-0.5 * ((x - mean) / deviation) ** 2 - jnp.log(deviation)) - 0.5 * jnp.log(2 * jnp.pi) * x.size


@jax.jit
def poisson_likelihood(counts, eta):
    return jnp.sum(counts * eta - jnp.exp(eta) - special.gammaln(counts + 1))


@jax.jit
def logistic_posterior(b, X, y):
    z = X @ b
    return jnp.sum(y * z - jnp.logaddexp(0.0, z)) - 0.5 * jnp.sum(b**2)


@jax.jit
def log_loss(z, y):
    return jnp.mean(jnp.logaddexp(0.0, z) - y * z)


@jax.jit
def weighted_moments(x, w):
    total = jnp.sum(w)
    mean = jnp.sum(w * x) / total
    return mean, jnp.sum(w * (x - mean) ** 2) / total


@jax.jit
def correlation(x, y):
    dx, dy = x - jnp.mean(x), y - jnp.mean(y)
    return jnp.sum(dx * dy) / jnp.sqrt(jnp.sum(dx * dx) * jnp.sum(dy * dy))


@jax.jit
def masked_means(X, valid):
    return jnp.sum(jnp.where(valid, X, 0.0), axis=1) / jnp.sum(valid, axis=1)


@jax.jit
def trapezoid(x, y):
    return 0.5 * jnp.sum((y[1:] + y[:-1]) * (x[1:] - x[:-1]))


@jax.jit
def softmax(X):
    return jax.nn.softmax(X, axis=1)


@jax.jit
def softmax_float32(X):
    return jax.nn.softmax(X, axis=1)


@jax.jit
def log_softmax(X):
    return jax.nn.log_softmax(X, axis=1)


@jax.jit
def log_sum_exp_rows(X):
    return special.logsumexp(X, axis=1)


@jax.jit
def log_sum_exp_columns(X):
    return special.logsumexp(X, axis=0)


@jax.jit
def layer_norm(X, gain, bias):
    centred = X - X.mean(axis=1, keepdims=True)
    return centred * jax.lax.rsqrt(X.var(axis=1, keepdims=True) + 1e-5) * gain + bias


@jax.jit
def batch_norm(X, gain, bias):
    return (X - X.mean(axis=0)) * (gain * jax.lax.rsqrt(X.var(axis=0) + 1e-5)) + bias


@jax.jit
def normalized_rows(X):
    return X / jnp.sqrt(jnp.sum(X * X, axis=1, keepdims=True))


@jax.jit
def heat_1d(u):
    return u[1:-1] + 0.1 * (u[:-2] - 2 * u[1:-1] + u[2:])


@jax.jit
def heat_2d(u):
    inner = u[1:-1, 1:-1]
    return inner + 0.1 * (u[:-2, 1:-1] + u[2:, 1:-1] + u[1:-1, :-2] + u[1:-1, 2:] - 4 * inner)


@jax.jit
def heat_3d(u):
    inner = u[1:-1, 1:-1, 1:-1]
    around = u[:-2, 1:-1, 1:-1] + u[2:, 1:-1, 1:-1] + u[1:-1, :-2, 1:-1] + u[1:-1, 2:, 1:-1]
    return inner + 0.1 * (around + u[1:-1, 1:-1, :-2] + u[1:-1, 1:-1, 2:] - 6 * inner)


@jax.jit
def blur_2d(u):
    rows = 0.25 * u[:-2] + 0.5 * u[1:-1] + 0.25 * u[2:]
    return 0.25 * rows[:, :-2] + 0.5 * rows[:, 1:-1] + 0.25 * rows[:, 2:]


@jax.jit
def convolution(x, weights):
    return jnp.convolve(x, weights, mode="valid")


@jax.jit
def histogram(x):
    return jnp.bincount((x * 64).astype(int), length=64)


@jax.jit
def scatter_add(values, index, start):
    return start.at[index].add(values)


@jax.jit
def edge_forces(x, first, second):
    difference = x[second] - x[first]
    force = difference * jnp.exp(-difference * difference)
    return jnp.zeros_like(x).at[first].add(force).at[second].add(-force)


@jax.jit
def running_mean(x):
    return jnp.cumsum(x) / jnp.arange(1, len(x) + 1)


@jax.jit
def cumulative_rows(X):
    return jnp.cumsum(X * X, axis=1)


@jax.jit
def small_products(A, B):
    return A @ B


@jax.jit
def quadratic_forms(X, A):
    return jnp.sum((X @ A) * X, axis=1)


@jax.jit
def dense_layer(X, W, b):
    return jax.nn.relu(X @ W + b)


@jax.jit
def attention(Q, K, V):
    return jax.nn.softmax(Q @ K.T / jnp.sqrt(Q.shape[1]), axis=1) @ V


@jax.jit
def pairwise_distances(X, Y):
    return jnp.sqrt(jnp.sum((X[:, None, :] - Y[None, :, :]) ** 2, axis=2))


@jax.jit
def nearest_center(X, centers):
    return jnp.argmin(jnp.sum((X[:, None, :] - centers[None, :, :]) ** 2, axis=2), axis=1)


@jax.jit
def symmetrized(A):
    return 0.5 * (A + A.T)


@jax.jit
def matrix_chain(A, B, x):
    return A @ (B @ x)


@jax.jit
def inverse_times_vector(A, b):
    return jnp.linalg.solve(A, b)


@jax.jit
def low_rank_residual(X, U, V):
    return jnp.sum((X - U @ V.T) ** 2)
