"""Loop nests as Python source for numba.

One function holds the consecutive loop nests of a segment. Its parameters are the addresses of arrays (results may be
written) and then the sizes, so that it serves every size. Scalar accumulators carry reductions over inner loops; a
reduction whose result varies along the innermost loop accumulates in an array.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from egc.backends.numba.accumulators import BLOCK, Accumulator, combine, identity, stored, summed_products
from egc.backends.numba.choices import write_choices
from egc.backends.numba.gaps import Gaps
from egc.backends.numba.in_turn import FEW, SHORT, is_light, sums_few, write_in_turn
from egc.backends.numba.panels import write_panels
from egc.backends.numba.rows import write_blocks
from egc.backends.numba.scalars import expression, type_name
from egc.backends.numba.stages import write_stages
from egc.backends.numba.strips import suits, suits_inside, write_strips, write_strips_inside
from egc.lower.loops import Loop
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
    Reduce,
    Scan,
    Scatter,
    Statement,
    Store,
    is_invariant,
    reads,
    statements,
    writes,
)
from egc.lower.together import side_by_side
from egc.sizes import Dim
from egc.types import ArrayType

LONG = 512
"""Elements of a row from which several rows run together. Processors fetch memory ahead of one walk through a page; several
short rows are several walks."""

COMBINATIONS = {"add": "sum", "multiply": "prod", "maximum": "max", "minimum": "min"}
"""The reductions that scatter combines with."""


@dataclass
class Source:
    """A function being written: lines, and parameters in order of first use. `pointers` and `scalars` are the variables
    that hold arrays and scalars; `exact` says that elementary functions are libm's."""

    exact: bool = False
    lines: list[str] = field(default_factory=list)
    arrays: list[str] = field(default_factory=list)
    written: set[str] = field(default_factory=set)
    dims: dict[Dim, str] = field(default_factory=dict)
    pointers: dict[str, str] = field(default_factory=dict)
    scalars: dict[str, str] = field(default_factory=dict)
    buffers: list[str] = field(default_factory=list)

    def line(self, depth: int, text: str) -> None:
        self.lines.append("    " * (depth + 1) + text)

    def dim(self, value: Dim) -> str:
        """A size as an expression: a number, or a parameter."""
        return str(value) if isinstance(value, int) else self.dims.setdefault(value, f"n{len(self.dims)}")

    def address(self, offset: Dim, strides: Sequence[Dim], indices: Sequence[str]) -> str:
        """The affine function of the given indices, without parts that are zero."""
        parts = [] if offset == 0 else [self.dim(offset)]
        for stride, index in zip(strides, indices):
            if stride != 0:
                parts.append(index if stride == 1 else f"{index} * {self.dim(stride)}")
        return " + ".join(parts) or "0"

    def array(self, name: str) -> str:
        return self.pointers[name]


@dataclass(frozen=True)
class Segment:
    """A generated function: its source, the arrays it takes (name, written) and the sizes it takes.

    Where it `may_fail` it returns an int64, which is not zero when an index was out of bounds. `calls` are the
    `phases.Calls` that run it where threads share its loops; the function then takes what `phases` says. `buffers` are those
    of its arrays that only it knows, with their types. `exchanged` are arrays whose values lie in one of others at the end:
    it returns the number of which, for all of them the digits of one number. `names` are what it names besides `NAMES`.
    `constants` are the types of the numbers that it takes after the sizes. `contracted`: products and sums are rounded once.
    `errors` are the exceptions of which it tells by a number: -1 for the first one, and so on.
    """

    source: str
    arrays: tuple[tuple[str, bool], ...]
    dims: tuple[Dim, ...]
    may_fail: bool = False
    calls: Any = None
    buffers: tuple[tuple[str, ArrayType], ...] = ()
    exchanged: tuple[tuple[str, tuple[str, ...]], ...] = ()
    names: Mapping[str, Any] = field(default_factory=dict, hash=False)
    constants: tuple[str, ...] = ()
    contracted: bool = False
    errors: tuple[tuple[str, str], ...] = ()


def emit(loops: Sequence[Loop], exact: bool = False) -> Segment:
    """The function that runs loop nests one after the other."""
    source = Source(exact)
    declare(source, loops)
    for number, loop in enumerate(loops):
        Nest(source, loop, "" if len(loops) == 1 else f"_{number}").emit()
    count = len(source.arrays)
    head = f"def loops({', '.join([*(f'p{k}' for k in range(count)), *source.dims.values()])}):"
    keep = [f"    keep({buffer})" for buffer in source.buffers]
    may_fail = any(loop.may_fail for loop in loops)
    status = (["    bad = False"], ["    return int64(bad)"]) if may_fail else ([], [])
    text = "\n".join([head, *status[0], *source.lines, *keep, *status[1]]) + "\n"
    arrays = tuple((name, name in source.written) for name in source.arrays)
    return Segment(text, arrays, tuple(source.dims), may_fail)


def declare(source: Source, loops: Sequence[Loop]) -> None:
    """Names the arrays and scalars of loop nests."""
    for loop in loops:
        own = {name for name, *_ in (*loop.scratch, *loop.locals)}
        read = [access.array for s in loop.statements() for access in reads(s)]
        stores = [access.array for s in loop.statements() for access in writes(s)]
        read.extend(stores)
        for name in [name for name, _ in loop.results] + [name for name in read if name not in own]:
            if name not in source.arrays and name not in source.scalars:
                source.pointers[name] = f"p{len(source.arrays)}"
                source.arrays.append(name)
        source.written.update(name for name in stores if name not in own)
        for name, _ in loop.locals:
            source.scalars[name] = f"x{len(source.scalars)}"


class Nest:
    """Writes the nests of one Loop. `suffix` keeps its variables apart from those of others in the function."""

    inside = False
    """Whether there are loops around it."""

    def __init__(self, source: Source, loop: Loop, suffix: str):
        self.source, self.loop, self.suffix = source, loop, suffix
        self.rows: dict[tuple[Access, int], str] = {}
        self.row_count = self.pick_count = 0
        self.gaps = Gaps(self)
        self.turned: dict[Access, str] = {}
        self.products = {} if source.exact else summed_products(loop)
        self.spans: dict[int, tuple[str, str]] = {}
        self.in_turn = False
        self.folds = {
            id(s): Accumulator(self, s, f"{k}{suffix}")
            for k, s in enumerate(s for s in loop.statements() if isinstance(s, Fold))
        }

    def emit(self) -> None:
        for name, dtype, size in self.loop.scratch:
            buffer = f"b{len(self.source.buffers)}"
            self.source.buffers.append(buffer)
            self.source.pointers[name] = f"q{buffer}"
            self.source.line(0, f"{buffer} = allocate(({self.source.dim(size)}, ), {_memory_type(dtype)})")
            self.source.line(0, f"q{buffer} = pointer({buffer})")
        for statement in self.loop.statements():
            if is_invariant(statement):
                self.statement(0, 0, statement)
        self.body(self.loop.body, 0, 0)

    def body(self, items: Sequence[Item], depth: int, indent: int) -> None:
        """The items inside `depth` loops."""
        for item in items:
            if isinstance(item, For):
                self.loop_over(item, depth, indent)
            elif isinstance(item, Fold):
                self.folds[id(item)].step(indent)
            elif not is_invariant(item) and getattr(item, "name", None) not in self.products:
                self.statement(depth, indent, item)

    def loop_over(self, loop: For, depth: int, indent: int) -> None:
        if sums_few(self, loop, depth):
            write_in_turn(self, loop, depth, indent)
            indent += 1
        self.loop_in_blocks(loop, depth, indent)

    def loop_in_blocks(self, loop: For, depth: int, indent: int) -> None:
        """A loop whose sums of floats are those of blocks."""
        source = self.source
        start, stop = self.span(loop, depth)
        whole = id(loop) not in self.spans
        inner = list(statements(loop.body))
        for statement in inner:
            if isinstance(statement, Reduce) and statement.depth == depth:
                self.fill(statement, depth, indent)
        ending = [self.folds[id(s)] for s in inner if isinstance(s, Fold) and s.depth == depth and whole]
        for fold in ending:
            fold.start(indent)
        for statement in inner:
            if isinstance(statement, Scan) and statement.depth == depth:
                source.line(indent, f"c{self.value(statement.name)} = {identity(statement.op, statement.dtype)}")
        if isinstance(loop, Blocks):
            write_blocks(self, loop, start, stop, indent)
            for fold in ending:
                self.finish(loop, fold, indent)
            return
        direct = [item for item in loop.body if not isinstance(item, For)]
        self.name_rows(direct, depth, indent)
        blocked = [
            self.folds[id(s)] for s in direct if isinstance(s, Fold) and s.depth <= depth and self.folds[id(s)].blocked
        ]
        if blocked:
            if (
                start == "0"
                and (depth or self.inside)
                and not self.gaps.loads(loop, depth)
                and all(is_light(item) for item in loop.body)
                and len(loop.body) <= SHORT
            ):
                for fold in blocked:
                    fold.start_block(indent)
                source.line(indent, f"if {stop} <= {FEW}:")
                source.line(indent + 1, f"for {self.index(depth)} in range({stop}):")
                self.in_turn = True
                self.body(loop.body, depth + 1, indent + 2)
                self.in_turn = False
                source.line(indent, "else:")
                self.each(loop, depth, indent + 1, "0", f"min({BLOCK}, {stop})")
                for fold in blocked:
                    fold.end_block(indent, first=fold in ending)
                source.line(indent, f"if {stop} > {BLOCK}:")
                self.blocks(loop, depth, indent + 1, blocked, str(BLOCK), stop)
                for fold in ending:
                    fold.settle(indent + 1)
            else:
                self.blocks(loop, depth, indent, blocked, start, stop)
        else:
            if loop.together > 1:
                start = self.loop_over_several(loop, depth, indent)
            elif depth == 0 and not ending and suits(loop, self.loop):
                start = write_strips(self, loop, start, stop, indent)
            elif depth == 0 and not self.inside and suits_inside(loop, self.loop):
                write_strips_inside(self, loop, start, stop, indent)
            else:
                start = write_panels(self, loop, depth, start, stop, indent)
            if self.gaps.loads(loop, depth):
                self.blocks(loop, depth, indent, (), start, stop)
            else:
                self.each(loop, depth, indent, start, stop)
        for fold in ending:
            self.finish(loop, fold, indent)

    def each(self, loop: For, depth: int, indent: int, start: str, stop: str) -> None:
        """The iterations from start to stop of a loop, one after the other; in stages where much can run ahead of what waits."""
        start = write_stages(self, loop, depth, start, stop, indent)
        start = write_choices(self, loop, depth, start, stop, indent)
        self.source.line(indent, f"for {self.index(depth)} in range({span(start, stop)}):")
        self.body(loop.body, depth + 1, indent + 1)

    def blocks(self, loop: For, depth: int, indent: int, blocked: Sequence[Accumulator], start: str, stop: str) -> None:
        """The iterations from start to stop of a loop, in blocks."""
        source, index = self.source, self.index(depth)
        block = f"b{index}"
        source.line(indent, f"for {block} in range({start}, {stop}, {BLOCK}):")
        for fold in blocked:
            fold.start_block(indent + 1)
        end = f"min({block} + {BLOCK}, {stop})"
        self.gaps.close(loop, depth, block, end, indent + 1)
        self.each(loop, depth, indent + 1, block, end)
        self.gaps.closed.clear()
        for fold in blocked:
            fold.end_block(indent + 1)

    def loop_over_several(self, loop: For, depth: int, indent: int) -> str:
        """The iterations that run together, where their rows are long enough. Gives where the others start."""
        source, index, count = self.source, self.index(depth), loop.together
        start, stop = self.span(loop, depth)
        body = side_by_side(loop, depth)
        first, last = self.span(next(item for item in loop.body if isinstance(item, For)), depth + 1)
        row = last if first == "0" else f"{last} - {first}"
        rest = f"m{index}"
        whole = f"{stop} // {count} * {count}" if start == "0" else f"{start} + ({stop} - {start}) // {count} * {count}"
        source.line(indent, f"{rest} = {whole} if {row} >= {LONG} else {start}")
        source.line(indent, f"for {index} in range({start}, {rest}, {count}):")
        self.body(body, depth + 1, indent + 1)
        return rest

    def span(self, loop: For, depth: int) -> tuple[str, str]:
        """Where the index of a loop starts and stops."""
        return self.spans.get(id(loop)) or ("0", self.source.dim(loop.dim))

    def finish(self, loop: For, fold: Accumulator, indent: int) -> None:
        """What follows a loop that ends a reduction."""
        fold.finish(indent)

    def fill_span(self, reduce: Reduce) -> tuple[str, str]:
        """The elements of an array that a reduction starts anew."""
        return "0", self.source.dim(reduce.size)

    def allocates(self) -> None:
        """Says that the function being written may run out of memory."""

    def index(self, depth: int) -> str:
        return f"i{depth}{self.suffix}"

    def indices(self, depth: int) -> list[str]:
        return [self.index(k) for k in range(depth)]

    def fill(self, reduce: Reduce, depth: int, indent: int) -> None:
        row = self.source.address(reduce.access.offset, reduce.access.strides[:depth], self.indices(depth))
        index, array = f"j{self.suffix}", self.source.array(reduce.access.array)
        self.source.line(indent, f"for {index} in range({span(*self.fill_span(reduce))}):")
        start = stored(identity(reduce.op, reduce.dtype), reduce.dtype)
        self.source.line(indent + 1, f"{array}[{index if row == '0' else f'{row} + {index}'}] = {start}")

    def name_rows(self, direct: Sequence[Statement], depth: int, indent: int) -> None:
        """Names what the addresses of accesses directly in the loop at `depth` owe to the loops around it."""
        named: dict[str, str] = {}
        for statement in direct:
            access = getattr(statement, "access", None)
            if access is None or is_invariant(statement):
                continue
            text = self.source.address(access.offset, access.strides[:depth], self.indices(depth))
            if text == "0" or text.isidentifier():
                self.rows[access, depth] = text
                continue
            if text not in named:
                named[text] = f"r{self.row_count}{self.suffix}"
                self.row_count += 1
                self.source.line(indent, f"{named[text]} = {text}")
            self.rows[access, depth] = named[text]

    def read(self, access: Access, dtype: np.dtype) -> str:
        return f"{self.element(access)} != 0" if dtype.kind == "b" else self.element(access)

    def element(self, access: Access, picked: Sequence[str] = ()) -> str:
        if found := self.gaps.closed.get(access) or self.turned.get(access):
            return found
        array, depth = self.source.array(access.array), len(access.strides)
        if (access, depth - 1) in self.rows:
            parts = [self.rows[access, depth - 1], self.source.address(0, access.strides[-1:], [self.index(depth - 1)])]
        else:
            parts = [self.source.address(access.offset, access.strides, self.indices(depth))]
        return f"{array}[{' + '.join(part for part in (*parts, *picked) if part != '0') or '0'}]"

    def picked(self, picks: Sequence[Pick], mode: str, indent: int) -> list[str]:
        """What indices that are values add to an address: within bounds whatever they are. In the mode `stop` the loop ends
        where one is not: in a loop that has no vectors, a jump that is never taken costs least."""
        parts = []
        for pick in picks:
            index, length, raw = (
                f"k{self.pick_count}{self.suffix}",
                self.source.dim(pick.length),
                self.value(pick.index),
            )
            self.pick_count += 1
            if mode == "sure":
                index = raw
            elif mode == "stop":
                self.source.line(indent, f"{index} = int64({raw})")
                self.source.line(indent, f"if uint64({index}) >= uint64({length}):")
                self.source.line(indent + 1, f"{index} += {length}")
                self.source.line(indent + 1, f"if uint64({index}) >= uint64({length}):")
                self.source.line(indent + 2, "bad = True")
                self.source.line(indent + 2, "break")
            elif mode == "raise":
                self.source.line(indent, f"{index} = select({raw} < 0, {raw} + {length}, {raw})")
                self.source.line(indent, f"w{index} = uint64({index}) >= uint64({length})")
                self.source.line(indent, f"bad = bad | w{index}")
                self.source.line(indent, f"{index} = select(w{index}, int64(0), {index})")
            elif mode == "clip":
                self.source.line(indent, f"{index} = max(min({raw}, int64({length}) - 1), int64(0))")
            else:
                self.source.line(indent, f"{index} = remainder_integer({raw}, int64({length}))")
            parts.append(index if pick.stride == 1 else f"{index} * {self.source.dim(pick.stride)}")
        return parts

    def way_out(self, picks: Sequence[Pick], depth: int) -> str:
        """The mode of a scatter's indices. One that is the same all along the innermost loop may leave it vectors."""
        if depth == 0:
            return "raise"
        steady: set[str] = set()
        for statement in self.loop.statements():
            match statement:
                case Load(access=Access(strides=strides)) | Index(strides=strides):
                    known = len(strides) < depth or strides[-1] == 0
                case Apply(operands=operands):
                    known = steady.issuperset(operands)
                case _:
                    known = isinstance(statement, Literal)
            if known:
                steady.add(getattr(statement, "name", ""))
        return "raise" if steady.issuperset(pick.index for pick in picks) else "stop"

    def value(self, name: str) -> str:
        return name + self.suffix

    def statement(self, depth: int, indent: int, statement: Statement) -> None:
        match statement:
            case Load(name=name, access=access, dtype=dtype):
                local = self.source.scalars.get(access.array)
                text = f"{self.value(name)} = {local or self.read(access, dtype)}"
            case Literal(name=name, value=value, dtype=dtype):
                text = f"{self.value(name)} = {_literal(value, dtype)}"
            case Index(name=name, offset=offset, strides=strides):
                text = f"{self.value(name)} = {self.source.address(offset, strides, self.indices(depth))}"
            case Apply(name=name, operands=operands, node=node):
                values = tuple(map(self.value, operands))
                text = f"{self.value(name)} = {expression(node, values, self.source.exact, alone=depth == 0)}"
            case Store(access=access, value=value) if access.array in self.source.scalars:
                text = f"{self.source.scalars[access.array]} = {self.value(value)}"
            case Store(access=access, value=value, dtype=dtype):
                text = f"{self.element(access)} = {stored(self.value(value), dtype)}"
            case Reduce(op=op, access=access, value=value, dtype=dtype):
                combined = combine(op, dtype, self.read(access, dtype), self.value(value))
                text = f"{self.element(access)} = {stored(combined, dtype)}"
            case Scan(name=name, op=op, value=value, dtype=dtype):
                carried = f"c{self.value(name)}"
                self.source.line(indent, f"{carried} = {combine(op, dtype, carried, self.value(value))}")
                text = f"{self.value(name)} = {carried}"
            case Gather(name=name, access=access, picks=picks, mode=mode) if access.array in self.source.scalars:
                self.picked(picks, mode, indent)
                text = f"{self.value(name)} = {self.source.scalars[access.array]}"
            case Gather(name=name, access=access, picks=picks, mode=mode, dtype=dtype):
                element = self.element(access, self.picked(picks, mode, indent))
                text = f"{self.value(name)} = {element}{' != 0' if dtype.kind == 'b' else ''}"
            case Scatter(picks=picks, mode=mode):
                way_out = self.way_out(picks, depth) if mode == "raise" else mode
                self.scatter(statement, self.picked(picks, way_out, indent), indent)
                return
            case _:
                raise AssertionError(statement)
        self.source.line(indent, text)

    def scatter(self, scatter: Scatter, picked: Sequence[str], indent: int) -> None:
        """Puts a value where indices say, given what they add to the address."""
        element, dtype = self.element(scatter.access, picked), scatter.dtype
        total, result = f"{element} != 0" if dtype.kind == "b" else element, self.value(scatter.value)
        if scatter.combine == "subtract":
            result = f"{type_name(dtype)}({total} - {result})"
        elif scatter.combine != "set":
            result = combine(COMBINATIONS[scatter.combine], dtype, total, result)
        self.source.line(indent, f"{element} = {stored(result, dtype)}")


def _memory_type(dtype: np.dtype) -> str:
    return "uint8" if dtype.kind == "b" else dtype.name


def _literal(value: object, dtype: np.dtype) -> str:
    if dtype.kind == "b":
        return repr(value)
    text = f"complex({value.real!r}, {value.imag!r})" if isinstance(value, complex) else repr(value)
    return f"{type_name(dtype)}({text})"


def span(start: str, stop: str) -> str:
    """The arguments of `range`."""
    return stop if start == "0" else f"{start}, {stop}"
