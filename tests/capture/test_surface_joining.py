"""Joining and cutting arrays gives what NumPy gives."""

import numpy as np
import pytest

from tests.capture.support import assert_refused, assert_same, call, sample


def test_concatenate():
    x, y = sample((2, 3)), sample((4, 3), np.float32)
    assert_same(lambda x, y: call(np.concatenate, (x, y)), x, y)
    assert_same(lambda x, y: call(np.concatenate, [x, y.T], axis=1), x, sample((5, 2), int))
    assert_same(lambda x, y: call(np.concatenate, (x, y), axis=None), x, y)
    assert_same(lambda x, y: call(np.concatenate, (x, y), axis=1), x, y)
    assert_same(lambda x, y: call(np.concatenate, (x, y), axis=2), x, y)
    assert_same(lambda x, y: call(np.concatenate, (x, y), dtype=np.float32), x, y)
    assert_same(lambda x: call(np.concatenate, (x, [1, 2.5])), sample(3, np.int16))
    assert_same(lambda x: call(np.concatenate, (x, x[0])), sample(3))
    assert_same(lambda x, y: np.concatenate((x, x), out=y), sample(3), np.zeros(6))
    assert_same(lambda x: call(np.concatenate, []), x)
    assert_same(lambda x: call(np.concatenate, x), x)
    assert_same(lambda x, y: call(np.concatenate, (x, y)), sample(0), sample(3))


@pytest.mark.parametrize("axis", [0, 1, -1, 3])
def test_stack(axis):
    assert_same(lambda x, y: call(np.stack, (x, y), axis=axis), sample((2, 3)), sample((2, 3), int))
    assert_same(lambda x, y: call(np.stack, (x, y), axis=axis), sample((2, 3)), sample((3, 3)))


@pytest.mark.parametrize("function", [np.vstack, np.hstack, np.dstack, np.column_stack])
def test_stacking(function):
    for shape in ((), (3,), (2, 3), (2, 3, 4), (0, 2)):
        assert_same(lambda x, y: call(function, (x, y)), sample(shape), sample(shape, np.float32))
    assert_same(lambda x, y: call(function, [x, y]), sample((2, 3)), sample(3))
    assert_same(lambda x: call(function, [x, [1, 2, 3]]), sample(3))


def test_block():
    x, y = sample((2, 3)), sample((2, 1))
    assert_same(lambda x, y: call(np.block, [[x, y], [y, x]]), x, y)
    assert_same(lambda x, y: call(np.block, [x, y]), x, y)
    assert_same(lambda x: call(np.block, x), x)
    assert_same(lambda x: call(np.block, [[x, np.zeros((2, 2))], [np.ones((1, 5))]]), x)
    assert_same(lambda x: call(np.block, [[x], x]), x)
    assert_same(lambda x: call(np.block, [1, x, 2.5]), sample(3))


def test_append_insert_delete():
    x = sample((3, 4))
    assert_same(lambda x: (np.append(x, [1, 2]), np.append(x, x[:1], axis=0)), x)
    assert_same(lambda x: (np.insert(x, 1, 5.0), np.insert(x, 1, 5.0, axis=0), np.insert(x, -1, x[0], axis=0)), x)
    assert_same(lambda x: (np.insert(x, 4, x[:, 0], axis=1), np.insert(x, 1, [1, 2, 3], axis=1)), x)
    assert_same(lambda x: (np.insert(x, 1, [1, 2]), np.insert(x, 9, 1)), sample(3))
    assert_same(lambda x: (np.insert(x, 1, 2.7), np.insert(x, x.shape[0], 1)), sample(3, int))
    assert_same(lambda x: (np.delete(x, 1), np.delete(x, -1, axis=1), np.delete(x, 2, 0)), x)
    assert_same(lambda x: np.delete(x, 3, 0), x)
    assert_same(lambda x: (np.delete(x, [0, 2], axis=1), np.delete(x, slice(0, 2), axis=1)), x)
    assert_refused(lambda x: np.insert(x, [0, 1], 2), x)


@pytest.mark.parametrize("function", [np.split, np.array_split])
def test_split(function):
    for sections in (1, 2, 3, 4, 5, [1, 3], [0, 2, 9], [-1], [3, 1], 0):
        assert_same(lambda x: function(x, sections), sample(6))
        assert_same(lambda x: function(x, sections, axis=1), sample((2, 6)))
    assert_same(lambda x: function(x, [x.shape[0] // 2]), sample(5))


def test_splitting_along():
    assert_same(lambda x: (np.hsplit(x, 2), np.vsplit(x, 3)), sample((3, 4)))
    assert_same(lambda x: np.hsplit(x, [1]), sample(4))
    assert_same(lambda x: np.dsplit(x, 2), sample((2, 2, 4)))
    assert_same(lambda x: np.vsplit(x, 2), sample(4))
    assert_same(lambda x: np.unstack(x, axis=1), sample((2, 3)))


def test_pieces_are_views():
    def write(x):
        left, right = np.split(x, 2)
        left += 1
        right[0] = 0

    assert_same(write, sample(6))
