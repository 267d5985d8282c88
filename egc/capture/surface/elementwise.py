"""Elementwise functions that are not ufuncs: rounding, parts of complex numbers, tests and comparisons."""

from __future__ import annotations

from typing import Any

import numpy as np

from egc.capture import build
from egc.capture.array import Array, View, as_array, fresh, promotion_key, python_number, result, to_node
from egc.capture.context import current
from egc.capture.registry import attribute, implements, method
from egc.capture.surface.arguments import (
    BOOL,
    FLOAT64,
    absent,
    concrete_int,
    equal,
    finish,
    flag,
    make,
    number,
    refuse,
    where,
)
from egc.capture.ufuncs import call_ufunc, elementwise
from egc.errors import NotEncodable
from egc.ir import Node

THEME = "elementwise"


def rounded(a: Any, decimals: Any, out: Any) -> Array:
    """NumPy's rounding: scale by a power of ten, round half to even, scale back."""
    node, places = to_node(a), concrete_int(decimals)
    dtype = node.type.dtype
    if dtype == BOOL:
        raise refuse("rounding of bools", "NumPy's result is float16")
    if dtype.kind in "iu" and places >= 0:
        return finish(node, out)
    if places == 0:
        return finish(current().make("rint", node), out)
    if dtype.kind == "c":
        raise refuse("rounding of complex numbers to decimals")
    kind = FLOAT64 if dtype.kind in "iu" else dtype
    factor = number(10.0 ** abs(places), kind)
    there, back = ("multiply", "divide") if places > 0 else ("divide", "multiply")
    scaled = current().make("rint", make(there, build.cast(node, kind), factor))
    return finish(build.cast(make(back, scaled, factor), dtype), out)


@implements(np.round, np.around, theme=THEME, method="round")
def round_(a, decimals=0, out=None):
    return rounded(a, decimals, out)


@implements(np.fix, theme=THEME)
def fix(x, out=None):
    return call_ufunc(np.trunc, "__call__", (x,), {} if absent(out) else {"out": out})


def part(x: Array, name: str) -> Node:
    node = x.node
    if node.type.dtype.kind == "c":
        return current().make(name, node)
    return node if name == "real" else build.zeros_like(node)


def _component(x: Array, name: str) -> Array:
    if x.dtype.kind != "c" and name == "real":
        return x
    if x.kind != "array":
        return Array(part(x, name), x.kind)
    if x.dtype.kind != "c":
        return Array(part(x, name), writeable=False)
    return x.view(View(lambda base: current().make(name, base), _refuse_write))


def _refuse_write(base: Node, part: Node) -> Node:
    raise NotEncodable("a write into a part of complex numbers", "egc has no op for it", current().line)


@attribute("real")
def _real(x: Array) -> Array:
    return _component(x, "real")


@attribute("imag")
def _imag(x: Array) -> Array:
    return _component(x, "imag")


@implements(np.real, theme=THEME)
def real(val):
    return _component(val if isinstance(val, Array) else as_array(val), "real")


@implements(np.imag, theme=THEME)
def imag(val):
    return _component(val if isinstance(val, Array) else as_array(val), "imag")


@implements(np.angle, theme=THEME)
def angle(z, deg=False):
    x = z if isinstance(z, Array) else as_array(z)
    im: Any = result(part(x, "imag")) if x.dtype.kind == "c" else 0
    found: Any = np.arctan2(im, result(part(x, "real")))
    return found * (180 / np.pi) if flag(deg) else found


@method("conj", "conjugate", theme=THEME)
def _conj(x, *out):
    return x if x.kind == "python" and x.dtype.kind != "c" else np.conjugate(x, *out)


@implements(np.real_if_close, theme=THEME)
def real_if_close(a, tol=100):
    x = as_array(a)
    if x.dtype.kind == "c":
        raise refuse("real_if_close of complex numbers", "the result's dtype depends on data")
    return x


@implements(np.sinc, theme=THEME)
def sinc(x):
    scaled: Any = np.multiply(np.pi, x if isinstance(x, Array) else as_array(x))
    tiny = float(np.finfo(scaled.dtype).eps) if scaled.dtype.kind == "f" else 1e-20
    node = scaled.node
    at_zero = make("equal", node, build.zeros_like(node))
    y = result(where(at_zero, number(tiny, scaled.dtype), node))
    # At 0 the series, which is 1 there as sin(y) / y is, has the derivatives.
    square = scaled * scaled
    series = 1 - square / 6 * (1 - square / 20 * (1 - square / 42))
    return result(where(at_zero, to_node(series), to_node(np.sin(y) / y)))


@implements(np.i0, theme=THEME)
def i0(x):
    node = to_node(x)
    if node.type.dtype.kind == "c":
        raise TypeError("i0 not supported for complex values")
    node = node if node.type.dtype.kind == "f" else build.cast(node, FLOAT64)
    return fresh(current().make("i0", node))


@implements(np.nan_to_num, theme=THEME)
def nan_to_num(x, copy=True, nan=0.0, posinf=None, neginf=None):
    node = to_node(x)
    dtype = node.type.dtype
    if dtype.kind in "biu":
        return finish(node) if flag(copy) or not isinstance(x, Array) else x
    if dtype.kind == "c":
        raise refuse("nan_to_num of complex numbers")
    top, bottom = np.finfo(dtype).max, np.finfo(dtype).min
    values = [nan, top if posinf is None else posinf, bottom if neginf is None else neginf]
    fills = [build.cast(to_node(v), dtype) for v in values]
    infinite, negative = current().make("isinf", node), current().make("signbit", node)
    found = where(infinite, where(negative, fills[2], fills[1]), node)
    found = where(current().make("isnan", node), fills[0], found)
    if found.type.shape != node.type.shape:
        raise ValueError("could not broadcast the replacement to the array")
    if not flag(copy) and isinstance(x, Array) and x.kind == "array":
        x.write(found)
        return x if x.ndim else result(found)
    return result(found)


def _infinite(sign: bool) -> Any:
    def meaning(x, out=None):
        node = to_node(x)
        if node.type.dtype.kind == "c":
            raise TypeError("This operation is not supported for complex values because it would be ambiguous.")
        infinite, negative = elementwise("isinf", result(node)), elementwise("signbit", result(node))
        picked = negative if sign else current().make("logical_not", negative)
        return finish(make("logical_and", infinite, picked), out)

    return meaning


def _signed(sign: bool) -> Any:
    infinite = _infinite(sign)

    def meaning(x, out=None):
        if to_node(x).type.dtype.kind == "b":
            raise refuse("isposinf, isneginf of bools")
        return infinite(x, out)

    return meaning


implements(np.isposinf, theme=THEME)(_signed(False))
implements(np.isneginf, theme=THEME)(_signed(True))


@implements(np.isreal, theme=THEME)
def isreal(x):
    a = as_array(x)
    node = part(a, "imag")
    return result(make("equal", node, build.zeros_like(node)))


@implements(np.iscomplex, theme=THEME)
def iscomplex(x):
    a = as_array(x)
    node = part(a, "imag")
    return result(make("not_equal", node, build.zeros_like(node)))


@implements(np.iscomplexobj, theme=THEME)
def iscomplexobj(x):
    return to_node(x).type.dtype.kind == "c"


@implements(np.isrealobj, theme=THEME)
def isrealobj(x):
    return to_node(x).type.dtype.kind != "c"


@implements(np.isscalar, theme=THEME)
def isscalar(element):
    return element.kind != "array" if isinstance(element, Array) else np.isscalar(element)


def _close(a: Any, b: Any, rtol: Any, atol: Any, equal_nan: Any) -> Array:
    x = a if isinstance(a, (int, float, complex, Array)) else as_array(a)
    if isinstance(b, (int, float, complex)):
        y: Any = float(b) if isinstance(b, int) else b
    else:
        y = as_array(b)
        kind = np.result_type(WEAK.get(promotion_key(b), y.dtype), 1.0)
        y = result(build.cast(y.node, kind))
    near = np.less_equal(abs(x - y), atol + rtol * abs(y))
    found = near & np.isfinite(y) | (x == y)
    if flag(equal_nan):
        found = found | (np.isnan(x) & np.isnan(y))
    return found


WEAK = {int: 0, float: 0.0, complex: 0j}


@implements(np.isclose, theme=THEME)
def isclose(a, b, rtol=1e-05, atol=1e-08, equal_nan=False):
    return result(to_node(_close(a, b, rtol, atol, equal_nan)))


@implements(np.allclose, theme=THEME)
def allclose(a, b, rtol=1e-05, atol=1e-08, equal_nan=False):
    return _all(to_node(_close(a, b, rtol, atol, equal_nan)))


def _all(node: Node) -> Array:
    """`bool(np.all(...))`."""
    return python_number(build.reduce("all", node, range(node.type.rank)))


def _same_elements(a: Array, b: Array, equal_nan: bool) -> Array:
    found: Any = np.equal(a, b)
    if equal_nan and a.dtype.kind in "fc" and b.dtype.kind in "fc":
        found = found | (np.isnan(a) & np.isnan(b))
    return _all(found.node)


@implements(np.array_equal, theme=THEME)
def array_equal(a1, a2, equal_nan=False):
    a, b = as_array(a1), as_array(a2)
    if a.ndim != b.ndim or not all(map(equal, a.shape, b.shape)):
        return False
    return _same_elements(a, b, flag(equal_nan))


@implements(np.array_equiv, theme=THEME)
def array_equiv(a1, a2):
    a, b = as_array(a1), as_array(a2)
    try:
        build.broadcast_shape(a.shape, b.shape)
    except ValueError:
        return False
    return _same_elements(a, b, False)


__all__ = ["rounded"]
