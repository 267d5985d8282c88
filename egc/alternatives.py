"""Equal forms of a Program's values that no rewrite of terms finds, and who finds them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from egc.ir import Node, Program


@dataclass(frozen=True)
class Alternative:
    """`after` equals `before`, a value of the Program, by a law. Both are over the Program's inputs.

    file, line: where the law is written. precision: that of its rule, see `egc.rewrite`.
    """

    law: str
    file: str
    line: int
    precision: str
    before: Node
    after: Node


class Laws(Protocol):
    """Finds alternatives in a Program."""

    def alternatives(self, program: Program) -> Sequence[Alternative]:
        """Those for a Program's values."""

    def arrangements(self, program: Program) -> Sequence[Alternative]:
        """Those that only put together otherwise what loops do, whatever that is."""

    def inside(self, program: Program, node: Node) -> Laws:
        """The same for the regions of a loop or branch of it."""


class NoLaws:
    """Finds none."""

    def alternatives(self, program: Program) -> Sequence[Alternative]:
        return ()

    def arrangements(self, program: Program) -> Sequence[Alternative]:
        return ()

    def inside(self, program: Program, node: Node) -> Laws:
        return self
