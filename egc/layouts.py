"""How the elements of an array lie in memory: what code for it may rely on.

A layout is a letter, and the axes from the one with the longest steps to the one with the shortest where they are not in
order: C where the elements are neighbours in that order, R where those along the last of these axes are, S where none need be.
F is C with the axes reversed. A is an array that code cannot address by elements: a step is no multiple of their size.
"""

from __future__ import annotations

import numpy as np

MOST_AXES = 16
"""Axes of an array that has a layout other than C, F and A, at most."""


def layout_of(array: np.ndarray) -> str:
    """The layout of an array.

    >>> x = np.zeros((4, 6))
    >>> layout_of(x), layout_of(x.T), layout_of(x[:, :3]), layout_of(x[:, :3].T), layout_of(x[::-1, ::2])
    ('C', 'F', 'R', 'R10', 'S')
    >>> layout_of(np.zeros((2, 3, 4)).transpose(1, 0, 2))
    'C102'
    """
    flags = array.flags
    if flags.c_contiguous:
        return "C"
    if flags.f_contiguous:
        return "F"
    if array.ndim > MOST_AXES or any(step % array.itemsize for step in array.strides):
        return "A"
    order = _order(array)
    text = "" if order == tuple(range(array.ndim)) else "".join(f"{axis:x}" for axis in order)
    if array.transpose(order).flags.c_contiguous:
        return f"C{text}"
    return f"R{text}" if array.strides[order[-1]] == array.itemsize else f"S{text}"


def _order(array: np.ndarray) -> tuple[int, ...]:
    """The axes by their steps; those of length 1, and those that repeat elements, keep their places."""
    moved = [axis for axis, length in enumerate(array.shape) if length > 1 and array.strides[axis]]
    sorted_axes = iter(sorted(moved, key=lambda axis: -abs(array.strides[axis])))
    return tuple(next(sorted_axes) if axis in moved else axis for axis in range(array.ndim))


def axes_of(layout: str, rank: int) -> tuple[int, ...]:
    """The axes in the order of a layout.

    >>> axes_of("F", 2), axes_of("R102", 3), axes_of("S", 2)
    ((1, 0), (1, 0, 2), (0, 1))
    """
    if layout == "F":
        return tuple(reversed(range(rank)))
    return tuple(int(axis, 16) for axis in layout[1:]) or tuple(range(rank))


def neighbours(layout: str, rank: int) -> int:
    """The number of axes, the last ones in the order of a layout, along which elements are neighbours."""
    return {"C": rank, "F": rank, "R": 1}.get(layout[0], 0)


def fits(array: np.ndarray, layout: str) -> bool:
    """Whether code for a layout can address an array."""
    if layout in ("A", "C", "F"):
        flags = array.flags
        return layout == "A" or (flags.c_contiguous if layout == "C" else flags.f_contiguous)
    if any(step % array.itemsize for step in array.strides):
        return False
    axes, step = axes_of(layout, array.ndim), array.itemsize
    for axis in list(reversed(axes))[: neighbours(layout, array.ndim)]:
        if array.shape[axis] != 1 and array.strides[axis] != step:
            return False
        step *= max(array.shape[axis], 1)
    return True


def copied(array: np.ndarray, layout: str) -> np.ndarray:
    """A copy in a layout."""
    axes = axes_of(layout, array.ndim)
    return np.array(array.transpose(axes), order="C", subok=False).transpose(np.argsort(axes))
