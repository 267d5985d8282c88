"""scipy.linalg's functions mean what SciPy's do: triangles, check_finite, precision, plain tuples."""

import numpy as np
import pytest
from scipy import linalg

import egc
from tests.capture.support import assert_refused, assert_same, call, sample
from tests.capture.test_surface_linalg import positive_definite, well_conditioned

DTYPES = ["float64", "float32", "complex128", "int64"]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("function", [linalg.inv, linalg.det, linalg.expm, linalg.svdvals, linalg.pinv])
def test_functions_of_one_matrix(function, dtype):
    single = 1e7 if function is linalg.det and dtype == "float32" else 1.0
    a = well_conditioned((3, 3), dtype) / np.ones((), dtype)
    assert_same(lambda a: call(function, a), a, resized=False, tolerance=single)
    assert_same(lambda a: call(function, a), np.empty((0, 0)))
    assert_same(lambda a: call(function, a), sample(3))


@pytest.mark.parametrize("function", [linalg.inv, linalg.det, linalg.expm])
def test_functions_of_stacks(function):
    assert_same(lambda a: call(function, a), well_conditioned((4, 3, 3)) / 50)
    assert_same(lambda a: call(function, a), sample((2, 3)))


@pytest.mark.parametrize(
    "function", [linalg.inv, linalg.det, linalg.cholesky, linalg.cho_factor, linalg.svd, linalg.qr]
)
def test_what_is_not_finite_is_left_to_scipy(function):
    a = positive_definite((3, 3))
    a[1, 1] = np.nan
    assert_same(lambda a: call(function, a), a)


@pytest.mark.parametrize("trans", [0, 1, 2, "N", "T", "C"])
@pytest.mark.parametrize("lower", [False, True])
@pytest.mark.parametrize("unit_diagonal", [False, True])
def test_solve_triangular(trans, lower, unit_diagonal):
    for dtype in DTYPES:
        a = well_conditioned((3, 3), dtype)
        for right in [(3,), (3, 2), (2,)]:
            assert_same(
                lambda a, b: call(linalg.solve_triangular, a, b, trans, lower, unit_diagonal=unit_diagonal),
                a,
                sample(right, dtype, seed=1),
            )


def test_solve_triangular_reads_one_triangle():
    a = np.triu(well_conditioned((3, 3)))
    a[2, 0] = np.inf
    assert_same(lambda a, b: call(linalg.solve_triangular, a, b, check_finite=False), a, sample(3))
    assert_same(lambda a, b: call(linalg.solve_triangular, a, b), a, sample(3))
    assert_refused(lambda a, b: call(linalg.solve_triangular, a, b), well_conditioned((2, 3, 3)), sample((2, 3, 1)))


STRUCTURES = [None, "gen", "general", "pos", "positive definite", "sym", "her", "upper triangular", "lower triangular"]
STRUCTURES += ["tridiagonal", "diagonal", "banded"]


@pytest.mark.parametrize("assume_a", STRUCTURES)
@pytest.mark.parametrize("lower", [False, True])
@pytest.mark.parametrize("dtype", ["float64", "float32", "complex128"])
def test_solve_by_structure(assume_a, lower, dtype):
    a = positive_definite((3, 3), dtype) * 3
    garbage = np.tril(sample((3, 3), dtype, seed=5), -1)
    if assume_a in ("pos", "positive definite", "sym", "her"):
        a = a + (garbage.T if lower else garbage)
    for right in [(3,), (3, 2)]:
        assert_same(lambda a, b: call(linalg.solve, a, b, lower=lower, assume_a=assume_a), a, sample(right, dtype))


def test_determinants_do_not_overflow_in_single_precision():
    assert_same(lambda a: call(linalg.det, a), np.diag([1e30, 1e30]).astype("float32"), resized=False, tolerance=1e7)


def test_solve_of_stacks_and_transposes():
    a, b = well_conditioned((4, 3, 3)), sample((3, 2))
    assert_same(lambda a, b: call(linalg.solve, a, b), a, b)
    assert_same(lambda a, b: call(linalg.solve, a, b), a[0], sample((4, 3, 2)))
    assert_same(lambda a, b: call(linalg.solve, a, b, transposed=True), a[0], b)
    assert_same(lambda a, b: call(linalg.solve, a, b, transposed=True), a[0].astype(complex), b)
    assert_same(lambda a, b: call(linalg.solve, a, b), np.ones((2, 2)), sample(2))
    assert_refused(lambda a, b: call(linalg.solve, a, b, assume_a="tridiagonal"), a, b)


@pytest.mark.parametrize("assume_a", [*STRUCTURES[:4], *STRUCTURES[5:9]])
@pytest.mark.parametrize("dtype", ["float64", "float32", "complex128"])
def test_inverses_by_structure(assume_a, dtype):
    a = positive_definite((3, 3), dtype) * 3
    for lower in (False, True):
        assert_same(lambda a: call(linalg.inv, a, assume_a=assume_a, lower=lower), a, resized=False)  # noqa: B023
    assert_refused(lambda a: call(linalg.inv, a, assume_a="diagonal"), a)


def bands(below, above, n, dtype, own):
    """The diagonals of a matrix, of which its own, in this row, outweighs the others."""
    found = sample((below + above + 1, n), dtype, seed=2)
    found[own] = 40 + np.abs(found[own])
    return found


@pytest.mark.parametrize("dtype", DTYPES)
def test_systems_given_by_diagonals(dtype):
    for below, above in [(1, 1), (2, 1), (0, 2), (3, 3), (0, 0), (2, 2)]:
        for right in [(5,), (5, 2), (4,)]:
            assert_same(
                lambda ab, b: call(linalg.solve_banded, (below, above), ab, b),  # noqa: B023
                bands(below, above, 5, dtype, above),
                sample(right, dtype),
                resized=False,
            )
    assert_same(lambda ab, b: call(linalg.solve_banded, (1, 2), ab, b), sample((3, 5)), sample(5))
    assert_same(lambda ab, b: call(linalg.solve_banded, (1, 0), ab, b), np.zeros((2, 5)), sample(5))
    for n in (1, 0):
        assert_refused(lambda ab, b: call(linalg.solve_banded, (0, 0), ab, b), np.ones((1, n)), sample(n))


@pytest.mark.parametrize("lower", [False, True])
@pytest.mark.parametrize("dtype", DTYPES)
def test_positive_definite_systems_given_by_diagonals(dtype, lower):
    for wide in (0, 1, 2, 4):
        ab = bands(wide, 0, 5, dtype, 0 if lower else wide)
        for right in [(5,), (5, 2), (4,)]:
            assert_same(
                lambda ab, b: call(linalg.solveh_banded, ab, b, lower=lower), ab, sample(right, dtype), resized=False
            )
        ab[0 if lower else wide] = -1
        assert_same(lambda ab, b: call(linalg.solveh_banded, ab, b, lower=lower), ab, sample(5, dtype))


def test_systems_given_by_diagonals_serve_other_lengths():
    assert_same(lambda ab, b: call(linalg.solve_banded, (1, 2), ab, b), bands(1, 2, 7, float, 2) / 9, sample((7, 3)))


@pytest.mark.parametrize("lower", [False, True])
@pytest.mark.parametrize("dtype", DTYPES)
def test_cholesky_factors(lower, dtype):
    a = positive_definite((3, 3), dtype)
    assert_same(lambda a: call(linalg.cholesky, a, lower), a)
    assert_same(lambda a: call(linalg.cho_factor, a, lower), a)
    for right in [(3,), (3, 2)]:
        assert_same(
            lambda a, b: call(linalg.cho_solve, call(linalg.cho_factor, a, lower=lower), b), a, sample(right, dtype)
        )
    assert_same(lambda a: call(linalg.cholesky, a), -positive_definite((3, 3)))


@pytest.mark.parametrize("trans", [0, 1, 2])
@pytest.mark.parametrize("dtype", DTYPES)
def test_triangular_factors_with_exchanges(trans, dtype):
    a = well_conditioned((3, 3), dtype)
    assert_same(lambda a: call(linalg.lu_factor, a), a, resized=False)
    for right in [(3,), (3, 2), (2,)]:
        assert_same(
            lambda a, b: call(linalg.lu_solve, call(linalg.lu_factor, a), b, trans),
            a,
            sample(right, dtype, seed=1),
            resized=False,
        )
    assert_same(lambda f, p, b: call(linalg.lu_solve, (f, p), b, trans), *linalg.lu_factor(a), sample(3, dtype))


@pytest.mark.filterwarnings("ignore")
def test_what_is_singular_is_left_to_scipy_where_it_does_not_raise():
    assert_same(lambda a: call(linalg.lu_factor, a), np.ones((2, 2)), unusual=True)
    solution = egc.optimize(lambda f, p, b: linalg.lu_solve((f, p), b))(np.zeros((2, 2)), np.arange(2), np.ones(2))
    assert not np.isfinite(solution).any()
    assert_refused(lambda a: call(linalg.lu_factor, a), sample((3, 2)))


@pytest.mark.parametrize("shape", [(3, 3), (4, 2), (2, 4)])
def test_decompositions(shape):
    for dtype in DTYPES:
        a = sample(shape, dtype)
        for mode in ("full", "economic", "r"):
            assert_same(lambda a: call(linalg.qr, a, mode=mode), a, resized=False)  # noqa: B023
        assert_same(lambda a: call(linalg.svd, a), a, resized=False)
        assert_same(lambda a: call(linalg.svd, a, full_matrices=False), a, resized=False)
        assert_same(lambda a: call(linalg.svd, a, compute_uv=False), a)
    assert_refused(lambda a: call(linalg.qr, a, pivoting=True), sample(shape))
    assert_refused(lambda a: call(linalg.svd, a, lapack_driver="gesvd"), sample(shape))


def test_eigenvalues_of_symmetric_matrices():
    for dtype in DTYPES:
        a = positive_definite((3, 3), dtype)
        for lower in (True, False):
            assert_same(lambda a: call(linalg.eigvalsh, a, lower=lower), a)  # noqa: B023
        assert_same(lambda a: call(linalg.eigh, a, eigvals_only=True), a)
        assert_same(lambda a: call(linalg.eigh, a, driver="evd"), a)
    assert_refused(lambda a: call(linalg.eigh, a), positive_definite((3, 3)))
    assert_refused(lambda a, b: call(linalg.eigvalsh, a, b), positive_definite((3, 3)), np.eye(3))


@pytest.mark.parametrize("shapes", [((5, 3), (5,)), ((5, 3), (5, 2)), ((3, 3), (3,)), ((3, 5), (3, 2)), ((5, 3), (4,))])
def test_lstsq(shapes):
    for dtype in DTYPES:
        a, b = sample(shapes[0], dtype), sample(shapes[1], dtype, seed=1)
        assert_same(lambda a, b: call(linalg.lstsq, a, b), a, b)
        assert_same(lambda a, b: call(linalg.lstsq, a, b, cond=1e-3), a, b)


@pytest.mark.parametrize("shape", [(4, 2), (2, 4)])
def test_pinv_cutoffs(shape):
    assert_same(lambda a: call(linalg.pinv, a, rtol=0.3), sample(shape))
    assert_same(lambda a: call(linalg.pinv, a), sample(shape, "complex64"))
    assert_refused(lambda a: call(linalg.pinv, a, return_rank=True), sample(shape))


def test_norm():
    for dtype in ("float64", "float32", "complex128", "int64"):
        assert_same(lambda a: call(linalg.norm, a), sample(5, dtype))
        assert_same(lambda a: call(linalg.norm, a), sample((2, 3), dtype))
        assert_same(lambda a: call(linalg.norm, a, 1), sample(5, dtype))
        assert_same(lambda a: call(linalg.norm, a, axis=0), sample((2, 3), dtype))
        assert_same(lambda a: call(linalg.norm, a, keepdims=True), sample(3, dtype))
    assert_same(lambda a: call(linalg.norm, a), np.array([1e200, -1e200]))
    assert_same(lambda a: call(linalg.norm, a), np.zeros(3))
    assert_same(lambda a: call(linalg.norm, a), np.empty(0))
    assert_refused(lambda a: call(linalg.norm, a, 1), sample((3, 3)))


@pytest.mark.parametrize("dtype", [*DTYPES, "int8", "bool"])
def test_matrices_from_vectors(dtype):
    for length in (1, 4, 0):
        c = sample(length, dtype)
        assert_same(lambda c: call(linalg.toeplitz, c), c)
        assert_same(lambda c: call(linalg.hankel, c), c)
        assert_same(lambda c: call(linalg.circulant, c), c)
        for width in (1, 3, 0):
            assert_same(lambda c, r: call(linalg.toeplitz, c, r), c, sample(width, "float32"))
            assert_same(lambda c, r: call(linalg.hankel, c, r), c, sample(width, "float32"))
    assert_same(lambda c: call(linalg.toeplitz, c), sample((), dtype))
    assert_refused(lambda c: call(linalg.toeplitz, c), sample((2, 3), dtype))


def test_block_diagonal_matrices():
    assert_same(lambda a, b: call(linalg.block_diag, a, b), sample((2, 3)), sample((1, 2)))
    assert_same(lambda a, b: call(linalg.block_diag, a, b, 7, a), sample((2, 3), "int32"), sample(4, "float32"))
    assert_same(lambda a: call(linalg.block_diag, a), sample((2, 2), "complex64"))
    assert_same(lambda a, b: call(linalg.block_diag, a, b), sample((2, 0)), sample((0, 2)))
    assert_same(lambda a: call(linalg.block_diag, a, []), sample((2, 2)))
    assert_refused(lambda a: call(linalg.block_diag, a), sample((2, 2, 2)))


def test_small_integers_and_overwriting_are_refused():
    assert_refused(lambda a: call(linalg.inv, a), well_conditioned((3, 3), "int8"))
    assert_refused(lambda a: call(linalg.inv, a, overwrite_a=True), well_conditioned((3, 3)))
