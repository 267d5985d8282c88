"""Powers by the number of the iteration, as running products.

    x^(p + q i) in iteration i   = p_i, where p_0 = x^p and p_(i + 1) = p_i x^q

A number below all normal ones is a product of few digits: then powers are taken as they were. Sums of powers have closed forms.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from egc import ir, sizes
from egc.ir import Node, Program, make
from egc.ranges import Ranges, coefficient, mentions
from egc.sizes import Dim
from egc.transforms.closed import everywhere
from egc.transforms.forms import Allowed, Forms, either
from egc.transforms.promote import is_plain
from egc.transforms.vectorize import unroll
from egc.transforms.vmap import Lifting, NotLifted, number_of, operands_of, spread
from egc.trips import count_size

LAW, CLOSED = "power_of_number_is_product", "geometric_series_is_closed"


@dataclass(frozen=True)
class Power:
    """`base ** (first + factor i)` in iteration i; the base stands outside of the loop."""

    node: Node
    base: Node
    first: Dim
    factor: int

    def at(self, exponent: Dim) -> Node:
        if exponent in (0, 1):
            return ir.constant(1, self.base.type.dtype, self.base.type.shape) if exponent == 0 else self.base
        size = make("cast", ir.size(exponent), dtype=self.base.type.dtype)
        return make("power", self.base, spread(size, self.base.type.shape, ()))

    def normal(self, exponent: Dim) -> Node:
        """Whether no power up to one is so small that its digits are lost: the base is 0, or none below 1, or it is not."""

        def number(value: float) -> Node:
            return ir.constant(value, self.base.type.dtype, self.base.type.shape)

        size, least = make("absolute", self.base), float(np.finfo(self.base.type.dtype).tiny)
        ok = make("logical_or", make("greater_equal", size, number(1)), make("equal", size, number(0)))
        small = make("absolute", self.at(exponent))
        return everywhere(make("logical_or", ok, make("greater_equal", small, number(least))))


def powers_in_turn(node: Node, ranges: Ranges, allowed: Allowed) -> Forms | None:
    """The results of a loop by one that multiplies, where no power is too small, else by itself."""
    count, found = _powers(node, ranges, allowed)
    if not found:
        return None
    results = _multiplied(node, found)
    last = count - 1
    ok = _all([power.normal(power.first + power.factor * last) for power in found])
    return Forms(list(either(ok, results, ir.items(node))), {LAW}, rounded=True)


def powers_closed(node: Node, ranges: Ranges, allowed: Allowed) -> Forms | None:
    """Those results that are closed forms of sums of powers."""
    _, found = _powers(node, ranges, allowed)
    if not found or CLOSED not in allowed:
        return None
    inner = unroll(_multiplied(node, found)[0].inputs[0], ranges, allowed)
    if inner is None or CLOSED not in inner.laws:
        return None
    items = ir.items(node)
    kept = [k for k in range(len(items)) if (each := inner.results[k]) is not None and not _runs(each)]
    if not kept:
        return None
    values = [inner.results[k] for k in kept]
    started = [power for power in found if power.first != 0]
    if started:
        ok = _all([power.normal(power.first) for power in started])
        values = list(either(ok, [each for each in values if each is not None], [items[k] for k in kept]))
    results: list[Node | None] = [None] * len(items)
    for k, value in zip(kept, values):
        results[k] = value
    return Forms(results, {LAW, CLOSED}, rounded=True)


def _runs(value: Node) -> bool:
    return any(each.op in ("cumprod", "linear_recurrence") for each in ir.topological([value]))


def _all(conditions: Sequence[Node]) -> Node:
    found, *rest = conditions
    for each in rest:
        found = make("logical_and", found, each)
    return found


def _powers(node: Node, ranges: Ranges, allowed: Allowed) -> tuple[Dim, list[Power]]:
    count = count_size(node.inputs[0]) if LAW in allowed and is_plain(node) else None
    update, states = node.params["update"], node.params["states"]
    candidates = [each for each in update.nodes() if each.op == "power" and each.type.dtype.kind == "f"]
    if count is None or not candidates:
        return 0, []
    count = count if ranges.holds(count) else sizes.maximum(0, count)
    name = update.inputs[0].params["name"]
    known = operands_of(update.inputs[1 + states :], node.inputs[1 + states :])
    known[update.inputs[0]] = number_of(count)
    lifting = Lifting(name, count, ranges.inside(node), known)
    found = []
    for each in candidates:
        exponent = _exponent(each.inputs[1], name)
        factor = None if exponent is None else coefficient(exponent, name)
        if exponent is None or not isinstance(factor, int) or factor < 1:
            continue
        first = sizes.substitute(exponent, {name: 0})
        try:
            base = lifting.value(each.inputs[0])
        except NotLifted:
            continue
        if not base.lifted and ranges.holds(first):
            found.append(Power(each, base.node, first, factor))
    return count, found


def _exponent(node: Node, name: str) -> Dim | None:
    """A number that is a size with the iteration's number in it."""
    while node.op in ("broadcast", "cast", "reshape"):
        node = node.inputs[0]
    return node.params["value"] if node.op == "size" and mentions(node, name) else None


def _multiplied(node: Node, powers: Sequence[Power]) -> tuple[Node, ...]:
    """The results by a loop in which powers are states."""
    update, states = node.params["update"], node.params["states"]
    taken, label = {each.params["name"] for each in update.inputs}, f"_p{update.inputs[0].params['name'][2:]}_"
    label = next(
        text for k in range(len(taken) + 1) if not any(each.startswith(text := f"{label}{k}_") for each in taken)
    )
    new: dict[Node, Node] = {}
    steps, given = [], []
    for k, power in enumerate(powers):
        new[power.node] = ir.input(f"{label}{k}", power.node.type)
        step = power.at(power.factor)
        steps.append(step if step.op == "constant" else ir.input(f"{label}{k}x", step.type))
        given.append(step)
    products = [make("multiply", new[power.node], step) for power, step in zip(powers, steps)]
    running = tuple(new[power.node] for power in powers)
    for each in update.nodes():
        if each not in new:
            new[each] = ir.rebuild(each, [new[child] for child in each.inputs])
    fresh = {step: value for step, value in zip(steps, given) if step.op == "input"}
    inputs = (*update.inputs[: 1 + states], *running, *update.inputs[1 + states :], *fresh)
    body = Program(inputs, (*(new[each] for each in update.outputs), *products), update.name, update.size_inputs)
    before = [*node.inputs[1 : 1 + states], *(power.at(power.first) for power in powers)]
    operands = [*node.inputs[1 + states :], *fresh.values()]
    return ir.loop(body, before, operands, node.inputs[0], line=node.line)[:states]
