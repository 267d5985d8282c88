"""Reductions: sums, products, extremes, means and variances, positions of extremes, counts."""

from __future__ import annotations

from typing import Any

import numpy as np

from egc.capture import build
from egc.capture.array import Array, as_array, python_number, result, to_node
from egc.capture.context import current
from egc.capture.registry import implements
from egc.capture.surface.arguments import (
    BOOL,
    FLOAT64,
    INT64,
    absent,
    along,
    axes_of,
    axis_of,
    dtype_of,
    equal,
    finish,
    flag,
    make,
    nonempty,
    number,
    reduced,
    refuse,
    size_node,
    size_scalar,
    sizes_product,
    static_sizes,
    where,
)
from egc.capture.ufuncs import elementwise, loop_dtypes, truth
from egc.errors import OperandTypeError
from egc.ir import Node
from egc.sizes import Dim, maximum, minimum

NoValue = np._NoValue  # type: ignore[attr-defined]
THEME = "reductions"


def accumulator(dtype: np.dtype) -> np.dtype:
    """The dtype in which NumPy adds and multiplies: small integers widen to 64 bits."""
    if dtype.kind == "b" or (dtype.kind == "i" and dtype.itemsize < 8):
        return INT64
    return np.dtype(np.uint64) if dtype.kind == "u" else dtype


def masked(node: Node, mask: Any, neutral: Any) -> Node:
    """The operand with `neutral` where the mask of `where=` is False."""
    if mask is True or mask is NoValue:
        return node
    condition = to_node(mask)
    if condition.type.dtype != BOOL:
        raise OperandTypeError("Cannot cast array data to dtype('bool') according to the rule 'safe'")
    fill = neutral if isinstance(neutral, Node) else number(neutral, node.type.dtype)
    return where(condition, node, fill)


def add_up(op: str, a: Any, axis: Any, dtype: Any, keepdims: Any, initial: Any, mask: Any) -> Node:
    """`sum` and `prod`, as a Node."""
    node = to_node(a)
    kind = dtype_of(dtype, accumulator(node.type.dtype))
    axes = axes_of(axis, node.type.rank, lenient=True)
    total = build.cast(node, kind)
    if kind == BOOL:
        op = {"sum": "any", "prod": "all"}[op]
    total = masked(total, mask, 0 if op in ("sum", "any") else 1)
    shape = total.type.shape
    if len(shape) != node.type.rank:
        raise ValueError("non-broadcastable operand in a reduction with where=")
    total = build.reduce(op, total, axes)
    if not absent(initial):
        step = {"sum": "add", "prod": "multiply", "any": "logical_or", "all": "logical_and"}[op]
        total = make(step, total, to_node(initial, kind))
    return reduced(total, shape, axes, keepdims)


@implements(np.sum, theme=THEME, method="sum")
def sum_(a, axis=None, dtype=None, out=None, keepdims=False, initial=NoValue, where=NoValue):
    folded = static_sizes(a) if absent(axis) and absent(dtype) else None
    if folded is not None and absent(out) and initial is NoValue and where is NoValue:
        return size_scalar(sum(folded[1:], folded[0]))
    return finish(add_up("sum", a, axis, dtype, keepdims, initial, where), out)


@implements(np.prod, theme=THEME, method="prod")
def prod(a, axis=None, dtype=None, out=None, keepdims=False, initial=NoValue, where=NoValue):
    folded = static_sizes(a) if absent(axis) and absent(dtype) else None
    if isinstance(a, tuple) and not a and absent(dtype):
        return finish(number(1.0, FLOAT64), out)
    if folded is not None and absent(out) and initial is NoValue and where is NoValue:
        return size_scalar(sizes_product(folded))
    return finish(add_up("prod", a, axis, dtype, keepdims, initial, where), out)


LOWEST = {"f": -np.inf, "b": False}


def extreme(op: str, a: Any, axis: Any, keepdims: Any, initial: Any, mask: Any) -> Node:
    """`max` and `min`, as a Node."""
    node = to_node(a)
    axes, dtype = axes_of(axis, node.type.rank, lenient=True), node.type.dtype
    pairwise = {"max": "maximum", "min": "minimum"}[op]
    start = None if initial is NoValue else to_node(initial, dtype)
    if mask is not True and mask is not NoValue:
        if start is None:
            raise ValueError(f"reduction operation '{pairwise}' does not have an identity, so to use a where mask")
        node = masked(node, mask, start)
    shape = node.type.shape
    if start is not None:
        if not nonempty(*(shape[k] for k in axes)):
            rest = [dim for k, dim in enumerate(shape) if k not in axes]
            return reduced(build.broadcast_to(start, tuple(rest)), shape, axes, keepdims)
        return reduced(make(pairwise, build.reduce(op, node, axes), start), shape, axes, keepdims)
    return reduced(reduce_nonempty(op, node, axes, pairwise), shape, axes, keepdims)


def reduce_nonempty(op: str, node: Node, axes: tuple[int, ...], pairwise: str) -> Node:
    """`max` or `min` over axes; ValueError, as in NumPy, where there is no element to pick."""
    shape = node.type.shape
    rest = [dim for k, dim in enumerate(shape) if k not in axes]
    if not nonempty(*(shape[k] for k in axes)):
        if nonempty(*rest):
            raise ValueError(f"zero-size array to reduction operation {pairwise} which has no identity")
        return number(0, node.type.dtype, tuple(rest))
    return build.reduce(op, node, axes)


@implements(np.max, np.amax, theme=THEME, method="max")
def max_(a, axis=None, out=None, keepdims=False, initial=NoValue, where=NoValue):
    folded = static_sizes(a) if absent(axis) else None
    if folded is not None and absent(out) and initial is NoValue and where is NoValue:
        return size_scalar(_fold(maximum, folded))
    return finish(extreme("max", a, axis, keepdims, initial, where), out)


@implements(np.min, np.amin, theme=THEME, method="min")
def min_(a, axis=None, out=None, keepdims=False, initial=NoValue, where=NoValue):
    folded = static_sizes(a) if absent(axis) else None
    if folded is not None and absent(out) and initial is NoValue and where is NoValue:
        return size_scalar(_fold(minimum, folded))
    return finish(extreme("min", a, axis, keepdims, initial, where), out)


def _fold(pick: Any, values: list[Dim]) -> Dim:
    best = values[0]
    for value in values[1:]:
        best = pick(best, value)
    return best


@implements(np.ptp, theme=THEME)
def ptp(a, axis=None, out=None, keepdims=False):
    high = result(extreme("max", a, axis, keepdims, NoValue, NoValue))
    low = result(extreme("min", a, axis, keepdims, NoValue, NoValue))
    return finish(elementwise("subtract", high, low), out)


def quantified(op: str, a: Any, axis: Any, keepdims: Any, mask: Any) -> Node:
    """`any` and `all`, as a Node."""
    node = masked(truth(to_node(a)), mask, op == "all")
    axes = axes_of(axis, node.type.rank, lenient=True)
    return reduced(build.reduce(op, node, axes), node.type.shape, axes, keepdims)


@implements(np.any, theme=THEME, method="any")
def any_(a, axis=None, out=None, keepdims=False, *, where=NoValue):
    return finish(quantified("any", a, axis, keepdims, where), out)


@implements(np.all, theme=THEME, method="all")
def all_(a, axis=None, out=None, keepdims=False, *, where=NoValue):
    return finish(quantified("all", a, axis, keepdims, where), out)


def position_of_extreme(op: str, node: Node, axis: Any, out: Any, keepdims: Any) -> Array:
    """`argmax` and `argmin` of a Node."""
    shape = node.type.shape
    flattened, at = along(result(node), axis)
    rest = [dim for k, dim in enumerate(flattened.type.shape) if k != at]
    if not nonempty(flattened.type.shape[at]):
        if nonempty(*rest):
            raise ValueError(f"attempt to get {op} of an empty sequence")
        found = number(0, INT64, tuple(rest))
    else:
        found = current().make(op, flattened, axis=at)
    axes = axes_of(axis, len(shape), lenient=True)
    found = reduced(found, shape, axes, keepdims)
    return finish(found, out)


@implements(np.argmax, theme=THEME, method="argmax")
def argmax(a, axis=None, out=None, *, keepdims=False):
    return position_of_extreme("argmax", to_node(a), axis, out, keepdims)


@implements(np.argmin, theme=THEME, method="argmin")
def argmin(a, axis=None, out=None, *, keepdims=False):
    return position_of_extreme("argmin", to_node(a), axis, out, keepdims)


COUNTS_ARE_INT = not isinstance(np.count_nonzero([1]), np.generic)
"""Older NumPy counts with a Python int."""


@implements(np.count_nonzero, theme=THEME)
def count_nonzero(a, axis=None, *, keepdims=False):
    node = build.cast(truth(to_node(a)), INT64)
    axes = axes_of(axis, node.type.rank)
    total = reduced(build.reduce("sum", node, axes), node.type.shape, axes, keepdims)
    plain = COUNTS_ARE_INT and absent(axis) and not flag(keepdims)
    return python_number(total) if plain else result(total)


def mean_dtype(node: Node, dtype: Any) -> np.dtype:
    return dtype_of(dtype, FLOAT64 if node.type.dtype.kind in "biu" else node.type.dtype)


def counted(node: Node, axes: tuple[int, ...], mask: Any, keepdims: Any, dtype: np.dtype) -> Node:
    """How many elements a mean is over, in the dtype it is divided in."""
    if mask is True or mask is NoValue:
        return size_node(build.count(node.type.shape, axes), dtype)
    chosen = build.cast(build.broadcast_to(to_node(mask, BOOL), node.type.shape), INT64)
    return build.cast(reduced(build.reduce("sum", chosen, axes), node.type.shape, axes, keepdims), dtype)


def mean_node(node: Node, axes: tuple[int, ...], dtype: Any, keepdims: Any, mask: Any = NoValue) -> Node:
    kind = mean_dtype(node, dtype)
    total = build.reduce("sum", masked(build.cast(node, kind), mask, 0), axes)
    total = reduced(total, node.type.shape, axes, keepdims)
    if kind.kind in "biu":
        kind, total = FLOAT64, build.cast(total, FLOAT64)
    return make("divide", total, counted(node, axes, mask, keepdims, kind))


@implements(np.mean, theme=THEME, method="mean")
def mean(a, axis=None, dtype=None, out=None, keepdims=False, *, where=NoValue):
    node = to_node(a)
    found = mean_node(node, axes_of(axis, node.type.rank), dtype, keepdims, where)
    if not absent(dtype):
        found = build.cast(found, dtype_of(dtype, FLOAT64))
    return finish(found, out)


def variance(a: Any, axis: Any, dtype: Any, ddof: Any, keepdims: Any, mask: Any, mean: Any, correction: Any) -> Node:
    """The mean squared distance from the mean, as NumPy's two passes compute it."""
    if correction is not NoValue:
        if ddof != 0:
            raise ValueError("ddof and correction can't be provided simultaneously.")
        ddof = correction
    node = to_node(a)
    axes, kind = axes_of(axis, node.type.rank), mean_dtype(node, dtype)
    if kind.kind in "biu":
        raise refuse("a variance in an integer dtype")
    node = build.cast(node, kind)
    center = mean_node(node, axes, kind, True, mask) if mean is NoValue else to_node(mean, kind)
    distance = make("subtract", node, center)
    if distance.type.shape != node.type.shape:
        raise ValueError("operands could not be broadcast together")
    if kind.kind == "c":
        re, im = current().make("real", distance), current().make("imag", distance)
        square = make("add", make("multiply", re, re), make("multiply", im, im))
    else:
        square = make("multiply", distance, distance)
    total = build.reduce("sum", masked(square, mask, 0), axes)
    total = reduced(total, node.type.shape, axes, keepdims)
    real = total.type.dtype
    if (mask is True or mask is NoValue) and isinstance(ddof, int):
        return make("divide", total, size_node(maximum(build.count(node.type.shape, axes) - ddof, 0), real))
    count = counted(node, axes, mask, keepdims, FLOAT64)
    free = make("maximum", make("subtract", count, to_node(ddof, FLOAT64)), number(0, FLOAT64))
    return make("divide", total, build.cast(free, real))


@implements(np.var, theme=THEME, method="var")
def var(a, axis=None, dtype=None, out=None, ddof=0, keepdims=False, *, where=NoValue, mean=NoValue, correction=NoValue):
    return finish(variance(a, axis, dtype, ddof, keepdims, where, mean, correction), out)


@implements(np.std, theme=THEME, method="std")
def std(a, axis=None, dtype=None, out=None, ddof=0, keepdims=False, *, where=NoValue, mean=NoValue, correction=NoValue):
    return finish(make("sqrt", variance(a, axis, dtype, ddof, keepdims, where, mean, correction)), out)


@implements(np.average, theme=THEME)
def average(a, axis=None, weights=None, returned=False, *, keepdims=False):
    a = as_array(a)
    axes = axes_of(axis, a.ndim)
    if weights is None:
        found = mean_node(a.node, axes, None, keepdims)
        total = size_node(build.count(a.shape, axes), found.type.dtype)
    else:
        w = as_array(weights).node
        kind = np.result_type(a.dtype, w.type.dtype, *(["f8"] if a.dtype.kind in "biu" else []))
        w = _fitted_weights(w, a, axis, axes)
        total = reduced(build.reduce("sum", build.cast(w, kind), axes), a.shape, axes, keepdims)
        zero = make("equal", total, build.zeros_like(total))
        current().check(build.reduce("any", zero, range(zero.type.rank)))
        kind = loop_dtypes(np.multiply, (a, result(w)), kind)[-1]
        product = make("multiply", build.cast(a.node, kind), build.cast(w, kind))
        found = make("divide", reduced(build.reduce("sum", product, axes), a.shape, axes, keepdims), total)
    if not flag(returned):
        return result(found)
    return result(found), result(build.broadcast_to(total, found.type.shape))


def _fitted_weights(w: Node, a: Array, axis: Any, axes: tuple[int, ...]) -> Node:
    """The weights with the shape of `a`, or 1-D ones laid along its axes."""
    if w.type.rank == a.ndim and all(map(equal, w.type.shape, a.shape)):
        return build.reshape(w, a.shape)
    if absent(axis):
        raise TypeError("Axis must be specified when shapes of a and weights differ.")
    given = [axis_of(k, a.ndim) for k in (axis if isinstance(axis, (tuple, list)) else (axis,))]
    if w.type.rank != len(given) or not all(map(equal, w.type.shape, [a.shape[k] for k in given])):
        raise ValueError("Shape of weights must be consistent with shape of a along specified axis.")
    ordered = build.transpose(w, sorted(range(len(given)), key=lambda i: given[i]))
    return build.broadcast(build.reshape(ordered, [a.shape[k] for k in axes]), a.shape, axes)
