"""States that are arrays, of which a loop needs only a part at a time.

one window read and written in every iteration = the window alone is the state
an element that the iteration before wrote = a state of its own
"""

from __future__ import annotations

from collections.abc import Callable

from egc import ir, sizes
from egc.ir import Node, Program, make
from egc.ranges import Ranges, coefficient, mentions
from egc.transforms.vmap import reshaped, sliced
from egc.transforms.windows import Window, window_of
from egc.types import Shape

Through = tuple[Node, tuple[Node, ...]]
"""A loop, and the results of another one in terms of its."""

Law = Callable[[Node, int, Ranges], "Through | None"]


def promoted(node: Node, ranges: Ranges) -> Through | None:
    """The results of a counted loop by one whose state k is a window; None where it has no such form."""
    return _first(node, ranges, _window)


def carried(node: Node, ranges: Ranges) -> Through | None:
    """The results of a counted loop by one that keeps what the next iteration reads of a state; None where there is none."""
    return _first(node, ranges, _carried)


def is_plain(node: Node) -> bool:
    """Whether a loop is counted and nothing else ends it."""
    return node.params["counted"] and all(node.params[name] is None for name in ("pre", "post", "reverse"))


def _first(node: Node, ranges: Ranges, law: Law) -> Through | None:
    if not is_plain(node):
        return None
    found = (law(node, k, ranges) for k in range(node.params["states"]))
    return next((each for each in found if each is not None), None)


def readers(region: Program, node: Node) -> list[Node]:
    return [each for each in region.nodes() if node in each.inputs]


def written_once(update: Program, k: int) -> Node | None:
    """The one write into a state, where it is all that becomes of it, and nothing else needs the array after it."""
    state, output = update.inputs[1 + k], update.outputs[k]
    if output.op != "update_slice" or output.inputs[0] is not state or not state.type.rank:
        return None
    return output if update.outputs.count(output) == 1 and not readers(update, output) else None


def in_range(x: Node, window: Window, ranges: Ranges) -> bool:
    """Whether a window certainly lies inside an array."""
    for length, first, count, stride in zip(x.type.shape, *window):
        last = first + (count - 1) * stride
        if not all(ranges.holds(each) and ranges.holds(length - 1 - each) for each in (first, last)):
            return False
    return True


def _part(size: Shape) -> Shape:
    """A window is kept without its axes of length 1: one element as a number."""
    return tuple(dim for dim in size if dim != 1)


def _window(node: Node, k: int, ranges: Ranges) -> Through | None:
    update = node.params["update"]
    state, output, before = update.inputs[1 + k], written_once(update, k), node.inputs[1 + k]
    if output is None:
        return None
    name, window = update.inputs[0].params["name"], window_of(output)
    start, size, step = window
    if mentions(output, name) or mentions(output.inputs[1], name) or size == state.type.shape:
        return None
    users = [each for each in readers(update, state) if each is not output]
    same = all(each.op == "slice" and window_of(each) == window for each in users)
    if not same or state in update.outputs or not in_range(before, window, ranges):
        return None
    part = ir.input(state.params["name"], state.type.with_shape(_part(size)))
    new = _rebuilt(update, {state: part, output: part, **{each: reshaped(part, size) for each in users}})
    outputs = [reshaped(new[output.inputs[1]], _part(size)) if each is output else new[each] for each in update.outputs]
    inputs = tuple(part if each is state else each for each in update.inputs)
    region = Program(inputs, tuple(outputs), update.name, update.size_inputs)
    count = node.params["states"]
    states = list(node.inputs[1 : 1 + count])
    states[k] = reshaped(sliced(before, *window), _part(size))
    made = list(ir.loop(region, states, node.inputs[1 + count :], node.inputs[0], line=node.line))
    loop = made[k].inputs[0]
    made[k] = make("update_slice", before, reshaped(made[k], size), start=tuple(start), step=tuple(step))
    return loop, tuple(made)


def _rebuilt(region: Program, new: dict[Node, Node]) -> dict[Node, Node]:
    for each in region.nodes():
        if each.op == "reshape":
            new[each] = reshaped(new[each.inputs[0]], each.type.shape)
        elif each not in new:
            new[each] = ir.rebuild(each, [new[child] for child in each.inputs])
    return new


def _carried(node: Node, k: int, ranges: Ranges) -> Through | None:
    update = node.params["update"]
    state, output, before = update.inputs[1 + k], written_once(update, k), node.inputs[1 + k]
    if output is None or state in update.outputs:
        return None
    name = update.inputs[0].params["name"]
    start, size, step = window_of(output)
    factors = [coefficient(each, name) for each in start]
    if mentions(output.inputs[1], name) or None in factors or all(factor == 0 for factor in factors):
        return None
    last = tuple(each - (factor or 0) for each, factor in zip(start, factors))
    found = [each for each in readers(update, state) if each.op == "slice" and window_of(each) == (last, size, step)]
    first = tuple(sizes.substitute(each, {name: 0}) for each in last)
    if not found or not in_range(before, (first, size, step), ranges):
        return None
    taken, label = {each.params["name"] for each in update.inputs}, f"_s{name[2:]}_"
    label += next(str(number) for number in range(len(taken) + 1) if f"{label}{number}" not in taken)
    carry = ir.input(label, state.type.with_shape(_part(size)))
    new = _rebuilt(update, {each: reshaped(carry, size) for each in found})
    count = node.params["states"]
    inputs = (*update.inputs[: 1 + count], carry, *update.inputs[1 + count :])
    outputs = (*(new[each] for each in update.outputs), reshaped(new[output.inputs[1]], _part(size)))
    region = Program(inputs, outputs, update.name, update.size_inputs)
    initial = reshaped(sliced(before, first, size, step), _part(size))
    states = [*node.inputs[1 : 1 + count], initial]
    made = ir.loop(region, states, node.inputs[1 + count :], node.inputs[0], line=node.line)
    return made[0].inputs[0], made[:count]
