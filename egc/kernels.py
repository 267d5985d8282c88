"""Groups a Program's Nodes into kernels: what the cost model prices and what loop backends emit.

Elementwise Nodes of one iteration shape whose operands are ready at the same time run in one loop nest, together
with the reductions of their values. A reduction, a library call or a view of a computed value ends a kernel: what
uses its result comes in a later level.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from egc.ir import Node, Program
from egc.ops import OPS
from egc.types import ArrayType, Shape

LEAVES = frozenset(["input", "constant", "size", "iota"])
VIEWS = frozenset(["reshape", "transpose", "slice", "broadcast", "diagonal", "item", "assume"])
FUSED_REDUCTIONS = frozenset(["sum", "prod", "max", "min", "any", "all"])
INLINE_LEAVES = frozenset(["constant", "size", "iota"])

ELEMENTWISE = "elementwise"


@dataclass(frozen=True)
class Kernel:
    """One loop nest (`fused`), library call (`call`) or view (`view`).

    `nodes` are in topological order; `inputs` are values computed elsewhere; `outputs` are the Nodes of the kernel
    that are needed elsewhere. `shape` is the iteration space of a fused kernel.
    """

    kind: str
    shape: Shape
    nodes: tuple[Node, ...]
    inputs: tuple[Node, ...]
    outputs: tuple[Node, ...]

    def __str__(self) -> str:
        return f"{self.kind} {'+'.join(node.op for node in self.nodes)} over {list(map(str, self.shape))}"


def kind_of(node: Node) -> str:
    """`leaf`, `fused`, `view` or `call`."""
    from_ops = OP_KINDS.get(node.op)
    return from_ops if from_ops is not None else "call"


def _op_kinds() -> dict[str, str]:
    kinds = {name: "fused" for name, row in OPS.items() if row.kind == ELEMENTWISE}
    kinds.update(dict.fromkeys(FUSED_REDUCTIONS, "fused"))
    kinds.update(dict.fromkeys(VIEWS, "view"))
    kinds.update(dict.fromkeys(LEAVES, "leaf"))
    return kinds


OP_KINDS = _op_kinds()


def iteration_shape(node: Node) -> Shape:
    """The index space a fused Node runs over: a reduction's is its operand's."""
    return node.inputs[0].type.shape if node.op in FUSED_REDUCTIONS else node.type.shape


def group(program: Program) -> tuple[Kernel, ...]:
    """The kernels of a Program, in an order in which they can run."""
    nodes = list(program.nodes())
    levels: dict[Node, int] = {}
    groups: dict[tuple[int, str, object], list[Node]] = {}
    for node in nodes:
        kind = kind_of(node)
        if kind == "leaf":
            levels[node] = 0
            continue
        levels[node] = level = max((_ready(child, node, levels) for child in node.inputs), default=0)
        where: object = iteration_shape(node) if kind == "fused" else len(groups)
        groups.setdefault((level, kind, where), []).append(node)
    ordered = sorted(groups.items(), key=lambda item: item[0][0])
    needed = _users(nodes, program.outputs)
    return tuple(_kernel(kind, shape, members, needed) for (_, kind, shape), members in ordered)


def _ready(child: Node, user: Node, levels: dict[Node, int]) -> int:
    """The first level at which `user` may read `child`."""
    if child.op in LEAVES:
        return levels[child]
    same_loop = (
        kind_of(child) == kind_of(user) == "fused"
        and child.op not in FUSED_REDUCTIONS
        and child.type.shape == iteration_shape(user)
    )
    return levels[child] + (0 if same_loop else 1)


def _users(nodes: Iterable[Node], outputs: Iterable[Node]) -> dict[Node, list[Node | None]]:
    users: dict[Node, list[Node | None]] = {output: [None] for output in outputs}
    for node in nodes:
        for child in node.inputs:
            users.setdefault(child, []).append(node)
    return users


def _kernel(kind: str, shape: object, members: list[Node], users: dict[Node, list[Node | None]]) -> Kernel:
    inside = set(members)
    inputs = dict.fromkeys(
        child for node in members for child in node.inputs if child not in inside and child.op not in INLINE_LEAVES
    )
    outputs = tuple(node for node in members if any(user not in inside for user in users.get(node, [])))
    space = shape if kind == "fused" else getattr(members[0].type, "shape", ())
    assert isinstance(space, tuple)
    return Kernel(kind, space, tuple(members), tuple(inputs), outputs)


def moved_shapes(kernel: Kernel) -> tuple[ArrayType, ...]:
    """The types of the arrays that a kernel reads and writes."""
    return tuple(
        part
        for node in (*kernel.inputs, *kernel.outputs)
        for part in ((node.type,) if isinstance(node.type, ArrayType) else node.type.items)
    )
