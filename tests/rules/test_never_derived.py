"""Equalities that look like laws and are none: the default rules do not derive them."""

import numpy as np
import pytest

from egc.backend import load
from egc.capture import capture
from egc.egraph.decode import Graph
from egc.egraph.engine import engine
from egc.egraph.saturate import Budget, saturate
from egc.pipeline import choose_rules, traced_rules
from egc.transforms import simplify

SQUARE, OTHER, TALL, VECTOR = np.eye(3), np.eye(3) + 1, np.ones((4, 3)), np.ones(3)

PAIRS = {
    "products do not commute": (lambda A, B: (A @ B, B @ A), SQUARE, OTHER),
    "the transpose of a product turns it": (lambda A, B: ((A @ B).T, A.T @ B.T), SQUARE, OTHER),
    "the inverse of a product turns it": (lambda A, B: (np.linalg.inv(A @ B) @ B, np.linalg.inv(A)), SQUARE, OTHER),
    "a matrix that may be singular has no inverse": (lambda A, x: (np.linalg.inv(A) @ (A @ x), x), SQUARE, VECTOR),
    "the inverse of X'X is none of X's": (lambda X: (np.linalg.inv(X.T @ X) @ X.T @ X, np.eye(3)), TALL),
    "the root of a square has a sign": (lambda x: (np.sqrt(x**2), x), VECTOR),
    "logarithms need signs": (lambda x, y: (np.log(x * y), np.log(x) + np.log(y)), VECTOR, VECTOR + 1),
    "a determinant has a sign": (lambda A: (np.log(np.linalg.det(A)), np.linalg.slogdet(A)[1]), SQUARE),
    "0 / 0 is not 1": (lambda x: (x / x, np.ones_like(x)), VECTOR),
    "0 inf is not 0": (lambda x: (x * 0.0, np.zeros_like(x)), VECTOR),
    "x - x may be nan": (lambda x: (x - x, np.zeros_like(x)), VECTOR),
    "a trace is not that of the factors": (lambda A, B: (np.trace(A @ B), np.trace(A) * np.trace(B)), SQUARE, OTHER),
    "a determinant is not linear": (lambda A, B: (np.linalg.det(A + B), np.linalg.det(A) + np.linalg.det(B)), SQUARE, OTHER),
    "a sum of squares is none of products of Gram matrices": (
        lambda U, V: (np.sum((U @ V) ** 2), np.sum((U.T @ U) * (V @ V.T))), TALL, SQUARE
    ),
    "Kronecker products do not commute": (lambda A, B: (np.kron(A, B), np.kron(B, A)), SQUARE, OTHER),
    "what is not positive definite has no Cholesky factor": (
        lambda A: (np.linalg.cholesky(A) @ np.linalg.cholesky(A).T, A), SQUARE
    ),
    "a square is not a rotation": (lambda A, x: (np.sum((A @ x) ** 2), np.sum(x**2)), SQUARE, VECTOR),
    "eigenvalues do not add": (
        lambda A, B: (np.linalg.eigvalsh(A + B), np.linalg.eigvalsh(A) + np.linalg.eigvalsh(B)), SQUARE, OTHER
    ),
    "a Schur complement needs no exchange of rows": (
        lambda A, B, C, D: (
            np.linalg.inv(np.block([[A, B], [C, D]]))[3:, 3:], np.linalg.inv(D - C @ np.linalg.inv(A) @ B)
        ), SQUARE, OTHER, OTHER, SQUARE,
    ),
    "a determinant is not that of products of blocks": (
        lambda A, B, C, D: (np.linalg.det(np.block([[A, B], [C, D]])), np.linalg.det(A @ D - B @ C)), SQUARE, OTHER, OTHER, SQUARE
    ),
    "a product with 1 in each row hides nothing": (lambda A: (np.eye(3)[:1] @ A, A[:1]), OTHER),
}  # fmt: skip


@pytest.mark.parametrize("name", PAIRS)
def test_it_is_not_derived(name):
    function, *arguments = PAIRS[name]

    def both(z, given):
        a, b = function(*given)
        return a + z, b + z

    captured = capture(both, (np.float64(0.5), arguments), {}, {})
    program = simplify(captured.program, lambda program, values: load("reference").compile(program).run(*values))
    first, second = program.outputs
    assert first is not second
    running = engine(traced_rules(choose_rules(None, "real").everywhere, program))
    saturated = saturate(running, program, Budget(), bindings=captured.hints())
    try:
        graph = Graph(program, saturated)
    finally:
        running.release()
    assert graph.class_of[first] != graph.class_of[second]
