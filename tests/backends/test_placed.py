"""Matrix products inside of loops are written where their results are to be, of matrices in either order, with and without BLAS."""

from __future__ import annotations

import numpy as np
import pytest

import egc


def products(A, H, x, P, steps):
    """All orders of two matrices, vectors from both sides, and addresses that states exchange."""
    S = np.zeros((len(H), len(H)), A.dtype)
    for _ in range(steps):
        x = 0.5 * (A @ x) + x @ P
        P, W = 0.5 * (A @ P @ A.T), P.T @ A
        S = S + (H @ W.T) @ (W.T @ H.T)
    return x, P, S


@pytest.mark.parametrize("dtype", ["f8", "c16"])
def test_products_are_those_of_numpy(dtype):
    rng = np.random.default_rng(0)
    optimized = egc.optimize(products)

    def drawn(*shape):
        values = rng.normal(size=shape) + (1j * rng.normal(size=shape) if dtype == "c16" else 0)
        return (0.5 * values).astype(dtype)

    for n, m in ((2, 2), (3, 5), (7, 2), (20, 6)):
        given = drawn(n, n), drawn(m, n), drawn(n), drawn(n, n), 4
        for found, expected in zip(optimized(*given), products(*given)):
            np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-10 * np.abs(expected).max())
    assert optimized.statistics.as_written == 0
    code = optimized.plan(*given).compiled.code
    assert "product_at(" in code and " matmul(" not in code


def turns(A, B, steps):
    """A matrix is read transposed, by a product and by other code, before and after it is another one."""
    for _ in range(steps):
        turned = A.T
        A, B = B @ turned + 1.0, np.where(turned > 0.0, A, B)
    return A, B


def test_a_transposed_matrix_is_the_one_that_was_there():
    rng = np.random.default_rng(1)
    optimized = egc.optimize(turns)
    for n in (2, 3, 6):
        A, B = rng.normal(size=(2, n, n)) / n
        for found, expected in zip(optimized(A, B, 5), turns(A, B, 5)):
            np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_products_of_nothing_are_zeros():
    def sums(A, B, steps):
        total = np.ones((A.shape[0], B.shape[1]))
        for _ in range(steps):
            total = 0.5 * total + A @ B + np.sum(A @ B[:, 0])
        return total

    optimized = egc.optimize(sums)
    for rows, length, columns in ((2, 0, 3), (0, 2, 3)):
        A, B = np.ones((rows, length)), np.ones((length, columns))
        np.testing.assert_array_equal(optimized(A, B, 3), sums(A, B, 3))
