"""Linear recurrences in few steps are what they are in turn, whatever the numbers; the reference is the measure."""

from __future__ import annotations

import numpy as np
import pytest

from egc import factors

jax = pytest.importorskip("jax")

from egc.backends.jax import JaxBackend, recurrences  # noqa: E402

FEW = jax.jit(recurrences.in_few_steps)


def in_few_steps(a, b, s):
    with jax.enable_x64(True):
        return np.asarray(FEW(*map(jax.numpy.asarray, (a, b, s))))


def assert_equal(a, b, s, rtol=1e-12):
    with np.errstate(all="ignore"):
        expected, found = factors.linear_recurrence(a, b, s), in_few_steps(a, b, s)
    assert found.dtype == expected.dtype
    finite = np.isfinite(expected)
    np.testing.assert_array_equal(np.isfinite(found), finite)
    scale = np.maximum.accumulate(np.where(finite, np.abs(expected), 0))
    assert (np.abs(found - expected)[finite] <= rtol * scale[finite]).all()
    return found, expected


def numbers(seed, n=64):
    rng = np.random.default_rng(seed)
    return rng.uniform(-1, 1, n), rng.normal(size=n), np.float64(rng.normal())


def test_factors_below_one_are_multiplied_together():
    for seed in range(20):
        assert_equal(*numbers(seed))


def test_few_steps_are_taken_where_they_lose_nothing(monkeypatch):
    monkeypatch.setattr(recurrences, "in_turn", lambda factor, term, start: term * np.nan)
    few = jax.jit(lambda *given: recurrences.in_few_steps(*given))
    for change in (lambda a: a, lambda a: np.where(a < -0.5, 0, a), lambda a: a * 0 + 1, lambda a: a * 0 + 1.02):
        a, b, s = numbers(3)
        with jax.enable_x64(True):
            found = np.asarray(few(*map(jax.numpy.asarray, (change(a), b, s))))
        np.testing.assert_allclose(found, factors.linear_recurrence(change(a), b, s), rtol=1e-10)


CASES = {
    "an unstable state that stays": (np.full(100, 2.0), np.full(100, -1.0), 1.0),
    "zero, times what grows without bound": (np.full(1100, 2.0), np.zeros(1100), 0.0),
    "products below all numbers": (np.full(1200, 0.5), np.zeros(1200), 1e300),
    "large, and back": (np.r_[np.full(300, 1e1), np.full(330, 1e-1)], np.zeros(630), 1.0),
    "small, and back": (np.r_[np.full(300, 1e-1), np.full(330, 1e1)], np.zeros(630), 1.0),
    "infinite, and begun anew": (np.r_[1.0, 0.0, 0.5, 0.5], np.r_[np.inf, 1.0, 1.0, 1.0], 1.0),
    "an infinite factor": (np.r_[0.5, np.inf, 0.5, 0.5], np.ones(4), 0.0),
    "infinite from the start": (np.full(40, 0.5), np.ones(40), np.inf),
    "nan in the middle": (np.full(40, 0.5), np.r_[np.ones(20), np.nan, np.ones(19)], 0.0),
    "silence first": (np.full(1400, 0.5), np.r_[np.zeros(1200), np.ones(200)], 0.0),
    "silence last": (np.full(1400, 0.5), np.r_[np.ones(200), np.zeros(1200)], 0.0),
    "the same for ever": (np.ones(1), np.ones(1), 3.0),
    "overflow": (np.full(40, 1.0), np.full(40, 1e308), 0.0),
}


@pytest.mark.parametrize("name", CASES)
def test_special_values_are_those_of_steps_in_turn(name):
    a, b, s = CASES[name]
    a, b = (np.r_[x, np.full(1400 - len(x), still)] for x, still in ((a, 1.0), (b, 0.0)))
    found, expected = assert_equal(a, b, np.float64(s))
    small = np.isfinite(expected) & (np.abs(expected) > 1e-290)
    np.testing.assert_allclose(found[small], expected[small], rtol=1e-11)


@pytest.mark.parametrize("seed", range(4))
def test_any_mixture_of_special_values(seed):
    rng = np.random.default_rng(seed)
    for _ in range(15):
        a, b, s = numbers(rng.integers(1000))
        for x in (a, b):
            x[rng.integers(0, 64, 3)] = rng.choice([0, -0.0, 1, -3, 1e-300, 1e200, np.inf, -np.inf, np.nan], 3)
        assert_equal(a, b, s)


@pytest.mark.parametrize("dtype", [np.float32, np.complex128, np.uint8])
def test_all_numbers(dtype):
    rng = np.random.default_rng(5)
    if np.dtype(dtype).kind in "iu":
        a, b = (rng.integers(0, 200, (12, 3)).astype(dtype) for _ in range(2))
    else:
        a, b = rng.uniform(-0.9, 0.9, (12, 3)).astype(dtype), rng.normal(size=(12, 3)).astype(dtype)
    assert_equal(
        a, b, b[0], rtol=1e-5 if np.finfo(b.real.dtype if b.dtype.kind in "fc" else float).eps > 1e-10 else 1e-12
    )


def test_jax_has_a_price_for_recurrences():
    assert "linear_recurrence" in JaxBackend.costs.calls and "linear_recurrence" in JaxBackend.costs.elementwise
