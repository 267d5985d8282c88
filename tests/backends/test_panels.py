"""Loops that read one operand along rows and another across them give what NumPy gives, whatever fills panels."""

import numpy as np
import pytest

import egc
from egc import ir
from egc.backends.numba import BACKEND
from egc.backends.reference import BACKEND as REFERENCE
from egc.ir import Program, make
from egc.types import parse_type

SHAPES = [(8, 64), (70, 70), (64, 64), (7, 200), (200, 7), (100, 63), (63, 100), (131, 133), (9, 257)]


def turned(x):
    return make("transpose", x, axes=(1, 0))


def numbers(shape, dtype="f8", seed=0):
    return (np.random.default_rng(seed).normal(size=shape) * 100).astype(dtype)


def agree(inputs, outputs, *several):
    """Compiled once, for the arrays of all calls."""
    program = Program(tuple(inputs), tuple(outputs))
    compiled, reference = BACKEND.compile(program), REFERENCE.compile(program)
    for arrays in several:
        for got, want in zip(compiled.run(*arrays), reference.run(*arrays), strict=True):
            np.testing.assert_allclose(got, want, rtol=1e-13, atol=1e-11, strict=True)
    return compiled.code


@pytest.mark.parametrize("dtype", ["f64", "f32", "i64", "i32", "i16", "bool", "c128"])
def test_an_operand_that_is_read_across_is_read_in_full(dtype):
    x, y = ir.input("x", parse_type(f"{dtype}[n, m]")), ir.input("y", parse_type(f"{dtype}[m, n]"))
    kind = {"bool": "?", "f64": "f8", "f32": "f4", "i64": "i8", "i32": "i4", "i16": "i2", "c128": "c16"}[dtype]
    given = [(numbers(shape, kind), numbers(shape[::-1], kind, 1)) for shape in SHAPES]
    code = agree([x, y], [make("add", x, turned(y)), make("multiply", turned(y), x)], *given)
    assert ("turn(" in code) == (dtype in ("f64", "f32", "i64", "i32"))


def test_rows_with_sums_read_across_in_panels():
    x, y = ir.input("x", parse_type("f64[n, m]")), ir.input("y", parse_type("f32[m, n]"))
    apart = make("subtract", x, make("cast", turned(y), dtype=np.dtype(float)))
    sums = [make("sum", make("multiply", apart, apart), axes=axes) for axes in ((0,), (1,), (0, 1))]
    rows = make("broadcast", make("max", apart, axes=(1,)), shape=x.type.shape, axes=(0,))
    given = [(numbers(shape), numbers(shape[::-1], "f4", 1)) for shape in SHAPES]
    agree([x, y], [*sums, make("subtract", apart, rows)], *given)


def test_batches_are_read_across():
    x, y = ir.input("x", parse_type("f64[k, n, m]")), ir.input("y", parse_type("f64[k, m, n]"))
    both = make("add", x, make("transpose", y, axes=(0, 2, 1)))
    assert "turn(" in agree([x, y], [both], (numbers((3, 70, 90)), numbers((3, 90, 70), seed=1)))


def test_slices_are_read_across():
    x = ir.input("x", parse_type("f64[n, n]"))
    n = x.type.shape[0]
    late = make("slice", turned(x), start=(1, 2), size=(n - 2, n - 2), step=(1, 1))
    early = make("slice", x, start=(0, 1), size=(n - 2, n - 2), step=(1, 1))
    agree([x], [make("subtract", early, late)], (numbers((90, 90)),))


def test_orders_of_arguments_meet_in_panels():
    given = numbers((150, 90)), np.asfortranarray(numbers((150, 90), seed=1))
    assert np.array_equal(egc.optimize(lambda a, b: a * b + 1)(*given), given[0] * given[1] + 1)
