"""Diagonals and triangles of matrices."""

from __future__ import annotations

from typing import Any

import numpy as np

from egc.capture import build
from egc.capture.array import Array, View, as_array, as_size, fresh, result, to_node
from egc.capture.context import current
from egc.capture.registry import implements
from egc.capture.surface import contraction
from egc.capture.surface.arguments import (
    INT64,
    concrete_int,
    equal,
    flag,
    flat,
    iota,
    make,
    new_array,
    refuse,
)
from egc.capture.surface.grids import arange
from egc.ir import Node

THEME = "diagonals"


def diagonal_node(node: Node, offset: int, axis1: int = -2, axis2: int = -1) -> Node:
    """The diagonal of two axes, as the last axis."""
    if node.type.rank < 2:
        raise ValueError("diag requires an array of at least two dimensions")
    return contraction.diagonal(contraction.last_axes(node, axis1, axis2), offset)


def _read_only(base: Node, part: Node) -> Node:
    raise ValueError("assignment destination is read-only")


@implements(np.diagonal, theme=THEME, method="diagonal")
def diagonal(a, offset=0, axis1=0, axis2=1):
    x, k, axes = as_array(a), concrete_int(offset), (concrete_int(axis1), concrete_int(axis2))
    diagonal_node(x.node, k, *axes)
    return x.view(View(lambda base: diagonal_node(base, k, *axes), _read_only), writeable=False)


@implements(np.diag, theme=THEME)
def diag(v, k=0):
    x = as_array(v)
    if x.ndim == 1:
        return new_array(current().make("diagonal_matrix", x.node, offset=concrete_int(k)))
    if x.ndim == 2:
        return diagonal(x, k)
    raise ValueError("Input must be 1- or 2-d.")


@implements(np.diagflat, theme=THEME)
def diagflat(v, k=0):
    return new_array(current().make("diagonal_matrix", flat(to_node(v)), offset=concrete_int(k)))


@implements(np.fill_diagonal, theme=THEME)
def fill_diagonal(a, val, wrap=False):
    if not isinstance(a, Array) or a.kind != "array":
        raise refuse("fill_diagonal of an array from outside", "only arguments and local arrays are written")
    if a.ndim < 2:
        raise ValueError("array must be at least 2-d")
    if flag(wrap):
        raise refuse("fill_diagonal(wrap=True)")
    if a.ndim > 2 and not all(equal(dim, a.shape[0]) for dim in a.shape[1:]):
        raise ValueError("All dimensions of input must be of equal length")
    values = flat(build.cast(to_node(val), a.dtype))
    count = values.type.shape[0]
    rows = iota(a.shape, 0)
    if count == 1:
        fill = build.broadcast_to(values, a.shape)
    else:
        if not current().at_least(count, 1):
            return
        place = make("remainder", rows, to_node(count))
        fill = current().make("gather", values, place, axes=(0,), mode="raise")
    on = make("equal", rows, iota(a.shape, 1))
    for axis in range(2, a.ndim):
        on = make("logical_and", on, make("equal", rows, iota(a.shape, axis)))
    a.write(current().make("where", on, fill, a.node))


def _triangle(op: str) -> Any:
    def meaning(m, k=0):
        node = to_node(m)
        if node.type.rank == 0:
            raise TypeError(f"{op}: needs an array of at least one dimension")
        if node.type.rank == 1:
            node = build.broadcast_to(node, (node.type.shape[0], node.type.shape[0]))
        return fresh(current().make(op, node, offset=concrete_int(k)))

    return meaning


implements(np.tril, theme=THEME)(_triangle("tril"))
implements(np.triu, theme=THEME)(_triangle("triu"))


def _triangle_indices(function: Any) -> Any:
    def meaning(n, k=0, m=None):
        columns = None if m is None else concrete_int(m)
        rows, places = function(concrete_int(n), concrete_int(k), columns)
        return fresh(to_node(rows.astype(INT64))), fresh(to_node(places.astype(INT64)))

    return meaning


def _triangle_indices_from(function: Any) -> Any:
    def meaning(arr, k=0):
        if arr.ndim != 2:
            raise ValueError("input array must be 2-d")
        return _triangle_indices(function)(arr.shape[0], k, arr.shape[1])

    return meaning


implements(np.tril_indices, theme=THEME)(_triangle_indices(np.tril_indices))
implements(np.triu_indices, theme=THEME)(_triangle_indices(np.triu_indices))
implements(np.tril_indices_from, theme=THEME)(_triangle_indices_from(np.tril_indices))
implements(np.triu_indices_from, theme=THEME)(_triangle_indices_from(np.triu_indices))


@implements(np.diag_indices, theme=THEME)
def diag_indices(n, ndim=2):
    return (arange(as_size(n)),) * concrete_int(ndim)


@implements(np.diag_indices_from, theme=THEME)
def diag_indices_from(arr):
    if arr.ndim < 2:
        raise ValueError("input array must be at least 2-d")
    if not all(equal(dim, arr.shape[0]) for dim in arr.shape[1:]):
        raise ValueError("All dimensions of input must be of equal length")
    return diag_indices(arr.shape[0], arr.ndim)


@implements(np.vander, theme=THEME)
def vander(x, N=None, increasing=False):
    a = as_array(x)
    if a.ndim != 1:
        raise ValueError("x must be a one-dimensional array or sequence.")
    count = a.shape[0] if N is None else as_size(N)
    dtype = np.promote_types(a.dtype, np.int64)
    if dtype.kind in "iu":
        exponent = iota((a.shape[0], count), 1)
    else:
        exponent = build.cast(iota((a.shape[0], count), 1), dtype)
    if not flag(increasing):
        exponent = make("subtract", build.cast(to_node(count - 1), exponent.type.dtype), exponent)
    base = build.broadcast(build.cast(a.node, dtype), exponent.type.shape, (0,))
    return result(current().make("power", base, exponent))
