"""Convolutions on numba: any lengths, on both sides of those at which the way changes."""

import numpy as np
import pytest

import egc
from egc.backends.numba.convolution import BLOCK

optimized = egc.optimize(np.convolve, backend="numba")


@pytest.mark.parametrize("taps", [1, 2, 3, 4, 5, 8, 9, 13, 17, 40, BLOCK + 3])
@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.complex128])
def test_every_element_is_the_sum_of_its_products(taps, dtype):
    rng = np.random.default_rng(taps)
    tolerance = 1e-4 if dtype == np.float32 else 1e-12
    for length in (1, 2, 7, 8, 9, 16, 41, BLOCK - taps, BLOCK - taps + 1, BLOCK, BLOCK + 1, 3 * BLOCK + 5):
        if length > 0:
            x, w = rng.normal(size=length).astype(dtype), rng.normal(size=taps).astype(dtype)
            got, want = optimized(x, w), np.convolve(x, w)
            assert got.dtype == want.dtype
            np.testing.assert_allclose(got, want, rtol=tolerance, atol=tolerance * np.sqrt(taps))


def test_no_element_sees_what_lies_beyond_its_taps():
    for taps in (3, 9, 12):
        x = np.zeros(3 * BLOCK)
        x[BLOCK] = np.inf
        with np.errstate(invalid="ignore"):
            got = optimized(x, np.ones(taps))
        assert np.array_equal(np.flatnonzero(np.isinf(got)), np.arange(BLOCK, BLOCK + taps)) and not np.isnan(got).any()
