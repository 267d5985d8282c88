"""Tracing a rule gives its two sides as Nodes, or refuses the rule with its place."""

import numpy as np
import pytest
from scipy import special

from egc import (
    Axes,
    Constant,
    Matrix,
    Scalar,
    Vector,
    equation,
    nonpositive,
    positive,
    require,
    rule,
    rulefiles,
    unless,
)
from egc import special as own_special
from egc.capture.rules import rewrites
from egc.errors import RuleError
from egc.ir import topological


@rule
def elementwise(x):
    return np.log(np.exp(x)), x


@rule
def along_axes(x, c: Scalar, axes: Axes):
    return np.sum(c * x, axis=axes), c * np.sum(x, axis=axes)


@rule
def of_matrices(A: Matrix, x: Vector):
    return (-A) @ x, -(A @ x)


@rule
def of_literals(x, a: Constant, b: Constant):
    return a * (b * x), (a * b) * x


@rule(stabilizes="overflow")
def with_conditions(x, y):
    require(positive(y))
    unless(nonpositive(x))
    return np.log(y * np.exp(x)), np.log(y) + x


@rule
def through_functions_without_dispatch(x, axes: Axes):
    return np.log(np.exp(special.logsumexp(x, axis=axes))), special.logsumexp(x, axis=axes)


@pytest.mark.parametrize("name", sorted(own_special.FUNCTIONS))
def test_a_special_function_by_name_is_scipys(name):
    function, scipys = own_special.FUNCTIONS[name], getattr(special, name)
    operands = [np.linspace(0.1, 0.9, 5)] * function.nin
    np.testing.assert_array_equal(function(*operands), scipys(*operands))
    assert function(*[np.float32(0.5)] * function.nin).dtype == np.float32

    @rule
    def by_name(x):
        return np.exp(function(*[x] * function.nin)), x

    @rule
    def by_scipy(x):
        return np.exp(scipys(*[x] * function.nin)), x

    assert rewrites(by_name)[0].left is rewrites(by_scipy)[0].left


def test_what_is_no_primitive_has_no_name():
    with pytest.raises(AttributeError, match="logsumexp"):
        _ = own_special.logsumexp


def test_an_elementwise_rule_holds_for_every_rank():
    (only,) = rewrites(elementwise)
    assert only.generic
    assert (only.left.op, only.right.op) == ("log", "input")


def test_a_rule_with_axes_is_traced_for_each_choice_of_them():
    found = rewrites(along_axes)
    assert not any(each.generic for each in found)
    assert sorted(each.left.params["axes"] for each in found if each.variables[0].type.rank == 2) == [
        (0,),
        (0, 1),
        (1,),
    ]
    assert len(found) == 1 + 3 + 7


def test_the_largest_rank_limits_the_choices():
    assert len(rewrites(along_axes, max_rank=2)) == 1 + 3


def test_sizes_that_must_agree_are_one_symbol():
    (only,) = rewrites(of_matrices)
    matrix, vector = only.variables
    assert matrix.type.shape[1] == vector.type.shape[0] != matrix.type.shape[0]


def test_literals_are_named():
    (only,) = rewrites(of_literals)
    assert only.generic and only.constants == {"a", "b"}


def test_conditions_are_recorded():
    (only,) = rewrites(with_conditions)
    assert [(c.predicate, c.operand.params["name"]) for c in only.conditions] == [("positive", "y")]
    assert [(c.predicate, c.operand.params["name"]) for c in only.spared] == [("nonpositive", "x")]


def test_functions_that_do_not_dispatch_are_interpreted():
    assert rewrites(through_functions_without_dispatch)


def test_every_shipped_rule_says_something():
    assert all(rewrites(each) for each in rulefiles.load(list(rulefiles.themes())) if not each.of_loops)


@rule
def unbound(x, y):
    return np.exp(x), np.exp(x) * y


@rule
def one_side(x):
    return x + 1


@rule
def other_shape(x):
    return np.exp(x), np.sum(np.exp(x))


@rule
def other_dtype(x):
    return np.exp(x), np.exp(x) > 0


@rule
def lone_variable(x):
    return x, x + 0


@rule
def same_sides(x):
    return np.exp(x), np.exp(x)


@rule
def on_data(x):
    return (np.exp(x) if x.sum() > 0 else x), x + 1


@rule
def for_some_sizes(x: Vector):
    return np.exp(x[:3]), np.exp(x)[:3]


@equation
def one_way_only(x, y):
    return np.exp(x) + 0 * y, np.exp(x)


@pytest.mark.parametrize(
    "wrong, why",
    [
        (unbound, "y is in the right side but not in the left side"),
        (one_side, "must return two expressions"),
        (other_shape, r"the left side is f64\[d0\], the right side f64\[\]"),
        (other_dtype, "the right side bool"),
        (lone_variable, "would match every term"),
        (same_sides, "the same expression"),
        (on_data, "a branch on data"),
        (for_some_sizes, "holds only for some sizes"),
        (one_way_only, "both sides must be terms with the same variables"),
    ],
)
def test_a_broken_rule_is_refused_with_its_place(wrong, why):
    with pytest.raises(RuleError, match=why) as caught:
        rewrites(wrong)
    assert caught.value.line.file.endswith("test_rules.py")
    assert caught.value.line.number == wrong.line


HELPED = """
import numpy as np
import scipy
from egc import Matrix, Vector, rule

def half(L, b):
    return {value}

@rule
def {name}(L: Matrix, b: Vector):
    return np.exp(np.log(half(L, b))), half(L, b)
"""


def test_a_rule_reads_its_module_as_it_is_when_it_is_traced():
    namespace = {"__name__": "__main__", "__file__": "cell"}
    traced = {}
    for name, value in (("first", "np.cos(L @ b)"), ("second", "scipy.special.expit(L @ b)")):
        exec(HELPED.format(name=name, value=value), namespace)
        traced[name] = {node.op for each in rewrites(namespace[name]) for node in topological([each.right])}
    assert "cos" in traced["first"] and "cos" not in traced["second"]
    assert "expit" in traced["second"]
