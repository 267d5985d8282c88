"""Which calls keep the interpreter's lock: those that others would wait for less long than for a switch of threads."""

from __future__ import annotations

from collections.abc import Sequence

from egc.backends.numba.sharing import work_of
from egc.lower.loops import Call, Loop, Step
from egc.sizes import Atom, Dim

HELD = 20_000.0
"""Nanoseconds of work, at most, for which the lock is kept. Letting go of it takes some tens; having it back takes up to
five milliseconds where another thread computes."""

MOST_DIGITS = 20
"""Binary digits of the longest axis that is considered."""


def held_length(steps: Sequence[Step]) -> int:
    """The lock is kept where all axes of the arguments, and all ints, are shorter than this."""
    prices: list[tuple[float, Dim]] = []
    calls: list[int] = []
    for step in steps:
        if isinstance(step, Loop):
            prices += [(price, count) for count, price in work_of(step.body).prices.items()]
        elif isinstance(step, Call) and not step.view:
            calls.append(
                1 + max([node.type.rank for node in step.node.inputs if hasattr(node.type, "rank")], default=0)
            )
    for digits in range(MOST_DIGITS + 1):
        length = float(2**digits)
        work = sum(price * bound(count, length) for price, count in prices) + sum(length**power for power in calls)
        if work > HELD:
            return 2**digits // 2
    return 2**MOST_DIGITS


def bound(dim: Dim, length: float) -> float:
    """What a size is at most where no axis is longer than `length`.

    >>> from egc.sizes import symbol
    >>> n, m = symbol("n"), symbol("m")
    >>> bound(n * m - n + 2, 10.0), bound(n // 2, 10.0)
    (112.0, 10.0)
    """
    if isinstance(dim, int):
        return float(abs(dim))
    total = 0.0
    for monomial, coefficient in dim.terms:
        product = float(abs(coefficient))
        for atom, power in monomial:
            product *= _atom_bound(atom, length) ** power
        total += product
    return total


def _atom_bound(atom: Atom, length: float) -> float:
    if isinstance(atom, str):
        return length
    name, first, second = atom
    return (
        bound(second if name == "mod" else first, length)
        if name in ("mod", "floordiv")
        else max(bound(first, length), bound(second, length))
    )
