"""The cheapest Program in an e-graph.

Three steps: the cheapest term of every class by a sum of local costs (Knuth 1977, a generalization of Dijkstra's
algorithm), then a choice in which shared subterms count once (greedy over the classes' sets of needed classes), then
a local search that exchanges one e-node at a time, or all results of a loop together, and prices the true Program, kernels
and all. Ties are broken by the input Program's own Nodes, then by op and parameters, never by the order in which the e-graph
lists its rows.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from egc import ir
from egc.costs import CostModel
from egc.egraph.decode import ENode, Graph
from egc.errors import EgcError
from egc.ir import Node, Program
from egc.ops import COMMUTATIVE, OPS

CANDIDATES = 12
"""E-nodes of one class, those with the cheapest trees, that are considered for sharing."""

SEARCH_EVALUATIONS = 128
"""Programs that the local search prices at most, """

SEARCH_NODES = 4000
"""and the number of Nodes that they have together."""

ALTERNATIVES = 3
"""E-nodes of one class that the local search tries in a round."""

SHARING_CLASSES = 400
"""Classes of a Program up to which the local search looks for parts that others could share, """

SHARING_DEPTH = 8
"""so many steps below them, """

COSTLY = 0.02
"""which take at least this part of the Program's time."""

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
        unstable = sum((choice.get(number) or self.best[number]).unstable for number in self.used(choice))
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

    def shared(self) -> Choice:
        """A choice that counts shared subterms once: each class, from the cheapest up, takes the e-node whose needed
        classes cost least together."""
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
            needed[number] = {**best[3], number: best[4]}
        return chosen

    def _candidates(self, number: int) -> list[ENode]:
        """The e-nodes on cheaper classes with the cheapest trees, those of the input Program in any case."""
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
        return [each[-1] for each in usable]

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

    def used(self, choice: Choice) -> list[int]:
        """The classes that a choice's Program uses, outputs first, in the order of their ranks."""
        found: dict[int, None] = {}
        stack = [self.graph.class_of[output] for output in self.graph.program.outputs]
        while stack:
            number = stack.pop()
            if number not in found:
                found[number] = None
                stack.extend((choice.get(number) or self.best[number]).children)
        return sorted(found, key=self.rank.__getitem__, reverse=True)

    def improve(self, start: Extracted) -> Extracted:
        """Local search: exchanges one e-node at a time, or the results of one loop, while the Program's cost falls."""
        size = sum(1 for _ in start.program.nodes())
        current, left = start, min(SEARCH_EVALUATIONS, SEARCH_NODES // size)
        tried: set[tuple[tuple[int, int], ...]] = set()
        improved = True
        while improved and left > 0:
            improved = False
            for move in (*self._joint_moves(current), *self._sharing_moves(current), *self._moves(current)):
                if left == 0:
                    break
                key = tuple((number, id(enode)) for number, enode in move.items())
                if key in tried:
                    continue
                tried.add(key)
                left -= 1
                choice = {**current.choice, **move}
                program = self.build(choice)
                if program is None:
                    continue
                found = self.priced(program, choice)
                if found.cost < current.cost:
                    current, improved = found, True
                    break
        return current

    def _joint_moves(self, current: Extracted) -> Sequence[Choice]:
        """Exchanges of several results by those of one loop or branch: alone, none of them saves anything, because what gave
        the others would still run. Those that put most together first."""
        together: dict[int, Choice] = {}
        for number in self.used(current.choice):
            for enode in self.graph.enodes[number]:
                if enode.op == "item" and self.tree_cost(enode) != UNREACHED and number not in enode.children:
                    together.setdefault(enode.children[0], {}).setdefault(number, enode)
        moves = []
        for source, move in together.items():
            now = {number: current.choice.get(number) or self.best[number] for number in move}
            if len(move) > 1 and any(now[number] is not enode for number, enode in move.items()):
                moves.append((-len(move), self.tree[source], self.rank[source], move))
        moves.sort(key=lambda each: each[:3])
        return [move for *_, move in moves]

    def _sharing_moves(self, current: Extracted) -> Sequence[Choice]:
        """Exchanges of several terms by others that have a costly part in common, such as the factors of one matrix: alone, none
        of them saves anything. Those that put most together first."""
        used = self.used(current.choice)
        if len(used) > SHARING_CLASSES:
            return []
        inside, together = set(used), {}  # type: tuple[set[int], dict[int, Choice]]
        for number in used:
            for _, _, enode in self._alternatives(number, current)[:ALTERNATIVES]:
                for part in self._costly_parts(enode, current, inside):
                    together.setdefault(part, {}).setdefault(number, enode)
        moves = [
            (-len(move), self.tree[part], self.rank[part], move) for part, move in together.items() if len(move) > 1
        ]
        moves.sort(key=lambda each: each[:3])
        return [move for *_, move in moves]

    def _costly_parts(self, enode: ENode, current: Extracted, used: set[int]) -> list[int]:
        """The classes below an e-node that a Program does not have yet, and that take a share of what it takes."""
        found, seen, level = [], set(used), enode.children
        for _ in range(SHARING_DEPTH):
            level = tuple(child for child in dict.fromkeys(level) if child not in seen and child in self.best)
            seen.update(level)
            chosen = [(child, current.choice.get(child) or self.best[child]) for child in level]
            found += [child for child, each in chosen if self._costs[id(each)] > COSTLY * current.cost]
            level = tuple(below for _, each in chosen for below in each.children)
        return found

    def _moves(self, current: Extracted) -> Sequence[Choice]:
        """Exchanges worth trying, those whose trees add least first."""
        moves = []
        for number in self.used(current.choice):
            for cost, key, enode in self._alternatives(number, current)[:ALTERNATIVES]:
                moves.append((cost[0] - self.tree[number][0], -self.rank[number], key, number, enode))
        moves.sort(key=lambda each: each[:3])
        return [{number: enode} for *_, number, enode in moves]

    def _alternatives(self, number: int, current: Extracted) -> list[tuple[Tree, Any, ENode]]:
        """The e-nodes that a class could take instead of its own, cheapest first, with what orders them."""
        now = current.choice.get(number) or self.best[number]
        shape = _signature(now)
        found = [
            (self.tree_cost(enode), self.key(number, enode), enode)
            for enode in self.graph.enodes[number]
            if enode is not now and _signature(enode) != shape and number not in enode.children
        ]
        return sorted((each for each in found if each[0] != UNREACHED), key=lambda each: each[:2])


def _signature(enode: ENode) -> tuple[Any, ...]:
    """What e-nodes have in common that differ by the order of a commutative op's operands only."""
    children = tuple(sorted(enode.children)) if enode.op in COMMUTATIVE else enode.children
    return enode.op, enode.params, children


def extract(graph: Graph, model: CostModel) -> Extracted:
    """The cheapest Program found; the input Program itself where none is cheaper."""
    return given_and_found(graph, model)[1]


def given_and_found(graph: Graph, model: CostModel) -> tuple[Extracted, Extracted]:
    """The input Program and the cheapest Program found, which is the same where none is cheaper."""
    extractor = Extractor(graph, model)
    given = extractor.input()
    starts = []
    for choice in (extractor.shared(), dict(extractor.best)):
        built = extractor.build(choice)
        if built is not None:
            starts.append(extractor.priced(built, choice))
    if not starts:
        return given, given
    found = extractor.improve(min(starts, key=lambda each: each.cost))
    return given, found if found.cost < given.cost else given
