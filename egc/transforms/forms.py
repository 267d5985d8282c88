"""Other forms of the results of a loop, and what was used to find them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from egc import ir
from egc.ir import Node, Program

Allowed = frozenset[str]
"""The names of the laws that may be used."""


@dataclass
class Forms:
    """The results of a loop, or branch, in another form: None for those that have none. `laws` names what was used;
    `rounded` tells that floating results may differ by rounding."""

    results: list[Node | None]
    laws: set[str] = field(default_factory=set)
    rounded: bool = False

    def take(self, other: Forms) -> None:
        self.laws |= other.laws
        self.rounded |= other.rounded


def needed_items(nodes: Sequence[Node]) -> dict[Node, set[int]]:
    """Which results are needed, by the loop or branch whose they are."""
    needed: dict[Node, set[int]] = {}
    for node in nodes:
        if node.op == "item":
            needed.setdefault(node.inputs[0], set()).add(node.params["index"])
    return needed


def replaced(root: Node, loop: Node, results: Sequence[Node | None]) -> Node | None:
    """A value with other results in the place of a loop's; None where it needs one that there is not."""
    new: dict[Node, Node] = {}
    for node in ir.topological([root]):
        if node.op == "item" and node.inputs[0] is loop:
            value = results[node.params["index"]]
            if value is None:
                return None
            new[node] = value
        else:
            new[node] = ir.rebuild(node, [new[child] for child in node.inputs])
    return new[root]


def guarded(ok: Node, fast: Sequence[Node], plain: Sequence[Node]) -> tuple[Node, ...]:
    """`fast`, which is computed in any case, where a bool scalar holds, else `plain`, which alone is then computed."""
    return either(ok, fast, plain, fast)


def either(ok: Node, values: Sequence[Node], others: Sequence[Node], made: Sequence[Node] = ()) -> tuple[Node, ...]:
    """`values` where a bool scalar holds, else `others`: what only one of them needs is computed for it alone, but for what
    is `made` before."""
    inside = list(ir.topological([node for node in (*values, *others) if node not in made]))
    given = dict.fromkeys([*(node for node in inside if node.op == "input"), *made])
    inputs = {node: ir.input(f"_g{k}", node.type) for k, node in enumerate(given)}
    new: dict[Node, Node] = dict(inputs)
    for node in inside:
        if node not in new:
            new[node] = ir.rebuild(node, [new[child] for child in node.inputs])
    then, otherwise = (
        Program(tuple(inputs.values()), tuple(new[node] for node in nodes), name)
        for nodes, name in ((values, "then"), (others, "otherwise"))
    )
    return ir.cond(ok, then, otherwise, list(given))
