"""First and last iterations taken out of a loop, where the others are then alike."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from egc import ir, sizes
from egc.ir import Node, Program, make
from egc.ranges import Ranges
from egc.sizes import Dim, Size, symbol
from egc.transforms.decide import COMPARISONS, decided
from egc.transforms.forms import Allowed, Forms, either
from egc.transforms.inline import inline
from egc.transforms.promote import is_plain
from egc.transforms.vectorize import unroll
from egc.trips import count_size


def peeled(node: Node, ranges: Ranges, allowed: Allowed) -> Forms | None:
    """The results of a loop by its first or last iteration, and the others, as an array expression where they have one. Where
    there may be too few iterations, that is a branch, with the loop as the other way."""
    if "end_iterations_are_peeled" not in allowed or not is_plain(node):
        return None
    count = count_size(node.inputs[0])
    if count is None or not _differ(node.params["update"]):
        return None
    alike: Forms | None = None
    for first, last in ((True, False), (False, True), (True, True)):
        least = count - int(first) - int(last)
        known = ranges if ranges.holds(least) else replace(ranges, facts=(*ranges.facts, least))
        found = _without(node, known, allowed, first, last)
        rest = _alike(node, known, first, last) if found is None and alike is None else None
        for form in (found, rest):
            if form is not None:
                form.laws.add("end_iterations_are_peeled")
                if known is not ranges:
                    enough = make("greater_equal", ir.size(count), ir.size(int(first) + int(last)))
                    items = [make("item", node, index=k, line=node.line) for k in range(len(form.results))]
                    form.results = list(either(enough, [each for each in form.results if each is not None], items))
        if found is not None:
            return found
        alike = alike or rest
    return alike


def _alike(node: Node, ranges: Ranges, first: bool, last: bool) -> Forms | None:
    """A loop over the iterations that are alike, before and after those that are not."""
    others = _others(node, ranges, first, last)
    if others is None or _differ(others[0].params["update"]):
        return None
    loop, step = others
    return Forms(list(step([make("item", loop, index=k, line=node.line) for k in range(loop.params["states"])])))


def _differ(region: Program) -> bool:
    """Whether something in a region may be otherwise in the first or last iteration."""
    name = region.inputs[0].params["name"]
    for node in region.nodes():
        if node.op in COMPARISONS and any(child.op == "size" for child in node.inputs):
            return True
        if node.op == "gather" and all(place.op == "size" for place in node.inputs[1:]):
            return True
        for dim in [*(node.params.get("start") or ()), *([node.params["value"]] if node.op == "size" else ())]:
            if isinstance(dim, Size) and any(
                not isinstance(atom, str) and name in sizes.symbols(dim)
                for monomial, _ in dim.terms
                for atom, _ in monomial
            ):
                return True
        if any(_differ_inside(inner, name) for _, inner in ir.regions(node)):
            return True
    return False


def _differ_inside(region: Program, name: str) -> bool:
    return any(
        (node.op in COMPARISONS and any(child.op == "size" for child in node.inputs))
        or (node.op == "gather" and all(place.op == "size" for place in node.inputs[1:]))
        for node in region.nodes()
    )


Step = Callable[[Sequence[Node]], Sequence[Node]]
"""The states after one iteration, from those before it."""


def _others(node: Node, ranges: Ranges, first: bool, last: bool) -> tuple[Node, Step] | None:
    """The loop over the iterations between the first and the last, as far as these are left out, and the last one."""
    update = node.params["update"]
    name, number = update.inputs[0].params["name"], node.params["states"]
    count = count_size(node.inputs[0])
    assert count is not None
    ends = int(first) + int(last)
    if not ranges.holds(count - ends):
        return None
    operands = node.inputs[1 + number :]
    states: Sequence[Node] = node.inputs[1 : 1 + number]

    def step(states: Sequence[Node], at: sizes.Dim) -> Sequence[Node]:
        made = inline(update, [ir.size(at), *states, *operands], {name: at})
        leaves = dict.fromkeys(each for each in ir.topological(made) if each.op == "input")
        return decided(Program(tuple(leaves), tuple(made)), ranges).outputs

    if first:
        states = step(states, 0)
    shifted = symbol(name) + int(first)
    counter = update.inputs[0]
    moved = inline(update, [ir.size(shifted), *update.inputs[1:]], {name: shifted})
    body = Program((counter, *update.inputs[1:]), moved, update.name, update.size_inputs)
    loop = ir.loop(body, states, operands, ir.size(count - ends), line=node.line)[0].inputs[0]
    body = decided(body, ranges.inside(loop))
    loop = ir.loop(body, states, operands, ir.size(count - ends), line=node.line)[0].inputs[0]
    return loop, (lambda states: step(states, count - 1)) if last else (lambda states: states)


def _without(node: Node, ranges: Ranges, allowed: Allowed, first: bool, last: bool) -> Forms | None:
    others = _others(node, ranges, first, last)
    rest = None if others is None else unroll(others[0], ranges, allowed)
    if others is None or rest is None or any(result is None for result in rest.results) or _differ_at_all(rest):
        return None
    values = others[1]([result for result in rest.results if result is not None])
    return Forms([_tiled(value) for value in values], rest.laws, rest.rounded)


def ends_apart(program: Program, ranges: Ranges) -> Program:
    """The Program with a first or last iteration of its loops written out, where all others are then alike."""
    new: dict[Node, Node] = {}
    split: dict[Node, Sequence[Node]] = {}
    for node in program.nodes():
        if node.op == "item" and node.inputs[0] in split:
            new[node] = split[node.inputs[0]][node.params["index"]]
            continue
        made = ir.rebuild(node, [new[child] for child in node.inputs])
        inner = ranges.inside(made)
        new[node] = made = ir.with_regions(made, lambda region: ends_apart(region, inner))  # noqa: B023
        if (
            made.op != "loop"
            or not is_plain(made)
            or count_size(made.inputs[0]) is None
            or not _differ(made.params["update"])
        ):
            continue
        for first in (False, True):
            others = _others(made, ranges, first, not first)
            if others is not None and not _differ(others[0].params["update"]):
                loop, last = others
                split[node] = last([ir.make("item", loop, index=k) for k in range(loop.params["states"])])
                break
    return program.with_outputs(new[output] for output in program.outputs)


def _tiled(value: Node) -> Node:
    """Writes that fill a vector, as one array of their values."""
    parts: dict[Dim, Node] = {}
    node, ends = value, value.type.shape
    while node.op == "update_slice" and node.type.rank == 1 and node.params["step"] == (1,):
        if node.params["start"][0] in parts:
            return value
        parts[node.params["start"][0]] = node.inputs[1]
        node = node.inputs[0]
    order: list[Node] = []
    at: Dim = 0
    while at in parts:
        order.append(parts.pop(at))
        at = at + order[-1].type.shape[0]
    return make("concatenate", *order, axis=0) if not parts and order and (at,) == ends and len(order) > 1 else value


def _differ_at_all(found: Forms) -> bool:
    """Whether array expressions still hold elements at computed positions: then nothing was won."""
    return any(each.op in ("gather", "loop") for each in ir.topological([r for r in found.results if r is not None]))
