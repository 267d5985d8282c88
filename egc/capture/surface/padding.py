"""`np.pad`: constant, edge, reflect, symmetric and wrap."""

from __future__ import annotations

from typing import Any

import numpy as np

from egc.capture import build
from egc.capture.array import as_size, to_node
from egc.capture.context import current
from egc.capture.registry import implements
from egc.capture.surface.arguments import axis_of, iota, make, new_array, refuse, where
from egc.capture.surface.rearranging import gathered
from egc.ir import Node
from egc.sizes import Dim

Pairs = list[tuple[Any, Any]]


def pairs(value: Any, rank: int) -> Pairs:
    """A (before, after) pair for each axis, from one number, one pair, or a sequence of pairs."""
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if not isinstance(value, (list, tuple)):
        return [(value, value)] * rank
    items = [tuple(v.tolist()) if isinstance(v, np.ndarray) else v for v in value]
    if not any(isinstance(item, (list, tuple)) for item in items):
        if len(items) > 2 or not items:
            raise ValueError("operands could not be broadcast together")
        return [(items[0], items[-1])] * rank
    items = items * rank if len(items) == 1 else items
    if len(items) != rank or any(not isinstance(item, (list, tuple)) or len(item) not in (1, 2) for item in items):
        raise ValueError("operands could not be broadcast together")
    return [(item[0], item[-1]) for item in items]


def widths(value: Any, rank: int) -> list[tuple[Dim, Dim]]:
    if isinstance(value, dict):
        given: Pairs = [(0, 0)] * rank
        for axis, pair in value.items():
            given[axis_of(axis, rank)] = tuple(pair) if isinstance(pair, (tuple, list)) else (pair, pair)
    else:
        given = pairs(value, rank)
    found = [(as_size(a), as_size(b)) for a, b in given]
    if not all(current().at_least(width, 0) for ends in found for width in ends):
        raise ValueError("index can't contain negative values")
    return found


@implements(np.pad, theme="rearranging")
def pad(array, pad_width, mode="constant", **options):
    node = to_node(array)
    rank = node.type.rank
    wide = widths(pad_width, rank)
    known = {"constant": ["constant_values"], "reflect": ["reflect_type"], "symmetric": ["reflect_type"]}
    if mode not in ("constant", "edge", "reflect", "symmetric", "wrap"):
        raise refuse(f"pad(mode={mode!r})", "egc pads by constant, edge, reflect, symmetric and wrap")
    if set(options) - set(known.get(mode, [])):
        raise ValueError(f"unsupported keyword arguments for mode '{mode}': {set(options)}")
    if options.get("reflect_type", "even") != "even":
        raise refuse("pad(reflect_type='odd')")
    if mode == "constant":
        return new_array(_constant(node, wide, options.get("constant_values", 0)))
    for axis, (low, high) in enumerate(wide):
        if _is_zero(low) and _is_zero(high):
            continue
        if not current().at_least(node.type.shape[axis], 1):
            if current().at_least(low + high, 1):
                raise ValueError(f"can't extend empty axis {axis} using modes other than 'constant' or 'empty'")
            continue
        node = _padded(node, axis, low, high, mode)
    return new_array(node)


def _is_zero(width: Dim) -> bool:
    return isinstance(width, int) and width == 0


def _constant(node: Node, wide: list[tuple[Dim, Dim]], values: Any) -> Node:
    dtype, rank = node.type.dtype, node.type.rank
    fills = [tuple(build.cast(to_node(v), dtype) for v in pair) for pair in pairs(values, rank)]
    if len({fill for pair in fills for fill in pair}) == 1:
        ends = {"low": tuple(low for low, _ in wide), "high": tuple(high for _, high in wide)}
        return current().make("pad", node, fills[0][0], **ends)
    for axis, ((low, high), (before, after)) in enumerate(zip(wide, fills)):
        shape = node.type.shape
        first, last = (
            build.broadcast_to(fill, (*shape[:axis], width, *shape[axis + 1 :]))
            for fill, width in ((before, low), (after, high))
        )
        node = build.concatenate([first, node, last], axis)
    return node


def _padded(node: Node, axis: int, low: Dim, high: Dim, mode: str) -> Node:
    shape = node.type.shape
    length = shape[axis]
    if mode == "reflect" and not current().at_least(length, 2):
        mode = "edge"
    if mode == "edge":
        ends = [
            build.broadcast_to(build.slice_axis(node, axis, at, 1), (*shape[:axis], width, *shape[axis + 1 :]))
            for at, width in ((0, low), (length - 1, high))
        ]
        return _between(ends[0], node, ends[1], axis)
    skip = 1 if mode == "reflect" else 0
    if all(current().at_least(length - skip, width) for width in (low, high)):
        if mode == "wrap":
            return _between(
                build.slice_axis(node, axis, length - low, low), node, build.slice_axis(node, axis, 0, high), axis
            )
        before = build.slice_axis(node, axis, low - 1 + skip, low, -1)
        after = build.slice_axis(node, axis, length - 1 - skip, high, -1)
        return _between(before, node, after, axis)
    return gathered(node, _periodic(length, low, high, mode), axis)


def _between(before: Node, node: Node, after: Node, axis: int) -> Node:
    return build.concatenate([part for part in (before, node, after) if not _is_zero(part.type.shape[axis])], axis)


def _periodic(length: Dim, low: Dim, high: Dim, mode: str) -> Node:
    """The position that each element of a padded axis is read from."""
    place = make("subtract", iota((low + length + high,), 0), to_node(low))
    if mode == "wrap":
        return make("remainder", place, to_node(length))
    period = 2 * length - (2 if mode == "reflect" else 0)
    place = make("remainder", place, to_node(period))
    mirrored = make("subtract", to_node(period - (0 if mode == "reflect" else 1)), place)
    return where(make("less", place, to_node(length)), place, mirrored)
