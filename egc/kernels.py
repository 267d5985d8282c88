"""Groups a Program's Nodes into kernels: what the cost model prices and what loop backends emit.

Elementwise Nodes of one iteration shape whose operands are ready at the same time are one part: a loop nest over that
shape, together with the reductions of their values. Parts that walk the same leading axes, and that read what earlier
parts made in the same row only, share these loops (Kennedy and McKinley, Maximizing Loop Parallelism and Improving
Data Locality via Loop Fusion and Distribution, 1993): they are one kernel, and what passes between them stays in
cache. So does a matrix product whose rows they make or read: it is a part of its own, made in runs of rows. A view costs
nothing by itself; a loop nest reads its operand through it. Cheap values are computed again
where they are read rather than stored.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from egc.ir import Node, Program
from egc.kinds import (
    CHEAP,
    FUSED_REDUCTIONS,
    INLINE_LEAVES,
    LIGHT,
    VIEWS,
    Fusible,
    factors,
    is_serial,
    iteration_shape,
    kind_of,
    pieces,
    viewed,
    walked,
    walked_at,
    whole,
)
from egc.parts import Part, shared_loops
from egc.types import ArrayType, Shape
from egc.views import Map, Source, identity, trace

AGAIN_OPS = 4
"""A value that takes at most this many cheap operations, """

AGAIN_READS = 2
"""reads at most this many arrays """

AGAIN_USES = 6
"""and is read in at most this many places outside of its part, is computed again at each."""

WINDOW_USES = 32
"""The same for elements whose places follow from the loops alone: they are read where they lie."""

CHECKS = frozenset(["any", "all"])
"""Reductions that cost a loop nothing, whatever it waits for."""

MOST_WEIGHT = 400
"""Nodes of one kernel, at most: compilers take ever longer for larger ones."""

RESULT_WEIGHT = 8
"""Nodes that a result of the Program, an array that is written, is worth."""


@dataclass(frozen=True)
class Kernel:
    """Loop nests that share loops (`fused`), a library call (`call`) or a view (`view`).

    `nodes` are in topological order; `inputs` are values computed elsewhere; `outputs` are the Nodes of the kernel
    that are needed elsewhere. `shape` is the iteration space of a fused kernel's first part.
    """

    kind: str
    shape: Shape
    nodes: tuple[Node, ...]
    inputs: tuple[Node, ...]
    outputs: tuple[Node, ...]
    parts: tuple[Part, ...] = ()

    def __str__(self) -> str:
        return f"{self.kind} {'+'.join(node.op for node in self.nodes)} over {list(map(str, self.shape))}"


def group(program: Program, fusible: Fusible | None = None) -> tuple[Kernel, ...]:
    """The kernels of a Program, in an order in which they can run."""
    return _Grouping(program, fusible).kernels()


@dataclass
class _Nest:
    """A kernel while parts are added."""

    kind: str
    parts: list[Part] = field(default_factory=list)
    weight: int = 0


class _Grouping:
    """Nodes here are those of the Program, and the Pieces of arrays that loops put together."""

    def __init__(self, program: Program, fusible: Fusible | None):
        self.nodes: list[Any] = []
        self.kinds: dict[Any, str] = {}
        self.inputs: dict[Any, tuple[Any, ...]] = {}
        for node in program.nodes():
            kind = kind_of(node, fusible)
            self.inputs[node] = node.inputs
            if kind == "join":
                self.inputs[node] = made = pieces(node)
                self.nodes.extend(made)
                self.kinds.update(dict.fromkeys(made, "fused"))
                self.inputs.update((piece, piece.inputs) for piece in made)
            self.nodes.append(node)
            self.kinds[node] = kind
        self.outputs = frozenset(program.outputs)
        self.users = _users(self.inputs, program.outputs)
        self.sources: dict[Any, tuple[Source, ...]] = {
            node: tuple(trace(*operand) for operand in walked(node))
            for node in self.nodes
            if self.kinds[node] == "fused"
        }
        self._find_products(fusible)
        self.again: set[Node] = set()
        self.part_of: dict[Node, int] = {}

    def _find_products(self, fusible: Fusible | None) -> None:
        """Matrix products that loops over rows make operands of, or read, are `product`s."""
        for node in self.nodes:
            found = factors(node) if self.kinds[node] == "call" else None
            if found is None or (fusible is not None and not fusible(node)):
                continue
            left = found[0]
            if (self.kinds[left.base] == "fused" and left.aligned()) or any(
                user is not None and self.kinds[user] == "fused" and self._reads_rows(user, node)
                for user in self.users.get(node, [])
            ):
                self.kinds[node] = "product"
                self.sources[node] = found

    def _reads_rows(self, user: Any, node: Node) -> bool:
        """Whether the outermost loop of a fused Node walks the rows of a matrix."""
        return any(source.base is node and source.aligned() for source in self.sources[user])

    def kernels(self) -> tuple[Kernel, ...]:
        groups = self._groups()
        self._find_again()
        nests: list[_Nest] = []
        place: dict[Node, tuple[int, int]] = {}
        readers: dict[tuple[Shape, Node], int] = {}
        for kind, shape, members in groups:
            if kind not in ("fused", "product"):
                nests.append(_Nest(kind, [Part(getattr(members[0].type, "shape", ()), tuple(members))]))
            else:
                members = self._made(members) if kind == "fused" else members
                if not members:
                    continue
                reads, again = self._reads(members) if kind == "fused" else (self._factors(members[0]), ())
                part = Part(
                    shape, tuple(members), 0, tuple(base for base, _ in reads), again, members[0] in self.serial
                )
                number, shared = self._home(part, reads, nests, place, readers)
                if number is None:
                    nests.append(_Nest("fused"))
                    number = len(nests) - 1
                nests[number].parts.append(replace(part, shared=shared))
                nests[number].weight += self._weight(members)
                for base, _ in reads:
                    if base.type.rank:
                        readers[shape, base] = number
                for node in members:
                    place[node] = number, len(nests[number].parts) - 1
                continue
            place[members[0]] = len(nests) - 1, 0
        return tuple(self._kernel(nest) for nest in nests)

    def _groups(self) -> list[tuple[str, Shape, list[Node]]]:
        """Nodes by level and iteration shape."""
        levels = self._levels()
        self._delay(levels)
        groups: dict[tuple[int, str, object], list[Node]] = {}
        for node in self.nodes:
            kind = self.kinds[node]
            if kind != "leaf":
                where: object = (iteration_shape(node), node in self.serial) if kind == "fused" else len(groups)
                groups.setdefault((levels[node], kind, where), []).append(node)
        ordered = [
            (key, part)
            for key, members in sorted(groups.items(), key=lambda item: (item[0][0], item[0][1] != "view"))
            for part in self._divided(members)
        ]
        for number, (_, members) in enumerate(ordered):
            self.part_of.update(dict.fromkeys(members, number))
        return [
            (kind, where[0] if kind == "fused" else getattr(members[0].type, "shape", ()), members)  # type: ignore[index]
            for (_, kind, where), members in ordered
        ]

    def _divided(self, members: list[Any]) -> Iterator[list[Any]]:
        """The members of a part, or of several where they are too many for one."""
        part: list[Any] = []
        total = 0
        for node in members:
            weight = self._weight([node])
            if part and total + weight > MOST_WEIGHT:
                yield part
                part, total = [], 0
            part.append(node)
            total += weight
        yield part

    def _weight(self, nodes: Iterable[Any]) -> int:
        return sum(RESULT_WEIGHT if node in self.outputs else 1 for node in nodes)

    def _levels(self) -> dict[Any, int]:
        """The first level at which each Node can run. A view runs in the level of those who may first read it."""
        levels: dict[Any, int] = {}
        self.serial: set[Any] = {node for node in self.nodes if self.kinds[node] == "fused" and is_serial(node)}
        self._reckon_after()
        self._reckon_ahead()
        self._reckon_after()
        for node in self.nodes:
            level = 0
            for child in self.inputs[node]:
                apart = self.kinds[child] in ("fused", "call", "join", "product")
                if apart and self._same_loop(child, node):
                    apart = (child in self.serial) != (node in self.serial) or (node in self.serial and is_serial(node))
                level = max(level, levels[child] + apart)
            levels[node] = level
        return levels

    def _reckon_after(self) -> None:
        """Puts into `serial` what is reckoned lightly from values there: it shares their loop. A division by what another loop
        has to make first, such as a sum, rather shares the loop of who reads it."""
        for node in self.nodes:
            light = node.op in CHEAP or node.op in CHECKS
            if not light and node.op in LIGHT:
                others = [child for child in self.inputs[node] if not self._same_loop(child, node)]
                light = all(self.kinds[viewed(child)] == "leaf" for child in others)
            if light and any(child in self.serial and self._same_loop(child, node) for child in self.inputs[node]):
                self.serial.add(node)

    def _reckon_ahead(self) -> None:
        """Puts into `serial` what is reckoned lightly for values there alone, and for checks of the same values: it is never
        stored."""
        for node in reversed(self.nodes):
            if self.kinds[node] != "fused" or node.op not in LIGHT:
                continue
            readers = self.users.get(node, [])
            if all(user is not None and self._same_loop(node, user) for user in readers):
                wanted = [user for user in readers if user in self.serial]
                if wanted and all(user in self.serial or user.op in CHECKS for user in readers):
                    self.serial.add(node)

    def _same_loop(self, child: Any, user: Any) -> bool:
        """Whether one loop nest can compute `child` and use it in `user` without storing it."""
        return (
            self.kinds[child] == self.kinds[user] == "fused"
            and child.op not in FUSED_REDUCTIONS
            and child.op not in ("scatter", "place")
            and child.type.shape == iteration_shape(user)
            and child not in whole(user)
            and (user.op != "place" or user.index == identity(child.type.rank))
        )

    def _delay(self, levels: dict[Any, int]) -> None:
        """Moves elementwise Nodes into the loop nest of their first user, so that their values need not be stored."""
        for node in reversed(self.nodes):
            readers = self.users.get(node, [])
            if self.kinds[node] != "fused" or not readers or node in self.serial:
                continue
            if node.op in FUSED_REDUCTIONS or node.op == "place":
                continue
            if all(user is not None and self._same_loop(node, user) and user not in self.serial for user in readers):
                levels[node] = min(levels[user] for user in readers)

    def _find_again(self) -> None:
        """Which cheap values are computed again in each part that reads them, from what is stored anyway."""
        outside: dict[Node, int] = {}
        stored: set[Node] = set(map(viewed, self.outputs))
        for node in self.nodes:
            if self.kinds[node] == "fused":
                stored.update(viewed(child) for child in whole(node))
                for source in self.sources[node]:
                    base = source.base
                    if base.op in VIEWS or source.shape != base.type.shape:
                        stored.add(viewed(base))
                    elif self.part_of.get(base) != self.part_of[node]:
                        outside[base] = outside.get(base, 0) + 1
            elif self.kinds[node] in ("call", "product"):
                stored.update(map(viewed, node.inputs))
        effort: dict[Node, tuple[int, frozenset[Node]]] = {}
        for node in self.nodes:
            window = node.op == "gather"
            cheap = node.op in CHEAP or window
            if node in outside and node not in stored and cheap and self.kinds[node] == "fused":
                found = self._effort(node, effort, outside, stored)
                uses = WINDOW_USES if window else AGAIN_USES
                if found is not None and outside[node] <= uses and not (window and found[1]):
                    effort[node] = found
                    self.again.add(node)

    def _effort(
        self,
        node: Node,
        effort: dict[Node, tuple[int, frozenset[Node]]],
        outside: dict[Node, int],
        stored: set[Node],
    ) -> tuple[int, frozenset[Node]] | None:
        """The operations and arrays that computing a value again takes; None where that is not worth it."""
        ops = 1
        reads: set[Node] = set()
        for source in self.sources[node]:
            base = source.base
            if base in effort:
                ops += effort[base][0]
                reads |= effort[base][1]
            elif base.op in INLINE_LEAVES:
                continue
            elif self.kinds.get(base) != "fused" or base in outside or base in stored:
                if base.type.rank == node.type.rank:
                    reads.add(base)
            else:
                return None
        return (ops, frozenset(reads)) if ops <= AGAIN_OPS and len(reads) <= AGAIN_READS else None

    def _made(self, members: list[Node]) -> list[Node]:
        """The members that are computed in their own part: all but those that only others compute again."""
        inside = set(members)
        wanted: set[Node] = set()
        for node in reversed(members):
            if node not in self.again or node in wanted:
                wanted.update(source.base for source in self.sources[node] if source.base in inside)
        return [node for node in members if node not in self.again or node in wanted]

    def _reads(self, members: Iterable[Node]) -> tuple[list[tuple[Node, int]], tuple[Node, ...]]:
        """What a part reads from elsewhere, each with the number of leading axes that it walks in step, and the values
        that it computes again."""
        inside = set(members)
        found: dict[Node, int] = {}
        seen: dict[tuple[Node, Map], None] = {}
        stack = [source for node in members for source in self.sources[node]]
        for node in members:
            bases = (trace(child, identity(child.type.rank)).base for child in whole(node))
            found.update((base, 0) for base in bases if node.op == "gather" or base.op not in INLINE_LEAVES)
        while stack:
            source = stack.pop()
            base = source.base
            if base in inside:
                continue
            if base in self.again:
                if (base, source.index) not in seen:
                    seen[base, source.index] = None
                    stack.extend(trace(*operand) for operand in walked_at(base, source.index))
                    found.update((trace(child, identity(child.type.rank)).base, 0) for child in whole(base))
                continue
            if base.op not in INLINE_LEAVES:
                found[base] = min(found.get(base, source.aligned()), source.aligned())
        return list(found.items()), tuple(base for base, _ in seen)

    def _factors(self, product: Node) -> list[tuple[Node, int]]:
        """What a matrix product reads: of the left operand row by row where its rows are the loops', all of the right one."""
        left, right = self.sources[product]
        return [(left.base, min(left.aligned(), 1)), (right.base, 0)]

    def _home(
        self,
        part: Part,
        reads: list[tuple[Node, int]],
        nests: list[_Nest],
        place: dict[Node, tuple[int, int]],
        readers: dict[tuple[Shape, Node], int],
    ) -> tuple[int | None, int]:
        """The kernel that a part joins and the number of loops it shares there, or None."""
        shape = part.shape
        last = max((place[base][0] for base, _ in reads if base in place), default=-1)
        last = max(
            [last, *(place[viewed(base)][0] for base, _ in reads if base not in place and viewed(base) in place)]
        )
        weight = self._weight(part.nodes)

        def has_room(nest: _Nest) -> bool:
            return nest.kind == "fused" and nest.weight + weight <= MOST_WEIGHT

        if last >= 0 and has_room(nests[last]):
            shared = shared_loops(part, reads, nests[last].parts, last, place)
            if shared:
                return last, shared
        for base, _ in reads:
            number = readers.get((shape, base), -1)
            near = number >= max(last, 0) and nests[number].parts[-1].shape == shape
            if (
                near
                and has_room(nests[number])
                and shared_loops(part, reads, nests[number].parts, number, place) == len(shape)
            ):
                return number, len(shape)
        return None, 0

    def _kernel(self, nest: _Nest) -> Kernel:
        members = [node for part in nest.parts for node in part.nodes]
        inside = set(members)
        if len(nest.parts) == 1 and nest.parts[0].product is not None:
            nest.kind = "call"
        if nest.kind == "fused":
            inputs = self._inputs(members, inside)
            outputs = tuple(node for node in members if self._needed(node, inside, set()))
            return Kernel(nest.kind, nest.parts[0].shape, tuple(members), inputs, outputs, tuple(nest.parts))
        inputs = tuple(dict.fromkeys(child for child in members[0].inputs if viewed(child).op not in INLINE_LEAVES))
        return Kernel(nest.kind, nest.parts[0].shape, tuple(members), inputs, tuple(members))

    def _inputs(self, members: list[Node], inside: set[Node]) -> tuple[Node, ...]:
        found: dict[Node, None] = {}
        stack = [child for node in reversed(members) for child in reversed(node.inputs)]
        while stack:
            child = stack.pop()
            if child in inside or child in found:
                continue
            base = viewed(child)
            if base in self.again:
                stack.extend(reversed(base.inputs))
            elif base.op not in INLINE_LEAVES and base not in inside:
                found[child] = None
        return tuple(found)

    def _needed(self, node: Node, inside: set[Node], seen: set[Node]) -> bool:
        """Whether a value, or a view of it, is read outside of the Nodes in `inside`."""
        if node in self.again and node not in self.outputs:
            return False
        stack: list[Node | None] = [node]
        while stack:
            for user in self.users.get(stack.pop(), []):  # type: ignore[arg-type]
                if user is None:
                    return True
                if user in seen:
                    continue
                seen.add(user)
                if self.kinds[user] == "view" or user in self.again:
                    stack.append(user)
                elif user not in inside:
                    return True
        return False


def _users(inputs: dict[Any, tuple[Any, ...]], outputs: Iterable[Node]) -> dict[Any, list[Any]]:
    users: dict[Any, list[Any]] = {output: [None] for output in outputs}
    for node, operands in inputs.items():
        for child in operands:
            users.setdefault(child, []).append(node)
    return users


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
