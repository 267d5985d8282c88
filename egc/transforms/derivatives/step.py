"""One iteration of a loop, as it acts on cotangents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from egc import ir
from egc.ir import Node, Program, make
from egc.transforms.derivatives.backward import pullback
from egc.transforms.derivatives.notation import carries, is_differentiable
from egc.transforms.derivatives.regions import replaced, stand_ins
from egc.transforms.derivatives.strategy import Strategy


@dataclass(frozen=True)
class Step:
    """How the cotangents after an iteration become those before it.

    states, operands: which of the region's inputs after the iteration's number have cotangents, by place among them.
    fresh: inputs for these cotangents, of the states, then of the operands. outputs: what they become, as Nodes of
    `fresh` and of the update's inputs. segment: whether the loop's iterations are the segments of another one.
    """

    node: Node
    states: tuple[int, ...]
    operands: tuple[int, ...]
    fresh: tuple[Node, ...]
    outputs: tuple[Node, ...]
    segment: bool = False

    @property
    def update(self) -> Program:
        found: Program = self.node.params["update"]
        return found

    @property
    def first(self) -> int:
        return int(self.node.params["counted"])

    @property
    def number(self) -> int:
        found: int = self.node.params["states"]
        return found

    @property
    def inside(self) -> tuple[Node, ...]:
        """The region's inputs after the iteration's number."""
        return self.update.inputs[self.first :]

    @property
    def plain(self) -> bool:
        """Whether nothing but its count ends the loop."""
        return self.first == 1 and self.node.params["pre"] is None and self.node.params["post"] is None

    @property
    def used_states(self) -> set[int]:
        """The states that the cotangents depend on."""
        reached = set(ir.topological(self.outputs))
        return {k for k, each in enumerate(self.inside[: self.number]) if each in reached}

    @staticmethod
    def of(node: Node, cotangents: Mapping[int, Node], places: Sequence[int], strategy: Strategy) -> Step:
        update, number, first = node.params["update"], node.params["states"], int(node.params["counted"])
        inside = update.inputs[first:]
        moving = _moving(update, first, number, {k - first for k in places if k >= first})
        fresh = dict(zip(moving, stand_ins(update, "_ct", [inside[k].type for k in moving])))
        wanted = [inside[k] for k in moving]
        start = {inside[k]: fresh[k] for k in moving if k >= number}
        relevant = {k for k in cotangents if k in moving}
        while True:
            pairs = [(update.outputs[k], fresh[k]) for k in sorted(relevant)]
            outputs, given = [each for each, _ in pairs], [each for _, each in pairs]
            found = pullback(outputs, given, wanted, strategy.scratch(), start)
            grown = relevant | {k for k, each in zip(moving, found) if k < number and each is not None}
            if grown == relevant:
                break
            relevant = grown
        found = pullback(outputs, given, wanted, strategy, start)
        back = dict(zip(moving, found))
        states = tuple(sorted(relevant))
        operands = tuple(k for k in moving if k >= number and back[k] is not fresh[k])
        kept = (*states, *operands)
        results = [back[k] for k in kept]
        outputs = [
            ir.constant(0, inside[k].type.dtype, inside[k].type.shape) if each is None else each
            for k, each in zip(kept, results)
        ]
        return Step(node, states, operands, tuple(fresh[k] for k in kept), tuple(outputs), node in strategy.segments)

    def with_states(self, fresh: Sequence[Node], outputs: Sequence[Node], start: Sequence[Node]) -> Node:
        """The loop with further states."""
        return self._loop(range(self.number), range(self.number, len(self.inside)), fresh, outputs, start)

    def only_for(self, fresh: Sequence[Node], outputs: Sequence[Node], start: Sequence[Node]) -> Node:
        """The loop with these states and those that they need, none else: the others may have no values."""
        ends = [self.node.params[name] for name in ("pre", "post") if self.node.params[name] is not None]
        needed = {
            node for region in ends for node in replaced(region.outputs, dict(zip(region.inputs, self.update.inputs)))
        }
        needed |= set(outputs)
        kept: set[int] = set()
        while True:
            reached = set(ir.topological(needed))
            grown = {k for k, each in enumerate(self.inside) if each in reached}
            if grown == kept:
                break
            kept = grown
            needed |= {self.update.outputs[k] for k in kept if k < self.number}
        states = [k for k in sorted(kept) if k < self.number]
        return self._loop(states, [k for k in sorted(kept) if k >= self.number], fresh, outputs, start)

    def _loop(
        self,
        states: Sequence[int],
        operands: Sequence[int],
        fresh: Sequence[Node],
        outputs: Sequence[Node],
        start: Sequence[Node],
    ) -> Node:
        node, first, inside = self.node, self.first, self.inside
        layout = (*self.update.inputs[:first], *(inside[k] for k in states), *fresh, *(inside[k] for k in operands))

        def extended(region: Program | None) -> Program | None:
            if region is None:
                return None
            new = replaced(region.outputs, dict(zip(region.inputs, self.update.inputs)))
            results = (*(new[k] for k in states), *outputs) if region.name == "update" else new
            return Program(layout, results, region.name, self.update.size_inputs)

        given = node.inputs[first:]
        inputs = (*node.inputs[:first], *(given[k] for k in states), *start, *(given[k] for k in operands))
        return make(
            "loop", *inputs, line=node.line, counted=bool(first), states=len(states) + len(fresh),
            pre=extended(node.params["pre"]), update=extended(self.update), post=extended(node.params["post"]),
            reverse=None,
        )  # fmt: skip


def _moving(update: Program, first: int, number: int, given: set[int]) -> list[int]:
    """Which inputs' changes reach the states, with the states that they reach."""
    inside = update.inputs[first:]
    moving = {k for k in given if is_differentiable(inside[k].type)}
    while True:
        active = {inside[k] for k in moving}
        for node in update.nodes():
            if any(child in active for child in node.inputs) and carries(node):
                active.add(node)
        grown = moving | {
            k for k, each in enumerate(update.outputs) if each in active and is_differentiable(inside[k].type)
        }
        if grown == moving:
            return sorted(moving)
        moving = grown
