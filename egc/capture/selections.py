"""Selections by a mask, `x[mask]`: their length depends on data, so they stay the whole array and its mask.

Elementwise arithmetic, reductions over all of a selection, and writing it back under the same mask are encoded.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from egc import ir
from egc.capture import build
from egc.capture.array import OPERATORS, Array, python_number, result
from egc.capture.context import current
from egc.capture.indexing import mask_condition
from egc.capture.stretches import Ordered, Stretch, elementwise, gathered, places
from egc.capture.ufuncs import call_ufunc
from egc.errors import NotEncodable
from egc.ir import Node


def _unknown(what: str) -> NotEncodable:
    return NotEncodable(f"{what} of a selection by a mask", "its shape depends on data", current().line)


class Selection(Ordered, np.lib.mixins.NDArrayOperatorsMixin):
    """`values[mask]` for a mask of the same shape. `values` holds for every element, selected or not."""

    def __init__(self, values: Node, mask: Node):
        self.values, self.mask = values, mask

    dtype = property(lambda self: self.values.type.dtype)
    ndim = 1

    @property
    def size(self) -> Array:
        return python_number(self.count())

    @property
    def shape(self) -> tuple[Array]:
        return (self.size,)

    def count(self) -> Node:
        return build.reduce("sum", build.cast(self.mask, np.int64), range(self.mask.type.rank))

    def filled(self, value: Any) -> Array:
        """The whole array with `value` where the mask does not hold."""
        fill = ir.constant(value, self.dtype, self.values.type.shape)
        return Array(current().make("where", self.mask, self.values, fill))

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *operands: Any, **options: Any) -> Any:
        if method != "__call__" or options.pop("out", None) not in (None, (self,)) or options or ufunc.nout != 1:
            raise _unknown(f"{ufunc.__name__}.{method}")
        if any(isinstance(operand, Stretch) for operand in operands):
            return elementwise(ufunc, [x.elements() if isinstance(x, Selection) else x for x in operands])
        whole = call_ufunc(ufunc, "__call__", [self._aligned(operand) for operand in operands], {})
        return Selection(build.broadcast_to(whole.node, self.mask.type.shape), self.mask)

    def elements(self) -> Stretch:
        if self.mask.type.rank != 1:
            raise _unknown("an order")
        return gathered(Array(self.values), places(Array(self.mask)))

    def _aligned(self, operand: Any) -> Any:
        if isinstance(operand, Selection):
            if operand.mask is not self.mask:
                raise _unknown("arithmetic with another selection")
            return Array(operand.values)
        if np.ndim(operand if not isinstance(operand, Array) else np.empty((0,) * operand.ndim)):
            raise _unknown("arithmetic with an array")
        return operand

    def __array_function__(self, function: Any, types: Any, arguments: Any, options: Any) -> Any:
        method = getattr(self, getattr(function, "__name__", ""), None)
        if method is None or not arguments or arguments[0] is not self:
            raise _unknown(getattr(function, "__name__", "a function"))
        return method(*arguments[1:], **options)

    def __array__(self, *options: Any, **named: Any) -> np.ndarray:
        raise _unknown("a conversion")

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or not hasattr(np.ndarray, name):
            raise AttributeError(name)
        raise _unknown(name)

    def __len__(self) -> int:
        raise _unknown("len()")

    def __iter__(self) -> Any:
        raise _unknown("iteration")

    def __getitem__(self, index: Any) -> Any:
        raise _unknown("an item")

    def copy(self) -> Selection:
        return self

    def astype(self, dtype: Any) -> Selection:
        return Selection(build.cast(self.values, dtype), self.mask)

    def mean(self) -> Array:
        total = self.sum() if self.dtype.kind in "fc" else self.astype(np.float64).sum()
        return total / result(build.cast(self.count(), total.dtype))

    def var(self) -> Any:
        deviation = self - self.mean()
        return abs(deviation * deviation.conj()).mean() if self.dtype.kind == "c" else (deviation * deviation).mean()

    def conj(self) -> Any:
        return np.conjugate(self)

    def std(self) -> Any:
        return np.sqrt(self.var())

    def _check_nonempty(self) -> None:
        """NumPy raises for the extreme of nothing."""
        some = build.reduce("any", self.mask, range(self.mask.type.rank))
        current().check(current().make("logical_not", some))


def _reduction(name: str, neutral: Callable[[np.dtype], Any], nonempty: bool = False) -> Callable[[Selection], Any]:
    def reduce(self: Selection) -> Any:
        if nonempty:
            self._check_nonempty()
        return getattr(self.filled(neutral(self.dtype)), name)()

    reduce.__name__ = name
    return reduce


def _lowest(dtype: np.dtype) -> Any:
    if dtype.kind == "c":
        raise _unknown("max")
    return -np.inf if dtype.kind == "f" else False if dtype.kind == "b" else np.iinfo(dtype).min


def _highest(dtype: np.dtype) -> Any:
    if dtype.kind == "c":
        raise _unknown("min")
    return np.inf if dtype.kind == "f" else True if dtype.kind == "b" else np.iinfo(dtype).max


for _name, _neutral in (("sum", lambda d: 0), ("prod", lambda d: 1), ("any", lambda d: False), ("all", lambda d: True)):
    setattr(Selection, _name, _reduction(_name, _neutral))
for _name, _bound in (("max", _lowest), ("min", _highest)):
    setattr(Selection, _name, _reduction(_name, _bound, nonempty=True))


def is_selectable(function: Any) -> bool:
    """Whether a function is one of NumPy's that dispatch to Selection's own methods."""
    return (
        isinstance(function, np.ufunc)
        or hasattr(Selection, getattr(function, "__name__", ""))
        and (getattr(np, function.__name__, None) is function)
    )


def select(x: Array, mask: Array) -> Selection:
    """`x[mask]` for a mask of x's shape."""
    if mask.ndim != x.ndim:
        raise _unknown("an axis")
    return Selection(x.node, mask_condition(x, [mask]))


def write_selection(x: Array, entries: Any, value: Any) -> bool:
    """`x[mask] = selection` under the same mask; whether that is what was asked for."""
    if not isinstance(value, Selection):
        return False
    if mask_condition(x, entries) is not value.mask:
        raise _unknown("an assignment")
    x.write(current().make("where", value.mask, build.cast(value.values, x.dtype), x.node))
    return True


OPERATORS["select"], OPERATORS["write_selection"] = select, write_selection
