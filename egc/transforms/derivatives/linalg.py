"""Derivatives of linear algebra.

The formulas are those of Giles, "Collected matrix derivative results for forward and reverse mode algorithmic
differentiation" (2008), and of Walter and Lehmann, "Algorithmic differentiation of linear algebra functions" (2010); of
Townsend, "Differentiating the singular value decomposition" (2016); of Murray, "Differentiation of the Cholesky
decomposition" (2016); of Golub and Pereyra (1973) for pseudoinverses; and of Mathias (1996) for the exponential. Where
only one triangle of a matrix is read, the other has no influence.
"""

from __future__ import annotations

from typing import Any

from egc import ir
from egc.errors import NotDifferentiable
from egc.ir import Node, make
from egc.transforms.derivatives.matrices import (
    columns,
    diagonal,
    half_of,
    hermitian_turned,
    identity,
    imaginary_unit,
    one_triangle,
    over_columns,
    over_vector,
    product,
    right_divided,
    times_real,
    trace,
)
from egc.transforms.derivatives.notation import broadcast, negated, plus, turned, zeros
from egc.transforms.derivatives.tables import Tangents, backward, forward, several
from egc.types import ArrayType


@forward("inv")
def _inv(node: Node, tangents: Tangents) -> Node | None:
    return negated(product(product(node, tangents[0]), node))


@forward("det")
def _det(node: Node, tangents: Tangents) -> Node | None:
    return make("multiply", node, trace(make("solve", node.inputs[0], tangents[0])))


@several("slogdet")
def _slogdet(node: Node, tangents: Tangents) -> tuple[Node | None, ...]:
    found = trace(make("solve", node.inputs[0], tangents[0]))
    if found.type.dtype.kind != "c":
        return None, found
    sign = make("item", node, index=0)
    angle = make("multiply", make("cast", make("imag", found), dtype=found.type.dtype), imaginary_unit(found))
    return make("multiply", sign, angle), make("real", found)


@forward("cholesky", "cholesky_or_nan")
def _cholesky(node: Node, tangents: Tangents) -> Node | None:
    upper = bool(node.params.get("upper", False))
    factor = hermitian_turned(node) if upper else node
    change = one_triangle(tangents[0], lower=not upper)
    options: dict[str, Any] = {"lower": True, "transposed": False, "unit_diagonal": False}
    half = make("solve_triangular", factor, change, **options)
    inner = hermitian_turned(make("solve_triangular", factor, hermitian_turned(half), **options))
    found = product(factor, half_of(inner))
    return hermitian_turned(found) if upper else found


@forward("cholesky_inverse")
def _cholesky_inverse(node: Node, tangents: Tangents) -> Node | None:
    """A^-1 (dL L^T + L dL^T) A^-1 for A = L L^T, with L^T A^-1 = L^-1."""
    (factor,) = node.inputs
    moved = product(node, make("tril", tangents[0], offset=0))
    half = make("solve_triangular", factor, turned(moved), lower=True, transposed=True, unit_diagonal=False)
    return negated(make("add", turned(half), half))


@several("qr")
def _qr(node: Node, tangents: Tangents) -> tuple[Node | None, ...]:
    """For matrices with no more columns than rows, of full rank."""
    (a,), mode = node.inputs, node.params["mode"]
    rows, count = a.type.shape[-2:]
    wide = isinstance(count - rows, int) and count - rows > 0
    if wide or (mode == "complete" and rows != count):
        raise NotDifferentiable(
            "the derivative of qr", "its matrix has more columns than rows, or all of Q is made", node.line
        )
    whole = node if mode != "r" else make("qr", a, mode="reduced")
    q, r = (make("item", whole, index=k) for k in range(2))
    divided = right_divided(tangents[0], r)
    inner = product(hermitian_turned(q), divided)
    lower = make("tril", inner, offset=-1)
    rotation = make("subtract", lower, hermitian_turned(lower))
    if a.type.dtype.kind == "c":
        imaginary = make("cast", make("imag", diagonal(inner)), dtype=a.type.dtype)
        imaginary = make("multiply", imaginary, imaginary_unit(imaginary))
        rotation = make("add", rotation, make("diagonal_matrix", imaginary, offset=0))
    change = make("subtract", rotation, inner)
    dq = make("add", product(q, change), divided)
    dr = negated(product(change, r))
    return (dr,) if mode == "r" else (dq, dr)


def _gaps(values: Node) -> Node:
    """1 / (w_j - w_i), and 0 on the diagonal."""
    rank = values.type.rank
    shape = (*values.type.shape, values.type.shape[-1])
    right = broadcast(values, shape, (*range(rank - 1), rank))
    left = broadcast(values, shape, range(rank))
    ones = identity(ArrayType(values.type.dtype, shape))
    difference = make("add", make("subtract", right, left), ones)
    return make("subtract", make("divide", ir.constant(1, values.type.dtype, shape), difference), ones)


@several("eigh")
def _eigh(node: Node, tangents: Tangents) -> tuple[Node | None, ...]:
    values, vectors = (make("item", node, index=k) for k in range(2))
    change = one_triangle(tangents[0], node.params["lower"])
    inner = product(hermitian_turned(vectors), product(change, vectors))
    turned_by = times_real(inner, _gaps(values))
    found = diagonal(inner)
    return make("real", found) if found.type.dtype.kind == "c" else found, product(vectors, turned_by)


@forward("eigvalsh")
def _eigvalsh(node: Node, tangents: Tangents) -> Node | None:
    whole = make("eigh", node.inputs[0], lower=node.params["lower"])
    return _eigh(whole, tangents)[0]


@forward("eigvals")
def _eigvals(node: Node, tangents: Tangents) -> Node | None:
    whole = make("eig", node.inputs[0])
    vectors = make("item", whole, index=1)
    change = make("cast", tangents[0], dtype=vectors.type.dtype)
    return diagonal(make("solve", vectors, product(change, vectors)))


@several("svd")
def _svd(node: Node, tangents: Tangents) -> tuple[Node | None, ...]:
    (a,), (da,) = node.inputs, tangents
    rows, count = a.type.shape[-2:]
    if node.params["full_matrices"] and rows != count:
        raise NotDifferentiable(
            "the derivative of svd", "full matrices are made of a matrix that is not square", node.line
        )
    u, s, vh = (make("item", node, index=k) for k in range(3))
    v = hermitian_turned(vh)
    inner = product(hermitian_turned(u), product(da, v))
    found = diagonal(inner)
    ds = make("real", found) if found.type.dtype.kind == "c" else found
    squares = make("multiply", s, s)
    gaps = _gaps(squares)
    by_right = columns(inner, s)
    by_left = hermitian_turned(columns(hermitian_turned(inner), s))
    du = product(u, times_real(make("add", by_right, hermitian_turned(by_right)), gaps))
    dv = product(v, times_real(make("add", by_left, hermitian_turned(by_left)), gaps))
    if a.type.dtype.kind == "c":
        angle = make("multiply", make("cast", make("imag", found), dtype=a.type.dtype), imaginary_unit(found))
        du = make("add", du, product(u, make("diagonal_matrix", over_vector(angle, s), offset=0)))
    du = make("add", du, over_columns(_outside(u, product(da, v)), s))
    dv = make("add", dv, over_columns(_outside(v, product(hermitian_turned(da), u)), s))
    return du, ds, hermitian_turned(dv)


def _outside(basis: Node, x: Node) -> Node:
    """What of x is orthogonal to a basis."""
    return make("subtract", x, product(basis, product(hermitian_turned(basis), x)))


@forward("svdvals")
def _svdvals(node: Node, tangents: Tangents) -> Node | None:
    whole = make("svd", node.inputs[0], full_matrices=False)
    u, vh = make("item", whole, index=0), make("item", whole, index=2)
    found = diagonal(product(hermitian_turned(u), product(tangents[0], hermitian_turned(vh))))
    return make("real", found) if found.type.dtype.kind == "c" else found


@forward("pinv")
def _pinv(node: Node, tangents: Tangents) -> Node | None:
    """For matrices whose rank does not change."""
    (a,), (da,) = node.inputs, tangents
    ah = hermitian_turned(da)
    ph = hermitian_turned(node)
    first = negated(product(product(node, da), node))
    left = make("subtract", ah, product(ah, product(a, node)))
    right = make("subtract", ah, product(product(node, a), ah))
    second = product(product(node, ph), left)
    third = product(right, product(ph, node))
    return make("add", make("add", first, second), third)


@several("lstsq")
def _lstsq(node: Node, tangents: Tangents) -> tuple[Node | None, ...]:
    """By the pseudoinverse, for matrices whose rank does not change."""
    (a, b), (da, db) = node.inputs, tangents
    inverse = make("pinv", a, rcond=node.params["rcond"])
    change = product(inverse, db) if db is not None else None
    if da is not None:
        moved = _pinv(inverse, [da])
        assert moved is not None
        change = plus(change, product(moved, b))
    singular = _svdvals(make("svdvals", a), [da]) if da is not None else None
    return change, None, singular


@forward("expm")
def _expm(node: Node, tangents: Tangents) -> Node | None:
    (a,), (da,) = node.inputs, tangents
    return _exponential_block(a, da)


@backward("expm")
def _expm_back(node: Node, ct: Node, k: int) -> Node:
    return _exponential_block(turned(node.inputs[0]), ct)


def _exponential_block(a: Node, da: Node) -> Node:
    """The upper right block of the exponential of [[A, A'], [0, A]]: the derivative at A along A'."""
    rank, n = a.type.rank, a.type.shape[-1]
    above = make("concatenate", a, da, axis=rank - 1)
    below = make("concatenate", zeros(a.type), a, axis=rank - 1)
    found = make("expm", make("concatenate", above, below, axis=rank - 2))
    start = (*(0 for _ in range(rank - 2)), 0, n)
    return make("slice", found, start=start, size=a.type.shape, step=(1,) * rank)


@forward("gram")
def _gram(node: Node, tangents: Tangents) -> Node | None:
    (a,), (da,) = node.inputs, tangents
    half = product(turned(da), a) if node.params["transposed"] else product(da, turned(a))
    return make("add", half, turned(half))
