"""Branches as choices between values, and branches that hold more work.

branch of cheap work that raises nothing = where of both results
where of one condition for all elements = a branch that does the work of one side
branch that reads a branch on the same condition = one branch
work that one branch alone needs = work of that branch
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from egc import ir
from egc.ir import Node, Program, make
from egc.kinds import is_total
from egc.ranges import Ranges
from egc.transforms.forms import Allowed, Forms
from egc.transforms.inline import inline
from egc.transforms.promote import in_range
from egc.transforms.tidy import tidy_operands
from egc.transforms.vmap import reshaped, spread
from egc.transforms.windows import read, window_of, write

MOVES = frozenset(["reshape", "transpose", "broadcast"])


def as_choice(node: Node, ranges: Ranges, allowed: Allowed) -> Forms | None:
    """The results of a branch as choices between those of both regions; None where one of them could raise."""
    if "branch_is_choice" not in allowed:
        return None
    sides = [inline(node.params[name], node.inputs[1:]) for name in ("then", "otherwise")]
    for name in ("then", "otherwise"):
        if not all(_is_safe(each, ranges) for each in node.params[name].nodes()):
            return None
    condition = node.inputs[0]
    return Forms([_choice(condition, a, b) for a, b in zip(*sides)], {"branch_is_choice"})


def _is_safe(node: Node, ranges: Ranges) -> bool:
    """Whether a Node can be computed where its branch is not taken."""
    if node.op == "slice":
        return in_range(node.inputs[0], window_of(node), ranges)
    if node.op == "update_slice":
        return in_range(node, window_of(node), ranges)
    if node.op == "gather":
        x, *places = node.inputs
        return node.params["mode"] == "raise" and all(
            place.op == "size"
            and ranges.holds(place.params["value"] + x.type.shape[axis])
            and ranges.holds(x.type.shape[axis] - 1 - place.params["value"])
            for place, axis in zip(places, node.params["axes"])
        )
    return node.op in MOVES or (is_total(node) and node.op != "item")


def _choice(condition: Node, then: Node, otherwise: Node) -> Node:
    if then is otherwise:
        return then
    for a, b, turned in ((then, otherwise, False), (otherwise, then, True)):
        if a.op != "update_slice":
            continue
        base, value = a.inputs
        same = b.op == "update_slice" and b.inputs[0] is base and window_of(b) == window_of(a)
        if not same and b is not base:
            continue
        other = b.inputs[1] if same else read(base, a)
        chosen = _choice(condition, *((other, value) if turned else (value, other)))
        return write(base, chosen, a)
    if then.type.rank and all(dim == 1 for dim in then.type.shape):
        return reshaped(make("where", condition, *(reshaped(each, ()) for each in (then, otherwise))), then.type.shape)
    return make("where", spread(condition, then.type.shape, ()), then, otherwise)


def as_branch(program: Program, node: Node) -> Node | None:
    """A choice on one condition as a branch that itself does the work which nothing else needs; None for other choices, and
    where there is no such work."""
    mask, *sides = node.inputs
    condition = mask.inputs[0] if mask.op == "broadcast" else mask
    if condition.type.rank or ir.is_constant(condition) or sides[0] is sides[1]:
        return None
    inputs = tuple(ir.input(f"_w{k}", each.type) for k, each in enumerate(sides))
    regions = [Program(inputs, (place,), name) for place, name in zip(inputs, ("then", "otherwise"))]
    (made,) = ir.cond(condition, regions[0], regions[1], sides, node.line)
    new: dict[Node, Node] = {}
    for each in program.nodes():
        new[each] = made if each is node else ir.rebuild(each, [new[child] for child in each.inputs])
    within = program.with_outputs(new[output] for output in program.outputs)
    found = sunk(within, made.inputs[0], frozenset(["work_of_one_branch_is_sunk"]))
    return None if found is None else found.results[0]


def joined_branches(node: Node, ranges: Ranges, allowed: Allowed) -> Forms | None:
    """A branch that computes itself what it reads of another one on the same condition."""
    if "equal_conditions_are_one" not in allowed:
        return None
    condition, *operands = node.inputs
    earlier = [each.inputs[0] for each in operands if each.op == "item" and each.inputs[0].op == "cond"]
    other = next((each for each in earlier if each.inputs[0] is condition), None)
    if other is None:
        return None
    regions = {}
    inputs = tuple(ir.input(f"_j{k}", each.type) for k, each in enumerate((*operands, *other.inputs[1:])))
    ours, theirs = inputs[: len(operands)], inputs[len(operands) :]
    for name in ("then", "otherwise"):
        results = inline(other.params[name], theirs)
        given = [
            results[each.params["index"]] if each.op == "item" and each.inputs[0] is other else place
            for each, place in zip(operands, ours)
        ]
        regions[name] = Program(inputs, inline(node.params[name], given), name)
    return Forms(_made(node, regions, [*operands, *other.inputs[1:]]), {"equal_conditions_are_one"})


def _made(node: Node, regions: dict[str, Program], operands: Sequence[Node]) -> list[Node | None]:
    regions, kept = tidy_operands(regions, operands, 0)
    return list(ir.cond(node.inputs[0], regions["then"], regions["otherwise"], kept, node.line))


def sunk(program: Program, node: Node, allowed: Allowed) -> Forms | None:
    """A branch that itself computes operands which nothing else needs, and only one of its regions."""
    if "work_of_one_branch_is_sunk" not in allowed:
        return None
    users: dict[Node, list[Node]] = {}
    for each in program.nodes():
        for child in each.inputs:
            users.setdefault(child, []).append(each)
    then, otherwise = (set(node.params[name].nodes()) for name in ("then", "otherwise"))
    inputs, operands = node.params["then"].inputs, node.inputs[1:]
    moved: dict[str, dict[Node, Node]] = {"then": {}, "otherwise": {}}
    for name, own, theirs in (("then", then, otherwise), ("otherwise", otherwise, then)):
        for place, value in zip(inputs, operands):
            alone = place in own and place not in theirs and operands.count(value) == 1
            if alone and _movable(value) and users[value] == [node] and value not in program.outputs:
                moved[name][place] = value
    if not moved["then"] and not moved["otherwise"]:
        return None
    cone = {name: _cone(values.values(), users, node, program) for name, values in moved.items()}
    needed = dict.fromkeys(
        child for each in (*cone["then"], *cone["otherwise"]) for child in each.inputs if child not in cone["then"]
    )
    leaves = [each for each in needed if each not in cone["otherwise"]]
    fresh = {each: ir.input(f"_k{k}", each.type) for k, each in enumerate(leaves)}
    regions = {}
    for name, values in moved.items():
        new = dict(fresh)
        for each in ir.topological(values.values()):
            if each in cone[name]:
                new[each] = ir.rebuild(each, [new[child] for child in each.inputs])
        given = [new[values[place]] if place in values else place for place in inputs]
        regions[name] = Program((*inputs, *fresh.values()), inline(node.params[name], given), name)
    return Forms(_made(node, regions, [*operands, *leaves]), {"work_of_one_branch_is_sunk"})


def _movable(node: Node) -> bool:
    return bool(node.inputs) and (is_total(node) or node.op in MOVES) and node.op != "item"


def _cone(values: Iterable[Node], users: Mapping[Node, Sequence[Node]], node: Node, program: Program) -> set[Node]:
    """What may be computed where alone it is needed: the values, and what only they are made of."""
    found = set(values)
    order = list(ir.topological(found))
    for each in reversed(order):
        alone = all(user in found for user in users.get(each, ())) and each not in program.outputs
        if alone and _movable(each):
            found.add(each)
    return found
