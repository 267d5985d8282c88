"""The numba backend: every loop gives what the reference gives, for all layouts and sizes, compiled once."""

import math
from fractions import Fraction

import numpy as np
import pytest

from egc import ir
from egc.backend import Demands
from egc.backends.numba import BACKEND, machine
from egc.backends.reference import BACKEND as REFERENCE
from egc.errors import OperandTypeError, ShapeError
from egc.ir import Program, make
from egc.sizes import symbol
from egc.types import DTYPES, ArrayType, parse_type

from ..sampling import crossed

N, M = symbol("n"), symbol("m")


def argument(name, text):
    return ir.input(name, parse_type(text))


def program(inputs, *outputs):
    return Program(tuple(inputs), tuple(outputs))


def agree(p, *arrays, rtol=1e-14):
    got, want = BACKEND.compile(p).run(*arrays), REFERENCE.compile(p).run(*arrays)
    for g, w in zip(got, want, strict=True):
        assert type(g) is np.ndarray and g.dtype == w.dtype
        np.testing.assert_allclose(g, w, rtol=rtol, atol=0, strict=True)
    return got


def standardized():
    """(x - mean(x)) / std(x) by row, and its largest element by column."""
    x = argument("x", "f64[n, m]")
    count = make("broadcast", make("cast", ir.size(M), dtype=np.dtype(float)), shape=(N,), axes=())

    def by_row(v):
        return make("broadcast", v, shape=(N, M), axes=(0,))

    centred = make("subtract", x, by_row(make("divide", make("sum", x, axes=(1,)), count)))
    variance = make("divide", make("sum", make("multiply", centred, centred), axes=(1,)), count)
    result = make("divide", centred, by_row(make("sqrt", variance)))
    return program([x], result, make("max", result, axes=(0,)))


LAYOUTS = {
    "c": lambda x: np.ascontiguousarray(x),
    "fortran": lambda x: np.asfortranarray(x),
    "strided": lambda x: np.repeat(np.repeat(x, 2, axis=0), 3, axis=1)[::2, ::3],
    "reversed": lambda x: x[::-1, ::-1].copy()[::-1, ::-1],
    "readonly": lambda x: np.broadcast_to(x, x.shape),
    "unaligned": lambda x: np.frombuffer(b"0" + x.tobytes(), np.uint8)[1:].view(x.dtype).reshape(x.shape),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_gives_the_same(layout):
    x = np.random.default_rng(0).normal(size=(7, 5))
    agree(standardized(), LAYOUTS[layout](x), rtol=1e-12)


def test_a_new_size_does_not_recompile():
    compiled = BACKEND.compile(standardized())
    compiled.run(np.random.rand(4, 3))
    before = machine.machine_code.cache_info().misses
    for shape in [(1, 1), (300, 200), (2, 129)]:
        x = np.random.rand(*shape)
        got, want = compiled.run(x), REFERENCE.compile(standardized()).run(x)
        np.testing.assert_allclose(got[0], want[0], rtol=1e-9)
    assert machine.machine_code.cache_info().misses == before


def test_equal_loops_of_two_programs_compile_once():
    x, y = argument("x", "f64[n]"), argument("other", "f64[m]")
    BACKEND.compile(program([x], make("exp", make("negative", x)))).run(np.ones(3))
    before = machine.machine_code.cache_info().misses
    BACKEND.compile(program([y], make("exp", make("negative", y)))).run(np.ones(3))
    assert machine.machine_code.cache_info().misses == before


AXES = [(), (0,), (1,), (2,), (0, 1), (0, 2), (1, 2), (0, 1, 2)]
NUMBERS = [dtype for name, dtype in DTYPES.items()]


@pytest.mark.parametrize(("dtype", "op"), crossed(NUMBERS, ["sum", "prod", "max", "min"], 2), ids=str)
def test_reductions_over_any_axes(dtype, op):
    x = ir.input("x", ArrayType(dtype, (N, M, symbol("k"))))
    p = program([x], *(make(op, x, axes=axes) for axes in AXES))
    rng = np.random.default_rng(1)
    values = rng.integers(-3, 4, size=(3, 4, 150)) if dtype.kind in "iufb" else rng.normal(size=(3, 4, 150)) * (1 + 1j)
    values = values.astype(dtype)
    if op == "prod" and dtype.kind in "fc":
        values = np.where(values == 0, 1, values / abs(np.where(values == 0, 1, values)))
    agree(p, values.astype(dtype), rtol=1e-5 if dtype in (np.float32, np.complex64) else 1e-12)


@pytest.mark.parametrize("op", ["any", "all"])
def test_logical_reductions_over_any_axes(op):
    x = argument("x", "bool[n, m, 3]")
    p = program([x], *(make(op, x, axes=axes) for axes in AXES))
    for density in (0.05, 0.5, 0.95):
        agree(p, np.random.default_rng(2).random((3, 4, 3)) < density)


@pytest.mark.parametrize("axes", [(0,), (1,), (0, 1)])
def test_max_and_min_give_nan_where_an_element_is_nan(axes):
    x = argument("x", "f64[n, m]")
    values = np.array([[1.0, np.nan, 3.0], [np.inf, 2.0, -np.inf]])
    p = program([x], make("max", x, axes=axes), make("min", x, axes=axes))
    for scale in (1, 40):
        agree(p, np.tile(values, (1, scale)))


@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (0, 0)])
def test_reductions_of_nothing(shape):
    x = argument("x", "f64[n, m]")
    agree(program([x], *(make(op, x, axes=a) for op in ("sum", "prod") for a in [(0,), (1,), (0, 1)])), np.ones(shape))
    for axis in (0, 1):
        p = program([x], make("max", x, axes=(axis,)))
        if shape[axis] == 0:
            with pytest.raises(ValueError, match="zero-size array to reduction operation maximum"):
                BACKEND.compile(p).run(np.ones(shape))
        else:
            agree(p, np.ones(shape))


@pytest.mark.parametrize("name", ["f64", "f32"])
def test_sums_are_at_least_as_accurate_as_numpy(name):
    x = argument("x", f"{name}[n, m]")
    p = program([x], make("sum", x, axes=(0, 1)), make("sum", make("exp", x), axes=(0, 1)))
    values = np.random.default_rng(3).random((100, 10_007)).astype(DTYPES[name])
    plain, exponentials = BACKEND.compile(p).run(values)
    for got, terms in ((plain, values), (exponentials, np.exp(values.astype(np.float64)).astype(DTYPES[name]))):
        exact = math.fsum(terms.ravel().tolist())
        assert abs(float(got) - exact) <= max(abs(float(np.sum(terms)) - exact), np.finfo(got.dtype).eps * exact)


@pytest.mark.parametrize("columns", [64, 1_000, 10_007])
def test_sums_of_products_are_at_least_as_accurate_as_numpy(columns):
    x, y = argument("x", "f64[n, m]"), argument("y", "f64[n, m]")
    product = make("multiply", x, y)
    p = program([x, y], make("sum", product, axes=(1,)), make("sum", product, axes=(0, 1)))
    a, b = np.random.default_rng(4).random((2, 50, columns))
    rows, total = BACKEND.compile(p).run(a, b)
    whole = [(each * 2.0**53).astype(np.int64).tolist() for each in (a, b)]
    exact = [Fraction(sum(u * v for u, v in zip(*row)), 2**106) for row in zip(*whole)]
    for got, numpy, true in [(total, np.sum(a * b), sum(exact)), *zip(rows, np.sum(a * b, axis=1), exact)]:
        assert abs(Fraction(float(got)) - true) <= max(abs(Fraction(float(numpy)) - true), true * Fraction(2.0**-52))


def test_exact_code_rounds_products_before_it_sums_them():
    x, y = argument("x", "f64[n]"), argument("y", "f64[n]")
    p = program([x, y], make("sum", make("multiply", x, y), axes=(0,)))
    values = np.array([-1.0, 1 + 2.0**-30]), np.array([1.0, 1 - 2.0**-30])
    assert BACKEND.compile(p, Demands(exact=True)).run(*values)[0] == 0
    assert BACKEND.compile(p).run(*values)[0] in (0, -(2.0**-60))


def test_sums_that_overflow_are_infinite():
    x = argument("x", "f64[n]")
    p = program([x], make("sum", x, axes=(0,)))
    for values in ([1e308] * 300, [np.inf] * 300, [np.inf, *[1.0] * 300], [-np.inf, *[1.0] * 300], [np.inf, -np.inf]):
        agree(p, np.array(values))


def test_integers_wrap_around():
    x = argument("x", "i8[n]")
    p = program([x], make("multiply", x, x), make("sum", x, axes=(0,)), make("negative", x))
    product, total, negative = agree(p, np.full(5, -128, np.int8))
    assert product[0] == 0 and total == -128 and negative[0] == -128


def test_negative_powers_of_integers_raise_as_in_numpy():
    x, y = argument("x", "i64[n]"), argument("y", "i64[n]")
    compiled = BACKEND.compile(program([x, y], make("power", x, y)))
    assert compiled.run(np.array([2]), np.array([3]))[0] == 8
    with pytest.raises(ValueError, match="negative integer powers"):
        compiled.run(np.array([2]), np.array([-1]))


def test_scalars_in_scalars_out():
    s, t = argument("s", "f64"), argument("t", "f64")
    p = program([s, t], make("hypot", s, t))
    for values in [(3.0, 4.0), (3, 4), (np.float64(3), np.array(4.0))]:
        (result,) = BACKEND.compile(p).run(*values)
        assert result.shape == () and result == 5.0


def test_views_leaves_and_calls_mix():
    x, n = argument("x", "f64[n, n]"), argument("n", "i64")
    index = make("cast", make("iota", shape=(N, N), axis=1), dtype=np.dtype(float))
    total = make("add", make("transpose", x, axes=(1, 0)), index)
    inverse = make("inv", make("add", total, ir.constant(3.0, np.dtype(float), (N, N))))
    diagonal = make("diagonal", inverse, offset=0, size=N)
    flat = make("reshape", make("transpose", inverse, axes=(1, 0)), shape=(N * N,))
    size = make("add", ir.size(N), n)
    outputs = (
        diagonal,
        make("exp", diagonal),
        make("sum", flat, axes=(0,)),
        flat,
        x,
        size,
        make("iota", shape=(N,), axis=0),
    )
    p = Program((x, n), outputs, size_inputs=frozenset(["n"]))
    agree(p, np.random.default_rng(4).normal(size=(4, 4)), 4, rtol=1e-10)


def test_slices_out_of_bounds_raise_as_in_the_reference():
    x, y = argument("x", "f64[n]"), argument("y", "f64[m]")
    p = program([x, y], make("exp", make("slice", x, start=(0,), size=(M,), step=(1,))))
    agree(p, np.arange(4.0), np.arange(4.0))
    with pytest.raises(IndexError):
        BACKEND.compile(p).run(np.arange(4.0), np.arange(5.0))


def test_wrong_arguments_are_refused():
    x, y = argument("x", "f64[n]"), argument("y", "f64[n]")
    compiled = BACKEND.compile(program([x, y], make("add", x, y)))
    with pytest.raises(ShapeError):
        compiled.run(np.ones(3), np.ones(4))
    with pytest.raises(ShapeError):
        compiled.run(np.ones((3, 1)), np.ones(3))
    with pytest.raises(OperandTypeError):
        compiled.run(np.ones(3, np.float32), np.ones(3))


def test_results_never_share_memory_with_each_other_by_accident():
    x = argument("x", "f64[n]")
    (first,) = (compiled := BACKEND.compile(program([x], make("exp", x)))).run(np.zeros(3))
    (second,) = compiled.run(np.ones(3))
    assert not np.shares_memory(first, second)


def test_everything_has_a_loop_or_a_library_function():
    assert BACKEND.missing(standardized()) == []
    compiled = BACKEND.compile(standardized())
    assert "def run(" in compiled.code and compiled.kernels[0].startswith("loop over [n, m]: sum")
