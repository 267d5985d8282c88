"""The reference backend: a Program run by NumPy, one Node at a time. It is the meaning of every op.

`EVALUATE` maps each op to a function `(params, *arrays) -> array or tuple of arrays`, where sizes in `params` are plain
integers already. Where `egc.ops` leaves a choice, the docstrings and comments here make it, as NumPy would.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from egc import factors, sizes
from egc.backend import PLAIN, Compiled, Demands, Missing, Region, bind_arguments, bind_params, window
from egc.costtable import read_table
from egc.errors import InternalError
from egc.ir import Node, Program, topological
from egc.ops import MASKED, OPS, SPECIAL, UFUNCS
from egc.types import ArrayType, TupleType, Type

Params = Mapping[str, Any]
Evaluate = Callable[..., Any]

EVALUATE: dict[str, Evaluate] = {}

STRUCTURED = "gram", "triangular_product", "tridiagonal_solve", "banded_solve", "symmetric_solve"


def meaning(*names: str) -> Callable[[Evaluate], Evaluate]:
    """Enters a function as the meaning of ops. One that serves several ops takes the op's name first."""

    def register(function: Evaluate) -> Evaluate:
        for name in names:
            EVALUATE[name] = function if len(names) == 1 else partial(function, name)
        return function

    return register


@meaning(*(name for names in UFUNCS.values() for name in names))
def _ufunc(name: str, params: Params, *operands: np.ndarray) -> Any:
    return getattr(np, name)(*operands)


@meaning(*(name for names in SPECIAL.values() for name in names))
def _special(name: str, params: Params, *operands: np.ndarray) -> Any:
    """SciPy's function; float32 operands give SciPy's float32 result, or its float64 result rounded."""
    import scipy.special

    return getattr(scipy.special, name)(*operands)


@meaning(*MASKED)
def _masked(name: str, params: Params, mask: np.ndarray, other: np.ndarray, *operands: np.ndarray) -> Any:
    """The function where the mask holds, and only there. (SciPy 1.17's functions write out of bounds with `where=`.)"""
    import scipy.special

    where, rest, *given = np.broadcast_arrays(mask, other, *operands)
    result = np.array(rest)
    result[where] = getattr(scipy.special, MASKED[name])(*(operand[where] for operand in given))
    return result


@meaning("where")
def _where(params: Params, condition: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.where(condition, a, b)


@meaning("real", "imag")
def _part(name: str, params: Params, x: np.ndarray) -> np.ndarray:
    return getattr(x, name)


@meaning("frexp_mantissa")
def _frexp_mantissa(params: Params, x: np.ndarray) -> Any:
    return np.frexp(x)[0]


@meaning("frexp_exponent")
def _frexp_exponent(params: Params, x: np.ndarray) -> Any:
    return np.frexp(x)[1]


@meaning("cast")
def _cast(params: Params, x: np.ndarray) -> np.ndarray:
    """`astype`: complex to real drops the imaginary part, anything to bool is `!= 0`.

    A float that an integer dtype cannot hold (nan and inf included) gives an unspecified integer, as in NumPy.
    """
    dtype = params["dtype"]
    return (x.real if x.dtype.kind == "c" and dtype.kind not in "cb" else x).astype(dtype)


@meaning("assume")
def _assume(params: Params, x: np.ndarray) -> np.ndarray:
    """The operand: facts change what the optimizer may do, never the value. A `packed` one lies in C order, as np.ravel
    has it: it is a copy where the operand does not."""
    return np.ascontiguousarray(x) if "packed" in params["facts"] else x


@meaning("constant")
def _constant(params: Params) -> np.ndarray:
    return np.full(params["shape"], params["value"], params["dtype"])


@meaning("size")
def _size(params: Params) -> np.ndarray:
    return np.array(params["value"], np.int64)


@meaning("empty")
def _empty(params: Params) -> np.ndarray:
    return np.zeros(params["shape"], params["dtype"])


@meaning("iota")
def _iota(params: Params) -> np.ndarray:
    """Each element's index along `axis`."""
    shape, axis = params["shape"], params["axis"]
    index = np.arange(shape[axis], dtype=np.int64).reshape([-1 if k == axis else 1 for k in range(len(shape))])
    return np.broadcast_to(index, shape)


@meaning("sum", "prod")
def _sum(name: str, params: Params, x: np.ndarray) -> Any:
    """In the operand's own dtype: integers wrap around, and bool adds as `or` and multiplies as `and`."""
    return getattr(np, name)(x, axis=params["axes"], dtype=x.dtype)


@meaning("max", "min", "any", "all")
def _reduction(name: str, params: Params, x: np.ndarray) -> Any:
    """max and min raise ValueError where nothing is reduced over, and give nan where an element is nan."""
    return getattr(np, name)(x, axis=params["axes"])


@meaning("argmax", "argmin")
def _arg_reduction(name: str, params: Params, x: np.ndarray) -> Any:
    """The first of equal extremes; the first nan where there is one."""
    return getattr(np, name)(x, axis=params["axis"])


@meaning("cumsum", "cumprod")
def _cumulative_sum(name: str, params: Params, x: np.ndarray) -> np.ndarray:
    return getattr(np, name)(x, axis=params["axis"], dtype=x.dtype)


@meaning("cummax", "cummin")
def _cumulative_extreme(name: str, params: Params, x: np.ndarray) -> np.ndarray:
    return (np.maximum if name == "cummax" else np.minimum).accumulate(x, axis=params["axis"])


@meaning("sort")
def _sort(params: Params, x: np.ndarray) -> np.ndarray:
    """Ascending, nan last; equal elements (0.0 and -0.0) in any order."""
    return np.sort(x, axis=params["axis"])


@meaning("argsort")
def _argsort(params: Params, x: np.ndarray) -> np.ndarray:
    """Positions in the order of `sort`; ties are in order of position for the kind `stable`, else in any order."""
    return np.argsort(x, axis=params["axis"], kind=params["kind"])


@meaning("searchsorted")
def _searchsorted(params: Params, x: np.ndarray, values: np.ndarray) -> Any:
    return np.searchsorted(x, values, side=params["side"])


@meaning("broadcast")
def _broadcast(params: Params, x: np.ndarray) -> np.ndarray:
    """Axis k of the operand becomes axis `axes[k]`; the result repeats along the others."""
    shape, axes = params["shape"], params["axes"]
    return np.broadcast_to(x[tuple(slice(None) if axis in axes else None for axis in range(len(shape)))], shape)


@meaning("reshape")
def _reshape(params: Params, x: np.ndarray) -> np.ndarray:
    return x.reshape(params["shape"])


@meaning("transpose")
def _transpose(params: Params, x: np.ndarray) -> np.ndarray:
    return x.transpose(params["axes"])


@meaning("slice")
def _slice(params: Params, x: np.ndarray) -> np.ndarray:
    """Element j along an axis is `x[start + j*step]`, a view; every element must exist, nothing counts from the end."""
    return x[window(x.shape, params["start"], params["size"], params["step"])]


@meaning("update_slice")
def _update_slice(params: Params, x: np.ndarray, value: np.ndarray) -> np.ndarray:
    """A copy of x in which the elements that `slice` would pick are `value`'s."""
    result = x.copy()
    result[window(x.shape, params["start"], value.shape, params["step"])] = value
    return result


@meaning("pad")
def _pad(params: Params, x: np.ndarray, fill: np.ndarray) -> np.ndarray:
    low, high = params["low"], params["high"]
    shape = [before + length + after for before, length, after in zip(low, x.shape, high)]
    result = np.full(shape, fill, x.dtype, order="F" if x.flags.fnc else "C")
    result[tuple(slice(before, before + length) for before, length in zip(low, x.shape))] = x
    return result


@meaning("concatenate")
def _concatenate(params: Params, *parts: np.ndarray) -> np.ndarray:
    return np.concatenate(parts, axis=params["axis"])


def _front(x: np.ndarray, axes: Sequence[int]) -> np.ndarray:
    """A view with `axes` first and the other axes in order."""
    return x.transpose([*axes, *(axis for axis in range(x.ndim) if axis not in axes)])


@meaning("gather")
def _gather(params: Params, x: np.ndarray, *indices: np.ndarray) -> np.ndarray:
    """`x[..., i, ...]` with the index arrays at `axes`: the result has the axes of the index, then the other axes of x.

    mode `raise`: negative indices count from the end, IndexError outside; `clip` and `wrap` as in `np.take`,
    where negative indices clip to 0, and IndexError where there is nothing to take from.
    """
    view, mode = _front(x, params["axes"]), params["mode"]
    if mode != "raise":
        lengths = view.shape[: len(indices)]
        if 0 in lengths and indices[0].size:
            raise IndexError("cannot do a non-empty take from an empty axes.")
        bound = (lambda i, n: np.clip(i, 0, n - 1)) if mode == "clip" else np.remainder
        indices = tuple(bound(i, max(n, 1)) for i, n in zip(indices, lengths))
    return view[indices]


@meaning("scatter")
def _scatter(params: Params, x: np.ndarray, value: np.ndarray, *indices: np.ndarray) -> np.ndarray:
    """A copy of x with `value` set, or combined in, at the indices that `gather` in mode `raise` would read.

    Of several values set at one place the last stays; combined ones are all applied, in order.
    """
    result = x.copy()
    view, combine = _front(result, params["axes"]), params["combine"]
    if combine == "set":
        view[indices] = value
    else:
        getattr(np, combine).at(view, indices, value)
    return result


@meaning("matmul")
def _matmul(params: Params, a: np.ndarray, b: np.ndarray) -> Any:
    return np.matmul(a, b)


@meaning("convolve")
def _convolve(params: Params, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.convolve(a, b)


@meaning("diagonal")
def _diagonal(params: Params, x: np.ndarray) -> np.ndarray:
    return np.diagonal(x, params["offset"], -2, -1)


@meaning("diagonal_matrix")
def _diagonal_matrix(params: Params, x: np.ndarray) -> np.ndarray:
    """Square matrices with the last axis of x on the diagonal `offset`, zero elsewhere."""
    length, offset = x.shape[-1], params["offset"]
    side, place = length + abs(offset), np.arange(length)
    result = np.zeros((*x.shape[:-1], side, side), x.dtype)
    result[..., place + max(-offset, 0), place + max(offset, 0)] = x
    return result


@meaning("tril", "triu")
def _triangle(name: str, params: Params, x: np.ndarray) -> np.ndarray:
    return getattr(np, name)(x, params["offset"])


@meaning("inv", "det", "slogdet", "svdvals", "eigvals", "eig")
def _linalg(name: str, params: Params, a: np.ndarray) -> Any:
    """numpy.linalg's function, LinAlgError included; eigvals and eig give complex results for real matrices too."""
    return getattr(np.linalg, name)(a)


@meaning("expm")
def _expm(params: Params, a: np.ndarray) -> np.ndarray:
    import scipy.linalg

    return scipy.linalg.expm(a)


@meaning("cholesky")
def _cholesky(params: Params, a: np.ndarray) -> np.ndarray:
    """The lower factor from the lower triangle, or the upper one from the upper triangle."""
    return np.linalg.cholesky(a, upper=params["upper"])


@meaning("cholesky_or_nan", "cholesky_inverse", "lu_factors", "lu", "lu_solve", "linear_recurrence", *STRUCTURED)
def _factors(name: str, params: Params, *operands: np.ndarray) -> Any:
    """The function of that name in `egc.factors`, with the parameters as options."""
    return getattr(factors, name)(*operands, **params)


@meaning("solve")
def _solve(params: Params, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.linalg.solve(a, b)


@meaning("solve_triangular")
def _solve_triangular(params: Params, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """SciPy's, on each matrix of a batch; only one triangle of a is read. nan and inf pass through.

    `transposed` solves with the plain transpose; `lower` tells which triangle of a itself is read.
    LinAlgError for a zero on the diagonal.
    """
    from scipy.linalg import solve_triangular

    rank = 1 if b.ndim == 1 else 2
    batch = np.broadcast_shapes(a.shape[:-2], b.shape[: b.ndim - rank])
    a, b = np.broadcast_to(a, (*batch, *a.shape[-2:])), np.broadcast_to(b, (*batch, *b.shape[b.ndim - rank :]))
    result = np.empty(b.shape, b.dtype)
    options = {"lower": params["lower"], "unit_diagonal": params["unit_diagonal"], "check_finite": False}
    for place in product(*map(range, batch)):
        result[place] = solve_triangular(a[place], b[place], trans=int(params["transposed"]), **options)
    return result


@meaning("qr")
def _qr(params: Params, a: np.ndarray) -> Any:
    """`numpy.linalg.qr`; the mode `r` gives a tuple of one."""
    result = np.linalg.qr(a, params["mode"])
    return (result,) if params["mode"] == "r" else result


@meaning("svd")
def _svd(params: Params, a: np.ndarray) -> Any:
    return np.linalg.svd(a, full_matrices=params["full_matrices"])


@meaning("eigh", "eigvalsh")
def _eigh(name: str, params: Params, a: np.ndarray) -> Any:
    return getattr(np.linalg, name)(a, "L" if params["lower"] else "U")


@meaning("pinv")
def _pinv(params: Params, a: np.ndarray) -> np.ndarray:
    return np.linalg.pinv(a, params["rcond"])


@meaning("lstsq")
def _lstsq(params: Params, a: np.ndarray, b: np.ndarray) -> Any:
    """The solution, the rank and the singular values; the residuals are left to the caller."""
    solution, _residuals, rank, singular = np.linalg.lstsq(a, b, params["rcond"])
    return solution, rank, singular


@meaning("item")
def _item(params: Params, values: tuple[np.ndarray, ...]) -> np.ndarray:
    return values[params["index"]]


def _region(region: Region, *operands: Any) -> tuple[Any, ...]:
    values, bindings = region.bind(operands)
    return evaluate_nodes(region.program.outputs, values, bindings)


@meaning("loop")
def _loop(params: Params, *operands: Any) -> tuple[Any, ...]:
    """The states after the last iteration; a negative count is none. `pre` sees the states before an iteration, `post` those
    after it."""
    count, given = (int(operands[0]), operands[1:]) if params["counted"] else (None, operands)
    states, others = tuple(given[: params["states"]]), given[params["states"] :]
    done = 0
    while count is None or done < count:
        index = () if count is None else (np.array(done),)
        if params["pre"] is not None and not _region(params["pre"], *index, *states, *others)[0]:
            break
        states = _region(params["update"], *index, *states, *others)
        done += 1
        if params["post"] is not None and not _region(params["post"], *index, *states, *others)[0]:
            break
    return _own(states, operands)


def _own(results: Sequence[Any], operands: Sequence[Any]) -> tuple[Any, ...]:
    """The results, each in memory of its own."""
    found: list[Any] = []
    for result in results:
        others = [*found, *operands]
        found.append(np.array(result) if any(np.may_share_memory(result, other) for other in others) else result)
    return tuple(found)


@meaning("cond")
def _cond(params: Params, condition: np.ndarray, *operands: Any) -> tuple[Any, ...]:
    """Only the branch that is taken runs."""
    return _own(_region(params["then" if condition else "otherwise"], *operands), operands)


def apply(op: str, arrays: Sequence[Any], params: Params, result_type: Type, bindings: Mapping[str, int] = {}) -> Any:
    """One op on arrays: an array of exactly `result_type`'s dtype, or a tuple of them.

    `bindings` gives the size symbols that `params` and `result_type` mention. Raises what NumPy raises.

    >>> from egc.types import parse_type
    >>> apply("sum", [np.ones((2, 3))], {"axes": (1,)}, parse_type("f64[2]"))
    array([3., 3.])
    """
    with np.errstate(all="ignore"):
        result = EVALUATE[op](bind_params(params, bindings), *arrays)
        if isinstance(result_type, TupleType):
            return tuple(_typed(op, *pair, bindings) for pair in zip(result, result_type.items, strict=True))
        return _typed(op, result, result_type, bindings)


def _typed(op: str, value: Any, type: ArrayType, bindings: Mapping[str, int]) -> np.ndarray:
    result = np.asarray(value)
    if result.dtype != type.dtype:
        result = result.astype(type.dtype)
    if result.shape != tuple(sizes.evaluate(dim, bindings) for dim in type.shape):
        raise InternalError("reference", f"{op} gave shape {result.shape} for a value of type {type}")
    return result


def evaluate_nodes(roots: Iterable[Node], values: Mapping[Node, Any], bindings: Mapping[str, int]) -> tuple[Any, ...]:
    """The values of Nodes, each computed once. `values` has the value of every `input` Node."""
    roots = tuple(roots)
    known: dict[Node, Any] = dict(values)
    order = list(topological(roots))
    uses = Counter(child for node in order for child in node.inputs)
    uses.update(roots)
    for node in order:
        if node not in known:
            known[node] = apply(node.op, _operands(node, known), node.params, node.type, bindings)
        for child in node.inputs:
            uses[child] -= 1
            if not uses[child]:
                del known[child]
    return tuple(known[root] for root in roots)


def _operands(node: Node, known: Mapping[Node, Any]) -> list[Any]:
    """A constant operand of an elementwise op stays a scalar, so that the result is computed and laid out in memory
    as NumPy does for `x * 2.0`."""
    scalars = OPS[node.op].kind == "elementwise" and any(child.op != "constant" for child in node.inputs)
    return [
        np.array(child.params["value"], child.type.dtype) if scalars and child.op == "constant" else known[child]
        for child in node.inputs
    ]


def evaluate(program: Program, arguments: Sequence[Any]) -> tuple[np.ndarray, ...]:
    """The Program's results for arrays (or Python scalars) in the order of its inputs.

    Raises what NumPy raises; ShapeError or OperandTypeError for arguments that are not of the inputs' types.

    >>> from egc import ir
    >>> from egc.types import parse_type
    >>> x = ir.input("x", parse_type("f64[n]"))
    >>> square = Program((x,), (ir.make("multiply", x, x),))
    >>> evaluate(square, [np.array([1.0, 2.0, 3.0])])
    (array([1., 4., 9.]),)
    """
    arrays, bindings = bind_arguments(program, arguments)
    return evaluate_nodes(program.outputs, dict(zip(program.inputs, arrays)), bindings)


class ReferenceBackend:
    """Runs any Program with NumPy and SciPy, unfused; slow, and right by definition."""

    name = "reference"
    description = "NumPy, one operation at a time: the meaning of every op"
    costs = read_table(Path(__file__).parent / "costs" / "reference.json")

    def missing(self, program: Program) -> Sequence[Missing]:
        return [
            Missing(node.op, "it has no meaning", node.line)
            for node in program.nodes()
            if node.op not in EVALUATE and node.op != "input"
        ]

    def compile(self, program: Program, demands: Demands = PLAIN) -> Compiled:
        run = partial(_run, program)
        return Compiled(run, kernels=tuple(node.op for node in program.nodes() if node.inputs))


def _run(program: Program, *arguments: Any) -> tuple[np.ndarray, ...]:
    return evaluate(program, arguments)


BACKEND = ReferenceBackend()
