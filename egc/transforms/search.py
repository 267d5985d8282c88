"""Loops that look for an element.

if x[i] > s: s = x[i]; k = i  = the largest x, and the first place where it stands, unless s is as large
if x[i] > x[k]: k = i         = the same, from s = x[k] on
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np

from egc import ir
from egc.ir import Node, make
from egc.kinds import TURNED
from egc.ranges import coefficient
from egc.sizes import Dim, substitute
from egc.transforms.solve import Solution
from egc.transforms.vmap import NotLifted, joined, reshaped, sliced

LAW = "place_of_extreme_is_argmax"

WAYS = {"greater": "argmax", "less": "argmin"}
FILTERS = {"argmax": "fmax", "argmin": "fmin"}


@dataclass(frozen=True)
class Search:
    """An element that replaces the best one so far where it is strictly better, and the states that say so."""

    condition: Node
    element: Node
    way: str
    before: Node
    states: tuple[int, ...]


def searched(solution: Solution) -> dict[int, Node]:
    """The results that tell which element of all is the best, and what else was known of its iteration."""
    found: dict[int, Node] = {}
    if LAW not in solution.allowed:
        return found
    conditions = {each.inputs[0]: None for each in solution.outputs if each.op == "where"}
    for condition in conditions:
        search = _search(solution, condition)
        if search is not None:
            with suppress(NotLifted):
                found.update(_results(solution, search))
    return found


def _search(solution: Solution, condition: Node) -> Search | None:
    if condition.op not in WAYS or condition.type.rank:
        return None
    states = [
        k
        for k, (state, output) in enumerate(zip(solution.states, solution.outputs))
        if output.op == "where" and output.inputs[0] is condition and output.inputs[2] is state
    ]
    inner = set(solution.states)
    alone = {solution.states[k] for k in states}
    if any(alone & set(ir.topological([solution.outputs[k]])) for k in range(len(solution.states)) if k not in states):
        return None
    if any(inner & set(ir.topological([solution.outputs[k].inputs[1]])) for k in states):
        return None
    left, right = condition.inputs
    for element, best, op in ((left, right, condition.op), (right, left, TURNED[condition.op])):
        if element.type.dtype.kind not in "iuf" or inner & set(ir.topological([element])):
            continue
        numbers = [k for k in states if solution.states[k] is best and solution.outputs[k].inputs[1] is element]
        if numbers:
            return Search(condition, element, WAYS[op], solution.before[numbers[0]], tuple(states))
        start = _element_at_place(solution, best, element, states)
        if start is not None:
            return Search(condition, element, WAYS[op], start, tuple(states))
    return None


def _element_at_place(solution: Solution, best: Node, element: Node, states: list[int]) -> Node | None:
    """The first element where `best` is the one of an array at the place that a state holds, and `element` the one at the
    place that it may hold next."""
    if best.op != "gather" or best.params["mode"] != "raise" or len(best.inputs) != 2 or best.inputs[0].type.rank != 1:
        return None
    array, place = best.inputs
    number = next((k for k in states if solution.states[k] is place), None)
    window = element.inputs[0] if element.op == "reshape" else element
    known = solution.lifting.known.get(array)
    if number is None or window.op != "slice" or window.inputs[0] is not array or known is None or known.lifted:
        return None
    following, first = solution.outputs[number].inputs[1], solution.before[number]
    if following is not ir.size(window.params["start"][0]) or first.op not in ("constant", "size"):
        return None
    at = first.params["value"]
    if not (solution.ranges.holds(at) and solution.ranges.holds(array.type.shape[0] - 1 - at)):
        return None
    return reshaped(sliced(known.node, [at], (1,), [1]), ())


def _results(solution: Solution, search: Search) -> dict[int, Node]:
    lifting, dtype = solution.lifting, search.element.type.dtype
    rows = lifting.rows(lifting.value(search.element))
    if rows.type.rank != 1 or (solution.ranges.counts and not _is_view(rows)):
        return {}
    last = _never_better(dtype, search.way)
    if not solution.runs:
        together = joined(reshaped(search.before, (1,)), rows)
        rows = together if together.op != "concatenate" else joined(ir.constant(last, dtype, (1,)), rows)
    if dtype.kind == "f":
        rows = make(FILTERS[search.way], rows, ir.constant(last, dtype, rows.type.shape))
    place = make(search.way, rows, axis=0)
    best = make("gather", rows, place, axes=(0,), mode="raise")
    better = make("greater" if search.way == "argmax" else "less", best, search.before)
    found = {}
    for k in search.states:
        value = solution.outputs[k].inputs[1]
        chosen = best if value is search.element else _at(solution, value, place)
        found[k] = make("where", better, chosen, solution.before[k])
    solution.laws.add(LAW)
    return found


def _is_view(rows: Node) -> bool:
    """Whether elements are there already: in the iterations of a loop around, memory for what is computed of all of them costs more
    than a search that goes along with the computation."""
    while rows.op in ("slice", "reshape", "transpose"):
        (rows,) = rows.inputs
    return rows.op == "input"


def _at(solution: Solution, value: Node, place: Node) -> Node:
    """A value in the iteration that a place among the elements, or after one that stands before them, is of. Raises NotLifted."""
    before = 0 if solution.runs else 1
    factor = coefficient(value.params["value"], solution.name) if value.op == "size" else None
    if factor is not None:
        first: Dim = substitute(value.params["value"], {solution.name: 0}) - before * factor
        place = place if factor == 1 else make("multiply", place, ir.size(factor))
        return place if first == 0 else make("add", place, ir.size(first))
    lifted = solution.lifting.value(value)
    if not lifted.lifted:
        return lifted.node
    rows = lifted.node
    rows = joined(ir.constant(0, rows.type.dtype, (1,)), rows) if before else rows
    return make("gather", rows, place, axes=(0,), mode="raise")


def _never_better(dtype: np.dtype, way: str) -> Any:
    """What is better than no number."""
    if dtype.kind == "f":
        return -np.inf if way == "argmax" else np.inf
    return np.iinfo(dtype).min if way == "argmax" else np.iinfo(dtype).max
