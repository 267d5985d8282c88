"""Pauses of rules that match too often."""

from __future__ import annotations

from collections.abc import Iterable

LEAST_LIMIT = 500
"""Matches that a rule that expands may have in one iteration before it pauses."""


class BackOff:
    """Pauses of the rules that expand: one whose matches exceed its limit pauses for some iterations and comes back with
    twice the limit (the back-off of egg, Willsey et al. 2021)."""

    def __init__(self, limit: int):
        self.first = max(limit, LEAST_LIMIT)
        self.until: dict[str, int] = {}
        self.limit: dict[str, int] = {}
        self.pause: dict[str, int] = {}

    def running(self, iteration: int, rulesets: Iterable[str]) -> list[str]:
        """Those of the rulesets that do not pause in this iteration."""
        return [name for name in rulesets if self.until.get(name, 0) <= iteration]

    def note(self, iteration: int, ruleset: str, matches: int) -> None:
        """Takes the number of matches that a ruleset of rules that expand had."""
        limit = self.limit.get(ruleset, self.first)
        if matches > limit:
            pause = self.pause.get(ruleset, 2)
            self.until[ruleset] = iteration + 1 + pause
            self.pause[ruleset] = 2 * pause
            self.limit[ruleset] = 2 * limit

    def resume(self, iteration: int) -> bool:
        """Ends the pauses; whether there were any."""
        paused = [name for name, until in self.until.items() if until > iteration + 1]
        self.until.update(dict.fromkeys(paused, 0))
        return bool(paused)
