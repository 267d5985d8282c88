"""How often the iterations of `while` loops are captured one after the other."""

from __future__ import annotations

from collections import Counter

MOST_ROUNDS = 16
"""Iterations of a `while` loop that are captured one after the other before it is captured whole, and """

MOST_GUARDED = 4
"""those of them that hold for some sizes only: each guards the code that is made."""


class Rounds:
    """Counts the iterations of the loops of one function, by their headers."""

    def __init__(self) -> None:
        self.number: Counter[int] = Counter()
        self.guarded: Counter[int] = Counter()
        self.guards = 0

    def another(self, header: int, guards: int) -> bool:
        """Whether a loop that begins another iteration is long. guards: how many guards of sizes there are now.

        >>> rounds = Rounds()
        >>> [rounds.another(0, guards) for guards in (0, 1, 2, 3, 4)]
        [False, False, False, False, True]
        """
        self.guarded[header] += bool(self.number[header]) and guards > self.guards
        self.number[header] += 1
        self.guards = guards
        return self.number[header] > MOST_ROUNDS or self.guarded[header] >= MOST_GUARDED
