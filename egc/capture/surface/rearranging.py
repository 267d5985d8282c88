"""Elements in another order or repeated: flips, rolls, rotations, tiles."""

from __future__ import annotations

from typing import Any

import numpy as np

from egc import sizes
from egc.capture import build
from egc.capture.array import Array, as_array, as_shape, as_size, has_traced, to_node
from egc.capture.context import current
from egc.capture.indexing import slice_view
from egc.capture.registry import implements
from egc.capture.surface.arguments import (
    INT64,
    absent,
    axes_of,
    axis_of,
    concrete_int,
    equal,
    flat,
    iota,
    make,
    new_array,
    number,
    refuse,
)
from egc.capture.surface.shapes import permuted, viewed
from egc.ir import Node
from egc.sizes import Dim, Size

THEME = "rearranging"


def flipped(x: Array, axes: tuple[int, ...]) -> Array:
    """A view with these axes reversed."""
    start = tuple(dim - 1 if k in axes else 0 for k, dim in enumerate(x.shape))
    step = tuple(-1 if k in axes else 1 for k in range(x.ndim))
    return viewed(x, slice_view(x.shape, start, x.shape, step, x.shape))


@implements(np.flip, theme=THEME)
def flip(m, axis=None):
    x = as_array(m)
    return flipped(x, axes_of(axis, x.ndim))


@implements(np.flipud, theme=THEME)
def flipud(m):
    x = as_array(m)
    if x.ndim < 1:
        raise ValueError("Input must be >= 1-d.")
    return flipped(x, (0,))


@implements(np.fliplr, theme=THEME)
def fliplr(m):
    x = as_array(m)
    if x.ndim < 2:
        raise ValueError("Input must be >= 2-d.")
    return flipped(x, (1,))


@implements(np.rot90, theme=THEME)
def rot90(m, k=1, axes=(0, 1)):
    x = as_array(m)
    if len(axes) != 2:
        raise ValueError("len(axes) must be 2.")
    first, second = (axis_of(axis, x.ndim) for axis in axes)
    if first == second:
        raise ValueError("Axes must be different.")
    turns = concrete_int(k) % 4
    swap = list(range(x.ndim))
    swap[first], swap[second] = second, first
    if turns == 0:
        return x[...]
    if turns == 2:
        return flipped(x, tuple(sorted((first, second))))
    return permuted(flipped(x, (second,)), swap) if turns == 1 else flipped(permuted(x, swap), (second,))


def gathered(node: Node, index: Node, axis: int, mode: str = "raise") -> Node:
    """`np.take(node, index, axis)` for any index array."""
    found = current().make("gather", node, index, axes=(axis,), mode=mode)
    rank, total = index.type.rank, found.type.rank
    rest = list(range(rank, total))
    return build.transpose(found, (*rest[:axis], *range(rank), *rest[axis:]))


def rolled(node: Node, shift: Any, axis: int) -> Node:
    length = node.type.shape[axis]
    if isinstance(shift, Array) and shift.node.op not in ("constant", "size"):
        if shift.ndim or not current().at_least(length, 1):
            raise refuse("roll by an array", "egc rolls an axis by one number")
        index = make("remainder", make("subtract", iota((length,), 0), shift.node), to_node(length))
        return gathered(node, index, axis)
    by = as_size(shift)
    if not current().at_least(length, 1):
        return node
    if not current().at_least(by, 0) and current().at_least(by + length, 0):
        by = by + length
    elif not (current().at_least(by, 0) and current().at_least(length, by)):
        by = sizes.mod(by, length)
    if isinstance(by, int) and by == 0:
        return node
    back = build.slice_axis(node, axis, length - by, by)
    return build.concatenate([back, build.slice_axis(node, axis, 0, length - by)], axis)


@implements(np.roll, theme=THEME)
def roll(a, shift, axis=None):
    node = to_node(a)
    if axis is None:
        return new_array(build.reshape(rolled(flat(node), shift, 0), node.type.shape))
    shifts = list(shift) if isinstance(shift, (tuple, list)) else [shift]
    axes = [axis_of(k, node.type.rank) for k in (axis if isinstance(axis, (tuple, list)) else (axis,))]
    if 1 not in (len(shifts), len(axes)) and len(shifts) != len(axes):
        raise ValueError("'shift' and 'axis' should be scalars or 1D sequences")
    count = max(len(shifts), len(axes))
    for by, k in zip(shifts * (count // len(shifts)), axes * (count // len(axes))):
        node = rolled(node, by, k)
    return new_array(node)


@implements(np.fft.fftshift, theme=THEME)
def fftshift(x, axes=None):
    a = as_array(x)
    chosen = _listed(axes, a.ndim)
    return roll(a, [sizes.floordiv(a.shape[k], 2) for k in chosen], chosen) if chosen else new_array(a.node)


@implements(np.fft.ifftshift, theme=THEME)
def ifftshift(x, axes=None):
    a = as_array(x)
    chosen = _listed(axes, a.ndim)
    return roll(a, [-sizes.floordiv(a.shape[k], 2) for k in chosen], chosen) if chosen else new_array(a.node)


def _listed(axes: Any, rank: int) -> list[int]:
    if axes is None:
        return list(range(rank))
    return [axis_of(k, rank) for k in (axes if isinstance(axes, (tuple, list)) else (axes,))]


@implements(np.resize, theme=THEME)
def resize(a, new_shape):
    node, shape = flat(to_node(a)), as_shape(new_shape)
    if not all(current().at_least(dim, 0) for dim in shape):
        raise ValueError("all elements of `new_shape` must be non-negative")
    total, count = sizes.product(shape), node.type.shape[0]
    if not (current().at_least(total, 1) and current().at_least(count, 1)):
        return new_array(number(0, node.type.dtype, shape))
    index = make("remainder", iota((total,), 0), to_node(count))
    found = node if equal(total, count) else gathered(node, index, 0)
    return new_array(build.reshape(found, shape))


def repeated(node: Node, counts: tuple[Dim, ...]) -> Node:
    """The whole array repeated along each axis."""
    shape = node.type.shape
    spread = [part for count, dim in zip(counts, shape) for part in (count, dim)]
    places = [2 * k + 1 for k in range(len(shape))]
    return build.reshape(build.broadcast(node, spread, places), [n * dim for n, dim in zip(counts, shape)])


@implements(np.tile, theme=THEME)
def tile(A, reps):
    node, counts = to_node(A), as_shape(reps)
    rank = max(node.type.rank, len(counts))
    node = build.reshape(node, (*[1] * (rank - node.type.rank), *node.type.shape))
    counts = (*[1] * (rank - len(counts)), *counts)
    if not all(current().at_least(count, 0) for count in counts):
        raise ValueError("negative dimensions are not allowed")
    return new_array(repeated(node, counts))


@implements(np.repeat, theme=THEME, method="repeat")
def repeat(a, repeats, axis=None):
    node = to_node(a)
    if absent(axis):
        node, at = flat(node), 0
    else:
        node = node if node.type.rank else flat(node)
        at = axis_of(axis, node.type.rank)
    shape = node.type.shape
    single = repeats[0] if isinstance(repeats, (list, tuple)) and len(repeats) == 1 else repeats
    if isinstance(single, (int, Size)) or (isinstance(single, Array) and not single.ndim):
        count = as_size(single, "a number of repeats")
        if not current().at_least(count, 0):
            raise ValueError("repeats may not contain negative values.")
        spread = (*shape[: at + 1], count, *shape[at + 1 :])
        places = [k if k <= at else k + 1 for k in range(len(shape))]
        return new_array(
            build.reshape(build.broadcast(node, spread, places), (*shape[:at], shape[at] * count, *shape[at + 1 :]))
        )
    if not isinstance(repeats, (list, tuple)) or has_traced(repeats):
        raise refuse("repeat by an array", "the result's shape depends on data")
    sources = np.repeat(np.arange(current().concretize(shape[at]), dtype=INT64), repeats)
    return new_array(gathered(node, to_node(sources), at))
