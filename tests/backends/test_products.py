"""Laws of matrix products in library calls: the same as NumPy's for all small sizes, layouts and element types."""

import itertools

import numpy as np
import pytest
from numba import njit

import egc
from egc.backends.numba.blas import known_product
from egc.backends.numba.products import matmul

from ..sampling import crossed

RNG = np.random.default_rng(5)


@egc.optimize
def multiplied(a, b):
    return a @ b


def normal(shape, dtype):
    return (RNG.normal(size=shape) + 1j * RNG.normal(size=shape)).astype(dtype)


@pytest.mark.filterwarnings("ignore::numpy.exceptions.ComplexWarning")
@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.complex128])
def test_stacks_of_matrices_of_any_size(dtype):
    for rows, inner, columns in [(2, 2, 2), (3, 3, 3), (4, 4, 4), (5, 5, 5), (2, 3, 4), (9, 8, 7)]:
        a, b = normal((6, rows, inner), dtype), normal((6, inner, columns), dtype)
        np.testing.assert_allclose(multiplied(a, b), a @ b, rtol=1e-4 if dtype == np.float32 else 1e-12, strict=True)
        np.testing.assert_allclose(multiplied(a, b[0]), a @ b[0], rtol=1e-4 if dtype == np.float32 else 1e-12)
        np.testing.assert_allclose(multiplied(a[0], b), a[0] @ b, rtol=1e-4 if dtype == np.float32 else 1e-12)


@pytest.mark.parametrize("right", ["C", "F", "strided"])
@pytest.mark.parametrize("left", ["C", "F", "strided"])
def test_matrices_in_any_layout(left, right):
    def laid(x, layout):
        return np.repeat(x, 2, axis=1)[:, ::2] if layout == "strided" else np.asarray(x, order=layout)

    for rows, inner, columns in [(2, 3, 4), (40, 30, 20)]:
        a, b = RNG.normal(size=(rows, inner)), RNG.normal(size=(inner, columns))
        np.testing.assert_allclose(multiplied(laid(a, left), laid(b, right)), a @ b, rtol=1e-11)


@pytest.mark.parametrize(
    ("inner", "dtype"), crossed([1, 16, 17, 33, 256, 511, 512, 513], [np.float64, np.float32, np.complex128])
)
def test_matrices_times_vectors(inner, dtype):
    for rows in (1, 2, 70):
        a, b = normal((rows, inner), dtype), normal(2 * max(inner, rows), dtype)[::2]
        tolerance = {"rtol": 1e-4, "atol": 1e-4} if dtype == np.float32 else {"rtol": 1e-11, "atol": 1e-12}
        np.testing.assert_allclose(multiplied(a, b[:inner]), a @ b[:inner], **tolerance, strict=True)
        np.testing.assert_allclose(multiplied(np.asfortranarray(a), b[:inner]), a @ b[:inner], **tolerance, strict=True)
        np.testing.assert_allclose(multiplied(b[:rows], a[:, :3]), b[:rows] @ a[:, :3], **tolerance, strict=True)


def test_a_product_with_a_row_that_is_not_finite():
    a = np.ones((3, 40))
    a[1, 7], a[2, 9] = np.inf, np.nan
    np.testing.assert_array_equal(multiplied(a, np.ones(40)), a @ np.ones(40))


def test_matrices_without_elements():
    for rows, inner, columns in [(0, 3, 4), (3, 0, 4), (3, 4, 0), (0, 0, 0)]:
        for stack in ((), (0,), (3,)):
            a, b = np.ones((*stack, rows, inner)), np.ones((*stack, inner, columns))
            np.testing.assert_array_equal(multiplied(a, b), a @ b, strict=True)


def lying(x):
    """An array in several places in memory: in order, within larger ones, with gaps, from its end."""
    yield x
    yield np.repeat(x, 2, axis=-1)[..., ::2]
    yield x[::-1].copy()[::-1]
    if x.ndim == 2:
        yield np.asfortranarray(x)
        yield np.pad(x, ((0, 0), (1, 2)))[:, 1 : 1 + x.shape[1]]
        yield np.asfortranarray(np.pad(x, ((1, 2), (0, 0))))[1 : 1 + x.shape[0]]


@pytest.mark.filterwarnings("ignore::numpy.exceptions.ComplexWarning")
@pytest.mark.parametrize("dtype", [np.float32, pytest.param(np.complex128, marks=pytest.mark.slow)])
def test_products_read_operands_where_they_lie(dtype):
    known_product(np.dtype(dtype))
    product = njit(lambda a, b: matmul(a, b))
    shapes = [
        ((3, 4), (4, 2)), ((30, 40), (40, 20)), ((1, 40), (40, 1)), ((5, 0), (0, 4)), ((0, 3), (3, 4)), ((30, 40), (40,)),
        ((3, 4), (4,)), ((5, 0), (0,)), ((40,), (40, 30)), ((4,), (4, 3)), ((0,), (0, 5)), ((50, 1), (1,)), ((1, 50), (50,)),
        ((6,), (6,)),
    ]  # fmt: skip
    tolerance = {"rtol": 2e-5, "atol": 2e-5} if dtype == np.float32 else {"rtol": 1e-12, "atol": 1e-13}
    with np.errstate(all="ignore"):
        for left, right in shapes:
            a, b = normal(left, np.complex128).astype(dtype), normal(right, np.complex128).astype(dtype)
            for x, y in itertools.product(lying(a), lying(b)):
                np.testing.assert_allclose(product(x, y), a @ b, **tolerance)
