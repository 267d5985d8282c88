"""Writes the Nodes of a Program as NumPy expressions and statements.

Values that are used once stand where they are used, others have names. Broadcasts, casts and constants are left to
NumPy's own broadcasting and promotion wherever `ufunc.resolve_dtypes` says that the result is the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from egc import ir, sizes
from egc.errors import OperandTypeError, ProgramError, ShapeError
from egc.ir import Node, Program
from egc.ops import ufunc_loop
from egc.sizes import Dim
from egc.source.ownership import UPDATES, may_overwrite, readers_of
from egc.source.syntax import (
    BINARY,
    Expression,
    Names,
    call,
    dtype_text,
    filled,
    index,
    literal_of,
    shape_text,
    size_level,
)  # fmt: skip
from egc.types import ArrayType, Shape, broadcast_shapes

Render = Callable[["Writer", Node], Expression]

RENDER: dict[str, Render] = {}
"""How each op is written; `egc.source.ops` fills it."""

LEAVES = frozenset(["input", "constant", "size", "empty"])
CHEAP = frozenset(["transpose", "slice", "real", "imag", "diagonal"])
"""Views: written again at every use rather than named."""

LONGEST, LONGEST_INLINE = 76, 300

NOUNS = {
    "add": "total", "subtract": "difference", "multiply": "product", "matmul": "product", "divide": "ratio",
    "sum": "total", "max": "peak", "min": "least", "exp": "exponential", "log": "logarithm", "sqrt": "root",
    "cholesky": "factor", "solve": "solution", "solve_triangular": "solution", "lu_solve": "solution", "gram": "product",
    "triangular_product": "product", "tridiagonal_solve": "solution", "banded_solve": "solution",
    "symmetric_solve": "solution", "inv": "inverse", "cholesky_inverse": "inverse",
    "power": "power",
    "where": "choice", "gather": "picked", "sort": "ordered", "argsort": "order", "cumsum": "running",
    "linear_recurrence": "running",
    "concatenate": "joined", "scatter": "result", "update_slice": "result", "pad": "padded", "negative": "negated",
    "absolute": "size", "cast": "converted", "reshape": "shaped", "diagonal_matrix": "matrix",
}  # fmt: skip


@dataclass(frozen=True)
class Operand:
    """An operand as an elementwise op may write it.

    kind: its dtype, or int, float, complex for a Python number. shape: what it has before NumPy broadcasts it.
    """

    kind: Any
    shape: Shape
    write: Callable[[], Expression]


class Writer:
    """Writes the Nodes of a Program; in the first pass, which runs from the results back, it only counts uses."""

    def __init__(self, program: Program, inline: bool = False, outer: Writer | None = None, names: Sequence[str] = ()):
        self.program, self.inline, self.outer = program, inline, outer
        self.depth: int = 0 if outer is None else outer.depth + 1
        self.nodes = list(program.nodes())
        self.users: Counter[Node] = Counter(child for node in self.nodes for child in node.inputs)
        self.users.update(program.outputs)
        self.picked: dict[Node, list[int]] = {}
        for node in self.nodes:
            if node.op == "item":
                self.picked.setdefault(node.inputs[0], []).append(node.params["index"])
        self.readers = readers_of(self.nodes)
        self.owned: set[Node] = set()
        self.free: Names = Names() if outer is None else outer.free
        named = (self.free.new(node.params["name"]) for node in program.inputs) if outer is None else names
        self.inputs = dict(zip(program.inputs, named))
        self.symbols: dict[str, str] = {}
        self.used_symbols: set[str] = set() if outer is None else outer.used_symbols
        self.modules: set[str] = set() if outer is None else outer.modules
        self.statements: list[str] = []
        self.written: dict[Node, Expression] = {}
        self.uses: Counter[Node] = Counter()
        self.counting = False
        self.weight = 1
        self.parts: dict[Node, dict[int, str]] = {}

    def run(self) -> list[Expression]:
        """The expressions of the outputs; statements, symbols and modules are then complete."""
        for name in sorted(ir.free_symbols(self.program) | self.program.size_inputs):
            if name in self.program.size_inputs:
                self.symbols[name] = self._size_argument(name)
            else:
                self.symbols[name] = self.free.new(name) if self.outer is None else self.outer.symbols[name]
        if self.inline:
            self._write_inline()
            return [self.value(node) for node in self.program.outputs]
        self.counting = True
        for node in self.program.outputs:
            self.value(node)
        for node in reversed(self.nodes):
            if self.uses[node]:
                self.weight = self.uses[node] if node.op in CHEAP else 1
                self.render(node)
        self.counting, self.weight = False, 1
        if self.outer is None:
            self.used_symbols.clear()
        for node in self.nodes:
            if self.uses[node]:
                self._write(node)
        return [self.value(node) for node in self.program.outputs]

    def _size_argument(self, name: str) -> str:
        return next(text for node, text in self.inputs.items() if node.params["name"] == name)

    def render(self, node: Node) -> Expression:
        if node.op not in RENDER:
            raise ProgramError(f"the op {node.op} cannot be written as NumPy source", node.line)
        return RENDER[node.op](self, node)

    def _write(self, node: Node) -> None:
        found = self.render(node)
        wanted = self.uses[node] > 1 and node.op not in CHEAP
        wanted = wanted or (len(found.text) > LONGEST and node not in self.program.outputs)
        if wanted and not found.is_name and isinstance(node.type, ArrayType):
            element = node.op == "reshape" and not node.type.rank
            found = self.assign("element" if element else NOUNS.get(node.op, "value"), found)
        self.written[node] = found

    def _write_inline(self) -> None:
        for node in self.nodes:
            if node.op not in LEAVES and node.op != "assume":
                found = self.render(node)
                self.written[node] = found if len(found.text) <= LONGEST_INLINE else Expression("...")

    def value(self, node: Node) -> Expression:
        """The Node's value with exactly its dtype and shape."""
        node = without_facts(node)
        if self.is_index(node):
            return call("np.int64", self.inputs[node])
        if node.op == "input":
            return Expression(self.inputs.get(node) or node.params["name"])
        if node.op == "constant":
            return filled(node.params["value"], node.type.dtype, node.type.shape, self.size)
        if node.op == "size":
            return call("np.int64", self.size(node.params["value"]))
        if node.op == "empty":
            return call("np.empty", shape_text(node.type.shape, self.size), dtype_text(node.type.dtype))
        if self.counting:
            self.uses[node] += self.weight
            return Expression("_")
        return self.written[node]

    def assign(self, wish: str, value: Expression) -> Expression:
        """A new variable with this value."""
        if self.counting:
            return Expression("_")
        name = self.free.new(wish)
        self.statements.append(f"{name} = {value.text}")
        return Expression(name)

    def state(self, statement: str) -> None:
        if not self.counting:
            self.statements.append(statement)

    def size(self, dim: Dim) -> str:
        """The text of a size; the symbols in it will be defined."""
        self.used_symbols.update(name for name in sizes.symbols(dim) if not self._is_iteration(name))
        renamed = {name: sizes.symbol(self.symbols.get(name, name)) for name in sizes.symbols(dim)}
        return str(sizes.substitute(dim, renamed))

    def _is_iteration(self, name: str) -> bool:
        """Whether a size is the number of an iteration, here or around this region."""
        return self.outer is not None and (name in self.program.size_inputs or self.outer._is_iteration(name))

    def is_index(self, node: Node) -> bool:
        """Whether a Node is the number of an iteration, which is a Python int in the source."""
        return self.outer is not None and node in self.inputs and node.params["name"] in self.program.size_inputs

    def plain(self, node: Node) -> str:
        """An int64 scalar where any integer will do."""
        found = self.lazy(node)
        return found.write().text if found.kind is int else self.value(node).text

    def inside(self, region: Program, names: Sequence[str], owned: Iterable[Node] = ()) -> Writer:
        """A Writer of a region whose inputs have names; those that are `owned` may be written into."""
        inner = Writer(region, outer=self, names=names)
        inner.owned.update(owned)
        return inner

    def own(self, nodes: Iterable[Node]) -> None:
        """The arrays of these Nodes belong to the function: it may write into them."""
        self.owned.update(nodes)

    def may_overwrite(self, x: Node, user: Node, position: int) -> bool:
        """Whether `user` may write into the variable of x, its operand there: x is the function's own, and nothing needs it
        as it was."""
        own = x in self.owned or (x.op in UPDATES and x.type.rank > 0)
        return own and may_overwrite(self.readers, self.program.outputs, x, user, position)

    def lazy(self, node: Node, keep_casts: bool = False, keep_scalars: bool = False) -> Operand:
        """The Node as an operand of NumPy's own broadcasting and promotion."""
        node = without_facts(node)
        match node.op:
            case "constant" if not keep_scalars:
                value = node.params["value"]
                kind = node.type.dtype if isinstance(value, bool) else type(value)
                return Operand(kind, (), lambda: literal_of(value, node.type.dtype))
            case "constant":
                return Operand(node.type.dtype, (), lambda: self.value(scalar_constant(node)))
            case "size" if not keep_scalars:
                dim = node.params["value"]
                return Operand(int, (), lambda: Expression(self.size(dim), size_level(dim)))
            case "input" if not keep_scalars and self.is_index(node):
                return Operand(int, (), lambda: Expression(self.inputs[node]))
            case "cast" if not keep_casts:
                return self.lazy(node.inputs[0], True, keep_scalars)
            case "broadcast":
                (inner,), axes = node.inputs, node.params["axes"]
                if not inner.type.rank:
                    return self.lazy(inner, keep_casts, keep_scalars)
                entries, shape = spread(inner.type.shape, axes, node.type.rank)
                if inner.op == "reshape" and inner.inputs[0].type.shape == shape:
                    return self.exactly(inner.inputs[0])
                return Operand(inner.type.dtype, shape, lambda: index(self.value(inner), entries))
            case "iota":
                axis = node.params["axis"]
                entries, shape = spread((node.type.shape[axis],), (axis,), node.type.rank)
                length = node.type.shape[axis]
                return Operand(node.type.dtype, shape, lambda: index(call("np.arange", self.size(length)), entries))
        return Operand(node.type.dtype, node.type.shape, lambda: self.value(node))

    def exactly(self, node: Node) -> Operand:
        return Operand(node.type.dtype, node.type.shape, lambda: self.value(node))

    def operands(self, nodes: Sequence[Node], fits: Callable[[tuple[Any, ...]], bool]) -> list[Operand]:
        """The plainest way to write `nodes`, which broadcast to one shape, such that their kinds satisfy `fits`."""
        found = [self.exactly(child) for child in nodes]
        for keep_casts, keep_scalars in ((False, False), (True, False), (True, True)):
            tried = [self.lazy(child, keep_casts, keep_scalars) for child in nodes]
            if fits(tuple(operand.kind for operand in tried)):
                found = tried
                break
        order = sorted(range(len(nodes)), key=lambda k: without_facts(nodes[k]).op == "constant")
        for k in order:
            if self._fill(found) == nodes[0].type.shape:
                break
            found[k] = self.exactly(nodes[k])
        return found

    @staticmethod
    def _fill(operands: Sequence[Operand]) -> Shape | None:
        try:
            return broadcast_shapes(*(operand.shape for operand in operands))
        except ShapeError:
            return None

    def module(self, name: str) -> str:
        self.modules.add(name)
        return name


def without_facts(node: Node) -> Node:
    while node.op == "assume":
        node = node.inputs[0]
    return node


def scalar_constant(node: Node) -> Node:
    return ir.constant(node.params["value"], node.type.dtype)


def spread(shape: Shape, axes: Sequence[int], rank: int) -> tuple[list[str], Shape]:
    """The index entries, and the resulting shape, that place axes for NumPy to broadcast."""
    places = range(axes[0], rank)
    lengths = dict(zip(axes, shape))
    entries = [":" if place in lengths else "None" for place in places]
    return (entries if "None" in entries else []), tuple(lengths.get(place, 1) for place in places)


def ufunc_fits(name: str, nodes: Sequence[Node]) -> Callable[[tuple[Any, ...]], bool]:
    """Whether the ufunc, on operands of these kinds, runs the loop for the Nodes' dtypes.

    Python's own operators would compute with two Python numbers.
    """
    required = tuple(node.type.dtype for node in nodes)

    def fits(kinds: tuple[Any, ...]) -> bool:
        if name in BINARY and not any(isinstance(kind, np.dtype) for kind in kinds):
            return False
        try:
            return ufunc_loop(name, kinds)[: len(required)] == required
        except OperandTypeError:
            return False

    return fits
