"""The kernels: their data at any size, and the least work that they do."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

Random = np.random.Generator
Arguments = tuple[np.ndarray, ...]
Make = Callable[[Random, int], Arguments]


@dataclass(frozen=True)
class Kernel:
    """A function of every module in `peers`, with its data and its counts for a size n.

    `working_set` is the bytes of what a call reads, stores and writes; `flops` its additions and multiplications;
    `calls` its transcendental functions. `sizes` are given where the time grows so fast that memory cannot be filled.
    """

    name: str
    make: Make
    working_set: Callable[[int], float]
    flops: Callable[[int], float]
    calls: Callable[[int], float] = lambda n: 0.0
    sizes: Mapping[str, int] | None = None

    def size(self, target: float) -> int:
        """The largest n whose working set is at most `target` bytes, and at least 4."""
        low, high = 4, 8
        while self.working_set(high) <= target:
            low, high = high, 2 * high
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self.working_set(middle) <= target else (low, middle)
        return low


def vectors(count: int) -> Make:
    return lambda rng, n: tuple(rng.normal(size=n) for _ in range(count))


def rows(width: int) -> Make:
    return lambda rng, n: (rng.normal(size=(n, width)),)


def per(*, arrays: float, flops: float, calls: float = 0.0, width: int = 1) -> dict[str, Callable[[int], float]]:
    """Counts that are in proportion to n times `width`; `arrays` counts float64 arrays, arguments and results."""
    return {
        "working_set": lambda n: 8.0 * arrays * width * n,
        "flops": lambda n: flops * width * n,
        "calls": lambda n: calls * width * n,
    }


def grid(axes: int) -> Make:
    return lambda rng, n: (rng.normal(size=(n,) * axes),)


def per_grid(axes: int, *, arrays: float, flops: float, calls: float = 0.0) -> dict[str, Callable[[int], float]]:
    return {
        "working_set": lambda n: 8.0 * arrays * n**axes,
        "flops": lambda n: flops * n**axes,
        "calls": lambda n: calls * n**axes,
    }


def _float32(make: Make) -> Make:
    return lambda rng, n: tuple(a.astype(np.float32) for a in make(rng, n))


def _options(rng: Random, n: int) -> Arguments:
    return rng.uniform(50, 150, n), rng.uniform(50, 150, n), rng.uniform(0.1, 2, n)


def _counts(rng: Random, n: int) -> Arguments:
    eta = rng.normal(size=n)
    return rng.poisson(np.exp(eta)).astype(float), eta


def _labels(rng: Random, n: int) -> Arguments:
    return rng.normal(size=n), (rng.random(n) < 0.5).astype(float)


def _regression(rng: Random, n: int) -> Arguments:
    X, b = rng.normal(size=(n, 32)), rng.normal(0, 0.3, 32)
    return b, X, (rng.random(n) < 1 / (1 + np.exp(-X @ b))).astype(float)


def _normalization(rng: Random, n: int) -> Arguments:
    return rng.normal(1.0, 2.0, size=(n, 64)), rng.normal(size=64), rng.normal(size=64)


def _valid(rng: Random, n: int) -> Arguments:
    valid = rng.random((n, 64)) < 0.8
    valid[:, 0] = True
    return rng.normal(size=(n, 64)), valid


def _scattered(rng: Random, n: int) -> Arguments:
    places = max(n // 4, 1)
    return rng.normal(size=n), rng.integers(0, places, n), np.zeros(places)


def _edges(rng: Random, n: int) -> Arguments:
    places = max(n // 4, 1)
    return rng.normal(size=places), rng.integers(0, places, n), rng.integers(0, places, n)


def _positive_definite(rng: Random, n: int) -> Arguments:
    A = rng.normal(size=(n, n))
    return A @ A.T + n * np.eye(n), rng.normal(size=n)


def _points(rng: Random, n: int) -> Arguments:
    return rng.normal(size=(n, 8)), rng.normal(size=(n, 8))


def _centers(rng: Random, n: int) -> Arguments:
    return rng.normal(size=(n, 8)), rng.normal(size=(16, 8))


def _layer(rng: Random, n: int) -> Arguments:
    return rng.normal(size=(n, 64)), rng.normal(size=(64, 64)), rng.normal(size=64)


def _forms(rng: Random, n: int) -> Arguments:
    return rng.normal(size=(n, 16)), rng.normal(size=(16, 16))


def _chain(rng: Random, n: int) -> Arguments:
    return (*rng.normal(size=(2, n, n)), rng.normal(size=n))


def _low_rank(rng: Random, n: int) -> Arguments:
    return rng.normal(size=(n, n)), *rng.normal(size=(2, n, 5))


def _gaussians(rng: Random, n: int) -> Arguments:
    return (*rng.normal(size=(2, n)), rng.uniform(0.5, 2, n))


KERNELS = (
    Kernel("arithmetic", vectors(2), **per(arrays=3, flops=5)),
    Kernel("gaussian", vectors(1), **per(arrays=2, flops=2, calls=1)),
    Kernel("gaussian_float32", _float32(vectors(1)), **per(arrays=1, flops=2, calls=1)),
    Kernel("five_calls", vectors(2), **per(arrays=3, flops=8, calls=5)),
    Kernel("black_scholes", _options, **per(arrays=4, flops=16, calls=4)),
    Kernel("gelu", vectors(1), **per(arrays=2, flops=4, calls=1)),
    Kernel("polynomial", vectors(1), **per(arrays=2, flops=10)),
    Kernel("huber", vectors(1), **per(arrays=2, flops=5)),
    Kernel("complex_magnitude", lambda rng, n: (rng.normal(size=n) + 1j * rng.normal(size=n),), **per(arrays=3, flops=4)),
    Kernel("hash_integers", lambda rng, n: (rng.integers(0, 2**32, n, np.uint32),), **per(arrays=1, flops=4)),
    Kernel("inside_ring", vectors(2), **per(arrays=2.125, flops=10)),
    Kernel("squared_error", vectors(2), **per(arrays=2, flops=3)),
    Kernel("gaussian_likelihood", _gaussians, **per(arrays=3, flops=7, calls=1)),
    Kernel("poisson_likelihood", _counts, **per(arrays=2, flops=5, calls=2)),
    Kernel("logistic_posterior", _regression, **per(arrays=33, flops=70, calls=2)),
    Kernel("log_loss", _labels, **per(arrays=2, flops=4, calls=2)),
    Kernel("weighted_moments", lambda rng, n: (rng.normal(size=n), rng.uniform(0.1, 1, n)), **per(arrays=2, flops=7)),
    Kernel("correlation", vectors(2), **per(arrays=2, flops=10)),
    Kernel("masked_means", _valid, **per(arrays=1.125, flops=2, width=64)),
    Kernel("trapezoid", vectors(2), **per(arrays=2, flops=4)),
    Kernel("softmax", rows(64), **per(arrays=2, flops=4, calls=1, width=64)),
    Kernel("softmax_float32", _float32(rows(64)), **per(arrays=1, flops=4, calls=1, width=64)),
    Kernel("log_softmax", rows(64), **per(arrays=2, flops=4, calls=1, width=64)),
    Kernel("log_sum_exp_rows", rows(64), **per(arrays=1, flops=3, calls=1, width=64)),
    Kernel("log_sum_exp_columns", rows(64), **per(arrays=1, flops=3, calls=1, width=64)),
    Kernel("layer_norm", _normalization, **per(arrays=2, flops=8, width=64)),
    Kernel("batch_norm", _normalization, **per(arrays=2, flops=8, width=64)),
    Kernel("normalized_rows", rows(64), **per(arrays=2, flops=3, width=64)),
    Kernel("heat_1d", vectors(1), **per(arrays=2, flops=5)),
    Kernel("heat_2d", grid(2), **per_grid(2, arrays=2, flops=7)),
    Kernel("heat_3d", grid(3), **per_grid(3, arrays=2, flops=9)),
    Kernel("blur_2d", grid(2), **per_grid(2, arrays=2, flops=10)),
    Kernel("convolution", lambda rng, n: (rng.normal(size=n), rng.normal(size=9)), **per(arrays=2, flops=18)),
    Kernel("histogram", lambda rng, n: (rng.random(n),), **per(arrays=1, flops=3)),
    Kernel("scatter_add", _scattered, **per(arrays=2.5, flops=1)),
    Kernel("edge_forces", _edges, **per(arrays=2.5, flops=6, calls=1)),
    Kernel("running_mean", vectors(1), **per(arrays=2, flops=2)),
    Kernel("cumulative_rows", rows(64), **per(arrays=2, flops=2, width=64)),
    Kernel("small_products", lambda rng, n: tuple(rng.normal(size=(2, n, 4, 4))), **per(arrays=3, flops=8, width=16)),
    Kernel("quadratic_forms", _forms, **per(arrays=1, flops=34, width=16)),
    Kernel("dense_layer", _layer, **per(arrays=2, flops=130, width=64)),
    Kernel(
        "attention", lambda rng, n: tuple(rng.normal(size=(3, n, 64))), **per_grid(2, arrays=1, flops=258, calls=1),
        sizes={"L1": 48, "L3": 1000, "memory": 3500},
    ),
    Kernel("pairwise_distances", _points, **per_grid(2, arrays=1, flops=24)),
    Kernel("nearest_center", _centers, **per(arrays=1.125, flops=48, width=8)),
    Kernel("symmetrized", grid(2), **per_grid(2, arrays=2, flops=2)),
    Kernel("matrix_chain", _chain, **per_grid(2, arrays=2, flops=4)),
    Kernel(
        "inverse_times_vector", _positive_definite, working_set=lambda n: 8.0 * n * n, flops=lambda n: n**3 / 3,
        sizes={"L1": 48, "L3": 500, "memory": 1500},
    ),
    Kernel("low_rank_residual", _low_rank, **per_grid(2, arrays=1, flops=13)),
)  # fmt: skip


def working_sets(first: float, last: float) -> dict[str, float]:
    """Bytes that lie in the first cache, in the last, and in memory, where these are the caches' bytes.

    >>> {name: round(size / 2**20, 2) for name, size in working_sets(32 * 2**10, 32 * 2**20).items()}
    {'L1': 0.02, 'L3': 8.0, 'memory': 96.0}
    """
    return {"L1": math.floor(0.75 * first), "L3": last / 4, "memory": 3 * last}
