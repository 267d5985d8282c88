"""All choices of e-nodes that could be the cheapest, one by one: for what is so small that loading a solver would take longer."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

from egc.egraph.decode import ENode
from egc.egraph.extractor import Choice


class TooMany(Exception):
    """There are more steps than were allowed."""


class Enumeration:
    """Branch and bound over the classes that a choice reaches, each with the e-nodes of `candidates`, the cheapest first.

    most: the cost of a choice that is known. has_cycle: whether a complete choice goes around a cycle.
    """

    def __init__(
        self,
        candidates: Mapping[int, Sequence[ENode]],
        cost: Callable[[ENode], float],
        most: float,
        has_cycle: Callable[[Choice], bool],
    ):
        self.candidates, self.cost, self.most, self.has_cycle = candidates, cost, most, has_cycle
        self.least = {number: min(map(cost, enodes), default=math.inf) for number, enodes in candidates.items()}
        self.best: Choice | None = None
        self.left = 0

    def run(self, outputs: Sequence[int], steps: int) -> Choice | None:
        """The cheapest choice without cycles below the cost that is known; None where there is none. Raises TooMany."""
        self.left = steps
        self._extend({}, 0.0, list(outputs))
        return self.best

    def _extend(self, chosen: Choice, spent: float, reached: Sequence[int]) -> None:
        """reached: the classes that still need an e-node."""
        if not reached:
            if not self.has_cycle(chosen):
                self.best, self.most = dict(chosen), spent
            return
        number = min(reached, key=lambda each: len(self.candidates[each]))
        others = [each for each in reached if each != number]
        for enode in self.candidates[number]:
            self.left -= 1
            if self.left < 0:
                raise TooMany
            chosen[number] = enode
            new = [each for each in dict.fromkeys(enode.children) if each not in chosen and each not in others]
            now = spent + self.cost(enode)
            if now + math.fsum(self.least[each] for each in (*others, *new)) < self.most:
                self._extend(chosen, now, [*others, *new])
            del chosen[number]
