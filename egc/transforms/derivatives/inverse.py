"""The reverse of a loop, found by solving its update for the states before.

Each result of the update is known afterwards. What is added to a state is taken off again, what it was multiplied by
divides it, as soon as all that it is made of is known: the steps of leapfrog and of coupling layers (Dinh, Krueger and
Bengio, "NICE", 2015) are solved one after the other. Two states that are mixed, as by a rotation, are solved for
together.
"""

from __future__ import annotations

from collections.abc import Callable

from egc import ir, sizes
from egc.ir import Node, Program, make
from egc.ops import OPS
from egc.transforms.derivatives.forward import pushforward
from egc.transforms.derivatives.notation import zeros
from egc.transforms.derivatives.regions import replaced, stand_ins
from egc.transforms.inline import inline
from egc.trips import count_size


def inverse(node: Node, needed: set[int], additive: bool = False) -> Program | None:
    """The region that gives the states before an iteration from those after it; None where none is found.

    needed: the states whose values are asked for; others may be what they are afterwards. additive: use sums alone:
    they keep rounding errors as small as they are, while quotients may enlarge them in each iteration.
    """
    update, first, number = node.params["update"], int(node.params["counted"]), node.params["states"]
    solution = _Solution(update, first, number, additive)
    solution.solve()
    states = update.inputs[first : first + number]
    if any(states[k] not in solution.known for k in needed):
        return None
    inputs = (*update.inputs[:first], *solution.after, *update.inputs[first + number :])
    found = tuple(solution.known.get(state, after) for state, after in zip(states, solution.after))
    return Program(inputs, found, "reverse", update.size_inputs)


class _Solution:
    """known: Nodes of the update whose values follow from what is known after it, with these."""

    def __init__(self, update: Program, first: int, number: int, additive: bool):
        self.states, self.additive = update.inputs[first : first + number], additive
        self.after = stand_ins(update, "_after", [each.type for each in self.states])
        self.outputs = update.outputs
        self.known: dict[Node, Node] = {each: each for each in update.inputs if each not in self.states}
        for output, value in zip(self.outputs, self.after):
            if output not in self.states:
                self.known.setdefault(output, value)
        self.progress = False

    def solve(self) -> None:
        """Learns as many states as it can."""
        while self.unknown():
            self.progress = False
            for node, value in [*zip(self.outputs, self.after), *self.known.items()]:
                self.peel(node, value)
            if not self.progress and not self._together():
                return

    def unknown(self) -> list[Node]:
        return [state for state in self.states if state not in self.known]

    def value(self, node: Node) -> Node | None:
        """A Node by what is known; None where it depends on what is not."""
        missing = set(self.unknown())
        stack, seen = [node], set()
        while stack:
            each = stack.pop()
            if each in missing:
                return None
            if each in seen or each in self.known:
                continue
            seen.add(each)
            stack.extend(each.inputs)
        return replaced([node], self.known)[0]

    def learn(self, node: Node, value: Node) -> None:
        if node not in self.known:
            self.known[node] = value
            self.progress = True

    def peel(self, node: Node, value: Node) -> None:
        """Learns states from the value of a Node that is made of them."""
        self.learn(node, value)
        if node in self.states:
            return
        if node.op in PEELS and not (self.additive and node.op in GROWING):
            PEELS[node.op](self, node, value)

    def _together(self) -> bool:
        """Solves for two states that two results are linear in, element by element."""
        missing = [state for state in self.unknown() if state.type.dtype.kind in "fc"]
        if self.additive or len(missing) != 2 or missing[0].type != missing[1].type:
            return False
        kind = missing[0].type
        one, nothing = (ir.constant(value, kind.dtype, kind.shape) for value in (1, 0))
        table: list[list[Node]] = []
        rest: list[Node] = []
        for output, value in zip(self.outputs, self.after):
            (form,) = replaced([output], {key: each for key, each in self.known.items() if key is not output})
            if form.type != kind or not _elementwise(form, missing):
                continue
            factors = [pushforward([form], {state: one})[0] or nothing for state in missing]
            if any(each in missing for each in ir.topological(factors)):
                return False
            table.append(factors)
            rest.append(_minus(value, *replaced([form], dict.fromkeys(missing, nothing))))
        if len(table) != 2:
            return False
        (a, b), (c, d) = table
        determinant = _minus(_times(a, d), _times(b, c))
        self.learn(missing[0], make("divide", _minus(_times(d, rest[0]), _times(b, rest[1])), determinant))
        self.learn(missing[1], make("divide", _minus(_times(a, rest[1]), _times(c, rest[0])), determinant))
        return True


def _times(x: Node, y: Node) -> Node:
    return make("multiply", x, y)


def _minus(x: Node, y: Node) -> Node:
    return make("subtract", x, y)


def _elementwise(form: Node, missing: list[Node]) -> bool:
    """Whether elements of a value depend on some states, and each on the same element of them alone."""
    depends = set(missing)
    for node in ir.topological([form]):
        if node not in depends and any(child in depends for child in node.inputs):
            if OPS[node.op].kind != "elementwise":
                return False
            depends.add(node)
    return form in depends


Peel = Callable[[_Solution, Node, Node], None]
PEELS: dict[str, Peel] = {}
GROWING = frozenset(["multiply", "divide"])


def _peels(*names: str) -> Callable[[Peel], Peel]:
    def register(peel: Peel) -> Peel:
        PEELS.update(dict.fromkeys(names, peel))
        return peel

    return register


def _known_and_not(solution: _Solution, node: Node) -> tuple[int, Node] | None:
    """Which of two operands is not known, and the value of the other."""
    values = [solution.value(child) for child in node.inputs]
    if (values[0] is None) == (values[1] is None):
        return None
    place = 0 if values[0] is None else 1
    other = values[1 - place]
    assert other is not None
    return place, other


@_peels("add")
def _add(solution: _Solution, node: Node, value: Node) -> None:
    if (found := _known_and_not(solution, node)) is not None:
        solution.peel(node.inputs[found[0]], make("subtract", value, found[1]))


@_peels("subtract")
def _subtract(solution: _Solution, node: Node, value: Node) -> None:
    if (found := _known_and_not(solution, node)) is not None:
        place, other = found
        rest = make("add", value, other) if place == 0 else make("subtract", other, value)
        solution.peel(node.inputs[place], rest)


@_peels("multiply")
def _multiply(solution: _Solution, node: Node, value: Node) -> None:
    if (found := _known_and_not(solution, node)) is not None:
        solution.peel(node.inputs[found[0]], make("divide", value, found[1]))


@_peels("divide")
def _divide(solution: _Solution, node: Node, value: Node) -> None:
    if (found := _known_and_not(solution, node)) is not None:
        place, other = found
        rest = make("multiply", value, other) if place == 0 else make("divide", other, value)
        solution.peel(node.inputs[place], rest)


@_peels("negative", "conjugate")
def _itself(solution: _Solution, node: Node, value: Node) -> None:
    solution.peel(node.inputs[0], make(node.op, value))


@_peels("reshape")
def _reshape(solution: _Solution, node: Node, value: Node) -> None:
    solution.peel(node.inputs[0], make("reshape", value, shape=node.inputs[0].type.shape))


@_peels("transpose")
def _transpose(solution: _Solution, node: Node, value: Node) -> None:
    axes = node.params["axes"]
    solution.peel(node.inputs[0], make("transpose", value, axes=tuple(axes.index(k) for k in range(len(axes)))))


@_peels("update_slice")
def _update_slice(solution: _Solution, node: Node, value: Node) -> None:
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


@_peels("scatter")
def _scatter(solution: _Solution, node: Node, value: Node) -> None:
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


def _part(
    solution: _Solution, part: Node, new: Node, whole: Node, value: Node, written: Callable[[Node], Node]
) -> None:
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


@_peels("item")
def _item(solution: _Solution, node: Node, value: Node) -> None:
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


@_peels("concatenate")
def _concatenate(solution: _Solution, node: Node, value: Node) -> None:
    """The parts of one state in another order."""
    axis, parts = node.params["axis"], node.inputs
    if any(part.op != "slice" or part.inputs[0] is not parts[0].inputs[0] for part in parts):
        return
    state = parts[0].inputs[0]
    placed: dict[object, Node] = {}
    before = 0
    for part in parts:
        start, step = part.params["start"], part.params["step"]
        whole = all(each == 0 or k == axis for k, each in enumerate(start))
        if not whole or any(each != 1 for each in step):
            return
        at = tuple(before if k == axis else 0 for k in range(part.type.rank))
        placed[start[axis]] = make("slice", value, start=at, size=part.type.shape, step=step)
        before = before + part.type.shape[axis]
    pieces: list[Node] = []
    position: object = 0
    while position in placed:
        piece = placed.pop(position)
        pieces.append(piece)
        position = position + piece.type.shape[axis]  # type: ignore[operator]
    if placed or position != state.type.shape[axis]:
        return
    solution.peel(state, make("concatenate", *pieces, axis=axis))
