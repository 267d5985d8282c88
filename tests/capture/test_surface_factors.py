"""egc.factors' functions are ops, which raise what NumPy raises."""

import numpy as np
import pytest

from egc import factors

from .support import assert_refused, assert_same, call, capture, sample
from .test_surface_linalg import well_conditioned

DTYPES = ["float64", "float32", "complex128", "int64", "bool"]


def ops_of(function, *arrays):
    found = capture(function, arrays)
    names = set()
    stack = list(found.nodes)
    while stack:
        node = stack.pop()
        names.add(node.op)
        stack += node.inputs
    return names


@pytest.mark.parametrize("dtype", DTYPES)
def test_factorizations_of_one_matrix_and_of_stacks(dtype):
    for shape in [(3, 3), (2, 3, 3), (3, 2), (3,)]:
        a = well_conditioned(shape, dtype) if shape[-1] == 3 and len(shape) > 1 else sample(shape, dtype)
        for function in (factors.lu, factors.lu_factors, factors.cholesky_or_nan):
            assert_same(lambda a: call(function, a), a, resized=False)  # noqa: B023
    assert "lu" in ops_of(lambda a: call(factors.lu, a)[0], sample((3, 3)))


@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize("dtype", DTYPES)
def test_solutions_by_triangular_factors(dtype, transposed):
    for batch, right in [((), (3,)), ((), (3, 2)), ((), (2,)), ((2,), (3,)), ((2,), (2, 3, 4)), ((), (2, 3, 4))]:
        a, b = well_conditioned((*batch, 3, 3), dtype), sample(right, dtype)
        assert_same(lambda f, p, b: call(factors.lu_solve, f, p, b, transposed=transposed), *factors.lu(a), b)
        assert_same(lambda a, b: call(factors.lu_solve, *call(factors.lu, a), b, transposed=transposed), a, b)


def test_one_factorization_solves_as_solve_does():
    a, b = well_conditioned((4, 4)), sample((4, 2))
    np.testing.assert_allclose(factors.lu_solve(*factors.lu(a), b), np.linalg.solve(a, b))
    np.testing.assert_allclose(factors.lu_solve(*factors.lu(a), b, transposed=True), np.linalg.solve(a.T, b))
    triangles, pivots = factors.lu(a)
    sign = np.prod(np.where(pivots == np.arange(4), 1, -1))
    np.testing.assert_allclose(sign * np.prod(np.diag(triangles)), np.linalg.det(a))


@pytest.mark.parametrize("columns", [(), (0,), (2,)])
def test_singular_matrices_have_factors_but_no_solution(columns):
    given = factors.lu(np.ones((3, 3)))
    b = sample((3, *columns))
    assert_same(lambda a: call(factors.lu, a), np.ones((3, 3)))
    assert_same(lambda f, p, b: call(factors.lu_solve, f, p, b), *given, b, resized=False)
    with pytest.raises(np.linalg.LinAlgError, match="Singular matrix"):
        factors.lu_solve(*given, b)


def test_exchanges_are_of_rows():
    with pytest.raises(IndexError):
        factors.lu_solve(np.eye(2), np.array([0, 2]), np.ones(2))
    assert_same(lambda f, p, b: call(factors.lu_solve, f, p, b), np.eye(2), np.array([-1, 1]), np.ones(2))
    assert_refused(lambda f, p, b: call(factors.lu_solve, f, p, b), np.eye(2), np.array([0.0, 1.0]), np.ones(2))
