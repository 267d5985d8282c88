"""What becomes of a state that accumulates: by which op, and what each iteration adds to it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from egc import ir
from egc.ir import Node, make
from egc.kinds import TURNED

REDUCTIONS = {
    "add": "sum", "multiply": "prod", "maximum": "max", "minimum": "min", "logical_and": "all", "logical_or": "any",
}  # fmt: skip
"""Ops that accumulate, and the reductions by them."""

EXTREMES = {"greater": "maximum", "greater_equal": "maximum", "less": "minimum", "less_equal": "minimum"}


@dataclass(frozen=True)
class Term:
    """What one iteration accumulates: it may be subtracted, or passed over where it is nan, or where a mask is or is not."""

    node: Node
    negative: bool = False
    over_nan: bool = False
    mask: Node | None = None
    inverse: bool = False


def without_nan(x: Node, op: str) -> Node:
    """An array with what no element exceeds in the place of nan."""
    if x.type.dtype.kind != "f":
        return x
    least = ir.constant(-np.inf if op == "maximum" else np.inf, x.type.dtype, x.type.shape)
    return make("fmax" if op == "maximum" else "fmin", x, least)


def identity(op: str, dtype: np.dtype) -> Any:
    """The number that changes nothing in an accumulation."""
    if op in ("maximum", "minimum"):
        least = op == "maximum"
        if dtype.kind == "f":
            return -np.inf if least else np.inf
        return np.iinfo(dtype).min if least else np.iinfo(dtype).max
    return op in ("multiply", "logical_and")


def accumulation(output: Node, state: Node) -> str | None:
    """The op by which a state accumulates."""
    if output.op == "where":
        if (flag := _flag(output, state)) is not None:
            return flag[0]
        inner = [each for each in output.inputs[1:] if each is not state]
        found = _extreme(output, state)
        return found or (accumulation(inner[0], state) if len(inner) == 1 else None)
    return "add" if output.op == "subtract" else output.op if output.op in REDUCTIONS else None


def _extreme(node: Node, state: Node) -> str | None:
    """`where(x > s, x, s)` is the larger one; a nan for x is passed over, one for s stays."""
    condition, chosen, other = node.inputs
    if other is not state or condition.op not in EXTREMES:
        return None
    if condition.inputs == (chosen, state):
        return EXTREMES[condition.op]
    return EXTREMES[TURNED[condition.op]] if condition.inputs == (state, chosen) else None


def _flag(node: Node, state: Node) -> tuple[str, Term] | None:
    """`where(c, True, s)` is `c or s`, `where(c, False, s)` is `not c and s`; so where c does not hold."""
    mask, *values = node.inputs
    if node.type.dtype.kind != "b" or state not in values or mask.type.shape != node.type.shape:
        return None
    (other,) = [each for each in values if each is not state] or [state]
    if other.op != "constant":
        return None
    holds = bool(other.params["value"])
    term = mask if holds == (values[1] is state) else make("logical_not", mask)
    return ("logical_or" if holds else "logical_and"), Term(term)


def terms_of(node: Node, state: Node, op: str) -> list[Term] | None:
    """What is accumulated onto a state, in order; None where there is more to it."""
    found: list[Term] = []
    while node is not state:
        if node.op == "where":
            flag = _flag(node, state)
            if flag is not None:
                return (
                    [flag[1]] + found[::-1] if flag[0] == op and state not in ir.topological([flag[1].node]) else None
                )
            if _extreme(node, state) == op:
                found.append(Term(node.inputs[1], over_nan=True))
                break
            mask, chosen, other = node.inputs
            inner = other if chosen is state else chosen
            if state not in (chosen, other) or mask.type.shape != state.type.shape:
                return None
            terms = terms_of(inner, state, op)
            if terms is None or any(term.mask is not None or term.over_nan for term in terms):
                return None
            if state in ir.topological([mask]):
                return None
            return [replace(term, mask=mask, inverse=chosen is state) for term in terms] + found[::-1]
        if node.op not in (op, "subtract") or (node.op == "subtract" and op != "add"):
            return None
        left, right = ((each is state or state in ir.topological([each])) for each in node.inputs)
        if left == right or (right and node.op == "subtract"):
            return None
        inner, term = node.inputs if left else reversed(node.inputs)
        found.append(Term(term, node.op == "subtract"))
        node = inner
    if not found or any(state in ir.topological([term.node]) for term in found):
        return None
    return found[::-1]
