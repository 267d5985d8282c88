"""Loops and branches without what they need not have: every law here makes less work and moves nothing that could raise
to where it did not run.

    loop of no iteration = its states; of one = its region
    state that does not change, or equals another = operand, or the other
    state or result that nothing needs = nothing
    operand that is a constant, given twice, or unused = constant, one operand, nothing
    operand that has one element = a number
    window that was written just before = what was written; written again = written once
    work that is the same in every iteration = operand
    branch on a constant, or of equal regions = the region
    the condition of a branch in its regions = true, false
    work that both branches do = operand
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from egc import ir
from egc.ir import Node, Program
from egc.kinds import VIEWS, is_total
from egc.ops import INT64, OPS
from egc.ranges import Ranges, mentions, ranges_of
from egc.transforms.inline import inline
from egc.transforms.windows import read, write
from egc.trips import count_size
from egc.types import ArrayType


def tidy(program: Program, ranges: Ranges | None = None) -> Program:
    """The Program with every loop and branch tidied, from the inside out.

    >>> from egc.text import parse_program
    >>> p = parse_program(
    ...     '''f(x: f64[], c: i64[]) -> %1
    ...          %0 = loop(c, x) {counted=True, states=1} : (f64[])
    ...            update(_i1: size i64[], _s1_0: f64[]) -> _s1_0
    ...          %1 = item(%0) {index=0} : f64[]'''
    ... )
    >>> tidy(p).outputs[0].op
    'input'
    """
    ranges = ranges_of(program) if ranges is None else ranges
    nodes = list(program.nodes())
    if not any(OPS[node.op].kind == "region" or node.op == "update_slice" for node in nodes):
        return program
    used: dict[Node, set[int]] = {}
    for node in nodes:
        if node.op == "item":
            used.setdefault(node.inputs[0], set()).add(node.params["index"])
    new: dict[Node, Node] = {}
    results: dict[Node, Sequence[Node | None]] = {}
    for node in nodes:
        if node.op == "item" and node.inputs[0] in results:
            found = results[node.inputs[0]][node.params["index"]]
            assert found is not None
            new[node] = found
            continue
        inputs = [new.get(child, child) for child in node.inputs]
        if OPS[node.op].kind == "region":
            same = ir.with_regions(ir.rebuild(node, inputs), partial(tidy, ranges=ranges.inside(node)))
            parts = _Loop.of(same, ranges) if node.op == "loop" else _Branch.of(same)
            results[node] = parts.results(used.get(node, set()))
            continue
        new[node] = _seen_through(ir.rebuild(node, inputs))
    return program.with_outputs(new[output] for output in program.outputs)


def _seen_through(node: Node) -> Node:
    """An access to a window of an array that was written at the same window just before."""
    if node.op == "slice":
        return read(node.inputs[0], node)
    return write(node.inputs[0], node.inputs[1], node) if node.op == "update_slice" else node


@dataclass
class _Loop:
    """A loop while it is tidied: `first` inputs of regions come before the states."""

    node: Node
    ranges: Ranges
    regions: dict[str, Program]
    states: list[Node]
    operands: list[Node]

    @classmethod
    def of(cls, node: Node, ranges: Ranges) -> _Loop:
        first = 1 if node.params["counted"] else 0
        given = list(node.inputs[first:])
        count = node.params["states"]
        return cls(node, ranges, dict(ir.regions(node)), given[:count], given[count:])

    @property
    def first(self) -> int:
        return 1 if self.node.params["counted"] else 0

    @property
    def update(self) -> Program:
        return self.regions["update"]

    def results(self, used: set[int]) -> Sequence[Node | None]:
        """What stands for each item of the loop; None for those that nothing uses."""
        count = count_size(self.node.inputs[0]) if self.first else None
        if isinstance(count, int) and count <= 0:
            return self.states
        plain = set(self.regions) <= {"update", "reverse"}
        if count == 1 and plain:
            name = self.update.inputs[0].params["name"]
            return inline(self.update, [ir.constant(0, INT64), *self.states, *self.operands], {name: 0})
        runs = plain and count is not None and self.ranges.holds(count - 1)
        found: list[Node | None] = [None] * len(self.states)
        kept = self._kept(used, found)
        self._keep(kept)
        self._tidy_operands()
        if "reverse" not in self.regions:
            self._hoist(runs)
            self._tidy_operands()
        if not self.states:
            return found
        params = {name: self.regions.get(name) for name in ("pre", "post", "reverse")}
        made = ir.loop(
            self.update, self.states, self.operands, self.node.inputs[0] if self.first else None,
            params["pre"], params["post"], params["reverse"], self.node.line,
        )  # fmt: skip
        for place, item in zip(kept, made):
            found[place] = item
        for place, other in self.same.items():
            found[place] = found[other]
        return found

    def _kept(self, used: set[int], found: list[Node | None]) -> list[int]:
        """The states that stay. Those that do not change are replaced by operands, equal ones by one of them."""
        update, first = self.update, self.first
        inputs = update.inputs[first : first + len(self.states)]
        self.same: dict[int, int] = {}
        swaps: dict[Node, Node] = {}
        for k, state in enumerate(inputs):
            if update.outputs[k] is state:
                found[k] = self.states[k]
        changing = [k for k in range(len(inputs)) if found[k] is None]
        for position, k in enumerate(changing):
            for j in changing[:position]:
                if j not in self.same and self.states[j] is self.states[k] and self._equal(j, k):
                    self.same[k] = j
                    swaps[inputs[k]] = inputs[j]
                    break
        if swaps:
            self.regions = {name: _swapped(region, swaps) for name, region in self.regions.items()}
        wanted = {self.same.get(k, k) for k in used if found[k] is None}
        needs = {
            node
            for name, region in self.regions.items()
            if name in ("pre", "post")
            for node in region.nodes()
            if node.op == "input"
        }
        wanted |= {k for k in changing if inputs[k] in needs and k not in self.same}
        if "reverse" in self.regions:
            wanted = {k for k in changing if k not in self.same}
        waiting = list(wanted)
        while waiting:
            for node in ir.topological([self.update.outputs[waiting.pop()]]):
                if node in inputs and (k := inputs.index(node)) not in wanted and found[k] is None:
                    wanted.add(k)
                    waiting.append(k)
        self.same = {k: j for k, j in self.same.items() if j in wanted}
        return sorted(wanted)

    def _equal(self, j: int, k: int) -> bool:
        inputs = self.update.inputs
        swapped = _swapped(self.update, {inputs[self.first + k]: inputs[self.first + j]})
        return swapped.outputs[j] is swapped.outputs[k]

    def _keep(self, kept: Sequence[int]) -> None:
        """Leaves out states; what does not change is an operand from here on."""
        first, count = self.first, len(self.states)
        others = [k for k in range(count) if k not in kept]
        order = [*range(first), *(first + k for k in kept), *(first + k for k in others)]
        self.operands = [self.states[k] for k in others] + self.operands
        self.states = [self.states[k] for k in kept]
        for name, region in self.regions.items():
            inputs = tuple(region.inputs[place] for place in order) + region.inputs[first + count :]
            outputs = tuple(region.outputs[k] for k in kept) if name in ("update", "reverse") else region.outputs
            self.regions[name] = Program(inputs, outputs, region.name, region.size_inputs)

    def _tidy_operands(self) -> None:
        self.regions, self.operands = tidy_operands(self.regions, self.operands, self.first + len(self.states))

    def _hoist(self, runs: bool) -> None:
        """Work that no state and no number of an iteration takes part in becomes an operand. `runs` says that there is an
        iteration that does all of it."""
        name = self.update.inputs[0].params["name"] if self.first else ""
        varying = set(self.update.inputs[: self.first + len(self.states)])
        for node in self.update.nodes():
            inside = any(child in varying for child in node.inputs)
            if inside or (name and mentions(node, name)) or not (node.op == "input" or runs or is_total(node)):
                varying.add(node)
        wanted = [node for each in _maximal(self.update, lambda node: node not in varying) for node in _stored(each)]
        if wanted:
            values = inline(
                self.update.with_outputs(wanted), [*self.update.inputs[: self.first], *self.states, *self.operands]
            )
            self.regions, self.operands = add_operands(self.regions, self.operands, wanted, values)


def _stored(node: Node) -> list[Node]:
    """The values that may be kept for views of them: none that is larger than all it is made of."""
    found: dict[Node, None] = {}
    waiting = [node]
    while waiting:
        each = waiting.pop()
        if each.op in VIEWS and each.op != "item":
            waiting.extend(each.inputs)
        elif each.inputs and isinstance(each.type, ArrayType):
            bases = [base.type.rank for base in ir.topological([each]) if base.op == "input"]
            found.update({each: None} if each.type.rank <= max(bases, default=0) else {})
    return list(found)


def _maximal(region: Program, holds: Callable[[Node], bool]) -> list[Node]:
    """The Nodes for which something holds that no Node for which it holds uses, leaves excepted."""
    inner: set[Node] = set()
    outer: dict[Node, None] = {}
    for node in region.nodes():
        if holds(node):
            inner.add(node)
        else:
            outer.update(dict.fromkeys(child for child in node.inputs if child in inner))
    outer.update(dict.fromkeys(node for node in region.outputs if node in inner))
    return [node for node in outer if node.inputs]


def _swapped(region: Program, swaps: dict[Node, Node]) -> Program:
    return region.with_outputs(inline(region, [swaps.get(node, node) for node in region.inputs]))


def _names(region: Program) -> tuple[str, set[str]]:
    """A prefix for the names of further operands, and the names that are taken."""
    taken = {node.params["name"] for node in region.inputs}
    depth = next((name[2:].partition("_")[0] for name in sorted(taken) if name[:2] in ("_s", "_c", "_i")), "1")
    return f"_c{depth}_", taken


def add_operands(
    regions: dict[str, Program], operands: Sequence[Node], nodes: Sequence[Node], values: Sequence[Node]
) -> tuple[dict[str, Program], list[Node]]:
    """Regions that take the values of some of their Nodes as further operands."""
    region = next(iter(regions.values()))
    prefix, taken = _names(region)
    fresh: list[Node] = []
    number = 0
    for node in nodes:
        while f"{prefix}{number}" in taken:
            number += 1
        taken.add(f"{prefix}{number}")
        fresh.append(ir.input(f"{prefix}{number}", node.type))
    given = dict(zip(nodes, fresh))
    made = {}
    for name, each in regions.items():
        new: dict[Node, Node] = {}
        for node in each.nodes():
            new[node] = given.get(node) or ir.rebuild(node, [new[child] for child in node.inputs])
        made[name] = Program(
            (*each.inputs, *fresh), tuple(new[node] for node in each.outputs), each.name, each.size_inputs
        )
    return made, [*operands, *values]


def tidy_operands(
    regions: dict[str, Program], operands: Sequence[Node], first: int
) -> tuple[dict[str, Program], list[Node]]:
    """Regions without operands that are constants, given twice, or unused; these follow their first inputs. Arrays of one
    element are given as numbers: they need no memory."""
    regions, operands = _numbers(regions, operands, first)
    region = next(iter(regions.values()))
    swaps: dict[Node, Node] = {}
    seen: dict[Node, Node] = {}
    for node, value in zip(region.inputs[first:], operands):
        if not value.inputs and value.op != "input":
            swaps[node] = value
        elif value in seen:
            swaps[node] = seen[value]
        else:
            seen[value] = node
    if swaps:
        regions = {name: _swapped(each, swaps) for name, each in regions.items()}
    needed = {node for each in regions.values() for node in each.nodes()}
    kept = [k for k, node in enumerate(region.inputs[first:]) if node in needed and node not in swaps]
    if len(kept) == len(operands):
        return regions, list(operands)
    made = {}
    for name, each in regions.items():
        inputs = each.inputs[:first] + tuple(each.inputs[first + k] for k in kept)
        made[name] = Program(inputs, each.outputs, each.name, each.size_inputs)
    return made, [operands[k] for k in kept]


def _as_arrays(node: Node) -> Sequence[Node]:
    """The operands that an op takes as arrays, rather than element by element."""
    if node.op == "reshape" or OPS[node.op].kind == "elementwise":
        return ()
    return node.inputs[:1] if node.op == "update_slice" else node.inputs


def _numbers(
    regions: dict[str, Program], operands: Sequence[Node], first: int
) -> tuple[dict[str, Program], list[Node]]:
    given = next(iter(regions.values())).inputs[first:]
    arrays = {child for each in regions.values() for node in each.nodes() for child in _as_arrays(node)}
    single = {
        node: ir.input(node.params["name"], node.type.with_shape(()))
        for node in given
        if node.type.rank and all(dim == 1 for dim in node.type.shape) and node not in arrays
    }
    if not single:
        return regions, list(operands)
    swaps = {node: ir.make("reshape", number, shape=node.type.shape) for node, number in single.items()}
    made = {}
    for name, each in regions.items():
        outputs = inline(each, [swaps.get(node, node) for node in each.inputs])
        inputs = tuple(single.get(node, node) for node in each.inputs)
        made[name] = Program(inputs, tuple(outputs), each.name, each.size_inputs)
    return made, [
        ir.make("reshape", value, shape=()) if node in single else value for node, value in zip(given, operands)
    ]


@dataclass
class _Branch:
    """A branch while it is tidied."""

    node: Node
    regions: dict[str, Program]
    operands: list[Node]

    @classmethod
    def of(cls, node: Node) -> _Branch:
        return cls(node, dict(ir.regions(node)), list(node.inputs[1:]))

    def results(self, used: set[int]) -> Sequence[Node | None]:
        condition = self.node.inputs[0]
        self._know(condition)
        then, otherwise = self.regions["then"], self.regions["otherwise"]
        if ir.is_constant(condition):
            return inline(then if condition.params["value"] else otherwise, self.operands)
        if then.outputs == otherwise.outputs:
            return inline(then, self.operands)
        found: list[Node | None] = [None] * len(then.outputs)
        same = [k for k in sorted(used) if then.outputs[k] is otherwise.outputs[k]]
        pulled = inline(then.with_outputs(then.outputs[k] for k in same), self.operands)
        for k, value in zip(same, pulled):
            found[k] = value
        kept = [k for k in sorted(used) if k not in same]
        self.regions = {
            name: region.with_outputs(region.outputs[k] for k in kept) for name, region in self.regions.items()
        }
        self._pull()
        self.regions, self.operands = tidy_operands(self.regions, self.operands, 0)
        if kept:
            made = ir.cond(condition, self.regions["then"], self.regions["otherwise"], self.operands, self.node.line)
            for place, item in zip(kept, made):
                found[place] = item
        return found

    def _know(self, condition: Node) -> None:
        """What is the condition holds in the one region, and does not in the other."""
        for name, region in self.regions.items():
            known = ir.constant(name == "then", condition.type.dtype)
            outside: dict[Node, Node] = dict(zip(region.inputs, self.operands))
            new: dict[Node, Node] = {}
            for node in region.nodes():
                if node not in outside:
                    outside[node] = ir.rebuild(node, [outside[child] for child in node.inputs])
                same = outside[node] is condition
                new[node] = known if same else ir.rebuild(node, [new[child] for child in node.inputs])
            self.regions[name] = region.with_outputs(new[output] for output in region.outputs)

    def _pull(self) -> None:
        """What both branches compute becomes an operand: it runs in any case."""
        then, otherwise = self.regions["then"], self.regions["otherwise"]
        both = set(then.nodes()) & set(otherwise.nodes())
        wanted = [node for each in _maximal(then, lambda node: node in both) for node in _stored(each)]
        if wanted:
            values = inline(then.with_outputs(wanted), self.operands)
            self.regions, self.operands = add_operands(self.regions, self.operands, wanted, values)
