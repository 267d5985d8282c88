"""Loop nests that share rows, scans, indexed access and joined arrays give what the reference gives, for all lengths."""

import numpy as np
import pytest

from egc import ir
from egc.backends.numba import BACKEND
from egc.backends.reference import BACKEND as REFERENCE
from egc.ir import Program, make
from egc.sizes import symbol
from egc.types import DTYPES, ArrayType, parse_type

from ..sampling import crossed

N, M, K = symbol("n"), symbol("m"), symbol("k")


def argument(name, text):
    return ir.input(name, parse_type(text))


def agree(inputs, outputs, *calls, rtol=1e-12):
    """Compares with the reference for each tuple of arguments, from one compilation."""
    program = Program(tuple(inputs), tuple(outputs))
    compiled, reference = BACKEND.compile(program), REFERENCE.compile(program)
    for arguments in calls:
        for got, want in zip(compiled.run(*arguments), reference.run(*arguments), strict=True):
            np.testing.assert_allclose(got, want, rtol=rtol, atol=1e-13, strict=True)
    return compiled


def arrays(*shapes, dtype=np.float64, seed=0):
    rng = np.random.default_rng(seed)
    return [tuple(np.round(rng.normal(size=s) * 4, 1).astype(dtype) for s in group) for group in shapes]


def by_row(value, width=M):
    return make("broadcast", value, shape=(*value.type.shape, width), axes=tuple(range(value.type.rank)))


SHAPES = [((4, 7),), ((1, 1),), ((3, 300),), ((1, 5),), ((6, 1),)]


def test_rows_share_their_loops_and_need_no_arrays():
    x = argument("x", "f64[n, m]")
    e = make("exp", make("subtract", x, by_row(make("max", x, axes=(1,)))))
    softmax = make("divide", e, by_row(make("sum", e, axes=(1,))))
    compiled = agree([x], [softmax, make("argmax", softmax, axis=1)], *arrays(*SHAPES))
    assert len(compiled.kernels) == 1 and "scratch" in compiled.details["loops"]


def test_rows_of_batches_share_what_loops_they_can():
    x = argument("x", "f64[k, n, m]")
    rows = make("sqrt", make("sum", make("multiply", x, x), axes=(2,)))
    scaled = make("divide", x, by_row(rows))
    whole = make("max", make("exp", rows), axes=(1,))
    shape = (K, N, M)
    result = make("multiply", scaled, make("broadcast", whole, shape=shape, axes=(0,)))
    total = make("sum", result, axes=(0, 2))
    shapes = [((2, 3, 4),), ((1, 1, 1),), ((1, 5, 2),), ((3, 1, 200),)]
    agree([x], [result, total, make("sum", result, axes=(0, 1, 2))], *arrays(*shapes))


@pytest.mark.parametrize(("dtype", "axis"), crossed(["f64", "f32", "i8", "u16", "bool"], [0, 1, 2], 2))
def test_scans_along_any_axis(dtype, axis):
    x = ir.input("x", ArrayType(DTYPES[dtype], (K, N, M)))
    names = ["cumsum", "cumprod", "cummax", "cummin"]
    shapes = [((2, 3, 4),), ((1, 1, 1),), ((1, 5, 1),), ((3, 1, 7),)]
    calls = arrays(*shapes, dtype=DTYPES[dtype])
    agree([x], [make(name, x, axis=axis) for name in names], *calls, rtol=1e-5 if dtype == "f32" else 1e-13)


@pytest.mark.parametrize("axis", [0, 1])
def test_scans_between_other_ops(axis):
    x = argument("x", "f64[n, m]")
    running = make("cumsum", make("exp", x), axis=axis)
    half = make("multiply", make("add", running, x), x)
    outputs = [half, make("tanh", half), make("cumsum", running, axis=axis), make("sum", half, axes=(1,))]
    agree([x], outputs, *arrays(*SHAPES), rtol=1e-10)


def test_a_running_sum_rounds_and_signs_zeros_as_in_numpy():
    x = argument("x", "f64[n]")
    compiled = BACKEND.compile(Program((x,), (make("cumsum", x, axis=0),)))
    values = np.random.default_rng(1).normal(size=1000) * 1e6
    for given in (values, np.full(3, -0.0), np.array([np.inf, 1.0, -np.inf, 2.0])):
        (got,) = compiled.run(given)
        assert np.array_equal(got, np.cumsum(given), equal_nan=True)
        assert np.array_equal(np.signbit(got), np.signbit(np.cumsum(given)))


@pytest.mark.parametrize("mode", ["raise", "clip", "wrap"])
def test_gathers_inside_loops(mode):
    x, i, j = argument("x", "f64[n, m]"), argument("i", "i64[k]"), argument("j", "i64[k]")
    turned = make("transpose", x, axes=(1, 0))
    outputs = [
        make("exp", make("gather", x, i, axes=(0,), mode=mode)),
        make("gather", turned, i, axes=(1,), mode=mode),
        make("sum", make("gather", make("exp", x), i, j, axes=(0, 1), mode=mode), axes=(0,)),
    ]
    x0, far = np.random.default_rng(2).normal(size=(3, 5)), 3 if mode == "raise" else 40
    indices = [np.random.default_rng(k).integers(-far, far, size=n) for k, n in enumerate([1, 4, 30])]
    agree([x, i, j], outputs, *((x0, a, a[::-1].copy()) for a in indices))


def test_an_index_out_of_bounds_raises():
    x, i = argument("x", "f64[n]"), argument("i", "i64[k]")
    for outputs in (
        (make("gather", x, i, axes=(0,), mode="raise"),),
        (make("scatter", x, make("broadcast", ir.constant(1.0, np.dtype(float)), shape=(K,), axes=()), i,
              axes=(0,), combine="add"),),
    ):  # fmt: skip
        compiled = BACKEND.compile(Program((x, i), outputs))
        compiled.run(np.ones(4), np.array([-4, 3]))
        for wrong in (4, -5, 2**62, -(2**63)):
            with pytest.raises(IndexError):
                compiled.run(np.ones(4), np.array([0, wrong]))


@pytest.mark.parametrize("combine", ["set", "add", "subtract", "multiply", "maximum", "minimum"])
@pytest.mark.parametrize("dtype", ["f64", "i8"])
def test_scatters_apply_in_order(combine, dtype):
    x, v = ir.input("x", ArrayType(DTYPES[dtype], (N, M))), ir.input("v", ArrayType(DTYPES[dtype], (K, M)))
    i = argument("i", "i64[k]")
    scattered = make("scatter", make("add", x, x), make("multiply", v, v), i, axes=(0,), combine=combine)
    calls = arrays(((4, 3), (6, 3)), ((1, 1), (2, 1)), dtype=DTYPES[dtype])
    indices = [np.array([0, -1, 0, 3, 1, -4]), np.array([0, -1])]
    agree([x, v, i], [scattered, make("add", scattered, x)], *((*a, b) for a, b in zip(calls, indices)))


def test_joined_arrays_are_stored_in_place():
    x, y, f = argument("x", "f64[n, m]"), argument("y", "f64[n, k]"), argument("f", "f64")
    joined = make("concatenate", make("exp", x), y, make("negative", x), axis=1)
    padded = make("pad", make("sin", x), make("negative", f), low=(1, 2), high=(0, 3))
    calls = [(*a, 2.0) for a in arrays(((4, 3), (4, 2)), ((1, 1), (1, 1)))]
    outputs = [joined, make("sum", joined, axes=(1,)), padded]
    compiled = agree([x, y, f], outputs, *calls)
    assert not any("concatenate" in kernel for kernel in compiled.kernels)


@pytest.mark.parametrize("step", [(1, 1), (2, -1)])
def test_updated_regions(step):
    x, w = argument("x", "f64[n, m]"), argument("w", "f64[2, 2]")
    updated = make("update_slice", make("exp", x), make("negative", w), start=(1, 2), step=step)
    agree([x, w], [updated], *arrays(((4, 5), (2, 2)), ((6, 4), (2, 2))))
    with pytest.raises((IndexError, ValueError)):
        BACKEND.compile(Program((x, w), (updated,))).run(np.ones((2, 3)), np.ones((2, 2)))


@pytest.mark.parametrize("op", ["argmax", "argmin"])
@pytest.mark.parametrize("dtype", ["f64", "f32", "i64", "u8", "bool"])
def test_first_extremes(op, dtype):
    x = ir.input("x", ArrayType(DTYPES[dtype], (N, M)))
    values = np.random.default_rng(3).integers(0, 4, size=(6, 40)).astype(DTYPES[dtype])
    if dtype.startswith("f"):
        values[1, [3, 7]], values[2], values[3] = np.nan, np.inf, -np.inf
    calls = [(values,), (values[:1, :1],), (values[:, :3].copy(),)]
    agree([x], [make(op, x, axis=0), make(op, x, axis=1)], *calls)


@pytest.mark.parametrize("op", ["tril", "triu"])
def test_triangles(op):
    x = argument("x", "f64[k, n, m]")
    outputs = [make("exp", make(op, x, offset=offset)) for offset in (-1, 0, 2)]
    agree([x], outputs, *arrays(((2, 4, 5),), ((1, 1, 1),), ((1, 6, 2),)))


def test_slices_of_cheap_values_are_computed_again():
    x = argument("x", "f64[n]")
    double = make("add", x, x)
    left, right = (make("slice", double, start=(s,), size=(N - 1,), step=(1,)) for s in (0, 1))
    compiled = agree([x], [make("multiply", left, right)], *arrays(((9,),), ((2,),)))
    assert len(compiled.kernels) == 1


def test_results_take_the_place_of_what_is_read_for_the_last_time():
    x = argument("x", "f64[n]")
    e = make("exp", x)
    total = make("broadcast", make("sum", e, axes=(0,)), shape=(N,), axes=())
    shares, again = make("divide", e, total), make("subtract", make("tanh", e), total)
    compiled = agree([x], [shares], *arrays(((9,),), ((1,),)))
    assert compiled.details["loops"].count("f64[n]") == 2
    agree([x], [shares, again, make("sum", shares, axes=(0,))], *arrays(((9,),), ((1,),)))
    agree([x], [e, shares], *arrays(((9,),), ((1,),)))


def test_what_is_read_at_another_place_is_not_overwritten():
    x = argument("x", "f64[n]")
    e = make("exp", x)
    total = make("broadcast", make("sum", e, axes=(0,)), shape=(N,), axes=())
    turned = make("slice", e, start=(N - 1,), size=(N,), step=(-1,))
    agree([x], [make("divide", make("multiply", e, turned), total)], *arrays(((9,),), ((1,),)))


@pytest.mark.parametrize("axes", [(2, 1, 0), (1, 2, 0), (0, 2, 1)])
def test_transposed_operands_are_walked_as_they_lie(axes):
    x, y, r = argument("x", "f64[k, n, m]"), argument("y", "f64[k, n, m]"), argument("r", "f64[k, n]")
    turned, other = make("transpose", x, axes=axes), make("transpose", y, axes=axes)
    shape = turned.type.shape
    places = tuple(sorted((axes.index(0), axes.index(1))))
    row = r if axes.index(0) < axes.index(1) else make("transpose", r, axes=(1, 0))
    rows = make("broadcast", row, shape=shape, axes=places)
    index = make("cast", make("iota", shape=shape, axis=1), dtype=np.dtype(float))
    added = make("add", make("multiply", turned, other), rows)
    shifted = make(
        "where", make("less", added, other), make("add", added, ir.constant(2.0, np.dtype(float), shape)), index
    )
    sums = [make(op, shifted, axes=a) for op in ("sum", "max") for a in [(0,), (1,), (2,), (0, 2), (0, 1, 2)]]
    outputs = [added, shifted, make("argmax", added, axis=1), make("cumsum", added, axis=0), *sums]
    calls = arrays(((2, 3, 4), (2, 3, 4), (2, 3)), ((1, 1, 1), (1, 1, 1), (1, 1)), ((1, 5, 2), (1, 5, 2), (1, 5)))
    agree([x, y, r], outputs, *calls)


def test_the_innermost_loop_walks_a_transposed_operand():
    x = argument("x", "f64[n, m]")
    loops = BACKEND.compile(Program((x,), (make("exp", make("transpose", x, axes=(1, 0))),))).details["loops"]
    assert "x[i0]" in loops and "transpose" in loops


def test_results_that_are_equal_but_transposed_do_not_share_memory():
    x = argument("x", "f64[n, m]")
    outputs = [make("exp", x), make("exp", make("transpose", x, axes=(1, 0)))]
    compiled = agree([x], outputs, *arrays(*SHAPES))
    assert not np.shares_memory(*compiled.run(np.ones((2, 3))))


@pytest.mark.parametrize("exponent", [1, 2, 3])
def test_small_powers_of_complex_numbers_run_in_loops(exponent):
    z = argument("z", "c128[n]")
    power = make("power", z, ir.constant(complex(exponent), z.type.dtype, (N,)))
    values = np.array([0.0, 1j, -2.5, 3 - 4j, 1e200 + 1j, np.nan, np.inf - 1j])
    compiled = agree([z], [power], (values,))
    assert not any("call" in kernel for kernel in compiled.kernels)


def test_a_single_index_has_no_loop_to_leave():
    x, v, i = argument("x", "f64[1]"), argument("v", "f64[1]"), argument("i", "i64[1]")
    scattered = make("scatter", x, v, i, axes=(0,), combine="add")
    agree([x, v, i], [scattered], (np.ones(1), np.full(1, 2.0), np.array([-1])))


@pytest.mark.parametrize("dtype", ["c64", "c128"])
def test_indexed_access_to_complex_numbers_runs_in_loops(dtype):
    x, places = ir.input("x", parse_type(f"{dtype}[n]")), ir.input("places", parse_type("i64[m]"))
    taken = make("gather", x, places, axes=(0,), mode="raise")
    added = make("scatter", x, taken, places, axes=(0,), combine="add")
    program = Program((x, places), (taken, added))
    assert "call" not in " ".join(BACKEND.compile(program).kernels)
    rng = np.random.default_rng(0)
    values = (rng.normal(size=5) + 1j * rng.normal(size=5)).astype(x.type.dtype)
    arguments = values, np.array([0, 3, 3, -1])
    for ours, theirs in zip(BACKEND.compile(program).run(*arguments), REFERENCE.compile(program).run(*arguments)):
        np.testing.assert_allclose(ours, theirs, rtol=1e-6)
