"""Products inside of loops are computed in place, without a library where that takes longer to start than to compute."""

from __future__ import annotations

import numpy as np
import pytest

from egc import ir
from egc.ir import make

from .test_regions import (
    A,
    B,
    M,
    N,
    add,
    agree,
    argument,
    at,
    cond,
    filled,
    inner,
    loop,
    mul,
    number,
    part,
    put,
    put_part,
    repeated,
    size,
    vectors,
)  # fmt: skip


@pytest.mark.parametrize("dtype", ["f32", "f64", "c128", "i32", "u8"])
def test_products_of_vectors(dtype):
    x, y = argument("x", f"{dtype}[n]"), argument("y", f"{dtype}[n]")

    def body(i, x, y):
        return put(x, make("matmul", x, y), A)

    rng = np.random.default_rng(0)
    states = loop(1, size(N), [x], body, [y])
    given = [tuple((rng.normal(size=n) * 2).astype(x.type.dtype) for _ in range(2)) for n in (1, 7)]
    agree([x, y], states, *given, rtol=1e-4 if dtype == "f32" else 1e-9)


@pytest.mark.parametrize("dtype", ["f32", "c128", "i64", "bool"])
def test_elements_by_index_are_read_and_written_whatever_their_dtype(dtype):
    x, k = argument("x", f"{dtype}[n]"), argument("k", "i64[m]")

    def body(i, x, k):
        return make("scatter", x, make("gather", x, k, axes=(0,), mode="raise"), k, axes=(0,), combine="set")

    rng = np.random.default_rng(0)
    states = loop(1, size(3), [x], body, [k])
    agree([x, k], states, *(((rng.normal(size=n) * 3).astype(x.type.dtype), rng.permutation(n)) for n in (1, 6)))


@pytest.mark.parametrize("offset", [-2, 0, 1])
def test_diagonals(offset):
    a, x = argument("a", "f64[n, n]"), argument("x", "f64[m]")

    def body(i, x, a):
        part = make("diagonal", a, offset=offset, size=N - abs(offset))
        b = make("slice", a, start=(0, 0), size=(N - abs(offset), N), step=(1, 1))
        return make("add", x, make("sum", make("matmul", make("diagonal_matrix", part, offset=0), b), axes=(0, 1)))

    def spread(i, x, a):
        return make("add", x, make("broadcast", body(i, number(0.0), a), shape=x.type.shape, axes=()))

    rng = np.random.default_rng(0)
    states = loop(1, size(2), [x], spread, [a])
    agree([a, x], states, *((rng.normal(size=(n, n)), rng.normal(size=3)) for n in (3, 6)), rtol=1e-9)


def test_rows_are_read_where_they_lie_and_before_they_change():
    """Whatever an iteration writes, views show the elements from its start."""
    x = argument("x", "f64[n, n]")
    row = lambda x, k: make("reshape", part(x, (k, 1), (0, N)), shape=(N,))  # noqa: E731

    def body(i, x):
        first, last = row(x, A), row(x, N - 1 - A)
        inner = loop(2, size(N), [first], lambda j, y, z: put(y, add(at(y, B), at(z, B)), B), [last])[0]
        return put_part(put_part(x, make("reshape", inner, shape=(1, N)), N - 1 - A, 0), part(x, (A, 1), (0, N)), 0, 0)

    rng = np.random.default_rng(0)
    states = loop(1, size(N), [x], body)
    agree([x], states, *((rng.normal(size=(n, n)),) for n in (1, 2, 5)))


def test_numbers_side_by_side_are_stored_one_by_one():
    """Those that an update reads are read before."""
    x = argument("x", "f64[n, 2]")

    def body(i, x):
        first, second = at(x, A, 0), at(x, A, 1)
        pair = make("concatenate", *(make("reshape", each, shape=(1,)) for each in (add(first, second), first)), axis=0)
        return put_part(x, make("reshape", pair, shape=(1, 2)), A, 0)

    compiled = agree(
        [x], loop(1, size(N), [x], body), *((np.random.default_rng(n).normal(size=(n, 2)),) for n in (1, 5))
    )
    assert "for " not in inner(compiled)


@pytest.mark.parametrize("dtype", ["f32", "f64", "c128"])
def test_short_and_long_rows_are_added_up(dtype):
    x = argument("x", f"{dtype}[m, n]")

    def body(i, total, x):
        row = make("reshape", part(x, (A, 1), (0, N)), shape=(N,))
        return add(total, add(make("sum", row, axes=(0,)), make("matmul", row, row)))

    start = ir.constant(0, x.type.dtype)
    states = loop(1, size(M), [start], body, [x])
    rng = np.random.default_rng(0)
    given = [((rng.normal(size=(3, n)) + 1).astype(x.type.dtype),) for n in (1, 12, 13, 256, 300)]
    agree([x], states, *given, rtol=1e-5 if dtype == "f32" else 1e-12)


def test_what_is_repeated_for_a_loop_is_no_array():
    x, r = argument("x", "f64[n]"), argument("r", "f64")

    def body(i, x, scale, shift):
        positive = make("greater", at(x, 0), number(0.0))
        changed = lambda x, s: add(x, put(s, number(3.0), 0))  # noqa: E731
        (found,) = cond(2, positive, changed, lambda x, s: mul(x, s), [mul(x, scale), repeated(at(x, 0), N)])
        return add(found, shift)

    states = loop(1, size(4), [x], body, [repeated(r, N), filled(0.25, N)])
    compiled = agree([x, r], states, *((given, np.array(-0.7)) for (given,) in vectors(1, 6)))
    assert sum(kernel.startswith("loop over [n]") for kernel in compiled.kernels) == 1
