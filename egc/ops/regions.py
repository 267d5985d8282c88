"""Loops and branches: ops whose parameters are Programs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from egc.errors import OperandTypeError, ProgramError
from egc.ops.table import BOOL, INT64, op
from egc.types import ArrayType, TupleType, Type


def _region(name: str, what: str, region: Any, given: Sequence[Type]) -> tuple[ArrayType, ...]:
    """The types of a region's results; its inputs must have the types of what it is given."""
    takes = tuple(node.type for node in region.inputs)
    if takes != tuple(given):
        shown = [", ".join(map(str, types)) for types in (takes, given)]
        raise OperandTypeError(f"{name}: its {what} takes ({shown[0]}), not ({shown[1]})")
    return tuple(node.type for node in region.outputs)


@op("loop", "region", None, "counted", "states", "pre", "update", "post", "reverse")
def _loop(types, params):
    """`update` gives the next states, as often as the first operand says where it is `counted`, while `pre` holds before
    it and `post` after it. Regions take the iteration's number where it is counted, the states, and the other operands."""
    counted, states = params["counted"], params["states"]
    given = types[1:] if counted else types
    if counted and (not types or types[0] != ArrayType(INT64, ())):
        raise OperandTypeError("loop: the number of iterations must be an int64 scalar")
    if not 0 <= states <= len(given):
        raise ProgramError(f"loop: {states} states, but {len(given)} operands")
    takes = (ArrayType(INT64, ()), *given) if counted else given
    kept = tuple(given[:states])
    for what in ("update", "reverse"):
        if params[what] is not None and _region("loop", what, params[what], takes) != kept:
            raise OperandTypeError(f"loop: its {what} does not keep the types of the states")
    for what in ("pre", "post"):
        if params[what] is not None and _region("loop", what, params[what], takes) != (ArrayType(BOOL, ()),):
            raise OperandTypeError(f"loop: its {what} must be a bool scalar")
    if not counted and params["pre"] is None and params["post"] is None:
        raise ProgramError("loop: nothing ends it")
    return TupleType(kept)


@op("cond", "region", None, "then", "otherwise")
def _cond(types, params):
    """One of two regions of the operands after the first, which is the condition."""
    if not types or types[0] != ArrayType(BOOL, ()):
        raise OperandTypeError("cond: the condition must be a bool scalar")
    then, otherwise = (_region("cond", what, params[what], types[1:]) for what in ("then", "otherwise"))
    if then != otherwise:
        shown = [", ".join(map(str, results)) for results in (then, otherwise)]
        raise OperandTypeError(f"cond: its branches give ({shown[0]}) and ({shown[1]})")
    return TupleType(then)


CUSTOM = "_custom_derivative_of_"
"""What the scope of a `cond` begins with of which the first branch is always taken, while the second gives the tangents of its
results: after a number n that the scope ends with, the first n operands are values, and the next n, which are 0, their tangents."""

REGIONS = ("pre", "update", "post", "reverse", "then", "otherwise")
"""The parameters that are Programs."""
