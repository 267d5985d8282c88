"""`egc.scope` and `egc.assume`: remarks in a user's function that do nothing when it runs as written."""

from __future__ import annotations

from typing import Any

from egc import rewrite
from egc.capture import build
from egc.capture.array import Array
from egc.capture.context import current
from egc.capture.registry import FUNCTIONS
from egc.errors import ProgramError
from egc.rewrite import PREDICATES, SQUARE


class Scope:
    """`with egc.scope("name"):` names a part of a function, so that rules can be limited to it.

    >>> with Scope("likelihood"):
    ...     pass
    """

    def __init__(self, name: str):
        self.name = name

    def __enter__(self) -> Scope:
        return self

    def __exit__(self, *error: Any) -> None:
        return None


def assume(value: Any, *facts: str) -> Any:
    """States facts about an array, which rules may rely on; returns the array.

    `facts` are names such as "positive", "symmetric" or "spd". Raises ProgramError for a name that is no fact.

    >>> import numpy as np
    >>> float(assume(np.array(2.0), "positive"))
    2.0
    """
    for fact in facts:
        if fact not in PREDICATES:
            raise ProgramError(f"no fact named {fact!r}; facts are {', '.join(PREDICATES)}")
    if not isinstance(value, Array):
        rewrite.check_assumption(value, facts, "an array")
        return value
    node = value.node
    if node.type.rank == 2 and not SQUARE.isdisjoint(facts):
        rows, columns = node.type.shape
        node = build.reshape(node, (rows, rows)) if current().alike(rows, columns) else node
    return Array(current().make("assume", node, facts=tuple(sorted(facts))), value.kind)


for _remark in (Scope, assume, rewrite.require, rewrite.unless, *(getattr(rewrite, name) for name in PREDICATES)):
    FUNCTIONS[_remark] = _remark
