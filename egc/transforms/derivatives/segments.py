"""Loops in segments: nested loops of fixed numbers of iterations, whose states before each segment are the checkpoints.

for k < n: s = f(k, s)  =  for a < A: for b < B: s = f(a B + b, s) while a B + b < n

The outer loop stores its states, the inner ones are run again from them: two levels of equal length keep 2 sqrt(n)
states for one more run forward, three keep 3 cbrt(n) for two (Griewank and Walther, "Algorithm 799: Revolve", 2000,
give the schedule that is best for a given number of states; here the number of iterations need not be known before).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce

from egc import ir, sizes
from egc.ir import Node, Program, make
from egc.ops import BOOL, INT64
from egc.sizes import Dim
from egc.transforms.derivatives.numbers import with_number
from egc.transforms.derivatives.regions import replaced, stand_ins
from egc.transforms.derivatives.strategy import Strategy
from egc.transforms.inline import inline
from egc.types import ArrayType

MOST, LEAST = 4096, 16
"""Checkpoints of a level."""

ENOUGH = 1024
"""Checkpoints of which two levels suffice: a million iterations."""


def segmented(node: Node, count: Dim | None, strategy: Strategy) -> tuple[Node, Node | None, Mapping[int, int]]:
    """A loop as a nest with the same first results; whether it was not long enough, for a loop whose number of
    iterations depends on data; and the place of each input of the loop among those of the nest."""
    first, number, update = int(node.params["counted"]), node.params["states"], node.params["update"]
    length = _length(update.inputs[first : first + number], strategy)
    levels = 2 if count is not None or (isinstance(length, int) and length >= ENOUGH) else 3
    inner = sizes.minimum(length, sizes.maximum(LEAST, _root(count, strategy))) if count is not None else length
    lengths: list[Dim] = [length] * (levels - 1) + [inner]
    if count is not None:
        lengths = [-sizes.floordiv(-count, inner), inner]
    names = [strategy.fresh() for _ in lengths]
    (alive,) = stand_ins(update, "_alive", [ArrayType(BOOL, ())])
    counted = [node.inputs[0]] if first and count is None else []
    limit, base = stand_ins(update, "_at", [ArrayType(INT64, ())] * 2)
    limits = [limit] if counted else []
    states, operands = update.inputs[first : first + number], [*update.inputs[first + number :], *limits]
    by_data = bool(first) and all(
        region is None or with_number(region, base, region.inputs[1:]) is not None
        for region in (node.params[name] for name in ("pre", "update", "post"))
    )
    bases = [base] if by_data else []

    def region_at(region: Program, place: Dim, values: tuple[Node, ...]) -> list[Node]:
        """A region of the loop in the iteration at a place, counted from the base where that is data."""
        values = values[: len(region.inputs) - first]
        if by_data:
            found = with_number(region, make("add", base, ir.size(place)), values)
            assert found is not None
            return list(found)
        given = [ir.size(place)] if first else []
        return list(inline(region, [*given, *values], {region.inputs[0].params["name"]: place} if first else {}))

    def goes_on(place: Dim) -> Node:
        """Whether the iteration at a place is run."""
        conditions = [alive]
        if first:
            number_now = make("add", base, ir.size(place)) if by_data else ir.size(place)
            conditions.append(make("less", number_now, ir.size(count) if count is not None else limit))
        if node.params["pre"] is not None:
            conditions += region_at(node.params["pre"], place, (*states, *operands))
        return reduce(lambda a, b: make("logical_and", a, b), conditions)

    def place_at(depth: int) -> Dim:
        """The first iteration's number in an iteration of the loop at a depth; counted from the base where that is data."""
        place: Dim = 0
        for each, name in list(zip(lengths, names))[depth if by_data else 0 : depth + 1]:
            place = place * each + sizes.symbol(name)
        return place * sizes.product(tuple(lengths[depth + 1 :]))

    def level(depth: int) -> Program:
        """The update of the loop at a depth."""
        counter = ir.input(names[depth], ArrayType(INT64, ()))
        inputs = (counter, *states, alive, *operands, *bases)
        if depth == len(lengths) - 1:
            new = region_at(update, place_at(depth), (*states, *operands))
            after = node.params["post"]
            still = ir.constant(True, BOOL)
            if after is not None:
                still = region_at(after, place_at(depth), (*new, *operands))[0]
            return Program(inputs, (*new, still), "update", frozenset([names[depth]]))
        start = [make("add", base, ir.size(place_at(depth)))] if by_data else []
        found = nest(depth + 1, [*states, alive], [*operands, *start])
        return Program(inputs, tuple(ir.items(found)), "update", frozenset([names[depth]]))

    def nest(depth: int, start: list[Node], given: list[Node]) -> Node:
        body = level(depth)
        pre = Program(body.inputs, (goes_on(place_at(depth)),), "pre", body.size_inputs)
        found = make(
            "loop", ir.size(lengths[depth]), *start, *given, line=node.line, counted=True, states=number + 1,
            pre=pre, update=body, post=None, reverse=None,
        )  # fmt: skip
        strategy.segments.add(found)
        return found

    given = [*node.inputs[first + number :], *counted]
    zero = [ir.constant(0, INT64)] if by_data else []
    found = nest(0, [*node.inputs[first : first + number], ir.constant(True, BOOL)], [*given, *zero])
    places = {k: k - first + 1 + (1 if k - first >= number else 0) for k in range(first, len(node.inputs))}
    if count is not None:
        return found, None, places
    results = ir.items(found)
    swap = dict(zip((*states, alive, *operands, *bases), (*results, *given, *zero)))
    (unfinished,) = replaced([goes_on(sizes.product(tuple(lengths)))], swap)
    return found, unfinished, places


def _length(states: tuple[Node, ...], strategy: Strategy) -> Dim:
    """How many checkpoints of these states the memory has room for, in bounds."""
    size = sum((each.type.size * each.type.dtype.itemsize for each in states), 0)
    room = sizes.floordiv(strategy.memory, size) if isinstance(size, int) and size else None
    if room is None:
        room = sizes.floordiv(strategy.memory, sizes.maximum(1, size)) if not isinstance(size, int) else MOST
    return sizes.maximum(LEAST, sizes.minimum(MOST, room))


def _root(count: Dim, strategy: Strategy) -> int:
    """About the root of a number of iterations, as it is now."""
    return int(max(strategy.estimate(count), 1) ** 0.5)
