"""What is assumed of arrays is checked when results are verified."""

import numpy as np
import pytest

import egc
from egc.errors import VerificationError


def solved(A, b):
    return np.linalg.solve(A, b)


def symmetric_part(A):
    S = egc.assume(A, "symmetric")
    return S.T + S


MATRIX = np.array([[4.0, 1.0], [1.0, 3.0]])


def test_an_assumption_that_holds_is_accepted():
    b = np.array([1.0, 2.0])
    optimized = egc.optimize(solved, assume={"A": "spd"}, verify=True, backend="reference")
    np.testing.assert_allclose(optimized(MATRIX, b), np.linalg.solve(MATRIX, b))
    np.testing.assert_array_equal(egc.optimize(symmetric_part, verify=True, backend="reference")(MATRIX), 2 * MATRIX)


@pytest.mark.parametrize(
    "fact, A",
    [
        ("diagonal", MATRIX),
        ("orthogonal", MATRIX),
        ("lower_triangular", MATRIX),
        ("permutation", MATRIX),
        ("tridiagonal", np.ones((3, 3)) + np.eye(3)),
    ],
)
def test_an_assumption_that_does_not_hold_is_refused(fact, A):
    optimized = egc.optimize(solved, assume={"A": fact}, verify=True, backend="reference")
    with pytest.raises(VerificationError, match=f"argument A is not {fact.replace('_', ' ')}"):
        optimized(A, np.ones(len(A)))


def test_an_assumption_inside_of_a_function_is_checked_too():
    with pytest.raises(VerificationError, match="not symmetric"):
        egc.optimize(symmetric_part, verify=True, backend="reference")(np.array([[1.0, 2.0], [3.0, 4.0]]))


def test_nothing_is_checked_without_verify():
    A = np.array([[1.0, 2.0], [3.0, 4.0]])
    np.testing.assert_array_equal(egc.optimize(symmetric_part, backend="reference")(A), 2 * A)
