"""Kernels that differ in numbers only become one kernel, which takes those numbers as parameters.

Numbers that all of them have in common stay where they are: compilers fold them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from egc.backends.numba.emit import Segment

NUMBER = re.compile(
    r"^( +\w+ = )(float64|float32|u?int64|u?int32|complex128|complex64)\((-?[\d.][\w.+-]*|complex\([^()]*\))\)$", re.M
)
"""A line that names a number: what comes before it, its type and its text."""

Abstract = tuple[Segment, tuple[str, ...]]
"""A segment, and the texts of the numbers that it takes."""


def shared_kernels(segments: Sequence[Segment]) -> list[Abstract]:
    """The same segments, of which those that differ in numbers are one, with the numbers of each.

    >>> text = "def loops(p0):\\n    v0 = float64({})\\n    v1 = float64(2.0)\\n"
    >>> one, other = (Segment(text.format(x), (("a", True),), ()) for x in (3.5, 4.5))
    >>> (first, numbers), (second, _) = shared_kernels([one, other])
    >>> first == second, numbers
    (True, ('float64(3.5)',))
    >>> print(first.source)
    def loops(p0, k0):
        v0 = k0
        v1 = float64(2.0)
    <BLANKLINE>
    """
    groups: dict[Segment, list[int]] = {}
    numbers: list[list[tuple[str, str]]] = []
    for position, segment in enumerate(segments):
        numbers.append([(kind, value) for _, kind, value in NUMBER.findall(segment.source)])
        skeleton = replace(segment, source=NUMBER.sub(r"\1\2", segment.source), arrays=_unnamed(segment), dims=())
        groups.setdefault(skeleton, []).append(position)
    found: dict[int, Abstract] = {}
    for members in groups.values():
        differ = [k for k, values in enumerate(zip(*(numbers[each] for each in members))) if len(set(values)) > 1]
        for each in members:
            texts = tuple("{}({})".format(*numbers[each][k]) for k in differ)
            found[each] = _with_parameters(segments[each], differ), texts
    return [found[position] for position in range(len(segments))]


def _unnamed(segment: Segment) -> tuple[tuple[str, bool], ...]:
    return tuple(("", written) for _, written in segment.arrays)


def _with_parameters(segment: Segment, positions: Sequence[int]) -> Segment:
    """The segment with the numbers at these positions as parameters, after the sizes."""
    if not positions:
        return segment
    place = {position: f"k{number}" for number, position in enumerate(positions)}
    kinds: list[str] = []
    position = -1

    def parameter(match: re.Match[str]) -> str:
        nonlocal position
        position += 1
        if position not in place:
            return match[0]
        kinds.append(match[2])
        return match[1] + place[position]

    head, body = segment.source.split("\n", 1)
    names = head[len("def loops(") : -len("):")].split(", ")
    first = len(segment.arrays) + len(segment.dims) + (4 if segment.calls is not None else 0)
    names[first:first] = place.values()
    source = f"def loops({', '.join(names)}):\n{NUMBER.sub(parameter, body)}"
    return replace(segment, source=source, constants=tuple(kinds))
