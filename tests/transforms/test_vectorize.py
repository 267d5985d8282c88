"""A loop as an array expression computes what the loop computes, and a loop that is none stays a loop."""

from __future__ import annotations

import numpy as np
import pytest

from egc.capture import capture
from egc.check import check
from egc.egraph import explain_steps, optimize_program
from egc.pipeline import choose_rules, evaluate_reference, traced_rules
from egc.ranges import ranges_of
from egc.transforms import LOOP_LAWS, LoopLaws, simplify, tidy
from egc.transforms.forms import Forms
from egc.transforms.vectorize import vectorized

from ..egraph.support import TABLE
from .functions import ARRAYS, LOOPS, columns, largest, matrix_product, outer_products, total
from .support import assert_computes_the_same, ops_of


def name_of(case):
    return case[0].__name__


def arguments(shapes, rng, **sizes):
    lengths = {"n": 5, "m": 4, "k": 3, "2": 2, "3": 3, **sizes}
    return [rng.normal(size=[lengths[axis] for axis in shape]) for shape in shapes]


def captured(function, given):
    return simplify(check(capture(function, given, {}, {}).program), evaluate_reference)


def unrolled(function, given):
    p = captured(function, given)
    used = Forms([])
    return p, check(tidy(vectorized(p, ranges_of(p), used, frozenset(LOOP_LAWS)))), used


@pytest.mark.parametrize("case", ARRAYS, ids=name_of)
def test_loops_become_array_expressions_that_compute_the_same(case):
    function, *shapes = case
    rng = np.random.default_rng(1)
    p, found, used = unrolled(function, arguments(shapes, rng))
    assert "loop" not in ops_of(found)
    for sizes in ({}, {"n": 3, "m": 1, "k": 2}, {"n": 3, "m": 6}):
        given = arguments(shapes, rng, **sizes)
        assert_computes_the_same(p, found, given, exact=not used.rounded)
        expected = function(*given)
        expected = expected if isinstance(expected, tuple) else (expected,)
        for ours, theirs in zip(evaluate_reference(found, given), expected, strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("case", [case for case in ARRAYS if case[0].__name__ not in ("windows",)], ids=name_of)
def test_a_loop_that_runs_not_once_is_an_array_expression_as_well(case):
    function, *shapes = case
    rng = np.random.default_rng(2)
    p, found, used = unrolled(function, arguments(shapes, rng))
    given = arguments(shapes, rng, n=1, m=1, k=1)
    assert_computes_the_same(p, found, given, exact=not used.rounded)


@pytest.mark.parametrize("case", LOOPS, ids=name_of)
def test_iterations_that_need_one_another_stay_a_loop(case):
    function, *shapes = case
    given = arguments(shapes, np.random.default_rng(3))
    p, found, _ = unrolled(function, given)
    assert "loop" in ops_of(found)
    assert_computes_the_same(p, found, given)


@pytest.mark.parametrize("where", [0, 2, 4])
def test_the_largest_passes_over_nan_as_the_comparison_does(where):
    given = np.array([0.5, 1.5, -2.0, 0.0, 1.0])
    p, found, _ = unrolled(largest, [given])
    given[where] = np.nan
    assert_computes_the_same(p, found, [given])


def optimized(function, given, precision="real"):
    p = captured(function, given)
    rules = choose_rules(["algebra", "linalg", "constants", "reductions", "loops"], precision).everywhere
    laws = LoopLaws.of(rules, {}, exact=precision == "exact")
    return p, optimize_program(p, traced_rules(rules, p), TABLE, dict.fromkeys(p.bind(given), 200), laws=laws)


@pytest.mark.parametrize(("function", "shapes"), [(matrix_product, ("nm", "mk")), (outer_products, ("nm", "mk"))])
def test_loops_of_a_matrix_product_are_one_matmul(function, shapes):
    given = arguments(shapes, np.random.default_rng(4))
    p, result = optimized(function, given)
    ops = ops_of(result.program)
    assert ops.count("matmul") == 1 and "loop" not in ops and "sum" not in ops
    assert_computes_the_same(p, result.program, given, exact=False)
    steps = explain_steps(result)
    assert steps and steps[0].rule in ("sum_of_products_is_matmul", "accumulation_is_reduction")
    assert sum(step.saved for step in steps) > 0


def test_an_accumulation_adds_in_order_where_every_bit_counts():
    for function, shapes in ((total, ("n",)), (columns, ("nm", "m"))):
        p, result = optimized(function, arguments(shapes, np.random.default_rng(5)), "exact")
        assert "loop" in ops_of(result.program)
