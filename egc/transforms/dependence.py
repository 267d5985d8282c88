"""Which elements of an array the iterations of a loop read and write, and what may therefore run in another order."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from egc import ir, sizes
from egc.ir import Node, Program
from egc.ranges import Ranges, coefficient
from egc.sizes import Dim
from egc.transforms.promote import is_plain
from egc.transforms.windows import Window, window_of


@dataclass
class Touched:
    """The windows of an array that a region reads and writes, those in its own loops and branches included. `versions` are
    the array and what it becomes there."""

    versions: set[Node] = field(default_factory=set)
    reads: list[Window] = field(default_factory=list)
    writes: list[Window] = field(default_factory=list)

    @property
    def windows(self) -> list[Window]:
        return [*self.reads, *self.writes]


def touched(region: Program, array: Node) -> Touched | None:
    """What a region does with one of its inputs; None where it needs more of it than windows.

    >>> from egc.text import parse_program
    >>> p = parse_program(
    ...     '''f(x: f64[n], y: f64[1]) -> %1
    ...          %0 = slice(x) {size=(1), start=(0), step=(1)} : f64[1]
    ...          %1 = update_slice(x, %0) {start=(1), step=(1)} : f64[n]'''
    ... )
    >>> found = touched(p, p.inputs[0])
    >>> found.reads, found.writes
    ([((0,), (1,), (1,))], [((1,), (1,), (1,))])
    """
    found = Touched({array})
    results: set[tuple[Node, int]] = set()
    for node in region.nodes():
        if node.op == "item" and (node.inputs[0], node.params["index"]) in results:
            found.versions.add(node)
            continue
        places = [place for place, child in enumerate(node.inputs) if child in found.versions]
        if not places:
            continue
        if node.op == "slice":
            found.reads.append(window_of(node))
        elif node.op == "update_slice" and places == [0]:
            found.writes.append(window_of(node))
            found.versions.add(node)
        elif node.op in ("loop", "cond"):
            for place in places:
                if not _inside(node, place, found, results):
                    return None
        else:
            return None
    return found


def _inside(node: Node, place: int, found: Touched, results: set[tuple[Node, int]]) -> bool:
    """Takes what the regions of a loop or branch do with its operand at a place; False where that is more than windows."""
    if node.op == "loop" and not is_plain(node):
        return False
    first = 0 if node.op == "loop" else 1
    becomes: list[set[int]] = []
    for _, region in ir.regions(node):
        inside = touched(region, region.inputs[place - first]) if place >= 1 else None
        if inside is None:
            return False
        found.reads += inside.reads
        found.writes += inside.writes
        becomes.append({k for k, output in enumerate(region.outputs) if output in inside.versions})
    kept = becomes[0]
    if any(each != kept for each in becomes):
        return False
    if node.op == "loop" and kept != ({place - 1} if place <= node.params["states"] else set()):
        return False
    results.update((node, k) for k in kept)
    return True


def counters(region: Program) -> set[str]:
    """The names of the numbers of iterations of a region's own loops."""
    found: set[str] = set()
    for node in region.nodes():
        for _, inner in ir.regions(node):
            found |= inner.size_inputs | counters(inner)
    return found


def apart_later(later: Window, now: Window, name: str, inner: Collection[str], ranges: Ranges) -> bool:
    """Whether a window of any later iteration, of the loop whose number is `name`, has no element of one of this iteration.

    `inner` are the numbers of loops inside of it: they may have any values.

    >>> from egc.sizes import symbol
    >>> i = symbol("i")
    >>> window = [((i + at,), (1,), (1,)) for at in range(2)]
    >>> apart_later(window[0], window[0], "i", (), Ranges()), apart_later(window[0], window[1], "i", (), Ranges())
    (True, False)
    """
    for (first, last), (start, end) in zip(extents(later), extents(now)):
        if any(name in inner for dim in (first, last, start, end) for name in sizes.symbols(dim)):
            continue
        factors = {coefficient(dim, name) for dim in (first, last, start, end)}
        factor = factors.pop()
        if factors or not isinstance(factor, int):
            continue
        if factor >= 0 and ranges.holds(first + factor - end - 1):
            return True
        if factor <= 0 and ranges.holds(start - last - factor - 1):
            return True
    return False


def extents(window: Window) -> Iterable[tuple[Dim, Dim]]:
    """The first and the last position along each axis."""
    for start, size, step in zip(*window):
        ends = start, start + (size - 1) * step
        yield ends if step > 0 else ends[::-1]
