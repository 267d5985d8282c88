"""Loops of one range are one loop where the second reads, and writes, nothing that the first touches later."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

import egc
from egc.capture import capture
from egc.pipeline import evaluate_reference
from egc.ranges import ranges_of
from egc.transforms import simplify
from egc.transforms.fuse import fusions, separated
from egc.transforms.tidy import tidy
from tests.sampling import crossed as pairs
from tests.transforms.support import assert_computes_the_same, loops_of


def apart(a, x):
    s, t = a, a
    for i in range(len(x)):
        s = np.tanh(s) + x[i]
    for j in range(len(x)):
        t = np.sin(t) - x[j]
    return s, t


def read_as_written(a, x):
    y, s, t = np.zeros(len(x)), a, a
    for i in range(len(x)):
        s = np.tanh(s) + x[i]
        y[i] = s
    for i in range(len(x)):
        t = np.sin(t) * y[i]
    return t, y


def read_behind(a, x):
    y, s, t = np.zeros(len(x) + 2), a, a
    for i in range(len(x)):
        s = np.tanh(s) + x[i]
        y[i + 2] = s
    for i in range(len(x)):
        t = np.sin(t) * y[i] + y[i + 1]
    return t


def read_ahead(a, x):
    y, s, t = np.zeros(len(x) + 1), a, a
    for i in range(len(x)):
        s = np.tanh(s) + x[i]
        y[i] = s
    for i in range(len(x)):
        t = np.sin(t) * y[i + 1]
    return t


def read_whole(a, x):
    y, s, t = np.zeros(len(x)), a, a
    for i in range(len(x)):
        s = np.tanh(s) + x[i]
        y[i] = s
    for _ in range(len(x)):
        t = np.sin(t) * np.mean(y)
    return t


def total_read(a, x):
    s, t = a, a
    for i in range(len(x)):
        s = np.tanh(s) + x[i]
    for _ in range(len(x)):
        t = np.sin(t) * s
    return t


def read_between(a, x):
    y, s, t = np.zeros(len(x)), a, a
    for i in range(len(x)):
        s = np.tanh(s) + x[i]
        y[i] = s
    mean = np.mean(y)
    for i in range(len(x)):
        t = np.sin(t) * (y[i] - mean)
    return t


def backwards(a, x):
    y, s, t = np.zeros(len(x)), a, a
    for i in range(len(x) - 1, -1, -1):
        s = np.tanh(s) + x[i]
        y[i] = s
    for i in range(len(x) - 1, -1, -1):
        t = np.sin(t) * y[i]
    return t


def turned_around(a, x):
    y, s, t = np.zeros(len(x)), a, a
    for i in range(len(x)):
        s = np.tanh(s) + x[i]
        y[i] = s
    for i in range(len(x) - 1, -1, -1):
        t = np.sin(t) * y[i]
    return t


def updated_twice(a, x):
    y, s, t = x.copy(), a, a
    for i in range(len(x)):
        s = np.tanh(s) + y[i]
        y[i] = s
    for i in range(len(x)):
        t = np.sin(t) * y[i]
        y[i] = t
    return y


def updated_behind(a, x):
    y, s, t = np.concatenate((x, x[:1])), a, a
    for i in range(len(x)):
        s = np.tanh(s) + y[i + 1]
        y[i + 1] = s
    for i in range(len(x)):
        t = np.sin(t) * y[i]
        y[i] = t
    return y


def updated_where_the_first_reads(a, x):
    y, z, s, t = np.concatenate((x, x[:1])), np.zeros(len(x)), a, a
    for i in range(len(x)):
        s = np.tanh(s) + y[i]
        z[i] = s
        y[i] = 0.5 * s
    for i in range(len(x)):
        t = np.sin(t) + y[i]
        y[i + 1] = t
    return y, z


def rows(a, x):
    y, total, n = np.zeros((len(x), len(x))), np.zeros(len(x)), len(x)
    for i in range(n):
        for j in range(1, n):
            y[i, j] = np.tanh(y[i, j - 1]) + a * x[j]
    for i in range(n):
        for j in range(n):
            total[i] = np.sin(total[i]) + y[i, j]
    return total


def columns_of_rows(a, x):
    y, total, n = np.zeros((len(x), len(x))), np.zeros(len(x)), len(x)
    for i in range(n):
        for j in range(1, n):
            y[i, j] = np.tanh(y[i, j - 1]) + a * x[j]
    for i in range(n):
        for j in range(n):
            total[i] = np.sin(total[i]) + y[j, i]
    return total


def shared_and_not(a, x):
    """Threads may share the iterations of the first loop; nothing may be shared of one loop."""
    y, s = np.zeros(len(x)), a
    for i in range(len(x)):
        y[i] = np.tanh(x[i])
    for i in range(len(x)):
        s = np.sin(s) * y[i]
    return s


def three(a, x):
    s, t, u = a, a, a
    for i in range(len(x)):
        s = np.tanh(s) + x[i]
    for i in range(len(x)):
        t = np.sin(t) - x[i]
    for i in range(len(x)):
        u = np.cos(u) * x[i]
    return s, t, u


def selected(a, x):
    """Each loop may raise: which one does so first must stay."""
    s, t, k = a, a, np.argsort(x)
    for i in range(len(x)):
        s = np.tanh(s) + x[k[i]]
    for i in range(len(x)):
        t = np.sin(t) + x[k[i] - 1]
    return s, t


ONE = [apart, read_as_written, read_behind, backwards, updated_twice, updated_behind, rows, three]
SEVERAL = [
    read_ahead, read_whole, total_read, read_between, turned_around, updated_where_the_first_reads, columns_of_rows,
    shared_and_not, selected,
]  # fmt: skip


def program_of(function):
    return simplify(capture(function, [0.7, np.ones(5)], {}, {}).program, evaluate_reference)


def forms(program):
    for found in fusions(program, ranges_of(program)):
        yield tidy(program.with_outputs(found)), tidy(program.with_outputs(found.values()))


@pytest.mark.parametrize("function", ONE, ids=lambda function: function.__name__)
def test_loops_of_one_range_are_one(function):
    program = program_of(function)
    found = list(forms(program))
    assert len(loops_of(found[-1][1])) == 1 if function is not three else len(found) == 3
    for before, after in found:
        assert len(loops_of(after)) < len(loops_of(program))
        for n in (1, 2, 3, 7):
            assert_computes_the_same(before, after, [0.7, np.random.default_rng(n).normal(size=n)])


@pytest.mark.parametrize("function", SEVERAL, ids=lambda function: function.__name__)
def test_loops_that_are_not_one_stay(function):
    assert not list(forms(program_of(function)))


def test_an_array_between_two_loops_that_are_one_is_not_made():
    (after,) = (after for _, after in forms(program_of(read_behind)))
    assert [type.rank for type in loops_of(after)[0].type.items] == [1, 0, 0]
    (after,) = (after for _, after in forms(program_of(backwards)))
    assert [type.rank for type in loops_of(after)[0].type.items] == [0, 0]


def both(a, x):
    s, t = a, a
    for i in range(len(x)):
        s, t = np.tanh(s) + x[i], np.sin(t) - x[i]
    return s, t


def crossed(a, x):
    s, t = a, a
    for i in range(len(x)):
        s, t = np.tanh(t) + x[i], np.sin(s) - x[i]
    return s, t


def test_states_that_do_not_read_one_another_are_a_loop_each():
    program = program_of(both)
    (loop,) = loops_of(program)
    parts = separated(loop, frozenset(["independent_states_are_separate"]))
    assert [members for members, _ in parts] == [[0], [1]]
    assert separated(loops_of(program_of(crossed))[0], frozenset(["independent_states_are_separate"])) is None


@pytest.mark.parametrize(
    ("function", "backend"),
    [*product([*ONE, *SEVERAL], ["numba"]), *pairs([*ONE, *SEVERAL], ["jax", "reference"])],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_what_is_chosen_gives_what_the_loops_gave(function, backend):
    optimized = egc.optimize(function, backend=backend)
    for n in (200, 1, 2):
        x = np.random.default_rng(n).normal(size=n)
        ours, theirs = optimized(0.7, x), function(0.7, x)
        pairs = zip(ours, theirs) if isinstance(theirs, tuple) else [(ours, theirs)]
        for left, right in pairs:
            np.testing.assert_allclose(left, right, rtol=1e-9, atol=1e-12)


def test_results_of_loops_are_exchanged_together():
    for function in (apart, three, read_as_written):
        steps = egc.optimize(function).explain(0.7, np.ones(500)).steps
        assert [step.rule for step in steps] == ["equal_ranges_are_one_loop"]
