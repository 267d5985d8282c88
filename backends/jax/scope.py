"""The sizes inside of regions. The number of an iteration is traced: a length that depends on it is padded to the largest
that it has in any iteration, and masked where that matters."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import jax.numpy as jnp

from egc import sizes
from egc.ir import Node, Program, dims_of
from egc.sizes import Dim, Size
from egc.types import Shape

CALLS: Mapping[str, Callable[[Any, Any], Any]] = {
    "floordiv": jnp.floor_divide,
    "mod": jnp.mod,
    "max": jnp.maximum,
    "min": jnp.minimum,
}


def slope(size: Dim, name: str) -> Dim | None:
    """The factor of a symbol that a size is linear in; None where it is not linear."""
    at = [sizes.substitute(size, {name: value}) for value in range(3)]
    linear = at[2] - at[1] == at[1] - at[0] and not _inside_call(size, name)
    return at[1] - at[0] if linear else None


def _inside_call(size: Dim, name: str) -> bool:
    atoms = [atom for monomial, _ in size.terms for atom, _ in monomial] if isinstance(size, Size) else []
    return any(
        name in (*sizes.symbols(atom[1]), *sizes.symbols(atom[2])) for atom in atoms if not isinstance(atom, str)
    )


@dataclass(frozen=True)
class Scope:
    """static: sizes that are known. traced: numbers of iterations. counts: how often each of their loops runs at most, where
    known. inside: whether it is that of a region."""

    static: Mapping[str, int]
    traced: Mapping[str, Any] = field(default_factory=dict)
    counts: Mapping[str, int | None] = field(default_factory=dict)
    inside: bool = False

    def varies(self, size: Any) -> bool:
        return isinstance(size, Size) and any(name in self.traced for name in sizes.symbols(size))

    def value(self, size: Dim) -> Any:
        """A size as an integer, or traced."""
        if not self.varies(size):
            return sizes.evaluate(size, self.static)
        assert isinstance(size, Size)
        total: Any = 0
        for monomial, coefficient in size.terms:
            factor: Any = coefficient
            for atom, power in monomial:
                if isinstance(atom, str):
                    base = self.traced[atom] if atom in self.traced else self.static[atom]
                else:
                    base = CALLS[atom[0]](self.value(atom[1]), self.value(atom[2]))
                factor = factor * base**power
            total = total + factor
        return total

    def highest(self, size: Dim) -> int | None:
        """What a size does not exceed in any iteration; None where nothing follows."""
        size = sizes.substitute(size, dict(self.static))
        for name, count in reversed(self.counts.items()):
            if name not in set(sizes.symbols(size)):
                continue
            factor = slope(size, name)
            if not isinstance(factor, int) or count is None:
                return None
            size = sizes.substitute(size, {name: max(count - 1, 0) if factor > 0 else 0})
        return size if isinstance(size, int) else None

    def most(self, size: Dim) -> int:
        """The length to which an axis is padded."""
        if not self.varies(size):
            return sizes.evaluate(size, self.static)
        found = self.highest(size)
        assert found is not None, size
        return max(found, 0)

    def holds(self, size: Dim) -> bool:
        """Whether a size is certainly not negative in any iteration."""
        found = self.highest(0 - size)
        return found is not None and found <= 0

    def shape(self, shape: Shape) -> tuple[int, ...]:
        """The padded shape of a value."""
        return tuple(map(self.most, shape))

    def mask(self, shape: Shape) -> Any:
        """Where a padded value has its elements; None where that is everywhere."""
        found, padded = None, self.shape(shape)
        for axis, size in enumerate(shape):
            if self.varies(size):
                place = jnp.arange(padded[axis]).reshape([-1 if k == axis else 1 for k in range(len(shape))])
                part = jnp.broadcast_to(place < self.value(size), padded)
                found = part if found is None else found & part
        return found

    def params(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """The parameters with sizes as integers; positions and values may be traced, lengths are padded."""

        def bound(name: str, value: Any) -> Any:
            if isinstance(value, tuple):
                return tuple(bound(name, part) for part in value)
            if not isinstance(value, Size):
                return value
            return self.value(value) if name in ("start", "value") else self.most(value)

        return {name: bound(name, value) for name, value in params.items()}


PADDED_KINDS = frozenset(["elementwise"])
PADDED = frozenset(
    """constant iota size broadcast transpose slice update_slice sum prod max min any all argmax argmin cumsum cumprod cummax cummin
       linear_recurrence matmul item loop cond assume input empty""".split()
)
"""Ops that can have padded operands."""


def ragged_gap(node: Node, kind: str, counts: Mapping[str, Dim | None]) -> str | None:
    """Why lengths that depend on an iteration cannot be padded here, or None."""
    lengths = {dim for each in (node, *node.inputs) for dim in dims_of(each.type)}
    varying = [dim for dim in lengths if isinstance(dim, Size) and set(sizes.symbols(dim)) & set(counts)]
    positions = [
        part
        for name, value in node.params.items()
        if name not in ("start", "value")
        for part in (value if isinstance(value, tuple) else (value,))
        if isinstance(part, Size) and set(sizes.symbols(part)) & set(counts)
    ]
    for dim in (*varying, *positions):
        for name in set(sizes.symbols(dim)) & set(counts):
            factor = slope(dim, name)
            if counts[name] is None or factor is None or set(sizes.symbols(factor)) & set(counts):
                return "a length depends on the iteration in a way that has no known limit"
    unit = node.op == "reshape" and _proper(node.type.shape) == _proper(node.inputs[0].type.shape)
    whole_power = node.op == "power" and node.type.dtype.kind in "iu"
    if varying and not unit and (whole_power or not (kind in PADDED_KINDS or node.op in PADDED)):
        return "a length depends on the iteration"
    return None


def _proper(shape: Shape) -> list[Dim]:
    return [dim for dim in shape if dim != 1]


def regions_of(node: Node) -> list[Program]:
    return [value for name, value in node.params.items() if isinstance(value, Program) and name != "reverse"]
