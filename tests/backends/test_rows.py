"""Laws of matrix products that loops over rows make operands of, or read: made in blocks of rows, never stored whole."""

from itertools import product

import numpy as np
import pytest

from egc import ir
from egc.backends.numba import BACKEND
from egc.backends.numba.blas import matrix_product
from egc.backends.numba.functions import pointer
from egc.ir import Program, make
from egc.sizes import symbol
from egc.types import DTYPES, ArrayType
from tests.backends.test_numba_loops import agree, by_row

from ..sampling import crossed

N, M, K = symbol("n"), symbol("m"), symbol("k")
SIZES = [(5, 3, 4), (32, 2, 7), (100, 17, 33), (65, 40, 3), (2, 1, 1)]


def matrix(name, *shape, dtype="f64"):
    return ir.input(name, ArrayType(DTYPES[dtype], shape))


def turned(x):
    return make("transpose", x, axes=(1, 0))


def agree_on(inputs, outputs, dtype="f64", sizes=SIZES):
    rng = np.random.default_rng(1)
    calls = [
        [rng.normal(size=[{N: n, K: k, M: m}[dim] for dim in x.type.shape]).astype(DTYPES[dtype]) for x in inputs]
        for n, k, m in sizes
    ]
    return agree(inputs, outputs, *calls, rtol=1e-4 if dtype in ("f32", "c64") else 1e-11)


def stored(compiled):
    """The types of the arrays that a compiled Program makes."""
    return [line for line in compiled.details["loops"].splitlines() if line.startswith("make")]


PLACES = list(product(["plain", "transposed"], repeat=2))


@pytest.mark.parametrize(("dtype", "places"), crossed(["f64", "f32", "c128", "c64"], PLACES, 2))
def test_a_product_that_loops_over_rows_read_is_made_in_blocks(dtype, places):
    left, right = places
    a = matrix("a", *((N, K) if left == "plain" else (K, N)), dtype=dtype)
    b = matrix("b", *((K, M) if right == "plain" else (M, K)), dtype=dtype)
    both = make("matmul", a if left == "plain" else turned(a), b if right == "plain" else turned(b))
    shifted = make("add", both, make("multiply", both, both))
    compiled = agree_on([a, b], [shifted, make("sum", shifted, axes=(1,))], dtype)
    assert len(compiled.kernels) == 1 and "blocks of max(" in compiled.details["loops"]
    assert "call matmul" not in compiled.details["loops"]


def test_a_total_over_a_product_stores_nothing():
    x, u, v = matrix("x", N, M), matrix("u", N, K), matrix("v", M, K)
    residual = make("subtract", x, make("matmul", u, turned(v)))
    total = make("sum", make("multiply", residual, residual), axes=(0, 1))
    compiled = agree_on([x, u, v], [total])
    assert stored(compiled) == [
        "make a0: f64[], scratch t0: f64[m*max(((min(1024, k))//2), max(32, min((131072//(max(1, m))), 128)))]"
    ]


def test_what_passes_a_product_is_held_for_the_rows_of_a_block():
    """Attention: rows are normalized between two products, by sums that are used after the second."""
    q, k, v = matrix("q", N, K), matrix("k", M, K), matrix("v", M, K)
    scores = make("matmul", make("multiply", q, q), turned(k))
    e = make("exp", make("subtract", scores, by_row(make("max", scores, axes=(1,)))))
    weighted = make("divide", make("matmul", e, v), by_row(make("sum", e, axes=(1,)), K))
    compiled = agree_on([q, k, v], [weighted])
    assert len(compiled.kernels) == 1
    assert [line.split(":")[0] for line in stored(compiled)] == ["make a0"]


def test_a_product_that_is_a_result_is_written_there():
    a, b = matrix("a", N, K), matrix("b", K, M)
    product = make("matmul", a, b)
    agree_on([a, b], [product, make("exp", product), make("argmin", product, axis=1)])


def test_rows_of_a_part_of_an_array():
    a, b = matrix("a", N, K), matrix("b", K, K)
    part = make("slice", a, start=(1, 0), size=(N - 1, K), step=(1, 1))
    agree_on([a, b], [make("exp", make("matmul", part, b))], sizes=SIZES[:-1])


def test_what_needs_all_rows_of_a_product_waits_for_them():
    """Sums over rows, and products of what a product gave."""
    a, b = matrix("a", N, K), matrix("b", K, K)
    product = make("matmul", a, b)
    positive = make("absolute", product)
    square = make("matmul", turned(positive), product)
    agree_on([a, b], [make("sum", positive, axes=(0,)), make("exp", square), make("cumsum", positive, axis=0)])
    agree_on([a], [make("exp", make("matmul", turned(make("exp", a)), a))])


def test_a_product_alone_is_a_library_call():
    a, b = matrix("a", N, K), matrix("b", K, M)
    compiled = agree_on([a, b], [make("matmul", a, b)])
    assert compiled.kernels == ("call matmul: f64[n, m]",)


def test_a_product_over_nothing_is_zero():
    out = np.full((3, 2), 7.0)
    nothing = np.zeros(1)

    from numba import njit

    @njit
    def run(x, out):
        matrix_product(3, 2, 0, pointer(x), 0, False, pointer(x), 2, False, pointer(out), 2)

    run(nothing, out)
    assert not out.any()


def test_blocks_are_compiled_once_for_all_sizes():
    a, b = matrix("a", N, K), matrix("b", K, M)
    compiled = BACKEND.compile(Program((a, b), (make("exp", make("matmul", a, b)),)))
    raw = compiled.raw
    for n, k, m in SIZES:
        raw(np.ones((n, k)), np.ones((k, m)))
    assert len(raw.signatures) == 1


@pytest.mark.parametrize("dtype", ["f64", "f32", "c128"])
def test_rows_of_a_product_stand_in_the_result_that_is_computed_from_them(dtype):
    x, a, b = matrix("x", N, M, dtype=dtype), matrix("a", N, K, dtype=dtype), matrix("b", K, M, dtype=dtype)
    product = make("matmul", a, b)
    compiled = agree_on([x, a, b], [make("subtract", make("multiply", product, product), x)], dtype)
    assert stored(compiled) == [f"make a0: {dtype}[n, m]"]


def test_a_result_that_later_loops_over_a_row_need_the_product_for_is_not_its_place():
    x, a, b = matrix("x", N, M), matrix("a", N, K), matrix("b", K, M)
    product = make("matmul", a, b)
    first = make("add", product, x)
    total = make("broadcast", make("sum", make("tanh", first), axes=(1,)), axes=(0,), shape=(N, M))
    second = make("multiply", product, total)
    compiled = agree_on([x, a, b], [first, second])
    assert "a1[m*i0] = a[" in compiled.details["loops"]


def test_a_product_of_a_product_reads_rows_of_a_buffer():
    a, b, c = matrix("a", N, K), matrix("b", K, K), matrix("c", K, K)
    middle = make("exp", make("matmul", a, b))
    agree_on([a, b, c], [make("negative", make("matmul", make("tanh", middle), c)), make("add", middle, middle)])
