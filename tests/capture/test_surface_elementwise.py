"""Rounding, parts, tests, convolution, interpolation and covariance give what NumPy gives."""

import numpy as np
import pytest

from tests.capture.support import assert_refused, assert_same, call, sample

SPECIAL = np.array([0.0, -0.0, 1.5, -2.5, np.nan, np.inf, -np.inf, 1e300, 5e-324])


@pytest.mark.parametrize("decimals", [0, 1, 2, -1, -2])
def test_round(decimals):
    for dtype in (np.float64, np.float32, np.int32):
        x = (sample((3, 4)) * 41.37).astype(dtype)
        assert_same(lambda x: (np.round(x, decimals), x.round(decimals), np.around(x, decimals)), x)
        assert_same(lambda x: np.round(x[0, 0], decimals), x)
    assert_same(lambda x: np.round(x, decimals), SPECIAL)
    assert_same(lambda x, y: np.round(x, decimals, out=y), sample(3), np.zeros(3))


def test_parts():
    for dtype in (np.complex128, np.complex64, np.float32, int):
        x = sample((3, 4), dtype)
        assert_same(lambda x: (np.real(x), np.imag(x), x.real, x.imag, np.conj(x), x.conj(), np.angle(x)), x)
        assert_same(lambda x: (x[0, 0].real, x[0, 0].imag, np.angle(x, deg=True), np.isreal(x), np.iscomplex(x)), x)
        assert_same(
            lambda x: (np.iscomplexobj(x), np.isrealobj(x), call(np.isscalar, x), call(np.isscalar, x[0, 0])), x
        )
    assert_refused(np.real_if_close, sample(3, complex))

    def write(x):
        x.real[0] = 5

    assert_same(write, sample(3))


def test_special_values():
    for dtype in (np.float64, np.float32):
        x = SPECIAL.astype(dtype)
        assert_same(lambda x: (np.nan_to_num(x), np.nan_to_num(x, nan=1.0, posinf=2.0, neginf=-3)), x)
        assert_same(lambda x: (np.isposinf(x), np.isneginf(x), np.fix(x), np.sinc(x[:4]), np.i0(x[:4])), x)
        assert_same(lambda x: np.nan_to_num(x, copy=False), x)
        assert_same(lambda x: np.nan_to_num(x[4]), x)
    assert_same(lambda x: (np.nan_to_num(x), np.isposinf(x), np.fix(x), np.sinc(x), np.i0(x)), sample(4, int))


@pytest.mark.parametrize("equal_nan", [False, True])
def test_closeness(equal_nan):
    x = SPECIAL
    y = x * (1 + 1e-6)
    assert_same(lambda x, y: np.isclose(x, y, equal_nan=equal_nan), x, y)
    assert_same(lambda x, y: np.allclose(x, y, equal_nan=equal_nan), x, y)
    assert_same(lambda x: (np.isclose(x, 1.5), np.isclose(1, x, rtol=0.5), np.allclose(x[:2], 0)), x)
    assert_same(lambda x, y: np.array_equal(x, y, equal_nan), x, x.copy())
    assert_same(lambda x, y: np.array_equal(x, y, equal_nan), sample(3), sample(4))
    assert_same(lambda x, y: (np.array_equal(x, y), np.array_equiv(x, y)), sample(3), sample((2, 3)))
    assert_same(lambda x: np.allclose(x, x + 1e-9), sample((2, 3), np.float32))
    assert_same(lambda x, y: np.isclose(x, y), sample(5, int), sample(5, np.int8))


@pytest.mark.parametrize("function", [np.convolve, np.correlate])
@pytest.mark.parametrize("mode", ["full", "same", "valid"])
def test_convolve(function, mode):
    for m, n in ((5, 3), (3, 5), (4, 4), (6, 2), (2, 7), (1, 1), (4, 1)):
        for dtype in (np.float64, np.int8, np.complex128, bool):
            assert_same(lambda a, v: function(a, v, mode), sample(m, dtype), sample(n, dtype, seed=1))
    assert_same(lambda a, v: function(a, v, mode), sample(4, np.float32), sample(3, np.int16))
    assert_same(lambda a: function(a, [1, 2.0], mode), sample(4, np.float32))
    assert_same(lambda a, v: function(a, v, mode), sample(4), sample(0))
    assert_same(lambda a, v: function(a, v, mode), sample((2, 2)), sample(2))


def test_interp():
    xp, fp = np.array([0.0, 1, 2.5, 4]), np.array([1.0, -1, np.inf, 2])
    x = np.array([-1.0, 0, 0.5, 1, 2, 2.5, 3, 4, 5, np.nan, np.inf])
    assert_same(np.interp, x, xp, fp)
    assert_same(lambda x, xp, fp: np.interp(x, xp, fp, left=-9, right=np.nan), x, xp, fp)
    assert_same(lambda x, xp, fp: (np.interp(1.7, xp, fp), np.interp(x[2], xp, fp)), x, xp, fp)
    assert_same(lambda x, xp, fp: np.interp(x, xp, fp, period=3), x[:-2], xp, sample(4))
    assert_same(np.interp, sample((2, 3), int), np.array([0, 1, 1, 4]), sample(4, np.float32))
    assert_same(np.interp, x, np.array([1.0]), np.array([2.0]))
    assert_same(np.interp, x, xp[::-1].copy(), fp, unusual=True)
    assert_same(np.interp, x, xp, fp[:3])
    assert_same(np.interp, x, xp[:0], fp[:0])


@pytest.mark.parametrize("function", [np.hanning, np.hamming, np.bartlett, np.blackman])
def test_windows(function):
    for n in (0, 1, 2, 5):
        assert_same(lambda x: x * call(function, x.shape[0]), sample(n))


def test_covariance():
    for dtype in (np.float64, np.float32, int, complex):
        x = sample((3, 6), dtype)
        assert_same(lambda x: (np.cov(x), np.cov(x, rowvar=False), np.cov(x[0]), np.cov(x, bias=True)), x)
        assert_same(lambda x: (np.cov(x, ddof=2), np.cov(x[0], x[1]), np.cov(x, x[:2])), x)
        if dtype is not complex:
            assert_same(lambda x: (np.corrcoef(x), np.corrcoef(x[0], x[1]), np.corrcoef(x, rowvar=False)), x)
    assert_same(lambda x: np.corrcoef(x), sample(5))
    f, a = np.array([1, 2, 1, 3]), np.array([0.5, 1, 2, 1])
    assert_same(lambda x, f: np.cov(x, fweights=f), sample((2, 4)), f)
    assert_same(lambda x, a: np.cov(x, aweights=a), sample((2, 4)), a)
    assert_same(lambda x, f, a: np.cov(x, fweights=f, aweights=a, ddof=0), sample((2, 4)), f, a)
    assert_same(lambda x, f, a: np.cov(x, fweights=f, aweights=a), sample((2, 4)), f, a)
    assert_same(lambda x: np.cov(x), sample((2, 1)))


def test_kaiser_and_frequencies():
    for n in (1, 2, 5, 8):
        assert_same(lambda x: x * call(np.kaiser, x.shape[0], 14.0), sample(n))
        assert_same(lambda x: (call(np.fft.fftfreq, x.shape[0], 0.1), call(np.fft.rfftfreq, x.shape[0])), sample(n))
    for shape in ((5,), (4, 3)):
        assert_same(lambda x: (np.fft.fftshift(x), np.fft.ifftshift(x), np.fft.fftshift(x, axes=-1)), sample(shape))


def test_polynomials():
    p, q = sample(4), sample(2, np.float32)
    assert_same(lambda p, q: (np.polyadd(p, q), np.polysub(q, p), np.polyadd(p, 1)), p, q)
    assert_same(lambda p: (np.polyder(p), np.polyder(p, 2), np.polyint(p), np.polyint(p, 2, [1, 2])), p)
    assert_same(lambda p: (np.polyder(p, 7), np.polyder(p, -1)), p)
    x, y, w = np.linspace(0, 2, 7), sample(7), np.abs(sample(7)) + 0.5
    assert_same(lambda x, y: np.polyfit(x, y, 2), x, y, tolerance=1e2)
    assert_same(lambda x, y, w: np.polyfit(x, y, 1, w=w), x, y, w, tolerance=1e2)
    assert_same(lambda x, y: np.polyfit(x, y, 1), x, sample((7, 2)), tolerance=1e2)


def test_polyval():
    assert_same(lambda p, x: np.polyval(p, x), sample(4), sample((2, 3)))
    assert_same(lambda x: np.polyval([1, 2, 3], x), sample(4, np.float32))
    assert_same(lambda x: np.polyval([1, 2, 3], x), sample(4, int))
