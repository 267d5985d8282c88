"""Mathematics as straight-line arithmetic, which LLVM turns into vector code on any processor.

`FLOAT64` and `FLOAT32` give, by op name, the function of scalars of that dtype that generated code calls. Infinities, nan,
zeros and subnormal numbers give what NumPy gives.
"""

from __future__ import annotations

from typing import Any

from egc.backends.numba.vector.exponential import exp, exp2, expm1
from egc.backends.numba.vector.logarithm import log, log1p
from egc.backends.numba.vector.primitives import inner, select
from egc.backends.numba.vector.trigonometric import cos, cos_float32, sin, sin_float32, tan, tan_float32

FLOAT64: dict[str, Any] = {"exp": exp, "exp2": exp2, "expm1": expm1, "log": log, "log1p": log1p}
FLOAT32: dict[str, Any] = {}
FLOAT64 |= {"sin": sin, "cos": cos, "tan": tan}
FLOAT32 |= {"sin": sin_float32, "cos": cos_float32, "tan": tan_float32}

__all__ = ["FLOAT32", "FLOAT64", "exp", "inner", "log", "log1p", "select"]
