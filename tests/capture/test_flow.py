"""Loops and branches: what is captured means what the function does, memory and exceptions included."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest

import egc
from egc.capture import capture
from egc.errors import NotEncodable
from egc.ir import topological


def both(function, *arguments: Any) -> tuple[Any, Any]:
    """The result and the arguments afterwards, of the plain function and of its Program on the reference."""
    optimized = egc.optimize(function, backend="reference", rules=[])
    theirs, ours = copy.deepcopy(arguments), copy.deepcopy(arguments)
    outcomes = []
    for call, given in ((function, theirs), (optimized, ours)):
        try:
            outcomes.append((call(*given), given, None))
        except Exception as error:
            outcomes.append((None, given, type(error)))
    assert not optimized.statistics.reasons, optimized.statistics.reasons
    return outcomes[0], outcomes[1]


def assert_same(function, *arguments: Any) -> None:
    expected, found = both(function, *arguments)
    assert expected[2] == found[2]
    for ours, theirs in zip(leaves(found[:2]), leaves(expected[:2]), strict=True):
        assert type(ours) is type(theirs)
        np.testing.assert_allclose(ours, theirs, rtol=1e-13)


def leaves(value: Any) -> list[Any]:
    if isinstance(value, (tuple, list)):
        return [leaf for part in value for leaf in leaves(part)]
    return [] if value is None else [value]


def ops(function, *arguments: Any) -> list[str]:
    """The ops of a function's Program, those of its loops and branches included."""
    found: list[str] = []
    stack = list(capture(function, arguments).program.outputs)
    while stack:
        for node in topological(stack):
            found.append(node.op)
        stack = [
            output
            for node in topological(stack)
            for what in ("pre", "update", "post", "then", "otherwise")
            if (region := node.params.get(what)) is not None
            for output in region.outputs
        ]
    return found


X = np.array([3.0, -1.0, 4.0, 1.5, -9.0, 2.0])
A = np.arange(12.0).reshape(3, 4)


def test_a_loop_over_a_symbolic_length_is_one_loop():
    def total(x):
        s = 0.0
        for i in range(len(x)):
            s += x[i]
        return s

    assert_same(total, X)
    assert ops(total, X).count("loop") == 1


def test_a_body_of_more_bytecode_than_a_short_jump_spans_is_a_loop():
    # In CPython 3.11 the way back is then a jump to an instruction that only extends the next one's argument.
    body = "".join(f"        x[{k % 3}] = x[{k % 3}] * 0.5 + {k} * e\n" for k in range(40))
    namespace: dict[str, Any] = {}
    exec(
        f"def long(x, y):\n    for e in y:\n{body}        if x[0] > 1e3:\n            break\n    return x.sum()\n",
        namespace,
    )
    x = np.random.default_rng(0).normal(size=3)
    for length in (0, 1, 5):
        assert_same(namespace["long"], x, np.linspace(0.0, 1.0, length))
    assert ops(namespace["long"], x, np.linspace(0.0, 1.0, 5)).count("loop") == 1


def test_short_loops_over_concrete_numbers_are_gone_through():
    def power(x):
        for _ in range(3):
            x = x * x
        return x

    assert_same(power, X)
    assert "loop" not in ops(power, X)


def test_a_loop_over_an_outer_containers_elements_is_gone_through():
    def combined(x):
        for name, factor in {"a": 2.0, "b": 3.0}.items():
            x = x * factor + len(name)
        return x

    assert_same(combined, X)
    assert "loop" not in ops(combined, X)


@pytest.mark.parametrize("bounds", [(0,), (6,), (1, 6), (5, -1, -1), (0, 6, 2), (5, 0, -2), (4, 2)])
def test_ranges(bounds):
    def total(x, *bounds):
        s = 0.0
        for i in range(*bounds):
            s = 2 * s + x[i]
        return s

    expected, found = both(total, X, *bounds)
    assert float(expected[0]) == float(found[0])


def test_bounds_may_depend_on_data():
    def counts(first, last, x):
        s = np.zeros(len(first))
        for k in range(len(first)):
            for i in range(first[k], last[k]):
                s[k] += x[i]
        return s

    assert_same(counts, np.array([0, 3, 5]), np.array([2, 3, 6]), X)


def test_enumerate_zip_reversed_and_rows():
    def combined(A, x):
        total = 0.0
        for k, row in enumerate(A):
            total += k * row.sum()
        for row, value in zip(A, x):
            total += value * row[0]
        for value in reversed(x):
            total = total / 2 + value
        return total

    assert_same(combined, np.arange(24.0).reshape(6, 4), X)


def test_a_row_is_a_view():
    def centred(A):
        for row in A:
            row -= row.mean()

    assert_same(centred, A.copy())


def test_a_view_at_an_integer_of_data_is_a_view():
    def written(A, k):
        row = A[int(k[0])]
        row[1:] = 0.0
        return A.sum()

    assert_same(written, A.copy(), np.array([2]))


def test_only_the_taken_side_of_a_branch_runs():
    def solved(A, x):
        return np.linalg.solve(A, x) if x.sum() > 0 else x

    singular = np.zeros((3, 3))
    assert_same(solved, np.eye(3) * 2, np.ones(3))
    expected, found = both(solved, singular, -np.ones(3))
    np.testing.assert_array_equal(expected[0], found[0])


def test_a_branch_that_raises_raises():
    def rooted(x):
        if np.any(x < 0):
            raise ValueError("negative")
        return np.sqrt(x)

    assert_same(rooted, X)
    assert_same(rooted, np.abs(X))


def test_arguments_are_as_the_exception_leaves_them():
    def checked(x, k):
        for i in range(len(x)):
            x[i] = 0.0
            if k[i] > 2:
                raise ValueError("too large")
        return x

    assert_same(checked, X.copy(), np.array([0, 1, 5, 0, 0, 0]))
    assert_same(checked, X.copy(), np.zeros(6))


def test_an_index_out_of_bounds_raises_where_it_does_in_numpy():
    def picked(x, k):
        s = 0.0
        for i in range(len(k)):
            s += x[k[i]]
        return s

    assert_same(picked, X, np.array([0, -6, 5]))
    assert_same(picked, X, np.array([0, 6, 1]))


def test_break_continue_else_and_early_return():
    def searched(x, limit):
        s = 0.0
        for i in range(len(x)):
            if x[i] < -5:
                return -s
            if x[i] < 0:
                continue
            if s > limit:
                break
            s += x[i]
        else:
            s = np.float64(100.0)
        return s

    for x, limit in ((X, 100.0), (X[:4], 100.0), (X[:4], 2.0)):
        assert_same(searched, x, limit)


def test_a_while_loop_runs_until_its_condition_fails():
    def halved(x, tolerance):
        steps = 0
        while np.max(np.abs(x)) > tolerance:
            x = x / 2
            steps += 1
        return x, steps

    assert_same(halved, X, 1e-3)
    assert_same(halved, X, 1e3)


def test_a_variable_that_a_loop_alone_defines_has_its_last_value():
    def last(x):
        for i in range(len(x)):
            y = x[i]
        return y, i

    assert_same(last, X)


def test_nested_loops_with_bounds_of_outer_ones():
    def pairs(x):
        out = np.zeros((len(x), len(x)))
        for i in range(len(x)):
            for j in range(i + 1, len(x)):
                out[i, j] = x[i] * x[j]
            for j in range(i):
                out[i, j] = out[j, i]
        return out

    assert_same(pairs, X)


def test_slices_that_grow_with_the_iteration():
    def prefixes(x):
        out = np.zeros_like(x)
        for i in range(len(x)):
            out[i] = x[:i].sum() + x[i:].max() - x[max(0, i - 2) : i + 1].min()
        return out

    assert_same(prefixes, X)


def test_a_comparison_of_iterations_is_known_within_its_branch():
    def differences(x):
        out = np.zeros_like(x)
        for i in range(len(x)):
            if i > 0:
                out[i] = x[i] - x[i - 1]
        return out

    assert_same(differences, X)
    assert "gather" not in ops(differences, X)


def test_an_index_that_wraps_around_in_one_iteration():
    def wrapped(x):
        s = 0.0
        for i in range(len(x)):
            s += x[i - 1] * x[i]
        return s

    assert_same(wrapped, X)


def test_arrays_are_exchanged():
    def smoothed(u, steps):
        u, v = u.copy(), np.zeros_like(u)
        for _ in range(steps):
            v[1:-1] = (u[2:] + u[:-2]) / 2
            u, v = v, u
        return u

    for steps in (0, 5, 6):
        assert_same(smoothed, X, steps)
    assert "loop" in ops(smoothed, X, 6)


def test_an_argument_that_is_exchanged_is_written_as_in_numpy():
    def smoothed(u, steps):
        v = u.copy()
        for _ in range(steps):
            v[1:-1] = (u[2:] + u[:-2]) / 2
            u, v = v, u
        return u

    for steps in (5, 6):
        assert_same(smoothed, X.copy(), steps)


def test_an_argument_that_an_inner_loop_exchanges_is_returned_itself():
    def turned(x, y, s, t):
        w = x.copy()
        count = 0
        while True:
            count += 1
            if count > 5 or t > int(s > 2.0):
                break
            if s > 1.0:
                continue
            x, y, w = w, x, y
        return x

    optimized = egc.optimize(turned, backend="reference", rules=[])
    for s, t in ((-2.0, 2), (-2.0, -3), (1.5, 2), (1.5, -3)):
        x, y = X[:1].copy(), X[:1] + 1
        expected, found = turned(x, y, s, t), optimized(x, y, s, t)
        np.testing.assert_array_equal(found, expected)
        assert [found is x, found is y] == [expected is x, expected is y]


def test_a_variable_bound_to_an_argument_writes_into_it():
    def doubled(x, y):
        z = x
        for _ in range(len(y)):
            z *= 2
        return z.sum()

    assert_same(doubled, X.copy(), X)


def refused(function, *arguments: Any) -> None:
    """The function runs as written, and does to its arguments what it does."""
    optimized = egc.optimize(function, backend="reference", rules=[])
    theirs, ours = copy.deepcopy(arguments), copy.deepcopy(arguments)
    expected, found = function(*theirs), optimized(*ours)
    assert optimized.statistics.as_written == 1
    for a, b in zip(leaves((expected, theirs)), leaves((found, ours)), strict=True):
        np.testing.assert_array_equal(a, b)


def test_data_cannot_decide_which_array_is_written():
    def added(x, y):
        w = x.copy()
        if y[0] > 0:
            x, w = w, x
        x += 1

    for sign in (-1.0, 1.0):
        refused(added, X.copy(), np.array([sign]))


def test_a_result_that_is_an_argument_where_nothing_happens_is_that_argument():
    def halved(x, limit):
        while np.max(x) > limit:
            x = x / 2
        return x

    optimized = egc.optimize(halved, backend="reference", rules=[])
    small, large = np.array([0.5, 0.25]), np.array([8.0, 1.0])
    np.testing.assert_array_equal(optimized(large, 1.0), halved(large, 1.0))
    assert not optimized.statistics.as_written
    assert optimized(small, 1.0) is small


def test_masks_select_in_every_iteration():
    def clipped(x, steps):
        for _ in range(steps):
            x[x > 1] -= 0.25
            x[x < -1] = -1.0
        return x

    assert_same(clipped, X.copy(), 7)


def test_numbers_are_promoted():
    def summed(x):
        total, largest, found = 0, 0.0, False
        for i in range(len(x)):
            total = total + x[i]
            largest = max(largest, x[i])
            found = found or x[i] < 0
        return total, largest, found

    expected, found = both(summed, X)
    assert [float(v) for v in expected[0]] == [float(v) for v in found[0]]


def test_a_list_that_grows_is_gone_through_where_the_length_is_known():
    def collected(x):
        parts = []
        for i in range(len(x)):
            parts.append(x[i] * i)
        return parts

    assert_same(collected, X)


def test_a_number_whose_value_promotion_would_change_is_refused():
    def mixed(x):
        s = 0.1
        for i in range(len(x)):
            s = s * x[i]
        return s

    with pytest.raises(NotEncodable, match="a Python number in one case"):
        capture(mixed, (np.ones(1000, np.float32),))


def test_a_function_without_end_is_refused():
    def endless(x):
        while True:
            x = x * 2

    with pytest.raises(NotEncodable):
        capture(endless, (X,))


def test_nothing_of_a_branch_is_computed_outside_of_it():
    def neighbours(x):
        s = 0.0
        for i in range(len(x)):
            if i > 0 and x[i - 1] > 0:
                s += x[i - 1]
            if i > 0 and x[i - 1] < 0:
                s -= x[i - 1]
        return s

    assert_same(neighbours, X)


def minors(A):
    """The leading rows are a square matrix in the last iteration only."""
    out = np.zeros(len(A) + 1)
    for k in range(1, len(A) + 1):
        out[k] = np.linalg.slogdet(A[:k] @ A[:k].T)[1]
    return out


def traces(A):
    total = 0.0
    for k in range(1, len(A) + 1):
        total = total + np.trace(egc.assume(A[:k], "lower_triangular"))
    return total


@pytest.mark.parametrize("function", [minors, traces])
def test_what_is_square_in_some_iterations_is_captured_in_one_loop(function):
    A = np.tril(np.random.default_rng(3).normal(size=(6, 6)))
    program = capture(function, (A,), {}, {}).program
    assert [node.op for node in topological(program.outputs)].count("loop") == 1
    np.testing.assert_allclose(egc.optimize(function, backend="reference")(A), function(A))


def written_after_two_exchanges(x, y, c):
    w = x.copy()
    if c[0] > 0.5:
        x, y, w = w, x, y
    x, y, w = w, x, y
    w[0] = 0.1
    return 0.0


@pytest.mark.parametrize("number", [0.0, 1.0])
def test_what_data_chose_among_arguments_may_be_either_of_them(number):
    found, expected = ([np.array([1.0]), np.array([2.0]), np.array([number])] for _ in range(2))
    egc.optimize(written_after_two_exchanges)(*found)
    written_after_two_exchanges(*expected)
    np.testing.assert_array_equal(found, expected)
