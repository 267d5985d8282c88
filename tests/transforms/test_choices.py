"""A choice on one condition is a branch that does the work of one side."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.special

import egc
from egc import ir
from egc.capture import capture
from egc.pipeline import evaluate_reference
from egc.transforms import simplify
from egc.transforms.branches import as_branch
from tests.transforms.support import assert_computes_the_same


def two_functions(a, x):
    return np.where(a > 0, np.exp(x), np.sin(x))


def reductions(a, x):
    return np.where(a > 0, np.sum(np.exp(x)), 0.0)


def shared(a, x):
    y = np.exp(x)
    return np.where(a > 0, y * 2, np.sin(x)), y


def by_element(a, x):
    return np.where(x > a, np.exp(x), np.sin(x))


def nothing_to_do(a, x):
    y, z = np.exp(x), np.sin(x)
    return np.where(a > 0, y, z), y, z


def branches(function):
    program = simplify(capture(function, [0.7, np.ones(5)], {}, {}).program, evaluate_reference)
    for node in program.nodes():
        if node.op == "where" and (made := as_branch(program, node)) is not None:
            yield program.with_outputs([node]), program.with_outputs([made])


@pytest.mark.parametrize("function", [two_functions, reductions, shared], ids=lambda function: function.__name__)
def test_a_choice_on_one_condition_is_a_branch(function):
    ((before, after),) = branches(function)
    for a in (0.5, -0.5, np.nan):
        for n in (1, 4):
            assert_computes_the_same(before, after, [a, np.random.default_rng(n).normal(size=n)])


def test_work_that_something_else_needs_is_done_once_before():
    ((_, after),) = branches(shared)
    assert [node.op for node in after.nodes() if node.op in ("exp", "sin")] == ["exp"]
    regions = [{node.op for node in region.nodes()} for node in after.nodes() for _, region in ir.regions(node)]
    assert "multiply" in regions[0] and "sin" in regions[1]


@pytest.mark.parametrize("function", [by_element, nothing_to_do], ids=lambda function: function.__name__)
def test_other_choices_stay(function):
    assert not list(branches(function))


@pytest.mark.parametrize("backend", ["reference", "numba", "jax"])
@pytest.mark.parametrize("function", [two_functions, reductions, shared, by_element, nothing_to_do])
def test_what_is_chosen_gives_what_the_choice_gave(function, backend):
    optimized = egc.optimize(function, backend=backend)
    for a in (0.5, -0.5):
        for n in (3000, 1, 2, 0):
            x = np.random.default_rng(n).normal(size=n)
            ours, theirs = optimized(a, x), function(a, x)
            for left, right in zip(ours, theirs) if isinstance(theirs, tuple) else [(ours, theirs)]:
                assert left.dtype == right.dtype
                np.testing.assert_allclose(left, right, rtol=1e-12)


def test_one_side_is_computed_where_that_is_cheaper():
    steps = egc.optimize(two_functions).explain(0.7, np.ones(10_000)).steps
    assert [step.rule for step in steps] == ["choice_is_branch"]


@pytest.mark.parametrize("backend", ["reference", "numba"])
def test_a_slow_function_of_a_number_is_masked(backend):
    def masked(x):
        return np.where(x > 1.5, scipy.special.gammainc(x, 2.0), x)

    optimized = egc.optimize(masked, backend=backend)
    x = np.array([0.5, 2.0, 3.0, 1.5])
    np.testing.assert_allclose(optimized(x), masked(x), rtol=1e-13)
    assert not optimized.statistics.as_written
