"""Reductions give NumPy's values, dtypes, shapes and failures."""

import numpy as np
import pytest

from tests.capture.support import assert_same, call, sample

DTYPES = [np.float64, np.float32, np.complex128, np.int32, np.uint8, np.int64, bool]
SHAPES = [(3, 4), (5,), (), (0,), (0, 3), (1, 3, 2)]
REDUCTIONS = [np.sum, np.prod, np.max, np.min, np.mean, np.var, np.std, np.any, np.all, np.argmax, np.count_nonzero]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("function", [*REDUCTIONS, np.argmin, np.ptp])
def test_over_everything(function, dtype):
    for shape in SHAPES:
        assert_same(function, sample(shape, dtype))


@pytest.mark.parametrize("axis", [0, -1, 1, (0, 1), (-1, 0), 5, (0, 0), ()])
@pytest.mark.parametrize("function", [*REDUCTIONS, np.argmin, np.ptp])
def test_over_axes(function, axis):
    for shape in [(3, 4), (2, 0), (0, 2)]:
        assert_same(lambda x: function(x, axis=axis), sample(shape))
        assert_same(lambda x: function(x, axis=axis, keepdims=True), sample(shape, np.float32))


@pytest.mark.parametrize("name", "sum prod max min mean var std any all argmax argmin".split())
def test_methods(name):
    assert_same(lambda x: getattr(x, name)(), sample((3, 4)))
    assert_same(lambda x: getattr(x, name)(0), sample((3, 4), np.int16))
    assert_same(lambda x: getattr(x, name)(axis=1, keepdims=True), sample((3, 4)).T)


@pytest.mark.parametrize("dtype", [np.float32, np.int8, np.complex64, np.float64])
@pytest.mark.parametrize("name", ["sum", "prod", "mean"])
def test_dtype(name, dtype):
    for kind in (np.float64, np.int32, bool):
        assert_same(lambda x: getattr(np, name)(x, dtype=dtype), sample((3, 4), kind))


@pytest.mark.parametrize("function", [np.sum, np.prod, np.max, np.min])
def test_initial_and_where(function):
    for shape in [(3, 4), (0, 4)]:
        x, mask = sample(shape), sample(shape, bool)
        assert_same(lambda x: function(x, initial=2.5), x)
        assert_same(lambda x: function(x, axis=0, initial=-3), x.astype(int))
        assert_same(lambda x, m: function(x, axis=0, initial=1, where=m), x, mask)
        assert_same(lambda x, m: function(x, where=m), x, mask)
        assert_same(lambda x, m: function(x, 1, where=m[0], initial=0, keepdims=True), x, mask[:1])


@pytest.mark.parametrize("function", [np.mean, np.var, np.std, np.any, np.all])
def test_where(function):
    assert_same(lambda x, m: function(x, axis=0, where=m), sample((5, 4)), sample((5, 4), bool))
    assert_same(lambda x, m: function(x, where=m), sample((5, 4), np.float32), sample((4,), bool))


@pytest.mark.parametrize("function", [np.var, np.std])
def test_degrees_of_freedom(function):
    for dtype in (np.float64, np.complex64, int):
        x = sample((4, 3), dtype)
        assert_same(lambda x: function(x, ddof=1), x)
        assert_same(lambda x: function(x, axis=1, correction=1), x)
        assert_same(lambda x: function(x, axis=1, ddof=3), x)
        assert_same(lambda x: function(x, ddof=1.5), x)
        assert_same(lambda x: function(x, axis=0, mean=np.mean(x, axis=0, keepdims=True)), x)


@pytest.mark.parametrize("function", [np.sum, np.max, np.mean, np.argmax, np.any, np.std])
def test_out(function):
    def write(x, out):
        again = function(x, axis=0, out=out)
        out += 1
        return again

    dtype = {np.argmax: np.int64, np.any: np.int64}.get(function, np.float64)
    assert_same(write, sample((3, 4)), np.zeros(4, dtype))


def test_nan_and_infinity_pass_through():
    x = np.array([[1.0, np.nan, 3.0], [np.inf, 2.0, -np.inf]])
    assert_same(lambda x: [function(x, axis=1) for function in [*REDUCTIONS, np.ptp]], x)


def test_average():
    x, w = sample((3, 4)), np.abs(sample((3, 4), seed=1)) + 1
    assert_same(np.average, x)
    assert_same(lambda x, w: np.average(x, weights=w), x, w)
    assert_same(lambda x, w: np.average(x, 0, w, returned=True), x.astype(int), w[:, 0].astype(np.float32))
    assert_same(lambda x, w: np.average(x, axis=1, weights=w[0], keepdims=True), x, w)
    assert_same(lambda x, w: np.average(x, axis=(1, 0), weights=w), x, w.T.copy())
    assert_same(lambda x, w: np.average(x, weights=w[0]), x, w)
    assert_same(lambda x, w: np.average(x, axis=0, weights=w), x, np.zeros(3))
    assert_same(lambda x: np.average(x, 1, returned=True), x.astype(np.float32))


def test_shapes_fold_to_sizes():
    assert_same(lambda x: x + call(np.prod, x.shape) / call(np.max, x.shape), sample((3, 4)))
    assert_same(lambda x: x.reshape(call(np.prod, x.shape)), sample((3, 4)))
    assert_same(lambda x: x.reshape(call(np.sum, [x.shape[0], x.shape[1]]), -1), sample((2, 2)))
