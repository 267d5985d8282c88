"""Which loops threads may share, and what they take."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from egc import sizes
from egc.backends.numba.crew import CELL
from egc.costtable import read_table
from egc.lower.loops import Loop
from egc.lower.statements import (
    Access,
    Apply,
    Blocks,
    Fold,
    For,
    Gather,
    Index,
    Item,
    Literal,
    Load,
    Product,
    Reduce,
    Scan,
    Statement,
    Store,
    reads,
    statements,
    writes,
)
from egc.sizes import Dim

COSTS = read_table(Path(__file__).parents[1] / "costs" / "numba.json")
"""The table that is shipped: whether work is shared does not change what it gives, so that estimates do."""

MOVED = COSTS.levels[-1][1] if COSTS.levels else COSTS.byte
"""Moving a byte that is in the last cache: for work beyond it there is no doubt that it pays."""

STARTS = 5.0
"""One more thread is started for work that takes so many times what starting one does."""

if COSTS.thread_start:
    CELL["egc_thread_share"].value = STARTS * COSTS.thread_start

PARTIAL = frozenset(["sum", "prod", "max", "min", "any", "all"])
"""The reductions whose partial results combine."""


@dataclass
class Work:
    """Prices, in nanoseconds, of one iteration, by numbers of iterations; and the largest of these numbers."""

    prices: dict[Dim, float] = field(default_factory=dict)
    iterations: Dim = 1

    @property
    def known(self) -> float | None:
        """The nanoseconds where all sizes are known."""
        if not all(isinstance(count, int) for count in self.prices):
            return None
        return sum(price * count for count, price in self.prices.items() if isinstance(count, int))


def work_of(items: Sequence[Item]) -> Work:
    """What loops take: arithmetic, and moving what they load and store."""
    work, deepest = Work(), 0
    for dims, statement in _inside(items, ()):
        price = price_of(statement)
        if price:
            count = sizes.product(dims)
            if isinstance(statement, Product):
                count = count * statement.inner * statement.columns
            work.prices[count] = round(work.prices.get(count, 0.0) + price, 3)
        if len(dims) > deepest:
            work.iterations, deepest = sizes.product(dims), len(dims)
    return work


def _inside(items: Sequence[Item], dims: tuple[Dim, ...]) -> Iterator[tuple[tuple[Dim, ...], Statement]]:
    for item in items:
        if isinstance(item, Blocks):
            for child in item.body:
                yield from _inside([child], dims if isinstance(child, For) else (*dims, item.dim))
        elif isinstance(item, For):
            yield from _inside(item.body, (*dims, item.dim))
        else:
            yield dims, item


def price_of(statement: Statement) -> float:
    """The nanoseconds of a statement."""
    if isinstance(statement, Apply):
        return COSTS.element(statement.node.op, statement.node.inputs[0].type.dtype)
    if isinstance(statement, Product):
        return COSTS.flop
    if isinstance(statement, (Fold, Reduce)):
        return COSTS.element(statement.op, statement.dtype)
    dtype = getattr(statement, "dtype", None)
    return 8 * MOVED if dtype is None else dtype.itemsize * MOVED


def shared_axis(loop: For, nest: Loop) -> int | None:
    """The loop that threads may share, of an outermost loop and the one inside it: none of its iterations reads what
    another one writes. None where there is no such loop, or too little work."""
    known = work_of([loop]).known
    if known is not None and known < 2 * CELL["egc_thread_share"].value:
        return None
    inner = [item for item in loop.body if isinstance(item, For)]
    direct = [item for item in loop.body if not isinstance(item, For)]
    if _independent(loop, nest, 0):
        return 0
    if isinstance(loop, Blocks):
        return None
    if len(inner) == 1 and all(isinstance(s, (Index, Literal, Load)) for s in direct) and _independent(loop, nest, 1):
        return 1
    return None


def _independent(loop: For, nest: Loop, axis: int) -> bool:
    inside = list(statements([loop]))
    private = {name for name, *_ in nest.scratch if not _elsewhere(name, loop, nest)}
    written: dict[str, Access] = {}
    for statement in inside:
        for access in writes(statement):
            moves = len(access.strides) > axis and access.strides[axis] != 0
            if not moves and not (axis == 0 and access.array in private):
                return False
            if moves and not _agrees(written.setdefault(access.array, access), access, axis):
                return False
        match statement:
            case Reduce(depth=depth) if axis == 0 and depth == 0:
                return False
            case Reduce(depth=1) if axis == 1:
                return False
            case Reduce(access=access, depth=0, size=size) if size != access.strides[1] * _inner(loop).dim:
                return False
            case Fold(op=op, depth=depth):
                if depth <= axis and not (axis == depth == 0 and op in PARTIAL):
                    return False
            case Scan(depth=depth) if depth <= axis:
                return False
            case Index() | Literal() | Load() | Apply() | Store() | Gather() | Reduce() | Scan() | Product():
                pass
            case _:
                return False
    return all(
        access.array not in written or _agrees(written[access.array], access, axis)
        for s in inside
        for access in reads(s)
    )


def _inner(loop: For) -> For:
    return next(item for item in loop.body if isinstance(item, For))


def _agrees(written: Access, access: Access, axis: int) -> bool:
    """Whether two accesses stay within the same part of an array in each iteration of the shared loop."""
    if len(access.strides) <= axis:
        return False
    return written.offset == access.offset and written.strides[: axis + 1] == access.strides[: axis + 1]


def _elsewhere(name: str, loop: For, nest: Loop) -> bool:
    """Whether other loops of the nest use a buffer too."""
    others = (s for item in nest.body if item is not loop for s in statements([item]))
    return any(access.array == name for s in others for access in (*reads(s), *writes(s)))
