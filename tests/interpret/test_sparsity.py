"""Patterns have every element that a derivative has; colorings and products give all of it back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

import egc
from benchmarks import sparse_programs
from benchmarks.sparse_programs import PROBLEMS
from egc import factors, ir
from egc.backends import reference
from egc.errors import NotEncodable
from egc.interpret import fold
from egc.interpret.coloring import color_columns, color_symmetric, places, recovered, seeds, symmetric_places
from egc.interpret.compression import compress
from egc.interpret.sparsity import Sparsity
from egc.ir import Program
from egc.transforms.derivatives import pushforward
from tests.random_programs import random_program

SEEDS = st.integers(0, 10**6)
DIFFERENCES = np.eye(5) - np.eye(5, k=1)


def dense(pattern):
    return pattern.toarray().astype(int)


@settings(max_examples=40, database=None)
@given(SEEDS)
def test_the_pattern_of_any_program_has_all_elements_that_depend(seed):
    program, arguments = random_program(seed, 14)
    try:
        reference.evaluate(program, arguments)
    except (ValueError, LookupError):
        return
    number = next(k for k, node in enumerate(program.inputs) if node.params["name"] == "grid")
    node, value = program.inputs[number], arguments[number]
    tangent = ir.input("tangent", node.type)
    try:
        moved = pushforward(program.outputs, {node: tangent})
    except egc.errors.NotDifferentiable:
        return
    bindings = program.bind(arguments)
    for local in (False, True):
        domain = Sparsity(lambda single, given: reference.evaluate(single, given), value.size)
        facts = [domain.exact(np.asarray(argument)) for argument in arguments]
        facts[number] = domain.argument(value.shape, value if local else None)
        found = fold(program, facts, domain, bindings)
        for fact, change in zip(found, moved):
            pattern = domain.rows(fact).toarray()
            if change is None:
                continue
            for column in range(value.size):
                unit = np.zeros(value.size)
                unit[column] = 1.0
                along = Program((*program.inputs, tangent), (change,), "along", program.size_inputs)
                (derivative,) = reference.evaluate(along, [*arguments, unit.reshape(value.shape)])
                reached = (derivative != 0).ravel()
                if np.isfinite(derivative).all():
                    assert not (reached & ~pattern[:, column]).any()


def stepped(x):
    y = x
    for _ in range(2):
        y = y + 0.1 * (np.roll(y, 1) - y) * y
    return y


def until_small(x):
    y = x
    while np.max(np.abs(y)) > 0.1:
        y = 0.5 * y
    return y


def elements(x):
    y = np.zeros(len(x))
    for i in range(1, len(x)):
        if x[i] > 0.0:
            y[i] = x[i] * x[i - 1]
        else:
            y[i] = y[i - 1]
    return y


FUNCTIONS = {
    "elementwise": lambda x: np.sin(x) * x + 2.0,
    "neighbours": lambda x: x[1:] * x[:-1] ** 2,
    "matrix": lambda x: DIFFERENCES @ x,
    "matrix from the right": lambda x: x @ DIFFERENCES,
    "convolution": lambda x: np.convolve(x, np.array([1.0, 0.0, -1.0])),
    "running sum": lambda x: np.cumsum(x),
    "running product": lambda x: np.cumprod(x[:3]),
    "recurrence": lambda x: factors.linear_recurrence(x, x[::-1], x[0]),
    "recurrence with known factors": lambda x: factors.linear_recurrence(np.array([2.0, 0.0, 0.0, 1.0, 3.0]), x, 1.0),
    "scattered": lambda x: _added(x),
    "gathered": lambda x: x[np.array([3, 3, 0])] / x[1],
    "sum": lambda x: np.sum(x * x),
    "product": lambda x: np.prod(x[::2]),
    "extreme": lambda x: np.max(x) + np.minimum(x, 0.5),
    "choice": lambda x: np.where(x > 0.5, x, x[::-1]),
    "sorted": lambda x: np.sort(x) * x,
    "triangle": lambda x: np.tril(np.outer(x, x))[1:3],
    "system": lambda x: np.linalg.solve(DIFFERENCES + np.eye(5), x),
    "factors": lambda x: np.linalg.inv(np.diag(x) + 2.0 * np.eye(5))[0],
    "steps": lambda x: np.floor(x) * x + np.round(x),
    "loop": stepped,
    "loop that ends by data": until_small,
    "loop of elements": elements,
    "branch": lambda x: x if x[0] > 0.2 else x[::-1],
}  # fmt: skip


def _added(x):
    y = np.zeros(3)
    np.add.at(y, np.array([0, 1, 1, 2, 0]), x)
    return y


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_sparse_jacobian_is_the_dense_one(name):
    function = FUNCTIONS[name]
    x = np.random.default_rng(len(name)).uniform(0.1, 1.5, 5)
    expected = egc.jacobian(function)(x).reshape(-1, 5)
    for mode in ("forward", "reverse"):
        if mode == "forward" or "loop" not in name:
            found = egc.jacobian(function, sparse=True, mode=mode)(x)
            np.testing.assert_allclose(found.toarray(), expected, rtol=1e-12, atol=1e-13)
    pattern, local = (egc.sparsity(function, local=local)(x).toarray() for local in (False, True))
    assert not (local & ~pattern).any() and not ((expected != 0) & ~local).any()


SCALARS = {
    "squares": lambda x: np.sum(x**2) + 3.0 * x[0],
    "rosenbrock": lambda x: np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2),
    "quotient": lambda x: np.sum(x[:-1] / x[1:]),
    "quadratic form": lambda x: x @ DIFFERENCES @ x,
    "logarithms": lambda x: np.log(np.sum(np.exp(x[:2]))) + x[4] * x[3],
    "product": lambda x: np.prod(x[::2]) - np.sum(x),
    "linear": lambda x: np.sum(3.0 * x) - x[0],
    "determinant": lambda x: np.linalg.slogdet(np.diag(x) + np.eye(5))[1],
    "recurrence": lambda x: np.sum(factors.linear_recurrence(x[:3], x[2:], x[0])),
    "loop": lambda x: np.sum(stepped(x)),
    "system": lambda x: np.sum(np.linalg.solve(DIFFERENCES + np.eye(5), x)[1:] ** 2),
}  # fmt: skip


@pytest.mark.parametrize("name", SCALARS)
def test_a_sparse_hessian_is_the_dense_one(name):
    function = SCALARS[name]
    x = np.random.default_rng(len(name)).uniform(0.5, 1.5, 5)
    expected = egc.hessian(function)(x)
    found = egc.hessian(function, sparse=True)(x)
    np.testing.assert_allclose(found.toarray(), expected, rtol=1e-11, atol=1e-12)
    pattern, local = (egc.sparsity(function, order=2, local=local)(x).toarray() for local in (False, True))
    assert not (local & ~pattern).any() and (pattern == pattern.T).all()
    assert not ((np.abs(expected) > 1e-12) & ~local).any()


def test_patterns_are_no_larger_than_they_have_to_be():
    x = np.arange(1.0, 5.0)
    assert dense(egc.sparsity(lambda x: x[1:] * x[:-1])(x)).tolist() == [[1, 1, 0, 0], [0, 1, 1, 0], [0, 0, 1, 1]]
    assert egc.sparsity(lambda x: DIFFERENCES[:4, :4] @ x)(x).nnz == 7
    assert egc.sparsity(lambda x: np.floor(x) + np.sign(x))(x).nnz == 0
    assert egc.sparsity(lambda x: 0.0 * x)(x).nnz == 0
    assert egc.sparsity(lambda x, n: np.cumsum(x)[:n])(x, 2).nnz == 3
    assert dense(egc.sparsity(lambda x: np.sum(x[1:] * x[:-1]), order=2)(x)).sum() == 6
    assert egc.sparsity(lambda x: np.sum(x) - x[0], order=2)(x).nnz == 0
    for size in (0, 3):
        assert egc.hessian(lambda x: np.sum(x), sparse=True)(np.ones(size)).shape == (size, size)
        assert egc.jacobian(lambda x: np.floor(x), sparse=True)(np.ones(size)).shape == (size, size)


def test_a_local_pattern_follows_what_is_taken_at_the_point():
    x = np.array([1.0, -1.0, 2.0, 0.0])
    chosen = lambda x: np.where(x > 0.0, x, x[::-1])  # noqa: E731
    assert egc.sparsity(chosen)(x).nnz == 8
    assert dense(egc.sparsity(chosen, local=True)(x)).argmax(1).tolist() == [0, 2, 2, 0]
    assert egc.sparsity(lambda x: x if x[0] > 0.0 else x[::-1], local=True)(x).nnz == 4
    assert egc.sparsity(lambda x: x * x[3], local=True)(x).nnz == 3
    assert egc.sparsity(lambda x: np.max(x), local=True)(x).nnz == 1


def test_other_arguments_have_the_values_that_they_are_given():
    product = egc.jacobian(lambda matrix, x: matrix @ x, argnums="x", sparse=True)
    assert product(DIFFERENCES, np.ones(5)).nnz == 9
    assert product(np.ones((5, 5)), np.ones(5)).nnz == 25
    assert product.products(DIFFERENCES, np.ones(5)) == 2


def test_a_pattern_is_found_anew_where_what_it_depends_on_changes():
    outer = DIFFERENCES.copy()
    jacobian = egc.jacobian(lambda x, t: outer @ x * t, sparse=True)
    assert jacobian(np.ones(5), 0.5).nnz == jacobian(np.ones(5), 0.0).nnz == 9
    outer[0, 4] = 2.0
    assert jacobian(np.ones(5), 0.5)[0, 4] == 1.0


def test_a_number_that_is_no_array_may_have_any_value():
    assert egc.sparsity(lambda x, t: x * t)(np.ones(3), 0.0).nnz == 3
    assert egc.sparsity(lambda x, t: x * t, local=True)(np.ones(3), 0.0).nnz == 0
    assert egc.sparsity(lambda x, t: x if t > 0.0 else x[::-1])(np.ones(3), 1.0).nnz == 5


def matrices(draw_size=8):
    return st.integers(0, 10**6).map(lambda seed: _matrix(np.random.default_rng(seed), draw_size))


def _matrix(rng, most):
    shape = rng.integers(1, most, 2)
    return csr_array(np.where(rng.random(shape) < rng.uniform(0.05, 0.6), rng.normal(size=shape), 0.0))


@settings(max_examples=60, database=None)
@given(matrices(12))
def test_a_matrix_comes_back_from_its_products_with_columns_of_one_color(matrix):
    pattern = (matrix != 0).tocsr()
    colors = color_columns(pattern)
    for color in range(colors.max() + 1):
        assert dense(pattern)[:, colors == color].sum(1).max() <= 1
    found = recovered(seeds(colors) @ matrix.toarray().T, pattern, places(pattern, colors))
    assert (found != matrix).nnz == 0


@settings(max_examples=60, database=None)
@given(matrices(12), st.sampled_from(["auto", "forward", "reverse"]))
def test_a_matrix_comes_back_from_products_from_both_sides(matrix, mode):
    full = matrix.toarray()
    compression = compress((matrix != 0).tocsr(), 1, mode, full.shape[:1])
    products = [part.seeds @ (full.T if part.mode == "forward" else full) for part in compression.parts]
    assert (compression.matrix(products, full.dtype).toarray() == full).all()


def test_a_full_row_and_a_full_column_take_a_product_each():
    def arrow(x):
        return np.concatenate([np.array([np.sum(x**2)]), x[1:] * x[0]])

    x = np.linspace(1.0, 2.0, 50)
    jacobian = egc.jacobian(arrow, sparse=True)
    assert jacobian.products(x) == 3
    np.testing.assert_allclose(jacobian(x).toarray(), egc.jacobian(arrow)(x))
    np.testing.assert_allclose(
        egc.jacobian(lambda x: arrow(x)[::-1], sparse=True)(x).toarray(), egc.jacobian(arrow)(x)[::-1]
    )


@settings(max_examples=120, database=None)
@given(matrices(16))
def test_a_symmetric_matrix_comes_back_from_its_products_with_a_star_coloring(matrix):
    full = matrix.toarray()
    least = min(full.shape)
    full = full[:least, :least] + full[:least, :least].T
    pattern = csr_array(full != 0)
    colors = color_symmetric(pattern)
    found = recovered(seeds(colors) @ full, pattern, symmetric_places(pattern, colors))
    assert (found.toarray() == full).all()


def test_a_star_coloring_needs_two_colors_for_an_arrow_and_few_for_a_grid():
    arrow = np.eye(40, dtype=bool)
    arrow[0] = arrow[:, 0] = True
    assert color_symmetric(csr_array(arrow)).max() + 1 == 2
    assert color_columns(csr_array(arrow)).max() + 1 == 40
    band = csr_array(np.abs(np.subtract.outer(np.arange(60), np.arange(60))) <= 1)
    assert color_symmetric(band).max() + 1 == 3


brusselator = sparse_programs.brusselator(np)


def test_reaction_and_diffusion_take_less_than_twenty_products():
    y = np.random.default_rng(0).uniform(size=2 * 70 * 70)
    jacobian = egc.jacobian(brusselator, sparse=True)
    found = jacobian(y, 70)
    assert jacobian.products(y, 70) < 20 and found.shape == (9800, 9800) and found.nnz == 6 * 9800
    direction = np.random.default_rng(1).normal(size=y.size)
    np.testing.assert_allclose(
        found @ direction, egc.jvp(lambda y: brusselator(y, 70), (y,), (direction,))[1], rtol=1e-12, atol=1e-12
    )


@egc.custom_derivative
def turned(x):
    return x * x


@turned.defjvp
def turned_tangent(primals, tangents):
    return turned(*primals), 2.0 * primals[0] * tangents[0][::-1]


@egc.custom_derivative
def stepped_square(x):
    return np.round(x, 6) ** 2


@stepped_square.defjvp
def stepped_square_tangent(primals, tangents):
    return stepped_square(*primals), 2.0 * primals[0] * tangents[0]


def test_the_pattern_of_a_function_with_a_derivative_of_its_own_is_that_derivatives():
    x = np.linspace(1.0, 2.0, 4)
    function = lambda x: turned(x) + 3.0 * x[0]  # noqa: E731
    found = egc.jacobian(function, sparse=True)(x)
    np.testing.assert_allclose(found.toarray(), egc.jacobian(function)(x))
    assert found.nnz == 7
    scalar = lambda x: np.sum(x[:2] * stepped_square(x)[2:])  # noqa: E731
    np.testing.assert_allclose(egc.hessian(scalar, sparse=True)(x).toarray(), egc.hessian(scalar)(x))


def test_sparse_derivatives_are_optimized_as_others():
    x = np.linspace(0.0, 1.0, 5)
    jacobian = egc.optimize(egc.jacobian(FUNCTIONS["neighbours"], sparse=True), rules=["algebra"], verify=True)
    np.testing.assert_allclose(jacobian(x).toarray(), egc.jacobian(FUNCTIONS["neighbours"])(x), rtol=1e-12, atol=1e-12)


def test_complex_results_of_real_arguments_have_complex_derivatives():
    x = np.linspace(1.0, 2.0, 4)
    for function in (lambda x: np.exp(1j * x), lambda x: np.sum(np.exp(1j * x)) * np.ones(2)):
        found = egc.jacobian(function, sparse=True)(x)
        np.testing.assert_allclose(found.toarray(), egc.jacobian(function, mode="forward")(x))
    with pytest.raises(NotEncodable):
        egc.jacobian(lambda x: np.exp(1j * x), sparse=True, mode="reverse")(x)


def test_what_has_no_sparse_derivative_is_refused():
    x = np.ones(3)
    with pytest.raises(NotEncodable):
        egc.jacobian(lambda x: (x, x), sparse=True)(x)
    with pytest.raises(NotEncodable):
        egc.hessian(lambda x: x * x, sparse=True)(x)
    with pytest.raises(TypeError):
        egc.jacobian(lambda x: x * 2, sparse=True)(np.arange(3))
    with pytest.raises(ValueError):
        egc.jacobian(lambda x, y: x * y, argnums=(0, 1), sparse=True)


@pytest.mark.parametrize("problem", PROBLEMS, ids=lambda problem: problem.name)
def test_the_sparse_derivatives_that_are_measured_are_the_dense_ones(problem):
    arguments, function = problem.arguments(quick=True), problem.make(np)
    derivative = egc.jacobian if problem.order == 1 else egc.hessian
    found, expected = derivative(function, sparse=True)(*arguments).toarray(), derivative(function)(*arguments)
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-10 * np.abs(expected).max())
