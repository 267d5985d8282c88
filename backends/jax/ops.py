"""Leaves, reductions, data movement and products in JAX."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax

from egc.backend import window
from egc.backends.jax import linalg as linalg
from egc.backends.jax.elementwise import ENDLESS, complex_extreme
from egc.backends.jax.table import EMIT, Errors, Params, meaning
from egc.ir import Node
from egc.types import TupleType

EXACT = lax.Precision.HIGHEST
"""Without it a GPU multiplies float32 matrices with 10 bits of mantissa."""


@meaning("assume")
def _assume(errors: Errors, params: Params, x: Any) -> Any:
    return x


@meaning("constant")
def _constant(errors: Errors, params: Params) -> Any:
    return jnp.full(params["shape"], np.asarray(params["value"], params["dtype"]))


@meaning("empty")
def _empty(errors: Errors, params: Params) -> Any:
    return jnp.zeros(params["shape"], params["dtype"])


@meaning("size")
def _size(errors: Errors, params: Params) -> Any:
    return jnp.asarray(params["value"], np.int64)


@meaning("iota")
def _iota(errors: Errors, params: Params) -> Any:
    return lax.broadcasted_iota(np.int64, params["shape"], params["axis"])


@meaning("sum", "prod")
def _sum(name: str, errors: Errors, params: Params, x: Any) -> Any:
    if x.dtype == bool:
        return (jnp.any if name == "sum" else jnp.all)(x, axis=params["axes"])
    return getattr(jnp, name)(x, axis=params["axes"], dtype=x.dtype)


@meaning("max", "min", "any", "all")
def _reduction(name: str, errors: Errors, params: Params, x: Any) -> Any:
    if x.dtype.kind == "c" and x.size:
        least = np.array(complex(-np.inf, -np.inf) if name == "max" else complex(np.inf, np.inf), x.dtype)
        return lax.reduce(x, least, partial(complex_extreme, name), params["axes"])
    return getattr(jnp, name)(x, axis=params["axes"])


@meaning("argmax", "argmin")
def _arg_reduction(name: str, errors: Errors, params: Params, x: Any) -> Any:
    return getattr(jnp, name)(x, axis=params["axis"])


@meaning("cumsum", "cumprod")
def _cumulative_sum(name: str, errors: Errors, params: Params, x: Any) -> Any:
    if x.dtype == bool:
        return _scan(jnp.logical_or if name == "cumsum" else jnp.logical_and, x, params["axis"])
    return getattr(jnp, name)(x, axis=params["axis"], dtype=x.dtype)


@meaning("cummax", "cummin")
def _cumulative_extreme(name: str, errors: Errors, params: Params, x: Any) -> Any:
    if x.dtype.kind == "c":
        return _scan(partial(complex_extreme, name[3:]), x, params["axis"])
    if x.dtype == bool:
        return _scan(jnp.logical_or if name == "cummax" else jnp.logical_and, x, params["axis"])
    return getattr(lax, name)(x, axis=params["axis"])


def _scan(combine: Any, x: Any, axis: int) -> Any:
    return lax.associative_scan(combine, x, axis=axis) if x.size else x


@meaning("sort")
def _sort(errors: Errors, params: Params, x: Any) -> Any:
    return jnp.sort(x, axis=params["axis"])


@meaning("argsort")
def _argsort(errors: Errors, params: Params, x: Any) -> Any:
    return jnp.argsort(x, axis=params["axis"], stable=True)


@meaning("searchsorted")
def _searchsorted(errors: Errors, params: Params, x: Any, values: Any) -> Any:
    return jnp.searchsorted(x, values, side=params["side"])


@meaning("broadcast")
def _broadcast(errors: Errors, params: Params, x: Any) -> Any:
    return lax.broadcast_in_dim(x, params["shape"], params["axes"])


@meaning("reshape")
def _reshape(errors: Errors, params: Params, x: Any) -> Any:
    if x.size != np.prod(params["shape"], dtype=int):
        raise ValueError(f"cannot reshape array of size {x.size} into shape {params['shape']}")
    return jnp.reshape(x, params["shape"])


@meaning("transpose")
def _transpose(errors: Errors, params: Params, x: Any) -> Any:
    return jnp.transpose(x, params["axes"])


@meaning("slice")
def _slice(errors: Errors, params: Params, x: Any) -> Any:
    return x[window(x.shape, params["start"], params["size"], params["step"])]


@meaning("update_slice")
def _update_slice(errors: Errors, params: Params, x: Any, value: Any) -> Any:
    return x.at[window(x.shape, params["start"], value.shape, params["step"])].set(value)


@meaning("pad")
def _pad(errors: Errors, params: Params, x: Any, fill: Any) -> Any:
    return lax.pad(x, fill, [(low, high, 0) for low, high in zip(params["low"], params["high"])])


@meaning("concatenate")
def _concatenate(errors: Errors, params: Params, *parts: Any) -> Any:
    return jnp.concatenate(parts, axis=params["axis"])


def _order(x: Any, axes: Sequence[int]) -> list[int]:
    """`axes` first, then the other axes."""
    return [*axes, *(axis for axis in range(x.ndim) if axis not in axes)]


def _checked(errors: Errors, indices: Sequence[Any], lengths: Sequence[int]) -> list[Any]:
    """Indices counted from the front, clipped; IndexError on the host where one is out of range."""
    checked = []
    for axis, (index, length) in enumerate(zip(indices, lengths)):
        if not length and index.size:
            raise IndexError(f"index is out of bounds for axis {axis} with size 0")
        message = f"index is out of bounds for axis {axis} with size {length}"
        errors.when((index < -length) | (index >= length), "IndexError", message)
        checked.append(jnp.clip(jnp.where(index < 0, index + length, index), 0, max(length - 1, 0)))
    return checked


@meaning("gather")
def _gather(errors: Errors, params: Params, x: Any, *indices: Any) -> Any:
    view, mode = jnp.transpose(x, _order(x, params["axes"])), params["mode"]
    lengths, rest = view.shape[: len(indices)], view.shape[len(indices) :]
    if not indices[0].size:
        return jnp.zeros((*indices[0].shape, *rest), x.dtype)
    if mode == "raise":
        indices = tuple(_checked(errors, indices, lengths))
    elif 0 in lengths:
        raise IndexError("cannot do a non-empty take from an empty axes.")
    elif mode == "clip":
        indices = tuple(jnp.clip(i, 0, n - 1) for i, n in zip(indices, lengths))
    else:
        indices = tuple(i % n for i, n in zip(indices, lengths))
    return view.at[indices].get(mode="promise_in_bounds")


@meaning("scatter")
def _scatter(errors: Errors, params: Params, x: Any, value: Any, *indices: Any) -> Any:
    """XLA leaves open which of several values set at one place stays, so the last is found first, by its position."""
    order, combine = _order(x, params["axes"]), params["combine"]
    view = jnp.transpose(x, order)
    if not value.size:
        return x
    index = tuple(_checked(errors, indices, view.shape[: len(indices)]))
    if combine == "set":
        count = int(np.prod(index[0].shape, dtype=int))
        place = jnp.arange(count).reshape(index[0].shape)
        last = jnp.full(view.shape[: len(index)], -1).at[index].max(place)
        rest = view.shape[len(index) :]
        chosen = value.reshape((count, *rest))[jnp.maximum(last, 0)]
        result = jnp.where((last >= 0).reshape((*last.shape, *(1 for _ in rest))), chosen, view)
    else:
        if x.dtype == bool:
            combine = {"add": "maximum", "multiply": "minimum"}.get(combine, combine)
        method = {"maximum": "max", "minimum": "min"}.get(combine, combine)
        result = getattr(view.at[index], method)(value)
    return jnp.transpose(result, [int(axis) for axis in np.argsort(order)])


@meaning("matmul")
def _matmul(errors: Errors, params: Params, a: Any, b: Any) -> Any:
    if a.dtype == bool:
        return jnp.matmul(a.astype(np.int64), b.astype(np.int64)) > 0
    return jnp.matmul(a, b, precision=EXACT)


@meaning("convolve")
def _convolve(errors: Errors, params: Params, a: Any, b: Any) -> Any:
    if a.dtype == bool:
        return jnp.convolve(a.astype(np.int64), b.astype(np.int64)) > 0
    return jnp.convolve(a, b, precision=EXACT)


@meaning("diagonal")
def _diagonal(errors: Errors, params: Params, x: Any) -> Any:
    return jnp.diagonal(x, params["offset"], -2, -1)


@meaning("diagonal_matrix")
def _diagonal_matrix(errors: Errors, params: Params, x: Any) -> Any:
    length, offset = x.shape[-1], params["offset"]
    side, place = length + abs(offset), np.arange(length)
    result = jnp.zeros((*x.shape[:-1], side, side), x.dtype)
    return result.at[..., place + max(-offset, 0), place + max(offset, 0)].set(x)


@meaning("tril", "triu")
def _triangle(name: str, errors: Errors, params: Params, x: Any) -> Any:
    return getattr(jnp, name)(x, params["offset"])


@meaning("item")
def _item(errors: Errors, params: Params, values: Any) -> Any:
    return values[params["index"]]


MISSING: dict[str, tuple[str, str]] = {
    "argmax": ("c", "JAX does not order complex numbers here"),
    "argmin": ("c", "JAX does not order complex numbers here"),
}
"""Ops without some operand dtypes: the kinds that are missing, and why."""


def gap(node: Node, platform: str) -> str | None:
    """Why JAX cannot run a Node on a platform (`cpu`, `gpu`), or None when it can."""
    if node.op in ENDLESS:
        return "JAX's function does not end for some operands"
    if node.op not in EMIT:
        return "JAX has no such function"
    kinds, why = MISSING.get(node.op, ("", ""))
    operand = node.inputs[0].type if node.inputs else node.type
    if not isinstance(operand, TupleType) and operand.dtype.kind in kinds:
        return why
    if node.op in ("eig", "eigvals") and platform != "cpu" and not hasattr(lax.linalg, "EigImplementation"):
        return f"JAX has no nonsymmetric eigenvalues on {platform}"
    return None
