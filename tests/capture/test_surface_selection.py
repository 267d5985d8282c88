"""Choices by conditions and index arrays give what NumPy gives."""

import numpy as np
import pytest

from tests.capture.support import assert_refused, assert_same, call, sample


def test_where():
    c, x, y = sample((3, 4), bool), sample((3, 4)), sample(4, np.float32)
    assert_same(np.where, c, x, y)
    assert_same(lambda c, y: np.where(c, y, 1.0), c, y)
    assert_same(lambda c, y: (np.where(c, 0, y), np.where(c, 1, 2), np.where(c, 1, 2.5)), c, y)
    assert_same(lambda x, y: np.where(x, y, [1, 2, 3, 4]), x, y)
    assert_same(lambda x: np.where(x[0, 0] > 0, 1, 2), x)
    assert_same(np.where, c, sample((3, 2)), x)
    assert_same(lambda x: np.where(x > 0, True, x), sample(3, np.int8))
    assert_refused(lambda x: np.where(x), x)


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int16, np.uint8])
def test_clip(dtype):
    x = np.array([-5, 0, 2, 7, 100]).astype(dtype)
    assert_same(lambda x: (np.clip(x, 1, 5), x.clip(1, 5), x.clip(min=1), np.clip(x, None, 3), x.clip(max=2)), x)
    assert_same(lambda x: (np.clip(x, 5, 1), np.clip(x, x[1], 6), np.clip(x, [0, 1, 2, 3, 4], 9)), x)
    assert_same(lambda x: np.clip(x, -1, 300), x)
    assert_same(lambda x: np.clip(x, 0.5, 2.5), x)
    assert_same(lambda x: np.clip(x, 1, 3, out=x), x)
    assert_same(lambda x: np.clip(x, None, None), x)
    assert_same(lambda x: np.clip(x, 0, 1), np.array([np.nan, np.inf, -np.inf]))
    assert_same(lambda x: np.clip(x[0], 0, 1), x)


@pytest.mark.parametrize("mode", ["raise", "clip", "wrap"])
def test_take(mode):
    x, i = sample((3, 4)), np.array([[0, 2], [1, -1]])
    assert_same(
        lambda x, i: (np.take(x, i, mode=mode), np.take(x, i, 0, mode=mode), x.take(i, axis=1, mode=mode)), x, i
    )
    assert_same(
        lambda x: (np.take(x, 1, mode=mode), np.take(x, -1, axis=1, mode=mode), np.take(x, [0, 2], mode=mode)), x
    )
    assert_same(lambda x, i: np.take(x, i, 0, mode=mode), x, np.array([7, -9]))
    assert_same(lambda x, i: np.take(x, i, 0, mode=mode), x[:0], np.array([0]))
    assert_same(lambda x, i: np.take(x, i, mode=mode), x, np.array([0.5]))
    assert_same(lambda x, i, y: np.take(x, i, 0, out=y, mode=mode), x, np.array([1, 0]), np.zeros((2, 4)))
    assert_same(lambda x: np.take(x, [], mode=mode), x)


def test_along_axis():
    x = sample((3, 4))
    assert_same(lambda x: np.take_along_axis(x, np.argsort(x, axis=1), axis=1), x)
    assert_same(lambda x, i: np.take_along_axis(x, i, 0), x, np.array([[0, 1, 2, -1]]))
    assert_same(lambda x, i: np.take_along_axis(x, i, 1), x, np.array([[0, 1]]))
    assert_same(lambda x, i: np.take_along_axis(x, i, None), x, np.array([0, 11]))
    assert_same(lambda x, i: np.take_along_axis(x, i, 1), sample((2, 3, 4)), sample((2, 5, 4), np.uint8) % 3)
    assert_same(lambda x, i: np.put_along_axis(x, i, 9, 1), x, np.array([[0], [1], [2]]))
    assert_same(lambda x, i: np.put_along_axis(x, i, [[1, 2, 3, 4]], 0), x, np.array([[0, 1, 2, 0]]))


def test_put():
    x, i = sample((3, 4)), np.array([0, 5, -1])
    assert_same(lambda x, i: np.put(x, i, [1, 2, 3]), x, i)
    assert_same(lambda x, i: x.put(i, 7), x, i)
    assert_same(lambda x, i: np.put(x, i, [1, 2]), x, i)
    assert_same(lambda x, i: np.put(x, i, [1, 2, 3, 4]), x, i)
    for mode in ("wrap", "clip"):
        assert_same(lambda x, i: np.put(x, i, 5, mode=mode), x, np.array([100, -3]))
    assert_same(lambda x, i: np.put(x, i, 5), x, np.array([100]))
    assert_same(lambda x, m: np.putmask(x, m, 5), x, sample((3, 4), bool))
    assert_same(lambda x, m: np.putmask(x, m, [1, 2, 3]), x, sample((3, 4), bool))
    assert_same(lambda x, m: np.putmask(x, m, x * 2), sample(4, np.float32), sample(4, bool))


def test_copyto():
    x, m = sample((3, 4)), sample((3, 4), bool)
    assert_same(lambda x: np.copyto(x, 5), x)
    assert_same(lambda x, m: np.copyto(x, [1, 2, 3, 4], where=m), x, m)
    assert_same(lambda x: np.copyto(x, 2.5), sample(3, int))
    assert_same(lambda x: np.copyto(x, 2.5, casting="unsafe"), sample(3, int))
    assert_same(lambda x: np.copyto(x, [[1, 2, 3], [1, 2, 3]]), sample(3, int))


def test_choose_and_select():
    i, x, y = np.array([0, 1, 2, 1]), sample(4), sample(4, np.float32)
    assert_same(lambda i, x, y: np.choose(i, [x, y, 5]), i, x, y)
    for mode in ("raise", "wrap", "clip"):
        assert_same(lambda i, x: np.choose(i, [x, x + 1], mode=mode), i - 1, x)
        assert_same(lambda i, x: np.choose(i, [x, x + 1], mode=mode), i * 0 + 1, x)
    assert_same(lambda x, y: np.select([x > 1, y > 0], [x, y], default=-1), x, y)
    assert_same(lambda y: np.select([y > 1, y > 0], [y, 1.0]), y)
    assert_same(lambda y: np.select([y > 1], [1]), y)
    assert_same(lambda y: np.select([y], [1]), y)
    assert_same(lambda x: np.compress([True, False, True], x), x)
    assert_same(lambda x: np.compress([0, 1], x, axis=1), sample((2, 3)))


def test_indices():
    assert_same(lambda x: np.unravel_index(np.argmax(x), x.shape), sample((3, 4)))
    assert_same(lambda i: np.unravel_index(i, (3, 4)), np.array([0, 5, 11]))
    assert_same(lambda i: np.unravel_index(i, (3, 4)), np.array([0, 12]))
    assert_same(lambda i, j: np.ravel_multi_index((i, j), (3, 4)), np.array([0, 2]), np.array([3, 0]))
    assert_same(lambda i, j: np.ravel_multi_index((i, j), (3, 4)), np.array([0, 3]), np.array([3, 0]))
    assert_same(lambda i: call(np.ix_, i, [0, 1]), np.array([0, 2]))
