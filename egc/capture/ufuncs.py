"""Universal functions on traced values: promotion, broadcasting, `out=`, `where=`, `dtype=`, and Python's operators."""

from __future__ import annotations

import itertools
import math
import operator
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from egc import ir, ops
from egc.capture import build
from egc.capture.array import (
    OPERATORS,
    Array,
    has_traced,
    mixed_number,
    promotion_keys,
    result,
    to_node,
)
from egc.capture.context import current
from egc.capture.registry import DOCUMENTED, dotted_name, lookup, unknown
from egc.errors import NotEncodable, OperandTypeError
from egc.ir import Node
from egc.sizes import Size
from egc.types import SHORT

SPECIAL = frozenset(name for names in ops.SPECIAL.values() for name in names)
PRIMITIVES = SPECIAL.union(*ops.UFUNCS.values())
RENAMED = {"psi": "digamma"}


def loop_dtypes(ufunc: np.ufunc, operands: Sequence[Any], dtype: Any = None) -> tuple[np.dtype, ...]:
    """The dtypes of the loop NumPy picks for these operands: inputs, then outputs."""
    cases = list(itertools.product(*map(promotion_keys, operands)))
    try:
        found, *others = (_resolve(ufunc, keys, None if dtype is None else np.dtype(dtype)) for keys in cases)
    except TypeError as error:
        raise OperandTypeError(str(error), current().line) from error
    if any(other != found for other in others):
        raise mixed_number(ufunc.__name__)
    for loop in found:
        if loop not in SHORT:
            raise NotEncodable(f"{ufunc.__name__} in {loop}", f"egc has no dtype {loop}", current().line)
    return found


@lru_cache(maxsize=4096)
def _resolve(ufunc: np.ufunc, keys: tuple[Any, ...], dtype: np.dtype | None) -> tuple[np.dtype, ...]:
    options: dict[str, Any] = {}
    if dtype is not None:
        options = {"signature": (*[None] * ufunc.nin, *[dtype] * ufunc.nout), "casting": "same_kind"}
    found = tuple(ufunc.resolve_dtypes((*keys, *[None] * ufunc.nout), **options))
    if any(loop.kind == "O" for loop in found) and all(key is int for key in keys):
        return _resolve(ufunc, (np.dtype(np.int64),) * len(keys), dtype)
    return found


def elementwise(name: str, *operands: Any) -> Node:
    """The Node of a primitive on operands, promoted and broadcast as NumPy does."""
    return apply_loop(name, special_ufunc(name) if name in SPECIAL else getattr(np, name), operands)


def special_ufunc(name: str) -> np.ufunc:
    """scipy.special's ufunc; zeta's is behind a Python function."""
    from scipy import special

    return special._ufuncs._zeta if name == "zeta" else getattr(special, name)


def apply_loop(name: str, ufunc: np.ufunc, operands: Sequence[Any], dtype: Any = None) -> Node:
    loop = loop_dtypes(ufunc, operands, dtype)
    if name not in PRIMITIVES or (name in SPECIAL and loop[0].kind != "f"):
        raise unknown(ufunc)
    if any(_beyond(value, kind) for value, kind in zip(operands, loop)):
        return _compared_beyond(name, operands, loop)
    nodes = build.broadcast_together(*(to_node(value, kind) for value, kind in zip(operands, loop)))
    return primitive(name, *nodes)


def _beyond(value: Any, kind: np.dtype) -> bool:
    """Whether a Python integer does not fit a loop's dtype, guarded; for one that is data, a check is left behind."""
    if kind.kind not in "iu" or not is_python_number(value) or isinstance(value, (bool, float, complex)):
        return False
    limits = np.iinfo(kind)
    if isinstance(value, int):
        return not limits.min <= value <= limits.max
    if kind == np.int64:
        return False
    if isinstance(value, Size):
        return not (current().at_least(value, int(limits.min)) and current().at_least(int(limits.max), value))
    if value.dtype == np.int64:
        bound = np.uint64(limits.max).astype(np.int64) if kind == np.uint64 else np.int64(limits.max)
        low = primitive("less", value.node, to_node(np.int64(limits.min)))
        current().check(
            low if kind == np.uint64 else primitive("logical_or", low, primitive("less", to_node(bound), value.node))
        )
    return False


COMPARED: dict[str, Callable[[Any, Any], bool]] = {
    "less": operator.lt,
    "less_equal": operator.le,
    "greater": operator.gt,
    "greater_equal": operator.ge,
    "equal": operator.eq,
    "not_equal": operator.ne,
}


def _compared_beyond(name: str, operands: Sequence[Any], loop: Sequence[np.dtype]) -> Node:
    """A comparison with a Python integer that the dtype cannot hold has one outcome; any other operation overflows."""
    values = [current().value(value) if isinstance(value, (int, Size)) else value for value in operands]
    wrong = next(value for value, kind in zip(values, loop) if isinstance(value, int) and _beyond(value, kind))
    if name not in COMPARED:
        raise OverflowError(f"Python integer {wrong} out of bounds for {loop[0]}")
    outcome = COMPARED[name](*(wrong if value is wrong else 0 for value in values))
    shapes = [value.shape if isinstance(value, Array) else np.shape(value) for value in values]
    return ir.constant(outcome, np.dtype(bool), build.broadcast_shape(*shapes))


def primitive(name: str, *nodes: Node) -> Node:
    """The primitive on nodes of one shape, in the form that rules expect."""
    kind = nodes[0].type.dtype.kind
    if name.startswith("logical_"):
        nodes = tuple(truth(node) for node in nodes)
    elif (
        name == "conjugate"
        and kind != "c"
        or name == "absolute"
        and kind in "bu"
        or name in ("ceil", "floor", "trunc", "rint")
        and kind in "biu"
    ):
        return nodes[0]
    elif name == "reciprocal" and kind in "fc":
        return current().make("divide", ir.constant(1, nodes[0].type.dtype, nodes[0].type.shape), nodes[0])
    elif name == "power" and kind in "iu":
        _check_exponent(nodes[1])
    return current().make(name, *nodes)


def _check_exponent(exponent: Node) -> None:
    """NumPy raises for an integer to a negative integer power."""
    if exponent.type.dtype.kind != "i":
        return
    if exponent.op == "constant":
        if exponent.params["value"] < 0:
            raise ValueError("Integers to negative integer powers are not allowed.")
        return
    negative = current().make("less", exponent, build.zeros_like(exponent))
    current().check(build.reduce("any", negative, range(exponent.type.rank)))


def truth(node: Node) -> Node:
    """`x.astype(bool)`."""
    if node.type.dtype.kind == "b":
        return node
    return current().make("not_equal", node, build.zeros_like(node))


def float_operand(value: Any, ufunc: np.ufunc) -> Node:
    return to_node(value, loop_dtypes(ufunc, (value,))[0])


def square(x: Any) -> Node:
    node = to_node(x, loop_dtypes(np.square, (x,))[0])
    return current().make("multiply", node, node)


def positive(x: Any) -> Node:
    return to_node(x, loop_dtypes(np.positive, (x,))[0])


def _scaled(ufunc: np.ufunc, factor: float) -> Callable[[Any], Node]:
    def scaled(x: Any) -> Node:
        node = float_operand(x, ufunc)
        return current().make("multiply", node, ir.constant(factor, node.type.dtype, node.type.shape))

    return scaled


def _float_power(a: Any, b: Any) -> Node:
    loop = loop_dtypes(np.float_power, (a, b))
    return current().make("power", *build.broadcast_together(to_node(a, loop[0]), to_node(b, loop[1])))


def _modf(x: Any) -> tuple[Node, Node]:
    node = float_operand(x, np.modf)
    make, zero = current().make, build.zeros_like(node)
    whole = make("trunc", node)
    fraction = make("where", make("isinf", node), zero, make("subtract", node, whole))
    return make("copysign", fraction, node), whole


def _frexp(x: Any) -> tuple[Node, Node]:
    node = float_operand(x, np.frexp)
    return current().make("frexp_mantissa", node), current().make("frexp_exponent", node)


def _divmod(a: Any, b: Any) -> tuple[Node, Node]:
    return elementwise("floor_divide", a, b), elementwise("remainder", a, b)


COMPOSED: dict[np.ufunc, Callable[..., Any]] = {
    np.square: square,
    np.positive: positive,
    np.deg2rad: _scaled(np.deg2rad, math.pi / 180.0),
    np.radians: _scaled(np.radians, math.pi / 180.0),
    np.rad2deg: _scaled(np.rad2deg, 180.0 / math.pi),
    np.degrees: _scaled(np.degrees, 180.0 / math.pi),
    np.fabs: lambda x: current().make("absolute", float_operand(x, np.fabs)),
    np.float_power: _float_power,
    np.modf: _modf,
    np.frexp: _frexp,
    np.divmod: _divmod,
}
"""NumPy's ufuncs that are compositions of primitives."""

COMPOSED_BY_NAME: dict[str, Callable[..., Any]] = {}
"""The same for scipy.special's, by dotted name; filled when the NumPy surface is imported."""

DOCUMENTED["ufuncs"] = sorted(
    f"numpy.{name}" for name, f in vars(np).items() if isinstance(f, np.ufunc) and f.__name__ not in ("isnat",)
)
DOCUMENTED["scipy.special ufuncs"] = [f"scipy.special.{name}" for names in ops.SPECIAL.values() for name in names]


def compute(ufunc: np.ufunc, operands: Sequence[Any], dtype: Any = None) -> tuple[Node, ...]:
    """The results of a ufunc call, without `out` and `where`."""
    composition = COMPOSED.get(ufunc) or COMPOSED_BY_NAME.get(dotted_name(ufunc))
    if composition is not None:
        found = composition(*operands)
        nodes = found if isinstance(found, tuple) else (found,)
        return nodes if dtype is None else tuple(build.cast(node, dtype) for node in nodes)
    return (apply_loop(RENAMED.get(ufunc.__name__, ufunc.__name__), ufunc, operands, dtype),)


def call_ufunc(ufunc: np.ufunc, method: str, operands: Sequence[Any], options: dict[str, Any]) -> Any:
    """`ufunc(*operands, **options)` or one of its methods."""
    meaning = lookup(ufunc)
    if meaning is not None and method == "__call__":
        return meaning(*operands, **options)
    if method != "__call__":
        return UFUNC_METHODS[method](ufunc, *operands, **options)
    options = dict(options)
    out, mask, dtype = options.pop("out", None), options.pop("where", True), options.pop("dtype", None)
    casting = options.pop("casting", "same_kind")
    for name in options:
        if name not in ("order", "subok"):
            raise NotEncodable(f"{ufunc.__name__}({name}=)", "egc does not encode this option", current().line)
    operands, extra = operands[: ufunc.nin], operands[ufunc.nin :]
    if len(operands) < ufunc.nin:
        raise TypeError(
            f"{ufunc.__name__}() takes from {ufunc.nin} positional arguments but {len(operands)} were given"
        )
    outs = tuple(extra) if extra else out if isinstance(out, tuple) else (out,) * 1 if out is not None else ()
    nodes = compute(ufunc, operands, dtype)
    if outs:
        results = tuple(
            store(node, target, mask, casting) if target is not None else result(node)
            for node, target in zip(nodes, (*outs, *[None] * len(nodes)))
        )
    elif mask is not True:
        raise NotEncodable(
            f"{ufunc.__name__}(where=) without out=", "unselected elements are undefined", current().line
        )
    else:
        results = tuple(map(result, nodes))
    return results if ufunc.nout > 1 else results[0]


def store(node: Node, target: Any, mask: Any = True, casting: Any = "same_kind") -> Array:
    """Writes a result into an existing array, as `out=` does; returns that array."""
    if not isinstance(target, Array) or target.kind != "array":
        if isinstance(target, np.ndarray):
            raise NotEncodable(
                "out= into an array from outside", "only arguments and local arrays are written", current().line
            )
        raise TypeError("return arrays must be of ArrayType")
    if not np.can_cast(node.type.dtype, target.dtype, casting):
        raise OperandTypeError(
            f"Cannot cast ufunc output from {node.type.dtype} to {target.dtype} with casting rule {casting!r}"
        )
    if build.broadcast_shape(node.type.shape, target.shape) != target.shape:
        raise ValueError("non-broadcastable output operand")
    value = build.broadcast_to(build.cast(node, target.dtype), target.shape)
    if mask is not True:
        condition = build.broadcast_to(to_node(mask, np.dtype(bool)), target.shape)
        value = current().make("where", condition, value, target.node)
    target.write(value)
    return target


OPERATORS["ufunc"] = call_ufunc

UFUNC_METHODS: dict[str, Callable[..., Any]] = {}
"""`reduce`, `accumulate`, `outer`, `at`, `reduceat`: filled when the NumPy surface is imported."""


def is_python_number(value: Any) -> bool:
    return (
        isinstance(value, (bool, int, float, complex, Size))
        and not isinstance(value, np.generic)
        or (isinstance(value, Array) and value.kind == "python")
    )


__all__ = ["call_ufunc", "compute", "elementwise", "has_traced", "store"]
