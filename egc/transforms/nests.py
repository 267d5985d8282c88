"""Loop nests that factorize a matrix or solve a triangular system, as LAPACK does it.

A nest is recognized by what it computes, in whatever order and form of its loops. That is decided by its first sizes: in a
`uniform` nest all windows and numbers of iterations are sums and differences of lengths and iterations' numbers, and nothing
but windows tells one iteration from another, so that it cannot treat small sizes otherwise than large ones. Where it gives
the factor of every small matrix, it is the recursion for the factor.

The result stands where it is finite; else the nest runs, so that zero pivots and roots of negative numbers give what they
give there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from egc import ir, sizes
from egc.errors import EgcError
from egc.ir import Node, Program, make
from egc.ranges import Ranges
from egc.sizes import Dim, Size
from egc.transforms.closed import everywhere
from egc.transforms.forms import Allowed, Forms, guarded
from egc.transforms.peel import ends_apart
from egc.transforms.promote import is_plain
from egc.transforms.vmap import sliced
from egc.trips import count_size

Evaluate = Callable[[Program, Sequence[Any]], Sequence[Any]]

ARITHMETIC = frozenset("add subtract multiply divide sqrt negative reciprocal matmul sum".split())
MOVES = frozenset("slice update_slice reshape transpose broadcast tril triu item input loop".split())

SIZES = (3, 1, 2, 5)
"""The sizes that decide; the first one sieves."""

NEAR = 2
"""The largest number in a window's or count's position."""

NEARNESS = {8: 1e-9, 4: 1e-4, 2: 1e-2}
"""What two results may differ by that are equal up to rounding, by the bytes of their numbers."""

LAWS = ("cholesky_nest_is_factor", "lu_nest_is_factors", "substitution_is_triangular_solve")


@dataclass(frozen=True)
class Candidate:
    """A value that a state of the nest may have after it. `value` is found where `pivots`, if any, are not zero."""

    law: str
    value: Node
    pivots: Node | None = None


def solved_nest(node: Node, ranges: Ranges, allowed: Allowed, evaluate: Evaluate) -> Forms | None:
    """The results of a loop nest that is a factorization or triangular solution; None for others."""
    if not allowed & set(LAWS) or not is_plain(node):
        return None
    order = order_of(node)
    if order is None or not is_uniform(alike_inside(node, ranges)):
        return None
    states = [k for k in range(node.params["states"]) if _is_matrix(node.inputs[1 + k], (1, 2))]
    found = Forms([None] * node.params["states"])
    for k in states:
        value = _solved(node, k, order, allowed, found, evaluate)
        if value is not None:
            found.results[k] = value
            found.rounded = True
    return found if found.laws else None


def _solved(node: Node, k: int, order: Size, allowed: Allowed, found: Forms, evaluate: Evaluate) -> Node | None:
    """A state after the nest. Where it is a factorization of square arrays alone, it is that where lengths are equal."""
    candidates = list(_candidates(node, k, order))
    numbers = [place for place, each in enumerate(candidates) if each.law in allowed]
    square = _holding(node, k, order, candidates, numbers, 0, evaluate)
    whole = _holding(node, k, order, candidates, square, 1, evaluate)
    if whole:
        found.laws.add(candidates[whole[0]].law)
        return _guarded(node, k, candidates[whole[0]], ())
    if not square:
        return None
    lengths = dict.fromkeys(dim for each in node.inputs[1:] if each.type.rank == 2 for dim in each.type.shape)
    others = [dim for dim in lengths if dim != order]
    least: Dim = order
    for dim in others:
        least = sizes.minimum(least, dim)
    held = list(_candidates(node, k, least))[square[0]]
    found.laws.add(held.law)
    return _guarded(node, k, held, [make("equal", ir.size(order), ir.size(dim)) for dim in others])


def order_of(node: Node) -> Size | None:
    """The length that the number of iterations is, or is one less than; None where it is neither."""
    count = count_size(node.inputs[0])
    if not isinstance(count, Size):
        return None
    axes = {dim for each in node.inputs for dim in ir.dims_of(each.type)}
    orders = (dim for dim in (count, count + 1) if isinstance(dim, Size) and str(dim).isidentifier())
    return next((dim for dim in orders if dim in axes), None)


def _is_matrix(node: Node, ranks: Sequence[int] = (2,)) -> bool:
    return node.type.rank in ranks and node.type.dtype.kind == "f"


def alike_inside(node: Node, ranges: Ranges) -> Node:
    """The nest with ends of its inner loops apart, as the diagonal's, where a comparison tells these from the others."""
    inner = ranges.inside(node)
    return ir.with_regions(node, lambda region: ends_apart(region, inner))


def is_uniform(node: Node, more: frozenset[str] = frozenset()) -> bool:
    """Whether nothing but the position of windows tells one iteration, or size, of a loop nest from another; or `more` ops do,
    which look at elements and at iterations' numbers."""
    return all(_is_plain_size(dim) for dim in ir.dims_of(node.type)) and all(
        _is_uniform(region, more) for _, region in ir.regions(node)
    )


def _is_uniform(region: Program, more: frozenset[str]) -> bool:
    for node in region.nodes():
        if node.op == "loop":
            if not is_plain(node) or not is_uniform(node, more) or not _is_count(node.inputs[0]):
                return False
        elif node.op == "cond":
            if "cond" not in more or not is_uniform(node, more):
                return False
        elif node.op == "constant":
            if not ir.is_constant(node, 0) and not _is_numerator(node, region):
                return False
        elif node.op == "size":
            if not _is_plain_size(node.params["value"]):
                return False
            used = any(node in each.inputs and each.op != "loop" for each in region.nodes()) or node in region.outputs
            if used and "size" not in more:
                return False
        elif node.op not in ARITHMETIC and node.op not in MOVES and node.op not in more:
            return False
        dims = list(ir.dims_of(node.type)) + [
            dim for name in ("start", "size", "shape") for dim in (node.params.get(name) or ())
        ]
        if not all(map(_is_plain_size, dims)) or any(abs(step) != 1 for step in node.params.get("step", ())):
            return False
    return True


def _is_count(node: Node) -> bool:
    size = count_size(node)
    return isinstance(size, Size) and _is_plain_size(size)


def _is_numerator(node: Node, region: Program) -> bool:
    users = [each for each in region.nodes() if node in each.inputs]
    return ir.is_constant(node, 1) and all(each.op == "divide" and each.inputs[1] is not node for each in users)


def _is_plain_size(dim: Dim) -> bool:
    """Whether a size is a sum of symbols, each once, and a small number."""
    if isinstance(dim, int):
        return abs(dim) <= NEAR
    for monomial, factor in dim.terms:
        if not monomial and abs(factor) > NEAR:
            return False
        if monomial and (abs(factor) != 1 or len(monomial) > 1 or monomial[0][1] != 1):
            return False
    return all(isinstance(atom, str) for monomial, _ in dim.terms for atom, _ in monomial)


def leading(x: Node, shape: Sequence[Dim]) -> Node | None:
    """The first elements of an array along each axis."""
    if any(isinstance(length - dim, int) and length - dim < 0 for length, dim in zip(x.type.shape, shape)):
        return None
    if x.op == "constant":
        return ir.constant(x.params["value"], x.type.dtype, tuple(shape))
    return sliced(x, [0] * x.type.rank, shape, [1] * x.type.rank)


def _turned(x: Node) -> Node:
    return make("transpose", x, axes=(1, 0))


def _candidates(node: Node, k: int, order: Dim) -> Iterator[Candidate]:
    first = node.inputs[1 + k]
    given = [each for each in dict.fromkeys(node.inputs[1:]) if each.op != "constant"]
    matrices = [
        block
        for each in given
        if _is_matrix(each) and each.type.dtype == first.type.dtype
        if (block := leading(each, (order, order))) is not None
    ]
    if first.type.rank == 2 and (block := leading(first, (order, order))) is not None:
        for found in _factors(matrices, block):
            yield replace(found, value=put(first, found.value))
    rest = first.type.shape[1:]
    for matrix in matrices:
        for each in given:
            right = leading(each, (order, *rest)) if each.type.rank == first.type.rank else None
            if right is None or right is matrix or each.type.dtype != first.type.dtype or each.type.shape[1:] != rest:
                continue
            for lower in (True, False):
                for transposed in (False, True):
                    for unit in (False, True):
                        value = make(
                            "solve_triangular", matrix, right, lower=lower, transposed=transposed, unit_diagonal=unit
                        )
                        pivots = None if unit else make("diagonal", matrix, offset=0, size=order)
                        yield Candidate(LAWS[2], put(first, value), pivots)


def _factors(matrices: Sequence[Node], before: Node) -> Iterator[Candidate]:
    """What is left in a square block where a factorization of another one, or of itself, writes."""
    for matrix in matrices:
        for square, back in ((matrix, None), (_turned(matrix), _turned)):
            root = make("cholesky_or_nan", square)
            yield Candidate(LAWS[0], triangles(root, before, 1))
            yield Candidate(LAWS[0], triangles(_turned(root), before, -1))
            factors = make("lu_factors", square)
            factors = factors if back is None else back(factors)
            yield Candidate(LAWS[1], factors)
            for offset in (0, -1):
                lower = make("tril", factors, offset=offset)
                yield Candidate(LAWS[1], triangles(lower, before, 1 + offset))
            for offset in (0, 1):
                upper = make("triu", factors, offset=offset)
                yield Candidate(LAWS[1], triangles(upper, before, offset - 1))


def triangles(part: Node, before: Node, offset: int) -> Node:
    """A triangle with what was before beyond it: above, from diagonal `offset` > -1 on, else below."""
    if ir.is_constant(before, 0):
        return part
    rest = make("triu" if offset >= 0 else "tril", before, offset=offset)
    return make("add", part, rest)


def put(x: Node, block: Node) -> Node:
    """An array with other elements in its first places."""
    if x.type == block.type:
        return block
    return make("update_slice", x, block, start=(0,) * x.type.rank, step=(1,) * x.type.rank)


def _holding(
    node: Node,
    k: int,
    order: Size,
    candidates: Sequence[Candidate],
    numbers: Sequence[int],
    more: int,
    evaluate: Evaluate,
) -> list[int]:
    """The numbers of the candidates that the state equals at all sizes that decide; lengths other than the order are
    `more` than it."""
    leaves = {each: ir.input(f"_v{place}", each.type) for place, each in enumerate(leaves_of(node))}
    new: dict[Node, Node] = dict(leaves)
    loop = make("item", node, index=k)
    for each in ir.topological([loop, *(candidates[place].value for place in numbers)]):
        if each not in new:
            new[each] = ir.rebuild(each, [new[child] for child in each.inputs])
    held = list(numbers)
    for n in SIZES if numbers else ():
        program = Program(tuple(leaves.values()), (new[loop], *(new[candidates[place].value] for place in held)))
        arguments = [_sample(each, order, n, more, place) for place, each in enumerate(program.inputs)]
        try:
            with np.errstate(all="ignore"):
                expected, *values = evaluate(program, arguments)
        except (EgcError, ValueError, IndexError, KeyError):
            return []
        near = NEARNESS[expected.dtype.itemsize]
        held = [place for place, value in zip(held, values) if np.allclose(value, expected, rtol=near, atol=near)]
        if not held:
            return []
    return held


def leaves_of(node: Node) -> list[Node]:
    """What a loop is given that is no constant or size: its values are free."""
    return [each for each in dict.fromkeys(node.inputs[1:]) if each.op not in ("constant", "size")]


def _sample(node: Node, order: Size, n: int, more: int, seed: int) -> np.ndarray:
    """Random elements whose leading minors are far from zero; lengths that are not the order's are `more`."""
    name = str(order)
    shape = [
        sizes.evaluate(dim, {symbol: n if symbol == name else n + more for symbol in sizes.symbols(dim)})
        for dim in node.type.shape
    ]
    values = np.random.default_rng([n, more, seed]).uniform(-1.0, 1.0, shape)
    if len(shape) == 2:
        values += (n + 2) * np.eye(*shape)
    return values.astype(node.type.dtype)


def _guarded(node: Node, k: int, held: Candidate, conditions: Sequence[Node]) -> Node:
    value = held.value
    if held.pivots is not None:
        ok = everywhere(make("not_equal", held.pivots, ir.constant(0, value.type.dtype, held.pivots.type.shape)))
        value = _where_sound(ok, value)
    ok = everywhere(make("isfinite", value))
    for each in conditions:
        ok = make("logical_and", ok, each)
    return guarded(ok, [value], [make("item", node, index=k, line=node.line)])[0]


def _where_sound(ok: Node, value: Node) -> Node:
    """A value that may raise, where it does not; nan elsewhere."""
    solve = next(each for each in ir.topological([value]) if each.op == "solve_triangular")
    inner = {each: ir.input(f"_t{place}", each.type) for place, each in enumerate(dict.fromkeys(solve.inputs))}
    inputs = tuple(inner.values())
    then = Program(inputs, (ir.rebuild(solve, [inner[each] for each in solve.inputs]),), "then")
    rest = ir.constant(np.nan, solve.type.dtype, solve.type.shape)
    (found,) = ir.cond(ok, then, Program(inputs, (rest,), "otherwise"), list(inner))
    new: dict[Node, Node] = {solve: found}
    for each in ir.topological([value]):
        if each not in new:
            new[each] = ir.rebuild(each, [new[child] for child in each.inputs])
    return new[value]
