"""Loops over numbers that Python's types hold and code's do not: then the function runs as written, and else as one loop."""

from __future__ import annotations

import numpy as np
import pytest

import egc


def powers(x, base):
    y = x.copy()
    for k in range(len(x)):
        y[k] = max(y[k], base ** (k - 3.0))
    return y


def products(factors, start):
    total, number = start, start
    for k in range(len(factors)):
        number = number * 3 + k
        total = total + number % 7
    return total, number


def rows(x, limit):
    """An inner loop that would not end for numbers that have wrapped around."""
    found = 0
    for k in range(len(x)):
        n = limit + k
        while n > 1:
            n = n // 2
            found += 1
        limit = limit * 5
    return found, limit


def summed(x, first, step):
    total = np.float64(0.0)
    for k in range(first, len(x), step):
        total += x[k]
    return total


def agree(function, *arguments):
    optimized = egc.optimize(function, backend="numba")
    try:
        expected = function(*arguments)
    except Exception as error:
        with pytest.raises(type(error)):
            optimized(*arguments)
    else:
        found = optimized(*arguments)
        assert type(found) is type(expected)
        np.testing.assert_allclose(np.array(found, dtype=float), np.array(expected, dtype=float), rtol=1e-12)
        if isinstance(expected, tuple):
            assert found == expected
    return optimized


@pytest.mark.parametrize(
    "length, base", [(0, 2.0), (4, 0.5), (300, 1.5), (300, 1e3), (3, 0.0), (9, -2.0), (5, float("inf"))]
)
def test_powers_that_are_too_large(length, base):
    agree(powers, np.linspace(-1.0, 1.0, length), base)


@pytest.mark.parametrize("length", [0, 1, 30, 39, 40, 41, 80])
def test_integers_that_are_too_large(length):
    agree(products, np.zeros(length), 5)
    agree(rows, np.zeros(length), 3)


@pytest.mark.parametrize("first, step", [(0, 1), (2, 3), (-3, 2), (50, 1), (0, 2**40), (1, 2**62), (3, -1), (0, 0)])
def test_steps_of_data(first, step):
    def of_data(x, places):
        return summed(x, int(places[0]), int(places[1]))

    agree(of_data, np.arange(9.0), np.array([first, step]))


def test_a_loop_that_goes_on_is_an_array_expression():
    code = egc.optimize(powers, backend="numba").plan(np.ones(50), 1.25).compiled.code
    assert "break" not in code
