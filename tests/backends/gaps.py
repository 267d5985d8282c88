"""What a backend does not do as the reference does: `(op, dtype, label)`, shell patterns, and why."""

from __future__ import annotations

from fnmatch import fnmatchcase

GAPS: dict[str, dict[tuple[str, str, str], str]] = {
    "jax": {
        **{
            (op, "*", "*"): "JAX has no such function"
            for name in ("j0", "j1", "y0", "y1")
            for op in (name, f"{name}_where")
        },
        **{
            (op, "*", "*"): "JAX's function does not end"
            for name in ("exp1", "expi", "gammainc", "gammaincc")
            for op in (name, f"{name}_where")
        },
        **{(op, "c*", "*"): "JAX does not order complex numbers here" for op in ("argmax", "argmin")},
        **{
            (op, "c*", "complex nan"): "JAX orders complex nan in another way"
            for op in ("sort", "argsort", "searchsorted")
        },
        **{
            (op, "c*", "extreme"): "XLA's complex arithmetic has other results at inf and nan"
            for op in ("arctan", "arctanh", "divide", "exp2", "expm1", "power", "reciprocal", "sign", "sqrt")
        },
        ("zeta", "f*", "extreme"): "JAX gives nan for exponents of 1e10 and more",
        ("kl_div", "f64", "extreme"): "SciPy gives inf or -inf where x/y overflows or underflows",
        **{(op, "f*", "extreme"): "JAX gives nan at poles" for op in ("beta", "betaln")},
        **{
            (op, "f*", "subnormal"): "XLA flushes subnormal numbers to zero"
            for op in ("arctan2", "divide", "exp", "ldexp", "logaddexp", "multiply", "power", "reciprocal", "spacing")
        },
    },
    "numba": {},
}


def gap(backend: str, op: str, dtype: str, label: str) -> str | None:
    """Why this group of cases is known to fail, or None where it must pass."""
    for pattern, why in GAPS.get(backend, {}).items():
        if all(map(fnmatchcase, (op, dtype, label), pattern)):
            return why
    return None
