"""Branches on data: both sides are captured, and what they leave behind is merged."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from egc import ir
from egc.capture import arguments as trees
from egc.capture.array import Array, Cell
from egc.capture.bounds import facts_of
from egc.capture.context import Choose, Restart, current
from egc.capture.flow.containers import are_free, elsewhere, is_one
from egc.capture.flow.graph import RESULT
from egc.capture.flow.iteration import Iterating
from egc.capture.flow.region import INLINE, Closing, Inside, inside
from egc.capture.flow.values import MISSING, Contents, Kind, alike, common, differs, flatten, kind_of, same
from egc.capture.unread import either, failing, touch_merged
from egc.errors import InternalError, NotEncodable
from egc.ir import Node

BOOL = np.dtype(bool)

Outcome = Mapping[int, "Node | None"]
"""The labels at which capture stopped, each with the condition under which it is reached; None for the only one."""

SPARED = 16
"""Cheap scalar operations of both sides together that are all done rather than branched around."""

CHEAP = frozenset(
    """add subtract multiply divide negative absolute where cast equal not_equal less less_equal greater greater_equal
       logical_and logical_or logical_xor logical_not maximum minimum slice reshape item isnan""".split()
)
"""Scalar ops that take less time than a branch that is predicted wrongly, and never fail."""


@dataclass
class Side:
    """One side of a branch: where it led, the variables there, and what it did. Its outcome is None where it raises."""

    outcome: Outcome | None
    values: dict[str, Any]
    region: Inside
    contents: Contents
    error: Exception | None = None
    positions: dict[Iterating, int] = field(default_factory=dict)


def two_way(frame: Any, condition: Node, left: Callable[[], Outcome], right: Callable[[], Outcome]) -> Outcome:
    """The outcome of a branch, with the frame's variables and all cells as they are after it."""
    before = frame.values
    iterators = {value: value.position for value in before.values() if isinstance(value, Iterating)}
    sides = []
    facts = current().facts
    for run, holds in ((left, True), (right, False)):
        current().facts = (*facts, *facts_of(condition, holds))
        frame.values = dict(before)
        for iterator, position in iterators.items():
            iterator.position = position
        sides.append(_side(frame, run))
        current().facts = facts
        sides[-1].positions = {iterator: iterator.position for iterator in iterators}
    first, second = sides
    if first.outcome is None or second.outcome is None:
        if first.error is not None and second.error is not None:
            raise first.error
        taken, raising = (first, condition) if second.outcome is None else (second, condition)
        unusual = raising if first.outcome is None else current().make("logical_not", condition)
        return _only(frame, taken, unusual)
    return _Merge(frame, condition, first, second).result()


def _side(frame: Any, run: Callable[[], Outcome]) -> Side:
    outcome: Outcome | None = None
    error: Exception | None = None
    contents = Contents(())
    with inside() as region:
        try:
            outcome = run()
            contents = Contents(live_values(frame, outcome))
        except (NotEncodable, InternalError, Restart, Choose):
            raise
        except Exception as raised:
            current().begin_again()
            error = raised
    return Side(outcome, frame.values, region, contents, error)


def live_values(frame: Any, outcome: Outcome) -> list[Any]:
    """The values of the variables that are still read where an outcome leads."""
    names = frozenset().union(*(frame.graph.live[target] | frame.graph.kept[target] for target in outcome))
    return [value for name, value in frame.values.items() if name in names]


def _only(frame: Any, side: Side, unusual: Node) -> Outcome:
    """A branch whose other side raises an exception: there the function runs as written."""
    context = current()
    context.check(unusual)
    for check in side.region.checks:
        context.check(check)
    context.touched.update(dict.fromkeys(side.region.touched))
    for cell, after in side.region.cells.items():
        context.note(cell)
        cell.node, cell.written, cell.stale = after  # type: ignore[attr-defined]
    context.made.update(side.region.made)
    frame.values = side.values
    assert side.outcome is not None
    return side.outcome


@dataclass(frozen=True)
class _Later:
    """A variable whose value is known when all merged Nodes are."""

    value: Callable[[], Any]


class _Merge:
    """Merges two sides. `pairs` are the Nodes that differ: one for each side, and what takes the merged one."""

    def __init__(self, frame: Any, condition: Node, first: Side, second: Side):
        self.frame, self.condition, self.first, self.second = frame, condition, first, second
        self.start = first.region.start
        self.pairs: list[tuple[Node, Node]] = []
        self.takers: list[Callable[[Node], None]] = []
        self.cells: dict[Any, Cell] = {}
        self.seen: set[Any] = set()
        self.sources: dict[Cell, list[Cell]] = {}

    def result(self) -> Outcome:
        outcome: dict[int, Node | None] = {}
        first, second = self.first.outcome, self.second.outcome
        assert first is not None and second is not None
        targets = sorted({*first, *second})
        if len(targets) == 1:
            outcome[targets[0]] = None
        else:
            for target in targets:
                self.put(_predicate(first, target), _predicate(second, target), _setter(outcome, target))
        values = self._variables()
        self._cells()
        checks: list[Node] = []
        for position, side in enumerate((self.first, self.second)):
            own = [*(pair[position] for pair in self.pairs), *side.region.checks]
            unusual = either([*side.region.checks, *failing(side.region.touched, own)])
            if unusual is not None:
                no = ir.constant(False, BOOL)
                self.put(*((unusual, no) if position == 0 else (no, unusual)), checks.append)
        one_of_each = self._merged()
        touch_merged(
            list(zip(one_of_each, self.pairs)), (self.first.region.touched, self.second.region.touched), self._one_of
        )
        for found, take in zip(one_of_each, self.takers):
            take(found)
        for check in checks:
            current().check(check)
        self.frame.values = {n: v.value() if isinstance(v, _Later) else v for n, v in values.items()}
        for made in self.sources.values():
            for other in made[1:]:
                made[0].rival(other)
        for cell, made in self.sources.items():
            for each in made if cell.serial < self.start else ():
                each.rival(cell)
        return outcome

    def put(self, a: Node, b: Node, take: Callable[[Node], None]) -> None:
        if a is b:
            take(a)
        elif a.type.dtype == BOOL and not a.type.rank and a.op == b.op == "constant":
            take(self.condition if a.params["value"] else current().make("logical_not", self.condition))
        else:
            self.pairs.append((a, b))
            self.takers.append(take)

    def _variables(self) -> dict[str, Any]:
        """The merged variables that are still read."""
        live, keep = self.frame.graph.live, self.frame.graph.kept
        kept = [frozenset().union(*(keep[t] for t in side.outcome or ())) for side in (self.first, self.second)]
        wanted = [frozenset().union(*(live[t] for t in side.outcome or ())) for side in (self.first, self.second)]
        found: dict[str, Any] = {}
        for name in sorted(wanted[0] | wanted[1]):
            a, b = (side.values.get(name, MISSING) for side in (self.first, self.second))
            needed = [name in each for each in wanted]
            needed = [need or (name in k and v is not MISSING) for need, k, v in zip(needed, kept, (a, b))]
            if isinstance(a, Iterating) and a is b:
                self._place(a, needed)
            if a is b:
                found.update({} if a is MISSING else {name: a})
                continue
            if any(value is MISSING and need for value, need in zip((a, b), needed)):
                raise differs(f"the variable {name}", "it is not defined on both sides of a branch on data")
            if not all(needed) or a is MISSING or b is MISSING:
                a, b = (a, a) if needed[0] and b is MISSING else (b, b) if needed[1] and a is MISSING else (a, b)
                unneeded = None if all(needed) else needed.index(False)
                found[name] = self._value(a, b, name, unneeded)
                continue
            found[name] = self._value(a, b, name, None)
        return {**self._kept(found), **found}

    def _kept(self, found: Mapping[str, Any]) -> dict[str, Any]:
        """The merged variables that inner functions may read, where there is a value for both sides."""
        outcomes = [side.outcome or {} for side in (self.first, self.second)]
        names = frozenset().union(*(self.frame.graph.kept[target] for outcome in outcomes for target in outcome))
        kept: dict[str, Any] = {}
        for name in sorted(names - set(found)):
            a, b = (side.values.get(name, MISSING) for side in (self.first, self.second))
            if a is MISSING or b is MISSING:
                continue
            with suppress(NotEncodable):
                kept[name] = a if a is b else self._value(a, b, name, None)
        return kept

    def _place(self, iterator: Iterating, needed: Sequence[bool]) -> None:
        """Puts an iterator where the sides that go on with it left it."""
        positions = [side.positions.get(iterator, 0) for side in (self.first, self.second)]
        if all(needed) and positions[0] != positions[1]:
            raise differs(
                "an iterator", "it has gone on by different numbers of elements on the sides of a branch on data"
            )
        iterator.position = positions[needed.index(True)]

    def _value(self, a: Any, b: Any, name: str, unneeded: int | None) -> Any:
        """One variable's value. Of the side that does not need it, only its form is kept."""
        (first, leaves), (second, others) = flatten(a), flatten(b)
        if not alike(first, second):
            if unneeded is None:
                raise differs(f"the variable {name}", "it has different forms on the sides of a branch on data")
            first, leaves = (second, others) if unneeded == 0 else (first, leaves)
            others = leaves
        if unneeded is None and all(map(same, leaves, others)) and is_one(a, b):
            return a
        machine, free = self.frame.machine, True
        for side, value, position in ((self.first, a, 0), (self.second, b, 1)):
            if unneeded != position:
                free = are_free(machine, [value], self._others(side, name)) and free
        merged = [self._leaf(x, y, name, unneeded) for x, y in zip(leaves, others)]
        return _Later(lambda: machine.own_all(trees.unflatten(first, [leaf() for leaf in merged]), free))

    def _others(self, side: Side, name: str) -> Iterator[Any]:
        """The values of all variables but one on a side."""
        graph = self.frame.graph
        names = frozenset().union(*(graph.live[target] | graph.kept[target] for target in side.outcome or ()))
        return elsewhere(self.frame, side.values, names - {name})

    def _leaf(self, a: Any, b: Any, name: str, unneeded: int | None) -> Callable[[], Any]:
        if unneeded is not None:
            kept = (b, a)[unneeded]
            kind = kind_of(kept)
            if kind is None or self._is_older(kept):
                return lambda: kept
            given = (self.first, self.second)[1 - unneeded].contents.node_of(kept, kind)
            pair = [kind.placeholder, given] if unneeded == 0 else [given, kind.placeholder]
        elif same(a, b):
            return lambda: a
        else:
            kind = common(a, b, name)
            if name == RESULT:
                self._returned(kind, a, b)
            pair = [self.first.contents.node_of(a, kind), self.second.contents.node_of(b, kind)]
        taken: list[Node] = []
        self.put(pair[0], pair[1], taken.append)
        if kind.kind != "array":
            return lambda: kind.value(taken[0])
        origins = [v for k, v in enumerate((a, b)) if isinstance(v, Array) and k != unneeded]
        key = unneeded, tuple((origin.cell, origin.path) for origin in origins)
        aliases: dict[Cell, Node | None] = {}
        if key not in self.seen:
            self.seen.add(key)
            self._alias([v if isinstance(v, Array) and k != unneeded else None for k, v in enumerate((a, b))], aliases)

        def array() -> Array:
            if key not in self.cells:
                self.cells[key] = Cell(taken[0])
                self.cells[key].aliases = aliases
                for origin in origins:
                    self.sources.setdefault(origin.cell, []).append(self.cells[key])
            return Array(self.cells[key], "array")

        return array

    def _returned(self, kind: Kind, a: Any, b: Any) -> None:
        """A number that is returned keeps its type: where it would be promoted, the function runs as written."""
        for value, condition in ((a, self.condition), (b, current().make("logical_not", self.condition))):
            own = kind_of(value)
            if own is not None and own.kind == kind.kind == "python" and own.dtype.kind != kind.dtype.kind:
                current().check(condition)

    def _is_older(self, value: Any) -> bool:
        """Whether a value is one from before the branch, which is what it is after it too."""
        if not isinstance(value, Array):
            return True
        return value.cell.serial < self.start if value.kind == "array" else not self.belongs(value.node)

    def _alias(self, arrays: Sequence[Array | None], aliases: dict[Cell, Node | None]) -> None:
        """When the merged array is memory that one of the arrays, one for each side, may be."""
        known = [aliases_of(array) if array is not None else {} for array in arrays]
        for cell in {**known[0], **known[1]}:
            conditions = [each.get(cell, ir.constant(False, BOOL)) for each in known]
            aliases[cell] = None
            if conditions[0] is not None and conditions[1] is not None:
                self.put(conditions[0], conditions[1], _alias_setter(aliases, cell))

    def _cells(self) -> None:
        """Memory that a side has written."""
        after = (self.first.region.cells, self.second.region.cells)
        for cell in {**after[0], **after[1]}:
            if cell.serial >= self.start:  # type: ignore[attr-defined]
                continue
            now = (cell.node, cell.written, cell.stale)  # type: ignore[attr-defined]
            a, b = (each.get(cell, now) for each in after)
            current().note(cell)
            cell.written, cell.stale = a[1] or b[1], a[2] or b[2]  # type: ignore[attr-defined]
            self.put(a[0], b[0], _node_setter(cell))

    def _merged(self) -> list[Node]:
        if not self.pairs:
            return []
        if self._spared():
            return [current().make("where", self.condition, a, b) for a, b in self.pairs]
        return list(conditional(self.condition, self.pairs, self.belongs))

    def _one_of(self, a: Node, b: Node) -> Node:
        return conditional(self.condition, [(a, b)], self.belongs)[0]

    def belongs(self, node: Node) -> bool:
        return current().made.get(node, self.start) >= self.start

    def _is_made(self, node: Node) -> bool:
        return node.op != "input" and self.belongs(node)

    def _spared(self) -> bool:
        """Whether computing both sides is cheaper than a branch."""
        count = 0
        seen: set[Node] = set()
        stack = [node for pair in self.pairs for node in pair]
        if any(node.type.rank for node in stack):
            return False
        while stack:
            node = stack.pop()
            if node in seen or node.op in INLINE or node.op == "input" or not self.belongs(node):
                continue
            seen.add(node)
            count += node.op not in ("slice", "reshape")
            small = isinstance(node.type, ir.ArrayType) and all(dim == 1 for dim in node.type.shape)
            if node.op not in CHEAP or count > SPARED or not small or node.op == "item":
                return False
            stack.extend(node.inputs if node.op != "slice" else ())
            if node.op == "slice" and (not current().settled(node) or self._is_made(node.inputs[0])):
                return False
        return True


def conditional(
    condition: Node, pairs: Iterable[tuple[Node, Node]], belongs: Callable[[Node], bool]
) -> tuple[Node, ...]:
    """The first of each pair where the condition holds, else the second; only what is needed is computed."""
    pairs = list(pairs)
    context = current()
    closing = Closing((), belongs, context.depth + 1)
    then = closing.take([a for a, _ in pairs])
    otherwise = closing.take([b for _, b in pairs])
    node = context.make(
        "cond", condition, *closing.operands, then=closing.program("then", then),
        otherwise=closing.program("otherwise", otherwise),
    )  # fmt: skip
    return tuple(context.make("item", node, index=k) for k in range(len(pairs)))


def _predicate(outcome: Outcome, target: int) -> Node:
    if target not in outcome:
        return ir.constant(False, BOOL)
    found = outcome[target]
    return ir.constant(True, BOOL) if found is None else found


def _setter(outcome: dict[int, Node | None], target: int) -> Callable[[Node], None]:
    return lambda node: outcome.__setitem__(target, node)


def _alias_setter(aliases: dict[Cell, Node | None], cell: Cell) -> Callable[[Node], None]:
    return lambda node: aliases.__setitem__(cell, node)


def aliases_of(array: Array) -> dict[Cell, Node | None]:
    """The memory that an array may be, each with the condition: its own cell, and what that may be."""
    found: dict[Cell, Node | None] = {array.cell: ir.constant(True, BOOL), **array.cell.aliases}
    return dict.fromkeys(found) if array.path else found


def _node_setter(cell: Any) -> Callable[[Node], None]:
    return lambda node: setattr(cell, "node", node)


__all__ = ["Outcome", "conditional", "two_way"]
