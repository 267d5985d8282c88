"""Laws of matrix products in library calls: the same as NumPy's for all small sizes, layouts and element types."""

import numpy as np
import pytest

import egc

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


def test_matrices_without_elements():
    for rows, inner, columns in [(0, 3, 4), (3, 0, 4), (3, 4, 0), (0, 0, 0)]:
        for stack in ((), (0,), (3,)):
            a, b = np.ones((*stack, rows, inner)), np.ones((*stack, inner, columns))
            np.testing.assert_array_equal(multiplied(a, b), a @ b, strict=True)
