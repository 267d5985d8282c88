"""Arrays joined, cut and stacked."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Any

import numpy as np

from egc import sizes
from egc.capture import build
from egc.capture.array import Array, as_array, as_size, has_traced, to_node
from egc.capture.context import current
from egc.capture.indexing import slice_view
from egc.capture.registry import implements
from egc.capture.surface.arguments import (
    absent,
    axis_of,
    concrete_int,
    dtype_of,
    equal,
    flat,
    new_array,
    refuse,
)
from egc.capture.surface.shapes import atleast_1d, atleast_2d, atleast_3d, viewed
from egc.capture.ufuncs import store
from egc.ir import Node
from egc.sizes import Dim, Size

THEME = "joining"


def operands(arrays: Any) -> list[Node]:
    """The Nodes of a sequence of arrays; the rows of one array."""
    if isinstance(arrays, Array):
        return [to_node(row) for row in arrays]
    return [to_node(a) for a in arrays]


def joined(nodes: Sequence[Node], axis: int, dtype: Any = None, casting: Any = "same_kind") -> Node:
    """Concatenation along an axis, in the common dtype."""
    common = reduce(np.promote_types, [node.type.dtype for node in nodes])
    kind = dtype_of(dtype, common)
    for node in nodes:
        if not np.can_cast(node.type.dtype, kind, casting):
            raise TypeError(f"Cannot cast array data from {node.type.dtype!r} to {kind!r}")
    first = nodes[0].type.shape
    fitted = []
    for node in nodes:
        shape = node.type.shape
        if len(shape) != len(first):
            raise ValueError("all the input array dimensions must match in number")
        if any(not equal(a, b) for k, (a, b) in enumerate(zip(shape, first)) if k != axis):
            raise ValueError("all the input array dimensions except for the concatenation axis must match exactly")
        fitted.append(build.reshape(build.cast(node, kind), (*first[:axis], shape[axis], *first[axis + 1 :])))
    return build.concatenate(fitted, axis)


def finished(node: Node, out: Any) -> Array:
    return new_array(node) if absent(out) else store(node, out, casting="unsafe")


@implements(np.concatenate, np.concat, theme=THEME)
def concatenate(arrays, /, axis=0, out=None, *, dtype=None, casting="same_kind"):
    nodes = operands(arrays)
    if not nodes:
        raise ValueError("need at least one array to concatenate")
    if axis is None:
        nodes, at = [flat(node) for node in nodes], 0
    else:
        if any(not node.type.rank for node in nodes):
            raise ValueError("zero-dimensional arrays cannot be concatenated")
        at = axis_of(axis, nodes[0].type.rank)
    if not absent(out) and not absent(dtype):
        raise TypeError("concatenate() only takes `out` or `dtype` as an argument, but both were provided.")
    return finished(joined(nodes, at, dtype, casting), out)


@implements(np.stack, theme=THEME)
def stack(arrays, axis=0, out=None, *, dtype=None, casting="same_kind"):
    nodes = operands(arrays)
    if not nodes:
        raise ValueError("need at least one array to stack")
    shape = nodes[0].type.shape
    if any(n.type.rank != len(shape) or not all(map(equal, n.type.shape, shape)) for n in nodes):
        raise ValueError("all input arrays must have the same shape")
    at = axis_of(axis, len(shape) + 1)
    return finished(joined([build.expand_dims(node, at) for node in nodes], at, dtype, casting), out)


def _stacking(widen: Any, axis: Any) -> Any:
    def meaning(tup, *, dtype=None, casting="same_kind"):
        arrays = [widen(new_array(node)) for node in operands(tup)]
        at = axis(arrays[0]) if arrays else 0
        return concatenate(arrays, at, dtype=dtype, casting=casting)

    return meaning


vstack = implements(np.vstack, theme=THEME)(_stacking(atleast_2d, lambda first: 0))
if hasattr(np, "row_stack"):
    implements(np.row_stack, theme=THEME)(vstack)
implements(np.hstack, theme=THEME)(_stacking(atleast_1d, lambda first: 0 if first.ndim == 1 else 1))
implements(np.dstack, theme=THEME)(_stacking(atleast_3d, lambda first: 2))


@implements(np.column_stack, theme=THEME)
def column_stack(tup):
    nodes = [build.reshape(n, (n.type.size, 1)) if n.type.rank < 2 else n for n in operands(tup)]
    return concatenate([new_array(node) for node in nodes], 1)


@implements(np.block, theme=THEME)
def block(arrays):
    depth = _depth(arrays)
    leaves = [as_array(leaf) for leaf in _flattened(arrays)]
    rank = max(depth, *(leaf.ndim for leaf in leaves)) if leaves else depth
    return new_array(_blocked(arrays, depth, rank))


def _depth(value: Any) -> int:
    if not isinstance(value, list):
        return 0
    depths = {_depth(item) for item in value}
    if len(depths) != 1 or not value:
        raise ValueError("List depths are mismatched or a list is empty")
    return depths.pop() + 1


def _flattened(value: Any) -> list[Any]:
    return [leaf for item in value for leaf in _flattened(item)] if isinstance(value, list) else [value]


def _blocked(value: Any, depth: int, rank: int) -> Node:
    """The innermost lists join along the last axis, the outer ones along earlier ones."""
    if not isinstance(value, list):
        node = to_node(value)
        return build.reshape(node, (*[1] * (rank - node.type.rank), *node.type.shape))
    return joined([_blocked(item, depth - 1, rank) for item in value], rank - depth)


@implements(np.append, theme=THEME)
def append(arr, values, axis=None):
    if axis is None:
        return concatenate([new_array(flat(to_node(arr))), new_array(flat(to_node(values)))], 0)
    return concatenate((arr, values), axis)


def cut(node: Node, axis: int, start: Dim, stop: Dim) -> Node:
    return build.slice_axis(node, axis, start, stop - start)


def _place(index: Any, length: Dim, last: Dim, axis: int) -> Dim:
    """An insertion or deletion position as a nonnegative one. IndexError outside of `0..last`."""
    at = as_size(index)
    at = at if current().at_least(at, 0) else at + length
    if not (current().at_least(at, 0) and current().at_least(last, at)):
        raise IndexError(f"index {index} is out of bounds for axis {axis} with size {length}")
    return at


@implements(np.insert, theme=THEME)
def insert(arr, obj, values, axis=None):
    node = to_node(arr)
    if axis is None:
        node, at = flat(node), 0
    else:
        at = axis_of(axis, node.type.rank)
    if not isinstance(obj, (int, Size)) or isinstance(obj, bool):
        raise refuse("insert at several places", "egc inserts at one position")
    length, shape = node.type.shape[at], node.type.shape
    place = _place(obj, length, length, at)
    new = (
        to_node(values, node.type.dtype) if not isinstance(values, Array) else build.cast(values.node, node.type.dtype)
    )
    new = build.reshape(new, (*[1] * (len(shape) - new.type.rank), *new.type.shape))
    new = build.transpose(new, _moved(0, at, len(shape)))
    count = new.type.shape[at]
    piece = build.broadcast_to(new, (*shape[:at], count, *shape[at + 1 :]))
    return new_array(build.concatenate([cut(node, at, 0, place), piece, cut(node, at, place, length)], at))


def _moved(source: int, target: int, rank: int) -> list[int]:
    order = [k for k in range(rank) if k != source]
    order.insert(target, source)
    return order


@implements(np.delete, theme=THEME)
def delete(arr, obj, axis=None):
    node = to_node(arr)
    if axis is None:
        node, at = flat(node), 0
    else:
        at = axis_of(axis, node.type.rank)
    length = node.type.shape[at]
    if isinstance(obj, (int, Size)) and not isinstance(obj, bool):
        place = _place(obj, length, length - 1, at)
        return new_array(build.concatenate([cut(node, at, 0, place), cut(node, at, place + 1, length)], at))
    if has_traced(obj) and not isinstance(obj, slice):
        raise refuse("delete at places that are data", "the result's shape depends on data")
    fixed = current().concretize(length)
    kept = np.delete(np.arange(fixed), _concrete_slice(obj) if isinstance(obj, slice) else obj)
    taken = current().make("gather", node, to_node(kept), axes=(at,), mode="raise")
    return new_array(build.transpose(taken, _moved(0, at, node.type.rank)))


def _concrete_slice(entry: slice) -> slice:
    return slice(*(None if v is None else concrete_int(v) for v in (entry.start, entry.stop, entry.step)))


def pieces(a: Any, bounds: Sequence[Dim], axis: int) -> list[Array]:
    """Views of an array between consecutive bounds."""
    x = as_array(a)
    found = []
    for start, stop in zip(bounds[:-1], bounds[1:]):
        begin = tuple(start if k == axis else 0 for k in range(x.ndim))
        size = tuple(stop - start if k == axis else dim for k, dim in enumerate(x.shape))
        found.append(viewed(x, slice_view(x.shape, begin, size, (1,) * x.ndim, size)))
    return found


def _clip(index: Any, length: Dim) -> Dim:
    """A bound of a slice, as Python clips it."""
    index = as_size(index)
    if not current().at_least(index, 0):
        index = index + length
        return index if current().at_least(index, 0) else 0
    return index if current().at_least(length, index) else length


@implements(np.array_split, theme=THEME)
def array_split(ary, indices_or_sections, axis=0):
    x = as_array(ary)
    axis = axis_of(axis, x.ndim)
    length = x.shape[axis]
    if isinstance(indices_or_sections, (list, tuple, np.ndarray)):
        starts = [0, *(_clip(i, length) for i in indices_or_sections)]
        stops = [*starts[1:], length]
        found = []
        for start, stop in zip(starts, stops):
            found += pieces(x, (start, stop if current().at_least(stop, start) else start), axis)
        return found
    sections = concrete_int(indices_or_sections)
    if sections <= 0:
        raise ValueError("number sections must be larger than 0.")
    each, extras = sizes.floordiv(length, sections), current().concretize(sizes.mod(length, sections))
    bounds: list[Dim] = [0]
    for k in range(sections):
        bounds.append(bounds[-1] + each + (1 if k < extras else 0))
    return pieces(x, [*bounds[:-1], length], axis)


@implements(np.split, theme=THEME)
def split(ary, indices_or_sections, axis=0):
    x = as_array(ary)
    if not isinstance(indices_or_sections, (list, tuple, np.ndarray)):
        length = x.shape[axis_of(axis, x.ndim)]
        sections = concrete_int(indices_or_sections)
        if not equal(sizes.mod(length, sections), 0):
            raise ValueError("array split does not result in an equal division")
    return array_split(x, indices_or_sections, axis)


def _split_along(axis: Any, rank: int) -> Any:
    def meaning(ary, indices_or_sections):
        x = as_array(ary)
        if x.ndim < rank:
            raise ValueError(f"split only works on arrays of {rank} or more dimensions")
        return split(x, indices_or_sections, axis(x))

    return meaning


implements(np.hsplit, theme=THEME)(_split_along(lambda x: 1 if x.ndim > 1 else 0, 1))
implements(np.vsplit, theme=THEME)(_split_along(lambda x: 0, 2))
implements(np.dsplit, theme=THEME)(_split_along(lambda x: 2, 3))


@implements(np.unstack, theme=THEME)
def unstack(x, /, *, axis=0):
    a = as_array(x)
    if not a.ndim:
        raise ValueError("Input array must be at least 1-d.")
    at = axis_of(axis, a.ndim)
    return tuple(a[(slice(None),) * at + (i, ...)] for i in range(current().concretize(a.shape[at])))
