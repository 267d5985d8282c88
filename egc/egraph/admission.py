"""Which rules of a search are given to the e-graph, and when: those that it has terms of all ops for, on terms of the ops that
they are on in the rule.

Most rules that could fire on what others make never do, as those do not fire; and egglog takes longer to load a rule than to
match it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from egc.egraph.directions import Compiled, Directed
from egc.egraph.encode import Form
from egc.egraph.relevance import ALWAYS, Link, links_needed, ops_needed


class Admission:
    """The rules of one search.

    active: the directions that may fire. marking: those of rules that are left out, which only say what loses values.
    `present` are the ops that there were terms of, `links` which of them on which, `admitted` the directions that were loaded.
    """

    def __init__(self, active: Sequence[Directed], marking: Sequence[Directed]):
        self.order = {each: place for place, each in enumerate(active)}
        self.waiting = [*active, *marking]
        self.present = set(ALWAYS)
        self.links: set[Link] = set()
        self.admitted: dict[Directed, Compiled] = {}

    def ready(
        self, present: Iterable[str], links: Iterable[Link] | None, others: Collection[Directed] = ()
    ) -> list[Directed]:
        """The directions to load when there are terms of these ops, besides those of `others`. links: None where there are too
        many terms to look."""
        self.present.update(present)
        self.links.update(links or ())
        found = dict.fromkeys(
            each
            for each in self.waiting
            if each in others
            or (ops_needed(each) <= self.present and (links is None or links_needed(each) <= self.links))
        )
        self.present.update(*map(ops_needed, found))
        self.waiting = [each for each in self.waiting if each not in found]
        return list(found)

    def add(self, loaded: Mapping[Directed, Compiled]) -> None:
        self.admitted.update(loaded)

    @property
    def active(self) -> list[Directed]:
        """The directions that were loaded, in the order of rules, but those that only mark."""
        return sorted((each for each in self.admitted if each in self.order), key=self.order.__getitem__)

    def rulesets(self, expand: bool) -> list[str]:
        """The rulesets of the rules that expand, or of the others."""
        return [self.admitted[each].ruleset for each in self.active if each.expands == expand and self._rules(each)]

    @property
    def endless(self) -> set[str]:
        """The rulesets of rules that make terms of the form that they rewrite, and would do so without end."""
        chosen = (each for each in self.active if each.feeds_itself and each.stabilizes and self._rules(each))
        return {self.admitted[each].ruleset for each in chosen}

    def _rules(self, directed: Directed) -> list[str]:
        return self.admitted[directed].rules

    def predicates(self) -> set[str]:
        """What the rules need to know of terms."""
        return {name for each in self.admitted.values() for name in each.predicates}

    def forms(self) -> list[Form]:
        """The sizes that rules compute."""
        return list(dict.fromkeys(form for each in self.admitted.values() for form in each.forms))

    def sized(self) -> bool:
        """Whether rules are about sizes as numbers."""
        return any(each.sized for each in self.admitted.values())
