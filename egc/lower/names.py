"""The names in steps of loop programs: which they mention, and the same steps with others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from egc.ir import Node
from egc.lower.loops import Body, Branch, Call, Condition, Repeat
from egc.lower.statements import (
    Access,
    Apply,
    Fold,
    For,
    Gather,
    Index,
    Literal,
    Load,
    Product,
    Reduce,
    Scan,
    Scatter,
    Statement,
    Store,
    reads,
    statements,
    writes,
)

ACCESSES = (Load, Store, Gather, Scatter, Reduce)
WRITES = (Store, Scatter, Reduce, Product)


def operands(statement: Statement) -> Iterator[str]:
    """The values that a statement reads."""
    yield from getattr(statement, "operands", ())
    if isinstance(value := getattr(statement, "value", None), str):
        yield value
    yield from (pick.index for pick in getattr(statement, "picks", ()))


def mentioned(step: Any) -> Iterator[str]:
    """The arrays and scalars that a step reads or writes, those of its own included."""
    match step:
        case Call(name=name, operands=given):
            yield from (name, *given)
        case Repeat(states=states, starts=starts, count=count, index=index):
            yield from (name for name, _ in states)
            yield from starts
            yield from (name for name in (count, index) if name is not None)
        case Branch(condition=condition, states=states):
            yield from (condition, *(name for name, _ in states))
        case For():
            yield from (access.array for s in statements([step]) for access in (*reads(s), *writes(s)))
        case _ if is_item(step):
            yield from (access.array for access in (*reads(step), *writes(step)))
    if isinstance(step, Repeat):
        yield from (condition.value for condition in (step.pre, step.post) if condition is not None)
    if isinstance(step, (Repeat, Branch)):
        for body in step.bodies():
            for pair in body.moves:
                yield from pair
            for inner in body.steps:
                yield from mentioned(inner)


def made(step: Any) -> Iterator[str]:
    """What only the regions of a step know."""
    if isinstance(step, Repeat) and step.index is not None:
        yield step.index
    if isinstance(step, (Repeat, Branch)):
        for body in step.bodies():
            yield from (name for name, _ in (*body.blocks, *body.scalars))
            yield from (inner.name for inner in body.steps if isinstance(inner, Call))
            for inner in body.steps:
                yield from made(inner)


def renamed(step: Any, names: Mapping[str, str]) -> Any:
    """A step, or a part of one, with other names for arrays and scalars."""

    def new(name: Any) -> Any:
        return names.get(name, name)

    def typed(pairs: tuple[tuple[str, Any], ...]) -> tuple[tuple[str, Any], ...]:
        return tuple((new(name), type) for name, type in pairs)

    match step:
        case None:
            return None
        case For():
            return replace(step, body=tuple(renamed(item, names) for item in step.body))
        case Product():
            access, left, right = (_at(each, names) for each in (step.access, step.left, step.right))
            return replace(step, access=access, left=left, right=right)
        case Call():
            return replace(step, name=new(step.name), operands=tuple(map(new, step.operands)))
        case Body():
            return Body(
                tuple(renamed(item, names) for item in step.steps),
                tuple((new(target), new(value)) for target, value in step.moves),
                typed(step.blocks),
                typed(step.scalars),
            )
        case Condition():
            return Condition(renamed(step.body, names), new(step.value))
        case Repeat():
            starts = tuple(map(new, step.starts))
            pre, update, post = (renamed(part, names) for part in (step.pre, step.update, step.post))
            results = typed(step.results)
            return Repeat(typed(step.states), starts, new(step.count), new(step.index), pre, update, post, results)
        case Branch():
            bodies = renamed(step.then, names), renamed(step.otherwise, names)
            return Branch(new(step.condition), typed(step.states), *bodies, typed(step.results))
    if isinstance(step, ACCESSES) and step.access.array in names:
        return replace(step, access=_at(step.access, names))
    return step


def _at(access: Access, names: Mapping[str, str]) -> Access:
    return replace(access, array=names.get(access.array, access.array))


def without_identities(items: Sequence[Any]) -> list[Any]:
    """Items of loop nests in which no value is another one by a cast to its own dtype."""
    same: dict[str, str] = {}
    for statement in (s for item in items if is_item(item) for s in statements([item])):
        if isinstance(statement, Apply) and _is_identity(statement.node):
            (operand,) = statement.operands
            same[statement.name] = same.get(operand, operand)
    return [new for item in items for new in (_with_values(item, same) if is_item(item) else (item,))]


def _is_identity(node: Node) -> bool:
    return node.op == "cast" and node.inputs[0].type.dtype == node.type.dtype


def is_item(step: Any) -> bool:
    """Whether a step is a loop nest or one of its statements."""
    return isinstance(step, (For, Load, Literal, Index, Apply, Store, Fold, Reduce, Scan, Gather, Scatter, Product))


def _with_values(item: Any, names: Mapping[str, str]) -> Iterator[Any]:
    """An item with other names for the values that it reads, unless it makes one that has another."""
    match item:
        case For():
            yield replace(item, body=tuple(new for inner in item.body for new in _with_values(inner, names)))
        case Apply():
            if item.name not in names:
                yield replace(item, operands=tuple(names.get(name, name) for name in item.operands))
        case Store() | Reduce() | Fold() | Scan():
            yield replace(item, value=names.get(item.value, item.value))
        case Gather() | Scatter():
            picks = tuple(replace(pick, index=names.get(pick.index, pick.index)) for pick in item.picks)
            item = replace(item, picks=picks)
            yield replace(item, value=names.get(item.value, item.value)) if isinstance(item, Scatter) else item
        case _:
            yield item


def without_unused(steps: Sequence[Any]) -> Iterator[Any]:
    """Without values that nothing uses, and loops with nothing inside."""
    while True:
        used = frozenset(name for s in _all(steps) for name in operands(s))

        def needed(s: Any, used: frozenset[str] = used) -> bool:
            if isinstance(s, Gather) and s.mode == "raise":
                return True
            return not isinstance(s, (Load, Literal, Index, Apply, Gather)) or s.name in used

        kept = list(filtered(steps, needed))
        if kept == list(steps):
            return iter(kept)
        steps = kept


def _all(steps: Iterable[Any]) -> Iterator[Any]:
    for step in steps:
        if is_item(step):
            yield from statements([step])


def filtered(items: Iterable[Any], needed: Callable[[Any], bool]) -> Iterator[Any]:
    """Items without the statements that are not needed, and loops with nothing inside."""
    for item in items:
        if isinstance(item, For):
            if body := tuple(filtered(item.body, needed)):
                yield replace(item, body=body)
        elif not is_item(item) or needed(item):
            yield item
