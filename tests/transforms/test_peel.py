"""First and last iterations that are unlike the others are taken out of a loop, however often it runs."""

from __future__ import annotations

import numpy as np
import pytest

import egc
from egc.capture import capture
from egc.pipeline import evaluate_reference
from egc.ranges import ranges_of
from egc.transforms import LOOP_LAWS, simplify
from egc.transforms.peel import peeled

from .support import ops_of

LAW = "end_iterations_are_peeled"


def first(x):
    y = np.zeros(len(x))
    for i in range(len(x)):
        if i == 0:
            y[i] = x[i]
        else:
            y[i] = x[i] - x[i - 1]
    return y


def both(x):
    n = len(x)
    y = np.zeros(n)
    for i in range(n):
        s = x[i]
        if i > 0:
            s += x[i - 1]
        if i < n - 1:
            s -= 2 * x[i + 1]
        y[i] = s
    return y


def both_in_turn(x):
    n = len(x)
    y = np.zeros(n)
    for i in range(n):
        if i == 0:
            y[i] = 7.0
        elif i == n - 1:
            y[i] = -7.0
        else:
            y[i] = x[i - 1] * x[i + 1]
    return y


def passed_over(x):
    n = len(x)
    y = x.copy()
    for i in range(n):
        if i == 0 or i == n - 1:
            continue
        y[i] = (x[i - 1] + x[i + 1]) / 2
    return y


def begun(x):
    level = 0.0
    for i in range(len(x)):
        level = x[i] if i == 0 else 0.5 * np.tanh(level) + x[i]
    return level


def finished(x):
    level, n = 0.1, len(x)
    for i in range(n):
        level = np.tanh(level) + x[i]
        if i == n - 1:
            level = level * level
    return level


FUNCTIONS = [first, both, both_in_turn, passed_over, begun, finished]


def inner(x):
    level = 0.0
    for i in range(len(x)):
        level = x[i] if i == 3 else 0.5 * np.tanh(level) + x[i]
    return level


def ended(x):
    level = 0.0
    for i in range(len(x)):
        level = x[i] if i == 0 else 0.5 * np.tanh(level) + x[i]
        if level > 2.0:
            break
    return level


def data(x):
    level = 0.0
    for i in range(len(x)):
        level = x[i] if x[i] > 0 else 0.5 * np.tanh(level) + x[i]
    return level


OTHERS = [inner, ended, data]


def forms(function):
    program = simplify(capture(function, [np.ones(9)], {}, {}).program, evaluate_reference)
    loops = [node for node in program.nodes() if node.op == "loop"]
    found = [peeled(loop, ranges_of(program), frozenset(LOOP_LAWS)) for loop in loops]
    return [each for each in found if each is not None]


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda f: f.__name__)
def test_ends_are_peeled(function):
    assert any(LAW in each.laws for each in forms(function))


@pytest.mark.parametrize("function", OTHERS, ids=lambda f: f.__name__)
def test_other_iterations_are_not(function):
    assert not forms(function)


@pytest.mark.parametrize("function", FUNCTIONS + OTHERS, ids=lambda f: f.__name__)
def test_a_loop_gives_what_it_gave(function):
    optimized = egc.optimize(function)
    rng = np.random.default_rng(1)
    for n in (500, 0, 1, 2, 3, 4):
        x = rng.normal(size=n)
        np.testing.assert_allclose(optimized(x), function(x), rtol=1e-13, err_msg=str(n))


def test_between_both_ends_stands_an_array_expression():
    (form,) = forms(both)
    branch = form.results[0].inputs[0]
    assert "loop" not in ops_of(branch.params["then"]) and "loop" in ops_of(branch.params["otherwise"])
    assert not {"cond", "less", "greater"} & set(ops_of(branch.params["then"]))
    assert LAW in {step.rule for step in egc.explain(both, np.ones(1000)).steps}
