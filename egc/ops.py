"""The closed table of primitive operations: one row each, with the rule for its result's type.

NumPy's hundreds of functions are compositions of these. Broadcasting and casting are ops of their own, so an
elementwise op takes operands of one shape, with the dtypes of one of its ufunc's loops.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from egc import sizes
from egc.errors import OperandTypeError, ProgramError, ShapeError
from egc.types import ArrayType, TupleType, Type, format_shape

Infer = Callable[[Sequence[Any], Mapping[str, Any]], Type]

BOOL, INT64, FLOAT64 = np.dtype(bool), np.dtype(np.int64), np.dtype(np.float64)


@dataclass(frozen=True)
class Op:
    """One primitive. `arity` is None when the number of inputs varies."""

    name: str
    kind: str
    arity: int | None
    params: tuple[str, ...]
    infer: Infer


OPS: dict[str, Op] = {}


def op(name: str, kind: str, arity: int | None, *params: str) -> Callable[[Infer], Infer]:
    def register(infer: Infer) -> Infer:
        OPS[name] = Op(name, kind, arity, params, infer)
        return infer

    return register


UFUNCS = {
    1: """absolute arccos arccosh arcsin arcsinh arctan arctanh bitwise_count cbrt ceil conjugate cos cosh exp exp2
          expm1 floor invert isfinite isinf isnan log log10 log1p log2 logical_not negative reciprocal rint sign
          signbit sin sinh spacing sqrt tan tanh trunc""".split(),
    2: """add arctan2 bitwise_and bitwise_or bitwise_xor copysign divide equal floor_divide fmax fmin fmod gcd greater
          greater_equal heaviside hypot lcm ldexp left_shift less less_equal logaddexp logaddexp2 logical_and
          logical_or logical_xor maximum minimum multiply nextafter not_equal power remainder right_shift
          subtract""".split(),
}
"""NumPy's ufuncs that are primitives, by number of operands, under NumPy's names."""

SPECIAL = {
    1: """erf erfc erfcx erfinv erfcinv gammaln gamma digamma expit log_expit logit ndtr ndtri log_ndtr i0 i0e i1 i1e
          j0 j1 y0 y1 dawsn exp1 expi entr rgamma""".split(),
    2: "xlogy xlog1py betaln beta gammainc gammaincc zeta rel_entr kl_div".split(),
    3: ["betainc"],
}
"""scipy.special's functions that are primitives, by number of operands, on float32 and float64."""

COMMUTATIVE = frozenset(
    """add multiply maximum minimum fmax fmin equal not_equal logical_and logical_or logical_xor bitwise_and
       bitwise_or bitwise_xor hypot logaddexp logaddexp2 gcd lcm""".split()
)


@lru_cache(maxsize=4096)
def ufunc_loop(name: str, operands: tuple[Any, ...]) -> tuple[np.dtype, ...]:
    """The dtypes of the loop NumPy picks: inputs, then outputs. `int`, `float`, `complex` are weak Python scalars."""
    ufunc = getattr(np, name)
    try:
        return tuple(ufunc.resolve_dtypes((*operands, *[None] * ufunc.nout)))
    except TypeError as error:
        raise OperandTypeError(str(error)) from error


def _same_shape(name: str, types: Sequence[ArrayType]) -> tuple[Any, ...]:
    for other in types[1:]:
        if other.shape != types[0].shape:
            shown = " ".join(format_shape(t.shape) for t in types)
            raise ShapeError(f"{name}: operands have different shapes {shown}")
    return types[0].shape


def _ufunc_infer(name: str) -> Infer:
    def infer(types: Sequence[ArrayType], params: Mapping[str, Any]) -> ArrayType:
        given = tuple(t.dtype for t in types)
        *loop, result = ufunc_loop(name, given)
        if tuple(loop) != given:
            raise OperandTypeError(f"{name}: operands {given} must be cast to {tuple(loop)} first")
        return ArrayType(result, _same_shape(name, types))

    return infer


def _special_infer(name: str) -> Infer:
    def infer(types: Sequence[ArrayType], params: Mapping[str, Any]) -> ArrayType:
        if any(t.dtype != types[0].dtype for t in types) or types[0].dtype.kind != "f":
            raise OperandTypeError(f"{name}: operands must be all float32 or all float64")
        return ArrayType(types[0].dtype, _same_shape(name, types))

    return infer


for _arity, _names in UFUNCS.items():
    for _name in _names:
        OPS[_name] = Op(_name, "elementwise", _arity, (), _ufunc_infer(_name))
for _arity, _names in SPECIAL.items():
    for _name in _names:
        OPS[_name] = Op(_name, "elementwise", _arity, (), _special_infer(_name))


@op("where", "elementwise", 3)
def _where(types, params):
    condition, a, b = types
    if condition.dtype != BOOL or a.dtype != b.dtype:
        raise OperandTypeError("where: needs a bool condition and two operands of one dtype")
    return a.with_shape(_same_shape("where", types))


@op("real", "elementwise", 1)
@op("imag", "elementwise", 1)
def _parts(types, params):
    (x,) = types
    if x.dtype.kind != "c":
        raise OperandTypeError("real, imag: need a complex operand")
    return x.with_dtype(np.dtype(f"f{x.dtype.itemsize // 2}"))


@op("frexp_mantissa", "elementwise", 1)
@op("assume", "elementwise", 1, "facts")
def _unchanged(types, params):
    return types[0]


@op("frexp_exponent", "elementwise", 1)
def _frexp_exponent(types, params):
    return types[0].with_dtype(np.dtype(np.int32))


@op("cast", "elementwise", 1, "dtype")
def _cast(types, params):
    return types[0].with_dtype(params["dtype"])


@op("input", "leaf", 0, "name", "type")
def _input(types, params):
    return params["type"]


@op("constant", "leaf", 0, "value", "dtype", "shape")
def _constant(types, params):
    return ArrayType(params["dtype"], params["shape"])


@op("size", "leaf", 0, "value")
def _size(types, params):
    return ArrayType(INT64, ())


@op("iota", "leaf", 0, "shape", "axis")
def _iota(types, params):
    return ArrayType(INT64, params["shape"])


def _axes(x: ArrayType, axes: Sequence[int]) -> Sequence[int]:
    if list(axes) != sorted(set(axes)) or any(not 0 <= axis < x.rank for axis in axes):
        raise ShapeError(f"axes {tuple(axes)} are not sorted, distinct axes of {x}")
    return axes


def _without(x: ArrayType, axes: Sequence[int]) -> tuple[Any, ...]:
    return tuple(dim for axis, dim in enumerate(x.shape) if axis not in axes)


@op("sum", "reduction", 1, "axes")
@op("prod", "reduction", 1, "axes")
@op("max", "reduction", 1, "axes")
@op("min", "reduction", 1, "axes")
def _reduction(types, params):
    return types[0].with_shape(_without(types[0], _axes(types[0], params["axes"])))


@op("any", "reduction", 1, "axes")
@op("all", "reduction", 1, "axes")
def _logical_reduction(types, params):
    if types[0].dtype != BOOL:
        raise OperandTypeError("any, all: need a bool operand")
    return _reduction(types, params)


@op("argmax", "reduction", 1, "axis")
@op("argmin", "reduction", 1, "axis")
def _arg_reduction(types, params):
    return ArrayType(INT64, _without(types[0], _axes(types[0], (params["axis"],))))


@op("cumsum", "scan", 1, "axis")
@op("cumprod", "scan", 1, "axis")
@op("cummax", "scan", 1, "axis")
@op("cummin", "scan", 1, "axis")
@op("sort", "order", 1, "axis")
def _along_axis(types, params):
    _axes(types[0], (params["axis"],))
    return types[0]


@op("argsort", "order", 1, "axis", "kind")
def _argsort(types, params):
    _axes(types[0], (params["axis"],))
    return types[0].with_dtype(INT64)


@op("searchsorted", "order", 2, "side")
def _searchsorted(types, params):
    return types[1].with_dtype(INT64)


@op("broadcast", "shape", 1, "shape", "axes")
def _broadcast(types, params):
    (x,), shape, axes = types, params["shape"], params["axes"]
    if len(axes) != x.rank or list(axes) != sorted(set(axes)):
        raise ShapeError(f"broadcast: axes {axes} do not place the axes of {x}")
    for dim, axis in zip(x.shape, axes):
        if dim != shape[axis]:
            raise ShapeError(f"broadcast: {x} does not fit axes {axes} of {format_shape(shape)}")
    return x.with_shape(shape)


@op("reshape", "shape", 1, "shape")
def _reshape(types, params):
    (x,), shape = types, params["shape"]
    difference = x.size - sizes.product(shape)
    if isinstance(difference, int) and difference:
        raise ShapeError(f"cannot reshape array of size {x.size} into shape {format_shape(shape)}")
    return x.with_shape(shape)


@op("transpose", "shape", 1, "axes")
def _transpose(types, params):
    (x,), axes = types, params["axes"]
    if sorted(axes) != list(range(x.rank)):
        raise ShapeError(f"transpose: axes {axes} are not a permutation of the axes of {x}")
    return x.with_shape([x.shape[axis] for axis in axes])


@op("slice", "shape", 1, "start", "size", "step")
def _slice(types, params):
    (x,) = types
    if not len(params["start"]) == len(params["size"]) == len(params["step"]) == x.rank:
        raise ShapeError(f"slice: needs start, size and step for each axis of {x}")
    return x.with_shape(params["size"])


@op("update_slice", "shape", 2, "start", "step")
def _update_slice(types, params):
    x, value = types
    if x.dtype != value.dtype or x.rank != value.rank:
        raise OperandTypeError(f"update_slice: a value of type {value} does not fit into {x}")
    return x


@op("pad", "shape", 2, "low", "high")
def _pad(types, params):
    x, fill = types
    if fill.dtype != x.dtype or fill.rank:
        raise OperandTypeError(f"pad: needs a scalar of dtype {x.dtype}")
    return x.with_shape([low + dim + high for low, dim, high in zip(params["low"], x.shape, params["high"])])


@op("concatenate", "shape", None, "axis")
def _concatenate(types, params):
    first, axis = types[0], params["axis"]
    _axes(first, (axis,))
    for other in types[1:]:
        if other.dtype != first.dtype or _without(other, (axis,)) != _without(first, (axis,)):
            raise ShapeError(f"concatenate: {first} and {other} do not fit along axis {axis}")
    total = sum((t.shape[axis] for t in types[1:]), first.shape[axis])
    return first.with_shape([*first.shape[:axis], total, *first.shape[axis + 1 :]])


def _gathered(x: ArrayType, indices: Sequence[ArrayType], axes: Sequence[int]) -> ArrayType:
    _axes(x, axes)
    if len(indices) != len(axes) or any(i.dtype != INT64 for i in indices):
        raise OperandTypeError("gather, scatter: need one int64 index array for each axis")
    return x.with_shape([*_same_shape("gather", indices), *_without(x, axes)])


@op("gather", "index", None, "axes", "mode")
def _gather(types, params):
    return _gathered(types[0], types[1:], params["axes"])


@op("scatter", "index", None, "axes", "combine")
def _scatter(types, params):
    x, value, *indices = types
    if _gathered(x, indices, params["axes"]) != value:
        raise ShapeError(f"scatter: a value of type {value} does not fit {x} at these indices")
    return x


@op("matmul", "contraction", 2)
def _matmul(types, params):
    a, b = types
    if a.dtype != b.dtype:
        raise OperandTypeError("matmul: operands must have one dtype")
    if not a.rank or not b.rank:
        raise ShapeError("matmul: input operand does not have enough dimensions")
    if a.shape[-1] != b.shape[-2 if b.rank > 1 else 0]:
        raise ShapeError(f"matmul: inner sizes of {a} and {b} differ")
    if a.rank > 2 and b.rank > 2 and a.shape[:-2] != b.shape[:-2]:
        raise ShapeError(f"matmul: batch sizes of {a} and {b} differ")
    batch = max(a.shape[:-2], b.shape[:-2], key=len)
    return a.with_shape([*batch, *a.shape[-2:-1], *(b.shape[-1:] if b.rank > 1 else ())])


@op("convolve", "contraction", 2)
def _convolve(types, params):
    a, b = types
    if a.rank != 1 or b.rank != 1 or a.dtype != b.dtype:
        raise ShapeError("convolve: needs two vectors of one dtype")
    return a.with_shape([a.shape[0] + b.shape[0] - 1])


@op("diagonal", "shape", 1, "offset", "size")
def _diagonal(types, params):
    (x,) = types
    if x.rank < 2:
        raise ShapeError("diagonal: needs an array of at least two dimensions")
    return x.with_shape([*x.shape[:-2], params["size"]])


@op("diagonal_matrix", "shape", 1, "offset")
def _diagonal_matrix(types, params):
    (x,) = types
    side = x.shape[-1] + abs(params["offset"])
    return x.with_shape([*x.shape[:-1], side, side])


@op("tril", "shape", 1, "offset")
@op("triu", "shape", 1, "offset")
def _triangle(types, params):
    if types[0].rank < 2:
        raise ShapeError("tril, triu: need an array of at least two dimensions")
    return types[0]


def _square(name: str, a: Any, dtypes: str = "fc") -> ArrayType:
    if a.rank < 2 or a.shape[-1] != a.shape[-2]:
        raise ShapeError(f"{name}: last two dimensions of the array must be square, not {a}")
    if a.dtype.kind not in dtypes:
        raise OperandTypeError(f"{name}: no linear algebra for dtype {a.dtype}")
    return a


def _real_dtype(dtype: np.dtype) -> np.dtype:
    return np.dtype(f"f{dtype.itemsize // 2}") if dtype.kind == "c" else dtype


def _complex_dtype(dtype: np.dtype) -> np.dtype:
    return dtype if dtype.kind == "c" else np.dtype(f"c{dtype.itemsize * 2}")


@op("inv", "linalg", 1)
@op("expm", "linalg", 1)
@op("cholesky", "linalg", 1, "upper")
def _square_to_square(types, params):
    return _square("inv, expm, cholesky", types[0])


@op("det", "linalg", 1)
def _det(types, params):
    return types[0].with_shape(_square("det", types[0]).shape[:-2])


@op("slogdet", "linalg", 1)
def _slogdet(types, params):
    a = _square("slogdet", types[0])
    return TupleType((a.with_shape(a.shape[:-2]), ArrayType(_real_dtype(a.dtype), a.shape[:-2])))


def _right_side(name: str, a: ArrayType, b: ArrayType) -> ArrayType:
    _square(name, a)
    if a.dtype != b.dtype:
        raise OperandTypeError(f"{name}: operands must have one dtype")
    if b.rank == 1:
        if b.shape[0] != a.shape[-1]:
            raise ShapeError(f"{name}: {a} does not fit the right side {b}")
        return b.with_shape([*a.shape[:-2], b.shape[0]])
    if b.shape[-2] != a.shape[-1] or (a.rank > 2 and b.rank > 2 and a.shape[:-2] != b.shape[:-2]):
        raise ShapeError(f"{name}: {a} does not fit the right side {b}")
    return b.with_shape([*max(a.shape[:-2], b.shape[:-2], key=len), *b.shape[-2:]])


@op("solve", "linalg", 2)
def _solve(types, params):
    return _right_side("solve", *types)


@op("solve_triangular", "linalg", 2, "lower", "transposed", "unit_diagonal")
def _solve_triangular(types, params):
    return _right_side("solve_triangular", *types)


@op("qr", "linalg", 1, "mode")
def _qr(types, params):
    (a,) = types
    *batch, rows, columns = a.shape
    inner = sizes.minimum(rows, columns)
    match params["mode"]:
        case "reduced":
            return TupleType((a.with_shape([*batch, rows, inner]), a.with_shape([*batch, inner, columns])))
        case "complete":
            return TupleType((a.with_shape([*batch, rows, rows]), a))
        case "r":
            return TupleType((a.with_shape([*batch, inner, columns]),))
    raise ProgramError(f"qr: no mode {params['mode']!r}")


@op("svd", "linalg", 1, "full_matrices")
def _svd(types, params):
    (a,) = types
    *batch, rows, columns = a.shape
    inner = sizes.minimum(rows, columns)
    left, right = (rows, columns) if params["full_matrices"] else (inner, inner)
    singular = ArrayType(_real_dtype(a.dtype), (*batch, inner))
    return TupleType((a.with_shape([*batch, rows, left]), singular, a.with_shape([*batch, right, columns])))


@op("svdvals", "linalg", 1)
def _svdvals(types, params):
    (a,) = types
    return ArrayType(_real_dtype(a.dtype), (*a.shape[:-2], sizes.minimum(*a.shape[-2:])))


@op("eigh", "linalg", 1, "lower")
def _eigh(types, params):
    a = _square("eigh", types[0])
    return TupleType((ArrayType(_real_dtype(a.dtype), a.shape[:-1]), a))


@op("eigvalsh", "linalg", 1, "lower")
def _eigvalsh(types, params):
    a = _square("eigvalsh", types[0])
    return ArrayType(_real_dtype(a.dtype), a.shape[:-1])


@op("eig", "linalg", 1)
def _eig(types, params):
    a = _square("eig", types[0]).with_dtype(_complex_dtype(types[0].dtype))
    return TupleType((a.with_shape(a.shape[:-1]), a))


@op("eigvals", "linalg", 1)
def _eigvals(types, params):
    a = _square("eigvals", types[0])
    return ArrayType(_complex_dtype(a.dtype), a.shape[:-1])


@op("pinv", "linalg", 1, "rcond")
def _pinv(types, params):
    (a,) = types
    return a.with_shape([*a.shape[:-2], a.shape[-1], a.shape[-2]])


@op("lstsq", "linalg", 2, "rcond")
def _lstsq(types, params):
    a, b = types
    (_rows, columns), real = a.shape, _real_dtype(a.dtype)
    singular = ArrayType(real, (sizes.minimum(*a.shape),))
    return TupleType((b.with_shape([columns, *b.shape[1:]]), ArrayType(np.dtype(np.int32), ()), singular))


@op("item", "tuple", 1, "index")
def _item(types, params):
    if not isinstance(types[0], TupleType):
        raise OperandTypeError("item: needs an op with several results")
    return types[0].items[params["index"]]


def infer(name: str, types: Sequence[Type], params: Mapping[str, Any]) -> Type:
    """The type of an op's result. Raises ProgramError, OperandTypeError or ShapeError."""
    row = OPS.get(name)
    if row is None:
        raise ProgramError(f"no op named {name!r}")
    if row.arity is not None and len(types) != row.arity:
        raise ProgramError(f"{name} takes {row.arity} inputs, not {len(types)}")
    if set(params) != set(row.params):
        raise ProgramError(f"{name} has parameters {row.params}, not {tuple(params)}")
    if name != "item" and any(isinstance(t, TupleType) for t in types):
        raise OperandTypeError(f"{name}: an op with several results must be picked from with item")
    return row.infer(types, params)
