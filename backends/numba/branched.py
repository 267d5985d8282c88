"""Choices between numbers as branches, where each side has work of its own.

A choice waits for both sides, and what follows from it in the next iteration waits for the choice. In loops whose iterations
run one after the other, a jump that is foreseen takes nothing, and the work of the other side is not done. Where there is little
work, compilers make choices of such branches again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from egc.backends.numba.inside import statements_in
from egc.kinds import CHEAP
from egc.lower.loops import Branch, Repeat
from egc.lower.names import is_item, operands
from egc.lower.statements import Apply, Index, Literal, Load, Statement, Store, statements

LEAST = 4
"""The work of both sides for which there is a branch, in cheap operations: what compilers compute without one."""

DEAR = 4
"""What other operations are reckoned as."""

SIMPLE = (Load, Literal, Index, Apply, Store)


@dataclass(frozen=True)
class Chosen:
    """A branch on a value: `sides` are what is computed where it is true, and where it is false; each of `results` is a new
    value's name with the values that it is then."""

    condition: str
    sides: tuple[tuple[Statement, ...], tuple[Statement, ...]]
    results: tuple[tuple[str, str, str], ...]


def branched(steps: Sequence[Any], scalars: Collection[str]) -> list[Any]:
    """The steps of a body, in which choices on one condition are branches. `scalars` are the names of numbers, all others are of
    arrays. Statements keep their order wherever one reads what another makes."""
    uses = Counter(name for step in steps for s in _all(step) for name in operands(s))
    done: list[Any] = []
    run: list[Any] = []
    for step in (*steps, None):
        if isinstance(step, SIMPLE):
            run.append(step)
            continue
        done.extend(_branched(run, uses, scalars))
        run = []
        if step is not None:
            done.append(step)
    return done


def _all(step: Any) -> Iterable[Statement]:
    if isinstance(step, (Repeat, Branch)):
        return statements_in(step)
    return statements([step]) if is_item(step) else ()


def _branched(run: Sequence[Any], uses: Counter[str], scalars: Collection[str]) -> Iterator[Any]:
    conditions = dict.fromkeys(s.operands[0] for s in run if _is_choice(s))
    for condition in conditions:
        found = _Group(run, condition, scalars).split(uses)
        if found is not None:
            before, chosen, after = found
            yield from _branched(before, uses, scalars)
            yield chosen
            yield from _branched(after, uses, scalars)
            return
    yield from run


def _is_choice(s: Any) -> bool:
    return isinstance(s, Apply) and s.node.op == "where"


class _Group:
    """The choices on one condition, by their places in a run of statements, without those that read what another one chose, and
    the statements between that have to follow them."""

    def __init__(self, run: Sequence[Any], condition: str, scalars: Collection[str]):
        self.run, self.condition, self.scalars = run, condition, scalars
        self.members: list[int] = []
        self.late: set[int] = set()
        names: set[str] = set()
        read: set[str] = set()
        written: set[str] = set()
        for place, s in enumerate(run):
            is_member = _is_choice(s) and s.operands[0] == condition
            array = self.array(s)
            follows = not names.isdisjoint(operands(s)) or array in written
            follows = follows or (isinstance(s, Store) and array in read)
            if is_member and not follows:
                self.members.append(place)
            elif self.members and follows:
                self.late.add(place)
                if array is not None:
                    (written if isinstance(s, Store) else read).add(array)
            else:
                continue
            names.update([s.name] if hasattr(s, "name") else [])
        self.last = self.members[-1] if self.members else -1

    def array(self, s: Any) -> str | None:
        """What a statement reads or writes: a number by its name, or any array."""
        if not isinstance(s, (Load, Store)):
            return None
        return s.access.array if s.access.array in self.scalars else ""

    def split(self, uses: Counter[str]) -> tuple[list[Any], Chosen, list[Any]] | None:
        """What comes before the branch, the branch, and what comes after it; None where it is not worth it."""
        sides = [self.own(side, uses) for side in (1, 2)]
        if sum(map(self.work, (*sides[0], *sides[1]))) < LEAST:
            return None
        gone = {*sides[0], *sides[1], *self.members}
        places = range(len(self.run))
        before = [self.run[k] for k in places if k <= self.last and k not in gone and k not in self.late]
        after = [self.run[k] for k in places if k > self.last or k in self.late]
        then, otherwise = (tuple(self.run[k] for k in sorted(side)) for side in sides)
        results = tuple((self.run[k].name, *self.run[k].operands[1:]) for k in self.members)
        return before, Chosen(self.condition, (then, otherwise), results), after

    def own(self, side: int, uses: Counter[str]) -> set[int]:
        """The statements that only one side needs, and that may run as late as the branch."""
        needed = Counter(self.run[k].operands[side] for k in self.members)
        found: set[int] = set()
        stored: set[str | None] = set()
        for place in range(self.last, -1, -1):
            s = self.run[place]
            if place in self.members or place in self.late:
                continue
            if isinstance(s, Store):
                stored.add(self.array(s))
            elif needed[s.name] == uses[s.name] > 0 and not (isinstance(s, Load) and self.array(s) in stored):
                found.add(place)
                needed.update(operands(s))
        return found

    def work(self, place: int) -> int:
        s = self.run[place]
        if isinstance(s, Load):
            return int(s.access.array not in self.scalars)
        return 0 if not isinstance(s, Apply) or s.node.op == "cast" else 1 if s.node.op in CHEAP else DEAR
