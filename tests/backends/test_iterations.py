"""Laws of loops in functions whose iterations threads share: they are independent, and give what they give one by one."""

from __future__ import annotations

import math

import numpy as np
import pytest

import egc
from egc.backends.numba.threads import set_num_threads, started

pytestmark = pytest.mark.usefixtures("threads_are_worth_their_start")

RNG = np.random.default_rng(11)
X = RNG.normal(size=(300, 130))
N = RNG.integers(1, 40, size=(300, 130))


def steps_to_one(k):
    count = 0
    while k != 1 and count < 500:
        k = k // 2 if k % 2 == 0 else 3 * k + 1
        count += 1
    return count


def rows(x, n):
    out = np.zeros(n.shape, dtype=np.int64)
    for i in range(n.shape[0]):
        for j in range(n.shape[1]):
            out[i, j] = steps_to_one(n[i, j])
    return out


def inner_points(x, n):
    out = np.zeros(n.shape, dtype=np.int64)
    for i in range(1, n.shape[0] - 1):
        for j in range(1, n.shape[1] - 1):
            out[i, j] = steps_to_one(n[i - 1, j + 1])
    return out


def columns(x, n):
    out = np.zeros(n.shape, dtype=np.int64)
    for j in range(n.shape[1]):
        for i in range(n.shape[0]):
            out[i, j] = steps_to_one(n[i, j])
    return out


def triangle(x, n):
    out = np.zeros((n.shape[0], n.shape[0]), dtype=np.int64)
    for i in range(n.shape[0]):
        for j in range(i):
            out[i, j] = steps_to_one(n[i, 0] + n[j, 1])
    return out


def with_memory_of_its_own(x, n):
    out = np.zeros(x.shape[0])
    for i in range(x.shape[0]):
        row = x[i].copy()
        for _k in range(3):
            for j in range(1, row.shape[0]):
                if row[j] < row[j - 1]:
                    row[j], row[j - 1] = row[j - 1], row[j]
        out[i] = row[0] - row[-1]
    return out


def changed_where_it_is(x, n):
    y = x.copy()
    for i in range(y.shape[0]):
        for j in range(1, y.shape[1]):
            if y[i, j] > 0:
                y[i, j] += math.sin(y[i, j - 1])
    return y


def roots(x, n):
    out = np.zeros(x.shape)
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            value, k = float(x[i, j]), 0
            while value > 0.5 and k < 9:
                value = math.sqrt(value)
                k += 1
            out[i, j] = math.sqrt(value + 4.0) / k if k > 0 else value
    return out


def forces_in_time(x, n):
    position = x.reshape(-1)[:400].copy()
    for _step in range(9):
        force = np.zeros_like(position)
        for i in range(len(position)):
            for j in range(len(position)):
                if j != i and abs(position[i] - position[j]) > 0.01:
                    force[i] += 1.0 / (position[i] - position[j])
        position = position + 0.001 * force
    return position


SHARED = [
    rows, inner_points, columns, triangle, with_memory_of_its_own, changed_where_it_is, roots, forces_in_time
]  # fmt: skip


@pytest.mark.parametrize("function", SHARED)
def test_results_do_not_depend_on_the_number_of_threads(function):
    optimized = egc.optimize(function, backend="numba")
    assert "run_phase(wrows_0" in optimized.plan(X, N).compiled.code
    before, expected = started(), function(X, N)
    set_num_threads(1)
    first = optimized(X, N)
    np.testing.assert_allclose(first, expected, rtol=1e-12)
    for threads in (2, 5):
        set_num_threads(threads)
        for _ in range(5):
            assert optimized(X, N).tobytes() == first.tobytes()
    assert started() > before
    for size in (1, 2, 3) if function in (rows, triangle, roots) else (2, 3):
        np.testing.assert_allclose(
            optimized(X[:size, :size].copy(), N[:size, :size].copy()),
            function(X[:size, :size], N[:size, :size]),
            rtol=1e-12,
        )


def from_the_row_before(x, n):
    out = x.copy()
    for i in range(1, x.shape[0]):
        for j in range(x.shape[1]):
            if out[i - 1, j] > 0:
                out[i, j] = math.cos(out[i - 1, j])
    return out


def into_the_next_row(x, n):
    out = x.copy()
    for i in range(x.shape[0] - 1):
        for j in range(x.shape[1]):
            if x[i, j] > 0:
                out[i, j] += 1.0
                out[i + 1, j] *= 2.0
    return out


def along_the_diagonal(x, n):
    out = np.zeros(x.shape[0] + x.shape[1])
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            if x[i, j] > 0:
                out[i + j] += math.exp(x[i, j])
    return out


def where_data_says(x, n):
    out = np.zeros(200)
    for i in range(n.shape[0]):
        for j in range(n.shape[1]):
            if x[i, j] > 0:
                out[n[i, j]] += x[i, j]
    return out


def with_a_running_number(x, n):
    out, total = np.zeros(x.shape), 0.0
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            if x[i, j] > 0:
                total = math.sin(total + x[i, j])
            out[i, j] = total
    return out


@pytest.mark.parametrize(
    "function", [from_the_row_before, into_the_next_row, along_the_diagonal, where_data_says, with_a_running_number]
)
def test_iterations_that_need_each_other_are_not_shared(function):
    optimized = egc.optimize(function, backend="numba")
    assert "rows_0" not in optimized.plan(X, N).compiled.code
    set_num_threads(4)
    np.testing.assert_allclose(optimized(X, N), function(X, N), rtol=1e-12)


def test_an_exception_in_one_iteration_is_that_of_the_function():
    def picked(x, n):
        out = np.zeros(n.shape)
        for i in range(n.shape[0]):
            for j in range(n.shape[1]):
                if n[i, j] > 3:
                    out[i, j] = math.sqrt(x[n[i, j]])
        return out

    values, n = np.arange(200.0), N.copy()
    optimized = egc.optimize(picked, backend="numba")
    set_num_threads(3)
    np.testing.assert_array_equal(optimized(values, n), picked(values, n))
    n[35, 3] = 200
    with pytest.raises(IndexError):
        optimized(values, n)
    n[35, 3] = 7
    values[7] = -1.0
    with pytest.raises(ValueError, match="math domain error"):
        optimized(values, n)


def test_arguments_are_as_the_function_leaves_them_when_it_fails():
    def inverted(x):
        for i in range(x.shape[0]):
            for j in range(x.shape[1]):
                if x[i, j] != 1.0:
                    x[i, j] = 1.0 / float(x[i, j])

    optimized = egc.optimize(inverted, backend="numba")
    x = X.copy()
    x[30, 4] = 0.0
    changed = x.copy()
    with pytest.raises(ZeroDivisionError):
        inverted(changed)
    set_num_threads(4)
    with pytest.raises(ZeroDivisionError):
        optimized(x)
    np.testing.assert_array_equal(x, changed)
