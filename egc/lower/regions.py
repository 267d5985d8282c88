"""Loops and branches as steps: their regions are lowered with names for what they take, which become the operands' names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from egc import ir
from egc.expansion import expand
from egc.ir import Node, Program
from egc.kinds import INLINE_LEAVES, VIEWS, kind_of, viewed
from egc.lower.inplace import Memory, in_place
from egc.lower.loops import Body, Branch, Call, Check, Condition, Flow, Loop, Repeat, Step
from egc.lower.names import renamed, without_identities
from egc.lower.repeated import repeated_inside
from egc.lower.views_inside import views_inside
from egc.lower.windows import read_in_windows
from egc.ops import OPS
from egc.overwritten import read_back
from egc.trips import count_size
from egc.types import ArrayType

if TYPE_CHECKING:
    from egc.lower.build import Lowering


class _Impossible(Exception):
    """A region has calls that code cannot make."""


@dataclass(frozen=True)
class Made:
    """A loop or branch whose operands have the names `given`."""

    node: Node
    flow: Flow
    given: tuple[str, ...]

    def result(self, number: int, names: Mapping[Node, str]) -> str:
        """The name of a result, given those of the operands."""
        name, _ = self.flow.states[number]
        return self._names(names).get(name, name)

    def step(self, names: Mapping[Node, str]) -> Flow:
        flow: Flow = renamed(self.flow, self._names(names))
        return flow

    def _names(self, names: Mapping[Node, str]) -> dict[str, str]:
        return {holder: names[operand] for holder, operand in zip(self.given, self.node.inputs)}


def flow_of(lowering: Lowering, node: Node) -> Made | None:
    """The step of a loop or branch; None where it makes calls that code cannot make."""
    given = tuple(next(lowering.arrays) for _ in node.inputs)
    around = lowering.ranges
    try:
        if node.op == "loop" and node.params["counted"]:
            name = node.params["update"].inputs[0].params["name"]
            lowering.ranges = around.within(name, count_size(node.inputs[0]))
        return Made(node, (_repeat if node.op == "loop" else _branch)(lowering, node, given), given)
    except _Impossible:
        return None
    finally:
        lowering.ranges = around


def _repeat(lowering: Lowering, node: Node, given: Sequence[str]) -> Repeat:
    params, types = node.params, [operand.type for operand in node.inputs]
    first = int(params["counted"])
    kept = slice(first, first + params["states"])
    states = tuple(
        (holder if type.rank else next(lowering.arrays), type) for holder, type in zip(given[kept], types[kept])
    )
    index = params["update"].inputs[0].params["name"] if first else None
    known = [*([index] if index is not None else []), *(name for name, _ in states), *given[kept.stop :]]

    def condition(region: Program | None) -> Condition | None:
        if region is None:
            return None
        body, (value,) = _body(lowering, region, known, [], ())
        return Condition(body, value)

    pre, post = condition(params["pre"]), condition(params["post"])
    update, _ = _body(lowering, params["update"], known, states, ())
    results = tuple((name, type) for name, type in states if not type.rank)
    return Repeat(states, tuple(given[kept]), given[0] if first else None, index, pre, update, post, results)


def _branch(lowering: Lowering, node: Node, given: Sequence[str]) -> Branch:
    pairs, results = paired(node), node.type.items
    states = tuple(
        (given[1 + pairs[number]] if number in pairs else next(lowering.arrays), type)
        for number, type in enumerate(results)
    )
    own = tuple(state for number, state in enumerate(states) if number not in pairs)
    blank = [name for name, type in own if type.rank]
    bodies = [_body(lowering, node.params[name], given[1:], states, blank)[0] for name in ("then", "otherwise")]
    return Branch(given[0], states, bodies[0], bodies[1], own)


def _body(
    lowering: Lowering,
    region: Program,
    names: Sequence[str],
    targets: Sequence[tuple[str, ArrayType]],
    blank: Sequence[str],
) -> tuple[Body, tuple[str, ...]]:
    """What a region does, and the names of its results. With `targets`, the values become what these name; they own the memory
    of arrays, and those in `blank` have no value before."""
    program = repeated_inside(read_in_windows(read_back(expand(region, inside=True))))
    owned = {name for name, _ in targets}
    program = views_inside(program, [node for node, name in zip(program.inputs, names) if name not in owned])
    program = with_copies(program, not_fused(lowering), results=True)
    known = dict(zip(program.inputs, names))
    steps = lowering.steps(program, known, inside=True)
    if any(isinstance(step, Call) and not lowering.runs(step) for step in steps):
        raise _Impossible
    outputs = [known[node] for node in program.outputs]
    memory = Memory(tuple(targets), tuple(blank), tuple(outputs))
    return in_place(_flat(steps), *_memory_of(steps), memory, lowering.ranges)


def not_fused(lowering: Lowering) -> Callable[[Node], bool]:
    """Whether a value has no memory of its own."""

    def shown(node: Node) -> bool:
        if node.op == "item":
            return OPS[node.inputs[0].op].kind != "region"
        return kind_of(node, lowering.fusible) in ("leaf", "view")

    return shown


def _flat(steps: Sequence[Step]) -> list:
    """Steps with the items of loop nests one by one."""
    return without_identities([item for step in steps for item in (step.body if isinstance(step, Loop) else [step])])


def _memory_of(steps: Sequence[Step]) -> tuple[dict[str, ArrayType], dict[str, ArrayType]]:
    """The arrays and scalars that steps make."""
    found: dict[str, ArrayType] = {}
    for step in steps:
        if isinstance(step, Check):
            continue
        if isinstance(step, Call):
            if isinstance(step.type, ArrayType) and (not step.view or not step.type.rank):
                found[step.name] = step.type
            continue
        found.update(step.results)
        if isinstance(step, Loop):
            found.update((name, ArrayType(dtype, (size,))) for name, dtype, size in step.scratch)
    arrays = {name: type for name, type in found.items() if type.rank}
    return arrays, {name: type for name, type in found.items() if not type.rank}


def with_copies(
    program: Program,
    shown: Callable[[Node], bool] = lambda node: node.op in VIEWS | INLINE_LEAVES,
    results: bool = False,
) -> Program:
    """The Program in which loops start from copies of arrays, branches that may change an array take one, and each of the
    `results` has memory of its own. What needs no copy gets none later: see `inplace`."""
    if not results and not any(OPS[node.op].kind == "region" for node in program.nodes()):
        return program
    copies: Counter[Node] = Counter()

    def copy(node: Node) -> Node:
        copies[node] += 1
        scopes = frozenset([f"copy {copies[node]}"])
        return ir.make("cast", node, line=node.line, scopes=scopes, dtype=node.type.dtype)

    def visit(node: Node, inputs: tuple[Node, ...]) -> Node:
        if OPS[node.op].kind != "region":
            return ir.rebuild(node, inputs)
        if node.op == "loop":
            first = int(node.params["counted"])
            changed = set(range(first, first + node.params["states"]))
        else:
            changed = {1 + place for place in paired(node).values()}
        operands = [
            copy(operand) if (k in changed if operand.type.rank else _is_shown_scalar(operand)) else operand
            for k, operand in enumerate(inputs)
        ]
        return ir.rebuild(node, operands)

    made = ir.map_nodes(program, visit)
    if not results:
        return made
    outputs: list[Node] = []
    for node in made.outputs:
        if node.type.rank:
            outputs.append(copy(node) if shown(node) or node in outputs else node)
        else:
            outputs.append(copy(node) if _is_shown_scalar(node) else node)
    return made.with_outputs(outputs)


def _is_shown_scalar(node: Node) -> bool:
    return node.op in INLINE_LEAVES or (node.op in VIEWS and viewed(node) is not node)


def paired(node: Node) -> dict[int, int]:
    """For results of a branch, the array operands that they are changed versions of, or the same, in one of its regions."""
    pairs: dict[int, int] = {}
    for number, type in enumerate(node.type.items):
        if not type.rank:
            continue
        for name in ("otherwise", "then"):
            region = node.params[name]
            place = _origin(region.outputs[number], region, {})
            if place is not None and place not in pairs.values() and region.inputs[place].type == type:
                pairs.setdefault(number, place)
    return pairs


def _origin(node: Node, region: Program, seen: dict[Node, int | None]) -> int | None:
    """The number of the input of a region that a value is a changed version of."""
    if node in seen:
        return seen[node]
    seen[node] = None
    found = None
    if node in region.inputs:
        found = region.inputs.index(node)
    elif node.op in ("update_slice", "scatter"):
        found = _origin(node.inputs[0], region, seen)
    elif node.op == "item" and node.inputs[0].op == "loop":
        inner = node.inputs[0]
        found = _origin(inner.inputs[int(inner.params["counted"]) + node.params["index"]], region, seen)
    elif node.op == "item" and node.inputs[0].op == "cond":
        place = paired(node.inputs[0]).get(node.params["index"])
        found = None if place is None else _origin(node.inputs[0].inputs[1 + place], region, seen)
    elif OPS[node.op].kind == "elementwise":
        same = [child for child in node.inputs if child.type == node.type]
        found = next((place for child in same if (place := _origin(child, region, seen)) is not None), None)
    seen[node] = found
    return found
