"""The programs of `tests/programs` for numba: the same functions, and where numba refuses one, the least change to it.

Functions that a program calls are compiled too.
"""

from __future__ import annotations

import functools
import sys
import types
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numba import njit

from tests.programs.programs import Program

VARIANTS: Mapping[str, Mapping[str, bool]] = {"numba": {}, "numba parallel": {"parallel": True}}

AS_TUPLES = frozenset({"momentum_steps"})
"""What takes lists of unlike arrays, which numba knows as tuples only."""


@functools.cache
def compiled(program: Program, variant: str) -> Callable[..., Any]:
    """The program under numba's options of this variant, its machine code cached on disk."""
    adapted = getattr(sys.modules[__name__], program.name, None)
    function = program.function if adapted is None else adapted
    made = _compiled(function, variant)
    if program.name not in AS_TUPLES:
        return made
    return lambda *given: made(*(tuple(each) if isinstance(each, list) else each for each in given))


@functools.cache
def _compiled(function: Any, variant: str) -> Any:
    names = dict(function.__globals__)
    for name in function.__code__.co_names:
        called = names.get(name)
        if isinstance(called, types.FunctionType) and called.__module__ == function.__module__:
            names[name] = _compiled(called, variant)
    copied = types.FunctionType(function.__code__, names, function.__name__, function.__defaults__)
    # numba's cache knows a function by its qualified name, not by its options.
    copied.__module__ = function.__module__
    copied.__qualname__ = f"{function.__name__}_{variant.replace(' ', '_')}"
    return njit(cache=True, **VARIANTS[variant])(copied)


def lu_with_pivots(A):
    LU = A.copy()
    n = len(LU)
    order = np.arange(n)
    sign = 1.0
    for k in range(n - 1):
        pivot = k + np.argmax(np.abs(LU[k:, k]))
        if LU[pivot, k] == 0.0:
            raise ValueError("the matrix is singular")
        if pivot != k:
            kept = LU[k].copy()
            LU[k] = LU[pivot]
            LU[pivot] = kept
            order[k], order[pivot] = order[pivot], order[k]
            sign = -sign
        LU[k + 1 :, k] /= LU[k, k]
        LU[k + 1 :, k + 1 :] -= LU[k + 1 :, k : k + 1] * LU[k, k + 1 :]
    return LU, order, sign


def rolled(x, shift, axis):
    out = np.empty_like(x)
    n, m = x.shape
    for i in range(n):
        for j in range(m):
            if axis == 0:
                out[(i + shift) % n, j] = x[i, j]
            else:
                out[i, (j + shift) % m] = x[i, j]
    return out


def reaction_diffusion(u, v, feed, kill, steps):
    for _ in range(steps):
        spread_u = rolled(u, 1, 0) + rolled(u, -1, 0) + rolled(u, 1, 1) + rolled(u, -1, 1) - 4 * u
        spread_v = rolled(v, 1, 0) + rolled(v, -1, 0) + rolled(v, 1, 1) + rolled(v, -1, 1) - 4 * v
        reaction = u * v * v
        u += 0.16 * spread_u - reaction + feed * (1 - u)
        v += 0.08 * spread_v + reaction - (feed + kill) * v
    return u.mean(), v.mean()


def game_of_life(grid, steps):
    for _ in range(steps):
        neighbours = np.zeros_like(grid)
        neighbours[1:-1, 1:-1] = (
            grid[:-2, :-2] + grid[:-2, 1:-1] + grid[:-2, 2:] + grid[1:-1, :-2]
            + grid[1:-1, 2:] + grid[2:, :-2] + grid[2:, 1:-1] + grid[2:, 2:]
        )  # fmt: skip
        born = (neighbours == 3) & (grid == 0)
        stays = ((neighbours == 2) | (neighbours == 3)) & (grid == 1)
        grid[...] = 0
        grid[1:-1, 1:-1] = np.where(born[1:-1, 1:-1] | stays[1:-1, 1:-1], 1, 0)
    return grid.sum()


def viterbi(initial, transition, emission, observations):
    steps, states = len(observations), len(initial)
    score = np.log(initial) + np.log(emission[:, observations[0]])
    back = np.zeros((steps, states), dtype=np.int64)
    for t in range(1, steps):
        candidates = np.expand_dims(score, 1) + np.log(transition)
        best = np.empty(states)
        for s in range(states):
            back[t, s] = np.argmax(candidates[:, s])
            best[s] = candidates[back[t, s], s]
        score = best + np.log(emission[:, observations[t]])
    path = np.zeros(steps, dtype=np.int64)
    path[-1] = np.argmax(score)
    for t in range(steps - 1, 0, -1):
        path[t - 1] = back[t, path[t]]
    return path


def ising_halves(spins, uniforms, beta):
    n, m = spins.shape
    colour = (np.expand_dims(np.arange(n), 1) + np.expand_dims(np.arange(m), 0)) % 2
    for t in range(len(uniforms)):
        for parity in (0, 1):
            near = rolled(spins, 1, 0) + rolled(spins, -1, 0) + rolled(spins, 1, 1) + rolled(spins, -1, 1)
            flips = (colour == parity) & (uniforms[t] < np.exp(-2.0 * beta * spins * near))
            spins[:] = np.where(flips, -spins, spins)


def mandelbrot_arrays(c, steps):
    z, count = np.zeros_like(c), np.zeros(c.shape, dtype=np.int64)
    for _ in range(steps):
        inside = np.abs(z) <= 2.0
        z = np.where(inside, z**2 + c, z)
        count += inside
    return count


def scattering(neighbours, gradients, G, D):
    energies, atoms = G.shape[0], G.shape[1]
    complex_gradients = gradients.astype(np.complex128)
    out = np.zeros_like(G)
    for e in range(energies):
        for shift in range(D.shape[0]):
            for a in range(atoms):
                for b in range(neighbours.shape[1]):
                    if e - shift >= 0:
                        first = G[e - shift, neighbours[a, b]] @ complex_gradients[a, b]
                        second = complex_gradients[a, b] * D[shift, a, b]
                        out[e, a] += first @ second
    return out


def random_walk(steps, angles, absorbing):
    x, y = np.zeros(angles.shape[1]), np.zeros(angles.shape[1])
    alive = np.ones(angles.shape[1], dtype=np.bool_)
    count = np.zeros(angles.shape[1], dtype=np.int64)
    for t in range(angles.shape[0]):
        x[alive] += steps[t] * np.cos(angles[t][alive])
        y[alive] += steps[t] * np.sin(angles[t][alive])
        count[alive] += 1
        alive &= x**2 + y**2 < absorbing**2
        if not alive.any():
            break
    return x, y, count


def mean_of_columns(data):
    return np.sum(data, axis=0) / data.shape[0]


def covariance_columns(data):
    m = data.shape[1]
    data -= mean_of_columns(data)
    out = np.zeros((m, m))
    for i in range(m):
        row = data[:, i] @ data[:, i:] / (data.shape[0] - 1)
        out[i:, i] = row
        out[i, i:] = row
    return out


def correlation(data):
    n, m = data.shape
    mean = mean_of_columns(data)
    deviation = np.sqrt(mean_of_columns((data - mean) ** 2))
    deviation[deviation <= 0.1] = 1.0
    scaled = (data - mean) / (np.sqrt(n) * deviation)
    out = np.eye(m)
    for i in range(m - 1):
        for j in range(i + 1, m):
            out[i, j] = scaled[:, i] @ scaled[:, j]
            out[j, i] = out[i, j]
    return out


def k_means_arrays(points, centers, most):
    labels = np.full(len(points), -1)
    for _ in range(most):
        distance = ((np.expand_dims(points, 1) - np.expand_dims(centers, 0)) ** 2).sum(axis=2)
        new = distance.argmin(axis=1)
        if np.array_equal(new, labels):
            break
        labels = new
        centers = centers.copy()
        for c in range(len(centers)):
            members = points[labels == c]
            if len(members) > 0:
                centers[c] = mean_of_columns(members)
    return labels, centers


def mixture(x, means, steps):
    k = len(means)
    weights, variance = np.ones(k) / k, 1.0
    for _ in range(steps):
        square = (np.expand_dims(x, 1) - np.expand_dims(means, 0)) ** 2
        density = weights * np.exp(-0.5 * square / variance)
        share = density / np.expand_dims(density.sum(axis=1), 1)
        total = share.sum(axis=0)
        means[:] = (share * np.expand_dims(x, 1)).sum(axis=0) / total
        variance = (share * (np.expand_dims(x, 1) - np.expand_dims(means, 0)) ** 2).sum() / len(x)
        weights = total / len(x)
    return weights, variance


def convolution(image, weights, bias):
    size = weights.shape[0]
    height, width = image.shape[0] - size + 1, image.shape[1] - size + 1
    out = np.empty((height, width, weights.shape[3]))
    for i in range(height):
        for j in range(width):
            window = image[i : i + size, j : j + size, :]
            for k in range(weights.shape[3]):
                out[i, j, k] = np.sum(window * weights[:, :, :, k]) + bias[k]
    return out


def max_pool(x):
    out = np.empty((x.shape[0] // 2, x.shape[1] // 2, x.shape[2]))
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            for k in range(out.shape[2]):
                out[i, j, k] = np.max(x[2 * i : 2 * i + 2, 2 * j : 2 * j + 2, k])
    return out


def relu(x):
    return np.maximum(x, 0)


def softmax(x):
    out = np.empty_like(x)
    for i in range(x.shape[0]):
        z = np.exp(x[i] - np.max(x[i]))
        out[i] = z / np.sum(z)
    return out


def convolutional_network(image, first, second, dense):
    x = max_pool(relu(convolution(image, first, np.zeros(first.shape[3]))))
    x = relu(convolution(x, second, np.zeros(second.shape[3])))
    z = x.copy().reshape(-1) @ dense
    z = np.exp(z - np.max(z))
    return z / np.sum(z)


def attention_heads(x, projections):
    parts = np.empty((len(projections), x.shape[0], projections[0][2].shape[1]))
    for k, (wq, wk, wv) in enumerate(projections):
        q, key, v = x @ wq, x @ wk, x @ wv
        parts[k] = softmax(q @ key.T / np.sqrt(q.shape[1])) @ v
    return parts.transpose(1, 0, 2).copy().reshape(x.shape[0], -1)


def perceptron(layers, x):
    for k, (W, b) in enumerate(layers):
        x = x @ W + b
        if k < len(layers) - 1:
            x = relu(x)
    return softmax(x)


def momentum_step(p, g, v, rate):
    v *= 0.9
    v += g + 0.01 * p
    p -= rate * v


def momentum_steps(parameters, gradients, rate, steps):
    first, second = np.zeros_like(parameters[0]), np.zeros_like(parameters[1])
    for _ in range(steps):
        momentum_step(parameters[0], gradients[0], first, rate)
        momentum_step(parameters[1], gradients[1], second, rate)


def sieve(n):
    prime = np.ones(n, dtype=np.bool_)
    prime[:2] = False
    p = 2
    while p * p < n:
        if prime[p]:
            prime[p * p :: p] = False
        p += 1
    return np.flatnonzero(prime)


def written_out(a, b, out):
    np.multiply(a, b, out)
    for _ in range(3):
        np.add(out, a, out)
    np.sqrt(np.abs(out), out)
    return out


def moving_extremes(x, width):
    n = len(x) - width + 1
    high, low = x[:n].copy(), x[:n].copy()
    for k in range(1, width):
        high = np.maximum(high, x[k : k + n])
        low = np.minimum(low, x[k : k + n])
    return high, low
