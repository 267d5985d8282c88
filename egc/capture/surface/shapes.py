"""Reshapes, permutations of axes, broadcasts: one array with its elements elsewhere, mostly as views."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from egc import sizes
from egc.capture import build
from egc.capture.array import Array, View, as_array, as_shape, fresh, has_traced, result, to_node
from egc.capture.context import current
from egc.capture.indexing import reshape_view, transpose_view
from egc.capture.registry import attribute, implements, method
from egc.capture.surface.arguments import absent, axes_of, axis_of, dtype_of, equal, fit, new_array, refuse
from egc.ir import Node
from egc.sizes import Dim
from egc.types import Shape, format_shape

THEME = "shapes"


def viewed(x: Any, step: View) -> Array:
    """A view of an array; a new array for a scalar, list or array from outside."""
    return x.view(step) if isinstance(x, Array) and x.kind == "array" else fresh(step.read(to_node(x)))


def complete_shape(size: Dim, shape: Sequence[Dim], old: Shape) -> tuple[Dim, ...]:
    """A shape argument with its -1 filled in. ValueError when it does not hold `size` elements."""
    wrong = f"cannot reshape array of size {size} into shape {format_shape(tuple(shape))}"
    unknown = [k for k, dim in enumerate(shape) if isinstance(dim, int) and dim < 0]
    if len(unknown) > 1:
        raise ValueError("can only specify one unknown dimension")
    if not unknown:
        if tuple(shape) != tuple(old) and not equal(size, sizes.product(tuple(shape))):
            raise ValueError(wrong)
        return tuple(shape)
    known = sizes.product(tuple(dim for k, dim in enumerate(shape) if k != unknown[0]))
    if not current().at_least(known, 1) or not equal(sizes.mod(size, known), 0):
        raise ValueError(wrong)
    return tuple(sizes.floordiv(size, known) if k == unknown[0] else dim for k, dim in enumerate(shape))


def fortran(node: Node, shape: Shape) -> Node:
    """`reshape(order="F")` of a Node."""
    turned = build.reshape(build.transpose(node, range(node.type.rank)[::-1]), shape[::-1])
    return build.transpose(turned, range(len(shape))[::-1])


def checked_order(order: Any, what: str) -> bool:
    """Whether the order is Fortran's; NotEncodable for orders that depend on the layout in memory."""
    if order in ("A", "K", "a", "k"):
        raise refuse(f"{what}(order={order!r})", "the layout in memory is not known")
    return order in ("F", "f")


def reshaped(x: Any, shape: Any, order: Any = "C", copy: Any = None) -> Array:
    x = as_array(x)
    column_major = checked_order(order, "reshape")
    new = complete_shape(x.size, as_shape(shape), x.shape)
    if copy:
        return new_array(fortran(x.node, new) if column_major else build.reshape(x.node, new), not column_major)
    if column_major:
        return maybe_view(x, lambda base: fortran(base, new))
    if x.contiguous or x.ndim <= 1 or new == x.shape:
        return viewed(x, reshape_view(x.shape, new))
    return maybe_view(x, lambda base: build.reshape(base, new))


def maybe_view(x: Array, read: Callable[[Node], Node] | None = None, packed: bool = False) -> Array:
    """A result that is a view for some layouts and a copy for others: fine as long as neither is written.

    read: what the result shows of x, as NumPy would look at the caller's array; None for x itself. packed: a copy where
    its elements do not lie side by side.
    """
    copy = Array(x.node if read is None else read(x.node), writeable=x.writeable)
    copy.cell.rival(x.cell)
    origin = None if read is None else x.part(read)
    copy.cell.origin = current().make("assume", origin, facts=("packed",)) if packed and origin is not None else origin
    return copy


@implements(np.reshape, theme=THEME)
def reshape(a, /, shape=None, order="C", *, newshape=None, copy=None):
    return reshaped(a, shape if shape is not None else newshape, order, copy)


@method("reshape", theme=THEME)
def _reshape_method(x, *shape, order="C", copy=None):
    return reshaped(x, shape[0] if len(shape) == 1 else shape, order, copy)


@implements(np.ravel, theme=THEME, method="ravel")
def ravel(a, order="C"):
    a = as_array(a)
    if order in ("K", "A", "k", "a") and a.ndim <= 1:
        order = "C"
    if checked_order(order, "ravel"):
        return maybe_view(a, lambda base: fortran(base, (a.size,)), packed=True)
    if a.contiguous:
        return viewed(a, reshape_view(a.shape, (a.size,)))
    return maybe_view(a, lambda base: build.reshape(base, (a.size,)), packed=True)


@method("flatten", theme=THEME)
def flatten(x, order="C"):
    if order in ("K", "A", "k", "a") and x.ndim <= 1:
        order = "C"
    if checked_order(order, "flatten"):
        return new_array(fortran(x.node, (x.size,)))
    return new_array(build.reshape(x.node, (x.size,)))


def permuted(x: Any, axes: Sequence[int]) -> Array:
    return viewed(x, transpose_view(tuple(axes)))


def reversed_axes(x: Any) -> Array:
    x = as_array(x)
    return permuted(x, range(x.ndim)[::-1])


@implements(np.transpose, np.permute_dims, theme=THEME)
def transpose(a, axes=None):
    a = as_array(a)
    if axes is None:
        return reversed_axes(a)
    given = as_shape(axes)
    if len(given) != a.ndim:
        raise ValueError("axes don't match array")
    normal = [axis_of(axis, a.ndim) for axis in given]
    if len(set(normal)) != len(normal):
        raise ValueError("repeated axis in transpose")
    return permuted(a, normal)


@method("transpose", theme=THEME)
def _transpose_method(x, *axes):
    if not axes or axes == (None,):
        return reversed_axes(x)
    return transpose(x, axes[0] if len(axes) == 1 and isinstance(axes[0], (tuple, list)) else axes)


@attribute("T")
def _transposed(x: Array) -> Array:
    return x if x.kind != "array" else reversed_axes(x)


@attribute("mT")
def _matrix_transposed(x: Array) -> Array:
    return matrix_transpose(x)


@implements(np.matrix_transpose, theme=THEME)
def matrix_transpose(x, /):
    x = as_array(x)
    if x.ndim < 2:
        raise ValueError(f"Input array must be at least 2-dimensional, but it is {x.ndim}")
    return swapaxes(x, -1, -2)


@implements(np.swapaxes, theme=THEME, method="swapaxes")
def swapaxes(a, axis1, axis2):
    a = as_array(a)
    first, second = axis_of(axis1, a.ndim), axis_of(axis2, a.ndim)
    order = list(range(a.ndim))
    order[first], order[second] = second, first
    return permuted(a, order)


@implements(np.moveaxis, theme=THEME)
def moveaxis(a, source, destination):
    a = as_array(a)
    sources, targets = (
        [axis_of(k, a.ndim) for k in (v if isinstance(v, (tuple, list)) else (v,))] for v in (source, destination)
    )
    if len(set(sources)) != len(sources) or len(set(targets)) != len(targets):
        raise ValueError("repeated axis in `source` or `destination` argument")
    if len(sources) != len(targets):
        raise ValueError("`source` and `destination` arguments must have the same number of elements")
    order = [axis for axis in range(a.ndim) if axis not in sources]
    for target, axis in sorted(zip(targets, sources)):
        order.insert(target, axis)
    return permuted(a, order)


@implements(np.rollaxis, theme=THEME)
def rollaxis(a, axis, start=0):
    a = as_array(a)
    axis, start = axis_of(axis, a.ndim), int(start)
    start += a.ndim if start < 0 else 0
    if not 0 <= start <= a.ndim:
        raise np.exceptions.AxisError(f"'start' arg requires {-a.ndim} <= start < {a.ndim + 1}, but {start} was passed")
    order = [k for k in range(a.ndim) if k != axis]
    order.insert(start - (axis < start), axis)
    return permuted(a, order)


@implements(np.expand_dims, theme=THEME)
def expand_dims(a, axis):
    a = as_array(a)
    given = axis if isinstance(axis, (tuple, list)) else (axis,)
    rank = a.ndim + len(given)
    new = axes_of(tuple(given), rank)
    old = iter(a.shape)
    return viewed(a, reshape_view(a.shape, tuple(1 if k in new else next(old) for k in range(rank))))


@implements(np.squeeze, theme=THEME, method="squeeze")
def squeeze(a, axis=None):
    x = as_array(a)
    if absent(axis):
        drop = tuple(k for k, dim in enumerate(x.shape) if dim == 1 or (current().value(dim) == 1 and equal(dim, 1)))
    else:
        drop = axes_of(axis, x.ndim)
        if not all(equal(x.shape[k], 1) for k in drop):
            raise ValueError("cannot select an axis to squeeze out which has size not equal to one")
    for k, dim in enumerate(x.shape):
        if k not in drop and dim != 1:
            equal(dim, 1)
    shape = tuple(dim for k, dim in enumerate(x.shape) if k not in drop)
    if isinstance(a, Array) and (a.kind != "array" or not drop):
        return a
    return viewed(x, reshape_view(x.shape, shape))


def _at_least(rank: int, expand: Any) -> Any:
    def meaning(*arys):
        found = [_widened(as_array(a), rank, expand) for a in arys]
        return found[0] if len(found) == 1 else tuple(found)

    return meaning


def _in_three(shape: Shape) -> Shape:
    return (1, 1, 1) if not shape else (1, *shape, 1) if len(shape) == 1 else (*shape, 1)


def _widened(a: Array, rank: int, expand: Any) -> Array:
    return a if a.ndim >= rank else viewed(a, reshape_view(a.shape, expand(a.shape)))


atleast_1d = implements(np.atleast_1d, theme=THEME)(_at_least(1, lambda shape: (1,)))
atleast_2d = implements(np.atleast_2d, theme=THEME)(_at_least(2, lambda shape: (1, *(shape or (1,)))))
atleast_3d = implements(np.atleast_3d, theme=THEME)(_at_least(3, _in_three))


@implements(np.broadcast_to, theme=THEME)
def broadcast_to(array, shape, subok=False):
    a, shape = as_array(array), as_shape(shape)
    if any(not current().at_least(dim, 0) for dim in shape):
        raise ValueError("all elements of broadcast shape must be non-negative")
    build.broadcast_to(a.node, shape)
    return (
        viewed(a, View(lambda base: build.broadcast_to(base, shape), _read_only))
        if _is_traced(array)
        else fresh(build.broadcast_to(a.node, shape))
    )


def _is_traced(value: Any) -> bool:
    return isinstance(value, Array)


def _read_only(base: Node, part: Node) -> Node:
    raise ValueError("assignment destination is read-only")


@implements(np.broadcast_arrays, theme=THEME)
def broadcast_arrays(*args, subok=False):
    arrays = [as_array(a) for a in args]
    shape = build.broadcast_shape(*(a.shape for a in arrays))
    return tuple(a if a.shape == shape else broadcast_to(a, shape) for a in arrays)


@implements(np.broadcast_shapes, theme=THEME)
def broadcast_shapes(*args):
    return build.broadcast_shape(*map(as_shape, args))


@implements(np.shape, theme=THEME)
def shape(a):
    return a.shape if isinstance(a, Array) else as_array(a).shape if has_traced(a) else np.shape(a)


@implements(np.ndim, theme=THEME)
def ndim(a):
    return a.ndim if isinstance(a, Array) else as_array(a).ndim if has_traced(a) else np.ndim(a)


@implements(np.size, theme=THEME)
def size(a, axis=None):
    lengths = shape(a)
    return sizes.product(tuple(lengths[k] for k in axes_of(axis, len(lengths))))


@implements(np.astype, theme=THEME)
def astype_function(x, dtype, /, *, copy=True, device=None):
    return astype(x, dtype, copy=copy)


@method("astype", theme=THEME)
def astype(x, dtype, order="K", casting="unsafe", subok=True, copy=True):
    kind = dtype_of(dtype, x.dtype)
    if not np.can_cast(x.dtype, kind, casting):
        raise TypeError(f"Cannot cast array data from {x.dtype!r} to {kind!r} according to the rule {casting!r}")
    if not copy and kind == x.dtype:
        return x
    return result(build.cast(x.node, kind)) if x.kind != "array" else fresh(build.cast(x.node, kind))


__all__ = ["complete_shape", "fit", "fortran", "maybe_view", "permuted", "reshaped", "viewed"]
