"""Loops whose states count.

k = k + c in each iteration         = k + c i before iteration i, and k + c n after n of them
while k < b: ...; k = k + c         = for each of the (b - k + c - 1) // c iterations
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from egc import ir, sizes
from egc.ir import Node, Program, make
from egc.ops import INT64
from egc.ranges import Ranges, mentions
from egc.sizes import Dim, symbol
from egc.transforms.decide import decided, reduced
from egc.transforms.forms import Allowed, Forms, replaced
from egc.transforms.promote import is_plain
from egc.trips import MOST, count_size, while_count

AFFINE, COUNTED = "counting_state_is_formula", "counting_while_is_for"


def simpler(node: Node, ranges: Ranges, allowed: Allowed) -> tuple[Node, Forms] | None:
    """A loop without states that count, or without a condition on one, and the results of the other one in terms of it."""
    laws: tuple[tuple[str, Callable[[Node, Ranges], tuple[Node, Forms] | None]], ...] = (
        (COUNTED, _counted),
        (AFFINE, partial(_affine, kinds="iu")),
        (AFFINE, partial(_affine, kinds="f")),
    )
    for name, law in laws:
        found = law(node, ranges) if name in allowed else None
        if found is not None:
            found[1].laws.add(name)
            return found
    return None


Step = Sequence[tuple[Node, bool]]
"""What is added to a state in each iteration, and whether it is subtracted."""


def _affine(node: Node, ranges: Ranges, kinds: str) -> tuple[Node, Forms] | None:
    count = count_size(node.inputs[0]) if is_plain(node) else None
    number = node.params["states"]
    if count is None or number < 2:
        return None
    update = node.params["update"]
    counter, states = update.inputs[0], update.inputs[1 : 1 + number]
    operands = dict(zip(update.inputs[1 + number :], node.inputs[1 + number :]))
    count = count if ranges.holds(count) else sizes.maximum(0, count)
    at = symbol(counter.params["name"])
    new: dict[Node, Node] = {}
    fresh: dict[Node, Node] = {}
    final: dict[int, Node] = {}
    for k, (state, output, before) in enumerate(zip(states, update.outputs, node.inputs[1:])):
        step = _step(state, output, operands, counter.params["name"]) if state.type.dtype.kind in kinds else None
        if step is None:
            continue
        inside, outside = _size_after(before, step, at), _size_after(before, step, count)
        if inside is None or outside is None:
            start = before if before.op == "constant" else ir.input(state.params["name"], state.type)
            if start is not before:
                fresh[start] = before
            inside, outside = _sum(start, step, at, {}), _sum(before, step, count, operands)
        new[state], final[k] = inside, outside
    kept = [k for k in range(number) if k not in final]
    if not final or not kept:
        return None
    for each in update.nodes():
        if each not in new:
            new[each] = ir.rebuild(each, [new[child] for child in each.inputs])
    inputs = (counter, *(states[k] for k in kept), *operands, *fresh)
    body = Program(inputs, tuple(new[update.outputs[k]] for k in kept), update.name, update.size_inputs)
    given = [node.inputs[1 + k] for k in kept], [*operands.values(), *fresh.values()]
    loop = ir.loop(body, *given, node.inputs[0], line=node.line)[0].inputs[0]
    body = decided(body, ranges.inside(loop))
    made = ir.loop(body, *given, node.inputs[0], line=node.line)
    results: list[Node | None] = [final.get(k) for k in range(number)]
    for place, k in enumerate(kept):
        results[k] = made[place]
    return made[0].inputs[0], Forms(results, rounded=kinds == "f")


def _step(state: Node, output: Node, operands: Collection[Node], name: str) -> Step | None:
    """What is added to a state: constants, sizes and operands that are integers; None for another state."""

    def same(node: Node) -> bool:
        if node.op == "constant":
            limit = np.finfo(node.type.dtype).max ** 0.25 if node.type.dtype.kind == "f" else np.inf
            return bool(abs(node.params["value"]) <= limit)
        return node.type.dtype.kind in "iu" and (node in operands or (node.op == "size" and not mentions(node, name)))

    found: list[tuple[Node, bool]] = []
    if state.type.rank or state.type.dtype.kind not in "iuf":
        return None
    while output is not state:
        if output.op not in ("add", "subtract"):
            return None
        left, right = output.inputs
        if output.op == "add" and not same(right):
            left, right = right, left
        if not same(right):
            return None
        found.append((right, output.op == "subtract"))
        output = left
    return found or None


def _size_after(before: Node, step: Step, at: Dim) -> Node | None:
    """The state after a number of iterations as a size; None where it is none."""
    if before.type.dtype != INT64:
        return None
    start, parts = _size(before), [_size(each) for each, _ in step]
    if start is None or any(part is None or (isinstance(part, int) and abs(part) > MOST) for part in parts):
        return None
    by: Dim = 0
    for part, (_, minus) in zip(parts, step):
        assert part is not None
        by = by - part if minus else by + part
    return ir.size(start + by * at)


def _size(node: Node) -> Dim | None:
    return count_size(node) if node.op in ("constant", "size") else None


def _sum(start: Node, step: Step, at: Dim, operands: Mapping[Node, Node]) -> Node:
    """The state after a number of iterations; integers wrap around as they did."""
    dtype = start.type.dtype
    times = ir.size(at)
    times = times if dtype == INT64 else make("cast", times, dtype=dtype)
    for each, minus in step:
        start = make("subtract" if minus else "add", start, make("multiply", operands.get(each, each), times))
    return start


def _counted(node: Node, ranges: Ranges) -> tuple[Node, Forms] | None:
    """A loop while a size that counts is on one side of another size, as one that is counted."""
    number, update = node.params["states"], node.params["update"]
    found = while_count(node)
    label = re.match(r"_s(\d+)_", update.inputs[0].params["name"])
    if found is None or label is None:
        return None
    count, flag = found
    counter = ir.input(f"_i{label[1]}", ir.ArrayType(INT64, ()))
    body = Program((counter, *update.inputs), update.outputs, update.name, frozenset([counter.params["name"]]))
    made = ir.loop(body, node.inputs[:number], node.inputs[number:], ir.size(reduced(count, ranges)), line=node.line)
    results: list[Node | None] = list(made)
    if flag is not None:
        results[flag] = ir.constant(True, made[flag].type.dtype)
    return made[0].inputs[0], Forms(results)


def through(found: tuple[Node, Forms], inner: Forms) -> Forms:
    """Forms of the simpler loop as forms of the first one."""
    loop, outer = found
    results = [None if each is None else replaced(each, loop, inner.results) for each in outer.results]
    return replace(outer, results=results, laws=outer.laws | inner.laws, rounded=outer.rounded or inner.rounded)
