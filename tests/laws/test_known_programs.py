"""Programs that random search found to go wrong once, by what they are about."""

import numpy as np
import pytest

import egc
from tests.laws.law import Tally, compare

DRAW = np.random.default_rng(0)
M34, M33, V3 = DRAW.random((3, 4)), DRAW.random((3, 3)), DRAW.random(3)


def part_of_a_complex_array_is_a_view(z):
    real = z.real
    z *= 2j
    return real + 1


def squeeze_of_nothing_is_the_array_itself(x):
    return np.squeeze(x)


def derived_size_of_one_broadcasts(x, y):
    return np.maximum(x[1:, :-1], y), x[1:] - x[:1]


def rules_apply_to_float32(x):
    return np.log(np.exp(np.mean(x**2) - np.mean(x) ** 2)), np.log(np.mean(np.exp(x)))


def masked_update(x):
    y = x.copy()
    y[y > 0.5] *= 2.0
    y[y < 0.2] = y[y < 0.2] ** 2 + 1
    return y


def python_complex_takes_float64_scalars_for_floats(x):
    return x.astype(np.float32) + 1j * x[0], 1j - x[1], x[1] * 1j


def scalars_repeat_along_an_axis(x):
    return np.repeat(x[0], 2, axis=-1), np.repeat(x.sum(), 3)


def derived_size_of_one_broadcasts_in_einsum(x, y):
    return np.einsum("ij,kj->ik", x, y[1:, :1]), np.einsum("ij,kj->ik", x, y[:, 1:2])


def python_integers_beyond_a_dtype_compare(x):
    return x < 300, x > -5, x > x.shape[0] * 100, x != 256, np.histogram(x, 3, (-2, 2))


def python_integers_beyond_a_dtype_overflow(x, n):
    return x + n, x * x.shape[0]


def results_share_memory_with_each_other(x):
    y, u = x + 1, x * 2
    return y, y[1:], y.T, y.copy(), y.T.copy(), u[:, 0], u[0].copy(), np.zeros(2), np.zeros(2), y, np.arange(3)


def results_are_taken_before_arguments_are_written(x):
    first = x[0, 1] * 1.0
    x[x > 0] = 0.5
    return first


def scalars_are_exchanged(x, y):
    kept = x.copy()
    x[...] = y
    y[...] = kept


def ravel_copies_what_does_not_lie_side_by_side(x, y):
    z = x + 1
    return x.ravel(), x[::-1].ravel(), y[::2].ravel(), y.T.ravel(), y[1:].reshape(-1), y.ravel()[1:], z, z.reshape(-1)


CALLS = [
    (ravel_copies_what_does_not_lie_side_by_side, (V3, M33)),
    (ravel_copies_what_does_not_lie_side_by_side, (np.arange(6.0)[::2], M34.T)),
    (results_share_memory_with_each_other, (M33,)),
    (results_are_taken_before_arguments_are_written, (M33,)),
    (scalars_are_exchanged, (np.array(1.0), np.array(2.0))),
    (python_integers_beyond_a_dtype_compare, (np.arange(4, dtype=np.uint8),)),
    (scalars_repeat_along_an_axis, (V3,)),
    (derived_size_of_one_broadcasts_in_einsum, (M34, M33)),
    (python_complex_takes_float64_scalars_for_floats, (V3,)),
    (part_of_a_complex_array_is_a_view, (V3 * 1j,)),
    (squeeze_of_nothing_is_the_array_itself, (V3,)),
    (derived_size_of_one_broadcasts, (M34[:2], V3)),
    (derived_size_of_one_broadcasts, (M34, V3)),
    (rules_apply_to_float32, (M34.astype(np.float32),)),
    (masked_update, (M33,)),
]


@pytest.mark.parametrize("backend", ["reference", "numba", "jax"])
@pytest.mark.parametrize("function, arguments", CALLS, ids=lambda value: getattr(value, "__name__", ""))
def test_known_programs(function, arguments, backend):
    optimized = egc.optimize(function, backend=backend)
    compare(function, optimized, arguments, Tally())
    assert optimized.statistics.as_written == 0, optimized.statistics.reasons


@pytest.mark.parametrize("backend", ["reference", "numba", "jax"])
def test_python_integers_beyond_a_dtype_overflow(backend):
    plain = python_integers_beyond_a_dtype_overflow
    optimized = egc.optimize(plain, backend=backend)
    for length, n in [(4, 3), (4, 300), (4, -1), (300, 1)]:
        compare(plain, optimized, (np.ones(length, np.uint8), n), Tally())
