"""The flow of a function's blocks: its loops, where branches join, and which variables are still read."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from numba.core import analysis
from numba.core import ir as numba_ir

RETURN = -1
"""The label at which a function ends."""

RESULT = "$result"
"""The variable that holds what is returned."""


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
    from a block's start on."""

    loops: Mapping[int, Loop]
    joins: Mapping[int, int | None]
    live: Mapping[int, frozenset[str]]
    around: Mapping[int, tuple[Loop, ...]]
    """The loops that a block is in, from the innermost out."""

    def common(self, labels: Collection[int]) -> int | None:
        """The nearest block that every way from all of these blocks leads through, one of themselves included."""
        ways = [self._way(label) for label in labels if label != RETURN]
        return next((label for label in ways[0] if all(label in way for way in ways)), None) if ways else None

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
    return Graph(loops, {label: _join(label, cfg) for label in blocks}, known, around)


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
