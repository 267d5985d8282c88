"""Explicit loops and branches: as Python, and within optimized functions."""

from __future__ import annotations

import doctest

import numpy as np
import pytest

import egc
from egc import flow

X = np.array([0.5, 2.0, -1.0, 3.0])


def smaller(s):
    return s[0] < 50.0


def doubled(s):
    return 2.0 * s[0] + 1.0, s[1] + 1


FUNCTIONS = {
    "while_loop": lambda x: egc.while_loop(smaller, doubled, (np.abs(x[0]), 0)),
    "do_while": lambda x: egc.do_while(doubled, smaller, (np.abs(x[1]) * 100, 0)),
    "loop": lambda x: egc.loop(smaller, doubled, lambda s: s[1] < 3, (np.abs(x[0]), 0)),
    "fori_loop": lambda x: egc.fori_loop(1, len(x), lambda i, s: {"sum": s["sum"] + x[i] * x[i - 1]}, {"sum": x[0]}),
    "scan": lambda x: egc.scan(lambda s, y: (0.5 * s + y, s * y), x[0], x),
    "cond": lambda x: egc.cond(x[0] > 0, lambda y: np.exp(y), lambda y: y * y, x),
}


def numbers(value):
    if isinstance(value, dict):
        value = tuple(value.values())
    return [n for part in value for n in numbers(part)] if isinstance(value, tuple) else list(np.ravel(value))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_an_explicit_loop_or_branch_computes_what_it_does_as_python(name):
    optimized = egc.optimize(FUNCTIONS[name], backend="reference")
    for x in (X, X[::-1].copy()):
        np.testing.assert_allclose(numbers(optimized(x)), numbers(FUNCTIONS[name](x)), rtol=1e-14)
    assert not optimized.statistics.as_written


def test_the_examples_run():
    assert not doctest.testmod(flow).failed


def test_a_loop_without_condition_is_refused():
    with pytest.raises(ValueError, match="condition"):
        egc.loop(None, lambda s: s, None, 1)


def test_a_scan_of_nothing_is_refused():
    with pytest.raises(ValueError, match="row"):
        egc.scan(lambda s, x: (s, x), 0.0, np.zeros(0))
