"""Functions mapped over an axis: the function is captured for a row, and all that its results are made of is made for all rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from egc import ir
from egc.capture import arguments as trees
from egc.capture.arguments import Tree
from egc.capture.array import Array, as_array, fresh, result, to_node
from egc.capture.context import current
from egc.capture.flow.region import inside
from egc.errors import NotEncodable
from egc.ir import Node
from egc.sizes import Dim, Size
from egc.transformed import Transformed


def axes_of(tree: Tree, axes: Any, name: str) -> list[int | None]:
    """The axis of each leaf of a tree: one axis for all, or a container of the same form that holds them."""
    if axes is None or isinstance(axes, int):
        return [axes] * _leaf_count(tree)
    if isinstance(axes, dict) and isinstance(tree.form, tuple) and set(axes) == set(tree.form[1]):
        parts = [axes[key] for key in tree.form[1]]
    elif isinstance(axes, (tuple, list)) and len(axes) == len(tree.children) and tree.build is not None:
        parts = list(axes)
    else:
        raise ValueError(f"vmap: {name} does not have the form of its axes {axes!r}")
    return [axis for child, part in zip(tree.children, parts) for axis in axes_of(child, part, name)]


def axes_of_arguments(in_axes: Any, count: int) -> list[Any]:
    """The axes of each argument."""
    axes = list(in_axes) if isinstance(in_axes, (tuple, list)) else [in_axes] * count
    if len(axes) != count:
        raise ValueError(f"vmap: in_axes {in_axes} for {count} arguments")
    return axes


def _leaf_count(tree: Tree) -> int:
    return 1 if tree.build is None else sum(map(_leaf_count, tree.children))


class _Rows:
    """The rows that stand in for mapped arguments, and their number."""

    def __init__(self) -> None:
        self.arrays: dict[Node, Node] = {}
        self.count: Dim | None = None

    def stand_in(self, name: str, leaf: Any, axis: int | None) -> Any:
        if axis is None:
            return leaf
        context, node = current(), as_array(leaf).node
        if not -node.type.rank <= axis < node.type.rank:
            raise ValueError(f"vmap: {name} has no axis {axis} to map over")
        place = axis % node.type.rank
        order = (place, *(each for each in range(node.type.rank) if each != place))
        moved = node if not place else ir.make("transpose", node, axes=order)
        length = moved.type.shape[0]
        if self.count is not None and not context.same(self.count, length):
            sizes = [context.value(each) for each in (self.count, length)]
            raise ValueError(f"vmap: axes of different sizes {sizes[0]} and {sizes[1]}")
        self.count = length if self.count is None else self.count
        row = context.stand_in("_x", moved.type.with_shape(moved.type.shape[1:]))
        self.arrays[row] = moved
        return result(row) if not row.type.rank else fresh(row)


def mapped(machine: Any, given: Transformed, arguments: Sequence[Any], named: dict[str, Any]) -> Any:
    """The meaning of a call of a mapped function."""
    context, engine = current(), current().derivatives
    rows = _Rows()
    values: list[Any] = []
    for k, (argument, axes) in enumerate(
        zip(arguments, axes_of_arguments(given.options.get("in_axes", 0), len(arguments)))
    ):
        leaves: list[tuple[str, Any]] = []
        tree = trees.flatten(argument, f"argument {k}", leaves)
        places = axes_of(tree, axes, f"argument {k}")
        new = [rows.stand_in(name, leaf, axis) for (name, leaf), axis in zip(leaves, places)]
        values.append(machine.own_all(trees.unflatten(tree, new)) if tree.build is not None else new[0])
    if rows.count is None:
        raise ValueError("vmap: no argument has an axis to map over")
    with inside() as region:
        returned = machine.call(given.function, values, named)
    if region.writes:
        raise NotEncodable("a function that is mapped", "it writes into an array from outside of it", context.line)
    found: list[tuple[str, Any]] = []
    tree = trees.flatten(returned, "result", found)
    numbers = [k for k, (_, leaf) in enumerate(found) if is_number(leaf)]
    outputs = [to_node(found[k][1]) for k in numbers]
    nodes = engine.mapped([*outputs, *region.checks], rows.arrays, rows.count, f"_v{context.tick()}")
    context.note_made(nodes)
    for check in nodes[len(outputs) :]:
        context.check(context.make("any", check, axes=(0,)))
    leaves_found = [leaf for _, leaf in found]
    axes_found = axes_of(tree, given.options.get("out_axes", 0), "the result")
    for k, node in zip(numbers, nodes):
        leaves_found[k] = fresh(_moved(node, axes_found[k]))
    return trees.unflatten(tree, leaves_found)


def is_number(leaf: Any) -> bool:
    """Whether a leaf of results is a number or an array."""
    return isinstance(leaf, (Array, Size, np.ndarray, np.generic, bool, int, float, complex))


def _moved(node: Node, axis: int | None) -> Node:
    """The first axis at another place."""
    rank = node.type.rank
    if axis is None or not -rank <= axis < rank:
        raise ValueError(f"vmap: the result has no place for the axis {axis}")
    order = list(range(1, rank))
    order.insert(axis % rank, 0)
    return node if not axis % rank else ir.make("transpose", node, axes=tuple(order))
