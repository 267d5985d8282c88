"""Reshapes and permutations give NumPy's values, and views where NumPy gives views."""

import numpy as np
import pytest

from tests.capture.support import assert_refused, assert_same, sample


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("shape", [-1, (4, 6), (2, -1), (-1, 3, 2), (24,), (5, -1), (0, -1), (-1, -1), (3, 8, 1), (7,)])
def test_reshape(shape, order):
    for x in (sample((4, 6)), sample((24,), int), sample((0, 3)), sample((2, 3, 4)).T):
        assert_same(lambda x: np.reshape(x, shape, order=order), x)
    assert_same(lambda x: x.reshape(shape, order=order), sample((6, 4), np.float32))


def test_reshape_by_sizes():
    assert_same(lambda x: x.reshape(x.shape[1], x.shape[0]), sample((3, 4)))
    assert_same(lambda x: x.reshape(x.shape[0], 2, -1), sample((3, 4)))
    assert_same(lambda x: x.reshape((x.shape[0] // 2, 2)), sample(6))
    assert_same(lambda x, y: x.reshape(-1, 2) + y, sample(6), sample((3, 1)))


def test_flattening():
    for x in (sample((3, 4)), sample(5), sample(()), sample((2, 0)), sample((2, 3, 4)).T):
        assert_same(np.ravel, x)
        assert_same(lambda x: x.ravel(order="F"), x)
        assert_same(lambda x: x.flatten(), x)
        assert_same(lambda x: x.flatten("F"), x)
    assert_refused(lambda x: x.ravel("K"), sample((2, 3)))


def test_permutations():
    x = sample((2, 3, 4))
    for function in (
        np.transpose, lambda x: x.T, lambda x: x.mT, lambda x: np.transpose(x, (2, 0, 1)),  lambda x: x.transpose(1, 0, 2),
        lambda x: x.transpose((-1, 0, 1)), lambda x: x.transpose(None), lambda x: np.swapaxes(x, 0, -1),
        lambda x: x.swapaxes(1, 2), lambda x: np.moveaxis(x, 0, -1), lambda x: np.moveaxis(x, [0, 1], [-1, 0]),
        lambda x: np.rollaxis(x, 2), lambda x: np.rollaxis(x, 0, 3), np.matrix_transpose,
        lambda x: np.transpose(x, (0, 0, 1)), lambda x: np.transpose(x, (0, 1)), lambda x: np.swapaxes(x, 0, 3),
        lambda x: np.moveaxis(x, [0, 0], [0, 1]),
    ):  # fmt: skip
        assert_same(function, x)
    assert_same(np.matrix_transpose, sample(3))


def test_expanding_and_squeezing():
    x = sample((1, 3, 1))
    for function in (
        np.squeeze, lambda x: x.squeeze(0), lambda x: x.squeeze((0, -1)), lambda x: x.squeeze(1),
        lambda x: np.expand_dims(x, 0), lambda x: np.expand_dims(x, (0, -1)), lambda x: np.expand_dims(x, (1, 1)),
        lambda x: np.expand_dims(x, 9),
    ):  # fmt: skip
        assert_same(function, x)
    for x in (sample(()), sample(3), sample((2, 3)), sample((2, 3, 4)), sample((0,))):
        for function in (np.atleast_1d, np.atleast_2d, np.atleast_3d, np.squeeze):
            assert_same(function, x)
    assert_same(lambda x, y: np.atleast_2d(x, y), sample(3), sample(()))


def test_broadcasting():
    assert_same(lambda x: np.broadcast_to(x, (2, 3)), sample(3))
    assert_same(lambda x: np.broadcast_to(x, (2, 4)), sample(3))
    assert_same(lambda x: np.broadcast_to(x, (2, *x.shape)), sample((1, 3)))
    assert_same(lambda x: np.broadcast_to(x, (0, 3)), sample((1, 3)))
    assert_same(lambda x, y: np.broadcast_arrays(x, y), sample((3, 1)), sample(4))
    assert_same(lambda x, y: np.broadcast_arrays(x, y), sample((3, 2)), sample(4))


def test_writes_through_views():
    def transposed(x):
        x.T[0] = 7
        y = x.swapaxes(0, 1)
        y += 1
        return y

    def flat(x):
        y = x.reshape(2, -1)
        y[1] = 9
        x[0] = -1
        return y

    def squeezed(x):
        np.squeeze(x[:1])[0] = 5
        x[0][None, :][0, 1] = 4

    assert_same(transposed, sample((3, 4)))
    assert_same(flat, sample(6))
    assert_same(squeezed, sample((3, 4)))


def test_layouts_decide_whether_a_reshape_is_a_view():
    def through_reshape(x):
        y = x.reshape(-1)
        y[0] = 1
        return y

    def local(x):
        y = (x * 2).reshape(-1)
        y[0] = 1
        return y

    def stale(x):
        y = x + 1
        z = y.ravel()
        z[0] = 1
        return y

    def copied(x):
        y = x.flatten()
        z = y.reshape(2, -1)
        z[0] = 0
        return y

    assert_refused(through_reshape, sample((2, 3)))
    assert_refused(stale, sample((2, 3)))
    assert_same(local, sample((2, 3)))
    assert_same(copied, sample((2, 3)))


def test_questions_about_shapes():
    assert_same(lambda x: (np.shape(x), np.ndim(x), np.size(x), np.size(x, 0), x.size, x.ndim), sample((3, 4)))


@pytest.mark.parametrize("dtype", [np.float32, np.int8, bool, np.complex128])
def test_astype(dtype):
    for kind in (np.float64, np.int64, np.complex64, bool):
        x = np.abs(sample((3, 4), kind)).astype(kind)
        assert_same(lambda x: x.astype(dtype), x)
        assert_same(lambda x: x.astype(dtype, casting="same_kind"), x)
        assert_same(lambda x: x[0, 0].astype(dtype), x)
