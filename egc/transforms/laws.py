"""Equal forms of the loops and branches of a Program, by the laws that are switched on.

A law is a rule of `rules/loops.py`, which states it by an instance. Here stand the transforms that find where it holds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

from egc import ir
from egc.alternatives import Alternative
from egc.errors import EgcError
from egc.ir import Node, Program
from egc.ranges import Ranges, ranges_of
from egc.rewrite import Rule
from egc.transforms.branches import as_branch, as_choice, joined_branches, sunk
from egc.transforms.contract import contracted
from egc.transforms.elements import masked_choices
from egc.transforms.forms import Allowed, Forms, needed_items
from egc.transforms.fuse import apart, fusions, separated
from egc.transforms.induction import simpler, through
from egc.transforms.interchange import interchanged
from egc.transforms.nests import Evaluate, solved_nest
from egc.transforms.peel import peeled
from egc.transforms.pivots import pivoted_nest
from egc.transforms.powers import powers_closed, powers_in_turn
from egc.transforms.split import done_before, stored_states
from egc.transforms.steps import unrolled
from egc.transforms.tidy import tidy
from egc.transforms.vectorize import unroll

NAMES = (
    "cholesky_nest_is_factor",
    "lu_nest_is_factors",
    "pivoted_lu_nest_is_factors",
    "substitution_is_triangular_solve",
    "sum_of_products_is_matmul",
    "geometric_series_is_closed",
    "power_is_closed",
    "sum_of_powers_is_closed",
    "arithmetic_series_is_closed",
    "power_of_number_is_product",
    "states_are_stored_and_read",
    "stateless_work_is_done_before",
    "counting_while_is_for",
    "counting_state_is_formula",
    "end_iterations_are_peeled",
    "nested_loops_are_interchanged",
    "place_of_extreme_is_argmax",
    "accumulation_is_scan",
    "accumulation_is_reduction",
    "linear_recurrence_is_scan",
    "separate_writes_are_one",
    "last_value_is_kept",
    "independent_states_are_separate",
    "equal_ranges_are_one_loop",
    "short_loop_is_unrolled",
    "element_is_carried",
    "window_is_state",
    "equal_conditions_are_one",
    "work_of_one_branch_is_sunk",
    "branch_is_choice",
    "choice_is_branch",
    "expensive_choice_is_masked",
)
"""The laws of loops, those first that say most of a form that several of them give."""


@dataclass(frozen=True)
class LoopLaws:
    """Other forms of the loops and branches of Programs, by laws. `exact` leaves out those that round otherwise.

    rules: the laws that are on, by name; `scoped` further ones for the Nodes of an `egc.scope`. evaluate: the reference
    interpreter, without which no nest is compared with a factorization.
    """

    rules: Mapping[str, Rule] = field(default_factory=dict)
    scoped: Mapping[str, Mapping[str, Rule]] = field(default_factory=dict)
    exact: bool = False
    ranges: Ranges | None = None
    evaluate: Evaluate | None = None

    @classmethod
    def of(
        cls,
        rules: Iterable[Rule],
        scoped: Mapping[str, Iterable[Rule]],
        exact: bool = False,
        evaluate: Evaluate | None = None,
    ) -> LoopLaws:
        """The laws among rules."""
        named = {scope: {rule.name: rule for rule in limited if rule.of_loops} for scope, limited in scoped.items()}
        return cls({rule.name: rule for rule in rules if rule.of_loops}, named, exact, None, evaluate)

    def inside(self, program: Program, node: Node) -> LoopLaws:
        return replace(self, ranges=self._ranges(program).inside(node))

    def _ranges(self, program: Program) -> Ranges:
        return ranges_of(program) if self.ranges is None else self.ranges

    def _rules(self, node: Node) -> Mapping[str, Rule]:
        found = dict(self.rules)
        for scope in sorted(node.scopes & set(self.scoped)):
            found.update(self.scoped[scope])
        return found

    def alternatives(self, program: Program) -> Sequence[Alternative]:
        nodes, ranges = list(program.nodes()), self._ranges(program)
        return [
            *self._of_choices(program),
            *self._of_pairs(program, ranges),
            *(
                found
                for node, needed in needed_items(nodes).items()
                if node.op in FINDERS and (rules := self._rules(node))
                for found in self._of_results(program, node, sorted(needed), ranges, rules)
            ),
        ]

    def _of_choices(self, program: Program) -> Iterator[Alternative]:
        for node, value in masked_choices(program).items():
            rule = self._rules(node).get("expensive_choice_is_masked")
            if rule is not None:
                yield Alternative(rule.name, rule.file, rule.line, "exact", node, value)
        for node in program.nodes():
            rule = self._rules(node).get("choice_is_branch") if node.op == "where" else None
            if rule is not None and (branch := as_branch(program, node)) is not None:
                yield Alternative(rule.name, rule.file, rule.line, "exact", node, branch)

    def arrangements(self, program: Program) -> Sequence[Alternative]:
        return list(self._of_pairs(program, self._ranges(program)))

    def _of_pairs(self, program: Program, ranges: Ranges) -> Iterator[Alternative]:
        """Loops of one range as one loop."""
        if not self._somewhere("equal_ranges_are_one_loop"):
            return
        for found in fusions(program, ranges):
            rules = [self._rules(item.inputs[0]).get("equal_ranges_are_one_loop") for item in found]
            rule = rules[0]
            if rule is None or None in rules:
                continue
            made = tidy(program.with_outputs(found.values()), ranges)
            for item, value in zip(found, made.outputs):
                yield Alternative(rule.name, rule.file, rule.line, "exact", item, value)

    def _somewhere(self, name: str) -> bool:
        return any(name in rules for rules in (self.rules, *self.scoped.values()))

    def _of_results(
        self, program: Program, node: Node, needed: Sequence[int], ranges: Ranges, rules: Mapping[str, Rule]
    ) -> Iterator[Alternative]:
        items = {k: ir.make("item", node, index=k, line=node.line) for k in needed}
        for form in self._forms(program, node, ranges, frozenset(rules)):
            if (self.exact and form.rounded) or not form.laws:
                continue
            values: dict[int, Node | None] = {k: form.results[k] for k in items}
            left = [k for k in items if form.results[k] is None]
            if left and len(left) < len(items):
                rest = tidy(program.with_outputs(items[k] for k in left), ranges)
                values.update(zip(left, rest.outputs))
            rule = rules[_name(form.laws)]
            for k, value in values.items():
                if value is None or value is items[k]:
                    continue
                precision = "real" if form.rounded else "exact"
                yield Alternative(rule.name, rule.file, rule.line, precision, items[k], value)
                product = rules.get("sum_of_products_is_matmul")
                if product is not None and not self.exact and (other := contracted(value)) is not value:
                    yield Alternative(product.name, product.file, product.line, "real", items[k], other)

    def _forms(self, program: Program, node: Node, ranges: Ranges, allowed: Allowed) -> Iterator[Forms]:
        """What the results of a loop or branch are besides. A loop without states that count takes the other one's place."""
        counted = simpler(node, ranges, allowed) if node.op == "loop" else None
        if counted is not None:
            yield counted[1]
            yield from (through(counted, form) for form in self._forms(program, counted[0], ranges, allowed))
            if not counted[1].rounded:
                return
        for find in FINDERS[node.op]:
            with suppress(EgcError):
                form = find(node, ranges, allowed)
                if form is not None:
                    yield form
        if node.op == "cond" and (form := sunk(program, node, allowed)) is not None:
            yield form
        if node.op == "loop" and (parts := separated(node, allowed)) is not None:
            yield apart(parts, node.params["states"])
        if node.op == "loop":
            yield from interchanged(node, ranges, allowed)
        if node.op == "loop" and self.evaluate is not None and not self.exact:
            for recognized in (solved_nest, pivoted_nest):
                form = recognized(node, ranges, allowed, self.evaluate)
                if form is not None:
                    yield form


FINDERS: Mapping[str, Sequence[Callable[[Node, Ranges, Allowed], Forms | None]]] = {
    "loop": (unroll, peeled, stored_states, done_before, unrolled, powers_in_turn, powers_closed),
    "cond": (as_choice, joined_branches),
}
"""What finds other forms of the results of an op."""


def _name(laws: set[str]) -> str:
    """What an alternative is called: after the law that says most of it."""
    return min(laws, key=NAMES.index)
