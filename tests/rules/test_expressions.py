"""Expressions of linear algebra give what NumPy gives, and their optimized forms do without what they need not do."""

import numpy as np
import pytest

import egc
from benchmarks.expressions import EXPRESSIONS
from egc import sizes
from egc.options import Options
from egc.pipeline import make_plan
from egc.types import ArrayType

BY_NAME = {each.name: each for each in EXPRESSIONS}
TOLERANCE = {"float32": 2e-4, "float64": 1e-9}


def leaves(result):
    return [np.asarray(leaf) for leaf in result] if isinstance(result, tuple) else [np.asarray(result)]


def optimized(expression, **options):
    return egc.optimize(expression.function, assume=expression.assume, **options)


def require_equal(found, wanted, dtype):
    for a, b in zip(leaves(found), leaves(wanted), strict=True):
        scale = np.max(np.abs(b), initial=0.0)
        assert a.shape == b.shape and a.dtype == b.dtype
        np.testing.assert_allclose(a, b, rtol=TOLERANCE[dtype], atol=TOLERANCE[dtype] * scale)


@pytest.mark.parametrize("expression", EXPRESSIONS, ids=lambda each: each.name)
def test_an_expression_is_what_numpy_computes_at_several_sizes(expression):
    function = optimized(expression, backend="reference")
    for n in (25, 16):
        arguments = expression.make(n)
        wanted = expression.function(*arguments)
        require_equal(function(*arguments), wanted, expression.dtype)
        by_hand = [leaf.astype(w.dtype) for leaf, w in zip(leaves(expression.by_hand(*arguments)), leaves(wanted))]
        require_equal(tuple(by_hand), tuple(leaves(wanted)), expression.dtype)
    assert not function.statistics.reasons and not function.statistics.as_written


@pytest.mark.parametrize("expression", EXPRESSIONS[::7], ids=lambda each: each.name)
def test_compiled_code_computes_it_too(expression):
    arguments = expression.make(40)
    require_equal(optimized(expression)(*arguments), expression.function(*arguments), expression.dtype)


def ops_of(name, n=400):
    """The ops of an expression's program, as numba gets it, with the elements of each result."""
    expression = BY_NAME[name]
    arguments = expression.make(n)
    facts = {name: tuple(given) for name, given in expression.assume.items()}
    plan = make_plan(expression.function, arguments, {}, Options(assume=facts), cached=False)
    bindings = plan.captured.hints()
    return [
        (node.op, np.prod([sizes.evaluate(dim, bindings) for dim in node.type.shape], dtype=float))
        for node in plan.program.nodes()
        if isinstance(node.type, ArrayType)
    ]


WITHOUT = {
    "misleading_common_product": ("matmul", 400),
    "right_to_left_chain": ("matmul", 400),
    "mixed_chain": ("matmul", 400),
    "distributed_difference": ("matmul", 400),
    "element_of_product": ("matmul", 1),
    "element_of_sum": ("add", 1),
    "column_of_product": ("matmul", 400),
    "trace_of_product": ("matmul", 0),
    "diagonal_of_product": ("matmul", 0),
    "sum_of_product": ("matmul", 1),
    "kronecker_times_vector": ("matmul", 400),
    "kronecker_solution": ("solve", 400),
    "block_diagonal_times_vector": ("matmul", 400),
    "woodbury_solution": ("matmul", 1600),
    "woodbury_log_determinant": ("matmul", 16),
    "push_through": ("matmul", 1600),
    "tridiagonal_product": ("matmul", 0),
    "permuted_product": ("matmul", 400),
    "squared_norm_of_product": ("matmul", 1600),
    "power_times_vector": ("matmul", 400),
    "inverse_of_product": ("inv", 0),
    "orthogonal_norm": ("matmul", 0),
    "exponential_of_diagonal": ("expm", 0),
    "solution_and_log_determinant": ("lu", 0),
    "product_of_kroneckers": ("multiply", 0),
    "pentadiagonal_solution": ("solve", 0),
    "triangular_times_vector": ("matmul", 0),
    "centered_columns": ("matmul", 0),
    "permuted_columns": ("matmul", 400),
    "block_triangular_solution": ("concatenate", 800),
    "three_blocks_times_vector": ("concatenate", 1200),
    "weighted_woodbury": ("matmul", 1600),
}


@pytest.mark.parametrize("name", WITHOUT)
def test_no_larger_result_is_formed_than_is_needed(name):
    op, most = WITHOUT[name]
    assert all(elements <= most for each, elements in ops_of(name) if each == op)


@pytest.mark.parametrize(
    "name", ["solutions_with_one_matrix", "solution_and_transposed_solution", "general_solution_and_determinant"]
)
def test_one_factorization_serves_all(name):
    ops = [op for op, _ in ops_of(name)]
    assert not {"solve", "slogdet", "det"} & set(ops)
