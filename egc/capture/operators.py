"""Python's operators on traced values and sizes: those of NumPy, and where both operands are Python's numbers, Python's."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from egc.capture import build
from egc.capture.array import Array, mixed_number, promotion_key, python_number, result, to_node
from egc.capture.bounds import Undecided
from egc.capture.context import current
from egc.capture.integers import bound_of, check_integer
from egc.capture.ufuncs import COMPARED, call_ufunc, elementwise, is_python_number, positive, square, store
from egc.errors import NotEncodable
from egc.ir import Node
from egc.sizes import Size


def _is_python_complex(value: Any) -> bool:
    return type(value) is complex or (isinstance(value, Array) and value.kind == "python" and value.dtype.kind == "c")


def _as_python_float(value: Any) -> Any:
    """To Python's complex numbers a float64 scalar is the float that it inherits from: `1j * x` is Python's then."""
    if isinstance(value, Array) and value.kind == "scalar" and value.dtype == np.float64:
        return python_number(value.node)
    return float(value) if isinstance(value, np.float64) else value


def _python_division_check(divisor: Any) -> None:
    node = to_node(divisor)
    if node.op == "constant" and node.params["value"]:
        return
    if node.op == "size" and current().surely_at_least(node.params["value"], 1):
        return
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
        if _python_kinds(a) and _python_kinds(b):
            return _mixed_binary(ufunc, a, b)
        return call_ufunc(ufunc, "__call__", (a, b), {})
    if ufunc in (np.divide, np.floor_divide, np.remainder):
        _python_division_check(b)
    kinds = {promotion_key(a), promotion_key(b)}
    if ufunc in (np.floor_divide, np.remainder, np.power) and np.dtype(bool) in kinds:
        raise NotEncodable("arithmetic of Python bools", "egc keeps them apart from numbers", current().line)
    bools = np.dtype(bool) in kinds and ufunc in (np.add, np.subtract, np.multiply, np.divide)
    a, b = (to_node(v, np.dtype(np.int64)) if bools and promotion_key(v) == np.dtype(bool) else v for v in (a, b))
    node = elementwise(ufunc.__name__, *(python_number(v) if isinstance(v, Node) else v for v in (a, b)))
    check_integer(ufunc, node)
    if ufunc is np.power:
        _python_power_check(node)
    return python_number(node)


NATURAL = "?lqdD"
"""The characters of the dtypes that Python's numbers have."""


def _python_kinds(value: Any) -> str:
    """The kinds of dtypes of the Python numbers that an operand is, in some cases or in all."""
    if isinstance(value, Array):
        return value.dtype.kind if value.kind == "python" else value.mixed
    return (
        np.asarray(value).dtype.kind
        if is_python_number(value) and not isinstance(value, Size)
        else "i" * is_python_number(value)
    )


def _mixed_binary(ufunc: np.ufunc, a: Any, b: Any) -> Any:
    """An operator of two numbers that are both Python's in some cases, in which it raises what Python raises."""
    kinds = [_python_kinds(value) for value in (a, b)]
    plain = [result(value.node) if isinstance(value, Array) and value.mixed else value for value in (a, b)]
    compared = ufunc.__name__ in COMPARED
    if not compared and any(isinstance(v, Array) and v.dtype.char not in NATURAL[1:] for v in plain):
        raise mixed_number(ufunc.__name__)
    if ufunc in (np.divide, np.floor_divide, np.remainder):
        _python_division_check(b)
    found = call_ufunc(ufunc, "__call__", plain, {})
    check_integer(ufunc, found.node)
    if ufunc is np.power:
        if "i" in kinds[0] and "i" in kinds[1]:
            raise mixed_number("power")
        _python_power_check(found.node)
    order = "bifc"
    pairs = {max(x, y, "i", key=order.index) for x in kinds[0] for y in kinds[1]}
    pairs = {"b"} if compared else {max(kind, "f", key=order.index) for kind in pairs} if ufunc is np.divide else pairs
    found.mixed = "".join(sorted(pairs))
    return found


def unary(ufunc: np.ufunc, a: Any) -> Any:
    if a.kind == "python":
        return python_number(elementwise(ufunc.__name__, a))
    if a.mixed:
        if a.dtype.char not in NATURAL[1:]:
            raise mixed_number(ufunc.__name__)
        if ufunc is np.negative and a.mixed != a.dtype.kind:
            current().check(current().make("equal", a.node, build.zeros_like(a.node)))
        found = call_ufunc(ufunc, "__call__", (result(a.node),), {})
        found.mixed = a.mixed
        return found
    return call_ufunc(ufunc, "__call__", (a,), {})


FAST_POWERS: dict[float, Callable[[Any], Any]] = {
    0.5: lambda x: result(elementwise("sqrt", x)),
    1: lambda x: result(positive(x)),
    2: lambda x: result(square(x)),
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
        if function is operator.mul and any(bound_of(value) is None for value in operands):
            return function(*(python_number(to_node(value)) for value in operands))
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


__all__ = ["any_size", "binary", "power", "size_operation"]
