"""Each op infers the type that the reference interpreter's result has, and refuses wrong operands."""

from __future__ import annotations

import numpy as np
import pytest

from egc import ir, ops
from egc.backends import reference
from egc.errors import OperandTypeError, ProgramError, ShapeError
from egc.types import concrete, parse_type

from .backends.samples import FROM_OTHERS, cases, program


@pytest.mark.parametrize("op", sorted(set(ops.OPS) - FROM_OTHERS))
def test_the_inferred_type_is_the_results_type(op):
    p, arguments, _ = program(list(cases(op)))
    bindings = p.bind(arguments)
    for node, result in zip(p.outputs, reference.evaluate(p, arguments)):
        type = concrete(node.type, bindings)
        assert (result.dtype, result.shape) == (type.dtype, type.shape)


@pytest.mark.parametrize("name", sorted(name for names in ops.UFUNCS.values() for name in names))
def test_a_ufunc_that_is_an_op_exists_in_numpy_with_its_arity(name):
    assert getattr(np, name).nin == ops.OPS[name].arity and getattr(np, name).nout == 1


@pytest.mark.parametrize("name", sorted(ops.COMMUTATIVE))
def test_commutative_ops_take_two_operands_in_any_order(name):
    dtype = "i64" if name.startswith(("bitwise", "gcd", "lcm")) else "f64"
    x, y = ir.input("x", parse_type(dtype)), ir.input("y", parse_type(dtype))
    values = [np.array(v, x.type.dtype) for v in (3, 5)]
    first, second = (ir.Program((x, y), (ir.make(name, *pair),)) for pair in ((x, y), (y, x)))
    assert reference.evaluate(first, values) == reference.evaluate(second, values)


X, INT, A = (ir.input(name, parse_type(t)) for name, t in (("x", "f64[n]"), ("i", "i32[n]"), ("a", "f64[n, m]")))


@pytest.mark.parametrize(
    ("op", "operands", "params", "error"),
    [
        ("add", (X, INT), {}, OperandTypeError),
        ("add", (X, A), {}, ShapeError),
        ("add", (X,), {}, ProgramError),
        ("invert", (X,), {}, OperandTypeError),
        ("erf", (INT,), {}, OperandTypeError),
        ("where", (X, X, X), {}, OperandTypeError),
        ("real", (X,), {}, OperandTypeError),
        ("sum", (X,), {"axes": (0, 0)}, ShapeError),
        ("sum", (X,), {"axes": (-1,)}, ShapeError),
        ("sum", (X,), {}, ProgramError),
        ("any", (X,), {"axes": (0,)}, OperandTypeError),
        ("reshape", (A,), {"shape": (A.type.size + 1,)}, ShapeError),
        ("transpose", (A,), {"axes": (0, 0)}, ShapeError),
        ("broadcast", (X,), {"shape": A.type.shape, "axes": (1,)}, ShapeError),
        ("matmul", (A, A), {}, ShapeError),
        ("matmul", (A, INT), {}, OperandTypeError),
        ("concatenate", (X, A), {"axis": 0}, ShapeError),
        ("gather", (X, INT), {"axes": (0,), "mode": "raise"}, OperandTypeError),
        ("inv", (A,), {}, ShapeError),
        ("cholesky", (X,), {"upper": False}, ShapeError),
        ("item", (X,), {"index": 0}, OperandTypeError),
        ("frobnicate", (X,), {}, ProgramError),
    ],
)
def test_wrong_operands_are_refused(op, operands, params, error):
    with pytest.raises(error):
        ir.make(op, *operands, **params)


def test_an_op_with_several_results_is_read_through_item():
    square = ir.make("eigh", ir.input("s", parse_type("f64[n, n]")), lower=True)
    with pytest.raises(OperandTypeError, match="item"):
        ir.make("exp", square)
    assert str(ir.make("item", square, index=0).type) == "f64[n]"


def test_equal_nodes_are_one_object():
    assert ir.make("exp", X) is ir.make("exp", X)
    assert ir.constant(0.0, X.type.dtype) is not ir.constant(-0.0, X.type.dtype)
    assert ir.constant(np.nan, X.type.dtype) is ir.constant(np.nan, X.type.dtype)
