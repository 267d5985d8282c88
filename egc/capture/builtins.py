"""Python's own functions on traced values and sizes: `len`, `min`, `isinstance`, `math.exp` and their like."""

from __future__ import annotations

import builtins
import collections
import functools
import itertools
import math
import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from egc import ir, ops, sizes
from egc.capture import build
from egc.capture.array import Array, mixed_number, python_number, result, to_node
from egc.capture.bounds import Undecided
from egc.capture.context import current
from egc.capture.flow.values import common
from egc.capture.registry import FUNCTIONS, implements
from egc.capture.stretches import Ordered
from egc.capture.ufuncs import compute, elementwise, truth
from egc.errors import NotEncodable
from egc.sizes import Size

PURE = {
    getattr(builtins, name)
    for name in """abs all any bool bytes callable chr complex dict divmod enumerate filter float format frozenset
        getattr hasattr int isinstance issubclass iter len list map max min next ord pow range repr reversed round set
        slice sorted str sum tuple type zip hash id""".split()
}
"""Builtins that may run at capture on concrete values and on containers of traced ones."""

PURE_MODULES = tuple(
    """math operator itertools functools cmath _operator _functools dataclasses typing collections enum numbers
       fractions decimal copy""".split()
)

theme = "Python builtins"


def python_type(value: Any) -> type:
    """The class that a traced value has when the function runs as written."""
    if isinstance(value, Size):
        return int
    if value.mixed:
        raise mixed_number("the type of a number")
    if value.kind == "array":
        return np.ndarray
    if value.kind == "scalar":
        return value.dtype.type
    return {"b": bool, "i": int, "u": int, "f": float, "c": complex}[value.dtype.kind]


@implements(builtins.len, theme=theme)
def traced_len(value: Any) -> Any:
    if isinstance(value, Array):
        if not value.ndim:
            raise TypeError("len() of unsized object")
        return value.shape[0]
    return value.size if isinstance(value, Ordered) else builtins.len(value)


@implements(builtins.isinstance, theme=theme)
def traced_isinstance(value: Any, classes: Any) -> bool:
    return issubclass(python_type(value), classes) if isinstance(value, (Array, Size)) else isinstance(value, classes)


@implements(builtins.type, theme=theme)
def traced_type(value: Any) -> type:
    return python_type(value) if isinstance(value, (Array, Size)) else type(value)


def _single(value: Array, name: str) -> ir.Node:
    if value.ndim:
        raise NotEncodable(f"{name}() of an array with axes", "NumPy has deprecated it", current().line)
    return value.node


@implements(builtins.float, theme=theme)
def traced_float(value: Any = 0.0) -> Any:
    if isinstance(value, Size):
        return python_number(to_node(value, np.dtype(float)))
    if isinstance(value, Array):
        if value.dtype.kind == "c":
            raise TypeError("float() argument must be a string or a real number, not 'complex'")
        return python_number(build.cast(_single(value, "float"), float))
    return float(value)


@implements(builtins.int, theme=theme)
def traced_int(value: Any = 0, *base: Any) -> Any:
    if isinstance(value, Size):
        return value
    if not isinstance(value, Array):
        return int(value, *base)
    node = _single(value, "int")
    if node.op == "size":
        return node.params["value"]
    if node.type.dtype.kind == "f":
        limit = ir.constant(2.0**63, node.type.dtype)
        inside = current().make("less", current().make("absolute", node), limit)
        current().check(current().make("logical_not", inside))
    elif node.type.dtype.kind == "c":
        raise TypeError("int() argument must be a string, a bytes-like object or a real number, not 'complex'")
    return python_number(build.cast(node, np.int64))


@implements(builtins.complex, theme=theme)
def traced_complex(real: Any = 0, imag: Any = 0) -> Any:
    """A sum, which keeps neither the sign of a zero nor an infinite imaginary part: these run as written."""
    if not isinstance(real, (Array, Size)) and not isinstance(imag, (Array, Size)):
        return complex(real, imag)
    parts = []
    for value in (real, imag):
        node = _single(value, "complex") if isinstance(value, Array) else to_node(value)
        if node.type.dtype.kind == "c":
            raise NotEncodable("complex() of complex numbers", "not encoded", current().line)
        parts.append(build.cast(node, float))
    make = current().make
    zero = ir.constant(0.0, parts[0].type.dtype)
    for part in parts:
        current().check(make("logical_and", make("equal", part, zero), make("signbit", part)))
    current().check(make("logical_not", make("isfinite", parts[1])))
    unit = ir.constant(1j, np.dtype(complex))
    imaginary = make("multiply", build.cast(parts[1], complex), unit)
    return python_number(make("add", build.cast(parts[0], complex), imaginary))


@implements(builtins.bool, theme=theme)
def traced_bool(value: Any = False) -> Any:
    if isinstance(value, Size):
        try:
            return not current().same(value, 0)
        except Undecided:
            return python_number(current().make("not_equal", to_node(value), ir.constant(0, ops.INT64)))
    if isinstance(value, Array):
        if value.ndim and not current().same(value.size, 1):
            raise ValueError(
                "The truth value of an array with more than one element is ambiguous. Use a.any() or a.all()"
            )
        return python_number(truth(build.reshape(value.node, ())))
    return bool(value)


def truth_of(value: Array) -> ir.Node:
    """A traced truth value as a bool scalar."""
    return traced_bool(value).node


@implements(builtins.abs, theme=theme)
def traced_abs(value: Any) -> Any:
    if isinstance(value, Size):
        return value if current().at_least(value, 0) else -value
    return abs(value)


@implements(builtins.round, theme=theme)
def traced_round(value: Any, digits: Any = None) -> Any:
    if isinstance(value, Size) and digits is None:
        return value
    if isinstance(value, Array):
        if value.kind == "python" or digits is None:
            raise NotEncodable("round() of data", "Python's decimal rounding has no op", current().line)
        return value.round(digits)
    return round(value, digits)


def _extreme(name: str, takes: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    plain = getattr(builtins, name)

    def traced_extreme(*values: Any, **options: Any) -> Any:
        items = list(values[0]) if len(values) == 1 else list(values)
        if options or not any(isinstance(item, (Array, Size)) for item in items):
            return plain(*values, **options)
        best = items[0]
        for item in items[1:]:
            best = _better(best, item, takes)
        return best

    return traced_extreme


def _better(best: Any, item: Any, takes: Callable[[Any, Any], Any]) -> Any:
    if not isinstance(best, Array) and not isinstance(item, Array):
        if isinstance(best, (int, Size)) and isinstance(item, (int, Size)):
            try:
                return (
                    item if not current().at_least(*((best, item) if takes is operator.gt else (item, best))) else best
                )
            except Undecided:
                return (sizes.maximum if takes is operator.gt else sizes.minimum)(best, item)
        raise NotEncodable("min or max of a size and a float", "not encoded", current().line)
    if any(isinstance(v, Array) and v.ndim for v in (best, item)):
        raise ValueError("The truth value of an array with more than one element is ambiguous. Use a.any() or a.all()")
    kind = common(best, item, "$extreme")
    chosen = current().make("where", takes(item, best).node, kind.node(item), kind.node(best))
    return kind.value(chosen)


FUNCTIONS[builtins.max] = _extreme("max", operator.gt)
FUNCTIONS[builtins.min] = _extreme("min", operator.lt)

MATH = """acos acosh asin asinh atan atanh ceil cos cosh degrees erf erfc exp exp2 expm1 fabs floor lgamma log log10
          log1p log2 radians sin sinh sqrt tan tanh trunc gamma cbrt isnan isinf isfinite""".split()
MATH_NAMES = {"acos": "arccos", "acosh": "arccosh", "asin": "arcsin", "asinh": "arcsinh", "atan": "arctan",
              "atanh": "arctanh", "lgamma": "gammaln"}  # fmt: skip


def _math_function(name: str) -> Callable[..., Any]:
    plain = getattr(math, name)

    def traced_math(value: Any, *rest: Any) -> Any:
        if rest or not isinstance(value, (Array, Size)):
            if any(isinstance(v, (Array, Size)) for v in (value, *rest)):
                raise NotEncodable(f"math.{name} with several operands", "not encoded", current().line)
            return plain(value, *rest)
        node = to_node(value, np.dtype(float))
        if node.type.rank:
            raise NotEncodable(f"math.{name} of an array", "it takes one number", current().line)
        target = MATH_NAMES.get(name, name)
        ufunc = getattr(np, target, None)
        found = compute(ufunc, [result(node)])[0] if isinstance(ufunc, np.ufunc) else elementwise(target, result(node))
        if found.type.dtype.kind == "f":
            current().check(current().make("logical_not", current().make("isfinite", found)))
        return traced_int(python_number(found)) if name in ("ceil", "floor", "trunc") else python_number(found)

    return traced_math


for _name in MATH:
    if hasattr(math, _name):
        implements(getattr(math, _name), theme="math")(_math_function(_name))


def contains_size(value: Any) -> bool:
    if isinstance(value, (list, tuple, set, frozenset)):
        return any(map(contains_size, value))
    if isinstance(value, dict):
        return any(map(contains_size, value.values())) or any(map(contains_size, value))
    if isinstance(value, slice):
        return any(map(contains_size, (value.start, value.stop, value.step)))
    return isinstance(value, Size)


def concretized(value: Any) -> Any:
    """The value with every symbolic size inside replaced by its integer, guarded."""
    if isinstance(value, Size):
        return current().concretize(value)
    if not contains_size(value):
        return value
    if isinstance(value, (list, tuple, set, frozenset)):
        return type(value)(map(concretized, value))
    if isinstance(value, slice):
        return slice(*map(concretized, (value.start, value.stop, value.step)))
    return {concretized(k): concretized(v) for k, v in value.items()}


def equal_containers(a: Any, b: Any) -> bool:
    """`a == b` for containers with sizes inside."""
    if isinstance(a, (int, Size)) and isinstance(b, (int, Size)):
        return current().same(a, b)
    if isinstance(a, (list, tuple)) and type(a) is type(b):
        return len(a) == len(b) and all(equal_containers(x, y) for x, y in zip(a, b))
    return bool(concretized(a) == concretized(b))


SAFE_CLASSES = (collections.OrderedDict, collections.defaultdict, functools.partial, itertools.count)

__all__ = ["PURE", "PURE_MODULES", "concretized", "contains_size", "equal_containers", "python_type", "sizes"]


def is_pure(function: Any) -> bool:
    """Whether a builtin has no effect but its result; what has no hash is none of them."""
    try:
        return function in PURE
    except TypeError:
        return False
