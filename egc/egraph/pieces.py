"""Cuts a long Program into pieces that are searched one after the other, and puts the found pieces together.

A search's time and memory grow faster than its Program, and its budget is one for all Programs. A long Program is cut
where few values are alive. A piece sees values from before it as inputs, with the facts known about them. So that
rules also match across a cut, it starts with the last Nodes of what was found before: those that only it needs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import heapify, heappop, heappush

from egc import ir
from egc.ir import Node, Program
from egc.kinds import LEAVES
from egc.types import ArrayType

OVERLAP = 0.2
"""The part of a piece that may be repeated from before its cut."""

TUPLE = 1_000
"""Values that a cut rather crosses than a tuple of arrays, which cannot be an input."""


@dataclass(frozen=True)
class Piece:
    """A part of a Program, as a Program. Its outputs stand for `nodes` of the whole; `given` are the values that its
    further inputs stand for."""

    program: Program
    nodes: tuple[Node, ...]
    given: Mapping[Node, Node]


def cuts(nodes: Sequence[Node], most: int) -> list[int]:
    """Where to cut topologically ordered Nodes: the ends of pieces of half of `most` Nodes or more, where the fewest
    values are alive."""
    ends: list[int] = []
    alive = _alive(nodes)
    start = 0
    while len(nodes) - start > most:
        start = min(range(start + most, start + most // 2, -1), key=alive.__getitem__)
        ends.append(start)
    return [*ends, len(nodes)]


def _alive(nodes: Sequence[Node]) -> list[int]:
    """The number of values that are made before each position and used at it or later."""
    change = [0] * (len(nodes) + 2)
    last = {child: position for position, node in enumerate(nodes) for child in node.inputs}
    for position, node in enumerate(nodes):
        if not is_leaf(node):
            weight = 1 if isinstance(node.type, ArrayType) else TUPLE
            change[position + 1] += weight
            change[last.get(node, position) + 1] -= weight
    total = 0
    return [total := total + each for each in change]


def is_leaf(node: Node) -> bool:
    """Whether a Node belongs to every piece that uses it. What is assumed of an argument is not a value of its own."""
    return node.op in LEAVES or (node.op == "assume" and is_leaf(node.inputs[0]))


class Pieces:
    """The pieces of a Program in order. After each, `found` takes what its outputs have become."""

    def __init__(self, program: Program, most: int):
        self.program = program
        self.nodes = tuple(program.nodes())
        self.most_repeated = max(1, int(OVERLAP * most))
        self.ends = cuts(self.nodes, max(1, most - self.most_repeated))
        self.new: dict[Node, Node] = {node: node for node in self.nodes if is_leaf(node)}
        self.facts: dict[Node, tuple[str, ...]] = {}
        self.users: dict[Node, dict[Node, None]] = {}
        self.order: dict[Node, int] = {}
        self.needed_until: dict[Node, int] = {}
        self.last = {child: position for position, node in enumerate(self.nodes) for child in node.inputs}
        self.last.update(dict.fromkeys(program.outputs, len(self.nodes)))

    def __iter__(self) -> Iterator[Piece]:
        start = 0
        for end in self.ends:
            if not all(map(is_leaf, self.nodes[start:end])):
                yield self._piece(start, end)
            start = end

    def result(self) -> Program:
        return self.program.with_outputs(self.new[output] for output in self.program.outputs)

    def _piece(self, start: int, end: int) -> Piece:
        own = dict.fromkeys(node for node in self.nodes[start:end] if not is_leaf(node))
        entering = dict.fromkeys(self.new[child] for node in own for child in node.inputs if child not in own)
        repeated = self._repeated([node for node in entering if not is_leaf(node)], end)
        given: dict[Node, Node] = {}
        taken = {node.params["name"] for node in self.program.inputs}
        inside: dict[Node, Node] = {}

        def seen(value: Node) -> Node:
            """What the piece sees of a value that was found before."""
            if is_leaf(value):
                return value
            if value not in inside:
                name = _fresh(f"t{len(given)}", taken)
                stand_in = ir.input(name, value.type)
                given[stand_in] = value
                facts = self.facts.get(value, ())
                inside[value] = ir.make("assume", stand_in, facts=facts) if facts else stand_in
            return inside[value]

        for value in repeated:
            inside[value] = ir.rebuild(value, [seen(child) for child in value.inputs])
        local: dict[Node, Node] = {}
        for node in own:
            local[node] = ir.rebuild(node, [local[c] if c in local else seen(self.new[c]) for c in node.inputs])
        leaving = tuple(node for node in own if self.last[node] >= end)
        inputs = (*self.program.inputs, *given)
        outputs = tuple(local[node] for node in leaving)
        return Piece(Program(inputs, outputs, self.program.name, self.program.size_inputs), leaving, given)

    def _repeated(self, values: Iterable[Node], end: int) -> list[Node]:
        """The Nodes before the cut that the piece starts with, in topological order: tuples, and those that nothing but
        this piece needs."""
        chosen: dict[Node, None] = {}
        waiting = [(-self.order[value], value) for value in dict.fromkeys(values)]
        heapify(waiting)
        met = set(values)
        while waiting:
            _, value = heappop(waiting)
            private = self.needed_until.get(value, 0) < end and all(
                user in chosen for user in self.users.get(value, ())
            )
            if (private and len(chosen) < self.most_repeated) or not isinstance(value.type, ArrayType):
                chosen[value] = None
                for child in value.inputs:
                    if child not in met and not is_leaf(child):
                        met.add(child)
                        heappush(waiting, (-self.order[child], child))
        return list(reversed(chosen))

    def found(self, piece: Piece, program: Program, facts: Mapping[Node, tuple[str, ...]]) -> None:
        """Takes the Program found for a piece, and the facts inferred about the piece's own outputs."""
        whole: dict[Node, Node] = {}
        for node in program.nodes():
            inputs = [whole[child] for child in node.inputs]
            new = whole[node] = piece.given.get(node) or ir.rebuild(node, inputs)
            self.order.setdefault(new, len(self.order))
            for child in inputs:
                self.users.setdefault(child, {})[new] = None
        for node, before, after in zip(piece.nodes, piece.program.outputs, program.outputs):
            new = self.new[node] = whole[after]
            self.needed_until[new] = max(self.needed_until.get(new, 0), self.last[node])
            if before in facts:
                self.facts[new] = facts[before]


def _fresh(name: str, taken: set[str]) -> str:
    while name in taken:
        name += "_"
    taken.add(name)
    return name
