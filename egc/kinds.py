"""How each op runs: in loop nests, as a view, or as a library call; and the pieces that larger arrays are put together from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from egc.ir import Node
from egc.ops import OPS
from egc.sizes import Dim
from egc.types import ArrayType, Shape
from egc.views import Index, Map, Source, identity, trace

LEAVES = frozenset(["input", "constant", "empty", "size", "iota"])
VIEWS = frozenset(["reshape", "transpose", "slice", "broadcast", "diagonal", "item", "assume"])
FUSED_REDUCTIONS = frozenset(["sum", "prod", "max", "min", "any", "all"])
SCANS = frozenset(["cumsum", "cumprod", "cummax", "cummin"])
NEGATED = {"less": "greater_equal", "less_equal": "greater", "equal": "not_equal"}
NEGATED |= {b: a for a, b in NEGATED.items()}
"""The comparison that holds where one does not, of numbers that are not nan."""

TURNED = {"less": "greater", "greater": "less", "less_equal": "greater_equal", "greater_equal": "less_equal"}
"""The same comparison with the operands exchanged."""

INDEXED = frozenset(["gather", "scatter"])
JOINS = frozenset(["concatenate", "pad", "update_slice"])
INLINE_LEAVES = frozenset(["constant", "empty", "size", "iota"])

ELEMENTWISE = "elementwise"

CHEAP = frozenset(
    """add subtract multiply negative absolute where cast equal not_equal less less_equal greater greater_equal
       logical_and logical_or logical_xor logical_not maximum minimum conjugate real imag assume invert bitwise_and
       bitwise_or bitwise_xor isnan""".split()
)
"""Ops that take less time than storing their result and reading it again."""

LIGHT = CHEAP | {"divide", "reciprocal", "sqrt"}
"""Ops that take less time than a loop waits that needs its last iteration's result: they share it, rather than one of their
own, which threads could share."""

PIECES = 24
"""Pieces that loops put an array together from, at most."""

Fusible = Callable[[Node], bool]


@dataclass(frozen=True)
class Piece:
    """A part of the array that `join` makes: `shape` elements from `start` on, those of an operand at `index`."""

    join: Node
    number: int
    operand: Node
    index: Map
    start: tuple[Dim, ...]
    shape: Shape

    op = "place"

    @property
    def inputs(self) -> tuple[Node, ...]:
        return (self.operand,)

    @property
    def type(self) -> ArrayType:
        return ArrayType(self.join.type.dtype, self.shape)


TOTAL_KINDS = frozenset([ELEMENTWISE, "leaf", "scan", "tuple"])
TOTAL = frozenset(["broadcast", "transpose", "sum", "prod", "any", "all", "concatenate", "tril", "triu"])
"""Ops of other kinds that never raise."""


def is_total(node: Node) -> bool:
    """Whether an op never raises, on operands of its types."""
    if node.op == "power" and node.type.dtype.kind in "iu":
        return False
    return OPS[node.op].kind in TOTAL_KINDS or node.op in TOTAL


def kind_of(node: Node, fusible: Fusible | None = None) -> str:
    """`leaf`, `fused`, `join`, `view` or `call`. `fusible` says which Nodes that could run in a loop a backend has there."""
    kind = OP_KINDS.get(node.op, "call")
    if kind == "fused" and fusible is not None and not fusible(node):
        return "call"
    return "call" if kind == "join" and not pieces(node) else kind


def _op_kinds() -> dict[str, str]:
    kinds = {name: "fused" for name, row in OPS.items() if row.kind == ELEMENTWISE}
    kinds.update(dict.fromkeys([*FUSED_REDUCTIONS, *SCANS, *INDEXED, "place"], "fused"))
    kinds.update(dict.fromkeys(JOINS, "join"))
    kinds.update(dict.fromkeys(VIEWS, "view"))
    kinds.update(dict.fromkeys(LEAVES, "leaf"))
    return kinds


OP_KINDS = _op_kinds()


def iteration_shape(node: Any) -> Shape:
    """The index space a fused Node runs over: a reduction's is its operand's, a scatter's its values'."""
    if node.op in FUSED_REDUCTIONS:
        return node.inputs[0].type.shape
    return node.inputs[1].type.shape if node.op == "scatter" else node.type.shape


def complete(node: Any) -> int:
    """The number of leading loops in one iteration of which a fused Node's elements there are all made."""
    if node.op in FUSED_REDUCTIONS:
        return min(node.params["axes"], default=node.inputs[0].type.rank)
    if node.op == "matmul":
        return 1
    return 0 if node.op == "scatter" else node.type.rank


def walked(node: Any) -> tuple[tuple[Node, Map], ...]:
    """The operands whose elements a fused Node's loops read, with the index of what they read."""
    if isinstance(node, Piece):
        return ((node.operand, node.index),)
    operands = node.inputs[1:] if node.op in INDEXED else node.inputs
    return tuple((operand, identity(operand.type.rank)) for operand in operands)


def walked_at(node: Node, index: Map) -> tuple[tuple[Node, Map], ...]:
    """The same for an element of a cheap value, or of a gather, at an index."""
    if node.op != "gather":
        return tuple((operand, index) for operand in node.inputs)
    return tuple((operand, index[: operand.type.rank]) for operand in node.inputs[1:])


def whole(node: Any) -> tuple[Node, ...]:
    """The operands that a fused Node needs as whole arrays."""
    return node.inputs[:1] if node.op in INDEXED else ()


def factors(node: Node) -> tuple[Source, Source] | None:
    """The operands of a matrix product that can be made in runs of rows: where their elements come from; None for others.

    Elements of a row or of a column of each operand are neighbours in memory.
    """
    if node.op != "matmul" or any(x.type.rank != 2 or x.type.dtype != node.type.dtype for x in node.inputs):
        return None
    lengths = {dim for x in node.inputs for dim in x.type.shape}
    if node.type.dtype.kind not in "fc" or node.type.dtype.itemsize < 4 or lengths & {0, 1}:
        return None
    left, right = (trace(x, identity(2)) for x in node.inputs)
    return (left, right) if _is_matrix(left) and _is_matrix(right) else None


def _is_matrix(source: Source) -> bool:
    """Whether two axes of an array in C order, the last of them entire neighbours, are walked by a loop each."""
    terms = [index.terms for index in source.index if index.terms]
    if source.base.op in INLINE_LEAVES or len(terms) != 2 or any(len(each) != 1 for each in terms):
        return False
    (outer, step), (inner, near) = (each[0] for each in terms)
    return outer != inner and near == 1 and isinstance(step, int) and step > 0 and bool(source.index[-1].terms)


def is_serial(node: Any) -> bool:
    """Whether each innermost iteration of a fused Node waits for the one before it."""
    if node.op == "scatter":
        return True
    return node.op in SCANS and all(dim == 1 for dim in node.type.shape[node.params["axis"] + 1 :])


def is_unwritten(node: Node) -> bool:
    """Whether a value is a copy of an array whose elements are written before they are read."""
    return node.op == "cast" and viewed(node.inputs[0]).op == "empty"


def viewed(node: Node) -> Node:
    """The value that a chain of views shows; the Node itself where it is no view."""
    while node.op in VIEWS and node.op != "item":
        node = node.inputs[0]
    return node


def pieces(node: Node) -> tuple[Piece, ...]:
    """What a `concatenate`, `pad` or `update_slice` is put together from; nothing where it is too much or not known."""
    found = {"concatenate": _concatenated, "pad": _padded, "update_slice": _updated}[node.op](node)
    return tuple(found) if len(found) <= PIECES else ()


def _concatenated(node: Node) -> list[Piece]:
    axis, at, found = node.params["axis"], 0, []
    for number, operand in enumerate(node.inputs):
        shape = operand.type.shape
        start = tuple(at if k == axis else 0 for k in range(len(shape)))
        found.append(Piece(node, number, operand, identity(len(shape)), start, shape))
        at = at + shape[axis]
    return found


def _padded(node: Node) -> list[Piece]:
    x, fill = node.inputs
    rank, low = x.type.rank, node.params["low"]
    found = [Piece(node, 0, x, identity(rank), tuple(low), x.type.shape)]
    for start, shape in _around(low, x.type.shape, node.type.shape):
        found.append(Piece(node, len(found), fill, (), start, shape))
    return found


def _updated(node: Node) -> list[Piece]:
    x, value = node.inputs
    start, shape = node.params["start"], value.type.shape
    if any(step != 1 for step in node.params["step"]):
        return []
    found = [Piece(node, 0, value, identity(x.type.rank), tuple(start), shape)]
    for begin, extent in _around(start, shape, x.type.shape):
        index = tuple(Index(place.offset + at, place.terms) for place, at in zip(identity(len(begin)), begin))
        found.append(Piece(node, len(found), x, index, begin, extent))
    return found


def _around(start: Shape, inner: Shape, outer: Shape) -> list[tuple[tuple[Dim, ...], Shape]]:
    """The boxes that fill what a box from `start` leaves of an array, as starts and shapes."""
    boxes = []
    for axis in range(len(outer)):
        for at, length in ((0, start[axis]), (start[axis] + inner[axis], outer[axis] - start[axis] - inner[axis])):
            if length != 0:
                begin = (*start[:axis], at, *[0] * (len(outer) - axis - 1))
                boxes.append((begin, (*inner[:axis], length, *outer[axis + 1 :])))
    return boxes
