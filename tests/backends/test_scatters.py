"""Writes into places that data choose, one after the other: each starts from what the one before has made."""

import numpy as np
import pytest

import egc

K, J = np.array([0, 2, 2]), np.array([2, 1, 0])


def one_place_each(x, w, k, j):
    x = x.copy()
    x[k[0]] += w[0]
    x[k[1]] += w[1]
    x[k[2]] *= w[2]
    return x


def two_arrays(x, w, k, j):
    x, y = x.copy(), 2.0 * x
    for i in range(3):
        x[k[i]] += w[i]
        y[j[i]] -= x[k[i]]
    return x, y


def many_places(x, w, k, j):
    x = np.exp(x)
    x[j] += w
    x[k[:2]] = x[k[1:]] * w[:2]
    x[j] -= np.sqrt(w)
    return x, np.sum(x)


def rows(x, w, k, j):
    table = np.outer(x, w)
    table[k[0]] += w
    table[:, j[1]] += x
    table[k[2], j] -= w
    return table


@pytest.mark.parametrize("function", [one_place_each, two_arrays, many_places, rows])
def test_writes_follow_one_another(function, monkeypatch):
    monkeypatch.setenv("EGC_RAISE", "1")
    given = np.array([0.5, 1.0, -0.3, 2.0]), np.array([1.0, 2.0, 3.0]), K, J
    found, expected = egc.optimize(function, backend="numba")(*given), function(*given)
    for one, other in zip(*(each if isinstance(each, tuple) else (each,) for each in (found, expected))):
        np.testing.assert_allclose(one, other, rtol=1e-13)
