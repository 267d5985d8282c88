"""Laws of indices that are values, in loops: NumPy's meaning and exceptions, looked at once or ahead of the loop."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

import egc

X = np.arange(50.0) ** 1.5


def shifted(x, start, count):
    y = x.copy()
    for i in range(count):
        y[start + i] += y[i] * 0.5
    return y


def falling(x, start, count):
    y = x.copy()
    for i in range(count):
        if y[i] > 3.0:
            y[start - i] = y[start - i] + y[i]
    return y


def by_twos(x, start, count):
    total = 0.0
    for i in range(count):
        total = total * 0.5 + x[start + 2 * i]
    return total


CASES = [
    (0, 50),
    (3, 47),
    (3, 48),
    (-5, 20),
    (-5, 50),
    (-50, 10),
    (-51, 3),
    (49, 50),
    (49, 51),
    (49, 1),
    (50, 1),
    (20, 0),
    (99, 0),
]


@cache
def both_ways(function):
    """The function of two numbers, and of an array of them."""
    of_data = egc.optimize(lambda x, places: function(x, places[0], places[1]), backend="numba")
    return egc.optimize(function, backend="numba"), of_data


@pytest.mark.parametrize("function", [shifted, falling, by_twos])
@pytest.mark.parametrize("start, count", CASES)
def test_an_index_that_moves_is_numpys_inside_and_outside(function, start, count):
    optimized, of_data = both_ways(function)
    places = np.array([start, count])
    for call in (lambda: optimized(X, start, count), lambda: of_data(X, places)):
        try:
            expected = function(X, start, count)
        except IndexError:
            with pytest.raises(IndexError):
                call()
        else:
            np.testing.assert_allclose(call(), expected, rtol=1e-13)


def test_a_loop_whose_ends_are_inside_does_not_look_at_indices():
    of_data = egc.optimize(lambda x, places: shifted(x, places[0], places[1]), backend="numba")
    code = of_data.plan(X, np.array([3, 5])).compiled.code
    fast, slow = code.split("if w_i1:")[1].split("else:")[:2]
    assert "raise" not in fast and "raise" in slow


def every(x, start, step):
    y = x.copy()
    y[start::step] = 0.5 + y[start::step] * y[start::step]
    y[start::step] += 1.0
    return y[start::step].sum(), y


def strides(x, start, step):
    y = x.copy()
    for i in range(10):
        y[start + i * step] += x[i]
    return y


STEPS = [(0, 1), (3, 5), (49, 1), (49, 60), (60, 2), (-7, 3), (-60, 4), (0, 2**40), (0, 2**62 + 1), (3, -1), (45, -5)]


@pytest.mark.parametrize("function", [every, strides])
@pytest.mark.parametrize("start, step", STEPS)
def test_steps_of_data_are_numpys_inside_and_outside(function, start, step):
    _, of_data = both_ways(function)
    places = np.array([start, step])
    try:
        expected = function(X, *map(int, places))
    except IndexError:
        with pytest.raises(IndexError):
            of_data(X, places)
    else:
        found = of_data(X, places)
        for a, b in zip(found, expected) if isinstance(expected, tuple) else [(found, expected)]:
            np.testing.assert_allclose(a, b, rtol=1e-13)


def test_a_slice_with_steps_of_data_is_written_without_looking():
    of_data = egc.optimize(lambda x, places: every(x, places[0], places[1]), backend="numba")
    code = of_data.plan(X, np.array([3, 5])).compiled.code
    fast = code.split("if w_i1:")[1].split("else:")[0]
    assert "raise" not in fast and "9.2e+18" not in code


def test_an_index_is_looked_at_once():
    def add_at(x, places):
        y = x.copy()
        for k in range(len(places)):
            y[places[k]] += y[places[k]] * 0.5
        return y

    optimized = egc.optimize(add_at, backend="numba")
    places = np.array([3, -1, 3, 49, -50, 0])
    assert optimized.plan(X, places).compiled.code.count("raise IndexError") == 1
    np.testing.assert_allclose(optimized(X, places), add_at(X, places), rtol=1e-14)
    for wrong in (50, -51):
        with pytest.raises(IndexError):
            optimized(X, np.array([3, wrong]))


def test_an_index_looked_at_in_one_branch_is_looked_at_in_the_other():
    def chosen(x, places):
        y = x.copy()
        for k in range(len(places)):
            if x[k] > 20.0:
                y[places[k]] += 1.0
            else:
                y[places[k] - 1] *= 2.0
            y[places[k]] *= 3.0
        return y

    optimized = egc.optimize(chosen, backend="numba")
    places = np.arange(-20, 20)
    np.testing.assert_allclose(optimized(X, places), chosen(X, places), rtol=1e-14)
    for k in (0, 39):
        wrong = places.copy()
        wrong[k] = 51
        with pytest.raises(IndexError):
            optimized(X, wrong)
