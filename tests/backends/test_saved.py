"""Laws of arguments that code changes where they lie, and that may fail: they are as NumPy leaves them."""

from __future__ import annotations

import numpy as np
import pytest

import egc
from tests.programs.programs import PROGRAMS

X = np.arange(12.0) ** 1.5


def scattered(x, places, values):
    for k in range(len(places)):
        x[places[k]] += values[k]


def two_arrays(x, places, values):
    for k in range(len(places)):
        values[k] = x[places[k]] * 0.5
        x[places[k]] = values[k] - 1.0
    return x.sum()


def exchanged(x, places, values):
    old, new = x, np.zeros(len(x))
    for k in range(len(places)):
        for i in range(len(x)):
            new[i] = old[len(x) - 1 - i] * values[k] + old[places[k]]
        old, new = new, old
    x[:] = old


def rows(x, places, values):
    for k in range(len(places)):
        x += values[k]
        x[places[k]] = 0.0


def refused(x, places, values):
    """Python's integers: the first is far too large for int64 in the end."""
    far = 1
    for k in range(len(places)):
        x[places[k]] += values[k]
        far = far * 3000000000 + int(places[k] > 7)
    return far


def until_negative(x, places, values):
    k = 0
    while x[places[k]] > 2.0:
        x[places[k]] -= values[k]
        k += 1
    return k


FUNCTIONS = [scattered, two_arrays, exchanged, rows, refused, until_negative]

PLACES = [[5, 3, -1, 3], [0, 11, -12, 1], [12, 1, 2, 3], [1, 2, 3, -13], [1, 50, 2, 2], [4, 4], [9]]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_arguments_are_as_numpy_leaves_them(function):
    optimized = egc.optimize(function, backend="numba")
    for places in map(np.array, PLACES):
        values = np.linspace(0.5, 1.5, len(places))
        plain, own = (X.copy(), places, values.copy()), (X.copy(), places, values.copy())
        try:
            expected = function(*plain)
        except IndexError as error:
            with pytest.raises(IndexError, match=str(error)):
                optimized(*own)
        else:
            found = optimized(*own)
            assert found == (pytest.approx(expected, rel=1e-13) if isinstance(expected, float) else expected)
        for a, b in zip(plain, own):
            np.testing.assert_allclose(b, a, rtol=1e-14)


@pytest.mark.parametrize("function", [scattered, two_arrays, refused])
def test_what_may_fail_works_in_place(function):
    code = egc.optimize(function, backend="numba").plan(X.copy(), np.array([3, 1]), np.ones(2)).compiled.code
    assert "x_saved = copied(x_)" in code and "allocate((n0" not in code and code.count("copy_to(pointer(x_)") >= 1


def test_arrays_of_any_elements_are_still_made():
    program = next(program for program in PROGRAMS if program.name == "haar")
    x = np.arange(16.0)
    plain = x.copy()
    egc.optimize(program.function, backend="numba")(x)
    program.function(plain)
    np.testing.assert_allclose(x, plain, rtol=1e-14)


def shifted_or_less(x, y, k):
    w = x.copy()
    if k[0] % 2 == 0:
        x[1:] = x[:-1]
    else:
        w[2:] -= y[:-2]
    return w


@pytest.mark.parametrize("k", [0, 1])
def test_a_result_in_the_memory_of_an_argument_is_copied_before_the_argument_comes_back(k):
    x, y, number = np.arange(5.0) + 1, np.arange(5.0) * 10, np.array([k])
    given, expected = x.copy(), x.copy()
    result = shifted_or_less(expected, y, number)
    np.testing.assert_array_equal(egc.optimize(shifted_or_less)(given, y, number), result)
    np.testing.assert_array_equal(given, expected)
