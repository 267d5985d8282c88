"""Products of vectors, matrices and tensors: matmul, dot, inner, outer, tensordot, kron, trace, cross and their kin."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from egc.capture import build
from egc.capture.array import Array, concrete_int, fresh, result, to_node
from egc.capture.context import current
from egc.capture.registry import implements
from egc.capture.surface import contraction
from egc.capture.surface.arguments import dtype_of, equal, flat, refuse
from egc.capture.surface.contraction import common_dtype, conjugate, matrix_transpose, promoted
from egc.capture.ufuncs import call_ufunc, loop_dtypes, store
from egc.ir import Node

THEME = "products"

Core = Callable[[Node, Node], Node]


def _generalized(
    ufunc: np.ufunc, core: Core, a: Any, b: Any, positional: Sequence[Any], options: dict[str, Any]
) -> Any:
    """A ufunc with a core: promotion, `dtype=` and `out=`."""
    options = dict(options)
    out, dtype = options.pop("out", None), options.pop("dtype", None)
    casting = options.pop("casting", "same_kind")
    for name in options:
        if name not in ("order", "subok"):
            raise refuse(f"{ufunc.__name__}({name}=)")
    if casting != "same_kind":
        raise refuse(f"{ufunc.__name__}(casting=)")
    loop = loop_dtypes(ufunc, (a, b), dtype)
    node = core(to_node(a, loop[0]), to_node(b, loop[1]))
    if positional:
        (out,) = positional
    (target,) = out if isinstance(out, tuple) else (out,)
    if target is None:
        return result(node)
    rank = CORE_RANKS[ufunc](to_node(a).type.rank, to_node(b).type.rank)
    core_shape = node.type.shape[node.type.rank - rank :]
    if isinstance(target, Array) and (
        target.ndim < rank or not all(map(equal, core_shape, target.shape[target.ndim - rank :]))
    ):
        raise ValueError(f"{ufunc.__name__}: Output operand 0 has a mismatch in its core dimensions")
    return store(node, target)


CORE_RANKS: dict[np.ufunc, Callable[[int, int], int]] = {
    np.matmul: lambda a, b: (a > 1) + (b > 1),
    np.vecdot: lambda a, b: 0,
}
"""How many axes of the result belong to one product, by the ranks of the operands."""


@implements(np.matmul, theme=THEME)
def matmul(a: Any, b: Any, *out: Any, **options: Any) -> Any:
    return _generalized(np.matmul, contraction.matmul, a, b, out, options)


@implements(np.linalg.matmul, theme=THEME)
def linalg_matmul(a: Any, b: Any) -> Any:
    return matmul(a, b)


def _vecdot(a: Node, b: Node) -> Node:
    for position, node in enumerate((a, b)):
        if not node.type.rank:
            raise ValueError(f"vecdot: Input operand {position} does not have enough dimensions (has 0, requires 1)")
    if a.type.rank == b.type.rank == 1:
        return contraction.matmul(conjugate(a), b, "vecdot")
    if not equal(a.type.shape[-1], b.type.shape[-1]):
        raise ValueError("vecdot: Input operand 1 has a mismatch in its core dimension 0")
    a, b = build.broadcast_together(a, contraction.with_length(b, -1, a.type.shape[-1]))
    return contraction.total(current().make("multiply", conjugate(a), b), (a.type.rank - 1,))


@implements(np.vecdot, theme=THEME)
def vecdot(a: Any, b: Any, *out: Any, axis: Any = None, **options: Any) -> Any:
    if axis is not None:
        a, b = (result(contraction.last_axes(to_node(x), concrete_int(axis))) for x in (a, b))
    return _generalized(np.vecdot, _vecdot, a, b, out, options)


@implements(np.linalg.vecdot, theme=THEME)
def linalg_vecdot(a: Any, b: Any, *, axis: Any = -1) -> Any:
    return vecdot(a, b, axis=axis)


def _column(x: Node) -> Node:
    return build.reshape(x, (*x.type.shape, 1))


def _matvec(a: Node, b: Node) -> Node:
    _require_ranks("matvec", (a, 2), (b, 1))
    if b.type.rank == 1:
        return contraction.matmul(a, b, "matvec")
    product = contraction.matmul(a, _column(b), "matvec")
    return build.reshape(product, product.type.shape[:-1])


def _vecmat(a: Node, b: Node) -> Node:
    _require_ranks("vecmat", (a, 1), (b, 2))
    a = conjugate(a)
    if a.type.rank == 1:
        return contraction.matmul(a, b, "vecmat")
    product = contraction.matmul(build.expand_dims(a, a.type.rank - 1), b, "vecmat")
    return build.reshape(product, (*product.type.shape[:-2], product.type.shape[-1]))


def _require_ranks(name: str, *operands: tuple[Node, int]) -> None:
    for position, (node, rank) in enumerate(operands):
        if node.type.rank < rank:
            raise ValueError(
                f"{name}: Input operand {position} does not have enough dimensions "
                f"(has {node.type.rank}, requires {rank})"
            )


def _register_matrix_vector() -> None:
    """`matvec` and `vecmat` exist from NumPy 2.2 on."""
    cores: dict[str, Core] = {"matvec": _matvec, "vecmat": _vecmat}
    for name, core in cores.items():
        ufunc = getattr(np, name, None)
        if ufunc is not None:
            CORE_RANKS[ufunc] = lambda a, b: 1
            implements(ufunc, theme=THEME)(_of_core(ufunc, core))


def _of_core(ufunc: np.ufunc, core: Core) -> Callable[..., Any]:
    return lambda a, b, *out, **options: _generalized(ufunc, core, a, b, out, options)


_register_matrix_vector()


@implements(np.dot, theme=THEME, method="dot")
def dot(a: Any, b: Any, out: Any = None) -> Any:
    node = contraction.dot(*promoted(a, b))
    if out is None:
        return result(node)
    if not isinstance(out, Array) or not out.ndim:
        raise refuse("dot(out=) of a scalar or an outer array")
    if out.dtype != node.type.dtype or out.ndim != node.type.rank or not all(map(equal, out.shape, node.type.shape)):
        raise ValueError(
            "output array is not acceptable (must have the right datatype, number of dimensions, and be a C-Array)"
        )
    return store(node, out)


@implements(np.vdot, theme=THEME)
def vdot(a: Any, b: Any) -> Any:
    x, y = promoted(a, b)
    return result(contraction.matmul(conjugate(flat(x)), flat(y), "vdot"))


@implements(np.inner, theme=THEME)
def inner(a: Any, b: Any) -> Any:
    x, y = promoted(a, b)
    if not x.type.rank or not y.type.rank:
        return result(contraction.multiply(x, y))
    if not equal(x.type.shape[-1], y.type.shape[-1]):
        raise ValueError(f"shapes {x.type.shape} and {y.type.shape} not aligned")
    if y.type.rank == 1:
        return result(contraction.matmul(x, y))
    if x.type.rank == 1:
        return result(contraction.matmul(y, x))
    if y.type.rank == 2:
        return result(contraction.matmul(x, matrix_transpose(y)))
    return result(contraction.tensordot(x, y, [x.type.rank - 1], [y.type.rank - 1]))


@implements(np.outer, theme=THEME)
def outer(a: Any, b: Any, out: Any = None) -> Any:
    column, row = flat(to_node(a)), flat(to_node(b))
    product = build.expand_dims(column, 1), build.expand_dims(row, 0)
    return call_ufunc(np.multiply, "__call__", tuple(map(fresh, product)), {"out": out} if out is not None else {})


@implements(np.linalg.outer, theme=THEME)
def linalg_outer(a: Any, b: Any) -> Any:
    if to_node(a).type.rank != 1 or to_node(b).type.rank != 1:
        raise ValueError("Input arrays must be one-dimensional")
    return outer(a, b)


def _axis_list(axes: Any, rank: int) -> list[int]:
    given = axes if isinstance(axes, (list, tuple, np.ndarray)) else [axes]
    axes = [build.normalize_axis(concrete_int(axis), rank) for axis in given]
    if len(set(axes)) != len(axes):
        raise ValueError("duplicate axes are not allowed in tensordot")
    return axes


@implements(np.tensordot, theme=THEME)
def tensordot(a: Any, b: Any, axes: Any = 2) -> Any:
    x, y = promoted(a, b)
    if isinstance(axes, (list, tuple, np.ndarray)):
        given_x, given_y = axes
    else:
        count = concrete_int(axes)
        given_x, given_y = list(range(-count, 0)), list(range(count))
    if max(np.size(given_x), 0) != np.size(given_y):
        raise ValueError("shape-mismatch for sum")
    summed_x, summed_y = _axis_list(given_x, x.type.rank), _axis_list(given_y, y.type.rank)
    if not all(equal(x.type.shape[i], y.type.shape[j]) for i, j in zip(summed_x, summed_y)):
        raise ValueError("shape-mismatch for sum")
    return fresh(contraction.tensordot(x, y, summed_x, summed_y))


@implements(np.linalg.tensordot, theme=THEME)
def linalg_tensordot(a: Any, b: Any, /, *, axes: Any = 2) -> Any:
    return tensordot(a, b, axes=axes)


@implements(np.kron, theme=THEME)
def kron(a: Any, b: Any) -> Any:
    x, y = promoted(a, b)
    if not x.type.rank or not y.type.rank:
        return result(contraction.multiply(x, y))
    rank = max(x.type.rank, y.type.rank)
    rows = (1,) * (rank - x.type.rank) + x.type.shape
    columns = (1,) * (rank - y.type.rank) + y.type.shape
    spread_x = build.reshape(x, [dim for length in rows for dim in (length, 1)])
    spread_y = build.reshape(y, [dim for length in columns for dim in (1, length)])
    return fresh(build.reshape(contraction.multiply(spread_x, spread_y), [m * n for m, n in zip(rows, columns)]))


@implements(np.trace, theme=THEME, method="trace")
def trace(a: Any, offset: Any = 0, axis1: Any = 0, axis2: Any = 1, dtype: Any = None, out: Any = None) -> Any:
    node = to_node(a)
    if node.type.rank < 2:
        raise ValueError("diag requires an array of at least two dimensions")
    moved = contraction.last_axes(node, concrete_int(axis1), concrete_int(axis2))
    if out is not None:
        raise refuse("trace(out=)")
    diagonal = contraction.diagonal(moved, concrete_int(offset))
    diagonal = build.cast(diagonal, dtype_of(dtype, sum_dtype(diagonal.type.dtype)))
    return result(contraction.total(diagonal, (diagonal.type.rank - 1,)))


def sum_dtype(dtype: np.dtype) -> np.dtype:
    """The dtype in which NumPy sums: at least 64 bits for integers and bool."""
    wide = np.dtype(np.uint64) if dtype.kind == "u" else np.dtype(np.int64)
    return wide if dtype.kind in "biu" else dtype


@implements(np.linalg.trace, theme=THEME)
def linalg_trace(a: Any, /, *, offset: Any = 0, dtype: Any = None) -> Any:
    return trace(a, offset, axis1=-2, axis2=-1, dtype=dtype)


def _component(x: Node, index: int) -> Node:
    return build.reshape(build.slice_axis(x, x.type.rank - 1, index, 1), x.type.shape[:-1])


@implements(np.cross, theme=THEME)
def cross(a: Any, b: Any, axisa: Any = -1, axisb: Any = -1, axisc: Any = -1, axis: Any = None) -> Any:
    if axis is not None:
        axisa = axisb = axisc = axis
    x, y = to_node(a), to_node(b)
    if not x.type.rank or not y.type.rank:
        raise ValueError("At least one array has zero dimension")
    dtype = common_dtype((x, y))
    x = contraction.last_axes(build.cast(x, dtype), concrete_int(axisa))
    y = contraction.last_axes(build.cast(y, dtype), concrete_int(axisb))
    lengths = [current().concretize(node.type.shape[-1]) for node in (x, y)]
    if not set(lengths) <= {2, 3}:
        raise ValueError("incompatible dimensions for cross product\n(dimension must be 2 or 3)")
    first: list[Any] = [_component(x, i) if i < lengths[0] else None for i in range(3)]
    second: list[Any] = [_component(y, i) if i < lengths[1] else None for i in range(3)]

    def entry(i: int, j: int) -> Node:
        make = current().make
        plus = contraction.multiply(first[i], second[j]) if first[i] and second[j] else None
        minus = contraction.multiply(first[j], second[i]) if first[j] and second[i] else None
        if plus is None:
            assert minus is not None
            return make("negative", minus)
        return plus if minus is None else make("subtract", plus, minus)

    if lengths == [2, 2]:
        return fresh(entry(0, 1))
    entries = [entry(1, 2), entry(2, 0), entry(0, 1)]
    node = build.concatenate([_column(part) for part in entries], entries[0].type.rank)
    place = build.normalize_axis(concrete_int(axisc), node.type.rank)
    order = list(range(node.type.rank - 1))
    order.insert(place, node.type.rank - 1)
    return fresh(build.transpose(node, order))


@implements(np.linalg.cross, theme=THEME)
def linalg_cross(a: Any, b: Any, /, *, axis: Any = -1) -> Any:
    nodes = to_node(a), to_node(b)
    for node in nodes:
        if not equal(node.type.shape[build.normalize_axis(concrete_int(axis), node.type.rank)], 3):
            raise ValueError("Both input arrays must be (arrays of) 3-dimensional vectors")
    return cross(a, b, axis=axis)


@implements(np.linalg.multi_dot, theme=THEME)
def multi_dot(arrays: Sequence[Any], *, out: Any = None) -> Any:
    if len(arrays) < 2:
        raise ValueError("Expecting at least two arrays.")
    if len(arrays) == 2:
        return dot(arrays[0], arrays[1], out=out)
    nodes = [to_node(array) for array in arrays]
    ends = nodes[0].type.rank, nodes[-1].type.rank
    if any(rank not in (1, 2) for rank in ends) or any(node.type.rank != 2 for node in nodes[1:-1]):
        raise np.linalg.LinAlgError("Array must be two-dimensional")
    if out is not None:
        raise refuse("multi_dot(out=)")
    return result(_chain(nodes, 0, len(nodes) - 1, _chain_order(nodes)))


def _chain(nodes: Sequence[Node], first: int, last: int, order: dict[tuple[int, int], int]) -> Node:
    if first == last:
        return nodes[first]
    split = order[first, last]
    left, right = _chain(nodes, first, split, order), _chain(nodes, split + 1, last, order)
    dtype = common_dtype((left, right))
    return contraction.dot(build.cast(left, dtype), build.cast(right, dtype))


def _chain_order(nodes: Sequence[Node]) -> dict[tuple[int, int], int]:
    """Where to split each subchain, by the sizes at hand (matrix-chain order, Cormen et al., section 14.2)."""
    value = current().value
    bounds = [value(node.type.shape[0]) if node.type.rank > 1 else 1 for node in nodes]
    bounds.append(value(nodes[-1].type.shape[-1]) if nodes[-1].type.rank > 1 else 1)
    cost = {(i, i): 0 for i in range(len(nodes))}
    order: dict[tuple[int, int], int] = {}
    for length in range(1, len(nodes)):
        for first in range(len(nodes) - length):
            last = first + length

            def price(split: int, first: int = first, last: int = last) -> int:
                products = bounds[first] * bounds[split + 1] * bounds[last + 1]
                return cost[first, split] + cost[split + 1, last] + products

            order[first, last] = min(range(first, last), key=price)
            cost[first, last] = price(order[first, last])
    return order
