"""Linear algebra means what numpy.linalg's functions do: dtypes, stacks, empty matrices, named results, errors."""

import numpy as np
import pytest

from tests.capture.support import assert_refused, assert_same, sample

DTYPES = ["float64", "float32", "complex128", "complex64", "int32", "bool"]
STACKS = [(), (4,), (2, 1), (0,)]


def well_conditioned(shape, dtype="float64", seed=0):
    """Diagonally dominant matrices."""
    x = sample(shape, dtype, seed)
    dominant = np.eye(shape[-1]) * (20 * shape[-1])
    return (x + dominant.astype(x.dtype)).astype(dtype)


def positive_definite(shape, dtype="float64", seed=0):
    x = sample(shape, dtype, seed).astype(np.result_type(dtype, np.int32))
    return (x @ np.conj(np.swapaxes(x, -1, -2)) + np.eye(shape[-1]) * 10).astype(dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    "function",
    [
        np.linalg.inv,
        np.linalg.det,
        np.linalg.slogdet,
        np.linalg.pinv,
        np.linalg.svdvals,
        np.linalg.matrix_rank,
        np.linalg.cond,
    ],
    ids=lambda f: f.__name__,
)
def test_functions_of_one_matrix(function, dtype):
    for stack in STACKS:
        assert_same(function, well_conditioned((*stack, 3, 3), dtype))


@pytest.mark.parametrize(
    "function",
    [
        np.linalg.inv,
        np.linalg.det,
        np.linalg.slogdet,
        np.linalg.cholesky,
        np.linalg.eigvalsh,
        np.linalg.matrix_rank,
        np.linalg.pinv,
    ],
    ids=lambda f: f.__name__,
)
def test_empty_and_wrong_shapes(function):
    assert_same(function, np.empty((0, 0)))
    assert_same(function, sample((2, 3)))
    assert_same(function, sample(3))
    assert_same(function, sample(()))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("right", [(3,), (3, 2), (4, 3, 2), (1, 3, 2), (0, 3, 1), (2,)])
@pytest.mark.parametrize("stack", STACKS)
def test_solve(stack, right, dtype):
    assert_same(np.linalg.solve, well_conditioned((*stack, 3, 3), dtype), sample(right, dtype, seed=1))


def test_solve_promotes():
    assert_same(np.linalg.solve, well_conditioned((3, 3), "float32"), sample(3, "int8"))
    assert_same(np.linalg.solve, well_conditioned((3, 3), "float32"), sample(3, "complex64"))
    assert_same(lambda a: np.linalg.solve(a, [1.0, 2.0, 3.0]), well_conditioned((3, 3), "float32"))


def test_singular_matrices_raise():
    assert_same(np.linalg.inv, np.ones((2, 2)))
    assert_same(np.linalg.solve, np.ones((2, 2)), np.ones(2))
    assert_same(np.linalg.cholesky, -np.eye(2))


@pytest.mark.parametrize("dtype", ["float64", "float32", "complex128", "int32"])
def test_factors_of_symmetric_matrices(dtype):
    for stack in STACKS:
        a = positive_definite((*stack, 3, 3), dtype)
        assert_same(np.linalg.cholesky, a)
        assert_same(lambda a: np.linalg.cholesky(a, upper=True), a)
        assert_same(np.linalg.eigvalsh, a)
        assert_same(lambda a: np.linalg.eigvalsh(a, UPLO="u"), a)
        assert_same(lambda a: np.linalg.eigh(a), a)
        assert_same(lambda a: np.linalg.eigh(a, "U").eigenvalues, a)


def test_a_triangle_is_read_alone():
    a = positive_definite((3, 3)) + np.triu(sample((3, 3)), 1)
    assert_same(np.linalg.cholesky, a)
    assert_same(lambda a: np.linalg.eigh(a, "U"), a)
    assert_same(lambda a: np.linalg.eigh(a, "X"), a)


@pytest.mark.parametrize("shape", [(3, 3), (4, 2), (2, 4), (5, 4, 2), (0, 2)])
@pytest.mark.parametrize("mode", ["reduced", "complete", "r", "nonsense"])
def test_qr(shape, mode):
    for dtype in ("float64", "complex64", "int32"):
        assert_same(lambda a: np.linalg.qr(a, mode), sample(shape, dtype))
    assert_same(lambda a: np.linalg.qr(a).R, sample((3, 2)))


@pytest.mark.parametrize("shape", [(3, 3), (4, 2), (2, 4), (5, 4, 2)])
def test_svd(shape):
    for dtype in ("float64", "complex64", "int32"):
        a = sample(shape, dtype)
        assert_same(lambda a: np.linalg.svd(a), a)
        assert_same(lambda a: np.linalg.svd(a, full_matrices=False), a)
        assert_same(lambda a: np.linalg.svd(a, compute_uv=False), a)
        assert_same(lambda a: np.linalg.svd(a).S, a)


def test_eigenvalues_of_complex_matrices():
    a = sample((4, 3, 3), "complex128")
    assert_same(np.linalg.eigvals, a)
    assert_same(lambda a: np.linalg.eig(a), a)


def test_eigenvalues_of_real_matrices_are_complex_or_the_call_runs_as_written():
    turned = np.array([[0.0, 1.0, 0.0], [-1.0, 0.0, 0.0], [0.0, 0.0, 2.0]])
    for a in (turned, np.array([turned, 2 * turned]), turned.astype(np.float32)):
        assert_same(np.linalg.eigvals, a, resized=False)
        assert_same(lambda a: np.linalg.eig(a), a, resized=False)


@pytest.mark.parametrize("shape", [(4, 2), (2, 4), (3, 3), (5, 4, 2)])
def test_pinv_cutoffs(shape):
    for dtype in ("float64", "float32", "complex128"):
        a = sample(shape, dtype)
        assert_same(lambda a: np.linalg.pinv(a, 0.3), a)
        assert_same(lambda a: np.linalg.pinv(a, rtol=None), a)
        assert_same(lambda a, r: np.linalg.pinv(a, rcond=r), a, np.float64(0.3))
        assert_same(lambda a: np.linalg.pinv(a, 0.1, rtol=0.1), a)


@pytest.mark.parametrize("shapes", [((5, 3), (5,)), ((5, 3), (5, 2)), ((3, 3), (3,)), ((3, 5), (3, 2)), ((5, 3), (4,))])
def test_lstsq(shapes):
    for dtype in ("float64", "float32", "complex128", "int32"):
        a, b = sample(shapes[0], dtype), sample(shapes[1], dtype, seed=1)
        assert_same(lambda a, b: np.linalg.lstsq(a, b), a, b)
        assert_same(lambda a, b: np.linalg.lstsq(a, b, rcond=1e-3)[0], a, b)


def test_lstsq_residuals_of_deficient_rank_are_left_to_numpy():
    a = np.ones((4, 2))
    assert_same(lambda a, b: np.linalg.lstsq(a, b)[0], a, sample(4), resized=False)
    assert_same(lambda a, b: np.linalg.lstsq(a, b)[1], a, sample(4), unusual=True)


@pytest.mark.parametrize("exponent", [-3, -1, 0, 1, 2, 3, 5, 8])
def test_matrix_power(exponent):
    for dtype in ("float64", "int32", "complex64"):
        assert_same(lambda a: np.linalg.matrix_power(a, exponent), well_conditioned((3, 3), dtype))
        assert_same(lambda a: np.linalg.matrix_power(a, exponent), well_conditioned((2, 3, 3), dtype))
    assert_same(lambda a: np.linalg.matrix_power(a, 1.5), sample((3, 3)))


def test_first_matrix_power_is_the_argument():
    def written(a):
        np.linalg.matrix_power(a, 1)[0, 0] = 7.0
        return a

    assert_same(written, sample((3, 3)))


ORDERS = [None, "fro", "nuc", 2, -2, 1, -1, np.inf, -np.inf, 0, 3, 0.5, "nonsense"]


@pytest.mark.parametrize("ord", ORDERS)
def test_norm_of_every_order(ord):
    for dtype in ("float64", "float32", "complex64", "int8", "bool"):
        for shape in [(4,), (3, 4), (2, 3, 4), ()]:
            x = sample(shape, dtype)
            assert_same(lambda x: np.linalg.norm(x, ord), x)
            assert_same(lambda x: np.linalg.norm(x, ord, axis=-1, keepdims=True), x)
            assert_same(lambda x: np.linalg.norm(x, ord, axis=(0, -1)), x)
            assert_same(lambda x: np.linalg.norm(x, ord, axis=(1, 0), keepdims=True), x)
            assert_same(lambda x: np.linalg.norm(x, ord, keepdims=True), x)
            assert_same(lambda x: np.linalg.vector_norm(x, ord=ord), x)
            assert_same(lambda x: np.linalg.vector_norm(x, ord=ord, axis=(0, 1), keepdims=True), x)
            assert_same(lambda x: np.linalg.matrix_norm(x, ord=ord), x)


@pytest.mark.parametrize("ord", ORDERS)
def test_norm_of_nothing(ord):
    for shape in [(0,), (0, 3), (3, 0)]:
        assert_same(lambda x: np.linalg.norm(x, ord), np.empty(shape))
        assert_same(lambda x: np.linalg.norm(x, ord, axis=0), np.empty(shape))


def test_rank_and_condition():
    deficient = np.outer(np.arange(1.0, 4), np.arange(2.0, 5))
    assert_same(np.linalg.matrix_rank, deficient)
    assert_same(np.linalg.matrix_rank, np.zeros(3))
    assert_same(np.linalg.matrix_rank, sample((), "float32"))
    assert_same(lambda a: np.linalg.matrix_rank(a, tol=5.0), sample((4, 3, 2)))
    assert_same(lambda a, t: np.linalg.matrix_rank(a, t), sample((4, 3, 2)), np.linspace(0, 9, 4))
    assert_same(lambda a: np.linalg.matrix_rank(a, rtol=0.5), sample((4, 3, 2), "float32"))
    assert_same(lambda a: np.linalg.cond(a, -2), sample((4, 3, 2)))
    assert_same(np.linalg.cond, np.zeros((2, 2)))
    assert_same(np.linalg.cond, np.empty((0, 0)))
    assert_refused(lambda a: np.linalg.cond(a, 1), np.eye(2))


def test_tensor_equations():
    a = well_conditioned((6, 6)).reshape(2, 3, 6)
    assert_same(np.linalg.tensorsolve, a, sample((2, 3)))
    assert_same(np.linalg.tensorinv, a)
    assert_same(
        lambda a, b: np.linalg.tensorsolve(a, b, axes=(0,)), well_conditioned((6, 6)).reshape(6, 2, 3), sample((2, 3))
    )


def test_aliases():
    assert_same(lambda x: np.linalg.matrix_transpose(x), sample((2, 3, 4)))
    assert_same(lambda x: np.linalg.diagonal(x, offset=1), sample((2, 3, 4)))
    assert_same(lambda x, y: np.linalg.outer(x, y), sample(3), sample(4))
    assert_same(lambda x, y: np.linalg.outer(x, y), sample((3, 2)), sample(4))
    assert_same(lambda x, y: np.linalg.tensordot(x, y, axes=1), sample((3, 2)), sample((2, 4)))
    assert_same(lambda x, y: np.linalg.matmul(x, y), sample((3, 2)), sample((2, 4)))


def test_options_that_are_not_encoded_are_refused():
    a = positive_definite((3, 3))
    assert_refused(lambda a: np.linalg.qr(a, "raw"), a)
    assert_refused(lambda a: np.linalg.svd(a, hermitian=True), a)
    assert_refused(lambda a: np.linalg.pinv(a, hermitian=True), a)
    assert_refused(lambda a: np.linalg.matrix_rank(a, hermitian=True), a)
