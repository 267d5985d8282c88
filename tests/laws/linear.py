"""Random programs of linear algebra: what rules make of them at the prices of large matrices equals NumPy for small ones.

Prices decide which forms are chosen, so that those of small matrices would leave most rules untried. The tolerance is how far
NumPy's own result moves when its arguments do.
"""

from __future__ import annotations

import linecache
import random
from collections.abc import Callable
from typing import Any

import numpy as np

from egc import backend as backends
from egc.options import Options
from egc.pipeline import Trace, capture_stage, evaluate_reference, optimize_stage

MATRICES = """
A; B; S; L; Q; P; A.T; L.T; np.diag(v); np.eye(A.shape[0]); np.tril(A); np.triu(B); np.outer(x, y); U @ V.T; np.zeros_like(A)
np.diag(v) + U @ U.T; np.eye(A.shape[0]) + U @ V.T
"""
VECTORS = "x; y; v; np.ones_like(x)"
OF_MATRICES = """
M @ M; M @ M; M @ M; M + M; M - M; M * M; M.T; 2.0 * M; M * s; np.linalg.inv(M); np.linalg.inv(M); np.linalg.solve(M, M)
np.linalg.solve(M, M); M * v[:, None]; M / v; np.diag(np.diag(M)); np.tril(M); np.linalg.matrix_power(M, 3); M[::-1]; M[p]
np.linalg.matrix_power(M, -1); np.einsum('ij,kj->ik', M, M); np.outer(w, w); np.linalg.pinv(M); M[:, p]
"""
OF_VECTORS = """
M @ w; M @ w; w @ M; np.linalg.solve(M, w); np.linalg.solve(M, w); w + w; w * w; np.diag(M); np.sum(M, axis=0); M[2]
np.mean(M, axis=1); M[:, 1]; np.einsum('ij,j->i', M, w); (w @ w) * w; w[p]
"""
NUMBERS = """
np.linalg.det(M); np.linalg.slogdet(M)[1]; np.linalg.slogdet(M)[0]; np.trace(M); np.sum(M); w @ w; w @ M @ w; np.linalg.norm(M)
np.linalg.norm(w); M[1, 2]; np.log(np.abs(np.linalg.det(M))); np.linalg.norm(M, 2); np.sum((M - M)**2)
np.max(np.linalg.svd(M, compute_uv=False)); s + w @ w
"""
ASSUMED = {
    "S": ("spd",), "L": ("lower_triangular", "positive_diagonal"), "Q": ("orthogonal",), "P": ("permutation",),
    "v": ("positive",),
}  # fmt: skip
LARGE = 300
"""Rows of the matrices that prices are for."""

STEP = 1e-10
"""Relative change of the arguments that shows how far a result moves."""

NOISE = 0.5
"""A result that moves by so much of itself, such as the sign of a singular matrix's determinant, is what rounding made it."""

ROUNDINGS = 1e-11
"""Relative error of a result that moves as far as its arguments."""


def _choice(source: random.Random, table: str) -> str:
    return source.choice([each.strip() for line in table.strip().splitlines() for each in line.split(";")])


def expression(source: random.Random, kind: str, depth: int) -> str:
    """The text of a matrix M, a vector w or a number, of so many nested operations at most."""
    if kind != "number" and (depth <= 0 or source.random() < 0.13):
        return f"({_choice(source, MATRICES if kind == 'M' else VECTORS)})"
    text = _choice(source, {"M": OF_MATRICES, "w": OF_VECTORS, "number": NUMBERS}[kind])
    parts = [expression(source, each, depth - 1) if each in "Mw" else each for each in _split(text)]
    return f"({''.join(parts)})"


def _split(text: str) -> list[str]:
    """The text, with the letters that stand for operands apart."""
    parts: list[str] = []
    for place, letter in enumerate(text):
        around = text[max(place - 1, 0) : place] + text[place + 1 : place + 2]
        alone = letter in "Mw" and not any(each.isalnum() or each == "_" for each in around)
        if alone or not parts or parts[-1] in ("M", "w"):
            parts.append(letter)
        else:
            parts[-1] += letter
    return parts


def arguments(seed: int, n: int) -> dict[str, Any]:
    """Well-conditioned matrices with what ASSUMED says of them, vectors, and a permutation."""
    rng = np.random.default_rng(seed)
    A = rng.normal(size=(n, n)) / np.sqrt(n) + 2 * np.diag(rng.choice([-1, 1], size=n))
    B = rng.normal(size=(n, n)) / np.sqrt(n) + 2 * np.eye(n)
    S = A @ A.T / 4 + np.eye(n)
    thin = {name: rng.normal(size=(n, 2)) / 2 for name in "UV"}
    return {
        "A": A, "B": B, "S": S, "L": np.linalg.cholesky(S), "Q": np.linalg.qr(B)[0], "P": np.eye(n)[rng.permutation(n)], **thin,
        "x": rng.normal(size=n), "y": rng.normal(size=n), "v": rng.uniform(0.5, 2, n), "s": rng.uniform(0.5, 2),
        "p": rng.permutation(n),
    }  # fmt: skip


def moved(given: dict[str, Any], seed: int) -> dict[str, Any]:
    """The arguments, each number changed a little, with what is assumed of them kept."""
    rng = np.random.default_rng(seed)
    found = {
        name: value if name in "pPQ" else value * (1 + STEP * rng.normal(size=np.shape(value)))
        for name, value in given.items()
    }
    return {**found, "L": np.tril(found["L"]), "S": (found["S"] + found["S"].T) / 2}


def function_of(text: str, names: list[str]) -> Callable[..., Any]:
    source = f"def function({', '.join(names)}):\n    return {text}\n"
    file = f"<linear algebra {text}>"
    linecache.cache[file] = (len(source), None, source.splitlines(True), file)
    namespace: dict[str, Any] = {"np": np}
    exec(compile(source, file, "exec"), namespace)
    return namespace["function"]


def disagreement(seed: int) -> str | None:
    """What is wrong with the program of a seed; None where nothing is, or where NumPy has no result that can be compared."""
    source = random.Random(seed)
    text = expression(source, source.choice(["M", "w", "w", "number", "number"]), source.choice([2, 3, 3, 4]))
    n = source.choice([4, 5, 7])
    given = arguments(seed, n)
    function, options = function_of(text, list(given)), Options(assume=ASSUMED)
    with np.errstate(all="ignore"):
        try:
            expected = np.asarray(function(**given))
            others = [np.asarray(function(**moved(given, k))) for k in range(3)]
        except np.linalg.LinAlgError:
            return None
    captured = capture_stage(function, list(given.values()), {}, options, Trace())
    sizes = {name: LARGE if size == n else size for name, size in captured.hints().items()}
    program = optimize_stage(captured.program, sizes, options, backends.load("numba"), Trace())
    inputs = [captured.leaves[place].value for place in captured.leaf_inputs] + list(captured.constants.values())
    if captured.results[0].kind not in ("array", "scalar"):
        return None
    with np.errstate(all="ignore"):
        found = np.asarray(evaluate_reference(program, inputs)[captured.results[0].output])
        moves = max(np.max(np.abs(each - expected), initial=0) for each in others)
        scale = np.max(np.abs(expected), initial=0)
        far, largest = moves / STEP, max(scale, *(np.max(np.abs(each), initial=0) for each in others))
        if not np.isfinite(far) or moves > NOISE * largest:
            return None
        near = found.shape == expected.shape and found.dtype == expected.dtype
        if near and np.max(np.abs(found - expected), initial=0) <= ROUNDINGS * (far + max(scale, 1e-3)):
            return None
    return f"seed {seed}: {text}\n{found}\ninstead of\n{expected}"
