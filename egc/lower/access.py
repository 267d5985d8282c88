"""Views as affine addresses: how to read a view's elements directly from the flat array that it shows."""

from __future__ import annotations

from dataclasses import dataclass

from egc.ir import Node
from egc.lower.loops import Check
from egc.sizes import Dim
from egc.types import Shape, format_shape


@dataclass(frozen=True)
class Affine:
    """Element i of a value is `offset + sum(strides * i)` of C-contiguous `base`, given that `checks` hold."""

    base: Node
    offset: Dim
    strides: tuple[Dim, ...]
    checks: tuple[Check, ...] = ()


def row_major(shape: Shape) -> tuple[Dim, ...]:
    """The strides of a C-contiguous array, counted in elements.

    >>> row_major((2, 3, 4))
    (12, 4, 1)
    """
    strides: list[Dim] = []
    step: Dim = 1
    for dim in reversed(shape):
        strides.append(step)
        step = step * dim
    return tuple(reversed(strides))


def affine(node: Node) -> Affine:
    """A value as an affine view. Where that is not possible, the value itself is the base."""
    found = _VIEWS[node.op](node) if node.op in _VIEWS else None
    if found is not None:
        return found
    if node.op == "iota":
        strides = tuple(1 if axis == node.params["axis"] else 0 for axis in range(node.type.rank))
        return Affine(node, 0, strides)
    if node.op == "constant":
        return Affine(node, 0, (0,) * node.type.rank)
    return Affine(node, 0, row_major(node.type.shape))


def _assume(node: Node) -> Affine:
    return affine(node.inputs[0])


def _transpose(node: Node) -> Affine:
    x = affine(node.inputs[0])
    return Affine(x.base, x.offset, tuple(x.strides[axis] for axis in node.params["axes"]), x.checks)


def _broadcast(node: Node) -> Affine:
    x = affine(node.inputs[0])
    strides: list[Dim] = [0] * node.type.rank
    for stride, axis in zip(x.strides, node.params["axes"]):
        strides[axis] = stride
    return Affine(x.base, x.offset, tuple(strides), x.checks)


def _slice(node: Node) -> Affine:
    x, lengths = affine(node.inputs[0]), node.inputs[0].type.shape
    offset, strides, checks = x.offset, [], list(x.checks)
    picks = zip(x.strides, lengths, node.params["start"], node.params["size"], node.params["step"])
    for stride, length, start, size, step in picks:
        offset = offset + start * stride
        strides.append(step * stride)
        checks.extend(_inside(start, size, step, length))
    return Affine(x.base, offset, tuple(strides), tuple(checks))


def _inside(start: Dim, size: Dim, step: Dim, length: Dim) -> list[Check]:
    """The check that `start + step*i` is an index for all `i < size`, unless it surely is."""
    surely = _surely_inside(start, size, step, length)
    return [] if surely else [Check("slice", (start, size, step, length), "slice is out of bounds")]


def _surely_inside(start: Dim, size: Dim, step: Dim, length: Dim) -> bool:
    if isinstance(start, int) and start >= 0 and step == 1:
        room = length - start - size
        return isinstance(room, int) and room >= 0
    if not (isinstance(start, int) and isinstance(size, int) and isinstance(step, int) and isinstance(length, int)):
        return False
    return size == 0 or (0 <= start < length and 0 <= start + (size - 1) * step < length)


def _diagonal(node: Node) -> Affine | None:
    x, offset, size = affine(node.inputs[0]), node.params["offset"], node.params["size"]
    if not isinstance(offset, int):
        return None
    *rest, rows, columns = x.strides
    row, column = max(-offset, 0), max(offset, 0)
    height, width = node.inputs[0].type.shape[-2:]
    checks = (*x.checks, *_inside(row, size, 1, height), *_inside(column, size, 1, width))
    return Affine(x.base, x.offset + row * rows + column * columns, (*rest, rows + columns), checks)


def _reshape(node: Node) -> Affine | None:
    """A C-contiguous operand keeps its order; otherwise axes of length 1 come and go, and all else needs a copy."""
    source = node.inputs[0]
    x, before, after = affine(source), source.type.shape, node.type.shape
    sizes = source.type.size, node.type.size
    message = f"cannot reshape array of size {sizes[0]} into shape {format_shape(after)}"
    checks = x.checks if sizes[0] == sizes[1] else (*x.checks, Check("reshape", sizes, message))
    if x.base.op == "constant":
        return Affine(x.base, 0, (0,) * len(after), checks)
    if x.base.op != "iota" and x.offset == 0 and x.strides == row_major(before):
        return Affine(x.base, 0, row_major(after), checks)
    if [dim for dim in before if dim != 1] != [dim for dim in after if dim != 1]:
        return None
    remaining = iter([stride for stride, dim in zip(x.strides, before) if dim != 1])
    return Affine(x.base, x.offset, tuple(0 if dim == 1 else next(remaining) for dim in after), checks)


_VIEWS = {
    "assume": _assume,
    "transpose": _transpose,
    "broadcast": _broadcast,
    "slice": _slice,
    "diagonal": _diagonal,
    "reshape": _reshape,
}
