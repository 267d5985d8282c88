"""Which rewrites can fire on a Program: only these need to be loaded and run, see `admission`.

A term is described by its op, the rank of its first operand, and its parameters that are no sizes, such as `axes`. A
direction is relevant when every term of its source is among the Program's or is made by a relevant direction.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache

from egc import ir
from egc.egraph.directions import Directed
from egc.egraph.encode import folded_constant
from egc.ir import Node
from egc.types import ArrayType

Feature = tuple[str, int | None, str]

Link = tuple[str, int, str]
"""An op, the place of an operand, and an op that this operand has."""

ALWAYS = frozenset(["input", "constant", "size", "broadcast", "cast"])
"""Ops that the encoder and the e-graph's own rules also make, or that match in several forms."""

VARYING = frozenset(["shape", "dtype", "start", "size", "step", "low", "high", "value", "facts", "rcond"])
"""Parameters that hold sizes, or that two equal terms may spell differently."""


def _features(nodes: Iterable[Node], generic: bool) -> frozenset[Feature]:
    """A generic rewrite's terms have any rank: None."""
    found = set()
    for node in nodes:
        if node.op not in ALWAYS:
            literal = repr([node.params[name] for name in sorted(node.params) if name not in VARYING])
            found.add((node.op, None if generic else _rank(node), literal))
    return frozenset(found)


def _rank(node: Node) -> int:
    first = node.inputs[0].type if node.inputs else node.type
    return first.rank if isinstance(first, ArrayType) else -1


@lru_cache(maxsize=16384)
def _directed_features(directed: Directed) -> tuple[frozenset[Feature], frozenset[Feature]]:
    """What a direction needs and what it makes."""
    rewrite = directed.rewrite
    needed = ir.topological([directed.source, *(each.operand for each in rewrite.conditions)])
    return _features(needed, rewrite.generic), _features(ir.topological([directed.target]), rewrite.generic)


@lru_cache(maxsize=16384)
def ops_needed(directed: Directed) -> frozenset[str]:
    """The ops of which there must be terms before a direction can fire."""
    return frozenset(op for op, _, _ in _directed_features(directed)[0])


@lru_cache(maxsize=16384)
def links_needed(directed: Directed) -> frozenset[Link]:
    """What there must be on what before a direction can fire."""
    return links(node for node in ir.topological([directed.source]) if folded_constant(node) is None)


def links(nodes: Iterable[Node]) -> frozenset[Link]:
    """Which ops have which other ones as their operands, as far as these have one form in the e-graph."""
    return frozenset(
        (node.op, place, child.op)
        for node in nodes
        for place, child in enumerate(node.inputs)
        if node.op not in ALWAYS and child.op not in ALWAYS and folded_constant(child) is None
    )


def relevant(nodes: Sequence[Node], candidates: Sequence[Directed]) -> tuple[list[Directed], frozenset[str]]:
    """The directions that can fire on terms of these Nodes, in their order, and the ops of all terms there can be."""
    ranks = set(range(1 + max((max(_rank(node), getattr(node.type, "rank", 0)) for node in nodes), default=0)))
    known: set[Feature] = set()
    of_any_rank: set[tuple[str, str]] = set()

    def learn(features: Iterable[Feature]) -> None:
        for op, rank, literal in features:
            known.add((op, None, literal))
            if rank is None:
                of_any_rank.add((op, literal))
                known.update((op, each, literal) for each in ranks)
                continue
            known.add((op, rank, literal))
            if rank not in ranks:
                ranks.add(rank)
                known.update((op, rank, literal) for op, literal in of_any_rank)

    learn(_features(nodes, generic=False))
    found: set[Directed] = set()
    waiting = list(candidates)
    while True:
        ready = [each for each in waiting if _directed_features(each)[0] <= known]
        if not ready:
            return [each for each in candidates if each in found], ALWAYS | {op for op, _, _ in known}
        found.update(ready)
        waiting = [each for each in waiting if each not in found]
        for each in ready:
            learn(_directed_features(each)[1])
