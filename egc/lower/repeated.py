"""Repetitions that regions take as arrays: they take what is repeated, and repeat it where they read it."""

from __future__ import annotations

from egc import ir
from egc.ir import Node, Program, make
from egc.ops import OPS


def repeated_inside(program: Program) -> Program:
    """The same function, in which no operand of a loop or branch is a `broadcast` or an array of one constant: these would be
    written to memory, and read from there again and again. States start from arrays of their own, as before.

    >>> from egc.types import parse_type
    >>> x, y = ir.input("x", parse_type("f64[n]")), ir.input("y", parse_type("f64[n]"))
    >>> k = ir.input("k", parse_type("i64"))
    >>> products = Program((k, x, y), (make("multiply", x, y),), size_inputs=frozenset(["k"]))
    >>> states = ir.loop(products, [x], [ir.constant(2.0, x.type.dtype, x.type.shape)], ir.size(3))
    >>> (loop,) = {state.inputs[0] for state in repeated_inside(Program((x,), states)).outputs}
    >>> loop.inputs[-1].type.shape
    ()
    """
    if not any(OPS[node.op].kind == "region" for node in program.nodes()):
        return program
    return ir.map_nodes(program, _visit)


def _visit(node: Node, inputs: tuple[Node, ...]) -> Node:
    node = ir.rebuild(node, inputs)
    if OPS[node.op].kind != "region":
        return node
    first = int(node.params["counted"]) + node.params["states"] if node.op == "loop" else 1
    kept = {k: operand for k, operand in enumerate(inputs) if k >= first and _is_repetition(operand)}
    if not kept:
        return node
    shift = int(node.op == "cond")
    given = [_what(operand) if k in kept else operand for k, operand in enumerate(inputs)]
    regions = {
        name: _taking(region, {k - shift: operand for k, operand in kept.items()}) for name, region in ir.regions(node)
    }
    params = {**node.params, **regions, **({"reverse": None} if node.op == "loop" else {})}
    return make(node.op, *given, line=node.line, scopes=node.scopes, **params)


def _is_repetition(node: Node) -> bool:
    return bool(node.type.rank) and node.op in ("broadcast", "constant")


def _what(node: Node) -> Node:
    """What is repeated."""
    return node.inputs[0] if node.op == "broadcast" else ir.constant(node.params["value"], node.type.dtype)


def _taking(region: Program, repetitions: dict[int, Node]) -> Program:
    """A region that takes, in these places, what is repeated."""
    known: dict[Node, Node] = {}
    given = list(region.inputs)
    for place, operand in repetitions.items():
        old = given[place]
        given[place] = new = ir.input(old.params["name"], _what(operand).type)
        axes = operand.params["axes"] if operand.op == "broadcast" else ()
        known[old] = make("broadcast", new, shape=old.type.shape, axes=axes)
    made: dict[Node, Node] = dict(known)
    for node in region.nodes():
        if node not in made:
            made[node] = ir.rebuild(node, [made[child] for child in node.inputs])
    return Program(tuple(given), tuple(made[output] for output in region.outputs), region.name, region.size_inputs)
