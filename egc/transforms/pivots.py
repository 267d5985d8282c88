"""Loop nests that factorize a matrix with exchanges of rows, as LAPACK's getrf does it.

As in `nests`, what a nest computes is decided by its first sizes, on matrices of random elements; comparisons may choose the row
of the largest element here, and rows be read and written where such an index says. Two ways to compute the factors agree on the
exchanges where no two candidates for a pivot are near each other: that is seen in L, whose elements are the others' quotients by
the chosen one. Where two are near each other, also since both are rounding's or zero, or something is not finite, the nest runs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from egc import ir, sizes
from egc.errors import EgcError
from egc.ir import Node, Program, make
from egc.ops import INT64
from egc.ranges import Ranges
from egc.sizes import Dim, Size, symbol
from egc.transforms.closed import everywhere
from egc.transforms.forms import Allowed, Forms, guarded
from egc.transforms.nests import SIZES, Evaluate, alike_inside, is_uniform, leading, leaves_of, order_of, put, triangles
from egc.transforms.promote import is_plain

LAW = "pivoted_lu_nest_is_factors"

CHOOSING = frozenset(
    """greater greater_equal less less_equal equal not_equal where absolute cond gather scatter argmax size concatenate
       logical_and logical_not""".split()
)
"""What finds the row of a pivot, and exchanges rows."""

APART = 1e-14
"""The part of the factors' norm by which a pivot is larger than other candidates where rounding does not decide between them. What
rounding changes is some units in the last place of the largest element."""

SAMPLES = 2
"""Matrices of each size that are tried."""


def pivoted_nest(node: Node, ranges: Ranges, allowed: Allowed, evaluate: Evaluate) -> Forms | None:
    """The results of a loop nest that is a factorization with exchanges of rows; None for others."""
    if LAW not in allowed or not is_plain(node):
        return None
    order = order_of(node)
    if order is None or not any(each.op in ("gather", "argmax") for each in _inside(node)):
        return None
    if not is_uniform(alike_inside(node, ranges), CHOOSING):
        return None
    squares = [each for each in dict.fromkeys(node.inputs[1:]) if each.type.rank == 2 and each.type.dtype == np.float64]
    for matrix in squares:
        found = _factors(node, matrix, order, evaluate)
        if found is not None:
            return found
    return None


def _inside(node: Node) -> Iterator[Node]:
    for _, region in ir.regions(node):
        for each in region.nodes():
            yield each
            yield from _inside(each)


def _factors(node: Node, matrix: Node, order: Size, evaluate: Evaluate) -> Forms | None:
    """The results where the matrix is the one that is factorized; of one that is not square, the nest."""
    number = node.params["states"]
    tried = [_candidates(node.inputs[1 + k], matrix, order) for k in range(number)]
    places = _holding(node, order, tried, evaluate)
    if not any(place is not None for place in places):
        return None
    lengths = dict.fromkeys(dim for each in node.inputs[1:] if each.type.rank == 2 for dim in each.type.shape)
    least: Dim = order
    for dim in lengths:
        least = sizes.minimum(least, dim)
    held = [k for k in range(number) if places[k] is not None]
    values = [_candidates(node.inputs[1 + k], matrix, least)[places[k] or 0] for k in held]
    pair = _lu(matrix, least)
    ok = _is_sure(pair[0], least) if pair is not None else None
    if ok is None:
        return None
    for dim in lengths:
        if dim != order:
            ok = make("logical_and", ok, make("equal", ir.size(order), ir.size(dim)))
    made = guarded(ok, values, [make("item", node, index=k, line=node.line) for k in held])
    found = Forms([None] * number, {LAW}, True)
    for k, value in zip(held, made):
        found.results[k] = value
    return found


def _lu(matrix: Node, order: Dim) -> tuple[Node, Node] | None:
    block = leading(matrix, (order, order))
    if block is None:
        return None
    pair = make("lu", block)
    return make("item", pair, index=0), make("item", pair, index=1)


def _candidates(before: Node, matrix: Node, order: Dim) -> list[Node]:
    """What a state may be after the nest: factors, parts of them, or itself with rows exchanged."""
    pair = _lu(matrix, order)
    if pair is None or not before.type.rank:
        return []
    factors, pivots = pair
    found: list[Node] = []
    block = leading(before, (order, order)) if before.type.rank == 2 else None
    if block is not None and before.type.dtype == matrix.type.dtype:
        parts = [
            factors,
            triangles(make("tril", factors, offset=-1), block, 0),
            triangles(make("triu", factors, offset=0), block, -1),
            make("triu", factors, offset=0),
        ]
        found.extend(put(before, part) for part in parts)
    found.append(_exchanged(before, pivots, order))
    return found


def _exchanged(x: Node, pivots: Node, order: Dim) -> Node:
    """An array with row k exchanged with row pivots[k], one after the other."""
    name = "_x"
    counter, state, places = (
        ir.input(name, ir.ArrayType(INT64, ())),
        ir.input("_x0", x.type),
        ir.input("_x1", pivots.type),
    )
    rest = x.type.shape[1:]
    start = (symbol(name), *[0] * len(rest))
    step = (1,) * x.type.rank
    row = make("slice", state, start=start, size=(1, *rest), step=step)
    place = make("cast", make("gather", places, counter, axes=(0,), mode="raise"), dtype=INT64)
    other = make("gather", state, place, axes=(0,), mode="raise")
    first = make("update_slice", state, make("reshape", other, shape=(1, *rest)), start=start, step=step)
    after = make("scatter", first, make("reshape", row, shape=rest), place, axes=(0,), combine="set")
    body = Program((counter, state, places), (after,), "update", frozenset([name]))
    return ir.loop(body, [x], [pivots], ir.size(order))[0]


def _is_sure(factors: Node, order: Dim) -> Node:
    """Whether factors are finite, and each pivot is so much larger than the other candidates that rounding chose none of them: by
    what it may change an element of the matrix by."""
    dtype, shape = factors.type.dtype, factors.type.shape
    pivots = make("absolute", make("diagonal", factors, offset=0, size=order))
    columns = make("broadcast", pivots, shape=shape, axes=(1,))
    others = make("multiply", make("absolute", make("tril", factors, offset=-1)), columns)
    size = make("sqrt", make("sum", make("multiply", factors, factors), axes=(0, 1)))
    rounding = make("multiply", ir.constant(APART, dtype), size)
    apart = make("greater", make("subtract", columns, others), make("broadcast", rounding, shape=shape, axes=()))
    return make("logical_and", everywhere(make("isfinite", factors)), everywhere(apart))


def _holding(node: Node, order: Size, tried: Sequence[Sequence[Node]], evaluate: Evaluate) -> list[int | None]:
    """For each state the number of the first candidate that equals it at all sizes that decide, where lengths are equal."""
    leaves = {each: ir.input(f"_v{place}", each.type) for place, each in enumerate(leaves_of(node))}
    items = [make("item", node, index=k) for k in range(len(tried))]
    new: dict[Node, Node] = dict(leaves)
    for each in ir.topological([*items, *(value for values in tried for value in values)]):
        if each not in new:
            new[each] = ir.rebuild(each, [new[child] for child in each.inputs])
    held = [list(range(len(values))) for values in tried]
    for n, seed in ((n, seed) for n in SIZES for seed in range(SAMPLES)):
        outputs = [new[item] for item in items] + [new[tried[k][p]] for k in range(len(tried)) for p in held[k]]
        program = Program(tuple(leaves.values()), tuple(outputs))
        arguments = [_sample(each, order, n, [seed, place]) for place, each in enumerate(program.inputs)]
        try:
            with np.errstate(all="ignore"):
                expected, rest = (found := evaluate(program, arguments))[: len(items)], list(found[len(items) :])
        except (EgcError, ValueError, IndexError, KeyError):
            return [None] * len(tried)
        for k, places in enumerate(held):
            values = [rest.pop(0) for _ in places]
            held[k] = [p for p, value in zip(places, values) if np.allclose(value, expected[k], rtol=1e-9, atol=1e-9)]
        if not any(held):
            break
    return [places[0] if places else None for places in held]


def _sample(node: Node, order: Size, n: int, seed: Sequence[int]) -> np.ndarray:
    """Random elements, all of them different: any row may have the pivot."""
    shape = [sizes.evaluate(dim, dict.fromkeys(sizes.symbols(dim), n)) for dim in node.type.shape]
    random = np.random.default_rng([n, *seed])
    if node.type.dtype.kind in "iu":
        return random.permutation(int(np.prod(shape))).reshape(shape).astype(node.type.dtype)
    return random.uniform(-1.0, 1.0, shape).astype(node.type.dtype)
