"""Loops: the body is captured once, for states that stand for any iteration's.

What a loop carries is found by capturing it again until nothing new turns up: memory that its body writes, numbers that it
assigns, and arrays that it binds to other memory. All else is the same in every iteration and stays outside.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from egc import ir, sizes
from egc.capture import arguments as trees
from egc.capture import build
from egc.capture.arguments import Tree
from egc.capture.array import Array, Cell
from egc.capture.context import Choose, Restart, current
from egc.capture.flow.branch import Outcome, live_values
from egc.capture.flow.closed import Closed, count_node
from egc.capture.flow.containers import are_free, elsewhere
from egc.capture.flow.graph import RESULT, RETURN, Loop
from egc.capture.flow.iteration import Iterating, Length
from egc.capture.flow.region import Inside, inside
from egc.capture.flow.values import (
    MISSING,
    Contents,
    Kind,
    alike,
    common,
    differs,
    flatten,
    kind_of,
    same,
)
from egc.capture.integers import magnitude
from egc.errors import InternalError, NotEncodable
from egc.ir import Node
from egc.ops import INT64
from egc.sizes import Dim

ATTEMPTS = 12
"""How often a body is captured at most until what it carries is known."""


@dataclass
class Variable:
    """A variable that the body assigns: the form of its value, and the Kind of each leaf that is a state; None for a leaf
    that is the same in all iterations. `entry` are the leaves before the loop. `free`: whether containers may be changed."""

    tree: Tree
    entry: list[Any]
    kinds: list[Kind | None]
    defined: bool = True
    free: bool = True


@dataclass
class Body:
    """One capture of a loop's body."""

    outcome: Outcome
    values: dict[str, Any]
    region: Inside
    contents: Contents
    stand_ins: dict[Any, Node]
    given: dict[Any, Any] = field(default_factory=dict)
    begun: dict[Any, Node] = field(default_factory=dict)
    """What the variables of `given` hold when an iteration begins."""


class LoopCapture:
    def __init__(self, frame: Any, loop: Loop):
        self.frame, self.loop, self.context = frame, loop, current()
        self.before: dict[str, Any] = dict(frame.values)
        self.iterating: Iterating | None = None
        self.length: Length = 0
        if loop.iterator is not None:
            self.iterating = self.before[loop.iterator]
            assert self.iterating.sequence is not None
            self.length = self.iterating.sequence.length
        self.depth = self.context.depth + 1
        self.buffers_taken = self.context.buffers_taken
        self.symbol = f"_i{self.depth}" if self.iterating is not None else None
        self.variables: dict[str, Variable] = {}
        self.cells: dict[Cell, None] = {}
        self.unwritten: set[Cell] = set()
        self.bounds: dict[Any, int] = {}
        self.growth: dict[Any, tuple[int, ...]] = {}
        live, kept = frame.graph.live, frame.graph.kept
        self.live_again = live[loop.header]
        self.live = self.live_again.union(*(live[label] | kept[label] for label in (loop.header, *loop.exits)))

    def capture(self) -> Outcome:
        for name in sorted(self.loop.assigned & self.live):
            if name in self.before and not isinstance(self.before[name], Iterating):
                self._add(name, self.before[name])
        if isinstance(self.length, int) and self.loop.exhausted is not None and self.length <= 0:
            return self._without_iterations()
        for _ in range(ATTEMPTS):
            try:
                body = self._body()
            except (NotEncodable, InternalError, Restart, Choose):
                raise
            except Exception:
                current().begin_again()
                if self.surely_runs():
                    raise
                return self._without_iterations()
            if not self._learn(body) and not self._learn_bounds(body):
                return Closed(self, body).outcome()
        raise differs("a loop", "what it carries is not settled")

    def _without_iterations(self) -> Outcome:
        """A loop that does not run, or whose body raises an exception: then the function runs as written where it does."""
        natural, graph = self.loop.exhausted, self.frame.graph
        assert natural is not None
        if self.length != 0:
            self.context.check(self.context.make("less", ir.constant(0, INT64), count_node(self.length)))
        self.frame.values = {n: v for n, v in self.before.items() if n in graph.live[natural] | graph.kept[natural]}
        return {natural: None}

    def surely_runs(self) -> bool:
        """Whether there is an iteration for all sizes that come here."""
        if self.loop.exhausted is None or isinstance(self.length, Node):
            return self.loop.exhausted is None
        return self.context.surely_at_least(self.length, 1)

    def _add(self, name: str, value: Any, defined: bool = True) -> None:
        tree, leaves = flatten(value)
        kinds = [kind if (kind := kind_of(leaf)) is not None and kind.kind != "array" else None for leaf in leaves]
        if not defined:
            kinds = [kind_of(leaf) for leaf in leaves]
        free = are_free(self.frame.machine, [value], elsewhere(self.frame, self.before, self.live - {name}))
        self.variables[name] = Variable(tree, leaves, kinds, defined, free)

    def _body(self) -> Body:
        """Captures the body for the states as they are known so far."""
        frame, context = self.frame, self.context
        frame.values = {n: v for n, v in self.before.items() if n not in self.loop.assigned or n in self.live}
        stand_ins: dict[Any, Node] = {}
        given: dict[Any, Any] = {}
        begun: dict[Any, Node] = {}

        def stand_in(key: Any, type: ir.ArrayType) -> Node:
            stand_ins[key] = ir.input(f"_s{self.depth}_{len(stand_ins)}", type)
            return stand_ins[key]

        others = [value for value in frame.values.values() if isinstance(value, Iterating)]
        places = [iterator.position for iterator in others]
        context.buffers_taken = self.buffers_taken
        context.loops += 1
        with inside() as region:
            self._number_iterations()
            try:
                for name, variable in self.variables.items():
                    leaves = list(variable.entry)
                    for k, kind in enumerate(variable.kinds):
                        if kind is not None:
                            key = name, k
                            begun[key] = self.used(key, kind, stand_in(key, self.carried(key, kind)))
                            leaves[k] = given[key] = kind.value(begun[key])
                            if key in self.bounds:
                                context.magnitudes[stand_ins[key]] = self.bounds[key]
                    if variable.defined and any(kind is not None for kind in variable.kinds):
                        frame.values[name] = frame.machine.own_all(
                            trees.unflatten(variable.tree, leaves), variable.free
                        )
                for cell in self.cells:
                    context.note(cell)
                    cell.node = stand_in(cell, cell.node.type)
                outcome = frame.flow(self.loop.header, frozenset([self.loop.header, *self.loop.exits]), started=True)
                contents = Contents(live_values(frame, outcome))
                if places != [iterator.position for iterator in others]:
                    raise differs("an iterator", "a loop that is not its own goes on with it")
            finally:
                context.loops -= 1
                for node in stand_ins.values():
                    context.magnitudes.pop(node, None)
                for iterator, place in zip(others, places):
                    iterator.position = place
                if self.iterating is not None:
                    self.iterating.number = None
                    context.ranges.pop(self.symbol or "", None)
        return Body(outcome, frame.values, region, contents, stand_ins, given, begun)

    def _number_iterations(self) -> None:
        if self.iterating is None or self.symbol is None:
            return
        last = None if isinstance(self.length, Node) else self.length - 1
        self.context.ranges[self.symbol] = (0, last)
        self.context.least[self.symbol] = 0
        self.iterating.number = sizes.symbol(self.symbol)

    def _learn(self, body: Body) -> bool:
        """Takes in what a capture of the body shows; whether something is carried that was not known to be."""
        learned = False
        for cell, (node, _, _) in body.region.cells.items():
            assert isinstance(cell, Cell)
            if cell not in self.cells and node is not cell.node:
                self.cells[cell] = None
                learned = True
            elif cell in self.cells and node is body.stand_ins[cell] and cell not in self.unwritten:
                del self.cells[cell]
                self.unwritten.add(cell)
                learned = True
        names = (self.loop.assigned | {RESULT}) & (self.live | ({RESULT} if RETURN in body.outcome else frozenset()))
        for name in sorted(names):
            found = body.values.get(name, MISSING)
            if found is MISSING or isinstance(found, Iterating):
                continue
            if name not in self.variables:
                if name in self.live_again:
                    raise differs(f"the variable {name}", "it may be read before it has a value")
                self._add(name, found, defined=False)
                learned = True
            elif self._learn_variable(name, self.variables[name], found):
                learned = True
            variable, others = self.variables[name], elsewhere(self.frame, body.values, self.live - {name})
            if variable.tree.children and not are_free(self.frame.machine, [found], others) and variable.free:
                variable.free = False
                learned = True
        return learned

    def _learn_bounds(self, body: Body) -> bool:
        """Takes in which integers are within bounds after any iteration, where that may spare checks; whether some are."""
        if self.bounds or not body.region.checks:
            return False
        for name, variable in self.variables.items():
            leaves = flatten(body.values[name])[1] if name in body.values else []
            for k, leaf in enumerate(leaves):
                kind = variable.kinds[k]
                if kind is None or kind.dtype != INT64 or kind.shape or not variable.defined:
                    continue
                nodes = kind.node(variable.entry[k]), body.contents.node_of(leaf, kind)
                found = [magnitude(node) for node in nodes]
                if found[0] is not None and found[1] is not None:
                    self.bounds[name, k] = max(found[0], found[1])
        return bool(self.bounds)

    def _learn_variable(self, name: str, variable: Variable, found: Any) -> bool:
        tree, leaves = flatten(found)
        if not alike(variable.tree, tree):
            raise differs(f"the variable {name}", "its form changes from iteration to iteration")
        learned = False
        for k, (entry, leaf) in enumerate(zip(variable.entry, leaves)):
            kind = variable.kinds[k]
            if kind is None and same(entry, leaf):
                continue
            if variable.defined and self._learn_growth((name, k), variable, leaf):
                learned = learned or kind is None
                continue
            known = common(entry if variable.defined else leaf, leaf, name)
            if kind not in (None, known, kind_of(entry)):
                known = _joined(kind, known, name)
            if kind != known:
                variable.kinds[k] = known
                learned = True
        return learned

    def _learn_growth(self, key: Any, variable: Variable, leaf: Any) -> bool:
        """Whether an array has so many elements less, or more, after each iteration, along some axes: then it is carried in one
        that has room for all of them."""
        name, k = key
        kind, entry = variable.kinds[k], variable.entry[k]
        if not isinstance(entry, Array) or not isinstance(leaf, Array) or entry.kind != "array" or leaf.kind != "array":
            return False
        if key in self.growth:
            assert kind is not None and self.symbol is not None
            if leaf.dtype != kind.dtype or leaf.shape != self.shape_at(kind, sizes.symbol(self.symbol) + 1):
                raise differs(f"the variable {name}", "its shape changes with the iteration")
            return True
        if kind is not None or self.symbol is None or isinstance(self.length, Node) or entry.dtype != leaf.dtype:
            return False
        growth = tuple(b - a for a, b in zip(entry.shape, leaf.shape)) if entry.ndim == leaf.ndim else ()
        if not all(isinstance(more, int) for more in growth) or not any(growth):
            return False
        number = sizes.symbol(self.symbol)
        shape = tuple(dim + more * number for dim, more in zip(entry.shape, growth))
        self.growth[key], variable.kinds[k] = growth, Kind("array", entry.dtype, shape)
        return True

    def carried(self, key: Any, kind: Kind) -> ir.ArrayType:
        """The type of a state."""
        if key not in self.growth:
            return ir.ArrayType(kind.dtype, kind.shape)
        assert not isinstance(self.length, Node)
        first = self.shape_at(kind, 0)
        room = (dim + max(more, 0) * self.length for dim, more in zip(first, self.growth[key]))
        return ir.ArrayType(kind.dtype, tuple(room))

    def shape_at(self, kind: Kind, number: Dim) -> tuple[Dim, ...]:
        """A shape when the iteration of this number begins."""
        assert self.symbol is not None
        return tuple(sizes.substitute(dim, {self.symbol: number}) for dim in kind.shape)

    def used(self, key: Any, kind: Kind, state: Node, number: Length | None = None) -> Node:
        """The elements of a state that its variable has, in this iteration or in that of a number."""
        if key not in self.growth:
            return state
        assert not isinstance(number, Node)
        shape = kind.shape if number is None else self.shape_at(kind, number)
        return build.slice_axes(state, (0,) * len(shape), shape, (1,) * len(shape))

    def put(self, key: Any, state: Node, value: Node) -> Node:
        """A state whose variable has a value."""
        if key not in self.growth or value.type == state.type:
            return value
        nothing = (0,) * value.type.rank
        return self.context.make("update_slice", state, value, start=nothing, step=(1,) * value.type.rank)


def _joined(a: Kind, b: Kind, name: str) -> Kind:
    return common(a.value(ir.input("either", ir.ArrayType(a.dtype, a.shape))), b.value(b.placeholder), name)


def capture_loop(frame: Any, loop: Loop) -> Outcome:
    """Captures a loop for all its iterations at once; the outcome is where it may go on, with what holds then.

    Raises NotEncodable for a loop that egc cannot express.
    """
    return LoopCapture(frame, loop).capture()


__all__ = ["capture_loop"]
