"""Universal functions on traced values: promotion, broadcasting, `out=`, `where=`, `dtype=`, and Python's operators."""

from __future__ import annotations

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
    promotion_key,
    python_number,
    result,
    to_node,
)
from egc.capture.bounds import Undecided
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
    keys = tuple(map(promotion_key, operands))
    try:
        found = _resolve(ufunc, keys, None if dtype is None else np.dtype(dtype))
    except TypeError as error:
        raise OperandTypeError(str(error), current().line) from error
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


def _square(x: Any) -> Node:
    node = to_node(x, loop_dtypes(np.square, (x,))[0])
    return current().make("multiply", node, node)


def _positive(x: Any) -> Node:
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
    np.square: _square,
    np.positive: _positive,
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


def _is_python_complex(value: Any) -> bool:
    return type(value) is complex or (isinstance(value, Array) and value.kind == "python" and value.dtype.kind == "c")


def _as_python_float(value: Any) -> Any:
    """To Python's complex numbers a float64 scalar is the float that it inherits from: `1j * x` is Python's then."""
    if isinstance(value, Array) and value.kind == "scalar" and value.dtype == np.float64:
        return python_number(value.node)
    return float(value) if isinstance(value, np.float64) else value


def _python_division_check(divisor: Any) -> None:
    node = to_node(divisor)
    current().check(current().make("equal", node, build.zeros_like(node)))


def _python_power_check(value: Node) -> None:
    if value.type.dtype.kind in "fc":
        current().check(current().make("logical_not", current().make("isfinite", value)))


def binary(ufunc: np.ufunc, a: Any, b: Any) -> Any:
    """Python's operator of two operands, one of them traced."""
    if _is_python_complex(a) and not is_python_number(b):
        b = _as_python_float(b)
    if not (is_python_number(a) and is_python_number(b)):
        if isinstance(a, (str, bytes, dict, set)) or isinstance(b, (str, bytes, dict, set)) or a is None or b is None:
            raise NotEncodable(f"{ufunc.__name__} with a {type(b).__name__}", "not a number", current().line)
        return call_ufunc(ufunc, "__call__", (a, b), {})
    if ufunc in (np.divide, np.floor_divide, np.remainder):
        _python_division_check(b)
    kinds = {promotion_key(a), promotion_key(b)}
    if ufunc in (np.floor_divide, np.remainder, np.power) and np.dtype(bool) in kinds:
        raise NotEncodable("arithmetic of Python bools", "egc keeps them apart from numbers", current().line)
    bools = np.dtype(bool) in kinds and ufunc in (np.add, np.subtract, np.multiply, np.divide)
    a, b = (to_node(v, np.dtype(np.int64)) if bools and promotion_key(v) == np.dtype(bool) else v for v in (a, b))
    node = elementwise(ufunc.__name__, *(python_number(v) if isinstance(v, Node) else v for v in (a, b)))
    if ufunc is np.power:
        _python_power_check(node)
    return python_number(node)


def unary(ufunc: np.ufunc, a: Any) -> Any:
    if a.kind == "python":
        return python_number(elementwise(ufunc.__name__, a))
    return call_ufunc(ufunc, "__call__", (a,), {})


FAST_POWERS: dict[float, Callable[[Any], Any]] = {
    0.5: lambda x: result(elementwise("sqrt", x)),
    1: lambda x: result(_positive(x)),
    2: lambda x: result(_square(x)),
    -1: lambda x: result(elementwise("reciprocal", x)),
}
"""Exponents for which `array ** number` calls another ufunc in NumPy."""


def power(a: Any, b: Any) -> Any:
    """`a ** b`. For an array and a literal exponent NumPy takes a square, a square root or a reciprocal."""
    fast = FAST_POWERS.get(b) if isinstance(b, (int, float)) and not isinstance(b, bool) else None
    if fast is not None and isinstance(a, Array) and a.kind != "python":
        kind = a.dtype.kind
        if b == 2 and kind in "iufc" or (a.kind == "array" and kind in "fc"):
            return fast(a)
    return binary(np.power, a, b)


def _install() -> None:
    infix = {
        "add": np.add, "sub": np.subtract, "mul": np.multiply, "truediv": np.divide, "floordiv": np.floor_divide,
        "mod": np.remainder, "and": np.bitwise_and, "or": np.bitwise_or, "xor": np.bitwise_xor,
        "lshift": np.left_shift, "rshift": np.right_shift, "pow": np.power, "matmul": np.matmul,
    }  # fmt: skip
    for name, ufunc in infix.items():
        forward: Callable[[Any, Any], Any] = power if name == "pow" else _forward(ufunc)
        setattr(Array, f"__{name}__", forward)
        setattr(Array, f"__r{name}__", _reflected(forward))
        setattr(Array, f"__i{name}__", _in_place(ufunc, forward))
    compare = {
        "lt": np.less,
        "le": np.less_equal,
        "gt": np.greater,
        "ge": np.greater_equal,
        "eq": np.equal,
        "ne": np.not_equal,
    }
    for name, ufunc in compare.items():
        setattr(Array, f"__{name}__", _forward(ufunc))
    for name, ufunc in {"neg": np.negative, "pos": np.positive, "abs": np.absolute, "invert": np.invert}.items():
        setattr(Array, f"__{name}__", _unary(ufunc))
    setattr(Array, "__divmod__", lambda a, b: (a // b, a % b))  # noqa: B010
    setattr(Array, "__rdivmod__", lambda a, b: (b // a, b % a))  # noqa: B010


def _forward(ufunc: np.ufunc) -> Callable[[Any, Any], Any]:
    return lambda a, b: NotImplemented if isinstance(b, np.ufunc) else binary(ufunc, a, b)


def _reflected(forward: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    return lambda a, b: forward(b, a)


def _unary(ufunc: np.ufunc) -> Callable[[Any], Any]:
    return lambda a: unary(ufunc, a)


def _in_place(ufunc: np.ufunc, forward: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    def in_place(a: Any, b: Any) -> Any:
        if isinstance(a, Array) and a.kind == "array":
            if ufunc is np.matmul:
                return _in_place_matmul(a, b)
            value = forward(a, b)
            return store(value.node, a)
        return forward(a, b)

    return in_place


def _in_place_matmul(a: Array, b: Any) -> Any:
    if not a.ndim or to_node(b).type.rank < 2:
        raise ValueError(
            "inplace matrix multiplication requires the first operand to have at least one and the second at least "
            "two dimensions."
        )
    return call_ufunc(np.matmul, "__call__", (a, b), {"out": (a,)})


_install()

SIZE_OPERATIONS = (
    operator.add,
    operator.sub,
    operator.mul,
    operator.floordiv,
    operator.mod,
    operator.neg,
    operator.pos,
)
COMPARISONS: dict[Any, Callable[[Any, Any], bool]] = {
    operator.eq: lambda a, b: current().same(a, b),
    operator.ne: lambda a, b: not current().same(a, b),
    operator.ge: lambda a, b: current().at_least(a, b),
    operator.le: lambda a, b: current().at_least(b, a),
    operator.gt: lambda a, b: not current().at_least(b, a),
    operator.lt: lambda a, b: not current().at_least(a, b),
}


def size_operation(function: Any, *operands: Any) -> Any:
    """Python's operator on operands of which one is a symbolic size and none is traced."""
    if all(isinstance(value, (int, Size)) for value in operands):
        if function in (operator.floordiv, operator.mod) and operands[1] == 0:
            raise ZeroDivisionError("integer division or modulo by zero")
        if function in SIZE_OPERATIONS:
            return function(*operands)
        if function in COMPARISONS:
            try:
                return COMPARISONS[function](*operands)
            except Undecided:
                return function(*(python_number(to_node(value)) for value in operands))
        if function is operator.pow and isinstance(operands[1], int) and 0 <= operands[1] <= 8:
            return math.prod([operands[0]] * operands[1]) if operands[1] else 1
    if function in (operator.eq, operator.ne) and not any(
        isinstance(v, (float, complex, np.ndarray, np.generic)) for v in operands
    ):
        return function is operator.ne
    if not all(isinstance(value, (int, float, complex, Size, np.ndarray, np.generic)) for value in operands):
        raise NotEncodable(f"{function.__name__} of a size", "not a number", current().line)
    traced = [python_number(to_node(value)) if isinstance(value, Size) else value for value in operands]
    if function in COMPARISONS:
        return function(*(current().concretize(v) if isinstance(v, Size) else v for v in operands))
    return function(*traced)


def any_size(values: Sequence[Any]) -> bool:
    return any(isinstance(value, Size) for value in values) and not any(isinstance(value, Array) for value in values)


__all__ = [
    "any_size",
    "binary",
    "call_ufunc",
    "compute",
    "elementwise",
    "has_traced",
    "power",
    "size_operation",
    "store",
]
