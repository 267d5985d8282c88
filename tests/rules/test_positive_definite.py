"""A matrix whose Cholesky factor a program computes is positive definite there; what follows from one factor."""

import numpy as np
import pytest

import egc
from egc.ir import regions
from egc.options import Options
from egc.pipeline import make_plan

rng = np.random.default_rng(0)
x, y = rng.uniform(0, 10, 200), rng.normal(size=200)
X = rng.normal(size=(200, 3))


def ops_of(function, *given):
    """The ops of the optimized Program and its regions, and its results."""
    plan = make_plan(function, given, {}, Options(backend="reference"), cached=False)
    stack, names = [plan.program], []
    while stack:
        program = stack.pop()
        names += [node.op for node in program.nodes()]
        stack += [region for node in program.nodes() for _, region in regions(node)]
    return names, plan.compiled.run(*map(np.asarray, given))


def kernel(x):
    return np.exp(-0.5 * (x[:, None] - x) ** 2) + 0.1 * np.eye(len(x))


def density(x, y):
    K = kernel(x)
    return -0.5 * y @ np.linalg.solve(K, y) - np.sum(np.log(np.diag(np.linalg.cholesky(K))))


def density_of_rows(X, y):
    K = np.exp(-np.sum((X[:, None] - X) ** 2, axis=2)) + 0.1 * np.eye(len(X))
    return -0.5 * y @ np.linalg.solve(K, y) - np.sum(np.log(np.diag(np.linalg.cholesky(K))))


@pytest.mark.parametrize("function, given", [(density, x), (density_of_rows, X)])
def test_a_system_shares_the_factor_of_its_symmetric_matrix(function, given):
    names, found = ops_of(function, given, y)
    np.testing.assert_allclose(found[0], function(given, y), rtol=1e-10)
    assert names.count("cholesky") == 1 and not {"solve", "lu", "lu_solve", "symmetric_solve"} & {*names}


def test_its_gradient_is_one_inverse():
    names, (value, gradient) = ops_of(egc.value_and_grad(density), x, y)
    assert names.count("cholesky") == names.count("cholesky_inverse") == 1
    assert "lu" not in names and "solve" not in names
    step = 1e-6 * np.eye(200)[7]
    difference = (density(x + step, y) - density(x - step, y)) / 2e-6
    np.testing.assert_allclose(value, density(x, y), rtol=1e-10)
    np.testing.assert_allclose(gradient[7], difference, rtol=1e-5)


def test_a_factor_in_a_branch_says_nothing_outside_of_it():
    def either(A, y, factor):
        S = A + A.T
        if factor > 0:
            return np.sum(np.linalg.cholesky(S) @ y)
        return np.sum(np.linalg.solve(S, y))

    A = rng.normal(size=(4, 4))
    names, found = ops_of(either, A, y[:4], -1.0)
    np.testing.assert_allclose(found[0], either(A, y[:4], -1.0))
    with pytest.raises(np.linalg.LinAlgError):
        egc.optimize(either, backend="reference")(A, y[:4], 1.0)


def test_a_factor_of_a_matrix_that_is_not_symmetric_says_nothing():
    def both(A, y):
        return np.linalg.solve(A, y) + np.diag(np.linalg.cholesky(A))

    A = np.eye(4) + np.triu(rng.normal(size=(4, 4)), 1)
    names, found = ops_of(both, A, y[:4])
    np.testing.assert_allclose(found[0], both(A, y[:4]))
    assert names.count("cholesky") == 1 and "solve_triangular" not in names


def test_a_factor_that_a_loop_may_never_compute_says_nothing_before_it():
    def steps(A, y, n):
        S = A + A.T
        found = np.linalg.solve(S, y)
        for _ in range(n):
            found = np.linalg.cholesky(S) @ found
        return found

    A, optimized = rng.normal(size=(4, 4)), egc.optimize(steps, backend="reference")
    np.testing.assert_allclose(optimized(A, y[:4], 0), steps(A, y[:4], 0))
    definite = A @ A.T + np.eye(4)
    np.testing.assert_allclose(optimized(definite, y[:4], 2), steps(definite, y[:4], 2), rtol=1e-10)


def test_inverses_of_positive_definite_matrices():
    def inverse(A, b):
        S = A @ A.T + np.eye(len(A))
        return np.linalg.inv(S) * b

    A = rng.normal(size=(40, 40))
    names, found = ops_of(inverse, A, rng.normal(size=(40, 40)))
    assert "cholesky_inverse" in names and "inv" not in names
    with pytest.raises(np.linalg.LinAlgError, match="Singular matrix"):
        egc.factors.cholesky_inverse(np.zeros((2, 2)))
    with pytest.raises(TypeError):
        egc.factors.cholesky_inverse(np.eye(2, dtype=complex))


def test_small_systems_inside_of_a_loop_share_a_factorization():
    """Each call takes far longer than its arithmetic."""

    def filtered(S, y):
        x, total = np.zeros(2), 0.0
        for t in range(len(y)):
            S = S + np.outer(x, x) + 0.1 * S[::-1]
            total = total + np.linalg.slogdet(S)[1] + y[t] @ np.linalg.solve(S, y[t])
            x = np.linalg.solve(S.T, x + y[t])
        return total

    S, y = np.array([[2.0, 0.3], [0.1, 1.0]]), rng.normal(size=(6, 2))
    plan = make_plan(filtered, (S, y), {}, Options(backend="numba"), cached=False)
    inside = [node.op for each in plan.program.nodes() for _, region in regions(each) for node in region.nodes()]
    assert inside.count("lu") == 1 and inside.count("lu_solve") == 2 and not {"solve", "slogdet"} & {*inside}
    np.testing.assert_allclose(egc.optimize(filtered)(S, y), filtered(S, y), rtol=1e-12)
