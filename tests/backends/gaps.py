"""What a backend does not do as the reference does: `(op, dtype, label)`, shell patterns, and why."""

from __future__ import annotations

from fnmatch import fnmatchcase

GAPS: dict[str, dict[tuple[str, str, str], str]] = {
    "jax": {
        **{(op, "*", "*"): "JAX has no such function" for op in ("j0", "j1", "y0", "y1", "rgamma")},
        **{(op, "*", "*"): "JAX's function does not end" for op in ("exp1", "expi", "gammainc", "gammaincc")},
        **{
            (op, dtype, "*"): "JAX does not order complex numbers here"
            for op in ("argmax", "argmin")
            for dtype in ("c*",)
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
