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


def chosen(x, y):
    return egc.elementwise_cond(x > y, lambda a, b: np.log(a - b), lambda a, b: np.sin(a) * b, x, y)


@pytest.mark.parametrize("backend", ["reference", "numba", "jax"])
def test_a_branch_by_element_computes_each_side_where_it_is_taken(backend):
    optimized = egc.optimize(chosen, backend=backend)
    column = np.linspace(-2.0, 2.0, 5)[:, None]
    for x, y in ((X, 0.75), (X, -X), (X, column), (X.astype(np.float32), np.float32(0.75)), (X[:0], 1.0)):
        with np.errstate(all="raise"):
            theirs = chosen(x, y)
        ours = optimized(x, y)
        assert ours.dtype == theirs.dtype
        np.testing.assert_allclose(ours, theirs, rtol=1e-6 if theirs.dtype == np.float32 else 1e-13)
    assert not optimized.statistics.as_written


def test_a_branch_by_element_promotes_as_where_does():
    for x in (np.arange(4), X.astype(np.float32), X):
        made = egc.elementwise_cond(x > 1, lambda a: 2 * a, lambda a: 0.5, x)
        np.testing.assert_array_equal(made, np.where(x > 1, 2 * x, 0.5), strict=True)


def test_the_examples_run():
    assert not doctest.testmod(flow).failed


def test_a_loop_without_condition_is_refused():
    with pytest.raises(ValueError, match="condition"):
        egc.loop(None, lambda s: s, None, 1)


def test_a_scan_of_nothing_is_refused():
    with pytest.raises(ValueError, match="row"):
        egc.scan(lambda s, x: (s, x), 0.0, np.zeros(0))
