"""The reference backend means what NumPy and SciPy mean."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.linalg

from egc import ir, sizes
from egc.backends.reference import BACKEND, EVALUATE, apply, evaluate
from egc.errors import OperandTypeError, ShapeError
from egc.ops import OPS, infer
from egc.types import ArrayType, parse_type

X = np.arange(24.0).reshape(2, 3, 4)
RNG = np.random.default_rng(0)


def op(name, *arrays, **params):
    arrays = [np.asarray(a) for a in arrays]
    return apply(name, arrays, params, infer(name, [ArrayType(a.dtype, a.shape) for a in arrays], params))


def test_every_op_has_a_meaning():
    assert set(EVALUATE) == set(OPS) - {"input"}


def test_results_have_the_inferred_dtype_at_rank_0():
    result = op("add", np.float32(1), np.float32(2))
    assert isinstance(result, np.ndarray) and result.dtype == np.float32 and result.shape == ()


def test_integer_sums_wrap_in_their_own_dtype():
    np.testing.assert_array_equal(op("sum", np.array([100, 100], np.int8), axes=(0,)), np.int8(-56))


def test_bool_sum_is_any_and_product_is_all():
    assert op("sum", np.array([True, True]), axes=(0,)) and not op("prod", np.array([True, False]), axes=(0,))


def test_maximum_of_nothing_raises():
    with pytest.raises(ValueError, match="zero-size"):
        op("max", np.zeros((0, 3)), axes=(0,))


@pytest.mark.parametrize(("start", "step"), [(1, 1), (3, -1), (3, -3), (0, 3)])
def test_slice_reads_start_plus_steps(start, step):
    size = 2
    result = op("slice", X[0, 0], start=(start,), size=(size,), step=(step,))
    np.testing.assert_array_equal(result, [X[0, 0, start + j * step] for j in range(size)])
    assert np.shares_memory(result, X)


def test_slice_does_not_count_from_the_end():
    with pytest.raises(IndexError):
        op("slice", X[0, 0], start=(-1,), size=(1,), step=(1,))


def test_update_slice_leaves_the_operand():
    before = X.copy()
    result = op("update_slice", X[0, 0], np.array([7.0, 8.0]), start=(3,), step=(-2,))
    np.testing.assert_array_equal(result, [0, 8, 2, 7])
    np.testing.assert_array_equal(X, before)


@pytest.mark.parametrize("name", ["transpose", "reshape", "broadcast", "diagonal"])
def test_rearrangements_are_views(name):
    params = {
        "transpose": {"axes": (2, 0, 1)},
        "reshape": {"shape": (6, 4)},
        "broadcast": {"shape": (2, 5, 3, 4), "axes": (0, 2, 3)},
        "diagonal": {"offset": 1, "size": 3},
    }
    assert np.shares_memory(op(name, X, **params[name]), X)


def test_broadcast_places_axes():
    np.testing.assert_array_equal(op("broadcast", X[0, :, 0], shape=(3, 2), axes=(0,)), X[0, :, [0, 0]].T)


def test_gather_puts_the_index_axes_first():
    i, j = np.array([[0, -1], [1, 0]]), np.array([[3, -4], [0, 1]])
    np.testing.assert_array_equal(op("gather", X, j, axes=(2,), mode="raise"), np.moveaxis(X[:, :, j], (2, 3), (0, 1)))
    np.testing.assert_array_equal(op("gather", X, i, j, axes=(0, 2), mode="raise"), X[i, :, j])


@pytest.mark.parametrize("mode", ["clip", "wrap"])
def test_gather_modes_are_those_of_take(mode):
    i = np.array([-9, -1, 0, 5, 11])
    np.testing.assert_array_equal(op("gather", X, i, axes=(0,), mode=mode), np.take(X, i, axis=0, mode=mode))


def test_gather_out_of_range_raises():
    with pytest.raises(IndexError):
        op("gather", X, np.array([3]), axes=(1,), mode="raise")


def test_scatter_add_counts_every_occurrence():
    i = np.array([0, 2, 0, -1])
    expected = np.zeros(4)
    np.add.at(expected, i, np.ones(4))
    np.testing.assert_array_equal(op("scatter", np.zeros(4), np.ones(4), i, axes=(0,), combine="add"), expected)


def test_scatter_set_keeps_the_last():
    result = op("scatter", np.zeros(2), np.array([1.0, 2.0, 3.0]), np.array([1, 0, 1]), axes=(0,), combine="set")
    np.testing.assert_array_equal(result, [2, 3])


def test_scatter_inverts_gather_axes():
    i = np.array([1, 0])
    value = op("gather", X, i, axes=(1,), mode="raise")
    np.testing.assert_array_equal(op("scatter", X, value, i, axes=(1,), combine="set"), X)


def test_pad_surrounds_with_the_fill():
    padded = np.pad(X[0], ((1, 0), (0, 2)), constant_values=9)
    np.testing.assert_array_equal(op("pad", X[0], 9.0, low=(1, 0), high=(0, 2)), padded)


@pytest.mark.parametrize("offset", [0, 2, -1])
def test_diagonal_matrix_is_diag(offset):
    np.testing.assert_array_equal(op("diagonal_matrix", X[0, 0], offset=offset), np.diag(X[0, 0], offset))


def test_iota_counts_along_its_axis():
    np.testing.assert_array_equal(op("iota", shape=(2, 3), axis=1), [[0, 1, 2], [0, 1, 2]])


def test_complex_to_real_cast_drops_the_imaginary_part():
    np.testing.assert_array_equal(op("cast", [3 + 4j], dtype=np.dtype(float)), [3.0])
    np.testing.assert_array_equal(op("cast", [0 + 4j], dtype=np.dtype(bool)), [True])


@pytest.mark.parametrize("lower", [False, True])
@pytest.mark.parametrize("transposed", [False, True])
def test_solve_triangular_is_scipys(lower, transposed):
    a, b = RNG.random((2, 3, 3)) + np.eye(3), RNG.random((2, 3, 4))
    result = op("solve_triangular", a, b, lower=lower, transposed=transposed, unit_diagonal=False)
    expected = [scipy.linalg.solve_triangular(m, r, trans=int(transposed), lower=lower) for m, r in zip(a, b)]
    np.testing.assert_allclose(result, expected)


def test_solve_takes_a_vector_only_at_rank_1():
    a, b = RNG.random((2, 3, 3)) + np.eye(3), RNG.random(3)
    np.testing.assert_allclose(op("solve", a, b), np.stack([np.linalg.solve(m, b) for m in a]))


def test_eigenvalues_of_real_matrices_are_complex():
    values = op("eigvals", np.diag([1.0, 2.0]))
    assert values.dtype == np.complex128
    np.testing.assert_array_equal(np.sort(values), [1, 2])


@pytest.mark.parametrize("name", ["inv", "cholesky"])
def test_singular_matrices_raise(name):
    with pytest.raises(np.linalg.LinAlgError):
        op(name, -np.ones((2, 2)), **({"upper": False} if name == "cholesky" else {}))


def test_warnings_are_silenced():
    with np.errstate(all="raise"):
        assert op("divide", [1.0], [0.0]) == np.inf


def test_sizes_bind_in_types_and_parameters():
    n = sizes.symbol("n")
    x = ir.input("x", parse_type("f64[n]"))
    tail = ir.make("slice", x, start=(1,), size=(n - 1,), step=(1,))
    program = ir.Program((x,), (tail, ir.size(2 * n)))
    first, second = BACKEND.compile(program).run(np.arange(4.0))
    np.testing.assert_array_equal(first, [1, 2, 3])
    assert second == 8 and second.dtype == np.int64


def test_size_inputs_are_integers_that_bind_their_symbol():
    n = ir.input("n", parse_type("i64"))
    steps = ir.make("iota", shape=(sizes.symbol("n"),), axis=0)
    (result,) = evaluate(ir.Program((n,), (steps,), size_inputs=frozenset(["n"])), [3])
    np.testing.assert_array_equal(result, [0, 1, 2])


def test_long_chains_need_no_recursion():
    x = node = ir.input("x", parse_type("f64"))
    one = ir.constant(1.0, np.dtype(float))
    for _ in range(5000):
        node = ir.make("add", node, one)
    assert evaluate(ir.Program((x,), (node,)), [0.0])[0] == 5000


@pytest.mark.parametrize(
    ("argument", "error"), [(np.zeros(3, np.float32), OperandTypeError), (np.zeros((3, 1)), ShapeError)]
)
def test_arguments_of_other_types_are_refused(argument, error):
    x = ir.input("x", parse_type("f64[n]"))
    with pytest.raises(error, match="argument x"):
        evaluate(ir.Program((x,), (x,)), [argument])


def test_arguments_whose_sizes_disagree_are_refused():
    x, y = (ir.input(name, parse_type("f64[n]")) for name in "xy")
    with pytest.raises(ShapeError, match="argument y"):
        evaluate(ir.Program((x, y), (x, y)), [np.zeros(3), np.zeros(4)])
