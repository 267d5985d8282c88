"""What is constant along an axis is computed once, wherever that is assumed or follows."""

import numpy as np
import pytest

import egc
from egc.errors import VerificationError

from ..sampling import some

FUNCTIONS = {
    "product": (lambda A, B: A @ B, "equal_rows"),
    "product from the right": (lambda A, B: B.T @ A.T, "equal_rows"),
    "deviations": (lambda A, B: A - np.mean(A, axis=0), "equal_rows"),
    "mean of a function": (lambda A, B: np.mean(np.exp(A) * 2, axis=0), "equal_rows"),
    "greatest": (lambda A, B: np.max(A @ B, axis=0), "equal_rows"),
    "sum": (lambda A, B: np.sum(A, axis=1), "equal_columns"),
    "columns' product": (lambda A, B: A @ B, "equal_columns"),
    "columns' deviations": (lambda A, B: (A - np.mean(A, axis=1)[:, None]) @ B, "equal_columns"),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_results_are_those_of_numpy(name):
    function, fact = FUNCTIONS[name]
    optimized = egc.optimize(function, assume={"A": [fact, "finite"]}, backend="reference")
    rng = np.random.default_rng(0)
    for rows, columns in ((7, 4), (200, 300)):
        A = rng.normal(size=(1, columns) if fact == "equal_rows" else (rows, 1)) * np.ones((rows, columns))
        B = rng.normal(size=(columns, 5))
        np.testing.assert_allclose(optimized(A, B), function(A, B), rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("name", some(FUNCTIONS, 4))
def test_what_is_constant_is_found_by_rules_for_it(name):
    function, fact = FUNCTIONS[name]
    optimized = egc.optimize(function, assume={"A": [fact, "finite"]}, backend="reference")
    A, B = np.ones((200, 300)), np.ones((300, 5))
    assert any("same_" in step.rule for step in optimized.explain(A, B).steps)


def test_equal_rows_follow_from_what_is_repeated():
    def function(v, B):
        return np.mean(np.exp(np.broadcast_to(v, (9, len(v)))) @ B, axis=0)

    given = np.arange(4.0), np.random.default_rng(1).normal(size=(4, 3))
    optimized = egc.optimize(function, backend="reference")
    np.testing.assert_allclose(optimized(*given), function(*given), rtol=1e-12)
    assert not any(node.op == "exp" and node.type.rank == 2 for node in _program(function, given).nodes())


def _program(function, given):
    from egc.options import Options
    from egc.pipeline import make_plan

    return make_plan(function, given, {}, Options(), cached=False).program


def test_without_the_fact_nothing_is_assumed():
    def function(A, B):
        return A @ B

    A, B = np.random.default_rng(2).normal(size=(2, 4, 4))
    steps = egc.optimize(function, backend="reference").explain(A, B).steps
    assert not any("same_" in step.rule for step in steps)


def test_a_wrong_assumption_is_found():
    optimized = egc.optimize(lambda A: A - np.mean(A, axis=0), assume={"A": "equal_rows"}, verify=True)
    with pytest.raises(VerificationError, match="equal rows"):
        optimized(np.arange(6.0).reshape(3, 2))
