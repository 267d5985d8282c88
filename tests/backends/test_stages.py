"""Loops in stages: scans and scatters between what runs in vectors give what NumPy gives, element by element."""

import numpy as np
import pytest

from egc import ir
from egc.backends.reference import BACKEND as REFERENCE
from egc.ir import Program, make
from egc.sizes import symbol
from egc.types import ArrayType, parse_type

from .shared import compiled

N = symbol("n")
LENGTHS = [1, 5, 63, 64, 65, 255, 256, 257, 700]


def argument(name, text):
    return ir.input(name, parse_type(text))


def agree(inputs, outputs, *arrays):
    program = Program(tuple(inputs), tuple(outputs))
    made = compiled(program)
    for got, want in zip(made.run(*arrays), REFERENCE.compile(program).run(*arrays), strict=True):
        np.testing.assert_array_equal(got, want, strict=True)
    return made.code


def positions(length):
    return make("cast", make("iota", shape=(length,), axis=0), dtype=np.dtype(float))


def numbers(count, seed=0):
    return np.random.default_rng(seed).normal(size=count)


@pytest.mark.parametrize("length", LENGTHS)
def test_what_follows_a_scan_sees_its_bits(length):
    x, y = argument("x", "f64[n]"), argument("y", "f64[n]")
    one = ir.constant(1.0, np.dtype(float), (N,))
    running = make("cumsum", make("multiply", x, y), axis=0)
    mean = make("divide", running, make("add", positions(N), one))
    twice = make("cumsum", mean, axis=0)
    late = make("divide", make("subtract", twice, make("multiply", x, y)), make("add", running, one))
    given = numbers(length) * 1e6, numbers(length, 1)
    code = agree([x, y], [mean, twice, late, make("cumprod", make("divide", x, y), axis=0)], *given)
    assert "range(gi" in code


@pytest.mark.parametrize("dtype", ["f32", "i32", "bool"])
@pytest.mark.parametrize("op", ["cummax", "cummin", "cumprod"])
def test_scans_of_any_dtype_in_stages(op, dtype):
    dtype = {"f32": np.dtype("f4"), "i32": np.dtype("i4"), "bool": np.dtype(bool)}[dtype]
    x = ir.input("x", ArrayType(dtype, (N,)))
    found = make("cast", make(op, x, axis=0), dtype=np.dtype(float))
    over = make("divide", found, make("add", positions(N), ir.constant(2.0, np.dtype(float), (N,))))
    for length in LENGTHS:
        agree([x], [over], numbers(length).astype(dtype))


@pytest.mark.parametrize("rows", [1, 3])
def test_each_row_of_a_scan_in_stages_starts_anew(rows):
    x = argument("x", "f64[n, m]")
    shape = x.type.shape
    running = make("cumsum", x, axis=1)
    near = make("divide", running, ir.constant(3.0, np.dtype(float), shape))
    agree([x], [near, make("max", near, axes=(1,))], numbers((rows, 150)))


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("combine", ["add", "set", "maximum", "subtract"])
def test_scatters_in_stages(combine, length):
    total, i, x = argument("total", "f64[k]"), argument("i", "i64[n]"), argument("x", "f64[n]")
    value = make("divide", make("add", x, positions(N)), ir.constant(3.0, np.dtype(float), (N,)))
    made = make("scatter", total, value, i, axes=(0,), combine=combine)
    given = numbers(7), np.random.default_rng(2).integers(-7, 7, length), numbers(length)
    assert "range(gi" in agree([total, i, x], [made], *given)


def test_a_scatter_of_a_running_sum():
    total, i, x = argument("total", "f64[k]"), argument("i", "i64[n]"), argument("x", "f64[n]")
    half = make("divide", make("cumsum", x, axis=0), ir.constant(2.0, np.dtype(float), (N,)))
    made = make("scatter", total, half, i, axes=(0,), combine="add")
    agree([total, i, x], [made], numbers(4), np.random.default_rng(2).integers(0, 4, 300), numbers(300))


@pytest.mark.parametrize("at", [3, 200, 299])
@pytest.mark.parametrize("outside", [7, -8, 10**12])
def test_an_index_out_of_bounds_is_found_in_every_stage(at, outside):
    total, i, x = argument("total", "f64[k]"), argument("i", "i64[n]"), argument("x", "f64[n]")
    value = make("divide", x, ir.constant(3.0, np.dtype(float), (N,)))
    made = make("scatter", total, value, i, axes=(0,), combine="add")
    run = compiled(Program((total, i, x), (made,))).run
    index = np.zeros(300, np.int64)
    index[at] = outside
    with pytest.raises(IndexError):
        run(np.zeros(7), index, np.ones(300))
