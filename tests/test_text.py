"""`parse_program(print_program(p)) == p`, and texts that are no Programs are refused."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from egc import ir, sizes
from egc.errors import EgcError, ProgramError, ShapeError
from egc.ir import Program
from egc.text import parse_program, print_program
from egc.types import DTYPES, ArrayType, parse_type

from .backends.samples import FROM_OTHERS, cases, program
from .random_programs import random_program


def assert_round_trip(p: Program) -> None:
    text = print_program(p)
    parsed = parse_program(text)
    assert parsed == p
    assert all(a is b for a, b in zip(parsed.outputs, p.outputs))
    assert print_program(parsed) == text


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 2**32), st.integers(0, 25))
def test_random_programs_round_trip(seed, length):
    assert_round_trip(random_program(seed, length)[0])


@pytest.mark.parametrize("op", sorted(set(ir.ops.OPS) - FROM_OTHERS))
def test_every_op_round_trips(op):
    assert_round_trip(program(list(cases(op)))[0])


@given(st.floats(), st.floats(), st.sampled_from(sorted(DTYPES)))
def test_constants_round_trip(real, imag, name):
    kind = DTYPES[name].kind
    value = {"b": real > 0, "f": real, "c": complex(real, imag)}.get(kind, 7)
    assert_round_trip(Program((), (ir.constant(value, DTYPES[name], (2,)),)))


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, -0.0, 0.0, 5e-324, 1.0])
def test_special_floats_keep_their_identity(value):
    node = ir.constant(value, np.dtype(float))
    assert parse_program(print_program(Program((), (node,)))).outputs[0] is node


def test_integers_bools_and_floats_of_equal_value_stay_apart():
    nodes = [ir.constant(1, DTYPES[name]) for name in ("f64", "i64", "bool", "u64")]
    assert_round_trip(Program((), tuple(nodes)))
    assert len(set(nodes)) == 4


def test_size_arguments_and_sizes_round_trip():
    n, k = sizes.symbol("n"), sizes.symbol("k")
    x, count = ir.input("x", ArrayType(DTYPES["f64"], (n, 2 * n + 1))), ir.input("k", parse_type("i64"))
    total = ir.make("slice", x, start=(0, 1), size=(sizes.minimum(n, k), k // 2), step=(1, -3))
    p = Program((x, count), (total, ir.size(n * k - sizes.maximum(1, n % k))), "f", frozenset(["k"]))
    assert_round_trip(p)
    assert "k: size i64[]" in print_program(p)


def test_no_inputs_and_no_outputs_round_trip():
    assert_round_trip(Program((), ()))


def test_results_of_several_arrays_print_their_types():
    a = ir.input("a", parse_type("f64[n, 3]"))
    q = ir.make("item", ir.make("qr", a, mode="reduced"), index=0)
    p = Program((a,), (q, a), "f")
    assert_round_trip(p)
    assert ": (f64[n, min(3, n)], f64[min(3, n), 3])" in print_program(p)


def test_an_input_that_is_not_declared_has_no_text():
    with pytest.raises(ProgramError, match="x is not among"):
        print_program(Program((), (ir.input("x", parse_type("f64")),)))


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("", ProgramError, "starts with"),
        ("f(x: f64[n]) -> %0", ProgramError, "no value named %0"),
        ("f(x: f64[n]) -> %0\n  %0 = exp(y) : f64[n]", ProgramError, "<text>:2: no value named y"),
        ("f(x: f64[n]) -> %0\n  %0 = exp(x) : f64[m]", ProgramError, r"has type f64\[n\], not f64\[m\]"),
        ("f(x: f64[n]) -> %0\n  %0 = frobnicate(x) : f64[n]", ProgramError, "no op named 'frobnicate'"),
        ("f(x: f64[n]) -> %0\n  %0 = exp x : f64[n]", ProgramError, "not a Node"),
        ("f(x: f64[n]) -> %0\n  %0 = sum(x) {axes=(1,)} : f64[]", ShapeError, "<text>:2: axes"),
        ("f(x: f64[n]) -> %0\n  %0 = sum(x) {axes=(0,} : f64[]", ProgramError, "not parameters"),
        ("f(x: f99[n]) -> x", ProgramError, "not a type"),
        ("f(x: f64[n]) -> %0\n  %0 = exp(x) : f64[n]\n  %0 = exp(x) : f64[n]", ProgramError, "defined twice"),
    ],
)
def test_a_wrong_text_is_refused_with_its_line(text, error, message):
    with pytest.raises(error, match=message) as caught:
        parse_program(text)
    assert isinstance(caught.value, EgcError)
