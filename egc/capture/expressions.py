"""The expressions of numba's IR: each on the values of a frame."""

from __future__ import annotations

import operator
import types
from collections.abc import Callable
from typing import Any

import numpy as np
from numba.core import ir as numba_ir

from egc.capture import builtins as python_builtins
from egc.capture import stretches
from egc.capture.array import Array
from egc.capture.builtins import concretized, contains_size, equal_containers
from egc.capture.bytecode import Closure
from egc.capture.context import current
from egc.capture.flow.containers import CONTAINERS
from egc.capture.flow.iteration import Iterating, iterate
from egc.capture.operators import any_size, size_operation
from egc.capture.registry import lookup
from egc.capture.selections import Selection
from egc.capture.stretches import Stretch
from egc.errors import NotEncodable
from egc.sizes import Size


def outside(what: str) -> NotEncodable:
    return NotEncodable(what, "it changes a value from outside", current().line)


def external(value: Any) -> Any:
    """A value from outside of the arguments: arrays become traced inputs, held by reference and read-only."""
    if type(value) is np.ndarray:
        array = Array(current().constant_array(value), writeable=False)
        array.cell.outside = True
        return array
    return value


def _call(frame: Any, expression: Any) -> Any:
    arguments = [frame[argument] for argument in expression.args]
    if expression.vararg is not None:
        arguments.extend(frame[expression.vararg])
    options = {name: frame[value] for name, value in expression.kws}
    if getattr(expression, "varkwarg", None) is not None:
        options.update(frame[expression.varkwarg])
    return external(frame.machine.call(frame[expression.func], arguments, options))


def _getattr(frame: Any, expression: Any) -> Any:
    owner, name = frame[expression.value], expression.attr
    if isinstance(owner, (Array, Selection)):
        return getattr(owner, name)
    if isinstance(owner, Stretch):
        return owner.attribute(name)
    if isinstance(owner, Size):
        if name in ("real", "numerator"):
            return owner
        raise NotEncodable(f"the attribute {name} of a size", "not encoded", current().line)
    if (
        isinstance(owner, types.ModuleType)
        or frame.machine.is_owned(owner)
        or isinstance(owner, (type, tuple, str, np.dtype))
    ):
        return external(getattr(owner, name))
    value = getattr(owner, name)
    if isinstance(value, (types.MethodType, types.BuiltinMethodType, types.MethodWrapperType)):
        return value
    return external(current().read(f"attribute {name}", (id(owner), name), lambda: getattr(owner, name)))


def _getitem(frame: Any, expression: Any) -> Any:
    return read_item(frame, frame[expression.value], frame[expression.index])


def _static_getitem(frame: Any, expression: Any) -> Any:
    return read_item(frame, frame[expression.value], expression.index)


def read_item(frame: Any, owner: Any, index: Any) -> Any:
    if isinstance(owner, (Array, Stretch)):
        return owner[index]
    meaning = lookup(owner)
    if meaning is not None and not callable(owner):
        return meaning(index)
    if isinstance(owner, np.ndarray):
        return external(owner)[index]
    if isinstance(index, Array):
        raise NotEncodable("an index that depends on data", f"into a {type(owner).__name__}", current().line)
    index = concretized(index)
    outer: Any = owner
    if isinstance(owner, CONTAINERS) and not frame.machine.is_owned(owner) and not isinstance(index, slice):
        return external(current().read("an outer item", (id(owner), index), lambda: outer[index]))
    return external(owner[index])


def apply_operator(function: Any, *operands: Any) -> Any:
    """Python's operator on any mix of concrete values, sizes and traced values."""
    if any(isinstance(value, Stretch) for value in operands) and function not in (operator.is_, operator.is_not):
        return stretches.apply(function, operands, {})
    if any(isinstance(value, Array) for value in operands):
        if function in (operator.is_, operator.is_not):
            return function(*operands)
        if function is operator.not_:
            truth = python_builtins.traced_bool(operands[0])
            return ~truth if isinstance(truth, Array) else not truth
        if function in (operator.contains,):
            raise NotEncodable("`in` with data", "the value is not known before the function runs", current().line)
        return function(*operands)
    if any_size(operands):
        if function in (operator.is_, operator.is_not):
            return function(*operands)
        if function is operator.not_:
            return not python_builtins.traced_bool(operands[0])
        if not all(
            isinstance(v, (int, float, complex, Size, np.generic, np.ndarray, str, type(None))) for v in operands
        ):
            return function(*map(concretized, operands))
        return size_operation(function, *operands)
    if function in (operator.eq, operator.ne) and any(map(contains_size, operands)):
        return equal_containers(*operands) is (function is operator.eq)
    if any(map(contains_size, operands)) and function not in (operator.add, operator.mul, operator.getitem):
        return function(*map(concretized, operands))
    if any(type(value) is np.ndarray for value in operands):
        return function(*map(external, operands))
    return function(*operands)


def _binop(frame: Any, expression: Any) -> Any:
    return apply_operator(expression.fn, frame[expression.lhs], frame[expression.rhs])


def _inplace_binop(frame: Any, expression: Any) -> Any:
    target, operand = frame[expression.lhs], frame[expression.rhs]
    if isinstance(target, Array):
        return expression.fn(target, operand)
    if isinstance(target, Stretch):
        return stretches.apply(expression.fn, (target, operand), {})
    if isinstance(target, Selection) and any(
        value is target and name[0] != "$" and name != expression.lhs.name for name, value in frame.values.items()
    ):
        raise NotEncodable("in-place change of a selection by a mask", "another variable has it", current().line)
    if isinstance(target, CONTAINERS) and not frame.machine.may_change(target):
        raise outside("in-place change of a container")
    if isinstance(target, CONTAINERS):
        return expression.fn(target, operand)
    return apply_operator(expression.immutable_fn, target, operand)


def _unary(frame: Any, expression: Any) -> Any:
    return apply_operator(UNARY.get(expression.fn, expression.fn), frame[expression.value])


UNARY = {"-": operator.neg, "+": operator.pos, "~": operator.invert, "not": operator.not_}


def _build(kind: Callable[[Any], Any]) -> Callable[[Any, Any], Any]:
    def build(frame: Any, expression: Any) -> Any:
        made = kind([frame[item] for item in expression.items])
        return frame.machine.own(made) if isinstance(made, CONTAINERS) else made

    return build


def _build_map(frame: Any, expression: Any) -> Any:
    return frame.machine.own({concretized(frame[key]): frame[value] for key, value in expression.items})


_EXHAUSTED = object()


def _iternext(frame: Any, expression: Any) -> Any:
    iterator = frame[expression.value]
    if isinstance(iterator, Iterating) and iterator.number is not None and iterator.sequence is not None:
        return external(iterator.sequence.at(iterator.number)), True
    value = next(iterator, _EXHAUSTED)
    return (None, False) if value is _EXHAUSTED else (external(value), True)


def _getiter(frame: Any, expression: Any) -> Any:
    return iterate(frame[expression.value])


def _exhaust_iter(frame: Any, expression: Any) -> Any:
    values = tuple(frame[expression.value])
    if len(values) != expression.count:
        relation = "not enough" if len(values) < expression.count else "too many"
        raise ValueError(f"{relation} values to unpack (expected {expression.count})")
    return tuple(map(external, values))


def _make_function(frame: Any, expression: Any) -> Closure:
    code = frame[expression.code] if isinstance(expression.code, numba_ir.Var) else expression.code
    defaults = frame[expression.defaults] if isinstance(expression.defaults, numba_ir.Var) else expression.defaults
    if isinstance(defaults, tuple):
        defaults = tuple(frame[value] if isinstance(value, numba_ir.Var) else value for value in defaults)
    cells = tuple(map(frame.enclosed, code.co_freevars))
    return Closure(code, frame.function.__globals__, cells, tuple(defaults or ()))


EXPRESSIONS: dict[str, Callable[[Any, Any], Any]] = {
    "call": _call,
    "getattr": _getattr,
    "getitem": _getitem,
    "typed_getitem": _getitem,
    "static_getitem": _static_getitem,
    "binop": _binop,
    "inplace_binop": _inplace_binop,
    "unary": _unary,
    "build_tuple": _build(tuple),
    "build_list": _build(list),
    "build_set": _build(lambda items: set(map(concretized, items))),
    "build_map": _build_map,
    "getiter": _getiter,
    "iternext": _iternext,
    "pair_first": lambda frame, expression: frame[expression.value][0],
    "pair_second": lambda frame, expression: frame[expression.value][1],
    "exhaust_iter": _exhaust_iter,
    "cast": lambda frame, expression: frame[expression.value],
    "make_function": _make_function,
    "undef": lambda frame, expression: None,
    "null": lambda frame, expression: None,
}
