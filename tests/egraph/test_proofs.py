"""What rules prove, one law a line, and what they must not prove."""

import math

import numpy as np
import pytest

from egc import ir
from egc.egraph import check_rewrite
from egc.errors import RuleError
from tests.egraph import rules as r
from tests.egraph import support as s
from tests.egraph.support import const, equal, law, m, n, p, require, reverse, spread, transpose, var

x, y = var("x", p), var("y", p)
X = var("X", p, m)
z = var("z", n)
SUM_OF_REVERSED = law("sum_of_reversed", s.total(reverse(z)), s.total(z), generic=False)


@pytest.mark.parametrize(
    "rewrites, term, goal",
    [
        ([r.LOG_OF_EXP], s.log(s.exp(x)), x),
        ([r.LOG_OF_EXP], s.log(s.exp(X)), X),
        ([r.LOG_OF_EXP], s.log(s.exp(var("q"))), var("q")),
        ([r.LOG_OF_EXP], s.log(s.exp(var("f", p, dtype="f32"))), var("f", p, dtype="f32")),
        ([r.ADD_COMMUTES], s.exp(s.add(x, y)), s.exp(s.add(y, x))),
        ([r.ADD_COMMUTES], s.add(var("i", p, dtype="u8"), const(1, p, dtype="u8")), None),
        ([r.LOG_OF_PRODUCT], s.log(s.multiply(s.exp(x), s.exp(y))), s.add(s.log(s.exp(x)), s.log(s.exp(y)))),
        ([r.ADD_COMMUTES, r.ADD_ASSOCIATES], s.add(s.add(x, y), x), s.add(s.add(x, x), y)),
        ([r.ADD_ZERO], s.add(x, const(0.0, p)), x),
        ([r.ADD_ZERO], s.add(var("i", p, dtype="i64"), const(0, p, dtype="i64")), var("i", p, dtype="i64")),
        ([r.ADD_NEGATIVE_ZERO], s.add(x, const(-0.0, p)), x),
        ([r.DIVIDE_BY_LITERAL], s.divide(x, const(4.0, p)), s.multiply(x, const(0.25, p))),
        ([r.ADD_LITERALS], s.add(s.add(x, const(1.0, p)), const(2.0, p)), s.add(x, const(3.0, p))),
        ([r.ABSOLUTE], s.absolute(s.multiply(x, x)), s.multiply(x, x)),
        ([r.ABSOLUTE], s.absolute(s.assume(x, facts=("positive",))), x),
        ([r.PRODUCT_ASSOCIATES], s.matmul(s.matmul(X, transpose(X)), X), s.matmul(X, s.matmul(transpose(X), X))),
        ([], transpose(transpose(X)), X),
        ([SUM_OF_REVERSED], s.total(reverse(x)), s.total(x)),
        ([SUM_OF_REVERSED], s.total(reverse(var("t", 7))), s.total(var("t", 7))),
        ([SUM_OF_REVERSED], s.total(reverse(var("t", 2 * p + 1))), s.total(var("t", 2 * p + 1))),
        ([], reverse(reverse(x)), x),
        ([r.INVERSE_OF_ORTHOGONAL], s.inv(s.item(s.qr(var("Q", p, p), mode="reduced"), index=0)), None),
        ([], s.add(const(1.5, p), const(2.0, p)), const(3.5, p)),
        ([], spread(s.multiply(const(3.0), const(2.0)), p), const(6.0, p)),
        ([], s.cast(const(3, p, dtype="i64"), dtype=np.dtype(float)), const(3.0, p)),
        ([], s.reshape(X, shape=(p, m)), X),
    ],
)
def test_rules_prove(rewrites, term, goal):
    if goal is None:
        ways = {"add": lambda t: s.add(*reversed(t.inputs)), "inv": lambda t: transpose(t.inputs[0])}
        goal = ways[term.op](term)
    assert equal(rewrites, term, goal)
    assert not equal([], term, goal) or not rewrites


@pytest.mark.parametrize(
    "rewrites, term, goal",
    [
        ([r.LOG_OF_PRODUCT], s.log(s.multiply(x, y)), s.add(s.log(x), s.log(y))),
        ([r.LOG_OF_EXP], s.exp(s.log(x)), x),
        ([r.ADD_COMMUTES], s.subtract(x, y), s.subtract(y, x)),
        ([r.ADD_ASSOCIATES], s.add(x, y), s.add(y, x)),
        ([r.ADD_ZERO], s.add(x, const(-0.0, p)), x),
        ([r.ADD_NEGATIVE_ZERO], s.add(x, const(0.0, p)), x),
        ([r.ADD_ZERO], s.add(x, const(math.nan, p)), x),
        ([r.ABSOLUTE], s.absolute(s.multiply(x, y)), s.multiply(x, y)),
        ([r.ABSOLUTE], s.absolute(var("i", p, dtype="i64")), var("i", p, dtype="i64")),
        ([r.SQUARE], s.power(x, const(3.0, p)), s.multiply(x, x)),
        ([r.DIVIDE_BY_LITERAL], s.divide(x, const(0.0, p)), s.multiply(x, const(math.inf, p))),
        ([r.PRODUCT_ASSOCIATES], s.matmul(X, transpose(X)), s.matmul(transpose(X), X)),
        ([r.INVERSE_OF_ORTHOGONAL], s.inv(var("Q", p, p)), transpose(var("Q", p, p))),
        ([], const(0.0, p), const(-0.0, p)),
        ([], const(1.0, p), const(1.0, m)),
        ([], const(1, p, dtype="i64"), const(1.0, p)),
        ([], s.multiply(const(0.0, p), const(-1.0, p)), const(0.0, p)),
        ([], s.multiply(const(1e300, p), const(1e300, p)), const(math.inf, p)),
        ([], s.divide(const(1.0, p), const(0.0, p)), const(math.inf, p)),
        ([], const(2**53, p, dtype="i64"), const(2**53 + 1, p, dtype="i64")),
        ([], s.add(const(0.1, p, dtype="f32"), const(0.2, p, dtype="f32")), const(0.3, p, dtype="f32")),
        (r.ALL, x, y),
        (r.ALL, s.exp(x), const(0.0, p)),
    ],
)
def test_rules_do_not_prove(rewrites, term, goal):
    assert not equal(rewrites, term, goal)


def test_a_nan_is_equal_to_itself_as_the_same_literal():
    assert const(math.nan, p) is const(math.nan, p)
    assert equal([r.ADD_COMMUTES], s.add(const(math.nan, p), x), s.add(x, const(math.nan, p)))


def test_a_literal_of_a_rule_is_rounded_to_the_operands_dtype():
    single = var("f", p, dtype="f32")
    third, three = const(1 / 3, p, dtype="f32"), const(3.0, p, dtype="f32")
    assert equal([r.THIRD], s.multiply(third, single), s.divide(single, three))
    assert equal([r.THIRD], s.multiply(const(1 / 3, p), x), s.divide(x, const(3.0, p)))
    assert not equal([r.THIRD], s.multiply(const(0.3333, p), x), s.divide(x, const(3.0, p)))


def test_a_rule_about_sizes_matches_symbolic_and_fixed_sizes():
    def mean(a, count):
        return s.divide(s.total(a), count)

    symbolic = s.cast(s.size(value=p), dtype=np.dtype(float))
    assert equal([r.MEAN_OF_NEGATIVE], mean(s.negative(x), symbolic), s.negative(mean(x, symbolic)))
    fixed, count = var("t", 50), const(50.0)
    assert equal([r.MEAN_OF_NEGATIVE], mean(s.negative(fixed), count), s.negative(mean(fixed, count)))
    other = const(49.0)
    assert not equal([r.MEAN_OF_NEGATIVE], mean(s.negative(fixed), other), s.negative(mean(fixed, other)))


def test_a_computed_size_of_the_left_side_is_compared():
    shifted = ir.make("slice", reverse(x), start=(p - 2,), size=(p - 1,), step=(-1,))
    assert not equal([r.REVERSE_TWICE], shifted, ir.make("slice", x, start=(0,), size=(p - 1,), step=(1,)))


def test_a_scoped_rule_applies_inside_its_scope_only():
    inside = ir.make("log", ir.make("exp", var("u", p), scopes=frozenset(["here"])), scopes=frozenset(["here"]))
    outside = s.log(s.exp(var("o", p)))
    assert equal([], inside, var("u", p), here=[r.LOG_OF_EXP])
    assert not equal([], outside, var("o", p), here=[r.LOG_OF_EXP])
    assert not equal([], inside, var("u", p), there=[r.LOG_OF_EXP])


def test_a_scoped_rule_reaches_the_terms_that_scoped_rules_make():
    marked = frozenset(["here"])
    e1, e2 = (ir.make("exp", var(name, p), scopes=marked) for name in ("e1", "e2"))
    product = ir.make("log", ir.make("multiply", e1, e2, scopes=marked), scopes=marked)
    goal = s.add(var("e1", p), var("e2", p))
    assert equal([], product, goal, here=[r.LOG_OF_PRODUCT, r.LOG_OF_EXP])


def test_an_unbound_variable_is_refused_with_its_place():
    with pytest.raises(RuleError, match="variable y is not bound") as caught:
        check_rewrite(law("wrong", s.exp(r.x), s.add(r.x, r.y)))
    assert caught.value.line is not None


def test_an_unbound_size_is_refused():
    shaped = law("wrong", s.exp(r.x), s.total(spread(s.total(s.exp(r.x)), n, m), 1), generic=False)
    with pytest.raises(RuleError, match="the size m is not bound"):
        check_rewrite(shaped)


def test_a_lone_variable_is_refused_as_a_left_side():
    with pytest.raises(RuleError, match="lone variable"):
        check_rewrite(law("wrong", s.add(r.x, const(0.0, n)), r.x, both_ways=True))


def test_sides_of_different_dtype_are_refused():
    with pytest.raises(RuleError, match="no common type"):
        check_rewrite(law("wrong", s.exp(r.x), s.isnan(r.x)))


def test_a_condition_on_a_compound_term_needs_the_term():
    sum_is_positive = law("absolute_of_sum", s.absolute(s.add(r.x, r.y)), s.add(r.x, r.y), [
        require("nonnegative", s.add(r.x, r.y))
    ])  # fmt: skip
    squares = s.add(s.multiply(x, x), s.multiply(y, y))
    assert equal([sum_is_positive], s.absolute(squares), squares)
    assert not equal([sum_is_positive], s.absolute(s.add(x, y)), s.add(x, y))
