"""Vector functions over arrays: their errors against mpmath, their special values against NumPy, the code LLVM makes of them."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pytest
from numba import njit

from egc.backends.numba import vector

mpmath = pytest.importorskip("mpmath")

RNG = np.random.default_rng(0)
DTYPES = ["float64", "float32"]
TABLES = {"float64": vector.FLOAT64, "float32": vector.FLOAT32}
TINY = {"float64": 5e-324, "float32": 1.4e-45}
SPECIAL = [0.0, 1.0, math.inf, 0.5, 0.25, 1.5, 2.0, 3.0, 10.0, 20.0, 100.0, 1e-20, 2.0**-26, 1e30]
"""With their negatives, nan, and numbers next to one another at the ends of a range."""
ENDS = {
    "float64": [5e-324, 2.2250738585072014e-308, 1.7976931348623157e308, 1e300, 709.782712893384, 709.7827128933841]
    + [745.1332191019411, 745.1332191019412, 710.4758600739439, 710.475860073944, 1023.9999999999999, 1024.0, 1075.0]
    + [0.9999999999999999, 1.0000000000000002, 9007199254740993.0, 4503599627370497.0],
    "float32": [1.4e-45, 1.1754944e-38, 3.4028235e38, 88.72283, 88.72284, 103.97207, 103.97208, 89.41598, 89.41599]
    + [127.99999, 128.0, 149.0, 150.0, 0.99999994, 1.0000001, 16777217.0, 8388609.0],
}


def special(dtype: str) -> np.ndarray:
    positive = np.array(SPECIAL + ENDS[dtype], dtype)
    return np.concatenate([positive, -positive, np.array([math.nan], dtype)])


def wide(count: int, dtype: str = "float64") -> np.ndarray:
    """Positive numbers of all magnitudes, subnormal ones included."""
    low, high = (-1074, 1024) if dtype == "float64" else (-149, 128)
    return np.ldexp(RNG.uniform(1, 2, count), RNG.integers(low, high, count))


def loop(scalar: Any, arity: int) -> Callable[..., None]:
    def unary(x, result):
        for i in range(x.size):
            result[i] = scalar(x[i])

    def binary(x, y, result):
        for i in range(x.size):
            result[i] = scalar(x[i], y[i])

    return unary if arity == 1 else binary


def over(scalar: Any, *operands: np.ndarray) -> np.ndarray:
    """A function of scalars, compiled into a loop over arrays."""
    result = np.empty_like(operands[0])
    njit(error_model="numpy")(loop(scalar, len(operands)))(*operands, result)
    return result


def assert_within(
    limit: float, scalar: Any, exact: Callable[..., Any], *operands: np.ndarray, larger: bool = False
) -> None:
    """The error in units of the last place of the result (with `larger`, of the larger of it and the operands)."""
    got = over(scalar, *operands)
    info = np.finfo(got.dtype)
    with mpmath.workprec(200):
        for *point, result in zip(*(x.tolist() for x in operands), got.tolist()):
            want = exact(*map(mpmath.mpf, point))
            if abs(want) < mpmath.mpf(float(info.max)):
                size = max(abs(float(want)), *map(abs, point)) if larger else abs(float(want))
                unit = mpmath.mpf(float(np.spacing(got.dtype.type(size))))
                assert abs(mpmath.mpf(result) - want) <= limit * unit, (point, result)


def assert_special(scalar: Any, reference: Callable[..., Any], *operands: np.ndarray) -> None:
    """Zeros, infinities, nan and signs as the reference has them, other values nearly."""
    got = over(scalar, *operands)
    with np.errstate(all="ignore"):
        want = reference(*operands)
    assert want.dtype == got.dtype
    info = np.finfo(got.dtype)
    tiny = 2 * float(info.smallest_subnormal)
    np.testing.assert_allclose(got, want, rtol=2 * float(info.eps), atol=tiny)
    ends = (want == 0) | np.isinf(want)
    assert np.array_equal(got[ends], want[ends])
    assert np.array_equal(np.signbit(got[ends]), np.signbit(want[ends]))


def pairs(values: np.ndarray) -> Iterable[np.ndarray]:
    return np.repeat(values, values.size), np.tile(values, values.size)


def assert_vectorized(scalar: Any, arity: int, dtype: str) -> None:
    """The loop works on vectors and calls nothing but LLVM's own functions."""
    compiled = njit(error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)(loop(scalar, arity))
    compiled.compile(f"void({', '.join([f'{dtype}[::1]'] * (arity + 1))})")
    (code,) = compiled.inspect_llvm().values()
    assert re.search(r"= f(mul|add|sub) <\d+ x (double|float)>|<\d+ x (double|float)> @llvm.f", code)
    calls = set(re.findall(r"call [^@\n]*@([\w.]+)", code))
    assert all(name.startswith("llvm.") for name in calls), calls
    (assembly,) = compiled.inspect_asm().values()
    libraries = r"\b(exp|log|pow|sin|tan|cos|fma|cbrt|fmod|ldexp|sqrt|floor|rint)[a-z0-9]*\b(?=@PLT|, %r)"
    assert not re.search(libraries, assembly)
