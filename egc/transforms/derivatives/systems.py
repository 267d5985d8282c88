"""Derivatives of solutions of linear systems, and of what factorizations keep for them.

The formulas are those of Giles, "Collected matrix derivative results for forward and reverse mode algorithmic
differentiation" (2008), and of Walter and Lehmann, "Algorithmic differentiation of linear algebra functions" (2010).
Where only one triangle of a matrix is read, the other has no influence.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from egc import ir
from egc.errors import NotDifferentiable
from egc.ir import Node, make
from egc.transforms.derivatives.matrices import (
    applied,
    as_operand,
    identity,
    minus,
    outer,
    product,
    read_part,
    right_divided,
    right_side,
    solved_like,
)
from egc.transforms.derivatives.notation import broadcast, conjugated, negated, plus, turned, zeros
from egc.transforms.derivatives.tables import Tangents, backward, forward, several


@forward("solve")
def _solve(node: Node, tangents: Tangents) -> Node | None:
    (a, b), (da, db) = node.inputs, tangents
    right = minus(right_side(db, node), applied(da, node, b) if da is not None else None)
    assert right is not None
    return solved_like("solve", node, a, right)


@backward("solve")
def _solve_back(node: Node, ct: Node, k: int) -> Node:
    a, b = node.inputs
    weights = solved_like("solve", node, turned(a), ct)
    if k == 1:
        return as_operand(weights, b.type)
    return as_operand(negated(outer(weights, node, b.type.rank == 1)), a.type)


@forward("solve_triangular")
def _solve_triangular(node: Node, tangents: Tangents) -> Node | None:
    (a, b), (da, db) = node.inputs, tangents
    change = None
    if da is not None:
        read = read_part(da, node.params["lower"], node.params["unit_diagonal"])
        change = applied(turned(read) if node.params["transposed"] else read, node, b)
    right = minus(right_side(db, node), change)
    assert right is not None
    return solved_like("solve_triangular", node, a, right, **node.params)


@backward("solve_triangular")
def _solve_triangular_back(node: Node, ct: Node, k: int) -> Node:
    (a, b), params = node.inputs, node.params
    weights = solved_like("solve_triangular", node, a, ct, **{**params, "transposed": not params["transposed"]})
    if k == 1:
        return as_operand(weights, b.type)
    pair = (node, weights) if params["transposed"] else (weights, node)
    change = negated(outer(*pair, b.type.rank == 1))
    return as_operand(read_part(change, params["lower"], params["unit_diagonal"]), a.type)


def _unit_lower(factors: Node) -> Node:
    return make("add", make("tril", factors, offset=-1), identity(factors.type))


def _upper(factors: Node) -> Node:
    return make("triu", factors, offset=0)


def _factors_tangent(factors: Node, reduced: Node) -> Node:
    """The change of L and U in one matrix, from U A^-1 dA U^-1 = L^-1 P dA U^-1."""
    lower, upper = make("tril", reduced, offset=-1), make("triu", reduced, offset=0)
    return make("add", product(_unit_lower(factors), lower), product(upper, _upper(factors)))


@several("lu")
def _lu(node: Node, tangents: Tangents) -> tuple[Node | None, ...]:
    factors, pivots = (make("item", node, index=k) for k in range(2))
    solved = make("lu_solve", factors, pivots, tangents[0], transposed=False)
    reduced = right_divided(product(_upper(factors), solved), _upper(factors))
    return _factors_tangent(factors, reduced), None


@forward("lu_factors")
def _lu_factors(node: Node, tangents: Tangents) -> Node | None:
    options: dict[str, Any] = {"lower": True, "transposed": False, "unit_diagonal": True}
    reduced = right_divided(make("solve_triangular", node, tangents[0], **options), _upper(node))
    return _factors_tangent(node, reduced)


@forward("lu_solve")
def _lu_solve(node: Node, tangents: Tangents) -> Node | None:
    (factors, pivots, b), (change, _, db) = node.inputs, tangents
    transposed = node.params["transposed"]
    right = right_side(db, node)
    if change is not None:
        if b.type.rank != 1 and b.type.rank != factors.type.rank or b.type.rank == 1 != factors.type.rank - 1:
            raise NotDifferentiable("the derivative of lu_solve", "of one right side for many matrices", node.line)
        lower, upper = _unit_lower(factors), _upper(factors)
        d_lower, d_upper = make("tril", change, offset=-1), make("triu", change, offset=0)
        options: dict[str, Any] = {"lower": True, "unit_diagonal": True}
        if transposed:
            y = make("solve_triangular", factors, b, lower=False, transposed=True, unit_diagonal=False)
            moved = make("solve_triangular", factors, y, transposed=True, **options)
            inside = product(turned(upper), product(turned(d_lower), moved))
            inside = make("add", inside, product(turned(d_upper), product(turned(lower), moved)))
            right = minus(right, inside)
        else:
            first = make(
                "solve_triangular", factors, product(d_lower, product(upper, node)), transposed=False, **options
            )
            inside = make("add", first, product(d_upper, node))
            moved = make("solve_triangular", factors, inside, lower=False, transposed=False, unit_diagonal=False)
            plain = make("lu_solve", factors, pivots, right, transposed=False) if right is not None else None
            return minus(plain, moved)
    assert right is not None
    return make("lu_solve", factors, pivots, right, transposed=transposed)


@backward("lu_solve")
def _lu_solve_back(node: Node, ct: Node, k: int) -> Node | None:
    factors, pivots, b = node.inputs
    if k < 2:
        return None
    return as_operand(make("lu_solve", factors, pivots, ct, transposed=not node.params["transposed"]), b.type)


@forward("triangular_product")
def _triangular_product(node: Node, tangents: Tangents) -> Node | None:
    (triangle, b), (change, db) = node.inputs, tangents
    first = make("triangular_product", change, b, **node.params) if change is not None else None
    return plus(first, make("triangular_product", triangle, db, **node.params) if db is not None else None)


@backward("triangular_product")
def _triangular_product_back(node: Node, ct: Node, k: int) -> Node:
    (triangle, b), params = node.inputs, node.params
    vectors = b.type.rank == 1
    if k == 1:
        found = make("triangular_product", triangle, ct, **{**params, "transposed": not params["transposed"]})
        return as_operand(found, b.type)
    if params["right"]:
        change = outer(b, ct, True) if vectors else product(turned(b), ct)
    else:
        change = outer(ct, b, vectors)
    change = turned(change) if params["transposed"] else change
    return as_operand(read_part(change, params["lower"], False), triangle.type)


def _padded(x: Node, before: int, after: int) -> Node:
    return make("pad", x, ir.constant(0, x.type.dtype), low=(before, *_none(x)), high=(after, *_none(x)))


def _none(x: Node) -> Sequence[int]:
    return (0,) * (x.type.rank - 1)


def _part(x: Node, start: Any, size: Any) -> Node:
    shape = x.type.shape[1:]
    return make("slice", x, start=(start, *_none(x)), size=(size, *shape), step=(1,) * x.type.rank)


@forward("tridiagonal_solve")
def _tridiagonal_solve(node: Node, tangents: Tangents) -> Node | None:
    lower, diagonals, upper, b = node.inputs
    dl, dd, du, db = tangents
    length = lower.type.shape[0]

    def times(values: Node, x: Node) -> Node:
        return make("multiply", broadcast(values, x.type.shape, (0,)), x)

    if node.params["positive"]:
        du = conjugated(dl) if dl is not None else None
    right = db
    if dl is not None:
        right = minus(right, _padded(times(dl, _part(node, 0, length)), 1, 0))
    if dd is not None:
        right = minus(right, times(dd, node))
    if du is not None:
        right = minus(right, _padded(times(du, _part(node, 1, length)), 0, 1))
    if right is None:
        return zeros(node.type)
    return make("tridiagonal_solve", lower, diagonals, upper, right, **node.params)


@backward("tridiagonal_solve")
def _tridiagonal_solve_back(node: Node, ct: Node, k: int) -> Node | None:
    lower, diagonals, upper, _ = node.inputs
    if k < 3:
        return None
    if node.params["positive"]:
        return make("tridiagonal_solve", conjugated(lower), diagonals, conjugated(upper), ct, **node.params)
    return make("tridiagonal_solve", upper, diagonals, lower, ct, **node.params)


@forward("symmetric_solve")
def _symmetric_solve(node: Node, tangents: Tangents) -> Node | None:
    (a, _), (da, db) = node.inputs, tangents
    lower = node.params["lower"]
    change = None
    if da is not None:
        triangle = make("tril" if lower else "triu", da, offset=0)
        rest = make("tril", da, offset=-1) if lower else make("triu", da, offset=1)
        change = product(make("add", triangle, turned(rest)), node)
    right = minus(db, change)
    assert right is not None
    return make("symmetric_solve", a, right, lower=lower)


@backward("symmetric_solve")
def _symmetric_solve_back(node: Node, ct: Node, k: int) -> Node:
    (a, b), lower = node.inputs, node.params["lower"]
    weights = make("symmetric_solve", a, ct, lower=lower)
    if k == 1:
        return weights
    change = negated(outer(weights, node, b.type.rank == 1))
    rest = make("triu", change, offset=1) if lower else make("tril", change, offset=-1)
    return make("add", make("tril" if lower else "triu", change, offset=0), turned(rest))
