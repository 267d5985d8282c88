"""Loops of one range that are one loop, and one loop that is several.

for k: A(k);  for k: B(k)  = for k: A(k); B(k), where B(k) reads and writes nothing that A touches after iteration k
for k: A(k); B(k)          = for k: A(k);  for k: B(k), where neither reads the other's states
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from egc import ir
from egc.ir import Node, Program
from egc.kinds import is_total
from egc.ranges import Ranges
from egc.sizes import symbol
from egc.transforms.dependence import Touched, apart_later, counters, touched
from egc.transforms.forms import Allowed, Forms
from egc.transforms.inline import inline
from egc.transforms.promote import is_plain
from egc.trips import count_size

QUIET = frozenset("slice update_slice reshape item loop cond matmul diagonal assume".split())
"""Ops that raise nothing where their types are right, besides those that are total."""

MOST_LOOPS = 8
"""Loops of one range that are tried together."""


@dataclass(frozen=True)
class Pair:
    """Two loops of a Program, the first of which runs first, and who uses what the first one gives."""

    first: Node
    second: Node
    users: Mapping[Node, Sequence[Node]]
    outputs: frozenset[Node]

    def given(self, node: Node) -> int | None:
        """The number of the first loop's result that a Node is."""
        return node.params["index"] if node.op == "item" and node.inputs[0] is self.first else None

    def between(self, k: int) -> bool:
        """Whether nothing but the second loop needs a result of the first."""
        items = [each for each in self.users[self.first] if each.params["index"] == k]
        return not any(each in self.outputs or set(self.users[each]) != {self.second} for each in items)


def fusions(program: Program, ranges: Ranges) -> Iterator[dict[Node, Node]]:
    """What results of loops of a Program are as those of one loop, for each run of loops that can be one."""
    loops = [node for node in program.nodes() if node.op == "loop" and is_plain(node)]
    for group in _of_one_range(loops):
        for start in range(len(group) - 1):
            yield from _run(program, group[start:], ranges)


def _of_one_range(loops: Sequence[Node]) -> Iterable[list[Node]]:
    groups: dict[object, list[Node]] = {}
    for node in loops:
        size = count_size(node.inputs[0])
        groups.setdefault(node.inputs[0] if size is None else size, []).append(node)
    return [group[:MOST_LOOPS] for group in groups.values() if len(group) > 1]


def _run(program: Program, loops: Sequence[Node], ranges: Ranges) -> Iterator[dict[Node, Node]]:
    """The first loop with the next ones that can be one with it, one after the other."""
    found: dict[Node, Node] = {}
    here = {node: node for node in program.nodes()}
    for second in loops[1:]:
        together = here.get(loops[0]), here.get(second)
        if together[0] is None or together[1] is None:
            continue
        made = fused(program, together[0], together[1], ranges)
        if made is None:
            continue
        changed: dict[Node, Node] = {}
        for node in program.nodes():
            changed[node] = made.get(node) or ir.rebuild(node, [changed[child] for child in node.inputs])
        program = program.with_outputs(changed[output] for output in program.outputs)
        one = next(iter(made.values())).inputs[0]
        here = {old: changed[new] for old, new in here.items() if new in changed}
        here[loops[0]] = one
        found = {old: new for old, new in here.items() if new.op == "item" and new.inputs[0] is one}
        yield dict(found)


def fused(program: Program, first: Node, second: Node, ranges: Ranges) -> dict[Node, Node] | None:
    """The results of two loops that something needs as those of one loop; None where they cannot be one."""
    pair = _pair(program, first, second)
    if pair is None or (may_raise(first) and may_raise(second)):
        return None
    chained = _chained(pair, ranges)
    if chained is None:
        return None
    loop, places = _together(pair, chained)
    carrying = [carries(each, ranges) for each in (first, second, loop)]
    if carrying[0] != carrying[1] or carrying[2] != carrying[0]:
        return None
    found: dict[Node, Node] = {}
    for k, place in places[0].items():
        for each in pair.users[first]:
            if each.params["index"] == k and not pair.between(k):
                found[each] = ir.make("item", loop, index=place, line=each.line)
    for k, place in places[1].items():
        for each in pair.users[second]:
            if each.params["index"] == k:
                found[each] = ir.make("item", loop, index=place, line=each.line)
    return found


def _pair(program: Program, first: Node, second: Node) -> Pair | None:
    """Two loops, unless one needs the other's results otherwise than as they are."""
    if first is second:
        return None
    users: dict[Node, list[Node]] = {}
    for node in program.nodes():
        for child in dict.fromkeys(node.inputs):
            users.setdefault(child, []).append(node)
    needs = set(ir.topological([first]))
    if second in needs:
        return None
    pair = Pair(first, second, users, frozenset(program.outputs))
    others = [node for node in second.inputs if pair.given(node) is None]
    return None if first in ir.topological(others) or first not in users or second not in users else pair


def _chained(pair: Pair, ranges: Ranges) -> dict[int, int] | None:
    """The states of the second loop that are results of the first, by number; None where the second reads, or writes,
    what is touched by the first in later iterations."""
    update, number = pair.second.params["update"], pair.second.params["states"]
    name, other = pair.first.params["update"].inputs[0].params["name"], update.inputs[0].params["name"]
    if name in counters(update):
        return None
    region = _renamed(update, other, name)
    inner = counters(region) | counters(pair.first.params["update"])
    chained: dict[int, int] = {}
    for place, value in enumerate(pair.second.inputs[1:]):
        k = pair.given(value)
        if k is None:
            continue
        ours = _state(pair.first, k)
        theirs = touched(region, region.inputs[1 + place])
        if ours is None or theirs is None:
            return None
        is_state = place < number
        outputs = {j for j, output in enumerate(region.outputs) if output in theirs.versions}
        if outputs != ({place} if is_state else set()) or (is_state and (k in chained.values() or not pair.between(k))):
            return None
        checks = [(later, now) for later in ours.writes for now in theirs.windows]
        if is_state:
            chained[place] = k
            checks += [(later, now) for later in ours.reads for now in theirs.writes]
        if not all(apart_later(later, now, name, inner, ranges) for later, now in checks):
            return None
    return chained


def _state(loop: Node, k: int) -> Touched | None:
    """What a loop does with one of its states, where an array stays what it is but for the windows that are written."""
    update = loop.params["update"]
    found = touched(update, update.inputs[1 + k])
    if found is None or {j for j, each in enumerate(update.outputs) if each in found.versions} != {k}:
        return None
    return found


def _renamed(region: Program, old: str, new: str) -> Program:
    """A region whose iterations' number has another name."""
    if old == new:
        return region
    inputs = (ir.input(new, region.inputs[0].type), *region.inputs[1:])
    outputs = inline(region, inputs, {old: symbol(new)})
    return Program(inputs, outputs, region.name, (region.size_inputs - {old}) | {new})


def _together(pair: Pair, chained: Mapping[int, int]) -> tuple[Node, tuple[dict[int, int], dict[int, int]]]:
    """The one loop of two, and which of its states each result of theirs is."""
    ours, theirs = pair.first.params["update"], pair.second.params["update"]
    counter, numbers = ours.inputs[0], (pair.first.params["states"], pair.second.params["states"])
    name = counter.params["name"]
    theirs = _renamed(theirs, theirs.inputs[0].params["name"], name)
    starts, operands = list(pair.first.inputs[1 : 1 + numbers[0]]), list(pair.first.inputs[1 + numbers[0] :])
    places = {k: k for k in range(numbers[0])}, {j: chained[j] for j in chained}
    for j in range(numbers[1]):
        if j not in chained:
            places[1][j] = len(starts)
            starts.append(pair.second.inputs[1 + j])
    given = pair.second.inputs[1 + numbers[1] :]
    operands += [value for value in given if pair.given(value) is None]
    states = [ir.input(f"_s{name[2:]}_{k}", value.type) for k, value in enumerate(starts)]
    inside = [ir.input(f"_c{name[2:]}_{k}", value.type) for k, value in enumerate(operands)]
    own = len(pair.first.inputs) - 1 - numbers[0]
    made = inline(ours, [counter, *states[: numbers[0]], *inside[:own]])
    rest = iter(inside[own:])
    read = [made[k] if (k := pair.given(value)) is not None else next(rest) for value in given]
    before = [made[chained[j]] if j in chained else states[places[1][j]] for j in range(numbers[1])]
    after = inline(theirs, [counter, *before, *read])
    outputs = [*made, *(after[j] for j in range(numbers[1]) if j not in chained)]
    for j, k in chained.items():
        outputs[k] = after[j]
    body = Program((counter, *states, *inside), tuple(outputs), "update", ours.size_inputs)
    loop = ir.loop(body, starts, operands, pair.first.inputs[0], line=pair.second.line)[0].inputs[0]
    return loop, places


def may_raise(loop: Node) -> bool:
    """Whether an iteration of a loop, or a branch, may raise."""
    return any(_raises(node) for _, region in ir.regions(loop) for node in region.nodes())


def _raises(node: Node) -> bool:
    if node.op in QUIET:
        return may_raise(node)
    return not is_total(node) and not (node.op == "gather" and node.params["mode"] != "raise")


def carries(loop: Node, ranges: Ranges) -> bool:
    """Whether an iteration of a plain loop needs what another one made: if none does, threads may share them."""
    update = loop.params["update"]
    name, inner = update.inputs[0].params["name"], counters(update)
    for k in range(loop.params["states"]):
        found = _state(loop, k)
        if found is None:
            return True
        pairs = [(a, b) for a in found.writes for b in found.windows]
        pairs += [(b, a) for a, b in pairs]
        if not all(apart_later(later, now, name, inner, ranges) for later, now in pairs):
            return True
    return False


def separated(node: Node, allowed: Allowed) -> list[tuple[list[int], Node]] | None:
    """A loop as several, each with the states that it gives: groups of states of which none reads another's."""
    if "independent_states_are_separate" not in allowed or not is_plain(node) or node.params["states"] < 2:
        return None
    update, number = node.params["update"], node.params["states"]
    states = update.inputs[1 : 1 + number]
    group = list(range(number))
    for k, output in enumerate(update.outputs):
        nodes = set(ir.topological([output]))
        for j in [j for j, state in enumerate(states) if state in nodes]:
            old, new = group[j], group[k]
            group = [new if each == old else each for each in group]
    groups = [[k for k in range(number) if group[k] == each] for each in dict.fromkeys(group)]
    if len(groups) < 2:
        return None
    found = []
    for members in groups:
        inputs = (update.inputs[0], *(states[k] for k in members), *update.inputs[1 + number :])
        body = Program(inputs, tuple(update.outputs[k] for k in members), update.name, update.size_inputs)
        starts = [node.inputs[1 + k] for k in members]
        loop = ir.loop(body, starts, node.inputs[1 + number :], node.inputs[0], line=node.line)[0].inputs[0]
        found.append((members, loop))
    return found


def apart(parts: Sequence[tuple[list[int], Node]], states: int) -> Forms:
    """The results of a loop as those of the loops that it is apart."""
    results: list[Node | None] = [None] * states
    for members, loop in parts:
        for place, k in enumerate(members):
            results[k] = ir.make("item", loop, index=place, line=loop.line)
    return Forms(results, {"independent_states_are_separate"})
