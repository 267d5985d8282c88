"""A Program's NumPy source computes, bit for bit, what the reference interpreter computes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from egc import ir, ops
from egc.backends import reference
from egc.check import check
from egc.ir import Program
from egc.source import expression_source, numpy_source
from egc.source.writer import RENDER
from egc.text import parse_program
from egc.types import parse_type

from .backends.samples import FROM_OTHERS, cases, program
from .random_programs import random_program

PRODUCTS = frozenset(["multiply", "divide", "power", "reciprocal", "prod", "cumprod", "matmul", "convolve"])


def run(source: str, name: str, arguments: list[Any]) -> tuple[np.ndarray, ...]:
    scope: dict[str, Any] = {}
    exec(source, scope)
    result = scope[name](*arguments)
    return result if isinstance(result, tuple) else (result,)


def has_complex_product(p: Program) -> bool:
    return any(node.op in PRODUCTS and node.type.dtype.kind == "c" for node in p.nodes())


def assert_same(p: Program, arguments: list[Any], bits: bool = True) -> None:
    source = numpy_source(p, "f")
    try:
        expected = reference.evaluate(p, arguments)
    except (ValueError, IndexError) as error:
        with pytest.raises(type(error)):
            run(source, "f", arguments)
        return
    with np.errstate(all="ignore"):
        actual = run(source, "f", arguments)
    assert len(actual) == len(expected), source
    for ours, theirs in zip(actual, expected):
        ours = np.asarray(ours)
        assert ours.dtype == theirs.dtype and ours.shape == theirs.shape, source
        if not bits:
            continue
        np.testing.assert_array_equal(ours, theirs, source)
        if theirs.dtype.kind == "f":
            real = ~np.isnan(theirs)
            np.testing.assert_array_equal(np.signbit(ours[real]), np.signbit(theirs[real]), source)


@pytest.mark.parametrize("op", sorted(set(ops.OPS) - FROM_OTHERS))
def test_source_of_every_op_computes_what_the_reference_computes(op):
    for case in cases(op):
        p, arguments, _ = program([case])
        assert_same(p, arguments)


def test_every_op_has_cases_and_source():
    assert all(cases(op) for op in set(ops.OPS) - FROM_OTHERS)
    assert set(RENDER) == set(ops.OPS) - {"input", "constant", "empty", "size", "assume"}


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 25))
def test_source_of_random_programs_computes_what_the_reference_computes(seed, length):
    """NumPy's products of complex numbers differ in the last bit between memory in one piece, where they take vectors with fused
    operations, and repeated elements: after them, types, shapes and errors are compared."""
    p, arguments = random_program(seed, length)
    assert_same(check(p), arguments, not has_complex_product(p))


F = """f(x: f64[n], y: f32[n], A: f64[n, m], i: i64[k], z: c128[n], b: bool[n], j: i64[n]) -> %9
"""

EXAMPLES = [
    ("%9 = multiply(x, x) : f64[n]", "x**2"),
    ("%0 = constant() {dtype=f64, shape=(n,), value=2.0} : f64[n]\n%9 = power(x, %0) : f64[n]", "x**2"),
    (
        "%0 = constant() {dtype=f32, shape=(n,), value=0.10000000149011612} : f32[n]\n%9 = add(y, %0) : f32[n]",
        "y + 0.1",
    ),
    ("%0 = constant() {dtype=f64, shape=(n,), value=-0.5} : f64[n]\n%9 = add(x, %0) : f64[n]", "x - 0.5"),
    ("%0 = cast(j) {dtype=f64} : f64[n]\n%9 = multiply(%0, x) : f64[n]", "j * x"),
    ("%0 = cast(y) {dtype=f64} : f64[n]\n%9 = exp(%0) : f64[n]", "np.exp(y.astype(np.float64))"),
    ("%0 = broadcast(x) {axes=(0,), shape=(n, m)} : f64[n, m]\n%9 = subtract(A, %0) : f64[n, m]", "A - x[:, None]"),
    ("%9 = broadcast(x) {axes=(1,), shape=(3, n)} : f64[3, n]", "np.broadcast_to(x, (3, n))"),
    ("%0 = subtract(x, x) : f64[n]\n%9 = subtract(x, %0) : f64[n]", "x - (x - x)"),
    ("%0 = negative(x) : f64[n]\n%9 = multiply(%0, %0) : f64[n]", "(-x)**2"),
    ("%9 = slice(x) {size=(n - 2,), start=(1,), step=(1,)} : f64[n - 2]", "x[1:-1]"),
    ("%9 = slice(x) {size=(n,), start=(n - 1,), step=(-1,)} : f64[n]", "x[::-1]"),
    ("%9 = slice(x) {size=(n - 1,), start=(n - 2,), step=(-1,)} : f64[n - 1]", "x[:-1][::-1]"),
    ("%9 = slice(A) {size=(n, 2), start=(0, m - 2), step=(1, 1)} : f64[n, 2]", "A[:, -2:]"),
    (
        "%0 = slice(A) {size=(n, 1), start=(0, m - 1), step=(1, 1)} : f64[n, 1]\n%9 = reshape(%0) {shape=(n,)} : f64[n]",
        "A[:, -1]",
    ),
    ("%9 = sum(A) {axes=(0, 1)} : f64[]", "np.sum(A)"),
    ("%9 = max(A) {axes=(1,)} : f64[n]", "np.max(A, axis=1)"),
    (
        "%0 = sum(A) {axes=(1,)} : f64[n]\n%9 = reshape(%0) {shape=(n, 1)} : f64[n, 1]",
        "np.sum(A, axis=1, keepdims=True)",
    ),
    ("%0 = cast(b) {dtype=i64} : i64[n]\n%9 = sum(%0) {axes=(0,)} : i64[]", "np.sum(b)"),
    ("%0 = logical_not(b) : bool[n]\n%9 = logical_and(b, %0) : bool[n]", "b & ~b"),
    ("%9 = gather(x, i) {axes=(0,), mode='raise'} : f64[k]", "x[i]"),
    (
        "%0 = gather(A, i) {axes=(1,), mode='raise'} : f64[k, n]\n%9 = transpose(%0) {axes=(1, 0)} : f64[n, k]",
        "A[:, i]",
    ),
    ("%9 = constant() {dtype=f32, shape=(), value=0.5} : f32[]", "np.float32(0.5)"),
    ("%9 = constant() {dtype=i64, shape=(3,), value=7} : i64[3]", "np.full(3, 7)"),
    ("%9 = constant() {dtype=f64, shape=(2,), value=-0.0} : f64[2]", "np.full(2, -0.0)"),
    ("%9 = reciprocal(x) : f64[n]", "np.reciprocal(x)"),
    ("%0 = transpose(A) {axes=(1, 0)} : f64[m, n]\n%9 = matmul(%0, x) : f64[m]", "A.T @ x"),
    ("%0 = matmul(z, z) : c128[]\n%9 = multiply(%0, %0) : c128[]", "np.multiply(product, product)"),
    ("%9 = erf(x) : f64[n]", "special.erf(x)"),
]


@pytest.mark.parametrize(("lines", "expected"), EXAMPLES)
def test_source_reads_as_a_person_writes_it(lines, expected):
    p = parse_program(F + lines)
    assert f"return {expected}\n" in numpy_source(p, "f")


def test_shared_values_are_named_and_sizes_come_from_shapes():
    p = parse_program(
        """f(A: f64[n, m]) -> %3
        %0 = exp(A) : f64[n, m]
        %1 = size() {value=n*m} : i64[]
        %2 = sum(%0) {axes=(1,)} : f64[n]
        %4 = broadcast(%2) {axes=(0,), shape=(n, m)} : f64[n, m]
        %5 = divide(%0, %4) : f64[n, m]
        %6 = cast(%1) {dtype=f64} : f64[]
        %7 = broadcast(%6) {axes=(), shape=(n, m)} : f64[n, m]
        %3 = divide(%5, %7) : f64[n, m]"""
    )
    assert numpy_source(p, "f").partition("def ")[2] == (
        "f(A):\n"
        "    n, m = A.shape\n"
        "    exponential = np.exp(A)\n"
        "    return exponential / np.sum(exponential, axis=1)[:, None] / (m*n)\n"
    )


def test_writes_into_one_array_happen_in_place():
    p = parse_program(
        """f(x: f64[n]) -> %3
        %0 = constant() {dtype=f64, shape=(n,), value=0.0} : f64[n]
        %1 = slice(x) {size=(n - 1,), start=(1,), step=(1,)} : f64[n - 1]
        %2 = update_slice(%0, %1) {start=(0,), step=(1,)} : f64[n]
        %4 = constant() {dtype=f64, shape=(1,), value=2.0} : f64[1]
        %3 = update_slice(%2, %4) {start=(n - 1,), step=(1,)} : f64[n]"""
    )
    assert "    result[:-1] = x[1:]\n    result[-1:] = 2.0\n    return result\n" in numpy_source(p, "f")


def test_an_array_that_is_needed_unchanged_is_copied():
    p = parse_program(
        """f(x: f64[n]) -> %2, %0
        %0 = update_slice(x, x) {start=(0,), step=(1,)} : f64[n]
        %1 = slice(x) {size=(1,), start=(0,), step=(1,)} : f64[1]
        %2 = update_slice(%0, %1) {start=(0,), step=(1,)} : f64[n]"""
    )
    assert_same(p, [np.arange(3.0)])


def test_names_that_are_taken_are_changed():
    p = parse_program("f(np: f64[f], f: f64[f]) -> %0\n%0 = add(np, f) : f64[f]")
    assert_same(p, [np.arange(3.0), np.ones(3)])


def test_an_expression_is_written_on_one_line_without_its_program():
    x = parse_program(F + "%0 = exp(x) : f64[n]\n%9 = log(%0) : f64[n]").outputs[0]
    assert expression_source(x) == "np.log(np.exp(x))"
    for _ in range(12):
        x = ir.make("add", x, x)
    assert len(expression_source(x)) < 400


def test_assumptions_are_not_written():
    x = ir.input("x", parse_type("f64[n]"))
    assumed = ir.make("assume", x, facts=("positive",))
    assert expression_source(ir.make("log", assumed)) == "np.log(x)"
    assert expression_source(assumed) == "x"
    assert "return np.log(x)" in numpy_source(Program((x,), (ir.make("log", assumed),)), "f")
