"""What holds in all iterations of a loop: guesses about its states, of which those are kept that an iteration keeps.

A guess is a sum that may not be negative: from how a state starts and moves, and from what the loop compares. Those that hold at
the start, and again after an iteration wherever all of them held before it, hold in all iterations. (Flanagan & Leino, Houdini,
an annotation assistant for ESC/Java, 2001, begins with too many guesses, too.) A guess may depend on a state that is a bool: that
of a `while` is what says whether another iteration follows.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from egc import sizes
from egc.lower.known import Known
from egc.lower.loops import Repeat
from egc.lower.meanings import INTEGER, Meaning, Test
from egc.ranges import coefficient
from egc.sizes import Dim, Size

MOST_GUESSES = 60
"""Guesses for one loop."""

MOST_ITERATIONS = 2**60
"""Iterations that take decades."""


@dataclass(frozen=True)
class Guess:
    """That a sum of the states is not negative: where the bool state `flag` is `when`, if there is one."""

    sum: Dim
    flag: str | None = None
    when: bool = False


def kept_of(guesses: Sequence[Guess], holds: Callable[[Guess], bool]) -> list[Guess]:
    """The guesses that hold: what follows from one that holds anyway is not shown again."""
    held: dict[tuple[str | None, bool, Dim], int] = {}
    kept = []
    for guess in sorted(guesses, key=lambda guess: (guess.flag is not None, _constant(guess.sum))):
        plain = guess.sum - _constant(guess.sum)
        least = [held[place] for place in ((None, False, plain), (guess.flag, guess.when, plain)) if place in held]
        if any(constant <= _constant(guess.sum) for constant in least) or holds(guess):
            held.setdefault((guess.flag, guess.when, plain), _constant(guess.sum))
            kept.append(guess)
    return kept


def _constant(size: Dim) -> int:
    """The number in a sum."""
    return size if isinstance(size, int) else sum(factor for monomial, factor in size.terms if not monomial)


class Iteration:
    """One iteration of a loop, for all of them."""

    def __init__(self, walk: Any, step: Repeat, known: Known, assigned: Collection[str]):
        """walk: goes through the steps of regions, and knows what scalars are by their `names`. assigned: the names that the loop
        gives other values."""
        self.walk, self.step, self.outer = walk, step, known
        self.first = {
            name: walk.names.get(start) for (name, type), start in zip(step.states, step.starts) if not type.rank
        }
        self.before = {name: value for name, value in walk.names.items() if name not in assigned}
        count = walk.names.get(step.count or "")
        self.count = count if isinstance(count, (int, Size)) else None
        self.number = None if step.index is None else known.symbols.fresh(step.index)
        if self.number is not None:
            last = () if self.count is None else (self.count - 1 - self.number,)
            known = known.having([self.number, MOST_ITERATIONS - self.number, *last])
        self.around = known
        self.heads = {
            name: known.symbols.fresh() for name, type in step.states if not type.rank and type.dtype == INTEGER
        }
        self.flags = [name for name, type in step.states if not type.rank and type.dtype.kind == "b"]

    def run(self, guesses: Iterable[Guess] | None) -> Repeat:
        """The loop's step, gone through from where guesses hold; None to find some."""
        walk, step, known = self.walk, self.step, replace(self.around, bold=self.around.bold or guesses is None)
        guesses = guesses or ()
        walk.names, walk.seen = {**self.before, **self.heads}, []
        if step.index is not None:
            walk.names[step.index] = self.number
        for flag in self.flags:
            walk.names[flag] = Test(*(_of(guesses, flag, when) for when in (True, False)))
        known = known.having(guess.sum for guess in guesses if guess.flag is None)
        pre, known, self.enters = walk.condition(step.pre, known)
        update, known = walk.body(step.update, known.having(self.enters.true or ()))
        moved = dict(step.update.moves)
        self.values = {name: walk.names.get(moved.get(name, name)) for name in self.first}
        walk.names.update(self.values)
        post, known, self.stays = walk.condition(step.post, known)
        self.after = known
        return replace(step, pre=pre, update=update, post=post)

    def guesses(self) -> list[Guess]:
        """What may hold of the states."""
        found: dict[Guess, None] = {}
        for name, head in self.heads.items():
            sums: list[Dim] = [head, head - 1, head + 1]
            first, value = self.first.get(name), self.values.get(name)
            if isinstance(first, (int, Size)):
                sums += [head - first, first - head]
                if self.number is not None:
                    sums += [first + self.number - head, head - first + self.number]
                    step = value - head if isinstance(value, (int, Size)) else None
                    if isinstance(step, int):
                        sums += [head - first - step * self.number, first + step * self.number - head]
            sums += self._compared(name)
            sums += (head - other + k for other in self.heads.values() if other is not head for k in (0, -1))
            found.update((Guess(each), None) for each in sums if isinstance(each, Size))
        plain = [guess for guess in found if self.visible(guess.sum)][:MOST_GUESSES]
        flagged = []
        for flag in self.flags:
            start = self.first.get(flag)
            constant = start.constant if isinstance(start, Test) else None
            for when in (True, False) if constant is None else (constant,):
                flagged += [replace(guess, flag=flag, when=when) for guess in plain]
        return [*plain, *flagged[:MOST_GUESSES]]

    def _compared(self, name: str) -> Iterator[Dim]:
        """Sums of states from comparisons: of a state as it is, and of what it becomes."""
        heads, values = self.heads, self.values
        become: dict[str, Dim] = {}
        for other, head in heads.items():
            value = values.get(other)
            if not isinstance(value, Size):
                continue
            factor = coefficient(value, str(head))
            rest = value - factor * head if isinstance(factor, int) else None
            if isinstance(rest, int) and factor == 1:
                become[str(head)] = head - rest
            elif (newest := self.outer.symbols.newest(value)) is not None and isinstance(
                value - sizes.symbol(newest), int
            ):
                become[newest] = head - (value - sizes.symbol(newest))
        for test in self.walk.seen:
            for facts in (test.true, test.false):
                for fact in facts or ():
                    if str(heads[name]) in sizes.symbols(fact):
                        yield from (fact, fact + 1)
                    moved = sizes.substitute(fact, become)
                    if moved != fact and str(heads[name]) in sizes.symbols(moved):
                        yield from (moved, moved + 1)
                    if isinstance(value := values.get(name), Size):
                        yield from _solved(fact, value, heads[name])

    def visible(self, sum: Dim) -> bool:
        """Whether a sum has only symbols that are known at the start of an iteration."""
        last = max([self.outer.symbols.ages[str(head)] for head in self.heads.values()], default=-1)
        return all(self.outer.symbols.ages.get(name, -1) <= last for name in sizes.symbols(sum))

    def starts(self, guess: Guess) -> bool:
        """Whether a guess holds before the first iteration."""
        facts, known = self._at(guess, self.first, 0), self.outer
        return facts is None or known.having(facts[1:]).holds(facts[0])

    def goes_on(self, guess: Guess) -> bool:
        """Whether it holds before a further iteration, if all guesses held before this one."""
        facts = self._at(guess, self.values, 0 if self.number is None else self.number + 1)
        return facts is None or self.after.having((*(self.stays.true or ()), *facts[1:])).holds(facts[0])

    def _at(self, guess: Guess, values: Mapping[str, Meaning], number: Dim) -> tuple[Dim, ...] | None:
        """What has to be shown, and what may be taken for granted; None where it need not be shown."""
        given: tuple[Dim, ...] = ()
        if guess.flag is not None:
            flag = values.get(guess.flag)
            facts = (flag.true if guess.when else flag.false) if isinstance(flag, Test) else ()
            if facts is None:
                return None
            given = facts
        bindings: dict[str, Dim] = {} if self.number is None else {str(self.number): number}
        for name, head in self.heads.items():
            value = values.get(name)
            bindings[str(head)] = value if isinstance(value, (int, Size)) else sizes.symbol("_unknown")
        return (sizes.substitute(guess.sum, bindings), *given)

    def leave(self, guesses: Sequence[Guess]) -> Known:
        """What is known after the loop."""
        walk, step, known = self.walk, self.step, self.outer
        walk.names = dict(self.before)
        ends = {str(head): known.symbols.fresh() for head in self.heads.values()}
        kept = [guess for guess in guesses if step.post is None or self._holds_at_end(guess)]
        found = [(guess, fact) for guess in kept if (fact := self._at_end(guess.sum)) is not None]
        facts = [fact for guess, fact in found if guess.flag is None]
        if step.count is None and step.post is None:
            facts += [fact for fact in self.enters.false or () if self.visible(fact)]
        known = known.having(sizes.substitute(fact, ends) for fact in facts)
        for name, type in step.states:
            if name in self.heads:
                walk.names[name] = ends[str(self.heads[name])]
            elif name in self.flags:
                sides = [
                    [sizes.substitute(fact, ends) for guess, fact in found if (guess.flag, guess.when) == (name, when)]
                    for when in (True, False)
                ]
                walk.names[name] = Test(tuple(sides[0]), tuple(sides[1]))
            elif not type.rank:
                walk.names[name] = None
        return known

    def _holds_at_end(self, guess: Guess) -> bool:
        facts = self._at(guess, self.values, 0 if self.number is None else self.number + 1)
        return facts is None or self.after.having((*(self.stays.false or ()), *facts[1:])).holds(facts[0])

    def _at_end(self, sum: Dim) -> Dim | None:
        """A sum of the states that is not negative whatever the number of the last iteration is."""
        factor = 0 if self.number is None else coefficient(sum, str(self.number))
        if not isinstance(factor, int):
            return None
        if factor <= 0 or self.number is None:
            return sum if factor == 0 else sizes.substitute(sum, {str(self.number): 0})
        if self.count is None or not self.outer.holds(self.count):
            return None
        return sizes.substitute(sum, {str(self.number): self.count})


def _solved(fact: Dim, value: Size, head: Size) -> Iterator[Dim]:
    """A sum of a state from one of what it becomes, a multiple."""
    factor, own = coefficient(value, str(head)), coefficient(fact, str(head))
    if isinstance(factor, int) and isinstance(own, int) and factor > 1 and own and own % factor == 0:
        rest = value - factor * head
        if isinstance(rest, int):
            yield fact - own * head + own // factor * (head - rest)


def _of(guesses: Iterable[Guess], flag: str, when: bool) -> tuple[Dim, ...]:
    return tuple(guess.sum for guess in guesses if guess.flag == flag and guess.when == when)
