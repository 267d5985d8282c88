"""Long Programs are searched piece by piece, and nothing is lost or changed at the cuts that need not be."""

import numpy as np
import pytest

from egc import backend, ir
from egc.egraph import Budget, explain_steps, optimize_program
from egc.egraph.pieces import Pieces, cuts
from egc.ir import Program
from tests.egraph import rules as r
from tests.egraph import support as s
from tests.egraph.support import TABLE, m, n, p, program, var
from tests.random_programs import random_program

x, y = var("x", p), var("y", p)
SIZES = {"p": 100, "n": 5, "m": 4}


def optimize(given, rewrites=r.ALL, **budget):
    return optimize_program(given, rewrites, TABLE, SIZES, Budget(**budget))


def evaluate(given: Program, arguments):
    return backend.load("reference").compile(given).run(*arguments)


def alternating(count: int):
    """sin(log(exp(sin(log(exp(...)))))"""
    node = x
    for k in range(count):
        node = (s.exp, s.log, s.sin)[k % 3](node)
    return program(node)


def test_cuts_leave_pieces_of_at_most_so_many_nodes_where_few_values_are_alive():
    wide = [s.sin(s.add(x, s.const(float(k), p))) for k in range(8)]
    total = wide[0]
    for each in wide[1:]:
        total = s.add(total, each)
    tail = [s.exp(total), s.log(s.exp(total))]
    nodes = list(program(s.sin(tail[-1])).nodes())
    for most in (6, 10, 20):
        ends = cuts(nodes, most)
        assert ends[-1] == len(nodes) and all(0 < b - a <= most for a, b in zip([0, *ends], ends))
    (first, _) = cuts(nodes[:-1], len(nodes) - 2)
    assert nodes[first - 1] in tail


@pytest.mark.parametrize("piece", [4, 7, 10, 1000])
def test_rules_match_across_cuts(piece):
    result = optimize(alternating(60), [r.LOG_OF_EXP], piece=piece)
    assert [node.op for node in result.program.nodes()] == ["input", *["sin"] * 20]
    assert bool(result.pieces) == (piece < 60)


def test_facts_hold_across_cuts():
    """exp(x) is far before its logarithm and has other uses, so only what is known of it crosses the cut."""
    positive = s.exp(x)
    node = s.multiply(positive, y)
    for _ in range(30):
        node = s.sin(node)
    given = program(s.multiply(node, s.absolute(positive)))
    for piece in (8, 1000):
        found = optimize(given, [r.ABSOLUTE], piece=piece).program
        assert "absolute" not in {each.op for each in found.nodes()}


def test_what_is_assumed_of_an_argument_holds_in_every_piece():
    node = ir.make("assume", x, facts=("nonnegative",))
    for _ in range(30):
        node = s.add(s.sin(node), s.absolute(ir.make("assume", x, facts=("nonnegative",))))
    found = optimize(program(node), [r.ABSOLUTE], piece=8).program
    assert "absolute" not in {each.op for each in found.nodes()}


def test_tuples_are_used_far_from_where_they_are_made():
    matrix = var("Q", n, m)
    pair = s.qr(matrix, mode="reduced")
    node = s.item(pair, index=0)
    for _ in range(30):
        node = s.sin(node)
    given = program(s.matmul(node, s.item(pair, index=1)))
    result = optimize(given, piece=8)
    assert result.pieces and result.program.outputs == given.outputs


@pytest.mark.parametrize("seed", range(12))
def test_a_program_in_pieces_is_equal_and_never_costs_more(seed):
    given, arguments = random_program(seed, 40)
    result = optimize(given, piece=10, nodes=400)
    assert [out.type for out in result.program.outputs] == [out.type for out in given.outputs]
    assert result.cost_after <= result.cost_before
    for found, expected in zip(evaluate(result.program, arguments), evaluate(given, arguments)):
        np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-9)


def test_pieces_that_are_not_changed_give_the_program_itself():
    given, _ = random_program(3, 60)
    parts = Pieces(given, 10)
    for piece in parts:
        parts.found(piece, piece.program, {})
    assert parts.result().outputs == given.outputs


def test_equal_pieces_are_searched_once():
    result = optimize(alternating(120), [r.LOG_OF_EXP], piece=10)
    assert len({id(piece) for piece in result.pieces}) < len(result.pieces) / 2
    assert [node.op for node in result.program.nodes()] == ["input", *["sin"] * 40]


def test_the_stop_reasons_of_the_pieces_are_counted():
    result = optimize(alternating(60), [r.LOG_OF_EXP], piece=10)
    assert result.stop_reason == f"{len(result.pieces)} pieces: {len(result.pieces)} saturated"
    assert result.nodes == sum(piece.nodes for piece in result.pieces)


def test_the_steps_of_pieces_are_one_for_each_rule_with_all_that_it_saved():
    whole, pieces = (explain_steps(optimize(alternating(30), [r.LOG_OF_EXP], piece=k)) for k in (1000, 10))
    assert [step.rule for step in pieces] == [step.rule for step in whole] == ["log_of_exp"]
    assert pieces[0].saved > 5 * TABLE.elementwise["exp"] * SIZES["p"]


def test_a_program_of_thousands_of_nodes_goes_through():
    """No recursion, no running out of numbers where a shared sum doubles its tree each time."""
    node = x
    for k in range(2_500):
        node = s.add(node, node) if k % 2 else s.log(s.exp(s.multiply(node, s.const(0.5, p))))
    given = program(node)
    result = optimize(given, [r.LOG_OF_EXP])
    assert {each.op for each in result.program.nodes()} == {"input", "constant", "multiply", "add"}
    argument = np.linspace(-1, 1, 5)
    np.testing.assert_allclose(evaluate(result.program, [argument])[0], argument)
