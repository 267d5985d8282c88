"""What names stand for: variables of outer functions, containers with two names, and names without a value."""

from __future__ import annotations

import numpy as np
import pytest

import egc
from tests.capture.test_flow import X, assert_same, both, ops


def written_as(function, *arguments):
    """What the optimized function does, which must be what the plain one does, whichever way it runs."""
    optimized = egc.optimize(function, backend="reference", rules=[])
    outcomes = []
    for call in (function, optimized):
        given = [value.copy() if isinstance(value, np.ndarray) else value for value in arguments]
        try:
            outcomes.append((call(*given), given))
        except Exception as error:
            outcomes.append((type(error), given))
    np.testing.assert_equal(outcomes[1], outcomes[0])
    return optimized


def test_an_inner_function_reads_the_variables_around_it_as_they_are_when_it_runs():
    def f(x):
        factor = 1.0

        def scaled(v):
            return factor * v

        first = scaled(x)
        factor = x.sum()
        return first, scaled(x)

    assert_same(f, X)


def test_an_inner_function_reads_what_a_loop_or_branch_made_of_a_variable():
    def f(x):
        total = 0.0

        def read(v):
            return total * v

        for e in x:
            total += read(e) + e
            if total > 5.0:
                total = 1.0
        return read(x)

    assert_same(f, X)
    assert "loop" in ops(f, X)


def test_functions_made_in_a_loop_share_its_variable():
    def f(x):
        made = []
        for i in range(3):
            made.append(lambda v: v + i)
        return [function(x) for function in made]

    assert_same(f, X)


def test_a_function_that_assigns_an_outer_variable_runs_as_written():
    def f(x):
        count = 0

        def add(v):
            nonlocal count
            count += v

        for e in x:
            add(e)
        return count

    assert "count" in written_as(f, X).statistics.reasons[0].why


def test_a_name_that_nothing_defines_raises_as_in_python():
    def f(x):
        if x[0] > 5.0:
            return x, bool(undefined_name)  # noqa: F821
        return x, 1.0

    for first in (3.0, 7.0):
        written_as(f, np.array([first, 1.0]))


def test_a_deleted_variable_has_no_value():
    def f(x):
        t = x + 1.0
        if x[0] > 0.0:
            del t
        return t

    for first in (3.0, -3.0):
        written_as(f, np.array([first, 1.0]))


def two_names(x):
    kept = other = [1.0, 2.0]
    if x[0] > 0.0:
        kept = [x[0], 3.0]
    kept[0] = 7.0
    return other[0] + 0 * x[1], kept[0]


def two_names_for_what_each_side_made(x):
    if x[0] > 0.0:
        kept = other = [x[1], x[2]]
    else:
        kept = other = [x[2], x[1]]
    other[0] = x[3]
    return kept[0]


def two_names_in_a_loop(x):
    kept = [x[0], x[1]]
    other = kept
    for i in range(len(x)):
        kept[0] += x[i]
    return kept[0], other[0]


def an_argument_or_a_new_list(x):
    given = [x, x + 1.0]
    replace_or_keep(given, x)
    return given[0]


def replace_or_keep(values, x):
    if x[0] > 0.0:
        values = [x + 2.0, x + 3.0]
    values[0] = x + 5.0


@pytest.mark.parametrize(
    "function", [two_names, two_names_for_what_each_side_made, two_names_in_a_loop, an_argument_or_a_new_list]
)
def test_a_change_through_one_name_is_seen_through_the_other(function):
    for first in (3.0, -3.0):
        written_as(function, np.array([first, 2.0, -1.0, 4.0]))


def test_a_list_with_one_name_changes_after_a_branch_and_in_a_loop():
    def f(x):
        pair = [x[0], 1.0]
        if x[0] > 0.0:
            pair = [x[1], 2.0]
        pair[0] = pair[0] + pair[1]
        for e in x:
            pair[1] += e
        return pair[0] + pair[1]

    expected, found = both(f, X)
    assert float(expected[0]) == float(found[0])


def test_dictionaries_with_different_keys_are_different_forms():
    def f(x):
        if x[0] > 0.0:
            return {"a": x + 1.0}
        return {"b": x + 2.0}

    for first in (3.0, -3.0):
        written_as(f, np.array([first, 2.0]))


def test_a_size_is_compared_with_data():
    def f(x, k):
        if k == int(np.argmax(x)):
            return 1.0
        return 2.0 if k != int(np.argmin(x)) else 3.0

    for k in range(-1, 6):
        assert_same(f, X, k)


def test_a_result_is_an_argument_on_one_side_and_the_argument_goes_on_on_the_other():
    def f(x, c):
        for _ in range(0, len(x), 2):
            if c[-1] > 1:
                if x[0] < 0.25 or c[0] > 1:
                    break
                return x
        return x

    for first in (-3, 3):
        x = np.ones(1)
        optimized = egc.optimize(f, backend="reference", rules=[])
        assert optimized(x, np.array([first])) is x
        np.testing.assert_array_equal(x, 1.0)


def test_a_selection_with_two_names_changes_under_both():
    def f(x):
        chosen = other = x[x > 0.0]
        chosen += 1.0
        return other.sum()

    written_as(f, X)


def test_an_inner_function_reads_what_a_loop_left_where_nothing_else_does():
    def f(x, y):
        t = 0.0
        scaled = lambda v: v * 0.5 + t  # noqa: E731
        count = 0
        while True:
            if (count := count + 1) > 3 or x[-1] < -t:
                break
            t = x.sum()
        return scaled(y)

    assert_same(f, np.array([1.0, 2.0, 3.0]), X)
