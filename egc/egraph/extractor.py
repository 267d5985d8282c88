"""Choices of one e-node for each class of an e-graph: by the cheapest trees, and greedily with shared subterms once.

The cheapest term of every class by a sum of local costs is found by Knuth's generalization (1977) of Dijkstra's algorithm.
Ties are broken by the input Program's own Nodes, then by op and parameters, never by the order in which the e-graph lists its
rows.
"""

from __future__ import annotations

import heapq
import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from egc import ir
from egc.costs import CostModel
from egc.egraph.decode import ENode, Graph
from egc.errors import EgcError
from egc.ir import Node, Program
from egc.ops import OPS

CANDIDATES = 12
"""E-nodes of one class, those with the cheapest trees, that are considered for sharing."""

NOWHERE = 1 << 60

INSTABILITY = 10.0
"""What an operation that loses values costs, as a multiple of the input Program: more than any stable form."""

QUANTUM = 2.0**-10
"""Nanoseconds of which local costs are multiples: their sums are exact, so that terms of equal cost are seen to tie."""

LARGEST = 1e300
"""Sums of costs count a shared term each time and may grow without bound; they end here."""

Choice = dict[int, ENode]

Tree = tuple[float, int]
"""The cost and the height of a term."""

UNREACHED: Tree = (float("inf"), 0)


@dataclass(frozen=True)
class Extracted:
    """The Program found, its cost, and the e-node chosen for every class that it uses.

    unstable: how many of its operations lose values that an equal term keeps; each counts in the cost.
    """

    program: Program
    cost: float
    choice: Choice
    unstable: int = 0


class Extractor:
    """Extraction from one Graph with one cost model."""

    def __init__(self, graph: Graph, model: CostModel):
        self.graph, self.model = graph, model
        self.penalty = INSTABILITY * model.program(graph.program)
        self._local: dict[Any, float] = {}
        self._costs: dict[int, float] = {}
        self._trees: dict[int, Tree] = {}
        self._nodes: dict[Any, Node] = {}
        self._shareable: dict[int, list[ENode]] = {}
        self.tree: list[Tree] = []
        self.rank: list[int] = []
        self.best: Choice = {}
        self._originals = {
            (graph.class_of[node], node.op, tuple(graph.class_of[child] for child in node.inputs))
            for node in graph.program.nodes()
        }
        self._tree_costs()
        self._rank_classes()

    def local(self, number: int, enode: ENode) -> float:
        types = [self.graph.types[child] for child in enode.children]
        if OPS.get(enode.op) is not None and OPS[enode.op].kind == "region":
            return self._local_of_regions(number, enode, types)
        key = (enode.op, id(self.graph.types[number]), *map(id, types))
        found = self._local.get(key)
        if found is None:
            op = "constant" if enode.op == "literal" else enode.op
            price = self.model.local(op, types, self.graph.types[number])  # type: ignore[arg-type]
            found = self._local[key] = round(price / QUANTUM) * QUANTUM
        return found + self.penalty if enode.unstable else found

    def _local_of_regions(self, number: int, enode: ENode, types: list[Any]) -> float:
        """A loop or branch costs its regions; the number of iterations is that of the loop as it was encoded, where it is
        the same class."""
        key = ("region", number, enode)
        if key not in self._local:
            operands = [self.graph.encoded.get(child) for child in enode.children]
            stand_ins = [
                node if node is not None else ir.input(f"_x{k}", type)
                for k, (node, type) in enumerate(zip(operands, types))
            ]
            node = ir.make(enode.op, *stand_ins, **self.graph.params(enode))
            self._local[key] = self.model.local(enode.op, types, node.type) + self.model.regions(node)
        return self._local[key]

    def priced(self, program: Program, choice: Choice) -> Extracted:
        """The cost of a choice's Program: its time, and the penalty for each unstable operation."""
        unstable = sum(self.chosen(choice, number).unstable for number in self.used(choice))
        return Extracted(program, self.model.program(program) + unstable * self.penalty, choice, unstable)

    def input(self) -> Extracted:
        """The input Program with its cost."""
        unstable = 0
        for node in self.graph.program.nodes():
            number = self.graph.class_of[node]
            children = tuple(self.graph.class_of[child] for child in node.inputs)
            same = (each for each in self.graph.enodes[number] if each.op == node.op and each.children == children)
            unstable += any(each.unstable for each in same)
        program = self.graph.program
        return Extracted(program, self.model.program(program) + unstable * self.penalty, {}, unstable)

    def _tree_costs(self) -> None:
        """Knuth's algorithm: classes are settled in the order of their cheapest term's cost, and of its height where sums
        of costs cannot tell a term from its operand."""
        enodes = self.graph.enodes
        self.tree = [UNREACHED] * len(enodes)
        users: list[list[tuple[int, ENode]]] = [[] for _ in enodes]
        waiting: dict[ENode, int] = {}
        heap: list[tuple[Tree, int]] = []
        for number, candidates in enumerate(enodes):
            for enode in candidates:
                own = self._costs[id(enode)] = self.local(number, enode)
                distinct = set(enode.children)
                if number in distinct:
                    continue
                waiting[enode] = len(distinct)
                for child in distinct:
                    users[child].append((number, enode))
                if not distinct:
                    self._trees[id(enode)] = (own, 0)
                    heap.append(((own, 0), number))
        heapq.heapify(heap)
        while heap:
            cost, number = heapq.heappop(heap)
            if cost >= self.tree[number]:
                continue
            self.tree[number] = cost
            for parent, enode in users[number]:
                waiting[enode] -= 1
                if not waiting[enode]:
                    sum, height = self._costs[id(enode)], 0
                    for child in enode.children:
                        below = self.tree[child]
                        sum += below[0]
                        height = max(height, below[1])
                    total = self._trees[id(enode)] = (min(sum, LARGEST), height + 1)
                    if total < self.tree[parent]:
                        heapq.heappush(heap, (total, parent))

    def cost(self, enode: ENode) -> float:
        """The local cost of an e-node."""
        return self._costs[id(enode)]

    def additive(self, choice: Choice) -> float:
        """The local costs of the classes that a choice uses, each counted once."""
        return math.fsum(self.cost(self.chosen(choice, number)) for number in self.used(choice))

    def tree_cost(self, enode: ENode) -> Tree:
        return self._trees.get(id(enode), UNREACHED)

    def _rank_classes(self) -> None:
        """Orders classes by the cost of their cheapest tree and, where equal, by its text; chooses that tree's e-node."""
        tree = self.tree
        self.rank = [NOWHERE] * len(tree)
        groups: dict[Tree, list[int]] = {}
        for number, cost in enumerate(tree):
            if cost != UNREACHED:
                groups.setdefault(cost, []).append(number)
        position = 0
        for cost in sorted(groups):
            keyed = []
            for number in groups[cost]:
                tied = [enode for enode in self.graph.enodes[number] if self.tree_cost(enode) == cost]
                key, chosen = min(((self.key(number, enode), enode) for enode in tied), key=lambda pair: pair[0])
                self.best[number] = chosen
                keyed.append((key[1:], number))
            keyed.sort()
            for _, number in keyed:
                self.rank[number] = position
                position += 1

    def key(self, number: int, enode: ENode) -> tuple[Any, ...]:
        """Orders e-nodes of equal cost: those of the input Program first."""
        foreign = (number, enode.op, enode.children) not in self._originals
        return foreign, enode.order, tuple([self.rank[child] for child in enode.children])

    def shared(self, uses: Mapping[int, int] | None = None) -> Choice:
        """A choice that counts shared subterms once: each class, from the cheapest up, takes the e-node whose needed
        classes cost least together.

        uses: how many terms of another choice's Program have a class as operand, among which its cost is divided.
        """
        uses = uses or {}
        chosen: Choice = {}
        needed: dict[int, dict[int, float]] = {}
        for number in sorted(self.best, key=self.rank.__getitem__):
            best: tuple[Any, ...] | None = None
            for enode in self._candidates(number):
                own = self._costs[id(enode)]
                if best is not None and own > best[0]:
                    continue
                total, classes = self._together(enode, needed)
                if best is None or total + own < best[0]:
                    best = (total + own, self.key(number, enode), enode, classes, own)
                elif total + own == best[0]:
                    key = self.key(number, enode)
                    if key < best[1]:
                        best = (total + own, key, enode, classes, own)
            assert best is not None
            chosen[number] = best[2]
            needed[number] = {**best[3], number: best[4] / uses.get(number, 1)}
        return chosen

    def _candidates(self, number: int) -> list[ENode]:
        """The e-nodes on cheaper classes with the cheapest trees, those of the input Program in any case."""
        if number in self._shareable:
            return self._shareable[number]
        rank, trees, position = self.rank, self._trees, self.rank[number]
        usable = [
            (trees[id(enode)], enode)
            for enode in self.graph.enodes[number]
            if id(enode) in trees and all(rank[child] < position for child in enode.children)
        ]
        if len(usable) > CANDIDATES:
            limit = sorted([cost for cost, _ in usable])[CANDIDATES - 1]
            usable = sorted(
                ((self.key(number, enode), cost, enode) for cost, enode in usable if cost <= limit),
                key=lambda each: (each[0][0], each[1], each[0]),
            )[:CANDIDATES]  # type: ignore[assignment]
        found = self._shareable[number] = [each[-1] for each in usable]
        return found

    def _together(self, enode: ENode, needed: dict[int, dict[int, float]]) -> tuple[float, dict[int, float]]:
        children = sorted(set(enode.children), key=self.rank.__getitem__, reverse=True)
        if not children:
            return 0.0, {}
        classes = needed[children[0]]
        for child in children[1:]:
            classes = {**classes, **needed[child]}
        return math.fsum(classes.values()), classes

    def build(self, choice: Choice) -> Program | None:
        """The Program of a choice; None where it is cyclic or an op refuses its operands."""
        nodes: dict[int, Node] = {}
        outputs = [self.graph.class_of[output] for output in self.graph.program.outputs]
        for output in outputs:
            if self.term(output, choice, nodes) is None:
                return None
        return self.graph.program.with_outputs(nodes[output] for output in outputs)

    def term(self, root: int, choice: Choice, nodes: dict[int, Node]) -> Node | None:
        """The Node of a class; `nodes` remembers those built before."""
        if root in nodes:
            return nodes[root]
        stack: list[int] = [root]
        open_classes: set[int] = set()
        while stack:
            number = stack[-1]
            if number in nodes:
                stack.pop()
                continue
            enode = choice.get(number) or self.best.get(number)
            if enode is None:
                return None
            missing = [child for child in enode.children if child not in nodes]
            if missing:
                if number in open_classes:
                    return None
                open_classes.add(number)
                stack.extend(reversed(missing))
                continue
            node = self._node(number, enode, [nodes[child] for child in enode.children])
            if node is None:
                return None
            nodes[number] = node
            open_classes.discard(number)
            stack.pop()
        return nodes[root]

    def _node(self, number: int, enode: ENode, inputs: list[Node]) -> Node | None:
        key = (number, id(enode), *map(id, inputs))
        found = self._nodes.get(key)
        if found is None:
            try:
                found = self._nodes[key] = self.graph.node(number, enode, inputs)
            except EgcError:
                return None
        return found

    def chosen(self, choice: Choice, number: int) -> ENode:
        """The e-node of a class: that of its cheapest tree where the choice says nothing."""
        return choice.get(number) or self.best[number]

    def uses(self, choice: Choice) -> Counter[int]:
        """How many terms of a choice's Program have a class as operand."""
        return Counter(child for number in self.used(choice) for child in set(self.chosen(choice, number).children))

    def used(self, choice: Choice) -> list[int]:
        """The classes that a choice's Program uses, outputs first, in the order of their ranks."""
        found: dict[int, None] = {}
        stack = [self.graph.class_of[output] for output in self.graph.program.outputs]
        while stack:
            number = stack.pop()
            if number not in found:
                found[number] = None
                stack.extend(self.chosen(choice, number).children)
        return sorted(found, key=self.rank.__getitem__, reverse=True)
