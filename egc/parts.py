"""The parts of a kernel: loop nests one after the other, and how many of their outermost loops can be one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from egc.ir import Node
from egc.kinds import FUSED_REDUCTIONS, SCANS, VIEWS, complete, viewed
from egc.types import Shape

PARTS = 24
"""Parts of one kernel, at most."""


@dataclass(frozen=True)
class Part:
    """One loop nest over `shape` within a kernel. Its `shared` outermost loops are those of the part before it.

    `nodes` are in topological order. `reads` are the values made elsewhere that it reads; `again` are cheap values of
    other parts that it computes again, once for each place where it reads them. In a `serial` part each innermost
    iteration waits for the one before it.
    """

    shape: Shape
    nodes: tuple[Node, ...]
    shared: int = 0
    reads: tuple[Node, ...] = ()
    again: tuple[Node, ...] = ()
    serial: bool = False

    @property
    def product(self) -> Node | None:
        """The matrix product that the part makes, in runs of rows; its loop is the outermost one."""
        return self.nodes[0] if self.nodes and self.nodes[0].op == "matmul" else None


def shared_loops(
    part: Part,
    reads: Iterable[tuple[Node, int]],
    parts: Sequence[Part],
    number: int,
    place: Mapping[Node, tuple[int, int]],
) -> int:
    """The number of loops that a further part can share with the last part of a kernel.

    reads: what the part reads, with the number of leading axes that it walks in step. number: the kernel's, in `place`,
    which has the kernel and the part of what was made before.
    """
    if len(parts) >= PARTS:
        return 0
    before, shape = parts[-1].shape, part.shape
    most = min(len(before), len(shape))
    if part.serial != parts[-1].serial:
        most = min(most, _looped(before) - 1, _looped(shape) - 1)
    if part.product or any(each.product for each in parts):
        if not (_by_rows(part) and all(map(_by_rows, parts))):
            return 0
        if part.product or parts[-1].product:
            most = min(most, 1)
    shared = 0
    while shared < most and before[shared] == shape[shared]:
        shared += 1
    for base, aligned in reads:
        where = place.get(base, place.get(viewed(base)))
        if where is None or where[0] != number:
            continue
        if base.op in VIEWS:
            return 0
        between = min((later.shared for later in parts[where[1] + 1 :]), default=len(before))
        limit = min(aligned, complete(base))
        if between > limit:
            shared = min(shared, limit)
    return shared


def _by_rows(part: Part) -> bool:
    """Whether the loops of a part can walk runs of rows: nothing but what combines all elements spans several rows."""
    if part.product is not None:
        return True
    looped = {axis for axis, dim in enumerate(part.shape) if dim != 1}
    return 0 in looped and all(
        0 not in node.params["axes"] or looped <= set(node.params["axes"])
        if node.op in FUSED_REDUCTIONS
        else node.op not in ("scatter", "place") and not (node.op in SCANS and node.params["axis"] == 0)
        for node in part.nodes
    )


def _looped(shape: Shape) -> int:
    """The number of leading axes up to the last one that has a loop."""
    return max((axis + 1 for axis, dim in enumerate(shape) if dim != 1), default=0)
