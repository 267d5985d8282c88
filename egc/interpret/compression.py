"""Which products give a matrix with a pattern: with vectors from the right, from the left, or some of both.

A few rows with many elements cost a product from the left each, instead of making all columns differ in color; the same holds for
a few columns (Coleman and Verma, "The efficient computation of sparse Jacobian matrices using automatic differentiation", 1998).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from egc.interpret import patterns
from egc.interpret.coloring import color_columns, color_symmetric, places, places_by_rows, seeds, symmetric_places
from egc.interpret.patterns import Rows

FROM_THE_LEFT = 2
"""What a product from the left costs, in those from the right."""

BOTH = 8
"""What it costs beside, in the same, to make products of both kinds."""

MOST_APART = 64
"""Rows or columns that may have products of their own."""


@dataclass(frozen=True)
class Part:
    """Products of one mode, `forward` or `reverse` (from the left): a seed for each; and where some entries of the pattern, by
    number, are in the products."""

    mode: str
    seeds: np.ndarray
    places: np.ndarray
    entries: np.ndarray


@dataclass(frozen=True)
class Compression:
    """The products that give a derivative with a pattern. shape: that of the function's result."""

    pattern: Rows
    parts: tuple[Part, ...]
    shape: tuple[int, ...]

    @property
    def count(self) -> int:
        return sum(len(part.seeds) for part in self.parts)

    def matrix(self, products: Sequence[Any], dtype: np.dtype) -> Any:
        """The matrix, as a `scipy.sparse.csr_array`, from the products of each part."""
        from scipy.sparse import csr_array

        values = np.zeros(len(self.pattern.indices), dtype)
        for part, found in zip(self.parts, products):
            values[part.entries] = np.ravel(found)[part.places]
        indices, indptr = self.pattern.indices.copy(), self.pattern.indptr.copy()
        return csr_array((values, indices, indptr), shape=self.pattern.shape)


def compress(pattern: Rows, order: int, mode: str, shape: tuple[int, ...]) -> Compression:
    """As few products as colorings give, for a Jacobian in a mode or, with `auto`, in both; for a Hessian (order 2) by symmetry."""
    if not pattern.nnz:
        return Compression(pattern, (), shape)
    if order == 2:
        colors = color_symmetric(pattern)
        return Compression(
            pattern, (Part("forward", seeds(colors), symmetric_places(pattern, colors), np.arange(pattern.nnz)),), shape
        )
    if mode != "auto":
        return Compression(pattern, (_part(pattern, mode, np.ones(pattern.nnz, bool)),), shape)
    rows = np.repeat(np.arange(pattern.shape[0]), np.diff(pattern.indptr))
    across, few_rows = _apart(np.diff(pattern.indptr), 1, FROM_THE_LEFT)
    down, few_columns = _apart(np.bincount(pattern.indices, minlength=pattern.shape[1]), FROM_THE_LEFT, 1)
    if across <= down:
        alone, other, mode = np.isin(rows, few_rows), "reverse", "forward"
    else:
        alone, other, mode = np.isin(pattern.indices, few_columns), "forward", "reverse"
    parts = [_part(pattern, mode, ~alone), _part(pattern, other, alone)]
    return Compression(pattern, tuple(part for part in parts if len(part.entries)), shape)


def _apart(counts: np.ndarray, price: int, price_apart: int) -> tuple[float, np.ndarray]:
    """What products cost at least for lines with so many elements, when the longest ones have products of their own; and these."""
    order = np.argsort(-counts, kind="stable")[: MOST_APART + 1]
    left = np.append(counts[order], 0) if len(counts) <= MOST_APART else counts[order]
    costs = left * price + np.arange(len(left)) * price_apart + BOTH * (np.arange(len(left)) > 0)
    best = int(np.argmin(costs))
    return float(costs[best]), order[:best]


def _part(pattern: Rows, mode: str, chosen: np.ndarray) -> Part:
    """The products for some entries, of which rows (or columns, in the mode reverse) have all or none."""
    part = patterns.masked(pattern, chosen)
    lines = part if mode == "forward" else part.T.tocsr()
    colors = color_columns(lines)
    some = np.bincount(lines.indices, minlength=lines.shape[1]) > 0
    where = places(part, colors) if mode == "forward" else places_by_rows(part, colors)
    made = seeds(colors) * some
    return Part(
        mode, made[made.any(axis=1)] if len(made) and not made[-1].any() else made, where, np.flatnonzero(chosen)
    )
