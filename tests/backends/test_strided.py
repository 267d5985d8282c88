"""Laws of arguments that are not in C order: read where they lie, whatever their steps, and equal to NumPy's answers."""

import itertools

import numpy as np
import pytest
from numba import njit

import egc
from egc.backends.numba.arrays import as_contiguous
from egc.layouts import copied, fits, layout_of


def every_layout(shape):
    """Arrays of a shape in every order of axes, with gaps, reversed, and with repeated elements."""
    rng = np.random.default_rng(0)
    for axes in itertools.permutations(range(len(shape))):
        for slices in itertools.product(
            (slice(None), slice(1, -1), slice(None, None, -1), slice(2, None, -2)), repeat=len(shape)
        ):
            sizes = [
                length + 2 if s == slice(1, -1) else (2 * length if s.step == -2 else length)
                for length, s in zip(shape, slices)
            ]
            large = rng.normal(size=[sizes[axis] for axis in axes]).transpose(np.argsort(axes))
            slices = [slice(None, None, -2) if s.step == -2 else s for s in slices]
            yield large[tuple(slices)]
    for repeated in itertools.product((False, True), repeat=len(shape)):
        yield np.broadcast_to(rng.normal(size=[1 if again else n for n, again in zip(shape, repeated)]), shape)


@pytest.mark.parametrize("shape", [(5,), (4, 3), (3, 4, 2)])
def test_loops_read_arguments_in_any_order_without_a_copy(shape):
    def function(x):
        return np.exp(-x * x / 2), np.sum(x, axis=-1), np.cumsum(x[::-1], axis=0) + np.max(x)

    optimized, layouts = egc.optimize(function), set()
    for x in every_layout(shape):
        for got, want in zip(optimized(x), function(x)):
            assert np.allclose(got, want, rtol=1e-13)
            assert not np.shares_memory(got, x)
        if layout_of(x) not in layouts:
            layouts.add(layout_of(x))
            assert "as_contiguous" not in optimized.plan(x).compiled.code
    assert optimized.statistics.as_written == 0
    assert len(layouts) == {1: 2, 2: 6, 3: 18}[len(shape)]


@pytest.mark.parametrize("shape", [(5,), (4, 3), (3, 1, 4), (1, 3), (0, 2)])
def test_a_copy_in_a_layout_fits_it(shape):
    for x in every_layout(shape):
        layout = layout_of(x)
        assert fits(x, layout)
        copy = copied(x, layout)
        assert fits(copy, layout) and np.array_equal(copy, x) and not np.shares_memory(copy, x)


def test_what_needs_elements_in_order_copies_them_once():
    def function(x, y):
        return x.reshape(-1)[2:] * 2, np.linalg.det(x @ y) + np.sum(np.linalg.inv(x)), x + y

    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(12, 12))[::2, ::2], rng.normal(size=(6, 6))
    optimized = egc.optimize(function)
    for _ in range(2):
        for got, want in zip(optimized(x, y), function(x, y)):
            assert np.allclose(got, want, rtol=1e-12)
    assert optimized.plan(x, y).compiled.code.count("as_contiguous(x_)") == 1


def test_elements_that_lie_askew_are_copied():
    raw = np.zeros(8 * 20 + 1, np.uint8)
    packed = np.zeros(10, [("a", "i1"), ("b", "f8")])
    optimized = egc.optimize(lambda x: np.sin(x) + 1)
    for x in (
        raw[1:].view(np.float64)[::2],
        raw[1:].view(np.float64),
        packed["b"],
        raw[: 8 * 20].view(np.float64)[::2],
    ):
        x[...] = np.arange(len(x))
        for _ in range(3):
            assert np.allclose(optimized(x), np.sin(x) + 1, rtol=1e-15)
    assert optimized.statistics.as_written == 0


def test_views_of_arguments_with_gaps_are_views_as_written():
    x = np.arange(24.0).reshape(4, 6)
    for function in (
        lambda x: x,
        lambda x: x[1:],
        lambda x: x.T,
        lambda x: x + 0,
        lambda x: np.copy(x),
        lambda x: x[:, None],
    ):
        optimized = egc.optimize(function)
        for given in (x, x[:, :3], x[::-1, ::2], x.T[::2]):
            for _ in range(3):
                got, want = optimized(given), function(given)
                assert np.array_equal(got, want)
                assert np.shares_memory(got, given) == np.shares_memory(want, given)


def test_arguments_with_gaps_are_changed_in_place():
    def function(x, y):
        x[1:] += y[:-1] * 2
        y *= 3
        return x - y

    optimized = egc.optimize(function)
    for _ in range(3):
        pairs = [[np.arange(60.0).reshape(6, 10)[::2, 1::3], np.ones((3, 5))[:, :3]] for _ in range(2)]
        assert np.array_equal(optimized(*pairs[0]), function(*pairs[1]))
        assert all(map(np.array_equal, *pairs))


def test_long_arguments_with_gaps_are_shared_by_threads():
    x = np.random.default_rng(0).normal(size=(500, 2400))
    optimized = egc.optimize(lambda x: (np.exp(-x * x / 2), np.sum(x, axis=0), np.sum(x * x)))
    for given in (x[:, :500], x[::-2, ::3], x[:, 7:].T):
        for got, want in zip(optimized(given), optimized.__wrapped__(given)):
            assert np.allclose(got, want, rtol=1e-11)


def test_machine_code_for_others_takes_c_order():
    x = np.arange(12.0).reshape(3, 4)
    raw = egc.optimize(lambda x: x * 2 + 1).compile(x[:, ::2]).raw
    assert np.array_equal(njit(lambda x: raw(x))(x), x * 2 + 1)


@pytest.mark.parametrize("dtype", ["bool", "i8", "f32", "c128", "u16"])
def test_steps_count_elements_of_any_size(dtype):
    kind = egc.types.dtype(dtype)
    x = np.random.default_rng(0).integers(0, 2 if dtype == "bool" else 100, (6, 8)).astype(kind)
    optimized = egc.optimize(lambda x: (x == x[0], np.where(x, x, x[::-1])))
    for given in (x[:, :5], x[::-1, ::-2], x.T[1:, ::2]):
        for _ in range(2):
            for got, want in zip(optimized(given), optimized.__wrapped__(given)):
                assert np.array_equal(got, want)


def test_blocks_of_elements_with_gaps_are_whole():
    def function(x, y):
        smooth = x[1:] * y[:-1] + np.cos(x[:-1])
        return smooth, np.sum(x * y), np.max(x - y), np.cumsum(x), (x > y)[::-1], np.sum(x[:, None] * y[:3], axis=1)

    optimized = egc.optimize(function)
    for length in (256, 1, 2, 255, 257, 1000, 70000):
        values = np.random.default_rng(length).normal(size=(2, 3 * length))
        for x, y in ((values[0, ::3], values[1, ::-3]), (values[0, :length], values[1, 1::3])):
            for got, want in zip(optimized(x, y), function(x, y)):
                assert np.allclose(got, want, rtol=1e-11, atol=1e-11)


def test_a_slice_that_is_the_whole_array_is_not_copied():
    @njit
    def first(x, n):
        return as_contiguous(x[:n])

    x = np.arange(12.0).reshape(3, 4)
    x.flags.writeable = False
    assert np.shares_memory(first(x, 3), x)
    for other in (x.T, x[:, :3], x[::2]):
        found = first(other, 2)
        assert found.flags.c_contiguous
        np.testing.assert_array_equal(found, other[:2])


@pytest.mark.parametrize("shape", [(5, 7), (700, 3), (2, 1)])
def test_columns_with_much_to_do_are_changed_in_place(shape):
    def columns(x):
        y = x.copy()
        for j in range(x.shape[1]):
            y[1:, j] = y[1:, j] * np.tanh(y[1:, j])
        return y

    x = np.random.default_rng(0).normal(size=shape)
    np.testing.assert_allclose(egc.optimize(columns, rules=[])(x), columns(x), rtol=1e-12)
