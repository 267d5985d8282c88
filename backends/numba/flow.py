"""Loops and branches as Python statements in one function.

Scalars are local variables; an array is a pointer to its elements, which `moves` exchange; arrays that the regions make have
memory that the caller provides once. Loop nests in between are written as in any segment.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from egc import ir, sizes
from egc.backends.numba.bounds import Bounds, ends_inside
from egc.backends.numba.branched import Chosen, branched
from egc.backends.numba.calls import FUNCTIONS, native_call
from egc.backends.numba.emit import Nest, Segment, Source
from egc.backends.numba.inside import (
    blocks_in,
    counts_in,
    indices_in,
    largest,
    may_fail,
    moved_in,
    scalars_in,
    statements_in,
    steps_in,
)
from egc.backends.numba.iterations import shared_loops, write_shared
from egc.backends.numba.measures import multiplied
from egc.backends.numba.placed import PLACED_NAMES, is_placed
from egc.backends.numba.scalars import type_name
from egc.backends.numba.steps import is_shared, write_step
from egc.ir import Node
from egc.lower.access import affine, row_major
from egc.lower.independent import sizes_of
from egc.lower.loops import Body, Branch, Call, Check, Condition, Flow, Loop, Repeat
from egc.lower.names import made, mentioned
from egc.lower.statements import For, Item, Pick, is_invariant, statements
from egc.ranges import Ranges
from egc.sizes import Dim
from egc.types import ArrayType, TupleType

INDEX = "index is out of bounds"


@dataclass
class FlowSource(Source):
    """`local` are the symbols that are variables of the function itself: the numbers of iterations. `errors` are the exceptions
    that it may raise, where it has to return them. `bounds` is what is known of indices that are values."""

    local: set[str] = field(default_factory=set)
    errors: list[tuple[str, str]] | None = None
    told: Callable[[int], int] = lambda number: -1 - number
    bounds: Bounds = field(default_factory=Bounds)

    def error(self, error: str, message: str) -> str:
        """The statement that raises an exception: a status in a function whose exceptions would go nowhere."""
        if self.errors is None:
            return f"raise {error}({message!r})"
        if (error, message) not in self.errors:
            self.errors.append((error, message))
        return f"return int64({self.told(self.errors.index((error, message)))})"

    def dim(self, value: Dim) -> str:
        """A size as an expression of the sizes that are parameters, and of the numbers of iterations."""
        if isinstance(value, int):
            return str(value)
        if not sizes.is_polynomial(value) and self.local.isdisjoint(sizes.symbols(value)):
            return self.dims.setdefault(value, f"n{len(self.dims)}")
        known = {
            name: sizes.symbol(self.dims.setdefault(sizes.symbol(name), f"n{len(self.dims)}"))
            for name in sizes.symbols(value)
            if name not in self.local
        }
        text = multiplied(str(sizes.substitute(value, known)))
        return text if text.isidentifier() else f"({text})"


@dataclass(frozen=True)
class Around:
    """What is known around a loop or branch: the types of arrays, the scalars that are sizes, and the ranges of sizes.
    `flags` are scalars that make all else meaningless where they are true."""

    types: Mapping[str, ArrayType]
    known: Mapping[str, Dim] = field(default_factory=dict)
    ranges: Ranges = field(default_factory=Ranges)
    flags: frozenset[str] = frozenset()


def emit_flow(
    step: Flow, around: Around, exact: bool = False, contracted: bool = False, tells: bool = False
) -> Segment:
    """The function that runs a loop or branch. contracted: its products and sums are rounded once. tells: it raises no exception
    but one of memory, and returns which it would."""
    known = {**around.known, **sizes_of([step])}
    shared = shared_loops(step, around.types, known, around.ranges, around.flags)
    writer = FlowWriter(step, around.types, known, exact, {id(loop) for loop in shared}, contracted)
    writer.source.errors = [] if tells else None
    return writer.segment()


class FlowWriter:
    """Writes the function of a loop or branch. `shared` are the loops inside, by identity, that threads share. It is `alone` where
    its caller is not itself one of several threads."""

    index_error = INDEX

    def __init__(
        self,
        step: Flow,
        types: Mapping[str, ArrayType],
        known: Mapping[str, Dim],
        exact: bool,
        shared: Collection[int] = (),
        contracted: bool = False,
    ):
        self.step, self.exact, self.types, self.known, self.shared = step, exact, dict(types), known, shared
        self.contracted = contracted
        self.source = FlowSource(exact)
        self.alone = True
        self.count = 0
        self.kernels: dict[str, Any] = {}
        self.own = list(dict.fromkeys(blocks_in(step, shared)))
        self.types.update(self.own, **dict(step.states))
        self.source.local.update(indices_in(step))
        self.moved = set(moved_in(step))
        counts = {index: known.get(count or "") for index, count in counts_in(step)}
        self.own = [(name, type if name in self.moved else largest(type, counts)) for name, type in self.own]
        self.dynamic = {name for name, type in self.own if self.source.local.intersection(sizes.symbols(type.size))}
        self.passed = self._passed()
        self.scalars: dict[str, np.dtype] = {
            **{name: type.dtype for name, type in self.types.items() if isinstance(type, ArrayType) and not type.rank},
            **dict(scalars_in(step)),
        }
        self.fails = may_fail(step)
        self.calls = Calls(self.source)
        self.arrays: dict[str, str] = {}
        self.turned: dict[str, str] = {}
        self.pointed: set[str] = set()
        self.read = {s.access.array for s in statements_in(step) if hasattr(s, "access")}
        called = any(isinstance(inner, Call) for inner in steps_in(step))
        self.names = self.calls.names if called else {}

    def segment(self) -> Segment:
        source, step = self.source, self.step
        inside = set(made(step)) - {name for name, type in step.states if type.rank}
        outer = [name for name in dict.fromkeys(mentioned(step)) if name not in inside]
        states = {name for name, _ in step.states}
        own = [(name, type) for name, type in self.own if name not in self.dynamic]
        source.arrays = [*outer, *(name for name, _ in own)]
        source.written = states | {name for name, _ in own}
        head = []
        for number, name in enumerate(source.arrays):
            if name in self.scalars:
                self.scalar(name)
            else:
                source.pointers[name] = f"p{number}"
                head.append(f"    p{number} = a{number}")
        for number, name in enumerate(source.arrays):
            if name in self.scalars and name not in {name for name, type in step.results if not type.rank}:
                test = " != 0" if self.scalars[name].kind == "b" else ""
                head.append(f"    {source.scalars[name]} = a{number}[0]{test}")
        self.flow(step, 0)
        tail = [f"    if bad: {source.error('IndexError', INDEX)}"] if self.fails else []
        for number, name in enumerate(source.arrays):
            if name in states and name in self.scalars:
                value = f"uint8({source.scalars[name]})" if self.scalars[name].kind == "b" else source.scalars[name]
                tail.append(f"    a{number}[0] = {value}")
        exchanged = list(self.exchanged(own))
        if exchanged:
            tail.append("    places = 0")
        for name, homes in exchanged:
            found = [
                f"{k} * is_at({source.pointers[name]}, a{source.arrays.index(h)})" for k, h in enumerate(homes) if k
            ]
            tail.append(f"    places = places * {len(homes)} + {' + '.join(found)}")
        if exchanged or source.errors:
            tail.append("    return places" if exchanged else "    return int64(0)")
        status = ["    bad = False"] if self.fails else []
        parameters = [*(f"a{k}" for k in range(len(source.arrays))), *source.dims.values()]
        text = "\n".join([f"def loops({', '.join(parameters)}):", *head, *status, *source.lines, *tail]) + "\n"
        arrays = tuple((name, name in source.written) for name in source.arrays)
        names = {**self.names, **self.kernels}
        return Segment(
            text, arrays, tuple(source.dims), buffers=tuple(own), exchanged=tuple(exchanged), names=names,
            contracted=self.contracted, errors=tuple(source.errors or ()),
        )  # fmt: skip

    def inside(self, step: Repeat) -> FlowWriter:
        """What writes a loop of this function as a function of its own."""
        inner = FlowWriter(step, self.types, self.known, self.exact)
        inner.alone = False
        inner.scalars.update(self.scalars)
        return inner

    def exchanged(self, own: Sequence[tuple[str, ArrayType]]) -> Iterator[tuple[str, tuple[str, ...]]]:
        """The states whose memory may be another's at the end, and whose it may be."""
        moving = [(name, type) for name, type in (*self.step.states, *own) if name in self.moved and type.rank]
        for name, type in self.step.states:
            if name in self.moved and type.rank:
                yield name, tuple(other for other, its in moving if its == type)

    def line(self, indent: int, text: str) -> None:
        self.source.line(indent, text)

    def scalar(self, name: str) -> str:
        """The variable of a scalar."""
        if name in self.source.local:
            self.source.scalars[name] = name
        return self.source.scalars.setdefault(name, f"x{len(self.source.scalars)}")

    def variable(self, name: str) -> str:
        return self.source.pointers[name] if name in self.source.pointers else self.scalar(name)

    def flow(self, step: Flow, indent: int) -> None:
        if isinstance(step, Repeat):
            if id(step) in self.shared:
                write_shared(self, step, indent)
            else:
                self.repeat(step, indent)
            return
        self.line(indent, f"if {self.scalar(step.condition)}:")
        self.body(step.then, indent + 1)
        self.line(indent, "else:")
        self.body(step.otherwise, indent + 1)

    def repeat(self, step: Repeat, indent: int) -> None:
        for (name, type), start in zip(step.states, step.starts):
            if not type.rank:
                self.line(indent, f"{self.scalar(name)} = {self.cast(self.scalar(start), type.dtype)}")
        span, kept = None if step.count is None else self.scalar(step.count), self.source.bounds
        if sure := ends_inside(self, step, indent):
            self.source.bounds = replace(kept, sure=kept.sure | sure)
            self.line(indent, f"if w{step.index}:")
            self.iterations(step, span, indent + 1)
            self.source.bounds = kept
            self.line(indent, "else:")
            indent += 1
        self.iterations(step, span, indent)

    def iterations(self, step: Repeat, span: str | None, indent: int) -> None:
        """The iterations of a loop: those of a range, or until a condition ends it."""
        if span is None:
            self.line(indent, "while True:")
            if may_fail(step):
                self.line(indent + 1, f"if bad: {self.source.error('IndexError', INDEX)}")
        else:
            assert step.index is not None
            self.line(indent, f"for {self.scalar(step.index)} in range({span}):")
        self.condition(step.pre, indent + 1)
        self.body(step.update, indent + 1, self.passed.get(step.index or "", ()))
        self.condition(step.post, indent + 1)

    def condition(self, condition: Condition | None, indent: int) -> None:
        if condition is not None:
            self.body(condition.body, indent)
            self.line(indent, f"if not {self.scalar(condition.value)}: break")

    def _passed(self) -> dict[str, list[tuple[str, ArrayType]]]:
        """Arrays of regions whose memory may become another array's, by the number of the loop whose iterations they are as long
        as: what is made inside of a branch, or of a further loop, is still read after it."""
        found: dict[str, list[tuple[str, ArrayType]]] = {}
        indices = list(indices_in(self.step))
        for name, type in self.own:
            if name in self.dynamic and name in self.moved:
                innermost = max(indices.index(symbol) for symbol in sizes.symbols(type.size) if symbol in indices)
                found.setdefault(indices[innermost], []).append((name, type))
        return found

    def body(self, body: Body, indent: int, passed: Sequence[tuple[str, ArrayType]] = ()) -> None:
        self.scalars.update(body.scalars)
        buffers = [(name, type) for name, type in body.blocks if name in self.dynamic and name not in self.moved]
        buffers.extend(passed)
        for name, type in buffers:
            self.buffer(name, type, indent)
        written, bounds = len(self.source.lines), self.source.bounds
        self.source.bounds = replace(bounds, seen=dict(bounds.seen))
        for step in branched(body.steps, self.scalars):
            match step:
                case Repeat() | Branch():
                    self.flow(step, indent)
                case Chosen():
                    self.chosen(step, indent)
                case Check():
                    self.check(step, indent)
                case Call():
                    self.call(step, indent)
                case _ if self.alone and is_shared(self, step):
                    write_step(self, step, indent)
                case _:
                    self.item(step, indent)
        self.source.bounds = bounds
        self.moves(body.moves, indent)
        for name, _ in buffers:
            self.line(indent, f"keep(b{name})")
        for step in body.steps:
            if isinstance(step, Call) and step.view and step.name in self.pointed:
                self.line(indent, f"keep(c{step.name})")
        if len(self.source.lines) == written:
            self.line(indent, "pass")

    def chosen(self, step: Chosen, indent: int) -> None:
        """A branch between numbers, each side with what it alone computes."""
        for side, (head, items) in enumerate(zip((f"if {step.condition}:", "else:"), step.sides), start=1):
            self.line(indent, head)
            for item in items:
                self.item(item, indent + 1)
            for result in step.results:
                self.line(indent + 1, f"{result[0]} = {result[side]}")
        self.source.bounds.data.update(name for name, *_ in step.results)

    def buffer(self, name: str, type: ArrayType, indent: int) -> None:
        """Memory for an array."""
        self.source.pointers[name] = f"q{name}"
        element = "uint8" if type.dtype.kind == "b" else type.dtype.name
        self.line(indent, f"b{name} = allocate(({self.source.dim(type.size)}, ), {element})")
        self.line(indent, f"q{name} = pointer(b{name})")

    def item(self, item: Item, indent: int) -> None:
        for statement in statements([item]):
            if (access := getattr(statement, "access", None)) is not None and access.array in self.scalars:
                self.scalar(access.array)
        nest = _InnerNest(self.source, Loop((), (item,)), f"_{self.count}")
        self.count += isinstance(item, For)
        nest.write(indent)
        self.source.bounds.note(item, self.scalars)

    def call(self, call: Call, indent: int) -> None:
        """A library call, whose result is copied into the memory of its name, or a view."""
        name, variable = call.name, f"y{call.name}"
        if (call.view and self.is_shown(call, indent)) or is_placed(self, call, indent):
            return
        text = native_call(self.calls, call, [self.whole(operand) for operand in call.operands])  # type: ignore[arg-type]
        assert text is not None
        self.types[name] = call.type  # type: ignore[assignment]
        if isinstance(call.type, ArrayType) and not call.type.rank:
            self.line(indent, f"{self.scalar(name)} = ({text})[()]")
            return
        self.line(indent, f"{variable} = {text}")
        if isinstance(call.type, TupleType) or call.view:
            self.arrays[name] = variable
            if name in self.read:
                self.source.pointers[name] = f"q{name}"
                self.pointed.add(name)
                self.line(indent, f"c{name} = as_contiguous({variable})")
                self.line(indent, f"q{name} = pointer(c{name})")
        else:
            self.line(indent, f"copy_to({self.source.pointers[name]}, as_contiguous({variable}))")

    def is_shown(self, call: Call, indent: int) -> bool:
        """Whether a view's elements are neighbours in the array that it shows: then an address is all that it takes."""
        (operand, *others), type = call.operands, call.type
        if others or not isinstance(type, ArrayType) or not type.rank or operand not in self.source.pointers:
            return False
        shown = first_of(call.node)
        if shown is None:
            return False
        self.types[call.name] = type
        self.source.pointers[call.name] = f"q{call.name}"
        place = (
            f"shifted({self.source.pointers[operand]}, {self.source.dim(shown)})"
            if shown != 0
            else self.source.pointers[operand]
        )
        self.line(indent, f"q{call.name} = {place}")
        return True

    def whole(self, name: str) -> str:
        """An array for a library."""
        if name in self.arrays:
            return self.arrays[name]
        if name in self.turned:
            rows, columns = map(self.source.dim, self.types[name].shape)
            return f"in_memory({self.turned[name]}, ({columns}, {rows}, )).T"
        if name in self.scalars:
            return f"empty_scalar({self.scalar(name)})"
        shape = "".join(f"{self.source.dim(dim)}, " for dim in self.types[name].shape)
        return f"in_memory({self.source.pointers[name]}, ({shape}))"

    def check(self, check: Check, indent: int) -> None:
        values = [self.source.dim(value) for value in check.values]
        test, error = {
            "reshape": ("{0} != {1}", "ValueError"),
            "nonempty": ("{0} == 0", "ValueError"),
            "index": ("{0} == 0 and {1} != 0", "IndexError"),
        }[check.what]
        self.line(indent, f"if {test.format(*values)}: {self.source.error(error, check.message)}")

    def moves(self, moves: Sequence[tuple[str, str]], indent: int) -> None:
        """All at once: one after the other where no target is still to be read, the others together."""
        left = [(self.variable(target), self.value(target, value)) for target, value in moves]
        while left:
            first = next((m for m in left if all(m[0] not in other[1] for other in left if other is not m)), None)
            if first is None:
                break
            left.remove(first)
            self.line(indent, f"{first[0]} = {first[1][-1]}")
        if left:
            self.line(
                indent, f"{', '.join(target for target, _ in left)} = {', '.join(value[-1] for _, value in left)}"
            )

    def value(self, target: str, value: str) -> tuple[str, str]:
        """A variable, and the expression that a target becomes."""
        variable = self.variable(value)
        return variable, self.cast(variable, self.scalars[target]) if target in self.scalars else variable

    def cast(self, text: str, dtype: np.dtype) -> str:
        return text if dtype.kind == "b" else f"{type_name(dtype)}({text})"


def first_of(view: Node) -> Dim | None:
    """The first element of a view of an array in C order, counted from the array's; None where its elements are not neighbours."""
    (x,) = view.inputs
    shown = affine(ir.rebuild(view, [ir.input("x", x.type)]))
    own = zip(shown.strides, row_major(view.type.shape), view.type.shape)
    surely = all(check.what == "slice" for check in shown.checks)
    neighbours = surely and shown.base.op == "input" and all(stride == step or dim == 1 for stride, step, dim in own)
    return shown.offset if neighbours else None


class Calls:
    """What the forms of library calls ask a driver for."""

    def __init__(self, source: Source):
        self.source = source
        self.driver = self
        self.names: dict[str, Any] = {**FUNCTIONS, **PLACED_NAMES}

    def dim(self, value: Dim) -> str:
        return self.source.dim(value)

    def shape(self, type: ArrayType) -> str:
        return f"({''.join(f'{self.dim(dim)}, ' for dim in type.shape)})"

    def constant(self, value: Any) -> str:
        return f"{type_name(np.dtype(type(value)))}({value.item()!r})"


def is_compiled(call: Call) -> bool:
    """Whether numba can compile a call inside of a loop or branch."""
    return native_call(Calls(FlowSource()), call, ["x"] * len(call.operands)) is not None  # type: ignore[arg-type]


class _InnerNest(Nest):
    """Writes one item. Names of values are distinct in the whole function."""

    inside = True

    def write(self, indent: int) -> None:
        (item,) = self.loop.body
        if isinstance(item, For):
            for statement in self.loop.statements():
                if is_invariant(statement):
                    self.statement(0, indent, statement)
            self.body([item], 0, indent)
        else:
            self.statement(0, indent, item)

    def value(self, name: str) -> str:
        return name

    def picked(self, picks: Sequence[Pick], mode: str, indent: int) -> list[str]:
        """Outside of nests, an index that is out of bounds is an error at once: a branch takes less than a flag."""
        assert isinstance(self.source, FlowSource)
        bounds = self.source.bounds
        sure = all(bounds.key(pick) in bounds.sure for pick in picks)
        if isinstance(self.loop.body[0], For) or not (mode == "raise" or (mode == "clip" and sure)):
            return super().picked(picks, mode, indent)
        parts: list[str] = []
        for pick in picks:
            index = self.looked_at(pick, indent)
            parts.append(index if pick.stride == 1 else f"{index} * {self.source.dim(pick.stride)}")
        return parts

    def looked_at(self, pick: Pick, indent: int) -> str:
        """The variable of an index that is within bounds. What comes from data takes a jump that is never taken; of what is
        reckoned from numbers of iterations, compilers know more where there is none."""
        assert isinstance(self.source, FlowSource)
        bounds, raw, length = self.source.bounds, self.value(pick.index), self.source.dim(pick.length)
        key = bounds.key(pick)
        if key in bounds.seen or key in bounds.sure:
            return bounds.seen.get(key, raw)
        index, error = f"k_{len(self.source.lines)}", self.source.error("IndexError", INDEX)
        outside = f"if uint64({index}) >= uint64({length}):"
        if pick.index in bounds.data:
            self.source.line(indent, f"{index} = int64({raw})")
            self.source.line(indent, outside)
            indent += 1
            self.source.line(indent, f"{index} += {length}")
        else:
            self.source.line(indent, f"{index} = select({raw} < 0, {raw} + {length}, {raw})")
        self.source.line(indent, f"{outside} {error}")
        bounds.seen[key] = index
        return index
