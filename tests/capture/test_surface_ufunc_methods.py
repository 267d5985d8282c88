"""`reduce`, `accumulate`, `outer` and `at` of ufuncs give what NumPy's give."""

import numpy as np
import pytest

from tests.capture.support import assert_refused, assert_same, sample


@pytest.mark.parametrize(
    "ufunc", [np.add, np.multiply, np.maximum, np.minimum, np.logical_and, np.logical_or, np.logical_xor]
)
def test_reduce(ufunc):
    for dtype in (np.float64, np.float32, np.int16, bool):
        for shape in ((3, 4), (5,), (0, 2), ()):
            assert_same(lambda x: ufunc.reduce(x), sample(shape, dtype))
            assert_same(lambda x: ufunc.reduce(x, axis=None), sample(shape, dtype))
        assert_same(lambda x: ufunc.reduce(x, axis=(0, 1), keepdims=True), sample((3, 4), dtype))


def test_reduce_options():
    assert_same(lambda x: np.add.reduce(x, 1, initial=3.0), sample((3, 4)))
    assert_same(lambda x: np.add.reduce(x, 1, dtype=np.float32), sample((3, 4)))
    assert_same(lambda x, m: np.maximum.reduce(x, 0, where=m, initial=0), sample((3, 4)), sample((3, 4), bool))
    assert_same(lambda x, y: np.add.reduce(x, 0, out=y), sample((3, 4)), np.zeros(4))


def test_other_reductions():
    x = sample((3, 4))
    x[0, 1] = x[1] = np.nan
    assert_same(lambda x: (np.fmax.reduce(x), np.fmin.reduce(x, axis=1)), x)
    assert_same(lambda x: (np.bitwise_and.reduce(x), np.bitwise_or.reduce(x)), sample((3, 4), bool))
    assert_same(lambda x: np.logaddexp.reduce(x, axis=1), sample((3, 4)) * 300)
    assert_same(lambda x: np.logaddexp.reduce(x, axis=1), np.array([[-np.inf, -np.inf], [np.inf, 1], [np.nan, 1]]))
    assert_refused(lambda x: np.subtract.reduce(x), x)


@pytest.mark.parametrize("ufunc", [np.add, np.multiply, np.maximum, np.minimum, np.logical_and, np.logical_or])
def test_accumulate(ufunc):
    for dtype in (np.float64, np.uint8, bool):
        for shape in ((3, 4), (0,), ()):
            assert_same(lambda x: ufunc.accumulate(x), sample(shape, dtype))
        assert_same(lambda x: ufunc.accumulate(x, axis=-1), sample((3, 4), dtype))


def test_outer():
    assert_same(np.add.outer, sample(3), sample((2, 2), np.float32))
    assert_same(lambda x: np.multiply.outer(x, x), sample(3))
    assert_same(lambda x: np.maximum.outer(x, [1, 2]), sample(3, np.int8))
    assert_same(lambda x: np.subtract.outer(2, x), sample(3, np.float32))
    assert_same(np.less.outer, sample(3), sample(()))


@pytest.mark.parametrize("ufunc", [np.add, np.subtract, np.multiply, np.maximum, np.minimum])
def test_at(ufunc):
    index = np.array([0, 2, 2, -1, 0])

    def at(x, i, b):
        ufunc.at(x, i, b)

    for dtype in (np.float64, np.int32):
        assert_same(at, sample(4, dtype), index, sample(5, dtype))
        assert_same(at, sample((4, 3), dtype), index, sample(3, dtype))
        assert_same(lambda x, i: ufunc.at(x, (i, 1), 2), sample((4, 3), dtype), index)
        assert_same(lambda x: ufunc.at(x, slice(1, 3), 2), sample(4, dtype))
        assert_same(lambda x: ufunc.at(x, 1, 2), sample(4, dtype))
    assert_same(at, sample(4, np.float32), index, sample(5))
    assert_refused(at, sample(4, np.int32), index, sample(5))
    assert_same(at, sample(4), index, sample(3))
    assert_same(at, sample(4), np.array([7]), sample(1))
