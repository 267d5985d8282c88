"""Sample operands of linear algebra."""

from __future__ import annotations

from itertools import product

import numpy as np

from egc import factors

from .operands import INEXACT, definite, ordinary, square
from .registry import samples


@samples(INEXACT, "inv", "det", "slogdet", "expm", "eig", "eigvals")
def _square(rng, dtype):
    for shape in ((4, 4), (1, 1), (2, 3, 3), (0, 0), (5, 5)):
        yield (square(rng, dtype, shape),), {}
    yield (square(rng, dtype, (3, 3)).T,), {}


@samples(INEXACT, "cholesky_or_nan", "lu_factors")
def _factors(rng, dtype):
    for shape in ((4, 4), (2, 3, 3), (0, 0), (1, 1), (100, 100)):
        yield (definite(rng, dtype, shape),), {}
    yield (-definite(rng, dtype, (3, 3)),), {}


@samples(("f64", "f32"), "cholesky_inverse")
def _cholesky_inverse(rng, dtype):
    for shape in ((4, 4), (2, 3, 3), (0, 0), (1, 1), (70, 70)):
        yield (factors.cholesky_or_nan(definite(rng, dtype, shape)) + np.triu(ordinary(rng, dtype, shape), 1),), {}
    yield (factors.cholesky_or_nan(definite(rng, dtype, (5, 5))).T.copy().T,), {}
    yield (np.tril(definite(rng, dtype, (6, 6)))[::2, ::2],), {}


@samples(INEXACT, "lu")
def _lu(rng, dtype):
    for shape in ((4, 4), (2, 3, 3), (0, 0), (1, 1), (100, 100)):
        yield (square(rng, dtype, shape),), {}
    yield (square(rng, dtype, (3, 3)).T,), {}
    yield (0 * square(rng, dtype, (3, 3)),), {}


@samples(INEXACT, "cholesky")
def _cholesky(rng, dtype):
    for upper, shape in product((False, True), ((4, 4), (2, 3, 3), (0, 0))):
        yield (definite(rng, dtype, shape),), {"upper": upper}


@samples(INEXACT, "eigh", "eigvalsh")
def _eigh(rng, dtype):
    for lower, shape in product((False, True), ((4, 4), (2, 3, 3), (0, 0))):
        yield (definite(rng, dtype, shape),), {"lower": lower}


RIGHT_SIDES = (((4, 4), (4,)), ((4, 4), (4, 2)), ((2, 3, 3), (3,)), ((2, 3, 3), (2, 3, 4)), ((3, 3), (2, 3, 2)))


@samples(INEXACT, "solve")
def _solve(rng, dtype):
    for a, b in (*RIGHT_SIDES, ((0, 0), (0, 2)), ((3, 3), (3, 0))):
        yield (square(rng, dtype, a), ordinary(rng, dtype, b)), {}


@samples(INEXACT, "lu_solve")
def _lu_solve(rng, dtype):
    for transposed, (a, b) in product(
        (False, True), (*RIGHT_SIDES, ((0, 0), (0, 2)), ((3, 3), (3, 0)), ((1, 1), (1,)))
    ):
        given = factors.lu(square(rng, dtype, a))
        yield (*given, ordinary(rng, dtype, b)), {"transposed": transposed}
        if len(a) == 2:
            yield (np.asfortranarray(given[0]), given[1], ordinary(rng, dtype, b)), {"transposed": transposed}
    yield (*factors.lu(square(rng, dtype, (60, 60))), ordinary(rng, dtype, (60, 3))), {"transposed": True}


@samples(INEXACT, "solve_triangular")
def _solve_triangular(rng, dtype):
    for (a, b), lower in product(RIGHT_SIDES[:3], (False, True)):
        for transposed, unit_diagonal in ((False, False), (True, False), (False, True)):
            params = {"lower": lower, "transposed": transposed, "unit_diagonal": unit_diagonal}
            yield (square(rng, dtype, a), ordinary(rng, dtype, b)), params


TALL_AND_WIDE = ((4, 3), (3, 4), (3, 3), (2, 4, 2))


@samples(INEXACT, "qr")
def _qr(rng, dtype):
    for shape, mode in product((*TALL_AND_WIDE, (0, 3), (3, 0), (90, 70)), ("reduced", "complete", "r")):
        yield (ordinary(rng, dtype, shape),), {"mode": mode}
        yield (ordinary(rng, dtype, shape[::-1]).T,), {"mode": mode}


@samples(INEXACT, "svd")
def _svd(rng, dtype):
    for shape, full in product(TALL_AND_WIDE, (False, True)):
        yield (ordinary(rng, dtype, shape),), {"full_matrices": full}


@samples(INEXACT, "svdvals")
def _svdvals(rng, dtype):
    for shape in TALL_AND_WIDE:
        yield (ordinary(rng, dtype, shape),), {}


@samples(INEXACT, "pinv")
def _pinv(rng, dtype):
    for shape in TALL_AND_WIDE:
        yield (ordinary(rng, dtype, shape),), {"rcond": None}
    yield (np.outer(ordinary(rng, dtype, (4,)), ordinary(rng, dtype, (3,))),), {"rcond": 1e-3}


@samples(INEXACT, "lstsq")
def _lstsq(rng, dtype):
    for (rows, columns), rcond in product(((5, 3), (3, 5), (4, 4)), (None, 1e-3)):
        yield (ordinary(rng, dtype, (rows, columns)), ordinary(rng, dtype, (rows,))), {"rcond": rcond}
        yield (ordinary(rng, dtype, (rows, columns)), ordinary(rng, dtype, (rows, 2))), {"rcond": rcond}


@samples(INEXACT, "gram")
def _gram(rng, dtype):
    for transposed, shape in product((False, True), ((3, 4), (2, 3, 4), (0, 3), (3, 0), (1, 1), (70, 20))):
        yield (ordinary(rng, dtype, shape),), {"transposed": transposed}
    yield (ordinary(rng, dtype, (4, 3)).T,), {"transposed": False}
    yield (ordinary(rng, dtype, (8, 6))[::2, ::3],), {"transposed": True}


@samples(INEXACT, "triangular_product")
def _triangular_product(rng, dtype):
    for lower, transposed, right in product((False, True), repeat=3):
        params = {"lower": lower, "transposed": transposed, "right": right}
        for a, b in (*RIGHT_SIDES, ((0, 0), (0, 2)), ((3, 3), (3, 0)), ((1, 1), (1,)), ((40, 40), (40, 2))):
            other = ordinary(rng, dtype, b)
            yield (square(rng, dtype, a), np.swapaxes(other, -1, -2) if right and len(b) > 1 else other), params
        yield (square(rng, dtype, (5, 5)).T, ordinary(rng, dtype, (5, 5)).T), params
        yield (square(rng, dtype, (10, 10))[::2, ::2], ordinary(rng, dtype, (10,))[::2]), params


@samples(INEXACT, "tridiagonal_solve")
def _tridiagonal_solve(rng, dtype):
    for positive, b in product((False, True), ((5,), (5, 3), (5, 0), (1,), (1, 2))):
        beside = ordinary(rng, dtype, (2, b[0] - 1))
        diagonal = 20 + np.abs(ordinary(rng, dtype, (b[0],))).astype(beside.dtype)
        yield (beside[0], diagonal, beside[1], ordinary(rng, dtype, b)), {"positive": positive}


@samples(INEXACT, "banded_solve")
def _banded_solve(rng, dtype):
    for (below, above), b in product(
        ((0, 0), (2, 1), (0, 2), (3, 0), (1, 1)), ((6,), (6, 3), (2, 2), (1,), (4, 0), (0, 2))
    ):
        bands = ordinary(rng, dtype, (below + above + 1, b[0]))
        for positive in (False, True) if not (below and above) else (False,):
            given = bands.copy()
            given[above] = 60 + np.abs(given[above])
            yield (given, ordinary(rng, dtype, b)), {"below": below, "above": above, "positive": positive}
    bands, b = ordinary(rng, dtype, (60, 4)), ordinary(rng, dtype, (120, 2))
    yield (bands.T, b[::2]), {"below": 1, "above": 2, "positive": False}


@samples(INEXACT, "symmetric_solve")
def _symmetric_solve(rng, dtype):
    for lower, (a, b) in product((False, True), (((4, 4), (4,)), ((4, 4), (4, 2)), ((0, 0), (0, 2)), ((1, 1), (1, 3)))):
        yield (square(rng, dtype, a), ordinary(rng, dtype, b)), {"lower": lower}
        yield (square(rng, dtype, a).T, ordinary(rng, dtype, b)), {"lower": lower}
    yield (square(rng, dtype, (90, 90)), ordinary(rng, dtype, (90, 3))), {"lower": True}
