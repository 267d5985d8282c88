"""The flow of a function's blocks: its loops, where branches join, and which variables are still read."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import networkx
from numba.core import analysis
from numba.core import ir as numba_ir

RETURN = -1
"""The label at which a function ends."""

RESULT = "$result"
"""The variable that holds what is returned."""


MOST_WAYS = 8
"""Ways from a branch to its join that are captured one by one, at most: on each more is known than after they meet."""


@dataclass(frozen=True)
class Loop:
    """A natural loop: its `header`, all its blocks, and the blocks outside that it may go to."""

    header: int
    body: frozenset[int]
    exits: frozenset[int]
    iterator: str | None
    """The variable that a `for` loop takes its values from."""
    exhausted: int | None
    """Where a `for` loop goes on after its last iteration."""
    assigned: frozenset[str]


@dataclass(frozen=True)
class Graph:
    """`joins`: the block that a branch's sides come together at, where there is one. `live`: the variables that may be read
    from a block's start on. `kept`: those that inner functions may read then."""

    loops: Mapping[int, Loop]
    joins: Mapping[int, int | None]
    live: Mapping[int, frozenset[str]]
    kept: Mapping[int, frozenset[str]]
    around: Mapping[int, tuple[Loop, ...]]
    """The loops that a block is in, from the innermost out."""
    crossings: Mapping[int, frozenset[int]]
    """Where the sides of a branch come together before its join, for a branch with so many ways to its join that they are
    not gone one by one."""
    order: Mapping[int, int]
    """Places of the blocks, such that what comes later within an iteration has a greater one."""

    def common(self, labels: Collection[int]) -> int | None:
        """The nearest block that every way from all of these blocks leads through, one of themselves included."""
        ways = [self._way(label) for label in labels if label != RETURN]
        return next((label for label in ways[0] if all(label in way for way in ways)), None) if ways else None

    def earliest(self, labels: Collection[int]) -> int:
        """The one of some blocks that none of the others can lead to within an iteration; the next one of a loop that some
        of them are in comes after these."""

        def within(a: int, b: int) -> bool:
            """Whether an iteration is under way at a block and another is where that goes on or ends."""
            return any(a != loop.header and (b == loop.header or b not in loop.body) for loop in self.around[a])

        def before(a: int, b: int) -> bool:
            return within(a, b) or (not within(b, a) and self.order[a] < self.order[b])

        found, *rest = labels
        for label in rest:
            found = label if before(label, found) else found
        return found

    def _way(self, label: int) -> list[int]:
        way = [label]
        while (after := self.joins.get(way[-1])) is not None:
            way.append(after)
        return way


@lru_cache(maxsize=1024)
def _graph(code: _ByIdentity) -> Graph:
    blocks = code.value.blocks
    cfg = analysis.compute_cfg_from_blocks(blocks)
    definitions = analysis.compute_use_defs(blocks)
    live = analysis.compute_live_map(cfg, blocks, definitions.usemap, definitions.defmap)
    loops = {}
    for header, found in cfg.loops().items():
        body = frozenset(found.body)
        exits = frozenset(next_ for label in body for next_, _ in cfg.successors(label) if next_ not in body)
        assigned = frozenset(
            s.target.name for label in body for s in blocks[label].body if isinstance(s, numba_ir.Assign)
        )
        loops[header] = Loop(header, body, exits, *_iteration(blocks, header), assigned)
    around = {
        label: tuple(sorted((loop for loop in loops.values() if label in loop.body), key=lambda loop: len(loop.body)))
        for label in blocks
    }
    known = {label: frozenset(names) for label, names in live.items()} | {RETURN: frozenset([RESULT])}
    kept = _kept(code.value, cfg, definitions)
    joins = {label: _join(label, cfg) for label in blocks}
    onward = {
        label: [after for after, _ in cfg.successors(label) if not (after in loops and label in loops[after].body)]
        for label in blocks
    }
    forward = networkx.DiGraph(onward)
    order = {label: place for place, label in enumerate(networkx.lexicographical_topological_sort(forward))}
    crossings = {label: _crossings(label, joins[label], onward, order) for label in blocks}
    return Graph(loops, joins, known, kept, around, crossings, order)


def _crossings(
    label: int, join: int | None, onward: Mapping[int, Sequence[int]], order: Mapping[int, int]
) -> frozenset[int]:
    """The blocks that both sides of a branch lead to before its join within an iteration, where there are many ways."""
    if len(onward[label]) < 2:
        return frozenset()
    reached = [_onward(after, join, onward) for after in onward[label]]
    ways: dict[int | None, int] = {join: 1}
    for each in sorted(set().union(*reached), key=lambda block: -order[block]):
        ways[each] = sum(ways[after] for after in onward[each]) or 1
    many = sum(ways[after] for after in onward[label]) > MOST_WAYS
    return frozenset(set.intersection(*reached)) if many else frozenset()


def _onward(label: int, join: int | None, onward: Mapping[int, Sequence[int]]) -> set[int]:
    """The blocks that one leads to before a join, itself included."""
    found: set[int] = set()
    stack = [label]
    while stack:
        block = stack.pop()
        if block != join and block not in found:
            found.add(block)
            stack.extend(onward[block])
    return found


def _kept(code: Any, cfg: Any, definitions: Any) -> Mapping[int, frozenset[str]]:
    """The variables that inner functions may read from a block's start on: those of a function that is only called here
    until its last call, all of them for one that is used otherwise."""
    blocks = code.blocks
    cells = frozenset(code.func_id.code.co_cellvars)
    assignments = (
        [s for block in blocks.values() for s in block.body if isinstance(s, numba_ir.Assign)] if cells else []
    )
    holders: dict[str, frozenset[str]] = {}
    for _ in assignments:
        before = dict(holders)
        for statement in assignments:
            value, found = statement.value, holders.get(statement.target.name, frozenset())
            if isinstance(value, numba_ir.Expr) and value.op == "make_function":
                found |= cells.intersection(value.code.co_freevars)
            elif isinstance(value, numba_ir.Var):
                found |= holders.get(value.name, frozenset())
            if found:
                holders[statement.target.name] = found
        if holders == before:
            break
    used = {label: set(names) for label, names in definitions.usemap.items()}
    for label, block in blocks.items():
        for statement in block.body:
            for name in [variable.name for variable in statement.list_vars() if variable.name in holders]:
                if not _only_calls(statement, name):
                    return dict.fromkeys([*blocks, RETURN], cells)
                used[label] |= holders[name]
    live = analysis.compute_live_map(cfg, blocks, used, definitions.defmap)
    return {label: cells & names for label, names in live.items()} | {RETURN: frozenset()}


def _only_calls(statement: Any, name: str) -> bool:
    """Whether a statement does no more with a function than to bind, copy or call it."""
    if isinstance(statement, numba_ir.Del):
        return True
    if not isinstance(statement, numba_ir.Assign):
        return False
    value = statement.value
    if isinstance(value, numba_ir.Var) or (isinstance(value, numba_ir.Expr) and value.op == "make_function"):
        return True
    called = isinstance(value, numba_ir.Expr) and value.op == "call" and value.func.name == name
    return called and name not in [v.name for v in (*value.args, *(v for _, v in value.kws))]


def _iteration(blocks: Mapping[int, Any], header: int) -> tuple[str | None, int | None]:
    """The iterator of a `for` loop and where it leads when that is exhausted.

    A jump that is too long for one instruction has a block of its own before the one that takes the next element.
    """
    while len(blocks[header].body) == 1 and isinstance(blocks[header].body[0], numba_ir.Jump):
        header = blocks[header].body[0].target
    last = blocks[header].body[-1]
    for statement in blocks[header].body:
        value = getattr(statement, "value", None)
        if isinstance(value, numba_ir.Expr) and value.op == "iternext":
            return value.value.name, last.falsebr
    return None, None


def _join(label: int, cfg: Any) -> int | None:
    """The nearest block that every way from `label` leads through."""
    after = cfg.post_dominators()
    candidates = [other for other in after.get(label, ()) if other != label and other in cfg.nodes()]
    for candidate in candidates:
        if all(candidate == other or other in after[candidate] for other in candidates):
            return candidate
    return None


class _ByIdentity:
    def __init__(self, value: Any):
        self.value = value

    def __hash__(self) -> int:
        return id(self.value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _ByIdentity) and other.value is self.value


def graph_of(code: Any) -> Graph:
    """The Graph of numba's IR of a function."""
    return _graph(_ByIdentity(code))
