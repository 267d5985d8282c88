"""Products mean what NumPy's do: promotion, broadcasting of batches, ranks, empty operands, errors."""

import numpy as np
import pytest

from egc import ir
from tests.capture.support import assert_refused, assert_same, capture, sample

RANKS = [
    ((3,), (3,)),
    ((2, 3), (3,)),
    ((3,), (3, 4)),
    ((2, 3), (3, 4)),
    ((5, 2, 3), (5, 3, 4)),
    ((5, 2, 3), (1, 3, 4)),
    ((2, 1, 2, 3), (5, 3, 4)),
    ((5, 2, 3), (3, 4)),
    ((2, 3), (5, 3, 4)),
    ((5, 2, 3), (3,)),
    ((3,), (5, 3, 4)),
    ((0, 3), (3, 4)),
    ((2, 0), (0, 4)),
    ((1, 1), (1, 1)),
    ((1, 3), (3, 1)),
    ((2, 3), (4, 3)),
    ((), (3,)),
    ((), ()),
]
DTYPES = ["float32", "complex128", "int32", "uint8", "bool"]


@pytest.mark.parametrize("a, b", RANKS)
@pytest.mark.parametrize(
    "product", [np.matmul, np.dot, np.inner, np.kron, np.outer, np.vecdot], ids=lambda f: f.__name__
)
def test_products_of_all_ranks(product, a, b):
    assert_same(product, sample(a), sample(b, seed=1))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    "product", [np.matmul, np.dot, np.inner, np.kron, np.outer, np.vdot, np.vecdot], ids=lambda f: f.__name__
)
def test_products_promote_as_numpy_does(product, dtype):
    x = sample((3, 3), dtype)
    assert_same(product, x, sample((3, 3), dtype, seed=1))
    assert_same(product, x, sample((3, 3), "float32", seed=1))
    assert_same(product, sample((3, 3), "int8"), x)


def test_python_numbers_count_as_arrays_in_dot():
    assert_same(lambda x: np.dot(x, 2.0), sample(3, "float32"))
    assert_same(lambda x: np.inner(2, x), sample(3, "int8"))
    assert_same(lambda x: np.kron(x, [1.0, 2.0]), sample((2, 2), "float32"))
    assert_same(lambda x: x @ [1.0, 2.0, 3.0], sample(3, "float32"))
    assert_same(lambda x: [1, 2, 3] @ x, sample((3, 2), "float32"))


def test_integers_wrap_around():
    x = np.full((4, 4), 100, np.int8)
    assert_same(np.matmul, x, x)
    assert_same(lambda x: np.einsum("ij,jk->ik", x, x), x)


@pytest.mark.parametrize(
    "a, b", [((3, 2, 4), (4, 3)), ((2, 3, 4), (3, 4, 2)), ((2, 3, 4), (5, 4, 2, 6)), ((4,), (2, 4, 3))]
)
def test_dot_of_tensors(a, b):
    assert_same(np.dot, sample(a), sample(b, seed=1))


@pytest.mark.parametrize(
    "a, b, axes",
    [
        ((2, 3, 4), (3, 4, 5), 2),
        ((2, 3), (3, 4), 1),
        ((2, 3), (4, 5), 0),
        ((2, 3), (2, 3), 2),
        ((2, 3, 4), (4, 3, 5), ([1, 2], [1, 0])),
        ((2, 3, 4), (4, 2), ((0, -1), (1, 0))),
        ((2, 3), (3, 2), (0, 1)),
        ((2, 3), (4, 2), 1),
        ((0, 3), (3, 0), 1),
    ],
)
def test_tensordot_sums_pairs_of_axes(a, b, axes):
    assert_same(lambda x, y: np.tensordot(x, y, axes), sample(a), sample(b, seed=1))


def test_matrix_and_vector_stacks():
    assert_same(np.matvec, sample((5, 2, 3)), sample((5, 3), seed=1))
    assert_same(np.matvec, sample((2, 3), "complex64"), sample(3, "complex64", seed=1))
    assert_same(np.matvec, sample((5, 2, 3)), sample(3, seed=1))
    assert_same(np.vecmat, sample((5, 3), "complex128"), sample((5, 3, 2), "complex128", seed=1))
    assert_same(np.vecmat, sample(3), sample((5, 3, 2), seed=1))
    assert_same(np.vecdot, sample((5, 3), "complex128"), sample(3, "complex128", seed=1))
    assert_same(lambda x, y: np.vecdot(x, y, axis=0), sample((3, 5)), sample((3, 5), seed=1))
    assert_same(lambda x, y: np.linalg.vecdot(x, y), sample((3, 5)), sample((3, 5), seed=1))


def test_out_receives_the_product():
    def assigned(x, y, out):
        return np.matmul(x, y, out=out)

    assert_same(assigned, sample((2, 3)), sample((3, 4), seed=1), np.zeros((2, 4)))
    assert_same(assigned, sample((2, 3)), sample((3, 4), seed=1), np.zeros((5, 2, 4)))
    assert_same(assigned, sample((2, 3)), sample((3, 1), seed=1), np.zeros((2, 4)))
    assert_same(assigned, sample((2, 3), "float32"), sample((3, 4), "float32"), np.zeros((2, 4)))
    assert_same(lambda x, y, out: np.dot(x, y, out=out), sample((2, 3)), sample((3, 4), seed=1), np.zeros((2, 4)))
    assert_same(lambda x, y, out: np.outer(x, y, out), sample(2), sample(4, seed=1), np.zeros((2, 4)))


def in_place(x, y):
    x @= y
    return x


def test_matmul_in_place():
    assert_same(in_place, sample((3, 3)), sample((3, 3), seed=1))
    assert_same(in_place, sample((3, 3)), sample((3, 1), seed=1))
    assert_same(in_place, sample((3, 3)), sample(3, seed=1))
    assert_same(in_place, sample((2, 3, 3)), sample((3, 3), seed=1))


@pytest.mark.parametrize("dtype", ["float64", *DTYPES])
@pytest.mark.parametrize("offset", [-4, -1, 0, 1, 5])
def test_trace_sums_a_diagonal(dtype, offset):
    assert_same(lambda x: np.trace(x, offset), sample((3, 5), dtype))
    assert_same(lambda x: np.trace(x, offset, axis1=2, axis2=0), sample((3, 2, 4), dtype))
    assert_same(lambda x: np.linalg.trace(x, offset=offset, dtype=np.float32), sample((2, 3, 3), "int8"))


@pytest.mark.parametrize(
    "a, b", [((3,), (3,)), ((4, 3), (3,)), ((2,), (2,)), ((4, 2), (4, 3)), ((4, 3), (1, 2)), ((3, 4), (3, 4))]
)
def test_cross_product(a, b):
    assert_same(np.cross, sample(a), sample(b, seed=1))


def test_cross_product_along_axes():
    x, y = sample((3, 4)), sample((4, 3), seed=1)
    assert_same(lambda x, y: np.cross(x, y, axisa=0), x, y)
    assert_same(lambda x, y: np.cross(x, y.T, axis=0), x, y)
    assert_same(lambda x, y: np.cross(x, y, 0, -1, 0), x, y)
    assert_same(lambda x, y: np.linalg.cross(x, y), sample((4, 3), "int32"), sample((4, 3), "float32"))
    assert_same(lambda x, y: np.linalg.cross(x, y), sample((4, 2)), sample((4, 2)))


@pytest.mark.parametrize(
    "shapes",
    [
        ((2, 3), (3, 4)),
        ((2, 3), (3, 4), (4, 5)),
        ((30, 2), (2, 30), (30, 2), (2, 5)),
        ((3,), (3, 4), (4,)),
        ((3,), (3, 4), (4, 2)),
    ],
)
def test_chains_of_matrices(shapes):
    assert_same(lambda *arrays: np.linalg.multi_dot(arrays), *(sample(shape, seed=i) for i, shape in enumerate(shapes)))


EINSUMS = [
    ("ij,jk->ik", (2, 3), (3, 4)),
    ("ij,jk", (2, 3), (3, 4)),
    ("ij,kj->ik", (2, 3), (4, 3)),
    ("ij,jk->ki", (2, 3), (3, 4)),
    ("ba,ca", (2, 3), (4, 3)),
    ("i,i->", (3,), (3,)),
    ("i,i", (3,), (3,)),
    ("i,j->ji", (3,), (4,)),
    ("ij,ij->", (2, 3), (2, 3)),
    ("ij,ji->j", (2, 3), (3, 2)),
    ("ij,j->i", (2, 3), (3,)),
    ("bij,bjk->bik", (5, 2, 3), (5, 3, 4)),
    ("bij,bj->bi", (5, 2, 3), (5, 3)),
    ("bij,bkj->kb", (5, 2, 3), (5, 4, 3)),
    ("...ij,...jk->...ik", (5, 2, 3), (3, 4)),
    ("...ij,...jk", (6, 5, 2, 3), (5, 3, 4)),
    ("i...,i...->...", (3, 4), (3, 4)),
    ("ijkl,jl->ki", (2, 3, 4, 5), (3, 5)),
    ("ii->i", (3, 3)),
    ("ii", (3, 3)),
    ("iij->j", (3, 3, 2)),
    ("iji->ij", (3, 2, 3)),
    ("iii", (3, 3, 3)),
    ("ij->ji", (2, 3)),
    ("ba", (2, 3)),
    ("ij->", (2, 3)),
    ("ij->j", (2, 3)),
    ("...->...", (2, 3)),
    ("ij,jk->ik", (2, 1), (3, 4)),
    ("ij,ij->ij", (2, 1), (1, 3)),
    ("ij,jk->ik", (0, 3), (3, 4)),
    ("ij,jk->ik", (2, 0), (0, 4)),
    ("ij,jk,kl->il", (2, 3), (3, 4), (4, 5)),
    ("ij,kl,jk->il", (2, 3), (4, 5), (3, 4)),
    ("i,ij,j->", (2,), (2, 3), (3,)),
    ("i,i,i->", (3,), (3,), (3,)),
    ("ai,bi,ci->abc", (2, 4), (3, 4), (2, 4)),
    (",ij->ij", (), (2, 3)),
    ("ij,jk->ik", (2, 3), (4, 4)),
    ("ij,jk->iz", (2, 3), (3, 4)),
    ("ij,jk->ii", (2, 3), (3, 4)),
    ("ij->i", (2,)),
    ("...i->i", (2, 3)),
    ("ii", (1, 3)),
    ("i$j->i", (2, 3)),
]


@pytest.mark.parametrize("subscripts, shapes", [(first, rest) for first, *rest in EINSUMS], ids=str)
def test_einsum(subscripts, shapes):
    arrays = [sample(shape, seed=i) for i, shape in enumerate(shapes)]
    assert_same(lambda *arrays: np.einsum(subscripts, *arrays), *arrays)
    assert_same(lambda *arrays: np.einsum(subscripts, *arrays, optimize=True), *arrays)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("subscripts", ["ij,jk->ik", "ij,ij->", "ij,ij->j", "ij,jk->"])
def test_einsum_keeps_the_dtype(subscripts, dtype):
    assert_same(lambda x, y: np.einsum(subscripts, x, y), sample((3, 3), dtype), sample((3, 3), dtype, seed=1))
    assert_same(lambda x: np.einsum("ii", x), sample((3, 3), dtype))


def test_einsum_options_and_index_lists():
    x, y = sample((2, 3), "float32"), sample((3, 4), "float32", seed=1)
    assert_same(lambda x, y: np.einsum(x, [0, 1], y, [1, 2], [0, 2]), x, y)
    assert_same(lambda x, y: np.einsum(x, [0, 30], y, [30, 2]), x, y)
    assert_same(lambda x, y: np.einsum(x, [..., 1], y, [1, 2], [..., 2]), x, y)
    assert_same(lambda x, y: np.einsum("ij,jk->ik", x, y, dtype=np.float64), x, y)
    assert_same(lambda x, y: np.einsum("ij,jk->ik", x, y, dtype=np.int32), x, y)
    assert_same(lambda x, y, out: np.einsum("ij,jk->ik", x, y, out=out), x, y, np.zeros((2, 4)))
    assert_same(lambda x, y: np.einsum("i j, j k -> i k", x, y), x, y)


def test_einsum_of_one_operand_is_a_view():
    def diagonal(x):
        np.einsum("ii->i", x)[:] = 7
        return x

    def transposed(x):
        np.einsum("ijk->kij", x)[0] += 1.0
        return x

    def plane(x):
        np.einsum("iji->ji", x)[1] = 2.0
        return x

    assert_same(diagonal, sample((4, 4)))
    assert_same(transposed, sample((2, 3, 4)))
    assert_same(plane, sample((3, 2, 3)))


@pytest.mark.parametrize(
    "subscripts, shapes, ops",
    [
        ("ij,jk->ik", ((2, 3), (3, 4)), ["matmul"]),
        ("i,i->", ((3,), (3,)), ["multiply", "sum"]),
        ("ij,j->i", ((2, 3), (3,)), ["matmul"]),
        ("ij,kj->ik", ((2, 3), (4, 3)), ["transpose", "matmul"]),
        ("bij,bjk->bik", ((5, 2, 3), (5, 3, 4)), ["matmul"]),
    ],
)
def test_einsum_is_written_in_the_plainest_ops(subscripts, shapes, ops):
    captured = capture(lambda *arrays: np.einsum(subscripts, *arrays), [sample(shape) for shape in shapes])

    found = [node.op for node in ir.topological(captured.outputs()) if node.inputs]
    assert found == ops


def test_what_is_not_encoded_is_refused():
    assert_refused(lambda x, y: np.matmul(x, y, axes=[(0, 1), (1, 0), (0, 1)]), sample((3, 3)), sample((3, 3)))
    assert_refused(lambda x: np.einsum_path("ij,jk->ik", x, x)[1], sample((3, 3)))
