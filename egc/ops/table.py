"""The table of ops: what a row is, and how the type of a result follows from it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from egc.errors import OperandTypeError, ProgramError, ShapeError
from egc.types import ArrayType, TupleType, Type, format_shape

Infer = Callable[[Sequence[Any], Mapping[str, Any]], Type]

BOOL, INT64, FLOAT64 = np.dtype(bool), np.dtype(np.int64), np.dtype(np.float64)


@dataclass(frozen=True)
class Op:
    """One primitive. `arity` is None when the number of inputs varies."""

    name: str
    kind: str
    arity: int | None
    params: tuple[str, ...]
    infer: Infer


OPS: dict[str, Op] = {}


def op(name: str, kind: str, arity: int | None, *params: str) -> Callable[[Infer], Infer]:
    def register(infer: Infer) -> Infer:
        OPS[name] = Op(name, kind, arity, params, infer)
        return infer

    return register


def same_shape(name: str, types: Sequence[ArrayType]) -> tuple[Any, ...]:
    for other in types[1:]:
        if other.shape != types[0].shape:
            shown = " ".join(format_shape(t.shape) for t in types)
            raise ShapeError(f"{name}: operands have different shapes {shown}")
    return types[0].shape


def infer(name: str, types: Sequence[Type], params: Mapping[str, Any]) -> Type:
    """The type of an op's result. Raises ProgramError, OperandTypeError or ShapeError."""
    row = OPS.get(name)
    if row is None:
        raise ProgramError(f"no op named {name!r}")
    if row.arity is not None and len(types) != row.arity:
        raise ProgramError(f"{name} takes {row.arity} inputs, not {len(types)}")
    if set(params) != set(row.params):
        raise ProgramError(f"{name} has parameters {row.params}, not {tuple(params)}")
    if name != "item" and any(isinstance(t, TupleType) for t in types):
        raise OperandTypeError(f"{name}: an op with several results must be picked from with item")
    return row.infer(types, params)
