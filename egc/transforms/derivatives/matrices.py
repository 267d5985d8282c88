"""What the derivatives of linear algebra are made of."""

from __future__ import annotations

from typing import Any

from egc import ir, sizes
from egc.ir import Node, make
from egc.transforms.derivatives.arrays import outer_product
from egc.transforms.derivatives.notation import broadcast, conjugated, negated, turned
from egc.types import ArrayType


def minus(x: Node | None, y: Node | None) -> Node | None:
    if y is None:
        return x
    return negated(y) if x is None else make("subtract", x, y)


def product(a: Node, b: Node) -> Node:
    return make("matmul", a, b)


def diagonal(a: Node) -> Node:
    return make("diagonal", a, offset=0, size=sizes.minimum(*a.type.shape[-2:]))


def trace(a: Node) -> Node:
    return make("sum", diagonal(a), axes=(a.type.rank - 2,))


def identity(like: ArrayType) -> Node:
    """Identity matrices of a type."""
    ones = ir.constant(1, like.dtype, like.shape[:-1])
    return make("diagonal_matrix", ones, offset=0)


def scaled(x: Node, factor: float) -> Node:
    return make("multiply", x, ir.constant(factor, x.type.dtype, x.type.shape))


def columns(x: Node, factors: Node) -> Node:
    """The columns of matrices times one factor each."""
    rank = x.type.rank
    factors = make("cast", factors, dtype=x.type.dtype) if factors.type.dtype != x.type.dtype else factors
    return make("multiply", x, broadcast(factors, x.type.shape, (*range(rank - 2), rank - 1)))


def over_columns(x: Node, factors: Node) -> Node:
    """The columns of matrices divided by one factor each."""
    rank = x.type.rank
    factors = make("cast", factors, dtype=x.type.dtype) if factors.type.dtype != x.type.dtype else factors
    return make("divide", x, broadcast(factors, x.type.shape, (*range(rank - 2), rank - 1)))


def hermitian_turned(x: Node) -> Node:
    return conjugated(turned(x))


def outer(x: Node, y: Node, vectors: bool) -> Node:
    """x @ y.T for matrices; for vectors, the outer product."""
    if not vectors:
        return product(x, turned(y))
    rank = x.type.rank
    if rank == 1:
        return outer_product(x, y)
    left = make("reshape", x, shape=(*x.type.shape, 1))
    right = make("reshape", y, shape=(*y.type.shape[: rank - 1], 1, y.type.shape[-1]))
    return product(left, right)


def applied(a: Node, x: Node, like: Node) -> Node:
    """a @ x, where x is what an op that solves with right sides such as `like` gave: vectors or matrices."""
    if like.type.rank > 1 or x.type.rank == 1:
        return product(a, x)
    column = make("reshape", x, shape=(*x.type.shape, 1))
    return make("reshape", product(a, column), shape=(*x.type.shape[:-1], a.type.shape[-2]))


def solved_like(op: str, node: Node, a: Node, b: Node, **params: Any) -> Node:
    """The op on another right side, which has the shape of its result."""
    if node.inputs[-1].type.rank > 1 or b.type.rank == 1:
        return make(op, a, b, **params)
    column = make("reshape", b, shape=(*b.type.shape, 1))
    return make("reshape", make(op, a, column, **params), shape=b.type.shape)


def as_operand(x: Node, type: ArrayType) -> Node:
    """Cotangents summed over batches that an operand does not have."""
    extra = x.type.rank - type.rank
    x = make("sum", x, axes=tuple(range(extra))) if extra > 0 else x
    return x


def one_triangle(a: Node, lower: bool) -> Node:
    """The Hermitian matrix of which one triangle is given; of its diagonal the real part counts."""
    op, offset = ("tril", -1) if lower else ("triu", 1)
    side = make(op, a, offset=offset)
    if a.type.dtype.kind == "c":
        center = make("cast", make("real", diagonal(a)), dtype=a.type.dtype)
        whole = make("add", side, make("diagonal_matrix", center, offset=0))
    else:
        whole = make(op, a, offset=0)
    return make("add", whole, hermitian_turned(side))


def half_of(a: Node, lower: bool = True) -> Node:
    """One triangle with half of the diagonal."""
    triangle = make("tril" if lower else "triu", a, offset=0)
    return make("subtract", triangle, make("diagonal_matrix", scaled(diagonal(a), 0.5), offset=0))


def imaginary_unit(like: Node) -> Node:
    return ir.constant(1j, like.type.dtype, like.type.shape)


def right_side(db: Node | None, node: Node) -> Node | None:
    """A right side's tangent for each of a batch of matrices."""
    if db is None or db.type.shape == node.type.shape:
        return db
    extra = node.type.rank - db.type.rank
    return broadcast(db, node.type.shape, range(extra, node.type.rank))


def read_part(triangle: Node, lower: bool, unit: bool) -> Node:
    """The part of a matrix that `solve_triangular` reads, but for a diagonal of ones."""
    if lower:
        return make("tril", triangle, offset=-1 if unit else 0)
    return make("triu", triangle, offset=1 if unit else 0)


def right_divided(x: Node, upper: Node) -> Node:
    """x U^-1"""
    solved = make("solve_triangular", upper, turned(x), lower=False, transposed=True, unit_diagonal=False)
    return turned(solved)


def times_real(x: Node, real: Node) -> Node:
    real = real if real.type.dtype == x.type.dtype else make("cast", real, dtype=x.type.dtype)
    return make("multiply", x, real)


def over_vector(x: Node, y: Node) -> Node:
    return make("divide", x, make("cast", y, dtype=x.type.dtype) if y.type.dtype != x.type.dtype else y)
