"""scipy.special's functions that are compositions of primitives. SciPy is imported when one of them is met."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from egc import ir
from egc.capture import build
from egc.capture.array import Array, as_array, fresh, has_traced, result, to_node
from egc.capture.context import current
from egc.capture.registry import DOCUMENTED, implements_by_name
from egc.capture.surface.arguments import axes_of, flag, make, nonempty, number, refuse, where
from egc.capture.ufuncs import COMPOSED_BY_NAME, apply_loop, elementwise, loop_dtypes, special_ufunc
from egc.ir import Node

THEME = "scipy.special"

DOCUMENTED["scipy.special ufuncs"] += [f"scipy.special.{name}" for name in ("psi", "expm1", "log1p", "exp2", "cbrt")]

Formula = Callable[..., Any]


def composed(name: str) -> Callable[[Formula], Formula]:
    """Registers a ufunc of scipy.special by a formula of float64 arrays, in which SciPy computes float32 too."""

    def register(formula: Formula) -> Formula:
        def nodes(*operands: Any) -> Node:
            ufunc = special_ufunc(name)
            loop = loop_dtypes(ufunc, operands)
            if any(dtype.kind == "c" for dtype in loop):
                raise refuse(f"{name} of complex numbers", "egc has no ops for it")
            inputs = build.broadcast_together(*(to_node(value, dtype) for value, dtype in zip(operands, loop)))
            values = [result(build.cast(node, np.float64)) for node in inputs]
            return build.cast(formula(*values).node, loop[-1])

        COMPOSED_BY_NAME[f"scipy.special.{name}"] = nodes
        DOCUMENTED["scipy.special ufuncs"].append(f"scipy.special.{name}")
        return formula

    return register


def choose(condition: Any, a: Any, b: Any) -> Any:
    """`np.where` of float64 values."""
    return result(where(condition.node, *(to_node(value, np.dtype(float)) for value in (a, b))))


@composed("exp10")
def exp10(x: Any) -> Any:
    return np.power(10.0, x)


@composed("exprel")
def exprel(x: Any) -> Any:
    return choose(np.abs(x) < 1e-16, 1.0, choose(x > 717.0, np.inf, np.expm1(x) / x))


@composed("loggamma")
def loggamma(x: Any) -> Any:
    return choose(x < 0.0, np.nan, result(elementwise("gammaln", x)))


@composed("gammasgn")
def gammasgn(x: Any) -> Any:
    whole = np.floor(x)
    parity = choose(np.equal(np.remainder(whole, 2.0), 0.0), 1.0, -1.0)
    negative = choose(np.equal(whole, x), np.nan, parity)
    zero = choose(np.equal(x, 0.0), np.copysign(1.0, x), negative)
    return choose(np.isnan(x), x, choose(x > 0.0, 1.0, zero))


@composed("huber")
def huber(delta: Any, r: Any) -> Any:
    size = np.abs(r)
    inside = choose(size <= delta, 0.5 * r * r, delta * (size - 0.5 * delta))
    return choose(delta < 0.0, np.inf, inside)


@composed("pseudo_huber")
def pseudo_huber(delta: Any, r: Any) -> Any:
    ratio = r / delta
    value = delta * delta * np.expm1(0.5 * np.log1p(ratio * ratio))
    flat = np.logical_or(np.equal(delta, 0.0), np.equal(r, 0.0))
    return choose(delta < 0.0, np.inf, choose(flat, 0.0, value))


LARGEST_EXPONENT = 709.78
"""The largest exponent of exp in float64, as SciPy's `boxcox` has it."""


def _box_cox(logarithm: Any, power: Any) -> Any:
    exponent = power * logarithm
    shifted = np.copysign(np.exp(exponent - np.log(np.abs(power))), power) - 1.0 / power
    value = choose(exponent < LARGEST_EXPONENT, np.expm1(exponent) / power, shifted)
    return choose(np.abs(power) < 1e-19, logarithm, value)


@composed("boxcox")
def boxcox(x: Any, power: Any) -> Any:
    return _box_cox(np.log(x), power)


@composed("boxcox1p")
def boxcox1p(x: Any, power: Any) -> Any:
    return _box_cox(np.log1p(x), power)


@composed("inv_boxcox")
def inv_boxcox(x: Any, power: Any) -> Any:
    return choose(np.equal(power, 0.0), np.exp(x), np.exp(_inverse_logarithm(x, power)))


@composed("inv_boxcox1p")
def inv_boxcox1p(x: Any, power: Any) -> Any:
    value = np.expm1(_inverse_logarithm(x, power))
    return choose(np.equal(power, 0.0), np.expm1(x), choose(np.abs(power * x) < 1e-154, x, value))


def _inverse_logarithm(x: Any, power: Any) -> Any:
    """`log1p(power*x) / power`, also where the product overflows."""
    product = power * x
    split = (np.log(np.copysign(1.0, power) * (x + 1.0 / power)) + np.log(np.abs(power))) / power
    return choose(product < 1.79e308, np.log1p(product) / power, split)


def _kept(reduction: str, x: Any, axes: tuple[int, ...]) -> Any:
    """`np.max` or `np.sum` with keepdims."""
    return result(build.keep_axes(build.reduce(reduction, x.node, axes), x.shape, axes))


def _axes(axis: Any, rank: int) -> tuple[int, ...]:
    """The axes of a reduction; NumPy lets 0 and -1 pass for a number."""
    return () if not rank and axis in (0, -1) else axes_of(axis, rank)


def _finite_or_zero(x: Any) -> Any:
    zero = ir.constant(0, x.dtype, x.shape)
    return result(current().make("where", current().make("isfinite", x.node), x.node, zero))


@implements_by_name("scipy.special.logsumexp", theme=THEME)
def logsumexp(a: Any, axis: Any = None, b: Any = None, keepdims: Any = False, return_sign: Any = False) -> Any:
    """`log(sum(b * exp(a)))`, shifted by the largest element where that is finite (Blanchard, Higham and Higham, 2021).

    An infinite result is that of the plain formula. Elements with weight 0 count as absent.
    """
    if flag(return_sign):
        raise refuse("logsumexp(return_sign=True)")
    operands = [to_node(value) for value in ((a,) if b is None else (a, b))]
    dtypes = [np.dtype(float) if node.type.dtype.kind in "biu" else node.type.dtype for node in operands]
    dtype = np.result_type(*dtypes)
    if dtype.kind != "f":
        raise refuse("logsumexp of complex numbers", "egc has no ops for it")
    nodes = build.broadcast_together(*(build.cast(node, dtype) for node in operands))
    x: Any
    x, *weights = (result(node if node.type.rank else build.reshape(node, (1,))) for node in nodes)
    axes = axes_of(axis, x.ndim)
    if not nonempty(*x.shape):
        if len(axes) != 1:
            raise refuse("logsumexp of an empty array over several axes")
        kept = [dim for k, dim in enumerate(x.shape) if k not in axes]
        full = ir.constant(-np.inf, dtype, tuple(1 if k in axes else dim for k, dim in enumerate(x.shape)))
        return result(full if flag(keepdims) else build.reshape(full, kept))
    counted = x
    if weights:
        zero = build.zeros_like(x.node)
        absent_node = current().make("equal", weights[0].node, zero)
        counted = result(current().make("where", absent_node, number(-np.inf, dtype, x.shape), x.node))
    shift = _finite_or_zero(_kept("max", counted, axes))
    terms = np.exp(counted - shift)
    found: Any = np.log(_kept("sum", weights[0] * terms if weights else terms, axes)) + shift
    if weights:
        plain: Any = np.log(_kept("sum", weights[0] * np.exp(x), axes))
        found = result(current().make("where", current().make("isfinite", found.node), found.node, plain.node))
    if flag(keepdims):
        return found
    return result(build.reshape(found.node, [dim for k, dim in enumerate(x.shape) if k not in axes]))


@implements_by_name("scipy.special.softmax", theme=THEME)
def softmax(x: Any, axis: Any = None) -> Any:
    x = result(to_node(x))
    axes = _axes(axis, x.ndim)
    terms = np.exp(x - _kept("max", x, axes))
    return terms / _kept("sum", terms, axes)


@implements_by_name("scipy.special.log_softmax", theme=THEME)
def log_softmax(x: Any, axis: Any = None) -> Any:
    x = result(to_node(x))
    axes = _axes(axis, x.ndim)
    largest = _kept("max", x, axes)
    shifted = x - (_finite_or_zero(largest) if x.dtype.kind == "f" else largest)
    return shifted - np.log(_kept("sum", np.exp(shifted), axes))


@implements_by_name("scipy.special.softplus", theme=THEME)
def softplus(x: Any, **options: Any) -> Any:
    return np.logaddexp(0, x if isinstance(x, Array) else as_array(x), **options)


@implements_by_name("scipy.special.zeta", theme=THEME)
def zeta(x: Any, q: Any = None, out: Any = None) -> Any:
    if q is None:
        raise refuse("zeta(x)", "egc has the zeta function of two arguments only")
    if out is not None:
        raise refuse("zeta(out=)")
    return result(elementwise("zeta", x, q))


@implements_by_name("scipy.special.polygamma", theme=THEME)
def polygamma(n: Any, x: Any) -> Any:
    """`(-1)**(n+1) * n! * zeta(n+1, x)`, and digamma for n = 0."""
    if has_traced(n) or np.ndim(n):
        raise refuse("polygamma of several orders", "the order must be a number known at capture")
    from scipy import special

    order, x = np.asarray(n), as_array(x)
    if order == 0:
        return fresh(build.cast(apply_loop("digamma", special_ufunc("digamma"), (x,)), np.float64))
    factor = (-1.0) ** (order + 1) * special.gamma(order + 1.0)
    return fresh(elementwise("multiply", factor, result(elementwise("zeta", order + 1, x))))


@implements_by_name("scipy.special.multigammaln", theme=THEME)
def multigammaln(a: Any, d: Any) -> Any:
    """`log(pi) * d*(d-1)/4` plus the sum of gammaln(a - j/2) for j below d."""
    if has_traced(d):
        raise refuse("multigammaln of a dimension that is not known at capture", "it is the number of terms")
    if np.ndim(d) or np.floor(d) != d:
        raise ValueError("d should be a positive integer (dimension)")
    count = int(d)
    x: Any = result(to_node(a))
    outside: Any = np.less_equal(x, 0.5 * (count - 1))
    current().check(build.reduce("any", outside.node, range(x.ndim)))
    total = ir.constant(0, elementwise("gammaln", x - 0.0).type.dtype, x.shape)
    for j in range(count):
        total = make("add", total, elementwise("gammaln", x - j / 2))
    return result(elementwise("add", np.float64(count * (count - 1) * 0.25 * np.log(np.pi)), result(total)))


@implements_by_name("scipy.special.factorial", theme=THEME)
def factorial(n: Any, exact: Any = False, extend: Any = "zero") -> Any:
    """`gamma(n + 1)`, 0 for negative n."""
    if flag(exact) or extend != "zero" or not (isinstance(n, Array) and n.kind == "array"):
        raise refuse("factorial of a number, or with options")
    if n.dtype.kind not in "iuf":
        raise ValueError(f"Unsupported data type for `n` in factorial: {n.dtype}")
    if not nonempty(*n.shape):
        return n
    following: Any = n + 1  # type: ignore[operator]
    value = result(build.cast(elementwise("gamma", following), np.float64))
    negative = choose(np.less(n, 0), 0.0, value)
    node = negative.node if n.dtype.kind != "f" else choose(np.isnan(n), np.nan, negative).node
    return fresh(node)
