"""Elements chosen by conditions and by index arrays: where, clip, take, put, choose, select."""

from __future__ import annotations

from functools import reduce
from typing import Any

import numpy as np

from egc import sizes
from egc.capture import build
from egc.capture.array import Array, as_array, as_shape, has_traced, promotion_key, result, to_node
from egc.capture.context import current
from egc.capture.indexing import getitem
from egc.capture.registry import implements
from egc.capture.stretches import places
from egc.capture.surface.arguments import (
    BOOL,
    INT64,
    absent,
    along,
    axis_of,
    equal,
    finish,
    flat,
    iota,
    make,
    new_array,
    number,
    refuse,
)
from egc.capture.surface.arguments import where as pick
from egc.capture.surface.rearranging import gathered
from egc.capture.ufuncs import call_ufunc, loop_dtypes, truth
from egc.errors import OperandTypeError
from egc.ir import Node
from egc.sizes import Dim, Size
from egc.types import SHORT

THEME = "selection"
CLIP = np._core.umath.clip  # type: ignore[attr-defined]
WEAK = {int: 0, float: 0.0, complex: 0j}


def common_dtype(*values: Any) -> np.dtype:
    """`np.result_type` of operands; Python numbers are weak."""
    keys = [promotion_key(value) if not _is_sequence(value) else as_array(value).dtype for value in values]
    found = np.result_type(*(WEAK.get(key, key) if isinstance(key, type) else key for key in keys))
    if found not in SHORT:
        raise refuse(f"dtype {found}", "egc has no such dtype")
    return found


def _is_sequence(value: Any) -> bool:
    return isinstance(value, (list, tuple))


@implements(np.where, theme=THEME)
def where(condition, x=None, y=None, /):
    if x is None and y is None:
        raise refuse("where with one argument", "the result's shape depends on data")
    if x is None or y is None:
        raise ValueError("either both or neither of x and y should be given")
    dtype = common_dtype(x, y)
    return new_array(pick(truth(to_node(condition)), to_node(x, dtype), to_node(y, dtype)), False)


def _useless(bound: Any, dtype: np.dtype, low: bool) -> bool:
    """Whether a Python integer bound lies beyond what the dtype holds."""
    if type(bound) is not int or dtype.kind not in "iu":
        return False
    return bound <= np.iinfo(dtype).min if low else bound >= np.iinfo(dtype).max


@implements(np.clip, theme=THEME, method="clip")
def clip(a, a_min=None, a_max=None, out=None, *, min=None, max=None, **options):
    a_min, a_max = (min if absent(a_min) else a_min), (max if absent(a_max) else a_max)
    a_min, a_max = (None if absent(a_min) else a_min), (None if absent(a_max) else a_max)
    dtype = options.pop("dtype", None)
    if options:
        raise refuse(f"clip({next(iter(options))}=)")
    kind = to_node(a).type.dtype
    a_min, a_max = (None if _useless(bound, kind, low) else bound for bound, low in ((a_min, True), (a_max, False)))
    extra: dict[str, Any] = {} if dtype is None else {"dtype": dtype}
    if not absent(out):
        extra["out"] = out
    if a_min is None and a_max is None:
        return call_ufunc(np.positive, "__call__", (a,), extra)
    if a_min is None:
        return call_ufunc(np.minimum, "__call__", (a, a_max), extra)
    if a_max is None:
        return call_ufunc(np.maximum, "__call__", (a, a_min), extra)
    loop = loop_dtypes(CLIP, (a, a_min, a_max), dtype)
    values = [to_node(v, loop[0]) for v in (a, a_min, a_max)]
    return finish(make("minimum", make("maximum", values[0], values[1]), values[2]), out)


def positions(indices: Any) -> Node:
    """An index argument as int64. TypeError for other than integers."""
    node = to_node(indices if not (_is_sequence(indices) and not len(indices)) else np.empty(0, np.int64))
    if node.type.dtype.kind not in "biu":
        raise TypeError(
            f"Cannot cast array data from {node.type.dtype!r} to dtype('int64') according to the rule 'safe'"
        )
    return build.cast(node, INT64)


MODES = ("raise", "clip", "wrap")


@implements(np.take, theme=THEME, method="take")
def take(a, indices, axis=None, out=None, mode="raise"):
    if mode not in MODES:
        raise ValueError(f"clipmode must be one of 'clip', 'raise', or 'wrap' (got {mode!r})")
    node, at = along(a, axis)
    if isinstance(indices, (int, Size)) and not isinstance(indices, bool) and mode == "raise":
        found = getitem(Array(node), (*[slice(None)] * at, indices)).node
        return finish(found, out)
    index = positions(indices)
    empty = mode != "raise" and not current().at_least(node.type.shape[at], 1)
    if empty and current().at_least(index.type.size, 1):
        raise IndexError("cannot do a non-empty take from an empty axes.")
    return finish(gathered(node, index, at, mode), out)


def _along_axis(arr: Any, indices: Any, axis: Any) -> tuple[Node, list[Node], tuple[int, ...]]:
    """The array, and the index Node of each of its axes, for `take_along_axis`."""
    index = to_node(indices)
    if index.type.dtype.kind not in "iu":
        raise IndexError("`indices` must be an integer array")
    if axis is None:
        if index.type.rank != 1:
            raise ValueError("when axis=None, `indices` must have a single dimension.")
        node, at = flat(to_node(arr)), 0
    else:
        node = to_node(arr)
        at = axis_of(axis, node.type.rank)
    if index.type.rank != node.type.rank:
        raise ValueError("`indices` and `arr` must have the same number of dimensions")
    lengths = tuple(1 if k == at else dim for k, dim in enumerate(node.type.shape))
    shape = build.broadcast_shape(index.type.shape, lengths)
    places = [build.broadcast_to(build.cast(index, INT64), shape)]
    for k, dim in enumerate(node.type.shape):
        if k != at:
            line = build.reshape(iota((dim,), 0), [dim if j == k else 1 for j in range(len(shape))])
            places.insert(k if k < at else len(places), build.broadcast_to(line, shape))
    return node, places, tuple(range(node.type.rank))


@implements(np.take_along_axis, theme=THEME)
def take_along_axis(arr, indices, axis=-1):
    node, places, axes = _along_axis(arr, indices, axis)
    return new_array(current().make("gather", node, *places, axes=axes, mode="raise"))


@implements(np.put_along_axis, theme=THEME)
def put_along_axis(arr, indices, values, axis):
    target = written(arr, "put_along_axis")
    node, places, axes = _along_axis(arr, indices, axis)
    value = build.broadcast_to(build.cast(to_node(values), target.dtype), places[0].type.shape)
    found = current().make("scatter", node, value, *places, axes=axes, combine="set")
    target.write(build.reshape(found, target.shape))


def written(a: Any, what: str) -> Array:
    """An array that a function writes into."""
    if not isinstance(a, Array) or a.kind != "array":
        raise refuse(f"{what} into an array from outside", "only arguments and local arrays are written")
    return a


def cycled(values: Node, length: Dim) -> Node:
    """A vector of this length with the values repeated as often as needed."""
    count = values.type.shape[0]
    if count == 1 or equal(count, length):
        return build.broadcast_to(values, (length,))
    return gathered(values, make("remainder", iota((length,), 0), to_node(count)), 0)


@implements(np.put, theme=THEME, method="put")
def put(a, ind, v, mode="raise"):
    target = written(a, "put")
    index, values = flat(positions(ind)), flat(build.cast(to_node(v), target.dtype))
    if not (current().at_least(index.type.size, 1) and current().at_least(values.type.size, 1)):
        return
    if mode != "raise":
        last = to_node(target.size - 1)
        index = (
            make("remainder", index, to_node(target.size))
            if mode == "wrap"
            else make("minimum", make("maximum", index, number(0, INT64)), last)
        )
    base = flat(target.node)
    found = current().make("scatter", base, cycled(values, index.type.shape[0]), index, axes=(0,), combine="set")
    target.write(build.reshape(found, target.shape))


@implements(np.putmask, theme=THEME)
def putmask(a, mask, values):
    target = written(a, "putmask")
    condition = truth(to_node(mask))
    aligned = condition.type.rank == target.ndim and all(map(equal, condition.type.shape, target.shape))
    if not aligned and not equal(condition.type.size, target.size):
        raise ValueError("putmask: mask and data must be the same size")
    condition = build.reshape(condition, target.shape)
    source = flat(build.cast(to_node(values), target.dtype))
    if not current().at_least(source.type.size, 1):
        return
    new = build.reshape(cycled(source, target.size), target.shape)
    target.write(current().make("where", condition, new, target.node))


@implements(np.copyto, theme=THEME)
def copyto(dst, src, casting="same_kind", where=True):
    target = written(dst, "copyto")
    node = (
        to_node(src)
        if promotion_key(src) not in WEAK
        else to_node(src, np.result_type(target.dtype, WEAK[promotion_key(src)]))
    )
    if not np.can_cast(node.type.dtype, target.dtype, casting):
        raise TypeError(f"Cannot cast array data from {node.type.dtype!r} to {target.dtype!r}")
    value = build.broadcast_to(build.cast(node, target.dtype), target.shape)
    if where is not True:
        mask = to_node(where)
        if mask.type.dtype != BOOL:
            raise OperandTypeError("Cannot cast array data to dtype('bool') according to the rule 'safe'")
        value = current().make("where", build.broadcast_to(mask, target.shape), value, target.node)
    target.write(value)


@implements(np.choose, theme=THEME, method="choose")
def choose(a, choices, out=None, mode="raise"):
    index = positions(a)
    options = [to_node(c) for c in choices]
    dtype = reduce(np.promote_types, [node.type.dtype for node in options])
    last = number(len(options) - 1, INT64)
    if mode == "raise":
        outside = make("logical_or", make("less", index, number(0, INT64)), make("greater", index, last))
        current().check(build.reduce("any", outside, range(outside.type.rank)))
    elif mode == "wrap":
        index = make("remainder", index, number(len(options), INT64))
    found = build.cast(options[-1], dtype)
    for k in reversed(range(len(options) - 1)):
        test = "less_equal" if k == 0 else "equal"
        found = pick(make(test, index, number(k, INT64)), build.cast(options[k], dtype), found)
    return finish(build.broadcast_to(found, build.broadcast_shape(index.type.shape, found.type.shape)), out)


@implements(np.select, theme=THEME)
def select(condlist, choicelist, default=0):
    if len(condlist) != len(choicelist):
        raise ValueError("list of cases must be same length as list of conditions")
    if not len(condlist):
        raise ValueError("select with an empty condition list is not possible")
    conditions = [to_node(c) for c in condlist]
    for k, condition in enumerate(conditions):
        if condition.type.dtype != BOOL:
            raise TypeError(f"invalid entry {k} in condlist: should be boolean ndarray")
    dtype = common_dtype(*choicelist, default)
    if to_node(default).type.rank:
        raise refuse("select with an array as default")
    found = to_node(default, dtype)
    for condition, choice in zip(reversed(conditions), reversed(list(choicelist))):
        found = pick(condition, to_node(choice, dtype), found)
    return new_array(found, False)


@implements(np.compress, theme=THEME, method="compress")
def compress(condition, a=None, axis=None, out=None):
    if isinstance(condition, Array) and isinstance(a, (list, tuple, np.ndarray)):
        condition, a = a, condition
    if not isinstance(condition, (list, tuple)) or has_traced(condition):
        raise refuse("compress by data", "the result's shape depends on data")
    node, at = along(a, axis)
    return finish(gathered(node, to_node(np.flatnonzero(condition).astype(INT64)), at), out)


@implements(np.flatnonzero, theme=THEME)
def flatnonzero(a):
    a = as_array(a)
    return places(a if a.ndim == 1 else a.ravel())


@implements(np.ix_, theme=THEME)
def ix_(*args):
    found = []
    for k, sequence in enumerate(args):
        a = as_array(sequence) if len(sequence) else as_array(np.empty(0, np.int64))
        if a.ndim != 1:
            raise ValueError("Cross index must be 1 dimensional")
        if a.dtype == BOOL:
            raise refuse("ix_ of a mask", "the result's shape depends on data")
        found.append(new_array(build.reshape(a.node, [a.shape[0] if j == k else 1 for j in range(len(args))])))
    return tuple(found)


def _strides(shape: tuple[Dim, ...]) -> list[Dim]:
    return [sizes.product(shape[k + 1 :]) for k in range(len(shape))]


def checked_range(index: Node, length: Dim) -> None:
    """Runs the function as written when an index is negative or too large."""
    low = make("less", index, number(0, INT64))
    high = make("greater_equal", index, to_node(length))
    outside = make("logical_or", low, high)
    current().check(build.reduce("any", outside, range(outside.type.rank)))


@implements(np.unravel_index, theme=THEME)
def unravel_index(indices, shape, order="C"):
    dims = as_shape(shape)
    if order != "C":
        raise refuse(f"unravel_index(order={order!r})")
    index = positions(indices)
    checked_range(index, sizes.product(dims))
    found = []
    for dim, stride in zip(dims, _strides(dims)):
        part = index if stride == 1 else make("floor_divide", index, to_node(stride))
        found.append(result(make("remainder", part, to_node(dim))))
    return tuple(found)


@implements(np.ravel_multi_index, theme=THEME)
def ravel_multi_index(multi_index, dims, mode="raise", order="C"):
    shape = as_shape(dims)
    if order != "C" or mode != "raise":
        raise refuse("ravel_multi_index with mode= or order=")
    if len(multi_index) != len(shape):
        raise ValueError(f"parameter multi_index must be a sequence of length {len(shape)}")
    total = number(0, INT64)
    for entry, dim, stride in zip(multi_index, shape, _strides(shape)):
        index = positions(entry)
        checked_range(index, dim)
        total = make("add", total, make("multiply", index, to_node(stride)))
    return result(total)


__all__ = ["common_dtype", "cycled", "positions", "written"]
