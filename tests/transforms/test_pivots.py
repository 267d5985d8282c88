"""A nest that exchanges rows for pivots gives what it gave: factors, exchanges, and all that is no number."""

from __future__ import annotations

import numpy as np
import pytest

import egc
from egc.capture import capture
from egc.pipeline import evaluate_reference
from egc.ranges import ranges_of
from egc.transforms import simplify
from egc.transforms.pivots import LAW, pivoted_nest


def by_elements(A):
    n, p = len(A), np.arange(len(A))
    A = A.copy()
    for k in range(n):
        m = k
        for i in range(k + 1, n):
            if abs(A[i, k]) > abs(A[m, k]):
                m = i
        if m != k:
            for j in range(n):
                t = A[k, j]
                A[k, j] = A[m, j]
                A[m, j] = t
            p[k], p[m] = p[m], p[k]
        for i in range(k + 1, n):
            A[i, k] /= A[k, k]
            for j in range(k + 1, n):
                A[i, j] -= A[i, k] * A[k, j]
    return A, p


def by_rows(A):
    A, p = A.copy(), np.arange(len(A))
    for k in range(len(A) - 1):
        m = k + np.argmax(np.abs(A[k:, k]))
        A[[k, m]] = A[[m, k]]
        p[[k, m]] = p[[m, k]]
        A[k + 1 :, k] /= A[k, k]
        A[k + 1 :, k + 1 :] -= np.outer(A[k + 1 :, k], A[k, k + 1 :])
    return A, p


def apart(A):
    """L and U for themselves; the last of equal candidates is taken."""
    n, U, L, x = len(A), A.copy(), np.eye(len(A)), A.sum(axis=1)
    for k in range(n):
        m = k
        for i in range(k + 1, n):
            if abs(U[i, k]) >= abs(U[m, k]):
                m = i
        for j in range(k, n):
            U[k, j], U[m, j] = U[m, j], U[k, j]
        for j in range(k):
            L[k, j], L[m, j] = L[m, j], L[k, j]
        x[k], x[m] = x[m], x[k]
        for i in range(k + 1, n):
            L[i, k] = U[i, k] / U[k, k]
            U[i, k] = 0.0
            for j in range(k + 1, n):
                U[i, j] -= L[i, k] * U[k, j]
    return L, U, x


def largest_without_sign(A):
    A = A.copy()
    for k in range(len(A) - 1):
        m = k + np.argmax(A[k:, k])
        A[[k, m]] = A[[m, k]]
        A[k + 1 :, k] /= A[k, k]
        A[k + 1 :, k + 1 :] -= np.outer(A[k + 1 :, k], A[k, k + 1 :])
    return A


def smallest(A):
    A = A.copy()
    for k in range(len(A) - 1):
        m = k + np.argmin(np.abs(A[k:, k]))
        A[[k, m]] = A[[m, k]]
        A[k + 1 :, k] /= A[k, k]
        A[k + 1 :, k + 1 :] -= np.outer(A[k + 1 :, k], A[k, k + 1 :])
    return A


def exchanged_late(A):
    """The row of the pivot is exchanged after the elimination."""
    A = A.copy()
    for k in range(len(A) - 1):
        m = k + np.argmax(np.abs(A[k:, k]))
        A[k + 1 :, k] /= A[k, k]
        A[k + 1 :, k + 1 :] -= np.outer(A[k + 1 :, k], A[k, k + 1 :])
        A[[k, m]] = A[[m, k]]
    return A


NESTS = [by_elements, by_rows, apart]
OTHERS = [largest_without_sign, smallest, exchanged_late]


def recognized(function):
    program = simplify(capture(function, [np.eye(6)], {}, {}).program, evaluate_reference)
    loops = [node for node in program.nodes() if node.op == "loop"]
    return any(pivoted_nest(loop, ranges_of(program), frozenset([LAW]), evaluate_reference) for loop in loops)


@pytest.mark.parametrize("function", NESTS, ids=lambda f: f.__name__)
def test_a_nest_with_exchanges_is_recognized(function):
    assert recognized(function)


@pytest.mark.parametrize("function", OTHERS, ids=lambda f: f.__name__)
def test_a_nest_with_other_exchanges_is_not(function):
    assert not recognized(function)


def matrices():
    random = np.random.default_rng(5)
    yield random.normal(size=(120, 120))
    for n in (0, 1, 2, 7, 30):
        yield random.normal(size=(n, n))
    yield np.ones((4, 4))
    yield np.zeros((3, 3))
    yield np.round(random.normal(size=(20, 20)))
    yield np.array([[1.0, 1.0, 0.0], [-1.0, 1.0, 2.0], [1.0, -1.0, 3.0]])
    yield np.outer(np.arange(1.0, 9.0), np.arange(2.0, 10.0)) + np.eye(8)[::-1] * 1e-17
    yield np.array([[0.0, 1.0], [1.0, 0.0]])
    for value in (np.nan, np.inf, 1e300):
        yield np.where(np.arange(25).reshape(5, 5) == 12, value, random.normal(size=(5, 5)))


@pytest.mark.parametrize(
    "function", [by_rows, *(pytest.param(each, marks=pytest.mark.slow) for each in (by_elements, apart))]
)
@pytest.mark.parametrize("backend", ["numba", pytest.param("jax", marks=pytest.mark.slow)])
def test_a_nest_with_exchanges_gives_what_it_gave(function, backend):
    optimized = egc.optimize(function, backend=backend)
    with np.errstate(all="ignore"):
        for A in matrices():
            for ours, theirs in zip(optimized(A.copy()), function(A.copy()), strict=True):
                assert ours.dtype == theirs.dtype
                np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-11)


def test_factors_of_large_matrices_are_lapacks():
    steps = egc.optimize(by_rows).explain(np.random.default_rng(0).normal(size=(200, 200))).steps
    assert LAW in [step.rule for step in steps]
