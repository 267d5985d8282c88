"""Long products of matrices in the order that multiplies least.

Associativity both ways makes all O(n^2) subproducts of a chain, and of 40 factors more terms than a search has room for. So a
chain's best order is found by dynamic programming (Godbole, On Efficient Computation of Matrix Chain Products, 1973) and is one
more form of its value.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from egc import ir, sizes
from egc.alternatives import Alternative
from egc.ir import Node, Program
from egc.rewrite import Rewrite

LAW = "matrix_product_is_associative"
LEAST = 6
"""Factors from which a chain is ordered here: shorter ones the rules alone order."""


def ordered_chains(
    program: Program, rewrites: Iterable[Rewrite], bindings: Mapping[str, int]
) -> tuple[Alternative, ...]:
    """The long chains of a Program in their best order at these sizes, if products may be regrouped."""
    rule = next((each.rule for each in rewrites if each.rule.name == LAW), None)
    if rule is None:
        return ()
    found = []
    for root, factors in _chains(program):
        after = _ordered(factors, bindings)
        if after is not root:
            found.append(Alternative(LAW, rule.file, rule.line, rule.precision, root, after))
    return tuple(found)


def _chains(program: Program) -> Iterator[tuple[Node, list[Node]]]:
    """The products that are no factors of others, with their factors, of which only the first and the last may be vectors."""
    uses = Counter(child for node in program.nodes() for child in node.inputs)
    uses.update(program.outputs)

    inner = {
        child for node in program.nodes() if _is_product(node) for child in node.inputs if _joins(child, node, uses)
    }
    for node in program.nodes():
        if not _is_product(node) or node in inner:
            continue
        factors, stack = [], [node]
        while stack:
            each = stack.pop()
            if each is node or each in inner:
                stack += reversed(each.inputs)
            else:
                factors.append(each)
        if len(factors) >= LEAST:
            yield node, factors


def _is_product(node: Node) -> bool:
    return node.op == "matmul" and all(child.type.rank in (1, 2) for child in node.inputs)


def _joins(child: Node, user: Node, uses: Counter[Node]) -> bool:
    """Whether a factor is a product that nothing else needs, and a vector at the chain's end if it is one."""
    if not _is_product(child) or uses[child] != 1:
        return False
    inward = 0 if child is user.inputs[1] else 1
    return child.type.rank == 2 or child.inputs[inward].type.rank == 2


def _ordered(factors: list[Node], bindings: Mapping[str, int]) -> Node:
    """The product of factors with the fewest multiplications."""
    count = len(factors)
    lengths = [_length(factors[0], 0, bindings) if factors[0].type.rank == 2 else 1]
    lengths += [_length(each, -1, bindings) for each in factors[:-1]]
    lengths.append(_length(factors[-1], -1, bindings) if factors[-1].type.rank == 2 else 1)
    least = [[0.0] * count for _ in range(count)]
    split = [[0] * count for _ in range(count)]
    for width in range(1, count):
        for first in range(count - width):
            last = first + width
            ends = lengths[first] * lengths[last + 1]
            costs = [least[first][at] + least[at + 1][last] + ends * lengths[at + 1] for at in range(first, last)]
            best = min(range(width), key=costs.__getitem__)
            least[first][last], split[first][last] = costs[best], first + best

    def product(first: int, last: int) -> Node:
        if first == last:
            return factors[first]
        at = split[first][last]
        return ir.make("matmul", product(first, at), product(at + 1, last))

    return product(0, count - 1)


def _length(node: Node, axis: int, bindings: Mapping[str, int]) -> int:
    return sizes.evaluate(node.type.shape[axis], bindings)
