"""Matrices of four blocks: what NumPy gives, without the whole matrix where its blocks suffice, and by pivots where they do not."""

import numpy as np
import pytest
from scipy import linalg

import egc
from egc import sizes
from egc.options import Options
from egc.pipeline import make_plan
from egc.types import ArrayType


def whole(v, C, D):
    """Positive definite: a diagonal, bordered."""
    return egc.assume(np.block([[np.diag(v), C.T], [C, D]]), "spd")


FUNCTIONS = {
    "solution": lambda v, C, D, b: np.linalg.solve(whole(v, C, D), b),
    "solutions": lambda v, C, D, b: np.linalg.solve(whole(v, C, D), np.outer(b, b[:2])),
    "log determinant": lambda v, C, D, b: np.linalg.slogdet(whole(v, C, D))[1],
    "quadratic form": lambda v, C, D, b: b @ np.linalg.inv(whole(v, C, D)) @ b,
    "block of the inverse": lambda v, C, D, b: np.linalg.inv(whole(v, C, D))[len(v) :, len(v) :],
    "factor": lambda v, C, D, b: np.linalg.cholesky(whole(v, C, D)),
    "product": lambda v, C, D, b: np.block([[np.diag(v), C.T], [C, D]]) @ b,
}


def arguments(n, k, seed=0):
    rng = np.random.default_rng(seed)
    return rng.uniform(1, 2, n), rng.normal(size=(k, n)) / (n + k), np.eye(k) + 0.1, rng.normal(size=n + k)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_blocks_of_any_sizes_give_what_numpy_gives(name):
    function = egc.optimize(FUNCTIONS[name], assume={"v": "positive"}, backend="reference")
    for n, k in ((6, 3), (3, 6)):
        given = arguments(n, k, seed=n)
        np.testing.assert_allclose(function(*given), FUNCTIONS[name](*given), rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("name", [name for name in FUNCTIONS if name != "factor"])
def test_nothing_as_large_as_the_matrix_is_made(name):
    given = arguments(200, 10)
    plan = make_plan(FUNCTIONS[name], given, {}, Options(assume={"v": ("positive",)}), cached=False)
    bindings = plan.captured.hints()
    shapes = [node.type.shape for node in plan.program.nodes() if isinstance(node.type, ArrayType)]
    largest = max(np.prod([sizes.evaluate(dim, bindings) for dim in shape], dtype=float) for shape in shapes)
    assert largest <= 10 * (200 + 10)


def test_a_bordered_diagonal_is_solved_in_compiled_code():
    given = arguments(30, 4)
    function = egc.optimize(FUNCTIONS["solution"], assume={"v": "positive"})
    np.testing.assert_allclose(function(*given), FUNCTIONS["solution"](*given), rtol=1e-11)


@pytest.mark.parametrize("size", [1e-9, 1e-17])
def test_a_small_first_block_loses_nothing(size):
    """Elimination by blocks would: of what is known only to be nonsingular, rows are exchanged."""
    rng = np.random.default_rng(1)
    A, B, C, D = (rng.normal(size=(4, 4)) for _ in range(4))
    x = rng.normal(size=8)

    def solution(A, B, C, D, b):
        return np.linalg.solve(np.block([[A, B], [C, D]]), b)

    b = np.block([[A * size, B], [C, D]]) @ x
    found = egc.optimize(solution, assume=dict.fromkeys("AD", "nonsingular"), backend="reference")(A * size, B, C, D, b)
    np.testing.assert_allclose(found, x, rtol=1e-10)


def test_blocks_of_unequal_sizes_are_substituted():
    rng = np.random.default_rng(2)
    A, B, D, b = rng.normal(size=(5, 5)) + 6 * np.eye(5), rng.normal(size=(5, 2)), np.eye(2) * 3, rng.normal(size=7)

    def solution(A, B, D, b):
        return np.linalg.solve(np.block([[A, B], [np.zeros((len(D), len(A))), D]]), b)

    function = egc.optimize(solution, assume=dict.fromkeys("AD", "nonsingular"), backend="reference")
    steps = function.explain(A, B, D, b).steps
    assert any(step.rule == "solution_with_block_upper_triangular" for step in steps)
    np.testing.assert_allclose(function(A, B, D, b), solution(A, B, D, b), rtol=1e-11)


PUT_TOGETHER = {
    "stacked": lambda A, B, C, D, b: np.concatenate([A, B, C]) @ b[: len(D)],
    "joined": lambda A, B, C, D, b: b[: len(D)] @ np.concatenate([A, B, C, D], axis=1),
    "blocks": lambda A, B, C, D, b: np.block([[A, B], [C, D]]) @ b,
    "blocks from the left": lambda A, B, C, D, b: b @ np.block([[A, B], [C, D]]),
    "systems": lambda A, B, C, D, b: np.linalg.inv(linalg.block_diag(A, D)) @ b,
    "triangular": lambda A, B, C, D, b: np.linalg.solve(np.block([[A, np.zeros_like(B)], [C, D]]), b),
}


@pytest.mark.parametrize("name", PUT_TOGETHER)
def test_matrices_put_together_are_not_made(name):
    n, rng = 200, np.random.default_rng(3)
    given = [*(rng.normal(size=(n, n)) + 2 * np.sqrt(n) * np.eye(n) for _ in range(4)), rng.normal(size=2 * n)]
    function = egc.optimize(PUT_TOGETHER[name])
    np.testing.assert_allclose(function(*given), PUT_TOGETHER[name](*given), rtol=1e-9)
    plan = function.plan(*given)
    shapes = [node.type.shape for node in plan.program.nodes() if isinstance(node.type, ArrayType)]
    hints = plan.captured.hints()
    assert max(np.prod([sizes.evaluate(dim, hints) for dim in shape], dtype=float) for shape in shapes) == n * n


def test_a_singular_block_is_refused_as_by_numpy():
    rng = np.random.default_rng(4)
    singular, B, b = np.zeros((3, 3)), rng.normal(size=(3, 3)), rng.normal(size=6)
    for function in (PUT_TOGETHER["systems"], PUT_TOGETHER["triangular"]):
        optimized = egc.optimize(function)
        for given in ((singular, B, B, B, b), (B, B, B, singular, b)):
            with pytest.raises(np.linalg.LinAlgError):
                function(*given)
            with pytest.raises(np.linalg.LinAlgError):
                optimized(*given)


def test_products_of_kronecker_products_multiply_factors():
    rng = np.random.default_rng(5)
    A, B, C = rng.normal(size=(7, 7)), rng.normal(size=(7, 7)), rng.normal(size=(7, 3))
    function = egc.optimize(lambda A, B: np.kron(A, B) @ np.kron(B, A), backend="reference")
    np.testing.assert_allclose(function(A, B), np.kron(A, B) @ np.kron(B, A), rtol=1e-11)
    products = [node.type.shape for node in function.plan(A, B).program.nodes() if node.op == "matmul"]
    assert {len(set(shape)) for shape in products} == {1} and len(products) == 2
    np.testing.assert_allclose(function(C.T, C), np.kron(C.T, C) @ np.kron(C, C.T), rtol=1e-11)
