"""Singular values from a Gram matrix: on request only."""

import numpy as np
import pytest

import egc


def graded(least, dtype="f8"):
    """Singular values from 1 down to `least`."""
    rng = np.random.default_rng(3)
    left, right = np.linalg.qr(rng.normal(size=(600, 20)))[0], np.linalg.qr(rng.normal(size=(20, 20)))[0]
    return (left * np.geomspace(1, least, 20) @ right).astype(dtype)


def values(A):
    return np.linalg.svd(A, compute_uv=False)


def rules_of(function, *given, **options):
    optimized = egc.optimize(function, **{"backend": "reference", **options})
    return optimized(*given), [step.rule for step in optimized.explain(*given).steps]


@pytest.mark.parametrize("dtype, digits", [("f8", 1e-14), ("f4", 1e-6)])
def test_the_spectral_norm_keeps_its_digits(dtype, digits):
    A = graded(1e-12, dtype)
    found, rules = rules_of(lambda A: np.linalg.norm(A, 2), A, precision="approx")
    assert "largest_singular_value_by_gram" in rules and found.dtype == A.dtype
    assert abs(found - np.linalg.svd(A.astype(float), compute_uv=False)[0]) < digits


def test_small_singular_values_keep_their_digits_by_default():
    A = graded(1e-12)
    found, rules = rules_of(values, A)
    assert not rules
    np.testing.assert_allclose(found, np.geomspace(1, 1e-12, 20), rtol=1e-3)


def test_on_request_they_are_right_relative_to_the_largest():
    for A in (graded(1e-12), graded(1e-6, "f4")):
        found, rules = rules_of(values, A, precision="approx")
        assert "singular_values_by_gram" in rules
        np.testing.assert_allclose(found, values(A), atol=2e-3)
        optimized = egc.optimize(values, precision="approx", backend="reference")
        optimized(A)
        np.testing.assert_allclose(optimized(A[:3]), values(A[:3]), atol=2e-3)


def test_a_rounded_eigenvalue_of_a_gram_matrix_may_be_negative():
    """That it is none in truth does not make the guard against it superfluous."""

    def roots(A):
        return np.sqrt(np.maximum(np.linalg.eigvalsh(A.T @ A), 0))

    A = np.random.default_rng(0).normal(size=(6, 40))
    assert np.min(np.linalg.eigvalsh(A.T @ A)) < 0
    assert np.isfinite(egc.optimize(roots, backend="reference")(A)).all()


def test_those_of_a_square_matrix_s_gram_matrix_are_found_without_it():
    A = graded(1e-12)[:20]
    found, rules = rules_of(lambda A: np.linalg.svd(A.T @ A, compute_uv=False), A)
    assert rules == ["singular_values_of_gram"]
    np.testing.assert_allclose(found, values(A) ** 2, rtol=1e-6)


def test_solving_with_the_factors_of_qr_is_back_substitution():
    X, y = graded(0.1)[:50], np.arange(50.0)

    def fit(X, y):
        Q, R = np.linalg.qr(X)
        return np.linalg.solve(R, Q.T @ y)

    found, rules = rules_of(fit, X, y, backend="numba")
    assert "solution_with_upper_triangular" in rules
    np.testing.assert_allclose(found, fit(X, y), rtol=1e-9)
