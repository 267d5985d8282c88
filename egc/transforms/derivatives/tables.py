"""The tables that hold one row for each op that is not elementwise: how tangents go forward, and cotangents back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from egc.ir import Node
from egc.transforms.derivatives.strategy import Strategy

Tangents = Sequence[Any]
"""The tangents of an op's operands: Nodes, or None for 0; not all are None."""

Forward = Callable[[Node, Tangents], "Node | None"]
Several = Callable[[Node, Tangents], "tuple[Node | None, ...]"]
Backward = Callable[[Node, Node, int], "Node | Callable[[Node], Node] | None"]
BackwardSeveral = Callable[[Node, Mapping[int, Node], Sequence[int], Strategy], "Sequence[Node | None] | None"]

FORWARD: dict[str, Forward] = {}
"""The tangent of the result from those of the operands, of which one at least is not None, which is 0."""

SEVERAL: dict[str, Several] = {}
"""The same for ops with several results."""

BACKWARD: dict[str, Backward] = {}
"""The cotangent of operand k from the result's, where the op is linear in that operand: a Node, or what adds it to what has
come together so far. None where the tangent's row has to be transposed."""

BACKWARD_SEVERAL: dict[str, BackwardSeveral] = {}
"""The cotangents of the operands at some places, from those of the results by number; None where the tangents' row has to be
transposed."""

Row = TypeVar("Row", bound=Callable[..., object])


def _registers(table: dict[str, Row], names: Sequence[str]) -> Callable[[Row], Row]:
    def register(row: Row) -> Row:
        table.update(dict.fromkeys(names, row))
        return row

    return register


def forward(*names: str) -> Callable[[Forward], Forward]:
    return _registers(FORWARD, names)


def several(*names: str) -> Callable[[Several], Several]:
    return _registers(SEVERAL, names)


def backward(*names: str) -> Callable[[Backward], Backward]:
    return _registers(BACKWARD, names)


def backward_several(*names: str) -> Callable[[BackwardSeveral], BackwardSeveral]:
    return _registers(BACKWARD_SEVERAL, names)
