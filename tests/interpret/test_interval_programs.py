"""Whole functions of intervals: what they give for any values in the intervals is in the result."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mpmath import mp

import egc
from egc import Interval, factors
from egc.errors import NotEncodable, OperandTypeError
from egc.rulecheck.bigarray import BigArray

SEEDS = st.integers(0, 10**6)


def boxes(seed, *shapes, scale=2.0):
    """Intervals, and values in them: inner ones, or bounds."""
    rng = np.random.default_rng(seed)
    found, values = [], []
    for shape in shapes:
        low = rng.normal(scale=scale, size=shape)
        high = low + rng.choice([0.0, 1e-9, 1.0], size=shape) * rng.uniform(size=shape)
        share = rng.choice([0.0, 0.5, 1.0, 0.3], size=shape)
        found.append(Interval(low, high))
        values.append(np.clip(low + share * (high - low), low, high))
    return found, values


def exactly(function, values):
    """The elements of the result, with many digits."""
    with mp.workdps(60):
        big = [BigArray(np.vectorize(mp.mpf, otypes=[object])(value), np.dtype(float)) for value in values]
        found = function(*big)
        return np.asarray(found.values if isinstance(found, BigArray) else found, dtype=object)


def recurrence(a, b):
    if not isinstance(a, BigArray):
        return factors.linear_recurrence(a, b, 1.0)
    found = [mp.mpf(1)]
    for by, more in zip(a.values, b.values):
        found.append(by * found[-1] + more)
    return BigArray(np.array(found[1:], dtype=object), a.dtype)


ARRAYS = {
    "sum": (lambda x: np.sum(x, axis=0), (7, 2)),
    "mean": (lambda x: np.mean(x), (5,)),
    "product": (lambda x: np.prod(x, axis=1), (2, 5)),
    "running sum": (lambda x: np.cumsum(x), (9,)),
    "running product": (lambda x: np.cumprod(x), (6,)),
    "recurrence": (lambda a, b: recurrence(a, b), (6,), (6,)),
    "matrix product": (lambda a, b: a @ b, (2, 5), (5, 3)),
    "batches": (lambda a, b: a @ b, (2, 3, 4), (2, 4, 2)),
    "matrix and vector": (lambda a, b: a @ b, (2, 5), (5,)),
    "inner product": (lambda a, b: a @ b, (6,), (6,)),
    "extremes": (lambda x: np.max(x, axis=1) - np.min(x, axis=0), (3, 3)),
    "moves": (lambda x: np.concatenate([x[::2].T, np.flip(x, 1)[:2].T], axis=1).reshape(-1), (4, 3)),
    "triangle": (lambda x: np.tril(x) @ np.triu(x).T, (3, 3)),
    "choice": (lambda x, y: np.where(x > y, x, y * 2.0), (8,), (8,)),
    "clip": (lambda x: np.clip(x, -1.0, 0.5), (8,)),
    "softmax": (lambda x: np.exp(x) / np.sum(np.exp(x)), (4,)),
    "sorted": (lambda x: np.sort(x), (6,)),
}  # fmt: skip


@pytest.mark.parametrize("name", ARRAYS)
def test_a_function_of_arrays_contains_its_values(name):
    function, *shapes = ARRAYS[name]

    @settings(max_examples=12, database=None)
    @given(SEEDS)
    def holds(seed):
        given, values = boxes(seed, *shapes)
        found = egc.interval(function)(*given)
        exact = np.sort(values[0]) if name == "sorted" else exactly(function, values)
        assert found.shape == exact.shape
        assert all(low <= x <= high for low, x, high in zip(found.low.flat, exact.flat, found.high.flat))

    holds()


@settings(max_examples=15, database=None)
@given(SEEDS)
def test_a_linear_system_contains_the_solutions_of_all_its_members(seed):
    (a, b), (matrix, right) = boxes(seed, (4, 4), (4,), scale=1.0)
    shift = 6.0 * np.eye(4)
    found = egc.interval(lambda a, b: np.linalg.solve(a + shift, b))(a, b)
    exact = exactly(lambda a, b: np.linalg.solve(a + shift, b), [matrix, right])
    assert all(low <= x <= high for low, x, high in zip(found.low, exact, found.high))
    assert np.isfinite(found.width).all()


def test_a_system_that_may_be_singular_may_have_any_solution():
    found = egc.interval(np.linalg.inv)(Interval([[-1.0, 0.0], [0.0, 1.0]], [[1.0, 0.0], [0.0, 1.0]]))
    assert (found.low == -np.inf).all() and found.nan.all()


def test_large_products_contain_small_ones():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(120, 100)), rng.normal(size=(100, 110))
    found = egc.interval(lambda a, b: a @ b)(Interval(a - 1e-3, a + 1e-3), Interval(b, b + 1e-3))
    for signs in (-1, 1):
        exact = [
            [sum(map(Fraction, map(float, row * column)), Fraction(0)) for column in b.T[:3]]
            for row in (a + signs * 1e-3)[:3]
        ]
        assert (found.low[:3, :3] < np.array(exact, float)).all() and (
            np.array(exact, float) < found.high[:3, :3]
        ).all()
    assert found.width.max() < 1.0


def newton(x):
    for _ in range(4):
        x = 0.5 * (x + 2.0 / x)
    return x


def halvings(x):
    count = 0
    while x > 1.0:
        x = x / 2.0
        count += 1
    return x, count


def steps(x):
    total = 0.0
    for i in range(len(x)):
        if x[i] > 0.0:
            total = total + x[i]
        else:
            total = total - 2.0 * x[i]
        if total > 5.0:
            break
    return total


def settled(x):
    y = x
    while abs(y) > 0.01:
        y = 0.5 * y * np.cos(y)
    return y


@settings(max_examples=20, database=None)
@given(SEEDS)
def test_loops_and_branches_contain_what_they_give(seed):
    rng = np.random.default_rng(seed)
    low = rng.normal(scale=2.0, size=5)
    high = low + rng.uniform(size=5)
    x = rng.uniform(low, high)
    assert egc.interval(steps)(Interval(low, high)).contains(steps(x))
    for function in (newton, halvings, settled):
        a = abs(low[0])
        b = a + float(rng.uniform())
        found, expected = egc.interval(function)(Interval(a, b)), function(float(rng.uniform(a, b)))
        for part, value in zip(*((each if isinstance(each, tuple) else (each,)) for each in (found, expected))):
            assert part.contains(value).all()


def test_a_loop_that_may_go_on_for_ever_has_facts_that_hold_in_each_iteration():
    def grown(x, bound):
        while x < bound:
            x = x + 1.0
        return x

    found = egc.interval(grown)(Interval(0.0, 0.5), Interval(1.0, np.inf))
    assert found.low <= 1.0 and found.high == np.inf


def test_an_element_at_an_unknown_place_is_one_of_all():
    found = egc.interval(lambda x, k: x[k])(np.array([3.0, 1.0, 2.0]), Interval(np.array([0, 2]), np.array([1, 2])))
    assert found.contains([3.0, 2.0]).all() and found.contains([1.0, 2.0]).all()
    assert (found.low.min(), found.high.max()) == (1.0, 3.0)


@pytest.mark.parametrize(
    "function, low, high, expected",
    [
        (lambda x: x * x, -1.0, 2.0, (0.0, 4.0)),
        (lambda x: x - x, -1.0, 2.0, (0.0, 0.0)),
        (lambda x: x + 1.0, 2.0, 3.0, (3.0, 4.0)),
        (lambda x: 1.0 / x, 0.0, 2.0, (0.5, np.inf)),
        (lambda x: 1.0 / x, -1.0, 2.0, (-np.inf, np.inf)),
        (lambda x: x / 4.0, 1.0, 2.0, (0.25, 0.5)),
        (lambda x: np.sqrt(x), 4.0, 9.0, (2.0, 3.0)),
        (lambda x: np.abs(x), -3.0, 1.0, (0.0, 3.0)),
        (lambda x: np.maximum(x, 0.0), -1.0, 2.0, (0.0, 2.0)),
        (lambda x: np.floor(x), 0.5, 2.5, (0.0, 2.0)),
        (lambda x: np.log(x), 0.0, 1.0, (-np.inf, 5e-324)),
        (lambda x: x**2, -2.0, 1.0, (0.0, 4.0)),
    ],
)  # fmt: skip
def test_what_is_exact_stays_exact(function, low, high, expected):
    found = egc.interval(function)(Interval(low, high))
    np.testing.assert_allclose((found.low, found.high), expected, rtol=1e-15, atol=1e-300)


def test_periodic_functions_reach_their_extremes_where_they_are_met():
    sine = egc.interval(np.sin)
    assert sine(Interval(0.0, 3.0)).high == 1.0 and sine(Interval(0.0, 3.0)).low < 1e-300
    assert sine(Interval(-1.0, 1.0)).high < 0.842
    assert egc.interval(np.cos)(Interval(3.0, 4.0)).low == -1.0
    assert sine(Interval(1e17, 1e17 + 64)).low == -1.0
    assert egc.interval(np.tan)(Interval(1.0, 2.0)).high == np.inf


def test_what_may_be_no_number_is_marked():
    root = egc.interval(np.sqrt)
    assert not root(Interval(0.0, 1.0)).nan and root(Interval(-1.0, 1.0)).nan
    assert root(Interval(-1.0, 1.0)).low == 0.0
    assert np.isnan(root(Interval(-2.0, -1.0)).low)
    assert egc.interval(lambda x: np.sqrt(x) > 0.0)(Interval(-2.0, -1.0)).high == np.False_
    assert egc.interval(lambda x: np.isnan(x))(Interval(-2.0, -1.0)).high == np.False_
    assert egc.interval(lambda x, y: x / y)(Interval(0.0, 1.0), Interval(0.0, 1.0)).nan
    assert egc.interval(lambda x: np.where(np.isnan(np.sqrt(x)), 0.0, 1.0))(Interval(-1.0, 1.0)).contains(0.0)


def test_bounds_of_float32_are_float32():
    found = egc.interval(lambda x: x / np.float32(3.0))(Interval(np.float32(1.0), np.float32(2.0)))
    assert found.dtype == np.float32 and float(found.low) < 1 / 3 and float(found.high) > 2 / 3
    assert float(found.width) < 0.3334


def test_integers_that_may_wrap_around_are_any():
    large = Interval(np.int32(2**30), np.int32(2**30 + 1))
    assert egc.interval(lambda x: x + x)(large).low == -(2**31)


def test_arguments_that_are_no_intervals_stay_as_they_are():
    found = egc.interval(lambda x, weights, n: np.sum(x * weights["a"]) * n)(
        Interval([0.0, 1.0], [1.0, 2.0]), {"a": np.ones(2)}, 3
    )
    assert (found.low, found.high) == (3.0, 9.0)


def test_views_and_containers_of_results_are_made_again():
    found = egc.interval(lambda x: {"first": x[:1], "sum": x + 1.0, "none": None})(Interval([0.0, 1.0], [1.0, 2.0]))
    assert found["first"].shape == (1,) and found["sum"].high.tolist() == [2.0, 3.0] and found["none"] is None


def test_what_has_no_intervals_is_refused():
    with pytest.raises(NotEncodable):
        egc.interval(lambda x: np.fft.fft(x))(Interval([0.0, 1.0], [1.0, 2.0]))
    with pytest.raises(NotEncodable):
        egc.interval(lambda x: x * 1j)(Interval([0.0, 1.0], [1.0, 2.0]))
    with pytest.raises(ValueError):
        Interval(1.0, 0.0)
    with pytest.raises(OperandTypeError):
        Interval(1j, 2j)
