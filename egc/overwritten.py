"""Arrays that cannot be changed in place: older versions that are still read once a newer one has been written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from egc import ir
from egc.ir import Node, Program
from egc.types import ArrayType

UPDATES = ("update_slice", "scatter")

ROUNDS = 8
"""How many versions back what is read is found where it was written."""

Ends = Mapping[Node, Sequence[Node]]
"""What is written last, or results, with the updates before it that overwrite what it reads."""


def copied_arrays(region: Program) -> list[Node]:
    """The arrays of which a region has to keep a copy while it writes their next versions.

    What is written last reads a part of an older version, and what is written before stands in its place: then both are
    needed. Single elements are read early, and kept as numbers.

    >>> from egc.types import parse_type
    >>> x = ir.input("x", parse_type("f64[9]"))
    >>> old = ir.make("slice", x, start=(0,), size=(3,), step=(1,))
    >>> one = ir.make("update_slice", x, ir.make("exp", old), start=(3,), step=(1,))
    >>> between = ir.make("slice", one, start=(4,), size=(3,), step=(1,))
    >>> two = ir.make("update_slice", one, ir.make("add", old, between), start=(6,), step=(1,))
    >>> [node.op for node in copied_arrays(Program((x,), (two,)))]
    ['input']
    """
    return list(dict.fromkeys(update.inputs[0] for found in _conflicts(region).values() for update in found))


def read_back(region: Program) -> Program:
    """The region in which what would need an older version of an array, since it computes again what was written there, reads
    what was written.

    >>> from egc.types import parse_type
    >>> x = ir.input("x", parse_type("f64[9]"))
    >>> written = ir.make("exp", ir.make("slice", x, start=(0,), size=(3,), step=(1,)))
    >>> one = ir.make("update_slice", x, written, start=(3,), step=(1,))
    >>> between = ir.make("slice", one, start=(4,), size=(3,), step=(1,))
    >>> two = ir.make("update_slice", one, ir.make("add", written, between), start=(6,), step=(1,))
    >>> copied_arrays(read_back(Program((x,), (two,))))
    []
    """
    for _ in range(ROUNDS):
        conflicts = _conflicts(region)
        changed = _read_back(region, conflicts) if conflicts else region
        if changed.outputs == region.outputs:
            break
        region = changed
    return region


def _read_back(region: Program, conflicts: Ends) -> Program:
    new: dict[Node, Node] = {}
    for node in region.nodes():
        if node in conflicts and node.op in UPDATES:
            known = _written(conflicts[node], new)
            new[node] = ir.rebuild(node, [new[node.inputs[0]], *_with(node.inputs[1:], known, new)])
        else:
            new[node] = ir.rebuild(node, [new[child] for child in node.inputs])
    outputs = [
        _with([node], _written(conflicts[node], new), new)[0]
        if node in conflicts and node.op not in UPDATES
        else new[node]
        for node in region.outputs
    ]
    return region.with_outputs(outputs)


def _conflicts(region: Program) -> Ends:
    nodes = list(region.nodes())
    updates = [node for node in nodes if node.op in UPDATES and node.type.rank]
    uses = Counter(child for node in nodes for child in node.inputs)
    suspects = [update for update in updates if uses[update.inputs[0]] > 1]
    if not suspects:
        return {}
    after: dict[Node, set[Node]] = {}
    for node in nodes:
        after[node] = set().union(*(after[child] for child in node.inputs))
        if node.op in UPDATES:
            after[node].add(node)
    ends = {node: node.inputs[1:] for node in updates}
    ends |= {node: (node,) for node in region.outputs if node.op not in UPDATES}
    found: dict[Node, list[Node]] = {}
    for end, values in ends.items():
        read = set(_read(values))
        for update in suspects:
            if end is not update and update in after[end] and update.inputs[0] in read:
                found.setdefault(end, []).append(update)
    return found


def _read(values: Iterable[Node]) -> Iterator[Node]:
    """The arrays whose elements values are made of, but for those of which they take single ones."""
    stack, seen = [*values], set[Node]()
    while stack:
        node = stack.pop()
        if node in seen:
            continue
        seen.add(node)
        if node.op == "input" or node.op in UPDATES:
            yield node
            continue
        single = node.op in ("slice", "gather") and _is_single(node)
        stack.extend(node.inputs[1:] if single else node.inputs)


def _is_single(node: Node) -> bool:
    return isinstance(node.type, ArrayType) and all(dim == 1 for dim in node.type.shape)


def _written(updates: Iterable[Node], new: Mapping[Node, Node]) -> dict[Node, Node]:
    """What updates write, as parts of the arrays that they make."""
    found: dict[Node, Node] = {}
    for update in updates:
        if update.op != "update_slice" or _is_single(update.inputs[1]):
            continue
        value = update.inputs[1]
        start, step = update.params["start"], update.params["step"]
        part = ir.make("slice", new[update], line=update.line, start=start, size=value.type.shape, step=step)
        while value.op == "reshape":
            value = value.inputs[0]
        if value.op != "input" and value.type.shape != part.type.shape:
            part = ir.make("reshape", part, line=update.line, shape=value.type.shape)
        if value.op != "input":
            found[value] = part
    return found


def _with(values: Sequence[Node], known: Mapping[Node, Node], new: Mapping[Node, Node]) -> list[Node]:
    """Values made of what is known to stand elsewhere, rather than computed again."""
    made: dict[Node, Node] = dict(known)
    for node in ir.topological(values):
        if node not in made:
            stays = node.op == "input" or node.op in UPDATES
            made[node] = new[node] if stays else ir.rebuild(node, [made[child] for child in node.inputs])
    return [made[value] for value in values]
