"""Scalar types, methods and attributes give what NumPy gives."""

import numpy as np
import pytest

from tests.capture.support import assert_refused, assert_same, call, sample


@pytest.mark.parametrize("kind", [np.float64, np.float32, np.int64, np.int8, np.uint8, np.bool_, np.complex64])
def test_scalar_types(kind):
    for dtype in (np.float64, np.int16, bool):
        x = np.abs(sample((2, 3), dtype)).astype(dtype)
        assert_same(lambda x: (call(kind, x[0, 0]), call(kind, x), call(kind, x.sum()), call(kind, 1)), x)
    assert_same(lambda x: call(kind, x.shape[0]) * x, sample(3, np.float32))


def test_python_numbers_out_of_range_run_as_written():
    assert_same(lambda x: call(np.int8, x), 5)
    assert_same(lambda x: call(np.int8, x), 300)
    assert_same(lambda x: call(np.int64, x), float("nan"))


def test_dtypes():
    x = sample(3, np.float32)
    assert_same(lambda x: (call(np.result_type, x, 1.0).name, call(np.can_cast, x, np.float64)), x)


def test_item():
    for dtype in (np.float32, np.int8, bool, np.complex64):
        assert_same(lambda x: x.sum().item(), sample(3, dtype))
        assert_same(lambda x: x.item(2), sample((2, 3), dtype))
        assert_same(lambda x: x.item(1, -1), sample((2, 3), dtype))
    assert_same(lambda x: x.item(), sample((1, 1)))
    assert_same(lambda x: x.item(), sample(2))
    assert_same(lambda x: x.item(9), sample(2))


def test_fill():
    assert_same(lambda x: x.fill(3), sample((2, 3)))
    assert_same(lambda x: x[0].fill(x[1, 1]), sample((2, 3)))
    assert_same(lambda x: x.fill(2.5), sample(3, int))


def test_attributes():
    assert_same(lambda x: (x.itemsize, x.nbytes, x.size, x.dtype.name), sample((2, 3), np.float32))
    assert_refused(lambda x: x.strides, sample(3))
    assert_refused(lambda x: x.tolist(), sample(3))
    assert_same(lambda x: x.nonsense, sample(3))


def test_methods_take_the_arguments_of_ndarray():
    x = sample((3, 4))
    assert_same(lambda x: (x.sum(0), x.prod(1), x.cumsum(1), x.cumprod(0), x.mean(1), x.var(0), x.std(None)), x)
    assert_same(lambda x: (x.min(1), x.max(0), x.argmin(0), x.argmax(), x.any(1), x.all(0), x.clip(0, 1)), x)
    assert_same(lambda x: (x.repeat(2, 1), x.take([0, 1], 1), x.swapaxes(0, 1), x.squeeze(), x.round(1)), x)
    assert_same(lambda x: (x.argsort(0), x.ravel(), x.flatten(), x.reshape(4, 3), x.reshape((2, -1)), x.T.copy()), x)
    assert_same(
        lambda x: (x.diagonal(1), x.astype(int), x.conj(), x.conjugate(), x.compress([True, False, True], 0)), x
    )
    assert_same(lambda x: x[0, 0].clip(0, 1) + x[0, 0].round() + x[0, 0].sum() + x[0, 0].real, x)
