"""A rewrite's side with its variables replaced by Nodes, at the shapes and dtype that these Nodes have."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np

from egc import ir, sizes
from egc.errors import ShapeError
from egc.ir import Node
from egc.rewrite import Bool, Rewrite
from egc.sizes import Dim, Size
from egc.types import Shape


@lru_cache(maxsize=4096)
def operand_dtype(rewrite: Rewrite) -> np.dtype | None:
    """The dtype that stands for any matching dtype in a traced rewrite."""
    annotations = rewrite.rule.parameters
    plain = [v.type.dtype for v in rewrite.variables if annotations.get(v.params["name"]) is not Bool]
    return next((dtype for dtype in plain if dtype.kind != "b"), plain[0] if plain else None)


def generic_shape(rewrite: Rewrite) -> Shape:
    """The shape that all arrays of a generic rewrite were traced at."""
    found: Shape = ()
    for node in ir.topological((rewrite.left, rewrite.right, *(each.operand for each in rewrite.conditions))):
        if len(getattr(node.type, "shape", ())) > len(found):
            found = node.type.shape
    return found


class Substitution:
    """Replaces the traced dtype, sizes and, in a generic rewrite, the traced shape."""

    def __init__(
        self, dtypes: Mapping[Any, Any], dims: Mapping[str, Dim], shapes: Mapping[Shape, Shape], folds: bool = False
    ):
        self.dtypes, self.dims, self.shapes, self.folds = dtypes, dims, shapes, folds

    def value(self, value: Any) -> Any:
        if isinstance(value, np.dtype):
            return self.dtypes.get(value, value)
        if isinstance(value, Size):
            return sizes.substitute(value, self.dims)
        if isinstance(value, tuple):
            return tuple(map(self.value, value))
        return value

    def shape(self, shape: Shape) -> Shape:
        return self.shapes[shape] if shape in self.shapes else self.value(shape)

    def node(self, node: Node, inputs: tuple[Node, ...]) -> Node:
        params: dict[str, Any] = {
            name: self.shape(value) if name == "shape" else self.value(value) for name, value in node.params.items()
        }
        if node.op == "constant":
            return ir.constant(params["value"], params["dtype"], params["shape"])
        if node.op == "size":
            return ir.size(params["value"])
        if node.op == "input":
            kind = node.type
            return ir.input(params["name"], type(kind)(self.value(kind.dtype), self.shape(kind.shape)))
        if node.op == "broadcast" and inputs[0].type.shape == params["shape"]:
            return inputs[0]
        if node.op == "broadcast" and self.folds and ir.is_constant(inputs[0]):
            return ir.constant(inputs[0].params["value"], inputs[0].type.dtype, params["shape"])
        return ir.make(node.op, *inputs, **params)


def rewrite_nodes(root: Node, substitution: Substitution, given: Mapping[Node, Node]) -> Node:
    """The term of `root` with the Nodes of `given` replaced and everything else substituted."""
    new: dict[Node, Node] = dict(given)
    for node in ir.topological([root]):
        if node not in new:
            new[node] = substitution.node(node, tuple(new[child] for child in node.inputs))
    return new[root]


def at_dtype(rewrite: Rewrite, root: Node, dtype: np.dtype | None) -> Node:
    """A side of a rewrite traced at another operand dtype. Raises OperandTypeError where an op does not take it."""
    traced = operand_dtype(rewrite)
    dtypes = {} if traced is None else {traced: dtype}
    return rewrite_nodes(root, Substitution(dtypes, {}, {}), {})


def instantiate(rewrite: Rewrite, root: Node, operands: Mapping[str, Node]) -> Node:
    """A side of a rewrite with its variables, by name, replaced by Nodes.

    Raises ProgramError, OperandTypeError or ShapeError where the Nodes do not fit.
    """
    dims: dict[str, Dim] = {}
    shapes: dict[Shape, Shape] = {}
    dtypes: dict[Any, Any] = {}
    traced = operand_dtype(rewrite)
    common = generic_shape(rewrite) if rewrite.generic else None
    given: dict[Node, Node] = {}
    for variable in rewrite.variables:
        name, kind = variable.params["name"], variable.type
        if name not in operands:
            continue
        actual = given[variable] = operands[name]
        if kind.dtype == traced:
            dtypes[traced] = actual.type.dtype
        if common is not None and kind.shape == common and name not in rewrite.constants:
            shapes[common] = actual.type.shape
        elif len(kind.shape) != actual.type.rank:
            raise ShapeError(f"{actual.type} does not fit {name} of rule {rewrite.rule.name}")
        for dim, length in zip(kind.shape, actual.type.shape) if common is None else ():
            if isinstance(dim, Size) and str(dim).isidentifier():
                dims.setdefault(str(dim), length)
    return rewrite_nodes(root, Substitution(dtypes, dims, shapes, folds=True), given)
