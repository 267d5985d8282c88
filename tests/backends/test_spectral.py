"""Eigenvalues, singular values and least squares are parts of a compiled driver, with NumPy's results and exceptions."""

import numpy as np
import pytest

import egc
from egc.backend import load
from egc.backends.numba.native import is_native
from egc.capture import capture
from egc.lower import lower

RNG = np.random.default_rng(0)
SYMMETRIC, TALL, RIGHT = RNG.normal(size=(5, 5)), RNG.normal(size=(6, 3)), RNG.normal(size=6)
SYMMETRIC = SYMMETRIC + SYMMETRIC.T


def of_eigenvalues(a):
    values, vectors = np.linalg.eigh(a)
    return vectors @ np.diag(np.exp(values)) @ vectors.T


def of_singular_values(a):
    u, s, vh = np.linalg.svd(a, full_matrices=False)
    return (u * s) @ vh, np.linalg.svd(a, compute_uv=False)


FUNCTIONS = {
    "an exponential by eigenvalues": (of_eigenvalues, SYMMETRIC),
    "eigenvalues of one triangle": (lambda a: np.linalg.eigvalsh(a, UPLO="U") ** 2, np.triu(SYMMETRIC)),
    "a product of singular vectors": (of_singular_values, TALL),
    "a pseudoinverse": (lambda a: np.linalg.pinv(a.T, rcond=0.1) + 1, TALL),
    "least squares": (lambda a, b: np.linalg.lstsq(a, b, rcond=None)[0] * 2, TALL, RIGHT),
    "several least squares": (lambda a, b: np.linalg.lstsq(a[:, ::2], np.outer(b, b), rcond=0.5)[0], TALL, RIGHT),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_program_with_them_is_one_function(name):
    function, *given = FUNCTIONS[name]
    program = capture(function, given, {}, {}).program
    assert is_native(program, lower(program))
    found, wanted = load("numba").compile(program).run(*given), function(*given)
    for a, b in zip(found, wanted if isinstance(wanted, tuple) else (wanted,), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-12)


def iterated(a):
    for _ in range(4):
        values = np.linalg.eigvalsh(a)
        a = a / np.max(np.abs(values)) + np.linalg.pinv(a)
    return a


def test_a_loop_with_them_is_compiled():
    np.testing.assert_allclose(egc.optimize(iterated)(SYMMETRIC), iterated(SYMMETRIC), rtol=1e-9)


@pytest.mark.parametrize("dtype", ["f4", "c8", "c16"])
def test_least_squares_of_other_numbers(dtype):
    a, b = (RNG.normal(size=(2, *shape)) for shape in ((3, 5), (3, 2)))
    a, b = ((each[0] + 1j * each[1] if dtype[0] == "c" else each[0]).astype(dtype) for each in (a, b))
    found = egc.optimize(lambda a, b: np.linalg.lstsq(a, b, rcond=None))(a, b)
    for got, want in zip(found, np.linalg.lstsq(a, b, rcond=None), strict=True):
        assert got.dtype == want.dtype and got.shape == want.shape
        np.testing.assert_allclose(got, want, rtol=2e-4, atol=1e-5)


def test_what_does_not_converge_raises_as_in_numpy():
    svd, least = egc.optimize(lambda a: np.linalg.svd(a)), egc.optimize(lambda a, b: np.linalg.lstsq(a, b)[0])
    for call in (svd, lambda a: least(a, np.ones(len(a)))):
        with pytest.raises(np.linalg.LinAlgError, match="SVD did not converge"):
            call(np.full((3, 3), np.nan))


def test_matrices_without_elements():
    function = egc.optimize(lambda a: (np.linalg.svd(a)[0], np.linalg.svd(a, compute_uv=False), np.linalg.pinv(a)))
    for shape in ((0, 3), (3, 0), (0, 0)):
        a = np.zeros(shape)
        u, s, p = function(a)
        np.testing.assert_array_equal(u, np.eye(shape[0]))
        assert s.shape == (0,) and p.shape == shape[::-1]


def test_an_infinite_matrix_has_the_pseudoinverse_of_numpy():
    a = np.array([[np.inf, 1.0], [1.0, 2.0]])
    np.testing.assert_array_equal(egc.optimize(lambda a: np.linalg.pinv(a))(a), np.linalg.pinv(a))
