"""Coloring of sparsity patterns: columns of one color are found by one product, and the matrix from the products.

A Jacobian's columns of one color have no row in common (Curtis, Powell and Reid 1974). Of a Hessian, which is symmetric, more
columns can share a color: every path of four vertices has three colors, a star coloring (Coleman and More 1984), by the greedy
algorithm of Gebremedhin, Tarafdar, Manne and Pothen (2007, algorithm 4.1), with the neighbours' colors kept in dictionaries, so
that a row with many entries costs no more than its colors. Columns with the most neighbours come first (Welsh and Powell 1967).
networkx has no star coloring, and its greedy one takes a graph of Python objects, which alone takes longer than these loops.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from egc.interpret.patterns import Rows


def color_columns(pattern: Rows) -> np.ndarray:
    """A color for each column, such that no row has two entries in columns of one color.

    >>> import numpy as np
    >>> from scipy.sparse import csr_array
    >>> color_columns(csr_array(np.array([[1, 1, 0], [0, 1, 1]], bool))).tolist()
    [1, 0, 1]
    """
    columns = pattern.tocsc()
    rows_of = np.split(columns.indices, columns.indptr[1:-1])
    reach = pattern.astype(np.int64) @ np.ones(pattern.shape[1], np.int64)
    neighbours = columns.astype(np.int64).T @ reach
    colors = np.zeros(pattern.shape[1], np.int64)
    used: list[set[int]] = [set() for _ in range(pattern.shape[0])]
    for column in np.argsort(-neighbours, kind="stable").tolist():
        rows = rows_of[column].tolist()
        taken = set().union(*(used[row] for row in rows))
        color = 0
        while color in taken:
            color += 1
        colors[column] = color
        for row in rows:
            used[row].add(color)
    return colors


def color_symmetric(pattern: Rows) -> np.ndarray:
    """A color for each column of a symmetric pattern, such that each entry, or the one across the diagonal, is alone in its row
    with its color.

    >>> import numpy as np
    >>> from scipy.sparse import csr_array
    >>> arrow = np.eye(5, dtype=bool)
    >>> arrow[0] = arrow[:, 0] = True
    >>> color_symmetric(csr_array(arrow)).tolist()
    [0, 1, 1, 1, 1]
    """
    size = pattern.shape[0]
    adjacent = [row[row != k].tolist() for k, row in enumerate(np.split(pattern.indices, pattern.indptr[1:-1]))]
    colors = [-1] * size
    first_of: list[dict[int, int]] = [{} for _ in range(size)]
    stars: list[dict[int, int]] = [{} for _ in range(size)]
    hubs: list[int] = []
    forbidden_by: list[set[int]] = [set() for _ in range(size)]
    for vertex in sorted(range(size), key=lambda k: (-len(adjacent[k]), k)):
        done = [other for other in adjacent[vertex] if colors[other] >= 0]
        colors[vertex] = _star_color(vertex, done, colors, first_of, forbidden_by)
        _join_stars(vertex, done, colors, first_of, stars, hubs, forbidden_by)
    return np.array(colors, np.int64)


def _star_color(
    vertex: int, done: list[int], colors: list[int], first_of: list[dict[int, int]], forbidden_by: list[set[int]]
) -> int:
    """The least color that makes no path of four vertices with two colors."""
    taken: set[int] = set()
    once: dict[int, int] = {}
    treated: set[int] = set()
    for other in done:
        color = colors[other]
        taken.add(color)
        twin = once.setdefault(color, other)
        if twin != other:
            for each in {twin, other} - treated:
                taken.update(first_of[each])
                treated.add(each)
        else:
            taken.update(forbidden_by[other])
    color = 0
    while color in taken:
        color += 1
    return color


def _join_stars(
    vertex: int,
    done: list[int],
    colors: list[int],
    first_of: list[dict[int, int]],
    stars: list[dict[int, int]],
    hubs: list[int],
    forbidden_by: list[set[int]],
) -> None:
    """Puts the edges to neighbours into the stars of their two colors.

    first_of: by vertex and color, one of its neighbours. stars: the star of the edges to neighbours of that color. hubs: the hub of
    each star that has more than one edge. forbidden_by: by vertex, the colors of the hubs of stars in which it is none.
    """
    color, once = colors[vertex], dict[int, int]()
    for other in done:
        twin = once.setdefault(colors[other], other)
        if color in first_of[other]:
            star = stars[other][color]
            if hubs[star] < 0:
                hubs[star] = other
                forbidden_by[first_of[other][color]].add(colors[other])
            forbidden_by[vertex].add(colors[other])
        elif twin != other:
            star = stars[vertex][colors[twin]]
            if hubs[star] < 0:
                hubs[star] = vertex
                forbidden_by[twin].add(color)
            forbidden_by[other].add(color)
        else:
            star = len(hubs)
            hubs.append(-1)
        stars[other].setdefault(color, star)
        stars[vertex].setdefault(colors[other], star)
        first_of[other].setdefault(color, vertex)
        first_of[vertex].setdefault(colors[other], other)


def seeds(colors: np.ndarray) -> np.ndarray:
    """For each color a row that has ones at its columns."""
    return (colors == np.arange(colors.max(initial=-1) + 1)[:, None]).astype(float)


def places(pattern: Rows, colors: np.ndarray) -> np.ndarray:
    """Where the elements of a matrix with a pattern are among its products with the seeds of a coloring of its columns, which have
    a row for each color."""
    return colors[pattern.indices] * pattern.shape[0] + _rows(pattern)


def places_by_rows(pattern: Rows, colors: np.ndarray) -> np.ndarray:
    """The same for a coloring of its rows, and products from the left."""
    return colors[_rows(pattern)] * pattern.shape[1] + pattern.indices


def symmetric_places(pattern: Rows, colors: np.ndarray) -> np.ndarray:
    """The same for a symmetric matrix and a star coloring."""
    rows, columns, count = _rows(pattern), pattern.indices.astype(np.int64), int(colors.max(initial=-1)) + 1
    groups = rows * count + colors[columns]
    direct = np.bincount(groups, minlength=pattern.shape[0] * count)[groups] == 1
    first, second = np.where(direct, rows, columns), np.where(direct, columns, rows)
    return colors[second] * pattern.shape[0] + first


def _rows(pattern: Rows) -> np.ndarray:
    return np.repeat(np.arange(pattern.shape[0]), np.diff(pattern.indptr))


def recovered(products: Any, pattern: Rows, where: np.ndarray) -> Any:
    """The matrix with a pattern, whose elements are at some places of its products."""
    from scipy.sparse import csr_array

    values = np.ravel(products)[where] if len(where) else np.zeros(0)
    return csr_array((values, pattern.indices.copy(), pattern.indptr.copy()), shape=pattern.shape)
