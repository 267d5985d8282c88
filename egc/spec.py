"""Arguments described instead of given: `egc.spec("f64[1000, 50]")`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from egc import sizes
from egc.errors import ProgramError
from egc.rewrite import PREDICATES
from egc.types import ArrayType, parse_type

DEFAULT_SIZE = 1000


@dataclass(frozen=True)
class Spec:
    """The type of an argument, and facts about it, such as "spd". Sizes may be names: equal names are equal sizes."""

    type: ArrayType
    facts: tuple[str, ...] = ()

    def sample(self) -> Any:
        """An argument of this type that takes no memory; named sizes are 1000. Its values are zeros."""
        names = {name for dim in self.type.shape for name in sizes.symbols(dim)}
        lengths = [sizes.evaluate(dim, dict.fromkeys(names, DEFAULT_SIZE)) for dim in self.type.shape]
        if not lengths:
            return self.type.dtype.type(0)
        return np.broadcast_to(np.zeros((), self.type.dtype), lengths)


def spec(text: str) -> Spec:
    """The Spec written as facts and a type: `f64[1000, 50]`, `spd f64[n, n]`.

    Raises ProgramError for an unknown dtype or fact.

    >>> spec("spd f64[n, n]").facts
    ('spd',)
    """
    bracket = text.find("[")
    head = text if bracket < 0 else text[:bracket]
    *facts, dtype = head.split()
    for fact in facts:
        if fact not in PREDICATES:
            raise ProgramError(f"no fact named {fact!r}; facts are {', '.join(PREDICATES)}")
    return Spec(parse_type(dtype + (text[bracket:] if bracket >= 0 else "")), tuple(facts))
