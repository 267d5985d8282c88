"""New arrays have NumPy's values, dtypes and shapes, and own their memory."""

import numpy as np
import pytest

from egc.capture.registry import lookup
from tests.capture.support import assert_refused, assert_same, call, is_capturing, sample


@pytest.mark.parametrize("function", [np.zeros, np.ones, np.empty])
def test_filled(function):
    def compute(x):
        n = x.shape[0]
        made = [call(function, *a) for a in ((n,), ((n, 2), int), ((), np.float32), ((n - 1, n), bool))]
        return made if function is not np.empty else [m.shape for m in made]

    assert_same(compute, sample(3))
    assert_same(lambda x: call(function, x.shape[0] - 4), sample(3))


def test_full():
    assert_same(lambda x: (call(np.full, x.shape, 3), call(np.full, 4, x), call(np.full, (2, 4), x, int)), sample(4))
    assert_same(lambda x: call(np.full, (2, 2), x[0]), sample(4, np.float32))


@pytest.mark.parametrize("function", [np.zeros_like, np.ones_like, lambda x, **o: np.full_like(x, 2.7, **o)])
def test_like(function):
    for dtype in (np.float32, np.int16, bool, np.complex64):
        assert_same(lambda x: (function(x), function(x, dtype=int), function(x, shape=(2, 3))), sample((3, 4), dtype))
    assert_same(lambda x: np.empty_like(x).shape, sample((3, 4)))


def test_array_of_traced_values():
    x = sample(4)
    assert_same(lambda x: call(np.array, [x[0], 1, x[1]]), x)
    assert_same(lambda x: call(np.array, [[x[0], 1], [2.5, x[1]]]), x.astype(np.float32))
    assert_same(lambda x: call(np.array, [x, x * 2]), x)
    assert_same(lambda x: call(np.array, (x[0], True)), sample(4, np.int8))
    assert_same(lambda x: call(np.array, [[x, x], [x, x]], dtype=np.float32), x)
    assert_same(lambda x: call(np.array, [x[:2], x]), x)
    assert_same(lambda x: call(np.array, [x.shape[0], 2]), x)
    assert_same(lambda x: call(np.array, x, ndmin=3), x)
    assert_same(lambda x: call(np.asarray, [1, 2]) + x[:2], x)


def test_copies_own_their_memory():
    def copied(x):
        y, z, w = np.copy(x), x.copy(), call(np.array, x)
        y += 1
        z[0] = 9
        w *= 2
        return y, z, w, x

    def shared(x):
        y = call(np.asarray, x)
        y[0] = 1
        call(np.asarray, x, dtype=np.float32)[0] = 5
        return y

    assert_same(copied, sample((3, 2)))
    assert_same(shared, sample((3, 2)))
    assert_same(lambda x: call(np.ascontiguousarray, x.T), sample((3, 2)))


def test_arange():
    x = sample(5)

    def check(*arguments, **options):
        assert_same(lambda x: call(np.arange, *arguments, **options), x)

    for arguments in [(3,), (2, 9), (2, 9, 2), (9, 2, -2), (5, 2), (0.5, 3), (0, 1, 0.1), (1, 2, 0.3), (3, 0, -0.7)]:
        check(*arguments)
        check(*arguments, dtype=np.float32)
    check(3, dtype=np.int8)
    check(np.float32(3))
    check(0, 1, 0)
    assert_same(lambda x: call(np.arange, x.shape[0]), x)
    assert_same(lambda x: call(np.arange, 1, x.shape[0], 2), x)
    assert_same(lambda x: call(np.arange, x.shape[0], 0, -1), x)
    assert_same(lambda x: call(np.arange, x.shape[0], 1), x)
    assert_same(lambda x: call(np.arange, 0.0, x.shape[0], 0.5), x)
    assert_same(lambda x: call(np.arange, 1, x.shape[0] + 1, dtype=float), x)
    assert_refused(lambda x: np.arange(x), np.int64(4))


@pytest.mark.parametrize("endpoint", [True, False])
def test_linspace(endpoint):
    x = np.array([2.0, 3.5])
    for num in (0, 1, 2, 5):
        assert_same(lambda x: call(np.linspace, 0, 1, num, endpoint), x)
        assert_same(lambda x: np.linspace(x[0], 7, num, endpoint, retstep=True), x)
        assert_same(lambda x: np.linspace(x, 7, num, endpoint, axis=-1), x)
    assert_same(lambda x: call(np.linspace, -1.5, 3, x.shape[0] + 3, endpoint), x)
    assert_same(lambda x: np.linspace(x[0], x[0], 4, endpoint), x)
    assert_same(lambda x: np.linspace(x[0], 9, 4, endpoint, dtype=int), x)
    assert_same(lambda x: np.linspace(x[0], 9, 4, endpoint), x.astype(np.float32))
    assert_same(lambda x: np.linspace(x, x[::-1], 4, endpoint), x.astype(np.complex64))


def test_logarithmic_spacing():
    x = np.array([2.0, 3.5])
    assert_same(lambda x: np.logspace(0, x[0], 4), x)
    assert_same(lambda x: call(np.logspace, 0, 2, x.shape[0], base=2), x)
    assert_same(lambda x: np.geomspace(x[0], 1000, 4), x)
    assert_same(lambda x: np.geomspace(-x[0], -1000, 4, endpoint=False), x)
    assert_same(lambda x: call(np.geomspace, 1, 256, x.shape[0]), x)
    assert_same(lambda x: np.geomspace(x[0] * 0, 10), x)


def test_identities_and_triangles():
    x = sample((3, 4))
    assert_same(lambda x: (call(np.eye, x.shape[0]), call(np.identity, x.shape[1], dtype=int)), x)
    assert_same(lambda x: (call(np.eye, *x.shape), call(np.eye, x.shape[0], k=1), call(np.eye, 3, 2, -1, bool)), x)
    assert_same(lambda x: (call(np.tri, x.shape[0]), call(np.tri, *x.shape, k=-1, dtype=int)), x)


def test_grids():
    x, y = sample(3), sample(2, np.float32)
    for options in ({}, {"indexing": "ij"}, {"sparse": True}):
        assert_same(lambda x, y: np.meshgrid(x, y, **options), x, y)
        assert_same(lambda x, y: np.meshgrid(x, y, x, **options), x, y)
        assert_same(lambda x: np.meshgrid(x, **options), x)
    assert_same(lambda x: (call(np.indices, x.shape), call(np.indices, x.shape, sparse=True)), sample((3, 2)))


def test_index_tricks():
    def at(name, key):
        found = lookup(getattr(np, name)) if is_capturing() else None
        return getattr(np, name)[key] if found is None else found(key)

    x = sample(3)
    keys = [np.s_[0:4], np.s_[0:4, 1:7:2], np.s_[0:1:5j], np.s_[0:1:5j, 0:3], np.s_[0.5:3, 0:2]]
    for key in keys:
        assert_same(lambda x: at("mgrid", key), x)
        assert_same(lambda x: at("ogrid", key), x)
    assert_same(lambda x: at("mgrid", np.s_[0 : x.shape[0], 0:2]), x)
    assert_same(lambda x: at("r_", np.s_[x, 0, 1:3, x[0]]), x)
    assert_same(lambda x: at("r_", np.s_[0 : x.shape[0]]), x)
    assert_same(lambda x: at("c_", np.s_[x, x * 2]), x)
