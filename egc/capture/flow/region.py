"""Closes what was captured inside of a loop or branch into Programs of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, MutableMapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from egc import ir, sizes
from egc.capture.context import Journal, current
from egc.capture.unread import Touched
from egc.ir import Node, Program, topological

INLINE = frozenset(["constant", "size", "iota"])
"""Values that a region makes itself rather than takes."""

Changes = Mapping[object, tuple[Node, bool, bool]]


@dataclass
class Inside:
    """What capturing a region came to: its checks, and what it did to cells, which are put back."""

    start: int
    checks: list[Node] = field(default_factory=list)
    touched: list[Touched] = field(default_factory=list)
    cells: Changes = field(default_factory=dict)
    made: MutableMapping[Node, int] = field(default_factory=dict)

    @property
    def writes(self) -> bool:
        """Whether it has written into an array from outside, other than memory that loops use again."""
        return any(cell not in current().buffers.values() for cell in self.cells)


@contextmanager
def inside() -> Iterator[Inside]:
    """Captures a region: afterwards cells are as they were before, and checks are the region's own.

    What is made inside is forgotten as made: it may be valid there alone.
    """
    context = current()
    found = Inside(context.tick())
    journal = Journal(found.start)
    checks, context.checks = context.checks, {}
    touched, context.touched = context.touched, {}
    magnitudes, context.magnitudes = context.magnitudes, dict(context.magnitudes)
    context.made = context.made.new_child()
    context.journals.append(journal)
    try:
        yield found
    finally:
        context.journals.pop()
        found.checks, context.checks = list(context.checks), checks
        found.touched, context.touched = list(context.touched), touched
        context.magnitudes = magnitudes
        found.made, context.made = context.made.maps[0], context.made.parents
        found.cells = journal.undo()


class Closing:
    """Takes Nodes into Programs that share their operands: values from outside, which become inputs.

    `belongs(node)` says whether a Node that is no input is computed inside; what it is computed from outside is an operand.
    """

    def __init__(self, inputs: Sequence[Node], belongs: Callable[[Node], bool], depth: int):
        self.inputs, self.belongs, self.depth = tuple(inputs), belongs, depth
        self.operands: list[Node] = []
        self.new: dict[Node, Node] = {node: node for node in inputs}

    def take(self, nodes: Sequence[Node]) -> tuple[Node, ...]:
        """The Nodes as the region computes them."""
        stack = list(reversed(nodes))
        while stack:
            node = stack[-1]
            if node in self.new:
                stack.pop()
                continue
            within = node.op in INLINE or self._is_inside(node)
            waiting = [child for child in reversed(node.inputs) if child not in self.new] if within else []
            if waiting:
                stack.extend(waiting)
                continue
            stack.pop()
            self.new[node] = (
                ir.rebuild(node, [self.new[child] for child in node.inputs]) if within else self._operand(node)
            )
        return tuple(self.new[node] for node in nodes)

    def _operand(self, node: Node) -> Node:
        stand_in = ir.input(f"_c{self.depth}_{len(self.operands)}", node.type)
        self.operands.append(node)
        return stand_in

    def _is_inside(self, node: Node) -> bool:
        """What is picked from several results is outside where they are; they themselves cannot be an operand."""
        if node.op == "input":
            return False
        if node.op == "item":
            return self.belongs(node) and self.belongs(node.inputs[0])
        return self.belongs(node)

    def program(self, name: str, outputs: Sequence[Node], size_inputs: frozenset[str] = frozenset()) -> Program:
        """A region of all operands taken so far that computes what `take` gave; unused operands are harmless."""
        stand_ins = tuple(self.new[operand] for operand in self.operands)
        return Program((*self.inputs, *stand_ins), tuple(outputs), name, size_inputs)


def depends_on(inputs: Sequence[Node], symbol: str | None) -> Callable[[Node], bool]:
    """Whether a Node's value depends on inputs of a region, or on the number of its iteration."""
    known: dict[Node, bool] = dict.fromkeys(inputs, True)

    def depends(node: Node) -> bool:
        for each in topological([node]):
            if each not in known:
                known[each] = any(known[child] for child in each.inputs) or (
                    symbol is not None and _names(each, symbol)
                )
        return known[node]

    return depends


def _names(node: Node, symbol: str) -> bool:
    """Whether a Node's parameters mention a size symbol."""
    for value in node.params.values():
        for part in value if isinstance(value, tuple) else (value,):
            if isinstance(part, sizes.Size) and symbol in sizes.symbols(part):
                return True
    return any(symbol in ir.free_symbols(region) - region.size_inputs for _, region in ir.regions(node))
