"""Programs of `tests/programs` as one writes them for `jax.jit`, in float64.

They return what the plain functions return, and after it the arrays that those change.
"""

from __future__ import annotations

import functools

import jax
import jax.numpy as jnp
from jax import lax

jax.config.update("jax_enable_x64", True)

jit_with_steps = functools.partial(jax.jit, static_argnames="steps")


@jax.jit
def three_products(A, B, C):
    return A @ B @ C


@jax.jit
def atax(A, x):
    return A.T @ (A @ x)


@jax.jit
def gemver(alpha, beta, A, u1, v1, u2, v2, y, z):
    A = A + jnp.outer(u1, v1) + jnp.outer(u2, v2)
    x = beta * (y @ A) + z
    return x, alpha * (A @ x), A


@jax.jit
def cholesky(A):
    return jnp.linalg.cholesky(A)


@jax.jit
def toeplitz_recursion(r):
    n = len(r)
    places = jnp.arange(n)

    def step(k, state):
        y, alpha, beta = state
        beta = beta * (1.0 - alpha * alpha)
        before = jnp.where(places < k, y, 0.0)
        mirrored = jnp.where(places < k, y[(k - 1 - places) % n], 0.0)
        alpha = -(r[k] + jnp.sum(jnp.where(places < k, r, 0.0) * mirrored)) / beta
        return (before + alpha * mirrored).at[k].set(alpha), alpha, beta

    start = jnp.zeros(n).at[0].set(-r[0]), -r[0], 1.0
    return lax.fori_loop(1, n, step, start)[0]


@jit_with_steps
def jacobi_iteration(A, b, steps):
    diagonal = jnp.diag(A)
    return lax.fori_loop(0, steps, lambda _, x: (b - (A @ x - diagonal * x)) / diagonal, jnp.zeros_like(b))


@jax.jit
def conjugate_gradients(A, b, tolerance):
    def step(state):
        x, r, p, square = state
        Ap = A @ p
        alpha = square / (p @ Ap)
        r = r - alpha * Ap
        new = r @ r
        return x + alpha * p, r, r + new / square * p, new

    start = jnp.zeros_like(b), b, b, b @ b
    return lax.while_loop(lambda state: jnp.sqrt(state[3]) > tolerance, step, start)[0]


@jax.jit
def solve_lower(L, b):
    return jax.scipy.linalg.solve_triangular(L, b, lower=True)


@jit_with_steps
def heat_1d(u, a, steps):
    def step(_, u):
        return u.at[1:-1].add(a * (u[2:] - 2 * u[1:-1] + u[:-2]))

    return lax.fori_loop(0, steps, step, u)


def averaged(A, B):
    return B.at[1:-1, 1:-1].set(0.2 * (A[1:-1, 1:-1] + A[1:-1, :-2] + A[1:-1, 2:] + A[2:, 1:-1] + A[:-2, 1:-1]))


@jit_with_steps
def averages_2d(A, B, steps):
    def step(_, state):
        A, B = state
        B = averaged(A, B)
        return averaged(B, A), B

    return lax.fori_loop(0, steps, step, (A, B))


@jit_with_steps
def heat_3d(A, steps):
    def step(_, state):
        A, B = state
        inner = A[1:-1, 1:-1, 1:-1]
        change = (
            (A[2:, 1:-1, 1:-1] - 2.0 * inner + A[:-2, 1:-1, 1:-1])
            + (A[1:-1, 2:, 1:-1] - 2.0 * inner + A[1:-1, :-2, 1:-1])
            + (A[1:-1, 1:-1, 2:] - 2.0 * inner + A[1:-1, 1:-1, :-2])
        )
        return B.at[1:-1, 1:-1, 1:-1].set(0.125 * change + inner), A

    A, B = lax.fori_loop(0, steps, step, (A, A))
    return A, B if steps % 2 else A


@jax.jit
def fields_2d(ex, ey, hz, source):
    def step(t, state):
        ex, ey, hz = state
        ey = ey.at[0, :].set(source[t])
        ey = ey.at[1:, :].add(-0.5 * (hz[1:, :] - hz[:-1, :]))
        ex = ex.at[:, 1:].add(-0.5 * (hz[:, 1:] - hz[:, :-1]))
        hz = hz.at[:-1, :-1].add(-0.7 * (ex[:-1, 1:] - ex[:-1, :-1] + ey[1:, :-1] - ey[:-1, :-1]))
        return ex, ey, hz

    return lax.fori_loop(0, len(source), step, (ex, ey, hz))


@jit_with_steps
def wave_2d(u, speed, steps):
    def step(_, state):
        before, now, after = state
        laplacian = now[2:, 1:-1] + now[:-2, 1:-1] + now[1:-1, 2:] + now[1:-1, :-2] - 4 * now[1:-1, 1:-1]
        new = 2 * now[1:-1, 1:-1] - before[1:-1, 1:-1] + speed**2 * laplacian
        return now, after.at[1:-1, 1:-1].set(new), before

    before, now, _ = lax.fori_loop(0, steps, step, (u, u, jnp.zeros_like(u)))
    return now, jnp.sum((now - before) ** 2)


@jax.jit
def horizontal_diffusion(field, coefficient):
    laplacian = 4.0 * field[1:-1, 1:-1] - (field[2:, 1:-1] + field[:-2, 1:-1] + field[1:-1, 2:] + field[1:-1, :-2])
    along = laplacian[1:, 1:-1] - laplacian[:-1, 1:-1]
    along = jnp.where(along * (field[2:-1, 2:-2] - field[1:-2, 2:-2]) > 0, 0.0, along)
    across = laplacian[1:-1, 1:] - laplacian[1:-1, :-1]
    across = jnp.where(across * (field[2:-2, 2:-1] - field[2:-2, 1:-2]) > 0, 0.0, across)
    return field[2:-2, 2:-2] - coefficient * (along[1:] - along[:-1] + across[:, 1:] - across[:, :-1])


@jit_with_steps
def upwind_advection(q, u, dt, steps):
    def step(_, q):
        flux = jnp.maximum(u, 0.0) * jnp.roll(q, 1) + jnp.minimum(u, 0.0) * q
        return q - dt * (jnp.roll(flux, -1) - flux)

    return lax.fori_loop(0, steps, step, q)


@jax.jit
def laplace_until(u, tolerance):
    def step(state):
        u, _, steps = state
        new = u.at[1:-1, 1:-1].set(0.25 * (u[2:, 1:-1] + u[:-2, 1:-1] + u[1:-1, 2:] + u[1:-1, :-2]))
        return new, jnp.max(jnp.abs(new - u)), steps + 1

    u, _, steps = lax.while_loop(lambda state: state[1] > tolerance, step, (u, tolerance + 1.0, 0))
    return u, steps


@jit_with_steps
def reaction_diffusion(u, v, feed, kill, steps):
    def spread(x):
        return jnp.roll(x, 1, 0) + jnp.roll(x, -1, 0) + jnp.roll(x, 1, 1) + jnp.roll(x, -1, 1) - 4 * x

    def step(_, state):
        u, v = state
        reaction = u * v * v
        return (
            u + 0.16 * spread(u) - reaction + feed * (1 - u),
            v + 0.08 * spread(v) + reaction - (feed + kill) * v,
        )

    u, v = lax.fori_loop(0, steps, step, (u, v))
    return u.mean(), v.mean(), u, v


@jax.jit
def smoothed(x, alpha):
    def step(level, value):
        level = alpha * value + (1.0 - alpha) * level
        return level, level

    return lax.scan(step, x[0], x)[1]


@jax.jit
def biquad(x, b0, b1, b2, a1, a2):
    def step(state, value):
        x1, x2, y1, y2 = state
        y = b0 * value + b1 * x1 + b2 * x2 - a1 * y1 - a2 * y2
        return (value, x1, y, y1), y

    return lax.scan(step, (0.0, 0.0, 0.0, 0.0), x)[1]


@jax.jit
def garch_likelihood(returns, omega, alpha, beta):
    def step(state, r):
        variance, total = state
        total = total - 0.5 * (jnp.log(2 * jnp.pi) + jnp.log(variance) + r * r / variance)
        return (omega + alpha * r * r + beta * variance, total), None

    return lax.scan(step, (jnp.var(returns), 0.0), returns)[0][1]


@jax.jit
def kalman_filter(observations, F, H, Q, R):
    def step(state, observation):
        x, P, total = state
        x = F @ x
        P = F @ P @ F.T + Q
        residual = observation - H @ x
        S = H @ P @ H + R
        K = P @ H / S
        x = x + K * residual
        total = total - 0.5 * (jnp.log(2 * jnp.pi * S) + residual**2 / S)
        return (x, P - jnp.outer(K, H @ P), total), x

    n = F.shape[0]
    (_, _, total), means = lax.scan(step, (jnp.zeros(n), jnp.eye(n), 0.0), observations)
    return means, total


@jax.jit
def forward_algorithm(initial, transition, emission, observations):
    def step(state, o):
        alpha, total = state
        alpha = (alpha @ transition) * emission[:, o]
        scale = alpha.sum()
        return (alpha / scale, total + jnp.log(scale)), None

    alpha = initial * emission[:, observations[0]]
    start = alpha / alpha.sum(), jnp.log(alpha.sum())
    (alpha, total), _ = lax.scan(step, start, observations[1:])
    return total, alpha


@jax.jit
def running_sums(x):
    return jnp.cumsum(x)


@jax.jit
def shortest_paths_rows(D):
    D = lax.fori_loop(0, len(D), lambda k, D: jnp.minimum(D, D[:, k, None] + D[None, k, :]), D)
    return D, D


@jit_with_steps
def n_body_arrays(positions, velocities, masses, dt, steps):
    def accelerations(positions):
        d = positions[None, :, :] - positions[:, None, :]
        square = (d**2).sum(axis=2) + 0.01
        return (d * (masses[None, :] * square**-1.5)[:, :, None]).sum(axis=1)

    def step(state, _):
        positions, velocities, a = state
        velocities = velocities + 0.5 * dt * a
        positions = positions + dt * velocities
        a = accelerations(positions)
        velocities = velocities + 0.5 * dt * a
        return (positions, velocities, a), 0.5 * jnp.sum(masses[:, None] * velocities**2)

    start = positions, velocities, accelerations(positions)
    (positions, velocities, _), energies = lax.scan(step, start, length=steps)
    return energies, positions, velocities


@jit_with_steps
def runge_kutta(state, dt, steps):
    def slope(y):
        return jnp.array([10.0 * (y[1] - y[0]), y[0] * (28.0 - y[2]) - y[1], y[0] * y[1] - 8.0 / 3.0 * y[2]])

    def step(y, _):
        k1 = slope(y)
        k2 = slope(y + 0.5 * dt * k1)
        k3 = slope(y + 0.5 * dt * k2)
        k4 = slope(y + dt * k3)
        y = y + dt / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
        return y, y

    return jnp.concatenate([state[None], lax.scan(step, state, length=steps)[1]])


@jit_with_steps
def leapfrog(q, p, dt, steps):
    def step(_, state):
        q, p = state
        q = q + dt * p
        return q, p - dt * jnp.sin(q)

    q, p = lax.fori_loop(0, steps - 1, step, (q, p - 0.5 * dt * jnp.sin(q)))
    q = q + dt * p
    p = p - 0.5 * dt * jnp.sin(q)
    return 0.5 * p**2 + 1.0 - jnp.cos(q), q, p


@jit_with_steps
def mandelbrot_arrays(c, steps):
    def step(_, state):
        z, count = state
        inside = jnp.abs(z) <= 2.0
        return jnp.where(inside, z**2 + c, z), count + inside

    return lax.fori_loop(0, steps, step, (jnp.zeros_like(c), jnp.zeros(c.shape, int)))[1]


@jax.jit
def covariance_columns(data):
    data = data - data.mean(axis=0)
    return data.T @ data / (data.shape[0] - 1), data


@jax.jit
def kernel_density(x, grid, width):
    z = (grid[:, None] - x[None, :]) / width
    return jnp.sum(jnp.exp(-0.5 * z * z), axis=1) / (len(x) * width * jnp.sqrt(2 * jnp.pi))


@jit_with_steps
def logistic_fit(X, y, rate, steps):
    def step(w, _):
        p = 1 / (1 + jnp.exp(-(X @ w)))
        return w - rate * (X.T @ (p - y)) / len(y), -jnp.mean(y * jnp.log(p) + (1 - y) * jnp.log(1 - p))

    return lax.scan(step, jnp.zeros(X.shape[1]), length=steps)


@jax.jit
def page_rank(links, damping, tolerance):
    n = links.shape[0]
    out = links.sum(axis=0)
    M = links / jnp.where(out == 0, 1, out)

    def step(state):
        rank, _ = state
        new = damping * (M @ rank)
        new = new + (1 - new.sum()) / n
        return new, jnp.abs(new - rank).sum()

    return lax.while_loop(lambda state: state[1] >= tolerance, step, (jnp.full(n, 1.0 / n), jnp.inf))[0]


@jax.jit
def convolution(image, weights, bias):
    found = lax.conv_general_dilated(image[None], weights, (1, 1), "VALID", dimension_numbers=("NHWC", "HWIO", "NHWC"))
    return found[0] + bias


@jax.jit
def attention(q, k, v):
    score = q @ k.T / jnp.sqrt(q.shape[1])
    return jax.nn.softmax(jnp.where(jnp.tri(len(q), dtype=bool), score, -jnp.inf), axis=1) @ v


@jax.jit
def recurrent_network(inputs, W, U, b):
    def step(h, x):
        h = jnp.tanh(W @ h + U @ x + b)
        return h, h

    return lax.scan(step, jnp.zeros(W.shape[0]), inputs)[1]


@jax.jit
def asian_option(normals, spot, strike, rate, volatility, dt):
    def step(state, z):
        price, total = state
        price = price * jnp.exp((rate - 0.5 * volatility**2) * dt + volatility * jnp.sqrt(dt) * z)
        return (price, total + price), None

    paths, steps = normals.shape
    (_, total), _ = lax.scan(step, (jnp.full(paths, spot), jnp.zeros(paths)), normals.T)
    return jnp.exp(-rate * dt * steps) * jnp.mean(jnp.maximum(total / steps - strike, 0.0))


@jax.jit
def square_roots(x, tolerance):
    def unfinished(y):
        return jnp.any(jnp.abs(y * y - x) > tolerance * x)

    return lax.while_loop(unfinished, lambda y: 0.5 * (y + x / y), jnp.maximum(x, 1.0))
