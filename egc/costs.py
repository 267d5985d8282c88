"""What a Program costs on a machine whose CostTable is given, in nanoseconds.

A Program costs what its kernels cost: for each, one call, the bytes that it moves to and from memory, and its
arithmetic. Values inside a fused kernel move no bytes, and what is read through a broadcast counts unrepeated.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import log2

from egc import sizes
from egc.backend import CostTable
from egc.ir import Node, Program
from egc.kernels import FUSED_REDUCTIONS, INLINE_LEAVES, OP_KINDS, Kernel, group, moved_shapes, viewed
from egc.sizes import Dim
from egc.types import ArrayType, Shape, Type

VIEW_CALLS = 0.05
"""A view costs this part of a call."""

FUSED_CALLS = 0.1
"""Outside of a known kernel, a fused Node is charged this part of a call ..."""

FUSED_BYTES = 0.25
"""... and this part of the bytes of its result."""

SORT_STEPS = 4.0
"""Elementwise operations that one comparison of a sort is worth."""

LEAF = 0.01


class CostModel:
    """The costs of Programs and of Nodes at given sizes.

    bindings: an integer for every size symbol. Raises ProgramError for a symbol that is missing.
    """

    def __init__(self, table: CostTable, bindings: Mapping[str, int]):
        self.table, self.bindings = table, bindings
        self._dims: dict[Dim, int] = {}
        self._elements: dict[Shape, float] = {}
        self._arithmetic: dict[Node, float] = {}

    def dim(self, dim: Dim) -> int:
        found = self._dims.get(dim)
        if found is None:
            found = self._dims[dim] = max(sizes.evaluate(dim, self.bindings), 0)
        return found

    def elements(self, shape: Shape) -> float:
        found = self._elements.get(shape)
        if found is None:
            found = 1.0
            for dim in shape:
                found *= self.dim(dim)
            self._elements[shape] = found
        return found

    def bytes(self, type: Type) -> float:
        parts = (type,) if isinstance(type, ArrayType) else type.items
        return sum(self.elements(part.shape) * part.dtype.itemsize for part in parts)

    def program(self, program: Program) -> float:
        total = sum(map(self.kernel, group(program)))
        for output in dict.fromkeys(program.outputs):
            if viewed(output).op in INLINE_LEAVES:
                total += self.table.call + self.table.byte * self.bytes(output.type)
        return total

    def kernel(self, kernel: Kernel) -> float:
        if kernel.kind == "view":
            return self.table.call * VIEW_CALLS
        moved = sum(map(self.bytes, moved_shapes(kernel)))
        arithmetic = sum(map(self.node_arithmetic, kernel.nodes))
        return self.table.call + self.table.byte * moved + arithmetic

    def node_arithmetic(self, node: Node) -> float:
        found = self._arithmetic.get(node)
        if found is None:
            found = self.arithmetic(node.op, [child.type for child in node.inputs], node.type)
            self._arithmetic[node] = found
        return found

    def arithmetic(self, op: str, inputs: Sequence[Type], result: Type) -> float:
        """The time an op computes, on operands and with a result of these types."""
        table = self.table
        first = inputs[0] if inputs and isinstance(inputs[0], ArrayType) else None
        if first is None:
            return 0.0
        if op in FUSED_REDUCTIONS:
            return self.elements(first.shape) * table.elementwise.get(op, table.default)
        if OP_KINDS.get(op, "call") == "fused":
            return self.elements(_shape(result)) * table.elementwise.get(op, table.default)
        if op == "matmul":
            return self._products(first, inputs[1]) * table.flop
        if op == "convolve":
            return self.elements(first.shape) * self.elements(_shape(inputs[1])) * table.flop
        if op in table.linalg or op in LINALG:
            return self._linalg(op, first, inputs[1:])
        if op in ("sort", "argsort"):
            length = max((self.dim(dim) for dim in first.shape), default=1)
            return self.elements(first.shape) * max(log2(max(length, 1)), 1.0) * SORT_STEPS * table.default
        if op == "searchsorted":
            return self.elements(_shape(result)) * log2(self.elements(first.shape) + 2) * table.default
        if op in MOVES:
            return 0.0
        return max(self.elements(first.shape), self.elements(_shape(result))) * table.default

    def _products(self, a: ArrayType, b: Type) -> float:
        """Multiply-adds of a matrix product."""
        other = _shape(b)
        columns = self.dim(other[-1]) if len(other) > 1 else 1
        batch = max(self.elements(a.shape[:-2]), self.elements(other[:-2]))
        return batch * self.elements(a.shape[-2:]) * columns

    def _linalg(self, op: str, a: ArrayType, others: Sequence[Type]) -> float:
        table = self.table
        rows, columns = (self.dim(dim) for dim in a.shape[-2:])
        batch = self.elements(a.shape[:-2])
        coefficient = table.linalg.get(op, max(table.linalg.values(), default=table.flop))
        total = batch * max(rows, columns) * min(rows, columns) ** 2 * coefficient
        for other in others:
            right = _shape(other)
            total += batch * rows * columns * (self.dim(right[-1]) if len(right) > 1 else 1) * table.flop
        return total

    def local(self, op: str, inputs: Sequence[Type], result: Type) -> float:
        """An estimate of what an op adds to a Program's cost, for use before its kernels are known; never zero."""
        kind = OP_KINDS.get(op, "call")
        if kind == "leaf":
            return LEAF
        if kind == "view":
            return LEAF + self.table.call * VIEW_CALLS
        arithmetic = self.arithmetic(op, inputs, result)
        if kind == "fused" and op not in FUSED_REDUCTIONS:
            bytes = FUSED_BYTES * self.bytes(result)
            return LEAF + self.table.call * FUSED_CALLS + self.table.byte * bytes + arithmetic
        moved = self.bytes(result) + (0.0 if kind == "fused" else sum(map(self.bytes, inputs)))
        calls = 0.5 if kind == "fused" else 1.0
        return LEAF + self.table.call * calls + self.table.byte * moved + arithmetic


LINALG = frozenset(
    """inv expm cholesky det slogdet solve solve_triangular qr svd svdvals eigh eigvalsh eig eigvals pinv lstsq""".split()
)
MOVES = frozenset(["concatenate", "pad", "update_slice", "tril", "triu", "diagonal_matrix", "gather"])
"""Ops that only move memory."""


def _shape(type: Type) -> Shape:
    return type.shape if isinstance(type, ArrayType) else type.items[0].shape


def program_cost(program: Program, table: CostTable, bindings: Mapping[str, int]) -> float:
    """The time in nanoseconds that a Program takes at the sizes in `bindings`.

    Raises ProgramError for a size symbol without a value.

    >>> import numpy as np
    >>> from egc import ir
    >>> from egc.sizes import symbol
    >>> from egc.types import ArrayType
    >>> table = CostTable(call=100.0, byte=0.1, default=1.0, elementwise={}, flop=0.1, linalg={})
    >>> x = ir.input("x", ArrayType(np.dtype(float), (symbol("n"),)))
    >>> program = ir.Program((x,), (ir.make("exp", x),))
    >>> program_cost(program, table, {"n": 1000})
    2700.0
    """
    return CostModel(table, bindings).program(program)


def node_cost(node: Node, table: CostTable, bindings: Mapping[str, int]) -> float:
    """An estimate of what one Node adds to a Program's cost, in nanoseconds."""
    return CostModel(table, bindings).local(node.op, [child.type for child in node.inputs], node.type)
