"""Cotangents: how much results change with each Node that they are made of, in one pass from the results back.

The method is reverse accumulation (Griewank and Walther, "Evaluating Derivatives", second edition, SIAM 2008, chapter
3). What has no row of its own is differentiated forward, which is linear, and that is transposed (Radul et al., "You
Only Linearize Once", POPL 2023).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from egc import ir
from egc.ir import Node
from egc.transforms.derivatives.elementwise import PARTIALS
from egc.transforms.derivatives.forward import along_operand, rule
from egc.transforms.derivatives.notation import carries, is_differentiable, plus, zeros
from egc.transforms.derivatives.strategy import Strategy
from egc.transforms.derivatives.tables import BACKWARD, BACKWARD_SEVERAL
from egc.types import TupleType

Contribution = Node | Callable[[Node], Node] | None


def pullback(
    outputs: Sequence[Node],
    cotangents: Sequence[Node | None],
    wanted: Sequence[Node],
    strategy: Strategy | None = None,
    start: Mapping[Node, Node] | None = None,
) -> tuple[Node | None, ...]:
    """The cotangents of the wanted Nodes, given those of outputs; None where it is 0.

    strategy: how loops run backward. start: cotangents that the wanted Nodes have already, to which these are added.
    Raises NotDifferentiable, naming the line, for ops without a derivative.

    >>> from egc.types import parse_type
    >>> x, y, ct = (ir.input(name, parse_type("f64")) for name in ("x", "y", "ct"))
    >>> found = pullback([ir.make("multiply", x, y)], [ct], [x, y])
    >>> [node.inputs[1].params["name"] for node in found]
    ['y', 'x']
    """
    strategy = strategy or Strategy()
    found = _Pass(wanted, strategy, start or {}).run(outputs, cotangents)
    return tuple(with_replacements(found, strategy.replacements))


def with_replacements(nodes: Sequence[Node | None], replacements: Mapping[Node, Node]) -> list[Node | None]:
    """The Nodes, where loops have others in their place with the same first results."""
    if not replacements:
        return list(nodes)
    new: dict[Node, Node] = {}
    stack = [each for each in nodes if each is not None]
    while stack:
        node = stack[-1]
        if node in new:
            stack.pop()
            continue
        whole = node.inputs[0] if node.op == "item" else None
        while whole is not None and whole in replacements:
            whole = replacements[whole]
        children = node.inputs if whole is None else (whole,)
        waiting = [child for child in children if child not in new]
        if waiting:
            stack.extend(waiting)
            continue
        new[stack.pop()] = ir.rebuild(node, [new[child] for child in children])
    return [each if each is None else new[each] for each in nodes]


class _Pass:
    """One pass: `found` are the cotangents so far; `several`, those of the results of ops with several."""

    def __init__(self, wanted: Sequence[Node], strategy: Strategy, start: Mapping[Node, Node]):
        self.wanted, self.strategy = tuple(wanted), strategy
        self.found: dict[Node, Node | None] = dict(start)
        self.several: dict[Node, dict[int, Node]] = {}
        self.active: set[Node] = set(wanted)

    def run(self, outputs: Sequence[Node], cotangents: Sequence[Node | None]) -> tuple[Node | None, ...]:
        nodes = list(ir.topological(outputs))
        for node in nodes:
            if any(child in self.active for child in node.inputs) and carries(node):
                self.active.add(node)
        for output, cotangent in zip(outputs, cotangents):
            self._add(output, cotangent)
        ends = set(self.wanted)
        for node in reversed(nodes):
            if node in self.active and node not in ends:
                self._visit(node)
        return tuple(self.found.get(node) for node in self.wanted)

    def _add(self, node: Node, contribution: Contribution) -> None:
        if contribution is None or node not in self.active:
            return
        known = self.found.get(node)
        if callable(contribution):
            self.found[node] = contribution(zeros(node.type) if known is None else known)
        else:
            self.found[node] = plus(known, contribution)

    def _visit(self, node: Node) -> None:
        if isinstance(node.type, TupleType):
            results = self.several.pop(node, None)
            if results:
                self._several(node, results)
            return
        cotangent = self.found.pop(node, None)
        if cotangent is None:
            return
        if node.op == "item":
            results = self.several.setdefault(node.inputs[0], {})
            results[node.params["index"]] = cotangent
            return
        for k, child in enumerate(node.inputs):
            if child in self.active and is_differentiable(child.type):
                self._add(child, self._contribution(node, cotangent, k))

    def _contribution(self, node: Node, cotangent: Node, k: int) -> Contribution:
        if node.op in PARTIALS:
            return along_operand(node, cotangent, k)
        found = BACKWARD[node.op](node, cotangent, k) if node.op in BACKWARD else None
        return self._transposed(node, {0: cotangent}, [k])[0] if found is None else found

    def _several(self, node: Node, cotangents: Mapping[int, Node]) -> None:
        places = [k for k, child in enumerate(node.inputs) if child in self.active and is_differentiable(child.type)]
        row = BACKWARD_SEVERAL.get(node.op)
        found = row(node, cotangents, places, self.strategy) if row is not None else None
        if found is None:
            found = self._transposed(node, cotangents, places)
        for k, contribution in zip(places, found):
            self._add(node.inputs[k], contribution)

    def _transposed(self, node: Node, cotangents: Mapping[int, Node], places: Sequence[int]) -> Sequence[Node | None]:
        """The cotangents of operands, by going back through what the operands' tangents become."""
        stand_ins = {k: ir.input(self.strategy.fresh(), node.inputs[k].type) for k in places}
        tangents = rule(node, [stand_ins.get(k) for k in range(len(node.inputs))])
        results = tangents if isinstance(tangents, tuple) else (tangents,)
        pairs = [(result, ct) for k, ct in cotangents.items() if (result := results[k]) is not None]
        wanted, before = list(stand_ins.values()), self.strategy.unknown
        self.strategy.unknown = before.union(wanted)
        try:
            return pullback([result for result, _ in pairs], [ct for _, ct in pairs], wanted, self.strategy)
        finally:
            self.strategy.unknown = before
