"""Traced rewrites as e-graph rules."""

from __future__ import annotations

from egc.egraph.directions import Compiled, Directed, directions
from egc.egraph.dtypes import dtype_groups
from egc.egraph.writer import RuleWriter
from egc.rewrite import Rewrite


def compile_direction(
    directed: Directed,
    scope: str | None = None,
    recorded: bool = False,
    present: frozenset[str] | None = None,
) -> Compiled:
    """The rule text of a direction, limited to a scope where one is given.

    recorded: whether firings are recorded. present: the dtypes that occur, by short name; None for all.
    Raises RuleError for an unbound size, sides without a common type, and what has no e-graph form.
    """
    result = Compiled()
    rewrite = directed.rewrite
    result.ruleset = directed.ruleset + "".join(f"-{name}" for name in sorted(present or ()))
    result.declarations[f"(ruleset {result.ruleset})"] = None
    if recorded:
        sorts = ["f64" if v.params["name"] in rewrite.constants else "Expr" for v in directed.variables]
        result.declarations[f"(relation {directed.fired} ({' '.join(['Expr', *sorts])}))"] = None
    for number, group in enumerate(dtype_groups(rewrite, directed.source, directed.target, present)):
        writer = RuleWriter(result, directed, group, scope, recorded)
        name = f"{rewrite.identifier}#{result.ruleset}/{number}"
        result.rules.append(writer.rule(name))
        if directed.stabilizes:
            result.rules += writer.marks(f"mark-{result.ruleset}/{number}")
    for form in result.forms:
        count = len(form.symbols)
        result.declarations[f"(relation {form.relation} ({' '.join(['String'] * (count + 2))}))"] = None
    return result


def check_rewrite(rewrite: Rewrite) -> None:
    """Raises RuleError, naming the rule's file and line, for a rewrite that an e-graph cannot use."""
    for directed in directions(rewrite, "0"):
        compile_direction(directed)
