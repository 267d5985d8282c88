"""Views with gaps that branches take as arrays: they take what is viewed, and read it there, instead of a copy in order."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from egc import ir
from egc.ir import Node, Program, make
from egc.kinds import INDEXED, OP_KINDS
from egc.lower.access import affine, row_major

MOVED = frozenset(["slice", "reshape", "transpose", "diagonal"])


def views_inside(program: Program, unchanged: Collection[Node]) -> Program:
    """The same function, in which branches whose loops alone read a view of an array make that view themselves, where its
    elements are not neighbours: a library would copy them before, whether the branch is taken or not. `unchanged` are inputs
    of the Program that no new version takes the place of. Slices have to be within bounds.

    >>> from egc.types import parse_type
    >>> x, c = ir.input("x", parse_type("f64[n, 3]")), ir.input("c", parse_type("bool"))
    >>> column = make("reshape", make("slice", x, start=(0, 1), size=(x.type.shape[0], 1), step=(1, 1)), shape=x.type.shape[:1])
    >>> k = ir.input("k", column.type)
    >>> then, otherwise = (Program((k,), (make(op, k),)) for op in ("exp", "sin"))
    >>> made = views_inside(Program((x, c), ir.cond(c, then, otherwise, [column])), [x])
    >>> print(made.outputs[0].inputs[0].inputs[-1].type)
    f64[n, 3]
    """
    if not any(node.op == "cond" for node in program.nodes()):
        return program
    return ir.map_nodes(program, lambda node, inputs: _visit(ir.rebuild(node, inputs), frozenset(unchanged)))


def _visit(node: Node, unchanged: frozenset[Node]) -> Node:
    if node.op != "cond":
        return node
    regions = [node.params[name] for name in ("then", "otherwise")]
    moved = {
        place: base
        for place, operand in enumerate(node.inputs[1:])
        if (base := _base(operand)) in unchanged
        and not _is_in_order(operand)
        and all(_only_loops_read(region.inputs[place], region) for region in regions)
    }
    if not moved:
        return node
    given = [moved.get(place, operand) for place, operand in enumerate(node.inputs[1:])]
    views = {place: node.inputs[1 + place] for place in moved}
    then, otherwise = (_taking(region, views) for region in regions)
    return make("cond", node.inputs[0], *given, line=node.line, scopes=node.scopes, then=then, otherwise=otherwise)


def _base(view: Node) -> Node:
    """What is viewed."""
    while view.op in MOVED:
        (view,) = view.inputs
    return view


def _is_in_order(view: Node) -> bool:
    """Whether the elements of a view are neighbours in memory, or that is not known."""
    found = affine(view)
    own = zip(found.strides, row_major(view.type.shape), view.type.shape)
    return found.base is not _base(view) or all(stride == step or dim == 1 for stride, step, dim in own)


def _only_loops_read(value: Node, region: Program) -> bool:
    users = [node for node in region.nodes() if value in node.inputs]
    return value not in region.outputs and all(
        OP_KINDS.get(user.op) == "fused" and not (user.op in INDEXED and user.inputs[0] is value) for user in users
    )


def _taking(region: Program, views: Mapping[int, Node]) -> Program:
    """A region that takes what is viewed, in these places."""
    given = list(region.inputs)
    made: dict[Node, Node] = {}
    for place, view in views.items():
        old = given[place]
        given[place] = base = ir.input(old.params["name"], _base(view).type)
        shown = {_base(view): base}
        for node in _chain(view):
            shown[node] = ir.rebuild(node, [shown[node.inputs[0]]])
        made[old] = shown[view]
    for node in region.nodes():
        if node not in made:
            made[node] = ir.rebuild(node, [made[child] for child in node.inputs])
    return Program(tuple(given), tuple(made[output] for output in region.outputs), region.name, region.size_inputs)


def _chain(view: Node) -> Iterator[Node]:
    """The views between what is viewed and a view of it, which comes last."""
    if view.op in MOVED:
        yield from _chain(view.inputs[0])
        yield view
