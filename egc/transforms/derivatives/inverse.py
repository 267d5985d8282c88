"""The reverse of a loop, found by solving its update for the states before."""

from __future__ import annotations

from egc.errors import Line
from egc.ir import Node, Program


def inverse(node: Node, exact_only: bool, line: Line | None) -> Program | None:
    return None
