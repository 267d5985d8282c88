"""Machine code for other callers, and the direct way from a call to it."""

import ctypes

import numpy as np
import pytest
from numba import njit
from scipy import LowLevelCallable, integrate

import egc
from egc.errors import BackendError, ShapeError

SHIFT = np.arange(5.0)


def sum_and_product(x, y):
    return np.sum(x) + y, x * y


def test_raw_is_called_from_compiled_code():
    raw = egc.optimize(sum_and_product).compile(np.ones(5), 2.0).raw

    @njit
    def twice(x, y):
        total, scaled = raw(x, y)
        return raw(scaled, total)

    x = np.arange(1.0, 5.0)
    total, scaled = sum_and_product(x, 2.0)
    want = sum_and_product(scaled, total)
    got = twice(x, 2.0)
    assert got[0] == want[0] and np.array_equal(got[1], want[1])


def test_raw_checks_sizes_and_serves_all():
    raw = egc.optimize(lambda x, y: np.exp(x + y)).compile(np.ones(5), np.ones(5)).raw
    for n in (2, 3, 1000):
        assert np.allclose(raw(np.zeros(n), np.ones(n)), np.e)
    with pytest.raises(ShapeError):
        raw(np.zeros(3), np.ones(4))


def test_raw_with_outer_arrays_writes_and_containers():
    def function(x, y):
        y *= 2.0
        return {"shifted": x + SHIFT, "pair": [x * y, x]}

    x, y = np.ones(5), np.arange(5.0)
    shifted, (product, same) = egc.optimize(function).compile(x, y).raw(x, y)
    assert np.array_equal(shifted, 1 + SHIFT) and np.array_equal(y, 2 * SHIFT)
    assert np.array_equal(product, y) and np.array_equal(same, x)


def test_raw_of_a_function_that_needs_a_library():
    raw = egc.optimize(lambda x: (np.sort(x), np.median(x))).compile(np.ones(4)).raw

    @njit
    def middle(x):
        return raw(x)[1]

    assert middle(np.array([5.0, 1.0, 4.0, 9.0, 0.0, 1.0])) == 2.5
    with pytest.raises(ShapeError):
        middle(np.array([5.0, 1.0, 3.0]))


def test_a_description_of_the_arguments_is_enough():
    raw = egc.optimize(lambda a, x: a @ x).compile(egc.spec("f64[n, n]"), egc.spec("f64[n]")).raw
    assert np.array_equal(raw(np.eye(3), np.arange(3.0)), np.arange(3.0))


def test_a_scalar_function_feeds_scipy():
    made = egc.optimize(lambda t: np.exp(-t * t)).compile(1.0)
    assert integrate.quad(LowLevelCallable(made.cfunc.ctypes), -10, 10)[0] == pytest.approx(np.sqrt(np.pi))


def test_c_signature_of_arrays():
    made = egc.optimize(lambda x: np.sum(x * x)).compile(np.ones(3))
    pointer = ctypes.POINTER(ctypes.c_double)
    function = ctypes.CFUNCTYPE(ctypes.c_double, pointer, ctypes.c_int64)(made.address)
    x = np.array([1.0, 2.0, 3.0])
    assert function(x.ctypes.data_as(pointer), 3) == 14.0

    made = egc.optimize(lambda x, a: a * x).compile(np.ones((2, 3)), 1.0)
    function = ctypes.CFUNCTYPE(None, pointer, ctypes.c_int64, ctypes.c_int64, ctypes.c_double, pointer)(made.address)
    x, result = np.arange(6.0).reshape(2, 3), np.empty((2, 3))
    function(x.ctypes.data_as(pointer), 2, 3, 2.0, result.ctypes.data_as(pointer))
    assert np.array_equal(result, 2 * x)


def test_what_machine_code_cannot_return_is_refused():
    with pytest.raises(BackendError, match="view"):
        _ = egc.optimize(lambda x: x[1:]).compile(np.ones(4)).raw
    with pytest.raises(BackendError, match="reference"):
        egc.optimize(np.negative, backend="reference").compile(np.ones(4))


CALLS = [
    (np.ones(4), 2.0), (np.ones(4), 2), (np.ones(4), np.float32(2)), (np.ones(4, np.float32), 2.0), (np.ones(4, int), 3),
    (np.ones((3, 4)), 2.0), (np.ones((4, 3)).T, 2.0), (np.ones(8)[::2], 2.0), (np.ones(1), 2.0), (np.ones(0), 2.0),
    (np.ones(4), True), (np.ones(4), np.ones(4)), (np.ones((3, 4)), np.ones(4)), (np.broadcast_to(1.0, (4,)), 2.0),
    (np.ma.masked_array(np.ones(4)), 2.0), (np.ones(4, ">f8"), 2.0), (np.array(3.0), 2.0), (3.0, 2.0),
    (np.ones(4), 2**70), (np.ones(5)[1:], 2.0), (np.frombuffer(bytearray(33), np.uint8)[1:].view(float), 2.0),
]  # fmt: skip


def test_calls_of_many_kinds_in_any_order_are_those_of_the_plain_function():
    def function(x, y):
        return x * y + 1, np.sum(x)

    optimized, rng = egc.optimize(function), np.random.default_rng(0)
    for _ in range(6):
        for position in rng.permutation(len(CALLS)):
            x, y = CALLS[position]
            for _ in range(rng.integers(1, 3)):
                got, want = optimized(x, y), function(x, y)
                for a, b in zip(got, want):
                    assert type(a) is type(b) and np.asarray(a).dtype == np.asarray(b).dtype, (x, y)
                    assert np.shape(a) == np.shape(b) and np.array_equal(a, b), (x, y)


def test_a_direct_call_sees_that_a_global_changed():
    namespace = {"np": np, "shift": 1.0}
    exec("def function(x): return np.exp(x) + shift", namespace)
    optimized, x = egc.optimize(namespace["function"]), np.zeros(3)
    assert optimized(x)[0] == optimized(x)[0] == 2.0
    namespace["shift"] = 5.0
    assert optimized(x)[0] == optimized(x)[0] == 6.0


def test_errors_of_a_direct_call_are_the_plain_functions():
    optimized, x = egc.optimize(lambda x, y: x + y), np.ones(4)
    optimized(x, x)
    optimized(x, x)
    with pytest.raises(ValueError, match="could not be broadcast"):
        optimized(x, np.ones(3))
    with pytest.raises(TypeError):
        optimized(x)


def test_direct_calls_take_names_and_defaults():
    def function(x, shift=1.0, *, _scale=2.0):
        return (x + shift) * _scale

    def simple(x, shift=1.0, scale=2.0):
        return (x + shift) * scale

    x = np.arange(3.0)
    for plain in (function, simple):
        optimized = egc.optimize(plain)
        for _ in range(3):
            assert np.array_equal(optimized(x), plain(x))
            assert np.array_equal(optimized(x, 5.0), plain(x, 5.0))
            assert np.array_equal(optimized(x, shift=3.0), plain(x, shift=3.0))
            assert np.array_equal(optimized(shift=3.0, x=x), plain(shift=3.0, x=x))
    optimized = egc.optimize(simple)
    for _ in range(3):
        assert np.array_equal(optimized(x, scale=3.0), simple(x, scale=3.0))
        assert np.array_equal(optimized(x, 1.0, scale=3.0), simple(x, 1.0, scale=3.0))
        with pytest.raises(TypeError):
            optimized(x, 1.0, 2.0, 3.0)
        with pytest.raises(TypeError):
            optimized(x, unknown=1.0)
        with pytest.raises(TypeError):
            optimized()


def test_arrays_in_any_order_are_taken_as_they_are():
    def function(x, y):
        return np.exp(x) + y, x @ y.T, np.sum(x, axis=0), x.reshape(-1)[3:] * 2

    rng = np.random.default_rng(0)
    x = rng.normal(size=(6, 6))
    forms = [x, x.T, rng.normal(size=(12, 12))[::2, ::2], x[:, ::-1], np.broadcast_to(x[0], (6, 6))]
    optimized = egc.optimize(function)
    pairs = [(x, x), *zip(forms, [*forms[1:], x])]
    for a, b in (*pairs, *pairs[::-1]):
        for got, want in zip(optimized(a, b), function(a, b)):
            assert np.allclose(got, want, rtol=1e-14)
    code = optimized.plan(x.T, x).compiled.code
    assert ".T" in code and "as_contiguous(x" not in code


def test_exact_precision_takes_the_systems_functions():
    x = np.linspace(0.01, 3, 50)
    optimized = egc.optimize(lambda x: np.sin(x) * np.exp(x) + x**0.3, precision="exact")
    code = optimized.plan(x).compiled.code
    assert "math.sin" in code and "math.exp" in code and "**" in code and "exp_float64" not in code
    assert np.allclose(optimized(x), optimized.__wrapped__(x), rtol=4e-16)
