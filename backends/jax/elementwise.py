"""Elementwise ops in JAX, with NumPy's results where XLA's own differ."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.scipy import special

from egc.backends.jax.table import EMIT, Errors, Params, meaning
from egc.ops import MASKED, SPECIAL, UFUNCS


@meaning(*(name for names in UFUNCS.values() for name in names))
def _ufunc(name: str, errors: Errors, params: Params, *operands: Any) -> Any:
    return getattr(jnp, name)(*operands)


ENDLESS = frozenset(["exp1", "expi", "gammainc", "gammaincc"])
"""jax.scipy.special's functions whose iteration does not end for some operands (seen with JAX 0.10.2 on a CPU)."""


@meaning(*(name for names in SPECIAL.values() for name in names if hasattr(special, name) and name not in ENDLESS))
def _special(name: str, errors: Errors, params: Params, *operands: Any) -> Any:
    return getattr(special, name)(*operands)


@meaning("log_expit")
def _log_expit(errors: Errors, params: Params, x: Any) -> Any:
    return -jnp.logaddexp(-x, jnp.zeros_like(x))


@meaning("erfcinv")
def _erfcinv(errors: Errors, params: Params, x: Any) -> Any:
    """By `ndtri`, which keeps its accuracy for small x where `erfinv(1 - x)` loses it."""
    return -special.ndtri(x / 2) * np.sqrt(0.5).astype(x.dtype)


@meaning("gcd", "lcm")
def _divisor(name: str, errors: Errors, params: Params, a: Any, b: Any) -> Any:
    """By Euclid on magnitudes as unsigned integers, so that the least integer has one; jnp's does not end for it."""
    unsigned = np.dtype(f"u{a.dtype.itemsize}")
    first, second = (lax.abs(v).astype(unsigned) if v.dtype.kind == "i" else v for v in (a, b))

    def step(pair: Any) -> Any:
        x, y = pair
        return jnp.where(y == 0, x, y), jnp.where(y == 0, y, x % jnp.maximum(y, 1))

    divisor, _ = lax.while_loop(lambda pair: jnp.any(pair[1] != 0), step, (first, second))
    if name == "gcd":
        return divisor.astype(a.dtype)
    return (first // jnp.maximum(divisor, 1) * second).astype(a.dtype)


@meaning("where")
def _where(errors: Errors, params: Params, condition: Any, a: Any, b: Any) -> Any:
    return jnp.where(condition, a, b)


@meaning("real", "imag")
def _part(name: str, errors: Errors, params: Params, x: Any) -> Any:
    return getattr(jnp, name)(x)


@meaning("frexp_mantissa")
def _frexp_mantissa(errors: Errors, params: Params, x: Any) -> Any:
    return jnp.frexp(x)[0]


@meaning("frexp_exponent")
def _frexp_exponent(errors: Errors, params: Params, x: Any) -> Any:
    return jnp.frexp(x)[1]


@meaning("cast")
def _cast(errors: Errors, params: Params, x: Any) -> Any:
    dtype = params["dtype"]
    if dtype.kind == "b":
        return x != 0
    return (x.real if x.dtype.kind == "c" and dtype.kind != "c" else x).astype(dtype)


def _by_symmetry(function: Any, z: Any, mirrored: Any, mirror: Any) -> Any:
    """`function`, which commutes with `mirror`, computed on the side of a branch cut where XLA minds no sign of zero."""
    result = function(jnp.where(mirrored, mirror(z), z))
    return jnp.where(mirrored, mirror(result), result)


@meaning("sqrt", "log", "log2", "log10", "log1p", "arccos", "arccosh", "arcsin", "arctanh")
def _cut_along_reals(name: str, errors: Errors, params: Params, x: Any) -> Any:
    function = getattr(jnp, name)
    return _by_symmetry(function, x, jnp.signbit(x.imag), jnp.conj) if x.dtype.kind == "c" else function(x)


@meaning("arctan", "arcsinh")
def _cut_along_imaginaries(name: str, errors: Errors, params: Params, x: Any) -> Any:
    function = getattr(jnp, name)
    return _by_symmetry(function, x, jnp.signbit(x.real), jnp.negative) if x.dtype.kind == "c" else function(x)


def _less(a: Any, b: Any, equal: bool) -> Any:
    """NumPy's order of complex numbers: lexicographic, false where a nan decides."""
    numbers = ~jnp.isnan(a.imag) & ~jnp.isnan(b.imag)
    imaginary = a.imag <= b.imag if equal else a.imag < b.imag
    return (a.real < b.real) & numbers | (a.real == b.real) & imaginary


@meaning("less", "less_equal", "greater", "greater_equal")
def _order(name: str, errors: Errors, params: Params, a: Any, b: Any) -> Any:
    if a.dtype.kind != "c":
        return getattr(jnp, name)(a, b)
    return _less(*((b, a) if name.startswith("greater") else (a, b)), name.endswith("equal"))


def complex_extreme(name: str, a: Any, b: Any) -> Any:
    """`maximum`, `minimum`, `fmax` or `fmin` of complex numbers as NumPy takes it."""
    first = _less(b, a, True) if name.endswith(("max", "maximum")) else _less(a, b, True)
    return jnp.where(first | jnp.isnan(b if name.startswith("f") else a), a, b)


@meaning("maximum", "minimum", "fmax", "fmin")
def _extreme(name: str, errors: Errors, params: Params, a: Any, b: Any) -> Any:
    return complex_extreme(name, a, b) if a.dtype.kind == "c" else getattr(jnp, name)(a, b)


@meaning("floor_divide")
def _floor_divide(errors: Errors, params: Params, a: Any, b: Any) -> Any:
    if a.dtype.kind not in "iu":
        return jnp.floor_divide(a, b)
    return jnp.where(b == 0, 0, jnp.floor_divide(a, jnp.where(b == 0, 1, b)))


@meaning("power")
def _power(errors: Errors, params: Params, a: Any, b: Any) -> Any:
    if a.dtype.kind == "c":
        return jnp.where((a == 0) & (b.real > 0), 0, jnp.power(a, b))
    if a.dtype.kind not in "iu":
        return jnp.power(a, b)
    errors.when(b < 0, "ValueError", "Integers to negative integer powers are not allowed.")
    return _integer_power(a, jnp.maximum(b, 0))


def _integer_power(base: Any, exponent: Any) -> Any:
    """By repeated squaring over all bits of the exponent; jnp's stops after six."""

    def step(state: Any) -> Any:
        result, square, rest = state
        return jnp.where(rest & 1 != 0, result * square, result), square * square, rest >> 1

    start = (jnp.ones_like(base), base, exponent)
    return lax.while_loop(lambda state: jnp.any(state[2] != 0), step, start)[0]


@meaning("reciprocal")
def _reciprocal(errors: Errors, params: Params, x: Any) -> Any:
    """An integer zero gives what NumPy gives on this machine."""
    if x.dtype.kind not in "iu":
        return jnp.reciprocal(x)
    with np.errstate(divide="ignore", invalid="ignore"):
        of_zero = np.reciprocal(np.zeros(1, x.dtype))[0]
    return jnp.where(x == 0, of_zero, jnp.floor_divide(1, jnp.where(x == 0, 1, x)) * (jnp.abs(x) == 1))


@meaning("absolute")
def _absolute(errors: Errors, params: Params, x: Any) -> Any:
    """A complex number with an infinite part is infinitely large, whatever the other part."""
    if x.dtype.kind != "c":
        return jnp.absolute(x)
    return jnp.where(jnp.isinf(x.real) | jnp.isinf(x.imag), np.inf, jnp.absolute(x))


@meaning("sign")
def _sign(errors: Errors, params: Params, x: Any) -> Any:
    return jnp.where(x == 0, 0, jnp.sign(x))


@meaning("spacing")
def _spacing(errors: Errors, params: Params, x: Any) -> Any:
    return jnp.where(x == 0, jnp.finfo(x.dtype).smallest_subnormal, jnp.spacing(x))


@meaning("logaddexp2")
def _logaddexp2(errors: Errors, params: Params, a: Any, b: Any) -> Any:
    return jnp.where(a == b, a + 1, jnp.logaddexp2(a, b))


@meaning("rgamma")
def _rgamma(errors: Errors, params: Params, x: Any) -> Any:
    return jnp.where((x <= 0) & (x == jnp.floor(x)), 0.0, 1 / special.gamma(x))


@meaning("digamma")
def _digamma(errors: Errors, params: Params, x: Any) -> Any:
    return jnp.where(x == 0, -jnp.copysign(np.inf, x), special.digamma(x))


@meaning("gammaln")
def _gammaln(errors: Errors, params: Params, x: Any) -> Any:
    return jnp.where(x == -np.inf, -np.inf, special.gammaln(x))


@meaning("zeta")
def _zeta(errors: Errors, params: Params, x: Any, q: Any) -> Any:
    value = jnp.where((x > 1) & (q == np.inf), 0, special.zeta(x, q))
    value = jnp.where((q <= 0) & (q == jnp.floor(q)), np.inf, value)
    return jnp.where(x == 1, np.inf, jnp.where((x < 1) | jnp.isnan(x) | jnp.isnan(q), np.nan, value))


@meaning("rel_entr", "kl_div")
def _entropy(name: str, errors: Errors, params: Params, x: Any, y: Any) -> Any:
    """SciPy's cases: nan passes, x = 0 gives 0 (or y), and what is negative gives inf."""
    ratio = x / y
    near, usual = (ratio > 0.5) & (ratio < 2), (ratio > 0) & (ratio < np.inf)
    logarithm = jnp.where(near, jnp.log1p((x - y) / y), jnp.where(usual, jnp.log(ratio), jnp.log(x) - jnp.log(y)))
    inside, rest = (x * logarithm, 0.0) if name == "rel_entr" else (x * logarithm - x + y, y)
    value = jnp.where((x > 0) & (y > 0), inside, jnp.where((x == 0) & (y >= 0), rest, np.inf))
    return jnp.where(jnp.isnan(x) | jnp.isnan(y), np.nan, value)


@meaning(*(name for name, function in MASKED.items() if function in EMIT))
def _masked(name: str, errors: Errors, params: Params, mask: Any, other: Any, *operands: Any) -> Any:
    return jnp.where(mask, EMIT[MASKED[name]](errors, {}, *operands), other)
