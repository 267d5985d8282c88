"""Ops on each element, with the dtypes of one of their ufunc's loops."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from egc.errors import OperandTypeError
from egc.ops.table import BOOL, OPS, Infer, Op, op, same_shape
from egc.types import ArrayType

UFUNCS = {
    1: """absolute arccos arccosh arcsin arcsinh arctan arctanh bitwise_count cbrt ceil conjugate cos cosh exp exp2
          expm1 floor invert isfinite isinf isnan log log10 log1p log2 logical_not negative reciprocal rint sign
          signbit sin sinh spacing sqrt tan tanh trunc""".split(),
    2: """add arctan2 bitwise_and bitwise_or bitwise_xor copysign divide equal floor_divide fmax fmin fmod gcd greater
          greater_equal heaviside hypot lcm ldexp left_shift less less_equal logaddexp logaddexp2 logical_and
          logical_or logical_xor maximum minimum multiply nextafter not_equal power remainder right_shift
          subtract""".split(),
}
"""NumPy's ufuncs that are primitives, by number of operands, under NumPy's names."""

SPECIAL = {
    1: """erf erfc erfcx erfinv erfcinv gammaln gamma digamma expit log_expit logit ndtr ndtri log_ndtr i0 i0e i1 i1e
          j0 j1 y0 y1 dawsn exp1 expi entr rgamma""".split(),
    2: "xlogy xlog1py betaln beta gammainc gammaincc zeta rel_entr kl_div".split(),
    3: ["betainc"],
}
"""scipy.special's functions that are primitives, by number of operands, on float32 and float64."""

MASKED = {
    f"{name}_where": name
    for name in """erfcx erfinv erfcinv gamma ndtri log_ndtr i0 i0e i1 i1e j0 j1 y0 y1 dawsn exp1 expi rgamma betaln beta
                   gammainc gammaincc zeta betainc""".split()
}
"""Ops that apply one of scipy.special's slow functions where a mask holds, by name; the function's name.

Their operands are the mask, what the result is elsewhere, and the function's."""

COMMUTATIVE = frozenset(
    """add multiply maximum minimum fmax fmin equal not_equal logical_and logical_or logical_xor bitwise_and
       bitwise_or bitwise_xor hypot logaddexp logaddexp2 gcd lcm""".split()
)


@lru_cache(maxsize=4096)
def ufunc_loop(name: str, operands: tuple[Any, ...]) -> tuple[np.dtype, ...]:
    """The dtypes of the loop NumPy picks: inputs, then outputs. `int`, `float`, `complex` are weak Python scalars."""
    ufunc = getattr(np, name)
    try:
        return tuple(ufunc.resolve_dtypes((*operands, *[None] * ufunc.nout)))
    except TypeError as error:
        raise OperandTypeError(str(error)) from error


def _ufunc_infer(name: str) -> Infer:
    def infer(types: Sequence[ArrayType], params: Mapping[str, Any]) -> ArrayType:
        given = tuple(t.dtype for t in types)
        *loop, result = ufunc_loop(name, given)
        if tuple(loop) != given:
            raise OperandTypeError(f"{name}: operands {given} must be cast to {tuple(loop)} first")
        return ArrayType(result, same_shape(name, types))

    return infer


def _special_infer(name: str) -> Infer:
    def infer(types: Sequence[ArrayType], params: Mapping[str, Any]) -> ArrayType:
        if any(t.dtype != types[0].dtype for t in types) or types[0].dtype.kind != "f":
            raise OperandTypeError(f"{name}: operands must be all float32 or all float64")
        return ArrayType(types[0].dtype, same_shape(name, types))

    return infer


def _masked_infer(name: str) -> Infer:
    def infer(types: Sequence[ArrayType], params: Mapping[str, Any]) -> ArrayType:
        if types[0].dtype != BOOL:
            raise OperandTypeError(f"{name}: the mask must be bool")
        _special_infer(name)(types[1:], params)
        return ArrayType(types[1].dtype, same_shape(name, types))

    return infer


for _arity, _names in UFUNCS.items():
    for _name in _names:
        OPS[_name] = Op(_name, "elementwise", _arity, (), _ufunc_infer(_name))
for _arity, _names in SPECIAL.items():
    for _name in _names:
        OPS[_name] = Op(_name, "elementwise", _arity, (), _special_infer(_name))
for _name, _function in MASKED.items():
    OPS[_name] = Op(_name, "elementwise", (OPS[_function].arity or 0) + 2, (), _masked_infer(_name))


@op("where", "elementwise", 3)
def _where(types, params):
    condition, a, b = types
    if condition.dtype != BOOL or a.dtype != b.dtype:
        raise OperandTypeError("where: needs a bool condition and two operands of one dtype")
    return a.with_shape(same_shape("where", types))


@op("real", "elementwise", 1)
@op("imag", "elementwise", 1)
def _parts(types, params):
    (x,) = types
    if x.dtype.kind != "c":
        raise OperandTypeError("real, imag: need a complex operand")
    return x.with_dtype(np.dtype(f"f{x.dtype.itemsize // 2}"))


@op("frexp_mantissa", "elementwise", 1)
@op("assume", "elementwise", 1, "facts")
def _unchanged(types, params):
    return types[0]


@op("frexp_exponent", "elementwise", 1)
def _frexp_exponent(types, params):
    return types[0].with_dtype(np.dtype(np.int32))


@op("cast", "elementwise", 1, "dtype")
def _cast(types, params):
    return types[0].with_dtype(params["dtype"])
