"""Running sums and the nan family give NumPy's values, dtypes, shapes and failures."""

import numpy as np
import pytest

from tests.capture.support import assert_same, sample

DTYPES = [np.float64, np.float32, np.complex128, np.int32, np.uint8, bool]


def gappy(shape, dtype=np.float64):
    x = sample(shape, dtype)
    x.flat[::3] = np.nan
    return x


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("function", [np.cumsum, np.cumprod, np.nancumsum, np.nancumprod])
def test_scans(function, dtype):
    for shape in [(3, 4), (5,), (), (0, 3)]:
        assert_same(function, sample(shape, dtype))
        assert_same(lambda x: function(x, axis=-1), sample(shape, dtype))
    assert_same(lambda x: function(x, axis=0, dtype=np.float32), sample((3, 4), np.int8))
    assert_same(lambda x: function(x, axis=0, dtype=bool), sample((3, 4), bool))
    assert_same(lambda x: function(x, axis=2), sample((3, 4)))
    assert_same(lambda x, y: function(x, axis=0, out=y), sample((3, 4)), np.zeros((3, 4)))


def test_scan_methods():
    assert_same(lambda x: (x.cumsum(), x.cumprod(axis=1)), sample((3, 4)))


def test_nan_scans():
    assert_same(lambda x: (np.nancumsum(x, axis=1), np.nancumprod(x)), gappy((3, 4)))


@pytest.mark.skipif(not hasattr(np, "cumulative_sum"), reason="older NumPy")
def test_cumulative():
    assert_same(lambda x: np.cumulative_sum(x), sample(4))
    assert_same(lambda x: np.cumulative_sum(x), sample((4, 2)))
    assert_same(lambda x: np.cumulative_prod(x, axis=1, include_initial=True), sample((4, 2), np.int16))


NAN_FAMILY = [np.nansum, np.nanprod, np.nanmax, np.nanmin, np.nanmean, np.nanvar, np.nanstd]


@pytest.mark.parametrize("function", [*NAN_FAMILY, np.nanargmax, np.nanargmin])
def test_nan_family(function):
    for x in (gappy((3, 4)), gappy(5, np.float32), sample((3, 4), int), gappy(()), sample((2, 0)), gappy((1, 2))):
        assert_same(function, x)
        assert_same(lambda x: function(x, axis=0), x)
        assert_same(lambda x: function(x, axis=-1, keepdims=True), x)


@pytest.mark.parametrize("function", NAN_FAMILY)
def test_nan_family_options(function):
    x, mask = gappy((3, 4)), sample((3, 4), bool)
    assert_same(lambda x: function(x, axis=(0, 1)), x)
    assert_same(lambda x: function(x, axis=1), np.full((2, 3), np.nan))
    assert_same(lambda x, y: function(x, axis=0, out=y), x, np.zeros(4))
    if function in (np.nansum, np.nanprod, np.nanmax, np.nanmin):
        assert_same(lambda x, m: function(x, axis=0, where=m, initial=1.5), x, mask)
        assert_same(lambda x: function(x, axis=0, initial=np.nan), x)
    else:
        assert_same(lambda x, m: function(x, axis=0, where=m), x, mask)
    if function in (np.nanvar, np.nanstd):
        assert_same(lambda x: function(x, axis=0, ddof=1), x)
        assert_same(lambda x: function(x, axis=0, correction=3), x)
        assert_same(lambda x: function(x), gappy((3, 4), np.complex128))
