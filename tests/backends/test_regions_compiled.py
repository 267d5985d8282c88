"""Compiled loops and branches: their callers, the cache, calls of libraries and sizes that are arguments."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from numba import njit

import egc
from egc import sizes
from egc.backends.numba import BACKEND, driver
from egc.backends.reference import BACKEND as REFERENCE
from egc.ir import Program, make
from egc.text import print_program

from .test_regions import (
    A,
    B,
    N,
    add,
    agree,
    argument,
    at,
    cond,
    filled,
    inner,
    loop,
    number,
    part,
    put,
    put_part,
    size,
    vectors,
)


def running_sums():
    x = argument("x", "f64[n]")
    body = lambda i, y, s: (put(y, add(at(y, A), s), A), add(s, at(y, A)))  # noqa: E731
    return Program((x,), loop(1, size(N), [x, number(0.0)], body))


def test_compiled_code_calls_loops():
    raw = BACKEND.compile(running_sums()).raw

    @njit
    def total(x):
        y, s = raw(x)
        return y.sum() + s

    assert total(np.array([1.0, 2.0, 4.0])) == 1 + 3 + 7 + 7


LATER = """
import json, os, sys
import numpy as np
from numba.core import event
from egc.backends.numba import BACKEND, driver
from egc.text import parse_program

compiled = event.RecordingListener()
event.register("numba:run_pass", compiled)
y, s = BACKEND.compile(parse_program(sys.argv[1])).run(np.array([1.0, 2.0, 4.0]))
print(json.dumps([y.tolist(), s.item(), len(compiled.buffer)]))
"""


def test_a_later_process_compiles_no_loops(tmp_path):
    text = print_program(running_sums())
    environment = {**os.environ, "EGC_CACHE_DIR": str(tmp_path)}
    found = []
    for _ in range(2):
        command = [sys.executable, "-c", LATER, text]
        made = subprocess.run(command, capture_output=True, text=True, env=environment)
        assert made.returncode == 0, made.stderr
        found.append(json.loads(made.stdout))
    assert found[0][2] > 0
    assert found[1] == [[1.0, 3.0, 7.0], 7.0, 0]


def test_loops_beside_calls_that_stay_in_python():
    a, x = argument("a", "f64[n, n]"), argument("x", "f64[n]")
    values = make("absolute", make("eigvals", add(a, make("transpose", a, axes=(1, 0)))))
    states = loop(1, size(5), [x, values], lambda i, x, y: (y, add(x, y)))
    program = Program((a, x), states)
    compiled = BACKEND.compile(program)
    assert compiled.native is None
    rng = np.random.default_rng(0)
    for n in (1, 4):
        given = rng.normal(size=(n, n)), rng.normal(size=n)
        for mine, theirs in zip(compiled.run(*given), REFERENCE.compile(program).run(*given), strict=True):
            np.testing.assert_allclose(mine, theirs, rtol=1e-9)


def test_products_with_vectors_turned_around():
    x = argument("x", "f64[n]")

    def body(i, y, x):
        turned = make("slice", y, start=(A,), size=(A + 1,), step=(-1,))
        return put(y, make("matmul", turned, part(x, (0, A + 1))), A)

    agree([x], loop(1, size(N), [x], body, [x]), *vectors(1, 2, 9))


@pytest.mark.parametrize("shift", [-2, -1, 0, 1, 2])
def test_shifts_by_integers_that_are_arguments(shift):
    x, k = argument("x", "f64[n]"), argument("k", "i64")
    at_k = sizes.symbol("k")

    def body(i, x):
        return put_part(x, add(part(x, (2 + at_k, N - 4)), part(x, (2, N - 4))), 2)

    states = loop(1, size(3), [x], body)
    program = Program((x, k), states, size_inputs=frozenset(["k"]))
    values = np.random.default_rng(0).normal(size=12)
    (mine,), (theirs,) = (backend.compile(program).run(values, np.array(shift)) for backend in (BACKEND, REFERENCE))
    np.testing.assert_allclose(mine, theirs, rtol=1e-12)


def test_numbers_of_one_function_that_the_next_one_reads(monkeypatch):
    monkeypatch.setattr(driver, "MOST_WEIGHT", 50)
    x = argument("x", "f64[n]")
    first = [make("sum", make("multiply", x, filled(k / 20, N)), axes=(0,)) for k in range(20)]
    products = [make("multiply", a, b) for a, b in zip(first, first[1:])]
    while len(products) > 1:
        products = [make("add", a, b) for a, b in zip(products[::2], products[1::2])] + products[
            len(products) // 2 * 2 :
        ]
        products = [make("sin", product) for product in products]
    assert BACKEND.compile(Program((x,), tuple(products))).code.count("loops_") > 2
    agree([x], products, *vectors(3, 20))


def test_copies_of_two_arrays_do_not_take_the_places_of_each_other():
    x, y = argument("x", "f64[n]"), argument("y", "f64[n]")

    def shifted(i, x, y):
        return put(x, at(y, B), B + 1), put(y, at(x, B), 0)

    def both(x, y):
        later, other = loop(2, size(N - 1), [x, y], shifted)
        return later, add(other, make("sin", x))

    positive = make("less", number(0.0), at(x, 0))
    found = cond(1, positive, both, lambda x, y: (x, y), [x, y])
    agree([x, y], found, *[(abs(a), b) for a, b in vectors(2, 5, count=2)])


def test_an_element_of_a_number_seen_as_an_array_of_length_1_is_that_number():
    x, k = argument("x", "f64[1]"), argument("k", "i64")

    def body(i, total, value, k):
        seen = make("reshape", value, shape=(1,))
        return add(total, make("gather", seen, make("add", k, size(A)), axes=(0,), mode="raise"))

    value = make("sin", at(x, 0))
    states = loop(1, size(1), [number(0.0)], body, [value, k])
    agree([x, k], states, (np.array([0.5]), np.array(0)), (np.array([0.5]), np.array(-1)))
    with pytest.raises(IndexError):
        BACKEND.compile(Program((x, k), states)).run(np.array([0.5]), np.array(1))


def rows_by_three(last):
    """Three rows of a matrix in each iteration, of which one nest makes two: the last one at a place from the first."""
    x, out = argument("x", "f64[m]"), argument("out", "f64[n, m]")

    def body(i, x, out):
        second = make("sin", add(x, x))
        third = make("sin", add(second, second))
        for row, place in ((x, 0), (second, 1), (third, last)):
            out = put_part(out, make("reshape", row, shape=(1, *row.type.shape)), 3 * A + place, 0)
        return add(third, second), out

    return x, out, loop(1, size(sizes.floordiv(N, 3)), [x, out], body)


@pytest.mark.parametrize("last", [2, 1, 0])
def test_rows_that_one_nest_writes_one_after_the_other_lie_in_one_array(last):
    x, out, states = rows_by_three(last)
    given = [(np.ones(m), np.zeros((n, m))) for n, m in ((3, 3), (8, 1), (6, 20))]
    compiled = agree([x, out], states, *given)
    assert inner(compiled).count("for i0") == 3


def test_rows_that_one_nest_writes_at_places_by_data_keep_their_order():
    x, out, k = argument("x", "f64[m]"), argument("out", "f64[n, m]"), argument("k", "i64")
    M, at_k = out.type.shape[1], sizes.symbol("k")

    def body(i, x, out):
        new = make("sin", add(x, x))
        row, next_row = (make("reshape", each, shape=(1, M)) for each in (x, new))
        return new, put_part(put_part(out, row, A, 0), next_row, at_k, 0)

    program = Program((x, out, k), loop(1, size(3), [x, out], body), size_inputs=frozenset(["k"]))
    for place in range(4):
        given = np.ones(5), np.zeros((4, 5)), np.array(place)
        for mine, theirs in zip(BACKEND.compile(program).run(*given), REFERENCE.compile(program).run(*given)):
            np.testing.assert_allclose(mine, theirs, rtol=1e-12)


def tails(A):
    out = np.zeros(len(A))
    for k in range(len(A)):
        v = A[k:, k].copy()
        if v[0] > 0:
            w = A[k:, k:] @ v
            w = np.sqrt(np.abs(A[k:, k:] @ w)) - w
        else:
            w = np.zeros(len(v))
        u = A[k:, k:] @ v
        out[k] = w @ (u + A[k:, k:] @ u)
    return out


def test_what_a_branch_makes_lives_as_long_as_the_iteration_that_reads_it():
    """An array of a length that changes with the iteration, made in a branch in memory that later library calls would take."""
    optimized = egc.optimize(tails, rules=[])
    for side in (5, 20):
        A = np.random.default_rng(side).normal(size=(side, side))
        np.testing.assert_allclose(optimized(A), tails(A), rtol=1e-10)
