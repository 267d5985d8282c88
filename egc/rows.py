"""Rows of an array, as Nodes."""

from __future__ import annotations

from egc.ir import Node, make
from egc.sizes import Dim
from egc.types import ArrayType


def unwritten(type: ArrayType) -> Node:
    """An array whose rows are all written before any is read: it is not filled."""
    return make("empty", dtype=type.dtype, shape=type.shape)


def row_of(x: Node, at: Dim) -> Node:
    """x[at]"""
    shape = x.type.shape[1:]
    part = make("slice", x, start=(at, *(0 for _ in shape)), size=(1, *shape), step=(1,) * x.type.rank)
    return make("reshape", part, shape=shape)


def with_row(x: Node, row: Node, at: Dim) -> Node:
    """x with another x[at]"""
    shape = x.type.shape[1:]
    row = make("reshape", row, shape=(1, *shape))
    return make("update_slice", x, row, start=(at, *(0 for _ in shape)), step=(1,) * x.type.rank)
