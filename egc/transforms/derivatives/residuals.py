"""What to store of each iteration, so that the way back finds all it needs: the least number of bytes that separates the states
from what the cotangents use, by the maximum flow (Ford and Fulkerson, 1956)."""

from __future__ import annotations

import networkx

from egc import ir, sizes
from egc.ir import Node
from egc.ops import OPS
from egc.transforms.derivatives.step import Step
from egc.transforms.derivatives.strategy import Strategy
from egc.types import ArrayType

LATER = 1e-6
"""What a value counts less for each step that it is further from the states: of equal ones, the last is stored."""


def smallest_cut(step: Step, strategy: Strategy) -> list[Node]:
    """The values of an iteration to store; none where nothing that the states decide is needed."""
    states = set(step.inside[: step.number])
    name = step.update.inputs[0].params["name"] if step.first else ""
    depth: dict[Node, int] = {}
    moving: set[Node] = set(step.fresh)
    for node in ir.topological(step.outputs):
        if node in states:
            depth[node] = 0
        elif any(child in moving for child in node.inputs):
            moving.add(node)
        elif any(child in depth for child in node.inputs):
            depth[node] = 1 + max(depth.get(child, 0) for child in node.inputs)
    users = [node for node in ir.topological(step.outputs) if node in moving]
    needed = {child for node in users for child in node.inputs if child in depth}
    needed |= {node for node in step.outputs if node in depth}
    if not needed:
        return []
    graph = networkx.DiGraph()
    for node, far in depth.items():
        size = _size(node, name, far, strategy)
        graph.add_edge((node, 0), (node, 1), **({} if size is None else {"capacity": size}))
        for child in node.inputs:
            if child in depth:
                graph.add_edge((child, 1), (node, 0))
        if node in states:
            graph.add_edge("states", (node, 0))
        if node in needed:
            graph.add_edge((node, 1), "needed")
    _, (near, _) = networkx.minimum_cut(graph, "states", "needed")
    return [node for node in depth if (node, 0) in near and (node, 1) not in near]


def _size(node: Node, name: str, far: int, strategy: Strategy) -> float | None:
    """The bytes that storing a value takes; None for one that cannot be stored: its shape changes with the iteration."""
    if not isinstance(node.type, ArrayType):
        return None
    if any(name in sizes.symbols(dim) for dim in node.type.shape if not isinstance(dim, int)):
        return None
    size = max(strategy.estimate(node.type.size), 1) * node.type.dtype.itemsize
    cheap = OPS[node.op].kind in ("shape", "leaf") and far > 0
    return size * (1.0 - LATER * (0 if cheap else far))
