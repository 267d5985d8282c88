"""How loops run backward, and what that takes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from egc import ir, sizes
from egc.errors import Line
from egc.ir import Node
from egc.sizes import Dim
from egc.transformed import MEMORY


@dataclass(frozen=True)
class Remark:
    """How one loop runs backward: the method, the bytes that it keeps, and how far states on the way back may be from those that
    were: `none`, or up to the rounding of a `reversible` or `compensated` reverse."""

    line: Line | None
    method: str
    memory: Dim
    drift: str = "none"


@dataclass
class Strategy:
    """The method that is asked for, the bytes that states may take, what sizes are at least, and what they are now.

    `remarks` collects what was chosen; `replacements`, the loops in whose place are ones that keep what the way back needs, with
    the same first results; `segments`, the loops that are segments of others. `unknown` are stand-ins for tangents that are
    transposed away. `number` counts the names of new loops.
    """

    method: str = "auto"
    memory: int = MEMORY
    least: Mapping[str, int] = field(default_factory=dict)
    hints: Mapping[str, int] = field(default_factory=dict)
    remarks: list[Remark] = field(default_factory=list)
    replacements: dict[Node, Node] = field(default_factory=dict)
    segments: set[Node] = field(default_factory=set)
    unknown: frozenset[Node] = frozenset()
    number: int = 0

    def lacks_value(self, node: Node) -> bool:
        """Whether a value depends on a stand-in that nothing takes the place of."""
        return bool(self.unknown) and not self.unknown.isdisjoint(ir.topological([node]))

    def fresh(self) -> str:
        """A name for the number of a new loop's iterations."""
        self.number += 1
        return f"_r{self.number}"

    def scratch(self) -> Strategy:
        """The same, for a pass whose result is not used."""
        return replace(self, remarks=[], replacements={}, segments=set(self.segments))

    def start_after(self, nodes: Iterable[Node]) -> None:
        """Makes names that loops among some Nodes do not have."""
        for node in nodes:
            for _, region in ir.regions(node):
                for name in region.size_inputs:
                    if name.startswith("_r") and name[2:].isdigit():
                        self.number = max(self.number, int(name[2:]))
                self.start_after(region.nodes())

    def at_least(self, dim: Dim, bound: int) -> bool:
        """Whether a size is never below a number."""
        if isinstance(dim, int):
            return dim >= bound
        least = sizes.lower_bound(dim, dict(self.least))
        return least is not None and least >= bound

    def estimate(self, dim: Dim) -> int:
        """A size as a number: what it is now, where that is known, else one of a thousand for each symbol."""
        if isinstance(dim, int):
            return dim
        values = {name: self.hints.get(name, 1000) for name in sizes.symbols(dim)}
        return sizes.evaluate(dim, values)
