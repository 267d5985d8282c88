"""What the programs are called with: arguments of one size, from a generator of random numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tests.programs import finance

Random = np.random.Generator
Make = Callable[[Random, int], tuple[Any, ...]]


def arrays(*shapes: Callable[[int], Any]) -> Make:
    """Normal numbers; each shape is a function of the size."""
    return lambda rng, n: tuple(rng.normal(size=shape(n)) for shape in shapes)


def vector(n: int) -> Any:
    return n


def square(n: int) -> Any:
    return (n, n)


def definite(rng: Random, n: int) -> np.ndarray:
    A = rng.normal(size=(n, n))
    return A @ A.T + n * np.eye(n)


def dominant(rng: Random, n: int) -> np.ndarray:
    return rng.uniform(-1, 1, (n, n)) + 2 * n * np.eye(n)


def stochastic(rng: Random, rows: int, columns: int) -> np.ndarray:
    A = rng.random((rows, columns)) + 0.1
    return A / A.sum(axis=1, keepdims=True)


def sparse(rng: Random, n: int) -> tuple[Any, ...]:
    counts = rng.integers(0, 9, n)
    starts = np.concatenate([[0], np.cumsum(counts)])
    return rng.normal(size=starts[-1]), rng.integers(0, n, starts[-1]), starts, rng.normal(size=n)


def series(rng: Random, n: int) -> np.ndarray:
    return 0.01 * rng.normal(size=n)


def prices(rng: Random, n: int) -> np.ndarray:
    return 100 * np.exp(np.cumsum(0.02 * rng.normal(size=n)))


def hidden_markov(states: int) -> Make:
    return lambda rng, n: (
        stochastic(rng, 1, states)[0],
        stochastic(rng, states, states),
        stochastic(rng, states, 8),
        rng.integers(0, 8, n),
    )


def bodies(rng: Random, n: int) -> tuple[Any, ...]:
    return rng.normal(size=(n, 3)), 0.1 * rng.normal(size=(n, 3)), rng.uniform(0.5, 1.5, n)


def lattice(rng: Random, n: int) -> np.ndarray:
    """Points near those of a cubic lattice, so that none are too close."""
    side = int(np.ceil(n ** (1 / 3)))
    points = np.stack(np.meshgrid(*[np.arange(side)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)[:n]
    return 1.2 * points + 0.1 * rng.normal(size=(n, 3))


def plane(rng: Random, n: int) -> np.ndarray:
    x = np.linspace(-2.0, 0.6, n)
    return (x[None, :] + 1j * np.linspace(-1.2, 1.2, n)[:, None]) + 0.0


def spins(rng: Random, n: int) -> np.ndarray:
    return np.where(rng.random((n, n)) < 0.5, 1, -1)


def labelled(rng: Random, n: int) -> tuple[np.ndarray, np.ndarray]:
    X = rng.normal(size=(n, 4))
    return X, (rng.random(n) < 1 / (1 + np.exp(-X @ np.array([1.0, -1.0, 0.5, 0.0])))).astype(float)


def clusters(rng: Random, n: int) -> tuple[np.ndarray, np.ndarray]:
    centers = np.arange(3)[:, None] * np.array([4.0, -3.0])
    return centers[rng.integers(0, 3, n)] + rng.normal(size=(n, 2)), centers + 0.5


def self_energies(rng: Random, n: int) -> tuple[Any, ...]:
    G = rng.normal(size=(n, 4, 3, 3)) + 1j * rng.normal(size=(n, 4, 3, 3))
    return rng.integers(0, 4, (4, 2)), rng.normal(size=(4, 2, 3, 3)), G, rng.normal(size=(3, 4, 2, 3, 3))


def options(rng: Random, n: int) -> tuple[Any, ...]:
    strikes = rng.uniform(80, 120, n)
    found = [finance.call_price(100.0, k, 0.02, v, 1.0) for k, v in zip(strikes, rng.uniform(0.1, 0.6, n))]
    found[-1] = 99.999
    return np.array(found), 100.0, strikes, 0.02, 1.0


def grid_and_steps(axes: int, *more: Any, integers: bool = False) -> Make:
    """An array of so many axes; a few steps."""
    return lambda rng, n: (
        (rng.integers(0, 2, (n,) * axes) if integers else rng.normal(size=(n,) * axes)),
        *more,
        4,
    )


def separated(rng: Random, n: int) -> np.ndarray:
    A = definite(rng, n)
    A[0, 0] += 8.0 * n
    return A


def words(rng: Random, n: int) -> tuple[np.ndarray, np.ndarray]:
    return rng.integers(0, 4, n), rng.integers(0, 4, n + 2)


def distances(rng: Random, n: int) -> tuple[np.ndarray]:
    D = rng.uniform(1, 10, (n, n))
    D[rng.random((n, n)) < 0.3] = np.inf
    np.fill_diagonal(D, 0.0)
    return (D,)


def sack(rng: Random, n: int) -> tuple[Any, ...]:
    return rng.random(n), rng.integers(1, 9, n), 4 * n


def layers(rng: Random, sizes: tuple[int, ...]) -> list[tuple[np.ndarray, np.ndarray]]:
    return [(rng.normal(size=(a, b)) / np.sqrt(a), rng.normal(size=b)) for a, b in zip(sizes, sizes[1:])]


def particles(rng: Random, n: int) -> tuple[Any, ...]:
    return [(rng.random(k), rng.normal(size=k)) for k in (n, n + 1, 2 * n)], 0.1, 4
