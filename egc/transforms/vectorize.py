"""Counted loops as array expressions, where their iterations allow it.

    s = s + f(i), and so on       = s + sum(f over all i)
    s = s + f(i), read as it goes = the sums up to each i
    x[g(i)] = f(i, x[g(i)])       = x with all of f(i, x[g(i)]) written
    s = f(i)                      = f(i) of the last i

Nests are done from the inside out. An accumulation of floating numbers adds in another order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from egc import ir
from egc.alternatives import Alternative
from egc.errors import EgcError
from egc.ir import Node, Program
from egc.transforms.contract import contracted
from egc.transforms.promote import carried, is_plain, promoted
from egc.transforms.ranges import Ranges, ranges_of
from egc.transforms.solve import Solution
from egc.transforms.tidy import tidy
from egc.trips import count_size


@dataclass
class Unrolled:
    """The results of a loop without the loop: None for those that have no such form. `laws` names what was used;
    `rounded` tells that floating results may differ by rounding."""

    results: list[Node | None]
    laws: set[str] = field(default_factory=set)
    rounded: bool = False

    def take(self, other: Unrolled) -> None:
        self.laws |= other.laws
        self.rounded |= other.rounded


def vectorized(program: Program, ranges: Ranges, used: Unrolled) -> Program:
    """The Program without the loops that are array expressions; `used` takes what that needed.

    A loop stays where one of its needed results has no such form.
    """
    nodes = list(program.nodes())
    if not any(node.op == "loop" for node in nodes):
        return program
    needed = _needed(nodes)
    new: dict[Node, Node] = {}
    found: dict[Node, Unrolled | None] = {}
    for node in nodes:
        done = found.get(node.inputs[0]) if node.op == "item" else None
        if done is not None:
            value = done.results[node.params["index"]]
            assert value is not None
            new[node] = value
            continue
        new[node] = ir.rebuild(node, [new[child] for child in node.inputs])
        if node.op == "loop":
            unrolled = unroll(new[node], ranges)
            if unrolled is not None and all(unrolled.results[k] is not None for k in needed.get(node, ())):
                found[node] = unrolled
                used.take(unrolled)
    return program.with_outputs(new[output] for output in program.outputs)


def _needed(nodes: Sequence[Node]) -> dict[Node, set[int]]:
    needed: dict[Node, set[int]] = {}
    for node in nodes:
        if node.op == "item":
            needed.setdefault(node.inputs[0], set()).add(node.params["index"])
    return needed


def unroll(node: Node, ranges: Ranges) -> Unrolled | None:
    """The results of a counted loop as array expressions, those that have this form."""
    count = count_size(node.inputs[0]) if is_plain(node) else None
    if count is None:
        return None
    found = Unrolled([])
    update = vectorized(node.params["update"], ranges.inside(node), found)
    node = ir.with_regions(node, lambda _: update)
    for law in (promoted, carried):
        through = law(node, ranges)
        if through is not None:
            inner = unroll(through[0], ranges)
            if inner is not None:
                found.take(inner)
                found.results = [_replaced(item, through[0], inner.results) for item in through[1]]
                return found
    solution = Solution(node, count, ranges)
    found.results = solution.solve()
    found.laws |= solution.laws
    found.rounded |= solution.rounded
    return found if any(result is not None for result in found.results) else None


def _replaced(root: Node, loop: Node, results: Sequence[Node | None]) -> Node | None:
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


LAWS = "loop_is_array_expression"
"""The name of the law; its parts always go together."""


@dataclass(frozen=True)
class LoopLaws:
    """Array expressions for the loops of Programs. `exact` leaves out those that round otherwise."""

    ranges: Ranges | None = None
    exact: bool = False

    def inside(self, program: Program, node: Node) -> LoopLaws:
        return LoopLaws(self._ranges(program).inside(node), self.exact)

    def _ranges(self, program: Program) -> Ranges:
        return ranges_of(program) if self.ranges is None else self.ranges

    def alternatives(self, program: Program) -> Sequence[Alternative]:
        nodes, ranges = list(program.nodes()), self._ranges(program)
        found: list[Alternative] = []
        for node, needed in _needed(nodes).items():
            if node.op != "loop":
                continue
            try:
                unrolled = unroll(node, ranges)
            except EgcError:
                continue
            if unrolled is None or (self.exact and unrolled.rounded):
                continue
            items = {k: ir.make("item", node, index=k, line=node.line) for k in sorted(needed)}
            left = [k for k in items if unrolled.results[k] is None]
            values: Mapping[int, Node | None] = {k: unrolled.results[k] for k in items}
            if left and len(left) < len(items):
                rest = tidy(program.with_outputs(items[k] for k in left), ranges)
                values = {**values, **dict(zip(left, rest.outputs))}
            precision = "real" if unrolled.rounded else "exact"
            for k, value in values.items():
                if value is not None and value is not items[k]:
                    found.append(Alternative(_name(unrolled.laws), __file__, 1, precision, items[k], value))
                    product = value if self.exact else contracted(value)
                    if product is not value:
                        found.append(Alternative("sum_of_products_is_matmul", __file__, 1, "real", items[k], product))
        return found


def _name(laws: set[str]) -> str:
    """What the alternative is called: after the law that says most of it."""
    order = ("accumulation_is_scan", "accumulation_is_reduction", "separate_writes_are_one", "last_value_is_kept")
    return next((name for name in order if name in laws), LAWS)
