"""Which input elements each element of a value depends on: the domain of sparsity patterns."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from egc.interpret import patterns
from egc.interpret.fold import Call, Domain, Evaluate, fold
from egc.interpret.patterns import Rows
from egc.types import ArrayType


@dataclass(frozen=True)
class Dependence:
    """The inputs that each element of a value depends on, None for none; the value itself, where it is known; and its shape."""

    value: np.ndarray | None
    rows: Rows | None
    shape: tuple[int, ...]


class Dependences(Domain):
    """Facts are Dependences on `inputs` elements. second: whether pairs in a nonlinear relation are collected in `pairs`."""

    def __init__(self, evaluate: Evaluate, inputs: int, second: bool = False):
        super().__init__(evaluate)
        self.inputs, self.second = inputs, second
        self.pairs = patterns.empty(inputs, inputs)

    def argument(self, shape: tuple[int, ...], value: np.ndarray | None) -> Dependence:
        """The array whose elements are the inputs; its value, for a pattern at this point."""
        return Dependence(value, patterns.each(math.prod(shape)), shape)

    def rows(self, fact: Dependence) -> Rows:
        return patterns.empty(math.prod(fact.shape), self.inputs) if fact.rows is None else fact.rows

    def exact(self, array: np.ndarray) -> Dependence:
        return Dependence(np.asarray(array), None, np.shape(array))

    def known(self, fact: Dependence) -> np.ndarray | None:
        return fact.value

    def computes(self, call: Call) -> bool:
        return all(fact.rows is None for fact in call.operands)

    def top(self, type: ArrayType, operands: Sequence[Dependence]) -> Dependence:
        return Dependence(None, self.everything(type, operands), type.shape)  # type: ignore[arg-type]

    def everything(self, type: ArrayType, operands: Sequence[Dependence]) -> Rows | None:
        """All that any element of an operand depends on, for each element of a result."""
        found = [fact.rows for fact in operands if fact.rows is not None]
        if not found or type.dtype.kind not in "fc":
            return None
        rows = patterns.stacked(found)
        union = patterns.united(rows, np.zeros(rows.shape[0], int), 1)
        self.meet(union, union)
        return union[np.zeros(math.prod(type.shape), int)]  # type: ignore[arg-type, type-var]

    def custom(self, call: Call, number: int) -> tuple[Dependence, ...]:
        """What the rule for tangents depends on, for tangents that depend on what the values do; for second derivatives, on what
        the values themselves depend on as well."""
        _, *operands = call.operands
        results = fold(call.params["then"], [self._still(fact) for fact in operands], self, call.bindings)
        values = operands[:number] if self.second else [self._still(fact) for fact in operands[:number]]
        moved = [Dependence(None, fact.rows, fact.shape) for fact in operands[:number]]
        tangents = fold(call.params["otherwise"], [*values, *moved, *operands[2 * number :]], self, call.bindings)
        return tuple(Dependence(result.value, tangent.rows, result.shape) for result, tangent in zip(results, tangents))

    def _still(self, fact: Dependence) -> Dependence:
        return Dependence(fact.value, None, fact.shape)

    def join(self, a: Dependence, b: Dependence) -> Dependence:
        alike = a.value is not None and b.value is not None and np.array_equal(a.value, b.value)
        return Dependence(a.value if alike else None, self.union(a.rows, b.rows), a.shape)

    def same(self, a: Dependence, b: Dependence) -> bool:
        if (a.value is None) != (b.value is None) or (a.rows is None) != (b.rows is None):
            return False
        if (
            a.value is not None
            and b.value is not None
            and not np.array_equal(a.value, b.value, equal_nan=a.value.dtype.kind in "fc")
        ):
            return False
        return a.rows is None or patterns.same(a.rows, b.rows)

    def union(self, *parts: Rows | None) -> Rows | None:
        found = [rows for rows in parts if rows is not None]
        return None if not found else sum(found[1:], found[0])

    def meet(self, a: Rows | None, b: Rows | None) -> None:
        """Notes that the sets of a and b, row by row, are in a nonlinear relation."""
        if self.second and a is not None and b is not None:
            found = patterns.met(a, b)
            self.pairs = self.pairs + found + found.T.tocsr()
