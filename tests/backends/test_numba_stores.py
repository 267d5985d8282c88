"""Arguments that a function changes are changed where they lie, and as NumPy changes them."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest

import egc


def exchanged(a, b, steps):
    for _ in range(steps):
        b[1:-1] = 0.5 * (a[:-2] + a[2:])
        a, b = b, a


def relaxed(a, steps):
    for _ in range(steps):
        a[1:-1] = 0.5 * (a[:-2] + a[2:])


def both_of_each(a, b, steps):
    for _ in range(steps):
        kept = a.copy()
        a[:] = b * 2.0
        b[:] = kept + 1.0


def elementwise(a, b):
    a += b * 2.0
    b *= a


def into(a, b):
    np.add(a, 1.0, out=b)


def returned(a):
    a *= 2.0
    return a


def centered(a):
    a -= a.mean()


def normalized_rows(a):
    for i in range(a.shape[0]):
        a[i] /= a[i].sum()


def element_by_element(a):
    for i in range(1, a.shape[0]):
        a[i] -= 0.5 * a[i - 1]


def branched(a, threshold):
    if a[0] > threshold:
        a *= 2.0
    else:
        a[1:3] = 0.0


def a_copy_of_the_new(a):
    a *= 2.0
    return a.copy()


def a_copy_of_the_old(a):
    before = a.copy()
    a[:] = a * 3.0
    return before


def a_part_of_the_old(a):
    before = a[2:5] * 1.0
    a[:] = 0.0
    return before


def shifted(a):
    a[1:] = a[:-1]


def turned(a):
    a[:] = a[::-1].copy()


def mirrored(a):
    a += a.T


def mean_of_neighbours(a, b):
    b[1:-1] = a[:-2] + a[2:]
    a[1:-1] = b[:-2] + b[2:]


def row(n: int = 20, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=n)


def square() -> np.ndarray:
    return np.random.default_rng(1).normal(size=(6, 6))


CHANGED: list[tuple[Any, tuple[Any, ...], int]] = [
    (exchanged, (row(), row(seed=1), 3), 2), (exchanged, (row(), row(seed=1), 4), 2), (relaxed, (row(), 3), 1),
    (both_of_each, (row(), row(seed=1), 3), 2), (elementwise, (row(), row(seed=1)), 2), (into, (row(), row(seed=1)), 1),
    (returned, (row(),), 1), (centered, (row(),), 1), (normalized_rows, (square(),), 1), (element_by_element, (row(),), 1),
    (returned, (square(),), 1),
]  # fmt: skip
"""Functions, arguments, and how many of these are changed where they lie."""

OTHERS: list[tuple[Any, tuple[Any, ...]]] = [
    (a_copy_of_the_new, (row(),)), (a_copy_of_the_old, (row(),)), (a_part_of_the_old, (row(),)), (shifted, (row(),)),
    (turned, (row(),)), (mirrored, (square(),)), (mean_of_neighbours, (row(), row(seed=1))), (branched, (row(), 0.0)),
    (branched, (row(), 9.0)), (normalized_rows, (np.asfortranarray(square()),)), (normalized_rows, (square()[::2],)),
]  # fmt: skip


def require_equal_calls(function: Any, optimized: Any, arguments: tuple[Any, ...], calls: int = 3) -> None:
    """The same results and arguments afterwards, in the calls that compile and those that take the shortest way."""
    for _ in range(calls):
        theirs, ours = copy.deepcopy(arguments), copy.deepcopy(arguments)
        expected, found = function(*theirs), optimized(*ours)
        for a, b in zip(ours, theirs):
            np.testing.assert_allclose(a, b, rtol=1e-13, atol=1e-15)
        if expected is None:
            assert found is None
            continue
        np.testing.assert_allclose(found, expected, rtol=1e-13, atol=1e-15)
        assert [found is each for each in ours] == [expected is each for each in theirs]
        if not any(found is each for each in ours):
            assert not any(np.may_share_memory(found, each) for each in ours)


@pytest.mark.parametrize("function, arguments, count", CHANGED)
def test_an_argument_takes_its_new_elements_in_place(function, arguments, count):
    optimized = egc.optimize(function)
    assert len(optimized.plan(*copy.deepcopy(arguments)).compiled.stored) == count
    require_equal_calls(function, optimized, arguments)


@pytest.mark.parametrize("function, arguments", OTHERS)
def test_what_is_still_read_is_not_overwritten(function, arguments):
    require_equal_calls(function, egc.optimize(function), arguments)


@pytest.mark.parametrize("function, more", [(elementwise, ()), (both_of_each, (3,)), (exchanged, (3,))])
@pytest.mark.parametrize(
    "first, second", [((0, 10, 1), (0, 10, 1)), ((0, 10, 1), (5, 15, 1)), ((0, 20, 2), (1, 20, 2))]
)
def test_arguments_that_overlap_are_changed_as_numpy_changes_them(function, more, first, second):
    optimized = egc.optimize(function)
    for seed in range(3):
        optimized(row(10, seed), row(10, seed + 9), *more)
    for _ in range(3):
        theirs, ours = row(), row()
        function(theirs[slice(*first)], theirs[slice(*second)], *more)
        optimized(ours[slice(*first)], ours[slice(*second)], *more)
        np.testing.assert_allclose(ours, theirs, rtol=1e-13)


WEIGHTS = np.linspace(1.0, 2.0, 6)


def weighted(a):
    a[1:] = a[:-1] * WEIGHTS[1:]
    a *= WEIGHTS


def test_an_argument_that_is_a_global_too_is_changed_as_numpy_changes_it():
    optimized = egc.optimize(weighted)
    for _ in range(2):
        optimized(row(6))
    kept = WEIGHTS.copy()
    weighted(WEIGHTS)
    theirs = WEIGHTS.copy()
    WEIGHTS[:] = kept
    optimized(WEIGHTS)
    ours = WEIGHTS.copy()
    WEIGHTS[:] = kept
    np.testing.assert_allclose(ours, theirs)


def test_a_readonly_argument_raises_what_numpy_raises_and_stays():
    optimized = egc.optimize(elementwise)
    a, b = row(), row(seed=1)
    a.flags.writeable = False
    kept = a.copy(), b.copy()
    for _ in range(3):
        optimized(row(), row(seed=1))
        with pytest.raises(ValueError, match="read-only"):
            optimized(a, b)
        np.testing.assert_array_equal(a, kept[0])
        np.testing.assert_array_equal(b, kept[1])


def picked(a, places):
    for k in range(len(places)):
        a[places[k]] += 1.0


def test_an_index_out_of_bounds_leaves_what_numpy_leaves():
    optimized = egc.optimize(picked)
    for places in ([0, 3, 5], [0, 3, 99, 5], [0, 3, 5]):
        theirs, ours = row(), row()
        for function, array in ((picked, theirs), (optimized, ours)):
            if 99 in places:
                with pytest.raises(IndexError):
                    function(array, np.array(places))
            else:
                function(array, np.array(places))
        np.testing.assert_array_equal(ours, theirs)


def sorted_by_exchanges(a):
    for last in range(len(a) - 1, 0, -1):
        for i in range(last):
            if a[i] > a[i + 1]:
                a[i], a[i + 1] = a[i + 1], a[i]


def test_elements_are_exchanged_without_a_copy_of_their_array():
    optimized = egc.optimize(sorted_by_exchanges)
    require_equal_calls(sorted_by_exchanges, optimized, (row(),))
    assert "range(n0)" not in optimized.plan(row()).compiled.code


def changed_then_large(a, length):
    for i in range(1, len(a)):
        a[i] = np.sin(a[i - 1]) + 1.0 + a[i]
    return np.arange(length) * a.sum()


def test_without_memory_arguments_are_changed_once_at_most():
    optimized = egc.optimize(changed_then_large)
    assert len(optimized.plan(row(), 5).compiled.stored) == 1
    for _ in range(3):
        once = row()
        changed_then_large(once, 5)
        found = row()
        assert len(optimized(found, 5)) == 5
        np.testing.assert_allclose(found, once)
        found = row()
        with pytest.raises(MemoryError):
            optimized(found, 2**50)
        assert np.array_equal(found, row()) or np.allclose(found, once)
