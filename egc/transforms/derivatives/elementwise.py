"""Derivatives of the elementwise ops, one row each: for each operand, its tangent times the partial derivative.

A row's functions take the tangent, the operands and the result. The same product carries cotangents back, since an elementwise
derivative is diagonal. The formulas are those of Abramowitz and Stegun, "Handbook of Mathematical Functions" (1964), and of the
NIST Digital Library of Mathematical Functions; where a derivative does not exist, the row's comment says what stands for it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from egc import ir
from egc.ir import make
from egc.transforms.derivatives.notation import Value, apply, where

Row = tuple[Callable[..., Value] | None, ...]
"""For each operand: the tangent's contribution; None where it is 0 everywhere."""

PARTIALS: dict[str, Row] = {}

UNKNOWN: dict[str, tuple[int, ...]] = {
    "gammainc": (0,),
    "gammaincc": (0,),
    "betainc": (0, 1),
    "zeta": (0,),
}
"""Operands whose derivative has no form in egc's ops."""

_LN2, _LN10, _SQRT_PI = math.log(2.0), math.log(10.0), math.sqrt(math.pi)


def _row(*partials: Callable[..., Value] | None, names: str) -> None:
    PARTIALS.update(dict.fromkeys(names.split(), partials))


def _f(name: str, *operands: Any) -> Value:
    return apply(name, *operands)


def _share(t: Value, x: Value, y: Value, out: Value) -> Value:
    """All of the tangent where x is the result, half of it where both operands are, as in JAX."""
    whole = where(x.equals(out), t, 0.0)
    return where(x.equals(y), t * 0.5, whole)


def _safe(x: Value) -> Value:
    """x, and 1 where it is 0: for quotients that are not used there."""
    return where(x.equals(0), 1.0, x)


def _power_base(t: Value, x: Value, y: Value, out: Value) -> Value:
    """y x^(y-1); 0 where y is 0, also at x = 0."""
    if ir.is_constant(y.node):
        exponent = y.node.params["value"]
        if exponent == 0:
            return t * 0.0
        if exponent == 1:
            return t
        if exponent == 2:
            return t * (2.0 * x)
        if exponent == 1.5:
            return t * (1.5 * np.sqrt(x))
        return t * (exponent * x ** (exponent - 1))
    return t * where(y.equals(0), 0.0, y * x ** where(y.equals(0), 1.0, y - 1.0))


def _power_exponent(t: Value, x: Value, y: Value, out: Value) -> Value:
    """x^y log x; 0 where x is 0, as in JAX."""
    return t * (out * np.log(_safe(x)))


# Constant almost everywhere: the derivative is 0, at the jumps as well.
_row(None, names="floor ceil rint trunc spacing")
_row(None, None, names="floor_divide heaviside")
_row(lambda t, x, y, out: t, None, names="nextafter")

_row(lambda t, x, y, out: t, lambda t, x, y, out: t, names="add")
_row(lambda t, x, y, out: t, lambda t, x, y, out: -t, names="subtract")
_row(lambda t, x, y, out: t * y, lambda t, x, y, out: t * x, names="multiply")
_row(lambda t, x, y, out: t / y, lambda t, x, y, out: -(t * (out / y)), names="divide")
_row(_power_base, _power_exponent, names="power")
_row(lambda t, x, out: -t, names="negative")
_row(lambda t, x, out: -(t * (out * out)), names="reciprocal")
_row(lambda t, x, out: t / (2.0 * out), names="sqrt")
_row(lambda t, x, out: t / (3.0 * (out * out)), names="cbrt")
_row(lambda t, x, out: t * out, names="exp")
_row(lambda t, x, out: t * (_LN2 * out), names="exp2")
_row(lambda t, x, out: t * (out + 1.0), names="expm1")
_row(lambda t, x, out: t / x, names="log")
_row(lambda t, x, out: t / (x * _LN2), names="log2")
_row(lambda t, x, out: t / (x * _LN10), names="log10")
_row(lambda t, x, out: t / (x + 1.0), names="log1p")
_row(lambda t, x, out: t * np.cos(x), names="sin")
_row(lambda t, x, out: -(t * np.sin(x)), names="cos")
_row(lambda t, x, out: t * (1.0 + out * out), names="tan")
_row(lambda t, x, out: t / np.sqrt((1.0 - x) * (1.0 + x)), names="arcsin")
_row(lambda t, x, out: -(t / np.sqrt((1.0 - x) * (1.0 + x))), names="arccos")
_row(lambda t, x, out: t / (1.0 + x * x), names="arctan")
_row(lambda t, x, out: t * np.cosh(x), names="sinh")
_row(lambda t, x, out: t * np.sinh(x), names="cosh")
_row(lambda t, x, out: t * ((1.0 - out) * (1.0 + out)), names="tanh")
_row(lambda t, x, out: t / np.sqrt(x * x + 1.0), names="arcsinh")
_row(lambda t, x, out: t / (np.sqrt(x - 1.0) * np.sqrt(x + 1.0)), names="arccosh")
_row(lambda t, x, out: t / ((1.0 - x) * (1.0 + x)), names="arctanh")

_row(_share, lambda t, x, y, out: _share(t, y, x, out), names="maximum minimum")
_row(_share, lambda t, x, y, out: _share(t, y, x, out), names="fmax fmin")
_row(lambda t, x, y, out: t * np.copysign(_f("sign", x), x * y), None, names="copysign")
_row(lambda t, x, y, out: t, lambda t, x, y, out: -(t * np.floor(x / y)), names="remainder")
_row(lambda t, x, y, out: t, lambda t, x, y, out: -(t * np.trunc(x / y)), names="fmod")
# At the origin the derivative is 0 for hypot, and nan for arctan2, as in NumPy's own division.
_row(lambda t, x, y, out: t * (x / _safe(out)), lambda t, x, y, out: t * (y / _safe(out)), names="hypot")
_row(lambda t, y, x, out: t * (x / (x * x + y * y)), lambda t, y, x, out: -(t * (y / (x * x + y * y))), names="arctan2")
_row(
    lambda t, x, y, out: t * _weight(np.exp, x, out), lambda t, x, y, out: t * _weight(np.exp, y, out),
    names="logaddexp",
)  # fmt: skip
_row(
    lambda t, x, y, out: t * _weight(np.exp2, x, out), lambda t, x, y, out: t * _weight(np.exp2, y, out),
    names="logaddexp2",
)  # fmt: skip
_row(lambda t, x, e, out: t * Value(_ldexp_one(x, e)), None, names="ldexp")
_row(lambda t, x, out: Value(_scaled(t, x)), names="frexp_mantissa")
_row(None, lambda t, m, x, y, out: where(m, t, 0.0), lambda t, m, x, y, out: where(m, 0.0, t), names="where")

_row(lambda t, x, out: t * (2.0 / _SQRT_PI * np.exp(-(x * x))), names="erf")
_row(lambda t, x, out: -(t * (2.0 / _SQRT_PI * np.exp(-(x * x)))), names="erfc")
_row(lambda t, x, out: t * (2.0 * x * out - 2.0 / _SQRT_PI), names="erfcx")
_row(lambda t, x, out: t * (_SQRT_PI / 2.0 * np.exp(out * out)), names="erfinv")
_row(lambda t, x, out: -(t * (_SQRT_PI / 2.0 * np.exp(out * out))), names="erfcinv")
_row(lambda t, x, out: t * _f("digamma", x), names="gammaln")
_row(lambda t, x, out: t * (out * _f("digamma", x)), names="gamma")
_row(lambda t, x, out: -(t * (out * _f("digamma", x))), names="rgamma")
_row(lambda t, x, out: t * _trigamma(x), names="digamma")
_row(lambda t, x, out: t * (out * (1.0 - out)), names="expit")
_row(lambda t, x, out: t * _f("expit", -x), names="log_expit")
_row(lambda t, x, out: t / (x * (1.0 - x)), names="logit")
_row(lambda t, x, out: t * (np.exp(x * x * -0.5) / math.sqrt(2.0 * math.pi)), names="ndtr")
_row(lambda t, x, out: t * (math.sqrt(2.0 * math.pi) * np.exp(out * out * 0.5)), names="ndtri")
_row(lambda t, x, out: t * (np.exp(x * x * -0.5 - out) / math.sqrt(2.0 * math.pi)), names="log_ndtr")
_row(lambda t, x, out: t * _f("i1", x), names="i0")
_row(lambda t, x, out: t * (_f("i1e", x) - _f("sign", x) * out), names="i0e")
_row(lambda t, x, out: t * (_f("i0", x) - _over(out, x, 0.5)), names="i1")
_row(lambda t, x, out: t * (_f("i0e", x) - _over(out, x, 0.5) - _f("sign", x) * out), names="i1e")
_row(lambda t, x, out: -(t * _f("j1", x)), names="j0")
_row(lambda t, x, out: t * (_f("j0", x) - _over(out, x, 0.5)), names="j1")
_row(lambda t, x, out: -(t * _f("y1", x)), names="y0")
_row(lambda t, x, out: t * (_f("y0", x) - out / x), names="y1")
_row(lambda t, x, out: t * (1.0 - 2.0 * x * out), names="dawsn")
_row(lambda t, x, out: -(t * (np.exp(-x) / x)), names="exp1")
_row(lambda t, x, out: t * (np.exp(x) / x), names="expi")
_row(lambda t, x, out: -(t * (np.log(x) + 1.0)), names="entr")
# The products with 0 * log 0 = 0: the derivative with respect to the factor is the logarithm.
_row(lambda t, x, y, out: t * np.log(y), lambda t, x, y, out: t * (x / y), names="xlogy")
_row(lambda t, x, y, out: t * np.log1p(y), lambda t, x, y, out: t * (x / (1.0 + y)), names="xlog1py")
_row(
    lambda t, a, b, out: t * (_f("digamma", a) - _f("digamma", a + b)),
    lambda t, a, b, out: t * (_f("digamma", b) - _f("digamma", a + b)),
    names="betaln",
)
_row(
    lambda t, a, b, out: t * (out * (_f("digamma", a) - _f("digamma", a + b))),
    lambda t, a, b, out: t * (out * (_f("digamma", b) - _f("digamma", a + b))),
    names="beta",
)
_row(None, lambda t, a, x, out: t * _gamma_density(a, x), names="gammainc")
_row(None, lambda t, a, x, out: -(t * _gamma_density(a, x)), names="gammaincc")
_row(None, lambda t, s, q, out: -(t * (s * _f("zeta", s + 1.0, q))), names="zeta")
_row(lambda t, x, y, out: t * (np.log(x / y) + 1.0), lambda t, x, y, out: -(t * (x / y)), names="rel_entr")
_row(lambda t, x, y, out: t * np.log(x / y), lambda t, x, y, out: t * (1.0 - x / y), names="kl_div")
_row(
    None, None,
    lambda t, a, b, x, out: t * np.exp((a - 1.0) * np.log(x) + (b - 1.0) * np.log1p(-x) - _f("betaln", a, b)),
    names="betainc",
)  # fmt: skip


def _weight(exponential: Any, x: Value, out: Value) -> Value:
    """The share of one term in a sum of exponentials; one that equals the sum has 1, though both are infinite."""
    return exponential(where(x.equals(out), 0.0, x - out))


def _trigamma(x: Value) -> Value:
    """The derivative of digamma: Hurwitz's zeta(2, x) for positive x, by reflection below (DLMF 5.15.6)."""
    two = Value(ir.constant(2.0, x.node.type.dtype, x.node.type.shape))
    sine = np.sin(math.pi * x)
    positive = x > 0.0
    above = _f("zeta", two, where(positive, x, 1.0 - x))
    return where(positive, above, (math.pi / sine) * (math.pi / sine) - above)


def _over(y: Value, x: Value, limit: float) -> Value:
    """y / x, and its limit at 0."""
    return where(x.equals(0), limit, y / _safe(x))


def _gamma_density(a: Value, x: Value) -> Value:
    return np.exp((a - 1.0) * np.log(x) - x - _f("gammaln", a))


def _ldexp_one(x: Value, e: Value) -> Any:
    return make("ldexp", ir.constant(1.0, x.node.type.dtype, x.node.type.shape), e.node)


def _scaled(t: Value, x: Value) -> Any:
    exponent = make("frexp_exponent", x.node)
    return make("ldexp", t.node, make("negative", exponent))
