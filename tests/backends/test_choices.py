"""Sides of choices are computed where they are taken, and are what they are where all elements take them."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.special

import egc
from egc.backends.numba import choices


def heavy(x):
    return np.arctan(x) * np.exp(np.sin(x) * np.sqrt(np.abs(np.cos(x)))) ** 0.7 + np.log1p(x * x)


def one_side(x):
    return np.where(x > 1.0, heavy(x), x)


def other_side(x):
    return np.where(x > 1.0, x, heavy(x))


def both_sides(x):
    return np.where(x > 0.5, heavy(x), np.tanh(heavy(3.0 * x + 1.0)))


def nested(x):
    return np.where(x > 0.5, heavy(x), np.where(x < -0.5, heavy(2.0 * x), x))


def in_turn(x):
    y = np.where(x > 0.5, heavy(x), x)
    return np.where(y > 0.7, heavy(y), -y)


def shared(x):
    y = np.tanh(np.sinh(x))
    return np.where(x > 0.3, heavy(y), y), y


def summed(x):
    return np.sum(np.where(x > 1.0, heavy(x), x)), np.max(np.where(x > 1.0, 0.0, heavy(x)))


def of_numbers(x):
    mask = np.sin(x) > 0.2
    return np.where(mask, np.floor(10.0 * heavy(x)).astype(np.int64) // 3, 7), mask


def of_truths(x):
    return np.where(x > 1.0, np.sin(heavy(x)) > 0.1, x < 0.0)


def rows(x):
    y = np.outer(x[:40], x)
    return np.where(y > 0.4, heavy(y), y).sum(axis=1)


def in_place(x):
    x[1:] = np.where(x[:-1] > 0.2, heavy(x[1:]), x[1:])
    return x


def by_elements(x):
    y = np.empty_like(x)
    for i in range(len(x)):
        if x[i] > 1.0:
            y[i] = heavy(x[i])
        else:
            y[i] = x[i]
    return y


def in_a_loop(x):
    for _ in range(3):
        x = np.where(x > 0.7, heavy(x), 0.9 * x)
    return x


def special(x):
    return np.where(x > 1.0, scipy.special.gammainc(np.abs(x), 2.0), x)


FUNCTIONS = [
    one_side, other_side, both_sides, nested, in_turn, shared, summed, of_numbers, of_truths, rows, in_place, by_elements,
    in_a_loop, special,
]  # fmt: skip

DATA = {
    "a few": lambda n: np.random.default_rng(n).normal(size=n) * 0.6,
    "half": lambda n: np.random.default_rng(n).normal(size=n) * 3.0,
    "in order": lambda n: np.linspace(-3.0, 3.0, n),
    "none": lambda n: np.full(n, -0.4),
    "all": lambda n: np.full(n, 1.4),
    "special": lambda n: np.resize([np.nan, np.inf, -np.inf, 0.0, -0.0, 2.0, 1e300, 5e-324], n),
}


def leaves(value):
    return value if isinstance(value, tuple) else (value,)


def check(function, dtype):
    optimized = egc.optimize(function)
    for data in DATA.values():
        for n in (2, 63, 64, 300, 1000):
            x = data(n).astype(dtype)
            with np.errstate(all="ignore"):
                ours, theirs = optimized(x.copy()), function(x.copy())
            tolerance = 1e-12 if dtype == np.float64 else 2e-4
            for left, right in zip(leaves(ours), leaves(theirs), strict=True):
                assert left.dtype == right.dtype
                np.testing.assert_allclose(left, right, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize(("function", "dtype"), [(summed, np.float64), (shared, np.float32), (in_place, np.float64)])
def test_a_choice_gives_what_numpy_gives(function, dtype):
    check(function, dtype)


@pytest.mark.slow
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.__name__)
def test_all_choices_give_what_numpy_gives(function, dtype):
    check(function, dtype)


def test_no_bit_depends_on_who_is_computed_with_whom_or_by_which_thread(monkeypatch):
    packed = egc.optimize(both_sides)
    assert packed.plan(np.ones(1000)).compiled.code.count("in_vectors()") == 2
    monkeypatch.setattr(choices, "MUCH", np.inf)
    plain = egc.optimize(both_sides)
    for data in DATA.values():
        for n in (1000, 200_000):
            np.testing.assert_array_equal(packed(data(n)), plain(data(n)))


def test_little_work_is_not_moved():
    assert "in_vectors" not in egc.optimize(lambda x: np.where(x > 0, np.exp(x), x)).plan(np.ones(1000)).compiled.code


def test_an_error_in_an_index_is_raised_where_no_element_needs_it():
    def picked(x, k):
        return np.where(x > 10.0, np.arctan(x[k]) ** 0.7, x)

    with pytest.raises(IndexError):
        egc.optimize(picked)(np.ones(100), np.full(100, 200))
