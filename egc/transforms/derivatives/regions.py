"""Tangents through loops and branches, and cotangents through branches."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from egc import ir
from egc.errors import NotDifferentiable
from egc.ir import Node, Program, make
from egc.ops import CUSTOM
from egc.transforms.derivatives.backward import pullback
from egc.transforms.derivatives.forward import pushforward
from egc.transforms.derivatives.notation import is_differentiable, zeros
from egc.transforms.derivatives.strategy import Strategy
from egc.transforms.derivatives.tables import Tangents, backward_several, several
from egc.transforms.inline import inline
from egc.types import ArrayType


def stand_ins(region: Program, prefix: str, types: Iterable[ArrayType]) -> list[Node]:
    """Fresh inputs for a region."""
    taken = {node.params["name"] for node in region.inputs}
    found: list[Node] = []
    for type in types:
        name = f"{prefix}{len(found)}"
        while name in taken:
            name = f"_{name}"
        taken.add(name)
        found.append(ir.input(name, type))
    return found


@several("loop")
def _loop(node: Node, tangents: Tangents) -> tuple[Node | None, ...]:
    """A loop whose states are the states and their tangents."""
    update, number, first = node.params["update"], node.params["states"], int(node.params["counted"])
    states, operands = update.inputs[first : first + number], update.inputs[first + number :]
    fresh = stand_ins(update, "_d", [each.type for each in (*states, *operands)])
    moving = {k for k, each in enumerate(tangents[first:]) if each is not None}
    inside = (*states, *operands)
    while True:
        found = pushforward(update.outputs, {inside[k]: fresh[k] for k in sorted(moving)})
        grown = moving | {k for k, each in enumerate(found) if each is not None and is_differentiable(each.type)}
        if grown == moving:
            break
        moving = grown
    active = sorted(k for k in moving if k < number)
    if not active:
        return (None,) * number
    given = sorted(k for k in moving if k >= number)
    outputs = [found[k] if found[k] is not None else zeros(states[k].type) for k in active]
    layout = (
        *update.inputs[:first],
        *states,
        *(fresh[k] for k in active),
        *operands,
        *(fresh[k] for k in given),
    )

    def extended(region: Program | None, outputs: Sequence[Node]) -> Program | None:
        if region is None:
            return None
        swap = dict(zip(region.inputs, (*update.inputs[:first], *inside)))
        new = replaced(region.outputs, swap)
        return Program(layout, (*new, *outputs), region.name, update.size_inputs)

    before = [tangents[first + k] or zeros(states[k].type) for k in active]
    inputs: tuple[Node, ...] = (
        *node.inputs[: first + number],
        *before,
        *node.inputs[first + number :],
        *(tangents[first + k] for k in given),
    )
    new = make(
        "loop", *inputs, line=node.line, counted=node.params["counted"], states=number + len(active),
        pre=extended(node.params["pre"], ()), update=extended(update, outputs),  # type: ignore[arg-type]
        post=extended(node.params["post"], ()), reverse=None,
    )  # fmt: skip
    place = {k: number + i for i, k in enumerate(active)}
    return tuple(make("item", new, index=place[k]) if k in place else None for k in range(number))


def replaced(nodes: Sequence[Node], known: Mapping[Node, Node]) -> tuple[Node, ...]:
    """The Nodes with others in the place of some."""
    new = dict(known)
    stack = list(nodes)
    while stack:
        node = stack[-1]
        if node in new:
            stack.pop()
            continue
        waiting = [child for child in node.inputs if child not in new]
        if waiting:
            stack.extend(waiting)
            continue
        new[stack.pop()] = ir.rebuild(node, [new[child] for child in node.inputs])
    return tuple(new[node] for node in nodes)


def _branches(node: Node) -> tuple[Program, Program]:
    return node.params["then"], node.params["otherwise"]


@several("cond")
def _cond(node: Node, tangents: Tangents) -> tuple[Node | None, ...]:
    """A branch whose results are the results and their tangents."""
    if (number := _custom_number(node)) is not None:
        return _custom(node, tangents, number)
    given = [k for k, each in enumerate(tangents) if k and each is not None]
    found = []
    for region in _branches(node):
        fresh = stand_ins(region, "_d", [node.inputs[k].type for k in given])
        moved = pushforward(region.outputs, {region.inputs[k - 1]: each for k, each in zip(given, fresh)})
        found.append((region, fresh, moved))
    types = node.type.items
    active = [
        k
        for k, type in enumerate(types)
        if is_differentiable(type) and any(moved[k] is not None for *_, moved in found)
    ]
    if not active:
        return (None,) * len(types)
    regions = {}
    for region, fresh, moved in found:
        results = [moved[k] if moved[k] is not None else zeros(types[k]) for k in active]
        regions[region.name] = Program((*region.inputs, *fresh), tuple(results), region.name)  # type: ignore[arg-type]
    operands = [*node.inputs[1:], *(tangents[k] for k in given)]
    new = ir.cond(node.inputs[0], regions["then"], regions["otherwise"], operands, node.line)  # type: ignore[arg-type]
    place = {k: i for i, k in enumerate(active)}
    return tuple(new[place[k]] if k in place else None for k in range(len(types)))


def _custom_number(node: Node) -> int | None:
    """How many operands a function with a derivative of its own has; None for other branches."""
    return next((int(scope[len(CUSTOM) :]) for scope in node.scopes if scope.startswith(CUSTOM)), None)


def _custom(node: Node, tangents: Tangents, number: int) -> tuple[Node | None, ...]:
    """The tangents that the second branch gives."""
    if any(each is not None for each in tangents[1 + number :]):
        raise NotDifferentiable(
            "a function with a derivative of its own", "it depends on what is no argument of its", node.line
        )
    values = list(node.inputs[1:])
    for k in range(number):
        values[number + k] = tangents[1 + k] or zeros(values[k].type)
    return tuple(inline(node.params["otherwise"], values))


@backward_several("cond")
def _cond_back(
    node: Node, cotangents: Mapping[int, Node], places: Sequence[int], strategy: Strategy
) -> Sequence[Node | None] | None:
    """A branch whose sides go back through the sides."""
    if _custom_number(node) is not None:
        return None
    results = sorted(cotangents)
    found = []
    for region in _branches(node):
        fresh = stand_ins(region, "_g", [node.type.items[k] for k in results])
        wanted = [region.inputs[k - 1] for k in places]
        back = pullback([region.outputs[k] for k in results], fresh, wanted, strategy)
        found.append((region, fresh, back))
    active = [i for i in range(len(places)) if any(back[i] is not None for *_, back in found)]
    if not active:
        return [None] * len(places)
    regions = {}
    for region, fresh, back in found:
        outputs = [back[i] if back[i] is not None else zeros(node.inputs[places[i]].type) for i in active]
        regions[region.name] = Program((*region.inputs, *fresh), tuple(outputs), region.name)  # type: ignore[arg-type]
    operands = [*node.inputs[1:], *(cotangents[k] for k in results)]
    new = ir.cond(node.inputs[0], regions["then"], regions["otherwise"], operands, node.line)
    place = dict(zip(active, new))
    return [place.get(i) for i in range(len(places))]
