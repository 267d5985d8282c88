"""States that count become formulas, and loops that end by them counted ones; what only looks like it stays as it is."""

from __future__ import annotations

import numpy as np
import pytest

import egc
from egc.capture import capture
from egc.pipeline import evaluate_reference
from egc.ranges import ranges_of
from egc.transforms import LOOP_LAWS, simplify
from egc.transforms.induction import AFFINE, COUNTED, simpler

LENGTHS = (40, 0, 1, 2, 3, 4, 7)


def pairs(x):
    k, y = 0, np.zeros(len(x))
    for i in range(len(x) // 2):
        y[i] = x[k] - x[k + 1]
        k += 2
    return y, k


def backwards(x):
    j, y = len(x) - 1, np.zeros(len(x))
    for i in range(len(x)):
        y[i] = x[j] * x[i]
        j -= 1
    return y, j


def weighted(x):
    total, u = 0.0, 1.0
    for v in x:
        total = total + np.exp(-u * v)
        u = u + 0.25
    return total, u


def two_steps(x):
    k, level = 3, 0.5
    for v in x:
        k = k + 1
        level = np.tanh(level) + v * k
        k = 2 + k
    return level, k


def strided(x):
    pos, stride, y = 0, len(x) - 1, np.zeros(len(x))
    for i in range(len(x)):
        y[i] = x[pos % len(x)]
        pos += stride
    return y, pos


def small_integers(x):
    k, total = np.uint8(250), 0
    for _ in range(len(x)):
        total = total + int(k) * int(k)
        k = k + np.uint8(3)
    return total, k


def of_data(x):
    first, k, y = (int(x[0] * 10), 7, x.copy()) if len(x) else (0, 7, x.copy())
    for i in range(len(x)):
        y[i] = y[i] * k
        k += first
    return y, k


def pointer(x):
    k, total = 0, 0.0
    while k < len(x):
        total += x[k] * k
        k += 3
    return total, k


def pointer_down(x):
    k, level = len(x) - 1, 0.0
    while k >= 0:
        level = 0.5 * np.tanh(level) + x[k]
        k = k - 2
    return level, k


def at_most(x):
    k, y = 1, x.copy()
    while not k > len(x):
        y[k - 1] = x[k - 1] + k
        k += 1
    return y, k


AFFINES = [pairs, backwards, weighted, two_steps, strided, small_integers, of_data]
WHILES = [pointer, pointer_down, at_most]


def sometimes(x):
    k, y = 0, np.zeros(len(x))
    for v in x:
        if v > 0:
            y[k] = v
            k += 1
    return y, k


def doubled(x):
    k, total = 1, 0.0
    for v in x:
        total += v * k
        k = k + k
        k = k % 1001
    return total, k


def growing(x):
    k, step, total = 0, 1, 0.0
    for v in x:
        total += v * k
        k += step
        step = 3 - step
    return total, k


def not_finite(x):
    u, total = 0.0, 0.0
    for v in x:
        total = total + v * u
        u = u + np.inf
    return total, u


def ended(x):
    k, total = 0, 0.0
    while k < len(x):
        total += x[k]
        if total > 1.0:
            break
        k += 1
    return total, k


def moving_bound(x):
    k, end, total = 0, len(x), 0.0
    while k < end:
        total += x[k]
        end = end - 1
        k += 1
    return total, k


def jumps(x):
    k, total = 0, 0.0
    while k < len(x):
        total += x[k]
        k += 1 if x[k] > 0 else 2
    return total, k


OTHERS = [sometimes, doubled, growing, not_finite, ended, moving_bound, jumps]


def found(function, lengths=100):
    x = np.random.default_rng(0).normal(size=lengths)
    program = simplify(capture(function, [x], {}, {}).program, evaluate_reference)
    laws: set[str] = set()
    for node in program.nodes():
        while node.op == "loop":
            form = simpler(node, ranges_of(program), frozenset(LOOP_LAWS))
            if form is None:
                break
            laws |= form[1].laws
            node = form[0]
    return laws


@pytest.mark.parametrize("function", AFFINES, ids=lambda f: f.__name__)
def test_a_state_that_counts_is_a_formula(function):
    assert found(function) == {AFFINE}


@pytest.mark.parametrize("function", WHILES, ids=lambda f: f.__name__)
def test_a_loop_up_to_a_size_is_counted(function):
    assert found(function) == {COUNTED, AFFINE}


@pytest.mark.parametrize("function", OTHERS, ids=lambda f: f.__name__)
def test_other_states_and_conditions_stay(function):
    assert not found(function)


@pytest.mark.parametrize("function", AFFINES + WHILES + OTHERS, ids=lambda f: f.__name__)
def test_a_loop_gives_what_it_gave(function):
    optimized = egc.optimize(function)
    rng = np.random.default_rng(1)
    with np.errstate(all="ignore"):
        for n in LENGTHS:
            x = rng.normal(size=n)
            try:
                expected = function(x.copy())
            except IndexError:
                with pytest.raises(IndexError):
                    optimized(x)
                continue
            for left, right in zip(optimized(x), expected, strict=True):
                np.testing.assert_allclose(left, right, rtol=1e-12, atol=1e-12, err_msg=str(n))
                assert np.asarray(left).dtype == np.asarray(right).dtype


def test_a_pointer_becomes_slices():
    assert "x[::-1]" in str(egc.explain(backwards, np.ones(300)))
    assert "while" not in str(egc.explain(pointer, np.ones(300)).after)
