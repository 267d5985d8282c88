"""scipy.linalg: systems with matrices that are given by their diagonals."""

from __future__ import annotations

from typing import Any

from egc.capture import build
from egc.capture.array import concrete_int, fresh
from egc.capture.context import current
from egc.capture.registry import implements_by_name
from egc.capture.surface import contraction
from egc.capture.surface.arguments import equal, flag, nonempty, refuse
from egc.capture.surface.factors import banded_solution, tridiagonal_solution
from egc.capture.surface.scipy_linalg import THEME, alike, operand, plain_options
from egc.ir import Node


def diagonals_and_right_side(name: str, ab: Any, b: Any, check_finite: Any) -> tuple[Node, Node]:
    bands, right = operand(ab, check_finite), operand(b, check_finite)
    if bands.type.rank != 2 or right.type.rank not in (1, 2):
        raise refuse(f"{name} of stacks")
    if not equal(bands.type.shape[1], right.type.shape[0]):
        raise ValueError("shapes of ab and b are not compatible.")
    if not current().at_least(bands.type.shape[1], 2) or not nonempty(*right.type.shape):
        raise refuse(f"{name} of fewer than two rows")
    first, second = alike(bands, contraction.with_length(right, 0, bands.type.shape[1]))
    return first, second


def row(bands: Node, k: int, start: int = 0, stop: int = 0) -> Node:
    """A diagonal, without so many elements at its start and its end."""
    n = bands.type.shape[1]
    found = build.reshape(build.slice_axis(bands, 0, k, 1), (n,))
    return build.slice_axis(found, 0, start, n - start - stop)


@implements_by_name("scipy.linalg.solve_banded", theme=THEME)
def solve_banded(
    l_and_u: Any, ab: Any, b: Any, overwrite_ab: Any = False, overwrite_b: Any = False, check_finite: Any = True
) -> Any:
    plain_options("solve_banded", overwrite_ab=flag(overwrite_ab), overwrite_b=flag(overwrite_b))
    below, above = map(concrete_int, l_and_u)
    bands, right = diagonals_and_right_side("solve_banded", ab, b, check_finite)
    if not equal(bands.type.shape[0], below + above + 1):
        raise ValueError("invalid values for the number of lower and upper diagonals")
    if min(below, above) < 0:
        raise refuse("solve_banded with a negative number of diagonals")
    bands = contraction.with_length(bands, 0, below + above + 1)
    if below == above == 1:
        lower, middle, upper = row(bands, 2, stop=1), row(bands, 1), row(bands, 0, start=1)
        return fresh(tridiagonal_solution(lower, middle, upper, right, False))
    return fresh(banded_solution(bands, right, below, above, False))


@implements_by_name("scipy.linalg.solveh_banded", theme=THEME)
def solveh_banded(
    ab: Any,
    b: Any,
    overwrite_ab: Any = False,
    overwrite_b: Any = False,
    lower: Any = False,
    check_finite: Any = True,
) -> Any:
    plain_options("solveh_banded", overwrite_ab=flag(overwrite_ab), overwrite_b=flag(overwrite_b))
    bands, right = diagonals_and_right_side("solveh_banded", ab, b, check_finite)
    wide = current().concretize(bands.type.shape[0] - 1)
    if wide < 0:
        raise refuse("solveh_banded without diagonals")
    bands, under = contraction.with_length(bands, 0, wide + 1), flag(lower)
    if wide != 1:
        return fresh(banded_solution(bands, right, wide if under else 0, 0 if under else wide, True))
    middle = row(bands, 0 if under else 1)
    beside = row(bands, 1, stop=1) if under else contraction.conjugate(row(bands, 0, start=1))
    return fresh(tridiagonal_solution(beside, middle, beside, right, True))
