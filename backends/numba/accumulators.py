"""How loops combine values: the accumulators of reductions, and two values combined, as source.

float64 sums add blocks with Knuth's compensation and float32 blocks add up in float64, so their error does not grow with the
number of elements.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from egc.backends.numba.scalars import type_name
from egc.lower.loops import Loop
from egc.lower.statements import Apply, Fold, For, Item, operands

if TYPE_CHECKING:
    from egc.backends.numba.emit import Nest

BLOCK = 256
"""Elements of a block, whose total is one plain sum: a processor with 16 partial sums in its registers adds up as many with each
of them as NumPy does."""


class Accumulator:
    """Writes one Fold: float sums run in blocks, whose totals add up with compensation or in a wider type."""

    def __init__(self, nest: Nest, fold: Fold, name: str):
        self.nest, self.fold, self.op, self.dtype, self.name = nest, fold, fold.op, fold.dtype, name
        self.parts = ("r", "i") if self.dtype.kind == "c" and fold.op == "sum" else ("",)
        self.blocked = fold.op == "sum" and self.dtype.kind in "fc"
        self.compensated = self.blocked and self.dtype in (np.float64, np.complex128)
        self.settled = False

    def line(self, indent: int, text: str) -> None:
        self.nest.source.line(indent, text)

    def start(self, indent: int) -> None:
        for part in self.parts:
            self.line(indent, f"s{part}{self.name} = {self._start()}")
            if self.compensated:
                self.line(indent, f"e{part}{self.name} = 0.0")

    def start_block(self, indent: int) -> None:
        for part in self.parts:
            self.line(indent, f"t{part}{self.name} = {'0.0' if self.compensated else 'float32(0.0)'}")

    def end_block(self, indent: int, first: bool = False) -> None:
        for part in self.parts:
            total, error, block = (f"{letter}{part}{self.name}" for letter in "set")
            if first:
                self.line(indent, f"{total} = {block if self.compensated else f'float64({block})'}")
            elif self.compensated:
                self.line(indent, f"{error} += rounding_error({total}, {block})")
                self.line(indent, f"{total} += {block}")
            else:
                self.line(indent, f"{total} += float64({block})")

    def finish_block(self, indent: int) -> None:
        """What follows the one block of a reduction."""
        self.result([f"t{part}{self.name}" for part in self.parts], indent)

    def variables(self) -> list[tuple[str, str]]:
        """What holds a partial result, with the names of the types."""
        if self.blocked:
            return [
                (f"{letter}{part}{self.name}", "float64")
                for part in self.parts
                for letter in "se"[: 1 + self.compensated]
            ]
        kind = "uint64" if self.dtype.kind == "u" else "int64"
        return [(f"s{self.name}", kind if self._wide() else "uint8" if self.dtype.kind == "b" else self.dtype.name)]

    def add_partial(self, values: Sequence[str], indent: int) -> None:
        """Combines a partial result, given as the values of `variables`, into the accumulator."""
        names = [name for name, _ in self.variables()]
        if self.compensated:
            for total, error, part, lost in zip(names[::2], names[1::2], values[::2], values[1::2]):
                self.line(indent, f"{error} += rounding_error({total}, {part}) + {lost}")
                self.line(indent, f"{total} += {part}")
        elif self.blocked or self._wide():
            for total, part in zip(names, values):
                self.line(indent, f"{total} {'*' if self.op == 'prod' else '+'}= {part}")
        else:
            (total,), (part,) = names, values
            part = f"({part} != 0)" if self.dtype.kind == "b" else part
            self.line(indent, f"{total} = {combine(self.op, self.dtype, total, part)}")

    def step(self, indent: int) -> None:
        value, letter = self.nest.value(self.fold.value), "t" if self.blocked else "s"
        for part in self.parts:
            total = f"{letter}{part}{self.name}"
            self.line(indent, f"{total} = {self._step(total, value, part)}")

    def settle(self, indent: int) -> None:
        """Adds what the blocks' totals lost by rounding, at once where it may be that there is only one."""
        for part in self.parts if self.compensated else ():
            total = f"s{part}{self.name}"
            self.line(indent, f"{total} = compensated({total}, e{total[1:]})")
        self.settled = True

    def finish(self, indent: int) -> None:
        totals = [f"s{part}{self.name}" for part in self.parts]
        if self.compensated and not self.settled:
            totals = [f"compensated({total}, e{total[1:]})" for total in totals]
        self.result(totals, indent)

    def result(self, totals: Sequence[str], indent: int) -> None:
        result = f"complex({', '.join(totals)})" if len(totals) > 1 else totals[0]
        result = result if self.dtype.kind == "b" else f"{type_name(self.dtype)}({result})"
        self.line(indent, f"{self.nest.value(self.fold.name)} = {result}")

    def identity(self) -> str:
        """What a plain accumulator starts from."""
        return f"{type_name(self.dtype)}(0.0)" if self.blocked else self._start()

    def stepped(self, total: str, value: str) -> str:
        """A plain accumulator of real numbers with one more value."""
        if self.blocked and self.fold.value not in self.nest.products:
            return f"{total} + {value}"
        return self._step(total, value, "")

    def _wide(self) -> bool:
        """Whether the accumulator is wider than the result."""
        return self.op in ("sum", "prod") and self.dtype.kind in "iu"

    def _start(self) -> str:
        op, dtype = self.op, self.dtype
        if self._wide():
            return f"{'uint64' if dtype.kind == 'u' else 'int64'}({0 if op == 'sum' else 1})"
        return "0.0" if self.blocked else identity(op, dtype)

    def _step(self, total: str, value: str, part: str) -> str:
        op, dtype = self.op, self.dtype
        if self.fold.value in self.nest.products:
            a, b = map(self.nest.value, self.nest.products[self.fold.value])
            return f"{total} + {a} * {b}" if self.nest.in_turn else f"accumulate_product_of({total}, {a}, {b})"
        if self.blocked:
            term = f"{value}.{'real' if part == 'r' else 'imag'}" if part else value
            return f"{total} + {term}" if self.nest.in_turn else f"accumulate({total}, {term})"
        if op == "prod" and dtype.kind == "f":
            return f"accumulate_product({total}, {value})"
        if self._wide():
            wide = "uint64" if dtype.kind == "u" else "int64"
            return f"{total} {'+' if op == 'sum' else '*'} {wide}({value})"
        return combine(op, dtype, total, value)


def summed_products(loop: Loop) -> dict[str, tuple[str, ...]]:
    """The factors of products of floats that nothing but sums in the same loop reads, by name: their rounding is left out."""
    read = Counter(name for statement in loop.statements() for name in operands(statement))
    return {
        product.name: product.operands
        for body in _bodies(loop.body)
        for product in body
        if isinstance(product, Apply) and product.node.op == "multiply" and product.node.type.dtype.kind == "f"
        if 0
        < read[product.name]
        == sum(isinstance(s, Fold) and s.op == "sum" and s.value == product.name for s in body)
    }


def _bodies(items: Sequence[Item]) -> Iterator[Sequence[Item]]:
    """The bodies of all loops."""
    for item in items:
        if isinstance(item, For):
            yield item.body
            yield from _bodies(item.body)


def identity(op: str, dtype: np.dtype) -> str:
    """The value that combining starts from, as source. A running sum of floats starts from the zero that keeps signs."""
    name = type_name(dtype)
    if op == "cumsum" and dtype.kind == "f":
        return f"{name}(-0.0)"
    op = op.removeprefix("cum")
    if dtype.kind == "b":
        return "True" if op in ("prod", "all", "min") else "False"
    if op in ("sum", "prod"):
        return f"{name}({0 if op == 'sum' else 1})"
    if dtype.kind == "f":
        return f"{name}({'-inf' if op == 'max' else 'inf'})"
    limits = np.iinfo(dtype)
    return f"{name}({limits.min if op == 'max' else limits.max})"


def stored(value: str, dtype: np.dtype) -> str:
    return f"uint8({value})" if dtype.kind == "b" else value


def combine(op: str, dtype: np.dtype, total: str, value: str) -> str:
    """Two values of a dtype combined, as source."""
    op = op.removeprefix("cum")
    if dtype.kind == "b":
        return f"({total}) {'&' if op in ('prod', 'all', 'min') else '|'} {value}"
    if op in ("sum", "prod"):
        text = f"{total} {'+' if op == 'sum' else '*'} {value}"
        return f"{type_name(dtype)}({text})" if dtype.kind in "iu" else text
    if dtype.kind == "f":
        return f"{op}imum({total}, {value})"
    return f"select({value} {'>' if op == 'max' else '<'} {total}, {value}, {total})"
