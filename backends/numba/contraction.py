"""Where a product and a sum may be rounded once: a processor multiplies and adds in the time of one of them.

It is another rounding, and only that, where everything that follows from a loop is continuous in it and defined everywhere.
A root or a logarithm may have no value a rounding error further, a comparison another one, and `a * b - b * a` is no zero any
more; complex products have such differences inside, and two-sums, which give the error of a sum exactly, ask whether it is
finite.
"""

from __future__ import annotations

from egc import ir
from egc.ir import Node, Program
from egc.ops import OPS
from egc.types import ArrayType, TupleType, Type

CONTINUOUS = frozenset(
    """absolute add arcsinh arctan assume cast cos cosh divide erf erfc exp exp2 expit expm1 hypot log_expit logaddexp maximum
       minimum multiply negative ndtr reciprocal sin sinh subtract tanh
       max min sum prod cumsum cumprod cummax cummin
       matmul convolve gram triangular_product inv solve solve_triangular lu_solve tridiagonal_solve banded_solve""".split()
)
"""Ops of floating-point numbers whose results change little where those do; a quotient by zero is no number before and after."""

MOVING = frozenset(["leaf", "shape", "index", "tuple"])
"""Kinds of ops that compute nothing."""


def is_continuous(program: Program) -> bool:
    """Whether all that its loops compute, and all that follows from them, is continuous."""
    after: set[Node] = set()
    for node in program.nodes():
        if node.op == "loop":
            if not all(_inside(region) for name, region in ir.regions(node) if name != "reverse"):
                return False
            after.add(node)
        elif any(child in after for child in node.inputs):
            if not _allowed(node):
                return False
            after.add(node)
    return True


def _inside(region: Program) -> bool:
    return all(_allowed(node) and all(_inside(inner) for _, inner in ir.regions(node)) for node in region.nodes())


def _allowed(node: Node) -> bool:
    kinds = {dtype.kind for operand in (node, *node.inputs) for dtype in _dtypes(operand.type)}
    if "c" in kinds:
        return False
    if OPS[node.op].kind in MOVING or node.op in CONTINUOUS or node.op == "loop":
        return node.op != "cast" or not _rounds(node)
    return not any(dtype.kind == "f" for child in node.inputs for dtype in _dtypes(child.type))


def _rounds(cast: Node) -> bool:
    """Whether a cast makes integers or truth values of floats."""
    (before,), (after,) = _dtypes(cast.inputs[0].type), _dtypes(cast.type)
    return before.kind == "f" and after.kind != "f"


def _dtypes(type: Type) -> list:
    parts = type.items if isinstance(type, TupleType) else (type,)
    return [part.dtype for part in parts if isinstance(part, ArrayType)]
