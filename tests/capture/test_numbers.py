"""Numbers that are Python's: integers without bounds, exceptions, and those that are NumPy's in other cases."""

from __future__ import annotations

import numpy as np
import pytest

import egc
from egc.capture import capture
from tests.capture.test_flow import X, assert_same, ops
from tests.capture.test_names import written_as


def factorial(count):
    product = 1
    for k in range(1, count + 1):
        product *= k
    return float(product)


def fibonacci(count):
    a, b = 0, 1
    for _ in range(count):
        a, b = b, a + b
    return a % 1000


def power(count):
    return count**40 % 7 + 2**count % 5


def shifted(count):
    return (int(float(count)) << count) % 7


def remainders(count):
    found = 0
    for _ in range(5):
        count = (1103515245 * count + 12345) % 2**31
        found += count
    return found


def product(count):
    return np.ones(2) * (count * 31 % 7)


@pytest.mark.parametrize("function", [factorial, fibonacci, power, shifted, remainders, product])
def test_integers_of_python_have_no_bounds(function):
    for count in (2, 5, 20, 25, 61, 64, 90, 93, 120):
        written_as(function, count)
    for count in (2**31 - 1, 2**31 + 1, 2**62):
        if function in (remainders, product):
            written_as(function, count)


def test_what_cannot_be_too_large_is_not_checked():
    def f(x):
        count, state = 0, 7
        for i in range(len(x)):
            if x[i] > 0.0:
                count += 1
            state = (1103515245 * state + 12345) % 2**31
            x[i] = state % 10 + count
        return state % 7 * len(x), int(np.argmax(x)) * 5, count + 1

    assert not capture(remainders, (5,)).checks
    assert not capture(f, (X.copy(),)).checks
    assert ops(remainders, 5).count("loop") == 1


def selected(x):
    total = 0.0
    for e in x:
        if e > 5.0:
            total += e
    return total


def quotient(x):
    return x[0] / 2.0 + 1.0 / selected(x)


def single_precision(x):
    return x.astype(np.float32) * selected(x)


def integer_or_not(x):
    total = 0
    if x[0] > 5.0:
        total = x.sum()
    return np.sin(-total + 1) * x


@pytest.mark.parametrize("function", [quotient, single_precision, integer_or_not])
@pytest.mark.parametrize("first", [3.0, 7.0])
def test_a_number_is_pythons_in_one_case_and_numpys_in_another(function, first):
    x = np.array([first, 1.0, 2.0])
    written_as(function, x)
    result = function(x) if first > 5.0 or function is not quotient else None
    if result is not None:
        found = written_as(function, x)(x)
        assert np.asarray(found).dtype == np.asarray(result).dtype


def test_a_number_is_numpys_where_each_iteration_makes_it_so():
    def f(x):
        total = 0.0
        for e in x:
            total += e
        return x.astype(np.float32) * total, 1.0 / (total - total)

    with np.errstate(all="ignore"):
        assert_same(f, X)


def test_a_loop_over_nothing_changes_no_number():
    def f(x):
        total = 0.0
        for e in x[:0]:
            total += e
        return total

    assert_same(f, X)
    assert_same(f, X[:0])


@pytest.mark.parametrize("backend", ["reference", "numba", "jax"])
def test_a_number_that_is_returned_keeps_its_type(backend):
    def f(x):
        for e in (0.5, -1.0):
            if x[0] * e > 1.0:
                return float(e)
        if x[0] > 0.0:
            return 1
        return bool(x[0] < -0.5)

    optimized = egc.optimize(f, backend=backend)
    for first in (4.0, 1.0, -0.2, -0.9, -4.0):
        ours, theirs = optimized(np.array([first])), f(np.array([first]))
        assert type(ours) is type(theirs) and ours == theirs


@pytest.mark.parametrize("start", [0.0, 0, 1.5])
def test_a_sum_that_begins_as_pythons_number_takes_the_arrays_dtype(start):
    def total(x):
        s = start
        for k in range(len(x)):
            s += x[k] * x[k]
        return s

    optimized = egc.optimize(total, backend="reference")
    for dtype in (np.float32, np.float64):
        for n in (1, 2, 40, 300):
            x = np.linspace(-1.0, 1.0, n).astype(dtype)
            ours, theirs = optimized(x), total(x)
            assert type(ours) is type(theirs)
            np.testing.assert_allclose(ours, theirs, rtol=1e-5 if dtype == np.float32 else 1e-13)
    assert not optimized.statistics.as_written
    assert optimized.statistics.compilations <= 4
