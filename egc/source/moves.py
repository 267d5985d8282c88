"""How reshapes, slices and writes into arrays are written as NumPy source."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from egc.ir import Node
from egc.kinds import FUSED_REDUCTIONS
from egc.source import syntax as syntax
from egc.source.ops import front, index_entries, reduction_keeping_axes, written
from egc.source.syntax import Expression, after, call, index
from egc.source.writer import Writer, without_facts
from egc.types import Shape


def slices(w: Writer, shape: Shape, start: Sequence[Any], size: Sequence[Any], step: Sequence[int]) -> list[list[str]]:
    """The index entries that pick a window, and those that reverse axes afterwards where that must come second."""
    pairs = [syntax.slice_entry(*parts, w.size) for parts in zip(shape, start, size, step)]
    entries = [[entry for entry, _ in pairs]]
    if any(reverse for _, reverse in pairs):
        entries.append(["::-1" if reverse else ":" for _, reverse in pairs])
    return entries


def _window(w: Writer, x: Expression, shape: Shape, start: Any, size: Any, step: Any) -> Expression:
    for entries in slices(w, shape, start, size, step):
        x = index(x, entries)
    return x


@written("slice")
def _slice(w: Writer, node: Node) -> Expression:
    x, params = node.inputs[0], node.params
    return _window(w, w.value(x), x.type.shape, params["start"], params["size"], params["step"])


@written("reshape")
def _reshape(w: Writer, node: Node) -> Expression:
    x = without_facts(node.inputs[0])
    old, new = x.type.shape, node.type.shape
    if not old:
        return call("np.reshape", w.value(x), syntax.tuple_text(map(w.size, new)))
    dropped = _inserted_ones(new, old)
    if dropped:
        return _drop_axes(w, x, dropped)
    added = _inserted_ones(old, new)
    if added and x.op in FUSED_REDUCTIONS and added == set(x.params["axes"]) and w.users[x] == 1:
        return reduction_keeping_axes(w, x)
    if added:
        return index(w.value(x), ["None" if axis in added else ":" for axis in range(len(new))])
    if len(new) == 1:
        return after(w.value(x), ".ravel()")
    return after(w.value(x), f".reshape({', '.join(map(w.size, new)) or '()'})")


def _inserted_ones(short: Shape, long: Shape) -> set[int] | None:
    """The axes of length 1 to leave out of `long` to get `short`, if that is all the difference."""
    extra, position = set(), 0
    for axis, dim in enumerate(long):
        if position < len(short) and short[position] == dim:
            position += 1
        elif dim == 1:
            extra.add(axis)
        else:
            return None
    return extra if position == len(short) else None


def _drop_axes(w: Writer, x: Node, dropped: set[int]) -> Expression:
    """`x[i]` for a slice of one element along an axis, which is then left out."""
    if x.op != "slice":
        return index(w.value(x), ["0" if axis in dropped else ":" for axis in range(x.type.rank)])
    base, params = x.inputs[0], x.params
    shape, start = base.type.shape, params["start"]
    first, *later = slices(w, shape, start, params["size"], params["step"])
    for axis in dropped:
        first[axis] = syntax.position_entry(shape[axis], start[axis], w.size)
    found = index(w.value(base), first)
    for entries in later:
        found = index(found, [entry for axis, entry in enumerate(entries) if axis not in dropped])
    return found


@written("concatenate")
def _concatenate(w: Writer, node: Node) -> Expression:
    parts = ", ".join(w.value(part).text for part in node.inputs)
    axis = {"axis": node.params["axis"]} if node.params["axis"] else {}
    return call("np.concatenate", f"[{parts}]", **axis)


@written("pad")
def _pad(w: Writer, node: Node) -> Expression:
    x, fill = node.inputs
    if not x.type.rank:
        return w.value(x)
    widths = [f"({w.size(low)}, {w.size(high)})" for low, high in zip(node.params["low"], node.params["high"])]
    value = w.lazy(fill).write() if fill.op == "constant" else w.value(fill)
    options = {} if value.text in ("0", "0.0", "False") else {"constant_values": value}
    return call("np.pad", w.value(x), widths[0] if len(widths) == 1 else syntax.tuple_text(widths), **options)


def _copy(w: Writer, user: Node) -> Expression:
    """A variable for an update of its first operand to write into: a copy, or the operand where nothing needs it later."""
    x = without_facts(user.inputs[0])
    value = w.value(x)
    if not w.counting and w.may_overwrite(x, user, 0):
        return value
    return w.assign("result", value if x.op == "constant" else after(value, ".copy()"))


def _stored(w: Writer, value: Node) -> str:
    """What may stand on the right of an assignment to elements, which broadcasts and rounds."""
    value = without_facts(value)
    return (w.lazy(value, keep_casts=True) if value.op in ("constant", "broadcast") else w.exactly(value)).write().text


@written("update_slice")
def _update_slice(w: Writer, node: Node) -> Expression:
    x, value = node.inputs
    if w.inline:
        return call("update_slice", w.value(x), w.value(value))
    if not x.type.rank:
        return w.value(value)
    result = _copy(w, node)
    start = node.params["start"]
    first, *later = slices(w, x.type.shape, start, value.type.shape, node.params["step"])
    element = without_facts(value)
    dropped = _inserted_ones(element.inputs[0].type.shape, value.type.shape) if element.op == "reshape" else None
    if dropped and not later:
        value = element.inputs[0]
        for axis in dropped:
            first[axis] = syntax.position_entry(x.type.shape[axis], start[axis], w.size)
    target = after(result, f"[{', '.join(first)}]")
    for entries in later:
        target = index(target, entries)
    w.state(f"{target.text} = {_stored(w, value)}")
    return result


@written("scatter")
def _scatter(w: Writer, node: Node) -> Expression:
    x, value, *indices = node.inputs
    combine, axes = node.params["combine"], node.params["axes"]
    if w.inline:
        return call("scatter", w.value(x), w.value(value), *map(w.value, indices))
    result = _copy(w, node)
    target, entries = front(w, result, axes, x.type.rank), index_entries(w, indices)
    if combine == "set":
        w.state(f"{target.text}[{', '.join(entries)}] = {_stored(w, value)}")
    else:
        places = entries[0] if len(entries) == 1 else syntax.tuple_text(entries)
        w.state(f"np.{combine}.at({target.text}, {places}, {w.value(value).text})")
    return result


@written("diagonal_matrix")
def _diagonal_matrix(w: Writer, node: Node) -> Expression:
    (x,), offset = node.inputs, node.params["offset"]
    if x.type.rank == 1:
        return call("np.diag", w.value(x), *([offset] if offset else []))
    if w.inline:
        return call("diagonal_matrix", w.value(x))
    value = w.value(x).text
    result = w.assign("matrix", syntax.filled(0, node.type.dtype, node.type.shape, w.size))
    place = call("np.arange", w.size(x.type.shape[-1])).text
    rows, columns = (f"{place} + {shift}" if shift else place for shift in (max(-offset, 0), max(offset, 0)))
    w.state(f"{result.text}[..., {rows}, {columns}] = {value}")
    return result
