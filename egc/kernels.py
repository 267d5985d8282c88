"""Groups a Program's Nodes into kernels: what the cost model prices and what loop backends emit.

Elementwise Nodes of one iteration shape whose operands are ready at the same time run in one loop nest, together
with the reductions of their values. A reduction or a library call ends a kernel: what uses its result comes in a
later level. A view costs nothing by itself; a loop nest reads its operand through it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from egc.ir import Node, Program
from egc.ops import OPS
from egc.types import ArrayType, Shape

LEAVES = frozenset(["input", "constant", "size", "iota"])
VIEWS = frozenset(["reshape", "transpose", "slice", "broadcast", "diagonal", "item", "assume"])
FUSED_REDUCTIONS = frozenset(["sum", "prod", "max", "min", "any", "all"])
INLINE_LEAVES = frozenset(["constant", "size", "iota"])

ELEMENTWISE = "elementwise"

Fusible = Callable[[Node], bool]


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


def kind_of(node: Node, fusible: Fusible | None = None) -> str:
    """`leaf`, `fused`, `view` or `call`. `fusible` says which Nodes that could run in a loop a backend has there."""
    kind = OP_KINDS.get(node.op, "call")
    return "call" if kind == "fused" and fusible is not None and not fusible(node) else kind


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


def viewed(node: Node) -> Node:
    """The value that a chain of views shows; the Node itself where it is no view."""
    while node.op in VIEWS and node.op != "item":
        node = node.inputs[0]
    return node


def group(program: Program, fusible: Fusible | None = None) -> tuple[Kernel, ...]:
    """The kernels of a Program, in an order in which they can run."""
    nodes = list(program.nodes())
    kinds = {node: kind_of(node, fusible) for node in nodes}
    users = _users(nodes, program.outputs)
    levels = _levels(nodes, kinds)
    _delay(nodes, kinds, users, levels)
    groups: dict[tuple[int, str, object], list[Node]] = {}
    for node in nodes:
        kind = kinds[node]
        if kind != "leaf":
            where: object = iteration_shape(node) if kind == "fused" else len(groups)
            groups.setdefault((levels[node], kind, where), []).append(node)
    ordered = sorted(groups.items(), key=lambda item: (item[0][0], item[0][1] != "view"))
    return tuple(_kernel(kind, shape, members, users) for (_, kind, shape), members in ordered)


def _levels(nodes: Iterable[Node], kinds: dict[Node, str]) -> dict[Node, int]:
    """The first level at which each Node can run. A view runs in the level of those who may first read it."""
    levels: dict[Node, int] = {}
    for node in nodes:
        levels[node] = max(
            (
                levels[child] + (kinds[child] in ("fused", "call") and not _same_loop(child, node, kinds))
                for child in node.inputs
            ),
            default=0,
        )
    return levels


def _same_loop(child: Node, user: Node, kinds: dict[Node, str]) -> bool:
    """Whether one loop nest can compute `child` and use it in `user` without storing it."""
    return (
        kinds[child] == kinds[user] == "fused"
        and child.op not in FUSED_REDUCTIONS
        and child.type.shape == iteration_shape(user)
    )


def _delay(
    nodes: list[Node], kinds: dict[Node, str], users: dict[Node, list[Node | None]], levels: dict[Node, int]
) -> None:
    """Moves elementwise Nodes into the loop nest of their first user, so that their values need not be stored."""
    for node in reversed(nodes):
        readers = users.get(node, [])
        if kinds[node] != "fused" or node.op in FUSED_REDUCTIONS or not readers:
            continue
        if all(user is not None and _same_loop(node, user, kinds) for user in readers):
            levels[node] = min(levels[user] for user in readers if user is not None)


def _users(nodes: Iterable[Node], outputs: Iterable[Node]) -> dict[Node, list[Node | None]]:
    users: dict[Node, list[Node | None]] = {output: [None] for output in outputs}
    for node in nodes:
        for child in node.inputs:
            users.setdefault(child, []).append(node)
    return users


def _kernel(kind: str, shape: object, members: list[Node], users: dict[Node, list[Node | None]]) -> Kernel:
    inside = set(members)
    inputs = dict.fromkeys(
        child
        for node in members
        for child in node.inputs
        if child not in inside and viewed(child).op not in INLINE_LEAVES
    )
    outputs = tuple(node for node in members if any(user not in inside for user in users.get(node, [])))
    space = shape if kind == "fused" else getattr(members[0].type, "shape", ())
    assert isinstance(space, tuple)
    return Kernel(kind, space, tuple(members), tuple(inputs), outputs)


def moved_shapes(kernel: Kernel) -> tuple[ArrayType, ...]:
    """The types of the arrays that a kernel reads and writes. What it reads through `broadcast` counts unrepeated."""
    return tuple(
        part
        for node in (*map(_unrepeated, kernel.inputs), *kernel.outputs)
        for part in ((node.type,) if isinstance(node.type, ArrayType) else node.type.items)
    )


def _unrepeated(node: Node) -> Node:
    while node.op in ("broadcast", "transpose", "assume"):
        node = node.inputs[0]
    return node
