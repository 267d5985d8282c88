"""A nest that is a factorization gives what it gave, for every size and every value; a nest that is none is not taken for one."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import egc
from egc.capture import capture
from egc.pipeline import evaluate_reference
from egc.ranges import ranges_of
from egc.transforms import simplify
from egc.transforms.nests import LAWS, solved_nest
from tests.programs import linear_algebra
from tests.sampling import crossed


def cholesky_in_place(A):
    linear_algebra.cholesky_in_place(A)
    return A


def cholesky_outwards(A):
    A = A.copy()
    for k in range(len(A)):
        A[k, k] = np.sqrt(A[k, k])
        A[k + 1 :, k] /= A[k, k]
        for j in range(k + 1, len(A)):
            A[j:, j] -= A[j:, k] * A[j, k]
    return A


def upper_cholesky(A):
    n = len(A)
    U = np.zeros((n, n))
    for i in range(n):
        for j in range(i, n):
            s = A[i, j]
            for k in range(i):
                s -= U[k, i] * U[k, j]
            U[i, j] = s
        d = np.sqrt(U[i, i])
        for j in range(i, n):
            U[i, j] = U[i, j] / d
    return U


def cholesky_by_elements(A):
    n = len(A)
    L = np.zeros_like(A)
    for i in range(n):
        for j in range(i + 1):
            s = A[i, j]
            for k in range(j):
                s -= L[i, k] * L[j, k]
            L[i, j] = np.sqrt(s) if i == j else s / L[j, j]
    return L


def cholesky_diagonal_first(A):
    n = len(A)
    L = np.zeros_like(A)
    for j in range(n):
        for i in range(j, n):
            if i == j:
                L[j, j] = np.sqrt(A[j, j] - L[j, :j] @ L[j, :j])
            else:
                L[i, j] = (A[i, j] - L[i, :j] @ L[j, :j]) / L[j, j]
    return L


def lu_in_place(A):
    linear_algebra.lu_in_place(A)
    return A


def lu_outwards(A):
    A = A.copy()
    for k in range(len(A) - 1):
        A[k + 1 :, k] /= A[k, k]
        A[k + 1 :, k + 1 :] -= A[k + 1 :, k : k + 1] * A[k, k + 1 :]
    return A


def forward(L, b):
    x = np.zeros_like(b)
    for i in range(len(b)):
        x[i] = (b[i] - L[i, :i] @ x[:i]) / L[i, i]
    return x


def backward(U, b):
    n = b.shape[0]
    x = b.copy()
    for i in range(n - 1, -1, -1):
        for j in range(i + 1, n):
            x[i] -= U[i, j] * x[j]
        x[i] /= U[i, i]
    return x


def forward_by_columns(L, b):
    x = b.copy()
    for j in range(len(b)):
        x[j] /= L[j, j]
        x[j + 1 :] -= L[j + 1 :, j] * x[j]
    return x


def transposed(L, b):
    n = len(b)
    x = b.copy()
    for i in range(n - 1, -1, -1):
        x[i] = (x[i] - L[i + 1 :, i] @ x[i + 1 :]) / L[i, i]
    return x


def unit_forward(L, b):
    x = b.copy()
    for i in range(len(b)):
        for j in range(i):
            x[i] -= L[i, j] * x[j]
    return x


def many(L, b):
    B = np.outer(b, b)
    X = np.zeros_like(B)
    for i in range(len(B)):
        X[i] = (B[i] - L[i, :i] @ X[:i]) / L[i, i]
    return X


FACTORS = [linear_algebra.cholesky, cholesky_in_place, cholesky_outwards, upper_cholesky, lu_in_place, lu_outwards]
BY_DIAGONAL = [cholesky_by_elements, cholesky_diagonal_first]
SOLUTIONS = [forward, backward, forward_by_columns, transposed, unit_forward, many]


def gram_of_rows(L, b):
    """Adds where the substitution subtracts."""
    x = np.zeros_like(b)
    for i in range(len(b)):
        x[i] = (b[i] + L[i, :i] @ x[:i]) / L[i, i]
    return x


def banded(L, b):
    """Substitution with a band of two."""
    x = b.copy()
    for i in range(2, len(b)):
        x[i] = (b[i] - L[i, i - 1] * x[i - 1] - L[i, i - 2] * x[i - 2]) / L[i, i]
    return x


def counting(L, b):
    """Substitution that counts as it goes."""
    x, c = b.copy(), 0.0
    for i in range(len(b)):
        x[i] = (b[i] - L[i, :i] @ x[:i]) / L[i, i] + c * 1e-30
        c += 1.0
    return x


def ridge(L, b):
    """Substitution with another diagonal."""
    x = b.copy()
    for i in range(len(b)):
        x[i] = (b[i] - L[i, :i] @ x[:i]) / (L[i, i] + 1e-13)
    return x


OTHERS = [gram_of_rows, banded, counting, ridge]


def unlike_on_the_diagonal(A, b):
    """Divides by the element above where the substitution divides by the diagonal's."""
    x = np.zeros_like(b)
    for i in range(len(b)):
        s = b[i]
        for j in range(i + 1):
            s = s / A[0, i] if i == j else s - A[i, j] * x[j]
        x[i] = s
    return x


OTHERS.append(unlike_on_the_diagonal)


def arguments(function, n, seed=0):
    rng = np.random.default_rng(seed)
    A = rng.normal(size=(n, n))
    A = A @ A.T + n * np.eye(n) + 0.1 * np.triu(rng.normal(size=(n, n)), 1)
    return [A] if function in [*FACTORS, *BY_DIAGONAL] else [A, rng.normal(size=n)]


def nests(function, dtype=np.float64):
    given = [value.astype(dtype) for value in arguments(function, 6)]
    program = simplify(capture(function, given, {}, {}).program, evaluate_reference)
    loops = [node for node in program.nodes() if node.op == "loop"]
    return [
        form for loop in loops if (form := solved_nest(loop, ranges_of(program), frozenset(LAWS), evaluate_reference))
    ]


@pytest.mark.parametrize("function", [*FACTORS, *BY_DIAGONAL, *SOLUTIONS], ids=lambda f: f.__name__)
def test_a_nest_is_recognized_by_what_it_computes(function):
    assert nests(function)


@pytest.mark.parametrize("function", OTHERS, ids=lambda f: f.__name__)
def test_a_nest_that_computes_something_else_is_not(function):
    assert not nests(function)


@pytest.mark.parametrize("function", [cholesky_by_elements, lu_outwards, forward], ids=lambda f: f.__name__)
def test_a_nest_of_single_precision_is_recognized_and_keeps_it(function):
    assert nests(function, np.float32)
    optimized = egc.optimize(function)
    for n in (70, 3, 1):
        given = [value.astype(np.float32) for value in arguments(function, n)]
        ours, theirs = optimized(*given), function(*given)
        assert ours.dtype == theirs.dtype == np.float32
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)


def special(given, kind):
    given = [value.copy() for value in given]
    A = given[0]
    A[kind % len(A), kind % len(A)] = [0.0, -3.0, np.nan, np.inf][kind]
    return given


@pytest.mark.parametrize(
    ("function", "backend"),
    crossed([*FACTORS, *SOLUTIONS], ["numba", "reference"]),
    ids=lambda value: getattr(value, "__name__", value),
)
def test_a_nest_gives_what_it_gave_with_zero_pivots_and_roots_of_negative_numbers(function, backend):
    optimized = egc.optimize(function, backend=backend)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore", RuntimeWarning)
        optimized(*arguments(function, 200))
        samples = [arguments(function, n, n) for n in (0, 1, 2, 5, 60)]
        samples += [special(arguments(function, 5), kind) for kind in range(4)]
        for given in samples:
            expected = function(*(value.copy() for value in given))
            ours = optimized(*(value.copy() for value in given))
            np.testing.assert_allclose(ours, expected, rtol=1e-9, atol=1e-11)
