"""Iterations that run together: rows that share what they read, read it once.

A loop around innermost ones may run several of its iterations at a time, each innermost loop for all of them before the next
("unroll and jam": Callahan, Cocke and Kennedy, Estimating Interlock and Improving Balance for Pipelined Machines, 1988). What
neighbouring rows of a stencil both read, what all rows read, and what all rows add to is then read once for all of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from egc.kinds import CHEAP
from egc.lower.loops import Loop
from egc.lower.statements import (
    Access,
    Apply,
    Blocks,
    For,
    Index,
    Item,
    Literal,
    Load,
    Reduce,
    Scan,
    Statement,
    Store,
    is_invariant,
    statements,
)
from egc.sizes import Dim

TOGETHER = 4
"""Iterations that run together."""

MOST_STATEMENTS = 24
"""Statements of such a loop, at most: more do not find enough registers."""

GAIN = 2.0
"""Elements that are moved less in each innermost iteration, at least. One that is read from another row counts twice: it is
in a farther cache than one that every row reads."""


def together(loop: Loop) -> Loop:
    """The same Loop, whose loops say how many of their iterations run together."""
    return replace(loop, body=tuple(_marked(item, 0) for item in loop.body))


def _marked(item: Item, depth: int) -> Item:
    if not isinstance(item, For):
        return item
    if isinstance(item, Blocks):
        return replace(item, body=tuple(_marked(child, depth) for child in item.body))
    inner = [child for child in item.body if isinstance(child, For)]
    if any(isinstance(child, For) for loop in inner for child in loop.body):
        return replace(item, body=tuple(_marked(child, depth + 1) for child in item.body))
    if inner and _may(item, depth) and any(_gain(loop.body, depth) >= GAIN for loop in inner):
        return replace(item, together=TOGETHER)
    return item


def _may(loop: For, depth: int) -> bool:
    """Whether iterations of a loop give the same when each of its inner loops runs for several of them at a time."""
    inside = list(statements([loop]))
    if len(inside) > MOST_STATEMENTS:
        return False
    for statement in inside:
        match statement:
            case Apply(node=node) if node.op not in CHEAP:
                return False
            case Reduce(depth=first) if first > depth:
                return False
            case Index() | Literal() | Load() | Apply() | Store() | Reduce() | Scan():
                pass
            case _:
                return False
    bodies = [[s for s in item.body if not isinstance(s, For)] for item in loop.body if isinstance(item, For)]
    if any(len({s.access.array for s in body if isinstance(s, Store)}) > 1 for body in bodies):
        return False
    written = {s.access.array for s in inside if isinstance(s, (Store, Reduce))}
    return all(_apart(_accesses(inside, array), depth) for array in written)


def _accesses(inside: Iterable[Statement], array: str) -> list[Load | Store | Reduce]:
    return [s for s in inside if isinstance(s, (Load, Store, Reduce)) and s.access.array == array]


def _apart(uses: Sequence[Load | Store | Reduce], depth: int) -> bool:
    """Whether no iteration reads what another one writes to an array, except to add to it in their order."""
    if any(stride(use.access, depth) == 0 for use in uses):
        return len(uses) == 1 and isinstance(uses[0], Reduce)
    return len({use.access for use in uses}) == 1


def stride(access: Access, depth: int) -> Dim:
    return access.strides[depth] if len(access.strides) > depth else 0


def _gain(body: Sequence[Item], depth: int) -> float:
    """The elements that an innermost iteration moves less where iterations of the loop around run together. That is reason
    enough where each waits for the one before it: there is something else to do meanwhile."""
    saved = 0.0
    part = 1 - 1 / TOGETHER
    loads = {s.access: None for s in body if isinstance(s, Load) and not s.scalar}
    rows = {(access.array, access.offset, access.strides) for access in loads}
    for access in loads:
        step = stride(access, depth)
        if step == 0:
            saved += part * any(other != 0 for other in access.strides)
        else:
            saved += 2 * part * ((access.array, access.offset + step, access.strides) in rows)
    saved += sum(2 * part for s in body if isinstance(s, Reduce) and stride(s.access, depth) == 0)
    return saved + GAIN * any(isinstance(s, Scan) for s in body)


def side_by_side(loop: For, depth: int) -> tuple[Item, ...]:
    """The body of a loop inside `depth` loops for `loop.together` iterations, of which its index is the first."""
    inside = list(statements([loop]))
    made = {s.name for s in inside if hasattr(s, "name") and not is_invariant(s)}
    written = {s.access.array for s in inside if isinstance(s, (Store, Reduce))}
    copies = [_Copy(number, depth, made) for number in range(loop.together)]
    body: list[Item] = []
    for item in loop.body:
        if isinstance(item, For):
            body.append(replace(item, body=tuple(_merged(item.body, copies, written))))
        else:
            body.extend(_merged([item], copies, written))
    return tuple(body)


def _merged(items: Sequence[Item], copies: Sequence[_Copy], written: set[str]) -> Iterator[Statement]:
    """Statements for each copy. What two of them load from the same place, or compute from the same values, is made once."""
    known: dict[object, str] = {}
    for item in items:
        assert not isinstance(item, For)
        for copy in copies[: 1 if is_invariant(item) else None]:
            made = copy.statement(item)
            key = _value(made, written)
            if key in known:
                copy.names[item.name] = known[key]  # type: ignore[union-attr]
                continue
            if key is not None:
                known[key] = made.name  # type: ignore[union-attr]
            yield made


def _value(statement: Statement, written: set[str]) -> object:
    """What a statement makes, where that is the same wherever it stands."""
    if isinstance(statement, Apply):
        return statement.node, statement.operands
    if isinstance(statement, Load) and not statement.scalar and statement.access.array not in written:
        return statement.access
    return None


class _Copy:
    """The statements of one of the iterations that run together."""

    def __init__(self, number: int, depth: int, made: Iterable[str]):
        self.number, self.depth = number, depth
        self.names = {name: f"{name}x{number}" if number else name for name in made}

    def statement(self, statement: Statement) -> Statement:
        match statement:
            case Apply(operands=operands):
                return replace(statement, name=self.name(statement.name), operands=tuple(map(self.name, operands)))
            case Index(name=name, strides=strides) if not is_invariant(statement):
                step = strides[self.depth] if len(strides) > self.depth else 0
                return replace(statement, name=self.name(name), offset=statement.offset + self.number * step)
            case Load(name=name, access=access) if not is_invariant(statement):
                return replace(statement, name=self.name(name), access=self.access(access))
            case Store(access=access, value=value) | Reduce(access=access, value=value):
                return replace(statement, access=self.access(access), value=self.name(value))
            case Scan(name=name, value=value):
                return replace(statement, name=self.name(name), value=self.name(value))
        return statement

    def name(self, name: str) -> str:
        return self.names.get(name, name)

    def access(self, access: Access) -> Access:
        return replace(access, offset=access.offset + self.number * stride(access, self.depth))
