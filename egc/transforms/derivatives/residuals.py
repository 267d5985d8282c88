"""What to store of each iteration, so that the way back finds all it needs in the least time: each value is stored, or computed
again from others that are, or not needed.

Which of them are stored is a minimum cut (Ford and Fulkerson, 1956), as in a project selection problem (Picard, "Maximal closure
of a graph", 1976): whoever needs a value pays for storing it, or for computing it and for what it is made of.
"""

from __future__ import annotations

from dataclasses import dataclass

import networkx

from egc import ir, sizes
from egc.ir import Node
from egc.kinds import LIGHT
from egc.ops import OPS
from egc.sizes import Dim
from egc.transforms.derivatives.step import Step
from egc.transforms.derivatives.strategy import Strategy
from egc.types import ArrayType, Type

LATER = 1e-6
"""What storing a value counts less for each step that it is further from the states: of equal ones, the last is stored."""

NEAR = 2**20
"""Bytes of states that stay in a cache until the way back reads them."""

NEAR_BYTE, FAR_BYTE = 0.06, 0.2
"""Nanoseconds in which a byte is written and read again in a cache; and beyond, where the system has to find the memory."""

STORING = 8.0
"""Nanoseconds that storing an array takes besides; """

STORING_NUMBER = 3.0
"""and a number."""

NUMBER, HEAVY_NUMBER = 0.5, 6.0
"""Nanoseconds of an operation on numbers; and of one that is not among the light ones."""

ELEMENT, HEAVY_ELEMENT = 0.04, 0.8
"""The same for each element of an array."""

CALL, PRODUCT, OPERATION = 40.0, 0.05, 0.4
"""Starting a library call; a multiplication of a product; an operation of a factorization."""

UNKNOWN = 1e9
"""Loops, and all of which little is known, are not run again where their results can be stored."""

WORTH = 0.65
"""More than the fewest bytes are stored where that takes less than this part of the time: prices are rough, and what is computed
again is simplified together with the rest."""


def stored_values(step: Step, count: Dim, strategy: Strategy) -> list[Node]:
    """The values of an iteration to store; none where nothing that the states decide is needed.

    Those of the fastest way where it has room and is far faster than the one of the fewest bytes, else those.
    """
    cut = _Cut(step, strategy)
    if not cut.needed:
        return []
    least, times = cut.choice(None), strategy.estimate(count)
    for byte, room in ((NEAR_BYTE, NEAR), (FAR_BYTE, strategy.memory)):
        found = cut.choice(byte)
        if cut.bytes(found) * times <= min(room, strategy.memory):
            return (found if cut.price(found, byte) < WORTH * cut.price(least, byte) else least).stored
    return least.stored


@dataclass(frozen=True)
class _Choice:
    stored: list[Node]
    computed: list[Node]


class _Cut:
    """`depth` are the values that the states decide, by how many operations there are between; `needed`, those among them that
    cotangents are made from."""

    def __init__(self, step: Step, strategy: Strategy):
        self.step, self.strategy = step, strategy
        self.name = step.update.inputs[0].params["name"] if step.first else ""
        self.states = set(step.inside[: step.number])
        self.depth: dict[Node, int] = {}
        moving: set[Node] = set(step.fresh)
        nodes = list(ir.topological(step.outputs))
        for node in nodes:
            if node in self.states:
                self.depth[node] = 0
            elif any(child in moving for child in node.inputs):
                moving.add(node)
            elif any(child in self.depth for child in node.inputs):
                self.depth[node] = 1 + max(self.depth.get(child, 0) for child in node.inputs)
        used = {child for node in nodes if node in moving for child in node.inputs}
        self.needed = {node for node in self.depth if node in used or node in step.outputs}

    def bytes(self, choice: _Choice) -> int:
        return sum(map(self._bytes, choice.stored))

    def price(self, choice: _Choice, byte: float) -> float:
        storing = (self._storing(node, byte) for node in choice.stored)
        return sum(each for each in storing if each is not None) + sum(map(self._work, choice.computed))

    def choice(self, byte: float | None) -> _Choice:
        """What to store where a byte takes so many nanoseconds; None: the fewest bytes.

        An edge is cut where its first end is on the side of what the way back has, and its second is not.
        """
        graph = networkx.DiGraph()
        for node, far in self.depth.items():
            storing, later = self._storing(node, byte), 0 if node.op in VIEWS else far
            graph.add_edge((node, "had"), (node, "computed"), **_at_most(storing, later))
            if node in self.states:
                graph.add_edge((node, "computed"), "end")
            else:
                graph.add_edge((node, "computed"), "end", capacity=0.0 if byte is None else self._work(node))
                for child in node.inputs:
                    if child in self.depth:
                        graph.add_edge((node, "computed"), (child, "had"))
            if node in self.needed:
                graph.add_edge("needed", (node, "had"))
        _, (had, _) = networkx.minimum_cut(graph, "needed", "end")
        computed = [node for node in self.depth if (node, "computed") in had]
        stored = [node for node in self.depth if (node, "had") in had and (node, "computed") not in had]
        return _Choice(stored, computed)

    def _storing(self, node: Node, byte: float | None) -> float | None:
        """What storing a value takes; None for one that cannot be stored: its shape changes with the iteration."""
        if not isinstance(node.type, ArrayType) or node.op == "assume":
            return None
        if any(self.name in sizes.symbols(dim) for dim in node.type.shape if not isinstance(dim, int)):
            return None
        if byte is None:
            return float(self._bytes(node))
        return self._bytes(node) * byte + (STORING if node.type.rank else STORING_NUMBER)

    def _bytes(self, node: Node) -> int:
        assert isinstance(node.type, ArrayType)
        return max(self._elements(node.type), 1) * node.type.dtype.itemsize

    def _elements(self, type: Type) -> int:
        parts = (type,) if isinstance(type, ArrayType) else type.items
        return sum(self.strategy.estimate(part.size) for part in parts)

    def _work(self, node: Node) -> float:
        """The nanoseconds in which a value is computed of those that it is made of."""
        kind, elements = OPS[node.op].kind, self._elements(node.type)
        if kind in ("leaf", "tuple") or node.op in VIEWS:
            return 0.0
        if kind == "region":
            return UNKNOWN
        if kind == "elementwise":
            light = node.op in LIGHT
            if not node.type.rank:
                return NUMBER if light else HEAVY_NUMBER
            return elements * (ELEMENT if light else HEAVY_ELEMENT)
        given = self._elements(node.inputs[0].type)
        if kind == "contraction":
            length = self.strategy.estimate(node.inputs[0].type.shape[-1])
            return CALL + PRODUCT * length * max(elements, 1)
        if kind == "linalg":
            return CALL + OPERATION * max(given**1.5, given**0.5 * elements)
        heavy = kind in ("order", "index", "scan")
        return NUMBER + max(given if kind != "index" else 0, elements) * (HEAVY_ELEMENT if heavy else ELEMENT)


VIEWS = frozenset(["reshape", "transpose", "slice", "broadcast", "diagonal"])


def _at_most(capacity: float | None, far: int) -> dict[str, float]:
    """The capacity of an edge; none where there is no bound."""
    return {} if capacity is None else {"capacity": capacity * (1.0 - LATER * far)}
