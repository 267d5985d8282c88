"""When two backends' results for one case agree.

Moves of data, comparisons, integers and correctly rounded operations agree exactly, signs of zero included. Other
elementwise functions agree to `ELEMENTWISE` units of rounding, scipy.special's to `SPECIAL_FUNCTIONS`, sums of products
to `ACCUMULATED` and linear algebra to `LINALG`, the last two relative to the largest magnitude in the result.
Factorizations that are not unique agree when they rebuild the operand.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from egc.ops import MASKED, OPS, SPECIAL

from .samples import Case

ELEMENTWISE, SPECIAL_FUNCTIONS, ACCUMULATED, LINALG = 32, 1024, 64, 1024

EXACT = frozenset(
    """absolute add subtract multiply divide negative ceil floor trunc rint sqrt conjugate copysign equal not_equal
       less less_equal greater greater_equal fmax fmin maximum minimum isfinite isinf isnan logical_and logical_or
       logical_xor logical_not sign signbit nextafter spacing where cast assume real imag frexp_mantissa
       frexp_exponent fmod ldexp heaviside""".split()
)
ROUNDED_FOR_COMPLEX = frozenset(["absolute", "multiply", "divide", "sqrt", "sign"])
UNSIGNED_ZERO = frozenset("maximum minimum fmax fmin max min cummax cummin sort scatter".split())
"""NumPy itself does not fix which of 0.0 and -0.0 these give."""

MOVES = frozenset(["shape", "leaf", "index", "order"])


def assert_agree(case: Case, actual: Sequence[Any], expected: Sequence[np.ndarray]) -> None:
    """Raises AssertionError, showing both, when a backend's results differ from the reference's."""
    assert len(actual) == len(expected)
    for ours, theirs in zip(actual, expected):
        assert isinstance(ours, np.ndarray) and ours.dtype == theirs.dtype and ours.shape == theirs.shape, (
            f"got {getattr(ours, 'dtype', type(ours))}{np.shape(ours)}, not {theirs.dtype}{theirs.shape}"
        )
    rebuilt = REBUILT.get(case.op)
    if rebuilt is not None:
        actual, expected = rebuilt(case, *actual), rebuilt(case, *expected)
    for ours, theirs in zip(actual, expected):
        _assert_close(case, ours, theirs)


def _assert_close(case: Case, actual: np.ndarray, expected: np.ndarray) -> None:
    units = _units(case, expected)
    if expected.dtype.kind not in "fc" or not units:
        np.testing.assert_array_equal(actual, expected)
        if expected.dtype.kind == "f" and case.op not in UNSIGNED_ZERO:
            zero = expected == 0
            np.testing.assert_array_equal(np.signbit(actual[zero]), np.signbit(expected[zero]), "signs of zero")
        return
    eps = np.finfo(expected.dtype).eps
    finite = np.abs(expected[np.isfinite(expected)])
    scale = float(np.max(finite, initial=0)) if OPS[case.op].kind != "elementwise" else 0
    floor = 0 if not scale and expected.dtype.kind == "f" and case.op not in SPECIAL[1] + SPECIAL[2] else units * eps
    np.testing.assert_allclose(actual, expected, rtol=units * eps, atol=max(scale * units * eps, floor))


def _units(case: Case, expected: np.ndarray) -> int:
    kind, complex_operand = OPS[case.op].kind, case.dtype in ("c64", "c128")
    if kind in MOVES or (case.op in ("max", "min", "cummax", "cummin")):
        return 0 if case.op != "scatter" else ACCUMULATED
    if kind == "elementwise":
        if case.op in EXACT and not (complex_operand and case.op in ROUNDED_FOR_COMPLEX):
            return 0
        return (
            SPECIAL_FUNCTIONS
            if any(MASKED.get(case.op, case.op) in names for names in SPECIAL.values())
            else ELEMENTWISE
        )
    return LINALG if kind == "linalg" else ACCUMULATED


def _transposed(a: np.ndarray) -> np.ndarray:
    return np.swapaxes(a, -1, -2).conj()


def _qr(case: Case, *parts: np.ndarray) -> list[np.ndarray]:
    """R is upper triangular and unique up to the phases of its rows: R^H R = A^H A."""
    r = parts[-1]
    if case.params["mode"] == "r":
        return [_transposed(r) @ r, np.tril(r, -1)]
    q = parts[0]
    return [q @ r, _transposed(q) @ q, np.tril(r, -1)]


def _svd(case: Case, u: np.ndarray, s: np.ndarray, vh: np.ndarray) -> list[np.ndarray]:
    k = s.shape[-1]
    return [(u[..., :k] * s[..., None, :]) @ vh[..., :k, :], s, _transposed(u) @ u, vh @ _transposed(vh)]


def _eigh(case: Case, values: np.ndarray, vectors: np.ndarray) -> list[np.ndarray]:
    return [values, (vectors * values[..., None, :]) @ _transposed(vectors), _transposed(vectors) @ vectors]


def _eigvals(case: Case, values: np.ndarray) -> list[np.ndarray]:
    """Eigenvalues come in any order: their power sums."""
    return [np.sum(values**power, axis=-1) for power in range(1, 4)]


def _eig(case: Case, values: np.ndarray, vectors: np.ndarray) -> list[np.ndarray]:
    (a,) = case.arrays
    return [*_eigvals(case, values), a @ vectors - vectors * values[..., None, :] + 1, np.linalg.norm(vectors, axis=-2)]


REBUILT: dict[str, Callable[..., list[np.ndarray]]] = {
    "qr": _qr, "svd": _svd, "eigh": _eigh, "eig": _eig, "eigvals": _eigvals
}  # fmt: skip
