"""NumPy's indexing: basic indices make views, integer arrays gather and scatter, masks select."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from egc import ir, sizes
from egc.capture import build
from egc.capture.array import OPERATORS, Array, View, as_size, fresh, python_number, result, to_node
from egc.capture.bounds import Undecided, mentions
from egc.capture.context import current
from egc.capture.unread import touch
from egc.errors import NotEncodable
from egc.ir import Node
from egc.sizes import Dim, Size
from egc.types import Shape


def full_index(index: Any, rank: int) -> list[Any]:
    """The index as one entry per axis, plus None entries, with the Ellipsis filled in."""
    entries = list(index) if isinstance(index, tuple) else [index]
    entries = [_entry(entry) for entry in entries]
    used = sum(_axes_used(entry) for entry in entries if entry is not None and entry is not Ellipsis)
    ellipses = [position for position, entry in enumerate(entries) if entry is Ellipsis]
    if len(ellipses) > 1:
        raise IndexError("an index can only have a single ellipsis ('...')")
    if used > rank:
        raise IndexError(f"too many indices for array: array is {rank}-dimensional, but {used} were indexed")
    fill = [slice(None)] * (rank - used)
    if ellipses:
        entries[ellipses[0] : ellipses[0] + 1] = fill
    else:
        entries.extend(fill)
    return entries


def _entry(entry: Any) -> Any:
    if entry is None or entry is Ellipsis or isinstance(entry, (slice, Size)):
        return entry
    if isinstance(entry, (bool, np.bool_)):
        raise NotEncodable("a bool as an index", "egc does not encode it", current().line)
    if isinstance(entry, (int, np.integer)):
        return int(entry)
    if isinstance(entry, Array):
        if entry.node.op in ("size", "constant") and not entry.ndim and entry.dtype.kind in "iu":
            return as_size(entry)
        return _index_array(entry)
    if isinstance(entry, (list, tuple, np.ndarray)):
        if isinstance(entry, (list, tuple)) and not len(entry):
            return Array(to_node(np.empty(0, np.int64)))
        return _index_array(Array(to_node(np.asarray(entry) if isinstance(entry, np.ndarray) else entry)))
    raise IndexError("only integers, slices, ellipsis, None and integer or boolean arrays are valid indices")


def _index_array(entry: Array) -> Array:
    if entry.dtype.kind not in "biu":
        raise IndexError("arrays used as indices must be of integer (or boolean) type")
    return entry


def _axes_used(entry: Any) -> int:
    return entry.ndim if isinstance(entry, Array) and entry.dtype.kind == "b" else 1


def position(index: Dim, length: Dim, axis: int) -> Dim:
    """An integer index as a nonnegative position, checked against the length."""
    context = current()
    if context.at_least(index, 0):
        if not context.at_least(length - 1, index):
            raise IndexError(f"index {index} is out of bounds for axis {axis} with size {length}")
        return index
    if not context.at_least(index + length, 0):
        raise IndexError(f"index {index} is out of bounds for axis {axis} with size {length}")
    return index + length


def slice_range(entry: slice, length: Dim) -> tuple[Dim, Dim, int]:
    """Start, number of elements and step of a slice of an axis, as `slice.indices` has them."""
    context = current()
    step = 1 if entry.step is None else context.concretize(as_size(entry.step))
    if step == 0:
        raise ValueError("slice step cannot be zero")
    low, high = (0, length) if step > 0 else (-1, length - 1)

    def clipped(bound: Any, default: Dim) -> Dim:
        if bound is None:
            return default
        bound = as_size(bound, "a slice bound")
        if not context.at_least(bound, 0):
            bound = bound + length
            return bound if context.at_least(bound, low) else low
        return bound if context.at_least(high, bound) else high

    start = clipped(entry.start, low if step > 0 else high)
    stop = clipped(entry.stop, high if step > 0 else low)
    span = stop - start if step > 0 else start - stop
    try:
        if not context.at_least(span, 1):
            return 0, 0, 1
    except Undecided:
        span = at_least_none(span)
    return start, (span + abs(step) - 1) // abs(step) if abs(step) != 1 else span, step


def at_least_none(span: Dim) -> Dim:
    """A length that may come out negative, where it is none."""
    try:
        return span if current().at_least(span, 0) else 0
    except Undecided:
        return sizes.maximum(span, 0)


def basic_view(shape: Shape, entries: Sequence[Any]) -> View:
    """The view for integers, slices and None, one non-None entry per axis."""
    start: list[Dim] = []
    size: list[Dim] = []
    step: list[int] = []
    final: list[Dim] = []
    axis = 0
    for entry in entries:
        if entry is None:
            final.append(1)
            continue
        if isinstance(entry, slice):
            first, count, stride = slice_range(entry, shape[axis])
            final.append(count)
        else:
            first, count, stride = position(entry, shape[axis], axis), 1, 1
        start.append(first)
        size.append(count)
        step.append(stride)
        axis += 1
    return slice_view(shape, tuple(start), tuple(size), tuple(step), tuple(final))


def slice_view(shape: Shape, start: Shape, size: Shape, step: tuple[int, ...], final: Shape) -> View:
    whole = size == shape and all(s == 1 for s in step)

    def read(base: Node) -> Node:
        return build.reshape(build.slice_axes(base, start, size, step), final)

    def write(base: Node, part: Node) -> Node:
        block = build.reshape(part, size)
        if whole or block is build.slice_axes(base, start, size, step):
            return block if whole else base
        return current().make("update_slice", base, block, start=start, step=step)

    leading = size[1:] == shape[1:] and not any(first != 0 for first in start[1:])
    return View(read, write, whole or (leading and all(s == 1 for s in step)))


def _is_array(entry: Any) -> bool:
    return isinstance(entry, Array)


def getitem(x: Array, index: Any) -> Any:
    """`x[index]`."""
    if OPERATORS["is_stretch"](index):
        return OPERATORS["gather_stretch"](x, index)
    entries = settled(full_index(index, x.ndim), x.shape)
    entries = with_data(entries, x.shape)
    stretch = OPERATORS["stretch"](x, entries)
    if stretch is not None:
        return stretch
    if not any(map(_is_array, entries)):
        view = basic_view(x.shape, entries)
        given = index if isinstance(index, tuple) else (index,)
        element = len(given) == x.ndim and all(isinstance(entry, (int, Size)) for entry in entries)
        if x.kind != "array" or (element and Ellipsis not in [e for e in given if not _is_array(e)]):
            return result(view.read(x.node))
        return x.view(view)
    if any(_is_mask(entry) for entry in entries):
        if len(entries) == 1 and entries[0].ndim == x.ndim:
            return OPERATORS["select"](x, entries[0])
        chosen = OPERATORS["select_stretch"](x, entries)
        if chosen is not None:
            return chosen
        raise NotEncodable("selection by a mask", "the result's shape depends on data", current().line)
    if all(_is_number(entry) for entry in entries if _is_array(entry)):
        return _picked(x, entries)
    base, axes, indices, front = advanced(x, entries)
    gathered = current().make("gather", base.node, *indices, axes=axes, mode="raise")
    rank = indices[0].type.rank
    return result(build.transpose(gathered, _placed(gathered.type.rank, rank, axes[0] if not front else 0)))


def settled(entries: list[Any], shape: Shape) -> list[Any]:
    """The entries; an integer that may be negative in one iteration of a loop and not in another is one of data."""
    axis, found = 0, []
    for entry in entries:
        if isinstance(entry, Size) and mentions(entry, current().ranges):
            try:
                position(entry, shape[axis], axis)
            except Undecided:
                entry = python_number(to_node(entry))
        axis += entry is not None
        found.append(entry)
    return found


def with_data(entries: list[Any], shape: Shape) -> list[Any]:
    """The entries; bounds of a slice that depend on the iteration otherwise than all in one way are integers of data."""
    axis, found = 0, []
    for entry in entries:
        bounds = [entry.start, entry.stop] if isinstance(entry, slice) else []
        if any(isinstance(bound, Size) and mentions(bound, current().ranges) for bound in bounds):
            try:
                slice_range(entry, shape[axis])
            except Undecided:
                entry = slice(*map(_of_data, bounds), entry.step)
            except NotEncodable:
                pass
        axis += entry is not None
        found.append(entry)
    return found


def _of_data(bound: Any) -> Any:
    """A bound as an integer that is no size: a sum with 0 is not taken apart at capture."""
    if not isinstance(bound, Size):
        return bound
    return python_number(current().make("add", to_node(bound), ir.constant(0, np.dtype(np.int64))))


def _is_number(entry: Array) -> bool:
    """Whether an index is one integer rather than an array: then NumPy gives a view."""
    return entry.kind != "array" and not entry.ndim and entry.dtype.kind in "iu"


def _picked(x: Array, entries: Sequence[Any]) -> Any:
    """A view at integers that depend on data; the element where they are all of the index."""
    base, axes, indices, _ = advanced(x, entries)

    def read(node: Node) -> Node:
        return current().make("gather", node, *indices, axes=axes, mode="raise")

    def write(node: Node, part: Node) -> Node:
        return current().make("scatter", node, part, *indices, axes=axes, combine="set")

    whole = len(axes) == base.ndim
    return result(read(base.node)) if whole else base.view(View(read, write))


def _is_mask(entry: Any) -> bool:
    return isinstance(entry, Array) and entry.dtype.kind == "b"


def _placed(total: int, rank: int, at: int) -> tuple[int, ...]:
    """The permutation that moves the first `rank` axes of `total` to position `at`."""
    rest = list(range(rank, total))
    return (*rest[:at], *range(rank), *rest[at:])


def advanced(x: Array, entries: Sequence[Any]) -> tuple[Array, tuple[int, ...], list[Node], bool]:
    """The basic part as a view, the axes indexed by arrays, the index Nodes of one shape, and whether they lead."""
    arrays_at = [i for i, entry in enumerate(entries) if _is_array(entry)]
    joined = [i for i, entry in enumerate(entries) if _is_array(entry) or isinstance(entry, (int, Size))]
    front = joined != list(range(joined[0], joined[-1] + 1))
    basic = [slice(None) if i in joined else entry for i, entry in enumerate(entries)]
    axes: list[int] = []
    values: list[Any] = []
    axis = 0
    for i, entry in enumerate(entries):
        if i in joined:
            axes.append(i)
            length = x.shape[axis]
            values.append(_checked(entry, length, axis) if i in arrays_at else position(entry, length, axis))
        axis += entry is not None
    base = x if all(isinstance(e, slice) and e == slice(None) for e in basic) else x.view(basic_view(x.shape, basic))
    for entry in filter(_is_array, entries):
        if _is_number(entry) and entry.dtype == np.int64:
            current().bound(entry.node)
    nodes = build.broadcast_together(*(to_node(value, np.dtype(np.int64)) for value in values))
    touch(base.shape, axes, nodes)
    return base, tuple(axes), list(nodes), front


def _checked(entry: Array, length: Dim, axis: int) -> Array:
    """An index array; one whose values are known is checked now, so that it raises even where nothing needs the result."""
    node, context = entry.node, current()
    bounds: tuple[Dim, Dim] | None = None
    if node.op == "iota":
        bounds = (0, node.type.shape[node.params["axis"]] - 1)
    elif node.op == "constant":
        bounds = (node.params["value"], node.params["value"])
    elif node.op == "input" and node.params["name"] in context.constants:
        known = context.constants[node.params["name"]]
        bounds = (int(known.min()), int(known.max())) if known.size else None
    if bounds is None or not context.at_least(node.type.size, 1):
        return entry
    low, high = bounds
    if not context.at_least(low + length, 0) or not context.at_least(length - 1, high):
        raise IndexError(f"index {high} is out of bounds for axis {axis} with size {length}")
    return entry


def setitem(x: Array, index: Any, value: Any) -> None:
    """`x[index] = value`."""
    if x.kind != "array":
        raise TypeError(f"'numpy.{x.dtype}' object does not support item assignment")
    entries = settled(full_index(index, x.ndim), x.shape)
    entries = with_data(entries, x.shape)
    if OPERATORS["write_stretch"](x, entries, value) or OPERATORS["write_selection"](x, entries, value):
        return
    node = to_node(value)
    if node.type.dtype.kind == "c" and x.dtype.kind != "c" and not isinstance(value, Array):
        raise TypeError("float() argument must be a string or a real number, not 'complex'")
    node = build.cast(node, x.dtype) if isinstance(value, (Array, np.ndarray, np.generic)) else to_node(value, x.dtype)
    if not any(map(_is_array, entries)):
        target = x.view(basic_view(x.shape, entries))
        target.write(_fitted(node, target.shape))
        return
    if any(map(_is_mask, entries)):
        _set_masked(x, entries, node)
        return
    base, axes, indices, front = advanced(x, entries)
    scatter(base, axes, indices, front, node, "set")


def scatter(
    base: Array, axes: tuple[int, ...], indices: Sequence[Node], front: bool, value: Node, combine: str
) -> None:
    """Writes `value`, shaped as `base[...]` with these indices would be, into `base`."""
    rank = indices[0].type.rank
    rest = [dim for axis, dim in enumerate(base.shape) if axis not in axes]
    at = 0 if front else axes[0]
    shape = (*rest[:at], *indices[0].type.shape, *rest[at:])
    fitted = _fitted(value, shape)
    order = (*range(at, at + rank), *range(at), *range(at + rank, len(shape)))
    moved = build.transpose(fitted, order)
    base.write(current().make("scatter", base.node, moved, *indices, axes=axes, combine=combine))


def _set_masked(x: Array, entries: Sequence[Any], value: Node) -> None:
    condition = mask_condition(x, entries)
    if value.type.rank:
        why = "the selection's size depends on data"
        raise NotEncodable("assignment to a selection by a mask", why, current().line)
    x.write(current().make("where", condition, build.broadcast_to(value, x.shape), x.node))


def mask_condition(x: Array, entries: Sequence[Any]) -> Node:
    """The mask among the entries of an index, for every element of x. NotEncodable with other entries beside it."""
    masks = [entry for entry in entries if _is_mask(entry)]
    others = [e for e in entries if not _is_mask(e) and not (isinstance(e, slice) and e == slice(None))]
    if len(masks) != 1 or others:
        raise NotEncodable("selection by a mask", "the result's shape depends on data", current().line)
    (mask,) = masks
    at = next(i for i, entry in enumerate(entries) if entry is mask)
    covered = x.shape[at : at + mask.ndim]
    for axis, (dim, length) in enumerate(zip(mask.shape, covered)):
        if dim != length and not current().same(dim, length):
            raise IndexError(f"boolean index did not match indexed array along axis {axis}: {length} and {dim}")
    return build.broadcast(mask.node, x.shape, range(at, at + mask.ndim))


def _fitted(value: Node, shape: Shape) -> Node:
    """The value broadcast to the place it is written to; leading axes of length 1 may be dropped."""
    extra = value.type.rank - len(shape)
    if extra > 0 and all(dim == 1 for dim in value.type.shape[:extra]):
        value = build.reshape(value, value.type.shape[extra:])
    together = build.broadcast_shape(value.type.shape, shape)
    if len(together) > len(shape) or any(a != b and not current().same(a, b) for a, b in zip(together, shape)):
        raise ValueError(f"could not broadcast input array from shape {value.type.shape} into shape {shape}")
    return build.broadcast_to(value, shape)


def transpose_view(axes: Sequence[int]) -> View:
    inverse = tuple(int(i) for i in np.argsort(axes))
    return View(lambda base: build.transpose(base, axes), lambda base, part: build.transpose(part, inverse))


def reshape_view(old: Shape, new: Shape) -> View:
    return View(lambda base: build.reshape(base, new), lambda base, part: build.reshape(part, old), True)


OPERATORS["getitem"] = getitem
OPERATORS["setitem"] = setitem

__all__ = ["getitem", "setitem", "scatter", "advanced", "full_index", "reshape_view", "transpose_view", "fresh", "ir"]
