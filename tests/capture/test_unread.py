"""Elements that nothing is computed from: an index out of bounds raises all the same."""

import numpy as np
import pytest

import egc


def returned(x, k):
    t = x[k]  # noqa: F841
    return x + 1


def written(x, k):
    w = x.copy()
    w[k] = 1.0
    return x + 1


def condition_alone(x, k):
    w = x.copy()
    if x[k] > 0:
        w[0] = 1.0
    return x * 2


def on_a_side(x, k):
    if x[0] > 0:
        t = x[k]  # noqa: F841
    return x + 1


def merged_and_dropped(x, k):
    if x[0] > 0:
        t = x[k]
    else:
        t = 0.0
    if t > 0.5:
        t = 1.0
    return x + 1


def in_a_loop(x, k):
    for i in range(3):
        t = x[k + i]  # noqa: F841
    return x + 1


def by_iteration(x, k):
    for i in range(k, -4, -1):
        t = 0 if x[0] > 2.0 else x[i]  # noqa: F841
    return x + 1


def after_an_early_return(x, k):
    w = x.copy()
    for e in w[::-1]:
        if e > 2.0:
            return x
    if x[k] > 0:
        w[0] = 1.0
    return x


def condition_of_a_loop(x, k):
    c = 0
    while c < 4 and x[k] > 0.5:
        c += 1
    return x


def loops_that_make_nothing(x, k):
    s = 0.0
    for i in range(3):
        for j in range(i):
            s += x[k - j]
    return x


def rows(x, k):
    part = np.outer(x, x)[k]  # noqa: F841
    return x + 1


FUNCTIONS = [
    returned, written, condition_alone, on_a_side, merged_and_dropped, in_a_loop, by_iteration, after_an_early_return, rows,
    condition_of_a_loop, loops_that_make_nothing,
]  # fmt: skip


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda f: f.__name__)
def test_an_index_out_of_bounds_raises_where_nothing_needs_the_element(function, backend="reference"):
    optimized = egc.optimize(function, backend=backend)
    x = np.array([0.7, -0.2, 0.4])
    for k in (0, -3, 2, 3, 7, -4, -9):
        outcomes = []
        for each in (function, optimized):
            try:
                outcomes.append(each(x, np.int64(k)).tolist())
            except IndexError:
                outcomes.append("raises")
        assert outcomes[0] == outcomes[1], k


@pytest.mark.parametrize("function", [merged_and_dropped, in_a_loop], ids=lambda f: f.__name__)
def test_compiled_code_raises_as_well(function):
    test_an_index_out_of_bounds_raises_where_nothing_needs_the_element(function, "numba")
