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
class Within:
    """Values that a branch or loop makes, and what each of its regions touches for them.

    `flagged` makes the Node that says whether one of some conditions, one for each region, holds in it.
    """

    values: tuple[Node, ...]
    regions: tuple[tuple[Touched, ...], ...]
    flagged: Callable[[Sequence[Node]], Node]


Touched = Index | Within


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
        needed = tuple(_needed(side, node) for side, node in zip(lists, pair))
        if any(needed):
            current().touched.setdefault(Within((value,), needed, lambda both: merge(*both)))


def touch_loop(values: Iterable[Node], touched: Iterable[Touched], flagged: Callable[[Node], Node]) -> None:
    """Notes what the iterations of a loop touch, whose results are these values."""
    region = tuple(touched)
    if region:
        current().touched.setdefault(Within(tuple(values), (region,), lambda one: flagged(*one)))


def _needed(touched: Sequence[Touched], node: Node) -> tuple[Touched, ...]:
    nodes, taken = _reached(touched, [node])
    return tuple(e for e in touched if (_is_reached(e, nodes) if isinstance(e, Within) else e in taken))


def _is_reached(within: Within, nodes: set[Node]) -> bool:
    return not nodes.isdisjoint(within.values)


def _reached(touched: Iterable[Touched], results: Iterable[Node]) -> tuple[set[Node], set[Index]]:
    """What results are computed from, and the indices that they take."""
    nodes = set(topological(results))
    taken = {pair for node in nodes for pair in _indices(node)}
    waiting = [e for e in touched if isinstance(e, Within) and _is_reached(e, nodes)]
    while waiting:
        for each in (e for region in waiting.pop().regions for e in region):
            if isinstance(each, Within):
                waiting.append(each)
            else:
                taken.add(each)
    return nodes, taken


def _failing(touched: Iterable[Touched], nodes: set[Node], taken: set[Index]) -> list[Node]:
    found: list[Node] = []
    for each in touched:
        if not isinstance(each, Within):
            if each not in taken:
                found.append(_is_outside(*each))
        elif not _is_reached(each, nodes):
            regions = [either(_failing(region, nodes, taken)) for region in each.regions]
            if any(region is not None for region in regions):
                no = ir.constant(False, np.dtype(bool))
                found.append(each.flagged([no if region is None else region for region in regions]))
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
