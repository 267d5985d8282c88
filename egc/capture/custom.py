"""Calls of functions with a derivative of their own: a branch that is always taken, beside which stand the tangents."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from egc import ir
from egc.capture import arguments as trees
from egc.capture.array import Array, Cell, kind_of_value, result, to_node
from egc.capture.build import cast, zeros_like
from egc.capture.context import current
from egc.capture.flow.region import Closing, depends_on, inside
from egc.custom import CustomDerivative
from egc.errors import NotDifferentiable, NotEncodable
from egc.ops import BOOL, CUSTOM

Machine = Any

ORDERS = 2
"""Rules inside of the rule for the same function: derivatives of higher order are those of its definition."""


def call(machine: Machine, given: CustomDerivative, arguments: Sequence[Any]) -> Any:
    """The results of the function; transforms take their tangents from the branch that is not taken."""
    context = current()
    if given.rule is None:
        raise NotDifferentiable(f"the derivative of {given.__name__}", "it has no rule: see defjvp", context.line)
    if machine.rules.count(given) >= ORDERS:
        return machine.call(given.function, arguments)
    leaves: list[tuple[str, Any]] = []
    tree = trees.flatten(tuple(arguments), "argument", leaves)
    moving = [k for k, (_, leaf) in enumerate(leaves) if _moves(leaf)]
    nodes = [to_node(leaves[k][1]) for k in moving]
    places, changes = ([context.stand_in("_a", node.type) for node in nodes] for _ in range(2))
    with inside() as region:
        values, tangents = [leaf for _, leaf in leaves], [0.0 for _ in leaves]
        for k, place, change in zip(moving, places, changes):
            kind = kind_of_value(leaves[k][1])
            values[k], tangents[k] = Array(Cell(place), kind), Array(Cell(change), kind)
        primals, moved = (machine.own_all(trees.unflatten(tree, each)) for each in (values, tangents))
        returned = machine.call(given.function, primals)
        machine.rules.append(given)
        try:
            _, tangent = machine.call(given.rule, (primals, moved))
        finally:
            machine.rules.pop()
        found: list[tuple[str, Any]] = []
        shape = trees.flatten(returned, "result", found)
        results = [to_node(leaf) for _, leaf in found]
        turned: list[tuple[str, Any]] = []
        trees.flatten(tangent, "tangent", turned)
        if len(turned) != len(results):
            raise TypeError(f"{given.__name__}: {len(turned)} tangents for {len(results)} results")
        other = [cast(to_node(leaf), node.type.dtype) for (_, leaf), node in zip(turned, results)]
    if region.writes:
        raise NotEncodable(f"a call of {given.__name__}", "it writes into an array from outside of it", context.line)
    still = [zeros_like(node) for node in nodes]
    known = dict(zip((*places, *changes), (*nodes, *still)))
    for check in context.derivatives.replaced(region.checks, known):
        context.check(check)
    inputs = [*places, *changes]
    closing = Closing(inputs, depends_on(inputs, None), context.depth)
    values_taken, tangents_taken = closing.take(results), closing.take(other)
    programs = [closing.program("then", values_taken), closing.program("otherwise", tangents_taken)]
    always = ir.constant(True, BOOL)
    node = ir.make(
        "cond", always, *nodes, *still, *closing.operands, line=context.line, scopes=frozenset({f"{CUSTOM}{len(nodes)}"}),
        then=programs[0], otherwise=programs[1],
    )  # fmt: skip
    outputs = [result(each) for each in ir.items(node)]
    return trees.unflatten(shape, outputs)


def _moves(leaf: Any) -> bool:
    if isinstance(leaf, (Array, np.ndarray, np.generic)):
        return leaf.dtype.kind in "fc"
    return isinstance(leaf, (float, complex))
