"""Steps explain a change: each rule that it needs, what it did and what it saved."""

import pytest

from egc.egraph import explain_steps, optimize_program
from tests.egraph import rules as r
from tests.egraph import support as s
from tests.egraph.support import TABLE, const, law, m, n, p, program, require, var

x, y = var("x", p), var("y", p)
SIZES = {"p": 1000, "n": 50}


def explain(given, rewrites, **scoped):
    return explain_steps(optimize_program(given, rewrites, TABLE, SIZES, scoped=scoped))


def test_a_step_names_the_rule_its_place_and_the_subterm():
    (step,) = explain(program(s.sin(s.log(s.exp(s.tan(x))))), r.ALL)
    assert (step.rule, step.precision) == ("log_of_exp", "real")
    assert (step.file, step.line) == (r.LOG_OF_EXP.rule.file, r.LOG_OF_EXP.rule.line)
    assert step.before is s.log(s.exp(s.tan(x))) and step.after is s.tan(x)


def test_what_a_step_saved_is_the_cost_without_its_rule():
    given = program(s.log(s.exp(x)))
    result = optimize_program(given, [r.LOG_OF_EXP], TABLE, SIZES)
    (step,) = explain_steps(result)
    assert step.saved == pytest.approx(result.cost_before - result.cost_after)


def test_rules_that_build_on_each_other_all_appear():
    given = program(s.log(s.multiply(s.exp(x), s.exp(y))))
    steps = explain(given, r.ALL)
    assert [step.rule for step in steps] == ["log_of_product", "log_of_exp"]
    assert all(step.saved > 0 for step in steps)


def test_rules_that_did_not_matter_do_not_appear():
    given = program(s.add(s.log(s.exp(x)), s.multiply(x, y)))
    result = optimize_program(given, r.ALL, TABLE, SIZES)
    assert {"add_commutes", "multiply_commutes"} <= set(result.fired)
    assert [step.rule for step in explain_steps(result)] == ["log_of_exp"]


def test_two_rules_that_can_replace_each_other_give_one_step():
    twin = law("log_of_exp_again", s.log(s.exp(r.x)), r.x)
    steps = explain(program(s.log(s.exp(x))), [r.LOG_OF_EXP, twin])
    assert [(step.rule, step.saved) for step in steps] == [("log_of_exp", 0.0)]


def test_an_unchanged_program_has_no_steps():
    assert explain(program(s.add(x, y)), r.ALL) == ()


def test_a_rule_for_thin_matrices_is_a_step_at_sizes_where_they_are_thin():
    a = var("A", n, m)
    of_thin = law("of_thin", s.log(s.exp(a)), a, [require("thin", a)], generic=False)

    def steps(*shape):
        given = program(s.add(s.log(s.exp(var("M", *shape))), var("N", *shape)))
        return [step.rule for step in explain(given, [r.ADD_COMMUTES, of_thin])]

    assert steps(p, n) == ["of_thin"]
    assert steps(n, p) == []


def test_literals_are_shown():
    given = program(s.add(s.add(x, const(1.0, p)), const(2.0, p)))
    (step,) = explain(given, [r.ADD_LITERALS])
    assert step.before is given.outputs[0]
    assert step.after.inputs[0] is x


def test_rules_at_other_sizes_and_dtypes_are_shown_as_they_applied():
    matrix, vector = var("M", n, n, dtype="f32"), var("b", n, dtype="f32")
    given = program(s.matmul(s.inv(matrix), vector))
    (step,) = explain(given, [r.SOLVE])
    assert step.before is given.outputs[0] and step.after is s.solve(matrix, vector)


def test_scoped_rules_are_explained():
    marked = s.ir.make("log", s.exp(var("marked", p)), scopes=frozenset(["here"]))
    (step,) = explain(program(marked), [], here=[r.LOG_OF_EXP])
    assert step.rule == "log_of_exp" and step.after is var("marked", p)
