"""Loops split into parts of which some are array expressions.

work that needs no state = done for all iterations before the loop
state that only others read as they go = stored in each iteration, and the others are array expressions of it
loops of equal ranges = one loop
"""

from __future__ import annotations

from collections.abc import Sequence

from egc import ir, sizes
from egc.ir import Node, Program, make
from egc.kinds import CHEAP, ELEMENTWISE
from egc.ops import OPS
from egc.ranges import Ranges
from egc.rows import unwritten
from egc.sizes import Dim, symbol
from egc.transforms.forms import Allowed, Forms
from egc.transforms.inline import inline
from egc.transforms.promote import is_plain
from egc.transforms.solve import RECURRENCE, Solution
from egc.transforms.tidy import add_operands
from egc.transforms.vmap import Lifting, NotLifted, Value, number_of, operands_of
from egc.trips import count_size


def done_before(node: Node, ranges: Ranges, allowed: Allowed) -> Forms | None:
    """A loop that reads what all its iterations compute without its states."""
    count = count_size(node.inputs[0]) if is_plain(node) else None
    if "stateless_work_is_done_before" not in allowed or count is None:
        return None
    update, number = node.params["update"], node.params["states"]
    count = count if ranges.holds(count) else sizes.maximum(0, count)
    name = update.inputs[0].params["name"]
    known = operands_of(update.inputs[1 + number :], node.inputs[1 + number :])
    known[update.inputs[0]] = number_of(count)
    lifting = Lifting(name, count, ranges.inside(node), known)
    wanted: dict[Node, Node] = {}
    for each in _costly(update, set(update.inputs[1 : 1 + number])):
        try:
            value = lifting.value(each)
        except NotLifted:
            continue
        if value.lifted:
            wanted[each] = value.node
    if not wanted:
        return None
    regions, operands = add_operands({"update": update}, node.inputs[1 + number :], list(wanted), list(wanted.values()))
    return Forms(
        _reading(node, regions["update"], operands, len(wanted)), {"stateless_work_is_done_before"}, lifting.rounded
    )


def _costly(update: Program, states: set[Node]) -> list[Node]:
    """The numbers that need no state, and more than cheap arithmetic, and that nothing else of that kind needs."""
    free: set[Node] = set()
    dear: set[Node] = set()
    used: set[Node] = set()
    for node in update.nodes():
        if node not in states and all(child in free for child in node.inputs) and not list(ir.regions(node)):
            free.add(node)
            number = OPS[node.op].kind == ELEMENTWISE and node.type.rank == 0
            costly = node.op not in CHEAP and node.op != "divide"
            if number and (costly or any(child in dear for child in node.inputs)):
                dear.add(node)
        else:
            used.update(node.inputs)
    used.update(update.outputs)
    return [node for node in update.nodes() if node in dear and node in used]


def _reading(node: Node, update: Program, operands: Sequence[Node], fresh: int) -> list[Node | None]:
    """The loop with its last operands, numbers in the region, read from arrays with one for each iteration."""
    number = symbol(update.inputs[0].params["name"])
    old = update.inputs[len(update.inputs) - fresh :]
    rows = [ir.input(place.params["name"], value.type) for place, value in zip(old, operands[len(operands) - fresh :])]
    read = [make("reshape", make("slice", row, start=(number,), size=(1,), step=(1,)), shape=()) for row in rows]
    kept = update.inputs[: len(update.inputs) - fresh]
    body = Program((*kept, *rows), inline(update, [*kept, *read]), update.name, update.size_inputs)
    states = node.inputs[1 : 1 + node.params["states"]]
    return list(ir.loop(body, states, operands, node.inputs[0], line=node.line))


def stored_states(node: Node, ranges: Ranges, allowed: Allowed) -> Forms | None:
    """A loop over the states that need one another, which stores them, and array expressions for those that read them."""
    count = count_size(node.inputs[0]) if is_plain(node) else None
    if "states_are_stored_and_read" not in allowed or count is None or node.params["states"] < 2:
        return None
    allowed = allowed - {RECURRENCE}
    solution = Solution(node, count, ranges, allowed)
    solution.solve()
    pending = solution.pending
    readers = [k for k in pending if not _is_read(solution, k)]
    core = [k for k in pending if k not in readers]
    needed = [k for k in core if any(solution.states[k] in ir.topological([solution.outputs[j]]) for j in readers)]
    if not readers or not needed or any(solution.states[k].type.rank for k in needed):
        return None
    final, rows = _stored(node, solution.count, _closure(solution, core), needed)
    again = Solution(node, count, ranges, allowed)
    for k, row in zip(needed, rows):
        again.lifting.known[again.states[k]] = Value(row, True)
    for k in core:
        again.fixed[k] = final[k]
    results = again.solve()
    if any(results[k] is None for k in readers):
        return None
    return Forms(results, {*again.laws, "states_are_stored_and_read"}, again.rounded)


def _closure(solution: Solution, core: Sequence[int]) -> list[int]:
    """The states, and those that they read."""
    found = list(core)
    for k in found:
        nodes = set(ir.topological([solution.outputs[k]]))
        found += [j for j, state in enumerate(solution.states) if state in nodes and j not in found]
    return found


def _is_read(solution: Solution, k: int) -> bool:
    others = [solution.outputs[j] for j in solution.pending if j != k]
    return solution.states[k] in ir.topological(others)


def _stored(node: Node, count: Dim, core: Sequence[int], needed: Sequence[int]) -> tuple[dict[int, Node], list[Node]]:
    """The loop over some states alone, and what some of them are before each iteration."""
    update, number = node.params["update"], node.params["states"]
    counter, name = update.inputs[0], update.inputs[0].params["name"]
    label = f"_r{name[2:]}_"
    given = [update.inputs[1 + k] for k in core]
    arrays = [ir.input(f"{label}{k}", update.inputs[1 + k].type.with_shape((count,))) for k in needed]
    written = [
        make("update_slice", array, make("reshape", update.inputs[1 + k], shape=(1,)), start=(symbol(name),), step=(1,))
        for array, k in zip(arrays, needed)
    ]
    inputs = (counter, *given, *arrays, *update.inputs[1 + number :])
    body = Program(inputs, (*(update.outputs[k] for k in core), *written), update.name, update.size_inputs)
    starts = [node.inputs[1 + k] for k in core]
    starts += [unwritten(array.type) for array in arrays]
    made = ir.loop(body, starts, node.inputs[1 + number :], node.inputs[0], line=node.line)
    return dict(zip(core, made)), list(made[len(core) :])
