"""Elements with gaps between them, as neighbours: a block of them is put on the stack before the loop that computes with them.

Vectors are loaded from neighbours. Processors that can gather one from elsewhere take longer for that than for a load of each
element, many times longer where these are not in cache.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from egc import sizes
from egc.backends.numba.accumulators import BLOCK
from egc.kinds import CHEAP
from egc.lower.statements import Access, Apply, Fold, For, Index, Literal, Load, Reduce, Store, is_invariant, writes
from egc.sizes import Dim

if TYPE_CHECKING:
    from egc.backends.numba.emit import Nest

MOST_BYTES = 1 << 14
"""Bytes of the stack that a loop's blocks take, at most."""


class Gaps:
    """Writes the blocks of a nest. `closed` are those of the current loop: the elements that stand for accesses."""

    def __init__(self, nest: Nest):
        self.nest, self.count = nest, 0
        self.closed: dict[Access, str] = {}

    def loads(self, loop: For, depth: int) -> dict[Access, np.dtype]:
        """What an innermost loop that has vectors, inside `depth` loops, reads from arrays with gaps. One that it writes as
        well is read where it lies."""
        if not any(isinstance(s, (Apply, Fold)) for s in loop.body) or not all(
            isinstance(s, (Load, Literal, Index, Apply, Store, Fold, Reduce)) for s in loop.body
        ):
            return {}
        heavy = any(isinstance(s, Apply) and s.node.op not in CHEAP for s in loop.body)
        written = {access.array for s in loop.body if not isinstance(s, For) for access in writes(s)}
        found = {
            s.access: s.dtype
            for s in loop.body
            if isinstance(s, Load) and not is_invariant(s) and self._is_gap(s.access.strides[depth], heavy)
            if s.access.array not in written
        }
        return found if sum(dtype.itemsize for dtype in found.values()) * BLOCK <= MOST_BYTES else {}

    def _is_gap(self, stride: Dim, heavy: bool) -> bool:
        """Whether a stride is that of an argument with gaps, whose symbol no axis has; inside of other loops, where their order
        is given, one across rows as well, if vectors have much to do."""
        if self.nest.inside and heavy:
            return not isinstance(stride, int)
        return not all(map(str.isidentifier, sizes.symbols(stride)))

    def close(self, loop: For, depth: int, first: str, end: str, indent: int) -> None:
        """The lines that put the elements from `first` to `end` of each load side by side."""
        source, index = self.nest.source, f"j{self.nest.suffix}"
        for access, dtype in self.loads(loop, depth).items():
            name = f"gap{self.count}{self.nest.suffix}"
            self.count += 1
            kind = "uint8" if dtype.kind == "b" else dtype.name
            place = source.address(access.offset, access.strides, [*self.nest.indices(depth), f"({first} + {index})"])
            source.line(indent, f"{name} = cells({kind}, {BLOCK})")
            source.line(indent, f"for {index} in range({end} - {first}):")
            source.line(indent + 1, f"{name}[{index}] = {source.array(access.array)}[{place}]")
            self.closed[access] = f"{name}[{self.nest.index(depth)} - {first}]"
