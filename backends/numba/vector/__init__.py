"""Mathematics as straight-line arithmetic, which LLVM turns into vector code on any processor.

`FLOAT64` and `FLOAT32` give, by op name, the function of scalars of that dtype that generated code calls. Infinities, nan,
zeros and subnormal numbers give what NumPy gives.
"""

from __future__ import annotations

from typing import Any

from egc.backends.numba.vector import (
    error_function,
    exponential,
    gamma,
    hyperbolic,
    inverse_trigonometric,
    logarithm,
    logistic,
    power,
    single,
    trigonometric,
)
from egc.backends.numba.vector.lanes import compiled
from egc.backends.numba.vector.primitives import inner, select

OPS = {
    exponential: "exp exp2 expm1",
    logarithm: "log log2 log10 log1p",
    hyperbolic: "sinh cosh tanh arcsinh arccosh arctanh",
    logistic: "expit log_expit logit logaddexp logaddexp2 xlogy xlog1py entr rel_entr kl_div",
    power: "power cbrt",
    trigonometric: "sin cos tan",
    inverse_trigonometric: "arcsin arccos arctan arctan2 hypot",
    error_function: "erf erfc ndtr",
    gamma: "gammaln digamma",
}
_LANES = {name: getattr(module, name) for module, names in OPS.items() for name in names.split()}
_OWN = {
    name: getattr(module, f"{name}_float32")
    for module, names in OPS.items()
    for name in names.split()
    if hasattr(module, f"{name}_float32")
}
FLOAT64: dict[str, Any] = {name: compiled(function) for name, function in _LANES.items()}
FLOAT32: dict[str, Any] = {
    name: compiled(_OWN.get(name) or single.form(name, function)) for name, function in _LANES.items()
}

__all__ = ["FLOAT32", "FLOAT64", "inner", "select"]
