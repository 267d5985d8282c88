"""Direct calls that change arguments: machine code writes to them, and nothing else is different."""

import gc
import sys

import numpy as np
import pytest
from numba.core.runtime import _nrt_python, rtsys

import egc

from .sampling import crossed
from .test_direct import check, direct


def steps(x, y, n):
    for i in range(1, len(x)):
        x[i] += y[i] * x[i - 1]
    y[...] = n * x


def laid_out():
    """Arrays of shape (4, 5) whose elements lie in memory in every way."""
    plain = np.arange(20.0).reshape(4, 5)
    yield plain.copy()
    yield np.asfortranarray(plain)
    yield np.repeat(plain, 2, axis=1)[:, ::2]
    yield plain[::-1, ::-1].copy()[::-1, ::-1]
    yield np.tile(plain, (1, 3))[:, 5:10]


def test_loops_with_several_results_are_called_directly():
    def function(x):
        total = 0.0
        for i in range(len(x)):
            x[i] += total
            total = total + x[i]
        return total

    check(function, np.arange(5.0))


@pytest.mark.parametrize(("first", "second"), crossed(range(5), range(5), 2))
def test_arguments_are_written_wherever_their_elements_lie(first, second):
    def function(x, y):
        x *= y
        y[1:] = x[:-1]

    x, y = list(laid_out())[first], list(laid_out())[second]
    optimized = direct(function, (x.copy(), y.copy()), (x, y))
    given = [x[...], np.array(x), y[...], np.array(y)]
    assert optimized(given[0], given[2]) is None
    function(given[1], given[3])
    assert np.array_equal(given[0], given[1]) and np.array_equal(given[2], given[3])


def test_results_that_are_also_written_are_arrays_of_their_own():
    def function(x):
        y = np.exp(x)
        x[...] = y
        return y

    optimized = egc.optimize(function)
    for _ in range(3):
        got = optimized(x := np.arange(4.0))
        assert np.array_equal(got, x) and not np.may_share_memory(got, x)


def test_arrays_without_axes_and_without_elements_are_written():
    def function(x, y):
        x[...] += 1
        y[...] = y * x

    check(function, np.array(2.0), np.arange(3.0))
    check(function, np.array(2.0), np.zeros((0, 3)))


def test_arguments_that_share_memory_with_one_that_is_written_are_what_numpy_takes_them_for():
    def function(x, y):
        x[1:] += y[:-1]
        return np.sum(y)

    def pairs():
        whole = np.arange(24.0)
        yield whole[:8], whole[4:12]
        yield whole[4:12], whole[:8]
        yield whole[::3], whole[1::3]
        yield whole[16:8:-1], whole[5:13]
        yield whole, whole

    optimized = direct(function, (np.arange(8.0), np.ones(8)))
    del optimized._call
    for (x, y), (other_x, other_y) in zip(pairs(), pairs()):
        assert optimized(x, y) == function(other_x, other_y)
        assert np.array_equal(x, other_x) and np.array_equal(y, other_y)


def test_arguments_beside_each_other_in_memory_are_apart():
    x, y, whole = np.arange(8.0), np.ones(8), np.arange(16.0)
    direct(steps, (x, y, 2.0))(whole[:8], whole[8:], 2.0)
    want = np.arange(16.0)
    steps(want[:8], want[8:], 2.0)
    assert np.array_equal(whole, want)


@pytest.mark.parametrize("size", [3, 1000, 10**5])
def test_writes_leave_no_references_and_no_memory_behind(size):
    _nrt_python.memsys_enable_stats()
    x, y = np.zeros(size), np.ones((2, size)).T[:, 0]
    optimized = direct(steps, (x, y, 2.0))
    watched = [x, y, x.dtype, np.ndarray, None]

    def counts():
        gc.collect()
        stats = rtsys.get_allocation_stats()
        return [sys.getrefcount(value) for value in watched], stats.mi_alloc - stats.mi_free

    before = counts()
    for _ in range(60):
        assert optimized(x, y, 2.0) is None
    after = counts()
    assert before[1] == after[1] and all(abs(a - b) < 20 for a, b in zip(before[0], after[0]))


def test_what_fails_writes_nothing():
    def function(x, i):
        x += 1
        return x[i]

    x, indices = np.arange(4.0), np.array([0, 1])
    optimized = direct(function, (x.copy(), indices))
    del optimized._call
    with pytest.raises(IndexError):
        optimized(x, np.array([9, 0]))
    assert np.array_equal(x, np.arange(4.0) + 1)
    assert egc.optimize(function)(x, indices).shape == (2,)


@pytest.mark.parametrize("number", range(5))
def test_views_of_what_is_written_are_results(number):
    def function(x):
        x[1:] += x[:-1]
        return x.T, x[1:, ::2], x.shape[1]

    x = list(laid_out())[number]
    optimized = direct(function, (x.copy(order="K"),), (x,))
    given, plain = np.array(x, order="K"), np.array(x, order="K")
    found, expected = optimized(given), function(plain)
    for ours, theirs in zip(found, expected, strict=True):
        assert np.array_equal(ours, theirs)
    assert np.array_equal(given, plain)
    assert all(np.shares_memory(each, given) for each in found[:2])
    assert "result.T" in egc.optimize(function).explain(np.ones((4, 5))).after


def test_elements_of_what_is_written_are_results():
    def last(x):
        for i in range(1, len(x)):
            x[i] += 0.5 * x[i - 1]
        return x[-1]

    def several(x, k):
        x[1:] *= 0.5
        y = x + x[k]
        y[0] = 7.0
        return x[k], float(x[0]), y, y[-1], y[0]

    check(last, np.arange(5.0))
    check(several, np.arange(5.0), 2)
    check(several, np.arange(5.0), -1)
