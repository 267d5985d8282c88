"""A loop that has been captured, as an op, and what is known after it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

from egc import ir
from egc.capture import arguments as trees
from egc.capture.array import Array, Cell
from egc.capture.bounds import Undecided
from egc.capture.context import current
from egc.capture.flow.branch import BOOL, Outcome, aliases_of
from egc.capture.flow.containers import reached
from egc.capture.flow.iteration import Iterating, Length
from egc.capture.flow.region import Closing, depends_on
from egc.capture.flow.values import MISSING, Contents, Kind, differs, flatten, kind_of, mentions_symbol
from egc.capture.unread import failing, touch_loop
from egc.ir import Node
from egc.ops import INT64

if TYPE_CHECKING:
    from egc.capture.flow.loop import Body, LoopCapture


@dataclass(frozen=True)
class State:
    """One state of a loop: its first value, what stands for it inside, and what it is after an iteration."""

    first: Node
    stand_in: Node
    last: Node


class Closed:
    """The loop as an op, and what is known after it."""

    def __init__(self, capture: LoopCapture, body: Body):
        self.capture, self.body, self.context = capture, body, capture.context
        self.states: list[State] = []
        self.places: dict[Any, int] = {}

    def outcome(self) -> Outcome:
        capture, body = self.capture, self.body
        self._carry()
        header = capture.loop.header
        exits = {label: node for label, node in body.outcome.items() if label != header}
        for label, node in exits.items():
            self._flag(("exit", label), [ir.constant(True, BOOL) if node is None else node])
        goes_on = capture.symbol is not None and not exits and self._surely_ends()
        checks = body.region.checks
        unread = failing(body.region.touched, [*(state.last for state in self.states), *checks])
        self._flag("unusual", [*checks, *unread], goes_on)
        if capture.symbol is None and not exits:
            raise differs("a loop", "nothing ends it")
        ending = [key for key in self.places if key == "unusual" or (type(key) is tuple and key[0] == "exit")]
        flags = [] if goes_on else ending
        results = self._loop(flags)
        touch_loop(results.values(), body.region.touched, lambda condition: self._flagged(condition, flags))
        self._restore(results)
        return self._targets(results, exits)

    def _state(self, key: Any, first: Node, last: Node) -> None:
        stand_in = self.body.stand_ins.get(key)
        if stand_in is None:
            stand_in = ir.input(f"_s{self.capture.depth}_{len(self.body.stand_ins)}", first.type)
            self.body.stand_ins[key] = stand_in
        self.places[key] = len(self.states)
        self.states.append(State(first, stand_in, last))

    def _carry(self) -> None:
        capture, body = self.capture, self.body
        for cell in capture.cells:
            self._state(cell, cell.node, body.region.cells[cell][0])
        for name, variable in capture.variables.items():
            found = body.values.get(name, MISSING)
            leaves = flatten(found)[1] if found is not MISSING else [MISSING] * len(variable.kinds)
            for k, kind in enumerate(variable.kinds):
                if kind is None:
                    continue
                key = name, k
                if mentions_symbol(kind.shape, capture.symbol or "") and (key not in capture.growth or self._breaks()):
                    raise differs(f"the variable {name}", "its shape changes with the iteration")
                first = Contents(()).node_of(variable.entry[k], kind) if variable.defined else kind.placeholder
                last = kind.placeholder if leaves[k] is MISSING else body.contents.node_of(leaves[k], kind)
                if key in capture.growth:
                    state = capture.carried(key, kind)
                    first = capture.put(key, ir.constant(0, state.dtype, state.shape), first)
                    last = capture.put(key, body.stand_ins[key], last)
                self._state(key, first, last)
        for name, variable in capture.variables.items():
            for k, kind in enumerate(variable.kinds):
                if kind is not None and kind.kind == "array" and variable.defined:
                    self._follow((name, k))

    def _breaks(self) -> bool:
        """Whether the loop may end before its last iteration."""
        return any(label != self.capture.loop.header for label in self.body.outcome)

    def _follow(self, key: Any) -> None:
        """A state that says whether a variable is still bound to the memory that it was before the loop, where that can be
        told."""
        entry, last, given = self.capture.variables[key[0]].entry[key[1]], self._last(key), self.body.given.get(key)
        if not isinstance(entry, Array) or last is None or given is None:
            return
        known, exchanged = aliases_of(last), exchanged_by(last)
        if entry.path or list(self._older(last)) or given.cell in exchanged:
            return
        if not self._stand_ins(other_than=key).isdisjoint({*known, *exchanged}):
            return
        same = known.get(given.cell, ir.constant(False, BOOL))
        if same is None:
            return
        stand_in = ir.input(f"_s{self.capture.depth}_{len(self.body.stand_ins)}", ir.ArrayType(BOOL, ()))
        self.body.stand_ins["entry", key] = stand_in
        self.places["entry", key] = len(self.states)
        still = self.context.make("logical_and", stand_in, same)
        self.states.append(State(ir.constant(True, BOOL), stand_in, still))

    def _stand_ins(self, other_than: Any = None) -> set[Cell]:
        return {array.cell for key, array in self.body.given.items() if key != other_than and array.kind == "array"}

    def _flag(self, key: Any, conditions: list[Node], any_iteration: bool = False) -> None:
        """A state that says that one of some conditions has held in the last iteration, or in any."""
        if not conditions:
            return
        found = conditions[0]
        for node in conditions[1:]:
            found = self.context.make("logical_or", found, node)
        no = ir.constant(False, BOOL)
        self._state(key, no, found)
        if any_iteration:
            stand_in = self.states[-1].stand_in
            self.states[-1] = State(no, stand_in, self.context.make("logical_or", stand_in, found))

    def _flagged(self, condition: Node, flags: list[Any]) -> Node:
        """Whether a condition holds in an iteration: of the same loop, which ends there unless it goes on anyway."""
        key = "touched", len(self.states)
        self._flag(key, [condition], any_iteration=True)
        return self._loop([*flags, key] if flags else [])[key]

    def _surely_ends(self) -> bool:
        """Whether each iteration ends, whatever numbers it works on: then the loop need not stop where one is unusual, which
        leaves more that can be done with it. The function runs as written after it."""
        stack = [*(state.last for state in self.states), *self.body.region.checks]
        seen: set[Node] = set()
        while stack:
            node = stack.pop()
            if node in seen:
                continue
            seen.add(node)
            stack.extend(node.inputs)
            if node.op == "loop" and not node.params["counted"]:
                return False
            for _, region in ir.regions(node):
                stack.extend(region.outputs)
        return True

    def _loop(self, flags: list[Any]) -> dict[Any, Node]:
        capture, make = self.capture, self.context.make
        index = () if capture.symbol is None else (ir.input(capture.symbol, ir.ArrayType(INT64, ())),)
        inputs = (*index, *(state.stand_in for state in self.states))
        closing = Closing(inputs, depends_on(inputs, capture.symbol), capture.depth)
        last = closing.take([state.last for state in self.states])
        pre = None
        numbers = frozenset([capture.symbol] if capture.symbol is not None else [])
        if flags:
            ended = self.states[self.places[flags[0]]].stand_in
            for flag in flags[1:]:
                ended = ir.make("logical_or", ended, self.states[self.places[flag]].stand_in)
            pre = closing.program("pre", closing.take([ir.make("logical_not", ended)]), numbers)
        update = closing.program("update", last, numbers)
        count = () if capture.symbol is None else (count_node(capture.length),)
        node = make(
            "loop", *count, *(state.first for state in self.states), *closing.operands, counted=bool(count),
            states=len(self.states), pre=pre, update=update, post=None, reverse=None,
        )  # fmt: skip
        return {key: make("item", node, index=place) for key, place in self.places.items()}

    def _restore(self, results: Mapping[Any, Node]) -> None:
        """Gives variables and memory what they are after the loop."""
        capture, frame = self.capture, self.capture.frame
        for cell, (_, written, stale) in self.body.region.cells.items():
            assert isinstance(cell, Cell)
            self.context.note(cell)
            cell.written, cell.stale = written, stale
        for cell in capture.cells:
            cell.node = results[cell]
        assigned = capture.loop.assigned
        values = {n: v for n, v in capture.before.items() if n not in assigned or n in capture.live}
        made: dict[Any, Array] = {}
        for name, variable in capture.variables.items():
            if all(kind is None for kind in variable.kinds) and variable.defined:
                continue
            leaves = list(variable.entry)
            for k, kind in enumerate(variable.kinds):
                if kind is not None:
                    after = capture.used((name, k), kind, results[name, k], capture.length)
                    leaves[k] = made[name, k] = self._kind_after(name, k, kind).value(after)
            values[name] = frame.machine.own_all(trees.unflatten(variable.tree, leaves), variable.free)
        self._aliases(made, results)
        frame.values = values
        if "unusual" in results:
            self.context.check(results["unusual"])

    def _kind_after(self, name: str, k: int, kind: Kind) -> Kind:
        """What a state is after the loop, which is what an iteration makes of it where there surely is one."""
        if not kind.mixed or name not in self.body.values or not self.capture.surely_runs():
            return kind
        last = kind_of(flatten(self.body.values[name])[1][k])
        return last if last is not None and (last.kind, last.dtype) == (kind.kind, kind.dtype) else kind

    def _aliases(self, made: Mapping[Any, Array], results: Mapping[Any, Node]) -> None:
        """Arrays that a variable is bound to: what may be the same memory must not be written, in the loop or after it."""
        capture = self.capture
        arrays = {key: array for key, array in made.items() if array.kind == "array"}
        last = {key: self._last(key) for key in arrays}
        for group in self._groups(last):
            written = [key for key in group if self._written(key)]
            memory = [cell for key in group for cell in self._memory(key, last[key])]
            if written:
                self._require_own(written[0][0], group, last, memory)
            names = {key[0] for key in group}
            once = len(set(memory)) == len(memory)
            for key in group:
                for cell in memory if not once else filter(lambda cell: self._reached(cell, names), memory):
                    arrays[key].cell.rival(cell)
                    arrays[key].cell.aliases[cell] = None
                arrays[key].cell.exchanged = () if ("entry", key) in results else tuple(memory)
                if ("entry", key) in results:
                    entry = capture.variables[key[0]].entry[key[1]]
                    arrays[key].cell.aliases.update(_under(aliases_of(entry), results["entry", key]))
        for key, other in combinations(arrays, 2):
            if _may_be_one(last[key], last[other]):
                arrays[key].cell.rival(arrays[other].cell)

    def _last(self, key: Any) -> Any:
        name, k = key
        found = flatten(self.body.values[name])[1][k] if name in self.body.values else None
        return found if isinstance(found, Array) else None

    def _groups(self, last: Mapping[Any, Any]) -> list[list[Any]]:
        """Variables that exchange memory from iteration to iteration."""
        stand_ins = {self.body.given[key].cell: key for key in last if key in self.body.given}
        group_of = {key: {key} for key in last}
        for key, array in last.items():
            for cell in () if array is None else (*may_be(array), *exchanged_by(array)):
                other = stand_ins.get(cell)
                if other is not None and group_of[other] is not group_of[key]:
                    group_of[other] |= group_of[key]
                    group_of.update(dict.fromkeys(group_of[key], group_of[other]))
        return [sorted(group) for group in {id(group): group for group in group_of.values()}.values()]

    def _written(self, key: Any) -> bool:
        """Whether the body writes into the array that a variable is bound to when an iteration begins."""
        given = self.body.given.get(key)
        return given is not None and given.cell.node is not self.body.begun[key]

    def _memory(self, key: Any, last: Any) -> Iterator[Cell]:
        """Memory from before the loop that a variable may be bound to after it."""
        variable = self.capture.variables[key[0]]
        entry = variable.entry[key[1]]
        if variable.defined and isinstance(entry, Array):
            yield from aliases_of(entry)
        if last is not None:
            yield from self._older(last)

    def _older(self, array: Array) -> Iterator[Cell]:
        """Memory from before the loop that an array of an iteration may be, and a stand-in's of which it may be a view."""
        start, known, stand_ins = self.body.region.start, aliases_of(array), self._stand_ins()
        yield from (cell for cell in may_be(array) if cell.serial < start or (cell in stand_ins and cell not in known))
        yield from (cell for cell in exchanged_by(array) if cell.serial < start)

    def _require_own(self, name: str, group: list[Any], last: Mapping[Any, Any], memory: list[Cell]) -> None:
        """What is written must be memory that nothing else reaches, whichever of the group's it is."""
        capture = self.capture
        names = {key[0] for key in group}
        entries = [capture.variables[n].entry[k] for n, k in group if capture.variables[n].defined]
        shared = any(_may_be_one(a, b) for a, b in combinations(last.values(), 2)) or len(set(memory)) < len(memory)
        views = any(isinstance(entry, Array) and entry.path for entry in entries)
        if shared or views or any(self._reached(cell, names) for cell in memory):
            raise differs(f"writing into the array {name}", "which memory it is changes from iteration to iteration")

    def _reached(self, cell: Cell, names: set[str]) -> bool:
        """Whether something but some variables, and temporaries that are not read again, may reach memory."""
        capture = self.capture
        if cell.argument is not None or cell.origin is not None:
            return True
        for frame in capture.frame.machine.frames:
            values = capture.before if frame is capture.frame else frame.values
            for other, value in values.items():
                if frame is capture.frame and (other in names or other not in capture.live):
                    continue
                if isinstance(value, Iterating):
                    continue
                if any(
                    isinstance(leaf, Array) and (leaf.cell is cell or leaf.cell in cell.rivals)
                    for leaf in reached([value])
                ):
                    return True
        return False

    def _targets(self, results: Mapping[Any, Node], exits: Mapping[int, Any]) -> Outcome:
        capture, make = self.capture, self.context.make
        targets: dict[int, Node | None] = {label: results["exit", label] for label in exits}
        if capture.symbol is not None:
            natural = capture.loop.exhausted
            assert natural is not None
            self._require_iterations(natural)
            if not targets:
                return {natural: None}
            ended: Node | None = None
            for label, node in targets.items():
                if label != natural and node is not None:
                    ended = node if ended is None else make("logical_or", ended, node)
            targets[natural] = None if ended is None else make("logical_not", ended)
        return targets if len(targets) > 1 else dict.fromkeys(targets)

    def _require_iterations(self, natural: int) -> None:
        """A variable that only the body defines is read after a loop: there must have been an iteration."""
        capture = self.capture
        undefined = {name for name, variable in capture.variables.items() if not variable.defined}
        graph = capture.frame.graph
        if not undefined & (graph.live[natural] | graph.kept[natural]):
            return
        length = capture.length
        if not isinstance(length, Node):
            try:
                if self.context.at_least(length, 1):
                    return
                raise differs(sorted(undefined)[0], "it has no value where the loop does not run")
            except Undecided:
                pass
        self.context.check(self.context.make("less", count_node(length), ir.constant(1, INT64)))


def _may_be_one(a: Array | None, b: Array | None) -> bool:
    """Whether two arrays may be in one memory, as far as the conditions under which they are say so."""
    if a is None or b is None:
        return False
    first, second = aliases_of(a), aliases_of(b)
    if any(not _exclude(first[cell], second[cell]) for cell in first if cell in second):
        return True
    return any(x in y.rivals for x in first for y in second if not x.aliases and not y.aliases)


def may_be(array: Array) -> list[Cell]:
    """The memory that an array may be, under whatever conditions; a reshaped array may be a view."""
    known = aliases_of(array)
    return list(dict.fromkeys([*known, *(rival for cell in known if not cell.aliases for rival in cell.rivals)]))


def exchanged_by(array: Array) -> list[Cell]:
    """The memory that an array may be since a loop exchanged it."""
    return list(dict.fromkeys(other for cell in aliases_of(array) for other in cell.exchanged))


def _exclude(a: Node | None, b: Node | None) -> bool:
    """Whether two conditions are certainly never both true; None is one that is not known."""
    no = ir.constant(False, BOOL)
    negated = (
        each is not None and each.op == "logical_not" and each.inputs[0] is other for each, other in ((a, b), (b, a))
    )
    return a is no or b is no or any(negated)


def _under(aliases: Mapping[Cell, Node | None], condition: Node) -> dict[Cell, Node | None]:
    """What memory is where a further condition holds."""
    make = current().make
    return {cell: None if node is None else make("logical_and", condition, node) for cell, node in aliases.items()}


def count_node(length: Length) -> Node:
    return length if isinstance(length, Node) else ir.size(length)
