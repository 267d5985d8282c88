"""Arithmetic of symbolic sizes is arithmetic of integers."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from egc import sizes
from egc.errors import ProgramError
from egc.sizes import Dim, evaluate, parse, symbol

VALUES = st.fixed_dictionaries({"n": st.integers(0, 40), "m": st.integers(0, 40)})
LEAVES = st.one_of(st.integers(-5, 5), st.sampled_from([symbol("n"), symbol("m")]))
PYTHON = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "//": lambda a, b: a // b,
    "%": lambda a, b: a % b,
    "max": max,
    "min": min,
}
SYMBOLIC = PYTHON | {"max": sizes.maximum, "min": sizes.minimum}
TREES = st.recursive(LEAVES, lambda child: st.tuples(st.sampled_from(sorted(PYTHON)), child, child), max_leaves=8)


def build(tree) -> Dim:
    """The size of an expression; examples with a division by the literal 0 do not count."""
    if not isinstance(tree, tuple):
        return tree
    op, a, b = tree[0], build(tree[1]), build(tree[2])
    assume(not (op in ("//", "%") and b == 0))
    return SYMBOLIC[op](a, b)


def compute(tree, values) -> int:
    if not isinstance(tree, tuple):
        return evaluate(tree, values)
    return PYTHON[tree[0]](compute(tree[1], values), compute(tree[2], values))


@given(TREES, VALUES)
def test_arithmetic_of_sizes_is_arithmetic_of_integers(tree, values):
    try:
        expected = compute(tree, values)
    except ZeroDivisionError:
        assume(False)
    assert evaluate(build(tree), values) == expected


@given(TREES)
def test_the_text_of_a_size_parses_to_the_size(tree):
    size = build(tree)
    assert parse(str(size)) == size


@given(TREES, VALUES)
def test_substituting_values_evaluates(tree, values):
    size = build(tree)
    try:
        expected = evaluate(size, values)
    except ZeroDivisionError:
        assume(False)
    assert sizes.substitute(size, values) == expected


@given(TREES, TREES)
def test_sizes_equal_by_value_hash_equal(a, b):
    first, second = build(a) + build(b), build(b) + build(a)
    assert first == second and hash(first) == hash(second)


def test_a_size_has_no_truth_value():
    with pytest.raises(TypeError, match="truth value"):
        bool(symbol("n"))


def test_a_symbol_without_a_value_is_refused():
    with pytest.raises(ProgramError, match="n has no value"):
        evaluate(symbol("n") + 1, {"m": 2})


@pytest.mark.parametrize("text", ["n +", "f(n)", "n / 2", "n**m", "'n'", "n if m else 1"])
def test_what_is_no_size_is_refused(text):
    with pytest.raises(ProgramError, match="not a size"):
        parse(text)


def test_different_sizes_stay_different():
    n, m = symbol("n"), symbol("m")
    assert n != m and n + 1 != n and n * m != n + m and (n + 1) // 2 != n // 2
