"""The directions of a rewrite, and what one adds to an e-graph.

Each direction has a ruleset of its own, `rewrite-K`. Firings can be recorded in `(fired-K root variables...)`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from egc import ir
from egc.egraph.encode import Form
from egc.errors import RuleError
from egc.ir import Node
from egc.rewrite import Rewrite


@dataclass(frozen=True, eq=False)
class Directed:
    """One direction of a rewrite: `source` may be replaced by `target`. `name` is its number among an engine's rewrites.

    expands: the target is no lighter. feeds_itself: the target has a term of the source's form, so it fires without end.
    """

    rewrite: Rewrite
    source: Node
    target: Node
    name: str
    expands: bool
    feeds_itself: bool

    @property
    def ruleset(self) -> str:
        """The name of its ruleset, which the dtypes that it is compiled for complete."""
        return f"rewrite-{self.name}"

    @property
    def fired(self) -> str:
        return f"fired-{self.name}"

    @property
    def stabilizes(self) -> str | None:
        """The hazard of its source that its target avoids."""
        return self.rewrite.rule.stabilizes

    @property
    def variables(self) -> tuple[Node, ...]:
        """The variables of the source, which are also the columns of `fired` after the root."""
        used = set(ir.topological([self.source]))
        return tuple(variable for variable in self.rewrite.variables if variable in used)


@dataclass
class Compiled:
    """What a direction adds to an e-graph, and needs: predicates to infer, sizes to tabulate, fixed sizes as constants."""

    ruleset: str = ""
    declarations: dict[str, None] = field(default_factory=dict)
    rules: list[str] = field(default_factory=list)
    predicates: set[str] = field(default_factory=set)
    forms: dict[Form, None] = field(default_factory=dict)
    sized: bool = False


def directions(rewrite: Rewrite, name: str) -> tuple[Directed, ...]:
    """The directions of a rewrite.

    Raises RuleError, naming the rule's file and line, for a side with an unbound variable and for a lone variable as the
    side that is rewritten.
    """
    sides = [(rewrite.left, rewrite.right, name)]
    sides += [(rewrite.right, rewrite.left, f"{name}-back")] if rewrite.rule.both_ways else []
    for source, target, _ in sides:
        _check_variables(rewrite, source, target)
    return tuple(
        Directed(rewrite, source, target, label, _weight(target) >= _weight(source), _feeds(source, target))
        for source, target, label in sides
    )


def _feeds(source: Node, target: Node) -> bool:
    """Whether a proper subterm of the target, or the target on other operands, has the form of the source."""
    return any(_matches(source, node, {}) for node in ir.topological([target]) if node.op == source.op)


def _matches(pattern: Node, node: Node, found: dict[Node, Node]) -> bool:
    if pattern.op == "input":
        return found.setdefault(pattern, node) is node
    if pattern.op != node.op or len(pattern.inputs) != len(node.inputs):
        return False
    return all(_matches(a, b, found) for a, b in zip(pattern.inputs, node.inputs))


def _weight(root: Node) -> int:
    """A side that does not get lighter makes a rule that may fire without bound."""
    return sum(node.op not in ("input", "constant", "broadcast") for node in ir.topological([root]))


def _check_variables(rewrite: Rewrite, source: Node, target: Node) -> None:
    rule = rewrite.rule
    if source in rewrite.variables:
        raise RuleError(f"rule {rule.name}: a side that is rewritten must not be a lone variable", rule.place)
    bound = {node for node in ir.topological([source]) if node.op == "input"}
    for node in ir.topological([target, *(each.operand for each in rewrite.conditions)]):
        if node.op == "input" and node not in bound:
            name = node.params["name"]
            raise RuleError(f"rule {rule.name}: the variable {name} is not bound by the rewritten side", rule.place)
