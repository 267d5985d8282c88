"""Arithmetic on sizes, as generated code does it: in few operations, for each of which numba takes as long as for a statement."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping

from egc.sizes import Dim, Size

POWER = re.compile(r"\b([A-Za-z_]\w*)\*\*(\d+)")


def multiplied(text: str) -> str:
    """A size with products for powers, for which numba compiles a function.

    >>> multiplied("2*n**2 - m")
    '2*(n*n) - m'
    """
    return POWER.sub(lambda found: f"({'*'.join([found[1]] * int(found[2]))})", text)


def few_operations(value: Dim, known: Mapping[Size, str]) -> str:
    """A polynomial over variables, by those that have names: their products, and otherwise Horner's rule.

    >>> n, m, k = map(symbol, "nmk")
    >>> few_operations((n - m + 1) * (k + 1) * k, {n - m + 1: "rows", k + 1: "more"})
    '(rows*(more*k))'
    >>> few_operations(n * m * k - n * m + 2 * k, {})
    '(m*n*(k - 1) + 2*k)'
    """
    if not isinstance(value, Size):
        return str(value)
    if value in known:
        return known[value]
    if len(value.terms) == 1:
        text = multiplied(str(value))
        return text if text.isidentifier() else f"({text})"
    for part, name in known.items():
        rest = quotient(value, part)
        if rest is not None:
            return f"({name}*{few_operations(rest, known)})" if rest != 1 else name
    counts = Counter(atom for monomial, _ in value.terms for atom, _ in monomial)
    most = max(counts.values())
    if most == 1:
        return f"({multiplied(str(value))})"
    common = _common(value, next(atom for atom, count in counts.items() if count == most))
    inside, outside = _split(value, common)
    text = f"{multiplied(str(common))}*{few_operations(inside, known)}"
    return f"({text} + {few_operations(outside, known)})" if outside != 0 else f"({text})"


def quotient(value: Size, divisor: Size) -> Dim | None:
    """The polynomial by which another is to be multiplied to give one; None where there is none, or it is not looked for."""
    name = next((m[0][0] for m, c in divisor.terms if c in (1, -1) and len(m) == 1 and m[0][1] == 1), None)
    if name is None or sum(any(atom == name for atom, _ in m) for m, _ in divisor.terms) != 1:
        return None
    variable = Size(((((name, 1),), 1),))
    sign = next(c for m, c in divisor.terms if m == ((name, 1),))
    root = (variable - sign * divisor) if sign == 1 else (variable + divisor)
    powers = _powers(value, name)
    carried: Dim = 0
    result: Dim = 0
    for power in range(max(powers), 0, -1):
        carried = powers.get(power, 0) + carried * root
        result = result * variable + carried
    return sign * result if powers.get(0, 0) + carried * root == 0 else None


def _powers(value: Size, name: object) -> dict[int, Dim]:
    """The factors of each power of an atom."""
    found: dict[int, Dim] = {0: 0}
    for monomial, coefficient in value.terms:
        power = next((p for atom, p in monomial if atom == name), 0)
        rest = tuple(each for each in monomial if each[0] != name)
        found[power] = found.get(power, 0) + (Size(((rest, coefficient),)) if rest else coefficient)
    return found


def _common(value: Size, atom: object) -> Size:
    """The product of an atom and of the others that stand in all terms where it does."""
    terms = [monomial for monomial, _ in value.terms if any(each == atom for each, _ in monomial)]
    least = {each: min(dict(m).get(each, 0) for m in terms) for each, _ in terms[0]}
    return Size(((tuple((each, power) for each, power in least.items() if power), 1),))


def _split(value: Size, factor: Size) -> tuple[Dim, Dim]:
    """The terms that have a product as factor, divided by it, and the others."""
    ((powers, _),) = factor.terms
    inside: Dim = 0
    outside: Dim = 0
    for monomial, coefficient in value.terms:
        left = dict(monomial)
        if all(left.get(atom, 0) >= power for atom, power in powers):
            for atom, power in powers:
                left[atom] -= power
            rest = tuple((atom, power) for atom, power in left.items() if power)
            inside = inside + (Size(((rest, coefficient),)) if rest else coefficient)
        else:
            outside = outside + Size(((monomial, coefficient),)) if monomial else outside + coefficient
    return inside, outside
