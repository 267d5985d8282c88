"""Loops that look for the best element give its place as they did: the first of equal ones, nan passed over or kept."""

from __future__ import annotations

import numpy as np
import pytest

import egc
from egc.capture import capture
from egc.pipeline import evaluate_reference
from egc.ranges import ranges_of
from egc.text import print_program
from egc.transforms import LOOP_LAWS, simplify
from egc.transforms.forms import Forms
from egc.transforms.search import LAW
from egc.transforms.vectorize import vectorized

from .support import ops_of


def largest(x):
    best, k = -np.inf, -1
    for i in range(len(x)):
        if x[i] > best:
            best, k = x[i], i
    return best, k


def by_place(x):
    k = 0
    for i in range(1, len(x)):
        if x[i] < x[k]:
            k = i
    return k


def from_first(x):
    best, k = x[0], 0
    for i in range(1, len(x)):
        if best < x[i]:
            best = x[i]
            k = i
    return best, k


def with_more(x):
    best, k, before, y = 0.25, -1, 0.0, np.cos(x)
    for i in range(1, len(x)):
        if x[i] * x[i] > best:
            best, k, before = x[i] * x[i], 2 * i + 1, y[i - 1]
    return best, k, before


def of_integers(x):
    z = np.floor(np.where(np.isfinite(x), 3 * x, 0.0)).astype(np.int64)
    best, k = 5, -1
    for i in range(len(z)):
        if z[i] < best:
            best, k = z[i], i
    return best, k


def any_of(x):
    some, every = False, True
    for v in x:
        if v > 1.0:
            some = True
        if not v < 0.5:
            every = False
    return some, every


SEARCHES = [largest, by_place, from_first, with_more, of_integers]


def last_of_equal(x):
    best, k = -np.inf, -1
    for i in range(len(x)):
        if x[i] >= best:
            best, k = x[i], i
    return best, k


def read_as_it_goes(x):
    best, k, total = -np.inf, 0, 0
    for i in range(len(x)):
        if x[i] > best:
            best, k = x[i], i
        total = (total + k) % 1000
    return best, k, total


def nearest_so_far(x):
    best, k = 0.0, -1
    for i in range(len(x)):
        if x[i] > best:
            best, k = 0.5 * x[i], i
    return best, k


def counted(x):
    best, k = -np.inf, 0
    for i in range(len(x)):
        if x[i] > best:
            best, k = x[i], k + 1
    return best, k


OTHERS = [last_of_equal, read_as_it_goes, nearest_so_far, counted]


def arrays():
    rng = np.random.default_rng(3)
    for n in (300, 0, 1, 2, 3):
        for special in (None, np.nan, np.inf, -np.inf, 0.0):
            x = np.round(rng.normal(size=n), 1)
            if special is not None:
                x[rng.random(n) < 0.4] = special
                x[:1] = special
            yield x
    yield np.full(4, np.nan)
    yield np.array([-0.0, 0.0, -0.0])
    yield np.array([0.0, -0.0])


def form(function):
    program = simplify(capture(function, [np.ones(9)], {}, {}).program, evaluate_reference)
    used = Forms([])
    return vectorized(program, ranges_of(program), used, frozenset(LOOP_LAWS)), used


@pytest.mark.parametrize("function", SEARCHES, ids=lambda f: f.__name__)
def test_a_search_is_argmax(function):
    found, used = form(function)
    assert LAW in used.laws and not used.rounded and "loop" not in ops_of(found)


def test_flags_are_any_and_all():
    found, _ = form(any_of)
    assert {"any", "all"} <= set(ops_of(found)) and "loop" not in ops_of(found)


@pytest.mark.parametrize("function", OTHERS, ids=lambda f: f.__name__)
def test_another_search_is_not(function):
    assert LAW not in form(function)[1].laws


@pytest.mark.parametrize("function", [*SEARCHES, *OTHERS, any_of], ids=lambda f: f.__name__)
def test_a_loop_gives_what_it_gave(function):
    optimized = egc.optimize(function)
    found = form(function)[0]
    for x in arrays():
        if function is from_first and not len(x):
            continue
        with np.errstate(all="ignore"):
            expected = function(x)
            expected = expected if isinstance(expected, tuple) else (expected,)
            for ours in (optimized(x), evaluate_reference(found, [x]) if len(x) else expected):
                ours = ours if isinstance(ours, tuple | list) else (ours,)
                for left, right in zip(ours, expected, strict=True):
                    np.testing.assert_array_equal(left, right, err_msg=str(x))
                    assert function in OTHERS or np.signbit(left) == np.signbit(right) or np.isnan(right)


def test_the_place_in_a_matrix():
    def place(A):
        best, row, column = A[0, 0], 0, 0
        for i in range(A.shape[0]):
            for j in range(A.shape[1]):
                if A[i, j] > best:
                    best, row, column = A[i, j], i, j
        return best, row, column

    optimized = egc.optimize(place)
    rng = np.random.default_rng(5)
    for shape in ((60, 40), (1, 1), (2, 5), (5, 1)):
        A = np.round(rng.normal(size=shape), 1)
        A[rng.random(shape) < 0.2] = np.nan
        assert np.array_equal(optimized(A), place(A), equal_nan=True)


def test_what_is_computed_in_a_loop_around_is_searched_as_it_is_computed():
    def nearest(x, centers):
        labels = np.zeros(len(x), dtype=np.int64)
        for i in range(len(x)):
            best = np.inf
            for c in range(len(centers)):
                distance = abs(x[i] - centers[c])
                if distance < best:
                    best = distance
                    labels[i] = c
        return labels

    optimized = egc.optimize(nearest)
    rng = np.random.default_rng(6)
    x, centers = rng.normal(size=50), rng.normal(size=7)
    np.testing.assert_array_equal(optimized(x, centers), nearest(x, centers))
    assert "argmin" not in print_program(optimized.plan(x, centers).program)
