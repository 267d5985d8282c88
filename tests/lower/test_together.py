"""Iterations that run together: which do, and that they give what they give one after the other."""

import numpy as np
import pytest

from egc import ir
from egc.backends.numba import BACKEND
from egc.backends.reference import BACKEND as REFERENCE
from egc.ir import Program, make
from egc.lower import lower
from egc.sizes import symbol
from egc.types import parse_type

N, M = symbol("n"), symbol("m")
WIDE = 600


def argument(name, text):
    return ir.input(name, parse_type(text))


def shifted(x, down, right, trim=2):
    return make("slice", x, start=(down, right), size=(N - trim, M - trim), step=(1, 1))


def rows(value):
    return make("broadcast", value, shape=(N, M), axes=(1,))


def stencil(x):
    around = make(
        "add", make("add", shifted(x, 0, 1), shifted(x, 2, 1)), make("add", shifted(x, 1, 0), shifted(x, 1, 2))
    )
    return make("subtract", around, shifted(x, 1, 1))


def separable(x):
    first, second, third = (make("slice", x, start=(k, 0), size=(N - 2, M), step=(1, 1)) for k in (0, 1, 2))
    down = make("add", make("add", first, second), make("multiply", second, third))
    return make("add", *(make("slice", down, start=(0, k), size=(N - 2, M - 1), step=(1, 1)) for k in (0, 1)))


def columns(x):
    total = make("sum", x, axes=(0,))
    apart = make("subtract", x, rows(total))
    squares = make("sum", make("multiply", apart, apart), axes=(0,))
    return make("add", make("multiply", apart, rows(squares)), rows(total))


def scans(x):
    return make("cumsum", make("multiply", x, x), axis=1)


def in_pairs(x):
    return make("add", scans(x), make("transpose", x, axes=(0, 1)))


PROGRAMS = {f.__name__: f for f in (stencil, separable, columns, scans, in_pairs)}


@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize("height", [3, 4, 5, 8, 9, 11])
def test_rows_that_run_together_give_what_single_rows_give(name, height):
    x = argument("x", "f64[n, m]")
    program = Program((x,), (PROGRAMS[name](x),))
    compiled = BACKEND.compile(program)
    for width in (WIDE, 40):
        given = np.random.default_rng(height).normal(size=(height, width)).round(1)
        (got,), (want,) = compiled.run(given), REFERENCE.compile(program).run(given)
        np.testing.assert_allclose(got, want, rtol=1e-12, atol=1e-12, strict=True)


@pytest.mark.parametrize("name", ["stencil", "columns", "scans"])
def test_rows_that_share_what_they_read_run_together(name):
    x = argument("x", "f64[n, m]")
    assert "4 together" in str(lower(Program((x,), (PROGRAMS[name](x),))))


def test_rows_that_share_nothing_run_alone():
    x, y = argument("x", "f64[n, m]"), argument("y", "f64[n, m]")
    late = make("slice", x, start=(0, 1), size=(N, M - 1), step=(1, 1))
    early = make("slice", y, start=(0, 0), size=(N, M - 1), step=(1, 1))
    assert "together" not in str(lower(Program((x, y), (make("add", late, early),))))


def test_a_row_that_reads_what_the_one_before_wrote_runs_alone():
    x = argument("x", "f64[n, m]")
    down = make("cumsum", make("add", shifted(x, 0, 1), shifted(x, 1, 1)), axis=0)
    program = Program((x,), (down,))
    given = np.random.default_rng(0).normal(size=(9, WIDE))
    (got,), (want,) = BACKEND.compile(program).run(given), REFERENCE.compile(program).run(given)
    np.testing.assert_allclose(got, want, rtol=1e-12)
