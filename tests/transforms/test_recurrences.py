"""Linear recurrences, however a loop spells them, are one op; what is none stays a loop."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import egc
from egc import factors
from egc.capture import capture
from egc.check import check
from egc.pipeline import evaluate_reference
from egc.ranges import ranges_of
from egc.transforms import LOOP_LAWS, simplify, tidy
from egc.transforms.forms import Forms
from egc.transforms.vectorize import vectorized

from .support import assert_computes_the_same, ops_of

LAW, OP = "linear_recurrence_is_scan", "linear_recurrence"


def last(a, b, s):
    for i in range(len(b)):
        s = a[i] * s + b[i]
    return s


def stored(a, b, s):
    y = np.zeros_like(b)
    for i in range(len(b)):
        s = b[i] - s * a[i]
        y[i] = s
    return y, s


def read_before(a, b, s):
    y = np.zeros_like(b)
    for i in range(len(b)):
        y[i] = s * s
        s = (s + b[i]) / a[i]
    return y


def in_place(a, b, s):
    y = np.empty_like(b)
    y[0] = s
    for i in range(1, len(b)):
        y[i] = a[i] * y[i - 1] + b[i]
    return y


def constant_factor(a, b, s):
    y = b.copy()
    for i in range(1, len(b)):
        y[i] = 0.9 * y[i - 1] + y[i]
    return y + a + s


def constant_term(a, b, s):
    y = np.zeros_like(b)
    for i in range(len(b)):
        s = a[i] * s - 0.5
        y[i] = s
    return y


def moving_average(a, b, s):
    y = np.empty_like(b)
    y[0] = b[0]
    for i in range(1, len(b)):
        y[i] = s * b[i] + (1 - s) * y[i - 1]
    return y + a


def corrected(a, b, s):
    mean, total = b[0], 0.0
    for x in b:
        mean = mean + 0.25 * (x - mean)
        total += mean * mean
    return total + a * s


def where_it_holds(a, b, s):
    y = np.zeros_like(b)
    for i in range(len(b)):
        if b[i] > 0:
            s = a[i] * s + b[i]
        y[i] = s
    return y


def signs(a, b, s):
    for i in range(len(b)):
        s = a[i] * s + b[i] if b[i] > 0 else -(s - b[i])
    return s


def horner(a, b, s):
    value = 0.0
    for c in b:
        value = value * s + c
    return value + a


def from_the_end(a, b, s):
    y = np.zeros(len(b) + 1)
    for i in range(len(b) - 1, -1, -1):
        y[i] = a[i] * y[i + 1] + b[i]
    return y * s


def of_each_row(a, b, s):
    x = a[:, None] * b
    y = np.zeros_like(x)
    for r in range(len(x)):
        level = s
        for i in range(len(b)):
            level = level * b[i] + x[r, i]
            y[r, i] = level
    return y


def of_rows(a, b, s):
    x = a[:, None] * b
    y = x.copy()
    for i in range(1, len(x)):
        y[i] = y[i - 1] * a + x[i] * s
    return y


def two(a, b, s):
    first, second, y = s, 1.0, np.zeros_like(a)
    for i in range(len(a)):
        first = 0.5 * first + a[i]
        second = second * b[i] + first
        y[i] = second
    return y


FOUND = [
    last, stored, read_before, in_place, constant_factor, constant_term, moving_average, corrected, where_it_holds, signs,
    horner, from_the_end, of_each_row, of_rows, two,
]  # fmt: skip


def names(function):
    return function.__name__


def arguments(n, seed=0):
    rng = np.random.default_rng(seed)
    return rng.uniform(0.5, 1.5, n), rng.normal(size=n), 0.75


def unrolled(function, given):
    p = simplify(check(capture(function, given, {}, {}).program), evaluate_reference)
    used = Forms([])
    return p, check(tidy(vectorized(p, ranges_of(p), used, frozenset(LOOP_LAWS)))), used


@pytest.mark.parametrize("function", FOUND, ids=names)
def test_a_recurrence_is_one_op(function):
    p, found, used = unrolled(function, arguments(6))
    assert OP in ops_of(found) and "loop" not in ops_of(found)
    assert used.rounded and LAW in used.laws
    for n in (1, 2, 9):
        assert_computes_the_same(p, found, arguments(n, n), exact=False)


def test_nothing_is_left_of_a_loop_over_nothing():
    fast = egc.optimize(stored, backend="reference")
    fast(*arguments(5))
    found, final = fast(np.zeros(0), np.zeros(0), 0.75)
    assert found.shape == (0,) and final == 0.75


@pytest.mark.parametrize("dtype", [np.float32, np.complex128, np.int64, np.uint8])
def test_all_numbers_have_recurrences(dtype):
    rng = np.random.default_rng(3)
    given = [rng.integers(0, 200, 9).astype(dtype), rng.integers(0, 200, 9).astype(dtype), dtype(3)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        p, found, used = unrolled(last, given)
        assert OP in ops_of(found) and used.rounded == (np.dtype(dtype).kind in "fc")
        assert_computes_the_same(p, found, given, exact=True)


def squared(a, b, s):
    for i in range(len(b)):
        s = a[i] * s * s + b[i]
    return s


def quotient(a, b, s):
    for i in range(len(b)):
        s = a[i] / s + b[i]
    return s


def chosen_by_itself(a, b, s):
    for i in range(len(b)):
        s = a[i] * s + b[i] if s < 1 else 0.5 * s
    return s


def begun_anew(a, b, s):
    for i in range(len(b)):
        s = a[i] * s + b[i] if b[i] > 0 else 0.0
    return s


def two_back(a, b, s):
    y = b.copy()
    for i in range(2, len(b)):
        y[i] = a[i] * y[i - 1] + s * y[i - 2]
    return y


@pytest.mark.parametrize("function", [squared, quotient, chosen_by_itself, begun_anew, two_back], ids=names)
def test_what_is_no_line_stays_a_loop(function):
    p, found, _ = unrolled(function, arguments(6))
    assert OP not in ops_of(found)
    assert_computes_the_same(p, found, arguments(6), exact=False)


SPECIAL = [0.0, -0.0, 1.0, -2.0, 1e-310, 1e300, np.inf, -np.inf, np.nan]


@pytest.mark.parametrize("backend", ["reference", "numba", "jax"])
def test_special_values_are_those_of_the_loop(backend):
    if backend == "jax":
        pytest.importorskip("jax")
    fast, rng = egc.optimize(in_place, backend=backend), np.random.default_rng(4)
    for _ in range(40):
        a, b = rng.uniform(-1, 1, 40), rng.normal(size=40)
        for x in (a, b):
            x[rng.integers(0, 40, 2)] = rng.choice(SPECIAL, 2)
        with np.errstate(all="ignore"):
            expected, found = in_place(a, b, 0.5), fast(a, b, 0.5)
        finite = np.isfinite(expected)
        np.testing.assert_array_equal(np.isfinite(found), finite)
        np.testing.assert_allclose(found[finite], expected[finite], rtol=1e-12, atol=1e-13)


def test_jax_is_given_the_op_and_numba_a_loop():
    pytest.importorskip("jax")
    given = arguments(2000)
    for function in (last, stored, in_place, moving_average):
        on_jax, on_numba = (egc.optimize(function, backend=name) for name in ("jax", "numba"))
        assert LAW in {step.rule for step in on_jax.explain(*given).steps}
        assert LAW not in {step.rule for step in on_numba.explain(*given).steps}


def test_every_bit_counts_in_exact():
    steps = egc.optimize(last, backend="reference", precision="exact").explain(*arguments(2000)).steps
    assert LAW not in {step.rule for step in steps}


@pytest.mark.parametrize(("backend", "axis"), [("reference", 1), ("reference", -1), ("numba", 0), ("numba", -1)])
def test_the_op_is_a_function(backend, axis):
    rng = np.random.default_rng(5)
    a, b = rng.normal(size=(4, 1, 3)), rng.normal(size=(5, 3))
    fast = egc.optimize(lambda a, b, s: factors.linear_recurrence(a, b, s, axis=axis), backend=backend)
    expected = factors.linear_recurrence(a, b, 2.0, axis=axis)
    np.testing.assert_allclose(fast(a, b, 2.0), expected, rtol=1e-11)
    rows = np.moveaxis(expected, axis, 0)
    by, more = (np.moveaxis(np.broadcast_to(x, expected.shape), axis, 0) for x in (a, b))
    np.testing.assert_array_equal(rows[1], by[1] * rows[0] + more[1])


def test_truth_values_have_no_recurrence():
    given = np.array([True, False])
    for function in (factors.linear_recurrence, egc.optimize(factors.linear_recurrence, backend="reference")):
        with pytest.raises(TypeError, match="numbers only"):
            function(given, given, True)


def test_gradients_go_through_the_op():
    given = arguments(7)

    def of_op(a, b, s):
        return np.sum(np.sin(factors.linear_recurrence(a, b, s)))

    def of_loop(a, b, s):
        return np.sum(np.sin(in_turn(a, b, s)))

    def in_turn(a, b, s):
        y = np.zeros_like(b)
        for i in range(len(b)):
            s = a[i] * s + b[i]
            y[i] = s
        return y

    for ours, theirs in zip(egc.grad(of_op, argnums=(0, 1, 2))(*given), egc.grad(of_loop, argnums=(0, 1, 2))(*given)):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12)


def test_batches_go_through_the_op():
    a, b, _ = (np.random.default_rng(6).normal(size=(3, 5)) for _ in range(3))
    found = egc.vmap(factors.linear_recurrence, in_axes=(0, 0, None))(a, b, 0.5)
    np.testing.assert_allclose(found, factors.linear_recurrence(a, b, 0.5, axis=1))


def largest(s, x):
    for v in x:
        s = np.maximum(s, v)
    return s


def so_far(s, x):
    y = np.zeros_like(x)
    for i in range(len(x)):
        s = np.minimum(s, x[i])
        y[i] = s
    return y


@pytest.mark.parametrize("function", [largest, so_far], ids=names)
def test_extremes_are_found_by_default_but_not_where_the_sign_of_a_zero_counts(function):
    given = 0.5, np.random.default_rng(7).normal(size=20_000)
    for precision, some in (("real", True), ("exact", False)):
        rules = ["loops"]
        steps = egc.optimize(function, backend="reference", precision=precision, rules=rules).explain(*given).steps
        assert bool({step.rule for step in steps} & {"accumulation_is_reduction", "accumulation_is_scan"}) == some
