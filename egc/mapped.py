"""A mapped function run as written: row by row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from egc.capture.arguments import flatten, unflatten
from egc.capture.mapped import axes_of, axes_of_arguments
from egc.transformed import Transformed


def copied(value: Any) -> Any:
    """A value with arrays of its own."""
    leaves: list[tuple[str, Any]] = []
    tree = flatten(value, "", leaves)
    return unflatten(tree, [leaf.copy(order="K") if type(leaf) is np.ndarray else leaf for _, leaf in leaves])


def row_by_row(mapped: Transformed, positional: Sequence[Any], named: Mapping[str, Any]) -> Any:
    """What a function gives for each row of its arguments, along the axes that are mapped over."""
    given = mapped.__signature__.bind(*positional, **named)
    arguments = []
    for k, (argument, axes) in enumerate(
        zip(given.args, axes_of_arguments(mapped.options.get("in_axes", 0), len(given.args)))
    ):
        leaves: list[tuple[str, Any]] = []
        tree = flatten(argument, f"argument {k}", leaves)
        places = axes_of(tree, axes, f"argument {k}")
        arguments.append((tree, [_along(leaf, axis, name) for (name, leaf), axis in zip(leaves, places)], places))
    counts = {len(leaf) for _, leaves_, places in arguments for leaf, axis in zip(leaves_, places) if axis is not None}
    if len(counts) != 1:
        why = f"axes of different sizes {sorted(counts)}" if counts else "no argument has an axis to map over"
        raise ValueError(f"vmap: {why}")
    results = []
    for row in range(counts.pop()):
        values = [
            unflatten(tree, [leaf if axis is None else leaf[row] for leaf, axis in zip(leaves_, places)])
            for tree, leaves_, places in arguments
        ]
        results.append(mapped.function(*values, **given.kwargs))
    if not results:
        raise ValueError("vmap: there are no rows, and the function cannot be captured to know what it would give")
    found: list[list[tuple[str, Any]]] = [[] for _ in results]
    tree = [flatten(each, "the result", leaves) for each, leaves in zip(results, found)][0]
    axes = axes_of(tree, mapped.options.get("out_axes", 0), "the result")
    stacked = [
        value if value is None else np.stack([leaves[k][1] for leaves in found], axis or 0)
        for k, ((_, value), axis) in enumerate(zip(found[0], axes))
    ]
    return unflatten(tree, stacked)


def _along(leaf: Any, axis: int | None, name: str) -> Any:
    if axis is None:
        return leaf
    array = np.asarray(leaf)
    if not -array.ndim <= axis < array.ndim:
        raise ValueError(f"vmap: {name} has no axis {axis} to map over")
    return np.moveaxis(array, axis, 0)
