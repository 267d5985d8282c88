"""numpy.linalg: systems, factorizations, determinants and powers of matrices and of stacks of matrices."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np

from egc import ir, sizes
from egc.capture import build
from egc.capture.array import Array, concrete_int, fresh, has_traced, result, to_node
from egc.capture.context import current
from egc.capture.registry import implements, lookup
from egc.capture.surface import contraction
from egc.capture.surface.arguments import absent, equal, flag, iota, make, nonempty, number, refuse, size_node, where
from egc.capture.surface.contraction import matched_batches, matrix_transpose
from egc.errors import ShapeError
from egc.ir import Node
from egc.sizes import Dim
from egc.types import SHORT

THEME = "numpy.linalg"

LinAlgError = np.linalg.LinAlgError


def floating(*operands: Any) -> list[Node]:
    """The operands in the dtype that numpy.linalg computes with: integers and bool become float64."""
    nodes = [to_node(operand) for operand in operands]
    kinds = [np.dtype(float) if node.type.dtype.kind in "biu" else node.type.dtype for node in nodes]
    dtype = np.result_type(*kinds)
    if dtype not in SHORT:
        raise refuse(f"linear algebra in {dtype}", f"egc has no dtype {dtype}")
    return [build.cast(node, dtype) for node in nodes]


def matrix(node: Node) -> Node:
    """A stack of matrices, or LinAlgError."""
    if node.type.rank < 2:
        raise LinAlgError(f"{node.type.rank}-dimensional array given. Array must be at least two-dimensional")
    return node


def square(node: Node) -> Node:
    """A stack of square matrices with both lengths written alike, or LinAlgError."""
    rows, columns = matrix(node).type.shape[-2:]
    if not equal(rows, columns):
        raise LinAlgError("Last 2 dimensions of the array must be square")
    contraction.note_square_factors(node)
    return contraction.with_length(node, -1, rows)


def item(node: Node, index: int) -> Node:
    return current().make("item", node, index=index)


@cache
def result_type(function: Any) -> Callable[..., Any]:
    """The named tuple that a numpy.linalg function returns."""
    return type(function(np.eye(1)))


def named(function: Any, *nodes: Node) -> Any:
    return result_type(function)(*map(result, nodes))


def system(a: Node, b: Node) -> tuple[Node, Node]:
    """A square matrix and a right side of matching length; a vector, or a stack of matrices of the same batch."""
    a = square(a)
    axis = -2 if b.type.rank > 1 else 0
    if not b.type.rank or not equal(a.type.shape[-1], b.type.shape[axis]):
        raise ShapeError(f"solve: Input operand 1 has a mismatch in its core dimension 0: {a.type} and {b.type}")
    b = contraction.with_length(b, axis, a.type.shape[-1])
    return (a, b) if b.type.rank == 1 else matched_batches(a, b, 2, 2)


@implements(np.linalg.solve, theme=THEME)
def solve(a: Any, b: Any) -> Any:
    return fresh(current().make("solve", *system(*floating(a, b))))


@implements(np.linalg.inv, theme=THEME)
def inv(a: Any) -> Any:
    return fresh(current().make("inv", square(*floating(a))))


@implements(np.linalg.det, theme=THEME)
def det(a: Any) -> Any:
    return result(current().make("det", square(*floating(a))))


@implements(np.linalg.slogdet, theme=THEME)
def slogdet(a: Any) -> Any:
    pair = current().make("slogdet", square(*floating(a)))
    return named(np.linalg.slogdet, item(pair, 0), item(pair, 1))


@implements(np.linalg.cholesky, theme=THEME)
def cholesky(a: Any, /, *, upper: Any = False) -> Any:
    return fresh(current().make("cholesky", square(*floating(a)), upper=flag(upper)))


@implements(np.linalg.qr, theme=THEME)
def qr(a: Any, mode: Any = "reduced") -> Any:
    if mode not in ("reduced", "complete", "r", "raw", "f", "full", "e", "economic"):
        raise ValueError(f"Unrecognized mode '{mode}'")
    if mode not in ("reduced", "complete", "r"):
        raise refuse(f"qr(mode={mode!r})")
    factors = current().make("qr", matrix(*floating(a)), mode=mode)
    if mode == "r":
        return fresh(item(factors, 0))
    return named(np.linalg.qr, item(factors, 0), item(factors, 1))


def singular_values(a: Node) -> Node:
    """Laws of Gram matrices speak of square factors."""
    if a.op == "matmul":
        contraction.note_square_factors(a)
    return current().make("svdvals", matrix(a))


@implements(np.linalg.svd, theme=THEME)
def svd(a: Any, full_matrices: Any = True, compute_uv: Any = True, hermitian: Any = False) -> Any:
    if flag(hermitian):
        raise refuse("svd(hermitian=True)")
    (node,) = floating(a)
    if not flag(compute_uv):
        return fresh(singular_values(node))
    factors = current().make("svd", matrix(node), full_matrices=flag(full_matrices))
    return named(np.linalg.svd, *(item(factors, i) for i in range(3)))


@implements(np.linalg.svdvals, theme=THEME)
def svdvals(x: Any, /) -> Any:
    return svd(x, compute_uv=False)


def is_lower(UPLO: Any) -> bool:
    letter = UPLO.upper()
    if letter not in ("L", "U"):
        raise ValueError("UPLO argument must be 'L' or 'U'")
    return letter == "L"


@implements(np.linalg.eigh, theme=THEME)
def eigh(a: Any, UPLO: Any = "L") -> Any:
    pair = current().make("eigh", square(*floating(a)), lower=is_lower(UPLO))
    return named(np.linalg.eigh, item(pair, 0), item(pair, 1))


@implements(np.linalg.eigvalsh, theme=THEME)
def eigvalsh(a: Any, UPLO: Any = "L") -> Any:
    return fresh(current().make("eigvalsh", square(*floating(a)), lower=is_lower(UPLO)))


def complex_spectrum(values: Node, a: Node) -> Node:
    """Eigenvalues that are complex. Where all of a real matrix's turn out real, NumPy gives real results: such a call runs
    as written."""
    if a.type.dtype.kind != "c":
        parts = current().make("imag", values)
        real = current().make("equal", parts, build.zeros_like(parts))
        current().check(build.reduce("all", real, range(real.type.rank)))
    return values


@implements(np.linalg.eig, theme=THEME)
def eig(a: Any) -> Any:
    node = square(*floating(a))
    pair = current().make("eig", node)
    values, vectors = item(pair, 0), item(pair, 1)
    complex_spectrum(values, node)
    return named(np.linalg.eig, values, vectors)


@implements(np.linalg.eigvals, theme=THEME)
def eigvals(a: Any) -> Any:
    node = square(*floating(a))
    return fresh(complex_spectrum(current().make("eigvals", node), node))


@implements(np.linalg.pinv, theme=THEME)
def pinv(a: Any, rcond: Any = None, hermitian: Any = False, *, rtol: Any = np._NoValue) -> Any:  # type: ignore[attr-defined]
    if flag(hermitian):
        raise refuse("pinv(hermitian=True)")
    node = matrix(*floating(a))
    if rcond is not None and rtol is not np._NoValue:  # type: ignore[attr-defined]
        raise ValueError("`rtol` and `rcond` can't be both set.")
    if rcond is None:
        rcond = 1e-15 if rtol is np._NoValue else rtol  # type: ignore[attr-defined]
    if isinstance(rcond, (int, float)) and not has_traced(rcond):
        return fresh(current().make("pinv", node, rcond=float(rcond)))
    cutoff = relative_precision(node) if rcond is None else to_node(rcond)
    return fresh(pseudo_inverse(node, build.reshape(cutoff, (*cutoff.type.shape, 1))))


def precision(node: Node) -> float:
    return float(np.finfo(node.type.dtype).eps)


def relative_precision(a: Node) -> Node:
    """The larger length of the matrices times the spacing of floats at 1."""
    real = np.dtype(f"f{a.type.dtype.itemsize // 2}") if a.type.dtype.kind == "c" else a.type.dtype
    longer = size_node(sizes.maximum(*a.type.shape[-2:]), real)
    return make("multiply", longer, number(np.finfo(real).eps, real))


def pseudo_inverse(a: Node, relative: Node) -> Node:
    """The Moore-Penrose inverse without the singular values up to `relative` times the largest."""
    factors = current().make("svd", a, full_matrices=False)
    left, singular, right = (contraction.conjugate(item(factors, i)) for i in range(3))
    last = singular.type.rank - 1
    if not nonempty(singular.type.shape[-1]):
        shape = (*a.type.shape[:-2], a.type.shape[-1], a.type.shape[-2])
        return ir.constant(0, a.type.dtype, shape)
    largest = build.keep_axes(build.reduce("max", singular, (last,)), singular.type.shape, (last,))
    dtype = np.result_type(relative.type.dtype, largest.type.dtype)
    cutoff = make("multiply", build.cast(relative, dtype), build.cast(largest, dtype))
    large = make("greater", build.cast(singular, dtype), cutoff)
    one, zero = number(1, singular.type.dtype), number(0, singular.type.dtype)
    inverse = where(large, make("divide", one, singular), zero)
    column = build.cast(build.reshape(inverse, (*inverse.type.shape, 1)), a.type.dtype)
    return contraction.matmul(matrix_transpose(right), make("multiply", column, matrix_transpose(left)))


class Residuals(Array):
    """The residuals of `lstsq`, whose length depends on the rank: used, they need `unusual` to be false."""

    __slots__ = ("unusual",)

    def __init__(self, node: Node, unusual: Node, kind: str = "array"):
        super().__init__(node, kind)
        self.unusual = unusual

    @property
    def node(self) -> Node:
        current().check(self.unusual)
        return Array.node.fget(self)  # type: ignore[attr-defined]


@implements(np.linalg.lstsq, theme=THEME)
def lstsq(a: Any, b: Any, rcond: Any = None) -> Any:
    a, b = floating(a, b)
    if a.type.rank != 2 or b.type.rank not in (1, 2):
        raise LinAlgError("Array must be two-dimensional")
    rows, columns = a.type.shape
    if not equal(rows, b.type.shape[0]):
        raise LinAlgError("Incompatible dimensions")
    if not nonempty(*a.type.shape, *b.type.shape):
        raise refuse("lstsq of an empty array", "egc does not encode it")
    if not absent(rcond) and not isinstance(rcond, (int, float)):
        raise refuse("lstsq(rcond=) of this kind")
    b = contraction.with_length(b, 0, rows)
    found = current().make("lstsq", a, b, rcond=None if rcond is None else float(rcond))
    solution, rank, singular = (item(found, i) for i in range(3))
    return fresh(solution), residuals(a, b, solution, rank), result(rank), fresh(singular)


def residuals(a: Node, b: Node, solution: Node, rank: Node) -> Array:
    """The squared lengths of the columns of `b - a @ x`; none unless a has more rows than columns and full rank."""
    rows, columns = a.type.shape
    real = singular_dtype(a.type.dtype)
    if not current().at_least(rows, columns + 1):
        return fresh(ir.constant(0, real, (0,)))
    if b.type.rank == 1:
        b, solution = (build.reshape(node, (*node.type.shape, 1)) for node in (b, solution))
    difference = make("subtract", b, contraction.matmul(a, solution))
    squares = build.reduce("sum", square_of_absolute(difference), (0,))
    return Residuals(squares, make("not_equal", build.cast(rank, np.int64), size_node(columns)))


def singular_dtype(dtype: np.dtype) -> np.dtype:
    return np.dtype(f"f{dtype.itemsize // 2}") if dtype.kind == "c" else dtype


def square_of_absolute(x: Node) -> Node:
    """`(x.conj() * x).real`."""
    if x.type.dtype.kind != "c":
        return make("multiply", x, x)
    return current().make("real", make("multiply", contraction.conjugate(x), x))


def identity(length: Dim, dtype: np.dtype) -> Node:
    shape = (length, length)
    return build.cast(make("equal", iota(shape, 0), iota(shape, 1)), dtype)


@implements(np.linalg.matrix_power, theme=THEME)
def matrix_power(a: Any, n: Any) -> Any:
    node = square(to_node(a))
    if isinstance(n, (float, complex, str)):
        raise TypeError("exponent must be an integer")
    exponent = concrete_int(n)
    if exponent == 0:
        return fresh(build.broadcast_to(identity(node.type.shape[-1], node.type.dtype), node.type.shape))
    if exponent < 0:
        node, exponent = inv(a).node, -exponent
    if exponent == 1:
        return a if isinstance(a, Array) and a.node is node else fresh(node)
    return fresh(_power(node, exponent))


def _power(a: Node, exponent: int) -> Node:
    """Binary powers, in NumPy's order of products."""
    if exponent == 3:
        return contraction.matmul(contraction.matmul(a, a), a)
    power: Node | None = None
    total: Node | None = None
    while exponent:
        power = a if power is None else contraction.matmul(power, power)
        exponent, bit = divmod(exponent, 2)
        if bit:
            total = power if total is None else contraction.matmul(total, power)
    assert total is not None
    return total


@implements(np.linalg.tensorsolve, theme=THEME)
def tensorsolve(a: Any, b: Any, axes: Any = None) -> Any:
    a, b = to_node(a), to_node(b)
    if axes is not None:
        moved = [build.normalize_axis(concrete_int(axis), a.type.rank) for axis in axes]
        a = build.transpose(a, [*(axis for axis in range(a.type.rank) if axis not in moved), *moved])
    unknown = a.type.shape[b.type.rank :]
    length = sizes.product(unknown)
    if not equal(a.type.size, length * length):
        raise LinAlgError("Input arrays must satisfy the requirement prod(a.shape[b.ndim:]) == prod(a.shape[:b.ndim])")
    solution = solve(fresh(build.reshape(a, (length, length))), fresh(build.reshape(b, (b.type.size,))))
    return fresh(build.reshape(solution.node, unknown))


@implements(np.linalg.tensorinv, theme=THEME)
def tensorinv(a: Any, ind: Any = 2) -> Any:
    node, split = to_node(a), concrete_int(ind)
    if split <= 0:
        raise ValueError("Invalid ind argument.")
    shape = node.type.shape
    rows, columns = sizes.product(shape[:split]), sizes.product(shape[split:])
    inverse = inv(fresh(build.reshape(node, (rows, columns)))).node
    return fresh(build.reshape(inverse, (*shape[split:], *shape[:split])))


def _alias(function: Any, of: Any, arguments: Callable[..., tuple[Sequence[Any], dict[str, Any]]]) -> None:
    def meaning(*positional: Any, **options: Any) -> Any:
        target = lookup(of)
        if target is None:
            raise refuse(f"a call of {of.__name__}", "egc has no ops for it")
        positional, options = arguments(*positional, **options)  # type: ignore[assignment]
        return target(*positional, **options)

    implements(function, theme=THEME)(meaning)


_alias(np.linalg.matrix_transpose, np.matrix_transpose, lambda x, /: ((x,), {}))
_alias(np.linalg.diagonal, np.diagonal, lambda x, /, *, offset=0: ((x, offset, -2, -1), {}))
