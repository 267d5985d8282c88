"""The state of one capture: what is known of sizes, the guards taken, and where in the user's source it stands."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from egc import ir, sizes
from egc.capture.bounds import Range, Undecided, extreme, mentions
from egc.errors import InternalError, Line, NotEncodable
from egc.ir import Node
from egc.sizes import Dim, Size, SizeGuard
from egc.types import DTYPES, SHORT, ArrayType


class Restart(Exception):
    """Capture must begin again: these symbols equal other sizes, or an argument's value is needed."""

    def __init__(self, equal: Mapping[str, Dim]):
        self.equal = dict(equal)


GREATEST_SIZE = 2**31
"""What is taken for the greatest length of an axis."""

LOOKAHEAD = 64
"""Nodes that are made to find further equal sizes before capture begins again."""


class Choose(Exception):
    """Capture must begin again: a loop is to be captured in another way."""

    def __init__(self, loop: Any, way: str):
        self.loop, self.way = loop, way


@dataclass(frozen=True)
class ValueGuard:
    """A global, closure cell or attribute still holds the object that capture saw. `namespace` and `name` say where a
    global is."""

    what: str
    read: Any
    value: Any
    namespace: Mapping[str, Any] | None = None
    name: str = ""

    def holds(self) -> bool:
        try:
            return self.read() is self.value
        except (AttributeError, KeyError, ValueError):
            return False


class Journal:
    """What capturing a region has changed: cells, each with what it was before, and its checks."""

    def __init__(self, start: int):
        self.start = start
        self.cells: dict[Any, tuple[Node, bool, bool]] = {}

    def note(self, cell: Any) -> None:
        if cell not in self.cells:
            self.cells[cell] = cell.node, cell.written, cell.stale

    def undo(self) -> dict[Any, tuple[Node, bool, bool]]:
        """Puts the cells back that were there before; gives what they were."""
        known = {cell: before for cell, before in self.cells.items() if cell.serial < self.start}
        after = {cell: (cell.node, cell.written, cell.stale) for cell in known}
        for cell, before in known.items():
            cell.node, cell.written, cell.stale = before
        return after


@dataclass
class Context:
    """`hints` are the sizes at hand; decisions follow them and are recorded as guards.

    `equal`: symbols that were found to be other sizes. What is captured from there on only looks for more of them, since capture
    begins again; `looked` is when the last was found.

    `touched`: indices of data at which elements are read or written (`unread.py`).
    `least`: what symbols are known not to be below, so that no guard is needed. `ways`: how loops are to be captured,
    where that was found out before. `ranges`: the numbers of the iterations being captured; `facts`: sizes of theirs that
    are not negative on this side of a branch. `made`: when each Node was made first.
    `interpret`: captures a call of a Python function.
    `magnitudes`: what the absolute values are not above of integers that loops carry, and of those that have been indices.
    `derivatives`: the transformations of Nodes that transformed functions are made by; `remarks`: how loops run backward.
    `stretches`: slices of unknown length, weakly. `loops`: how many loops are being captured; `buffers`: memory from before all of
    them, of which so many have been `buffers_taken` so far.
    `notes_factors`: whether factors of a square product that are square here are taken to be so for every call.
    """

    notes_factors: ClassVar[bool] = True

    hints: Mapping[str, int]
    least: dict[str, int] = field(default_factory=dict)
    size_guards: dict[SizeGuard, None] = field(default_factory=dict)
    value_guards: dict[tuple[Any, ...], ValueGuard] = field(default_factory=dict)
    constants: dict[str, np.ndarray] = field(default_factory=dict)
    constant_nodes: dict[int, Node] = field(default_factory=dict)
    checks: dict[Node, None] = field(default_factory=dict)
    touched: dict[Any, None] = field(default_factory=dict)
    line: Line | None = None
    scopes: tuple[str, ...] = ()
    ways: Mapping[Any, str] = field(default_factory=dict)
    ranges: dict[str, Range] = field(default_factory=dict)
    facts: tuple[Dim, ...] = ()
    magnitudes: dict[Node, int] = field(default_factory=dict)
    derivatives: Any = None
    remarks: list[Any] = field(default_factory=list)
    stretches: list[Any] = field(default_factory=list)
    loops: int = 0
    buffers: dict[Any, Any] = field(default_factory=dict)
    buffers_taken: int = 0
    journals: list[Journal] = field(default_factory=list)
    made: ChainMap[Node, int] = field(default_factory=ChainMap)
    serial: int = 0
    equal: dict[str, Dim] = field(default_factory=dict)
    looked: int = 0
    interpret: Callable[[Any, Sequence[Any]], Any] = field(default=lambda function, arguments: function(*arguments))

    def make(self, op: str, *inputs: Node, **params: Any) -> Node:
        node = ir.make(op, *inputs, line=self.line, scopes=frozenset(self.scopes), **params)
        if node not in self.made:
            self.made[node] = self.tick()
        return node

    def stand_in(self, prefix: str, type: ArrayType) -> Node:
        """An input of its own for a value that is put in its place later."""
        place = ir.input(f"{prefix}{self.tick()}", type)
        self.made[place] = self.tick()
        return place

    def note_made(self, nodes: Sequence[Node]) -> None:
        """Notes when Nodes were made that did not come from `make`: now."""
        for node in ir.topological(nodes):
            if node not in self.made:
                self.made[node] = self.tick()

    def bound(self, index: Node) -> None:
        """Notes that an integer is an index: from here on, it is no larger than a size."""
        if not ir.is_constant(index):
            self.magnitudes[index] = min(self.magnitudes.get(index, GREATEST_SIZE), GREATEST_SIZE)

    def tick(self) -> int:
        """A number that grows: what is made later has a greater one."""
        self.serial += 1
        if self.equal and self.serial > self.looked + LOOKAHEAD:
            self.begin_again()
        return self.serial

    def begin_again(self) -> None:
        """Raises Restart where sizes were found to be equal."""
        if self.equal:
            raise Restart(self.equal)

    @property
    def depth(self) -> int:
        """The number of regions around what is being captured."""
        return len(self.journals)

    def note(self, cell: Any) -> None:
        """A cell is about to change: the regions being captured remember what it was."""
        for journal in self.journals:
            journal.note(cell)

    def started(self) -> int:
        """What was made before this number is from outside of the innermost region."""
        return self.journals[-1].start if self.journals else 0

    def value(self, dim: Dim) -> int:
        """What a size is for the arguments at hand; takes no guard."""
        return sizes.evaluate(dim, self.hints)

    def concretize(self, dim: Dim) -> int:
        """The size as an integer, guarded."""
        if isinstance(dim, int):
            return dim
        if mentions(dim, self.ranges):
            raise Undecided("an integer that must be known at capture", "it changes with the iteration", self.line)
        value = self.value(dim)
        self._guard(dim - value, "==")
        return value

    def _guard(self, difference: Dim, relation: str) -> None:
        if isinstance(difference, Size):
            self.size_guards.setdefault(SizeGuard(difference, relation))

    def same(self, a: Dim, b: Dim) -> bool:
        """Whether two sizes are equal, guarded. Equal ones are made one: capture restarts with the symbol replaced."""
        difference = sizes.substitute(a - b, self.equal) if self.equal else a - b
        if isinstance(difference, int):
            return difference == 0
        if mentions(difference, self.ranges):
            if self._at_least_always(difference - 1) or self._at_least_always(-1 - difference):
                return False
            raise self._undecided(a, b)
        if self.value(difference) != 0:
            bounds = (sizes.lower_bound(difference, self.least), sizes.lower_bound(b - a, self.least))
            if not any(bound is not None and bound > 0 for bound in bounds):
                self._guard(difference, "!=")
            return False
        self._unify(difference)
        self._guard(difference, "==")
        return True

    def alike(self, a: Dim, b: Dim) -> bool:
        """Whether two sizes are equal, guarded; False where that may change with the iteration."""
        try:
            return self.same(a, b)
        except Undecided:
            return False

    def _unify(self, difference: Size) -> None:
        for monomial, coefficient in reversed(difference.terms):
            if len(monomial) == 1 and abs(coefficient) == 1:
                ((name, power),) = monomial
                if not isinstance(name, str) or power != 1:
                    continue
                rest = difference - sizes.symbol(name) * coefficient
                if name not in sizes.symbols(rest):
                    self.equal = equated(self.equal, {name: rest * -coefficient})
                    self.looked = self.serial
                    return

    def at_least(self, a: Dim, b: Dim) -> bool:
        """Whether `a >= b`, guarded."""
        difference = a - b
        if isinstance(difference, int):
            return difference >= 0
        if mentions(difference, self.ranges):
            if self._at_least_always(difference):
                return True
            if self._at_least_always(-1 - difference):
                return False
            raise self._undecided(a, b)
        bound = sizes.lower_bound(difference, self.least)
        if bound is not None and bound >= 0:
            return True
        holds = self.value(difference) >= 0
        self._guard(difference if holds else -1 - difference, ">=")
        return holds

    def surely_at_least(self, a: Dim, b: int) -> bool:
        """Whether `a >= b` for all sizes and in all iterations that come here; takes no guard."""
        least = extreme(a, self.ranges)
        bound = None if least is None else sizes.lower_bound(least, self.least)
        return bound is not None and bound >= b

    def _at_least_always(self, difference: Dim) -> bool:
        """Whether a size is at least 0 in every iteration that comes here, guarded."""
        if isinstance(difference, int):
            return difference >= 0
        return any(self._never_negative(difference - fact) for fact in (0, *self.facts))

    def settled(self, node: Node) -> bool:
        """Whether a slice surely lies within its operand in every iteration, whatever branches were taken inside."""
        for start, size, step, length in zip(
            *(node.params[p] for p in ("start", "size", "step")), node.inputs[0].type.shape
        ):
            last = start + (size - 1) * step
            if not all(self._at_least_always(d) for d in (start, last, length - 1 - last)):
                return False
        return True

    def _never_negative(self, difference: Dim) -> bool:
        least = extreme(difference, self.ranges)
        if least is None or isinstance(least, int):
            return least is not None and least >= 0
        bound = sizes.lower_bound(least, self.least)
        if bound is not None and bound >= 0:
            return True
        if self.value(least) < 0:
            return False
        self._guard(least, ">=")
        return True

    def _undecided(self, a: Dim, b: Dim) -> Undecided:
        return Undecided(f"comparing the sizes {a} and {b}", "the answer may change with the iteration", self.line)

    def read_global(self, namespace: Mapping[str, Any], name: str) -> Any:
        """A global variable, guarded by identity."""
        value = namespace[name]
        guard = ValueGuard(f"global {name}", lambda: namespace[name], value, namespace, name)
        self.value_guards.setdefault((id(namespace), name), guard)
        return value

    def read(self, what: str, key: tuple[Any, ...], read: Any) -> Any:
        """A value from outside of the function, guarded by identity."""
        value = read()
        self.value_guards.setdefault(key, ValueGuard(what, read, value))
        return value

    def constant_array(self, value: np.ndarray) -> Node:
        """An array from outside of the arguments: a further input, held by reference."""
        node = self.constant_nodes.get(id(value))
        if node is None:
            name = f"constant_{len(self.constants)}"
            self.constants[name] = value
            node = self.constant_nodes[id(value)] = ir.input(name, array_type(value), line=self.line)
        return node

    def check(self, unusual: Node) -> None:
        """When this bool scalar turns out true at run time, the function is run as written instead."""
        if ir.is_constant(unusual) and not unusual.params["value"]:
            return
        self.checks.setdefault(unusual)

    @contextmanager
    def trial(self) -> Iterator[None]:
        """What is captured in it is not computed there: it checks and touches nothing."""
        checks, touched = self.checks, self.touched
        self.checks, self.touched = dict(checks), dict(touched)
        try:
            yield
        finally:
            self.checks, self.touched = checks, touched


def equated(known: Mapping[str, Dim], further: Mapping[str, Dim]) -> dict[str, Dim]:
    """What symbols are equal to, in symbols that are not replaced themselves.

    >>> n, m = sizes.symbol("n"), sizes.symbol("m")
    >>> {name: str(size) for name, size in equated({"k": m + 1}, {"m": n}).items()}
    {'k': 'n + 1', 'm': 'n'}
    """
    replaced = {
        name: dim if further.keys().isdisjoint(sizes.symbols(dim)) else sizes.substitute(dim, further)
        for name, dim in known.items()
    }
    return {**replaced, **further}


def array_type(value: np.ndarray) -> ArrayType:
    """The type of a concrete array. NotEncodable for dtypes that egc does not have."""
    if value.dtype not in SHORT:
        raise NotEncodable(f"an array of dtype {value.dtype}", f"egc has {', '.join(SHORT.values())}")
    return ArrayType(DTYPES[SHORT[value.dtype]], tuple(int(length) for length in value.shape))


_current: ContextVar[Context | None] = ContextVar("egc_capture", default=None)


def current() -> Context:
    context = _current.get()
    if context is None:
        raise InternalError("capture", "a traced value was used outside of a capture")
    return context


def tick() -> int:
    """`Context.tick` of the current capture; 0 for what is made before one."""
    context = _current.get()
    return 0 if context is None else context.tick()


@contextmanager
def active(context: Context) -> Iterator[Context]:
    """Captures in a context. Raises Restart at the end, or instead of an exception, where sizes were found to be equal."""
    token = _current.set(context)
    try:
        yield context
        context.begin_again()
    except Exception:
        context.begin_again()
        raise
    finally:
        _current.reset(token)
