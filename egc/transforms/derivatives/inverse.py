"""The reverse of a loop, found by solving its update for the states before.

Each result of the update is known afterwards. What is added to a state is taken off again, what it was multiplied by
divides it, as soon as all that it is made of is known: the steps of leapfrog and of coupling layers (Dinh, Krueger and
Bengio, "NICE", 2015) are solved one after the other. Two states that are mixed, as by a rotation, are solved for
together.
"""

from __future__ import annotations

from collections.abc import Callable

from egc import ir
from egc.ir import Node, Program, make
from egc.ops import OPS
from egc.transforms.derivatives.forward import pushforward
from egc.transforms.derivatives.notation import is_differentiable
from egc.transforms.derivatives.regions import replaced, stand_ins


def inverse(node: Node, needed: set[int], additive: bool = False) -> Program | None:
    """The region that gives the states before an iteration from those after it; None where none is found.

    needed: the states whose values are asked for; others may be what they are afterwards. additive: use sums alone:
    they keep rounding errors as small as they are, while quotients may enlarge them in each iteration.
    """
    update, first, number = node.params["update"], int(node.params["counted"]), node.params["states"]
    solution = Solution(update, first, number, additive)
    solution.solve()
    states = update.inputs[first : first + number]
    if any(states[k] not in solution.known for k in needed):
        return None
    inputs = (*update.inputs[:first], *solution.after, *update.inputs[first + number :])
    found = tuple(solution.known.get(state, after) for state, after in zip(states, solution.after))
    return Program(inputs, found, "reverse", update.size_inputs)


EXACT = frozenset(
    "input slice reshape transpose concatenate negative conjugate update_slice gather scatter reverse".split()
)
"""What moves floating numbers, or changes their sign, and rounds none."""


def is_exact(reverse: Program, first: int, needed: set[int]) -> bool:
    """Whether a reverse gives the very states that were: it does arithmetic with integers alone, and moves the rest."""
    reached = set(needed)
    while True:
        used = set(ir.topological([reverse.outputs[k] for k in reached]))
        grown = reached | {k for k in range(len(reverse.outputs)) if reverse.inputs[first + k] in used}
        if grown == reached:
            break
        reached = grown
    return not any(_rounds(reverse.outputs[k]) for k in reached)


def _rounds(state: Node) -> bool:
    """Whether a floating number is what arithmetic makes of others, in places that data choose or not."""
    stack, seen = [state], set()
    while stack:
        node = stack.pop()
        if node in seen or not is_differentiable(node.type):
            continue
        seen.add(node)
        if node.op not in EXACT or (node.op == "scatter" and node.params["combine"] != "set"):
            return True
        stack.extend(node.inputs)
    return False


class Solution:
    """What follows from the values after an update.

    known: Nodes of the update whose values are known, with these. low: the rounding errors that values carry beside them,
    where sums are compensated; source: for a Node, the operand that was solved for, which carries what it carries.
    """

    def __init__(self, update: Program, first: int, number: int, additive: bool, compensated: bool = False):
        self.states, self.additive = update.inputs[first : first + number], additive
        self.after = stand_ins(update, "_after", [each.type for each in self.states])
        self.outputs, self.compensated = update.outputs, compensated
        carry = [compensated and is_differentiable(each.type) for each in self.states]
        lows = iter(stand_ins(update, "_low_after", [each.type for each, low in zip(self.states, carry) if low]))
        self.low_after = [next(lows) if low else None for low in carry]
        self.known: dict[Node, Node] = {each: each for each in update.inputs if each not in self.states}
        self.low: dict[Node, Node] = {}
        self.source: dict[Node, Node] = {}
        for output, value, low in zip(self.outputs, self.after, self.low_after):
            if output not in self.states:
                self.learn(output, value, low)
        self.progress = False

    def solve(self) -> None:
        """Learns as many states as it can."""
        while self.unknown():
            self.progress = False
            ends = list(zip(self.outputs, self.after, self.low_after))
            for node, value, low in [*ends, *((node, value, self.low.get(node)) for node, value in self.known.items())]:
                self.peel(node, value, low)
            if not self.progress and not self._together():
                return

    def unknown(self) -> list[Node]:
        return [state for state in self.states if state not in self.known]

    def value(self, node: Node) -> Node | None:
        """A Node by what is known; None where it depends on what is not."""
        missing = set(self.unknown())
        stack, seen = [node], set()
        while stack:
            each = stack.pop()
            if each in missing:
                return None
            if each in seen or each in self.known:
                continue
            seen.add(each)
            stack.extend(each.inputs)
        return replaced([node], self.known)[0]

    def learn(self, node: Node, value: Node, low: Node | None = None) -> None:
        if node not in self.known:
            self.known[node] = value
            self.progress = True
            if low is not None:
                self.low[node] = low

    def peel(self, node: Node, value: Node, low: Node | None = None) -> None:
        """Learns states from the value of a Node that is made of them, and from what that carries."""
        self.learn(node, value, low)
        if node in self.states or node.op not in PEELS:
            return
        floating = is_differentiable(node.type)
        if floating and self.compensated and (low is None or node.op not in CARRYING):
            return
        if not (floating and self.additive and node.op in GROWING):
            PEELS[node.op](self, node, value)

    def moved(self, node: Node, value: Node, move: Callable[[Node], Node], child: Node | None = None) -> None:
        """Learns from an operand whose value, and what it carries, is moved to other places or changes its sign."""
        child = node.inputs[0] if child is None else child
        low = self.low.get(node)
        self.source.setdefault(node, child)
        self.peel(child, move(value), None if low is None else move(low))

    def _together(self) -> bool:
        """Solves for two states that two results are linear in, element by element."""
        missing = [state for state in self.unknown() if state.type.dtype.kind in "fc"]
        if self.additive or self.compensated or len(missing) != 2 or missing[0].type != missing[1].type:
            return False
        kind = missing[0].type
        one, nothing = (ir.constant(value, kind.dtype, kind.shape) for value in (1, 0))
        table: list[list[Node]] = []
        rest: list[Node] = []
        for output, value in zip(self.outputs, self.after):
            (form,) = replaced([output], {key: each for key, each in self.known.items() if key is not output})
            if form.type != kind or not _elementwise(form, missing):
                continue
            factors = [pushforward([form], {state: one})[0] or nothing for state in missing]
            if any(each in missing for each in ir.topological(factors)):
                return False
            table.append(factors)
            rest.append(_minus(value, *replaced([form], dict.fromkeys(missing, nothing))))
        if len(table) != 2:
            return False
        (a, b), (c, d) = table
        determinant = _minus(_times(a, d), _times(b, c))
        self.learn(missing[0], make("divide", _minus(_times(d, rest[0]), _times(b, rest[1])), determinant))
        self.learn(missing[1], make("divide", _minus(_times(a, rest[1]), _times(c, rest[0])), determinant))
        return True


def _times(x: Node, y: Node) -> Node:
    return make("multiply", x, y)


def _minus(x: Node, y: Node) -> Node:
    return make("subtract", x, y)


def _elementwise(form: Node, missing: list[Node]) -> bool:
    """Whether elements of a value depend on some states, and each on the same element of them alone."""
    depends = set(missing)
    for node in ir.topological([form]):
        if node not in depends and any(child in depends for child in node.inputs):
            if OPS[node.op].kind != "elementwise":
                return False
            depends.add(node)
    return form in depends


Peel = Callable[[Solution, Node, Node], None]
PEELS: dict[str, Peel] = {}
"""For each op, how its operands follow from its value."""

GROWING = frozenset(["multiply", "divide"])
"""What may enlarge rounding errors in each iteration."""

CARRYING = frozenset("add subtract negative conjugate reshape transpose concatenate".split())
"""Ops through which rounding errors can be carried beside their values."""


def peels(*names: str) -> Callable[[Peel], Peel]:
    def register(peel: Peel) -> Peel:
        PEELS.update(dict.fromkeys(names, peel))
        return peel

    return register
