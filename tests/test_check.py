"""The verifier passes what is well formed and names the Node and the user's line of what is not."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from egc import ir, ops
from egc.check import EXCEPTIONS, PARAMS, check
from egc.errors import EgcError, Line, OperandTypeError, ProgramError, ShapeError
from egc.ir import Node, Program
from egc.types import parse_type

from .backends.samples import FROM_OTHERS, cases, program
from .random_programs import random_program

HERE = Line("model.py", 12)


def broken(op: str, *inputs: Node, type: Any, **params: Any) -> Node:
    """A Node made without inference, at `HERE`."""
    node = Node.__new__(Node)
    node.op, node.inputs, node.params, node.type = op, inputs, MappingProxyType(params), type
    node.line, node.scopes = HERE, frozenset()
    return node


X = ir.input("x", parse_type("f64[n]"))
F = parse_type("f64")


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 2**32), st.integers(0, 25))
def test_random_programs_pass(seed, length):
    p, _ = random_program(seed, length)
    assert check(p) is p


@pytest.mark.parametrize("op", sorted(set(ops.OPS) - FROM_OTHERS))
def test_programs_of_every_op_pass(op):
    check(program(list(cases(op)))[0])


def test_every_parameter_has_a_law():
    for row in ops.OPS.values():
        assert all(param in PARAMS or (row.name, param) in EXCEPTIONS for param in row.params)


@pytest.mark.parametrize(
    ("node", "error", "message"),
    [
        (broken("exp", X, type=F), ProgramError, r"exp: has type f64\[\], but its operands give f64\[n\]"),
        (broken("exp", X, X, type=F), ProgramError, "exp takes 1 inputs, not 2"),
        (broken("frobnicate", X, type=F), ProgramError, "no op named"),
        (broken("sum", X, type=F), ProgramError, "sum has parameters"),
        (broken("sum", X, type=F, axes=(1,)), ShapeError, "axes"),
        (broken("sum", X, type=F, axes=(0.0,)), ProgramError, "sum: axes cannot be"),
        (broken("sum", X, type=F, axes=(False,)), ProgramError, "sum: axes cannot be"),
        (broken("sort", X, type=X.type, axis=0.0), ProgramError, "sort: axis cannot be 0.0"),
        (broken("constant", type=F, value=1, dtype=F.dtype, shape=()), ProgramError, "value 1 is not of dtype"),
        (broken("constant", type=parse_type("f64[-1]"), value=1.0, dtype=F.dtype, shape=(-1,)), ProgramError, "shape"),
        (broken("size", type=parse_type("i64"), value=3.5), ProgramError, "size: value cannot be 3.5"),
        (broken("slice", X, type=X.type, start=(0,), size=X.type.shape, step=(0,)), ProgramError, "step cannot be"),
        (broken("add", X, ir.input("i", parse_type("i64[n]")), type=F), OperandTypeError, "must be cast"),
        (ir.make("qr", ir.input("a", parse_type("f64[n, n]")), mode="reduced", line=HERE), ProgramError, "one array"),
        (
            ir.make("reshape", X, shape=(1, parse_type("f64[k]").shape[0]), line=HERE),
            ProgramError,
            "no argument determ",
        ),
    ],
)
def test_a_broken_node_is_refused_with_its_line(node, error, message):
    inputs = tuple(found for found in ir.topological([node]) if found.op == "input")
    with pytest.raises(error, match=message) as caught:
        check(Program(inputs, (node,)))
    assert isinstance(caught.value, EgcError) and caught.value.line == HERE
    assert str(caught.value).startswith("model.py:12: ")


def test_inputs_are_input_nodes():
    with pytest.raises(ProgramError, match="must be an input Node"):
        check(Program((ir.make("exp", X),), ()))


def test_inputs_have_distinct_names():
    with pytest.raises(ProgramError, match="two inputs are named x"):
        check(Program((X, ir.input("x", F)), (X,)))


def test_inputs_are_declared():
    with pytest.raises(ProgramError, match="x is not among"):
        check(Program((), (ir.make("exp", X),)))


def test_a_size_argument_is_an_integer_scalar():
    with pytest.raises(ProgramError, match="the size x must be an integer scalar"):
        check(Program((X,), (X,), size_inputs=frozenset(["x"])))
    with pytest.raises(ProgramError, match="the size k is not among the inputs"):
        check(Program((X,), (X,), size_inputs=frozenset(["k"])))


def test_a_size_argument_determines_its_symbol():
    k = ir.input("k", parse_type("i64"))
    zeros = ir.make("constant", value=0.0, dtype=F.dtype, shape=parse_type("f64[k]").shape)
    check(Program((k,), (zeros,), size_inputs=frozenset(["k"])))
    with pytest.raises(ProgramError, match="no argument determines the size k"):
        check(Program((k,), (zeros,)))
