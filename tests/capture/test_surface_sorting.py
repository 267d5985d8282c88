"""Sorts and searches give what NumPy gives."""

import numpy as np
import pytest

from tests.capture.support import assert_same, sample


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int8, np.uint64, bool, np.complex128])
def test_sort(dtype):
    for shape in ((5,), (3, 4), (0,), ()):
        x = sample(shape, dtype)
        assert_same(np.sort, x)
        assert_same(lambda x: np.sort(x, axis=0, kind="stable"), x)
        assert_same(lambda x: np.sort(x, axis=None), x)
        assert_same(lambda x: np.argsort(x, axis=-1, kind="stable"), x)
        assert_same(lambda x: np.argsort(x, axis=None, stable=True), x)
        assert_same(lambda x: x.argsort(), x)


def test_sorting_in_place():
    def in_place(x):
        x.sort()
        x[:1].sort(axis=0)
        return x.sort(axis=0)

    assert_same(in_place, sample((3, 4)))
    assert_same(np.sort, np.array([np.nan, 1.0, np.inf, -np.inf, np.nan]))
    assert_same(lambda x: np.sort(x, kind="fast"), sample(3))
    assert_same(lambda x: np.sort(x, axis=2), sample(3))


def test_sort_complex():
    for dtype in (np.float64, np.int8, np.int64, np.complex64):
        assert_same(np.sort_complex, sample((2, 5), dtype))


def test_isin():
    for dtype in (np.float64, np.int8, bool):
        assert_same(lambda x, t: (np.isin(x, t), np.isin(x, t, invert=True)), sample((4, 5), dtype), sample(3, dtype))
    assert_same(lambda x, t: np.isin(x, t), np.array([np.nan, 1.0]), np.array([np.nan, 1]))
    assert_same(lambda x: np.isin(x, []), sample(3))


def test_lexsort():
    assert_same(lambda x, y: np.lexsort((x, y)), sample(8, np.int8), sample(8, bool))
    assert_same(lambda x, y: np.lexsort((x, y), axis=0), sample((5, 2), np.int8), sample((5, 2), bool))


@pytest.mark.parametrize("side", ["left", "right"])
def test_searchsorted(side):
    x = np.sort(sample(6))
    assert_same(lambda x, v: np.searchsorted(x, v, side=side), x, sample((2, 3)))
    assert_same(lambda x: (np.searchsorted(x, 0.5, side), x.searchsorted([1, 2], side)), x)
    assert_same(lambda x, v: np.searchsorted(x, v, side), np.sort(sample(6, int)), sample(4))
    assert_same(lambda x, v: np.searchsorted(x, v, side), x.astype(np.float32), sample(4, int))
    assert_same(lambda x, v: np.searchsorted(x, v, side, sorter=np.argsort(x)), x[::-1].copy(), sample(4))
    assert_same(lambda x, v: np.searchsorted(x, v, side), x[:0], sample(4))
    assert_same(lambda x, v: np.searchsorted(x, v, side), sample((2, 3)), sample(4))
