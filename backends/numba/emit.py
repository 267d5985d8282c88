"""Loop nests as Python source for numba.

One function holds the consecutive loop nests of a segment. Its parameters are the arrays (results may be written) and
then the sizes, so that it serves every size. Scalar accumulators carry reductions over the inner axes; a reduction
whose result varies along the innermost axis accumulates in the result's array. float64 sums add blocks with Knuth's
compensation and float32 sums run in float64, so their error does not grow with the number of elements.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from egc.backends.numba.scalars import expression, type_name
from egc.lower.loops import Access, Apply, Index, Literal, Load, Loop, Reduce, Statement, Store
from egc.sizes import Dim

BLOCK = 128


@dataclass
class Source:
    """A function being written: lines, and parameters in order of first use."""

    lines: list[str] = field(default_factory=list)
    arrays: list[str] = field(default_factory=list)
    written: set[str] = field(default_factory=set)
    dims: dict[Dim, str] = field(default_factory=dict)

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
        return f"p{self.arrays.index(name)}"


@dataclass(frozen=True)
class Segment:
    """A generated function: its source, the arrays it takes (name, written) and the sizes it takes."""

    source: str
    arrays: tuple[tuple[str, bool], ...]
    dims: tuple[Dim, ...]


def emit(loops: Sequence[Loop]) -> Segment:
    """The function that runs loop nests one after the other."""
    source = Source()
    for loop in loops:
        for name in [name for name, _ in loop.results] + [s.access.array for s in loop.body if isinstance(s, Load)]:
            if name not in source.arrays:
                source.arrays.append(name)
        source.written.update(name for name, _ in loop.results)
    for number, loop in enumerate(loops):
        _Nest(source, loop, "" if len(loops) == 1 else f"_{number}").emit()
    count = len(source.arrays)
    head = f"def loops({', '.join([*(f'a{k}' for k in range(count)), *source.dims.values()])}):"
    pointers = [f"    p{k} = pointer(a{k})" for k in range(count)]
    text = "\n".join([head, *pointers, *source.lines]) + "\n"
    return Segment(text, tuple((name, name in source.written) for name in source.arrays), tuple(source.dims))


class _Nest:
    """Writes one loop nest. `suffix` keeps its variables apart from those of other nests in the function."""

    def __init__(self, source: Source, loop: Loop, suffix: str):
        self.source, self.loop, self.suffix, self.rank = source, loop, suffix, len(loop.dims)
        self.indices = [f"i{axis}{suffix}" for axis in range(self.rank)]
        self.reductions = [
            _Reduction(self, statement, f"{k}{suffix}")
            for k, statement in enumerate(s for s in loop.body if isinstance(s, Reduce))
        ]
        self.rows: dict[Access, str] = {}
        self.types = {name: type.dtype for name, type in loop.results}

    def emit(self) -> None:
        source, inner = self.source, self.rank - 1
        for reduction in self.reductions:
            if not reduction.stored_once:
                reduction.fill()
        for statement in self.loop.body:
            if self._invariant(statement):
                self.statement(0, statement)
        for depth in range(self.rank):
            for reduction in self.reductions:
                if reduction.depth == depth:
                    reduction.start(depth)
            if depth == inner:
                self._rows(depth)
                depth = self._open_innermost(depth)
            else:
                source.line(depth, f"for {self.indices[depth]} in range({source.dim(self.loop.dims[depth])}):")
        depth = self.rank + self._blocked() if self.rank else 0
        for statement in self.loop.body:
            if isinstance(statement, Reduce):
                self.reductions[self._number(statement)].step(depth)
            elif not self._invariant(statement):
                self.statement(depth, statement)
        if self._blocked():
            for reduction in self.reductions:
                reduction.end_block(self.rank)
        for depth in reversed(range(self.rank)):
            for reduction in self.reductions:
                if reduction.depth == depth:
                    reduction.finish(depth)

    def _number(self, statement: Reduce) -> int:
        return next(k for k, reduction in enumerate(self.reductions) if reduction.statement is statement)

    def _blocked(self) -> bool:
        return any(reduction.compensated for reduction in self.reductions)

    def _open_innermost(self, depth: int) -> int:
        source, index, length = self.source, self.indices[depth], self.source.dim(self.loop.dims[depth])
        if not self._blocked():
            source.line(depth, f"for {index} in range({length}):")
            return depth
        block = f"b{self.suffix}"
        source.line(depth, f"for {block} in range(0, {length}, {BLOCK}):")
        for reduction in self.reductions:
            reduction.start_block(depth + 1)
        source.line(depth + 1, f"for {index} in range({block}, min({block} + {BLOCK}, {length})):")
        return depth + 1

    def _invariant(self, statement: Statement) -> bool:
        """Whether a statement can run before the loops. An array may be empty, a scalar is always there."""
        if isinstance(statement, Index):
            return not any(stride != 0 for stride in statement.strides)
        return isinstance(statement, Literal) or (isinstance(statement, Load) and statement.scalar)

    def _rows(self, depth: int) -> None:
        """Names what the address of an access owes to the outer loops."""
        named: dict[str, str] = {}
        for statement in self.loop.body:
            access = getattr(statement, "access", None)
            if access is None or access in self.rows or self._invariant(statement):
                continue
            text = self.source.address(access.offset, access.strides[:depth], self.indices)
            if text == "0" or text.isidentifier():
                self.rows[access] = text
                continue
            if text not in named:
                named[text] = f"r{len(named)}{self.suffix}"
                self.source.line(depth, f"{named[text]} = {text}")
            self.rows[access] = named[text]

    def read(self, access: Access, dtype: np.dtype) -> str:
        return f"{self.element(access)} != 0" if dtype.kind == "b" else self.element(access)

    def element(self, access: Access) -> str:
        array = self.source.array(access.array)
        if self.rank == 0 or not any(stride != 0 for stride in (access.offset, *access.strides)):
            return f"{array}[{self.source.address(access.offset, (), ())}]"
        last = self.source.address(0, access.strides[-1:], self.indices[-1:])
        parts = [part for part in (self.rows[access], last) if part != "0"]
        return f"{array}[{' + '.join(parts) or '0'}]"

    def value(self, name: str) -> str:
        return name + self.suffix

    def statement(self, depth: int, statement: Statement) -> None:
        match statement:
            case Load(name=name, access=access, dtype=dtype):
                text = f"{self.value(name)} = {self.read(access, dtype)}"
            case Literal(name=name, value=value, dtype=dtype):
                text = f"{self.value(name)} = {_literal(value, dtype)}"
            case Index(name=name, offset=offset, strides=strides):
                text = f"{self.value(name)} = {self.source.address(offset, strides, self.indices)}"
            case Apply(name=name, operands=operands, node=node):
                text = f"{self.value(name)} = {expression(node, tuple(map(self.value, operands)))}"
            case Store(access=access, value=value):
                text = f"{self.element(access)} = {stored(self.value(value), self.types[access.array])}"
            case _:
                raise AssertionError(statement)
        self.source.line(depth, text)


def _literal(value: object, dtype: np.dtype) -> str:
    if dtype.kind == "b":
        return repr(value)
    text = f"complex({value.real!r}, {value.imag!r})" if isinstance(value, complex) else repr(value)
    return f"{type_name(dtype)}({text})"


class _Reduction:
    """Writes the accumulator of one reduction.

    `depth` is the loop level at which a scalar accumulator begins and ends: inside all kept axes. It is -1 where the
    innermost axis is kept, and the result's array accumulates.
    """

    def __init__(self, nest: _Nest, statement: Reduce, name: str):
        self.nest, self.statement, self.dtype = nest, statement, statement.dtype
        kept = [axis for axis in range(nest.rank) if axis not in statement.axes]
        self.depth = -1 if nest.rank - 1 in kept else max(kept, default=-1) + 1
        self.stored_once = self.depth == len(kept)
        self.parts = ("r", "i") if self.dtype.kind == "c" and statement.op == "sum" else ("",)
        self.name = name
        self.compensated = self.depth >= 0 and statement.op == "sum" and self.dtype in (np.float64, np.complex128)

    def line(self, depth: int, text: str) -> None:
        self.nest.source.line(depth, text)

    def fill(self) -> None:
        array, index = self.nest.source.array(self.statement.access.array), f"j{self.name}"
        self.line(0, f"for {index} in range({self.nest.source.dim(self.statement.size)}):")
        self.line(1, f"{array}[{index}] = {stored(identity(self.statement.op, self.dtype), self.dtype)}")

    def start(self, depth: int) -> None:
        for part in self.parts:
            self.line(depth, f"s{part}{self.name} = {self._start()}")
            if self.compensated:
                self.line(depth, f"e{part}{self.name} = 0.0")

    def start_block(self, depth: int) -> None:
        for part in self.parts if self.compensated else ():
            self.line(depth, f"t{part}{self.name} = 0.0")

    def end_block(self, depth: int) -> None:
        for part in self.parts if self.compensated else ():
            total, error, block = (f"{letter}{part}{self.name}" for letter in "set")
            self.line(depth, f"{error} += rounding_error({total}, {block})")
            self.line(depth, f"{total} += {block}")

    def step(self, depth: int) -> None:
        value = self.nest.value(self.statement.value)
        if self.depth < 0:
            element = self.nest.element(self.statement.access)
            total = self.nest.read(self.statement.access, self.dtype)
            combined = combine(self.statement.op, self.dtype, total, value)
            self.line(depth, f"{element} = {stored(combined, self.dtype)}")
            return
        letter = "t" if self.compensated else "s"
        for part in self.parts:
            total = f"{letter}{part}{self.name}"
            self.line(depth, f"{total} = {self._step(total, value, part)}")

    def finish(self, depth: int) -> None:
        totals = [f"s{part}{self.name}" for part in self.parts]
        if self.compensated:
            totals = [f"compensated({total}, e{total[1:]})" for total in totals]
        result = f"complex({', '.join(totals)})" if len(totals) > 1 else totals[0]
        result = result if self.dtype.kind == "b" else f"{type_name(self.dtype)}({result})"
        row = self.nest.source.address(0, self.statement.access.strides[:depth], self.nest.indices)
        element = f"{self.nest.source.array(self.statement.access.array)}[{row}]"
        if not self.stored_once:
            total = f"{element} != 0" if self.dtype.kind == "b" else element
            result = combine(self.statement.op, self.dtype, total, result)
        self.line(depth, f"{element} = {stored(result, self.dtype)}")

    def _wide(self) -> bool:
        """Whether the accumulator is wider than the result."""
        return self.statement.op in ("sum", "prod") and self.dtype.kind in "iu"

    def _start(self) -> str:
        op, dtype = self.statement.op, self.dtype
        if self._wide():
            return f"{'uint64' if dtype.kind == 'u' else 'int64'}({0 if op == 'sum' else 1})"
        if op == "sum" and dtype.kind in "fc":
            return "0.0"
        return identity(op, dtype)

    def _step(self, total: str, value: str, part: str) -> str:
        op, dtype = self.statement.op, self.dtype
        if op == "sum" and dtype.kind in "fc":
            value = f"{value}.{'real' if part == 'r' else 'imag'}" if part else value
            return f"accumulate({total}, {value if dtype.itemsize == 8 * len(self.parts) else f'float64({value})'})"
        if op == "prod" and dtype.kind == "f":
            return f"accumulate_product({total}, {value})"
        if self._wide():
            wide = "uint64" if dtype.kind == "u" else "int64"
            return f"{total} {'+' if op == 'sum' else '*'} {wide}({value})"
        return combine(op, dtype, total, value)


def identity(op: str, dtype: np.dtype) -> str:
    """The value that combining starts from, as source."""
    name = type_name(dtype)
    if dtype.kind == "b":
        return "True" if op in ("prod", "all", "min") else "False"
    if op in ("sum", "prod"):
        return f"{name}({0 if op == 'sum' else 1})"
    if dtype.kind == "f":
        return f"{name}({'-inf' if op == 'max' else 'inf'})"
    limits = np.iinfo(dtype)
    return f"{name}({limits.min if op == 'max' else limits.max})"


def stored(value: str, dtype: np.dtype) -> str:
    return f"uint8({value})" if dtype.kind == "b" else value


def combine(op: str, dtype: np.dtype, total: str, value: str) -> str:
    """Two values of a dtype combined, as source."""
    if dtype.kind == "b":
        return f"({total}) {'&' if op in ('prod', 'all', 'min') else '|'} {value}"
    if op in ("sum", "prod"):
        text = f"{total} {'+' if op == 'sum' else '*'} {value}"
        return f"{type_name(dtype)}({text})" if dtype.kind in "iu" else text
    if dtype.kind == "f":
        return f"{op}imum({total}, {value})"
    return f"select({value} {'>' if op == 'max' else '<'} {total}, {value}, {total})"
