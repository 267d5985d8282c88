"""A function for each row of its arguments, which `egc.vmap` gives: captured once, for one row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from egc import ir
from egc.capture import arguments as trees
from egc.capture.array import as_array, fresh, result, to_node
from egc.capture.context import current
from egc.capture.flow.region import inside
from egc.errors import NotEncodable
from egc.ir import Node
from egc.sizes import Dim
from egc.transformed import Transformed


def mapped(machine: Any, given: Transformed, arguments: Sequence[Any], named: dict[str, Any]) -> Any:
    """The meaning of a call of a mapped function."""
    context, engine = current(), current().derivatives
    in_axes, out_axes = given.options.get("in_axes", 0), given.options.get("out_axes", 0)
    axes = list(in_axes) if isinstance(in_axes, (tuple, list)) else [in_axes] * len(arguments)
    if len(axes) != len(arguments):
        raise ValueError(f"vmap: in_axes {in_axes} for {len(arguments)} arguments")
    values: list[Any] = []
    rows: dict[Node, Node] = {}
    count: Dim | None = None
    for argument, axis in zip(arguments, axes):
        if axis is None:
            values.append(argument)
            continue
        leaves: list[tuple[str, Any]] = []
        tree = trees.flatten(argument, "argument", leaves)
        new = []
        for name, leaf in leaves:
            node = as_array(leaf).node
            if not node.type.rank:
                raise ValueError(f"vmap: {name} has no axis to map over")
            place = axis % node.type.rank
            order = (place, *(each for each in range(node.type.rank) if each != place))
            moved = node if not place else ir.make("transpose", node, axes=order)
            length = moved.type.shape[0]
            if count is not None and not context.same(count, length):
                raise ValueError(f"vmap: axes of different sizes {count} and {length}")
            count = length if count is None else count
            row = ir.input(f"_x{context.tick()}", moved.type.with_shape(moved.type.shape[1:]))
            context.made[row] = context.tick()
            rows[row] = moved
            new.append(result(row) if not row.type.rank else fresh(row))
        values.append(trees.unflatten(tree, new))
    if count is None:
        raise ValueError("vmap: no argument has an axis to map over")
    with inside() as region:
        returned = machine.call(given.function, values, named)
    if region.cells:
        raise NotEncodable("a function that is mapped", "it writes into an array from outside of it", context.line)
    found: list[tuple[str, Any]] = []
    tree = trees.flatten(returned, "result", found)
    values = [to_node(leaf) for _, leaf in found]
    nodes = engine.mapped([*values, *region.checks], rows, count, f"_v{context.tick()}")
    for check in nodes[len(values) :]:
        context.check(ir.make("any", check, axes=(0,)))
    nodes = nodes[: len(values)]
    for node in ir.topological(nodes):
        if node not in context.made:
            context.made[node] = context.tick()
    return trees.unflatten(tree, [fresh(_moved(node, out_axes)) for node in nodes])


def _moved(node: Node, axis: int) -> Node:
    """The first axis at another place."""
    rank = node.type.rank
    place = axis % rank
    order = list(range(1, rank))
    order.insert(place, 0)
    return node if not place else ir.make("transpose", node, axes=tuple(order))
