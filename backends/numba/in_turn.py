"""Sums over few elements, which are added up one after the other: partial sums take longer to begin and to end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from egc.kinds import CHEAP
from egc.lower.statements import Apply, Blocks, Fold, For, Gather, Index, Item, Literal, Load, statements

if TYPE_CHECKING:
    from egc.backends.numba.emit import Nest

SHORT = 12
"""Statements of loops that are written a second time for few elements, at most."""

FEW = 12
"""Elements of a row, and rows, up to which they are added up in turn."""


def sums_few(nest: Nest, loop: For, depth: int) -> bool:
    """Whether a loop inside of others, with one inside of it, does little but sums of floats over both, and may be short."""
    if not (depth or nest.inside) or id(loop) in nest.spans or isinstance(loop, Blocks):
        return False
    inner, found = [item for item in loop.body if isinstance(item, For)], list(statements([loop]))
    if len(inner) != 1 or any(isinstance(item, For) for item in inner[0].body) or len(found) > SHORT:
        return False
    if not all(isinstance(s, (Load, Literal, Index, Fold, Apply)) and is_light(s) for s in found):
        return False
    folds = [s for s in found if isinstance(s, Fold)]
    if not folds or min(s.depth for s in folds) != depth or not all(nest.folds[id(s)].blocked for s in folds):
        return False
    return not (nest.gaps.loads(loop, depth) or nest.gaps.loads(inner[0], depth + 1))


def write_in_turn(nest: Nest, loop: For, depth: int, indent: int) -> None:
    """Such a loop where it is short, and the head of what runs where it is not."""
    (inner,) = (item for item in loop.body if isinstance(item, For))
    lengths = dict.fromkeys(nest.source.dim(dim) for dim in (loop.dim, inner.dim))
    nest.source.line(indent, f"if {' and '.join(f'{length} <= {FEW}' for length in lengths)}:")
    nest.in_turn = True
    _loop(nest, loop, depth, indent + 1)
    nest.in_turn = False
    nest.source.line(indent, "else:")


def _loop(nest: Nest, loop: For, depth: int, indent: int) -> None:
    ending = [nest.folds[id(s)] for s in statements(loop.body) if isinstance(s, Fold) and s.depth == depth]
    for fold in ending:
        fold.start_block(indent)
    nest.name_rows([item for item in loop.body if not isinstance(item, For)], depth, indent)
    nest.source.line(indent, f"for {nest.index(depth)} in range({nest.span(loop, depth)[1]}):")
    for item in loop.body:
        if isinstance(item, For):
            _loop(nest, item, depth + 1, indent + 1)
        else:
            nest.body([item], depth + 1, indent + 1)
    for fold in ending:
        fold.finish_block(indent)


def is_light(item: Item) -> bool:
    """Whether an item takes little time for each element."""
    return not isinstance(item, (For, Gather)) and (not isinstance(item, Apply) or item.node.op in CHEAP)
