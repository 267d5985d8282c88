"""Sums of powers of the number of an iteration are formulas, for integers modulo 2^64 as well."""

from __future__ import annotations

import numpy as np
import pytest

import egc
from egc import backend as backends
from egc.capture import capture
from egc.pipeline import evaluate_reference
from egc.ranges import ranges_of
from egc.transforms import LOOP_LAWS, simplify
from egc.transforms.forms import Forms
from egc.transforms.vectorize import vectorized

from .support import ops_of

LAW = "sum_of_powers_is_closed"


def squares(n):
    s = 5
    for i in range(n):
        s += i * i
    return s


def cubes(n):
    s = 0
    for i in range(n):
        s -= 2 * i**3 - i
    return s


def odd_squares(n):
    s = np.int64(0)
    for i in range(n):
        s += (2 * i + 1) ** 2
    return s


def floats(n):
    s = 0.5
    for i in range(n):
        s += 0.25 * i**3 - i * (i - 10)
    return s


def numbers(n):
    s = 0
    for i in range(n):
        s += i
    return s


def triangle(n):
    s = 0
    for i in range(n):
        for j in range(i):
            s += j
    return s


def quartic(n):
    s = 0.0
    for i in range(n):
        s += i**4
    return s


def remainders(n):
    s = 0
    for i in range(n):
        s += (i * i) % 7
    return s


def form(function, n=9):
    program = simplify(capture(function, [n], {}, {}).program, evaluate_reference)
    used = Forms([])
    return vectorized(program, ranges_of(program), used, frozenset(LOOP_LAWS)), used


@pytest.mark.parametrize("function", [squares, cubes, odd_squares, floats], ids=lambda f: f.__name__)
def test_a_sum_of_powers_is_a_formula(function):
    found, used = form(function)
    assert LAW in used.laws and "loop" not in ops_of(found)
    assert used.rounded == (function is floats)


@pytest.mark.parametrize("function", [quartic, remainders], ids=lambda f: f.__name__)
def test_higher_powers_and_remainders_are_not(function):
    assert LAW not in form(function)[1].laws


@pytest.mark.parametrize("function", [squares, cubes, odd_squares, floats, numbers, triangle, quartic, remainders])
def test_a_loop_gives_what_it_gave(function):
    optimized = egc.optimize(function)
    for n in (1000, -3, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 13):
        np.testing.assert_allclose(optimized(n), function(n), rtol=1e-13, err_msg=str(n))


@pytest.mark.parametrize("n", [*range(20), 3_000_001, 4_000_000_003, 2**40 + 1])
@pytest.mark.parametrize(
    ("function", "total"),
    [
        (squares, lambda n: 5 + (n - 1) * n * (2 * n - 1) // 6),
        (cubes, lambda n: n * (n - 1) // 2 - 2 * (n * (n - 1) // 2) ** 2),
        (numbers, lambda n: n * (n - 1) // 2),
    ],
)
def test_integers_wrap_around_as_sums_do(function, total, n):
    found = form(function)[0]
    (ours,) = backends.load("numba").compile(found).run(n)
    assert int(ours) == (total(n) + 2**63) % 2**64 - 2**63
