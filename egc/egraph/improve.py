"""Local search: from a choice of e-nodes to cheaper ones nearby, by the price of the true Program, kernels and all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from egc.egraph.decode import ENode
from egc.egraph.extractor import UNREACHED, Choice, Extracted, Extractor, Tree
from egc.ops import COMMUTATIVE

EVALUATIONS = 128
"""Programs that are priced at most, """

NODES = 8000
"""the number of Nodes that they have together, """

PATIENCE = 32
"""and of Programs that are priced in turn where none is cheaper. Over the e-graphs of all benchmarks, what is found later saves
two parts in ten thousand, once."""

ALTERNATIVES = 3
"""E-nodes of one class that are tried in a round."""

SHARING_CLASSES = 400
"""Classes of a Program up to which parts are looked for that others could share, """

SHARING_DEPTH = 8
"""so many steps below them, """

COSTLY = 0.02
"""which take at least this part of the Program's time."""


def improved(extractor: Extractor, start: Extracted, share: float = 1.0) -> Extracted:
    """Exchanges one e-node at a time, or the results of one loop, while the Program's cost falls. share: the part of the usual
    work that it may take."""
    size = sum(1 for _ in start.program.nodes())
    current, left = start, int(share * min(EVALUATIONS, NODES // size))
    tried: set[tuple[tuple[int, int], ...]] = set()
    better, in_vain = True, 0
    while better and left > 0:
        better = False
        for move in _all_moves(extractor, current):
            if left == 0 or in_vain == PATIENCE:
                break
            key = tuple((number, id(enode)) for number, enode in move.items())
            if key in tried:
                continue
            tried.add(key)
            choice = {**current.choice, **move}
            program = extractor.build(choice)
            if program is None:
                continue
            left, in_vain = left - 1, in_vain + 1
            found = extractor.priced(program, choice)
            if found.cost < current.cost:
                current, better, in_vain = found, True, 0
                break
    return current


def _all_moves(extractor: Extractor, current: Extracted) -> Iterator[Choice]:
    """Exchanges worth trying, those of several e-nodes first."""
    yield from _joint_moves(extractor, current)
    yield from _sharing_moves(extractor, current)
    yield from _moves(extractor, current)


def _joint_moves(extractor: Extractor, current: Extracted) -> Sequence[Choice]:
    """Exchanges of several results by those of one loop or branch: alone, none of them saves anything, because what gave
    the others would still run. Those that put most together first."""
    together: dict[int, Choice] = {}
    for number in extractor.used(current.choice):
        for enode in extractor.graph.enodes[number]:
            if enode.op == "item" and extractor.tree_cost(enode) != UNREACHED and number not in enode.children:
                together.setdefault(enode.children[0], {}).setdefault(number, enode)
    moves = []
    for source, move in together.items():
        now = {number: extractor.chosen(current.choice, number) for number in move}
        if len(move) > 1 and any(now[number] is not enode for number, enode in move.items()):
            moves.append((-len(move), extractor.tree[source], extractor.rank[source], move))
    moves.sort(key=lambda each: each[:3])
    return [move for *_, move in moves]


def _sharing_moves(extractor: Extractor, current: Extracted) -> Sequence[Choice]:
    """Exchanges of several terms by others that have a costly part in common, such as the factors of one matrix: alone, none
    of them saves anything. Those that put most together first."""
    used = extractor.used(current.choice)
    if len(used) > SHARING_CLASSES:
        return []
    inside = set(used)
    together: dict[int, Choice] = {}
    for number in used:
        for _, _, enode in _alternatives(extractor, number, current)[:ALTERNATIVES]:
            for part in _costly_parts(extractor, enode, current, inside):
                together.setdefault(part, {}).setdefault(number, enode)
    moves = [
        (-len(move), extractor.tree[part], extractor.rank[part], move)
        for part, move in together.items()
        if len(move) > 1
    ]
    moves.sort(key=lambda each: each[:3])
    return [move for *_, move in moves]


def _costly_parts(extractor: Extractor, enode: ENode, current: Extracted, used: set[int]) -> list[int]:
    """The classes below an e-node that a Program does not have yet, and that take a share of what it takes."""
    found, seen, level = [], set(used), enode.children
    for _ in range(SHARING_DEPTH):
        level = tuple(child for child in dict.fromkeys(level) if child not in seen and child in extractor.best)
        seen.update(level)
        chosen = [(child, extractor.chosen(current.choice, child)) for child in level]
        found += [child for child, each in chosen if extractor.cost(each) > COSTLY * current.cost]
        level = tuple(below for _, each in chosen for below in each.children)
    return found


def _moves(extractor: Extractor, current: Extracted) -> Sequence[Choice]:
    """Exchanges worth trying, those whose trees add least first."""
    moves = []
    for number in extractor.used(current.choice):
        for cost, key, enode in _alternatives(extractor, number, current)[:ALTERNATIVES]:
            moves.append((cost[0] - extractor.tree[number][0], -extractor.rank[number], key, number, enode))
    moves.sort(key=lambda each: each[:3])
    return [{number: enode} for *_, number, enode in moves]


def _alternatives(extractor: Extractor, number: int, current: Extracted) -> list[tuple[Tree, Any, ENode]]:
    """The e-nodes that a class could take instead of its own, cheapest first, with what orders them."""
    now = extractor.chosen(current.choice, number)
    shape = _signature(now)
    found = [
        (extractor.tree_cost(enode), extractor.key(number, enode), enode)
        for enode in extractor.graph.enodes[number]
        if enode is not now and _signature(enode) != shape and number not in enode.children
    ]
    return sorted((each for each in found if each[0] != UNREACHED), key=lambda each: each[:2])


def _signature(enode: ENode) -> tuple[Any, ...]:
    """What e-nodes have in common that differ by the order of a commutative op's operands only."""
    children = tuple(sorted(enode.children)) if enode.op in COMMUTATIVE else enode.children
    return enode.op, enode.params, children
