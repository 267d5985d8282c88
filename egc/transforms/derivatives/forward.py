"""Tangents: how the results of Nodes change, to first order, with what they are made of.

The method is forward accumulation (Griewank and Walther, "Evaluating Derivatives", second edition, SIAM 2008, chapter 3).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from egc import ir
from egc.errors import NotDifferentiable
from egc.ir import Node, make
from egc.transforms.derivatives.elementwise import PARTIALS, UNKNOWN
from egc.transforms.derivatives.notation import Value, is_differentiable, plus, zeros
from egc.transforms.derivatives.tables import FORWARD, SEVERAL
from egc.types import TupleType

Found = Node | None | tuple[Node | None, ...]
"""The tangent of a value, or those of an op's several results; None for 0."""


def pushforward(outputs: Sequence[Node], tangents: Mapping[Node, Node]) -> tuple[Node | None, ...]:
    """The tangents of outputs, given those of some Nodes; None where it is 0.

    Raises NotDifferentiable, naming the line, for ops without a derivative.

    >>> from egc.types import parse_type
    >>> x, dx = (ir.input(name, parse_type("f64")) for name in ("x", "dx"))
    >>> pushforward([make("exp", x)], {x: dx})[0].op
    'multiply'
    """
    found: dict[Node, Found] = dict(tangents)
    for node in ir.topological(outputs):
        if node not in found:
            found[node] = _tangent(node, [found[child] for child in node.inputs])
    results = [found[node] for node in outputs]
    assert not any(isinstance(each, tuple) for each in results)
    return tuple(results)  # type: ignore[arg-type]


def _tangent(node: Node, tangents: Sequence[Found]) -> Found:
    if node.op == "item":
        whole = tangents[0]
        return whole[node.params["index"]] if isinstance(whole, tuple) else None
    if all(each is None for each in tangents):
        return None
    if not (is_differentiable(node.type) or isinstance(node.type, TupleType)):
        return None
    plain: list[Any] = [each if isinstance(each, Node) else None for each in tangents]
    return rule(node, plain)


def rule(node: Node, tangents: Sequence[Any]) -> Found:
    """The row of the tables for a Node, applied to the tangents of its operands, of which one at least is not 0."""
    if node.op == "absolute":
        return _absolute(node, tangents[0])
    if node.op == "sign":
        return _complex_sign(node, tangents[0]) if node.type.dtype.kind == "c" else None
    if node.op in PARTIALS:
        return elementwise(node, tangents)
    if node.op in SEVERAL:
        return SEVERAL[node.op](node, tangents)
    if node.op in FORWARD:
        found = FORWARD[node.op](node, tangents)
        if found is not None:
            return found
    raise NotDifferentiable(f"the derivative of {node.op}", "egc has no rule for it", node.line)


def elementwise(node: Node, tangents: Sequence[Node | None]) -> Node | None:
    total: Node | None = None
    for k, tangent in enumerate(tangents):
        if tangent is not None:
            total = plus(total, along_operand(node, tangent, k))
    return total


def along_operand(node: Node, tangent: Node, k: int) -> Node | None:
    """The tangent or cotangent times the derivative with respect to operand k."""
    if k in UNKNOWN.get(node.op, ()):
        raise NotDifferentiable(
            f"the derivative of {node.op} with respect to its operand {k + 1}", "it has no form in egc's ops", node.line
        )
    row = PARTIALS[node.op][k]
    if row is None:
        return None
    result: Node = row(Value(tangent), *map(Value, node.inputs), Value(node)).node
    return result


def _absolute(node: Node, tangent: Node) -> Node:
    """d|x| = x' sign(x), and Re(conj(sign(x)) x') for complex x; 0 where x is 0."""
    (x,) = node.inputs
    sign = make("sign", x)
    if x.type.dtype.kind != "c":
        return make("multiply", tangent, sign)
    return make("real", make("multiply", make("conjugate", sign), tangent))


def _complex_sign(node: Node, tangent: Node) -> Node:
    """x / |x| turns with x: its tangent is i Im(conj(sign(x)) x') / |x| times itself; 0 where x is 0."""
    (x,) = node.inputs
    turned = make("imag", make("multiply", make("conjugate", node), tangent))
    length = make("absolute", x)
    one = ir.constant(1.0, length.type.dtype, length.type.shape)
    safe = make("where", make("equal", length, zeros(length.type)), one, length)
    turning = make("cast", make("divide", turned, safe), dtype=x.type.dtype)
    unit = ir.constant(1j, x.type.dtype, x.type.shape)
    return make("multiply", make("multiply", turning, unit), node)
