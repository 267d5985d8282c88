"""Loops and branches in JAX: traced positions, lengths that depend on the iteration, and what NumPy raises inside."""

from __future__ import annotations

import numpy as np
import pytest

import egc
from egc import backend
from egc.backends import reference
from egc.capture import capture
from egc.check import check
from egc.pipeline import evaluate_reference
from egc.transforms import simplify

pytest.importorskip("jax")


def forward_substitution(L, b):
    x = np.zeros(len(b))
    for i in range(len(b)):
        x[i] = (b[i] - np.sum(L[i, :i] * x[:i])) / L[i, i]
    return x


def in_place_substitution(L, b):
    x = b.copy()
    for i in range(len(b)):
        x[i] = (x[i] - L[i, :i] @ x[:i]) / L[i, i]
    return x


def factor(A, b):
    L = np.zeros_like(A)
    for j in range(A.shape[0]):
        L[j, j] = np.sqrt(A[j, j] - L[j, :j] @ L[j, :j])
        for i in range(j + 1, A.shape[0]):
            L[i, j] = (A[i, j] - L[i, :j] @ L[j, :j]) / L[j, j]
    return L


def elimination(A, b):
    A = A.copy()
    for k in range(A.shape[0]):
        A[k + 1 :, k] /= A[k, k]
        A[k + 1 :, k + 1 :] -= A[k + 1 :, k : k + 1] * A[k : k + 1, k + 1 :]
    return A


def largest_before(A, b):
    y = b.copy()
    for i in range(1, len(b)):
        y[i] = np.max(b[:i])
    return y


def place_of_largest(A, b):
    y = np.zeros(len(b))
    for i in range(len(b)):
        y[i] = np.argmax(b[i:]) + i
    return y


def until_large(A, b):
    s = 0.0
    for v in b:
        if v > 0.5:
            break
        s += v
    return s


def halved(A, b):
    s, k = np.sum(b * b), 0
    while s > 1e-6:
        s = s / 2 if s > 1.0 else s / 4
        k += 1
    return s, k


FUNCTIONS = [forward_substitution, in_place_substitution, factor, elimination, largest_before]
FUNCTIONS += [place_of_largest, until_large, halved]


def positive(n):
    rng = np.random.default_rng(n)
    a = rng.normal(size=(n, n))
    return a @ a.T + n * np.eye(n), rng.normal(size=n)


def captured(function, *arguments):
    return simplify(check(capture(function, arguments, {}, {}).program), evaluate_reference)


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.__name__)
def test_loops_compute_what_the_reference_computes(function):
    p = captured(function, *positive(20))
    assert {"loop", "cond"} & {node.op for node in p.nodes()}
    assert not backend.load("jax").missing(p)
    compiled = backend.load("jax").compile(p)
    for n in (20, 12):
        given = positive(n)
        for ours, theirs in zip(compiled.run(*given), reference.evaluate(p, given), strict=True):
            assert ours.dtype == theirs.dtype
            np.testing.assert_allclose(ours, theirs, rtol=1e-11, atol=1e-12)


def past_the_end(A, b):
    y = b.copy()
    for i in range(len(b)):
        y[i] = b[i + 1]
    return y


def singular(A, b):
    x = b
    for _ in range(len(b)):
        x = np.linalg.solve(A, x)
    return x


@pytest.mark.parametrize(
    ("function", "error"), [(past_the_end, IndexError), (singular, np.linalg.LinAlgError)], ids=["index", "singular"]
)
def test_what_numpy_raises_in_a_loop_is_raised(function, error):
    compiled = backend.load("jax").compile(captured(function, *positive(20)))
    given = [np.ones((20, 20)), np.ones(20)]
    with pytest.raises(error):
        compiled.run(*given)


def sorted_before(A, b):
    y = b.copy()
    for i in range(len(b)):
        y[i] = np.sort(b[: i + 1])[i // 2]
    return y


def test_a_length_that_cannot_be_padded_is_a_gap_with_its_line():
    gaps = backend.load("jax").missing(captured(sorted_before, *positive(20)))
    assert "sort" in {gap.op for gap in gaps}
    assert all("length" in gap.why and gap.line is not None for gap in gaps)


def test_a_function_with_a_gap_runs_as_written_and_says_where():
    function = egc.optimize(sorted_before, backend="jax")
    given = positive(20)
    np.testing.assert_array_equal(function(*given), sorted_before(*given))
    (opaque,) = function.explain(*given).opaque
    assert opaque.what == "sort" and "length" in opaque.why and opaque.line is not None
