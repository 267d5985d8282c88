"""What is known of int64 scalars at a place in a loop program: sums of symbols that are not negative there.

A symbol is one value of a scalar: what a loop's state is at the start of an iteration, or an element that is read. Symbols come
one after the other, and a fact is a bound of its newest symbol. That a sum is not negative is shown by replacing its newest symbol
by bounds in older ones, until sizes are left: elimination as by Fourier and Motzkin, in one order. A scalar is such a sum only
where the sum lies in the range of int64 too: arithmetic that may wrap around makes a new symbol.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache

from egc import sizes
from egc.ranges import Ranges, coefficient
from egc.sizes import Dim, Size

FAR = 2**62
"""How far from 0 a sum may be."""

LONGEST = 2**47
"""The longest axis of an array: processors have no longer addresses."""

STEPS = 30_000
"""Replacements that are tried for one program: what takes more stays unknown."""

DEPTH = 6
"""Symbols that are replaced one after the other."""


@dataclass
class Symbols:
    """The symbols of a program with their numbers, and the replacements that may still be tried."""

    ages: dict[str, int] = field(default_factory=dict)
    left: int = STEPS

    def fresh(self, name: str | None = None) -> Size:
        """A symbol newer than all others."""
        name = f"_k{len(self.ages)}" if name is None else name
        self.ages[name] = len(self.ages)
        return sizes.symbol(name)

    def newest(self, size: Dim) -> str | None:
        found = [name for name in sizes.symbols(size) if name in self.ages]
        return max(found, key=self.ages.__getitem__, default=None)


@dataclass(frozen=True)
class Known:
    """ranges: what is known of sizes. bounds: sums that are not negative, by their newest symbols; those of sizes alone are under
    the empty name. bold: takes all sums for exact, where what follows is only guessed."""

    ranges: Ranges
    symbols: Symbols = field(default_factory=Symbols)
    bounds: Mapping[str, tuple[Dim, ...]] = field(default_factory=dict)
    bold: bool = False

    def having(self, facts: Iterable[Dim]) -> Known:
        """The same where further sums are not negative."""
        bounds = dict(self.bounds)
        for fact in map(_tight, facts):
            if isinstance(fact, int):
                continue
            name = self.symbols.newest(fact) or ""
            apart = [(other, fact - other) for other in bounds.get(name, ())]
            if not any(isinstance(gap, int) and gap >= 0 for _, gap in apart):
                bounds[name] = (*(other for other, gap in apart if not isinstance(gap, int)), fact)
        return replace(self, bounds=bounds)

    def about(self, size: Dim) -> tuple[Dim, ...]:
        """The facts that bound the newest symbol of a sum."""
        return self.bounds.get(self.symbols.newest(size) or "", ())

    def holds(self, size: Dim, depth: int = DEPTH, far: bool = False, back: int = 0) -> bool:
        """Whether a sum is certainly not negative. far: axes are taken to be no longer than `LONGEST`. back: how often a symbol
        may be replaced by newer ones.

        >>> known = Known(Ranges({"n": 1}))
        >>> i, n = known.symbols.fresh(), sizes.symbol("n")
        >>> known.having([i, n - 2 - i]).holds(n - i - 1), known.holds(n - i - 1)
        (True, False)
        """
        size = _tight(size)
        if isinstance(size, int):
            return size >= 0
        name = self.symbols.newest(size)
        if name is None:
            return self._holds_of_sizes(size, far)
        factor = coefficient(size, name)
        sign = 0 if factor is None else self._sign(factor)
        if depth == 0 or factor is None or sign == 0:
            return False
        newer = self.newer.get(name, ()) if back else ()
        for number, fact in enumerate((*self.bounds.get(name, ()), *newer)):
            own = coefficient(fact, name)
            if not isinstance(own, int) or own * sign <= 0:
                continue
            if self.symbols.left <= 0:
                return False
            self.symbols.left -= 1
            left = back - (number >= len(self.bounds.get(name, ())))
            if self.holds(abs(own) * size - sign * factor * fact, depth - 1, far, left):
                return True
        return False

    @cached_property
    def newer(self) -> Mapping[str, tuple[Dim, ...]]:
        """The facts by the symbols in them that are not their newest ones."""
        found: dict[str, tuple[Dim, ...]] = {}
        for newest, facts in self.bounds.items():
            for fact in facts:
                for name in dict.fromkeys(sizes.symbols(fact)):
                    if name != newest and name in self.symbols.ages:
                        found[name] = (*found.get(name, ()), fact)
        return found

    def is_exact(self, size: Dim) -> bool:
        """Whether a sum is certainly far from where int64 wraps around."""
        return self.bold or all(self.holds(FAR - sign * size, far=True, back=1) for sign in (1, -1))

    def _sign(self, factor: Dim) -> int:
        if isinstance(factor, int):
            return (factor > 0) - (factor < 0)
        return next((sign for sign in (1, -1) if self.holds(sign * factor)), 0)

    def _holds_of_sizes(self, size: Size, far: bool) -> bool:
        if far:
            falling = [name for name in self.ranges.least if _falls(coefficient(size, name))]
            shorter = sizes.substitute(size, dict.fromkeys(falling, LONGEST))
            if isinstance(shorter, int):
                return shorter >= 0
            size = shorter
        ranges = replace(self.ranges, facts=(*self.ranges.facts, *self.bounds.get("", ())))
        return ranges.holds(size)


def _falls(factor: Dim | None) -> bool:
    return isinstance(factor, int) and factor < 0


@lru_cache(maxsize=16384)
def _tight(size: Dim) -> Dim:
    """A sum that is not negative just where this is, as integers: what divides all factors is gone."""
    if isinstance(size, int):
        return size
    common = math.gcd(*(factor for monomial, factor in size.terms if monomial))
    if common <= 1:
        return size
    constant = sum(factor for monomial, factor in size.terms if not monomial)
    return sizes.floordiv(size - constant, common) + constant // common
