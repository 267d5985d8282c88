"""Programs of one op over one size, with their arguments: what calibration times."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import log2
from typing import Any

import numpy as np

from egc import ir
from egc.errors import OperandTypeError
from egc.ir import Node, Program
from egc.ops import BOOL, FLOAT64, INT64, OPS
from egc.sizes import Dim, evaluate, symbol
from egc.types import DTYPES, ArrayType, TupleType

N = symbol("n")

CLASSES = {"f64": "f64", "f32": "f32", "i64": "i64", "c128": "c128", "bool": "bool"}
"""The dtypes that are timed, by the mark of their prices."""

DOMAINS: dict[str, tuple[float, float]] = {
    **dict.fromkeys("exp exp2 expm1 sin cos tan sinh cosh tanh arctan arctan2 arcsinh erf erfc expit".split(), (-4, 4)),
    **dict.fromkeys("log_expit ndtr log_ndtr logaddexp logaddexp2 floor ceil trunc rint hypot".split(), (-4, 4)),
    **dict.fromkeys("log log2 log10 log1p sqrt gammaln gamma digamma rgamma i0 i1 j0 j1 y0 y1".split(), (0.2, 6)),
    **dict.fromkeys(["arccosh", "zeta"], (1.2, 6)),
}
UNIT = (0.1, 0.9)
"""The values of operands, where the function of an op does not ask for others."""


@dataclass(frozen=True)
class Sample:
    """A Program in the size symbol `n`. `arguments(n)` makes its arguments; `operations(n)` is the work of its op, for
    ops whose rate depends on size."""

    program: Program
    make: tuple[Callable[[np.random.Generator, tuple[int, ...]], np.ndarray], ...]
    operations: Callable[[int], float] | None = None

    def arguments(self, n: int) -> tuple[np.ndarray, ...]:
        rng, bindings = np.random.default_rng(n), {"n": n}
        shapes = [tuple(evaluate(dim, bindings) for dim in node.type.shape) for node in self.program.inputs]
        return tuple(
            np.asarray(make(rng, shape)).astype(node.type.dtype, order="C")
            for make, shape, node in zip(self.make, shapes, self.program.inputs)
        )


def uniform(low: float, high: float) -> Callable[..., np.ndarray]:
    return lambda rng, shape: rng.uniform(low, high, shape)


def integers(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return rng.integers(1, 7, shape)


def coins(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return rng.random(shape) < 0.5


def places(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return rng.permutation(shape[0])


def in_turn(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return np.arange(shape[0])


def increasing(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return np.sort(rng.uniform(0, 1, shape))


def definite(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    a = rng.normal(size=shape) / max(shape[-1], 1)
    return a + np.swapaxes(a, -1, -2) + 3 * np.eye(shape[-1])


def dominant(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Diagonals of a matrix, the one in the middle above the others."""
    bands = rng.uniform(*UNIT, shape)
    bands[shape[0] // 2] += shape[0]
    return bands


def _maker(op: str, dtype: np.dtype) -> Callable[..., np.ndarray]:
    if dtype == BOOL:
        return coins
    return integers if dtype.kind in "iu" else uniform(*DOMAINS.get(op, UNIT))


def _input(name: str, dtype: np.dtype, *shape: Dim) -> Node:
    return ir.input(name, ArrayType(dtype, shape))


def program(*outputs: Node) -> Program:
    """Outputs of several results give all of them."""
    inputs = dict.fromkeys(node for node in ir.topological(outputs) if node.op == "input")
    parts = [
        ir.make("item", node, index=k) if isinstance(node.type, TupleType) else node
        for node in outputs
        for k in range(len(node.type.items) if isinstance(node.type, TupleType) else 1)
    ]
    return Program(tuple(inputs), tuple(parts), "sample")


def operand_dtypes(op: str, mark: str) -> tuple[np.dtype, ...] | None:
    """The dtypes of an elementwise op's operands where the last is of a class; None where there is no such loop."""
    dtype = DTYPES[CLASSES[mark]]
    if op == "where":
        return BOOL, dtype, dtype
    if op == "ldexp":
        return (FLOAT64, INT64) if mark == "f64" else None
    if op.startswith("frexp") and dtype.kind != "f":
        return None
    dtypes = (dtype,) * (OPS[op].arity or 0)
    try:
        OPS[op].infer([ArrayType(dtype, ()) for dtype in dtypes], _params(op, dtype))
    except OperandTypeError:
        return None
    return dtypes


def _params(op: str, dtype: np.dtype) -> dict[str, Any]:
    return {"dtype": np.dtype(np.float32) if dtype == FLOAT64 else FLOAT64} if op == "cast" else {}


def elementwise(op: str, mark: str) -> Sample | None:
    """One op on vectors; None where it takes no operands of that class."""
    dtypes = operand_dtypes(op, mark)
    if dtypes is None:
        return None
    inputs = [_input(f"x{k}", dtype, N) for k, dtype in enumerate(dtypes)]
    made = ir.make(op, *inputs, **_params(op, dtypes[-1]))
    return Sample(program(made), tuple(_maker(op, dtype) for dtype in dtypes))


def reduction(op: str, mark: str) -> Sample | None:
    dtype = DTYPES[CLASSES[mark]]
    if (op in ("any", "all")) != (dtype == BOOL):
        return None
    return Sample(program(ir.make(op, _input("x", dtype, N), axes=(0,))), (_maker(op, dtype),))


def chain(op: str, mark: str, links: int) -> Sample | None:
    """One op many times in one loop: `t = op(t, y)`, or `t = op(t)*y`; None where results are no operands."""
    dtypes = operand_dtypes(op, mark)
    dtype = DTYPES[CLASSES[mark]]
    if dtypes is None or len(dtypes) > 2 or set(dtypes) != {dtype} or op == "cast":
        return None
    factors = [_input(f"y{k}", dtype, N) for k in range(3)]
    value = _input("x", dtype, N)
    for k in range(links):
        factor = factors[k % 3]
        value = ir.make(op, value, *([factor] if len(dtypes) == 2 else []))
        if value.type.dtype != dtype:
            return None
        if len(dtypes) == 1:
            value = ir.make("logical_xor" if dtype == BOOL else "multiply", value, factor)
    make = _maker("", dtype) if dtype.kind in "biu" else uniform(0.9, 1.1)
    return Sample(program(value), (make,) * 4)


def kernels(links: int) -> Sample:
    """Loops that wait for each other's results: `x = exp(x - sum(x))`, many times."""
    value = _input("x", FLOAT64, N)
    for _ in range(links):
        total = ir.make("broadcast", ir.make("sum", value, axes=(0,)), shape=(N,), axes=())
        value = ir.make("exp", ir.make("subtract", value, total))
    return Sample(program(value), (uniform(*UNIT),))


def sum_of(count: int) -> Sample:
    """The sum of vectors; the negative of one."""
    vectors = [_input(f"x{k}", FLOAT64, N) for k in range(count)]
    total = vectors[0] if count > 1 else ir.make("negative", vectors[0])
    for vector in vectors[1:]:
        total = ir.make("add", total, vector)
    return Sample(program(total), (uniform(*UNIT),) * count)


def passing(inputs: int, outputs: int) -> Sample:
    """So many vectors in and out, and little else."""
    vectors = [_input(f"x{k}", FLOAT64, N) for k in range(inputs)]
    total = ir.make("negative", vectors[0])
    for vector in vectors[1:]:
        total = ir.make("add", total, vector)
    found = [total]
    for _ in range(outputs - 1):
        found.append(ir.make("add", found[-1], total))
    return Sample(program(*found), (uniform(*UNIT),) * inputs)


def library() -> dict[str, Sample]:
    """A call of each op that no loop computes element by element, by the name of its price."""
    x, y = _input("x", FLOAT64, N), _input("y", FLOAT64, N)
    at, key = _input("at", INT64, N), _input("key", FLOAT64, N)
    a = _input("a", FLOAT64, N, N)
    values, square = uniform(*UNIT), (definite,)
    found: dict[str, Sample] = {}

    def add(
        name: str, node: Node, make: Sequence[Callable[..., np.ndarray]], work: Callable[[int], float] | None = None
    ) -> None:
        found[name] = Sample(program(node), tuple(make), work)

    for op in ("cumsum", "cumprod", "cummax", "cummin"):
        add(op, ir.make(op, x, axis=0), [values])
    add("linear_recurrence", ir.make("linear_recurrence", x, y, ir.constant(0.0, FLOAT64, ()), axis=0), [values] * 2)
    for op in ("sort", "argsort"):
        params: dict[str, Any] = {"kind": "stable"} if op == "argsort" else {}
        add(op, ir.make(op, x, axis=0, **params), [values], lambda n: n * max(log2(n), 1.0))
    add("searchsorted", ir.make("searchsorted", x, key, side="left"), [increasing, values], lambda n: n * log2(n + 2))
    add("concatenate", ir.make("concatenate", x, y, axis=0), [values] * 2)
    add("pad", ir.make("pad", x, ir.constant(0.0, FLOAT64, ()), low=(1,), high=(1,)), [values])
    add("update_slice", ir.make("update_slice", x, y, start=(0,), step=(1,)), [values] * 2)
    add("gather", ir.make("gather", x, at, axes=(0,), mode="raise"), [values, places])
    add("scatter", ir.make("scatter", x, y, at, axes=(0,), combine="add"), [values, values, places])
    add("convolve", ir.make("convolve", x, y), [values] * 2, lambda n: n * n)
    for mark in ("f64", "f32", "c128"):
        left, right, vector = (_input(name, DTYPES[mark], *shape) for name, shape in _PRODUCT.items())
        suffix = "" if mark == "f64" else f" {mark}"
        add(f"matmul{suffix}", ir.make("matmul", left, right), [values] * 2, lambda n: n**3)
        one_triangle: dict[str, Any] = {"lower": True, "transposed": False, "right": False}
        add(f"gram{suffix}", ir.make("gram", left, transposed=False), [values], lambda n: n**3)
        add(
            f"triangular_product{suffix}",
            ir.make("triangular_product", left, right, **one_triangle),
            [values] * 2,
            lambda n: n**3,
        )
        add(
            f"triangular_matvec{suffix}",
            ir.make("triangular_product", left, vector, **one_triangle),
            [values] * 2,
            lambda n: n**2,
        )
        add(f"matvec{suffix}", ir.make("matmul", left, vector), [values] * 2, lambda n: n**2)
    for op, params in _FACTORIZATIONS.items():
        add(op, ir.make(op, a, **params), square, lambda n: n**3)
    add("solve", ir.make("solve", a, y), [*square, values], lambda n: n**3)
    triangular: dict[str, Any] = {"lower": True, "transposed": False, "unit_diagonal": False}
    add("solve_triangular", ir.make("solve_triangular", a, y, **triangular), [*square, values])
    exchanges = _input("exchanges", np.dtype(np.int32), N)
    add("lu_solve", ir.make("lu_solve", a, exchanges, y, transposed=False), [*square, in_turn, values])
    add("symmetric_solve", ir.make("symmetric_solve", a, y, lower=False), [*square, values], lambda n: n**3)
    beside = _input("beside", FLOAT64, N - 1)
    three = ir.make("tridiagonal_solve", beside, x, beside, y, positive=False)
    add("tridiagonal_solve", three, [values, uniform(2, 3), values])
    bands = _input("bands", FLOAT64, 5, N)
    five = ir.make("banded_solve", bands, y, below=2, above=2, positive=False)
    add("banded_solve", five, [dominant, values])
    add("lstsq", ir.make("lstsq", a, y, rcond=None), [*square, values], lambda n: n**3)
    return found


_PRODUCT: dict[str, tuple[Dim, ...]] = {"a": (N, N), "b": (N, N), "v": (N,)}
_FACTORIZATIONS: dict[str, dict[str, Any]] = {
    "inv": {}, "expm": {}, "cholesky": {"upper": False}, "cholesky_or_nan": {}, "cholesky_inverse": {},
    "lu_factors": {}, "lu": {}, "det": {}, "slogdet": {}, "qr": {"mode": "reduced"},
    "svd": {"full_matrices": False}, "svdvals": {}, "eigh": {"lower": True}, "eigvalsh": {"lower": True}, "eig": {},
    "eigvals": {}, "pinv": {"rcond": None},
}  # fmt: skip
