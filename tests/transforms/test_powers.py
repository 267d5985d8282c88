"""Powers by the number of an iteration are running products, and their sums closed forms, where no digits are lost."""

from __future__ import annotations

import numpy as np
import pytest

import egc
from egc import ir
from egc.backends import reference
from egc.capture import capture
from egc.check import check
from egc.pipeline import evaluate_reference
from egc.ranges import ranges_of
from egc.transforms import LOOP_LAWS, simplify
from egc.transforms.powers import powers_closed, powers_in_turn

from .support import loops_of, ops_of

LAW = "power_of_number_is_product"


def polynomial(c, r):
    x, total = r[0], 0.0
    for i in range(len(c)):
        total += c[i] * x**i
    return total


def later(c, r):
    x, total = r[0], 0.0
    for i in range(len(c)):
        total += x ** (i + 1) - c[i] * x ** (2 * i + 3)
    return total


def kept(c, r):
    x, y = r[0], np.zeros(len(c))
    for i in range(len(c)):
        y[i] = np.sin(c[i]) * x**i
    return y


def of_vectors(c, r):
    y = np.zeros_like(r)
    for i in range(len(c)):
        y += c[i] * (r + 0.1) ** i
    return y


def geometric(c, r):
    x, total = r[0], 1.5
    for i in range(len(c)):
        total += 3.0 * x**i
    return total


def discounted(c, r):
    x, total = r[0], 0.0
    for i in range(len(c)):
        total += x ** (i + 1)
    return total


FOUND = [polynomial, later, kept, of_vectors, geometric, discounted]


def names(function):
    return function.__name__


def arguments(n, base=0.9, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=n), np.full(3, base)


def forms(function, law):
    p = simplify(check(capture(function, arguments(5), {}, {}).program), evaluate_reference)
    (loop,) = [node for node in p.nodes() if node.op == "loop"]
    found = law(loop, ranges_of(p), frozenset(LOOP_LAWS))
    if found is None:
        return p, None
    new = {}
    for node in p.nodes():
        if node.op == "item" and node.inputs[0] is loop:
            new[node] = found.results[node.params["index"]]
        else:
            new[node] = ir.rebuild(node, [new[child] for child in node.inputs])
    return p, check(p.with_outputs(new[output] for output in p.outputs))


BASES = [0.9, -1.1, 1.0, -1.0, 0.0, -0.0, 2.0, 1e-30, 1e-310, 1e30, np.inf, -np.inf, np.nan]


def assert_same(before, after, given):
    with np.errstate(all="ignore"):
        (expected,), (found,) = reference.evaluate(before, given), reference.evaluate(after, given)
    np.testing.assert_allclose(found, expected, rtol=1e-11, atol=0)


@pytest.mark.parametrize("function", FOUND, ids=names)
def test_powers_are_running_products(function):
    p, found = forms(function, powers_in_turn)
    (branch,) = [node for node in found.nodes() if node.op == "cond"]
    fast, plain = (loops_of(branch.params[name])[0].params["update"] for name in ("then", "otherwise"))
    assert "power" not in ops_of(fast) and "power" in ops_of(plain)
    for base in BASES:
        for n in (1, 2, 15):
            assert_same(p, found, arguments(n, base, n))


@pytest.mark.parametrize("function", [geometric, discounted], ids=names)
def test_sums_of_powers_are_closed(function):
    p, found = forms(function, powers_closed)
    assert found is not None
    for base in BASES:
        for n in (1, 2, 15, 2000):
            assert_same(p, found, arguments(n, base, n))


@pytest.mark.parametrize("function", [polynomial, kept, of_vectors], ids=names)
def test_other_sums_have_no_closed_form(function):
    assert forms(function, powers_closed)[1] is None


def of_what_changes(c, r):
    total = 0.0
    for i in range(len(c)):
        total += c[i] ** i
    return total


def downwards(c, r):
    total, x = 0.0, r[0]
    for i in range(len(c)):
        total += c[i] * x ** (-i - 1)
    return total


@pytest.mark.parametrize("function", [of_what_changes, downwards], ids=names)
def test_other_powers_stay(function):
    assert forms(function, powers_in_turn)[1] is None


def test_small_numbers_keep_their_digits():
    fast = egc.optimize(kept)
    assert LAW in {step.rule for step in fast.explain(*arguments(400, 0.2)).steps}
    for length, base in ((400, 0.2), (500, 0.2), (400, 1e-3), (400, -0.999), (20, 1e-300)):
        given = arguments(length, base)
        np.testing.assert_allclose(fast(*given), kept(*given), rtol=1e-12, atol=0)


def test_a_sum_of_powers_is_one_formula():
    given = arguments(2000, 0.99)
    fast = egc.optimize(discounted)
    assert "geometric_series_is_closed" in {step.rule for step in fast.explain(*given).steps}
    for base in BASES:
        with np.errstate(all="ignore"):
            expected = discounted(given[0], np.full(3, base))
            np.testing.assert_allclose(fast(given[0], np.full(3, base)), expected, rtol=1e-11)


def test_every_bit_counts_in_exact():
    steps = egc.optimize(polynomial, precision="exact").explain(*arguments(2000)).steps
    assert LAW not in {step.rule for step in steps}
