"""Optimized equals plain, for random programs, on every backend; the law itself is in `law.py`.

A sample runs with the suite. The long run takes its length from the environment:

    EGC_PROGRAMS=2000 pytest -m slow tests/laws/test_random_programs.py
    python -m tests.laws.long_run --programs 2000 --seed 0 --backend numba

A failure shows the program with all left out that it does not need.
"""

from __future__ import annotations

import os

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.laws.law import Disagreement, Tally, compare
from tests.laws.long_run import MODES, failure, shortened
from tests.laws.programs import SIZES, generate

BACKENDS = ("reference", "numba", "jax")
LONG = int(os.environ.get("EGC_PROGRAMS", "200"))
SAMPLE = {"max_examples": 10, "deadline": None, "derandomize": True, "database": None}
UNSHRUNK = {"suppress_health_check": list(HealthCheck), "print_blob": False}


def require_equal(seed: int, length: int, backend: str, mode: str = "plain", calls: int = len(SIZES)) -> None:
    program = generate(seed, length)
    if failure(program, backend, mode, calls=calls) is not None:
        small = shortened(program, backend, mode)
        pytest.fail(f"seed {seed}, {backend}, {mode}\n{small.text}\n{failure(small, backend, mode)}", pytrace=False)


@pytest.mark.parametrize("backend", BACKENDS)
@settings(**SAMPLE, **UNSHRUNK)
@given(st.integers(0, 2**32), st.integers(1, 6))
def test_optimized_equals_plain(backend, seed, length):
    require_equal(seed, length, backend, calls=2)


@settings(**SAMPLE | {"max_examples": 4}, **UNSHRUNK)
@given(st.integers(0, 2**32), st.integers(1, 6))
def test_optimized_equals_plain_for_parts_of_larger_arrays(seed, length):
    require_equal(seed, length, "numba", "gaps", calls=2)


@pytest.mark.parametrize("mode", MODES[2:])
@settings(**SAMPLE | {"max_examples": 6}, **UNSHRUNK)
@given(st.integers(0, 2**32), st.integers(1, 5))
def test_optimized_equals_plain_on_special_values(mode, seed, length):
    require_equal(seed, length, "reference", mode)


@pytest.mark.slow
@pytest.mark.parametrize("backend", BACKENDS)
def test_optimized_equals_plain_at_length(backend):
    for seed in range(LONG):
        require_equal(seed, 1 + seed % 8, backend)


def test_programs_are_the_same_for_a_seed():
    assert [generate(seed).source for seed in range(20)] == [generate(seed).source for seed in range(20)]


WRONG = {
    "value": (lambda x: np.exp(x), lambda x: np.exp(x) * (1 + 1e-9)),
    "dtype": (lambda x: x * 2, lambda x: np.float64(1) * x * 2),
    "shape": (lambda x: x.sum(), lambda x: x.sum(keepdims=True)),
    "type": (lambda x: (x, x + 1), lambda x: [x, x + 1]),
    "view": (lambda x: x[1:], lambda x: x[1:].copy()),
    "copy": (lambda x: x[1:].copy(), lambda x: x[1:]),
    "write": (lambda x: x.__setitem__(0, 1.0), lambda x: None),
    "exception": (lambda x: x[9], lambda x: x[0]),
    "integer": (lambda x: np.argmax(x), lambda x: np.argmax(x) + 1),
    "instability": (lambda x: np.var(x), lambda x: np.mean((x + 1e6) ** 2) - np.mean(x + 1e6) ** 2),
    "nan": (lambda x: x * 2, lambda x: np.nan_to_num(x) * 2),
}


@pytest.mark.parametrize("what", WRONG)
def test_the_law_sees_what_is_wrong(what):
    plain, wrong = WRONG[what]
    x = np.random.default_rng(0).standard_normal(5).astype(np.float32 if what == "dtype" else np.float64)
    mode = "nan" if what == "nan" else "plain"
    x[1] = np.nan if what == "nan" else x[1]
    compare(plain, plain, (x,), Tally(), mode)
    with pytest.raises(Disagreement):
        compare(plain, wrong, (x,), Tally(), mode)


STABLE = {
    "softplus": (lambda x: np.log(1 + np.exp(x)), lambda x: np.logaddexp(0, x)),
    "variance": (lambda x: np.mean(x**2) - np.mean(x) ** 2, lambda x: np.var(x)),
    "difference": (lambda x: np.sqrt(x * x + 1) - 1, lambda x: x * x / (np.sqrt(x * x + 1) + 1)),
    "overflow": (lambda x: np.log(np.exp(1000 * x)), lambda x: 1000 * x),
}


@pytest.mark.parametrize("what", STABLE)
def test_the_law_allows_a_more_accurate_formula(what):
    plain, better = STABLE[what]
    for scale in (1e-12, 1e-3, 1.0, 30.0):
        compare(plain, better, (scale * np.arange(1.0, 6.0),), Tally())
