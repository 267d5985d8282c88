"""Derivatives of linear algebra.

The formulas are those of Giles, "Collected matrix derivative results for forward and reverse mode algorithmic differentiation" (2008),
and of Walter and Lehmann, "Algorithmic differentiation of linear algebra functions" (2010); of Townsend, "Differentiating the singular
value decomposition" (2016); of Murray, "Differentiation of the Cholesky decomposition" (2016); of Golub and Pereyra (1973) for
pseudoinverses; and of Mathias (1996) for the exponential. Where only one triangle of a matrix is read, the other has no influence.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from egc import ir, sizes
from egc.errors import NotDifferentiable
from egc.ir import Node, make
from egc.transforms.derivatives.notation import (
    Value,
    broadcast,
    conjugated,
    negated,
    plus,
    turned,
    zeros,
)
from egc.transforms.derivatives.tables import Tangents, backward, forward, several
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
    left = make("reshape", x, shape=(*x.type.shape, 1))
    right = make("reshape", y, shape=(*y.type.shape[: rank - 1], 1, y.type.shape[-1]))
    return product(left, right)


def applied(a: Node, x: Node, like: Node) -> Node:
    """a @ x, where x is what an op that solves with right sides such as `like` gave: vectors or matrices."""
    if like.type.rank > 1 or x.type.rank == 1:
        return product(a, x)
    column = make("reshape", x, shape=(*x.type.shape, 1))
    return make("reshape", product(a, column), shape=(*x.type.shape[:-1], a.type.shape[-2]))


def _solved(op: str, node: Node, a: Node, b: Node, **params: Any) -> Node:
    """The op on another right side, which has the shape of its result."""
    if node.inputs[-1].type.rank > 1 or b.type.rank == 1:
        return make(op, a, b, **params)
    column = make("reshape", b, shape=(*b.type.shape, 1))
    return make("reshape", make(op, a, column, **params), shape=b.type.shape)


def _as_operand(x: Node, type: ArrayType) -> Node:
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


def _half(a: Node, lower: bool = True) -> Node:
    """One triangle with half of the diagonal."""
    triangle = make("tril" if lower else "triu", a, offset=0)
    return make("subtract", triangle, make("diagonal_matrix", scaled(diagonal(a), 0.5), offset=0))


@forward("inv")
def _inv(node: Node, tangents: Tangents) -> Node | None:
    assert tangents[0] is not None
    return negated(product(product(node, tangents[0]), node))


@forward("det")
def _det(node: Node, tangents: Tangents) -> Node | None:
    assert tangents[0] is not None
    return make("multiply", node, trace(make("solve", node.inputs[0], tangents[0])))


@several("slogdet")
def _slogdet(node: Node, tangents: Tangents) -> tuple[Node | None, ...]:
    assert tangents[0] is not None
    found = trace(make("solve", node.inputs[0], tangents[0]))
    if found.type.dtype.kind != "c":
        return None, found
    sign = make("item", node, index=0)
    angle = make("multiply", make("cast", make("imag", found), dtype=found.type.dtype), _i(found))
    return make("multiply", sign, angle), make("real", found)


def _i(like: Node) -> Node:
    return ir.constant(1j, like.type.dtype, like.type.shape)


@forward("cholesky", "cholesky_or_nan")
def _cholesky(node: Node, tangents: Tangents) -> Node | None:
    assert tangents[0] is not None
    upper = bool(node.params.get("upper", False))
    factor = hermitian_turned(node) if upper else node
    change = one_triangle(tangents[0], lower=not upper)
    options = {"lower": True, "transposed": False, "unit_diagonal": False}
    half = make("solve_triangular", factor, change, **options)
    inner = hermitian_turned(make("solve_triangular", factor, hermitian_turned(half), **options))
    found = product(factor, _half(inner))
    return hermitian_turned(found) if upper else found


@forward("solve")
def _solve(node: Node, tangents: Tangents) -> Node | None:
    (a, b), (da, db) = node.inputs, tangents
    right = minus(_full(db, node), applied(da, node, b) if da is not None else None)
    assert right is not None
    return _solved("solve", node, a, right)


def _full(db: Node | None, node: Node) -> Node | None:
    """A right side's tangent for each of a batch of matrices."""
    if db is None or db.type.shape == node.type.shape:
        return db
    extra = node.type.rank - db.type.rank
    return broadcast(db, node.type.shape, range(extra, node.type.rank))


@backward("solve")
def _solve_back(node: Node, ct: Node, k: int) -> Node:
    a, b = node.inputs
    weights = _solved("solve", node, turned(a), ct)
    if k == 1:
        return _as_operand(weights, b.type)
    return _as_operand(negated(outer(weights, node, b.type.rank == 1)), a.type)


def _read(triangle: Node, lower: bool, unit: bool) -> Node:
    """The part of a matrix that `solve_triangular` reads, but for a diagonal of ones."""
    if lower:
        return make("tril", triangle, offset=-1 if unit else 0)
    return make("triu", triangle, offset=1 if unit else 0)


@forward("solve_triangular")
def _solve_triangular(node: Node, tangents: Tangents) -> Node | None:
    (a, b), (da, db) = node.inputs, tangents
    change = None
    if da is not None:
        read = _read(da, node.params["lower"], node.params["unit_diagonal"])
        change = applied(turned(read) if node.params["transposed"] else read, node, b)
    right = minus(_full(db, node), change)
    assert right is not None
    return _solved("solve_triangular", node, a, right, **node.params)


@backward("solve_triangular")
def _solve_triangular_back(node: Node, ct: Node, k: int) -> Node:
    (a, b), params = node.inputs, node.params
    weights = _solved("solve_triangular", node, a, ct, **{**params, "transposed": not params["transposed"]})
    if k == 1:
        return _as_operand(weights, b.type)
    pair = (node, weights) if params["transposed"] else (weights, node)
    change = negated(outer(*pair, b.type.rank == 1))
    return _as_operand(_read(change, params["lower"], params["unit_diagonal"]), a.type)


def _unit_lower(factors: Node) -> Node:
    return make("add", make("tril", factors, offset=-1), identity(factors.type))


def _upper(factors: Node) -> Node:
    return make("triu", factors, offset=0)


def _factors_tangent(factors: Node, reduced: Node) -> Node:
    """The change of L and U in one matrix, from U A^-1 dA U^-1 = L^-1 P dA U^-1."""
    lower, upper = make("tril", reduced, offset=-1), make("triu", reduced, offset=0)
    return make("add", product(_unit_lower(factors), lower), product(upper, _upper(factors)))


def _right_divided(x: Node, upper: Node) -> Node:
    """x U^-1"""
    solved = make("solve_triangular", upper, turned(x), lower=False, transposed=True, unit_diagonal=False)
    return turned(solved)


@several("lu")
def _lu(node: Node, tangents: Tangents) -> tuple[Node | None, ...]:
    assert tangents[0] is not None
    factors, pivots = (make("item", node, index=k) for k in range(2))
    solved = make("lu_solve", factors, pivots, tangents[0], transposed=False)
    reduced = _right_divided(product(_upper(factors), solved), _upper(factors))
    return _factors_tangent(factors, reduced), None


@forward("lu_factors")
def _lu_factors(node: Node, tangents: Tangents) -> Node | None:
    options = {"lower": True, "transposed": False, "unit_diagonal": True}
    reduced = _right_divided(make("solve_triangular", node, tangents[0], **options), _upper(node))
    return _factors_tangent(node, reduced)


@forward("lu_solve")
def _lu_solve(node: Node, tangents: Tangents) -> Node | None:
    (factors, pivots, b), (change, _, db) = node.inputs, tangents
    transposed = node.params["transposed"]
    right = _full(db, node)
    if change is not None:
        if b.type.rank != 1 and b.type.rank != factors.type.rank or b.type.rank == 1 != factors.type.rank - 1:
            raise NotDifferentiable("the derivative of lu_solve", "of one right side for many matrices", node.line)
        lower, upper = _unit_lower(factors), _upper(factors)
        d_lower, d_upper = make("tril", change, offset=-1), make("triu", change, offset=0)
        options = {"lower": True, "unit_diagonal": True}
        if transposed:
            y = make("solve_triangular", factors, b, lower=False, transposed=True, unit_diagonal=False)
            moved = make("solve_triangular", factors, y, transposed=True, **options)
            inside = product(turned(upper), product(turned(d_lower), moved))
            inside = make("add", inside, product(turned(d_upper), product(turned(lower), moved)))
            right = minus(right, inside)
        else:
            first = make("solve_triangular", factors, product(d_lower, product(upper, node)), transposed=False, **options)
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
    return _as_operand(make("lu_solve", factors, pivots, ct, transposed=not node.params["transposed"]), b.type)


@several("qr")
def _qr(node: Node, tangents: Tangents) -> tuple[Node | None, ...]:
    """For matrices with no more columns than rows, of full rank."""
    (a,), mode = node.inputs, node.params["mode"]
    rows, count = a.type.shape[-2:]
    wide = isinstance(count - rows, int) and count - rows > 0
    if wide or (mode == "complete" and rows != count):
        raise NotDifferentiable("the derivative of qr", "its matrix has more columns than rows, or all of Q is made", node.line)
    whole = node if mode != "r" else make("qr", a, mode="reduced")
    q, r = (make("item", whole, index=k) for k in range(2))
    divided = _right_divided(tangents[0], r)  # type: ignore[arg-type]
    inner = product(hermitian_turned(q), divided)
    lower = make("tril", inner, offset=-1)
    rotation = make("subtract", lower, hermitian_turned(lower))
    if a.type.dtype.kind == "c":
        imaginary = make("cast", make("imag", diagonal(inner)), dtype=a.type.dtype)
        imaginary = make("multiply", imaginary, _i(imaginary))
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


def _times(x: Node, real: Node) -> Node:
    real = real if real.type.dtype == x.type.dtype else make("cast", real, dtype=x.type.dtype)
    return make("multiply", x, real)


@several("eigh")
def _eigh(node: Node, tangents: Tangents) -> tuple[Node | None, ...]:
    values, vectors = (make("item", node, index=k) for k in range(2))
    change = one_triangle(tangents[0], node.params["lower"])  # type: ignore[arg-type]
    inner = product(hermitian_turned(vectors), product(change, vectors))
    turned_by = _times(inner, _gaps(values))
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
        raise NotDifferentiable("the derivative of svd", "full matrices are made of a matrix that is not square", node.line)
    assert da is not None
    u, s, vh = (make("item", node, index=k) for k in range(3))
    v = hermitian_turned(vh)
    inner = product(hermitian_turned(u), product(da, v))
    found = diagonal(inner)
    ds = make("real", found) if found.type.dtype.kind == "c" else found
    squares = make("multiply", s, s)
    gaps = _gaps(squares)
    by_right = columns(inner, s)
    by_left = hermitian_turned(columns(hermitian_turned(inner), s))
    du = product(u, _times(make("add", by_right, hermitian_turned(by_right)), gaps))
    dv = product(v, _times(make("add", by_left, hermitian_turned(by_left)), gaps))
    if a.type.dtype.kind == "c":
        angle = make("multiply", make("cast", make("imag", found), dtype=a.type.dtype), _i(found))
        du = make("add", du, product(u, make("diagonal_matrix", over_vector(angle, s), offset=0)))
    du = make("add", du, over_columns(_outside(u, product(da, v)), s))
    dv = make("add", dv, over_columns(_outside(v, product(hermitian_turned(da), u)), s))
    return du, ds, hermitian_turned(dv)


def over_vector(x: Node, y: Node) -> Node:
    return make("divide", x, make("cast", y, dtype=x.type.dtype) if y.type.dtype != x.type.dtype else y)


def _outside(basis: Node, x: Node) -> Node:
    """What of x is orthogonal to a basis."""
    return make("subtract", x, product(basis, product(hermitian_turned(basis), x)))


@forward("svdvals")
def _svdvals(node: Node, tangents: Tangents) -> Node | None:
    whole = make("svd", node.inputs[0], full_matrices=False)
    u, vh = make("item", whole, index=0), make("item", whole, index=2)
    found = diagonal(product(hermitian_turned(u), product(tangents[0], hermitian_turned(vh))))  # type: ignore[arg-type]
    return make("real", found) if found.type.dtype.kind == "c" else found


@forward("pinv")
def _pinv(node: Node, tangents: Tangents) -> Node | None:
    """For matrices whose rank does not change."""
    (a,), (da,) = node.inputs, tangents
    assert da is not None
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
    assert da is not None
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
    assert da is not None
    half = product(turned(da), a) if node.params["transposed"] else product(da, turned(a))
    return make("add", half, turned(half))


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
        return _as_operand(found, b.type)
    if params["right"]:
        change = outer(b, ct, True) if vectors else product(turned(b), ct)
    else:
        change = outer(ct, b, vectors)
    change = turned(change) if params["transposed"] else change
    return _as_operand(_read(change, params["lower"], False), triangle.type)


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
    (a, b), (da, db) = node.inputs, tangents
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


