"""Arrays of intervals: what is known of numbers is a lower and an upper bound, and whether they may be no number."""

from __future__ import annotations

from typing import Any

import numpy as np

from egc.errors import OperandTypeError, ShapeError


class Interval:
    """An array of intervals: element by element all numbers from `low` to `high`, and nan where `nan` says that it may be.

    low, high: arrays of one shape and dtype (real, integer or bool), which broadcast when an Interval is made. A bound may be
    infinite. An element that is certainly no number has nan for its bounds. nan: an array of bool.
    Raises ValueError for a lower bound above its upper one, ShapeError and OperandTypeError (a ValueError and a TypeError) for
    bounds that do not fit.

    >>> import numpy as np
    >>> x = Interval([0.0, 1.0], 2.0)
    >>> x.high
    array([2., 2.])
    >>> x.contains([0.5, 0.5])
    array([ True, False])
    """

    __slots__ = ("low", "high", "nan")

    low: np.ndarray
    high: np.ndarray
    nan: np.ndarray

    def __init__(self, low: Any, high: Any, nan: Any = False):
        low, high, nan = np.asarray(low), np.asarray(high), np.asarray(nan, bool)
        try:
            shape = np.broadcast_shapes(low.shape, high.shape, nan.shape)
        except ValueError as error:
            raise ShapeError(str(error)) from error
        dtype = np.result_type(low, high)
        if dtype.kind not in "biuf":
            raise OperandTypeError(f"there are no intervals of dtype {dtype}")
        self.low, self.high = (np.broadcast_to(bound.astype(dtype), shape) for bound in (low, high))
        self.nan = np.broadcast_to(nan, shape) | (self.low != self.low)
        if np.any(self.low > self.high) or np.any((self.low != self.low) != (self.high != self.high)):
            raise ValueError("a lower bound is above its upper bound")

    @classmethod
    def of(cls, low: np.ndarray, high: np.ndarray, nan: np.ndarray) -> Interval:
        """Bounds that fit, as they are."""
        made = object.__new__(cls)
        made.low, made.high, made.nan = low, high, nan
        return made

    @classmethod
    def around(cls, values: Any, radius: Any) -> Interval:
        """All numbers at most so far from these, and what rounding needs beyond.

        >>> bool(Interval.around(1.0, 0.1).contains(1.1))
        True
        """
        values, radius = np.asarray(values, float), np.asarray(radius, float)
        return cls(np.nextafter(values - radius, -np.inf), np.nextafter(values + radius, np.inf))

    @property
    def shape(self) -> tuple[int, ...]:
        return self.low.shape

    @property
    def ndim(self) -> int:
        return self.low.ndim

    @property
    def dtype(self) -> np.dtype:
        return self.low.dtype

    @property
    def width(self) -> np.ndarray:
        return np.subtract(self.high, self.low, dtype=np.result_type(self.dtype, np.float32))

    @property
    def middle(self) -> np.ndarray:
        return self.low / 2 + self.high / 2

    def contains(self, values: Any) -> np.ndarray:
        """Element by element, whether a value is in its interval; nan is where it may be."""
        values = np.asarray(values)
        return ((self.low <= values) & (values <= self.high)) | ((values != values) & self.nan)

    def __len__(self) -> int:
        return len(self.low)

    def __getitem__(self, index: Any) -> Interval:
        return Interval.of(np.asarray(self.low[index]), np.asarray(self.high[index]), np.asarray(self.nan[index]))

    def __repr__(self) -> str:
        remark = f", nan={self.nan!r}" if self.nan.any() else ""
        if not self.ndim:
            remark = ", nan=True" if self.nan.any() else ""
            return f"Interval({self.low[()]}, {self.high[()]}{remark})"
        return f"Interval({self.low!r}, {self.high!r}{remark})"


def point(values: Any) -> Interval:
    """The interval of nothing but these values."""
    values = np.asarray(values)
    return Interval.of(values, values, values != values)


def whole(dtype: np.dtype, shape: tuple[int, ...]) -> Interval:
    """Any value of a dtype."""
    if dtype.kind == "b":
        low, high = False, True
    elif dtype.kind in "iu":
        low, high = np.iinfo(dtype).min, np.iinfo(dtype).max  # type: ignore[assignment]
    else:
        low, high = -np.inf, np.inf  # type: ignore[assignment]
    return Interval.of(np.full(shape, low, dtype), np.full(shape, high, dtype), np.full(shape, dtype.kind == "f"))


def hull(a: Interval, b: Interval) -> Interval:
    """The least interval that has all of both."""
    return Interval.of(np.asarray(_least(a.low, b.low)), np.asarray(_greatest(a.high, b.high)), a.nan | b.nan)


def _least(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.fmin(a, b) if a.dtype.kind == "f" else np.minimum(a, b)


def _greatest(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.fmax(a, b) if a.dtype.kind == "f" else np.maximum(a, b)
