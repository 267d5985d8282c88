"""Derivatives of ops on whole arrays: tangents forward where they differ from the op itself, cotangents backward where the op
is linear."""

from __future__ import annotations

from collections.abc import Callable

from egc import ir, sizes
from egc.ir import Node, Program, make
from egc.ops import INT64
from egc.rows import row_of, with_row
from egc.sizes import Dim
from egc.transforms.derivatives.notation import broadcast, kept, negated, plus, total, turned, zeros
from egc.transforms.derivatives.tables import Tangents, backward, forward
from egc.types import ArrayType

LINEAR = frozenset(
    "sum cumsum broadcast reshape transpose slice diagonal diagonal_matrix tril triu real imag conjugate cast".split()
)
"""Ops of one operand whose tangent is the op applied to the operand's."""

BILINEAR = frozenset(["matmul", "convolve"])

WRITES = ("set", "add", "subtract")
"""What `scatter` does with values in which it is linear."""


def _or_zeros(tangent: Node | None, node: Node) -> Node:
    return zeros(node.type) if tangent is None else tangent


@forward(*LINEAR)
def _linear(node: Node, tangents: Tangents) -> Node | None:
    return make(node.op, tangents[0], **node.params) if tangents[0] is not None else None


@forward("assume")
def _assume(node: Node, tangents: Tangents) -> Node | None:
    """What is assumed of a value need not hold of its tangent."""
    return tangents[0]


@forward(*BILINEAR)
def _bilinear(node: Node, tangents: Tangents) -> Node | None:
    (a, b), (da, db) = node.inputs, tangents
    first = make(node.op, da, b, **node.params) if da is not None else None
    return plus(first, make(node.op, a, db, **node.params) if db is not None else None)


@forward("update_slice", "pad", "concatenate")
def _all_operands(node: Node, tangents: Tangents) -> Node | None:
    return make(node.op, *map(_or_zeros, tangents, node.inputs), **node.params)


@forward("gather")
def _gather(node: Node, tangents: Tangents) -> Node | None:
    return None if tangents[0] is None else make("gather", tangents[0], *node.inputs[1:], **node.params)


@forward("scatter")
def _scatter(node: Node, tangents: Tangents) -> Node | None:
    x, value, *indices = node.inputs
    combine = node.params["combine"]
    if combine in WRITES:
        return make("scatter", *map(_or_zeros, tangents[:2], (x, value)), *indices, **node.params)
    return None


@forward("max", "min")
def _extreme(node: Node, tangents: Tangents) -> Node | None:
    """Equal extremes share: each has its part of the tangent, as in JAX."""
    (x,), axes = node.inputs, node.params["axes"]
    mask = make("equal", x, kept(node, x.type, axes))
    ones = make("cast", mask, dtype=x.type.dtype)
    return make("divide", total(make("multiply", tangents[0], ones), axes), total(ones, axes))


@forward("prod")
def _prod(node: Node, tangents: Tangents) -> Node | None:
    """Each factor's tangent times the product of the others, zeros among them or not."""
    (x,), axes = node.inputs, node.params["axes"]
    rank = x.type.rank
    others = [axis for axis in range(rank) if axis not in axes]
    order = (*axes, *others)
    shape = (sizes.product(tuple(x.type.shape[axis] for axis in axes)), *(x.type.shape[axis] for axis in others))

    def flat(value: Node) -> Node:
        return make("reshape", make("transpose", value, axes=order), shape=shape)

    y = flat(x)
    before = _exclusive(y)
    after = flipped(_exclusive(flipped(y, 0)), 0)
    return total(make("multiply", flat(tangents[0]), make("multiply", before, after)), (0,))


def _exclusive(x: Node) -> Node:
    """The products, along the first axis, of what stands before each element."""
    one = ir.constant(1, x.type.dtype)
    padded = make("pad", x, one, low=(1, *(0 for _ in x.type.shape[1:])), high=(0,) * x.type.rank)
    shorter = make("slice", padded, start=(0,) * x.type.rank, size=x.type.shape, step=(1,) * x.type.rank)
    return make("cumprod", shorter, axis=0)


@forward("cumprod")
def _cumprod(node: Node, tangents: Tangents) -> Node | None:
    """By the recurrence p_k = p_(k-1) x_k, which zeros do not stop."""
    (x,), axis = node.inputs, node.params["axis"]
    order = (axis, *(each for each in range(x.type.rank) if each != axis))
    x, out, t = (make("transpose", each, axes=order) for each in (x, node, tangents[0]))
    count, row = x.type.shape[0], x.type.with_shape(x.type.shape[1:])
    k = ir.input("_k", ArrayType(INT64, ()))
    names = [ir.input(f"_p{i}", type) for i, type in enumerate((row, row, x.type, x.type, x.type))]
    p, dp, result, xs, ts = names
    at = sizes.symbol("_k")
    new, tangent = row_of(xs, at), row_of(ts, at)
    moved = make("add", make("multiply", dp, new), make("multiply", p, tangent))
    update = Program(
        (k, *names[:3], xs, ts), (make("multiply", p, new), moved, with_row(result, moved, at)), "update",
        frozenset(["_k"]),
    )  # fmt: skip
    start = [ir.constant(1, row.dtype, row.shape), zeros(row), zeros(x.type)]
    found = ir.loop(update, start, [x, t], ir.size(count))[2]
    return make("transpose", found, axes=tuple(order.index(each) for each in range(x.type.rank)))


@forward("cummax", "cummin")
def _running_extreme(node: Node, tangents: Tangents) -> Node | None:
    """The tangent of the latest element that equals the extreme so far."""
    (x,), axis = node.inputs, node.params["axis"]
    places = make("iota", shape=x.type.shape, axis=axis)
    none = ir.constant(0, INT64, x.type.shape)
    latest = make("cummax", make("where", make("equal", x, node), places, none), axis=axis)
    return along(tangents[0], latest, axis)


@forward("sort")
def _sort(node: Node, tangents: Tangents) -> Node | None:
    (x,), axis = node.inputs, node.params["axis"]
    return along(tangents[0], make("argsort", x, axis=axis, kind="stable"), axis)


def along(x: Node, index: Node, axis: int) -> Node:
    """The elements of x at an index along one axis, as `np.take_along_axis` takes them."""
    shape = index.type.shape
    indices = [index if k == axis else make("iota", shape=shape, axis=k) for k in range(len(shape))]
    return make("gather", x, *indices, axes=tuple(range(len(shape))), mode="raise")


def flipped(x: Node, axis: int) -> Node:
    """The elements in the opposite order along an axis."""
    shape = x.type.shape
    start = tuple(dim - 1 if k == axis else 0 for k, dim in enumerate(shape))
    step = tuple(-1 if k == axis else 1 for k in range(len(shape)))
    return make("slice", x, start=start, size=shape, step=step)


@backward("sum")
def _sum_back(node: Node, ct: Node, k: int) -> Node:
    return kept(ct, node.inputs[0].type, node.params["axes"])


@backward("cumsum")
def _cumsum_back(node: Node, ct: Node, k: int) -> Node:
    axis = node.params["axis"]
    return flipped(make("cumsum", flipped(ct, axis), axis=axis), axis)


@backward("broadcast")
def _broadcast_back(node: Node, ct: Node, k: int) -> Node:
    return total(ct, [axis for axis in range(node.type.rank) if axis not in node.params["axes"]])


@backward("reshape")
def _reshape_back(node: Node, ct: Node, k: int) -> Node:
    return make("reshape", ct, shape=node.inputs[0].type.shape)


@backward("transpose")
def _transpose_back(node: Node, ct: Node, k: int) -> Node:
    axes = node.params["axes"]
    return make("transpose", ct, axes=tuple(axes.index(axis) for axis in range(len(axes))))


@backward("slice")
def _slice_back(node: Node, ct: Node, k: int) -> Callable[[Node], Node]:
    start, step = node.params["start"], node.params["step"]

    def add(base: Node) -> Node:
        new = ct
        if not ir.is_constant(base, 0):
            new = make("add", make("slice", base, start=start, size=node.type.shape, step=step), ct)
        return make("update_slice", base, new, start=start, step=step)

    return add


@backward("gather")
def _gather_back(node: Node, ct: Node, k: int) -> Callable[[Node], Node]:
    indices, axes, mode = node.inputs[1:], node.params["axes"], node.params["mode"]
    if mode != "raise":
        indices = tuple(_inside(i, node.inputs[0].type.shape[axis], mode) for i, axis in zip(indices, axes))
    return lambda base: make("scatter", base, ct, *indices, axes=axes, combine="add")


def _inside(index: Node, length: Dim, mode: str) -> Node:
    """The places that `clip` and `wrap` take for an index."""
    bound = broadcast(ir.size(length), index.type.shape, ())
    if mode == "wrap":
        return make("remainder", index, bound)
    one, nothing = (ir.constant(value, INT64, index.type.shape) for value in (1, 0))
    return make("minimum", make("maximum", index, nothing), make("subtract", bound, one))


@backward("update_slice")
def _update_slice_back(node: Node, ct: Node, k: int) -> Node:
    value, start, step = node.inputs[1], node.params["start"], node.params["step"]
    if k == 1:
        return make("slice", ct, start=start, size=value.type.shape, step=step)
    return make("update_slice", ct, zeros(value.type), start=start, step=step)


@backward("scatter")
def _scatter_back(node: Node, ct: Node, k: int) -> Node | None:
    _, value, *indices = node.inputs
    axes, combine = node.params["axes"], node.params["combine"]
    if combine not in WRITES:
        return None
    if k == 0:
        return ct if combine != "set" else make("scatter", ct, zeros(value.type), *indices, axes=axes, combine="set")
    read = make("gather", ct, *indices, axes=axes, mode="raise")
    if combine == "subtract":
        return negated(read)
    return read if combine == "add" or not indices[0].type.rank else _of_last(node, read)


def _of_last(node: Node, read: Node) -> Node:
    """Zeros for the values that later ones have replaced at the same place."""
    x, value, *indices = node.inputs
    axes = node.params["axes"]
    shape = indices[0].type.shape
    numbers = make("reshape", make("iota", shape=(sizes.product(shape),), axis=0), shape=shape)
    places = tuple(x.type.shape[axis] for axis in axes)
    writer = make(
        "scatter", ir.constant(-1, INT64, places), numbers, *indices, axes=tuple(range(len(axes))), combine="set"
    )
    last = make("gather", writer, *indices, axes=tuple(range(len(axes))), mode="raise")
    mask = broadcast(make("equal", last, numbers), value.type.shape, range(len(shape)))
    return make("where", mask, read, zeros(value.type))


@backward("diagonal")
def _diagonal_back(node: Node, ct: Node, k: int) -> Callable[[Node], Node]:
    offset, size, rank = node.params["offset"], node.params["size"], node.inputs[0].type.rank
    numbers = make("iota", shape=(size,), axis=0)
    shift = ir.constant(abs(offset), INT64, (size,))
    moved = make("add", numbers, shift)
    indices = (numbers, moved) if offset >= 0 else (moved, numbers)
    value = make("transpose", ct, axes=(rank - 2, *range(rank - 2)))

    def add(base: Node) -> Node:
        whole = make("diagonal_matrix", ct, offset=offset)
        if whole.type == base.type:
            return whole if ir.is_constant(base, 0) else make("add", base, whole)
        return make("scatter", base, value, *indices, axes=(rank - 2, rank - 1), combine="add")

    return add


@backward("diagonal_matrix")
def _diagonal_matrix_back(node: Node, ct: Node, k: int) -> Node:
    return make("diagonal", ct, offset=node.params["offset"], size=node.inputs[0].type.shape[-1])


@backward("tril", "triu")
def _triangle_back(node: Node, ct: Node, k: int) -> Node:
    return make(node.op, ct, **node.params)


@backward("real")
def _real_back(node: Node, ct: Node, k: int) -> Node:
    return make("cast", ct, dtype=node.inputs[0].type.dtype)


@backward("imag")
def _imag_back(node: Node, ct: Node, k: int) -> Node:
    whole = make("cast", ct, dtype=node.inputs[0].type.dtype)
    return make("multiply", whole, ir.constant(-1j, whole.type.dtype, whole.type.shape))


@backward("conjugate")
def _conjugate_back(node: Node, ct: Node, k: int) -> Node:
    return make("conjugate", ct) if ct.type.dtype.kind == "c" else ct


@backward("cast")
def _cast_back(node: Node, ct: Node, k: int) -> Node:
    dtype = node.inputs[0].type.dtype
    if ct.type.dtype.kind == "c" and dtype.kind == "f":
        ct = make("real", ct)
    return ct if ct.type.dtype == dtype else make("cast", ct, dtype=dtype)


@backward("assume")
def _assume_back(node: Node, ct: Node, k: int) -> Node:
    return ct


@backward("pad")
def _pad_back(node: Node, ct: Node, k: int) -> Node:
    x, low = node.inputs[0], node.params["low"]
    inside = make("slice", ct, start=low, size=x.type.shape, step=(1,) * x.type.rank)
    if k == 0:
        return inside
    axes = tuple(range(x.type.rank))
    return make("subtract", total(ct, axes), total(inside, axes))


@backward("concatenate")
def _concatenate_back(node: Node, ct: Node, k: int) -> Node:
    axis, part = node.params["axis"], node.inputs[k]
    before = sum((each.type.shape[axis] for each in node.inputs[:k]), 0)
    start = tuple(before if each == axis else 0 for each in range(part.type.rank))
    return make("slice", ct, start=start, size=part.type.shape, step=(1,) * part.type.rank)


@backward("matmul")
def _matmul_back(node: Node, ct: Node, k: int) -> Node:
    """c = a b: a' = c' b^T and b' = a^T c', summed over what was repeated."""
    a, b = node.inputs
    rows, columns = a.type.rank > 1, b.type.rank > 1
    if max(a.type.rank, b.type.rank) <= 2 and not (rows and columns):
        return _vector_product_back(a, b, ct, k)
    batch = node.type.shape[: node.type.rank - rows - columns]
    shape = (*batch, a.type.shape[-2] if rows else 1, b.type.shape[-1] if columns else 1)
    full = make("reshape", ct, shape=shape)
    if k == 0:
        right = turned(b) if columns else make("reshape", b, shape=(1, b.type.shape[0]))
        return _summed(make("matmul", full, right), a.type)
    left = turned(a) if rows else make("reshape", a, shape=(a.type.shape[0], 1))
    return _summed(make("matmul", left, full), b.type)


def _vector_product_back(a: Node, b: Node, ct: Node, k: int) -> Node:
    """The same where one factor at least is a vector: products with a vector, and outer products."""
    if a.type.rank == b.type.rank:
        other = b if k == 0 else a
        return make("multiply", broadcast(ct, other.type.shape, ()), other)
    if a.type.rank == 2:
        return outer_product(ct, b) if k == 0 else make("matmul", turned(a), ct)
    return make("matmul", b, ct) if k == 0 else outer_product(a, ct)


def outer_product(x: Node, y: Node) -> Node:
    """x_i y_j"""
    shape = (x.type.shape[0], y.type.shape[0])
    return make("multiply", broadcast(x, shape, (0,)), broadcast(y, shape, (1,)))


def _summed(x: Node, type: ArrayType) -> Node:
    """A matrix, or several, as an operand's cotangent: summed over axes that the operand does not have."""
    extra = x.type.rank - max(type.rank, 2)
    if extra > 0:
        x = total(x, tuple(range(extra)))
    return x if x.type.shape == type.shape else make("reshape", x, shape=type.shape)


@backward("convolve")
def _convolve_back(node: Node, ct: Node, k: int) -> Node:
    other, mine = node.inputs[1 - k], node.inputs[k]
    whole = make("convolve", ct, flipped(other, 0))
    return make("slice", whole, start=(other.type.shape[0] - 1,), size=mine.type.shape, step=(1,))
