"""Lengths that a loop or branch needs equal are found equal."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import egc
from tests.capture.test_flow import assert_same, ops


def stepped(A, x, n):
    for _ in range(n):
        x = A @ x
    return x


def stepped_until(A, x, n):
    while np.sum(x) < n:
        x = A @ x + 1.0
    return x


def stepped_on_data(A, x, n):
    if np.sum(x) > n:
        x = A @ x
    return x


@pytest.mark.parametrize("function", [stepped, stepped_until, stepped_on_data])
def test_sizes_that_a_loop_or_branch_needs_equal_are_found_equal(function):
    """The lengths of an array and of another that takes its place: one loop of any number of iterations, for sizes that are
    equal; for others, what NumPy does."""
    A, x = np.array([[0.5, 0.25], [0.125, 0.5]]), np.array([1.0, 2.0])
    assert_same(function, A, x, 3)
    assert ("cond" if function is stepped_on_data else "loop") in ops(function, A, x, 3)
    optimized = egc.optimize(function, backend="reference")
    for n in (0, 1, 5):
        np.testing.assert_allclose(optimized(A, x, n), function(A, x, n), rtol=1e-13)
    wide = np.array([[0.5, 0.25], [0.125, 0.5], [1.0, 1.0]])
    for other, n in ((wide, 1), (wide.T.copy(), 2), (A[:1], 3), (wide, -1), (np.eye(2), 2)):
        given = np.ones(other.shape[1])
        try:
            expected: Any = function(other, given, n)
        except ValueError:
            with pytest.raises(ValueError):
                optimized(other, given, n)
        else:
            np.testing.assert_allclose(optimized(other, given, n), expected, rtol=1e-13)
