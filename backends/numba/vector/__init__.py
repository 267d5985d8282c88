"""Mathematics as straight-line arithmetic, which LLVM turns into vector code on any processor.

`FLOAT64` and `FLOAT32` give, by op name, the function of scalars of that dtype that generated code calls. Infinities, nan,
zeros and subnormal numbers give what NumPy gives.
"""

from __future__ import annotations

from typing import Any

from egc.backends.numba.vector import exponential, hyperbolic, logarithm, logistic, power, single
from egc.backends.numba.vector.error_function import erf, erf_float32, erfc, erfc_float32, ndtr, ndtr_float32
from egc.backends.numba.vector.lanes import compiled
from egc.backends.numba.vector.primitives import inner, select
from egc.backends.numba.vector.trigonometric import cos, cos_float32, sin, sin_float32, tan, tan_float32

OPS = {
    exponential: "exp exp2 expm1",
    logarithm: "log log2 log10 log1p",
    hyperbolic: "sinh cosh tanh arcsinh arccosh arctanh",
    logistic: "expit log_expit logit logaddexp logaddexp2 xlogy xlog1py entr rel_entr kl_div",
    power: "power cbrt",
}
_LANES = {name: getattr(module, name) for module, names in OPS.items() for name in names.split()}
FLOAT64: dict[str, Any] = {name: compiled(function) for name, function in _LANES.items()}
FLOAT32: dict[str, Any] = {name: compiled(single.form(name, function)) for name, function in _LANES.items()}
FLOAT64 |= {"sin": sin, "cos": cos, "tan": tan}
FLOAT32 |= {"sin": sin_float32, "cos": cos_float32, "tan": tan_float32}
FLOAT64 |= {"erf": erf, "erfc": erfc, "ndtr": ndtr}
FLOAT32 |= {"erf": erf_float32, "erfc": erfc_float32, "ndtr": ndtr_float32}

__all__ = ["FLOAT32", "FLOAT64", "inner", "select"]
