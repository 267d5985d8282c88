"""Bounds of sizes that mention the numbers of iterations.

Inside a loop, a question about sizes has to have one answer for all iterations: it follows from the ranges of the loops'
numbers, or it is Undecided.
"""

from __future__ import annotations

from collections.abc import Mapping

from egc import sizes
from egc.errors import NotEncodable
from egc.ir import Node
from egc.kinds import NEGATED
from egc.sizes import Dim, Monomial, Size

Range = tuple[Dim, Dim | None]
"""The least and the greatest value of an iteration's number; None where the greatest is not known."""


class Undecided(NotEncodable):
    """The answer to a question about sizes differs from iteration to iteration, or is not known to be one."""


def mentions(value: Dim, ranges: Mapping[str, Range]) -> bool:
    """Whether a size mentions the number of an iteration."""
    return bool(ranges) and isinstance(value, Size) and any(name in ranges for name in sizes.symbols(value))


def extreme(value: Dim, ranges: Mapping[str, Range], greatest: bool = False) -> Dim | None:
    """A size without iterations' numbers that the value is never below, or never above where `greatest`; None where none
    is known.

    >>> n, i = sizes.symbol("n"), sizes.symbol("_i1")
    >>> print(extreme(n - 1 - i, {"_i1": (0, n - 1)}), extreme(n - 1 - i, {"_i1": (0, n - 1)}, greatest=True))
    0 n - 1
    """
    for name in reversed(tuple(ranges)):
        if isinstance(value, Size) and name in sizes.symbols(value):
            found = _without(value, name, ranges, greatest)
            if found is None:
                return None
            value = found
    return value


def _without(value: Size, name: str, ranges: Mapping[str, Range], greatest: bool) -> Dim | None:
    """A bound in which the symbol `name` does not occur."""
    total: Dim = 0
    for monomial, coefficient in value.terms:
        if not any(name in sizes.symbols(_atom(atom)) for atom, _ in monomial):
            total = total + Size(((monomial, coefficient),))
            continue
        rest = [(atom, power) for atom, power in monomial if name not in sizes.symbols(_atom(atom))]
        inside = [(atom, power) for atom, power in monomial if name in sizes.symbols(_atom(atom))]
        if len(inside) != 1 or inside[0][1] != 1 or any(not isinstance(atom, str) for atom, _ in rest):
            return None
        bound = _bound(inside[0][0], name, ranges, greatest == (coefficient > 0))
        if bound is None:
            return None
        factor: Dim = Size(((tuple(rest), coefficient),)) if rest else coefficient
        total = total + factor * bound
    return total


def facts_of(condition: Node, holds: bool) -> tuple[Dim, ...]:
    """The sizes that are not negative where a comparison of sizes holds, or where it does not."""
    if condition.op == "logical_not":
        return facts_of(condition.inputs[0], not holds)
    if condition.op not in COMPARISONS:
        return ()
    a, b = map(_size, condition.inputs)
    if a is None or b is None:
        return ()
    relation = condition.op if holds else NEGATED[condition.op]
    return {
        "less": (b - a - 1,), "less_equal": (b - a,), "greater": (a - b - 1,), "greater_equal": (a - b,),
        "equal": (a - b, b - a), "not_equal": (),
    }[relation]  # fmt: skip


COMPARISONS = frozenset(NEGATED)


def _size(node: Node) -> Dim | None:
    if node.op == "cast" and node.type.dtype.kind in "iu":
        return _size(node.inputs[0])
    if node.op in ("size", "constant") and type(node.params["value"]) is not float:
        value = node.params["value"]
        return value if isinstance(value, (int, Size)) and not isinstance(value, bool) else None
    return None


def _atom(atom: object) -> Dim:
    return Size((((((atom, 1),)), 1),))  # type: ignore[arg-type]


def _bound(atom: object, name: str, ranges: Mapping[str, Range], greatest: bool) -> Dim | None:
    if atom == name:
        return ranges[name][greatest]
    if isinstance(atom, tuple) and atom[0] in ("max", "min"):
        parts = []
        for part in atom[1:]:
            within = _without(part, name, ranges, greatest) if isinstance(part, Size) else part
            if within is None:
                return None
            parts.append(within)
        return sizes.FUNCTIONS[atom[0]](*parts)
    if isinstance(atom, tuple) and atom[0] == "floordiv" and isinstance(atom[2], int) and atom[2] > 0:
        within = _without(atom[1], name, ranges, greatest)
        return None if within is None else sizes.floordiv(within, atom[2])
    if isinstance(atom, tuple) and atom[0] == "mod" and isinstance(atom[2], int) and atom[2] > 0:
        return atom[2] - 1 if greatest else 0
    return None


__all__ = ["Monomial", "Range", "Undecided", "extreme", "facts_of", "mentions"]
