"""Loops and branches in the e-graph: terms like others, whose regions are optimized by the same rules."""

from __future__ import annotations

import numpy as np
import pytest

from egc import invariant, ir, require, rule, stored, total
from egc.backends import reference
from egc.capture.rules import rewrites
from egc.check import check
from egc.costs import CostModel
from egc.egraph import explain_steps, optimize_program
from egc.egraph.decode import Graph
from egc.egraph.encode import encode
from egc.egraph.engine import Engine
from egc.egraph.extract import Extractor
from egc.egraph.saturate import Budget, saturate
from egc.pipeline import evaluate_reference
from egc.text import parse_program, print_program
from egc.transforms import fold_constants

from ..backends.samples import cases, program
from ..test_loop_source import BRANCH, LOOP, PRODUCT
from .rules import LOG_OF_EXP
from .support import TABLE

WORK = """
f(x: f64[n], y: f64[n], c: i64[]) -> %2
  %3 = constant() {dtype=f64, shape=(), value=0.0} : f64[]
  %0 = loop(c, %3, x, y) {counted=True, states=1} : (f64[])
    update(_i1: size i64[], _s1_0: f64[], _c1_0: f64[n], _c1_1: f64[n]) -> %5
      %0 = exp(_c1_0) : f64[n]
      %1 = log(%0) : f64[n]
      %2 = multiply(%1, _c1_1) : f64[n]
      %3 = sum(%2) {axes=(0,)} : f64[]
      %4 = multiply(%3, %3) : f64[]
      %5 = add(_s1_0, %4) : f64[]
  %1 = item(%0) {index=0} : f64[]
  %2 = exp(%1) : f64[]
"""
SIZES = {"n": 100, "m": 30, "k": 20, "c": 50}


def optimized(text, *rules, sizes=SIZES):
    p = check(parse_program(text))
    result = optimize_program(p, rules, TABLE, sizes)
    check(result.program)
    assert result.cost_after <= result.cost_before
    return p, result


@pytest.mark.parametrize("op", ["loop", "cond"])
def test_an_encoded_loop_or_branch_is_decoded_as_it_was(op):
    for case in cases(op):
        p, arguments, _ = program([case])
        engine = Engine(())
        graph = Graph(p, saturate(engine, p, Budget()))
        extractor = Extractor(graph, CostModel(TABLE, p.bind(arguments)))
        assert extractor.build(extractor.shared()).outputs == p.outputs
        engine.release()


@pytest.mark.parametrize("text", [WORK, PRODUCT, BRANCH, LOOP.format(results="%1, %2", states="%2, %1")])
def test_without_rules_a_program_with_regions_stays_as_it_is(text):
    p, result = optimized(text)
    assert result.program.outputs == p.outputs and result.cost_after == result.cost_before
    assert explain_steps(result) == ()


def test_rules_fire_inside_of_a_loop_and_what_they_save_counts_for_each_iteration():
    p, result = optimized(WORK, LOG_OF_EXP)
    assert "exp" not in print_program(result.program).partition("update")[2].partition("item")[0]
    steps = {step.rule: step.saved for step in explain_steps(result)}
    assert set(steps) == {"log_of_exp"} and result.fired["log_of_exp"] >= 1
    assert steps["log_of_exp"] == pytest.approx(result.cost_before - result.cost_after, rel=0.1)
    rng = np.random.default_rng(0)
    arguments = [rng.normal(size=3), rng.normal(size=3), np.array(4)]
    for ours, theirs in zip(reference.evaluate(result.program, arguments), reference.evaluate(p, arguments)):
        np.testing.assert_allclose(ours, theirs)


def test_an_optimized_program_with_regions_is_kept_and_found():
    p, result = optimized(WORK, LOG_OF_EXP)
    assert stored.decode(p, stored.encode(p, result.program)).outputs == result.program.outputs


def test_the_length_up_to_an_iteration_may_be_zero():
    """`max(x[:i])` raises where i is 0: nothing may take the axis for one that has elements."""
    text = """
    f(x: f64[n], c: i64[]) -> %1
      %0 = loop(c, x) {counted=True, states=1} : (f64[n])
        update(_i1: size i64[], _s1_0: f64[n]) -> %3
          %0 = slice(_s1_0) {size=(_i1,), start=(0,), step=(1,)} : f64[_i1]
          %1 = size() {value=_i1} : i64[]
          %2 = loop(%1, _s1_0, %0) {counted=True, states=1} : (f64[n])
            update(_i2: size i64[], _s2_0: f64[n], _c2_0: f64[_i1]) -> %2
              %0 = max(_c2_0) {axes=(0,)} : f64[]
              %1 = reshape(%0) {shape=(1,)} : f64[1]
              %2 = update_slice(_s2_0, %1) {start=(_i2,), step=(1,)} : f64[n]
          %3 = item(%2) {index=0} : f64[n]
      %1 = item(%0) {index=0} : f64[n]
    """
    inner = check(parse_program(text)).outputs[0].inputs[0].params["update"].outputs[0].inputs[0].params["update"]
    assert any('nonempty-shape (Shape1 "_i1")' in line for line in encode(inner).commands)
    assert not any('nonempty-shape (Shape1 "_i1")' in line for line in encode(inner, numbers={"_i1"}).commands)


def test_constants_are_folded_inside_of_loops():
    text = """
    f(x: f64[], c: i64[]) -> %1
      %0 = loop(c, x) {counted=True, states=1} : (f64[])
        update(_i1: size i64[], _s1_0: f64[]) -> %3
          %0 = constant() {dtype=f64, shape=(), value=0.5} : f64[]
          %2 = add(%0, %0) : f64[]
          %3 = multiply(_s1_0, %2) : f64[]
      %1 = item(%0) {index=0} : f64[]
    """
    p = fold_constants(check(parse_program(text)), evaluate_reference)
    (region,) = [region for _, region in ir.regions(p.outputs[0].inputs[0])]
    assert region.outputs[0].inputs[1].params["value"] == 1.0


def test_equal_regions_are_searched_once():
    twice = WORK.replace(
        "%2 = exp(%1)",
        """%5 = loop(c, %1, x, y) {counted=True, states=1} : (f64[])
    UPDATE
  %6 = item(%5) {index=0} : f64[]
  %2 = exp(%6)""",
    )
    region = WORK[WORK.index("    update") : WORK.index("  %1 = item")]
    _, result = optimized(twice.replace("    UPDATE\n", region), LOG_OF_EXP)
    first, second = result.regions
    assert first.program is second.program and first.seconds == second.seconds
    assert [node.op for node in result.program.nodes()].count("loop") == 2


INVARIANT = """
f(x: f64[n], y: f64[], z: f64[], c: i64[]) -> %1
  %0 = loop(c, y, z, x) {counted=True, states=1} : (f64[])
    update(_i1: size i64[], _s1_0: f64[], _c1_0: f64[], _c1_1: f64[n]) -> %6
      %0 = slice(_c1_1) {size=(1,), start=(_i1,), step=(1,)} : f64[1]
      %1 = reshape(%0) {shape=()} : f64[]
      %2 = divide(%1, _c1_0) : f64[]
      %3 = divide(%1, _s1_0) : f64[]
      %4 = add(%2, %3) : f64[]
      %5 = divide(_c1_0, %1) : f64[]
      %6 = add(%4, %5) : f64[]
  %1 = item(%0) {index=0} : f64[]
"""


@rule
def division_by_invariant(a, b):
    require(invariant(b), total(b))
    return a / b, a * (1.0 / b)


def test_a_rule_can_require_that_a_value_is_the_same_in_all_iterations():
    """Only the divisor that is no state, and does not depend on the number of the iteration, is inverted."""
    update = check(parse_program(INVARIANT)).outputs[0].inputs[0].params["update"]
    engine = Engine(rewrites(division_by_invariant))
    saturated = saturate(engine, update, Budget(iterations=1), varying={"_i1", "_s1_0"})
    assert saturated.matches["division_by_invariant"] == 1
    engine.release()
    saturated = saturate(engine, update, Budget(iterations=1))
    assert saturated.matches["division_by_invariant"] == 2, "a slice may raise"
    engine.release()
