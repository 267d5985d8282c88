"""Two loops change places where nothing is needed later in the one and earlier in the other."""

from __future__ import annotations

import numpy as np
import pytest

import egc
from egc.capture import capture
from egc.pipeline import evaluate_reference
from egc.ranges import ranges_of
from egc.transforms import simplify
from egc.transforms.interchange import LAW, interchanged
from egc.transforms.tidy import tidy
from tests.transforms.support import assert_computes_the_same, loops_of

BACKENDS = ["numba", pytest.param("reference", marks=pytest.mark.slow), pytest.param("jax", marks=pytest.mark.slow)]


def down(a, x):
    y = x.copy()
    for j in range(x.shape[1]):
        for i in range(1, x.shape[0]):
            y[i, j] = y[i, j] - a * np.tanh(y[i - 1, j])
    return y


def down_and_right(a, x):
    y = x.copy()
    for j in range(1, x.shape[1]):
        for i in range(1, x.shape[0]):
            y[i, j] = y[i, j] - a * np.tanh(y[i - 1, j]) + 0.1 * y[i, j - 1] + 0.01 * y[i - 1, j - 1]
    return y


def weighted(a, x):
    """What the outer loop does before the inner one is done in both."""
    y, w = x.copy(), np.zeros(x.shape[1])
    for j in range(x.shape[1]):
        scale = np.exp(-a * j)
        for i in range(1, x.shape[0]):
            y[i, j] = np.sin(y[i - 1, j]) * scale + x[i, j]
            w[j] = w[j] * a + y[i, j]
    return y, w


def backwards(a, x):
    y = x.copy()
    for j in range(x.shape[1] - 1, -1, -1):
        for i in range(x.shape[0] - 2, -1, -1):
            y[i, j] = y[i, j] - a * np.tanh(y[i + 1, j])
    return y


def deep(a, x):
    y = np.zeros((x.shape[0], x.shape[1], 3))
    for j in range(1, x.shape[1]):
        for i in range(1, x.shape[0]):
            for k in range(x.shape[0]):
                y[i, j, 0] = np.tanh(y[i, j, 0] + y[i - 1, j, 0] - 0.1 * y[i, j - 1, 0]) + x[k, j]
    return y


def shared(a, x):
    """Threads may share the iterations of the outer loop."""
    y = np.zeros((x.shape[0], x.shape[1], 3))
    for j in range(x.shape[1]):
        for i in range(1, x.shape[0]):
            for k in range(x.shape[0]):
                y[i, j, 0] = np.tanh(y[i, j, 0] + y[i - 1, j, 0]) + x[k, j]
    return y


def up_and_right(a, x):
    y = x.copy()
    for i in range(1, x.shape[0]):
        for j in range(x.shape[1] - 1):
            y[i, j] = y[i, j] - a * np.tanh(y[i - 1, j + 1])
    return y


def read_before_it_is_written(a, x):
    y = x.copy()
    for i in range(x.shape[0] - 1):
        for j in range(1, x.shape[1]):
            y[i, j] = np.tanh(y[i, j]) - a * y[i + 1, j - 1]
    return y


def triangle(a, x):
    y = x.copy()
    for j in range(x.shape[1]):
        for i in range(min(j, x.shape[0])):
            y[i, j] = y[i, j] - a * np.tanh(y[i - 1, j])
    return y


def carried(a, x):
    y, s = x.copy(), a
    for j in range(x.shape[1]):
        for i in range(x.shape[0]):
            s = np.tanh(s) + x[i, j]
            y[i, j] = s
    return y


def same_place(a, x):
    """Each iteration writes over what the one before wrote."""
    y = x.copy()
    for j in range(x.shape[1]):
        for i in range(x.shape[0]):
            y[0, 0] = np.tanh(y[0, 0]) * x[i, j]
    return y


def more_than_one_loop(a, x):
    y = x.copy()
    for j in range(x.shape[1]):
        for i in range(1, x.shape[0]):
            y[i, j] = y[i, j] - a * np.tanh(y[i - 1, j])
        y[0, j] = y[x.shape[0] - 1, j]
    return y


CHANGED = [down, down_and_right, weighted, backwards, deep]
KEPT = [up_and_right, read_before_it_is_written, triangle, carried, shared, same_place, more_than_one_loop]
LAWS = frozenset([LAW, "separate_writes_are_one", "accumulation_is_reduction"])


def program_of(function):
    return simplify(capture(function, [0.7, np.ones((4, 5))], {}, {}).program, evaluate_reference)


def forms(program):
    for loop in loops_of(program):
        for found in interchanged(loop, ranges_of(program), LAWS):
            places = [node for node in program.outputs if node.op == "item" and node.inputs[0] is loop]
            values = [found.results[node.params["index"]] for node in places]
            yield program.with_outputs(places), tidy(program.with_outputs(values))


@pytest.mark.parametrize("function", CHANGED, ids=lambda function: function.__name__)
def test_loops_change_places(function):
    program = program_of(function)
    found = list(forms(program))
    assert found
    for before, after in found:
        for shape in ((4, 5), (1, 3), (3, 1), (2, 2), (6, 3)):
            assert_computes_the_same(before, after, [0.7, np.random.default_rng(1).normal(size=shape)])


@pytest.mark.parametrize("function", KEPT, ids=lambda function: function.__name__)
def test_loops_that_may_not_change_places_stay(function):
    assert not list(forms(program_of(function)))


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("function", [*CHANGED, *KEPT], ids=lambda function: function.__name__)
def test_what_is_chosen_gives_what_the_nest_gave(function, backend):
    optimized = egc.optimize(function, backend=backend)
    for shape in ((40, 30), (1, 3), (3, 1), (2, 2)):
        x = np.random.default_rng(2).normal(size=shape)
        ours, theirs = optimized(0.7, x), function(0.7, x)
        for left, right in zip(ours, theirs) if isinstance(theirs, tuple) else [(ours, theirs)]:
            np.testing.assert_allclose(left, right, rtol=1e-9, atol=1e-12)


def test_the_inner_loop_walks_along_rows_where_that_is_cheaper():
    x = np.ones((300, 400))
    for function in (down, down_and_right):
        assert LAW in {step.rule for step in egc.optimize(function).explain(0.7, x).steps}


def sums(x):
    total = 0.0
    for j in range(x.shape[1]):
        for i in range(x.shape[0]):
            total += x[i, j]
    return total


def test_an_accumulation_over_both_loops_rounds_otherwise():
    program = simplify(capture(sums, [np.ones((4, 5))], {}, {}).program, evaluate_reference)
    (loop,) = loops_of(program)
    found = list(interchanged(loop, ranges_of(program), frozenset([LAW])))
    assert found and all(form.rounded for form in found)
