"""Sorting and searching."""

from __future__ import annotations

from typing import Any

import numpy as np

from egc.capture import build
from egc.capture.array import as_array, result, to_node
from egc.capture.context import current
from egc.capture.registry import implements, method
from egc.capture.surface.arguments import (
    BOOL,
    absent,
    axis_of,
    flag,
    flat,
    iota,
    make,
    new_array,
    number,
    refuse,
    size_node,
)
from egc.capture.surface.creation import leaf_dtype
from egc.capture.surface.rearranging import gathered
from egc.capture.surface.selection import positions, take_along_axis
from egc.ir import Node

THEME = "sorting"
KINDS = ("quicksort", "mergesort", "heapsort", "stable")


def checked_kind(kind: Any, order: Any, stable: Any) -> str:
    """The kind of sort that the op needs: `stable` or `quicksort`."""
    if order is not None:
        raise ValueError("Cannot specify order when the array has no fields.")
    if kind is not None and kind not in KINDS:
        raise ValueError(f"sort kind must be one of 'quick', 'heap', or 'stable' (got {kind!r})")
    if kind is not None and not absent(stable):
        raise ValueError("`kind` and keyword parameters can't be provided at the same time.")
    return "stable" if kind in ("stable", "mergesort") or flag(stable) else "quicksort"


def placed(a: Any, axis: Any) -> tuple[Node, int]:
    node = to_node(a)
    if axis is None:
        return flat(node), 0
    return node, axis_of(axis, node.type.rank)


@implements(np.sort, theme=THEME)
def sort(a, axis=-1, kind=None, order=None, *, stable=None):
    checked_kind(kind, order, stable)
    node, at = placed(a, axis)
    return new_array(current().make("sort", node, axis=at), False)


@implements(np.sort_complex, theme=THEME)
def sort_complex(a):
    node = to_node(a)
    if not node.type.rank:
        raise np.exceptions.AxisError(-1, 0)
    ordered = current().make("sort", node, axis=node.type.rank - 1)
    if node.type.dtype.kind == "c":
        return new_array(ordered)
    small = node.type.dtype.kind in "iu" and node.type.dtype.itemsize <= 2
    return new_array(build.cast(ordered, np.complex64 if small else np.complex128))


@method("sort", theme=THEME)
def _sort_method(x, axis=-1, kind=None, order=None, *, stable=None):
    checked_kind(kind, order, stable)
    x.write(current().make("sort", x.node, axis=axis_of(axis, x.ndim)))


@implements(np.argsort, theme=THEME, method="argsort")
def argsort(a, axis=-1, kind=None, order=None, *, stable=None):
    how = checked_kind(kind, order, stable)
    node = to_node(a)
    if node.type.rank == 0 and axis in (0, -1, None):
        node, at = flat(node), 0
    else:
        node, at = placed(a, axis)
    return new_array(current().make("argsort", node, axis=at, kind=how))


@implements(np.lexsort, theme=THEME)
def lexsort(keys, axis=-1):
    nodes = [as_array(key) for key in keys]
    if not nodes:
        raise TypeError("need sequence of keys with len > 0 in lexsort")
    at = axis_of(axis, nodes[0].ndim)
    order = new_array(iota(nodes[0].shape, at))
    for key in nodes:
        ranked = take_along_axis(key, order, at)
        by = new_array(current().make("argsort", ranked.node, axis=at, kind="stable"))
        order = take_along_axis(order, by, at)
    return order


@implements(np.searchsorted, theme=THEME)
def searchsorted(a, v, side="left", sorter=None):
    if side not in ("left", "right"):
        raise ValueError(f"search side must be 'left' or 'right' (got {side!r})")
    node, values = to_node(a), to_node(v)
    if node.type.rank != 1:
        raise ValueError("object too deep for desired array")
    if sorter is not None:
        node = gathered(node, positions(sorter), 0)
    dtype = np.promote_types(node.type.dtype, leaf_dtype(v) if not isinstance(v, (list, tuple)) else values.type.dtype)
    if dtype.kind == "c":
        raise refuse("searchsorted of complex numbers")
    node, values = build.cast(node, dtype), build.cast(values, dtype)
    return result(current().make("searchsorted", node, values, side=side))


@method("searchsorted", theme=THEME)
def _searchsorted_method(x, v, side="left", sorter=None):
    return searchsorted(x, v, side, sorter)


@implements(np.isin, theme=THEME)
def isin(element, test_elements, assume_unique=False, invert=False, *, kind=None):
    x, among = to_node(element), flat(to_node(test_elements))
    dtype = np.promote_types(x.type.dtype, among.type.dtype)
    x, among = build.cast(x, dtype), current().make("sort", build.cast(among, dtype), axis=0)
    if dtype.kind == "c":
        raise refuse("isin of complex numbers")
    count = among.type.shape[0]
    if not current().at_least(count, 1):
        return new_array(number(flag(invert), BOOL, x.type.shape))
    place = make("minimum", current().make("searchsorted", among, x, side="left"), size_node(count - 1))
    found = current().make("gather", among, place, axes=(0,), mode="raise")
    return new_array(make("not_equal" if flag(invert) else "equal", found, x))


__all__ = ["argsort", "lexsort", "searchsorted", "sort"]
