"""How the operands of an op follow from its value, one row for each op."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from egc import ir, sizes
from egc.ir import Node, Program, make
from egc.transforms.derivatives.compensated import two_sum
from egc.transforms.derivatives.inverse import Solution, inverse, peels
from egc.transforms.derivatives.notation import is_differentiable, zeros
from egc.transforms.derivatives.regions import replaced
from egc.transforms.inline import inline
from egc.trips import count_size


def _known_and_not(solution: Solution, node: Node) -> tuple[int, Node] | None:
    """Which of two operands is not known, and the value of the other."""
    values = [solution.value(child) for child in node.inputs]
    if (values[0] is None) == (values[1] is None):
        return None
    place = 0 if values[0] is None else 1
    other = values[1 - place]
    assert other is not None
    return place, other


@peels("add")
def _add(solution: Solution, node: Node, value: Node) -> None:
    found = _known_and_not(solution, node)
    if found is None or node.type.dtype.kind == "b":
        return
    child, other, low = node.inputs[found[0]], found[1], solution.low.get(node)
    if low is None:
        solution.peel(child, make("subtract", value, other))
    else:
        solution.source.setdefault(node, child)
        solution.peel(child, *two_sum(value, low, make("negative", other)))


@peels("subtract")
def _subtract(solution: Solution, node: Node, value: Node) -> None:
    found = _known_and_not(solution, node)
    if found is None:
        return
    place, other = found
    child, low = node.inputs[place], solution.low.get(node)
    if low is None:
        solution.peel(child, make("add", value, other) if place == 0 else make("subtract", other, value))
        return
    if place == 1:
        value, low = make("negative", value), make("negative", low)
    solution.source.setdefault(node, child)
    solution.peel(child, *two_sum(value, low, other))


@peels("multiply")
def _multiply(solution: Solution, node: Node, value: Node) -> None:
    """A floating factor is divided by; an odd integer has an inverse, as integers are counted modulo a power of 2."""
    found = _known_and_not(solution, node)
    if found is None:
        return
    place, other = found
    if is_differentiable(node.type):
        solution.peel(node.inputs[place], make("divide", value, other))
        return
    factor = other.inputs[0] if other.op == "broadcast" else other
    if node.type.dtype.kind in "iu" and ir.is_constant(factor) and factor.params["value"] % 2:
        bits = 8 * node.type.dtype.itemsize
        back = np.array(pow(factor.params["value"], -1, 2**bits), f"u{bits // 8}").astype(node.type.dtype)
        solution.peel(
            node.inputs[place], make("multiply", value, ir.constant(back.item(), back.dtype, node.type.shape))
        )


@peels("bitwise_xor", "logical_xor")
def _exclusive_or(solution: Solution, node: Node, value: Node) -> None:
    if (found := _known_and_not(solution, node)) is not None:
        solution.peel(node.inputs[found[0]], make(node.op, value, found[1]))


@peels("divide")
def _divide(solution: Solution, node: Node, value: Node) -> None:
    if (found := _known_and_not(solution, node)) is not None:
        place, other = found
        rest = make("multiply", value, other) if place == 0 else make("divide", other, value)
        solution.peel(node.inputs[place], rest)


@peels("negative", "conjugate", "invert", "logical_not")
def _itself(solution: Solution, node: Node, value: Node) -> None:
    if node.inputs[0].type == node.type:
        solution.moved(node, value, lambda x: make(node.op, x))


@peels("reshape")
def _reshape(solution: Solution, node: Node, value: Node) -> None:
    solution.moved(node, value, lambda x: make("reshape", x, shape=node.inputs[0].type.shape))


@peels("transpose")
def _transpose(solution: Solution, node: Node, value: Node) -> None:
    axes = tuple(map(node.params["axes"].index, range(node.type.rank)))
    solution.moved(node, value, lambda x: make("transpose", x, axes=axes))


@peels("update_slice")
def _update_slice(solution: Solution, node: Node, value: Node) -> None:
    """A part that was changed in place: the part before from the part after, and the rest as it is."""
    base, new = node.inputs
    where = {"start": node.params["start"], "size": new.type.shape, "step": node.params["step"]}
    part = make("slice", base, **where)
    _part(
        solution,
        part,
        new,
        value,
        make("slice", value, **where),
        lambda old: make("update_slice", value, old, **{k: where[k] for k in ("start", "step")}),
    )


@peels("scatter")
def _scatter(solution: Solution, node: Node, value: Node) -> None:
    """One place that data decides, in the same way; sums into places are taken off."""
    base, new, *indices = node.inputs
    axes, combine = node.params["axes"], node.params["combine"]
    places = [found for index in indices if (found := solution.value(index)) is not None]
    if len(places) != len(indices):
        return
    if combine in ("add", "subtract"):
        added = solution.value(new)
        if added is not None:
            other = "subtract" if combine == "add" else "add"
            solution.peel(base, make("scatter", value, added, *places, axes=axes, combine=other))
        return
    if combine != "set" or indices[0].type.rank:
        return
    part = make("gather", base, *indices, axes=axes, mode="raise")
    read = make("gather", value, *places, axes=axes, mode="raise")
    _part(solution, part, new, value, read, lambda old: make("scatter", value, old, *places, axes=axes, combine="set"))


def _part(solution: Solution, part: Node, new: Node, whole: Node, value: Node, written: Callable[[Node], Node]) -> None:
    """Learns an array from what became of one part of it; other parts are as they are in the whole after that."""
    base = part.inputs[0]
    place = ir.input("_part", part.type)
    (open_form,) = replaced([new], {part: place})
    states = solution.states
    solution.states = (*states, place)
    before, progress = dict(solution.known), solution.progress
    for node in ir.topological([open_form]):
        if node.op == "slice" and node.inputs[0] is base and part.op == "slice" and _apart(node, part):
            solution.known[node] = make("slice", whole, **node.params)
    solution.peel(open_form, value)
    found = solution.known.pop(place, None)
    solution.states = states
    if found is not None and place not in ir.topological([found]):
        solution.known[part] = found
        solution.peel(base, written(found))
    else:
        solution.known, solution.progress = before, progress


def _apart(a: Node, b: Node) -> bool:
    """Whether two windows of an array have no element in common, for all sizes."""
    for k in range(len(a.params["start"])):
        (first, last), (other, end) = (
            (each.params["start"][k], each.params["start"][k] + (each.type.shape[k] - 1) * each.params["step"][k])
            for each in (a, b)
        )
        gaps = [x - y for x, y in ((first, end), (other, last))]
        if all(each.params["step"][k] > 0 for each in (a, b)) and any(isinstance(g, int) and g > 0 for g in gaps):
            return True
    return False


@peels("item")
def _item(solution: Solution, node: Node, value: Node) -> None:
    """A state after an inner loop, which is run backward from the states that are known after it."""
    loop = node.inputs[0]
    if (
        loop.op != "loop"
        or not loop.params["counted"]
        or any(loop.params[name] is not None for name in ("pre", "post"))
    ):
        return
    count, number, update = count_size(loop.inputs[0]), loop.params["states"], loop.params["update"]
    reverse = inverse(loop, {node.params["index"]}, solution.additive)
    operands = [solution.value(each) for each in loop.inputs[1 + number :]]
    if count is None or reverse is None or any(each is None for each in operands):
        return
    finals = [solution.known.get(make("item", loop, index=k)) for k in range(number)]
    used = set(ir.topological([reverse.outputs[node.params["index"]]]))
    for _ in range(number):
        used |= {
            n for k in range(number) if reverse.inputs[1 + k] in used for n in ir.topological([reverse.outputs[k]])
        }
    if any(final is None and reverse.inputs[1 + k] in used for k, final in enumerate(finals)):
        return
    name = update.inputs[0].params["name"]
    counter = ir.input(f"{name}_back", update.inputs[0].type)
    back = count - 1 - sizes.symbol(f"{name}_back")
    body = inline(reverse, [ir.size(back), *reverse.inputs[1:]], {name: back})
    program = Program((counter, *reverse.inputs[1:]), body, "update", frozenset([f"{name}_back"]))
    start = [zeros(state.type) if final is None else final for state, final in zip(loop.inputs[1:], finals)]
    before = ir.loop(program, start, operands, ir.size(count), line=loop.line)  # type: ignore[arg-type]
    solution.peel(loop.inputs[1 + node.params["index"]], before[node.params["index"]])


@peels("concatenate")
def _concatenate(solution: Solution, node: Node, value: Node) -> None:
    """The parts of one state in another order."""
    axis, parts = node.params["axis"], node.inputs
    if any(part.op != "slice" or part.inputs[0] is not parts[0].inputs[0] for part in parts):
        return
    state = parts[0].inputs[0]
    placed: dict[object, dict[str, Any]] = {}
    before = 0
    for part in parts:
        start, step = part.params["start"], part.params["step"]
        whole = all(each == 0 or k == axis for k, each in enumerate(start))
        if not whole or any(each != 1 for each in step):
            return
        at = tuple(before if k == axis else 0 for k in range(part.type.rank))
        placed[start[axis]] = {"start": at, "size": part.type.shape, "step": step}
        before = before + part.type.shape[axis]
    pieces: list[dict[str, Any]] = []
    position: object = 0
    while position in placed:
        pieces.append(placed.pop(position))
        position = position + pieces[-1]["size"][axis]
    if placed or position != state.type.shape[axis]:
        return
    solution.moved(
        node, value, lambda x: make("concatenate", *(make("slice", x, **each) for each in pieces), axis=axis), state
    )
