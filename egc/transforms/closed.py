"""Closed forms of simple recurrences, over the iterations of a counted loop.

    s = s + c        = s + n c
    s = s + c i      = s + c n (n - 1) / 2
    s = s + f(i)     = s + n f(0) + C(n, 2) Df(0) + C(n, 3) DDf(0) + ..., Df(i) = f(i + 1) - f(i), for polynomials f
    s = c s          = c^n s
    s = a s + b      = a^n s + b (a^n - 1) / (a - 1)
    t = a t, s = s + c t  = s + c t (a^n - 1) / (a - 1)

Floating powers leave the range of numbers where the recurrence does not: then the loop runs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from egc import ir
from egc.ir import Node, make
from egc.ranges import mentions
from egc.sizes import Dim, Size, floordiv, mod, substitute, symbols
from egc.transforms.vmap import Lifting, NotLifted, spread
from egc.types import ArrayType

KEPT = frozenset([("i", "i"), ("i", "f"), ("f", "f")])
"""Kinds of dtypes between which a cast of a sum is the sum of casts, wrap-around included."""


THIRD = -6148914691236517205
"""Times 3, it is 1 in 64 bits."""


@dataclass(frozen=True)
class Affine:
    """`offset + factor x` for the state, or the number, x; None stands for 0. Neither depends on the iteration.

    For the number there may be more: + second x (x - 1) / 2 + third x (x - 1) (x - 2) / 6.
    """

    offset: Node | None
    factor: Node | None
    second: Node | None = None
    third: Node | None = None

    @property
    def parts(self) -> tuple[Node | None, ...]:
        return self.offset, self.factor, self.second, self.third


class Series:
    """Values of a loop's region that are affine in one of its states, or in its number."""

    def __init__(self, lifting: Lifting, type: ArrayType, count: Dim, polynomials: bool = False):
        self.lifting, self.type, self.count, self.polynomials = lifting, type, count, polynomials
        self.higher = False

    def constant(self, value: float) -> Node:
        return ir.constant(value, self.type.dtype, self.type.shape)

    def number(self, size: Dim) -> Node:
        """A size as an array of the state's type."""
        node = ir.size(size)
        node = node if node.type.dtype == self.type.dtype else make("cast", node, dtype=self.type.dtype)
        return spread(node, self.type.shape, ())

    def of(self, node: Node, x: Node | None) -> Affine:
        """A value as one that is affine in the state x, or in the number where x is None. Raises NotLifted."""
        if node is x:
            return Affine(None, self.constant(1))
        if x is None and node.op == "size" and mentions(node, self.lifting.name):
            return self._of_size(node.params["value"])
        if not self._varies(node, x):
            value = self.lifting.value(node)
            if value.lifted:
                raise NotLifted("a value that changes")
            return Affine(value.node, None)
        inputs = node.inputs
        if node.op == "cast" and x is None and (inputs[0].type.dtype.kind, node.type.dtype.kind) in KEPT:
            return self._each(lambda part: make("cast", part, dtype=node.type.dtype), self.of(inputs[0], x))
        if node.op == "broadcast" and x is None and not inputs[0].type.rank:
            return self._each(lambda part: spread(part, node.type.shape, ()), self.of(inputs[0], x))
        if node.op == "negative":
            return self._each(lambda part: make("negative", part), self.of(inputs[0], x))
        if node.op in ("add", "subtract"):
            return self._together(node.op, *(self.of(each, x) for each in inputs))
        if node.op in ("multiply", "divide"):
            return self._scaled(node, x)
        raise NotLifted(node.op)

    def _varies(self, node: Node, x: Node | None) -> bool:
        nodes = ir.topological([node])
        if x is not None:
            return x in nodes
        return any(mentions(each, self.lifting.name) for each in nodes if each.op == "size")

    def _of_size(self, size: Size) -> Affine:
        """A polynomial by its differences at 0."""
        name = self.lifting.name
        if any(
            not isinstance(atom, str) and name in {*symbols(atom[1]), *symbols(atom[2])}
            for term, _ in size.terms
            for atom, _ in term
        ):
            raise NotLifted("a size that is no polynomial")
        values: list[Dim] = [substitute(size, {name: place}) for place in range(5)]
        found: list[Dim] = []
        while values:
            found.append(values[0])
            values = [after - before for before, after in zip(values, values[1:])]
        if found.pop() != 0 or (found[2:] != [0, 0] and not self.polynomials):
            raise NotLifted("a size that is no polynomial of a low degree")
        return Affine(*(None if k > 1 and part == 0 else ir.size(part) for k, part in enumerate(found)))

    def _each(self, change: Callable[[Node], Node], value: Affine) -> Affine:
        return Affine(*(None if part is None else change(part) for part in value.parts))

    def _together(self, op: str, a: Affine, b: Affine) -> Affine:
        def part(left: Node | None, right: Node | None) -> Node | None:
            if right is None:
                return left
            if left is None:
                return right if op == "add" else make("negative", right)
            return make(op, left, right)

        return Affine(*map(part, a.parts, b.parts))

    def _scaled(self, node: Node, x: Node | None) -> Affine:
        left, right = (self._varies(each, x) for each in node.inputs)
        if left == right or (right and node.op == "divide") or node.type.dtype.kind not in "iuf":
            raise NotLifted(node.op)
        inner, other = node.inputs if left else reversed(node.inputs)
        by = self.of(other, x).offset
        assert by is not None
        return self._each(lambda part: make(node.op, part, by), self.of(inner, x))

    def sum(self, term: Node) -> Node:
        """The sum over all iterations of a term that is affine in the number. Raises NotLifted."""
        value = self.of(term, None)
        self.higher |= value.second is not None or value.third is not None
        made = [make("multiply", part, self.choices(k + 1)) for k, part in enumerate(value.parts) if part is not None]
        total = made[0]
        for part in made[1:]:
            total = make("add", total, part)
        return total

    def choices(self, k: int) -> Node:
        """In how many ways k of the iterations are chosen, for k up to 4. Integers are right but for what wraps around:
        halves are taken of even factors, and thirds by what 3 is multiplied with to give 1."""
        n = self.count
        if k == 1:
            return self.number(n)
        if self.type.dtype.kind == "f":
            found = self.number(n)
            for place in range(1, k):
                factor = make("divide", self.number(n - place), self.constant(place + 1))
                found = make("multiply", found, factor)
            return found
        half, odd = floordiv(n, 2), n - 1 + mod(n, 2)
        factors: list[Dim] = [half, odd]
        if k == 3:
            factors = [half, odd, n - 2, THIRD]
        if k == 4:
            factors = [floordiv(half, 2), half - 1 + mod(half, 2), odd, odd - 2, THIRD]
        found = ir.size(factors[0])
        for each in factors[1:]:
            found = make("multiply", found, ir.size(each))
        found = found if self.type.dtype == np.int64 else make("cast", found, dtype=self.type.dtype)
        return spread(found, self.type.shape, ())

    def times(self, value: Node) -> Node:
        """The sum of the same over all iterations."""
        return make("multiply", value, self.number(self.count))

    def power(self, base: Node) -> Node:
        return make("power", base, self.number(self.count))

    def geometric(self, base: Node) -> Node:
        """1 + a + .. + a^(n - 1) for n > 0, without loss of digits where a is near 1."""
        one = self.constant(1)
        beyond = make("subtract", base, one)
        near = make("less", make("absolute", beyond), self.constant(0.5))
        close = make("where", near, beyond, self.constant(0))
        slow = make("expm1", make("multiply", self.number(self.count), make("log1p", close)))
        above = make("where", near, slow, make("subtract", self.power(base), one))
        same = make("equal", base, one)
        return make("where", same, self.number(self.count), make("divide", above, make("where", same, one, beyond)))

    def sound(self, result: Node, base: Node, start: Node, rest: Node | None) -> Node:
        """Whether `a^n start + rest` is what the recurrence gives: the power is no subnormal number, or of no account."""
        limits = np.finfo(self.type.dtype)
        least = self.constant(float(limits.tiny) / float(limits.eps))
        size = make("absolute", self.power(base))
        ok = make("greater_equal", size, least)
        exact = make("logical_or", make("equal", start, self.constant(0)), make("equal", base, self.constant(0)))
        ok = make("logical_or", ok, exact)
        if rest is not None:
            lost = make("multiply", make("absolute", start), least)
            counts = make("multiply", make("absolute", rest), self.constant(float(limits.eps)))
            ok = make("logical_or", ok, make("less_equal", lost, counts))
        return everywhere(make("logical_and", make("isfinite", result), ok))

    def finite(self, result: Node) -> Node:
        return everywhere(make("isfinite", result))


def everywhere(ok: Node) -> Node:
    """Whether a condition holds for all elements, as a scalar."""
    return make("all", ok, axes=tuple(range(ok.type.rank))) if ok.type.rank else ok
