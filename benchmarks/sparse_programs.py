"""Functions with sparse derivatives. Each is made for a module of NumPy's functions, so that `jax.numpy` gives its twin."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np


def brusselator(xp: Any) -> Callable[..., Any]:
    """The Brusselator with diffusion on a periodic grid of n by n."""

    def spread(a):
        return xp.roll(a, 1, 0) + xp.roll(a, -1, 0) + xp.roll(a, 1, 1) + xp.roll(a, -1, 1) - 4.0 * a

    def function(y, n):
        u, v = y[: n * n].reshape(n, n), y[n * n :].reshape(n, n)
        reaction = u * u * v
        change_u = 1.0 + reaction - 4.4 * u + 0.1 * spread(u)
        change_v = 3.4 * u - reaction + 0.1 * spread(v)
        return xp.concatenate([change_u.reshape(-1), change_v.reshape(-1)])

    return function


def brusselator_energy(xp: Any) -> Callable[..., Any]:
    """How far the Brusselator is from rest: what a solver for its steady state makes small, by its Hessian."""
    rate = brusselator(xp)

    def function(y, n):
        return 0.5 * xp.sum(rate(y, n) ** 2)

    return function


def bundle_adjustment(xp: Any) -> Callable[..., Any]:
    """Residuals of points seen by cameras, of which each has a rotation vector, a position, a focal length and two distortions."""

    def function(q, camera, point, seen, cameras):
        c, p = q[: 9 * cameras].reshape(cameras, 9)[camera], q[9 * cameras :].reshape(-1, 3)[point]
        angle = xp.sqrt(xp.sum(c[:, :3] ** 2, axis=1, keepdims=True))
        axis = c[:, :3] / angle
        along = xp.sum(axis * p, axis=1, keepdims=True)
        across = xp.stack(
            [
                axis[:, 1] * p[:, 2] - axis[:, 2] * p[:, 1],
                axis[:, 2] * p[:, 0] - axis[:, 0] * p[:, 2],
                axis[:, 0] * p[:, 1] - axis[:, 1] * p[:, 0],
            ],
            axis=1,
        )
        turned = p * xp.cos(angle) + across * xp.sin(angle) + axis * along * (1.0 - xp.cos(angle)) + c[:, 3:6]
        image = -turned[:, :2] / turned[:, 2:]
        square = xp.sum(image**2, axis=1, keepdims=True)
        distorted = image * (c[:, 6:7] * (1.0 + c[:, 7:8] * square + c[:, 8:9] * square**2))
        return (distorted - seen).reshape(-1)

    return function


def rosenbrock(xp: Any) -> Callable[..., Any]:
    def function(x):
        return xp.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)

    return function


@dataclass(frozen=True)
class Problem:
    """A function whose derivative of an order, with respect to its first argument, is sparse. sizes: a small one, and the one that
    is measured. static: the arguments that are sizes."""

    name: str
    order: int
    make: Callable[[Any], Callable[..., Any]]
    data: Callable[[np.random.Generator, int], tuple[Any, ...]]
    sizes: tuple[int, int]
    static: tuple[int, ...] = ()

    def arguments(self, quick: bool) -> tuple[Any, ...]:
        return self.data(np.random.default_rng(0), self.sizes[0 if quick else 1])


def _grid(rng: np.random.Generator, n: int) -> tuple[Any, ...]:
    return rng.uniform(0.5, 2.0, 2 * n * n), n


def _views(rng: np.random.Generator, points: int) -> tuple[Any, ...]:
    cameras, each = max(points // 30, 2), 5
    camera = np.concatenate([rng.choice(cameras, each, replace=each > cameras) for _ in range(points)])
    point = np.repeat(np.arange(points), each)
    poses = np.hstack([rng.normal(scale=0.1, size=(cameras, 6)), np.tile([500.0, 0.01, 0.001], (cameras, 1))])
    places = rng.normal(size=(points, 3)) - np.array([0.0, 0.0, 10.0])
    return np.concatenate([poses.ravel(), places.ravel()]), camera, point, rng.normal(size=(len(point), 2)), cameras


PROBLEMS = (
    Problem("brusselator", 1, brusselator, _grid, (8, 70), (1,)),
    Problem("bundle_adjustment", 1, bundle_adjustment, _views, (10, 600), (4,)),
    Problem("rosenbrock", 2, rosenbrock, lambda rng, n: (rng.normal(size=n),), (50, 10_000)),
    Problem("brusselator_energy", 2, brusselator_energy, _grid, (6, 40), (1,)),
)
