"""Sparsity patterns: which elements of results depend on which elements of arguments, and which of these meet in a nonlinear
relation.

The first is the pattern of a Jacobian, the second that of a Hessian. Both are global, for all values of the arguments, or local,
where branches, choices, extremes and zeros are those at one point. A pattern may have more than the derivative has, never less.
A derivative that is zero but at jumps, as that of `floor`, is zero.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from egc.interpret import patterns
from egc.interpret.dependence import Dependence, Dependences
from egc.interpret.fold import MOVES, Call, Rule, data_of, places
from egc.interpret.patterns import Rows
from egc.ops import MASKED, OPS
from egc.types import TupleType

MOST_LINKS = 20_000_000
"""Links of single elements by which a product of matrices is followed; beyond, by rows and columns."""

Linking = Callable[[Dependences, Call], Rows | None]

LINKS: dict[str, Linking] = {}
"""What each op makes of the sets of its operands."""


def links(*names: str) -> Callable[[Linking], Linking]:
    def register(function: Linking) -> Linking:
        LINKS.update(dict.fromkeys(names, function))
        return function

    return register


STEPS = frozenset("floor ceil rint trunc sign heaviside floor_divide spacing".split())
"""Functions whose derivative is zero wherever they have one."""

LINEAR = frozenset(
    """add subtract negative conjugate absolute cast real imag copysign maximum minimum fmax fmin frexp_mantissa nextafter
       remainder fmod ldexp where""".split()
)
"""Functions that are linear in pieces: their operands do not meet in them."""


def _elementwise(domain: Dependences, call: Call) -> Rows | None:
    union = domain.union(*(fact.rows for fact in call.operands))
    real = all(child.type.dtype.kind != "c" for child in call.node.inputs)
    if call.op not in LINEAR or (call.op == "absolute" and not real):
        domain.meet(union, union)
    return union


def _kept(fact: Dependence, other: Dependence) -> Rows | None:
    """The sets of an operand of a product, where the other one is not zero."""
    if fact.rows is None or other.value is None:
        return fact.rows
    return patterns.kept(fact.rows, np.asarray(other.value != 0))


@links("multiply")
def _multiply(domain: Dependences, call: Call) -> Rows | None:
    a, b = call.operands
    domain.meet(a.rows, b.rows)
    return domain.union(_kept(a, b), _kept(b, a))


@links("divide")
def _divide(domain: Dependences, call: Call) -> Rows | None:
    a, b = call.operands
    below = _kept(b, a)
    domain.meet(a.rows, b.rows)
    domain.meet(below, below)
    return domain.union(a.rows, below)


@links("power")
def _power(domain: Dependences, call: Call) -> Rows | None:
    """Linear for the exponent 1."""
    base, exponent = call.operands
    union = domain.union(base.rows, exponent.rows)
    if exponent.rows is None and exponent.value is not None and union is not None:
        curved = patterns.kept(union, np.asarray(exponent.value != 1) & np.asarray(exponent.value != 0))
        domain.meet(curved, curved)
        return patterns.kept(union, np.asarray(exponent.value != 0))
    domain.meet(union, union)
    return union


@links("maximum", "fmax")
def _maximum(domain: Dependences, call: Call) -> Rows | None:
    return _extreme_of_two(domain, call, lambda a, b: ~(a < b))


@links("minimum", "fmin")
def _minimum(domain: Dependences, call: Call) -> Rows | None:
    return _extreme_of_two(domain, call, lambda a, b: ~(a > b))


def _extreme_of_two(domain: Dependences, call: Call, wins: Callable[[Any, Any], Any]) -> Rows | None:
    a, b = call.operands
    if a.value is None or b.value is None:
        return domain.union(a.rows, b.rows)
    first, second = np.asarray(wins(a.value, b.value)), np.asarray(wins(b.value, a.value))
    return domain.union(
        a.rows if a.rows is None else patterns.kept(a.rows, first),
        b.rows if b.rows is None else patterns.kept(b.rows, second),
    )


@links("where")
def _where(domain: Dependences, call: Call) -> Rows | None:
    condition, a, b = call.operands
    return _chosen(domain, condition, a.rows, b.rows)


def _chosen(domain: Dependences, condition: Dependence, a: Rows | None, b: Rows | None) -> Rows | None:
    if condition.value is None:
        return domain.union(a, b)
    return domain.union(
        a if a is None else patterns.kept(a, condition.value),
        b if b is None else patterns.kept(b, ~condition.value),
    )


@links(*MASKED)
def _masked(domain: Dependences, call: Call) -> Rows | None:
    mask, other, *operands = call.operands
    inside = _chosen(domain, mask, domain.union(*(fact.rows for fact in operands)), None)
    domain.meet(inside, inside)
    return domain.union(inside, _chosen(domain, mask, None, other.rows))


@links("reshape", "assume")
def _as_it_is(domain: Dependences, call: Call) -> Rows | None:
    return call.operands[0].rows


@links(*(set(MOVES) - {"reshape", "assume", "where"}))
def _moved(domain: Dependences, call: Call) -> Rows | None:
    """Elements that move; where it is not known to which places, each may come to all of them."""
    source = places(domain, call)
    if source is None:
        return _scattered(domain, call) if call.op == "scatter" else _gathered(domain, call)
    parts = [patterns.empty(1, domain.inputs), *(domain.rows(call.operands[k]) for k in data_of(call.node))]
    return patterns.stacked(parts)[source.ravel()]


def _without(shape: tuple[int, ...], axes: Any) -> np.ndarray:
    """For each element of an array, its number among those of one without some axes."""
    short = [1 if axis in axes else length for axis, length in enumerate(shape)]
    return np.broadcast_to(np.arange(math.prod(short)).reshape(short), shape)


def _gathered(domain: Dependences, call: Call) -> Rows | None:
    """Elements at unknown places: each is any of those along the axes."""
    shape, axes = call.shape(0), call.params["axes"]
    groups = _without(shape, axes)
    union = patterns.united(call.operands[0].rows, groups, int(groups.max(initial=-1)) + 1)
    kept = call.type.shape[len(call.shape(1)) :]
    return union[np.broadcast_to(np.arange(math.prod(kept)).reshape(kept), call.type.shape).ravel()]


def _scattered(domain: Dependences, call: Call) -> Rows | None:
    """Values set or combined in, at places that are known, or else at any along the axes."""
    x, value, *indices = call.operands
    shape, axes = call.shape(0), call.params["axes"]
    rows = x.rows
    if value.rows is not None:
        others = [axis for axis in range(len(shape)) if axis not in axes]
        if all(index.value is not None for index in indices):
            numbers = np.arange(math.prod(shape)).reshape(shape).transpose([*axes, *others])
            reached = numbers[tuple(index.value for index in indices)]
            rows = domain.union(rows, patterns.united(value.rows, reached, math.prod(shape)))
        else:
            kept = [shape[axis] for axis in others]
            groups = np.broadcast_to(np.arange(math.prod(kept)).reshape(kept), call.shape(1))
            union = patterns.united(value.rows, groups, math.prod(kept))
            rows = domain.union(rows, union[_without(shape, axes).ravel()])
    if call.params["combine"] not in ("set", "add", "subtract", "maximum", "minimum"):
        domain.meet(rows, rows)
    return rows


@links("sum", "prod", "max", "min")
def _reduced(domain: Dependences, call: Call) -> Rows | None:
    (x,), shape = call.operands, call.shape(0)
    rows = x.rows
    if call.op in ("max", "min") and x.value is not None:
        extreme = getattr(np, call.op)(x.value, axis=call.params["axes"], keepdims=True)
        rows = patterns.kept(rows, ~(x.value != extreme) | (extreme != extreme))
    union = patterns.united(rows, _without(shape, call.params["axes"]), math.prod(call.type.shape))
    if call.op == "prod":
        domain.meet(union, union)
    return union


@links("cumsum", "cumprod", "cummax", "cummin")
def _scanned(domain: Dependences, call: Call) -> Rows | None:
    """All results of a scan, in a logarithmic number of steps."""
    rows, shape, axis = call.operands[0].rows, call.shape(0), call.params["axis"]
    step = 1
    numbers = np.arange(math.prod(shape)).reshape(shape) + 1
    while step < shape[axis]:
        earlier = np.zeros_like(numbers)
        after, before = ([slice(None)] * len(shape) for _ in range(2))
        after[axis], before[axis] = slice(step, None), slice(None, -step)
        earlier[tuple(after)] = numbers[tuple(before)]
        rows = rows + patterns.stacked([patterns.empty(1, domain.inputs), rows])[earlier.ravel()]
        step *= 2
    if call.op == "cumprod":
        domain.meet(rows, rows)
    return rows


@links("linear_recurrence")
def _recurrence(domain: Dependences, call: Call) -> Rows | None:
    """Row after row: of a factor, where it is not surely zero what was before, and where that is not, the factor."""
    shape, axis = call.shape(0), call.params["axis"]
    factor, term, start = (domain.rows(fact) for fact in call.operands)
    zero = None if call.operands[0].value is None else np.moveaxis(call.operands[0].value == 0, axis, 0)
    places = np.moveaxis(np.arange(math.prod(shape)).reshape(shape), axis, 0)
    last, found = start, [patterns.empty(0, domain.inputs)]
    for k, place in enumerate(places):
        by, order = factor[place.ravel()], place.ravel()
        domain.meet(by, last)
        before = last if zero is None else patterns.kept(last, ~zero[k])
        last = before + by + term[order]
        found.append(last)
    return patterns.stacked(found)[np.argsort(places.ravel())]


@links("sort")
def _sorted(domain: Dependences, call: Call) -> Rows | None:
    (x,), shape, axis = call.operands, call.shape(0), call.params["axis"]
    numbers = np.arange(math.prod(shape)).reshape(shape)
    if x.value is not None:
        order = np.argsort(x.value, axis=axis, kind="stable")
        return x.rows[np.take_along_axis(numbers, order, axis).ravel()]
    groups = _without(shape, (axis,))
    return patterns.united(x.rows, groups, int(groups.max(initial=-1)) + 1)[groups.ravel()]


@links("matmul")
def _matmul(domain: Dependences, call: Call) -> Rows | None:
    """Of rows of the left operand and columns of the right one; element by element where the other one has known zeros."""
    a, b = call.operands
    left, right = call.shape(0), call.shape(1)
    left = (1, *left) if len(left) == 1 else left
    right = (*right, 1) if len(right) == 1 else right
    if domain.second and a.rows is not None and b.rows is not None:
        inner = left[-1]
        columns, rows = np.broadcast_to(np.arange(inner), left), np.broadcast_to(np.arange(inner)[:, None], right)
        domain.meet(patterns.united(a.rows, columns, inner), patterns.united(b.rows, rows, inner))
    batch = np.broadcast_shapes(left[:-2], right[:-2])
    result = (*batch, left[-2], right[-1])
    found = None
    if a.rows is not None:
        found = _through_zeros(a.rows, b.value, left, right, result, False)
        if found is None:
            found = _along(a.rows, left, result, len(left) - 1, (*left[:-1], 1))
    if b.rows is not None:
        other = _through_zeros(b.rows, a.value, right, left, result, True)
        if other is None:
            other = _along(b.rows, right, result, len(right) - 2, (*right[:-2], 1, right[-1]))
        found = domain.union(found, other)
    return found


def _along(rows: Rows, shape: tuple[int, ...], result: tuple[int, ...], axis: int, short: tuple[int, ...]) -> Rows:
    """The unions along an axis, for each element of a result that they broadcast to."""
    count = math.prod(short)
    union = patterns.united(rows, _without(shape, (axis,)), count)
    return union[np.broadcast_to(np.arange(count).reshape(short), result).ravel()]


def _through_zeros(
    rows: Rows,
    other: np.ndarray | None,
    shape: tuple[int, ...],
    others: tuple[int, ...],
    result: tuple[int, ...],
    right: bool,
) -> Rows | None:
    """The sets of a matrix that is multiplied by a known one, from the left where it stands `right`; None where that is long."""
    if other is None or len(shape) != 2 or len(others) != 2:
        return None
    first, second = np.nonzero(other.reshape(others))
    lanes = shape[1] if right else shape[0]
    if len(first) * lanes > MOST_LINKS or 2 * len(first) > math.prod(others):
        return None
    lane = np.arange(lanes)[:, None]
    if right:
        made, source = first * lanes + lane, second * lanes + lane
    else:
        made, source = lane * others[1] + second, lane * others[0] + first
    return patterns.links(made.ravel(), source.ravel(), (math.prod(result), math.prod(shape))) @ rows


@links("convolve")
def _convolve(domain: Dependences, call: Call) -> Rows | None:
    a, b = call.operands
    (first,), (second,) = call.shape(0), call.shape(1)
    domain.meet(_all(a.rows), _all(b.rows))
    found = None
    for fact, own, other, length in ((a, first, b, second), (b, second, a, first)):
        if fact.rows is None:
            continue
        taps = np.arange(length) if other.value is None else np.flatnonzero(other.value)
        if len(taps) * own > MOST_LINKS:
            return _anything(domain, call)
        made, source = np.arange(own)[:, None] + taps, np.broadcast_to(np.arange(own)[:, None], (own, len(taps)))
        found = domain.union(found, patterns.links(made.ravel(), source.ravel(), (first + second - 1, own)) @ fact.rows)
    return found


def _all(rows: Rows | None) -> Rows | None:
    """The union of all sets, as one row."""
    return None if rows is None else patterns.united(rows, np.zeros(rows.shape[0], int), 1)


SYSTEMS = frozenset("solve lu_solve solve_triangular symmetric_solve tridiagonal_solve triangular_product".split())
"""Ops of a matrix, in all operands but the last, and right sides, in which they are linear."""


def _matrices(domain: Dependences, call: Call) -> Any:
    """Linear algebra: all elements of a matrix of a batch with each other."""
    types = call.type.items if isinstance(call.type, TupleType) else (call.type,)
    rank = max(len(call.shape(k)) for k in range(len(call.operands)))
    batch = (
        call.shape(0)[:-2] if rank > 2 and all(len(call.shape(k)) == rank for k in range(len(call.operands))) else ()
    )
    count = math.prod(batch)
    parts = []
    for position, fact in enumerate(call.operands):
        if fact.rows is not None:
            groups = np.repeat(np.arange(count), math.prod(call.shape(position)) // max(count, 1))
            parts.append(patterns.united(fact.rows, groups, count))
    union: Any = domain.union(*parts)
    domain.meet(union, union)
    results = tuple(
        union[np.repeat(np.arange(count), math.prod(type.shape) // max(count, 1))] if type.dtype.kind in "fc" else None
        for type in types
    )
    return results if isinstance(call.type, TupleType) else results[0]


def _system(domain: Dependences, call: Call) -> Rows | None:
    """Right sides of a known matrix: column by column."""
    *matrix, right = call.operands
    shape = call.shape(len(matrix))
    plain = all(fact.rows is None for fact in matrix) and len(call.shape(0)) <= 2 and len(shape) <= 2
    if not plain or call.params.get("right"):
        return _matrices(domain, call)
    groups = _without(shape, (0,))
    return patterns.united(right.rows, groups, int(groups.max(initial=-1)) + 1)[groups.ravel()]


def _anything(domain: Dependences, call: Call) -> Any:
    if isinstance(call.type, TupleType):
        return tuple(domain.everything(type, call.operands) for type in call.type.items)
    return domain.everything(call.type, call.operands)


def _rule(link: Linking) -> Rule:
    """The sets of a result, and its value, where those of the operands are known."""

    def rule(domain: Dependences, call: Call) -> Any:
        with np.errstate(all="ignore"):
            return made(domain, call)

    def made(domain: Dependences, call: Call) -> Any:
        values = [fact.value for fact in call.operands]
        value: Any = None
        if all(each is not None for each in values):
            value = domain.value(call.node, values, call.bindings)  # type: ignore[arg-type]
        some = any(fact.rows is not None for fact in call.operands)
        if isinstance(call.type, TupleType):
            count = len(call.type.items)
            found: Any = link(domain, call) if some else (None,) * count
            each = value or (None,) * count
            return tuple(
                Dependence(array, rows, type.shape)  # type: ignore[arg-type]
                for array, rows, type in zip(each, found, call.type.items)
            )
        smooth = call.type.dtype.kind in "fc" and not (call.op in STEPS and call.type.dtype.kind == "f")
        return Dependence(value, link(domain, call) if smooth and some else None, call.type.shape)

    return rule


def _link(name: str, kind: str) -> Linking:
    if name in LINKS:
        return LINKS[name]
    if kind == "linalg":
        return _system if name in SYSTEMS else _matrices
    return _elementwise if kind == "elementwise" else _anything


class Sparsity(Dependences):
    """The domain of patterns."""

    rules = {
        name: _rule(_link(name, op.kind)) for name, op in OPS.items() if op.kind not in ("leaf", "region", "tuple")
    }
