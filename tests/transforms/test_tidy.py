"""A tidied loop or branch computes what it computed, with less."""

from __future__ import annotations

import numpy as np
import pytest

from egc.transforms import tidy

from ..backends.samples import cases, program
from .support import assert_computes_the_same, loops_of, ops_of, parsed


@pytest.mark.parametrize("op", ["loop", "cond"])
def test_tidied_samples_compute_the_same(op):
    for case in cases(op):
        p, arguments, _ = program([case])
        assert_computes_the_same(p, tidy(p), arguments)


LOOP = """
f(x: f64[n], y: f64[], c: i64[]) -> {outputs}
  %9 = size() {{value={count}}} : i64[]
  %0 = loop(%9, y, y, x, x, y, y) {{counted=True, states=4}} : (f64[], f64[], f64[n], f64[n])
    update(_i1: size i64[], _s1_0: f64[], _s1_1: f64[], _s1_2: f64[n], _s1_3: f64[n], a: f64[], b: f64[]) -> %8, %9, _s1_2, %3
      %0 = slice(_s1_2) {{size=(1,), start=(_i1,), step=(1,)}} : f64[1]
      %1 = reshape(%0) {{shape=()}} : f64[]
      %2 = exp(a) : f64[]
      %4 = multiply(%2, b) : f64[]
      %5 = multiply(%4, %1) : f64[]
      %8 = add(_s1_0, %5) : f64[]
      %9 = add(_s1_1, %5) : f64[]
      %6 = broadcast(_s1_0) {{axes=(), shape=(n,)}} : f64[n]
      %3 = add(_s1_3, %6) : f64[n]
  %1 = item(%0) {{index=0}} : f64[]
  %2 = item(%0) {{index=1}} : f64[]
  %3 = item(%0) {{index=2}} : f64[n]
  %4 = item(%0) {{index=3}} : f64[n]
"""
ARGUMENTS = [np.array([0.5, 1.5, -2.0]), np.array(0.75), np.array(3)]


def tidied(outputs, count="n"):
    p = parsed(LOOP.format(outputs=outputs, count=count))
    found = tidy(p)
    assert_computes_the_same(p, found, ARGUMENTS)
    return found


def test_a_loop_keeps_the_states_that_are_needed_one_of_equal_ones_and_none_that_stays():
    (loop,) = loops_of(tidied("%1, %2, %3, %4"))
    assert loop.params["states"] == 2
    (loop,) = loops_of(tidied("%1, %2"))
    assert loop.params["states"] == 1
    assert not loops_of(tidied("%3"))


def test_work_that_is_the_same_in_every_iteration_is_done_before():
    (loop,) = loops_of(tidied("%1"))
    assert "exp" not in [node.op for node in loop.params["update"].nodes()]
    assert len(loop.inputs) == 4


@pytest.mark.parametrize("count", [0, -1, 1])
def test_a_loop_of_no_or_one_iteration_is_no_loop(count):
    assert not loops_of(tidied("%1, %4", count))


def test_what_can_raise_is_not_done_before_a_loop_that_may_not_run():
    text = """
    f(x: f64[n], i: i64[1], c: i64[]) -> %1
      %2 = constant() {dtype=f64, shape=(), value=0.0} : f64[]
      %0 = loop(c, %2, x, i) {counted=True, states=1} : (f64[])
        update(_i1: size i64[], _s1_0: f64[], _c1_0: f64[n], _c1_1: i64[1]) -> %2
          %0 = gather(_c1_0, _c1_1) {axes=(0,), mode='raise'} : f64[1]
          %1 = sum(%0) {axes=(0,)} : f64[]
          %2 = add(_s1_0, %1) : f64[]
      %1 = item(%0) {index=0} : f64[]
    """
    p = parsed(text)
    found = tidy(p)
    for count in (0, 2):
        for place in (1, 7):
            assert_computes_the_same(p, found, [np.arange(3.0), np.array([place]), np.array(count)])
    always = tidy(
        parsed(
            text.replace("loop(c,", "loop(%3,").replace(
                "%2 = constant", "%3 = size() {value=n} : i64[]\n      %2 = constant", 1
            )
        )
    )
    assert "gather" not in [node.op for node in loops_of(always)[0].params["update"].nodes()]


BRANCH = """
f(x: f64[n], y: f64[], b: bool[]) -> {outputs}
  %9 = constant() {{dtype=bool, shape=(), value=True}} : bool[]
  %0 = cond({condition}, x, y, x) : (f64[n], f64[], f64[])
    then(_c1_0: f64[n], _c1_1: f64[], _c1_2: f64[n]) -> %1, %2, %5
      %0 = exp(_c1_0) : f64[n]
      %1 = add(%0, _c1_2) : f64[n]
      %2 = sum(_c1_0) {{axes=(0,)}} : f64[]
      %5 = multiply(_c1_1, _c1_1) : f64[]
    otherwise(_c1_0: f64[n], _c1_1: f64[], _c1_2: f64[n]) -> %1, %2, %5
      %0 = exp(_c1_0) : f64[n]
      %1 = multiply(%0, _c1_2) : f64[n]
      %2 = sum(_c1_0) {{axes=(0,)}} : f64[]
      %5 = add(_c1_1, _c1_1) : f64[]
  %1 = item(%0) {{index=0}} : f64[n]
  %2 = item(%0) {{index=1}} : f64[]
  %3 = item(%0) {{index=2}} : f64[]
"""


@pytest.mark.parametrize("outputs", ["%1, %2, %3", "%1", "%2", "%3, %2"])
@pytest.mark.parametrize("condition", ["b", "%9"])
def test_a_branch_keeps_what_its_regions_do_not_share_and_is_needed(outputs, condition):
    p = parsed(BRANCH.format(outputs=outputs, condition=condition))
    found = tidy(p)
    for b in (True, False):
        assert_computes_the_same(p, found, [*ARGUMENTS[:2], np.array(b)])
    assert ops_of(found).count("sum") == outputs.count("%2")
    assert ops_of(found).count("exp") == outputs.count("%1")
    branches = [node for node in found.nodes() if node.op == "cond"]
    assert len(branches) == (condition == "b" and outputs != "%2")
    for node in branches:
        assert len(node.inputs) == 1 + outputs.count("%3") + 2 * outputs.count("%1")


def test_operands_of_one_element_are_numbers():
    p = parsed("""
    f(x: f64[n], k: bool[]) -> %3
      %0 = slice(x) {size=(1,), start=(2,), step=(1,)} : f64[1]
      %1 = slice(x) {size=(1,), start=(0,), step=(1,)} : f64[1]
      %2 = cond(k, x, %0, %1) : (f64[n])
        then(a: f64[n], b: f64[1], c: f64[1]) -> %1
          %0 = update_slice(a, b) {start=(0,), step=(1,)} : f64[n]
          %1 = update_slice(%0, c) {start=(2,), step=(1,)} : f64[n]
        otherwise(a: f64[n], b: f64[1], c: f64[1]) -> a
      %3 = item(%2) {index=0} : f64[n]
    """)
    for condition in (True, False):
        assert_computes_the_same(p, tidy(p), [np.array([0.5, 1.5, -2.0]), np.array(condition)])
    (branch,) = [node for node in tidy(p).nodes() if node.op == "cond"]
    assert [operand.type.rank for operand in branch.inputs[2:]] == [0, 0]


def test_what_was_written_just_before_is_read_as_it_was_written_and_written_again_once():
    p = parsed("""
    f(x: f64[n], a: f64[1]) -> %3
      %0 = update_slice(x, a) {start=(2,), step=(1,)} : f64[n]
      %1 = slice(%0) {size=(1,), start=(2,), step=(1,)} : f64[1]
      %2 = multiply(%1, %1) : f64[1]
      %3 = update_slice(%0, %2) {start=(2,), step=(1,)} : f64[n]
    """)
    found = tidy(p)
    assert_computes_the_same(p, found, [np.array([0.5, 1.5, -2.0]), np.array([3.0])])
    assert ops_of(found).count("update_slice") == 1 and "slice" not in ops_of(found)


def test_another_window_is_read_from_the_array():
    p = parsed("""
    f(x: f64[n], a: f64[1]) -> %2
      %0 = update_slice(x, a) {start=(2,), step=(1,)} : f64[n]
      %1 = slice(%0) {size=(1,), start=(1,), step=(1,)} : f64[1]
      %2 = update_slice(%0, %1) {start=(0,), step=(1,)} : f64[n]
    """)
    found = tidy(p)
    assert_computes_the_same(p, found, [np.array([0.5, 1.5, -2.0]), np.array([3.0])])
    assert found.outputs == p.outputs
