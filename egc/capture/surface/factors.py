"""egc.factors: factorizations to keep, and products and systems that read one triangle or three diagonals."""

from __future__ import annotations

from typing import Any

import numpy as np

from egc import factors
from egc.capture import build
from egc.capture.array import fresh, to_node
from egc.capture.context import current
from egc.capture.registry import implements
from egc.capture.surface import contraction
from egc.capture.surface.arguments import flag, refuse
from egc.capture.surface.linear_algebra import floating, item, square, system
from egc.ir import Node

THEME = "egc.factors"


def _factorized(function: Any) -> None:
    op = function.__name__
    implements(function, theme=THEME)(lambda a: fresh(current().make(op, square(*floating(a)))))


_factorized(factors.cholesky_or_nan)
_factorized(factors.lu_factors)


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
