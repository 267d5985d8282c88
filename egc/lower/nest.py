"""One kernel as a tree of loops: where each value lives, and the statements that make it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import reduce
from itertools import count, groupby

import numpy as np

from egc import sizes
from egc.ir import Node
from egc.kernels import Kernel
from egc.kinds import FUSED_REDUCTIONS, SCANS, Piece, is_unwritten, whole
from egc.lower.access import address, ordered, row_major
from egc.lower.checks import holds, indexed, nonempty
from egc.lower.loops import Check, Loop
from egc.lower.names import without_unused
from egc.lower.places import place_of, surely_inside
from egc.lower.statements import (
    Access,
    Apply,
    Blocks,
    Fold,
    For,
    Gather,
    Index,
    Item,
    Literal,
    Load,
    Pick,
    Product,
    Reduce,
    Scan,
    Scatter,
    Statement,
    Store,
)
from egc.parts import Part
from egc.ranges import Ranges
from egc.sizes import Dim
from egc.types import Shape
from egc.views import Index as Place
from egc.views import Map, Source, identity, inside, trace

NOTHING = Ranges()

ROWS, MORE_ROWS, HELD, MOST_ROWS = 32, 128, 2**17, 512
"""Rows of a matrix product that are made at a time: at least so many, more while they have no more elements than these, and the
most where each element is a long sum. BLAS brings the right operand into order for each run of rows anew, which takes what a row
does; few elements stay in cache until they are read, which matters beside short sums."""


class Fresh:
    """Names of values and buffers that no other kernel of a function has."""

    def __init__(self) -> None:
        self.values = (f"v{k}" for k in count())
        self.buffers = (f"t{k}" for k in count())


class NestBuilder:
    """Builds the Loop of a fused kernel. `names` are the names of all values that are arrays, `given` the strides of those
    that have gaps.

    A value that later loops read within the same iteration of all loops around it stays a variable; one that later
    loops read in the same iterations of the outer loops only lives in a buffer that these loops use anew. Where there are
    matrix products, the outermost loop runs in blocks of rows, and what passes from before a product to after it is held
    for all rows of the block.
    """

    def __init__(
        self,
        kernel: Kernel,
        names: Mapping[Node, str],
        fresh: Fresh | None = None,
        given: Mapping[str, tuple[Dim, ...]] = {},
        ranges: Ranges = NOTHING,
    ):
        self.kernel, self.names, self.given, self.ranges = kernel, dict(names), given, ranges
        self.results = tuple(dict.fromkeys(node.join if isinstance(node, Piece) else node for node in kernel.outputs))
        self.checks: dict[Check, None] = {}
        self.fresh = (f"v{k}" for k in count()) if fresh is None else fresh.values
        self.buffers = fresh.buffers if fresh is not None else None
        self.variables: dict[Node, tuple[str, int, int]] = {}
        self.strides: dict[Node, tuple[Dim, ...]] = {}
        self.scratch: list[tuple[str, np.dtype, Dim]] = []
        self.held: list[tuple[str, Dim]] = []
        self.tree = _Tree()
        self.placed = False
        self._place_values()

    def _place_values(self) -> None:
        """Chooses an array for each value that needs one."""
        parts = self.kernel.parts
        made = {node: number for number, part in enumerate(parts) for node in part.nodes}
        kept: dict[Node, int] = {}
        held: dict[Node, None] = {}
        for number, part in enumerate(parts):
            for base in part.reads:
                first = made.get(base)
                if first is None:
                    continue
                shared = min(later.shared for later in parts[first + 1 : number + 1])
                if any(each.product for each in parts[first : number + 1]):
                    held[base] = None
                elif shared < _scope(base, parts[first]):
                    kept[base] = min(kept.get(base, shared), shared)
        for node in self.results:
            self.strides[node] = row_major(node.type.shape)
        for node in held:
            if node not in self.strides:
                self.strides[node] = row_major(node.type.shape)
                step = self.strides[node][0]
                self.names[node] = self.buffer(node.type.dtype, self._run() * step)
                self.held.append((self.names[node], step))
        for node, shared in kept.items():
            if node not in self.strides:
                shape = node.type.shape[shared:]
                self.names[node] = self.buffer(node.type.dtype, sizes.product(shape))
                self.strides[node] = (*[0] * shared, *row_major(shape))

    def build(self) -> Loop:
        for number, part in enumerate(self.kernel.parts):
            _PartBuilder(self, part, number).build()
        results = tuple((self.names[node], node.type) for node in self.results)
        body = tuple(without_unused(self.tree.body())) if self.placed else self.tree.body()
        if any(part.product for part in self.kernel.parts):
            body = tuple(self._in_blocks(item) if isinstance(item, For) else item for item in body)
        return Loop(results, body, tuple(self.scratch))

    def _in_blocks(self, rows: For) -> Blocks:
        """The loop over rows in blocks: what stands between products is a loop over the rows of a block."""
        items: list[Item] = []
        for is_product, members in groupby(rows.body, lambda item: isinstance(item, Product)):
            between = tuple(members)
            items.extend(between if is_product else [For(rows.dim, between)])
        return Blocks(rows.dim, tuple(items), run=self._run(), held=tuple(self.held))

    def _run(self) -> Dim:
        """The rows of a product that are made at a time."""
        products = [part.product for part in self.kernel.parts if part.product is not None]
        one: Dim = 1
        most: Dim = 2 * MOST_ROWS
        widest = reduce(sizes.maximum, dict.fromkeys(each.type.shape[-1] for each in products), one)
        shortest = reduce(sizes.minimum, dict.fromkeys(each.inputs[1].type.shape[0] for each in products), most)
        few = sizes.maximum(ROWS, sizes.minimum(MORE_ROWS, sizes.floordiv(HELD, widest)))
        return sizes.maximum(few, sizes.floordiv(shortest, 2))

    def buffer(self, dtype: np.dtype, size: Dim) -> str:
        """A new buffer that lives while the loops run."""
        taken = {*self.names.values(), *(name for name, *_ in self.scratch)}
        names = self.buffers if self.buffers is not None else (f"t{k}" for k in count())
        name = next(name for name in names if name not in taken)
        self.scratch.append((name, dtype, size))
        return name


def _scope(node: Node, part: Part) -> int:
    """The number of loops that must be shared for a variable to hold a value; more than there are where none can."""
    if node.op == "scatter":
        return len(part.shape) + 1
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
        if self.part.product is not None:
            self.tree.enter(self.part.shape[:1], min(self.part.shared, 1))
            self._product(self.part.product)
            return
        nodes = [node for node in self.part.nodes if not self._only_memory(node)]
        if not nodes:
            return
        dims = tuple(dim for dim in self.part.shape if dim != 1)
        shared = sum(axis < self.part.shared for axis in self.loop_of)
        self.tree.enter(dims, shared)
        for node in nodes:
            if node.op in FUSED_REDUCTIONS:
                self._reduce(node)
            elif isinstance(node, Piece):
                self._place(node)
            elif node.op == "scatter":
                self._scatter(node)
            else:
                name = self._scan(node) if node.op in SCANS else self._apply(node, self.here)
                self.nest.variables[node] = name, self.number, _scope(node, self.part)
                if node in self.nest.strides:
                    self.tree.add(Store(self._access(node, self.here), name, node.type.dtype))

    def _only_memory(self, node: Node) -> bool:
        """Whether a value is a result that nothing is to be written into, and that nothing here reads."""
        return is_unwritten(node) and not any(node in part.reads for part in self.nest.kernel.parts)

    def _apply(self, node: Node, index: Map) -> str:
        key = (node, index)
        if key not in self.values:
            if node.op == "gather":
                access, picks = self._gathered(node, index)
                name = next(self.nest.fresh)
                if picks:
                    self.tree.add(Gather(name, access, picks, node.params["mode"], node.type.dtype))
                else:
                    self.tree.add(Load(name, access, node.type.dtype, node.inputs[0].type.rank == 0))
            else:
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
        between = self.nest.kernel.parts[number + 1 : self.number + 1]
        return all(part.shared >= scope and part.product is None for part in between)

    def _load(self, name: str, source: Source) -> Statement:
        base = source.base
        match base.op:
            case "constant":
                return Literal(name, base.params["value"], base.params["dtype"])
            case "empty":
                return Literal(name, base.type.dtype.type(0).item(), base.type.dtype)
            case "size":
                return Index(name, base.params["value"], (0,) * self.rank)
            case "iota":
                return Index(name, *address((source.index[base.params["axis"]],), (1,), self.rank))
        array, strides = self._array(source)
        access = Access(array, *address(source.index, strides, self.rank))
        return Load(name, access, base.type.dtype, base.type.rank == 0)

    def _array(self, source: Source, in_order: bool = False) -> tuple[str, tuple[Dim, ...]]:
        """The array that has a source's elements, and its strides. One with gaps that is to be `in_order`, or that is seen in
        another shape, is a copy."""
        base, name = source.base, self.nest.names[source.base]
        seen = source.shape != base.type.shape
        if name in self.nest.given:
            return (ordered(name), row_major(source.shape)) if seen or in_order else (name, self.nest.given[name])
        strides = self.nest.strides.get(base)
        return name, row_major(source.shape) if strides is None or seen else strides

    def _access(self, node: Node, index: Map) -> Access:
        return Access(self.nest.names[node], *address(index, self.nest.strides[node], self.rank))

    def _place(self, piece: Piece) -> None:
        index = self._shifted(piece.index)
        value = self.value(piece.operand, index)
        for axis, dim in enumerate(piece.join.type.shape):
            if piece.join.op == "update_slice" and piece.number == 0:
                checks = inside(piece.start[axis], piece.shape[axis], 1, dim)
                self.nest.checks.update(dict.fromkeys(checks))
        there = tuple(Place(place.offset + at, place.terms) for place, at in zip(self.here, piece.start))
        self.tree.add(Store(self._access(piece.join, there), value, piece.type.dtype))

    def _shifted(self, index: Map) -> Map:
        """An index in terms of the part's axes, in terms of its loops."""
        moved = []
        for place in index:
            terms = tuple((self.loop_of[axis], step) for axis, step in place.terms if axis in self.loop_of)
            moved.append(Place(place.offset, terms))
        return tuple(moved)

    def _scan(self, node: Node) -> str:
        value, loop = self.value(node.inputs[0], self.here), self.loop_of.get(node.params["axis"])
        if loop is None:
            self.values[node, self.here] = value
            return value
        dtype, name = node.type.dtype, next(self.nest.fresh)
        if loop == self.rank - 1:
            self.tree.add(Scan(name, node.op, value, loop, dtype))
        else:
            row = tuple(dim if axis > node.params["axis"] else 1 for axis, dim in enumerate(self.part.shape))
            size = sizes.product(row)
            strides = tuple(0 if dim == 1 else stride for dim, stride in zip(row, row_major(row)))
            access = Access(self.nest.buffer(dtype, size), *address(self.here, strides, self.rank))
            self.tree.add(Reduce(node.op, access, value, loop, dtype, size))
            self.tree.add(Load(name, access, dtype, False))
        self.values[node, self.here] = name
        return name

    def _whole(self, node: Node) -> tuple[str, Dim, tuple[Dim, ...]]:
        """The operand that is a whole array: the array that has its elements, and its offset and strides there."""
        (operand,) = whole(node)
        source = trace(operand, identity(operand.type.rank))
        self.nest.checks.update(dict.fromkeys(source.checks))
        array, strides = self._array(source)
        return array, *address(source.index, strides, operand.type.rank)

    def _picked(
        self, node: Node, array: str, offset: Dim, strides: tuple[Dim, ...], index: Map
    ) -> tuple[Access, tuple[Pick, ...]]:
        """How gather and scatter reach an element at an index of what they read or write there."""
        axes, shape = node.params["axes"], node.inputs[0].type.shape
        indices = node.inputs[1:] if node.op == "gather" else node.inputs[2:]
        width = indices[0].type.rank if indices else 0
        rest = [axis for axis in range(len(shape)) if axis not in axes]
        further, steps = address(index[width:], tuple(strides[axis] for axis in rest), self.rank)
        picks = []
        for operand, axis in zip(indices, axes):
            if node.op == "gather" and (place := self._place_inside(operand, index[:width], shape[axis])) is not None:
                start, moves = address((place,), (strides[axis],), self.rank)
                further, steps = further + start, tuple(a + b for a, b in zip(steps, moves))
                self.nest.placed = True
                continue
            picks.append(Pick(self.value(operand, index[:width]), strides[axis], shape[axis]))
            self.nest.checks[indexed(shape[axis], node)] = None
        return Access(array, offset + further, steps), tuple(picks)

    def _place_inside(self, operand: Node, index: Map, length: Dim) -> Place | None:
        """Where an index that is a value surely lies on an axis, as the loops have it; None where it is not sure."""
        place = place_of(operand, index)
        dims = tuple(dim for dim in self.part.shape if dim != 1)
        return None if place is None else surely_inside(place, length, dims, self.nest.ranges)

    def _gathered(self, node: Node, index: Map) -> tuple[Access, tuple[Pick, ...]]:
        array, offset, strides = self._whole(node)
        return self._picked(node, array, offset, strides, index)

    def _product(self, node: Node) -> None:
        """The rows of a block; the left operand's index is (row, step), the right one's (step, column)."""
        sources = [trace(operand, identity(2)) for operand in node.inputs]
        places, steps = [], []
        for source in sources:
            self.nest.checks.update(dict.fromkeys(source.checks))
            array, own = self._array(source, in_order=True)
            offset, strides = address(source.index, own, 2)
            places.append((array, offset))
            steps.append(strides)
        left, right = steps
        product = Product(
            Access(self.nest.names[node], 0, self.nest.strides[node][:1]), Access(*places[0], left[:1]),
            Access(*places[1], ()), left[1], (right[0], right[1]), node.inputs[1].type.shape[0], node.type.shape[1],
            node.type.dtype,
        )  # fmt: skip
        self.tree.add(product)

    def _scatter(self, node: Node) -> None:
        """A copy of the operand before these loops, and after those that make it; then each value in its place."""
        name, shape = self.nest.names[node], node.type.shape
        strides = row_major(shape)
        copy = _PartBuilder(self.nest, Part(shape, (), 0, again=self.part.again), self.number)
        copy.tree = _Tree()
        copy.tree.enter(tuple(dim for dim in shape if dim != 1), 0)
        original = copy.value(node.inputs[0], copy.here)
        access = Access(name, *address(copy.here, strides, copy.rank))
        copy.tree.add(Store(access, original, node.type.dtype))
        self.tree.top.extend(copy.tree.body())
        value = self.value(node.inputs[1], self.here)
        access, picks = self._picked(node, name, 0, strides, self.here)
        self.tree.add(Scatter(access, picks, value, node.params["combine"], node.type.dtype))

    def _reduce(self, node: Node) -> None:
        operand, axes = node.inputs[0], node.params["axes"]
        value = self.value(operand, self.here)
        if node.op in ("max", "min"):
            self.nest.checks[nonempty(node)] = None
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
            self.tree.add_after(
                depth, Store(Access(access.array, access.offset, access.strides[:depth]), value, node.type.dtype)
            )


def _loops(shape: Shape) -> dict[int, int]:
    """The number of the loop of each axis that has one."""
    axes = [axis for axis, dim in enumerate(shape) if dim != 1]
    return {axis: loop for loop, axis in enumerate(axes)}


def loop_of(
    kernel: Kernel,
    names: Mapping[Node, str],
    fresh: Fresh | None = None,
    given: Mapping[str, tuple[Dim, ...]] = {},
    ranges: Ranges = NOTHING,
) -> Iterator[Check | Loop]:
    """The checks that a kernel's loops rely on, then the loops. `fresh` names what they make inside of loops and branches;
    `ranges` is what is known of sizes there."""
    builder = NestBuilder(kernel, names, fresh, given, ranges)
    loop = builder.build()
    yield from (check for check in builder.checks if not holds(check, fresh is not None))
    yield loop
