"""Laws of loops that threads share: results do not depend on the number of threads, and small work starts none."""

from __future__ import annotations

import os
import threading
import warnings

import numpy as np
import pytest

import egc
from egc.backends.numba.crew import CELL
from egc.backends.numba.threads import num_threads, set_num_threads, started
from egc.errors import ProgramError
from egc.options import thread_count
from tests.backends.test_threads import settled

pytestmark = pytest.mark.usefixtures("threads_are_worth_their_start")

RNG = np.random.default_rng(3)
X = RNG.normal(size=(300, 700))
N = RNG.integers(-3, 4, size=(300, 700)).astype(np.int32)


def elementwise(x, n):
    return np.exp(x) * x, x > 0.5, n * n


def totals(x, n):
    y = x.astype(np.float32)
    return np.sum(x), np.sum(y), np.sum(n), np.max(x), np.min(n), np.any(x > 4.4), np.all(x < 4.4), np.prod(y)


def complex_totals(x, n):
    return np.sum(x + 1j * n), np.sum(np.sin(x) * n)


def by_row(x, n):
    e = np.exp(x - np.max(x, axis=1, keepdims=True))
    return e / np.sum(e, axis=1, keepdims=True), np.sum(n, axis=1), np.cumsum(x, axis=1)


def by_column(x, n):
    return np.sum(x, axis=0), np.max(n, axis=0), np.sum(np.exp(x), axis=0), np.cumsum(n, axis=0)


def standardized(x, n):
    flat = x.reshape(-1)
    centred = flat - np.mean(flat)
    return centred / np.sqrt(np.mean(centred * centred)), np.max(np.abs(centred))


def softmax(x, n):
    flat = x.reshape(-1)
    e = np.exp(flat - np.max(flat))
    return e / np.sum(e)


def gathered(x, n):
    return x[n[:, 0] % 2] * 2.0, np.take(x, n[0] % 3, axis=1)


def products(x, n):
    e = np.exp(x @ x.T / 100)
    return e, np.sum(e * e), (e / np.sum(e, axis=1, keepdims=True)) @ x


def nearest(x, n):
    points = x[:, :7]
    distances = np.sum((points[:, None, :] - points[None, :9, :]) ** 2, axis=2)
    return np.argmin(distances, axis=1), np.sum(np.sqrt(distances), axis=1)


def across(x, n):
    square = x[:, : len(x)]
    return square + square.T, np.max(np.abs(square - square.T), axis=1), np.sum(square * square.T)


FUNCTIONS = [
    elementwise, totals, complex_totals, by_row, by_column, standardized, softmax, gathered, products, nearest, across,
]  # fmt: skip


def flat(result):
    return [np.asarray(part) for part in (result if isinstance(result, tuple) else (result,))]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_results_do_not_depend_on_the_number_of_threads(function):
    optimized = egc.optimize(function, rules=[], backend="numba")
    expected, before = flat(optimized(X, N)), started()
    for threads in (1, 2, 4, 7):
        set_num_threads(threads)
        for _ in range(5):
            for got, first in zip(flat(optimized(X, N)), expected, strict=True):
                assert got.tobytes() == first.tobytes()
    assert started() > before
    for x, n, found in ((X, N, expected), (X[:2, :3], N[:2, :3], flat(optimized(X[:2, :3], N[:2, :3])))):
        for got, want in zip(found, flat(function(x, n)), strict=True):
            assert got.dtype == want.dtype
            np.testing.assert_allclose(got, want, rtol=1e-5 if want.dtype == np.float32 else 1e-9, atol=1e-12)


def test_small_work_starts_no_threads():
    CELL["egc_thread_share"].value = 50_000.0
    optimized = egc.optimize(lambda x: (np.exp(x), np.sum(x)), rules=[], backend="numba")
    optimized(X)
    set_num_threads(7)
    before = settled()
    optimized(X[:5, :200])
    assert started() == before
    optimized(X)
    assert started() > before


def test_serial_work_between_shared_loops_is_one_call():
    x = X.reshape(-1)

    def spread(x):
        centred = x - np.mean(x)
        return np.sqrt(np.sum(centred * centred) / len(x))

    code = egc.optimize(spread).plan(x).compiled.code
    assert code.count("run_phase(") == 4 and code.count("range(start, stop") == 2


def test_results_without_axes_stay_when_another_call_has_made_its_own():
    largest = egc.optimize(lambda x: (np.max(x), np.min(x)))
    first = largest(X)
    largest(-X)
    assert first == (np.max(X), np.min(X))


def test_an_index_out_of_bounds_raises_whichever_thread_meets_it():
    optimized = egc.optimize(lambda x, n: x[n] * 2.0, rules=[], backend="numba")
    x, n = X.reshape(-1), np.arange(200_000)
    np.testing.assert_array_equal(optimized(x, n), x[n] * 2.0)
    set_num_threads(4)
    n[-1] = x.size
    with pytest.raises(IndexError):
        optimized(x, n)


def test_many_callers_at_once():
    optimized = egc.optimize(standardized, rules=[], backend="numba")
    expected = flat(optimized(X, N))
    set_num_threads(3)
    wrong: list[int] = []

    def call() -> None:
        for _ in range(10):
            wrong.extend(
                k for k, (a, b) in enumerate(zip(flat(optimized(X, N)), expected)) if a.tobytes() != b.tobytes()
            )
        wrong.append(-1)

    callers = [threading.Thread(target=call) for _ in range(6)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert wrong == [-1] * 6


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_forked_child_calls_with_threads():
    optimized = egc.optimize(standardized, rules=[], backend="numba")
    expected = flat(optimized(X, N))
    set_num_threads(4)
    optimized(X, N)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        before = started()
        same = all(a.tobytes() == b.tobytes() for a, b in zip(flat(optimized(X, N)), expected))
        os._exit(0 if same and started() > before else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_the_environment_sets_the_number_of_threads(monkeypatch):
    monkeypatch.setenv("EGC_NUM_THREADS", "3")
    egc.optimize(lambda x: x + 1.0, rules=[], backend="numba")(X)
    assert num_threads() == 3
    for wrong in ("0", "many", "-2"):
        monkeypatch.setenv("EGC_NUM_THREADS", wrong)
        with pytest.raises(ProgramError):
            thread_count()
