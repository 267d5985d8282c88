"""Mathematics as straight-line arithmetic, which LLVM turns into vector code on any processor.

`FLOAT64` and `FLOAT32` give, by op name, the function of scalars of that dtype that generated code calls. Infinities, nan,
zeros and subnormal numbers give what NumPy gives.
"""

from __future__ import annotations

from typing import Any

from egc.backends.numba.vector.error_function import erf, erf_float32, erfc, erfc_float32, ndtr, ndtr_float32
from egc.backends.numba.vector.exponential import exp, exp2, expm1
from egc.backends.numba.vector.hyperbolic import arccosh, arcsinh, arctanh, cosh, sinh, tanh
from egc.backends.numba.vector.logarithm import log, log1p, log2, log10
from egc.backends.numba.vector.logistic import (
    entr,
    expit,
    kl_div,
    log_expit,
    logaddexp,
    logaddexp2,
    logit,
    rel_entr,
    xlog1py,
    xlogy,
)
from egc.backends.numba.vector.power import cbrt, power
from egc.backends.numba.vector.primitives import inner, select
from egc.backends.numba.vector.single import rounded, rounded2
from egc.backends.numba.vector.trigonometric import cos, cos_float32, sin, sin_float32, tan, tan_float32

FLOAT64: dict[str, Any] = {"exp": exp, "exp2": exp2, "expm1": expm1, "log": log, "log1p": log1p}
FLOAT64 |= {"log2": log2, "log10": log10, "cbrt": cbrt, "expit": expit, "log_expit": log_expit, "logit": logit}
FLOAT64 |= {"sinh": sinh, "cosh": cosh, "tanh": tanh, "arcsinh": arcsinh, "arccosh": arccosh, "arctanh": arctanh}
FLOAT64 |= {"entr": entr}
FLOAT32: dict[str, Any] = {name: rounded(function) for name, function in FLOAT64.items()}
BINARY: dict[str, Any] = {"power": power, "logaddexp": logaddexp, "logaddexp2": logaddexp2}
BINARY |= {"xlogy": xlogy, "xlog1py": xlog1py, "rel_entr": rel_entr, "kl_div": kl_div}
FLOAT64 |= BINARY
FLOAT32 |= {name: rounded2(function) for name, function in BINARY.items()}
FLOAT64 |= {"sin": sin, "cos": cos, "tan": tan}
FLOAT32 |= {"sin": sin_float32, "cos": cos_float32, "tan": tan_float32}
FLOAT64 |= {"erf": erf, "erfc": erfc, "ndtr": ndtr}
FLOAT32 |= {"erf": erf_float32, "erfc": erfc_float32, "ndtr": ndtr_float32}

__all__ = ["FLOAT32", "FLOAT64", "inner", "select"]
