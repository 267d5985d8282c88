"""`egc.loop` with its reverse: one loop op of the functions that it is given, which must keep the form of the state."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any

import numpy as np

from egc import ir
from egc.capture import arguments as trees
from egc.capture.array import Array, Cell, kind_of_value, to_node
from egc.capture.build import cast
from egc.capture.context import current
from egc.capture.flow.region import Closing, depends_on, inside
from egc.errors import NotEncodable
from egc.ir import Node, Program
from egc.ops import BOOL

Machine = Any


def loop(
    machine: Machine,
    pre: Callable[[Any], Any] | None,
    update: Callable[[Any], Any],
    post: Callable[[Any], Any] | None,
    state: Any,
    reverse: Callable[[Any], Any],
) -> Any:
    """The meaning of `egc.loop(pre, update, post, state, reverse)`."""
    if pre is None and post is None:
        raise ValueError("a loop needs a condition before or after its update")
    context = current()
    leaves: list[tuple[str, Any]] = []
    tree = trees.flatten(state, "state", leaves)
    start = [*(to_node(leaf) for _, leaf in leaves), ir.constant(False, BOOL)]
    *stand_ins, unusual = [context.stand_in("_s", node.type) for node in start]
    kinds = [kind_of_value(leaf) for _, leaf in leaves]
    places = [*stand_ins, unusual]
    closing = Closing(places, depends_on(places, None), context.depth)
    usual = ir.make("logical_not", unusual)
    found: dict[str, tuple[Node, ...]] = {"pre": (usual,)}
    for name, function in (("pre", pre), ("update", update), ("post", post), ("reverse", reverse)):
        if function is None:
            continue
        with inside() as region:
            values = [Array(Cell(node), kind) for node, kind in zip(stand_ins, kinds)]
            given = machine.own_all(trees.unflatten(tree, values))
            results = _results(name, machine.call(function, (given,)), tree, stand_ins)
        if region.writes or (region.checks and name != "update"):
            raise NotEncodable(
                f"the {name} of egc.loop", "it writes outside of it, or may have to run as written", context.line
            )
        if name == "pre":
            results = [ir.make("logical_and", usual, results[0])]
        elif name in ("update", "reverse"):
            results = [*results, reduce(lambda a, b: ir.make("logical_or", a, b), region.checks, unusual)]
        found[name] = closing.take(results)
    programs: dict[str, Program] = {name: closing.program(name, nodes) for name, nodes in found.items()}
    nodes = ir.loop(
        programs["update"], start, closing.operands, None, programs["pre"], programs.get("post"),
        programs["reverse"], context.line,
    )  # fmt: skip
    context.note_made(nodes)
    context.check(nodes[-1])
    return machine.own_all(trees.unflatten(tree, [Array(node, kind) for node, kind in zip(nodes, kinds)]))


def _results(name: str, returned: Any, tree: trees.Tree, states: Sequence[Node]) -> Sequence[Node]:
    """A region's results: a truth value, or the next state, of the same form, dtypes and shapes."""
    context = current()
    if name in ("pre", "post"):
        return [cast(to_node(returned), np.dtype(bool))]
    leaves: list[tuple[str, Any]] = []
    given = trees.flatten(returned, "state", leaves)
    nodes = [to_node(leaf) for _, leaf in leaves]
    same = len(nodes) == len(states) and given.form == tree.form
    for node, like in zip(nodes, states) if same else ():
        shapes = (node.type.shape, like.type.shape)
        same = same and node.type.dtype == like.type.dtype and len(shapes[0]) == len(shapes[1])
        same = same and all(context.same(a, b) for a, b in zip(*shapes))
    if not same:
        raise NotEncodable(f"the {name} of egc.loop", "it changes the form, dtype or shape of the state", context.line)
    return nodes
