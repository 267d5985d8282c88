"""Functions with many branches: what is captured grows with their length, not with the number of ways through them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import egc
from egc.capture import capture
from egc.capture.interpreter import Interpreter
from tests.capture.test_flow import assert_same


def alternatives(count: int) -> str:
    tests = " and ".join(f"(x[{k % 4}] > t or y[{k % 3}] < {k}.5)" for k in range(count))
    return f"    t = y[1] - 0.2\n    if {tests}:\n        t = x[1]\n    else:\n        y[0] = t\n    return t\n"


def ways_out_of_a_loop(count: int) -> str:
    lines = ["    t = 0.0 * x[0]", "    for i in range(len(x)):"]
    for k in range(count):
        lines += [
            f"        if x[i] > {k}.0 + t:", "            if y[i] > t:", "                break", "            t = t + 1.0",
            f"        elif y[i] < -{k}.0:", "            continue", "        t = t + 0.25 * y[i]",
        ]  # fmt: skip
    return "\n".join([*lines, "    return t", ""])


def ways_out_of_iterations_one_by_one(count: int) -> str:
    """A list that grows: the iterations are gone through."""
    lines = ["    t, found = 0.0, []", "    for e in x:"]
    for k in range(count):
        lines += [
            f"        if e > {k}.0 + t:",
            "            t = t + e",
            "            continue",
            f"        t = t - 0.{k}1",
        ]
    return "\n".join(
        [*lines, "        if t > 50.0:", "            break", "    found.append(t)", "    return found[0]", ""]
    )


def late_returns(count: int) -> str:
    lines = ["    t = 0.0 * x[0]"]
    for k in range(count):
        lines += [f"    if x[{k % 4}] > {k} + t:", f"        return t + {k}.0", f"    t = t + y[{k % 4}]"]
    return "\n".join([*lines, "    return t", ""])


FORMS = [alternatives, ways_out_of_a_loop, ways_out_of_iterations_one_by_one, late_returns]


def function(form: Callable[[int], str], count: int) -> Callable[..., Any]:
    namespace: dict[str, Any] = {"np": np}
    exec(f"def f(x, y):\n{form(count)}", namespace)
    return namespace["f"]


@pytest.mark.parametrize("form", FORMS)
def test_what_is_captured_grows_with_the_length_of_the_function(form, monkeypatch):
    steps = []
    run = Interpreter.run

    def counted(machine, *arguments):
        found = run(machine, *arguments)
        steps.append(machine.statements)
        return found

    monkeypatch.setattr(Interpreter, "run", counted)
    for count in (4, 8, 16):
        capture(function(form, count), (np.linspace(-1.0, 2.0, 5), np.linspace(1.0, 0.0, 5)))
    assert steps[2] < 3 * steps[1] < 9 * steps[0]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("count", [3, 7])
def test_every_way_through_many_branches_means_what_it_does(form, count):
    draw = np.random.default_rng(count)
    for scale in (0.3, 1.0, 3.0, 10.0):
        assert_same(function(form, count), scale * draw.normal(size=5), draw.normal(size=5))


def test_a_loop_whose_body_raises_raises_only_where_it_runs():
    def f(x, y):
        for _ in range(int(abs(x[0]))):
            y[5] = 1.0
        for _ in range(len(y) - 3):
            y[-4] = 2.0
        return x.sum()

    for first in (0.5, 1.5):
        for length in (2, 3, 4):
            optimized = egc.optimize(f, backend="reference", rules=[])
            outcomes = []
            for call in (f, optimized):
                given = np.array([first, 1.0]), np.ones(length)
                try:
                    outcomes.append((call(*given), given))
                except IndexError:
                    outcomes.append((IndexError, given))
            np.testing.assert_equal(outcomes[1], outcomes[0])
            assert first > 1 or not optimized.statistics.as_written
