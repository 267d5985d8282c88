"""What generated code of loops does not do: copy columns, ask for memory in each iteration, divide by powers of two."""

from __future__ import annotations

import re

import numpy as np
import pytest

import egc

RANDOM = np.random.default_rng(5)


def code_of(function, *arguments):
    return egc.optimize(function).plan(*arguments).compiled.code


def agree(function, *arguments):
    optimized = egc.optimize(function)
    ours, theirs = ([a.copy() if isinstance(a, np.ndarray) else a for a in arguments] for _ in range(2))
    found, expected = optimized(*ours), function(*theirs)
    for a, b in zip((*found, *ours), (*expected, *theirs)):
        np.testing.assert_allclose(a, b, rtol=1e-12, equal_nan=True)
    assert optimized.statistics.as_written == 0


def residuals(X, r, penalty):
    """Columns that only one branch reads."""
    for j in range(X.shape[1]):
        z = r[j] * X[j, j]
        if z > penalty:
            r -= z * X[:, j]
        else:
            r += X[::-1, j]
    return (r,)


def columns_of_the_changed(X, penalty):
    """The branch changes what it reads a column of."""
    for j in range(X.shape[1] - 1):
        if X[j, j] > penalty:
            X[:, j + 1] -= X[:, j]
            X[0] += X[:, j]
        else:
            X[:, j] += 1.0
    return (X,)


@pytest.mark.parametrize("penalty", [-np.inf, 0.0, np.nan])
def test_branches_read_columns_in_place(penalty):
    X, r = RANDOM.normal(size=(6, 6)), RANDOM.normal(size=6)
    assert "as_contiguous" not in code_of(residuals, X, r, penalty)
    agree(residuals, X, r, penalty)
    agree(columns_of_the_changed, X, penalty)


def pairs(x, forces, rate):
    """What is made for all later ones of each element."""
    n = len(x)
    for _ in range(3):
        for i in range(n):
            for j in range(i + 1, n):
                pull = rate / np.sqrt((x[i] - x[j]) ** 2 + 0.1)
                forces[i] -= pull * x[j]
                forces[j] += pull * x[i]
            for j in range(i):
                pull = rate / np.sqrt((x[i] + x[j]) ** 2 + 0.1)
                forces[i] += pull * x[j]
                forces[j] -= pull * x[i]
        x += 0.1 * forces
    return x, forces


def test_memory_of_iterations_is_made_once():
    compiled = egc.optimize(pairs).plan(RANDOM.normal(size=500), np.zeros(500), 0.5).compiled
    loops, driver = compiled.code.split("def run(")
    assert "allocate(" not in loops and re.search(r"size_(\d+) = n0 - 1\n[^$]*max\(0, size_\1\)", driver)
    for length in (2, 3, 9, 70):
        x = RANDOM.normal(size=length)
        expected = pairs(x.copy(), np.zeros(length), 0.5)
        own = x.copy(), np.zeros(length)
        arrays = [*own, *(each for each in compiled.run(*own, 0.5) if np.ndim(each))]
        for wanted in expected:
            assert any(np.allclose(found, wanted, rtol=1e-10) for found in arrays)
    for length in (0, 1, 5):
        agree(pairs, RANDOM.normal(size=length), np.zeros(length), 0.5)


DTYPES = [np.dtype(kind + size) for kind in "iu" for size in "1248"]


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_divisions_by_powers_of_two(dtype):
    limits = np.iinfo(dtype)
    x = np.array([0, 1, 2, 3, 7, 63, limits.min, limits.min + 1, limits.max, limits.max - 1], dtype)
    x = np.concatenate([x, (dtype.type(0) - x)])

    def function(x):
        return x // 1, x % 1, x // 2, x % 2, x // 64, x % 64, x // 3, x % 3

    agree(function, x)
    assert all(each.dtype == dtype for each in egc.optimize(function)(x))


def test_divisions_in_loops():
    def function(x):
        steps = np.zeros(len(x), dtype=np.int64)
        for i in range(len(x)):
            n = x[i]
            while n != 1 and n != -1 and n != 0:
                n = n // 2 if n % 2 == 0 else (n + 1) // 4 - n % 4
                steps[i] += 1
                if steps[i] > 50:
                    break
        return (steps,)

    agree(function, np.arange(-40, 40))
