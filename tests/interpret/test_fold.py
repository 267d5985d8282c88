"""A domain is a table: what has no row is unknown, loops and branches need none."""

from __future__ import annotations

import numpy as np

from egc.backends import reference
from egc.interpret import Domain, fold
from egc.text import parse_program


class Parity(Domain):
    """Whether all elements of integers are even: True, False where none is, None where that is not known."""

    def exact(self, array):
        even = np.asarray(array) % 2 == 0
        return bool(even.all()) if even.all() or not even.any() else None

    def known(self, fact):
        return None

    def top(self, type, operands):
        return None

    def join(self, a, b):
        return a if a is b else None

    def same(self, a, b):
        return a is b

    rules = {
        "constant": lambda domain, call: domain.exact(np.asarray(call.params["value"])),
        "add": lambda domain, call: None if None in call.operands else call.operands[0] == call.operands[1],
        "multiply": lambda domain, call: True if True in call.operands else domain.join(*call.operands),
    }


def facts(text, *given):
    return fold(parse_program(text), given, Parity(reference.evaluate), {})


def test_an_op_without_a_row_is_unknown():
    text = """f(x: i64[], y: i64[]) -> %1, %2
      %0 = multiply(x, y) : i64[]
      %1 = add(%0, y) : i64[]
      %2 = bitwise_xor(%0, y) : i64[]"""
    assert facts(text, True, False) == (False, None)
    assert facts(text, None, True) == (True, None)


def test_both_branches_are_followed_where_the_condition_is_not_known():
    text = """f(c: bool[], x: i64[]) -> %1
      %0 = cond(c, x) : (i64[])
        then(a: i64[]) -> %0
          %0 = add(a, a) : i64[]
        otherwise(a: i64[]) -> a
      %1 = item(%0) {index=0} : i64[]"""
    assert facts(text, None, True) == (True,)
    assert facts(text, None, False) == (None,)


def test_a_loop_is_followed_until_its_facts_hold_in_all_iterations():
    text = """f(x: i64[], y: i64[], c: bool[]) -> %1
      %0 = loop(x, y, c) {counted=False, states=1} : (i64[])
        pre(s: i64[], a: i64[], b: bool[]) -> b
        update(s: i64[], a: i64[], b: bool[]) -> %0
          %0 = add(s, a) : i64[]
      %1 = item(%0) {index=0} : i64[]"""
    assert facts(text, True, True, None) == (True,)
    assert facts(text, True, False, None) == (None,)
