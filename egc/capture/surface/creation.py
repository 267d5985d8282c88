"""New arrays: from values, filled, and copies."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Any

import numpy as np

from egc.capture import build
from egc.capture.array import OPERATORS, Array, array_type, as_array, as_shape, fresh, has_traced, to_node
from egc.capture.context import current
from egc.capture.registry import implements, method
from egc.capture.surface.arguments import FLOAT64, absent, concrete_int, dtype_of, fit, iota, new_array, number
from egc.capture.surface.shapes import maybe_view
from egc.ir import Node
from egc.sizes import Size
from egc.types import Shape

THEME = "creation"


def checked_shape(shape: Any) -> Shape:
    """A shape argument without negative lengths."""
    dims = as_shape(shape)
    if not all(current().at_least(dim, 0) for dim in dims):
        raise ValueError("negative dimensions are not allowed")
    return dims


def _leaves(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        for item in value:
            yield from _leaves(item)
    else:
        yield value


def leaf_dtype(value: Any) -> np.dtype:
    """The dtype that NumPy discovers for one element of a nested sequence."""
    if isinstance(value, Array):
        return value.dtype
    if isinstance(value, Size):
        return np.dtype(np.int64)
    found = np.asarray(value)
    array_type(found)
    return found.dtype


def nested(value: Any, dtype: np.dtype | None) -> Node:
    """`np.array` of a nested sequence, with traced values in it, as a Node."""
    if dtype is None:
        kinds = [leaf_dtype(leaf) for leaf in _leaves(value)]
        dtype = reduce(np.promote_types, kinds) if kinds else FLOAT64
    if not isinstance(value, (list, tuple)):
        if isinstance(value, (bool, int, float, complex)):
            return to_node(value, dtype)
        return build.cast(to_node(value), dtype)
    if not has_traced(value):
        return to_node(np.array(value, dtype))
    return stacked([nested(item, dtype) for item in value])


def stacked(nodes: Sequence[Node]) -> Node:
    """Nodes of one shape and dtype along a new first axis."""
    shape = nodes[0].type.shape
    try:
        parts = [build.reshape(fit(node, shape), (1, *shape)) for node in nodes]
    except ValueError as error:
        raise ValueError(
            "setting an array element with a sequence. The requested array has an inhomogeneous shape"
        ) from error
    if all(node is nodes[0] for node in nodes):
        return build.broadcast(nodes[0], (len(nodes), *shape), range(1, len(shape) + 1))
    return build.concatenate(parts, 0)


def _array_operator(value: Any, dtype: Any = None) -> Array:
    return fresh(nested(value, None if dtype is None else np.dtype(dtype)))


OPERATORS["array"] = _array_operator


def converted(value: Any, dtype: Any) -> Node:
    """The Node of `np.asarray(value, dtype)`."""
    kind = None if absent(dtype) else dtype_of(dtype, FLOAT64)
    if isinstance(value, (Array, Size)):
        node = to_node(value)
        return node if kind is None else build.cast(node, kind)
    if isinstance(value, (list, tuple)) and has_traced(value):
        return nested(value, kind)
    return to_node(np.asarray(value, kind))


def with_rank(array: Array, ndmin: int) -> Array:
    missing = ndmin - array.ndim
    return array if missing <= 0 else new_array(build.reshape(array.node, (*[1] * missing, *array.shape)))


def checked_layout(order: Any) -> bool:
    """Whether `order=` asks for C order."""
    if order not in (None, "C", "F", "A", "K"):
        raise ValueError(f"order must be one of 'C', 'F', 'A', or 'K' (got {order!r})")
    return order == "C"


@implements(np.array, theme=THEME)
def array(object, dtype=None, *, copy=True, order="K", subok=False, ndmin=0, like=None):
    contiguous = checked_layout(order) or not isinstance(object, (Array, np.ndarray))
    if not copy:
        return with_rank(asarray(object, dtype, order), ndmin)
    return with_rank(new_array(converted(object, dtype), contiguous), ndmin)


@implements(np.asarray, np.asanyarray, theme=THEME)
def asarray(a, dtype=None, order=None, *, device=None, copy=None, like=None):
    if copy:
        return array(a, dtype, order=order)
    if isinstance(a, Array) and a.kind == "array":
        same = absent(dtype) or np.dtype(dtype) == a.dtype
        if order in ("C", "F") and a.ndim > 1 and not (order == "C" and a.contiguous):
            return maybe_view(a) if same else new_array(converted(a, dtype), order == "C")
        return a if same else new_array(converted(a, dtype), False)
    if isinstance(a, np.ndarray):
        return Array(converted(a, dtype), writeable=False)
    return new_array(converted(a, dtype), order != "F")


@implements(np.ascontiguousarray, theme=THEME)
def ascontiguousarray(a, dtype=None, *, like=None):
    return with_rank(asarray(a, dtype, "C"), 1)


@implements(np.asfortranarray, theme=THEME)
def asfortranarray(a, dtype=None, *, like=None):
    return asarray(a, dtype, "F")


@implements(np.asarray_chkfinite, theme=THEME)
def asarray_chkfinite(a, dtype=None, order=None):
    found = asarray(a, dtype, order)
    if found.dtype.kind in "fc":
        finite = current().make("isfinite", found.node)
        current().check(current().make("logical_not", build.reduce("all", finite, range(found.ndim))))
    return found


@implements(np.copy, theme=THEME)
def copy(a, order="K", subok=False):
    return array(a, order=order)


@method("copy", theme=THEME)
def _copy_method(x, order="C"):
    if x.kind != "array":
        return x
    return new_array(x.node, checked_layout(order))


def filled(shape: Any, value: Any, dtype: Any, order: Any = "C") -> Array:
    return new_array(number(value, dtype_of(dtype, FLOAT64), checked_shape(shape)), checked_layout(order))


@implements(np.zeros, theme=THEME)
def zeros(shape, dtype=None, order="C", *, device=None, like=None):
    return filled(shape, 0, dtype, order)


@implements(np.empty, theme=THEME)
def empty(shape, dtype=None, order="C", *, device=None, like=None):
    return filled(shape, 0, dtype, order)


@implements(np.ones, theme=THEME)
def ones(shape, dtype=None, order="C", *, device=None, like=None):
    return filled(shape, 1, dtype, order)


@implements(np.full, theme=THEME)
def full(shape, fill_value, dtype=None, order="C", *, device=None, like=None):
    dims = checked_shape(shape)
    node = nested(fill_value, None if absent(dtype) else dtype_of(dtype, FLOAT64))
    return new_array(build.broadcast_to(_fitting(node, dims), dims), checked_layout(order))


def _fitting(node: Node, shape: Shape) -> Node:
    extra = node.type.rank - len(shape)
    if extra > 0 and all(dim == 1 for dim in node.type.shape[:extra]):
        return build.reshape(node, node.type.shape[extra:])
    return node


def _like(a: Any, dtype: Any, shape: Any) -> tuple[Shape, np.dtype]:
    node = to_node(a)
    return node.type.shape if absent(shape) else checked_shape(shape), dtype_of(dtype, node.type.dtype)


def _filled_like(value: int) -> Any:
    def meaning(a, dtype=None, order="K", subok=True, shape=None, *, device=None):
        dims, kind = _like(a, dtype, shape)
        return new_array(number(value, kind, dims), checked_layout(order) or len(dims) < 2)

    return meaning


implements(np.zeros_like, theme=THEME)(_filled_like(0))
implements(np.ones_like, theme=THEME)(_filled_like(1))


@implements(np.empty_like, theme=THEME)
def empty_like(prototype, dtype=None, order="K", subok=True, shape=None, *, device=None):
    dims, kind = _like(prototype, dtype, shape)
    return new_array(number(0, kind, dims), checked_layout(order) or len(dims) < 2)


@implements(np.full_like, theme=THEME)
def full_like(a, fill_value, dtype=None, order="K", subok=True, shape=None, *, device=None):
    dims, kind = _like(a, dtype, shape)
    node = as_array(fill_value).node if has_traced(fill_value) else to_node(np.asarray(fill_value))
    filler = build.broadcast_to(_fitting(build.cast(node, kind), dims), dims)
    return new_array(filler, checked_layout(order) or len(dims) < 2)


def diagonal_of_ones(rows: Any, columns: Any, offset: int, dtype: np.dtype) -> Node:
    """1 on a diagonal of a zero matrix."""
    if offset == 0 and rows == columns:
        return current().make("diagonal_matrix", number(1, dtype, (rows,)), offset=0)
    shape = (rows, columns)
    places = current().make("add", iota(shape, 0), number(offset, np.int64, shape))
    return build.cast(current().make("equal", places, iota(shape, 1)), dtype)


@implements(np.eye, theme=THEME)
def eye(N, M=None, k=0, dtype=None, order="C", *, device=None, like=None):
    rows, columns = checked_shape((N, N if M is None else M))
    return new_array(diagonal_of_ones(rows, columns, concrete_int(k), dtype_of(dtype, FLOAT64)), checked_layout(order))


@implements(np.identity, theme=THEME)
def identity(n, dtype=None, *, like=None):
    return eye(n, dtype=dtype)


@implements(np.tri, theme=THEME)
def tri(N, M=None, k=0, dtype=float, *, like=None):
    shape = checked_shape((N, N if M is None else M))
    places = current().make("add", iota(shape, 0), number(concrete_int(k), np.int64, shape))
    return new_array(build.cast(current().make("greater_equal", places, iota(shape, 1)), dtype_of(dtype, FLOAT64)))
