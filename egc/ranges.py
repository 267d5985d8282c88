"""What is known of sizes: the lengths of axes are positive, and the number of an iteration lies below its loop's count."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from egc import ir, sizes
from egc.ir import Node, Program
from egc.sizes import Atom, Dim, Size
from egc.trips import count_size


@lru_cache(maxsize=16384)
def coefficient(size: Dim, name: str) -> Dim | None:
    """The factor of a symbol that a size is linear in; None where it is not linear.

    >>> from egc.sizes import symbol
    >>> i = symbol("i")
    >>> print(coefficient(2 * i + symbol("n"), "i"), coefficient(i * (i - 1) * (i - 2), "i"))
    2 None
    """
    if name not in set(sizes.symbols(size)):
        return 0
    terms = size.terms  # type: ignore[union-attr]
    if any(power > 1 if atom == name else name in _inner(atom) for monomial, _ in terms for atom, power in monomial):
        return None
    return sizes.substitute(size, {name: 1}) - sizes.substitute(size, {name: 0})


def _inner(atom: Atom) -> set[str]:
    return set() if isinstance(atom, str) else {*sizes.symbols(atom[1]), *sizes.symbols(atom[2])}


@dataclass(frozen=True)
class Ranges:
    """least: numbers that symbols are not below. lengths: sizes that are those of axes, and so not negative.
    counts: by the name of an iteration's number, from the outermost loop
    inwards, how often the loop runs; None where that is no size. facts: further sizes that are not negative."""

    least: Mapping[str, int] = field(default_factory=dict)
    counts: Mapping[str, Dim | None] = field(default_factory=dict)
    lengths: frozenset[Dim] = frozenset()
    facts: tuple[Dim, ...] = ()

    def lower(self, size: Dim) -> int | None:
        """A number that the size is not below in any iteration; None where nothing follows.

        >>> from egc.sizes import symbol
        >>> n = symbol("n")
        >>> Ranges({"n": 1}, {"_i1": n - 1}).lower(n - symbol("_i1") - 2)
        0
        """
        for name, count in reversed(self.counts.items()):
            factor = coefficient(size, name)
            if factor is None or factor == 0:
                continue
            least = factor if isinstance(factor, int) else sizes.lower_bound(factor, self.least)
            if least is not None and least >= 0:
                size = sizes.substitute(size, {name: 0})
            elif isinstance(factor, int) and count is not None:
                size = sizes.substitute(size, {name: _positive(count) - 1})
            else:
                return None
        return sizes.lower_bound(size, self.least)

    def holds(self, size: Dim) -> bool:
        """Whether a size is certainly not negative."""
        if size in self.lengths:
            return True
        return any(least is not None and least >= 0 for least in map(self.lower, self._less(size)))

    def _less(self, size: Dim) -> Iterator[Dim]:
        """The size, and what it has more than one or two of the facts."""
        yield size
        facts = [fact for fact in self.facts if set(sizes.symbols(fact)).intersection(sizes.symbols(size))]
        for number, fact in enumerate(facts):
            yield size - fact
            for other in facts[number:]:
                yield size - fact - other

    def within(self, name: str, count: Dim | None) -> Ranges:
        """What is known in an iteration of a loop that runs so often.

        >>> n = sizes.symbol("n")
        >>> Ranges({"n": 1}).within("_i1", sizes.maximum(0, n - 3)).holds(n - 4)
        True
        """
        runs = () if count is None else (_positive(count) - 1,)
        return Ranges(self.least, {**self.counts, name: count}, self.lengths, (*self.facts, *runs))

    def inside(self, loop: Node) -> Ranges:
        """What is known in the regions of a loop or branch."""
        if loop.op != "loop" or not loop.params["counted"]:
            return self
        name = loop.params["update"].inputs[0].params["name"]
        return Ranges(self.least, {**self.counts, name: count_size(loop.inputs[0])}, self.lengths, self.facts)


def _positive(count: Dim) -> Dim:
    """A number of iterations of which there is one: what is above 0 of a maximum."""
    if isinstance(count, Size) and len(count.terms) == 1:
        monomial, factor = count.terms[0]
        if factor == 1 and len(monomial) == 1 and monomial[0][1] == 1 and not isinstance(monomial[0][0], str):
            name, a, b = monomial[0][0]
            for least, other in ((a, b), (b, a)):
                if name == "max" and isinstance(least, int) and least <= 0:
                    return other
    return count


def ranges_of(program: Program) -> Ranges:
    """What is known of the sizes of a whole Program."""
    lengths = {dim for node in (*program.inputs, *program.nodes()) for dim in ir.dims_of(node.type)}
    return Ranges(dict.fromkeys(ir.bound_symbols(program) - program.size_inputs, 1), lengths=frozenset(lengths))


def mentions(node: Node, name: str) -> bool:
    """Whether a Node's type or parameters depend on a symbol."""
    dims = [*ir.dims_of(node.type)]
    for value in node.params.values():
        dims += [part for part in (value if isinstance(value, tuple) else (value,)) if isinstance(part, Size)]
    return any(name in sizes.symbols(dim) for dim in dims) or any(
        name in ir.free_symbols(region) for _, region in ir.regions(node)
    )
