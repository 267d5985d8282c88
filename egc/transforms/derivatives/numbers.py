"""Regions of which the iteration's number is data: sizes that follow from it are computed, where they are values and
not shapes."""

from __future__ import annotations

from collections.abc import Sequence

from egc import ir, sizes
from egc.ir import Node, Program, make
from egc.sizes import Dim
from egc.transforms.derivatives.regions import replaced


def with_number(body: Program, number: Node, operands: Sequence[Node]) -> tuple[Node, ...] | None:
    """The results of the region of a counted loop for an iteration's number that is data; None where shapes or
    positions follow from it."""
    name = body.inputs[0].params["name"]
    known = dict(zip(body.inputs, (number, *operands)))
    for node in body.nodes():
        if node.op == "size" and name in sizes.symbols(node.params["value"]):
            value = _as_node(node.params["value"], name, number)
            if value is None:
                return None
            known[node] = value
        elif name in _symbols_of(node):
            return None
    return replaced(body.outputs, known)


def _symbols_of(node: Node) -> set[str]:
    """The size symbols that a Node itself mentions, in its type, its parameters and its regions."""
    inputs = tuple(ir.input(f"_{k}", each.type) for k, each in enumerate(node.inputs))
    if node.op in ("input", "item"):
        return set()
    return ir.free_symbols(Program((), (make(node.op, *inputs, **node.params),)))


def _as_node(size: Dim, name: str, number: Node) -> Node | None:
    """A size that is linear in a symbol, computed from the symbol's value."""
    rest = sizes.substitute(size, {name: 0})
    factor = sizes.substitute(size, {name: 1}) - rest
    if sizes.substitute(size, {name: sizes.symbol(name) + 1}) - size != factor:
        return None
    product = number if factor == 1 else make("multiply", number, ir.size(factor))
    return product if rest == 0 else make("add", product, ir.size(rest))
