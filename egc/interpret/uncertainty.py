"""Numbers with standard deviations: values that depend linearly on independent sources, so that correlations follow."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from egc.errors import OperandTypeError, ShapeError

_numbers = itertools.count()
"""Every source has a number of its own."""

ROUNDING = 1e-10
"""How far below zero an eigenvalue of a covariance may be, by rounding, beside the largest one."""


class Uncertain:
    """An array of numbers that are known up to errors: `value` plus `coefficients` times independent sources of deviation 1.

    value: the means, an array or number. deviation: their standard deviations, which broadcast; each element is then independent of
        all others. covariance: the covariance of the elements in C order instead, a matrix.
    sources: the numbers of the sources. coefficients: a `scipy.sparse.csr_array` with a row for each element and a column for
        each source. Two Uncertains are correlated where they share sources.
    Raises ValueError for a negative deviation and a covariance that is not positive semidefinite, ShapeError (a ValueError) for
    shapes that do not fit, and OperandTypeError (a TypeError) for values that are not real floating numbers.

    >>> import numpy as np
    >>> x = Uncertain([1.0, 2.0], covariance=[[1.0, 0.5], [0.5, 1.0]])
    >>> x.deviation.round(12), x.correlation().round(12)[0, 1]
    (array([1., 1.]), np.float64(0.5))
    """

    __slots__ = ("value", "sources", "coefficients")

    value: np.ndarray
    sources: np.ndarray
    coefficients: Any

    def __init__(self, value: Any, deviation: Any = None, *, covariance: Any = None):
        self.value = np.asarray(value)
        if self.value.dtype.kind in "iu":
            self.value = self.value.astype(float)
        if self.value.dtype.kind != "f":
            raise OperandTypeError(f"uncertain values are real numbers, not of dtype {self.value.dtype}")
        if (deviation is None) == (covariance is None):
            raise TypeError("an Uncertain is made of values, and of deviations or a covariance")
        self.coefficients = self._independent(deviation) if covariance is None else self._factor(covariance)
        self.sources = np.array([next(_numbers) for _ in range(self.coefficients.shape[1])], np.int64)

    def _independent(self, deviation: Any) -> Any:
        from scipy.sparse import csr_array

        deviation = np.asarray(deviation, float)
        try:
            spread = np.broadcast_to(deviation, self.value.shape).ravel()
        except ValueError as error:
            raise ShapeError(f"deviations of shape {deviation.shape} for values of shape {self.value.shape}") from error
        if not (spread >= 0).all():
            raise ValueError("a standard deviation is not negative")
        (places,) = np.nonzero(spread)
        return csr_array((spread[places], (places, np.arange(len(places)))), shape=(spread.size, len(places)))

    def _factor(self, covariance: Any) -> Any:
        from scipy.sparse import csr_array

        covariance = np.asarray(covariance, float)
        if covariance.shape != (self.value.size, self.value.size):
            raise ShapeError(f"a covariance of shape {covariance.shape} for {self.value.size} values")
        if not np.allclose(covariance, covariance.T, rtol=ROUNDING, atol=0.0):
            raise ValueError("a covariance is symmetric")
        values, vectors = np.linalg.eigh(covariance)
        if values.min(initial=0.0) < -ROUNDING * values.max(initial=0.0):
            raise ValueError("a covariance is positive semidefinite")
        some = values > 0
        return csr_array(vectors[:, some] * np.sqrt(values[some]))

    @classmethod
    def of(cls, value: Any, sources: np.ndarray, coefficients: Any) -> Uncertain:
        """Values and what they have of sources."""
        made = object.__new__(cls)
        made.value, made.sources, made.coefficients = np.asarray(value), sources, coefficients
        return made

    @property
    def shape(self) -> tuple[int, ...]:
        return self.value.shape

    @property
    def deviation(self) -> np.ndarray:
        """The standard deviations."""
        squares = self.coefficients.multiply(self.coefficients).sum(axis=1)
        return np.sqrt(np.asarray(squares)).reshape(self.shape)

    def covariance(self, other: Uncertain | None = None) -> np.ndarray:
        """The covariance of the elements with each other, or with those of another one: a matrix, elements in C order."""
        ours, theirs = aligned([self, self if other is None else other])[1]
        return (ours @ theirs.T).toarray()

    def correlation(self, other: Uncertain | None = None) -> np.ndarray:
        """The covariance in units of the deviations; nan for a value that has none."""
        other = self if other is None else other
        with np.errstate(all="ignore"):
            return self.covariance(other) / np.outer(self.deviation, other.deviation)

    def __len__(self) -> int:
        return len(self.value)

    def __getitem__(self, index: Any) -> Uncertain:
        chosen = np.arange(self.value.size).reshape(self.shape)[index]
        return Uncertain.of(self.value[index], self.sources, self.coefficients[np.ravel(chosen)])

    def __repr__(self) -> str:
        return f"Uncertain({self.value!r}, {self.deviation!r})" if self.shape else f"{self.value} ± {self.deviation}"


def aligned(parts: Sequence[Uncertain]) -> tuple[np.ndarray, list[Any]]:
    """The sources of several values, and the coefficients of each for all of them."""
    from scipy.sparse import csr_array

    sources = np.unique(np.concatenate([part.sources for part in parts]))
    found = []
    for part in parts:
        entries = part.coefficients.tocoo()
        columns = np.searchsorted(sources, part.sources)[entries.coords[1]]
        found.append(csr_array((entries.data, (entries.coords[0], columns)), shape=(part.value.size, len(sources))))
    return sources, found
