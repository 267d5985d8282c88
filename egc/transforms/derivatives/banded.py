"""Derivatives of systems whose matrix is given by its diagonals: element (i, j) is `bands[above + i - j, j]`."""

from __future__ import annotations

import numpy as np

from egc import ir
from egc.ir import Node, make
from egc.transforms.derivatives.notation import broadcast, conjugated, negated, plus, zeros
from egc.transforms.derivatives.tables import Tangents, backward, forward
from egc.types import Shape


def _iota(shape: Shape, axis: int) -> Node:
    return make("iota", shape=shape, axis=axis)


def _whole(value: int, shape: Shape) -> Node:
    return ir.constant(value, np.dtype(np.int64), shape)


def _places(shape: Shape, above: int, sign: int) -> tuple[Node, Node]:
    """For each diagonal k, counted from the highest, and each place j: j + sign (k - above), or 0 where that is no place; and
    where it is one."""
    count, n = shape
    steps = make("subtract", _iota(shape, 0), _whole(above, shape))
    found = make("add" if sign > 0 else "subtract", _iota(shape, 1), steps)
    length = broadcast(make("cast", ir.size(n), dtype=np.dtype(np.int64)), shape, ())
    inside = make("logical_and", make("greater_equal", found, _whole(0, shape)), make("less", found, length))
    return make("where", inside, found, _whole(0, shape)), inside


def _kept(inside: Node, x: Node) -> Node:
    """x where a mask over its first axes holds, 0 elsewhere."""
    return make("where", broadcast(inside, x.type.shape, (0, 1)), x, zeros(x.type))


def _along(x: Node, count: int) -> Node:
    """x for each diagonal."""
    return broadcast(x, (count, *x.type.shape), tuple(range(1, x.type.rank + 1)))


def product(bands: Node, x: Node, above: int) -> Node:
    """The matrix times x: (n,) or (n, k)."""
    shape = bands.type.shape
    near, inside = _places(shape, above, -1)
    places = make("multiply", broadcast(bands, (*shape, *x.type.shape[1:]), (0, 1)), _along(x, shape[0]))
    picked = make("gather", places, _iota(shape, 0), near, axes=(0, 1), mode="clip")
    return make("sum", _kept(inside, picked), axes=(0,))


def turned_product(bands: Node, x: Node, above: int) -> Node:
    """The transposed matrix times x: (n,) or (n, k)."""
    near, inside = _places(bands.type.shape, above, 1)
    picked = _kept(inside, make("gather", x, near, axes=(0,), mode="clip"))
    return make("sum", make("multiply", broadcast(bands, picked.type.shape, (0, 1)), picked), axes=(0,))


def turned(bands: Node, below: int) -> Node:
    """The diagonals of the transposed matrix."""
    shape = bands.type.shape
    near, inside = _places(shape, below, 1)
    rows = make("subtract", _whole(shape[0] - 1, shape), _iota(shape, 0))
    return _kept(inside, make("gather", bands, rows, near, axes=(0, 1), mode="clip"))


def _row_is_own(bands: Node, above: int) -> Node:
    return make("equal", _iota(bands.type.shape, 0), _whole(above, bands.type.shape))


def _hermitian_product(bands: Node, x: Node, above: int) -> Node:
    """The Hermitian matrix of which one side is given times x; of its diagonal the real part counts."""
    own = _row_is_own(bands, above)
    real = bands if bands.type.dtype.kind != "c" else make("cast", make("real", bands), dtype=bands.type.dtype)
    first = product(make("where", own, real, bands), x, above)
    beside = make("where", own, zeros(bands.type), conjugated(bands))
    return make("add", first, turned_product(beside, x, above))


@forward("banded_solve")
def _banded_solve(node: Node, tangents: Tangents) -> Node | None:
    (bands, _), (change, right) = node.inputs, tangents
    if change is not None:
        times = _hermitian_product if node.params["positive"] else product
        right = plus(right, negated(times(change, node, node.params["above"])))
    assert right is not None
    return make("banded_solve", bands, right, **node.params)


@backward("banded_solve")
def _banded_solve_back(node: Node, ct: Node, k: int) -> Node | None:
    (bands, _), params = node.inputs, node.params
    if k == 0:
        return None
    if params["positive"]:
        return make("banded_solve", conjugated(bands), ct, **params)
    below, above = params["below"], params["above"]
    return make("banded_solve", turned(bands, below), ct, below=above, above=below, positive=False)
