"""Order statistics, histograms, differences and integrals give what NumPy gives."""

import numpy as np
import pytest

from tests.capture.support import assert_refused, assert_same, sample


def gappy(shape, dtype=np.float64):
    x = sample(shape, dtype)
    x.flat[::4] = np.nan
    return x


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int8, bool])
def test_median(dtype):
    for shape in ((5,), (4,), (3, 4), (2, 3, 3)):
        x = sample(shape, dtype)
        assert_same(np.median, x)
        assert_same(lambda x: (np.median(x, axis=0), np.median(x, axis=-1, keepdims=True)), x)
        assert_same(lambda x: (np.nanmedian(x), np.nanmedian(x, axis=0)), x)
    assert_same(lambda x: np.median(x, axis=(0, 2)), sample((2, 3, 3), dtype))


def test_median_of_gaps():
    x = gappy((5, 3))
    for function in (np.median, np.nanmedian):
        assert_same(lambda x: (function(x), function(x, axis=1), function(x, axis=0, keepdims=True)), x)
    assert_same(np.nanmedian, np.full(3, np.nan))
    assert_same(np.median, sample(0))
    assert_same(lambda x, y: np.median(x, axis=0, out=y), x, np.zeros(3))


METHODS = "linear lower higher nearest midpoint hazen weibull median_unbiased normal_unbiased inverted_cdf interpolated_inverted_cdf"  # noqa: E501


@pytest.mark.parametrize("method", METHODS.split())
def test_quantile(method):
    for dtype in (np.float64, np.float32, np.int16):
        for q in (0.3, 0.5, 0.0, 1.0, [0.1, 0.7], np.float64(0.25)):
            assert_same(lambda x: np.quantile(x, q, method=method), sample(7, dtype))
            assert_same(lambda x: np.quantile(x, q, axis=0, method=method), sample((4, 3), dtype))
        assert_same(lambda x: np.percentile(x, 40, axis=(0, 1), keepdims=True, method=method), sample((4, 3), dtype))
        assert_same(lambda x: np.percentile(x, [10, 90], axis=1, keepdims=True, method=method), sample((4, 3), dtype))
    assert_same(lambda x: np.quantile(x, 0.5, axis=1, method=method), gappy((5, 3)))
    assert_same(lambda x, q: np.quantile(x, q, method=method), sample(6), np.array([0.2, 0.9]))


def test_quantile_failures():
    assert_same(lambda x: np.quantile(x, 1.5), sample(4))
    assert_same(lambda x: np.percentile(x, [50, -1]), sample(4))
    assert_same(lambda x: np.quantile(x, 0.5), sample(4, complex))
    assert_same(lambda x: np.quantile(x, 0.5), sample(4, bool))
    assert_refused(lambda x: np.quantile(x, 0.5, method="inverted_cdf", weights=[1, 1, 1]), sample(3))


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int32, np.uint8])
def test_histogram(dtype):
    x = sample(40, dtype)
    for options in ({}, {"bins": 4}, {"bins": 5, "range": (0, 3)}, {"bins": 3, "range": (-1.5, 2)}, {"density": True}):
        assert_same(lambda x: np.histogram(x, **options), x)
        assert_same(lambda x, w: np.histogram(x, weights=w, **options), x, np.abs(sample(40)) + 0.5)
    assert_same(lambda x, w: np.histogram(x, weights=w), x, sample(40, np.int16))
    assert_same(lambda x: np.histogram(x, bins=[-2, 0, 1, 5]), x)
    assert_same(lambda x: np.histogram(x, bins=[-2, 0, 1, 5], density=True), x)
    assert_same(lambda x, e, w: np.histogram(x, bins=e, weights=w), x, np.array([-1.0, 0, 0.5]), sample(40, np.float32))


def test_histogram_edges():
    assert_same(lambda x: np.histogram(x, bins=3), np.full(5, 2.5))
    assert_same(lambda x: np.histogram(x, bins=10, range=(0, 1)), np.linspace(0, 1, 101))
    assert_same(lambda x: np.histogram(x, bins=7), np.linspace(0, 1, 50).reshape(10, 5))
    assert_same(lambda x: np.histogram(x, range=(0, 1)), np.array([np.nan, 0.5, np.inf]))
    assert_same(lambda x: np.histogram(x), np.array([np.nan, 0.5]))
    assert_same(lambda x: np.histogram(x), sample(0))
    assert_same(lambda x: np.histogram(x, range=(1, 0)), sample(4))
    assert_same(lambda x: np.histogram(x, bins=[1, 0]), sample(4))
    assert_same(lambda x: np.histogram_bin_edges(x, 4), sample(9))
    assert_refused(lambda x: np.histogram(x, "auto"), sample(9))


def test_bincount():
    x = np.array([0, 3, 1, 3])
    assert_same(lambda x: np.bincount(x, minlength=6), x)
    assert_same(lambda x, w: np.bincount(x, w, minlength=4), x, sample(4, np.float32))
    assert_same(lambda x: np.bincount(x, minlength=3), x, unusual=True)
    assert_same(lambda x: np.bincount(x, minlength=3), x - 2)
    assert_same(lambda x: np.bincount(x, minlength=9), sample(3))
    assert_same(lambda x: np.bincount(x), x[:0])
    assert_refused(np.bincount, x)


@pytest.mark.parametrize("right", [False, True])
def test_digitize(right):
    assert_same(lambda x: np.digitize(x, [-1.0, 0.0, 2.0], right), sample((3, 4)))
    assert_same(lambda x, b: np.digitize(x, b, right=right), sample(5, int), np.array([0, 1, 1, 3]))
    assert_same(lambda x, b: np.digitize(x, b, right=right), sample(5, int), np.array([3, 1, 0]), unusual=True)


@pytest.mark.parametrize("dtype", [np.float64, np.int8, np.uint8, bool, np.complex64])
def test_diff(dtype):
    x = sample((3, 4), dtype)
    assert_same(lambda x: (np.diff(x), np.diff(x, axis=0), np.diff(x, 2), np.diff(x, 5), np.diff(x, 0)), x)
    assert_same(lambda x: (np.diff(x, prepend=0, append=1), np.diff(x, axis=0, append=x)), x)
    if dtype is not bool:
        assert_same(np.ediff1d, x)
        assert_same(lambda x: np.ediff1d(x, to_begin=0, to_end=x[0]), x)
    assert_same(np.diff, sample((), dtype))


@pytest.mark.parametrize("order", [1, 2])
def test_gradient(order):
    for dtype in (np.float64, np.float32, np.int16, np.complex128):
        x = sample((4, 5), dtype)
        assert_same(lambda x: np.gradient(x, edge_order=order), x)
        assert_same(lambda x: np.gradient(x, 0.5, axis=1, edge_order=order), x)
        assert_same(lambda x: np.gradient(x, 2.0, 3, edge_order=order), x)
        assert_same(lambda x, c: np.gradient(x, c, axis=0, edge_order=order), x, np.array([0.0, 1, 4, 5]))
        assert_same(lambda x, c: np.gradient(x, c, axis=0, edge_order=order), x, np.arange(4))
    assert_same(lambda x: np.gradient(x, edge_order=order), sample(3))
    assert_same(lambda x: np.gradient(x, edge_order=order), sample(1))
    assert_same(lambda x: np.gradient(x, [1, 2], edge_order=order), sample(3))


def test_trapezoid():
    y, x = sample((3, 4)), np.sort(sample(4))
    assert_same(lambda y, x: (np.trapezoid(y), np.trapezoid(y, x), np.trapezoid(y, dx=0.5, axis=0)), y, x)
    assert_same(lambda y: np.trapezoid(y, y * 2, axis=0), y)
    assert_same(lambda y: np.trapezoid(y), sample(5, np.float32))
    assert_same(lambda y, x: np.trapezoid(y, x, axis=0), y, x)


def test_unwrap():
    for dtype in (np.float64, np.float32):
        assert_same(lambda p: (np.unwrap(p), np.unwrap(p, axis=0), np.unwrap(p, period=4)), sample((4, 5), dtype) * 3)
    assert_same(lambda p: (np.unwrap(p, period=4), np.unwrap(p, period=5), np.unwrap(p, 4)), sample(9, int) * 2)
