"""The methods of ufuncs: `np.add.reduce`, `np.maximum.accumulate`, `np.multiply.outer`, `np.add.at`."""

from __future__ import annotations

from typing import Any

import numpy as np

from egc.capture import build
from egc.capture.array import Array, as_array, promotion_key, result, to_node
from egc.capture.context import current
from egc.capture.indexing import advanced, full_index, getitem, scatter
from egc.capture.registry import DOCUMENTED
from egc.capture.surface import nan_reductions, reductions
from egc.capture.surface.arguments import (
    BOOL,
    INT64,
    absent,
    axes_of,
    axis_of,
    dtype_of,
    finish,
    make,
    number,
    reduced,
    refuse,
    where,
)
from egc.capture.surface.reductions import NoValue
from egc.capture.surface.scans import SCANS, accumulated, scan
from egc.capture.ufuncs import UFUNC_METHODS, call_ufunc, loop_dtypes, truth
from egc.ir import Node

DOCUMENTED["ufunc methods"] = [f"numpy.ufunc.{name}" for name in ("reduce", "accumulate", "outer", "at")]


def reduce(ufunc, array, axis=0, dtype=None, out=None, keepdims=False, initial=NoValue, where=NoValue):
    """`ufunc.reduce`."""
    out = out[0] if isinstance(out, tuple) else out
    rank = to_node(array).type.rank
    axis = tuple(range(rank)) if axis is None else axis
    if ufunc in (np.add, np.multiply):
        op = "sum" if ufunc is np.add else "prod"
        return finish(reductions.add_up(op, array, axis, dtype, keepdims, initial, where), out)
    if ufunc in (np.maximum, np.minimum):
        node = to_node(array, None if dtype is None else dtype_of(dtype, INT64))
        op = "max" if ufunc is np.maximum else "min"
        return finish(reductions.extreme(op, result(node), axis, keepdims, initial, where), out)
    if ufunc in (np.logical_and, np.logical_or) and absent(initial) and dtype in (None, bool):
        op = "all" if ufunc is np.logical_and else "any"
        return finish(reductions.quantified(op, array, axis, keepdims, where), out)
    if absent(initial) and dtype is None and where in (True, NoValue):
        node = to_node(array)
        axes = axes_of(axis, rank, lenient=True)
        found = _other_reduction(ufunc, node, axes)
        if found is not None:
            return finish(reduced(found, node.type.shape, axes, keepdims), out)
    raise refuse(f"{ufunc.__name__}.reduce", "egc reduces by sums, products, extremes, any and all")


def _other_reduction(ufunc: np.ufunc, node: Node, axes: tuple[int, ...]) -> Node | None:
    kind = node.type.dtype.kind
    if ufunc in (np.fmax, np.fmin) and kind == "f":
        name = nan_reductions.nanmax if ufunc is np.fmax else nan_reductions.nanmin
        return name(result(node), axes).node if axes else node
    if ufunc is np.logical_xor:
        odd = build.reduce("sum", build.cast(truth(node), INT64), axes)
        return make("equal", make("bitwise_and", odd, number(1, INT64)), number(1, INT64)) if axes else truth(node)
    if ufunc in (np.bitwise_and, np.bitwise_or) and kind == "b":
        return build.reduce("all" if ufunc is np.bitwise_and else "any", node, axes)
    if ufunc is np.logaddexp and kind == "f":
        return _log_sum_exp(node, axes)
    return None


def _log_sum_exp(node: Node, axes: tuple[int, ...]) -> Node:
    """log(sum(exp(x))) with the largest term taken out, so that nothing overflows."""
    shape, dtype = node.type.shape, node.type.dtype
    make_op = current().make
    if not axes:
        return node
    if not reductions.nonempty(*(shape[k] for k in axes)):
        return number(-np.inf, dtype, tuple(dim for k, dim in enumerate(shape) if k not in axes))
    top = build.reduce("max", node, axes)
    base = where(make_op("isfinite", top), top, build.zeros_like(top))
    shifted = make("subtract", node, build.keep_axes(base, shape, axes))
    total = build.reduce("sum", make_op("exp", shifted), axes)
    return make("add", make_op("log", total), base)


def accumulate(ufunc, array, axis=0, dtype=None, out=None):
    """`ufunc.accumulate`."""
    out = out[0] if isinstance(out, tuple) else out
    node = to_node(array)
    if not node.type.rank:
        raise TypeError("cannot accumulate on a scalar")
    if ufunc in (np.add, np.multiply):
        return finish(accumulated(SCANS[ufunc.__name__], array, axis, dtype), out)
    at = axis_of(axis, node.type.rank)
    if ufunc.__name__ in SCANS:
        return finish(scan(SCANS[ufunc.__name__], build.cast(node, dtype_of(dtype, node.type.dtype)), at), out)
    if ufunc in (np.logical_and, np.logical_or) and dtype in (None, bool):
        return finish(scan("cummin" if ufunc is np.logical_and else "cummax", truth(node), at), out)
    raise refuse(f"{ufunc.__name__}.accumulate", "egc accumulates sums, products and extremes")


def outer(ufunc, a, b, /, **options):
    """`ufunc.outer`: every element of a with every element of b."""
    left, right = as_array(a), as_array(b)
    spread = build.reshape(left.node, (*left.shape, *[1] * right.ndim))
    kinds = [v.kind if isinstance(v, Array) else "array" for v in (a, b)]
    return call_ufunc(ufunc, "__call__", (_like(a, spread, kinds[0]), b), options)


def _like(original: Any, node: Node, kind: str) -> Any:
    if not node.type.shape and not isinstance(promotion_key(original), np.dtype):
        return original
    return Array(node, kind)


COMBINED = {np.add: "add", np.subtract: "add", np.multiply: "multiply", np.maximum: "maximum", np.minimum: "minimum"}


def at(ufunc, a, indices, b=None, /):
    """`ufunc.at`: combines into the elements at the indices, in place, repeated ones repeatedly."""
    if not isinstance(a, Array) or a.kind != "array":
        raise refuse(f"{ufunc.__name__}.at into an array from outside", "only arguments and local arrays are written")
    entries = full_index(indices, a.ndim)
    arrays = [entry for entry in entries if isinstance(entry, Array)]
    if not arrays:
        place = getitem(a, indices if isinstance(indices, tuple) else (indices, ...))
        found = call_ufunc(ufunc, "__call__", (place,) if b is None else (place, b), {})
        a[indices] = Array(build.cast(found.node, a.dtype))
        return
    if ufunc not in COMBINED or any(entry.dtype == BOOL for entry in arrays):
        raise refuse(f"{ufunc.__name__}.at", "egc combines by add, subtract, multiply, maximum and minimum")
    loop = loop_dtypes(ufunc, (a, b))
    if loop[-1].kind not in ("iu" if a.dtype.kind in "iu" else a.dtype.kind) or a.dtype == BOOL:
        raise refuse(f"{ufunc.__name__}.at of {loop[-1]} into {a.dtype}", "every step would be cast")
    value = to_node(b, loop[1])
    value = build.cast(current().make("negative", value) if ufunc is np.subtract else value, a.dtype)
    base, axes, nodes, front = advanced(a, entries)
    scatter(base, axes, nodes, front, value, COMBINED[ufunc])


def reduceat(ufunc, *arguments, **options):
    raise refuse(f"{ufunc.__name__}.reduceat", "egc has no segmented reductions")


UFUNC_METHODS.update({"reduce": reduce, "accumulate": accumulate, "outer": outer, "at": at, "reduceat": reduceat})
