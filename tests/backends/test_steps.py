"""Array nests inside of loops: threads share those of much work, and results are the same to the last bit."""

from __future__ import annotations

import numpy as np
import pytest

import egc
from egc.backends.numba import threads

SIDE = 420


def averaged(u, steps):
    v = u.copy()
    for _ in range(steps):
        v[1:-1, 1:-1] = 0.25 * (u[:-2, 1:-1] + u[2:, 1:-1] + u[1:-1, :-2] + u[1:-1, 2:])
        u[1:-1, 1:-1] = 0.5 * (v[1:-1, 1:-1] + u[1:-1, 1:-1])
    return u


def until_still(u, steps):
    passes, change = 0, np.inf
    while change > 1e-3 and passes < steps:
        before = u.copy()
        if passes % 2 == 0:
            u[1:-1] = np.tanh(before[:-2] + before[2:])
        else:
            u[1:-1] = np.exp(-before[1:-1] * before[1:-1])
        change = np.max(np.abs(u - before))
        passes += 1
    return u, passes


def turned_over(u, steps):
    """What is written is read through a view."""
    for _ in range(steps):
        last = u[::-1]
        u[1:] = np.sin(last[1:]) + u[:-1]
    return u


def triangles(u, steps):
    """Rows that are shorter in each step."""
    for k in range(steps):
        u[k + 1 :, k:] = np.cos(u[k + 1 :, k:]) - u[k, k:]
    return u


@pytest.fixture
def two_threads(monkeypatch):
    monkeypatch.setenv("EGC_NUM_THREADS", "2")
    before = threads.num_threads()
    yield
    threads.set_num_threads(before)


def outcome(call, side):
    u = np.random.default_rng(side).normal(size=(side, side))
    found = call(u, 5)
    return [np.asarray(each) for each in (*(found if isinstance(found, tuple) else (found,)), u)]


@pytest.mark.parametrize(
    ("function", "shares"),
    [(averaged, True), (until_still, True), (turned_over, None), (triangles, True)],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_threads_share_the_steps_of_a_loop(function, shares, two_threads):
    optimized = egc.optimize(function)
    for side in (5, SIDE):
        for ours, theirs in zip(outcome(optimized, side), outcome(function, side), strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-13)
    several = outcome(optimized, SIDE)
    threads.set_num_threads(1)
    for ours, theirs in zip(several, outcome(optimized, SIDE), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert shares is None or ("step_0" in optimized.plan(np.ones((9, 9)), 5).compiled.code) == shares


def test_a_thread_is_started_for_large_steps_only(two_threads):
    optimized = egc.optimize(averaged)
    outcome(optimized, 40)
    before = threads.started()
    outcome(optimized, 40)
    assert threads.started() == before
    outcome(optimized, 3 * SIDE)
    assert threads.started() > before


def test_one_thread_has_one_copy_of_each_nest(two_threads, monkeypatch):
    monkeypatch.setenv("EGC_NUM_THREADS", "1")
    assert "step_0" not in egc.optimize(averaged).plan(np.ones((9, 9)), 5).compiled.code
