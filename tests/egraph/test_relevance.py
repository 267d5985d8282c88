"""Only the rules that a Program can use are loaded, and leaving out the others changes nothing."""

import pytest

from egc.egraph import optimize_program
from egc.egraph.engine import Engine, _Engines
from egc.egraph.saturate import Budget, saturate
from tests.egraph import rules as r
from tests.egraph import support as s
from tests.egraph.support import TABLE, const, p, program, transpose, var
from tests.egraph.test_extract import random_program

x, y = var("x", p), var("y", p)
SIZES = {"p": 100, "n": 10, "m": 20}


def names(given):
    running = Engine(r.ALL)
    state = saturate(running, given, Budget())
    running.release()
    return {each.rewrite.identifier for each in state.directed}


def test_rules_about_other_ops_are_left_out():
    assert names(program(s.exp(x))) == set()
    assert names(program(s.log(s.exp(x)))) == {"log_of_exp"}
    assert "solve" not in names(program(s.add(x, y)))


def test_rules_are_loaded_when_there_are_terms_of_their_ops():
    """A sum of logarithms is made of one of a product, and so commutes; nothing makes a product of a sum."""
    assert "add_commutes" not in names(program(s.log(x)))
    assert "log_of_product" not in names(program(s.add(s.log(x), s.log(y))))


def test_rules_are_loaded_when_their_ops_stand_on_each_other():
    assert "log_of_exp" not in names(program(s.multiply(s.log(x), s.exp(y))))


def test_rules_that_were_needed_are_loaded_before_the_next_program():
    running = Engine(r.ALL)
    given = program(s.log(s.multiply(s.exp(x), s.exp(y))))
    first = saturate(running, given, Budget())
    later = {each for each in first.directed if each.rewrite.identifier == "add_commutes"}
    assert later <= running.used and running.loaded_after_push
    second = saturate(running, given, Budget())
    assert not any("(rule " in command for command in running.loaded_after_push)
    assert (second.matches, second.nodes) == (first.matches, first.nodes)
    running.release()


def test_rules_that_need_another_rules_terms_are_kept():
    """The product of logarithms becomes a sum, which then commutes."""
    assert {"log_of_product", "add_commutes"} <= names(program(s.log(s.multiply(s.exp(x), s.exp(y)))))


def test_rules_of_another_rank_are_left_out():
    matrix, vector = var("M", p, p), var("v", p)
    assert "solve" in names(program(s.matmul(s.inv(matrix), vector)))
    assert "reverse_twice" not in names(program(transpose(matrix)))


@pytest.mark.parametrize("seed", range(20, 26))
def test_leaving_rules_out_changes_nothing(seed, monkeypatch):
    given = program(*random_program(seed).outputs, s.absolute(s.add(x, const(0.0, p))))
    filtered = optimize_program(given, r.ALL, TABLE, SIZES)
    monkeypatch.setattr("egc.egraph.saturate.relevant", lambda nodes, candidates: (list(candidates), EVERY_OP))
    monkeypatch.setattr("egc.egraph.engine._engines", _Engines())
    complete = optimize_program(given, r.ALL, TABLE, SIZES)
    assert complete.program.outputs == filtered.program.outputs
    assert (complete.nodes, complete.fired) == (filtered.nodes, filtered.fired)


EVERY_OP = frozenset(s.ir.ops.OPS)
