"""Laws of sums over few elements inside of loops: one after the other where all loops are short, in blocks where one is not."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

import egc

X = np.random.default_rng(5).normal(size=(700, 150))


def means(x, a, b):
    out = np.zeros((x.shape[0] // a, x.shape[1] // b))
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            total = 0.0
            for p in range(i * a, (i + 1) * a):
                for q in range(j * b, (j + 1) * b):
                    total += x[p, q]
            out[i, j] = total / (a * b)
    return out


def convolved(x, w):
    out = np.zeros((x.shape[0] - w.shape[0] + 1, x.shape[1] - w.shape[1] + 1))
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            for p in range(w.shape[0]):
                for q in range(w.shape[1]):
                    out[i, j] += x[i + p, j + q] * w[p, q]
    return out


@cache
def optimized(function):
    return egc.optimize(function, backend="numba")


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("a, b", [(1, 1), (2, 3), (12, 12), (13, 2), (2, 13), (300, 149)])
def test_sums_over_few_and_many_elements_agree_with_the_function(a, b, dtype):
    x = X.astype(dtype)
    rounding = 4 * np.finfo(dtype).eps * np.max(np.abs(X))
    np.testing.assert_allclose(optimized(means)(x, a, b), means(x.astype(float), a, b), rtol=0, atol=rounding)


def test_few_elements_are_summed_without_pieces():
    assert "<= 12 and " in optimized(convolved).plan(X[:40, :30].copy(), X[300:302, :5].copy()).compiled.code


@pytest.mark.parametrize("shape", [(2, 2), (2, 5), (5, 2), (17, 3), (3, 17), (12, 12)])
def test_windows_that_overlap_are_read_where_they_lie(shape):
    for x in (X[:40, :30].copy(), X[:30, :140].copy(), X[:17, :17].copy()):
        w = X[300 : 300 + shape[0], : shape[1]].copy()
        np.testing.assert_allclose(optimized(convolved)(x, w), convolved(x, w), rtol=1e-10, atol=1e-13)
