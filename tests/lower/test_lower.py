"""Lowering: the text of loop programs, views as addresses, and loops that collapse."""

import numpy as np
import pytest

from egc import ir, sizes
from egc.backend import Demands
from egc.backends.numba import BACKEND
from egc.backends.reference import BACKEND as REFERENCE
from egc.ir import Program, make
from egc.kernels import group
from egc.lower import lower
from egc.lower.access import affine, row_major
from egc.sizes import SizeGuard, evaluate, symbol
from egc.types import parse_type

N, M = symbol("n"), symbol("m")


def argument(name, text):
    return ir.input(name, parse_type(text))


def steps(*outputs, inputs=()):
    return str(lower(Program(tuple(inputs), tuple(outputs)))).splitlines()


def test_elementwise_and_reduction_share_one_flat_loop():
    x = argument("x", "f64[n, m]")
    e = make("exp", x)
    assert steps(e, make("sum", e, axes=(0, 1)), inputs=[x]) == [
        "program(x: f64[n, m])",
        "make a0: f64[n, m], a1: f64[]",
        "    for i0 < m*n",
        "        v0: f64 = x[i0]",
        "        v1: f64 = exp(v0)",
        "        a0[i0] = v1",
        "        v2: f64 = sum(v1) inside 0 loops",
        "    a1[0] = v2",
        "return a0, a1",
    ]


def test_views_of_operands_become_addresses():
    x, b = argument("x", "f64[n, m]"), argument("b", "f64[m]")
    row = make("broadcast", b, shape=(N - 1, M), axes=(1,))
    later = make("slice", x, start=(1, 0), size=(N - 1, M), step=(1, 1))
    assert steps(make("add", later, row), inputs=[x, b]) == [
        "program(x: f64[n, m], b: f64[m])",
        "make a0: f64[n - 1, m]",
        "    for i0 < n - 1, i1 < m",
        "        v0: f64 = x[m + m*i0 + i1]",
        "        v1: f64 = b[i1]",
        "        v2: f64 = add(v0, v1)",
        "        a0[m*i0 + i1] = v2",
        "return a0",
    ]


def test_library_calls_read_views_as_arrays():
    a = argument("a", "f64[n, m]")
    assert steps(make("matmul", make("transpose", a, axes=(1, 0)), a), inputs=[a]) == [
        "program(a: f64[n, m])",
        "view a0: f64[m, n] = transpose(a, axes=(1, 0))",
        "call a1: f64[m, m] = matmul(a0, a)",
        "return a1",
    ]


def test_slices_that_may_leave_the_array_are_checked():
    x = argument("x", "f64[n]")
    part = make("slice", x, start=(0,), size=(M,), step=(1,))
    assert "check slice(0, m, 1, n)" in steps(make("exp", part), inputs=[x, argument("y", "f64[m]")])


def test_max_over_a_size_that_may_be_zero_is_checked():
    x = argument("x", "f64[n, 3]")
    assert "check nonempty(n)" in steps(make("max", x, axes=(0,)), inputs=[x])
    assert not any("check" in line for line in steps(make("max", x, axes=(1,)), inputs=[x]))


def test_scalars_run_once():
    s = argument("s", "f64")
    assert steps(make("sin", s), inputs=[s])[1:-1] == [
        "make a0: f64[]",
        "    v0: f64 = s[0]",
        "    v1: f64 = sin(v0)",
        "    a0[0] = v1",
    ]


def test_a_value_used_only_in_a_later_loop_is_computed_there():
    x = argument("x", "f64[n]")
    total = make("broadcast", make("sum", x, axes=(0,)), shape=(N,), axes=())
    first, second = group(Program((x,), (make("divide", make("exp", x), total),)))[::2]
    assert [node.op for node in first.nodes] == ["sum"]
    assert [node.op for node in second.nodes] == ["exp", "divide"]


def test_a_value_used_by_an_early_loop_is_computed_there():
    x = argument("x", "f64[n]")
    e = make("exp", x)
    total = make("broadcast", make("sum", e, axes=(0,)), shape=(N,), axes=())
    first, *_ = group(Program((x,), (make("divide", e, total),)))
    assert [node.op for node in first.nodes] == ["exp", "sum"]
    assert first.outputs == first.nodes


VIEWS = {
    "transpose": lambda x: make("transpose", x, axes=(2, 0, 1)),
    "slice": lambda x: make("slice", x, start=(1, 2, 0), size=(2, 2, N), step=(2, -1, 1)),
    "broadcast": lambda x: make("broadcast", x, shape=(4, 2, 3, N), axes=(0, 2, 3)),
    "diagonal": lambda x: make("diagonal", make("transpose", x, axes=(2, 0, 1)), offset=-1, size=3),
    "diagonal_above": lambda x: make("diagonal", make("transpose", x, axes=(2, 0, 1)), offset=1, size=2),
    "reshape": lambda x: make("reshape", x, shape=(3 * N, 4)),
    "unit_axes": lambda x: make("reshape", make("transpose", x, axes=(1, 2, 0)), shape=(1, 3, N, 1, 4)),
    "reshape_twice": lambda x: make("reshape", make("reshape", x, shape=(12 * N,)), shape=(N, 12)),
}


@pytest.mark.parametrize("name", VIEWS)
def test_an_affine_view_addresses_what_numpy_shows(name):
    from egc.backends.reference import evaluate as run

    x = argument("x", "f64[4, 3, n]")
    view = VIEWS[name](x)
    source, sizes = affine(view), {"n": 5}
    assert source.base is x
    array = np.arange(60.0).reshape(4, 3, 5)
    (expected,) = run(Program((x,), (view,)), [array])
    indices = np.indices(expected.shape)
    address = evaluate(source.offset, sizes) + sum(evaluate(s, sizes) * i for s, i in zip(source.strides, indices))
    assert np.array_equal(array.ravel()[address], expected)


def test_a_reshape_that_must_copy_is_no_affine_view():
    x = argument("x", "f64[4, 3]")
    view = make("reshape", make("transpose", x, axes=(1, 0)), shape=(12,))
    assert affine(view).base is view


def test_row_major_strides():
    assert row_major((2, N, M)) == (M * N, M, 1)


def test_a_value_that_is_read_in_another_shape_is_stored():
    x = argument("x", "f64[n, m]")
    flat = make("reshape", make("multiply", x, x), shape=(N * M,))
    text = "\n".join(steps(make("sum", flat, axes=(0,)), inputs=[x]))
    assert "x[i0]" in text and "x[m*i0]" not in text


def test_what_only_a_scatter_and_checks_read_is_not_stored():
    x, count = argument("x", "f64[n]"), argument("c", "i64[64]")
    place = make("cast", make("multiply", x, x), dtype=np.dtype(np.int64))
    wrong = make("greater", place, make("broadcast", ir.constant(63, np.dtype(int)), shape=(N,), axes=()))
    ones = make("broadcast", ir.constant(1, np.dtype(int)), shape=(N,), axes=())
    zeros = make("broadcast", ir.constant(0, np.dtype(int)), shape=(N,), axes=())
    kept = make("where", wrong, zeros, place)
    counted = make("scatter", count, ones, kept, axes=(0,), combine="add")
    kernels = group(Program((x, count), (counted, make("any", wrong, axes=(0,)))))
    (kernel,) = (kernel for kernel in kernels if kernel.kind == "fused")
    assert {node.op for node in kernel.outputs} == {"scatter", "any"}


def test_what_is_costly_is_ready_before_a_scatter():
    x, count, i = argument("x", "f64[n]"), argument("c", "f64[64]"), argument("i", "i64[n]")
    counted = make("scatter", count, make("exp", x), i, axes=(0,), combine="add")
    assert [kernel.kind for kernel in group(Program((x, count, i), (counted,)))] == ["fused", "fused"]


def test_what_follows_a_scan_shares_its_loop_unless_it_waits_for_another():
    x = argument("x", "f64[n]")
    running, total = make("cumsum", x, axis=0), make("sum", x, axes=(0,))
    alone = make("divide", running, make("cast", make("iota", shape=(N,), axis=0), dtype=np.dtype(float)))
    part = make("exp", make("divide", running, make("broadcast", total, shape=(N,), axes=())))

    def loops(output):
        return [{node.op for node in kernel.nodes} for kernel in group(Program((x,), (output,)))]

    assert loops(alone) == [{"cumsum", "cast", "divide"}]
    assert {"divide", "exp"} in loops(part)


def window(x, offset, length=N, width=M):
    """The elements of x at `i + offset - k`, for i below a length and k below a width."""
    shape = (length, width)
    i, k = (make("iota", shape=shape, axis=axis) for axis in (0, 1))
    start = make("broadcast", ir.size(offset), shape=shape, axes=())
    return make("gather", x, make("add", make("subtract", i, k), start), axes=(0,), mode="raise")


def test_an_index_that_is_affine_in_the_loops_and_surely_inside_is_an_address():
    x, k = argument("x", "f64[n]"), argument("k", "f64[m]")
    taken = make("exp", window(x, M - 1, sizes.maximum(0, N - M)))
    assert steps(taken, inputs=[x, k])[2:4] == [
        f"    for i0 < {sizes.maximum(0, N - M)}, i1 < m",
        "        v5: f64 = x[m - 1 + i0 + (-1)*i1]",
    ]
    row = make("subtract", make("iota", shape=(N,), axis=0), make("broadcast", ir.size(N), shape=(N,), axes=()))
    assert "        v3: f64 = x[i0]" in steps(make("exp", make("gather", x, row, axes=(0,), mode="raise")), inputs=[x])


@pytest.mark.parametrize("offset", [M - 2, M, symbol("o")])
def test_an_index_that_may_be_outside_is_looked_at(offset):
    x, k = argument("x", "f64[n]"), argument("k", "f64[m]")
    assert " at v" in str(steps(make("exp", window(x, offset, N - M + 1)), inputs=[x, k]))


@pytest.mark.parametrize("n, m", [(5, 1), (9, 4), (3, 3)])
def test_affine_indices_choose_what_numpy_chooses(n, m):
    x, k = argument("x", "f64[n]"), argument("k", "f64[m]")
    whole = window(x, M - 1, N - M + 1)
    turned = make(
        "multiply", make("transpose", whole, axes=(1, 0)), make("broadcast", k, shape=(M, N - M + 1), axes=(0,))
    )
    program = Program((x, k), (make("sum", turned, axes=(0,)), whole))
    given = np.arange(n) + 0.5, np.arange(m) - 1.5
    facts = [SizeGuard(N - M, ">=")]
    from_loops = BACKEND.compile(program, Demands(guards=tuple(facts))).run(*given)
    for got, want in zip(from_loops, REFERENCE.compile(program).run(*given)):
        np.testing.assert_allclose(got, want, rtol=1e-14)
