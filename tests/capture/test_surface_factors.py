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


@pytest.mark.parametrize("dtype", DTYPES)
def test_products_of_which_one_triangle_is_computed_or_read(dtype):
    for transposed in (False, True):
        for shape in [(3, 2), (2, 3, 2), (0, 2), (3,)]:
            assert_same(lambda a: call(factors.gram, a, transposed=transposed), sample(shape, dtype))  # noqa: B023
        for lower, right in [(False, False), (True, False), (True, True)]:
            options = {"lower": lower, "transposed": transposed, "right": right}
            for b in [(3,), (3, 3), (2, 3) if right else (3, 2), (4,)]:
                assert_same(
                    lambda a, b: call(factors.triangular_product, a, b, **options),  # noqa: B023
                    sample((3, 3), dtype),
                    sample(b, dtype),
                )


@pytest.mark.parametrize("dtype", DTYPES[:3])
def test_systems_of_which_three_diagonals_or_one_triangle_are_read(dtype):
    beside, diagonal = sample((2, 3), dtype), 30 + sample(4, dtype).real.astype(dtype)
    for positive, b in [(False, (4,)), (True, (4,)), (False, (4, 2)), (True, (4, 2)), (False, (3,))]:
        assert_same(
            lambda low, d, up, b: call(factors.tridiagonal_solve, low, d, up, b, positive=positive),  # noqa: B023
            beside[0],
            diagonal,
            beside[1],
            sample(b, dtype),
            resized=False,
        )
    dense = np.diag(diagonal) + np.diag(beside[0], -1) + np.diag(beside[1], 1)
    b = sample((4, 2), dtype)
    found = factors.tridiagonal_solve(beside[0], diagonal, beside[1], b)
    np.testing.assert_allclose(found, np.linalg.solve(dense, b), rtol=1e-5)
    a = well_conditioned((4, 4), dtype)
    for lower in (False, True):
        assert_same(lambda a, b: call(factors.symmetric_solve, a, b, lower=lower), a, b, resized=False)  # noqa: B023
    found = factors.symmetric_solve(np.tril(a), b, lower=True)
    np.testing.assert_allclose(found, np.linalg.solve(np.tril(a) + np.tril(a, -1).T, b), rtol=1e-4)


def test_singular_systems_raise():
    zero, one = np.zeros(2), np.ones(1)
    for positive in (False, True):
        assert_same(
            lambda low, d, b: call(factors.tridiagonal_solve, low, d, low, b, positive=positive), one, zero, zero
        )  # noqa: B023
    assert_same(lambda a, b: call(factors.symmetric_solve, a, b), np.zeros((2, 2)), zero)
