"""What loses accuracy is never introduced by default: inverses, Gram matrices, sums that undo what compensates them."""

import numpy as np
import pytest
from scipy import linalg

import egc
from egc.backend import load
from egc.capture import capture
from egc.egraph.decode import Graph
from egc.egraph.engine import engine
from egc.egraph.saturate import Budget, saturate
from egc.pipeline import choose_rules, traced_rules
from egc.transforms import simplify

RANDOM = np.random.default_rng(5)
TALL, SQUARE, OTHER = RANDOM.normal(size=(40, 3)), RANDOM.normal(size=(5, 5)), RANDOM.normal(size=(5, 5))
LONG, SHORT = RANDOM.normal(size=40), RANDOM.normal(size=5)


def graph_of(function, *arguments):
    """The e-graph that the default rules make of a function."""
    captured = capture(function, arguments, {}, {})
    program = simplify(captured.program, lambda program, values: load("reference").compile(program).run(*values))
    running = engine(traced_rules(choose_rules(None, "real").everywhere, program))
    saturated = saturate(running, program, Budget(), bindings=captured.hints())
    try:
        return Graph(program, saturated)
    finally:
        running.release()


def assumed(A, *facts):
    return egc.assume(A, *facts)


SOLUTIONS = {
    "a system": (lambda A, b: np.linalg.solve(A, b), SQUARE, SHORT),
    "systems with a product": (lambda A, B, b: np.linalg.solve(A, B @ np.linalg.solve(A, b)), SQUARE, OTHER, SHORT),
    "a positive definite system": (lambda A, B: np.linalg.solve(assumed(A, "spd"), B), SQUARE, OTHER),
    "a system after a product": (lambda A, B, b: np.linalg.solve(A, B) @ b, SQUARE, OTHER, SHORT),
    "a system with the identity": (lambda A, b: np.linalg.solve(A, np.eye(len(b)) @ b), SQUARE, SHORT),
    "systems in turn": (lambda A, B, b: np.linalg.solve(A @ B, b), SQUARE, OTHER, SHORT),
    "an updated diagonal": (
        lambda v, U, b: np.linalg.solve(np.diag(assumed(v, "positive")) + U @ U.T, b), np.ones(40), TALL, LONG
    ),
    "a determinant and a system": (lambda A, b: (np.linalg.slogdet(A)[1], np.linalg.solve(A, b)), SQUARE, SHORT),
}  # fmt: skip


@pytest.mark.parametrize("name", SOLUTIONS)
def test_an_explicit_inverse_is_never_introduced(name):
    graph = graph_of(*SOLUTIONS[name])
    assert not any(enode.op == "inv" for enodes in graph.enodes for enode in enodes)


NO_GRAM = {
    "least squares": (lambda X, y: np.linalg.lstsq(X, y, rcond=None)[0], TALL, LONG),
    "a pseudoinverse": (lambda X, y: np.linalg.pinv(assumed(X, "full_column_rank")) @ y, TALL, LONG),
    "a QR factor": (lambda X: np.linalg.qr(X)[1], TALL),
    "solutions by QR": (lambda X, y: linalg.solve_triangular(np.linalg.qr(X)[1], np.linalg.qr(X)[0].T @ y), TALL, LONG),
    "singular values": (lambda X: np.linalg.svd(X, compute_uv=False), TALL),
    "a spectral norm": (lambda X: np.linalg.norm(X, 2), TALL),
    "a residual": (lambda X, b, y: np.sum((y - X @ b) ** 2), TALL, SHORT[:3], LONG),
    "squares of a thin product": (lambda U, V: np.sum((U @ V) ** 2), TALL, SQUARE[:3]),
    "distances": (lambda X, Y: np.sum((X[:, None, :] - Y[None, :, :]) ** 2, axis=2), TALL, TALL[:7]),
    "a thin residual": (lambda X, U, V: np.sum((X - U @ V.T) ** 2), TALL @ SQUARE[:3], TALL, SQUARE[:, :3]),
}  # fmt: skip


def is_gram(graph, enode):
    """Whether an e-node is the product of a matrix with its own transpose."""
    if enode.op == "gram":
        return True
    if enode.op != "matmul":
        return False
    a, b = enode.children
    turned = [(a, each) for each in graph.enodes[b]] + [(b, each) for each in graph.enodes[a]]
    rank = len(graph.types[a].shape)
    return rank == 2 and any(each.op == "transpose" and each.children == (other,) for other, each in turned)


@pytest.mark.parametrize("name", NO_GRAM)
def test_a_gram_matrix_is_never_introduced(name):
    graph = graph_of(*NO_GRAM[name])
    assert not any(is_gram(graph, enode) for enodes in graph.enodes for enode in enodes)


def test_a_gram_matrix_that_is_written_is_seen():
    graph = graph_of(lambda X, b: np.linalg.solve(X.T @ X, X.T @ b), TALL, LONG)
    assert any(is_gram(graph, enode) for enodes in graph.enodes for enode in enodes)


def compensated_sum(x):
    total, lost = 0.0, 0.0
    for each in x:
        term = each - lost
        new = total + term
        lost = (new - total) - term
        total = new
    return total


def compensated_sums(X):
    total, lost = np.zeros(X.shape[1]), np.zeros(X.shape[1])
    for row in X:
        term = row - lost
        new = total + term
        lost = (new - total) - term
        total = new
    return total


def sum_and_error(x, y):
    """Both parts of a sum (Knuth's and Dekker's)."""
    total = x + y
    part = total - x
    return total, (x - (total - part)) + (y - part), x - (total - y), (total - x) - y


def product_and_error(x, y):
    """Both parts of a product, by Veltkamp's splitting."""

    def halves(a):
        large = 134217729.0 * a
        high = large - (large - a)
        return high, a - high

    (a, b), (c, d) = halves(x), halves(y)
    return x * y, ((a * c - x * y) + a * d + b * c) + b * d


def rounded(x):
    """Rounded to whole numbers by the last digit of a large one."""
    large = 6755399441055744.0
    return (x + large) - large, (x - large) + large, large - (large - x)


LARGE_FIRST = np.concatenate([[1e8], np.full(2000, 0.1)])


@pytest.mark.parametrize(
    "function, arguments",
    [
        (compensated_sum, (LARGE_FIRST,)),
        (compensated_sums, (np.stack([LARGE_FIRST, -LARGE_FIRST], axis=1),)),
        (sum_and_error, (LONG, 1e8 * LONG[::-1])),
        (sum_and_error, (LONG, 1e8)),
        (sum_and_error, (1e8, LONG)),
        (sum_and_error, (0.1, 1e8)),
        (product_and_error, (LONG, LONG[::-1])),
        (rounded, (LONG,)),
    ],
)
def test_what_compensates_rounding_is_kept(function, arguments):
    """These sums are equal over the reals to ones that lose what they are written for."""
    np.testing.assert_equal(egc.optimize(function, backend="reference")(*arguments), function(*arguments))


def test_a_likelihood_near_0_keeps_its_digits():
    def log_likelihood(y, z):
        p = 1 / (1 + np.exp(-z))
        return y * np.log(p) + (1 - y) * np.log(1 - p)

    z = np.array([50.0, 30.0, -40.0])
    found = egc.optimize(log_likelihood, assume={"z": "finite"}, backend="reference")(np.array([1.0, 1.0, 0.0]), z)
    np.testing.assert_allclose(found, -np.log1p(np.exp(-np.abs(z))), rtol=1e-12)
