"""The cheapest choice of e-nodes, proved: extraction as an integer program.

What is minimized is the sum of the local costs of the classes that a Program uses, each counted once. That is the part of a
Program's price that is additive, and all that a linear objective can say: what kernels save by fusing is no sum over classes.
Whoever asks prices the Program that is found, and keeps the better one.

The e-graph is pruned first: an e-node goes that is dominated in its own class, that cannot do without that class, or that costs,
with the classes which are needed in any case, more than a start that is known, such as the greedy choice. Often nothing is left
to decide, or so little that all choices are enumerated. The start also warms up the solver, as a bound: SciPy's `milp` takes no
other. Cycles are cut off where a solution has one; until then, what the solver proves is a bound for choices without cycles too.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from egc.egraph.decode import ENode
from egc.egraph.enumeration import Enumeration, TooMany
from egc.egraph.extractor import UNREACHED, Choice, Extractor
from egc.egraph.integer_program import SAME, IntegerProgram

FEW_STEPS = 2_000
"""Steps of an enumeration that take less time than SciPy's solver to load."""


@dataclass(frozen=True)
class Limits:
    """When to give up: more e-nodes than this after pruning, rounds of cutting off cycles, nodes of the solver's tree in each
    of them, or seconds in all, which other limits should come before so that results do not depend on the machine.

    worth: the part of the start's cost that must be possible to save, by the bound that pruning gives; least: how much that is
    at least, in nanoseconds.
    """

    enodes: int = 5_000
    rounds: int = 100
    nodes: int = 20_000
    seconds: float = 10.0
    worth: float = 0.0
    least: float = 0.0


@dataclass(frozen=True)
class Optimum:
    """The best choice known, its additive cost, and a bound that no choice is below. The choice is the start itself where
    none is cheaper. enodes: those left after pruning. rounds: how often the solver ran."""

    choice: Choice
    cost: float
    bound: float
    enodes: int = 0
    rounds: int = 0

    @property
    def proved(self) -> bool:
        return self.cost <= self.bound * (1 + 10 * SAME)


def optimum(extractor: Extractor, start: Choice, limits: Limits | None = None) -> Optimum:
    """The choice of least additive cost, or what is known of it within the limits. It is never worse than the start, has no
    cycle, and is the same in every process unless time ended the search."""
    return _Search(extractor, start, limits or Limits()).solve()


class _Search:
    """The candidates of each class, in an order that does not depend on the e-graph's."""

    def __init__(self, extractor: Extractor, start: Choice, limits: Limits):
        self.extractor, self.start, self.limits = extractor, start, limits
        self.until = time.perf_counter() + limits.seconds
        self.most = extractor.additive(start)
        graph = extractor.graph
        self.outputs = sorted({graph.class_of[output] for output in graph.program.outputs}, key=self._rank)
        usable = {
            number: [
                e for e in graph.enodes[number] if extractor.tree_cost(e) != UNREACHED and number not in e.children
            ]
            for number in extractor.best
        }
        self.candidates = {
            number: _undominated(sorted(enodes, key=lambda e: (self._cost(e), extractor.key(number, e))))
            for number, enodes in self._reachable(usable).items()
        }
        self.always: list[int] = []
        self.bound = self._prune()

    def _rank(self, number: int) -> int:
        return self.extractor.rank[number]

    def _cost(self, enode: ENode) -> float:
        return self.extractor.cost(enode)

    def _reachable(self, candidates: Mapping[int, list[ENode]]) -> dict[int, list[ENode]]:
        """The classes that the outputs reach, in the order of their ranks."""
        reached: set[int] = set()
        stack = list(self.outputs)
        while stack:
            number = stack.pop()
            if number not in reached:
                reached.add(number)
                stack.extend(child for enode in candidates[number] for child in enode.children)
        return {number: candidates[number] for number in sorted(reached, key=self._rank)}

    def _prune(self) -> float:
        """Leaves out e-nodes that no choice of at most the start's cost has: with all classes that they and the outputs need
        in any case, they cost more, or one of these is their own. Gives the least that any choice costs by this reckoning."""
        most = self.most * (1 + SAME)
        while True:
            numbers = list(self.candidates)
            least = [min(map(self._cost, self.candidates[number]), default=math.inf) for number in numbers]
            needed = self._needed(numbers)
            always = 0
            for output in self.outputs:
                always |= needed[output]
            total = _Sums(least, always)
            kept: dict[int, list[ENode]] = {}
            for position, number in enumerate(numbers):
                kept[number] = []
                for enode in self.candidates[number]:
                    below = 0
                    for child in enode.children:
                        below |= needed[child]
                    if below >> position & 1:
                        continue
                    classes = always | needed[number] | below
                    if total(classes) - least[position] + self._cost(enode) <= most:
                        kept[number].append(enode)
            if all(len(kept[number]) == len(self.candidates[number]) for number in numbers):
                self.always = [numbers[bit] for bit in _bits(always)]
                return total(always)
            self.candidates = self._reachable(kept)

    def _needed(self, numbers: Sequence[int]) -> dict[int, int]:
        """For each class those that every choice for it uses, as bits by position."""
        own = {number: 1 << position for position, number in enumerate(numbers)}
        everything = (1 << len(numbers)) - 1
        found = dict.fromkeys(numbers, everything)
        changed = True
        while changed:
            changed = False
            for number in numbers:
                common = everything
                for enode in self.candidates[number]:
                    classes = own[number]
                    for child in enode.children:
                        classes |= found[child]
                    common &= classes
                    if common == own[number]:
                        break
                if common != found[number]:
                    found[number], changed = common, True
        return found

    def solve(self) -> Optimum:
        count = sum(map(len, self.candidates.values()))
        if count == len(self.candidates):
            only = {number: enodes[0] for number, enodes in self.candidates.items()}
            return self._better(only, self.bound, count, 0)
        worth = max(self.most * max(self.limits.worth, SAME), self.limits.least)
        if self.bound >= self.most - worth or count > self.limits.enodes:
            return Optimum(self.start, self.most, self.bound, count)
        try:
            least = Enumeration(self.candidates, self._cost, self.most * (1 - SAME), self._has_cycle)
            choice = least.run(self.outputs, FEW_STEPS)
        except TooMany:
            return self._solved(count)
        if choice is None:
            return Optimum(self.start, self.most, self.most, count)
        return self._better(choice, self.extractor.additive(choice), count, 0)

    def _has_cycle(self, choice: Choice) -> bool:
        return bool(_cycles(choice, self.outputs))

    def _solved(self, count: int) -> Optimum:
        """By the integer program."""
        program = IntegerProgram(self.candidates, self.always, self._cost, self.most)
        bound, rounds = self.bound, 0
        while rounds < self.limits.rounds and time.perf_counter() < self.until:
            rounds += 1
            bound_now, choice = program.solve(self.limits.nodes, self.until - time.perf_counter())
            bound = max(bound, min(bound_now, self.most))
            if choice is None:
                break
            cycles = _cycles(choice, self.outputs)
            if not cycles:
                return self._better(choice, bound, count, rounds)
            program.cut(cycles)
        return Optimum(self.start, self.most, bound, count, rounds)

    def _better(self, choice: Choice, bound: float, count: int, rounds: int) -> Optimum:
        """A choice without cycles where it costs less than the start and its ops take their operands."""
        used = self.extractor.used(choice)
        choice = {number: choice[number] for number in used}
        cost = self.extractor.additive(choice)
        if cost < self.most and self.extractor.build(choice) is not None:
            return Optimum(choice, cost, bound, count, rounds)
        return Optimum(self.start, self.most, bound, count, rounds)


class _Sums:
    """The sum of values at positions that are given as bits, which include `always`."""

    def __init__(self, values: Sequence[float], always: int):
        self.values, self.always = values, always
        self.known: dict[int, float] = {}
        self.least = math.fsum(values[bit] for bit in _bits(always))

    def __call__(self, positions: int) -> float:
        further = positions & ~self.always
        found = self.known.get(further)
        if found is None:
            found = self.known[further] = self.least + math.fsum(self.values[bit] for bit in _bits(further))
        return found


def _undominated(enodes: Sequence[ENode]) -> list[ENode]:
    """Without e-nodes that cost no less than an earlier one and need all that it needs. The cheapest come first."""
    kept: list[tuple[frozenset[int], ENode]] = []
    for enode in enodes:
        children = frozenset(enode.children)
        if not any(needs <= children for needs, _ in kept):
            kept.append((children, enode))
    return [enode for _, enode in kept]


def _bits(number: int) -> Iterator[int]:
    """The positions of the bits that are set."""
    while number:
        lowest = number & -number
        yield lowest.bit_length() - 1
        number ^= lowest


def _cycles(choice: Choice, outputs: Sequence[int]) -> list[tuple[int, ...]]:
    """The cycles that a search from the outputs closes."""
    found, done = [], set()
    path: dict[int, Iterator[int]] = {}
    for output in outputs:
        if output in done:
            continue
        path[output] = iter(choice[output].children)
        while path:
            number, children = next(reversed(path.items()))
            child = next(children, None)
            if child is None:
                done.add(number)
                del path[number]
            elif child in path:
                classes = list(path)
                found.append(tuple(classes[classes.index(child) :]))
            elif child not in done:
                path[child] = iter(choice[child].children)
    return found
