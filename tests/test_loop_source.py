"""Loops and branches are written as Python statements that compute what the reference interpreter computes."""

from __future__ import annotations

import numpy as np
import pytest

from egc.check import check
from egc.source import numpy_source
from egc.text import parse_program

from .test_numpy_source import assert_same

PRODUCT = """
product(A: f64[n, m], B: f64[m, k]) -> %1
  %0 = constant() {dtype=f64, shape=(n, k), value=0.0} : f64[n, k]
  %2 = size() {value=n} : i64[]
  %3 = loop(%2, %0, A, B) {counted=True, states=1} : (f64[n, k])
    update(_i1: size i64[], _s1_0: f64[n, k], _c1_0: f64[n, m], _c1_1: f64[m, k]) -> %2
      %0 = size() {value=k} : i64[]
      %1 = loop(%0, _s1_0, _c1_0, _c1_1) {counted=True, states=1} : (f64[n, k])
        update(_i2: size i64[], _s2_0: f64[n, k], _c2_0: f64[n, m], _c2_1: f64[m, k]) -> %2
          %0 = size() {value=m} : i64[]
          %1 = loop(%0, _s2_0, _c2_0, _c2_1) {counted=True, states=1} : (f64[n, k])
            update(_i3: size i64[], _s3_0: f64[n, k], _c3_0: f64[n, m], _c3_1: f64[m, k]) -> %9
              %0 = slice(_s3_0) {size=(1, 1), start=(_i1, _i2), step=(1, 1)} : f64[1, 1]
              %1 = reshape(%0) {shape=()} : f64[]
              %2 = slice(_c3_0) {size=(1, 1), start=(_i1, _i3), step=(1, 1)} : f64[1, 1]
              %3 = reshape(%2) {shape=()} : f64[]
              %4 = slice(_c3_1) {size=(1, 1), start=(_i3, _i2), step=(1, 1)} : f64[1, 1]
              %5 = reshape(%4) {shape=()} : f64[]
              %6 = multiply(%3, %5) : f64[]
              %7 = add(%1, %6) : f64[]
              %8 = reshape(%7) {shape=(1, 1)} : f64[1, 1]
              %9 = update_slice(_s3_0, %8) {start=(_i1, _i2), step=(1, 1)} : f64[n, k]
          %2 = item(%1) {index=0} : f64[n, k]
      %2 = item(%1) {index=0} : f64[n, k]
  %1 = item(%3) {index=0} : f64[n, k]
"""


def test_a_nest_of_loops_writes_in_place():
    p = check(parse_program(PRODUCT))
    assert numpy_source(p, "f").partition("def ")[2] == (
        "f(A, B):\n"
        "    n, m = A.shape\n"
        "    k = B.shape[1]\n"
        "    result = np.zeros((n, k))\n"
        "    for i in range(n):\n"
        "        for j in range(k):\n"
        "            for k2 in range(m):\n"
        "                result[i, j] = result[i, j] + A[i, k2] * B[k2, j]\n"
        "    return result\n"
    )
    rng = np.random.default_rng(0)
    assert_same(p, [rng.normal(size=(2, 3)), rng.normal(size=(3, 4))])


LOOP = """
f(x: f64[n], y: f64[n], c: i64[]) -> {results}
  %0 = loop(c, x, y) {{counted=True, states=2}} : (f64[n], f64[n])
    update(_i1: size i64[], _s1_0: f64[n], _s1_1: f64[n]) -> {states}
      %0 = slice(_s1_0) {{size=(1,), start=(_i1,), step=(1,)}} : f64[1]
      %1 = update_slice(_s1_1, %0) {{start=(_i1,), step=(1,)}} : f64[n]
      %2 = multiply(_s1_1, _s1_1) : f64[n]
      %3 = update_slice(%1, %0) {{start=(_i1 + 1,), step=(1,)}} : f64[n]
      %4 = slice(_s1_1) {{size=(n,), start=(n - 1,), step=(-1,)}} : f64[n]
      %5 = add(%1, %4) : f64[n]
  %1 = item(%0) {{index=0}} : f64[n]
  %2 = item(%0) {{index=1}} : f64[n]
"""


@pytest.mark.parametrize(
    "states", ["_s1_0, %1", "_s1_0, %3", "%2, %1", "%4, %3", "%5, %3", "%1, _s1_0", "%1, %1", "%4, %1"]
)
@pytest.mark.parametrize("results", ["%1, %2", "x, %2, y", "%1"])
def test_an_array_that_is_read_later_or_belongs_to_the_caller_is_copied(states, results):
    p = check(parse_program(LOOP.format(results=results, states=states)))
    x, y = np.arange(4.0), np.arange(4.0) ** 2 + 0.5
    kept = x.copy(), y.copy()
    assert_same(p, [x, y, np.array(3)])
    assert (x == kept[0]).all() and (y == kept[1]).all()


def test_one_plain_chain_of_updates_of_a_state_copies_before_the_loop_only():
    source = numpy_source(check(parse_program(LOOP.format(results="%2", states="_s1_0, %3"))), "f")
    assert source.count(".copy()") == 1 and "    result[i + 1:i + 2] = x[i:i + 1]\n" in source


BRANCH = """
f(x: f64[n], c: i64[]) -> %1
  %0 = loop(c, x) {counted=True, states=1} : (f64[n])
    update(_i1: size i64[], _s1_0: f64[n]) -> %5
      %0 = slice(_s1_0) {size=(1,), start=(_i1,), step=(1,)} : f64[1]
      %1 = reshape(%0) {shape=()} : f64[]
      %2 = constant() {dtype=f64, shape=(), value=1.0} : f64[]
      %3 = less(%1, %2) : bool[]
      %4 = cond(%3, _s1_0, %1) : (f64[n])
        then(_c2_0: f64[n], _c2_1: f64[]) -> %2
          %0 = add(_c2_1, _c2_1) : f64[]
          %1 = reshape(%0) {shape=(1,)} : f64[1]
          %2 = update_slice(_c2_0, %1) {start=(_i1,), step=(1,)} : f64[n]
        otherwise(_c2_0: f64[n], _c2_1: f64[]) -> _c2_0
      %5 = item(%4) {index=0} : f64[n]
  %1 = item(%0) {index=0} : f64[n]
"""


def test_a_branch_in_a_loop_writes_in_place():
    p = check(parse_program(BRANCH))
    assert numpy_source(p, "f").partition("def ")[2] == (
        "f(x, c):\n"
        "    result = x.copy()\n"
        "    for i in range(c):\n"
        "        element = result[i]\n"
        "        if element < 1.0:\n"
        "            result[i] = element + element\n"
        "    return result\n"
    )
    assert_same(p, [np.array([0.5, 3.0, -1.0]), np.array(3)])
