"""Two loops around the same work, the other one outside.

    for i: for j: A(i, j)  = for j: for i: A(i, j), where nothing that A(i, j) makes is needed, or made again, later in the
    one loop and earlier in the other

The distance of two accesses to one element is the difference of the numbers of their iterations, in both loops.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from egc import ir, sizes
from egc.ir import Node, Program
from egc.ranges import Ranges, coefficient
from egc.sizes import Dim, symbol
from egc.transforms.dependence import counters, extents, touched
from egc.transforms.forms import Allowed, Forms
from egc.transforms.fuse import carries, may_raise
from egc.transforms.inline import inline
from egc.transforms.promote import is_plain
from egc.transforms.solve import KINDS
from egc.transforms.vectorize import vectorized
from egc.transforms.windows import Window
from egc.trips import count_size

LAW = "nested_loops_are_interchanged"

Span = tuple[float, float]
"""The least and the largest distance."""

EXACT = frozenset(["maximum", "minimum", "logical_and", "logical_or"])
"""Accumulations whose result does not depend on an order. The others round otherwise."""


@dataclass(frozen=True)
class Nest:
    """Two loops of which the outer one does nothing but the inner one: `states` says which of the inner one's states each
    of the outer one's is."""

    outer: Node
    inner: Node
    states: tuple[int, ...]
    counts: tuple[Dim, Dim]

    @property
    def names(self) -> tuple[str, str]:
        return tuple(each.params["update"].inputs[0].params["name"] for each in (self.outer, self.inner))  # type: ignore[return-value]


def nest_of(node: Node) -> Nest | None:
    """A plain loop as a nest of two; None where it does more, or the range of the inner one depends on the outer."""
    update, number = node.params["update"], node.params["states"]
    loops = {each.inputs[0] for each in update.outputs if each.op == "item"}
    if len(loops) != 1 or any(each.op != "item" for each in update.outputs):
        return None
    (inner,) = loops
    if inner.op != "loop" or not is_plain(inner) or inner.params["states"] != number:
        return None
    given = update.inputs[1 : 1 + number]
    places = tuple(each.params["index"] for each in update.outputs)
    if len(set(places)) != number or any(inner.inputs[1 + place] is not state for place, state in zip(places, given)):
        return None
    rest = [inner.inputs[0], *inner.inputs[1 + number :]]
    if any(each in given for each in ir.topological(rest)):
        return None
    counts = count_size(node.inputs[0]), count_size(inner.inputs[0])
    if counts[0] is None or counts[1] is None or update.inputs[0].params["name"] in sizes.symbols(counts[1]):
        return None
    return Nest(node, inner, places, (counts[0], counts[1]))


def interchanged(node: Node, ranges: Ranges, allowed: Allowed) -> Iterator[Forms]:
    """The results of a nest by one with the other loop outside: as it is, unless threads may share the iterations of the
    loop that was outside and not of the other, and with array expressions in the place of its inner loop."""
    nest = nest_of(node) if LAW in allowed and is_plain(node) else None
    rounded = None if nest is None or may_raise(node) else reordered(nest)
    if nest is None or rounded is None:
        return
    loop = _swapped(nest)
    number = len(nest.states)
    if carries(node, ranges) or not carries(loop, ranges):
        yield Forms([ir.make("item", loop, index=k, line=node.line) for k in range(number)], {LAW}, rounded)
    used = Forms([], {LAW}, rounded)
    inside = vectorized(loop.params["update"], ranges.inside(loop), used, allowed)
    if any(each.op == "loop" for each in inside.nodes()):
        return
    lifted = ir.with_regions(loop, lambda _: inside)
    used.results = [ir.make("item", lifted, index=k, line=node.line) for k in range(number)]
    yield used


def reordered(nest: Nest) -> bool | None:
    """Whether results round otherwise when the loops are interchanged; None where they cannot be."""
    region, names = nest.inner.params["update"], nest.names
    inner, rounded = counters(region), False
    if names[0] in inner or names[1] in inner:
        return None
    for k, (state, output) in enumerate(zip(region.inputs[1:], region.outputs)):
        if not state.type.rank:
            if not _accumulates(region, state, output):
                return None
            rounded |= output.op not in EXACT and state.type.dtype.kind in "fc"
            continue
        found = touched(region, state)
        if found is None or {j for j, each in enumerate(region.outputs) if each in found.versions} != {k}:
            return None
        for write in found.writes:
            for other in found.windows:
                if not _keeps_order(distance(write, other, names, inner)):
                    return None
    return rounded


def _accumulates(region: Program, state: Node, output: Node) -> bool:
    """Whether a number is only added to, or multiplied, and so on, and nothing else needs it."""
    if output.op not in KINDS or state.type.dtype.kind not in KINDS[output.op] or output.inputs.count(state) != 1:
        return False
    users = [each for each in region.nodes() if state in each.inputs]
    return users == [output] and region.outputs.count(output) == 1 and not _is_read(region, output)


def _is_read(region: Program, node: Node) -> bool:
    return any(node in each.inputs for each in region.nodes())


def _keeps_order(spans: tuple[Span, Span]) -> bool:
    (low, high), (least, most) = spans
    return not (high > 0 and least < 0) and not (low < 0 and most > 0)


def distance(a: Window, b: Window, names: tuple[str, str], inner: Collection[str]) -> tuple[Span, Span]:
    """How much later in each of two loops the window b may be at an element that a is at; without end where it may be any.

    >>> i, j = symbol("i"), symbol("j")
    >>> here, above = ((i, j), (1, 1), (1, 1)), ((i - 1, j), (1, 1), (1, 1))
    >>> distance(here, above, ("i", "j"), ())
    ((1.0, 1.0), (0.0, 0.0))
    """
    spans = [(-math.inf, math.inf), (-math.inf, math.inf)]
    for (first, last), (start, end) in zip(extents(a), extents(b)):
        dims = first, last, start, end
        if any(name in inner for dim in dims for name in sizes.symbols(dim)):
            continue
        factors = [{coefficient(dim, name) for dim in dims} for name in names]
        if any(len(each) != 1 for each in factors):
            continue
        by = [next(iter(each)) for each in factors]
        low, high = first - end, last - start
        moving = [k for k in (0, 1) if by[k] != 0]
        if len(moving) != 1 or not isinstance(low, int) or not isinstance(high, int):
            continue
        (k,) = moving
        factor = by[k]
        if not isinstance(factor, int):
            continue
        ends = sorted((low / factor, high / factor))
        spans[k] = max(spans[k][0], math.ceil(ends[0]) * 1.0), min(spans[k][1], math.floor(ends[1]) * 1.0)
    return spans[0], spans[1]


def _swapped(nest: Nest) -> Node:
    """The nest with the other loop outside. The work of the outer loop's region is done in the inner one of the new nest;
    what does not change there is taken out of it again when loops are tidied."""
    outer, inner, number = nest.outer, nest.inner, len(nest.states)
    around, within = outer.params["update"], inner.params["update"]
    names = nest.names
    values = {names[0]: symbol(names[1]), names[1]: symbol(names[0])}
    given, operands = around.inputs[1 : 1 + number], around.inputs[1 + number :]
    states = [ir.input(f"_s{names[1][2:]}_{k}", each.type) for k, each in enumerate(given)]
    inside = [ir.input(f"_c{names[1][2:]}_{k}", each.type) for k, each in enumerate(operands)]
    prepared = inline(around.with_outputs(inner.inputs[1 + number :]), [within.inputs[0], *states, *inside], values)
    before = [states[nest.states.index(place)] for place in range(number)]
    made = inline(within, [ir.size(symbol(names[0])), *before, *prepared], values)
    body = Program(
        (within.inputs[0], *states, *inside), tuple(made[place] for place in nest.states), "update", within.size_inputs
    )
    results = ir.loop(body, given, operands, ir.size(nest.counts[0]), line=inner.line)
    update = Program(around.inputs, results, "update", around.size_inputs)
    starts, rest = outer.inputs[1 : 1 + number], outer.inputs[1 + number :]
    return ir.loop(update, starts, rest, ir.size(nest.counts[1]), line=outer.line)[0].inputs[0]
