"""One kernel as a tree of loops: where each value lives, and the statements that make it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import count

from egc import sizes
from egc.ir import Node
from egc.kernels import FUSED_REDUCTIONS, Kernel, Part
from egc.lower.access import address, row_major
from egc.lower.loops import Access, Apply, Check, Fold, For, Index, Item, Literal, Load, Loop, Reduce, Statement, Store
from egc.sizes import Dim
from egc.types import Shape
from egc.views import Index as Place
from egc.views import Map, Source, trace


class NestBuilder:
    """Builds the Loop of a fused kernel. `names` are the names of all values that are arrays.

    A value that later loops read within the same iteration of all loops around it stays a variable; one that later
    loops read in the same iterations of the outer loops only lives in a buffer that these loops use anew.
    """

    def __init__(self, kernel: Kernel, names: Mapping[Node, str]):
        self.kernel, self.names = kernel, dict(names)
        self.checks: dict[Check, None] = {}
        self.fresh = (f"v{k}" for k in count())
        self.variables: dict[Node, tuple[str, int, int]] = {}
        self.strides: dict[Node, tuple[Dim, ...]] = {}
        self.scratch: list[tuple[str, Node, Dim]] = []
        self.tree = _Tree()
        self._place_values()

    def _place_values(self) -> None:
        """Chooses an array for each value that needs one."""
        parts = self.kernel.parts
        made = {node: number for number, part in enumerate(parts) for node in part.nodes}
        kept: dict[Node, int] = {}
        for number, part in enumerate(parts):
            for base in part.reads:
                first = made.get(base)
                if first is None:
                    continue
                shared = min(later.shared for later in parts[first + 1 : number + 1])
                if shared < _scope(base, parts[first]):
                    kept[base] = min(kept.get(base, shared), shared)
        for node in self.kernel.outputs:
            self.strides[node] = row_major(node.type.shape)
        taken = set(self.names.values())
        buffers = (name for k in count() if (name := f"t{k}") not in taken)
        for node, shared in kept.items():
            if node not in self.strides:
                shape = node.type.shape[shared:]
                self.names[node] = next(buffers)
                self.strides[node] = (*[0] * shared, *row_major(shape))
                self.scratch.append((self.names[node], node, sizes.product(shape)))

    def build(self) -> Loop:
        for number, part in enumerate(self.kernel.parts):
            _PartBuilder(self, part, number).build()
        results = tuple((self.names[node], node.type) for node in self.kernel.outputs)
        scratch = tuple((name, node.type.dtype, size) for name, node, size in self.scratch)
        return Loop(results, self.tree.body(), scratch)


def _scope(node: Node, part: Part) -> int:
    """The number of loops that must be shared for a variable to hold a value; more than there are where none can."""
    rank, axes = len(part.shape), node.params["axes"] if node.op in FUSED_REDUCTIONS else ()
    kept = rank - len(axes)
    if any(axis < kept for axis in axes):
        return rank + 1
    while kept and part.shape[kept - 1] == 1:
        kept -= 1
    return kept


class _Tree:
    """Loops while they are written: the open ones, each with what follows it when it ends."""

    def __init__(self) -> None:
        self.top: list[Item] = []
        self.open: list[tuple[Dim, list[Item], list[Item]]] = []

    def enter(self, dims: tuple[Dim, ...], shared: int) -> None:
        """Closes all but the `shared` outermost loops, and opens those over the further dims."""
        while len(self.open) > shared:
            self._close()
        self.open.extend((dim, [], []) for dim in dims[shared:])

    def _close(self) -> None:
        dim, body, after = self.open.pop()
        outer = self.open[-1][1] if self.open else self.top
        outer.append(For(dim, tuple(body)))
        outer.extend(after)

    def add(self, statement: Statement) -> None:
        (self.open[-1][1] if self.open else self.top).append(statement)

    def add_after(self, depth: int, statement: Statement) -> None:
        """Adds what runs inside the first `depth` loops when the next one ends."""
        if depth == len(self.open):
            self.add(statement)
        else:
            self.open[depth][2].append(statement)

    def body(self) -> tuple[Item, ...]:
        self.enter((), 0)
        return tuple(self.top)


class _PartBuilder:
    """Writes the statements of one part. Axes of length 1 have no loop."""

    def __init__(self, nest: NestBuilder, part: Part, number: int):
        self.nest, self.part, self.number, self.tree = nest, part, number, nest.tree
        self.loop_of = _loops(part.shape)
        self.rank = len(self.loop_of)
        self.values: dict[tuple[Node, Map], str] = {}
        self.read: dict[tuple[Node, Shape, Map], str] = {}
        self.again = set(part.again)
        self.here: Map = tuple(
            Place(0, ((self.loop_of[axis], 1),)) if axis in self.loop_of else Place(0)
            for axis in range(len(part.shape))
        )

    def build(self) -> None:
        dims = tuple(dim for dim in self.part.shape if dim != 1)
        shared = sum(axis < self.part.shared for axis in self.loop_of)
        self.tree.enter(dims, shared)
        for node in self.part.nodes:
            if node.op in FUSED_REDUCTIONS:
                self._reduce(node)
            else:
                name = self._apply(node, self.here)
                self.nest.variables[node] = name, self.number, _scope(node, self.part)
                if node in self.nest.strides:
                    self.tree.add(Store(self._access(node, self.here), name))

    def _apply(self, node: Node, index: Map) -> str:
        key = (node, index)
        if key not in self.values:
            operands = tuple(self.value(child, index) for child in node.inputs)
            name = next(self.nest.fresh)
            self.tree.add(Apply(name, operands, node))
            self.values[key] = name
        return self.values[key]

    def value(self, node: Node, index: Map) -> str:
        """The variable that holds the element of a value at an index."""
        if (node, index) in self.values:
            return self.values[node, index]
        source = trace(node, index)
        self.nest.checks.update(dict.fromkeys(source.checks))
        base = source.base
        if (base, source.index) in self.values:
            return self.values[base, source.index]
        if base in self.again:
            return self._apply(base, source.index)
        if base in self.nest.variables and self._visible(base):
            return self.nest.variables[base][0]
        key = (base, source.shape, source.index)
        if key not in self.read:
            self.read[key] = next(self.nest.fresh)
            self.tree.add(self._load(self.read[key], source))
        return self.read[key]

    def _visible(self, node: Node) -> bool:
        _, number, scope = self.nest.variables[node]
        if number == self.number:
            return True
        return min(part.shared for part in self.nest.kernel.parts[number + 1 : self.number + 1]) >= scope

    def _load(self, name: str, source: Source) -> Statement:
        base = source.base
        match base.op:
            case "constant":
                return Literal(name, base.params["value"], base.params["dtype"])
            case "size":
                return Index(name, base.params["value"], (0,) * self.rank)
            case "iota":
                return Index(name, *address((source.index[base.params["axis"]],), (1,), self.rank))
        strides = self.nest.strides.get(base)
        if strides is None or source.shape != base.type.shape:
            strides = row_major(source.shape)
        access = Access(self.nest.names[base], *address(source.index, strides, self.rank))
        return Load(name, access, base.type.dtype, base.type.rank == 0)

    def _access(self, node: Node, index: Map) -> Access:
        return Access(self.nest.names[node], *address(index, self.nest.strides[node], self.rank))

    def _reduce(self, node: Node) -> None:
        operand, axes = node.inputs[0], node.params["axes"]
        value = self.value(operand, self.here)
        if node.op in ("max", "min"):
            self.nest.checks[_nonempty(node)] = None
        looped = [axis for axis in axes if axis in self.loop_of]
        place: Map = tuple(self.here[axis] for axis in range(len(self.part.shape)) if axis not in axes)
        if not looped:
            self._define(node, value, place, self.rank)
            return
        kept = [self.loop_of[axis] for axis in self.loop_of if axis not in axes]
        depth, first = max(kept, default=-1) + 1, self.loop_of[looped[0]]
        if depth < self.rank:
            total = next(self.nest.fresh)
            self.tree.add(Fold(total, node.op, value, depth, operand.type.dtype))
            value = total
        if depth <= first:
            self._define(node, value, place, depth)
            return
        access = self._access(node, place)
        size = sizes.product(
            tuple(dim for axis, dim in enumerate(operand.type.shape) if axis not in axes and axis > looped[0])
        )
        access = Access(access.array, access.offset, access.strides[:depth])
        self.tree.add_after(depth, Reduce(node.op, access, value, first, operand.type.dtype, size))

    def _define(self, node: Node, value: str, place: Map, depth: int) -> None:
        """A reduction that is known inside the first `depth` loops."""
        self.nest.variables[node] = value, self.number, _scope(node, self.part)
        if node in self.nest.strides:
            access = self._access(node, place)
            self.tree.add_after(depth, Store(Access(access.array, access.offset, access.strides[:depth]), value))


def _loops(shape: Shape) -> dict[int, int]:
    """The number of the loop of each axis that has one."""
    axes = [axis for axis, dim in enumerate(shape) if dim != 1]
    return {axis: loop for loop, axis in enumerate(axes)}


def _nonempty(node: Node) -> Check:
    reduced = sizes.product(tuple(node.inputs[0].type.shape[axis] for axis in node.params["axes"]))
    name = {"max": "maximum", "min": "minimum"}[node.op]
    text = f"zero-size array to reduction operation {name} which has no identity"
    return Check("nonempty", (reduced,), text)


def holds(check: Check) -> bool:
    return check.what == "nonempty" and isinstance(check.values[0], int) and check.values[0] > 0


def loop_of(kernel: Kernel, names: Mapping[Node, str]) -> Iterator[Check | Loop]:
    """The checks that a kernel's loops rely on, then the loops."""
    builder = NestBuilder(kernel, names)
    loop = builder.build()
    yield from (check for check in builder.checks if not holds(check))
    yield loop
