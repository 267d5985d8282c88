"""Ops that loops run as compositions of simpler ones."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from egc import ir
from egc.ir import Node, Program, make
from egc.ops import INT64


def expand(program: Program) -> Program:
    """The same function, in which argmax, argmin, tril and triu are elementwise ops on indices, and reductions.

    >>> from egc.types import parse_type
    >>> x = ir.input("x", parse_type("f64[n]"))
    >>> [node.op for node in expand(Program((x,), (make("argmax", x, axis=0),))).nodes()][-1]
    'min'
    """
    if not any(node.op in _EXPANSIONS for node in program.nodes()):
        return program
    return ir.map_nodes(program, _visit)


def _visit(node: Node, inputs: tuple[Node, ...]) -> Node:
    same = ir.rebuild(node, inputs)
    return _EXPANSIONS[node.op](same) or same if node.op in _EXPANSIONS else same


def _extreme(node: Node) -> Node | None:
    """The first index of the extreme: of nan where there is one, which the extreme is then too."""
    (x,), axis = node.inputs, node.params["axis"]
    if x.type.dtype.kind == "c":
        return None
    shape = x.type.shape
    extreme = make(node.op.removeprefix("arg"), x, axes=(axis,))
    others = tuple(other for other in range(len(shape)) if other != axis)
    found = make("equal", x, make("broadcast", extreme, shape=shape, axes=others))
    if x.type.dtype.kind == "f":
        found = make("logical_or", found, make("isnan", x))
    nowhere = ir.constant(np.iinfo(np.int64).max, INT64, shape)
    return make("min", make("where", found, make("iota", shape=shape, axis=axis), nowhere), axes=(axis,))


def _triangle(node: Node) -> Node | None:
    (x,), offset, shape = node.inputs, node.params["offset"], node.inputs[0].type.shape
    if not isinstance(offset, int):
        return None
    row = make("iota", shape=shape, axis=len(shape) - 2)
    column = make("iota", shape=shape, axis=len(shape) - 1)
    diagonal = make("add", row, ir.constant(offset, INT64, shape))
    kept = make("less_equal" if node.op == "tril" else "greater_equal", column, diagonal)
    return make("where", kept, x, ir.constant(0, x.type.dtype, shape))


_EXPANSIONS: dict[str, Callable[[Node], Node | None]] = {
    "argmax": _extreme,
    "argmin": _extreme,
    "tril": _triangle,
    "triu": _triangle,
}
