"""The programs of this folder as a table: arguments for any size, and the sizes that tests and benchmarks use.

`python -m benchmarks loops` runs those with `measured` sizes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from tests.programs import (
    branches,
    finance,
    linear_algebra,
    networks,
    physics,
    recurrences,
    sequences,
    statistics,
    stencils,
    updates,
)
from tests.programs.arguments import (
    Make,
    arrays,
    bodies,
    clusters,
    definite,
    distances,
    dominant,
    grid_and_steps,
    hidden_markov,
    labelled,
    lattice,
    layers,
    options,
    particles,
    plane,
    prices,
    sack,
    self_energies,
    separated,
    series,
    sparse,
    spins,
    square,
    vector,
    words,
)


@dataclass(frozen=True)
class Program:
    """A function, and how to call it.

    make: its arguments for a size. sizes: those of tests, the smallest sensible one first. measured: a small and a large
    one, for which the plain function takes at most about half a second; empty where it is not measured. mutates: whether
    arguments are changed. elements: whether it loops over single elements. rtol: how far results may be off, in parts of the
    largest magnitude, where the method makes more of rounding than the default allows.
    """

    function: Callable[..., Any]
    make: Make
    sizes: tuple[int, ...]
    measured: tuple[int, ...] = ()
    mutates: bool = False
    elements: bool = False
    rtol: float = 1e-10

    @property
    def name(self) -> str:
        return self.function.__name__

    @property
    def family(self) -> str:
        return self.function.__module__.rpartition(".")[2]

    def arguments(self, size: int) -> tuple[Any, ...]:
        """The same ones for a size."""
        return self.make(np.random.default_rng(size), size)


LINEAR_ALGEBRA = (
    Program(
        linear_algebra.matrix_product,
        arrays(lambda n: (n, n + 1), lambda n: (n + 1, n + 2)), (1, 3, 6), (12, 80), elements=True,
    ),
    Program(
        linear_algebra.general_update, lambda r, n: (1.5, 0.5, *r.normal(size=(3, n, n))), (1, 4, 7), (20, 200), mutates=True,
    ),
    Program(linear_algebra.three_products, lambda r, n: tuple(r.normal(size=(3, n, n))), (1, 4, 7), (20, 300)),
    Program(linear_algebra.atax, arrays(lambda n: (n, n + 2), lambda n: n + 2), (1, 5, 8), (40, 1000)),
    Program(linear_algebra.bicg, arrays(square, vector, vector), (1, 5, 8), (30, 500), elements=True),
    Program(
        linear_algebra.mvt, arrays(square, vector, vector, vector, vector), (1, 5, 8), (30, 500), mutates=True, elements=True,
    ),
    Program(
        linear_algebra.gemver,
        lambda r, n: (1.5, 0.7, r.normal(size=(n, n)), *r.normal(size=(6, n))), (1, 5, 8), (40, 1000), mutates=True,
    ),
    Program(
        linear_algebra.gesummv,
        lambda r, n: (1.5, 0.7, *r.normal(size=(2, n, n)), r.normal(size=n)), (1, 5, 8), (30, 500), elements=True,
    ),
    Program(
        linear_algebra.symmetric_update, lambda r, n: (1.5, 0.7, *r.normal(size=(2, n, n))), (1, 4, 7), (20, 200), mutates=True,
    ),
    Program(
        linear_algebra.triangular_product,
        lambda r, n: (1.5, *r.normal(size=(2, n, n))), (1, 4, 7), (12, 90), mutates=True, elements=True,
    ),
    Program(linear_algebra.cholesky, lambda r, n: (definite(r, n),), (1, 4, 7), (20, 300)),
    Program(
        linear_algebra.cholesky_in_place, lambda r, n: (definite(r, n),), (1, 4, 7), (15, 120), mutates=True, elements=True,
    ),
    Program(linear_algebra.lu_in_place, lambda r, n: (dominant(r, n),), (1, 4, 7), (15, 90), mutates=True, elements=True),
    Program(linear_algebra.lu_with_pivots, arrays(square), (1, 4, 7), (20, 300), rtol=1e-8),
    Program(linear_algebra.gram_schmidt, arrays(lambda n: (n + 3, n)), (1, 4, 7), (15, 150), mutates=True, rtol=1e-8),
    Program(linear_algebra.householder, arrays(lambda n: (n + 2, n)), (1, 4, 7), (20, 200), rtol=1e-8),
    Program(linear_algebra.solve_lower, lambda r, n: (np.tril(dominant(r, n)), r.normal(size=n)), (1, 5, 8), (40, 1000)),
    Program(
        linear_algebra.solve_upper,
        lambda r, n: (np.triu(dominant(r, n)), r.normal(size=n)), (1, 5, 8), (30, 500), elements=True,
    ),
    Program(
        linear_algebra.toeplitz_recursion,
        lambda r, n: (0.5 ** np.arange(1, n + 1) + 0.01 * r.random(n),), (1, 5, 8), (40, 1000),
    ),
    Program(
        linear_algebra.solve_tridiagonal, lambda r, n: (r.random(n), 4 + r.random(n), r.random(n), r.normal(size=n)), (2, 5, 9),
        (100, 100_000), elements=True,
    ),
    Program(linear_algebra.jacobi_iteration, lambda r, n: (dominant(r, n), r.normal(size=n), 10), (1, 5, 8), (30, 500)),
    Program(linear_algebra.gauss_seidel, lambda r, n: (dominant(r, n), r.normal(size=n), 1e-9), (1, 5, 8), (30, 500)),
    Program(
        linear_algebra.conjugate_gradients,
        lambda r, n: (definite(r, n), r.normal(size=n), 1e-8), (1, 5, 8), (40, 500), rtol=1e-7,
    ),
    Program(linear_algebra.power_iteration, lambda r, n: (separated(r, n), 1e-10, 200), (1, 5, 8), (40, 500), rtol=1e-7),
    Program(linear_algebra.krylov_vectors, lambda r, n: (definite(r, n), r.normal(size=n), 5), (1, 5, 8), (40, 1000)),
    Program(linear_algebra.power_by_squaring, lambda r, n: (r.normal(size=(n, n)) / np.sqrt(n), 13), (1, 4, 7), (20, 200)),
    Program(linear_algebra.sparse_product, sparse, (1, 6, 20), (100, 50_000), elements=True),
    Program(linear_algebra.sparse_rows, sparse, (1, 6, 20), (100, 50_000)),
)  # fmt: skip

STENCILS = (
    Program(stencils.heat_1d, grid_and_steps(1, 0.2), (1, 4, 9), (500, 1_000_000), mutates=True),
    Program(
        stencils.averages_1d, lambda r, n: (*r.normal(size=(2, n)), 4), (1, 4, 9), (100, 50_000), mutates=True, elements=True,
    ),
    Program(stencils.averages_2d, lambda r, n: (*r.normal(size=(2, n, n)), 4), (1, 4, 7), (30, 1000), mutates=True),
    Program(stencils.seidel_2d, grid_and_steps(2), (1, 4, 7), (15, 150), mutates=True, elements=True),
    Program(stencils.red_black, lambda r, n: (*r.normal(size=(2, n, n)), 2), (1, 4, 7), (20, 250), mutates=True, elements=True),
    Program(stencils.heat_3d, grid_and_steps(3), (2, 4, 6), (12, 100), mutates=True),
    Program(stencils.alternating_directions, grid_and_steps(2), (3, 5, 8), (30, 500), mutates=True),
    Program(
        stencils.fields_2d, lambda r, n: (*r.normal(size=(3, n, n)), r.normal(size=5)), (2, 4, 7), (30, 1000), mutates=True,
    ),
    Program(stencils.wave_2d, grid_and_steps(2, 0.5), (2, 4, 7), (30, 1000)),
    Program(
        stencils.horizontal_diffusion,
        lambda r, n: (r.normal(size=(n + 4, n + 5)), r.normal(size=(n, n + 1))), (1, 4, 7), (30, 1000),
    ),
    Program(stencils.vertical_advection, lambda r, n: (*r.normal(size=(3, n, n + 1, n + 2)), 0.1), (1, 3, 5), (8, 80)),
    Program(stencils.upwind_advection, lambda r, n: (r.normal(size=n), r.uniform(-1, 1, n), 0.3, 4), (1, 4, 9), (500, 500_000)),
    Program(stencils.limited_advection, grid_and_steps(1, 0.4), (1, 4, 9), (100, 50_000), elements=True),
    Program(
        stencils.laplace_until,
        lambda r, n: (np.pad(np.zeros((n - 2, n - 2)), 1, constant_values=1.0), 1e-3), (3, 5, 8), (10, 60),
    ),
    Program(
        stencils.reaction_diffusion, lambda r, n: (*r.random((2, n, n)), 0.04, 0.06, 4), (1, 4, 7), (30, 500), mutates=True,
    ),
    Program(stencils.game_of_life, grid_and_steps(2, integers=True), (2, 5, 8), (30, 800), mutates=True),
    Program(stencils.game_of_life_cells, grid_and_steps(2, integers=True), (1, 5, 8), (12, 90), elements=True),
    Program(stencils.edges, arrays(lambda n: (n, n + 1)), (3, 5, 8), (15, 200), elements=True),
)  # fmt: skip

RECURRENCES = (
    Program(recurrences.smoothed, lambda r, n: (r.normal(size=n), 0.3), (1, 5, 20), (200, 200_000), elements=True),
    Program(recurrences.trend_smoothing, lambda r, n: (r.normal(size=n), 0.3, 0.1), (1, 5, 20), (200, 200_000), elements=True),
    Program(
        recurrences.biquad,
        lambda r, n: (r.normal(size=n), 0.2, 0.3, 0.2, -0.5, 0.25), (1, 5, 20), (200, 200_000), elements=True,
    ),
    Program(recurrences.recursive_filter_rows, lambda r, n: (r.normal(size=(n, n + 1)), 0.4), (1, 4, 7), (30, 1000)),
    Program(
        recurrences.garch_likelihood, lambda r, n: (series(r, n), 1e-5, 0.1, 0.85), (2, 5, 20), (200, 100_000), elements=True,
    ),
    Program(
        recurrences.garch_variances, lambda r, n: (series(r, n), 1e-5, 0.1, 0.85), (1, 5, 20), (200, 200_000), elements=True,
    ),
    Program(
        recurrences.ar_likelihood,
        lambda r, n: (r.normal(size=n), np.array([0.5, -0.2, 0.1]), 0.8), (2, 5, 20), (200, 100_000), elements=True,
    ),
    Program(
        recurrences.kalman_filter,
        lambda r, n: (r.normal(size=n), np.array([[1.0, 1.0], [0.0, 0.9]]), np.array([1.0, 0.0]), 0.1 * np.eye(2), 0.5),
        (1, 4, 9), (50, 5000),
    ),
    Program(recurrences.local_level, lambda r, n: (r.normal(size=n), 0.1, 0.5), (1, 5, 20), (200, 200_000), elements=True),
    Program(recurrences.forward_algorithm, hidden_markov(6), (1, 5, 12), (50, 10_000)),
    Program(recurrences.viterbi, hidden_markov(6), (1, 5, 12), (50, 5000)),
    Program(recurrences.running_sums, arrays(vector), (1, 5, 20), (200, 500_000), mutates=True, elements=True),
    Program(recurrences.logistic_map, lambda r, n: (r.random(n), 3.2, 5), (1, 5, 20), (200, 500_000)),
    Program(recurrences.legendre, lambda r, n: (r.uniform(-1, 1, n), 6), (1, 4, 9), (200, 200_000)),
    Program(recurrences.horner, lambda r, n: (r.normal(size=7), r.normal(size=n)), (1, 4, 9), (200, 500_000)),
    Program(recurrences.exponential_series, lambda r, n: (r.random(), n), (1, 5, 20)),
    Program(recurrences.geometric_sum, lambda r, n: (0.5 + 0.4 * r.random(), n), (0, 5, 20), (100, 1_000_000)),
    Program(recurrences.random_numbers, lambda r, n: (int(r.integers(1, 1000)), n), (1, 5, 20), (200, 200_000), elements=True),
    Program(recurrences.running_median, lambda r, n: (r.normal(size=n), 5), (5, 9, 20)),
)  # fmt: skip

SEQUENCES = (
    Program(sequences.edit_distance, words, (1, 5, 9), (30, 400), elements=True),
    Program(sequences.longest_common, words, (1, 5, 9), (30, 500), elements=True),
    Program(sequences.local_alignment, lambda r, n: (*words(r, n), 2.0, -1.0, -1.5), (1, 5, 9), (30, 350), elements=True),
    Program(sequences.folding, lambda r, n: (r.integers(0, 4, n),), (1, 5, 9), (15, 90), elements=True),
    Program(sequences.knapsack, sack, (1, 5, 9), (20, 200), elements=True),
    Program(sequences.knapsack_slices, sack, (1, 5, 9), (50, 2000)),
    Program(sequences.time_warping, lambda r, n: (r.normal(size=n), r.normal(size=n + 2)), (1, 5, 9), (30, 400), elements=True),
    Program(sequences.chain_order, lambda r, n: (r.integers(1, 20, n + 1),), (1, 5, 9), (15, 100), elements=True),
    Program(sequences.coin_ways, lambda r, n: (np.array([1, 2, 5, 10]), n), (1, 5, 30), (200, 100_000), elements=True),
    Program(sequences.shortest_paths, distances, (1, 4, 7), (15, 80), mutates=True, elements=True),
    Program(sequences.shortest_paths_rows, distances, (1, 4, 7), (20, 250), mutates=True),
    Program(sequences.seam, arrays(lambda n: (n, n + 2)), (1, 4, 7), (20, 200), elements=True),
)  # fmt: skip

PHYSICS = (
    Program(physics.n_body, lambda r, n: (*bodies(r, n), 0.01, 3), (1, 3, 5), (5, 60), mutates=True, elements=True),
    Program(physics.n_body_arrays, lambda r, n: (*bodies(r, n), 0.01, 3), (1, 3, 5), (10, 300), mutates=True),
    Program(physics.pair_forces, lambda r, n: (lattice(r, n), 2.0), (1, 4, 9), (10, 300), elements=True, rtol=1e-9),
    Program(
        physics.ising_sweeps,
        lambda r, n: (spins(r, n), r.random((3, n, n)), 0.4), (1, 4, 6), (12, 150), mutates=True, elements=True,
    ),
    Program(physics.ising_halves, lambda r, n: (spins(r, n), r.random((3, n, n)), 0.4), (1, 4, 6), (30, 500), mutates=True),
    Program(physics.runge_kutta, lambda r, n: (np.array([1.0, 1.0, 20.0]), 1e-3, n), (1, 4, 9), (50, 5000), rtol=1e-6),
    Program(physics.runge_kutta_systems, lambda r, n: (r.random(n), r.random(n), 0.05, 3), (1, 4, 9), (200, 200_000)),
    Program(
        physics.leapfrog, lambda r, n: (r.normal(size=n), r.normal(size=n), 0.05, 4), (1, 4, 9), (200, 200_000), mutates=True,
    ),
    Program(physics.adaptive_step, lambda r, n: (1.0, 0.2 * n, 1e-6), (1, 4, 9), (5, 15), elements=True, rtol=1e-8),
    Program(physics.mandelbrot_arrays, lambda r, n: (plane(r, n), 20), (1, 4, 7), (30, 500)),
    Program(physics.mandelbrot_points, lambda r, n: (-2.0, 0.6, -1.2, 1.2, n, 20), (1, 4, 7), (20, 250), elements=True),
    Program(physics.newton_fractal, lambda r, n: (r.normal(size=n) + 1j * r.normal(size=n), 12), (1, 4, 9), (100, 50_000)),
    Program(physics.scattering, self_energies, (1, 2, 4), (4, 100)),
    Program(
        physics.contour,
        lambda r, n: (definite(r, n), r.normal(size=(n, n)), np.exp(1j * r.uniform(0.1, 3, 4)), r.normal(size=4) + 0j),
        (1, 4, 7), (10, 150), rtol=1e-8,
    ),
    Program(physics.random_walk, lambda r, n: (r.random(6), r.uniform(0, 6.28, (6, n)), 1.5), (1, 4, 9), (100, 100_000)),
)  # fmt: skip

STATISTICS = (
    Program(statistics.covariance, arrays(lambda n: (n + 3, n)), (1, 4, 7), (15, 100), elements=True),
    Program(statistics.covariance_columns, arrays(lambda n: (n + 3, n)), (1, 4, 7), (30, 500), mutates=True),
    Program(statistics.correlation, arrays(lambda n: (n + 3, n)), (1, 4, 7), (20, 250)),
    Program(statistics.k_means, lambda r, n: (*clusters(r, n), 3), (1, 5, 20), (30, 5000), mutates=True, elements=True),
    Program(statistics.k_means_arrays, lambda r, n: (*clusters(r, n), 10), (1, 5, 20), (100, 50_000)),
    Program(statistics.histogram, lambda r, n: (r.normal(size=n), 10, -2.0, 2.0), (1, 5, 20), (200, 200_000), elements=True),
    Program(statistics.joint_histogram, lambda r, n: (r.random(n), r.random(n), 6), (1, 5, 20), (200, 200_000), elements=True),
    Program(statistics.running_moments, arrays(vector), (1, 5, 20), (200, 200_000), elements=True),
    Program(
        statistics.metropolis,
        lambda r, n: (0.0, r.normal(size=n), np.log(r.random(n))), (1, 5, 20), (100, 50_000), elements=True,
    ),
    Program(statistics.gibbs, lambda r, n: (r.normal(size=(n, 2)), 0.7), (1, 5, 20), (100, 100_000), elements=True),
    Program(
        statistics.kernel_density,
        lambda r, n: (r.normal(size=n), r.normal(size=n + 1), 0.4), (1, 4, 9), (20, 400), elements=True,
    ),
    Program(statistics.bootstrap_means, lambda r, n: (r.normal(size=n), r.integers(0, n, (20, n))), (1, 4, 9), (100, 10_000)),
    Program(
        statistics.mixture,
        lambda r, n: (r.normal(size=n) + 3 * r.integers(0, 2, n), np.array([-1.0, 4.0]), 4),
        (5, 9, 20), (100, 50_000), mutates=True,
    ),
    Program(statistics.logistic_fit, lambda r, n: (*labelled(r, n), 0.5, 6), (1, 5, 20), (100, 50_000)),
    Program(statistics.newton_logistic, lambda r, n: (*labelled(r, n), 1e-8), (1, 5, 20), (100, 50_000), rtol=1e-7),
    Program(statistics.soft_thresholds, lambda r, n: (*labelled(r, n), 0.5, 4), (1, 5, 20), (100, 100_000)),
    Program(statistics.page_rank, lambda r, n: ((r.random((n, n)) < 0.3) * 1.0, 0.85, 1e-8), (1, 5, 12), (40, 500), rtol=1e-8),
)  # fmt: skip

NETWORKS = (
    Program(
        networks.convolution,
        lambda r, n: (r.normal(size=(n, n + 1, 2)), r.normal(size=(3, 3, 2, 4)), r.normal(size=4)), (3, 4, 6), (10, 100),
    ),
    Program(
        networks.convolution_loops,
        lambda r, n: (r.normal(size=(n, n + 1)), r.normal(size=(3, 3))), (3, 4, 7), (15, 150), elements=True,
    ),
    Program(networks.max_pool, arrays(lambda n: (n, n + 2, 3)), (2, 4, 8), (20, 300)),
    Program(networks.mean_pool_loops, lambda r, n: (r.normal(size=(n, n + 2)), 2), (2, 4, 8), (20, 600), elements=True),
    Program(
        networks.convolutional_network,
        lambda r, n: (
            r.normal(size=(2 * n + 2, 2 * n + 2, 1)), r.normal(size=(3, 3, 1, 4)), r.normal(size=(3, 3, 4, 3)),
            r.normal(size=((n - 2) ** 2 * 3, 5)) / n,
        ),
        (3, 4, 5), (6, 30),
    ),
    Program(networks.attention, arrays(lambda n: (n, 8), lambda n: (n, 8), lambda n: (n, 5)), (1, 4, 9), (30, 800)),
    Program(
        networks.attention_heads,
        lambda r, n: (r.normal(size=(n, 8)), [tuple(r.normal(size=(3, 8, 4))) for _ in range(3)]),
        (1, 4, 9),
        (30, 500),
    ),
    Program(networks.perceptron, lambda r, n: (layers(r, (6, 16, 16, 4)), r.normal(size=(n, 6))), (1, 4, 9), (30, 20_000)),
    Program(
        networks.recurrent_network,
        lambda r, n: (r.normal(size=(n, 3)), r.normal(size=(6, 6)) / 3, r.normal(size=(6, 3)), r.normal(size=6)),
        (1, 4, 9), (50, 10_000),
    ),
    Program(
        networks.gated_network,
        lambda r, n: (r.normal(size=(n, 3)), *(r.normal(size=(6, k)) / 3 for k in (6, 3, 6, 3))), (1, 4, 9), (50, 10_000),
    ),
    Program(
        networks.momentum_steps,
        lambda r, n: ([r.normal(size=(n, 3)), r.normal(size=n)], [r.normal(size=(n, 3)), r.normal(size=n)], 0.1, 4),
        (1, 4, 9), (200, 100_000), mutates=True,
    ),
    Program(
        networks.train_network,
        lambda r, n: (r.normal(size=(n, 4)), r.normal(size=n), r.normal(size=(4, 8)) / 2, r.normal(size=8) / 3, 0.1, 4),
        (1, 5, 20), (50, 10_000), mutates=True,
    ),
    Program(
        networks.batch_normalization,
        arrays(lambda n: (n + 1, 4), lambda n: 4, lambda n: 4), (1, 4, 9), (100, 100_000), mutates=True,
    ),
)  # fmt: skip

FINANCE = (
    Program(finance.binomial_call, lambda r, n: (100.0, 95.0, 0.03, 0.2, 1.0, n), (1, 4, 9), (50, 2000)),
    Program(finance.american_put, lambda r, n: (100.0, 105.0, 0.03, 0.2, 1.0, n), (1, 4, 9), (20, 500), elements=True),
    Program(
        finance.asian_option, lambda r, n: (r.normal(size=(n, 6)), 100.0, 100.0, 0.03, 0.2, 0.1), (1, 4, 9), (100, 100_000),
    ),
    Program(
        finance.barrier_option,
        lambda r, n: (r.normal(size=(n, 6)), 100.0, 100.0, 85.0, 0.3, 0.1), (1, 4, 9), (30, 50_000), elements=True,
    ),
    Program(finance.implied_volatilities, options, (1, 3, 6), (10, 2000), elements=True, rtol=1e-8),
    Program(finance.largest_drawdown, lambda r, n: (prices(r, n),), (1, 5, 30), (200, 200_000), elements=True),
    Program(finance.stop_loss, lambda r, n: (prices(r, n), 0.05, 0.001), (1, 5, 30), (200, 200_000), elements=True),
    Program(
        finance.implicit_price,
        lambda r, n: (np.maximum(np.arange(n) - n / 2.0, 0.0), 0.03, 0.2, 0.01, 0.5, 3),
        (3, 5, 12), (50, 30_000), mutates=True, elements=True,
    ),
    Program(
        finance.bond_yield,
        lambda r, n: (90.0, np.full(n, 5.0) + 100.0 * (np.arange(n) == n - 1), np.arange(1.0, n + 1), 1e-9),
        (1, 4, 9), (10, 1000), elements=True, rtol=1e-8,
    ),
)  # fmt: skip

BRANCHES = (
    Program(branches.classified, lambda r, n: (r.normal(size=n), -0.5, 0.5), (1, 5, 20), (200, 200_000), elements=True),
    Program(branches.first_above, lambda r, n: (r.uniform(0, 1, n), 1.0 - 0.5 / n), (1, 5, 20), (200, 500_000), elements=True),
    Program(branches.scaled_or_shifted, lambda r, n: (r.normal(size=n) + (n % 3 - 1),), (1, 5, 21), (200, 500_000)),
    Program(branches.norm_with_early_return, lambda r, n: (r.normal(size=n), 1 + n % 3), (0, 4, 9), (200, 500_000)),
    Program(
        branches.compound_conditions,
        lambda r, n: (*r.normal(size=(2, n)), -0.5, 0.5), (1, 5, 20), (200, 500_000), mutates=True,
    ),
    Program(branches.collatz, lambda r, n: (r.integers(1, 1000, n),), (1, 5, 20), (10, 3000), elements=True),
    Program(branches.common_divisors, lambda r, n: tuple(r.integers(0, 1000, (2, n))), (1, 5, 20), (30, 50_000), elements=True),
    Program(branches.sieve, lambda r, n: (n,), (2, 10, 50), (200, 1_000_000)),
    Program(branches.insertion_sort, arrays(vector), (1, 5, 20), (30, 800), mutates=True, elements=True),
    Program(branches.bubble_sort, arrays(vector), (1, 5, 20), (30, 700), mutates=True, elements=True),
    Program(
        branches.interpolated,
        lambda r, n: (r.uniform(-0.2, 1.2, n), np.linspace(0, 1, 9), r.normal(size=9)),
        (1, 5, 20), (100, 100_000), elements=True,
    ),
    Program(branches.newton_root, lambda r, n: (2.0 + 0.1 * n, 1e-10), (1, 5, 20), rtol=1e-8),
    Program(branches.square_roots, lambda r, n: (r.uniform(0.1, 100, n), 1e-12), (1, 5, 20), (100, 200_000)),
    Program(branches.bisection, lambda r, n: ([1.0, 0.0, -2.0, -0.1 * n], 0.0, 10.0, 1e-9), (1, 5, 20), rtol=1e-8),
    Program(branches.peaks, lambda r, n: (r.normal(size=n), 0.2), (1, 5, 30), (200, 200_000), elements=True),
    Program(branches.components, lambda r, n: (r.random((n, n + 1)) < 0.6,), (1, 4, 7), (10, 60), elements=True),
    Program(branches.golden_section, lambda r, n: (-3.0, 5.0, 0.3 * n, 1e-8), (1, 5, 12), rtol=1e-7),
)  # fmt: skip

UPDATES = (
    Program(updates.normalize_rows, lambda r, n: (r.random((n, n + 1)),), (1, 4, 7), (30, 1000), mutates=True),
    Program(updates.reverse_in_place, arrays(vector), (1, 4, 9), (200, 200_000), mutates=True, elements=True),
    Program(updates.transpose_in_place, arrays(square), (1, 4, 7), (20, 700), mutates=True, elements=True),
    Program(
        updates.scatter_sums,
        lambda r, n: (np.zeros(n // 2 + 1), r.integers(0, n // 2 + 1, n), r.normal(size=n)),
        (1, 4, 9), (200, 200_000), mutates=True, elements=True,
    ),
    Program(updates.wrapped_angles, lambda r, n: (3 * r.normal(size=n),), (1, 5, 20), (200, 200_000), mutates=True),
    Program(updates.views_of_views, arrays(vector), (3, 6, 9), mutates=True),
    Program(updates.columns_added, arrays(square), (1, 4, 7), (30, 1000), mutates=True),
    Program(updates.written_out, arrays(vector, vector, vector), (1, 4, 9), (200, 500_000), mutates=True),
    Program(updates.rotate, lambda r, n: (r.normal(size=n), 2), (2, 4, 9), mutates=True),
    Program(updates.swap_columns, lambda r, n: (r.normal(size=(n, n)), [(0, n - 1), (n // 2, 0)]), (1, 4, 7), mutates=True),
    Program(updates.moving_averages, lambda r, n: (r.normal(size=n), 4), (1, 5, 20), (100, 50_000), elements=True),
    Program(updates.step_particles, particles, (1, 4, 9), (100, 50_000), mutates=True),
    Program(
        updates.restricted,
        lambda r, n: ([r.normal(size=8 * n), np.zeros(4 * n), np.zeros(2 * n), np.zeros(n)],), (1, 3, 5), mutates=True,
    ),
    Program(updates.moving_extremes, lambda r, n: (r.normal(size=n), 5), (5, 9, 20), (200, 500_000)),
    Program(updates.blurred, grid_and_steps(2), (1, 4, 7), (30, 800), mutates=True),
    Program(updates.fast_walsh_hadamard, lambda r, n: (r.normal(size=2**n),), (0, 2, 4), (7, 14), mutates=True, elements=True),
    Program(updates.haar, lambda r, n: (r.normal(size=2**n),), (0, 2, 4), (8, 20), mutates=True),
)  # fmt: skip

PROGRAMS = (
    *LINEAR_ALGEBRA, *STENCILS, *RECURRENCES, *SEQUENCES, *PHYSICS, *STATISTICS, *NETWORKS, *FINANCE, *BRANCHES, *UPDATES,
)  # fmt: skip


def named(name: str) -> Program:
    """The program of this name. Raises LookupError where there is none."""
    for program in PROGRAMS:
        if program.name == name:
            return program
    raise LookupError(f"no program is called {name!r}")
