"""scipy.linalg: systems with structure, Cholesky factors, decompositions, matrix functions.

SciPy refuses inf and nan unless `check_finite=False`: that is a run-time check here, after which SciPy itself raises.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from egc import ir
from egc.capture import build
from egc.capture.array import fresh, python_number, result, to_node
from egc.capture.context import current
from egc.capture.registry import implements_by_name
from egc.capture.surface import contraction, factors, norms
from egc.capture.surface import linear_algebra as numpy_linalg
from egc.capture.surface.arguments import equal, flag, make, nonempty, refuse, where
from egc.capture.surface.linear_algebra import item
from egc.ir import Node

THEME = "scipy.linalg"


def operand(value: Any, check_finite: Any = True) -> Node:
    """The operand in a dtype of LAPACK, checked for inf and nan when asked for."""
    node = to_node(value)
    if node.type.dtype.kind in "biu":
        if node.type.dtype.itemsize < 4:
            raise refuse(f"scipy.linalg of {node.type.dtype}", "SciPy's choice of precision is not NumPy's")
        return build.cast(node, np.float64)
    if flag(check_finite):
        finite = current().make("isfinite", node)
        current().check(build.reduce("any", current().make("logical_not", finite), range(node.type.rank)))
    return node


def plain_options(name: str, **options: Any) -> None:
    """Refuses every option that is not left out."""
    for option, value in options.items():
        if value is not None and value is not False:
            raise refuse(f"{name}({option}=)")


def one_matrix(name: str, value: Any, check_finite: Any, square: bool = True) -> Node:
    """A single matrix; SciPy's own loop over stacks is not encoded."""
    node = operand(value, check_finite)
    if node.type.rank > 2:
        raise refuse(f"{name} of a stack of matrices")
    if node.type.rank < 2:
        raise ValueError("expected a matrix")
    if square and not equal(*node.type.shape):
        raise ValueError("expected square matrix")
    return contraction.with_length(node, 1, node.type.shape[0]) if square else node


def alike(*nodes: Node) -> list[Node]:
    dtype = contraction.common_dtype(nodes)
    return [build.cast(node, dtype) for node in nodes]


def right_side(name: str, a: Node, b: Any, check_finite: Any) -> tuple[Node, Node]:
    """The matrix and its right side, a vector or a matrix, in one dtype."""
    b = operand(b, check_finite)
    if b.type.rank not in (1, 2):
        raise refuse(f"{name} of a stack of right sides")
    if not equal(a.type.shape[0], b.type.shape[0]):
        raise ValueError(f"shapes of a {a.type.shape} and b {b.type.shape} are incompatible")
    first, second = alike(a, contraction.with_length(b, 0, a.type.shape[0]))
    return first, second


def triangular_solution(
    a: Node, b: Node, lower: bool, transposed: bool = False, conjugated: bool = False, unit: bool = False
) -> Node:
    if conjugated:
        a = contraction.conjugate(a)
    return current().make("solve_triangular", a, b, lower=lower, transposed=transposed, unit_diagonal=unit)


@implements_by_name("scipy.linalg.solve_triangular", theme=THEME)
def solve_triangular(
    a: Any,
    b: Any,
    trans: Any = 0,
    lower: Any = False,
    unit_diagonal: Any = False,
    overwrite_b: Any = False,
    check_finite: Any = True,
) -> Any:
    plain_options("solve_triangular", overwrite_b=flag(overwrite_b))
    kind = {"N": 0, "T": 1, "C": 2}.get(trans, trans)
    if kind not in (0, 1, 2):
        raise ValueError(f"solve_triangular has no trans={trans!r}")
    first, second = right_side("solve_triangular", one_matrix("solve_triangular", a, check_finite), b, check_finite)
    return fresh(triangular_solution(first, second, flag(lower), kind != 0, kind == 2, flag(unit_diagonal)))


def cholesky_solution(c: Node, b: Node, lower: bool) -> Node:
    """The solution of `c @ c^H x = b` for a lower factor c, or of `c^H @ c x = b` for an upper one."""
    half = triangular_solution(c, b, lower, transposed=not lower, conjugated=not lower)
    return triangular_solution(c, half, lower, transposed=lower, conjugated=lower)


def mirrored_hermitian(a: Node, lower: bool) -> Node:
    """The Hermitian matrix that one triangle of `a` stands for. It has a real diagonal."""
    triangle = current().make("tril" if lower else "triu", a, offset=-1 if lower else 1)
    diagonal = build.cast(current().make("real", contraction.diagonal(a)), a.type.dtype)
    other = contraction.matrix_transpose(contraction.conjugate(triangle))
    return make("add", make("add", triangle, other), current().make("diagonal_matrix", diagonal, offset=0))


@implements_by_name("scipy.linalg.solve", theme=THEME)
def solve(
    a: Any,
    b: Any,
    lower: Any = False,
    overwrite_a: Any = False,
    overwrite_b: Any = False,
    check_finite: Any = True,
    assume_a: Any = None,
    transposed: Any = False,
) -> Any:
    plain_options("solve", overwrite_a=flag(overwrite_a), overwrite_b=flag(overwrite_b))
    first, second = alike(operand(a, check_finite), operand(b, check_finite))
    if first.type.rank < 2 or first.type.shape[-1] == 1 or not second.type.rank:
        raise refuse("scipy.linalg.solve with a number")
    matrix, right = numpy_linalg.system(first, second)
    if assume_a not in (None, "gen", "general") and (matrix.type.rank > 2 or right.type.rank > 2 or flag(transposed)):
        raise refuse(f"solve(assume_a={assume_a!r}) of a stack or transposed")
    if flag(transposed):
        if matrix.type.dtype.kind == "c":
            raise NotImplementedError("scipy.linalg.solve can currently not solve a^T x = b for complex matrices.")
        matrix = contraction.matrix_transpose(matrix)
    return fresh(structured_solution("solve", matrix, right, assume_a, flag(lower)))


def structured_solution(name: str, matrix: Node, right: Node, assume_a: Any, lower: bool) -> Node:
    """The solution of a system with a matrix of a kind that SciPy is told, and of which it reads no more than it needs."""
    match assume_a:
        case None | "gen" | "general" | "banded":
            return current().make("solve", matrix, right)
        case "pos" | "positive definite":
            factor = current().make("cholesky", matrix, upper=not lower)
            return cholesky_solution(factor, right, lower)
        case "her" | "hermitian" if matrix.type.dtype.kind == "c":
            return current().make("solve", mirrored_hermitian(matrix, lower), right)
        case "sym" | "symmetric" | "her" | "hermitian":
            return current().make("symmetric_solve", matrix, right, lower=lower)
        case "upper triangular" | "lower triangular":
            return triangular_solution(matrix, right, assume_a == "lower triangular")
        case "tridiagonal":
            lower_, middle, upper = (contraction.diagonal(matrix, k) for k in (-1, 0, 1))
            return factors.tridiagonal_solution(lower_, middle, upper, right, False)
        case "diagonal":
            middle = contraction.diagonal(checked_regular(matrix))
            return make("divide", right, build.reshape(middle, (middle.type.shape[0], *(1,) * (right.type.rank - 1))))
    raise refuse(f"{name}(assume_a={assume_a!r})")


INVERTED = ("pos", "positive definite", "sym", "her", "upper triangular", "lower triangular")
"""The kinds of which SciPy's inverse reads one triangle; that of a diagonal keeps what the others hold."""


@implements_by_name("scipy.linalg.inv", theme=THEME)
def inv(a: Any, overwrite_a: Any = False, check_finite: Any = True, *, assume_a: Any = None, lower: Any = False) -> Any:
    plain_options("inv", overwrite_a=flag(overwrite_a))
    matrix = numpy_linalg.square(operand(a, check_finite))
    if assume_a in (None, "gen", "general"):
        return fresh(current().make("inv", matrix))
    if matrix.type.rank > 2 or assume_a not in INVERTED:
        raise refuse(f"inv(assume_a={assume_a!r}) of this kind")
    ones = ir.constant(1, matrix.type.dtype, (matrix.type.shape[0],))
    identity = current().make("diagonal_matrix", ones, offset=0)
    return fresh(structured_solution("inv", matrix, identity, assume_a, flag(lower)))


@implements_by_name("scipy.linalg.det", theme=THEME)
def det(a: Any, overwrite_a: Any = False, check_finite: Any = True) -> Any:
    """In double precision for every dtype, so that it does not overflow in single precision."""
    plain_options("det", overwrite_a=flag(overwrite_a))
    node = operand(a, check_finite)
    node = build.cast(node, np.complex128 if node.type.dtype.kind == "c" else np.float64)
    return result(current().make("det", numpy_linalg.square(node)))


@implements_by_name("scipy.linalg.cholesky", theme=THEME)
def cholesky(a: Any, lower: Any = False, overwrite_a: Any = False, check_finite: Any = True) -> Any:
    plain_options("cholesky", overwrite_a=flag(overwrite_a))
    return fresh(current().make("cholesky", one_matrix("cholesky", a, check_finite), upper=not flag(lower)))


@implements_by_name("scipy.linalg.cho_factor", theme=THEME)
def cho_factor(a: Any, lower: Any = False, overwrite_a: Any = False, check_finite: Any = True) -> Any:
    """The factor in one triangle; the other keeps what it held."""
    plain_options("cho_factor", overwrite_a=flag(overwrite_a))
    matrix, below = one_matrix("cho_factor", a, check_finite), flag(lower)
    factor = current().make("cholesky", matrix, upper=not below)
    rest = current().make("triu" if below else "tril", matrix, offset=1 if below else -1)
    return fresh(make("add", factor, rest)), lower


@implements_by_name("scipy.linalg.cho_solve", theme=THEME)
def cho_solve(c_and_lower: Any, b: Any, overwrite_b: Any = False, check_finite: Any = True) -> Any:
    plain_options("cho_solve", overwrite_b=flag(overwrite_b))
    c, lower = c_and_lower
    factor, right = right_side("cho_solve", one_matrix("cho_solve", c, check_finite), b, check_finite)
    return fresh(cholesky_solution(factor, right, flag(lower)))


def checked_regular(factors: Node) -> Node:
    """Triangular factors: where one has an exact zero on its diagonal, SciPy runs, which warns or divides by it."""
    diagonal = contraction.diagonal(factors)
    current().check(build.reduce("any", make("equal", diagonal, build.zeros_like(diagonal)), (0,)))
    return factors


@implements_by_name("scipy.linalg.lu_factor", theme=THEME)
def lu_factor(a: Any, overwrite_a: Any = False, check_finite: Any = True) -> Any:
    plain_options("lu_factor", overwrite_a=flag(overwrite_a))
    matrix = one_matrix("lu_factor", a, check_finite, square=False)
    if not equal(*matrix.type.shape) or not nonempty(*matrix.type.shape):
        raise refuse("lu_factor of an empty matrix or one that is not square")
    triangles, pivots = factors.lu_of(contraction.with_length(matrix, 1, matrix.type.shape[0]))
    return fresh(checked_regular(triangles)), fresh(pivots)


@implements_by_name("scipy.linalg.lu_solve", theme=THEME)
def lu_solve(lu_and_piv: Any, b: Any, trans: Any = 0, overwrite_b: Any = False, check_finite: Any = True) -> Any:
    plain_options("lu_solve", overwrite_b=flag(overwrite_b))
    triangles, pivots = lu_and_piv
    if trans not in (0, 1, 2):
        raise refuse(f"lu_solve(trans={trans!r})")
    matrix, right = right_side("lu_solve", one_matrix("lu_solve", triangles, check_finite), b, check_finite)
    if not nonempty(*matrix.type.shape, *right.type.shape):
        raise refuse("lu_solve of empty arrays")
    matrix = checked_regular(matrix)
    if trans == 2:
        matrix = contraction.conjugate(matrix)
    return fresh(factors.lu_solution(matrix, right, to_node(pivots), trans != 0))


@implements_by_name("scipy.linalg.expm", theme=THEME)
def expm(A: Any) -> Any:
    node = operand(A, False)
    if node.type.rank < 2:
        raise refuse("expm of a number")
    return fresh(current().make("expm", numpy_linalg.square(node)))


@implements_by_name("scipy.linalg.qr", theme=THEME)
def qr(
    a: Any,
    overwrite_a: Any = False,
    lwork: Any = None,
    mode: Any = "full",
    pivoting: Any = False,
    check_finite: Any = True,
) -> Any:
    plain_options("qr", overwrite_a=flag(overwrite_a), pivoting=flag(pivoting))
    if mode not in ("full", "qr", "r", "economic"):
        raise refuse(f"qr(mode={mode!r})")
    matrix = one_matrix("qr", a, check_finite, square=False)
    factors = current().make("qr", matrix, mode="reduced" if mode == "economic" else "complete")
    triangle = fresh(item(factors, 1))
    return (triangle,) if mode == "r" else (fresh(item(factors, 0)), triangle)


@implements_by_name("scipy.linalg.svd", theme=THEME)
def svd(
    a: Any,
    full_matrices: Any = True,
    compute_uv: Any = True,
    overwrite_a: Any = False,
    check_finite: Any = True,
    lapack_driver: Any = "gesdd",
) -> Any:
    plain_options("svd", overwrite_a=flag(overwrite_a))
    if lapack_driver != "gesdd":
        raise refuse(f"svd(lapack_driver={lapack_driver!r})")
    matrix = one_matrix("svd", a, check_finite, square=False)
    if not flag(compute_uv):
        return fresh(current().make("svdvals", matrix))
    factors = current().make("svd", matrix, full_matrices=flag(full_matrices))
    return tuple(fresh(item(factors, i)) for i in range(3))


@implements_by_name("scipy.linalg.svdvals", theme=THEME)
def svdvals(a: Any, overwrite_a: Any = False, check_finite: Any = True) -> Any:
    return svd(a, compute_uv=False, overwrite_a=overwrite_a, check_finite=check_finite)


@implements_by_name("scipy.linalg.eigh", theme=THEME)
def eigh(
    a: Any,
    b: Any = None,
    *,
    lower: Any = True,
    eigvals_only: Any = False,
    overwrite_a: Any = False,
    overwrite_b: Any = False,
    type: Any = 1,
    check_finite: Any = True,
    subset_by_index: Any = None,
    subset_by_value: Any = None,
    driver: Any = None,
) -> Any:
    """Eigenvectors only with `driver="evd"`, NumPy's: others choose other signs."""
    plain_options("eigh", b=b, overwrite_a=flag(overwrite_a), overwrite_b=flag(overwrite_b))
    plain_options("eigh", subset_by_index=subset_by_index, subset_by_value=subset_by_value)
    if driver not in (None, "ev", "evd", "evr"):
        raise refuse(f"eigh(driver={driver!r})")
    matrix = one_matrix("eigh", a, check_finite)
    if flag(eigvals_only):
        return fresh(current().make("eigvalsh", matrix, lower=flag(lower)))
    if driver != "evd":
        raise refuse("eigenvectors by scipy.linalg.eigh", 'only driver="evd" has the signs of numpy.linalg.eigh')
    pair = current().make("eigh", matrix, lower=flag(lower))
    return fresh(item(pair, 0)), fresh(item(pair, 1))


@implements_by_name("scipy.linalg.eigvalsh", theme=THEME)
def eigvalsh(a: Any, b: Any = None, **options: Any) -> Any:
    return eigh(a, b, eigvals_only=True, **options)


@implements_by_name("scipy.linalg.pinv", theme=THEME)
def pinv(a: Any, *, atol: Any = None, rtol: Any = None, return_rank: Any = False, check_finite: Any = True) -> Any:
    plain_options("pinv", atol=atol, return_rank=flag(return_rank))
    matrix = one_matrix("pinv", a, check_finite, square=False)
    if rtol is not None and not isinstance(rtol, float):
        raise refuse("pinv(rtol=) of this kind")
    if rtol is not None and rtol < 0:
        raise ValueError("atol and rtol values must be positive.")
    relative = numpy_linalg.relative_precision(matrix) if rtol is None else to_node(rtol)
    return fresh(numpy_linalg.pseudo_inverse(matrix, relative))


@implements_by_name("scipy.linalg.lstsq", theme=THEME)
def lstsq(
    a: Any,
    b: Any,
    cond: Any = None,
    overwrite_a: Any = False,
    overwrite_b: Any = False,
    check_finite: Any = True,
    lapack_driver: Any = None,
) -> Any:
    plain_options("lstsq", overwrite_a=flag(overwrite_a), overwrite_b=flag(overwrite_b))
    if lapack_driver not in (None, "gelsd") or not (cond is None or isinstance(cond, float)):
        raise refuse("lstsq(lapack_driver=) or (cond=) of this kind")
    matrix, right = right_side("lstsq", one_matrix("lstsq", a, check_finite, square=False), b, check_finite)
    if not nonempty(*matrix.type.shape, *right.type.shape):
        raise refuse("lstsq of an empty array")
    cutoff = numpy_linalg.precision(matrix) if cond is None else cond
    found = current().make("lstsq", matrix, right, rcond=cutoff)
    solution, rank, singular = (item(found, i) for i in range(3))
    if current().at_least(matrix.type.shape[1], matrix.type.shape[0]):
        rest = fresh(ir.constant(0, solution.type.dtype, (0,)))
    else:
        rest = numpy_linalg.residuals(matrix, right, solution, rank)
        if right.type.rank == 1:
            rest = numpy_linalg.Residuals(build.reshape(rest.cell.node, ()), rest.unusual, "scalar")  # type: ignore[attr-defined]
    return fresh(solution), rest, python_number(build.cast(rank, np.int64)), fresh(singular)


@implements_by_name("scipy.linalg.norm", theme=THEME)
def norm(a: Any, ord: Any = None, axis: Any = None, keepdims: Any = False, check_finite: Any = True) -> Any:
    """As numpy.linalg's, but for vectors of floats a Python float that does not overflow before its value does."""
    given = to_node(a)
    blas = given.type.dtype.kind in "fc" and axis is None and not flag(keepdims)
    if blas and given.type.rank == 2 and ord in (1, np.inf):
        raise refuse("scipy.linalg.norm(ord=) of a matrix", "the kind of the result depends on the order in memory")
    node = operand(a, check_finite) if given.type.dtype.kind in "fc" else given
    if not (blas and given.type.rank == 1 and ord in (None, 2) and nonempty(*given.type.shape)):
        return norms.norm(fresh(node), ord, axis, keepdims)
    magnitude = current().make("absolute", node)
    largest = build.reduce("max", magnitude, (0,))
    zero = build.zeros_like(largest)
    scale = where(make("equal", largest, zero), ir.constant(1, largest.type.dtype), largest)
    scaled = make("divide", magnitude, scale)
    total = build.reduce("sum", make("multiply", scaled, scaled), (0,))
    length = make("multiply", scale, current().make("sqrt", total))
    return python_number(build.cast(length, np.float64))
