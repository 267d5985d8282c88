"""Sample operands for every op: the inputs of the conformance suite.

`cases(op)` gives the same cases on every run, for a seeded choice of dtypes; with `EGC_TEST_ALL=1`, or as `cases(op, True)`,
for all of them.
A case's label says what is special about it; `dtype` is that of its first operand, which `gaps.py` refers to.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from itertools import product
from typing import Any

import numpy as np

from egc import ir, ops, sizes
from egc.backends import reference
from egc.errors import OperandTypeError
from egc.types import DTYPES, SHORT, ArrayType, TupleType

from . import linalg as linalg
from . import regions
from .operands import ALL, EVERY_DTYPE, INEXACT, Random, chosen, extremes, layouts, ordinary
from .registry import BUILDERS, Samples, samples


@dataclass(frozen=True)
class Case:
    """Operands of one op. Where `symbolic`, each length n of an axis is the size symbol `d<n>`, else an integer."""

    op: str
    label: str
    arrays: tuple[np.ndarray, ...]
    params: dict[str, Any] = field(default_factory=dict)
    symbolic: bool = False

    @property
    def dtype(self) -> str:
        dtype = self.arrays[0].dtype if self.arrays else self.params.get("dtype", ops.INT64)
        return SHORT[dtype]

    def dims(self, shape: tuple[int, ...]) -> tuple[sizes.Dim, ...]:
        return tuple(sizes.symbol(f"d{n}") if self.symbolic else n for n in shape)

    def node(self, prefix: str = "x") -> tuple[tuple[ir.Node, ...], ir.Node]:
        """The inputs, named after `prefix`, and the op applied to them."""
        types = [ArrayType(a.dtype, self.dims(a.shape)) for a in self.arrays]
        inputs = tuple(ir.input(f"{prefix}_{k}", type) for k, type in enumerate(types))
        params = dict(self.params)
        if self.op == "broadcast":
            params["shape"] = tuple(
                types[0].shape[params["axes"].index(axis)] if axis in params["axes"] else length
                for axis, length in enumerate(params["shape"])
            )
        params = {name: value(types) if callable(value) else value for name, value in params.items()}
        return inputs, ir.make(self.op, *inputs, **params)


def program(cases: list[Case]) -> tuple[ir.Program, list[np.ndarray], list[int]]:
    """One Program that computes all cases, its arguments, and how many outputs belong to each case."""
    inputs: list[ir.Node] = []
    outputs: list[ir.Node] = []
    counts = []
    for number, case in enumerate(cases):
        operands, node = case.node(f"x{number}")
        several = isinstance(node.type, TupleType)
        results = [ir.make("item", node, index=k) for k in range(len(node.type.items))] if several else [node]
        inputs.extend(operands)
        outputs.extend(results)
        counts.append(len(results))
    return ir.Program(tuple(inputs), tuple(outputs)), [a for case in cases for a in case.arrays], counts


UNIT = (0.05, 0.95)
DOMAINS: dict[str, tuple[float, float]] = {
    **dict.fromkeys(["erfinv", "arctanh", "arcsin", "arccos"], (-0.95, 0.95)),
    **dict.fromkeys(["erfcinv", "logit", "ndtri", "betainc"], UNIT),
    **dict.fromkeys("gammaln gamma rgamma digamma y0 y1 exp1 beta betaln gammainc gammaincc".split(), (0.2, 6)),
    **dict.fromkeys("log log2 log10 log1p sqrt arccosh xlogy entr rel_entr kl_div expi".split(), (1.1, 6)),
    **dict.fromkeys(["left_shift", "right_shift", "power", "ldexp"], (0, 4)),
    "zeta": (1.2, 6),
}


def loops(op: str) -> list[tuple[str, ...]]:
    """The operand dtypes that an elementwise op takes."""
    row = ops.OPS[op]
    assert row.arity is not None
    if op == "ldexp":
        return [("f64", "i64"), ("f32", "i32"), ("f64", "i32")]
    if op == "where":
        return [("bool", dtype, dtype) for dtype in ALL]
    found = []
    for dtype in ALL:
        try:
            row.infer([ArrayType(DTYPES[dtype], ())] * row.arity, {})
        except OperandTypeError:
            continue
        found.append((dtype,) * row.arity)
    return found


def _elementwise(op: str, rng: Random, every: bool) -> Iterator[Case]:
    supported = chosen(rng, loops(op), 2, every)
    low, high = DOMAINS.get(op, (-4, 4))
    for number, dtypes in enumerate(supported):
        arrays = tuple(ordinary(rng, dtype, (2, 3, 4), low, high) for dtype in dtypes)
        yield Case(op, "ordinary", tuple(map(np.asfortranarray, arrays)) if number % 2 else arrays, {}, number % 2 == 0)
        if op != "betainc":
            yield from _corners(op, dtypes)
    dtypes = supported[rng.integers(len(supported))]
    operands = [dict(layouts(ordinary(rng, dtype, (60,), low, high))) for dtype in dtypes]
    for label in operands[0]:
        yield Case(op, label, tuple(o[label] for o in operands), {}, True)


def _corners(op: str, dtypes: tuple[str, ...]) -> Iterator[Case]:
    """All combinations of extreme operands; those with a subnormal result are a case of their own."""
    operands = _grid(op, [extremes(dtype) for dtype in dtypes])
    _, node = Case(op, "extreme", operands).node()
    subnormal = np.zeros(operands[0].shape, bool)
    if node.type.dtype.kind == "f":
        result = np.abs(reference.apply(op, operands, {}, node.type))
        subnormal = (result > 0) & (result < np.finfo(result.dtype).tiny)
    yield Case(op, "extreme", tuple(v[~subnormal] for v in operands))
    if subnormal.any():
        yield Case(op, "subnormal", tuple(v[subnormal] for v in operands))


def _grid(op: str, values: list[np.ndarray]) -> tuple[np.ndarray, ...]:
    if op == "power" and values[1].dtype.kind == "i":
        values[1] = values[1][values[1] >= 0]
    return tuple(np.array(column).astype(v.dtype) for column, v in zip(zip(*product(*values)), values))


@samples(("f64", "f32"), "frexp_mantissa", "frexp_exponent")
def _frexp(rng, dtype):
    yield (extremes(dtype)[:12],), {}
    yield (ordinary(rng, dtype, (3, 4)),), {}


@samples(("c128", "c64"), "real", "imag")
def _parts(rng, dtype):
    yield (extremes(dtype),), {}
    yield (ordinary(rng, dtype, (3, 4)).T,), {}


@samples(ALL, "cast")
def _cast(rng, dtype):
    for target in DTYPES.values():
        inexact_to_integer = DTYPES[dtype].kind in "fc" and target.kind in "iu"
        yield (ordinary(rng, dtype, (4,), 0) if inexact_to_integer else extremes(dtype),), {"dtype": target}


def _masked(arity: int) -> Samples:
    def build(rng: Random, dtype: str) -> Iterator[tuple[tuple[np.ndarray, ...], dict[str, Any]]]:
        for shape in ((3, 4), (5, 0), ()):
            operands = tuple(ordinary(rng, dtype, shape, 0.1, 0.9) for _ in range(arity - 1))
            yield (rng.random(shape) < 0.5, *operands), {}
        yield (np.zeros(4, bool), *(ordinary(rng, dtype, (4,), 0.1, 0.9) for _ in range(arity - 1))), {}

    return build


for _name in ops.MASKED:
    samples(("f64", "f32"), _name)(_masked(ops.OPS[_name].arity or 0))


@samples(("f64",), "assume")
def _assume(rng, dtype):
    yield (ordinary(rng, dtype, (3,)),), {"facts": ("finite",)}


@samples(ALL, "constant")
def _constant(rng, dtype):
    for value in extremes(dtype)[-3:]:
        yield (), {"value": value.item(), "dtype": DTYPES[dtype], "shape": (2, 3)}
    yield (), {"value": extremes(dtype)[0].item(), "dtype": DTYPES[dtype], "shape": ()}


@samples(ALL, "empty")
def _empty(rng, dtype):
    """Elements have no meaning: there are none to compare."""
    yield (), {"dtype": DTYPES[dtype], "shape": (0,)}
    yield (), {"dtype": DTYPES[dtype], "shape": (2, 0)}


@samples(("i64",), "size")
def _size(rng, dtype):
    yield (), {"value": 7}


@samples(("i64",), "iota")
def _iota(rng, dtype):
    yield (), {"shape": (4,), "axis": 0}
    yield (), {"shape": (2, 3, 4), "axis": 1}
    yield (), {"shape": (2, 0), "axis": 0}


@samples(ALL, "sum", "prod", "max", "min")
def _reduction(rng, dtype):
    x = ordinary(rng, dtype, (3, 4, 5))
    for axes in ((), (0,), (1,), (2,), (0, 2), (0, 1, 2)):
        yield (x,), {"axes": axes}
    yield (x[:, ::-2, 1].T,), {"axes": (1,)}
    yield (ordinary(rng, dtype, ()),), {"axes": ()}
    yield (x[:0, :, 0],), {"axes": (1,)}
    yield (extremes(dtype),), {"axes": (0,)}


@samples(ALL, "sum", "prod")
def _sum(rng, dtype):
    yield from _reduction(rng, dtype)
    yield (ordinary(rng, dtype, (3, 0)),), {"axes": (1,)}


@samples(("bool",), "any", "all")
def _logical(rng, dtype):
    yield from _sum(rng, dtype)
    yield (np.zeros((2, 3), bool),), {"axes": (0, 1)}
    yield (np.ones((2, 3), bool),), {"axes": (1,)}


@samples(ALL, "argmax", "argmin", "cumsum", "cumprod", "cummax", "cummin", "sort")
def _along(rng, dtype):
    x = ordinary(rng, dtype, (3, 4, 5))
    for axis in range(3):
        yield (x,), {"axis": axis}
    yield (np.asfortranarray(x[0])[::-1],), {"axis": 0}
    yield (x[:0, :, 0],), {"axis": 1}
    yield (extremes(dtype),), {"axis": 0}


@samples(tuple(dtype for dtype in ALL if dtype != "bool"), "linear_recurrence")
def _recurrence(rng, dtype):
    factor, term, start = (ordinary(rng, dtype, (3, 4, 5)) for _ in range(3))
    for axis in range(3):
        yield (factor, term, np.take(start, 0, axis)), {"axis": axis}
    yield (np.asfortranarray(factor[0])[::-1], term[0][::-1], start[0, 0]), {"axis": 0}
    yield (factor[:0, :, 0], term[:0, :, 0], start[:0, 0, 0]), {"axis": 1}
    yield (factor[0, :0], term[0, :0], start[0, 0]), {"axis": 0}
    for place in (0, 1, 2):
        operands = [factor[:2, :3, 0], term[:2, :3, 0], start[0, :3, 0]]
        edge = extremes(dtype)[-3:] if place == 2 else np.stack([extremes(dtype)[-3:], extremes(dtype)[:3]])
        operands[place] = edge
        yield tuple(operands), {"axis": 0}


@samples(ALL, "argsort")
def _argsort(rng, dtype):
    for arrays, params in _along(rng, dtype):
        yield arrays, {**params, "kind": "stable"}
    distinct = rng.permutation(12 if dtype != "bool" else 2).astype(DTYPES[dtype])
    yield (distinct.reshape(2, -1) if dtype != "bool" else distinct.reshape(1, 2),), {"axis": 1, "kind": None}


@samples(ALL, "searchsorted")
def _searchsorted(rng, dtype):
    for side in ("left", "right"):
        yield (np.sort(ordinary(rng, dtype, (9,))), ordinary(rng, dtype, (3, 4))), {"side": side}
        yield (np.sort(ordinary(rng, dtype, (9,))), ordinary(rng, dtype, ())), {"side": side}
        yield (np.sort(extremes(dtype)), extremes(dtype)), {"side": side}
        yield (ordinary(rng, dtype, (0,)), ordinary(rng, dtype, (2,))), {"side": side}


@samples(ALL, "broadcast")
def _broadcast(rng, dtype):
    yield (ordinary(rng, dtype, (3,)),), {"shape": (2, 3), "axes": (1,)}
    yield (ordinary(rng, dtype, (3,)),), {"shape": (3, 0), "axes": (0,)}
    yield (ordinary(rng, dtype, ()),), {"shape": (4, 2), "axes": ()}
    yield (ordinary(rng, dtype, (3, 5)).T,), {"shape": (5, 2, 3), "axes": (0, 2)}


@samples(ALL, "reshape")
def _reshape(rng, dtype):
    x = ordinary(rng, dtype, (3, 4))
    for shape in ((12,), (2, 6), (2, 1, 3, 2)):
        yield (x,), {"shape": shape}
        yield (x.T,), {"shape": shape}
    yield (x[:1, :1],), {"shape": ()}
    yield (x[:0],), {"shape": (2, 0, 5)}


@samples(ALL, "transpose")
def _transpose(rng, dtype):
    x = ordinary(rng, dtype, (2, 3, 4))
    for axes in ((0, 1, 2), (2, 0, 1), (1, 0, 2)):
        yield (x,), {"axes": axes}
    yield (x[0, 0, 0].reshape(()),), {"axes": ()}


@samples(ALL, "slice")
def _slice(rng, dtype):
    x = ordinary(rng, dtype, (5, 6))
    yield (x,), {"start": (1, 0), "size": (3, 6), "step": (1, 1)}
    yield (x,), {"start": (4, 5), "size": (5, 3), "step": (-1, -2)}
    yield (x.T,), {"start": (0, 1), "size": (0, 2), "step": (1, 2)}
    yield (x,), {"start": (2, 3), "size": (1, 1), "step": (-7, 9)}
    yield (np.asarray(x[0, 0]),), {"start": (), "size": (), "step": ()}


@samples(ALL, "update_slice")
def _update_slice(rng, dtype):
    x = ordinary(rng, dtype, (5, 6))
    for (_, slice_params), shape in zip(_slice(rng, dtype), ((3, 6), (5, 3))):
        yield (x, ordinary(rng, dtype, shape)), {"start": slice_params["start"], "step": slice_params["step"]}
    yield (x, ordinary(rng, dtype, (0, 2))), {"start": (0, 1), "step": (1, 2)}


@samples(ALL, "pad")
def _pad(rng, dtype):
    fill = extremes(dtype)[-1].reshape(())
    yield (ordinary(rng, dtype, (2, 3)), fill), {"low": (1, 0), "high": (0, 2)}
    yield (ordinary(rng, dtype, (0,)), fill), {"low": (2,), "high": (1,)}


@samples(ALL, "concatenate")
def _concatenate(rng, dtype):
    a, b = ordinary(rng, dtype, (2, 3)), ordinary(rng, dtype, (4, 3))
    yield (a, b, a), {"axis": 0}
    yield (a.T, b.T, a.T[:, :0]), {"axis": 1}
    yield (a,), {"axis": 1}


@samples(ALL, "gather")
def _gather(rng, dtype):
    x = ordinary(rng, dtype, (3, 4, 5))
    for mode, reach in (("raise", 0), ("clip", 9), ("wrap", 9)):
        first, second = (rng.integers(-n - reach, n + reach, (2, 6)) for n in (3, 5))
        yield (x, first), {"axes": (0,), "mode": mode}
        yield (x, second), {"axes": (2,), "mode": mode}
        yield (x, first, second), {"axes": (0, 2), "mode": mode}
        yield (x, first[0, 0].reshape(())), {"axes": (0,), "mode": mode}
        yield (x[:0], first[:0]), {"axes": (0,), "mode": mode}


@samples(ALL, "scatter")
def _scatter(rng, dtype):
    x = ordinary(rng, dtype, (3, 4, 5))
    for combine in ("set", "add", "multiply", "minimum", "maximum"):
        first, second = rng.integers(-3, 3, (7,)), rng.integers(-5, 5, (7,))
        yield (x, ordinary(rng, dtype, (7, 4, 5)), first), {"axes": (0,), "combine": combine}
        yield (x, ordinary(rng, dtype, (7, 4)), first, second), {"axes": (0, 2), "combine": combine}
        yield (x[0], ordinary(rng, dtype, (4,)), second[0].reshape(())), {"axes": (1,), "combine": combine}
        yield (x, ordinary(rng, dtype, (0, 4, 5)), first[:0]), {"axes": (0,), "combine": combine}


@samples(ALL, "matmul")
def _matmul(rng, dtype):
    shapes = [((3, 4), (4, 5)), ((4,), (4,)), ((3, 4), (4,)), ((4,), (4, 5)), ((2, 3, 4), (2, 4, 5)), ((2, 3, 4), (4,))]
    for a, b in [*shapes, ((4,), (2, 4, 3)), ((3, 0), (0, 2)), ((3, 4), (2, 4, 5))]:
        yield (ordinary(rng, dtype, a), ordinary(rng, dtype, b)), {}
    yield (ordinary(rng, dtype, (4, 3)).T, ordinary(rng, dtype, (5, 4)).T), {}


@samples(ALL, "convolve")
def _convolve(rng, dtype):
    for a, b in ((5, 3), (2, 6), (1, 1)):
        yield (ordinary(rng, dtype, (a,)), ordinary(rng, dtype, (b,))), {}


@samples(ALL, "diagonal")
def _diagonal(rng, dtype):
    yield (ordinary(rng, dtype, (3, 4)),), {"offset": 0, "size": 3}
    yield (ordinary(rng, dtype, (2, 3, 4)),), {"offset": 2, "size": 2}
    yield (ordinary(rng, dtype, (4, 3)).T,), {"offset": -1, "size": 2}


@samples(ALL, "diagonal_matrix")
def _diagonal_matrix(rng, dtype):
    for offset in (0, 2, -1):
        yield (ordinary(rng, dtype, (3,)),), {"offset": offset}
    yield (ordinary(rng, dtype, (2, 3)),), {"offset": 1}


@samples(ALL, "tril", "triu")
def _triangle(rng, dtype):
    for offset in (0, 1, -2):
        yield (ordinary(rng, dtype, (3, 4)),), {"offset": offset}
    yield (ordinary(rng, dtype, (2, 4, 3)),), {"offset": 0}


@samples(("f64", "f32", "i64"), "loop")
def _loop(rng, dtype):
    for build, operands in regions.loops(rng, dtype):
        yield operands, build


@samples(("f64", "f32", "i64"), "cond")
def _cond(rng, dtype):
    for condition in (True, False):
        x, y = ordinary(rng, dtype, (4,)), ordinary(rng, dtype, ())
        yield (np.array(condition), x, y), {"then": regions.scaled, "otherwise": regions.shifted}


def _symbolic(op: str, rng: Random) -> Iterator[Case]:
    """Parameters that are sizes."""
    n, m = sizes.symbol("d5"), sizes.symbol("d6")
    x = ordinary(rng, "f64", (5, 6))
    params: dict[str, dict[str, Any]] = {
        "reshape": {"shape": (n * m,)},
        "slice": {"start": (n - 1, 0), "size": (n, m - 2), "step": (-1, 1)},
        "pad": {"low": (n, 0), "high": (1, m)},
        "diagonal": {"offset": 0, "size": sizes.minimum(n, m)},
    }
    if op in params:
        yield Case(op, "symbolic", (x, np.array(2.0)) if op == "pad" else (x,), params[op], True)


FROM_OTHERS = frozenset(["input", "item"])
"""Every case has inputs, and every op with several results is read through items."""


def _label(arrays: tuple[np.ndarray, ...]) -> str:
    return "complex nan" if any(a.dtype.kind == "c" and np.isnan(a).any() for a in arrays) else "ordinary"


@cache
def cases(op: str, every: bool = EVERY_DTYPE) -> tuple[Case, ...]:
    rng = np.random.default_rng(zlib.crc32(op.encode()))
    if op in BUILDERS:
        dtypes, build = BUILDERS[op]
        built = [
            Case(op, _label(arrays), arrays, params, symbolic=bool(number % 2))
            for dtype in chosen(rng, dtypes, 1 if dtypes == INEXACT else 2, every)
            for number, (arrays, params) in enumerate(build(rng, dtype))
        ]
        return (*built, *_symbolic(op, rng))
    return tuple(_elementwise(op, rng, every))
