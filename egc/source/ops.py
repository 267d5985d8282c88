"""How each op is written as NumPy source: one row of `RENDER` each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, TypeVar

import numpy as np

from egc.ir import Node
from egc.ops import MASKED, SPECIAL, UFUNCS
from egc.source import syntax as syntax
from egc.source.syntax import Expression, after, binary, call, index, literal, negated, quoted
from egc.source.writer import RENDER, Operand, Render, Writer, ufunc_fits, without_facts

RenderT = TypeVar("RenderT", bound=Render)


def written(*names: str) -> Callable[[RenderT], RenderT]:
    def register(render: RenderT) -> RenderT:
        RENDER.update(dict.fromkeys(names, render))
        return render

    return register


NUMPY_NAMES = {"absolute": "abs", "conjugate": "conj"}


@written(*(name for names in UFUNCS.values() for name in names))
def _ufunc(w: Writer, node: Node) -> Expression:
    op = node.op
    bools = all(child.type.dtype == np.bool_ for child in node.inputs)
    if bools:
        op = syntax.LOGICAL.get(op, op)
    if op == "multiply" and _is_square(node):
        x = w.value(node.inputs[0])
        return binary("power", x, Expression("2")) if node.type.rank else call("np.square", x)
    operands = w.operands(node.inputs, ufunc_fits(op, node.inputs))
    if op == "negative" and isinstance(operands[0].kind, np.dtype):
        return negated(operands[0].write())
    if op == "invert" and isinstance(operands[0].kind, np.dtype) and node.type.rank:
        return negated(operands[0].write(), "~")
    if op in syntax.BINARY and _operator_is_exact(op, node, operands):
        return _operator(op, node, operands)
    return call(f"np.{NUMPY_NAMES.get(op, op)}", *(operand.write() for operand in operands))


def _is_square(node: Node) -> bool:
    a, b = map(without_facts, node.inputs)
    plain = a.op in ("constant", "size") or (a.op == "input" and not a.type.rank)
    return a is b and node.type.dtype.kind in "iuf" and not plain


def _operator_is_exact(op: str, node: Node, operands: Sequence[Operand]) -> bool:
    """An operator on NumPy scalars is not always the ufunc, and `**` with a scalar not always `np.power`."""
    if op == "power":
        base, exponent = operands
        if not base.shape or node.type.dtype.kind not in "iuf" or base.kind != node.type.dtype:
            return False
        return bool(exponent.shape) or _literal_exponent(node)
    if node.type.rank:
        return True
    return op in syntax.SAFE_FOR_SCALARS and all(child.type.dtype.kind != "c" for child in node.inputs)


def _literal_exponent(node: Node) -> bool:
    exponent = node.inputs[1]
    return exponent.op == "constant" and (node.type.dtype.kind == "f" or exponent.params["value"] >= 2)


def _operator(op: str, node: Node, operands: Sequence[Operand]) -> Expression:
    a, b = (operand.write() for operand in operands)
    if not isinstance(operands[1].kind, np.dtype) and without_facts(node.inputs[1]).op == "constant":
        value = without_facts(node.inputs[1]).params["value"]
        if op == "power" and abs(value) < 1000 and value == int(value):
            return binary(op, a, literal(int(value)))
        opposite = {"add": "subtract", "subtract": "add"}.get(op)
        has_opposite = node.type.dtype.kind != "i" or value != np.iinfo(node.type.dtype).min
        if opposite and has_opposite and b.level == syntax.UNARY:
            return binary(opposite, a, Expression(b.text.removeprefix("-")))
    return binary(op, a, b)


@written(*MASKED)
def _masked(w: Writer, node: Node) -> Expression:
    mask, other, *operands = map(w.value, node.inputs)
    made = call(f"{w.module('special')}.{MASKED[node.op]}", *operands)
    return call("np.where", mask, made, other)


@written(*(name for names in SPECIAL.values() for name in names))
def _special(w: Writer, node: Node) -> Expression:
    dtype = node.type.dtype

    def fits(kinds: tuple[Any, ...]) -> bool:
        arrays = [kind for kind in kinds if isinstance(kind, np.dtype)]
        if any(kind != dtype for kind in arrays):
            return False
        return len(arrays) == len(kinds) or (bool(arrays) and dtype == np.float64 and complex not in kinds)

    found = call(f"{w.module('special')}.{node.op}", *(operand.write() for operand in w.operands(node.inputs, fits)))
    exact = _special_dtype(node.op, len(node.inputs), dtype) == dtype
    return found if exact else after(found, f".astype({syntax.dtype_text(dtype)})")


@cache
def _special_dtype(name: str, arity: int, dtype: np.dtype) -> np.dtype:
    import scipy.special

    return np.asarray(getattr(scipy.special, name)(*[np.full(1, 0.5, dtype)] * arity)).dtype


@written("where")
def _where(w: Writer, node: Node) -> Expression:
    def fits(kinds: tuple[Any, ...]) -> bool:
        condition, *choices = kinds
        samples = [kind if isinstance(kind, np.dtype) else kind(1) for kind in choices]
        return condition == np.bool_ and np.result_type(*samples) == node.type.dtype

    return call("np.where", *(operand.write() for operand in w.operands(node.inputs, fits)))


@written("real", "imag")
def _part(w: Writer, node: Node) -> Expression:
    return after(w.value(node.inputs[0]), f".{node.op}")


@written("frexp_mantissa", "frexp_exponent")
def _frexp(w: Writer, node: Node) -> Expression:
    return after(call("np.frexp", w.value(node.inputs[0])), "[0]" if node.op == "frexp_mantissa" else "[1]")


@written("cast")
def _cast(w: Writer, node: Node) -> Expression:
    (x,), dtype = node.inputs, node.type.dtype
    inner = without_facts(x)
    if inner.op == "size":
        return call(syntax.scalar_type(dtype), w.size(inner.params["value"]))
    value = w.value(x)
    if x.type.dtype.kind == "c" and dtype.kind not in "cb":
        value = after(value, ".real")
    elif not node.type.rank and dtype.kind in "fcb":
        return call(syntax.scalar_type(dtype), value)
    return after(value, f".astype({syntax.dtype_text(dtype)})")


@written("iota")
def _iota(w: Writer, node: Node) -> Expression:
    operand = w.lazy(node)
    if operand.shape == node.type.shape:
        return operand.write()
    return call("np.broadcast_to", operand.write(), syntax.shape_text(node.type.shape, w.size))


@written("broadcast")
def _broadcast(w: Writer, node: Node) -> Expression:
    inner = node.inputs[0]
    value = w.lazy(node).write() if inner.type.rank else w.value(inner)
    return call("np.broadcast_to", value, syntax.shape_text(node.type.shape, w.size))


def _axis(axes: Sequence[int], rank: int) -> dict[str, Any]:
    """`axis=...`, or nothing where all axes are meant."""
    if len(axes) == rank:
        return {}
    return {"axis": axes[0] if len(axes) == 1 else tuple(axes)}


@written("sum", "prod")
def _sum(w: Writer, node: Node, **more: Any) -> Expression:
    x, dtype = node.inputs[0], node.type.dtype
    inner = without_facts(x)
    if inner.op == "cast" and dtype.kind in "iu" and _accumulator(inner.inputs[0].type.dtype) == dtype:
        x = inner.inputs[0]
    options = _axis(node.params["axes"], x.type.rank)
    if _accumulator(x.type.dtype) != dtype:
        options["dtype"] = syntax.dtype_text(dtype)
    return call(f"np.{node.op}", w.value(x), **options, **more)


def _accumulator(dtype: np.dtype) -> np.dtype:
    """The dtype that NumPy sums, multiplies and accumulates in when it is not told one."""
    return np.add.reduce(np.zeros(1, dtype)).dtype


@written("max", "min", "any", "all")
def _reduction(w: Writer, node: Node, **options: Any) -> Expression:
    x = node.inputs[0]
    return call(f"np.{node.op}", w.value(x), **_axis(node.params["axes"], x.type.rank), **options)


def reduction_keeping_axes(w: Writer, node: Node) -> Expression:
    """The reduction with axes of length 1 where it reduced."""
    if node.op in ("sum", "prod"):
        return _sum(w, node, keepdims=True)
    return _reduction(w, node, keepdims=True)


@written("argmax", "argmin")
def _arg_reduction(w: Writer, node: Node) -> Expression:
    x = node.inputs[0]
    return call(f"np.{node.op}", w.value(x), **_axis((node.params["axis"],), x.type.rank))


@written("cumsum", "cumprod")
def _cumulative(w: Writer, node: Node) -> Expression:
    x = node.inputs[0]
    options = _axis((node.params["axis"],), x.type.rank)
    if _accumulator(x.type.dtype) != x.type.dtype:
        options["dtype"] = syntax.dtype_text(x.type.dtype)
    return call(f"np.{node.op}", w.value(x), **options)


@written("cummax", "cummin")
def _cumulative_extreme(w: Writer, node: Node) -> Expression:
    options = {"axis": node.params["axis"]} if node.params["axis"] else {}
    return call(f"np.{'max' if node.op == 'cummax' else 'min'}imum.accumulate", w.value(node.inputs[0]), **options)


@written("sort", "argsort")
def _sort(w: Writer, node: Node) -> Expression:
    axis, kind = node.params["axis"], node.params.get("kind")
    options: dict[str, Any] = {"axis": axis} if axis != node.inputs[0].type.rank - 1 else {}
    if kind is not None:
        options["kind"] = quoted(kind)
    return call(f"np.{node.op}", w.value(node.inputs[0]), **options)


@written("searchsorted")
def _searchsorted(w: Writer, node: Node) -> Expression:
    side = {"side": quoted("right")} if node.params["side"] == "right" else {}
    return call("np.searchsorted", *map(w.value, node.inputs), **side)


@written("transpose")
def _transpose(w: Writer, node: Node) -> Expression:
    (x,), axes = node.inputs, node.params["axes"]
    placed = _picked_in_place(w, node)
    if placed is not None:
        return placed
    if axes == tuple(range(x.type.rank)):
        return w.value(x)
    if axes == tuple(reversed(range(x.type.rank))):
        return after(w.value(x), ".T")
    return after(w.value(x), f".transpose({', '.join(map(str, axes))})")


def _picked_in_place(w: Writer, node: Node) -> Expression | None:
    """`x[:, i]`: a gather along inner axes whose result is put back in their place."""
    gather = node.inputs[0]
    if gather.op != "gather" or gather.params["mode"] != "raise" or w.users[gather] != 1:
        return None
    axes, rank = gather.params["axes"], gather.inputs[1].type.rank
    rest = range(rank, gather.type.rank)
    at = axes[0]
    if axes != tuple(range(at, at + len(axes))) or node.params["axes"] != (*rest[:at], *range(rank), *rest[at:]):
        return None
    return index(w.value(gather.inputs[0]), [":"] * at + index_entries(w, gather.inputs[1:]))


def index_entries(w: Writer, indices: Sequence[Node]) -> list[str]:
    """Index arrays that broadcast to their common shape; constants and sizes as plain numbers."""
    operands = w.operands(indices, lambda kinds: all(kind in (int, np.dtype(np.int64)) for kind in kinds))
    return [operand.write().text for operand in operands]


@written("gather")
def _gather(w: Writer, node: Node) -> Expression:
    x, *indices = node.inputs
    axes, mode = node.params["axes"], node.params["mode"]
    leading = axes == tuple(range(len(axes)))
    if mode == "raise":
        if not leading and len(axes) == 1 and not indices[0].type.rank:
            return index(w.value(x), [":"] * axes[0] + index_entries(w, indices))
        return index(front(w, w.value(x), axes, x.type.rank), index_entries(w, indices))
    if len(axes) == 1:
        options = {"axis": 0} if x.type.rank > 1 else {}
        return call(
            "np.take", front(w, w.value(x), axes, x.type.rank), w.value(indices[0]), **options, mode=quoted(mode)
        )
    lengths = [w.size(x.type.shape[axis]) for axis in axes]
    if mode == "clip":
        bounded = [call("np.clip", w.value(i), 0, f"{n} - 1") for i, n in zip(indices, lengths)]
    else:
        bounded = [call("np.remainder", w.value(i), n) for i, n in zip(indices, lengths)]
    return index(front(w, w.value(x), axes, x.type.rank), [entry.text for entry in bounded])


def front(w: Writer, x: Expression, axes: Sequence[int], rank: int) -> Expression:
    """A view with `axes` first."""
    order = [*axes, *(axis for axis in range(rank) if axis not in axes)]
    if order == list(range(rank)):
        return x
    return after(x, ".T" if order == [1, 0] else f".transpose({', '.join(map(str, order))})")


@written("matmul")
def _matmul(w: Writer, node: Node) -> Expression:
    return binary("matmul", *map(w.value, node.inputs))


@written("convolve")
def _convolve(w: Writer, node: Node) -> Expression:
    return call("np.convolve", *map(w.value, node.inputs))


@written("diagonal")
def _diagonal(w: Writer, node: Node) -> Expression:
    (x,), offset = node.inputs, node.params["offset"]
    if x.type.rank > 2:
        return call("np.diagonal", w.value(x), offset, -2, -1)
    return call("np.diagonal", w.value(x), *([offset] if offset else []))


@written("tril", "triu")
def _triangle(w: Writer, node: Node) -> Expression:
    offset = node.params["offset"]
    return call(f"np.{node.op}", w.value(node.inputs[0]), *([offset] if offset else []))
