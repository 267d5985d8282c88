"""Sets of input elements, one for each element of an array: the rows of sparse matrices of truth values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

Rows = Any
"""A `scipy.sparse.csr_array` of bool: a row for each element of an array, in C order, a column for each input element."""


def empty(size: int, inputs: int) -> Rows:
    from scipy.sparse import csr_array

    return csr_array((size, inputs), dtype=bool)


def each(size: int) -> Rows:
    """Every element is an input of its own."""
    from scipy.sparse import eye_array

    return eye_array(size, dtype=bool, format="csr")


def links(rows: np.ndarray, columns: np.ndarray, shape: tuple[int, int]) -> Rows:
    """The matrix with these places."""
    from scipy.sparse import coo_array

    made = coo_array((np.ones(len(rows), bool), (rows, columns)), shape=shape).tocsr()
    made.data[:] = True
    return made


def stacked(parts: Sequence[Rows]) -> Rows:
    from scipy.sparse import vstack

    return vstack(parts, format="csr", dtype=bool)


def united(rows: Rows, groups: np.ndarray, count: int) -> Rows:
    """For each group the union of the sets in it. `groups` has the group of each row."""
    return links(groups.ravel(), np.arange(groups.size), (count, groups.size)) @ rows


def kept(rows: Rows, where: np.ndarray) -> Rows:
    """The sets where a condition holds, the empty one elsewhere."""
    if where.all():
        return rows
    return masked(rows, np.repeat(where.ravel(), np.diff(rows.indptr)))


def masked(rows: Rows, entries: np.ndarray) -> Rows:
    """The matrix with some of its entries only."""
    from scipy.sparse import csr_array

    before = np.concatenate([[0], np.cumsum(entries)])
    return csr_array((rows.data[entries], rows.indices[entries], before[rows.indptr]), shape=rows.shape)


def met(a: Rows, b: Rows) -> Rows:
    """The pairs of inputs of which one is in a set of a and the other in the same row of b."""
    return a.T.tocsr() @ b


def same(a: Rows, b: Rows) -> bool:
    return a.nnz == b.nnz and (a != b).nnz == 0
