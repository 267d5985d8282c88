"""Loops that bind variables to other memory, and arrays whose lengths change by as much in every iteration."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest

import egc

X = np.array([3.0, -1.0, 4.0, 1.5, -9.0, 2.0])
Y = np.array([0.5, 2.0, -3.0, 1.0, 7.0, -2.0])


def outcome(function: Any, arguments: tuple[Any, ...]) -> tuple[list[Any], list[Any]]:
    """The arrays of the result and the arguments afterwards, and which of them all share memory."""
    result = function(*arguments)
    results = list(result) if isinstance(result, tuple) else [result]
    given = [each for each in arguments if isinstance(each, np.ndarray)]
    everything = [*results, *given]
    shared = [[np.shares_memory(a, b) for b in everything] for a in results]
    return [np.array(each) for each in everything], shared


def assert_same(function: Any, *arguments: Any, captured: bool = True) -> None:
    """A function means the same compiled, the memory of its results included; whether it is captured, for the last call."""
    optimized = egc.optimize(function, backend="reference", rules=[])
    expected = outcome(function, copy.deepcopy(arguments))
    found = outcome(optimized, copy.deepcopy(arguments))
    for ours, theirs in zip(found[0], expected[0], strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-13)
    assert found[1] == expected[1]
    assert (optimized.statistics.as_written == 0) == captured, optimized.statistics.reasons


def test_a_variable_that_is_another_array_in_some_iterations_shares_its_memory():
    def written_later(x):
        c, d = x * 2, x * 3
        for k in range(len(x)):
            c = d if x[k] > 0 else c + 1
        d[0] = 5
        return c, d

    def written_in_the_next_iteration(x):
        c, d, total = x * 2, x * 3, 0.0
        for k in range(len(x)):
            c[0] += 1
            total += d[0]
            if x[k] > 0:
                c = d
        return total

    def shared_results(x):
        c, d = x * 2, x * 3
        for k in range(len(x)):
            c = d if x[k] > 0 else c + 1
        return c, d

    for function in (written_later, written_in_the_next_iteration, shared_results):
        for x in (X, abs(X), -abs(X)):
            assert_same(function, x, captured=False)


def test_a_variable_may_be_a_view_after_a_loop():
    def contiguous(A, n):
        c = A
        for _ in range(n):
            c = np.ascontiguousarray(c)
        return c

    A = np.arange(12.0).reshape(3, 4)
    assert_same(contiguous, A, 5, captured=False)
    assert_same(contiguous, np.asfortranarray(A), 5, captured=False)


def test_a_memory_that_something_else_reaches_is_not_a_loops_own():
    def chosen(x):
        c, d, total = x * 2, x * 3, 0.0
        e = c if x[0] > 0 else d
        for _ in range(len(x)):
            c[1] += 1
            total += e[1]
            c = c + 1
        return total

    assert_same(chosen, X, captured=False)
    assert_same(chosen, -X, captured=False)


def test_variables_that_change_places_on_data_are_two_arrays():
    def exchanged(x):
        c, d = x * 2, x * 3
        for k in range(len(x)):
            if x[k] > 0:
                c, d = d, c
        return c, d

    assert_same(exchanged, X)
    assert_same(exchanged, abs(X))


@pytest.mark.parametrize("bound", [-10.0, 0.0, 100.0])
def test_an_argument_that_is_replaced_unless_a_loop_ends_before(bound):
    def replaced(x, y, bound):
        for k in range(len(x)):
            if x[k] > bound:
                break
            y = y.copy()
            y[0] += x[k]
        return y

    assert_same(replaced, X, Y, bound, captured=bound > X[0])


def test_the_length_of_a_selection():
    def means(x):
        total = 0.0
        for k in range(len(x)):
            chosen = x[x > x[k]]
            if len(chosen) > 0:
                total += chosen.mean() / len(chosen)
        return np.asarray(total)

    assert_same(means, X)
    assert_same(lambda A: np.asarray(len(A[A > 1.0])), X.reshape(2, 3))


def differences(x, n):
    for _ in range(n):
        x = x[1:] - x[:-1]
    return x


def grown(x, n):
    y = x * 2
    for k in range(n):
        y = np.concatenate([y, y[-1:] + x[k]])
    return y


def squares(x, n):
    A = np.outer(x, x)
    for k in range(n):
        A = A[1:, 1:] + A[:-1, :-1]
        A[0, 0] = k
    return A.sum(axis=0)


def kept(x, n):
    y = x + 1
    z = y
    for _ in range(n):
        z = y
        y = y[:-1]
        y[0] += 1
    return y, z


@pytest.mark.parametrize("function", [differences, grown, squares])
@pytest.mark.parametrize("n", [1, 3, 5])
def test_lengths_that_change_by_as_much_in_every_iteration(function, n):
    assert_same(function, X, n)


def test_a_view_that_gets_shorter_is_one_of_the_memory():
    assert_same(kept, X, 3)


def test_one_program_serves_all_numbers_of_iterations():
    optimized = egc.optimize(differences, backend="reference", rules=[])
    for n in (9, 5, 17, 30):
        x = np.random.default_rng(n).normal(size=40)
        np.testing.assert_allclose(optimized(x, n), differences(x, n), rtol=1e-9)
    assert len(optimized.statistics.reasons) == 0 and optimized.statistics.as_written == 0
    x = X.copy()
    assert optimized(x, 0) is x


def test_a_length_that_changes_until_data_ends_it_runs_as_written():
    def halted(x):
        y = x + 1
        for _ in range(len(x) - 1):
            y = y[:-1] * 2
            if y[0] > 20:
                break
        return y

    assert_same(halted, X, captured=False)


def test_gradients_through_changing_lengths():
    def tree(x):
        v, total = np.exp(x), 0.0
        for k in range(len(x) - 1):
            v = 0.5 * (v[1:] + v[:-1])
            total = total + v[0] * k
        return total + np.sum(v)

    egc.check_grads(tree, (0.1 * X,))
