"""Slices whose bounds depend on data, `x[low:high]`: their length is not known, so they stay a number of elements and how to
read each.

Elementwise arithmetic, reductions, products, gathers by their elements, and assignment to them are loops of as many
iterations: those of `elements.py`, captured as if the function called them.
"""

from __future__ import annotations

import operator
import weakref
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from egc import ir
from egc.capture import build, elements
from egc.capture.array import OPERATORS, Array, BoundMethod, Cell, python_number, result, to_node
from egc.capture.bounds import mentions
from egc.capture.context import current
from egc.capture.ufuncs import call_ufunc
from egc.errors import NotEncodable
from egc.ir import Node
from egc.ops import INT64
from egc.sizes import Dim


def _unknown(what: str) -> NotEncodable:
    return NotEncodable(
        f"{what} of a slice with bounds that depend on data", "its shape depends on data", current().line
    )


class Stretch:
    """`count` elements, an int64 scalar; `at(k)` is the one at a position, a number or an array of a known shape.

    One that is a view knows the array, and where it begins and goes on to: while the array is as it was, it shows it. There are
    at `most` so many elements, where that is known.
    """

    def __init__(self, count: Node, at: Callable[[Any], Any], view: View | None = None, most: Dim | None = None):
        self.count, self._at, self.view, self.most = count, at, view, most
        with current().trial():
            self.example = to_node(at(0))
        self.serial = current().tick()
        current().stretches.append(weakref.ref(self))

    def at(self, position: Any) -> Any:
        return self._at(position)

    @property
    def dtype(self) -> np.dtype:
        return self.example.type.dtype

    def current(self) -> Stretch:
        """Itself, unless what it shows has changed meanwhile."""
        if self.view is not None and self.view.array.node is not self.view.shown:
            raise _unknown("reading, after its array has changed,")
        return self

    def keep(self) -> None:
        """Computes the elements now, as NumPy does: what they are read from is about to change."""
        assert self.most is not None
        out = _buffer(ir.make("empty", dtype=self.dtype, shape=(self.most, *self.example.type.shape)))
        current().interpret(elements.put, (out, 0, 1, self))
        kept = out.node
        self._at = _elements(kept, _constant(0), _constant(1))
        self.example = to_node(self._at(0))

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice) and index in (slice(None), slice(None, None, 1)):
            return self
        if type(index) is not int:
            raise _unknown("an item")
        position = _constant(index) if index >= 0 else current().make("add", self.count, _constant(index))
        outside = [(position, _constant(0)), (current().make("subtract", self.count, _constant(1)), position)]
        for low, high in outside:
            current().check(current().make("less", low, high))
        return self.current().at(python_number(position))

    def __setitem__(self, index: Any, value: Any) -> None:
        raise _unknown("an assignment to an item")

    def __array__(self, *options: Any, **named: Any) -> np.ndarray:
        raise _unknown("a conversion")

    def __iter__(self) -> Any:
        raise _unknown("an iterator")

    def __bool__(self) -> bool:
        raise _unknown("the truth")

    def __float__(self) -> float:
        raise _unknown("a conversion")

    __int__ = __index__ = __len__ = __float__  # type: ignore[assignment]

    def attribute(self, name: str) -> Any:
        if name in ("size", "shape"):
            inner = self.example.type.shape
            return python_number(self.count) if name == "size" and not inner else (python_number(self.count), *inner)
        if name == "ndim":
            return 1 + self.example.type.rank
        if name == "dtype":
            return self.dtype
        if name in METHODS:
            return BoundMethod(METHODS[name], self, name)  # type: ignore[arg-type]
        raise _unknown(f"the attribute {name}")


def _constant(value: int) -> Node:
    return ir.constant(value, INT64)


class Ordered(ABC):
    """What has an order of elements, and may be a Stretch."""

    @property
    @abstractmethod
    def size(self) -> Any:
        """How many elements there are."""

    @abstractmethod
    def elements(self) -> Stretch:
        """One after the other."""


class View:
    """Where a Stretch that is a view lies: in `array`, whose contents were `shown` when it was made."""

    def __init__(self, array: Array, start: Node, step: Node):
        self.array, self.start, self.step, self.shown = array, start, step, array.node

    def is_at(self, other: View) -> bool:
        return (
            self.array.cell is other.array.cell and self.start is other.start and self.step is other.step
            and self.shown is other.shown
        )  # fmt: skip


def bounds(given: slice, length: Any) -> tuple[Node, Node, Node]:
    """The first place, the step and the number of elements of a slice with rising steps, as `slice.indices` has them."""
    make, zero, one = current().make, _constant(0), _constant(1)
    last = to_node(length, INT64)
    step = one if given.step is None else to_node(given.step, INT64)
    if step.op == "constant" and step.params["value"] <= 0:
        raise _unknown("falling steps")
    current().check(make("less", step, one))

    def clipped(bound: Any, default: Node) -> Node:
        if bound is None:
            return default
        place = to_node(bound, INT64)
        place = make("where", make("less", place, zero), make("add", place, last), place)
        return make("minimum", make("maximum", place, zero), last)

    start, stop = clipped(given.start, zero), clipped(given.stop, last)
    span = make("maximum", make("subtract", stop, start), zero)
    if step is not one:
        safe = make("maximum", step, one)
        span = make("floor_divide", make("add", span, make("subtract", safe, one)), safe)
    return start, step, span


def is_of_data(entry: Any) -> bool:
    return isinstance(entry, slice) and any(
        isinstance(bound, Array) and bound.node.op not in ("size", "constant")
        for bound in (entry.start, entry.stop, entry.step)
    )


def target(x: Array, entries: Sequence[Any]) -> tuple[Array, slice] | None:
    """The array that the one slice of data among some entries is a slice of along its first axis; None without one."""
    found = [place for place, entry in enumerate(entries) if is_of_data(entry)]
    if not found:
        return None
    if len(found) > 1 or any(isinstance(e, slice) or e is None or _has_axes(e) for e in entries[: found[0]]):
        raise _unknown("an axis other than the first one")
    others = tuple(slice(None) if k == found[0] else entry for k, entry in enumerate(entries))
    if all(isinstance(entry, slice) and entry == slice(None) for entry in others):
        return x, entries[found[0]]
    return OPERATORS["getitem"](x, others), entries[found[0]]


def _has_axes(entry: Any) -> bool:
    return isinstance(entry, Array) and (entry.ndim > 0 or entry.kind == "array")


def read(x: Array, entries: Sequence[Any]) -> Stretch | None:
    """`x[..., low:high]`."""
    found = target(x, entries)
    if found is None:
        return None
    array, given = found
    start, step, count = bounds(given, array.shape[0])
    return Stretch(count, _elements(array.node, start, step), View(array, start, step), array.shape[0])


def _elements(node: Node, start: Node, step: Node) -> Callable[[Any], Any]:
    def at(position: Any) -> Any:
        make = current().make
        place = make("add", start, make("multiply", to_node(position, INT64), step))
        return result(make("gather", node, place, axes=(0,), mode="clip"))

    return at


def selected(x: Array, entries: Sequence[Any]) -> Stretch | None:
    """`x[mask]` for a mask along one axis, which integers may come before; None for other entries."""
    found = _masked(x, entries)
    return None if found is None else gathered(*found)


def _masked(x: Array, entries: Sequence[Any]) -> tuple[Array, Stretch] | None:
    """The array whose first axis a mask is for, and the places where it holds."""
    at = next(k for k, entry in enumerate(entries) if isinstance(entry, Array) and entry.dtype.kind == "b")
    mask, before, after = entries[at], entries[:at], entries[at + 1 :]
    plain = all(isinstance(entry, slice) and entry == slice(None) for entry in after)
    if mask.ndim != 1 or not plain or any(isinstance(e, slice) or e is None or _has_axes(e) for e in before):
        return None
    base = OPERATORS["getitem"](x, tuple(before)) if before else x
    if not current().same(mask.shape[0], base.shape[0]):
        return None
    return base, places(mask)


def write_selected(x: Array, entries: Sequence[Any], value: Any) -> bool:
    """`x[mask] = value` for a Stretch; whether that is what was asked for."""
    if not isinstance(value, Stretch) or not any(isinstance(e, Array) and e.dtype.kind == "b" for e in entries):
        return False
    found = _masked(x, entries)
    if found is None:
        raise _unknown("an assignment")
    base, where = found
    values = _aligned(value, where.count, base.ndim - 1)
    keep_readers(base)
    current().interpret(elements.put_at, (base, where, values))
    return True


def write(x: Array, entries: Sequence[Any], value: Any) -> bool:
    """`x[..., low:high] = value`; whether that is what was asked for."""
    found = target(x, entries)
    if found is None:
        return write_selected(x, entries, value)
    array, given = found
    start, step, count = bounds(given, array.shape[0])
    view = View(array, start, step)
    if isinstance(value, Stretch) and value.view is not None and value.view.is_at(view):
        return True
    values = _aligned(value, count, array.ndim - 1)
    keep_readers(array)
    current().interpret(elements.put, (array, result(start), result(step), values))
    return True


def _buffer(blank: Node) -> Array:
    """An array to write to before it is read. In loops it is one from before them, so that it need not be blank each time."""
    context = current()
    if not context.loops or any(mentions(dim, context.ranges) for dim in blank.type.shape):
        return Array(blank, "array")
    key = context.buffers_taken, blank
    context.buffers_taken += 1
    if key not in context.buffers:
        context.buffers[key] = Cell(blank)
        context.buffers[key].serial = 0
    return Array(context.buffers[key], "array")


def keep_readers(array: Array) -> None:
    """Computes what is read from an array and not a view, before the array is written: else all of it, as it was, would have to be
    copied."""
    context, node = current(), array.cell.node
    context.stretches = [reference for reference in context.stretches if reference() is not None]
    inside = context.journals[-1].start if context.journals else 0
    for reference in reversed(context.stretches):
        stretch = reference()
        if stretch is None or stretch.view is not None or stretch.most is None or stretch.serial < inside:
            continue
        if node in ir.topological([stretch.example]):
            stretch.keep()


def _aligned(value: Any, count: Node, rank: int) -> Stretch:
    """A value as so many elements of a rank: numbers and arrays of that rank are the same for all."""
    if isinstance(value, Stretch):
        found = value.current()
    elif np.ndim(value) if not isinstance(value, Array) else value.ndim > rank:
        array = value if isinstance(value, Array) else Array(to_node(value))
        if array.ndim != rank + 1:
            raise _unknown("arithmetic with an array of more axes")
        zero, one = _constant(0), _constant(1)
        found = Stretch(to_node(array.shape[0], INT64), _elements(array.node, zero, one), None, array.shape[0])
    else:
        kept = Array(value.node) if isinstance(value, Array) and value.kind == "array" else value
        return Stretch(count, lambda k: kept)
    if found.count is not count:
        current().check(current().make("not_equal", found.count, count))
    return Stretch(count, found.at, None, found.most)


def elementwise(ufunc: np.ufunc, operands: Sequence[Any]) -> Stretch:
    """The elements of a ufunc, which are computed where they are read."""
    first = next(operand for operand in operands if isinstance(operand, Stretch))
    rank = max(operand.example.type.rank for operand in operands if isinstance(operand, Stretch))
    aligned = [_aligned(operand, first.count, rank) for operand in operands]
    most = next((each.most for each in aligned if each.most is not None), None)
    return Stretch(
        first.count, lambda k: call_ufunc(ufunc, "__call__", [each.at(k) for each in aligned], {}), None, most
    )


def places(mask: Array) -> Stretch:
    """Where an array of one axis is not zero."""
    mask = Array(build.cast(mask.node, bool))
    out = Array(ir.make("empty", dtype=INT64, shape=mask.shape), "array")
    count = current().interpret(elements.places, (mask, out))
    zero, one = _constant(0), _constant(1)
    return Stretch(to_node(count, INT64), _elements(out.node, zero, one), View(out, zero, one), mask.shape[0])


def gathered(x: Array, places: Stretch) -> Stretch:
    """`x[places]`."""
    if places.example.type.rank or places.dtype.kind not in "iu":
        raise _unknown("an index")
    kept, fixed = places.current(), Array(x.node)
    return Stretch(kept.count, lambda k: OPERATORS["getitem"](fixed, kept.at(k)), None, kept.most)


def in_place(ufunc: np.ufunc, left: Any, right: Any) -> Stretch:
    """`part += value` for a part that is a view: its array is written."""
    if not isinstance(left, Stretch) or left.view is None:
        raise _unknown("an update in place")
    view = left.view
    values = elementwise(ufunc, (left, right))
    keep_readers(left.view.array)
    current().interpret(elements.put, (view.array, result(view.start), result(view.step), values))
    return Stretch(
        left.count, _elements(view.array.node, view.start, view.step), View(view.array, view.start, view.step)
    )


def _reduction(combine: np.ufunc, inner: str, neutral: Callable[[np.dtype], Any] | None = None) -> Callable[..., Any]:
    """The method that combines the elements: numbers, or arrays along the first axis, or all that is `inner` of these. Without
    a `neutral` element to begin with it is the first one, which there must be."""

    def reduce(self: Stretch, axis: Any = None) -> Any:
        kept = self.current()
        if kept.example.type.rank and axis is None:
            kept = Stretch(kept.count, lambda k: getattr(self.at(k), inner)())
        elif axis not in (None, 0):
            raise _unknown("an axis other than the first one")
        if neutral is None:
            first = _first(kept)
        else:
            value = neutral(kept.dtype)
            first = result(ir.constant(value, np.asarray(value).dtype, kept.example.type.shape))
        return _number(current().interpret(elements.accumulated, (kept, first, combine)))

    return reduce


def _first(stretch: Stretch) -> Any:
    """The first element; NumPy raises an exception where there is none."""
    current().check(current().make("less", stretch.count, _constant(1)))
    return stretch.at(0)


def _sum_type(dtype: np.dtype, value: int) -> Any:
    wide = np.dtype(np.int64 if dtype.kind in "bi" else np.uint64) if dtype.kind in "biu" else dtype
    return wide.type(value)


def _place(better: Callable[[Any, Any], Any]) -> Callable[[Stretch], Any]:
    def place(self: Stretch) -> Any:
        if self.example.type.rank:
            raise _unknown("a place")
        kept = self.current()
        return _number(current().interpret(elements.place_of, (kept, _first(kept), better)))

    return place


def _number(value: Any) -> Any:
    """A NumPy number, or an array."""
    return result(to_node(value)) if not isinstance(value, Array) or not value.ndim else value


def _mean(self: Stretch, axis: Any = None) -> Any:
    if self.example.type.rank and axis != 0:
        raise _unknown("a mean over all axes")
    values = self if self.dtype.kind in "fc" else elementwise(np.add, (self, 0.0))
    return _number(METHODS["sum"](values, axis) / result(build.cast(self.count, values.dtype)))


def _dot(left: Any, right: Any) -> Any:
    sides = [side for side in (left, right) if isinstance(side, Stretch)]
    if any(side.example.type.rank for side in sides):
        raise _unknown("a product")
    a, b = (_aligned(side, sides[0].count, 0) for side in (left, right))
    if any(np.ndim(side) == 0 for side in (left, right) if not isinstance(side, (Array, Stretch))):
        raise _unknown("a product with a number")
    return METHODS["sum"](elementwise(np.multiply, (a, b)))


METHODS: dict[str, Callable[..., Any]] = {
    "sum": _reduction(np.add, "sum", lambda dtype: _sum_type(dtype, 0)),
    "prod": _reduction(np.multiply, "prod", lambda dtype: _sum_type(dtype, 1)),
    "any": _reduction(np.logical_or, "any", lambda dtype: np.False_),
    "all": _reduction(np.logical_and, "all", lambda dtype: np.True_),
    "max": _reduction(np.maximum, "max"),
    "min": _reduction(np.minimum, "min"),
    "argmax": _place(operator.gt),
    "argmin": _place(operator.lt),
    "mean": _mean,
    "dot": _dot,
    "copy": lambda self: Stretch(self.current().count, self.at),
}

FUNCTIONS: dict[Any, Callable[..., Any]] = {getattr(np, name): meaning for name, meaning in METHODS.items()}
FUNCTIONS |= {np.matmul: _dot, len: lambda self: python_number(self.count), operator.matmul: _dot}

UFUNCS: dict[Any, np.ufunc] = {
    operator.add: np.add, operator.sub: np.subtract, operator.mul: np.multiply, operator.truediv: np.divide,
    operator.floordiv: np.floor_divide, operator.mod: np.remainder, operator.pow: np.power, operator.neg: np.negative,
    operator.abs: np.absolute, abs: np.absolute, operator.lt: np.less, operator.le: np.less_equal, operator.gt: np.greater,
    operator.ge: np.greater_equal, operator.eq: np.equal, operator.ne: np.not_equal, operator.and_: np.bitwise_and,
    operator.or_: np.bitwise_or, operator.xor: np.bitwise_xor, operator.invert: np.invert,
}  # fmt: skip

IN_PLACE: dict[Any, np.ufunc] = {
    operator.iadd: np.add, operator.isub: np.subtract, operator.imul: np.multiply, operator.itruediv: np.divide,
    operator.ipow: np.power, operator.ifloordiv: np.floor_divide, operator.imod: np.remainder,
}  # fmt: skip


def knows(function: Any) -> bool:
    """Whether a function has a meaning for a Stretch of its own: others go through it, or cannot."""
    try:
        return isinstance(function, np.ufunc) or function in FUNCTIONS or function in UFUNCS or function in IN_PLACE
    except TypeError:
        return False


def apply(function: Any, arguments: Sequence[Any], options: dict[str, Any]) -> Any:
    """A function of a Stretch, or an operator; selections by a mask are taken one by one."""
    arguments = [each.elements() if isinstance(each, Ordered) else each for each in arguments]
    if not options and function in IN_PLACE:
        return in_place(IN_PLACE[function], *arguments)
    ufunc = UFUNCS.get(function, function) if not isinstance(function, np.ufunc) else function
    if function in FUNCTIONS and set(options) <= {"axis"}:
        return FUNCTIONS[function](*arguments, **options)
    plain = isinstance(ufunc, np.ufunc) and ufunc.signature is None and ufunc.nout == 1
    if not options and plain and ufunc.nin == len(arguments):
        return elementwise(ufunc, arguments)
    raise _unknown(getattr(function, "__name__", "a function"))


OPERATORS["select_stretch"] = selected
OPERATORS["is_stretch"] = lambda index: isinstance(index, Stretch)
OPERATORS["stretch"], OPERATORS["write_stretch"], OPERATORS["gather_stretch"] = read, write, gathered
