"""A region for all iterations at once: each value that depends on the iteration's number gets a first axis for it.

Elements at computed positions become slices, diagonals or transposes where positions are affine in the number, else
gathers. What has no such form raises NotLifted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from egc import ir, sizes
from egc.ir import Node, make
from egc.ops import OPS
from egc.ranges import Ranges, coefficient, mentions
from egc.sizes import Dim
from egc.types import ArrayType, Shape


class NotLifted(Exception):
    """A value has no form for all iterations at once."""


@dataclass(frozen=True)
class Value:
    """A value of the region, outside of it: the same in every iteration, or `lifted`: with a first axis for them."""

    node: Node
    lifted: bool


def reshaped(x: Node, shape: Sequence[Dim]) -> Node:
    """`reshape`, or less: axes of length 1 come and go without one."""
    shape = tuple(shape)
    while x.op == "reshape":
        x = x.inputs[0]
    if _proper(x.type.shape) == _proper(shape):
        return _arranged(*_order(x), shape)
    return make("reshape", x, shape=shape)


def transposed(x: Node, axes: Sequence[int]) -> Node:
    """`transpose`, or less."""
    base, order = _order(x)
    place = {axis: k for k, axis in enumerate(each for each, dim in enumerate(x.type.shape) if dim != 1)}
    shape = tuple(x.type.shape[axis] for axis in axes)
    return _arranged(base, [order[place[axis]] for axis in axes if axis in place], shape)


def _proper(shape: Shape) -> list[Dim]:
    return [dim for dim in shape if dim != 1]


def _order(x: Node) -> tuple[Node, list[int]]:
    """What x is but for the order of axes and those of length 1, and which of its other axes x has, in order."""
    if x.op == "reshape" and _proper(x.inputs[0].type.shape) == _proper(x.type.shape):
        return _order(x.inputs[0])
    if x.op == "transpose":
        base, order = _order(x.inputs[0])
        place = {axis: k for k, axis in enumerate(each for each, dim in enumerate(x.inputs[0].type.shape) if dim != 1)}
        return base, [order[place[axis]] for axis in x.params["axes"] if axis in place]
    return x, [axis for axis, dim in enumerate(x.type.shape) if dim != 1]


def _arranged(base: Node, order: Sequence[int], shape: Shape) -> Node:
    """The axes of `base` in an order, and axes of length 1 as in `shape`."""
    if list(order) != sorted(order):
        kept = sorted(order)
        base = _with_shape(base, tuple(base.type.shape[axis] for axis in kept))
        base = make("transpose", base, axes=tuple(kept.index(axis) for axis in order))
    return _with_shape(base, shape)


def _with_shape(x: Node, shape: Shape) -> Node:
    if x.op == "constant":
        return ir.constant(x.params["value"], x.type.dtype, shape)
    return x if x.type.shape == shape else make("reshape", x, shape=shape)


def sliced(x: Node, start: Sequence[Dim], size: Sequence[Dim], step: Sequence[int]) -> Node:
    if x.op == "slice" and all(stride == 1 for stride in (*step, *x.params["step"])):
        start = [a + b for a, b in zip(x.params["start"], start)]
        x = x.inputs[0]
    whole = all(dim == 0 for dim in start) and tuple(size) == x.type.shape and all(stride == 1 for stride in step)
    return x if whole else make("slice", x, start=tuple(start), size=tuple(size), step=tuple(step))


def joined(first: Node, rest: Node) -> Node:
    """`concatenate` along the first axis; one slice where the two are neighbours in an array."""
    if first.op == rest.op == "slice" and first.inputs == rest.inputs:
        (a, b), (start, after) = (
            (each.type.shape for each in (first, rest)),
            (each.params["start"] for each in (first, rest)),
        )
        ones = all(stride == 1 for each in (first, rest) for stride in each.params["step"])
        if ones and after == (start[0] + a[0], *start[1:]):
            return sliced(first.inputs[0], start, (a[0] + b[0], *a[1:]), first.params["step"])
    return make("concatenate", first, rest, axis=0)


def spread(x: Node, shape: Shape, axes: Sequence[int]) -> Node:
    """`broadcast`, where it does anything."""
    if x.type.shape == shape:
        return x
    if x.op == "constant":
        return ir.constant(x.params["value"], x.type.dtype, shape)
    return make("broadcast", x, shape=shape, axes=tuple(axes))


class Lifting:
    """Values of the regions of one loop of `count` iterations, whose number is the size symbol `name`.

    known: what is known from the start, the region's inputs among it. ranges: what is known of sizes inside.
    rounded: whether something was lifted whose rounding may differ.
    """

    def __init__(self, name: str, count: Dim, ranges: Ranges, known: dict[Node, Value]):
        self.name, self.count, self.ranges, self.known = name, count, ranges, known
        self.rounded = False

    def value(self, node: Node) -> Value:
        """The value of a Node. Raises NotLifted."""
        for each in ir.topological([node]):
            if each not in self.known:
                self.known[each] = self._lift(each, [self._known(child) for child in each.inputs])
        return self._known(node)

    def _known(self, node: Node) -> Value:
        if node not in self.known:
            raise NotLifted(node.op)
        return self.known[node]

    def rows(self, value: Value) -> Node:
        """A value with the axis for iterations, repeated along it where it is the same in all."""
        if value.lifted:
            return value.node
        rank = value.node.type.rank
        return spread(value.node, (self.count, *value.node.type.shape), range(1, rank + 1))

    def numbers(self, factor: Dim, offset: Dim, shape: Shape | None = None, axis: int = 0) -> Node:
        """`offset + factor * i` for the index i along an axis."""
        shape = (self.count,) if shape is None else shape
        found = make("iota", shape=shape, axis=axis)
        if factor != 1:
            found = make("multiply", found, spread(ir.size(factor), shape, ()))
        return make("add", found, spread(ir.size(offset), shape, ())) if offset != 0 else found

    def _affine(self, size: Dim) -> tuple[Dim, Dim]:
        factor = coefficient(size, self.name)
        if factor is None:
            raise NotLifted("position")
        return factor, sizes.substitute(size, {self.name: 0})

    def _lift(self, node: Node, values: Sequence[Value]) -> Value:
        if (
            node.op == "input"
            or not isinstance(node.type, ArrayType)
            or any(self.name in sizes.symbols(dim) for dim in node.type.shape)
        ):
            raise NotLifted(node.op)
        if node.op == "size" and mentions(node, self.name):
            return Value(self.numbers(*self._affine(node.params["value"])), True)
        if node.op == "slice":
            return self._slice(node, values[0])
        if mentions(node, self.name):
            raise NotLifted(node.op)
        if not any(value.lifted for value in values):
            return Value(ir.rebuild(node, [value.node for value in values]), False)
        row = OPS[node.op]
        if row.kind == "elementwise":
            return Value(make(node.op, *map(self.rows, values), **node.params), True)
        if node.op not in _LIFTS:
            raise NotLifted(node.op)
        if row.kind in ("reduction", "contraction") and node.type.dtype.kind in "fc" and node.op not in EXACT:
            self.rounded = True
        return Value(_LIFTS[node.op](self, node, values), True)

    def _slice(self, node: Node, value: Value) -> Value:
        start, size, step = (node.params[name] for name in ("start", "size", "step"))
        pairs = [self._affine(each) for each in start]
        moving = [axis for axis, (factor, _) in enumerate(pairs) if factor != 0]
        x, rank = value.node, len(start)
        if not moving:
            if not value.lifted:
                return Value(sliced(x, start, size, step), False)
            return Value(sliced(x, (0, *start), (self.count, *size), (1, *step)), True)
        single = all(size[axis] == 1 for axis in moving)
        k = moving[0]
        factor, offset = pairs[k]
        if not value.lifted and single and len(moving) == 1 and isinstance(factor, int):
            strides = [factor if axis == k else int(each) for axis, each in enumerate(step)]
            found = sliced(x, _put(start, k, offset), _put(size, k, self.count), strides)
            found = transposed(found, [k, *(axis for axis in range(rank) if axis != k)])
            return Value(reshaped(found, (self.count, *size)), True)
        if not value.lifted and single and rank == 2 and all(factor == 1 for factor, _ in pairs):
            square = sliced(x, [offset for _, offset in pairs], (self.count, self.count), (1, 1))
            return Value(reshaped(make("diagonal", square, offset=0, size=self.count), (self.count, *size)), True)
        return Value(self._gathered(node, value, moving, pairs), True)

    def _gathered(self, node: Node, value: Value, moving: list[int], pairs: list[tuple[Dim, Dim]]) -> Node:
        start, size, step = (node.params[name] for name in ("start", "size", "step"))
        rank, first = len(start), int(value.lifted)
        for axis in moving:
            last = start[axis] + (size[axis] - 1) * step[axis]
            if not (self.ranges.holds(start[axis]) and self.ranges.holds(last)):
                raise NotLifted("position that may be negative")
        still = [axis for axis in range(rank) if axis not in moving]
        lengths = node.inputs[0].type.shape
        base = sliced(
            value.node,
            [0] * first + [0 if axis in moving else start[axis] for axis in range(rank)],
            [self.count] * first + [lengths[axis] if axis in moving else size[axis] for axis in range(rank)],
            [1] * first + [1 if axis in moving else int(step[axis]) for axis in range(rank)],
        )
        shape = (self.count, *(size[axis] for axis in moving))
        places = [make("iota", shape=shape, axis=0)] if first else []
        for position, axis in enumerate(moving):
            place = self.numbers(*pairs[axis], shape)
            if size[axis] != 1:
                place = make("add", place, self.numbers(step[axis], 0, shape, position + 1))
            places.append(place)
        axes = tuple([0] * first + [axis + first for axis in moving])
        found = make("gather", base, *places, axes=axes, mode="raise")
        order = [*moving, *still]
        return transposed(found, [0, *(1 + order.index(axis) for axis in range(rank))])


def _put(values: Sequence[Dim], axis: int, value: Dim) -> list[Dim]:
    return [value if k == axis else each for k, each in enumerate(values)]


EXACT = frozenset(["max", "min", "any", "all", "argmax", "argmin"])
"""Reductions whose result does not depend on an order."""

Lift = Callable[[Lifting, Node, Sequence[Value]], Node]

_LIFTS: dict[str, Lift] = {}


def _lifts(*names: str) -> Callable[[Lift], Lift]:
    def register(lift: Lift) -> Lift:
        _LIFTS.update(dict.fromkeys(names, lift))
        return lift

    return register


@_lifts("assume")
def _assume(w: Lifting, node: Node, values: Sequence[Value]) -> Node:
    return values[0].node


@_lifts("broadcast")
def _broadcast(w: Lifting, node: Node, values: Sequence[Value]) -> Node:
    axes = (0, *(axis + 1 for axis in node.params["axes"]))
    return spread(values[0].node, (w.count, *node.type.shape), axes)


@_lifts("reshape")
def _reshape(w: Lifting, node: Node, values: Sequence[Value]) -> Node:
    return reshaped(values[0].node, (w.count, *node.type.shape))


@_lifts("transpose")
def _transpose(w: Lifting, node: Node, values: Sequence[Value]) -> Node:
    return transposed(values[0].node, (0, *(axis + 1 for axis in node.params["axes"])))


@_lifts("sum", "prod", "max", "min", "any", "all")
def _reduction(w: Lifting, node: Node, values: Sequence[Value]) -> Node:
    return make(node.op, values[0].node, axes=tuple(axis + 1 for axis in node.params["axes"]))


@_lifts("argmax", "argmin", "cumsum", "cumprod", "cummax", "cummin", "sort", "argsort")
def _along(w: Lifting, node: Node, values: Sequence[Value]) -> Node:
    return make(node.op, values[0].node, **{**node.params, "axis": node.params["axis"] + 1})


@_lifts("linear_recurrence")
def _linear_recurrence(w: Lifting, node: Node, values: Sequence[Value]) -> Node:
    return make("linear_recurrence", *map(w.rows, values), axis=node.params["axis"] + 1)


@_lifts("diagonal", "tril", "triu", "diagonal_matrix")
def _last_axes(w: Lifting, node: Node, values: Sequence[Value]) -> Node:
    return make(node.op, values[0].node, **node.params)


@_lifts("concatenate")
def _concatenate(w: Lifting, node: Node, values: Sequence[Value]) -> Node:
    return make("concatenate", *map(w.rows, values), axis=node.params["axis"] + 1)


@_lifts("pad")
def _pad(w: Lifting, node: Node, values: Sequence[Value]) -> Node:
    if values[1].lifted:
        raise NotLifted("pad")
    low, high = ((0, *node.params[name]) for name in ("low", "high"))
    return make("pad", w.rows(values[0]), values[1].node, low=low, high=high)


@_lifts("update_slice")
def _update_slice(w: Lifting, node: Node, values: Sequence[Value]) -> Node:
    start, step = (0, *node.params["start"]), (1, *node.params["step"])
    return make("update_slice", *map(w.rows, values), start=start, step=step)


@_lifts("gather")
def _gather(w: Lifting, node: Node, values: Sequence[Value]) -> Node:
    x, *indices = values
    rows = [w.rows(index) for index in indices]
    axes = node.params["axes"]
    if not x.lifted:
        return make("gather", x.node, *rows, axes=axes, mode=node.params["mode"])
    numbers = make("iota", shape=rows[0].type.shape, axis=0)
    shifted = (0, *(axis + 1 for axis in axes))
    return make("gather", x.node, numbers, *rows, axes=shifted, mode=node.params["mode"])


@_lifts("matmul")
def _matmul(w: Lifting, node: Node, values: Sequence[Value]) -> Node:
    a, b = values
    ranks = tuple(child.type.rank for child in node.inputs)
    if max(ranks) > 2:
        raise NotLifted("matmul")
    shape = (w.count, *node.type.shape)
    if not b.lifted and (ranks[0] == 1 or ranks == (2, 1)):
        return make("matmul", a.node, b.node)
    if not a.lifted and ranks[1] == 1:
        if ranks[0] == 1:
            return make("matmul", b.node, a.node)
        return transposed(make("matmul", a.node, transposed(b.node, (1, 0))), (1, 0))
    left, right = w.rows(a), w.rows(b)
    if ranks == (1, 1):
        return make("sum", make("multiply", left, right), axes=(1,))
    if ranks[0] == 1:
        left = reshaped(left, (w.count, 1, left.type.shape[1]))
    if ranks[1] == 1:
        right = reshaped(right, (*right.type.shape, 1))
    return reshaped(make("matmul", left, right), shape)


def operands_of(inputs: Sequence[Node], values: Sequence[Node]) -> dict[Node, Value]:
    """Inputs of a region that are the same in every iteration."""
    return {node: Value(value, False) for node, value in zip(inputs, values)}


def number_of(count: Dim) -> Value:
    """The numbers of all iterations."""
    return Value(make("iota", shape=(count,), axis=0), True)
