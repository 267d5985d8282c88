"""Flips, rolls, tiles, pads and diagonals give what NumPy gives."""

import numpy as np
import pytest

from tests.capture.support import assert_refused, assert_same, call, sample


def test_flips():
    x = sample((2, 3, 4))
    assert_same(lambda x: (np.flip(x), np.flip(x, 1), np.flip(x, (0, -1)), np.flipud(x), np.fliplr(x)), x)
    assert_same(np.flip, sample(0))
    assert_same(np.fliplr, sample(3))
    for k in range(-1, 5):
        assert_same(lambda x: (np.rot90(x, k), np.rot90(x, k, axes=(2, 1))), x)
    assert_same(lambda x: np.rot90(x, 1, (0, 0)), x)

    def write(x):
        np.flip(x)[0] = 7
        np.rot90(x)[0] = 8

    assert_same(write, sample((3, 4)))


@pytest.mark.parametrize("shift", [0, 1, -1, 2, 5, -7, 12])
def test_roll(shift):
    for shape in ((5,), (3, 4), (0, 2), ()):
        assert_same(lambda x: np.roll(x, shift), sample(shape))
    assert_same(lambda x: (np.roll(x, shift, axis=1), np.roll(x, (shift, 1), axis=(0, 1))), sample((3, 4)))
    assert_same(lambda x: np.roll(x, shift, axis=(0, 1)), sample((3, 4)))
    assert_same(lambda x, s: np.roll(x, s), sample(5), np.int64(shift))
    assert_same(lambda x: np.roll(x, x.shape[0] // 2), sample(5))


@pytest.mark.parametrize("counts", [2, 0, (2,), (2, 1), (1, 2, 3)])
def test_tile(counts):
    for shape in ((), (3,), (2, 3)):
        assert_same(lambda x: np.tile(x, counts), sample(shape))


def test_repeat():
    x = sample((2, 3))
    assert_same(lambda x: (np.repeat(x, 2), np.repeat(x, 2, axis=0), x.repeat(3, axis=-1), x.repeat(0)), x)
    assert_same(lambda x: (np.repeat(x, [1, 0, 2], axis=1), np.repeat(x, [2], axis=1)), x)
    assert_same(lambda x: np.repeat(x, [1, 0], axis=1), x)
    assert_same(lambda x: np.repeat(x, x.shape[0]), sample(3))
    assert_same(lambda x: np.repeat(x, -1), x)


def test_resize():
    for shape in ((2, 3), (7,), (0,), (5, 5)):
        assert_same(lambda x: np.resize(x, shape), sample((2, 3)))
    assert_same(lambda x: np.resize(x, (2, 2)), sample(0))


@pytest.mark.parametrize("mode", ["constant", "edge", "reflect", "symmetric", "wrap"])
def test_pad(mode):
    for width in (1, 0, (2, 1), ((1, 2), (0, 1)), ((1,), (2,)), ((7, 9), (0, 0)), 8):
        for shape in ((3, 4), (1, 2)):
            assert_same(lambda x: np.pad(x, width, mode), sample(shape))
    assert_same(lambda x: np.pad(x, (2, 3), mode), sample(5, np.int8))
    assert_same(lambda x: np.pad(x, x.shape[0] // 2, mode), sample(5))
    assert_same(lambda x: np.pad(x, 1, mode), sample((0, 2)))
    assert_same(lambda x: np.pad(x, -1, mode), sample(3))
    assert_same(lambda x: np.pad(x, (1, 2, 3), mode), sample(3))


def test_pad_options():
    x = sample((2, 3))
    assert_same(lambda x: np.pad(x, 1, constant_values=5), x)
    assert_same(lambda x: np.pad(x, 1, constant_values=(1, 2)), x)
    assert_same(lambda x: np.pad(x, ((1, 2), (3, 0)), constant_values=((1, 2), (3, 4))), x)
    assert_same(lambda x: np.pad(x, 1, constant_values=2.7), sample((2, 3), int))
    assert_same(lambda x: np.pad(x, 1, constant_values=x[0, 0]), x)
    assert_same(lambda x: np.pad(x, 1, "edge", constant_values=1), x)
    assert_refused(lambda x: np.pad(x, 1, "mean"), x)


@pytest.mark.parametrize("k", [0, 1, -1, 3, -5])
def test_diagonals(k):
    for shape in ((3, 4), (4, 2), (3, 3), (0, 2)):
        assert_same(
            lambda x: (np.diag(x, k), np.diagonal(x, k), x.diagonal(k), np.tril(x, k), np.triu(x, k)), sample(shape)
        )
    assert_same(lambda x: (np.diag(x, k), np.diagflat(x, k), np.tril(x, k)), sample(3, np.float32))
    assert_same(lambda x: (np.diagonal(x, k, 0, 2), np.tril(x, k)), sample((2, 3, 4), int))
    assert_same(lambda x: call(np.tril_indices, x.shape[0], k), sample(3))
    assert_same(lambda x: (np.triu_indices_from(x, k), call(np.triu_indices, 3, k, 4)), sample((3, 4)))


def test_writing_diagonals():
    assert_same(lambda x: np.fill_diagonal(x, 5), sample((3, 4)))
    assert_same(lambda x: np.fill_diagonal(x, 2.5), sample((4, 2), int))
    assert_same(lambda x, v: np.fill_diagonal(x, v), sample((3, 3)), sample(3))
    assert_same(lambda x, v: np.fill_diagonal(x, v), sample((3, 3)), sample(2))
    assert_same(lambda x: np.fill_diagonal(x, 1), sample((2, 2, 2)))
    assert_same(lambda x: np.fill_diagonal(x, 1), sample(3))

    def write(x):
        x.diagonal()[0] = 1

    assert_same(write, sample((3, 3)))
    assert_same(lambda x: (np.diag_indices_from(x), call(np.diag_indices, x.shape[0])), sample((3, 3)))


def test_vander():
    for dtype in (np.float64, np.int32, np.float32):
        assert_same(lambda x: (np.vander(x), np.vander(x, 2), np.vander(x, 4, increasing=True)), sample(3, dtype))
