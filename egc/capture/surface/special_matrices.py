"""scipy.linalg's matrices built from vectors and blocks."""

from __future__ import annotations

from typing import Any

import numpy as np

from egc import ir
from egc.capture import build
from egc.capture.array import fresh, to_node
from egc.capture.context import current
from egc.capture.registry import implements_by_name
from egc.capture.surface import contraction
from egc.capture.surface.arguments import iota, make, nonempty, number, refuse, size_node
from egc.ir import Node
from egc.sizes import Dim

THEME = "scipy.linalg"


def _vector(name: str, value: Any) -> Node:
    node = to_node(value)
    if node.type.rank > 1:
        raise refuse(f"{name} of more than a vector")
    return node if node.type.rank else build.reshape(node, (1,))


def _picked(values: Node, positions: Node) -> Node:
    return current().make("gather", values, positions, axes=(0,), mode="raise")


def _joined(first: Node, second: Node) -> Node:
    dtype = contraction.common_dtype((first, second))
    rest = build.slice_axis(second, 0, 1, second.type.shape[0] - 1)
    return build.concatenate([build.cast(first, dtype), build.cast(rest, dtype)], 0)


def _empty(first: Node, second: Node) -> Node:
    return ir.constant(0, contraction.common_dtype((first, second)), (first.type.shape[0], second.type.shape[0]))


def _reversed(x: Node) -> Node:
    (length,) = x.type.shape
    return build.slice_axes(x, (length - 1,), (length,), (-1,))


@implements_by_name("scipy.linalg.toeplitz", theme=THEME)
def toeplitz(c: Any, r: Any = None) -> Any:
    """Element (i, j) is `c[i - j]` on and below the diagonal, `r[j - i]` above."""
    column = _vector("toeplitz", c)
    row = contraction.conjugate(column) if r is None else _vector("toeplitz", r)
    shape: tuple[Dim, Dim] = (column.type.shape[0], row.type.shape[0])
    if not nonempty(*shape):
        return fresh(_empty(column, row))
    values = _joined(_reversed(column), row)
    positions = make("add", make("subtract", iota(shape, 1), iota(shape, 0)), size_node(shape[0] - 1))
    return fresh(_picked(values, positions))


@implements_by_name("scipy.linalg.hankel", theme=THEME)
def hankel(c: Any, r: Any = None) -> Any:
    """Element (i, j) is that of c followed by r[1:] at i + j."""
    column = _vector("hankel", c)
    row = build.zeros_like(column) if r is None else _vector("hankel", r)
    shape: tuple[Dim, Dim] = (column.type.shape[0], row.type.shape[0])
    if not nonempty(*shape):
        return fresh(_empty(column, row))
    return fresh(_picked(_joined(column, row), make("add", iota(shape, 0), iota(shape, 1))))


@implements_by_name("scipy.linalg.circulant", theme=THEME)
def circulant(c: Any) -> Any:
    """Element (i, j) is `c[(i - j) % n]`."""
    column = _vector("circulant", c)
    (length,) = column.type.shape
    shape = (length, length)
    if not nonempty(length):
        return fresh(_empty(column, column))
    difference = make("subtract", iota(shape, 0), iota(shape, 1))
    return fresh(_picked(column, make("remainder", difference, size_node(length))))


@implements_by_name("scipy.linalg.block_diag", theme=THEME)
def block_diag(*arrs: Any) -> Any:
    """The blocks along the diagonal, zero elsewhere: two at a time, as laws of two blocks speak of them."""
    blocks = [_block(value) for value in (arrs or ([],))]
    dtype = contraction.common_dtype(blocks)
    found = build.cast(blocks[-1], dtype)
    for block in reversed(blocks[:-1]):
        found = _two_blocks(build.cast(block, dtype), found)
    return fresh(found)


def _two_blocks(a: Node, b: Node) -> Node:
    left, right = a.type.shape[1], b.type.shape[1]
    zero = number(0, a.type.dtype)
    above = current().make("pad", a, zero, low=(0, 0), high=(0, right))
    below = current().make("pad", b, zero, low=(0, left), high=(0, 0))
    return build.concatenate([contraction.with_length(each, 1, left + right) for each in (above, below)], 0)


def _block(value: Any) -> Node:
    node = to_node(value) if not (isinstance(value, list) and not value) else to_node(np.empty(0))
    if node.type.rank > 2:
        raise refuse("block_diag of stacks of matrices")
    return build.reshape(node, (*(1,) * (2 - node.type.rank), *node.type.shape))
