"""Linear algebra on arrays in any order of memory: what is copied is given back, in loops too."""

from __future__ import annotations

from contextlib import contextmanager
from itertools import islice

import numpy as np
import pytest
from numba import njit
from numba.core.runtime import _nrt_python, rtsys
from numpy.testing import assert_allclose

import egc
from egc.backends.numba.blas import known_product
from egc.backends.numba.products import matmul as compiled_matmul

RANDOM = np.random.default_rng(7)


def repeated(A, b, c, most):
    """Parts of matrices are copies for BLAS where they have gaps, in all iterations but the last."""
    total = np.zeros((4, b.shape[1]), A.dtype)
    for k in range(most, 0, -1):
        part = A[: 4 * k : k, : 4 * k : k]
        total = total + np.linalg.solve(part, part @ b[:4]) + part.T @ b[: 4 * k : k]
        total[:, 0] += part @ c[: 4 * k : k]
    return total


def factors(A, b, c, most):
    part, right = A[:: most - 1, :: most - 1], b[:: most - 1, ::-1]
    q, r = np.linalg.qr(part)
    root = np.linalg.cholesky(part @ part.T.conj() + 9 * np.eye(part.shape[0], dtype=A.dtype))
    return q @ r, np.linalg.solve(root, right) + np.linalg.inv(part) @ right, root @ c[:: most - 1]


@contextmanager
def counted_memory():
    """Some memory is asked for, and as much is given back."""
    _nrt_python.memsys_enable_stats()
    try:
        before = rtsys.get_allocation_stats()
        yield
        after = rtsys.get_allocation_stats()
    finally:
        _nrt_python.memsys_disable_stats()
    assert after.alloc > before.alloc
    assert after.alloc - before.alloc == after.free - before.free


def leaves(results):
    return results if isinstance(results, tuple) else (results,)


def orders(array):
    """The same elements with gaps between neighbours, in the other order, and turned around."""
    wide = np.zeros([2 * length for length in array.shape], array.dtype)
    wide[tuple(slice(None, None, 2) for _ in array.shape)] = array
    yield wide[tuple(slice(None, None, 2) for _ in array.shape)]
    yield np.asfortranarray(array)
    yield np.ascontiguousarray(array[::-1])[::-1]
    yield array


@pytest.mark.parametrize("function", [repeated, factors])
@pytest.mark.parametrize("dtype", [np.float64, np.complex64])
def test_operands_in_any_order_of_memory_are_read_and_given_back(function, dtype):
    n = 12
    A = RANDOM.normal(size=(n, n)).astype(dtype) + 4 * np.eye(n, dtype=dtype)
    b, c = RANDOM.normal(size=(n, 2)).astype(dtype), RANDOM.normal(size=n).astype(dtype)
    optimized = egc.optimize(function)
    expected = function(A, b, c, 3)
    tolerance = 1e-4 if dtype == np.complex64 else 1e-11
    kinds = 1 if dtype == np.complex64 else 2
    for turn in range(kinds):
        given = [next(islice(orders(each), (turn + k) % 3, None)) for k, each in enumerate((A, b, c))]
        optimized(*given, 3)
        with counted_memory():
            for _ in range(3):
                results = optimized(*given, 3)
                for ours, theirs in zip(leaves(results), leaves(expected)):
                    assert_allclose(ours, theirs, rtol=tolerance, atol=tolerance)
                del results, ours


@njit
def products_of_parts(A, b):
    """The parts have gaps, and are copied, in all iterations but the last."""
    total = np.zeros((4, b.shape[1]))
    for k in range(3, 0, -1):
        total += compiled_matmul(A[: 4 * k : k, : 4 * k : k], b)
    return total


def test_a_loop_gives_a_copy_back_once():
    known_product(np.dtype(np.float64))
    A, b = RANDOM.normal(size=(12, 12)), RANDOM.normal(size=(4, 2))
    expected = sum(A[: 4 * k : k, : 4 * k : k] @ b for k in (1, 2, 3))
    products_of_parts(A, b)
    with counted_memory():
        assert_allclose(products_of_parts(A, b), expected, rtol=1e-12)


def solution(A, b):
    return np.linalg.solve(A, b)


def test_a_singular_matrix_is_numpys_error_in_any_order():
    optimized = egc.optimize(solution)
    A, b = np.ones((4, 4)), np.ones((4, 2))
    for given in zip(orders(A), orders(b)):
        with pytest.raises(np.linalg.LinAlgError, match="Singular matrix"):
            optimized(*given)
