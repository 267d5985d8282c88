"""Elements at indices of data of which nothing is computed: an index out of bounds raises all the same."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from egc import ir
from egc.capture import build
from egc.capture.context import current
from egc.ir import Node, topological
from egc.sizes import Dim

KNOWN = frozenset(["constant", "iota"])
"""Indices that capture compares with the length."""

Index = tuple[Node, Dim]
"""An index, and the length of the axis that it is an index of."""


@dataclass(frozen=True, eq=False)
class Merged:
    """A value that is computed on one side of a branch or the other, from elements that each side touches.

    `merge` makes the Node that is one of two, one for each side.
    """

    value: Node
    sides: tuple[tuple[Touched, ...], tuple[Touched, ...]]
    merge: Callable[[Node, Node], Node]


Touched = Index | Merged


def touch(shape: Sequence[Dim], axes: Sequence[int], indices: Sequence[Node]) -> None:
    """Notes that elements are read or written here, whatever becomes of them."""
    for axis, node in zip(axes, indices):
        if node.op not in KNOWN:
            current().touched.setdefault((node, shape[axis]))


def failing(touched: Iterable[Touched], results: Iterable[Node]) -> list[Node]:
    """For indices that none of the results takes: whether one of them is out of bounds."""
    touched = list(touched)
    return _failing(touched, *_reached(touched, results)) if touched else []


def touch_merged(
    values: Sequence[tuple[Node, tuple[Node, Node]]],
    sides: tuple[Iterable[Touched], Iterable[Touched]],
    merge: Callable[[Node, Node], Node],
) -> None:
    """Notes what the sides of a branch touch for each of the values, which were merged from one of each side."""
    lists = [list(side) for side in sides]
    for value, pair in values if any(lists) else ():
        needed = [_needed(side, node) for side, node in zip(lists, pair)]
        if any(needed):
            current().touched.setdefault(Merged(value, (needed[0], needed[1]), merge))


def _needed(touched: Sequence[Touched], node: Node) -> tuple[Touched, ...]:
    nodes, taken = _reached(touched, [node])
    return tuple(e for e in touched if (e.value in nodes if isinstance(e, Merged) else e in taken))


def _reached(touched: Iterable[Touched], results: Iterable[Node]) -> tuple[set[Node], set[Index]]:
    """What results are computed from, and the indices that they take."""
    nodes = set(topological(results))
    taken = {pair for node in nodes for pair in _indices(node)}
    waiting = [e for e in touched if isinstance(e, Merged) and e.value in nodes]
    while waiting:
        for each in (e for side in waiting.pop().sides for e in side):
            if isinstance(each, Merged):
                waiting.append(each)
            else:
                taken.add(each)
    return nodes, taken


def _failing(touched: Iterable[Touched], nodes: set[Node], taken: set[Index]) -> list[Node]:
    found: list[Node] = []
    for each in touched:
        if not isinstance(each, Merged):
            if each not in taken:
                found.append(_is_outside(*each))
        elif each.value not in nodes:
            sides = [either(_failing(side, nodes, taken)) for side in each.sides]
            if any(side is not None for side in sides):
                no = ir.constant(False, np.dtype(bool))
                found.append(each.merge(*(no if side is None else side for side in sides)))
    return found


def either(conditions: Sequence[Node]) -> Node | None:
    """Whether one of some conditions holds; None without any."""
    found: Node | None = None
    for node in conditions:
        found = node if found is None else current().make("logical_or", found, node)
    return found


def _indices(node: Node) -> Iterator[Index]:
    if node.op == "gather" and node.params["mode"] == "raise":
        yield from _pairs(node.inputs[0], node.inputs[1:], node.params)
    elif node.op == "scatter":
        yield from _pairs(node.inputs[0], node.inputs[2:], node.params)


def _pairs(base: Node, indices: Sequence[Node], params: Mapping[str, object]) -> Iterator[Index]:
    axes = params["axes"]
    assert isinstance(axes, tuple)
    return zip(indices, (base.type.shape[axis] for axis in axes))


def _is_outside(index: Node, length: Dim) -> Node:
    make = current().make
    size = build.broadcast_to(ir.size(length), index.type.shape)
    below = make("less", index, make("negative", size))
    beyond = make("greater_equal", index, size)
    return build.reduce("any", make("logical_or", below, beyond), range(index.type.rank))
