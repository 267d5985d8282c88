"""Sample loops and branches: regions as functions of the types of an op's operands."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from egc import ir, sizes
from egc.ir import Node, Program
from egc.types import ArrayType

from .operands import Random, ordinary

Types = Sequence[ArrayType]
Body = Callable[..., Sequence[Node]]


def region(name: str, body: Body, counted: bool = False) -> Callable[[Types], Program]:
    """The region whose results `body` gives, for a loop or branch on operands of given types."""

    def made(types: Types) -> Program:
        given = types if counted or name not in ("then", "otherwise") else types[1:]
        names = (
            ["_i1", *(f"_c1_{k}" for k in range(len(given)))] if counted else [f"_c1_{k}" for k in range(len(given))]
        )
        inputs = tuple(ir.input(label, type) for label, type in zip(names, given))
        return Program(inputs, tuple(body(*inputs)), name, frozenset(["_i1"] if counted else []))

    return made


def element(x: Node, index: sizes.Dim) -> Node:
    return ir.make("reshape", ir.make("slice", x, start=(index,), size=(1,), step=(1,)), shape=())


def with_element(x: Node, index: sizes.Dim, value: Node) -> Node:
    return ir.make("update_slice", x, ir.make("reshape", value, shape=(1,)), start=(index,), step=(1,))


scaled = region("then", lambda x, y: (ir.make("multiply", x, x), ir.make("add", y, y)))
shifted = region("otherwise", lambda x, y: (ir.make("add", x, ir.make("broadcast", y, shape=x.type.shape, axes=())), y))


def _summed(index: Node, total: Node, x: Node) -> Sequence[Node]:
    return (ir.make("add", total, element(x, sizes.symbol("_i1"))),)


def _running(index: Node, x: Node) -> Sequence[Node]:
    """Each element but the first becomes the sum of itself and the new one before it."""
    i = sizes.symbol("_i1")
    return (with_element(x, i + 1, ir.make("add", element(x, i), element(x, i + 1))),)


def _swapped(index: Node, x: Node, y: Node) -> Sequence[Node]:
    return ir.make("add", y, y), x


def _small(total: Node, count: Node) -> Sequence[Node]:
    return (ir.make("less", count, ir.constant(5, count.type.dtype)),)


def _doubled(total: Node, count: Node) -> Sequence[Node]:
    return ir.make("add", total, total), ir.make("add", count, ir.constant(1, count.type.dtype))


def _below(index: Node, total: Node, x: Node) -> Sequence[Node]:
    return (ir.make("less", total, ir.constant(3, total.type.dtype)),)


def loops(rng: Random, dtype: str) -> Iterator[tuple[dict[str, Any], tuple[np.ndarray, ...]]]:
    """The parameters and the operands of loops: sums, in-place recurrences, swaps; with conditions before and after."""
    plain: dict[str, Any] = {"counted": True, "pre": None, "post": None, "reverse": None}
    x, zero = ordinary(rng, dtype, (5,)), np.zeros((), ordinary(rng, dtype, (1,)).dtype)
    for count in (5, 0, 3):
        yield {**plain, "states": 1, "update": region("update", _summed, True)}, (np.array(count), zero, x)
    yield {**plain, "states": 1, "update": region("update", _running, True)}, (np.array(4), x)
    for count in (3, 4):
        operands = (np.array(count), x, ordinary(rng, dtype, (5,)))
        yield {**plain, "states": 2, "update": region("update", _swapped, True)}, operands
    ending = {"pre": region("pre", _below, True), "update": region("update", _summed, True)}
    yield {**plain, **ending, "states": 1}, (np.array(5), zero, np.abs(x))
    ending = {"post": region("post", _below, True), "update": region("update", _summed, True)}
    yield {**plain, **ending, "states": 1}, (np.array(5), zero, np.abs(x))
    for what in ("pre", "post"):
        update, condition = region("update", _doubled), region(what, _small)
        free: dict[str, Any] = {**plain, "counted": False, "states": 2, "update": update, what: condition}
        yield free, (zero + 1, np.array(0))
