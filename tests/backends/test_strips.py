"""Laws of rows that run side by side: the same as the reference for all lengths, however many rows fill strips."""

import numpy as np
import pytest

import egc
from egc.backends.numba.strips import LANES, LEAST_ROWS, SHORT, SHORT_ROW

from ..sampling import crossed

RNG = np.random.default_rng(7)


def nearest(x, c):
    return np.argmin(np.sum((x[:, None, :] - c[None, :, :]) ** 2, axis=2), axis=1)


def kernel_sums(x, c):
    distances = np.sum(np.abs(x[:, None, :] - c[None, :, :]), axis=2)
    return np.sum(np.exp(-distances), axis=1), np.max(distances, axis=1) * x[:, 0]


def memberships(x, c):
    inside = np.all(x[:, None, :] > c[None, :, :], axis=2)
    return np.any(inside, axis=1), np.sum(inside, axis=1)


def largest_products(x, c):
    return np.max(np.prod(x[:, None, :] + c[None, :, :], axis=2), axis=1)


FUNCTIONS = [nearest, kernel_sums, memberships, largest_products]
DTYPES = [np.float64, np.float32, np.int32]
ROWS = [2, LEAST_ROWS - 1, LEAST_ROWS, LANES - 1, LANES, LANES + 1, 2 * LANES + LEAST_ROWS, 5 * LANES + 3]
SIZES = [(2, 3), (16, 8), (SHORT_ROW, SHORT), (SHORT_ROW + 1, 3), (3, SHORT + 1)]


@pytest.mark.parametrize(("function", "dtype"), crossed(FUNCTIONS, DTYPES), ids=lambda value: value.__name__)
def test_rows_side_by_side_give_what_numpy_gives(function, dtype):
    optimized = egc.optimize(function)
    for count, width in SIZES:
        for n in ROWS:
            x, c = ((RNG.normal(size=(k, width)) * 3).astype(dtype) for k in (n, count))
            x[n // 2, 0] = np.nan if dtype != np.int32 else 0
            tolerance = 2e-5 if dtype == np.float32 else 1e-12
            with np.errstate(invalid="ignore"):
                found, expected = optimized(x, c), function(x, c)
            pairs = zip(found, expected) if isinstance(expected, tuple) else [(found, expected)]
            for got, want in pairs:
                np.testing.assert_allclose(got, want, rtol=tolerance, atol=tolerance * 1e-3)


def test_rows_side_by_side_are_chosen_by_size():
    x, c = RNG.normal(size=(100, 8)), RNG.normal(size=(16, 8))
    code = egc.optimize(nearest).plan(x, c).compiled.code
    assert f"<= {SHORT_ROW} and" in code and f">= {LEAST_ROWS}" in code
    rows = egc.optimize(lambda x: np.exp(x - np.max(x, axis=1, keepdims=True))).plan(x).compiled.code
    assert f">= {LEAST_ROWS}" not in rows


def test_rows_of_stacks_do_not_mix():
    x, c = RNG.normal(size=(130, 5, 3)), RNG.normal(size=(130, 3))

    def spread(x, c):
        total = np.sum((x - c[:, None, :]) ** 2, axis=2)
        return np.sqrt(np.max(total, axis=1))

    np.testing.assert_allclose(egc.optimize(spread)(x, c), spread(x, c), rtol=1e-12)


def distances(x, c):
    return np.sqrt(np.sum((x[:, None, :] - c[None, :, :]) ** 2, axis=2))


def kernel_matrix(x, c):
    apart = np.sum(np.abs(x[:, None, :] - c[None, :, :]), axis=2)
    return np.exp(-apart) * x[:, :1] + c[:, 0], np.max(x[:, None, :] * c[None, :, :], axis=2)


def dominated(x, c):
    return np.all(x[:, None, :] > c[None, :, :], axis=2), np.sum(x[:, None, :] > c[None, :, :], axis=2)


@pytest.mark.parametrize(
    ("function", "dtype"), crossed([distances, kernel_matrix, dominated], DTYPES), ids=lambda value: value.__name__
)
def test_pairs_side_by_side_give_what_numpy_gives(function, dtype):
    optimized = egc.optimize(function)
    for count, width in [(1, 3), (3, 8), (5, SHORT), (70, 2), (4, SHORT + 1)]:
        for n in ROWS:
            x, c = ((RNG.normal(size=(k, width)) * 3).astype(dtype) for k in (count, n))
            tolerance = 2e-5 if dtype == np.float32 else 1e-12
            found, expected = optimized(x, c), function(x, c)
            pairs = zip(found, expected) if isinstance(expected, tuple) else [(found, expected)]
            for got, want in pairs:
                np.testing.assert_allclose(got, want, rtol=tolerance, atol=tolerance)


def test_rows_of_a_matrix_that_all_others_meet_run_side_by_side():
    x, c = RNG.normal(size=(100, 8)), RNG.normal(size=(90, 8))
    assert f"<= {SHORT} and" in egc.optimize(distances).plan(x, c).compiled.code


def differing(flags, others, x):
    unequal = flags[:, None, :] != others[None, :, :]
    return np.sum(np.where(unequal, 1.0, 0.0), axis=2) + x, np.any(unequal, axis=2)


def test_truth_values_run_side_by_side():
    optimized = egc.optimize(differing)
    for n in ROWS:
        flags, others = RNG.random((7, 5)) < 0.5, RNG.random((n, 5)) < 0.5
        for found, expected in zip(optimized(flags, others, np.arange(n)), differing(flags, others, np.arange(n))):
            np.testing.assert_array_equal(found, expected)


def remainders(x, c):
    return np.sum(x[:, None, :] % c[None, :, :], axis=2), np.max(x[:, None, :] // c[None, :, :], axis=2)


def test_rows_that_are_not_there_raise_nothing():
    optimized = egc.optimize(remainders)
    for n in ROWS:
        x, c = RNG.integers(-50, 50, (6, 4)), RNG.integers(1, 9, (n, 4))
        for found, expected in zip(optimized(x, c), remainders(x, c)):
            np.testing.assert_array_equal(found, expected)
