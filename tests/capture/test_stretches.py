"""Slices whose bounds depend on data: what is captured means what NumPy does, and is captured."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest

import egc
from egc import ir


def sums(x, places):
    found = np.zeros(len(places) - 1)
    for i in range(len(places) - 1):
        found[i] = x[places[i] : places[i + 1]].sum() * 2.0
    return found


def updated(x, places):
    for i in range(len(places)):
        x[places[i] :] += 1.5
        x[: places[i]] = x[: places[i]] * 0.5 + 1.0


def shifted(x, places):
    for i in range(len(places)):
        x[places[i] :] = x[: len(x) - places[i]]


def reductions(x, places):
    found = 0.0
    for i in range(len(places)):
        part = x[places[i] : places[i] + 3]
        if len(part) > 0:
            found += part.max() - np.min(part) + np.argmax(part) * 0.1 + part.argmin() + part.mean() + np.prod(part)
    return found


def views(x, places):
    for i in range(len(places)):
        part = x[places[i] : places[i] + 2]
        part *= 0.5
        part += i
    return x


def with_steps(x, places):
    for i in range(len(places)):
        x[places[i] :: abs(places[i]) + 1] = 7.0 + i


def gone_through(x, places):
    found = 0.0
    for i in range(len(places)):
        for e in x[: places[i]]:
            found = found * 0.5 + e
        for k, e in enumerate(x[places[i] :]):
            found += k * e
    return found


def compared(x, places):
    found = 0
    for i in range(len(places)):
        if np.any(x[places[i] :] > 1.0):
            found += 1
        if (x[: places[i]] < 0).all():
            found += 10
    return found


def from_the_end(x, places):
    found = 0.0
    for i in range(len(places)):
        found += x[-places[i] - 1 :].sum() + x[places[i] : -1].sum()
    return found


def products(x, places):
    found = 0.0
    for i in range(len(places)):
        found += x[: places[i]] @ x[: places[i]] + np.dot(x[places[i] :], x[: len(x) - places[i]][::1])
    return found


def items(x, places):
    found = 0.0
    for i in range(len(places)):
        part = x[places[i] :]
        if len(part) > 2:
            found += part[0] - part[-1] * part[2]
    return found


def in_pairs(x, places):
    found = 0.0
    for i in range(len(places)):
        for k, (a, b) in enumerate(zip(x[places[i] :], x[: abs(places[i])])):
            found += k * a - b
        for a, b in zip(range(abs(places[i])), x):
            found += a * b
    return found


def rows_by_masks(table, labels):
    found = np.zeros((3, table.shape[1]))
    for c in range(3):
        members = table[labels == c]
        if len(members) > 0:
            found[c] = members.mean(axis=0) + members.sum(axis=0)
    return found


def masks_in_rows(table, labels):
    kept, total = labels > 0, np.zeros(len(labels))
    for t in range(table.shape[1]):
        total[kept] += t * np.cos(table.T[t, kept])
        kept &= total < 2.0
    return total


def neighbours(x):
    found = np.zeros(len(x))
    for i in range(len(x)):
        found[i] = x[max(i - 1, 0) : min(i + 2, len(x))].max()
    return found


def chosen(x, places):
    found = 0.0
    for i in range(len(places)):
        found += x[places[: abs(places[i]) % 3]].sum()
    return found


def first_ones(x, least):
    places = np.zeros(len(x), dtype=np.int64)
    count = 0
    for i in range(len(x)):
        if x[i] > least:
            places[count] = i
            count += 1
    return places[:count]


def where_large(x, least):
    return np.flatnonzero(x > least)


def without_a_loop(x):
    k = int(abs(x[0]) * 10) % 5
    return x[:k].sum(), x[k:].prod(), x[k:].any()


def halves(x, lengths):
    """Sums and differences of pairs take the places of what they are computed from."""
    for n in lengths:
        sums, differences = x[:n:2] + x[1:n:2], x[:n:2] - x[1:n:2]
        x[: n // 2] = sums
        x[n // 2 : n // 2 * 2] = differences
    return x[0]


def beside(x, lengths):
    """One slice is put beside itself, in loops and branches."""
    total = 0.0
    for n in lengths:
        part = x[:n] * 2
        x[1 : n + 1] = part
        if n > 4:
            other = x[:n] * x[0]
            x[1 : n + 1] = other
            x[:n] = other - 1
        total += part.sum()
    return total


X = np.random.default_rng(0).normal(size=8)
PLACES = np.array([2, 0, 5, 8, 9, -3, -20])
TABLE = np.random.default_rng(1).normal(size=(7, 2))
LABELS = np.array([0, 2, 0, 2, 2, 5, 0])
WITH_PLACES = [
    updated, reductions, views, with_steps, gone_through, compared, from_the_end, chosen, items, in_pairs,
]  # fmt: skip
CASES = [
    *[(f, (X, PLACES)) for f in WITH_PLACES], *[(f, (TABLE, LABELS)) for f in (rows_by_masks, masks_in_rows)],
    (sums, (X, np.array([0, 3, 3, 8]))), (shifted, (X, np.array([2, 0, 5]))), (neighbours, (X,)), (first_ones, (X, 0.1)),
    (halves, (X, np.array([8, 2, 0, 4]))), (beside, (X, np.array([7, 2, 0, 5, 6]))),
    (first_ones, (X, 9.0)), (where_large, (X, 0.1)), (without_a_loop, (X,)), (products, (X, np.array([2, 0, 5, 8]))),
]  # fmt: skip


@pytest.mark.parametrize("backend", ["numba", pytest.param("reference", marks=pytest.mark.slow)])
@pytest.mark.parametrize("function, arguments", CASES)
def test_slices_with_bounds_of_data(function, arguments, backend):
    optimized = egc.optimize(function, backend=backend)
    theirs, ours = copy.deepcopy(arguments), copy.deepcopy(arguments)
    expected, found = function(*theirs), optimized(*ours)
    assert not optimized.statistics.reasons
    assert optimized.statistics.as_written == 0
    for a, b in zip(leaves((found, ours)), leaves((expected, theirs)), strict=True):
        assert type(a) is type(b)
        np.testing.assert_allclose(a, b, rtol=1e-12)


def test_the_first_element_of_none_is_not_looked_at():
    """Memory of places that holds none of them is not an index out of bounds, whatever is in it."""
    plan = egc.optimize(rows_by_masks, backend="reference").plan(TABLE, LABELS)
    assert not plan.captured.checks


def leaves(value: Any) -> list[Any]:
    if isinstance(value, tuple):
        return [leaf for part in value for leaf in leaves(part)]
    return [] if value is None else [value]


def changed_under_it(x, places):
    part = x[places[0] :]
    x[-1] = 5.0
    return part.sum()


def two_names(x, places):
    part = x[places[0] :] * 2.0
    other = part
    part += 1.0
    return other.sum()


def lengths_differ(x, places):
    return (x[: places[0]] + x[places[0] :]).sum()


def empty(x, places):
    return x[9 + places[0] :].max()


@pytest.mark.parametrize("function", [changed_under_it, two_names, lengths_differ, empty])
def test_what_cannot_be_captured_runs_as_written(function):
    optimized = egc.optimize(function)
    for _ in range(2):
        theirs, ours = X.copy(), X.copy()
        outcomes = []
        for call, x in ((function, theirs), (optimized, ours)):
            try:
                outcomes.append(call(x, PLACES))
            except ValueError as error:
                outcomes.append(type(error))
        assert outcomes[0] == outcomes[1]
        np.testing.assert_array_equal(ours, theirs)


def collatz(n):
    steps = 0
    while n != 1:
        n = n // 2 if n % 2 == 0 else 3 * n + 1
        steps += 1
    return steps


def squares_below(x):
    p = 2
    while p * p < len(x):
        x[p * p :: p] = 0.0
        p += 1
    return x.sum()


def test_long_loops_on_sizes_are_loops():
    optimized = egc.optimize(squares_below)
    for n in (1000, 1500):
        assert optimized(np.ones(n)) == squares_below(np.ones(n))
    assert optimized.statistics.compilations == 1
    assert egc.optimize(collatz)(27) == collatz(27)


def test_what_is_written_over_needs_no_copy_of_the_whole():
    def halved(x):
        n = len(x)
        while n > 1:
            means = (x[:n:2] + x[1:n:2]) * 0.5
            n //= 2
            x[:n] = means

    code = egc.optimize(halved, backend="numba").plan(np.arange(64.0)).compiled.code
    (iteration,) = code.split("while True:")[1:]
    assert "range(x" in iteration and "range(n0)" not in iteration.split("def ")[0]


def added_beside(x, starts):
    for s in starts:
        x[s + 1 : s + 4] = x[s : s + 3] + x[s + 1 : s + 4]
    return x


def ops_of(program):
    for node in program.nodes():
        yield node.op
        for _, region in ir.regions(node):
            yield from ops_of(region)


@pytest.mark.parametrize(
    "function, given",
    [
        (lambda mask: np.flatnonzero(mask), (np.array([True, False, True, True]),)),
        (lambda mask: np.flatnonzero(mask).sum(), (np.array([1.0, 0.0, 3.0]),)),
        (added_beside, (np.arange(9.0), np.array([1, 4, 0]))),
    ],
)
def test_memory_of_what_is_kept_is_not_blank(function, given):
    """Places, and what is written beside what it is read from, need no zeros before: each element is written, then read."""
    assert "empty" in set(ops_of(egc.optimize(function, rules=[], backend="reference").plan(*given).program))
    for arguments in (given, tuple(0 * each for each in given)):
        ours, theirs = copy.deepcopy(arguments), copy.deepcopy(arguments)
        np.testing.assert_array_equal(egc.optimize(function)(*ours), function(*theirs))
        np.testing.assert_array_equal(ours[0], theirs[0])


def test_bounds_and_derivatives_through_what_is_kept():
    x, starts = np.arange(9.0), np.array([1, 4, 0])
    bounds = egc.interval(added_beside)(egc.Interval(x, x + 0.5), starts)
    assert bounds.contains(added_beside(x.copy(), starts)).all() and np.all(bounds.high - bounds.low <= 4.0)

    def weighted(x, s):
        y = x * 1.0
        y[s + 1 : s + 4] = y[s : s + 3] * y[s + 1 : s + 4]
        return y @ np.linspace(0.0, 1.0, 9)

    egc.check_grads(weighted, (x, 2), argnums=0, order=1)
