"""egc.factors: factorizations to keep, and products and systems that read one triangle or some diagonals."""

from __future__ import annotations

from typing import Any

import numpy as np

from egc import factors
from egc.capture import build
from egc.capture.array import concrete_int, fresh, to_node
from egc.capture.context import current
from egc.capture.registry import implements
from egc.capture.surface import contraction
from egc.capture.surface.arguments import equal, flag, refuse
from egc.capture.surface.linear_algebra import floating, item, matrix, square, system
from egc.errors import ShapeError
from egc.ir import Node

THEME = "egc.factors"


def _factorized(function: Any) -> None:
    op = function.__name__
    implements(function, theme=THEME)(lambda a: fresh(current().make(op, square(*floating(a)))))


_factorized(factors.cholesky_or_nan)
_factorized(factors.cholesky_inverse)
_factorized(factors.lu_factors)


@implements(factors.linear_recurrence, theme=THEME)
def linear_recurrence(factor: Any, term: Any, start: Any, axis: Any = 0) -> Any:
    nodes = [to_node(x) for x in (factor, term, start)]
    dtype = np.result_type(*(node.type.dtype for node in nodes))
    if dtype.kind not in "iufc":
        raise TypeError("linear_recurrence: for numbers only")
    by, more, first = (build.cast(node, dtype) for node in nodes)
    by, more = build.broadcast_together(by, more)
    at = build.normalize_axis(concrete_int(axis), by.type.rank)
    first = build.broadcast_to(first, (*by.type.shape[:at], *by.type.shape[at + 1 :]))
    return fresh(current().make("linear_recurrence", by, more, first, axis=at))


@implements(factors.lu, theme=THEME)
def lu(a: Any) -> Any:
    pair = lu_of(square(*floating(a)))
    return fresh(pair[0]), fresh(pair[1])


def lu_of(a: Node) -> tuple[Node, Node]:
    """The factors of square matrices, and the exchanges of rows."""
    pair = current().make("lu", a)
    return item(pair, 0), item(pair, 1)


@implements(factors.lu_solve, theme=THEME)
def lu_solve(factors: Any, pivots: Any, b: Any, *, transposed: Any = False) -> Any:
    matrices, right = floating(factors, b)
    return fresh(lu_solution(matrices, right, to_node(pivots), flag(transposed)))


def lu_solution(factors: Node, b: Node, pivots: Node, transposed: bool) -> Node:
    """The solution by factors and exchanges of rows, which belong to the same matrices."""
    if pivots.type.dtype.kind not in "iu" or pivots.type.rank != factors.type.rank - 1:
        raise refuse("lu_solve with pivots of this kind", "they are an integer for each row of the factors")
    matrices, right = system(factors, b)
    pivots = contraction.with_length(build.cast(pivots, np.int32), -1, matrices.type.shape[-1])
    batch = matrices.type.shape[:-2]
    if pivots.type.shape[:-1] != batch:
        pivots = build.broadcast_to(pivots, (*batch, pivots.type.shape[-1]))
    return current().make("lu_solve", matrices, pivots, right, transposed=transposed)


@implements(factors.gram, theme=THEME)
def gram(a: Any, *, transposed: Any = False) -> Any:
    return fresh(current().make("gram", matrix(*floating(a)), transposed=flag(transposed)))


@implements(factors.triangular_product, theme=THEME)
def triangular_product(
    triangle: Any, b: Any, *, lower: Any = False, transposed: Any = False, right: Any = False
) -> Any:
    a, other = floating(triangle, b)
    if not flag(right) or other.type.rank < 2:
        a, other = system(a, other)
    else:
        a, other = system(a, contraction.matrix_transpose(other))
        other = contraction.matrix_transpose(other)
    options: dict[str, Any] = {"lower": flag(lower), "transposed": flag(transposed), "right": flag(right)}
    return fresh(current().make("triangular_product", a, other, **options))


@implements(factors.tridiagonal_solve, theme=THEME)
def tridiagonal_solve(lower: Any, diagonal: Any, upper: Any, b: Any, *, positive: Any = False) -> Any:
    below, middle, above, right = floating(lower, diagonal, upper, b)
    return fresh(tridiagonal_solution(below, middle, above, right, flag(positive)))


def tridiagonal_solution(lower: Node, diagonal: Node, upper: Node, b: Node, positive: bool) -> Node:
    """The solution for a matrix of three diagonals, whose lengths are written alike."""
    if diagonal.type.rank != 1 or lower.type.rank != 1 or upper.type.rank != 1 or b.type.rank not in (1, 2):
        raise ShapeError("tridiagonal_solve: three vectors, and a right side of one or two axes")
    n = diagonal.type.shape[0]
    beside = n - 1 if current().at_least(n, 1) else 0
    if not (equal(lower.type.shape[0], beside) and equal(upper.type.shape[0], beside) and equal(b.type.shape[0], n)):
        raise ShapeError("tridiagonal_solve: the lengths do not fit")
    lower, upper, b = (
        contraction.with_length(x, 0, length) for x, length in ((lower, beside), (upper, beside), (b, n))
    )
    return current().make("tridiagonal_solve", lower, diagonal, upper, b, positive=positive)


@implements(factors.banded_solve, theme=THEME)
def banded_solve(bands: Any, b: Any, *, below: Any = 0, above: Any = 0, positive: Any = False) -> Any:
    diagonals, right = floating(bands, b)
    return fresh(banded_solution(diagonals, right, concrete_int(below), concrete_int(above), flag(positive)))


def banded_solution(bands: Node, b: Node, below: int, above: int, positive: bool) -> Node:
    """The solution for a matrix of so many diagonals, whose lengths are written alike."""
    if bands.type.rank != 2 or b.type.rank not in (1, 2) or (positive and below and above):
        raise ShapeError("banded_solve: a matrix of diagonals, and a right side of one or two axes")
    count, n = bands.type.shape
    if min(below, above) < 0 or not equal(count, below + above + 1) or not equal(b.type.shape[0], n):
        raise ShapeError("banded_solve: the lengths do not fit")
    bands, b = contraction.with_length(bands, 0, below + above + 1), contraction.with_length(b, 0, n)
    return current().make("banded_solve", bands, b, below=below, above=above, positive=positive)


@implements(factors.symmetric_solve, theme=THEME)
def symmetric_solve(a: Any, b: Any, *, lower: Any = False) -> Any:
    matrices, right = system(*floating(a, b))
    return fresh(current().make("symmetric_solve", matrices, right, lower=flag(lower)))
