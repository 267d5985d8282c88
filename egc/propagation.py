"""Functions of uncertain numbers: their results' deviations and correlations, to first order."""

from __future__ import annotations

import functools
import inspect
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from egc.capture.arguments import Tree, flatten, unflatten
from egc.derivatives import jacobian, transformed
from egc.errors import NotEncodable
from egc.interpret.uncertainty import Uncertain, aligned
from egc.interpreted import NUMERIC, by_position

MOST_SEEDS = 2**22
"""Numbers in the seeds of products that are made at once."""

Rows = Any
"""A `scipy.sparse.csr_array`: a row for each element, a column for each source."""


def propagate(fn: Callable[..., Any]) -> Callable[..., Any]:
    """The function of uncertain numbers: it takes an `egc.Uncertain` in the place of any array or number, and returns Uncertains.

    Deviations and correlations are propagated linearly, by the derivatives of fn at the values: what is not straight over a
    deviation is not seen. Results share the sources of the arguments: `x - x` has deviation 0, and results of several functions
    are correlated as they have to be. Results that are no floating numbers are those of fn. Derivatives are those of
    `egc.jacobian`, from as few products as there are sources, results, or colors of the Jacobian's pattern.
    Raises what `egc.jacobian` raises.

    >>> import egc
    >>> x, y = egc.Uncertain(3.0, 0.3), egc.Uncertain(2.0, 0.4)
    >>> area = egc.propagate(lambda x, y: x * y)(x, y)
    >>> print(float(area.value), float(area.deviation.round(6)))
    6.0 1.341641
    >>> float(egc.propagate(lambda area, x: area / x)(area, x).deviation.round(6))
    0.4
    """
    propagation = _Propagation(fn)

    @functools.wraps(getattr(fn, "__egc_plain__", fn))
    def propagated(*positional: Any, **named: Any) -> Any:
        return propagation(positional, named)

    return propagated


class _Propagation:
    """The function and its products, by the arguments that are uncertain."""

    def __init__(self, function: Callable[..., Any]):
        self.function = function
        self.plain = getattr(function, "__egc_plain__", function)
        self.signature = inspect.signature(self.plain)
        self._products: dict[tuple[tuple[int, ...], str], Any] = {}
        self._jacobians: dict[int, Any] = {}

    def __call__(self, positional: Sequence[Any], named: Mapping[str, Any]) -> Any:
        given = by_position(self.signature, positional, named)
        flat = [_flat(argument) for argument in given]
        places = tuple(k for k, (_, leaves) in enumerate(flat) if any(isinstance(leaf, Uncertain) for leaf in leaves))
        values = tuple(unflatten(tree, list(map(_value, leaves))) for tree, leaves in flat)
        result_tree, results = _flat(self.function(*values))
        if not places:
            return unflatten(result_tree, results)
        uncertain = [(flat[k][0], [_uncertain(leaf) for leaf in flat[k][1]]) for k in places]
        sources, parts = aligned([leaf for _, leaves in uncertain for leaf in leaves])
        kinds = [np.asarray(leaf).dtype.kind for leaf in results]
        if "c" in kinds:
            raise NotEncodable("a complex result", "uncertain values are real numbers")
        floats = [kind == "f" for kind in kinds]
        sizes = [np.size(leaf) if real else 0 for leaf, real in zip(results, floats)]
        found = self._change(places, values, uncertain, parts, result_tree, results, sizes)
        starts = np.cumsum([0, *sizes])
        made = [
            Uncertain.of(leaf, sources, found[start : start + size]) if real else leaf
            for leaf, real, start, size in zip(results, floats, starts, sizes)
        ]
        return unflatten(result_tree, made)

    def _change(
        self,
        places: tuple[int, ...],
        values: tuple[Any, ...],
        uncertain: Sequence[tuple[Tree, Sequence[Uncertain]]],
        parts: Sequence[Rows],
        tree: Tree,
        results: Sequence[Any],
        sizes: Sequence[int],
    ) -> Rows:
        """The coefficients of all results, of `sizes` elements, one after another."""
        count = parts[0].shape[1]
        fewest = min(count, sum(sizes))
        if all(shape.build is None for shape, _ in uncertain) and tree.build is None and sizes[0]:
            by_pattern = [self._jacobian(place) for place in places]
            if sum(each.products(*values) for each in by_pattern) < fewest:
                return sum(each(*values) @ part for each, part in zip(by_pattern, parts))
        products = self._products_of(places, "forward" if count <= sum(sizes) else "reverse")
        if count <= sum(sizes):
            shapes = [leaf.shape for _, leaves in uncertain for leaf in leaves]
            return _by_sources(products, values, parts, shapes, sizes)
        return _by_results(products, values, parts, results, sizes)

    def _jacobian(self, place: int) -> Any:
        if place not in self._jacobians:
            self._jacobians[place] = jacobian(self.function, place, sparse=True)
        return self._jacobians[place]

    def _products_of(self, places: tuple[int, ...], mode: str) -> Any:
        """The function of seeds and arguments that gives results' changes along those of some arguments, or the other way round."""
        if (places, mode) not in self._products:
            self._products[places, mode] = transformed("products", self.function, argnums=places, mode=mode)
        return self._products[places, mode]


def _by_sources(
    products: Any,
    values: tuple[Any, ...],
    parts: Sequence[Rows],
    shapes: Sequence[tuple[int, ...]],
    sizes: Sequence[int],
) -> Rows:
    """One product for each source."""
    from scipy.sparse import csr_array

    columns = [part.T.tocsr() for part in parts]
    blocks = []
    for rows in _batches(parts[0].shape[1], sum(map(math.prod, shapes))):
        seeds = tuple(column[rows].toarray().reshape(-1, *shape) for column, shape in zip(columns, shapes))
        _, changes = _flat(products(seeds, *values))
        count = rows.stop - rows.start
        blocks.append(np.hstack([np.reshape(x, (count, -1)) for x, size in zip(changes, sizes) if size]))
    return csr_array(np.vstack(blocks).T)


def _by_results(
    products: Any, values: tuple[Any, ...], parts: Sequence[Rows], results: Sequence[Any], sizes: Sequence[int]
) -> Rows:
    """One product for each element of the results."""
    from scipy.sparse import csr_array

    total, blocks = sum(sizes), []
    for rows in _batches(total, total):
        count = rows.stop - rows.start
        units = np.zeros((count, total))
        units[np.arange(count), np.arange(rows.start, rows.stop)] = 1.0
        seeds, first = [], 0
        for leaf, size in zip(results, sizes):
            if isinstance(leaf, NUMERIC):
                shape, dtype = (count, *np.shape(leaf)), np.asarray(leaf).dtype
                seed = units[:, first : first + size].reshape(shape) if size else np.zeros(shape)
                seeds.append(seed.astype(dtype))
            first += size
        gradients = products(tuple(seeds), *values)
        blocks.append(sum(np.reshape(x, (count, -1)) @ part for x, part in zip(gradients, parts)))
    return csr_array(np.vstack(blocks))


def _batches(count: int, size: int) -> Iterator[slice]:
    step = max(MOST_SEEDS // max(size, 1), 1)
    yield from (slice(first, min(first + step, count)) for first in range(0, count, step))


def _flat(value: Any) -> tuple[Tree, list[Any]]:
    leaves: list[tuple[str, Any]] = []
    return flatten(value, "value", leaves), [leaf for _, leaf in leaves]


def _value(leaf: Any) -> Any:
    return (leaf.value if leaf.shape else leaf.value[()]) if isinstance(leaf, Uncertain) else leaf


def _uncertain(leaf: Any) -> Uncertain:
    """A value without errors, beside others that have some."""
    return leaf if isinstance(leaf, Uncertain) else Uncertain(leaf, 0.0)
