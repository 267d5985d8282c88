"""Random well-formed Programs with arguments, for tests of laws that hold of every Program."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from egc import ir, ops, sizes
from egc.errors import EgcError
from egc.ir import Node, Program
from egc.types import ArrayType, Shape, broadcast_shapes, dtype, parse_type

N, M = sizes.symbol("n"), sizes.symbol("m")
TYPES = ("f64[n]", "f64[n, m]", "f64[m, n]", "f64", "f32[n, m]", "f32[m]", "i64[n]", "i32[n, m]", "bool[n]", "c128[m]")
CONSTANTS = (0.0, -0.0, 1.0, 2.0, 0.5, -1.5, 3.0, 0.1, -1.0, 1e-3)
BOUNDED_UNARY = "negative absolute sin cos tanh arctan floor sign rint isfinite isnan logical_not expm1 exp2".split()
UNARY = [*BOUNDED_UNARY, *"exp log sqrt log1p reciprocal cbrt invert conjugate erf gammaln expit".split()]
BINARY = """add subtract multiply divide maximum minimum less greater_equal equal logical_and logical_or hypot arctan2
            bitwise_and bitwise_xor power logaddexp remainder floor_divide copysign xlogy""".split()

Draw = np.random.Generator


def random_program(seed: int, length: int) -> tuple[Program, list[np.ndarray]]:
    """A Program made by up to `length` random steps, and arguments for it; the same ones for a seed."""
    rng = np.random.default_rng(seed)
    inputs = [ir.input(f"x{k}", parse_type(str(t))) for k, t in enumerate(rng.choice(TYPES, rng.integers(1, 4)))]
    inputs.append(ir.input("grid", parse_type("f64[n, m]")))
    pool = list(inputs)
    for _ in range(length):
        step = STEPS[rng.integers(len(STEPS))]
        try:
            pool.append(step(rng, pool))
        except (EgcError, LookupError):
            continue
    chosen = [pool[-1 - k] for k in range(int(rng.integers(1, 3)))]
    used = [node for node in inputs if node in set(ir.topological(chosen)) or node.params["name"] == "grid"]
    lengths = {"n": int(rng.integers(1, 6)), "m": int(rng.integers(2, 5))}
    return Program(tuple(used), tuple(chosen), "random"), [_argument(rng, node.type, lengths) for node in used]


def _argument(rng: Draw, type: ArrayType, lengths: dict[str, int]) -> np.ndarray:
    shape = [sizes.evaluate(dim, lengths) for dim in type.shape]
    if type.dtype.kind in "bi":
        return np.asarray(rng.integers(0, 5, shape)).astype(type.dtype)
    values = rng.normal(size=shape) + (1j * rng.normal(size=shape) if type.dtype.kind == "c" else 0)
    return np.asarray(values).astype(type.dtype)


def _pick(rng: Draw, pool: list[Node], accept: Callable[[Node], bool] = lambda node: True) -> Node:
    found = [node for node in pool if accept(node)]
    return found[len(found) - 1 - min(int(rng.exponential(3.0)), len(found) - 1)] if found else pool[len(pool)]


def cast(node: Node, to: np.dtype) -> Node:
    return node if node.type.dtype == to else ir.make("cast", node, dtype=to)


def broadcast(node: Node, shape: Shape) -> Node:
    if node.type.shape == shape:
        return node
    keep = [axis for axis, dim in enumerate(node.type.shape, len(shape) - node.type.rank) if dim == shape[axis]]
    kept = tuple(shape[axis] for axis in keep)
    squeezed = node if node.type.shape == kept else ir.make("reshape", node, shape=kept)
    return squeezed if kept == shape else ir.make("broadcast", squeezed, shape=shape, axes=tuple(keep))


def ufunc(name: str, *operands: Node) -> Node:
    """The op on operands that are cast and broadcast as NumPy does."""
    dtypes = [node.type.dtype for node in operands]
    if name in ops.UFUNCS[len(operands)]:
        loop = ops.ufunc_loop(name, tuple(dtypes))[: len(operands)]
    else:
        loop = (np.result_type(*dtypes, np.float32),) * len(operands)
    if any(found not in ops_dtypes for found in loop):
        raise LookupError(name)
    shape = broadcast_shapes(*(node.type.shape for node in operands))
    return ir.make(name, *(broadcast(cast(node, to), shape) for node, to in zip(operands, loop)))


ops_dtypes = frozenset(map(dtype, ("bool", "i32", "i64", "f32", "f64", "c64", "c128", "u8", "u64")))


def _unary(rng: Draw, pool: list[Node]) -> Node:
    return ufunc(str(rng.choice(UNARY)), _pick(rng, pool))


def _binary(rng: Draw, pool: list[Node]) -> Node:
    return ufunc(str(rng.choice(BINARY)), _pick(rng, pool), _pick(rng, pool))


def _with_constant(rng: Draw, pool: list[Node]) -> Node:
    x = _pick(rng, pool, lambda node: node.type.dtype.kind != "b")
    value: Any = float(rng.choice(CONSTANTS))
    value = value if x.type.dtype.kind in "fc" else int(rng.integers(1, 4))
    operands = [x, ir.constant(value, x.type.dtype, x.type.shape)]
    name = str(rng.choice(["add", "subtract", "multiply", "divide", "maximum", "power", "less"]))
    return ufunc(name, *(operands if rng.random() < 0.5 or name == "power" else reversed(operands)))


def _outer(rng: Draw, pool: list[Node]) -> Node:
    """Two vectors along the two axes of a matrix."""
    a, b = (_pick(rng, pool, lambda node: node.type.rank == 1) for _ in range(2))
    shape = (*a.type.shape, *b.type.shape)
    column = ir.make("broadcast", a, shape=shape, axes=(0,))
    return ufunc(str(rng.choice(["subtract", "multiply", "maximum"])), column, b)


def _square(rng: Draw, pool: list[Node]) -> Node:
    x = _pick(rng, pool)
    return ir.make("multiply", x, x)


def _where(rng: Draw, pool: list[Node]) -> Node:
    condition = _pick(rng, pool, lambda node: node.type.dtype.kind == "b")
    a, b = _pick(rng, pool), _pick(rng, pool)
    to = np.result_type(a.type.dtype, b.type.dtype)
    shape = broadcast_shapes(condition.type.shape, a.type.shape, b.type.shape)
    return ir.make("where", *(broadcast(node, shape) for node in (condition, cast(a, to), cast(b, to))))


def _cast(rng: Draw, pool: list[Node]) -> Node:
    x = _pick(rng, pool)
    wider = [d for d in sorted(ops_dtypes, key=str) if np.can_cast(x.type.dtype, d) and d != x.type.dtype]
    return cast(x, wider[rng.integers(len(wider))]) if wider else x


def _size(rng: Draw, pool: list[Node]) -> Node:
    return ufunc("divide", _pick(rng, pool), ir.size((N, M, N * M - 1)[rng.integers(3)]))


def _reduce(rng: Draw, pool: list[Node]) -> Node:
    x = _pick(rng, pool, lambda node: node.type.rank > 0)
    axes = tuple(range(x.type.rank)) if rng.random() < 0.5 else (int(rng.integers(x.type.rank)),)
    name = str(rng.choice(["sum", "sum", "prod", "max", "min", "any", "all"]))
    return ir.make(name, cast(x, np.dtype(bool)) if name in ("any", "all") else x, axes=axes)


def _along(rng: Draw, pool: list[Node]) -> Node:
    x = _pick(rng, pool, lambda node: node.type.rank > 0)
    name = str(rng.choice(["cumsum", "cummax", "argmax", "sort"]))
    return ir.make(name, x, axis=int(rng.integers(x.type.rank)))


def _transpose(rng: Draw, pool: list[Node]) -> Node:
    x = _pick(rng, pool, lambda node: node.type.rank > 1)
    return ir.make("transpose", x, axes=tuple(map(int, rng.permutation(x.type.rank))))


def _reshape(rng: Draw, pool: list[Node]) -> Node:
    x = _pick(rng, pool)
    if rng.random() < 0.5:
        return ir.make("reshape", x, shape=(x.type.size,))
    place = int(rng.integers(x.type.rank + 1))
    return ir.make("reshape", x, shape=(*x.type.shape[:place], 1, *x.type.shape[place:]))


def _slice(rng: Draw, pool: list[Node]) -> Node:
    """Without the first or the last element, reversed, or one element, along an axis of at least one element."""
    x = _pick(rng, pool, lambda node: any(dim in (N, M) for dim in node.type.shape))
    axis = [k for k, dim in enumerate(x.type.shape) if dim in (N, M)][0]
    length = x.type.shape[axis]
    choices = [(1, length - 1, 1), (0, length - 1, 1), (length - 1, length, -1), (length - 1, 1, 1), (0, 1, 1)]
    start, size, step = choices[rng.integers(len(choices))]
    zeros, ones = [0] * x.type.rank, [1] * x.type.rank
    zeros[axis], ones[axis] = start, step
    shape = (*x.type.shape[:axis], size, *x.type.shape[axis + 1 :])
    found = ir.make("slice", x, start=tuple(zeros), size=shape, step=tuple(ones))
    dropped = (*x.type.shape[:axis], *x.type.shape[axis + 1 :])
    return ir.make("reshape", found, shape=dropped) if size == 1 and rng.random() < 0.7 else found


def _update(rng: Draw, pool: list[Node]) -> Node:
    x = _pick(rng, pool, lambda node: node.type.rank == 1 and node.type.shape[0] in (N, M))
    length = x.type.shape[0]
    part = ir.make("slice", x, start=(1,), size=(length - 1,), step=(1,))
    base = x if rng.random() < 0.5 else ir.constant(0, x.type.dtype, x.type.shape)
    return ir.make("update_slice", base, part, start=(0,), step=(1,))


def _gather(rng: Draw, pool: list[Node]) -> Node:
    x = _pick(rng, pool, lambda node: node.type.rank > 0)
    axis = int(rng.integers(x.type.rank))
    index = ir.make("argsort", _pick(rng, pool, lambda node: node.type.rank == 1), axis=0, kind="stable")
    picked = ir.make("gather", x, index, axes=(axis,), mode="clip" if rng.random() < 0.3 else "wrap")
    return (
        picked if x.type.shape[axis] != index.type.shape[0] else ir.make("gather", x, index, axes=(axis,), mode="raise")
    )


def _scatter(rng: Draw, pool: list[Node]) -> Node:
    x = _pick(rng, pool, lambda node: node.type.rank == 1)
    index = ir.make("argsort", x, axis=0, kind="stable")
    return ir.make("scatter", x, x, index, axes=(0,), combine=str(rng.choice(["set", "add", "maximum"])))


def _join(rng: Draw, pool: list[Node]) -> Node:
    x = _pick(rng, pool, lambda node: node.type.rank > 0)
    y = _pick(rng, pool, lambda node: node.type == x.type)
    return ir.make("concatenate", x, y, axis=int(rng.integers(x.type.rank)))


def _pad(rng: Draw, pool: list[Node]) -> Node:
    x = _pick(rng, pool, lambda node: node.type.rank == 1)
    return ir.make("pad", x, ir.constant(int(rng.integers(2)), x.type.dtype), low=(1,), high=(int(rng.integers(3)),))


def _matmul(rng: Draw, pool: list[Node]) -> Node:
    a = _pick(rng, pool, lambda node: node.type.rank in (1, 2) and node.type.dtype.kind in "fc")
    b = _pick(rng, pool, lambda node: node.type.rank in (1, 2) and node.type.dtype == a.type.dtype)
    return ir.make("matmul", a, b)


def _indices(rng: Draw, pool: list[Node]) -> Node:
    return ir.make("iota", shape=(N, M), axis=int(rng.integers(2)))


STEPS: list[Callable[[Draw, list[Node]], Node]] = [
    _unary, _unary, _binary, _binary, _binary, _with_constant, _with_constant, _with_constant, _outer, _square, _where,
    _cast, _size, _reduce, _reduce, _reduce, _along, _transpose, _reshape, _slice, _slice, _update, _gather, _scatter,
    _join, _pad, _matmul, _matmul, _indices,
]  # fmt: skip
