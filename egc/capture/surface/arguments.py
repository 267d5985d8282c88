"""What the meanings of NumPy functions share: their arguments read, their results finished."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from egc import ir, sizes
from egc.capture import build
from egc.capture.array import Array, concrete_int, fresh, has_traced, result, to_node
from egc.capture.bounds import Undecided
from egc.capture.context import current
from egc.capture.ufuncs import store
from egc.errors import NotEncodable
from egc.ir import Node
from egc.sizes import Dim, Size
from egc.types import SHORT, Shape

INT64, FLOAT64, BOOL = np.dtype(np.int64), np.dtype(np.float64), np.dtype(bool)


def absent(value: Any) -> bool:
    """Whether an optional argument was left out."""
    return value is None or value is np._NoValue  # type: ignore[attr-defined]


def refuse(what: str, why: str = "egc does not encode this option") -> NotEncodable:
    """The error for a call that egc runs as written."""
    return NotEncodable(what, why, current().line)


def flag(value: Any) -> bool:
    """A bool option; NotEncodable when it depends on data."""
    return False if absent(value) else bool(value)


def dtype_of(dtype: Any, default: np.dtype) -> np.dtype:
    """A `dtype=` argument. NotEncodable for dtypes that egc does not have."""
    found = default if absent(dtype) else np.dtype(dtype)
    if found not in SHORT:
        raise refuse(f"dtype {found}", f"egc has {', '.join(SHORT.values())}")
    return found


def axes_of(axis: Any, rank: int, lenient: bool = False) -> tuple[int, ...]:
    """An `axis=` argument of a reduction: the sorted axes; all of them when it is absent.

    `lenient`: axis 0 or -1 of a 0-d array is no axis, as NumPy's own reductions have it.
    """
    if absent(axis):
        return tuple(range(rank))
    if isinstance(axis, (tuple, list)):
        return build.normalize_axes(tuple(map(concrete_int, axis)), rank)
    if lenient and rank == 0 and concrete_int(axis) in (0, -1):
        return ()
    return (build.normalize_axis(concrete_int(axis), rank),)


def axis_of(axis: Any, rank: int) -> int:
    """An `axis=` argument that names one axis."""
    return build.normalize_axis(concrete_int(axis), rank)


def flat(x: Node) -> Node:
    """`x.ravel()`, as a value."""
    return build.reshape(x, (x.type.size,))


def along(x: Any, axis: Any) -> tuple[Node, int]:
    """The Node and its axis; flattened when the axis is absent or the array is 0-d."""
    node = to_node(x)
    if absent(axis) or (node.type.rank == 0 and concrete_int(axis) in (0, -1)):
        return flat(node), 0
    return node, axis_of(axis, node.type.rank)


def finish(node: Node, out: Any = None) -> Array:
    """A ufunc-like result: a scalar at rank 0, or `out` after it is written."""
    if absent(out):
        return result(node)
    return store(node, out[0] if isinstance(out, tuple) else out)


def reduced(node: Node, shape: Shape, axes: Sequence[int], keepdims: Any) -> Node:
    """A reduction's Node with the reduced axes kept when asked for."""
    return build.keep_axes(node, shape, axes) if flag(keepdims) else node


def number(value: Any, dtype: Any, shape: Shape = ()) -> Node:
    return ir.constant(value, np.dtype(dtype), shape, current().line)


def size_node(value: Dim, dtype: Any = INT64) -> Node:
    """A size as a scalar of a dtype."""
    return build.cast(ir.size(value, current().line), dtype)


def iota(shape: Shape, axis: int) -> Node:
    return current().make("iota", shape=tuple(shape), axis=axis)


def where(condition: Node, a: Node, b: Node) -> Node:
    return current().make("where", *build.broadcast_together(condition, a, b))


def make(op: str, *nodes: Node) -> Node:
    """An elementwise op on Nodes of one dtype, broadcast."""
    return current().make(op, *build.broadcast_together(*nodes))


def nonempty(*dims: Dim) -> bool:
    """Whether all these lengths are at least 1, guarded."""
    return all(map(_is_some, dims))


def _is_some(dim: Any) -> bool:
    """Whether a length is above 0. Where the iteration decides, it is taken to be, and checked as it runs."""
    try:
        return current().at_least(dim, 1)
    except Undecided:
        one = ir.constant(1, INT64)
        current().check(current().make("less", to_node(dim, INT64), one))
        return True


def fit(node: Node, shape: Sequence[Dim]) -> Node:
    """The Node with its lengths written as `shape`. ValueError when they differ."""
    if len(shape) != node.type.rank or not all(map(equal, node.type.shape, shape)):
        raise ValueError(f"shape mismatch: {node.type.shape} and {tuple(shape)}")
    return build.reshape(node, shape)


def equal(a: Dim, b: Dim) -> bool:
    """Whether two lengths are equal, guarded."""
    return a == b or current().same(a, b)


def smaller(a: Dim, b: Dim) -> Dim:
    """The smaller of two sizes, by what holds at hand, guarded."""
    return a if current().at_least(b, a) else b


def static_sizes(values: Any) -> list[Dim] | None:
    """The items of a flat list or tuple of sizes and integers, or None for anything else."""
    if not isinstance(values, (list, tuple)) or not values:
        return None
    items = [_static(value) for value in values]
    return None if any(item is None for item in items) else items  # type: ignore[return-value]


def _static(value: Any) -> Dim | None:
    if isinstance(value, Array) and value.node.op == "size":
        return value.node.params["value"]
    if isinstance(value, (bool, np.generic)):
        return None
    return value if isinstance(value, (int, Size)) else None


def size_scalar(value: Dim) -> Array:
    """A size as a NumPy integer, usable in shapes."""
    return result(ir.size(value, current().line))


def sizes_product(values: Sequence[Dim]) -> Dim:
    return sizes.product(tuple(values))


def is_traced(*values: Any) -> bool:
    """Whether any argument is traced or a symbolic size."""
    return any(map(has_traced, values))


def new_array(node: Node, contiguous: bool = True) -> Array:
    """A new ndarray; `contiguous` when it is known to be laid out in C order."""
    array = fresh(node)
    array.cell.contiguous = contiguous
    return array
