"""Indices that are values, proved to be within bounds: what cannot fail is not looked at, and may work in place.

All that is known of int64 scalars is followed through loops and branches, with what holds in all iterations: see `invariants`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from egc.lower.invariants import Guess, Iteration, kept_of
from egc.lower.known import Known
from egc.lower.loops import Body, Branch, Call, Condition, Loop, Repeat, Step
from egc.lower.meanings import INTEGER, Meaning, Test, chosen, index, joined, literal, meaning
from egc.lower.names import is_item
from egc.lower.statements import (
    Access,
    Apply,
    For,
    Gather,
    Index,
    Literal,
    Load,
    Pick,
    Scatter,
    Store,
    is_invariant,
    statements,
    writes,
)
from egc.ranges import Ranges
from egc.sizes import Size

SURE = "sure"
"""The mode of indices that are within bounds."""


def proved(steps: Sequence[Step], ranges: Ranges) -> list[Step]:
    """The steps in which indices that are certainly within bounds are in the mode `SURE`, and bools that are always the same are
    constants.

    >>> from egc.types import ArrayType
    >>> vector, at = ArrayType(np.dtype(float), (sizes.symbol("n"),)), Access("x", 0, ())
    >>> gather = Gather("v1", at, (Pick("v0", 1, sizes.symbol("n")),), "raise", vector.dtype)
    >>> body = Body((Index("v0", sizes.symbol("i"), ()), gather, Store(replace(at, array="t"), "v1", vector.dtype)))
    >>> count = Loop((), (Index("w", sizes.symbol("n"), ()), Store(replace(at, array="c"), "w", INTEGER)), (), (("c", INTEGER),))
    >>> _, loop = proved([count, Repeat((), (), "c", "i", None, body, None)], Ranges({"n": 1}))
    >>> loop.update.steps[1].mode
    'sure'
    """
    if not any(map(_gains, steps)):
        return list(steps)
    walk = _Walk(frozenset(_scalars(steps)))
    known = Known(ranges)
    found: list[Step] = []
    for step in steps:
        if isinstance(step, Loop):
            items, known = walk.items(step.body, known)
            found.append(replace(step, body=tuple(items)))
        else:
            new, known = walk.step(step, known)
            found.append(new)
    return found


def _gains(step: Any) -> bool:
    """Whether a step has an index that may be out of bounds, outside of nests."""
    if isinstance(step, (Repeat, Branch)):
        return any(_gains(inner) for body in step.bodies() for inner in body.steps)
    return isinstance(step, (Gather, Scatter)) and step.mode == "raise"


def _scalars(steps: Iterable[Any]) -> Iterator[str]:
    """The variables that are no arrays."""
    for step in steps:
        if isinstance(step, (Loop, Repeat, Branch)):
            yield from (name for name, type in step.results if not type.rank)
        if isinstance(step, Loop):
            yield from (name for name, _ in step.locals)
        elif isinstance(step, (Repeat, Branch)):
            yield from (name for name, type in step.states if not type.rank)
            for body in step.bodies():
                yield from (name for name, _ in body.scalars)
                yield from _scalars(body.steps)


def _assigned(step: Repeat | Branch) -> Iterator[str]:
    """The names that a loop or branch may give other values."""
    yield from (name for name, _ in step.states)
    for body in step.bodies():
        yield from (target for target, _ in body.moves)
        for inner in body.steps:
            if isinstance(inner, (Repeat, Branch)):
                yield from _assigned(inner)
            elif isinstance(inner, Call):
                yield inner.name
            elif is_item(inner):
                yield from _made(inner)


@dataclass
class _Walk:
    """What is known of `scalars` and of values by their names, where the walk has come to; `seen` are the comparisons."""

    scalars: frozenset[str]
    names: dict[str, Meaning] = field(default_factory=dict)
    seen: list[Test] = field(default_factory=list)

    def items(self, items: Iterable[Any], known: Known) -> tuple[list[Any], Known]:
        found = []
        for item in items:
            new, known = self.step(item, known)
            found.append(new)
        return found, known

    def step(self, step: Any, known: Known) -> tuple[Any, Known]:
        match step:
            case Repeat():
                return self.repeat(step, known)
            case Branch():
                return self.branch(step, known)
            case Call():
                self.names.pop(step.name, None)
            case For():
                for name in _made(step):
                    self.names.pop(name, None)
            case _ if is_item(step):
                return self.statement(step, known)
        return step, known

    def statement(self, statement: Any, known: Known) -> tuple[Any, Known]:
        match statement:
            case Literal(name=name, value=value, dtype=dtype):
                self.names[name] = literal(value, dtype)
            case Index(name=name, offset=offset) if is_invariant(statement):
                self.names[name], known = index(offset, known)
            case Load(name=name, access=access, dtype=dtype):
                self.names[name] = self.read(access, dtype, known)
            case Gather(name=name, picks=picks, dtype=dtype):
                self.names[name] = _unknown(dtype, known)
                return self.within(statement, picks, known), known
            case Scatter(picks=picks):
                return self.within(statement, picks, known), known
            case Store(access=access, value=value) if access.array in self.scalars:
                self.names[access.array] = self.names.get(value)
            case Apply(name=name, operands=operands, node=node):
                found, known = meaning(statement, [self.names.get(each) for each in operands], known)
                self.names[name] = found
                if isinstance(found, Test):
                    self.seen.append(found)
                    if found.constant is not None:
                        return Literal(name, found.constant, node.type.dtype), known
            case _:
                for name in _made(statement):
                    self.names.pop(name, None)
        return statement, known

    def read(self, access: Access, dtype: np.dtype, known: Known) -> Meaning:
        if access.array not in self.scalars:
            return _unknown(dtype, known)
        if self.names.get(access.array) is None:
            self.names[access.array] = _unknown(dtype, known)
        return self.names[access.array]

    def within(self, statement: Any, picks: Sequence[Pick], known: Known) -> Any:
        """A gather or scatter whose indices are not looked at, if they are within bounds."""

        def is_sure(pick: Pick) -> bool:
            index = self.names.get(pick.index)
            if not isinstance(index, (int, Size)):
                return False
            return known.holds(index, back=1) and known.holds(pick.length - 1 - index, back=1)

        if statement.mode != "raise" or not all(map(is_sure, picks)):
            return statement
        return replace(statement, mode=SURE)

    def branch(self, step: Branch, known: Known) -> tuple[Branch, Known]:
        test = self.names.get(step.condition)
        test = test if isinstance(test, Test) else Test()
        before, sides, bodies = dict(self.names), [], []
        for body, facts in ((step.then, test.true), (step.otherwise, test.false)):
            self.names = dict(before)
            side = known.having(facts or ())
            new, side = self.body(body, side)
            bodies.append(new)
            if facts is not None:
                sides.append((side, facts, {target: self.names.get(value) for target, value in body.moves}))
        assigned = set(_assigned(step))
        self.names = {name: value for name, value in before.items() if name not in assigned}
        for name, type in step.states:
            found = [(side, facts, values.get(name)) for side, facts, values in sides]
            if not type.rank and type.dtype == INTEGER and all(isinstance(value, (int, Size)) for *_, value in found):
                self.names[name], known = joined([(side, value) for side, _, value in found], known)  # type: ignore[misc]
            elif not type.rank and type.dtype.kind == "b":
                self.names[name] = chosen(found)
        return replace(step, then=bodies[0], otherwise=bodies[1]), known

    def body(self, body: Body, known: Known) -> tuple[Body, Known]:
        found, known = self.items(body.steps, known)
        return replace(body, steps=tuple(found)), known

    def condition(self, condition: Condition | None, known: Known) -> tuple[Condition | None, Known, Test]:
        if condition is None:
            return None, known, Test(false=None)
        body, known = self.body(condition.body, known)
        test = self.names.get(condition.value)
        return replace(condition, body=body), known, test if isinstance(test, Test) else Test()

    def repeat(self, step: Repeat, known: Known) -> tuple[Repeat, Known]:
        loop = Iteration(self, step, known, set(_assigned(step)))
        guesses: list[Guess] | None = None if loop.heads or loop.flags else []
        while True:
            new = loop.run(guesses)
            if guesses is None:
                kept = kept_of(loop.guesses(), loop.starts)
            else:
                kept = kept_of(guesses, loop.goes_on)
            if guesses is not None and len(kept) == len(guesses):
                return new, loop.leave(kept)
            guesses = kept


def _unknown(dtype: np.dtype, known: Known) -> Meaning:
    if dtype == INTEGER:
        return known.symbols.fresh()
    return Test() if dtype.kind == "b" else None


def _made(item: Any) -> Iterator[str]:
    """The values that an item makes, and the arrays and scalars that it writes."""
    for statement in statements([item]):
        if (name := getattr(statement, "name", None)) is not None:
            yield name
        yield from (access.array for access in writes(statement))
