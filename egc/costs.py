"""What a Program costs on a machine whose CostTable is given, in nanoseconds.

A Program costs what its kernels cost: for each, one call, the bytes that it moves to and from memory, and its
arithmetic. Values inside a fused kernel move no bytes, and what is read through a broadcast counts unrepeated. A loop
costs its region as often as it runs, a branch the mean of its regions, or nearly the one that finite numbers take;
inside of them numbers are in registers, and updates are made in place where no older version is read later.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import log2

from egc import ir, sizes
from egc.costtable import CostTable
from egc.expansion import RECURRENCES, expand
from egc.ir import Node, Program
from egc.kernels import Kernel, group, moved_shapes
from egc.kinds import FUSED_REDUCTIONS, INLINE_LEAVES, LEAVES, OP_KINDS, viewed
from egc.ops import OPS
from egc.overwritten import copied_arrays, read_back
from egc.sizes import Dim
from egc.trips import count_size, inside, trip_count
from egc.types import ArrayType, Shape, Type

VIEW_CALLS = 0.05
"""A view costs this part of a call."""

INNER_CALLS = 0.1
"""Inside of a loop, a call of LAPACK takes this part of what it takes alone, where an array is made for its result."""

FUSED_CALLS = 0.1
"""Outside of a known kernel, a fused Node is charged this part of a call ..."""

FUSED_BYTES = 0.25
"""... and this part of the bytes of its result."""

SORT_STEPS = 4.0
"""Elementwise operations that one comparison of a sort is worth."""

WAITING = 2.5
"""A recurrence takes so many times what it takes alone: each of its elements waits for the one before, and a loop that does it
with other work does that work meanwhile."""

HALF = 0.75
"""The part of a product's time that its half takes, where a table does not say."""

FINITE = 0.99
"""The part of numbers that are expected to be finite."""

LEAF = 0.01

LINE = 64
"""Bytes that come with each element from beyond the first cache,"""

AHEAD = 0.1
"""and the part of their time that a loop waits that walks across rows: the machine fetches some of them ahead."""


class CostModel:
    """The costs of Programs and of Nodes at given sizes.

    bindings: an integer for every size symbol. Raises ProgramError for a symbol that is missing.
    region: whether the Programs are those inside of a loop or branch.
    """

    def __init__(self, table: CostTable, bindings: Mapping[str, int], region: bool = False):
        self.table, self.bindings, self.region = table, bindings, region
        self._regions: dict[Node, float] = {}
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
        expanded = expand(program, self.region and self.table.fused, self.table.calls)
        copied = 0.0
        if self.region:
            expanded = read_back(expanded)
            copied = sum(self.table.moving(2 * self.bytes(node.type)) for node in copied_arrays(expanded))
            expanded = _in_place(expanded)
        kernels = sum(map(self.kernel, group(expanded, None if self.table.fused else _alone)))
        if self.region:
            return kernels + copied
        total = self.table.run + kernels
        for output in dict.fromkeys(program.outputs):
            if viewed(output).op in INLINE_LEAVES:
                total += self.table.call + self.table.moving(self.bytes(output.type))
        return total

    def kernel(self, kernel: Kernel) -> float:
        if kernel.kind == "join":
            return 0.0
        if kernel.kind == "view":
            return 0.0 if self.region and self.table.fused else self.table.call * VIEW_CALLS
        if kernel.nodes[0].op in REGION_OPS:
            return self.starting(kernel.nodes[0].op) + self.regions(kernel.nodes[0])
        if self.region and self.table.fused and _is_scalar(kernel):
            return sum(map(self.number, kernel.nodes))
        moved = sum(map(self.bytes, moved_shapes(kernel))) - sum(map(self.unread, kernel.nodes))
        again = (node for part in kernel.parts for node in part.again)
        arithmetic = sum(map(self.node_arithmetic, (*kernel.nodes, *again)))
        started = self.starting(kernel.nodes[0].op if kernel.kind == "call" else None)
        started += sum(self.starting(part.product.op) for part in kernel.parts if part.product is not None)
        return started + self.table.moving(moved) + arithmetic

    def unread(self, node: Node) -> float:
        """The bytes of operands that an op does not look at: of a matrix, half."""
        return HALF_UNREAD * self.bytes(node.inputs[0].type) if node.op in ONE_TRIANGLE else 0.0

    def starting(self, op: str | None) -> float:
        """Starting a loop nest, or the library call of an op."""
        op = PRICED_AS.get(op, op) if op is not None and op not in self.table.calls else op
        if self.region and self.table.fused:
            if op == "loop":
                return self.table.entering
            called = PARTS.get(op, (op,) if op in LINALG else ()) if op is not None else ()
            return self.table.inner * max(2 * len(called) - 1, 1) + INNER_CALLS * sum(map(self.table.starting, called))
        return self.table.call if op is None else self.table.starting(op)

    def number(self, node: Node) -> float:
        """An operation on numbers inside of a region."""
        if node.op == "place":
            return self.table.scalar
        first = node.inputs[0].type if node.inputs else node.type
        dtype = first.dtype if isinstance(first, ArrayType) else node.type.dtype
        return max(self.table.scalar, self.table.element(node.op, dtype))

    def regions(self, node: Node) -> float:
        """What the regions of a loop or branch take, as often as they run."""
        found = self._regions.get(node)
        if found is None:
            model = CostModel(self.table, inside(node, self.bindings), True)
            prices = {name: model.program(region) for name, region in ir.regions(node) if name != "reverse"}
            if node.op == "cond":
                share = _likelihood(node.inputs[0])
                found = share * prices["then"] + (1 - share) * prices["otherwise"] + self.table.scalar
            else:
                found = trip_count(node, self.bindings) * (
                    sum(prices.values()) + self.iterating(node) + model.jumps(node)
                )
            self._regions[node] = found
        return found

    def iterating(self, loop: Node) -> float:
        """What an iteration takes besides its work. Several that were put together take what they took alone where the
        compiler would have done the same."""
        count = count_size(loop.inputs[0]) if loop.params["counted"] and self.table.unrolls else None
        return self.table.scalar * (1 if count is None else sizes.divisor(count))

    def jumps(self, loop: Node) -> float:
        """What an iteration waits for single elements that are not near those of the iteration before: a loop that walks
        along any but the last axis of an array that is larger than the first cache."""
        if not loop.params["counted"] or not self.table.fused or not self.table.levels:
            return 0.0
        name = loop.params["update"].inputs[0].params["name"]
        total = 0.0
        for node in loop.params["update"].nodes():
            if node.op not in ("slice", "update_slice") or self.elements(_window(node)) != 1:
                continue
            amount = self.bytes(node.inputs[0].type)
            *outer, last = (name in sizes.symbols(each) for each in node.params["start"])
            if any(outer) and not last and amount > self.table.levels[0][0]:
                total += AHEAD * LINE * self.table.moving(amount) / amount
        return total

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
        if first is None or op == "place":
            return 0.0
        dtype = inputs[-1].dtype if isinstance(inputs[-1], ArrayType) else first.dtype
        if op in FUSED_REDUCTIONS:
            return self.elements(first.shape) * table.element(op, dtype)
        if OP_KINDS.get(op, "call") == "fused":
            counted = _shape(inputs[1]) if op == "scatter" else _shape(result)
            return self.elements(counted) * table.element(op, first.dtype if op == "gather" else dtype)
        if op == "matmul":
            return self._product(first, inputs[1])
        if op in ("gram", "triangular_product"):
            return self._half_product(op, first, result)
        if op == "convolve":
            operations = self.elements(first.shape) * self.elements(_shape(inputs[1]))
            return _known(table.working(op, operations, dtype), operations * table.flop)
        if op in table.linalg or op in LINALG:
            return self._linalg(op, first, inputs[1:])
        if op in ("sort", "argsort", "searchsorted"):
            return self._ordering(op, first, result)
        price = table.elementwise.get(op, 0.0 if op in MOVES else table.default)
        if op in RECURRENCES and table.fused:
            price *= WAITING
        return max(self.elements(first.shape), self.elements(_shape(result))) * price

    def _product(self, a: ArrayType, b: Type) -> float:
        """The multiply-adds of a matrix product; one with a vector runs at another rate."""
        other = _shape(b)
        columns = self.dim(other[-1]) if len(other) > 1 else 1
        batch = max(self.elements(a.shape[:-2]), self.elements(other[:-2]))
        rows, inner = ([1, 1] + [self.dim(dim) for dim in a.shape[-2:]])[-2:]
        operations = 1.0 * rows * inner * columns
        kind = "matvec" if min(rows, columns) == 1 else "matmul"
        return batch * _known(self.table.working(kind, operations, a.dtype), operations * self.table.flop)

    def _half_product(self, op: str, a: ArrayType, result: Type) -> float:
        """A product of which one triangle is computed or read, by the multiply-adds of the whole one."""
        shape = _shape(result)
        operations = (
            self.elements(shape) * self.elements(a.shape) / max(self.dim(shape[-1] if op == "gram" else a.shape[-1]), 1)
        )
        whole, half = ("matvec", "triangular_matvec") if len(shape) == 1 else ("matmul", op)
        estimate = _known(self.table.working(whole, operations, a.dtype), operations * self.table.flop)
        return _known(self.table.working(half, operations, a.dtype), HALF * estimate)

    def _ordering(self, op: str, a: ArrayType, result: Type) -> float:
        """Comparisons: of each element with the logarithm of an axis' length, of each key with that of the array's."""
        if op == "searchsorted":
            operations = self.elements(_shape(result)) * log2(self.elements(a.shape) + 2)
            return _known(self.table.working(op, operations, a.dtype), operations * self.table.default)
        length = max((self.dim(dim) for dim in a.shape), default=1)
        operations = self.elements(a.shape) * max(log2(max(length, 1)), 1.0)
        return _known(self.table.working(op, operations, a.dtype), operations * SORT_STEPS * self.table.default)

    def _linalg(self, op: str, a: ArrayType, others: Sequence[Type]) -> float:
        table = self.table
        op = PRICED_AS.get(op, op) if op not in table.linalg else op
        rows, columns = (self.dim(dim) for dim in a.shape[-2:])
        batch = self.elements(a.shape[:-2])
        coefficient = table.linalg.get(op, max(table.linalg.values(), default=table.flop))
        operations = 1.0 * max(rows, columns) * min(rows, columns) ** 2
        total = batch * _known(table.working(op, operations, a.dtype), operations * coefficient)
        rights = [other for other in others if isinstance(other, ArrayType) and other.dtype.kind in "fc"]
        for right in (other.shape for other in rights):
            total += batch * rows * columns * (self.dim(right[-1]) if len(right) > 1 else 1) * table.flop
        return total

    def local(self, op: str, inputs: Sequence[Type], result: Type) -> float:
        """An estimate of what an op adds to a Program's cost, for use before its kernels are known; never zero. What the
        regions of an op take comes on top."""
        if self.region and self.table.fused and isinstance(result, ArrayType) and not result.rank:
            elementwise = OP_KINDS.get(op) == "fused" and op not in FUSED_REDUCTIONS
            if elementwise and op not in ("gather", "scatter"):
                return LEAF + max(self.table.scalar, self.table.element(op, result.dtype))
        kind = OP_KINDS.get(op, "call")
        if kind == "leaf":
            return LEAF
        if kind == "view":
            return LEAF + self.starting(None) * VIEW_CALLS
        arithmetic = self.arithmetic(op, inputs, result)
        if kind == "fused" and op not in FUSED_REDUCTIONS:
            bytes = FUSED_BYTES * self.bytes(result)
            return LEAF + self.starting(None) * FUSED_CALLS + self.table.moving(bytes) + arithmetic
        moved = self.bytes(result) + (0.0 if kind == "fused" else sum(map(self.bytes, inputs)))
        moved -= HALF_UNREAD * self.bytes(inputs[0]) if op in ONE_TRIANGLE else 0.0
        started = 0.5 * self.starting(None) if kind == "fused" else self.starting(op)
        return LEAF + started + self.table.moving(moved) + arithmetic


LINALG = frozenset(
    """inv expm cholesky cholesky_or_nan cholesky_inverse lu_factors lu lu_solve det slogdet solve solve_triangular qr svd
       svdvals eigh eigvalsh eig eigvals pinv lstsq symmetric_solve""".split()
)
MOVES = frozenset(["concatenate", "pad", "update_slice", "tril", "triu", "diagonal_matrix", "gather"])
"""Ops that only move memory."""


PRICED_AS = {
    "cholesky_or_nan": "cholesky",
    "cholesky_inverse": "solve",
    "lu_factors": "det",
    "lu": "det",
    "lu_solve": "solve_triangular",
    "symmetric_solve": "solve",
}
"""Ops that cost what another one does, where a table has no price of their own."""

PARTS = {"solve": ("lu", "lu_solve"), "inv": ("lu", "lu_solve")}
"""Ops that are two calls, with a copy in between that no other call shares."""

ONE_TRIANGLE = frozenset(
    "triangular_product solve_triangular symmetric_solve cholesky cholesky_or_nan cholesky_inverse".split()
)
"""Ops that read one triangle of their first operand."""

HALF_UNREAD = 0.5

REGION_OPS = frozenset(name for name, row in OPS.items() if row.kind == "region")


def _likelihood(condition: Node) -> float:
    """How often a condition is expected to hold: what asks for finite numbers, nearly always."""
    if condition.op == "isfinite":
        return FINITE
    if condition.op == "logical_not":
        return 1 - _likelihood(condition.inputs[0])
    if condition.op == "logical_and":
        return max(map(_likelihood, condition.inputs))
    return _likelihood(condition.inputs[0]) if condition.op == "all" else 0.5


def _is_scalar(kernel: Kernel) -> bool:
    """Whether a kernel computes numbers only."""
    return kernel.kind == "fused" and all(dim == 1 for part in kernel.parts for dim in part.shape)


def _in_place(region: Program) -> Program:
    """A region that makes, instead of arrays with updates, what is written into them."""
    written: dict[Node, None] = {}

    def visit(node: Node, inputs: tuple[Node, ...]) -> Node:
        if node.op not in ("update_slice", "scatter") or not node.type.rank:
            return ir.rebuild(node, inputs)
        written.update(dict.fromkeys(inputs[1:]))
        return inputs[0]

    made = ir.map_nodes(region, visit)
    results = [output for output in made.outputs if output.op != "input"]
    return made.with_outputs(dict.fromkeys((*results, *(node for node in written if node.op not in LEAVES))))


def _alone(node: Node) -> bool:
    """No Node shares a loop."""
    return False


def _known(measured: float | None, estimate: float) -> float:
    return estimate if measured is None else measured


def _window(node: Node) -> Shape:
    """The shape of what a slice reads, or an update_slice writes."""
    return _shape(node.type if node.op == "slice" else node.inputs[1].type)


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
