"""Convolution, correlation, interpolation, windows and covariance of samples."""

from __future__ import annotations

from typing import Any

import numpy as np

from egc import sizes
from egc.capture import build
from egc.capture.array import Array, as_array, as_size, fresh, result, to_node
from egc.capture.context import current
from egc.capture.registry import implements
from egc.capture.surface.arguments import FLOAT64, INT64, dtype_of, equal, flag, make, number, refuse, size_node, where
from egc.capture.surface.diagonals import diag
from egc.capture.surface.grids import arange
from egc.capture.surface.histograms import check_any
from egc.capture.surface.joining import concatenate
from egc.capture.surface.reductions import average
from egc.capture.ufuncs import elementwise
from egc.ir import Node
from egc.sizes import Dim

THEME = "signals"


def vector(value: Any, what: str) -> Node:
    node = to_node(value)
    node = build.reshape(node, (1,)) if not node.type.rank else node
    if node.type.rank != 1:
        raise ValueError("object too deep for desired array")
    if not current().at_least(node.type.shape[0], 1):
        raise ValueError(f"{what} cannot be empty")
    return node


def window_of_full(a: Node, v: Node, mode: Any, mirrored: bool) -> Node:
    """The part of the full convolution that a mode keeps. `mirrored`: v is the longer one in a correlation."""
    full = current().make("convolve", a, v)
    m, n = a.type.shape[0], v.type.shape[0]
    longer, shorter = (m, n) if current().at_least(m, n) else (n, m)
    if mode in ("full", 2):
        return full
    if mode in ("same", 1):
        start = sizes.floordiv(shorter, 2) if mirrored else shorter - 1 - sizes.floordiv(shorter, 2)
        return build.slice_axis(full, 0, start, longer)
    if mode in ("valid", 0):
        return build.slice_axis(full, 0, shorter - 1, longer - shorter + 1)
    raise ValueError(f"mode must be one of 'valid', 'same', or 'full' (got {mode!r})")


@implements(np.convolve, theme=THEME)
def convolve(a, v, mode="full"):
    a, v = vector(a, "a"), vector(v, "v")
    dtype = np.promote_types(a.type.dtype, v.type.dtype)
    return fresh(window_of_full(build.cast(a, dtype), build.cast(v, dtype), mode, False))


@implements(np.correlate, theme=THEME)
def correlate(a, v, mode="valid"):
    a, v = vector(a, "first array argument"), vector(v, "second array argument")
    dtype = np.promote_types(a.type.dtype, v.type.dtype)
    a, v = build.cast(a, dtype), build.cast(v, dtype)
    turned = build.slice_axis(v, 0, v.type.shape[0] - 1, v.type.shape[0], -1)
    turned = current().make("conjugate", turned) if dtype.kind == "c" else turned
    mirrored = not current().at_least(a.type.shape[0], v.type.shape[0])
    return fresh(window_of_full(a, turned, mode, mirrored))


def _samples(xp: Any, fp: Any) -> tuple[Node, Node]:
    if to_node(fp).type.dtype.kind == "c":
        raise refuse("interp of complex values")
    points, values = to_node(xp), to_node(fp)
    if points.type.dtype.kind == "c":
        raise refuse("interp of complex points")
    points, values = build.cast(points, FLOAT64), build.cast(values, FLOAT64)
    if points.type.rank != 1 or values.type.rank != 1:
        raise ValueError("object too deep for desired array")
    if not current().at_least(points.type.shape[0], 1):
        raise ValueError("array of sample points is empty")
    if not equal(points.type.shape[0], values.type.shape[0]):
        raise ValueError("fp and xp are not of the same length.")
    return points, build.reshape(values, points.type.shape)


@implements(np.interp, theme=THEME)
def interp(x, xp, fp, left=None, right=None, period=None):
    if to_node(x).type.dtype.kind == "c":
        raise refuse("interp at complex points")
    points, values = _samples(xp, fp)
    at = build.cast(to_node(x), FLOAT64)
    if period is not None:
        if isinstance(period, Array):
            raise refuse("interp(period=) with data")
        if period == 0:
            raise ValueError("period must be a non-zero value")
        left = right = None
        at, points, values = _periodic(at, points, values, float(abs(period)))
    else:
        ordered = (fresh(points)[1:] >= fresh(points)[:-1]).node
        check_any(current().make("logical_not", ordered))
    return result(_interpolated(at, points, values, left, right))


def _periodic(at: Node, points: Node, values: Node, period: float) -> tuple[Node, Node, Node]:
    """The samples of one period in order, with one more at either end."""
    xp, fp = fresh(points) % period, fresh(values)
    order = np.argsort(xp)
    xp, fp = xp[order], fp[order]
    xp = concatenate([xp[-1:] - period, xp, xp[0:1] + period])
    fp = concatenate([fp[-1:], fp, fp[0:1]])
    return (result(at) % period).node, xp.node, fp.node


def _interpolated(x: Node, points: Node, values: Node, left: Any, right: Any) -> Node:
    """NumPy's piecewise linear interpolation, with its care for infinite slopes."""
    count = points.type.shape[0]
    first, last = (build.reshape(build.slice_axis(points, 0, k, 1), ()) for k in (0, count - 1))
    start, end = (build.reshape(build.slice_axis(values, 0, k, 1), ()) for k in (0, count - 1))
    low = start if left is None else to_node(left, FLOAT64)
    high = end if right is None else to_node(right, FLOAT64)
    below, above = make("less", x, first), make("greater", x, last)
    if not current().at_least(count, 2):
        return where(below, low, where(above, high, start))
    one = number(1, INT64)
    place = make("subtract", current().make("searchsorted", points, x, side="right"), one)
    place = make("minimum", make("maximum", place, number(0, INT64)), size_node(count - 2))

    def pick(source: Node, at: Node) -> Node:
        return current().make("gather", source, at, axes=(0,), mode="raise")

    x0, y0 = pick(points, place), pick(values, place)
    following = make("add", place, one)
    x1, y1 = pick(points, following), pick(values, following)
    slope = make("divide", make("subtract", y1, y0), make("subtract", x1, x0))
    found = make("add", make("multiply", slope, make("subtract", x, x0)), y0)
    other = make("add", make("multiply", slope, make("subtract", x, x1)), y1)
    found = where(current().make("isnan", found), other, found)
    found = where(make("logical_and", current().make("isnan", found), make("equal", y0, y1)), y0, found)
    found = where(make("equal", x, x0), y0, found)
    found = where(make("equal", x, last), end, found)
    found = where(below, low, where(above, high, found))
    return where(current().make("isnan", x), x, found)


def _window(formula: Any) -> Any:
    def meaning(M):
        m = as_size(M, "the length of a window")
        if not current().at_least(m, 1):
            return fresh(number(0, FLOAT64, (0,)))
        if not current().at_least(m, 2):
            return fresh(number(1, FLOAT64, (1,)))
        return formula(arange(1 - m, m, 2, dtype=float), Array(size_node(m - 1), "python"))

    return meaning


implements(np.hanning, theme=THEME)(_window(lambda n, m: 0.5 + 0.5 * np.cos(np.pi * n / m)))
implements(np.hamming, theme=THEME)(_window(lambda n, m: 0.54 + 0.46 * np.cos(np.pi * n / m)))
implements(np.bartlett, theme=THEME)(_window(lambda n, m: np.where(n <= 0, 1 + n / m, 1 - n / m)))
implements(np.blackman, theme=THEME)(
    _window(lambda n, m: 0.42 + 0.5 * np.cos(np.pi * n / m) + 0.08 * np.cos(2.0 * np.pi * n / m))
)


@implements(np.kaiser, theme=THEME)
def kaiser(M, beta):
    m = as_size(M, "the length of a window")
    if current().at_least(m, 1) and not current().at_least(m, 2):
        return fresh(number(1, FLOAT64, (1,)))
    half = Array(size_node(m - 1), "python") / 2.0
    n = arange(m) * 1.0
    root = np.sqrt(1 - ((n - half) / half) ** 2.0)
    return np.i0(beta * root) / np.i0(as_array(beta) * 1.0)


@implements(np.fft.fftfreq, theme=THEME)
def fftfreq(n, d=1.0, device=None):
    count = as_size(n)
    half = sizes.floordiv(count - 1, 2) + 1
    order = concatenate([arange(half), arange(-sizes.floordiv(count, 2), 0)])
    return order * (1.0 / (Array(size_node(count), "python") * d))


@implements(np.fft.rfftfreq, theme=THEME)
def rfftfreq(n, d=1.0, device=None):
    count = as_size(n)
    return arange(sizes.floordiv(count, 2) + 1) * (1.0 / (Array(size_node(count), "python") * d))


def _observations(m: Any, y: Any, rowvar: bool, dtype: Any) -> Array:
    """The variables as rows."""
    m, y = as_array(m), None if y is None else as_array(y)
    if m.ndim > 2 or (y is not None and y.ndim > 2):
        raise ValueError("m has more than 2 dimensions")
    kind = dtype_of(dtype, np.result_type(m.dtype, FLOAT64, *([] if y is None else [y.dtype])))

    def rows(v: Array) -> Array:
        node = build.reshape(v.node, (*[1] * (2 - v.ndim), *v.shape))
        return fresh(build.cast(node, kind))

    x = rows(m)
    x = x.T if not rowvar and m.ndim != 1 else x
    if y is None:
        return x
    other = rows(y)
    other = other.T if not rowvar and not equal(other.shape[0], 1) else other
    return concatenate((x, other), axis=0)


def _weights(value: Any, count: Dim, what: str) -> Array | None:
    if value is None:
        return None
    w = fresh(build.cast(to_node(value), FLOAT64))
    if w.ndim != 1:
        raise RuntimeError(f"cannot handle multidimensional {what}")
    if not equal(w.shape[0], count):
        raise RuntimeError(f"incompatible numbers of samples and {what}")
    check_any((w < 0).node)
    return w


@implements(np.cov, theme="statistics")
def cov(m, y=None, rowvar=True, bias=False, ddof=None, fweights=None, aweights=None, *, dtype=None):
    if ddof is not None and ddof != int(ddof):
        raise ValueError("ddof must be integer")
    x = _observations(m, y, flag(rowvar), dtype)
    if not current().at_least(x.shape[0], 1):
        raise refuse("the covariance of no variables")
    free = (0 if flag(bias) else 1) if ddof is None else int(ddof)
    frequencies, importance = (_weights(w, x.shape[1], n) for w, n in ((fweights, "fweights"), (aweights, "aweights")))
    if frequencies is not None:
        check_any(elementwise("not_equal", frequencies, np.rint(frequencies)))
    w = frequencies if importance is None else importance if frequencies is None else frequencies * importance
    mean, total = average(x, axis=1, weights=w, returned=True)
    if w is None:
        count = x.shape[1] - free
        norm: Any = Array(size_node(count, FLOAT64), "python") if current().at_least(count, 1) else 0.0
    else:
        norm = total[0]
        if free:
            norm = norm - (free if importance is None else free * sum_of(w * importance) / norm)
        norm = np.where(norm <= 0, 0.0, norm)[()]
    centered = x - mean[:, None]
    right = (centered if w is None else centered * w).T
    product = current().make("matmul", centered.node, np.conj(right).node)
    found = fresh(product) * np.true_divide(fresh(number(1.0, FLOAT64)), norm).astype(_real(x.dtype))
    return fresh(found.node).squeeze()


def sum_of(x: Array) -> Array:
    """Python's `sum`, as NumPy uses it here."""
    return np.sum(x)


def _real(dtype: np.dtype) -> np.dtype:
    return np.dtype(f"f{dtype.itemsize // 2}") if dtype.kind == "c" else dtype


@implements(np.corrcoef, theme="statistics")
def corrcoef(x, y=None, rowvar=True, *, dtype=None):
    c = cov(x, y, rowvar, dtype=dtype)
    if c.ndim == 0:
        return c / c
    if c.dtype.kind == "c":
        raise refuse("corrcoef of complex numbers")
    deviation = np.sqrt(diag(c))
    return fresh(np.clip(c / deviation[:, None] / deviation[None, :], -1, 1).node)


__all__ = ["convolve", "correlate", "cov", "interp"]
