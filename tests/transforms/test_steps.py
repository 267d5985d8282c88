"""Iterations of short loops are put together, with the rest one by one; a few are all written out."""

from __future__ import annotations

import numpy as np
import pytest

import egc
from egc.capture import capture
from egc.pipeline import evaluate_reference
from egc.ranges import ranges_of
from egc.transforms import simplify
from egc.transforms.steps import LAW, unrolled
from egc.transforms.tidy import tidy
from tests.transforms.support import assert_computes_the_same, loops_of, parsed


def recurrence(a, x):
    for i in range(len(x)):
        a = x[i] - 0.5 * np.sin(a)
    return a


def written(a, x):
    y = np.zeros(len(x))
    for i in range(len(x) - 1, 0, -1):
        a = x[i] - 0.5 * np.sin(a)
        y[i - 1] = a
    return y


def nested(a, x):
    for i in range(len(x)):
        for j in range(i):
            a = x[j] - 0.5 * np.sin(a)
    return a


def captured(function):
    return simplify(capture(function, [0.7, np.ones(5)], {}, {}).program, evaluate_reference)


def form_of(program):
    (loop,) = loops_of(program)
    found = unrolled(loop, ranges_of(program), frozenset([LAW]))
    if found is None:
        return None
    return tidy(program.with_outputs(found.results[node.params["index"]] for node in program.outputs))


@pytest.mark.parametrize("function", [recurrence, written], ids=lambda function: function.__name__)
def test_four_iterations_are_one_and_the_rest_come_after(function):
    program = captured(function)
    form = form_of(program)
    assert len(loops_of(form)) == 2
    for n in (1, 2, 3, 4, 5, 8, 11):
        assert_computes_the_same(program, form, [0.7, np.random.default_rng(n).normal(size=n)])


def test_iterations_with_library_calls_stay_alone():
    """Four of them would have arrays of their own for what each makes in turn in the same memory."""

    def summed(total, points, h):
        for z in points:
            total = total + np.linalg.inv(z * np.eye(3) + h)
        return total

    given = [np.zeros((3, 3)), np.ones(5), np.zeros((3, 3))]
    program = simplify(capture(summed, given, {}, {}).program, evaluate_reference)
    assert form_of(program) is None


def test_iterations_that_read_what_they_write_stay_alone():
    """Backends that change nothing in place would copy the array between the writes of four of them."""

    def filtered(a, x):
        y = x.copy()
        for i in range(1, len(x)):
            y[i] = np.sin(a * y[i - 1]) + x[i]
        return y

    assert form_of(captured(filtered)) is None


def test_few_iterations_are_written_out():
    program = parsed(
        """f(a: f64[], x: f64[3]) -> %2
             %0 = constant() {dtype=i64, shape=(), value=3} : i64[]
             %1 = loop(%0, a, x) {counted=True, states=1} : (f64[])
               update(_i1: size i64[], _s1_0: f64[], _c1_0: f64[3]) -> %3
                 %0 = slice(_c1_0) {size=(1,), start=(_i1,), step=(1,)} : f64[1]
                 %1 = reshape(%0) {shape=()} : f64[]
                 %2 = sin(_s1_0) : f64[]
                 %3 = subtract(%1, %2) : f64[]
             %2 = item(%1) {index=0} : f64[]"""
    )
    form = form_of(program)
    assert not loops_of(form)
    assert_computes_the_same(program, form, [0.7, np.arange(3.0)])


def test_loops_of_loops_are_not_put_together():
    assert form_of(captured(nested)) is None


@pytest.mark.parametrize("backend", ["reference", "numba", "jax"])
@pytest.mark.parametrize("function", [recurrence, written, nested], ids=lambda function: function.__name__)
def test_what_is_chosen_gives_what_the_loop_gave(function, backend):
    optimized = egc.optimize(function, backend=backend)
    for n in (100, 1, 2, 3, 4, 5, 6, 7, 8):
        x = np.random.default_rng(n).normal(size=n)
        np.testing.assert_allclose(optimized(0.7, x), function(0.7, x), rtol=1e-9)


def test_iterations_are_put_together_where_the_compiler_does_not_do_it():
    x = np.ones(1000)
    for backend, chosen in (("jax", True), ("numba", False), ("reference", False)):
        steps = egc.optimize(recurrence, backend=backend).explain(0.7, x).steps
        assert (LAW in {step.rule for step in steps}) == chosen
