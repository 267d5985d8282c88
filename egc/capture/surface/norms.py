"""Norms, condition numbers and ranks, as numpy.linalg defines them."""

from __future__ import annotations

from typing import Any

import numpy as np

from egc import ir
from egc.capture import build
from egc.capture.array import Array, concrete_int, python_number, result, to_node
from egc.capture.context import current
from egc.capture.registry import implements
from egc.capture.surface import contraction
from egc.capture.surface.arguments import absent, flag, flat, make, nonempty, refuse
from egc.capture.surface.linear_algebra import (
    LinAlgError,
    floating,
    relative_precision,
    singular_values,
    square_of_absolute,
)
from egc.capture.ufuncs import elementwise
from egc.errors import NotEncodable
from egc.ir import Node

THEME = "numpy.linalg"

Axes = tuple[int, ...]


def _order(order: Any) -> Any:
    if isinstance(order, Array):
        raise refuse("norm(ord=) that depends on data", "each order is another formula")
    return order


def _absolute(x: Node) -> Node:
    return current().make("absolute", x)


def _largest(x: Node, axes: Axes) -> Node:
    """The maximum of nonnegative values, 0 for none."""
    if nonempty(*(x.type.shape[axis] for axis in axes)):
        return build.reduce("max", x, axes)
    return ir.constant(0, x.type.dtype, tuple(dim for axis, dim in enumerate(x.type.shape) if axis not in axes))


def _root(x: Node) -> Node:
    return current().make("sqrt", x)


def euclidean(x: Node, axes: Axes) -> Node:
    return _root(build.reduce("sum", square_of_absolute(x), axes))


def vector(x: Node, order: Any, axes: Axes) -> Node:
    """The norm of the vectors along one axis."""
    if isinstance(order, str):
        raise ValueError(f"Invalid norm order '{order}' for vectors")
    if order is None or order == 2:
        return euclidean(x, axes)
    if order == np.inf:
        return _largest(_absolute(x), axes)
    if order == -np.inf:
        return build.reduce("min", _absolute(x), axes)
    magnitude = _absolute(x)
    if order == 0:
        nonzero = build.cast(current().make("not_equal", x, build.zeros_like(x)), magnitude.type.dtype)
        return build.reduce("sum", nonzero, axes)
    if order == 1:
        return build.reduce("sum", magnitude, axes)
    powers = elementwise("power", result(magnitude), float(order))
    total = build.reduce("sum", build.cast(powers, magnitude.type.dtype), axes)
    inverse = np.reciprocal(order, dtype=magnitude.type.dtype)
    return elementwise("power", result(total), inverse)


def _singular(x: Node, rows: int, columns: int) -> Node:
    return singular_values(contraction.last_axes(x, rows, columns))


def _of_lines(x: Node, summed: int, over: int, extreme: str) -> Node:
    """The extreme along one axis of the sums of absolute values along another."""
    sums = build.reduce("sum", _absolute(x), (summed,))
    axes = (over - (over > summed),)
    return _largest(sums, axes) if extreme == "max" else build.reduce("min", sums, axes)


def of_matrices(x: Node, order: Any, axes: Axes) -> Node:
    """The norm of the matrices in two axes."""
    rows, columns = axes
    if rows == columns:
        raise ValueError("Duplicate axes given.")
    if order is None or order in ("fro", "f"):
        return euclidean(x, tuple(sorted(axes)))
    if order == "nuc":
        singular = _singular(x, rows, columns)
        return build.reduce("sum", singular, (singular.type.rank - 1,))
    if order in (2, -2):
        singular = _singular(x, rows, columns)
        last = (singular.type.rank - 1,)
        return _largest(singular, last) if order == 2 else build.reduce("min", singular, last)
    if order in (1, -1):
        return _of_lines(x, rows, columns, "max" if order == 1 else "min")
    if order in (np.inf, -np.inf):
        return _of_lines(x, columns, rows, "max" if order == np.inf else "min")
    raise ValueError("Invalid norm order for matrices.")


def _inexact(x: Any) -> Node:
    node = to_node(x)
    return node if node.type.dtype.kind in "fc" else build.cast(node, np.float64)


def _axes(axis: Any, rank: int) -> Axes:
    if axis is None:
        return tuple(range(rank))
    given = axis if isinstance(axis, tuple) else (axis,)
    if any(isinstance(one, (list, float)) for one in given):
        raise TypeError("'axis' must be None, an integer or a tuple of integers")
    return tuple(build.normalize_axis(concrete_int(one), rank) for one in given)


@implements(np.linalg.norm, theme=THEME)
def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: Any = False) -> Any:
    node, order = _inexact(x), _order(ord)
    rank = node.type.rank
    axes = _axes(axis, rank)
    if axis is None and (order is None or (order in ("f", "fro") and rank == 2) or (order == 2 and rank == 1)):
        found = euclidean(node, axes)
    elif len(axes) == 1:
        found = vector(node, order, axes)
    elif len(axes) == 2:
        found = of_matrices(node, order, axes)
    else:
        raise ValueError("Improper number of dimensions to norm.")
    return result(build.keep_axes(found, node.type.shape, axes) if flag(keepdims) else found)


@implements(np.linalg.vector_norm, theme=THEME)
def vector_norm(x: Any, /, *, axis: Any = None, keepdims: Any = False, ord: Any = 2) -> Any:
    node, order = _inexact(x), _order(ord)
    axes = _axes(axis, node.type.rank)
    if len(set(axes)) != len(axes):
        raise ValueError("repeated axis")
    if len(axes) == 1:
        found = vector(node, order, axes)
    else:
        rest = [k for k in range(node.type.rank) if k not in axes]
        kept = [node.type.shape[k] for k in rest]
        rows = flat(node) if not rest else build.transpose(node, (*axes, *rest))
        found = vector(build.reshape(rows, (build.count(node.type.shape, axes), *kept)), order, (0,))
    return result(build.keep_axes(found, node.type.shape, axes) if flag(keepdims) else found)


@implements(np.linalg.matrix_norm, theme=THEME)
def matrix_norm(x: Any, /, *, keepdims: Any = False, ord: Any = "fro") -> Any:
    return norm(x, ord=ord, axis=(-2, -1), keepdims=keepdims)


@implements(np.linalg.cond, theme=THEME)
def cond(x: Any, p: Any = None) -> Any:
    (node,) = floating(x)
    if p is not None and p not in (2, -2):
        raise NotEncodable(f"cond(p={p!r})", "NumPy makes it inf where the inverse fails", current().line)
    singular = singular_values(node)
    if not nonempty(*node.type.shape[-2:]):
        raise LinAlgError("cond is not defined on empty arrays")
    last = singular.type.rank - 1
    ends = [
        build.reshape(build.slice_axis(singular, last, start, 1), singular.type.shape[:-1])
        for start in (0, singular.type.shape[-1] - 1)
    ]
    ratio = make("divide", *(reversed(ends) if p == -2 else ends))
    rank = node.type.rank
    known = build.reduce("any", current().make("isnan", node), (rank - 2, rank - 1))
    undefined = make("logical_and", current().make("isnan", ratio), current().make("logical_not", known))
    infinite = ir.constant(np.inf, ratio.type.dtype, ratio.type.shape)
    return result(current().make("where", undefined, infinite, ratio))


@implements(np.linalg.matrix_rank, theme=THEME)
def matrix_rank(A: Any, tol: Any = None, hermitian: Any = False, *, rtol: Any = None) -> Any:
    if flag(hermitian):
        raise refuse("matrix_rank(hermitian=True)")
    if rtol is not None and tol is not None:
        raise ValueError("`tol` and `rtol` can't be both set.")
    node = to_node(A)
    if node.type.rank < 2:
        nonzero = build.reduce("any", current().make("not_equal", node, build.zeros_like(node)), range(node.type.rank))
        return python_number(build.cast(nonzero, np.int64))
    (node,) = floating(A)
    singular = singular_values(node)
    last = singular.type.rank - 1
    if absent(tol):
        relative = relative_precision(node) if rtol is None else _with_axis(to_node(rtol))
        largest = build.keep_axes(_largest(singular, (last,)), singular.type.shape, (last,))
        bound = elementwise("multiply", result(largest), result(relative))
    else:
        bound = _with_axis(to_node(tol))
    large = build.cast(elementwise("greater", result(singular), result(bound)), np.int64)
    return result(build.reduce("sum", large, (large.type.rank - 1,)))


def _with_axis(x: Node) -> Node:
    return build.reshape(x, (*x.type.shape, 1))
