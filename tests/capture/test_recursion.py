"""Helpers that call one another: what data ends runs as written, and soon; what ends by itself is captured."""

from __future__ import annotations

import numpy as np
import pytest

import egc
from egc.capture import capture
from egc.errors import NotEncodable


def fibonacci(n):
    return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)


def doubling(s, d):
    return halving(s * 0.5, d) + halving(s - 1, d) if s > d else s


def halving(s, d):
    return doubling(s * 0.25, d) - doubling(s - 2, d) if s > d else s


def ping(x, s):
    for v in x:
        if v > s:
            s = pong(x, s + 1)
    return s


def pong(x, s):
    for v in x:
        if v > s:
            s = ping(x, s + 0.5)
    return s


def below(x, k):
    """A tree whose nodes end with the array."""
    return 0.0 if k >= 7 else beside(x, 2 * k + 1) + x[k] * beside(x, 2 * k + 2)


def beside(x, k):
    return 1.0 if k >= 7 else below(x, 2 * k + 1) - x[k] * below(x, 2 * k + 2)


ENDLESS = {
    "counted by data": lambda x: fibonacci(int(x[0])),
    "two calls each": lambda x: doubling(x[0], 1.0),
    "in loops": lambda x: ping(x, 0.0),
}


@pytest.mark.parametrize("name", ENDLESS)
def test_recursion_that_data_ends_runs_as_written(name):
    function, x = ENDLESS[name], np.array([6.0, 1.0, 2.0, 3.0])
    optimized = egc.optimize(function)
    assert optimized(x) == function(x)
    with pytest.raises(NotEncodable, match="the recursion of|loops inside of one another|a long loop"):
        capture(function, [x], {}, {})


def test_the_number_of_calls_of_functions_that_have_not_ended_is_bounded():
    with pytest.raises(NotEncodable, match="the recursion of fibonacci: more than 300 calls"):
        capture(ENDLESS["counted by data"], [np.array([6.0])], {}, {})


def test_recursion_that_ends_by_itself_is_captured():
    x = np.arange(1.0, 8.0)
    optimized = egc.optimize(lambda x: below(x, 0))
    np.testing.assert_allclose(optimized(x), below(x, 0))
    assert not optimized.statistics.reasons


def test_loops_are_not_nested_without_end():
    lines = ["def deep(x):", "    s = 0.0"]
    lines += ["    " * (k + 1) + f"for i{k} in range(len(x)):" for k in range(16)]
    lines += ["    " * 17 + "s += x[i15]", "    return s"]
    scope: dict = {}
    exec("\n".join(lines), scope)
    with pytest.raises(NotEncodable, match="loops inside of one another"):
        capture(scope["deep"], [np.ones(5000)], {}, {})
