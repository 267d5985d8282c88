"""Counted loops as array expressions, where their iterations allow it.

    s = s + f(i), and so on       = s + sum(f over all i)
    s = s + f(i), read as it goes = the sums up to each i
    s = a s + b                   = a closed form
    s = a[i] s + b[i]             = a linear recurrence
    x[g(i)] = f(i, x[g(i)])       = x with all of f(i, x[g(i)]) written
    s = f(i)                      = f(i) of the last i

Nests are done from the inside out. An accumulation of floating numbers adds in another order.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from egc import ir
from egc.ir import Node, Program
from egc.ranges import Ranges
from egc.transforms.branches import as_choice
from egc.transforms.forms import Allowed, Forms, needed_items, replaced
from egc.transforms.induction import simpler, through
from egc.transforms.promote import carried, is_plain, promoted
from egc.transforms.search import searched
from egc.transforms.solve import Solution
from egc.trips import count_size

THROUGH = (("window_is_state", promoted), ("element_is_carried", carried))
"""Laws that give a loop's results in terms of those of another loop."""


def vectorized(program: Program, ranges: Ranges, used: Forms, allowed: Allowed) -> Program:
    """The Program without the loops that are array expressions, and the branches that are choices; `used` takes what that
    needed.

    A loop stays where one of its needed results has no such form.
    """
    nodes = list(program.nodes())
    if not any(node.op in FORMS for node in nodes):
        return program
    needed = needed_items(nodes)
    new: dict[Node, Node] = {}
    found: dict[Node, Forms | None] = {}
    for node in nodes:
        done = found.get(node.inputs[0]) if node.op == "item" else None
        if done is not None:
            value = done.results[node.params["index"]]
            assert value is not None
            new[node] = value
            continue
        new[node] = ir.rebuild(node, [new[child] for child in node.inputs])
        if node.op in FORMS:
            unrolled = FORMS[node.op](new[node], ranges, allowed)
            if unrolled is not None and all(unrolled.results[k] is not None for k in needed.get(node, ())):
                found[node] = unrolled
                used.take(unrolled)
    return program.with_outputs(new[output] for output in program.outputs)


def unroll(node: Node, ranges: Ranges, allowed: Allowed) -> Forms | None:
    """The results of a counted loop as array expressions, those that have this form."""
    counted = simpler(node, ranges, allowed)
    if counted is not None:
        rest = unroll(counted[0], ranges, allowed)
        return None if rest is None else through(counted, rest)
    count = count_size(node.inputs[0]) if is_plain(node) else None
    if count is None:
        return None
    found = Forms([])
    update = vectorized(node.params["update"], ranges.inside(node), found, allowed)
    node = ir.with_regions(node, lambda _: update)
    for name, law in THROUGH:
        other = law(node, ranges) if name in allowed else None
        if other is not None:
            inner = unroll(other[0], ranges, allowed)
            if inner is not None:
                found.take(inner)
                found.laws.add(name)
                found.results = [replaced(item, other[0], inner.results) for item in other[1]]
                return found
    solution = Solution(node, count, ranges, allowed)
    solution.fixed = searched(solution)
    found.results = solution.solve()
    found.laws |= solution.laws
    found.rounded |= solution.rounded
    return found if any(result is not None for result in found.results) else None


FORMS: Mapping[str, Callable[[Node, Ranges, Allowed], Forms | None]] = {"loop": unroll, "cond": as_choice}
"""The form without regions of a loop or branch."""
