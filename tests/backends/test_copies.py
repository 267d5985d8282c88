"""Copies in C order of arrays in any order of memory, with and without blocks of whole lines."""

import numpy as np
import pytest
from numba import njit

from egc.backends.numba.copies import as_contiguous, copied

copy = njit(lambda x: copied(x))
ordered = njit(lambda x: as_contiguous(x))


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex64, np.complex128])
def test_copies_have_the_elements_and_c_order(dtype):
    for shape in ((0, 0), (1, 5), (7, 7), (16, 16), (33, 70), (130, 67), (0, 4), (5, 0)):
        plain = np.arange(np.prod(shape), dtype=dtype).reshape(shape) * dtype(1.5)
        gaps = np.zeros((2 * shape[0] + 3, 3 * shape[1] + 2), dtype)[1 : 1 + 2 * shape[0] : 2, 1 : 1 + 3 * shape[1] : 3]
        gaps[...] = plain
        for x in (plain, plain.T, gaps, gaps.T, plain[::-1], plain.T[:, ::-1], plain[:, :3], plain.T[:3]):
            found = copy(x)
            assert found.flags.c_contiguous and not np.shares_memory(found, x)
            np.testing.assert_array_equal(found, x)
        for vector in (plain.ravel(), plain.ravel()[::2], plain.ravel()[::-1]):
            np.testing.assert_array_equal(copy(vector), vector)


@pytest.mark.parametrize("dtype", [bool, np.int8, np.int32, np.float64])
def test_arrays_in_c_order_are_not_copied_whatever_their_type_says(dtype):
    x = (np.arange(60) % 7).astype(dtype).reshape(5, 3, 4)
    for part in (x, x[1:4], x[2:3, 1:, :], x[:, :, :], x.reshape(20, 3)[2:9]):
        found = ordered(part)
        assert np.shares_memory(found, part)
        np.testing.assert_array_equal(found, part)
    for part in (x[::2], x[:, 1:], x.transpose(2, 0, 1), x[::-1, :, ::3], x[0].T, x[:, 0, 1], x[..., ::-1]):
        found = ordered(part)
        assert found.flags.c_contiguous and not np.shares_memory(found, part)
        np.testing.assert_array_equal(found, part)
