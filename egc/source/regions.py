"""How loops and branches are written as NumPy source: as statements on named variables."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from egc import ir
from egc.ir import Node, Program
from egc.kinds import LEAVES
from egc.source.ops import written
from egc.source.ownership import ALIASES, written_operand
from egc.source.syntax import Expression, after, call
from egc.source.writer import NOUNS, Writer, without_facts

INDICES = "ijklm"
"""The names of iterations' numbers, from the outermost loop inwards."""


def _indented(lines: Sequence[str]) -> list[str]:
    return [f"    {line}" for line in (lines or ["pass"])]


def _operands(w: Writer, nodes: Sequence[Node]) -> list[str]:
    """The operands as names."""
    found = [w.value(node) for node in nodes]
    return [each.text if each.is_name else w.assign("operand", each).text for each in found]


def _wish(node: Node, otherwise: str) -> str:
    """A name for what a region gives."""
    while node.op == "item" and node.inputs[0].op in ("loop", "cond"):
        params, index = node.inputs[0].params, node.params["index"]
        node = (params.get("update") or params["then"]).outputs[index]
    return NOUNS.get(node.op, otherwise)


def _item_of(node: Node, index: int) -> Node:
    return ir.make("item", node, index=index)


def _taken(w: Writer, node: Node, index: int) -> Node | None:
    """The operand whose memory a result is written into, if any."""
    found = written_operand(_item_of(node, index))
    return without_facts(node.inputs[found[1]]) if found is not None else None


def _own(w: Writer, node: Node, operand: Node, wish: str) -> str:
    """A variable with an operand's value that may be written into."""
    position = next(k for k, child in enumerate(node.inputs) if without_facts(child) is operand)
    value = w.value(operand)
    if value.is_name and w.may_overwrite(operand, node, position):
        return value.text
    fresh = operand.op in ("constant", "empty") or (operand.op not in ALIASES | LEAVES and w.uses[operand] == 1)
    return w.assign(wish, value if fresh and not value.is_name else after(value, ".copy()")).text


def _inline(w: Writer, node: Node) -> Expression | None:
    """What stands for the op where nothing is written but an expression, or only uses are counted."""
    values = [w.value(child) for child in node.inputs]
    return call(node.op, *values) if w.inline else Expression("_") if w.counting else None


@written("loop")
def _loop(w: Writer, node: Node) -> Expression:
    if (found := _inline(w, node)) is not None:
        return found
    params = node.params
    counted, count, update = params["counted"], params["states"], params["update"]
    first = 1 if counted else 0
    limit = w.plain(node.inputs[0]) if counted else None
    names, owned, unchanged = [], set(), set()
    for k, operand in enumerate(node.inputs[first : first + count]):
        state, wish = update.inputs[first + k], _wish(update.outputs[k], "state")
        if update.outputs[k] is state:
            names += _operands(w, [operand])
            unchanged.add(k)
        elif _taken(w, node, k) is not None:
            names.append(_own(w, node, without_facts(operand), wish))
            owned.add(k)
        else:
            names.append(w.assign(wish, w.value(operand)).text)
    given = names + _operands(w, node.inputs[first + count :])
    index = w.free.new(INDICES[min(w.depth, len(INDICES) - 1)])
    if counted:
        given.insert(0, index)

    def inside(region: Program) -> tuple[list[str], list[Expression]]:
        inner = w.inside(region, given, {region.inputs[first + k] for k in owned})
        values = inner.run()
        return inner.statements, values

    body: list[str] = []
    head = f"for {index} in range({limit}):" if counted else "while True:"
    if params["pre"] is not None:
        lines, (holds,) = inside(params["pre"])
        if counted or lines:
            body += [*lines, f"if not {holds.text}:", "    break"]
        else:
            head = f"while {holds.text}:"
    lines, values = inside(update)
    body += lines + _assignments([(names[k], values[k].text) for k in range(count) if k not in owned | unchanged])
    if params["post"] is not None:
        lines, (holds,) = inside(params["post"])
        body += [*lines, f"if not {holds.text}:", "    break"]
    w.statements += [head, *_indented(body)]
    w.free.taken.discard(index)
    w.own(_item_of(node, k) for k in owned)
    w.parts[node] = dict(enumerate(names))
    return Expression("_")


def _assignments(pairs: Sequence[tuple[str, str]]) -> list[str]:
    """Assigns all at once; one after the other where no value needs a variable that is assigned before it."""
    pairs = [pair for pair in pairs if pair[0] != pair[1]]
    assigned: set[str] = set()
    for name, value in pairs:
        if assigned & set(re.findall(r"\w+", value)):
            return [" = ".join(", ".join(part) for part in zip(*pairs))]
        assigned.add(name)
    return [f"{name} = {value}" for name, value in pairs]


@written("cond")
def _cond(w: Writer, node: Node) -> Expression:
    if (found := _inline(w, node)) is not None:
        return found
    holds = w.value(node.inputs[0])
    branches = (node.params["then"], node.params["otherwise"])
    operands = _operands(w, node.inputs[1:])
    names: dict[int, str] = {}
    owned = set()
    for k in range(len(node.type.items)):
        taken = _taken(w, node, k)
        if taken is not None and any(branch.outputs[k].op != "input" for branch in branches):
            names[k] = _own(w, node, taken, "result")
            position = next(p for p, child in enumerate(node.inputs) if without_facts(child) is taken) - 1
            operands[position] = names[k]
            owned.add(position)
            w.own([_item_of(node, k)])
    wishes = [_wish(output, "value") for output in branches[0].outputs]
    names |= {k: w.free.new(wish) for k, wish in enumerate(wishes) if k not in names}
    written: list[Any] = []
    for branch in branches:
        inner = w.inside(branch, operands, {branch.inputs[position] for position in owned})
        values = inner.run()
        written.append((inner.statements, [(names[k], value.text) for k, value in enumerate(values)]))
    (then, chosen), (otherwise, other) = written
    if not then and not otherwise and len(names) == 1:
        w.statements.append(f"{names[0]} = {chosen[0][1]} if {holds.text} else {other[0][1]}")
    else:
        w.statements += [f"if {holds.text}:", *_indented(then + _assignments(chosen))]
        last = otherwise + _assignments(other)
        w.statements += ["else:", *_indented(last)] if last else []
    w.parts[node] = names
    return Expression("_")
