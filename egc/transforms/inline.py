"""Puts a region in the place of the loop or branch that it belongs to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from egc import ir, sizes
from egc.ir import Node, Program
from egc.sizes import Dim, Size
from egc.types import ArrayType


def inline(region: Program, operands: Sequence[Node], values: Mapping[str, Dim] | None = None) -> tuple[Node, ...]:
    """The results of a region on operands, where the size symbols in `values` have these values.

    >>> from egc.types import parse_type
    >>> x, y = (ir.input(name, parse_type("f64")) for name in "xy")
    >>> inline(Program((x,), (ir.make("exp", x),)), [y])[0].inputs[0].params["name"]
    'y'
    """
    new: dict[Node, Node] = dict(zip(region.inputs, operands))
    for node in region.nodes():
        if node not in new:
            new[node] = _rebuilt(node, [new[child] for child in node.inputs], values or {})
    return tuple(new[node] for node in region.outputs)


def _rebuilt(node: Node, inputs: Sequence[Node], values: Mapping[str, Dim]) -> Node:
    if not values:
        return ir.rebuild(node, inputs)
    if node.op == "size":
        return ir.size(sizes.substitute(node.params["value"], values), node.line)
    params = {name: _substituted(value, values) for name, value in node.params.items()}
    return ir.make(node.op, *inputs, line=node.line, scopes=node.scopes, **params)


def _substituted(value: Any, values: Mapping[str, Dim]) -> Any:
    if isinstance(value, tuple):
        return tuple(_substituted(part, values) for part in value)
    if isinstance(value, Size):
        return sizes.substitute(value, values)
    if isinstance(value, ArrayType):
        return value.with_shape([sizes.substitute(dim, values) for dim in value.shape])
    if isinstance(value, Program):
        inputs = tuple(_rebuilt(node, (), values) for node in value.inputs)
        return Program(inputs, inline(value, inputs, values), value.name, value.size_inputs)
    return value
