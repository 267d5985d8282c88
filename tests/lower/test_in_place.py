"""Arrays in the memory of others: values are NumPy's, and no array is copied where nothing needs its older version."""

from __future__ import annotations

import re

import numpy as np
import pytest

import egc


def columns(A):
    for j in range(1, A.shape[1]):
        A[:, j] += 0.5 * A[:, j - 1]
    return A


def recomputed(A):
    for j in range(2, A.shape[1], 2):
        A[:, j] = A[:, j - 1] + A[:, j - 2]
        A[1:, 0] = A[:-1, j - 1] + A[:-1, j - 2]
    return A


def distances(x):
    h = 1
    while h < len(x):
        for i in range(0, len(x), 2 * h):
            for j in range(i, i + h):
                a, b = x[j], x[j + h]
                x[j], x[j + h] = a + b, a - b
        h *= 2
    return x


def twice(u, steps):
    for _ in range(steps):
        u[1:-1] = 0.5 * (u[:-2] + u[2:])
    u[0] = u[1]
    for i in range(1, len(u)):
        u[i] += 0.25 * u[i - 1] * u[i - 1]
    return u


def borders(u, v, steps):
    for _ in range(steps):
        v[:, 0] = 1.0
        for j in range(1, u.shape[0]):
            v[:, j] = u[j] - 0.5 * v[:, j - 1]
        u[:, 0] = 1.0
        u[:, -1] = 2.0
        for j in range(1, u.shape[0]):
            u[:, j] = v[j] - 0.25 * u[:, j - 1]
    return u + v


def same(function, *arguments):
    optimized = egc.optimize(function, backend="numba")
    for number in range(3):
        own = [np.array(a) + 0.1 * number if isinstance(a, np.ndarray) else a for a in arguments]
        others = [a.copy() if isinstance(a, np.ndarray) else a for a in own]
        np.testing.assert_allclose(optimized(*own), function(*others), rtol=1e-10, atol=1e-12)
        for a, b in zip(own, others):
            np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-12)
    return optimized


@pytest.mark.parametrize("shape", [(1, 1), (1, 4), (4, 1), (3, 2), (2, 3), (5, 9), (9, 12)])
@pytest.mark.parametrize("function", [columns, recomputed])
def test_columns_are_written_beside_those_that_are_read(function, shape):
    same(function, np.random.default_rng(0).normal(size=shape))


@pytest.mark.parametrize("size", [1, 2, 3, 6, 17])
def test_borders_and_columns_in_turn(size):
    random = np.random.default_rng(1)
    same(borders, random.normal(size=(size, size)), random.normal(size=(size, size)), 3)


@pytest.mark.parametrize("size", [3, 4, 20])
def test_one_loop_after_the_other(size):
    same(twice, np.random.default_rng(2).normal(size=size), 3)


def test_distances_that_grow_are_one_program():
    optimized = egc.optimize(distances, backend="numba")
    for power in range(1, 8):
        x = np.random.default_rng(power).normal(size=2**power)
        np.testing.assert_allclose(optimized(x.copy()), distances(x.copy()), rtol=1e-12)
    assert optimized.statistics.compilations <= 5 and not optimized.statistics.as_written
    for size in (6, 10):
        with pytest.raises(IndexError):
            optimized(np.zeros(size))


def copies(code):
    """The loops of a function that copy elements of one array to the same places of another one."""
    return re.findall(r"(v\w+) = p\d+\[(.*)\]\n +p\d+\[\2\] = \1\n", code)


@pytest.mark.parametrize(
    "function, arguments",
    [
        (columns, (np.ones((30, 30)),)),
        (distances, (np.ones(64),)),
        (borders, (np.ones((40, 40)), np.ones((40, 40)), 5)),
    ],
)
def test_no_array_is_copied(function, arguments):
    code = egc.optimize(function, backend="numba").plan(*arguments).compiled.code
    assert len(copies(code)) <= len([a for a in arguments if isinstance(a, np.ndarray)])
    assert not any("_i" in place for _, place in copies(code))
