"""Symbolic sizes: integers that may depend on the lengths of the arguments' axes.

A size is an `int` or a `Size`, a polynomial with integer coefficients over atoms. An atom is the name of
a symbol (`n`) or one of `floordiv`, `mod`, `max`, `min` of two sizes. Equal polynomials are equal objects
in the sense of `==`, so shapes compare by value.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Union

from egc.errors import ProgramError

Atom = Union[str, tuple[str, "Dim", "Dim"]]
Monomial = tuple[tuple[Atom, int], ...]
Dim = Union[int, "Size"]

CALLS: Mapping[str, Callable[[int, int], int]] = {
    "floordiv": lambda a, b: a // b,
    "mod": lambda a, b: a % b,
    "max": max,
    "min": min,
}


def atom_key(atom: Atom) -> str:
    return atom if isinstance(atom, str) else f"{atom[0]}({atom[1]}, {atom[2]})"


class Size:
    """A polynomial over size symbols; built by arithmetic on `symbol(name)`.

    >>> n = symbol("n")
    >>> print((n + 1) * 2 - n)
    n + 2
    >>> (n + 1) * 2 - n == n + 2
    True
    >>> evaluate(n // 2 + 1, {"n": 7})
    4
    """

    __slots__ = ("terms", "_text", "_hash")

    def __init__(self, terms: tuple[tuple[Monomial, int], ...]):
        self.terms = terms
        self._text: str | None = None
        self._hash = hash(terms)

    def __eq__(self, other: object) -> bool:
        return self.terms == other.terms if isinstance(other, Size) else NotImplemented

    def __hash__(self) -> int:
        return self._hash

    def __add__(self, other: Dim) -> Dim:
        return _add(self, other, 1) if _is_dim(other) else NotImplemented

    __radd__ = __add__

    def __sub__(self, other: Dim) -> Dim:
        return _add(self, other, -1) if _is_dim(other) else NotImplemented

    def __rsub__(self, other: Dim) -> Dim:
        return _add(other, self, -1) if _is_dim(other) else NotImplemented

    def __mul__(self, other: Dim) -> Dim:
        return _multiply(self, other) if _is_dim(other) else NotImplemented

    __rmul__ = __mul__

    def __neg__(self) -> Dim:
        return _multiply(self, -1)

    def __pos__(self) -> Size:
        return self

    def __floordiv__(self, other: Dim) -> Dim:
        return floordiv(self, other) if _is_dim(other) else NotImplemented

    def __rfloordiv__(self, other: Dim) -> Dim:
        return floordiv(other, self) if _is_dim(other) else NotImplemented

    def __mod__(self, other: Dim) -> Dim:
        return mod(self, other) if _is_dim(other) else NotImplemented

    def __rmod__(self, other: Dim) -> Dim:
        return mod(other, self) if _is_dim(other) else NotImplemented

    def __bool__(self) -> bool:
        raise TypeError(f"the truth value of the symbolic size {self} is not known")

    def __repr__(self) -> str:
        return f"Size({self})"

    def __str__(self) -> str:
        if self._text is None:
            self._text = _text(self)
        return self._text


def _is_dim(value: object) -> bool:
    return isinstance(value, (int, Size)) and not isinstance(value, bool)


def symbol(name: str) -> Size:
    """The size named `name`."""
    return Size(((((name, 1),), 1),))


def _terms(value: Dim) -> tuple[tuple[Monomial, int], ...]:
    if isinstance(value, Size):
        return value.terms
    return (((), int(value)),) if value else ()


def _collect(terms: dict[Monomial, int]) -> Dim:
    kept = {monomial: coefficient for monomial, coefficient in terms.items() if coefficient}
    if not kept:
        return 0
    if len(kept) == 1 and () in kept:
        return kept[()]
    order = sorted(kept, key=lambda m: (-sum(p for _, p in m), [atom_key(a) for a, _ in m]))
    return Size(tuple((m, kept[m]) for m in order))


@lru_cache(maxsize=16384)
def _add(a: Dim, b: Dim, sign: int) -> Dim:
    result = dict(_terms(a))
    for monomial, coefficient in _terms(b):
        result[monomial] = result.get(monomial, 0) + sign * coefficient
    return _collect(result)


@lru_cache(maxsize=16384)
def _multiply(a: Dim, b: Dim) -> Dim:
    result: dict[Monomial, int] = {}
    for first, c in _terms(a):
        for second, d in _terms(b):
            powers = dict(first)
            for atom, power in second:
                powers[atom] = powers.get(atom, 0) + power
            monomial = tuple(sorted(powers.items(), key=lambda item: atom_key(item[0])))
            result[monomial] = result.get(monomial, 0) + c * d
    return _collect(result)


def _call(name: str, a: Dim, b: Dim) -> Dim:
    if isinstance(a, int) and isinstance(b, int):
        return CALLS[name](a, b)
    if name in ("max", "min"):
        a, b = sorted((a, b), key=str)
    return Size((((((name, a, b), 1),), 1),))


def floordiv(a: Dim, b: Dim) -> Dim:
    """`a // b`, rounded towards minus infinity as in Python.

    >>> print(floordiv(floordiv(symbol("n"), 2) + 1, 2))
    ((n + 2)//4)
    """
    if b == 1:
        return a
    if isinstance(b, int) and b > 0 and (nested := _nested_division(a)) is not None:
        return floordiv(nested[0], nested[1] * b)
    if isinstance(b, int) and b and all(c % b == 0 for _, c in _terms(a)):
        return _collect({m: c // b for m, c in _terms(a)})
    quotient = _divide_by_monomial(a, b)
    return _call("floordiv", a, b) if quotient is None else quotient


def _nested_division(a: Dim) -> tuple[Dim, int] | None:
    """x and q where a is (x // q): floor(floor(x / q) / b) = floor(x / (q b)), and an integer k beside is q k in x."""
    quotients = [(monomial, c) for monomial, c in _terms(a) if monomial]
    if len(quotients) != 1 or quotients[0][1] != 1 or len(quotients[0][0]) != 1:
        return None
    atom, power = quotients[0][0][0]
    if power != 1 or isinstance(atom, str) or atom[0] != "floordiv" or not isinstance(atom[2], int) or atom[2] <= 0:
        return None
    offset = sum(c for monomial, c in _terms(a) if not monomial)
    return atom[1] + offset * atom[2], atom[2]


def _divide_by_monomial(a: Dim, b: Dim) -> Dim | None:
    """`a / b` where b is one product of atoms that divides every term of a, else None."""
    if isinstance(b, int) or len(b.terms) != 1 or isinstance(a, int):
        return None
    (divisor, coefficient), result = b.terms[0], {}
    for monomial, c in a.terms:
        powers = dict(monomial)
        for atom, power in divisor:
            if powers.get(atom, 0) < power:
                return None
            powers[atom] -= power
        if c % coefficient:
            return None
        result[tuple((atom, p) for atom, p in powers.items() if p)] = c // coefficient
    return _collect(result)


def divisor(size: Dim) -> int:
    """The number that a size is something divided by, rounded; 1 for others.

    >>> divisor(floordiv(symbol("n"), 4)), divisor(symbol("n"))
    (4, 1)
    """
    if isinstance(size, Size) and len(size.terms) == 1:
        monomial, factor = size.terms[0]
        if factor == 1 and len(monomial) == 1 and monomial[0][1] == 1 and not isinstance(monomial[0][0], str):
            name, _, by = monomial[0][0]
            if name == "floordiv" and isinstance(by, int):
                return by
    return 1


def mod(a: Dim, b: Dim) -> Dim:
    """`a % b`, with the sign of b as in Python."""
    if isinstance(b, int) and b and all(c % b == 0 for _, c in _terms(a)):
        return 0
    return _call("mod", a, b)


def maximum(a: Dim, b: Dim) -> Dim:
    difference = a - b
    if isinstance(difference, int):
        return a if difference >= 0 else b
    return _call("max", a, b)


def minimum(a: Dim, b: Dim) -> Dim:
    difference = a - b
    if isinstance(difference, int):
        return b if difference >= 0 else a
    return _call("min", a, b)


def is_polynomial(value: Dim) -> bool:
    """Whether a size is made of sums and products alone.

    >>> n = symbol("n")
    >>> is_polynomial(n * n + 1), is_polynomial(n // 2)
    (True, False)
    """
    return all(isinstance(atom, str) for monomial, _ in _terms(value) for atom, _ in monomial)


def product(dims: tuple[Dim, ...]) -> Dim:
    result: Dim = 1
    for dim in dims:
        result = result * dim
    return result


def lower_bound(value: Dim, known: Mapping[str, int]) -> int | None:
    """A number that the size is not below, given what its symbols are not below; None where nothing follows.

    >>> n = symbol("n")
    >>> lower_bound(2 * n - 3, {"n": 2}), lower_bound(n - 3 * floordiv(n + 2, 3), {"n": 1}), lower_bound(maximum(n, 0), {})
    (1, -2, 0)
    """
    value = _without_quotients_below(value)
    if isinstance(value, int):
        return value
    total = 0
    for monomial, coefficient in value.terms:
        for atom, power in monomial:
            least = known.get(atom) if isinstance(atom, str) else _lower_bound_of_call(atom, known)
            if least is None or least < 0 or coefficient < 0:
                return None
            coefficient *= least**power
        total += coefficient
    return total


def _without_quotients_below(value: Dim) -> Dim:
    """A size that is not above: q (a // q) is at most a."""
    for monomial, coefficient in _terms(value):
        for atom, power in monomial if coefficient < 0 and len(monomial) == 1 else ():
            if power == 1 and not isinstance(atom, str) and atom[0] == "floordiv":
                _, a, q = atom
                if isinstance(q, int) and q > 0 and coefficient % q == 0:
                    value = value - coefficient * floordiv(a, q) + coefficient // q * a
    return value


def _lower_bound_of_call(atom: tuple[str, Dim, Dim], known: Mapping[str, int]) -> int | None:
    name, a, b = atom
    if name == "mod":
        return 0 if isinstance(b, int) and b > 0 else None
    first = lower_bound(a, known)
    if name == "floordiv":
        return first // b if first is not None and isinstance(b, int) and b > 0 else None
    bounds = [each for each in (first, lower_bound(b, known)) if each is not None]
    if name == "max":
        return max(bounds, default=None)
    return min(bounds) if name == "min" and len(bounds) == 2 else None


def symbols(value: Dim) -> Iterator[str]:
    """The names of the symbols in a size, in order of appearance, possibly repeated."""
    for monomial, _ in value.terms if isinstance(value, Size) else ():
        for atom, _power in monomial:
            if isinstance(atom, str):
                yield atom
            else:
                yield from symbols(atom[1])
                yield from symbols(atom[2])


def substitute(value: Dim, bindings: Mapping[str, Dim]) -> Dim:
    """The size with symbols replaced; symbols that are not in `bindings` stay."""
    if not isinstance(value, Size):
        return value
    total: Dim = 0
    for monomial, coefficient in value.terms:
        factor: Dim = coefficient
        for atom, power in monomial:
            if isinstance(atom, str):
                base: Dim = bindings.get(atom, symbol(atom))
            else:
                a, b = substitute(atom[1], bindings), substitute(atom[2], bindings)
                base = FUNCTIONS[atom[0]](a, b)
            for _ in range(power):
                factor = factor * base
        total = total + factor
    return total


FUNCTIONS = {"floordiv": floordiv, "mod": mod, "max": maximum, "min": minimum}


def evaluate(value: Dim, bindings: Mapping[str, int]) -> int:
    """The integer that a size stands for. Raises ProgramError when a symbol has no value."""
    if isinstance(value, int):
        return value
    total = 0
    for monomial, coefficient in value.terms:
        for atom, power in monomial:
            if isinstance(atom, str):
                if atom not in bindings:
                    raise ProgramError(f"the size {atom} has no value")
                base = bindings[atom]
            else:
                base = CALLS[atom[0]](evaluate(atom[1], bindings), evaluate(atom[2], bindings))
            coefficient *= base**power
        total += coefficient
    return total


def _text(value: Size) -> str:
    pieces: list[str] = []
    for monomial, coefficient in value.terms:
        factors = [_atom_text(atom) + (f"**{power}" if power > 1 else "") for atom, power in monomial]
        if abs(coefficient) != 1 or not factors:
            factors.insert(0, str(abs(coefficient)))
        sign = ("-" if coefficient < 0 else "") if not pieces else (" - " if coefficient < 0 else " + ")
        pieces.append(sign + "*".join(factors))
    return "".join(pieces)


def _atom_text(atom: Atom) -> str:
    if isinstance(atom, str):
        return atom
    name, a, b = atom
    if name in ("max", "min"):
        return f"{name}({a}, {b})"
    return f"({_operand_text(a)}{'//' if name == 'floordiv' else '%'}{_operand_text(b)})"


def _operand_text(value: Dim) -> str:
    text = str(value)
    return text if text.isidentifier() or text.isdecimal() else f"({text})"


def parse(text: str) -> Dim:
    """The size written as a Python expression over symbols, as `str` of a size prints it.

    >>> parse("2*n - max(0, m - 1)") == 2*symbol("n") - maximum(0, symbol("m") - 1)
    True
    """
    try:
        return _parse(ast.parse(text.strip(), mode="eval").body)
    except SyntaxError as error:
        raise ProgramError(f"not a size: {text!r}") from error


def _parse(tree: ast.expr) -> Dim:
    match tree:
        case ast.Constant(value=int(value)):
            return value
        case ast.Name(id=name):
            return symbol(name)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_parse(operand)
        case ast.BinOp(left=left, op=ast.Pow(), right=ast.Constant(value=int(power))):
            return product((_parse(left),) * power)
        case ast.BinOp(left=left, op=operator, right=right):
            a, b = _parse(left), _parse(right)
            match operator:
                case ast.Add():
                    return a + b
                case ast.Sub():
                    return a - b
                case ast.Mult():
                    return a * b
                case ast.FloorDiv():
                    return floordiv(a, b)
                case ast.Mod():
                    return mod(a, b)
        case ast.Call(func=ast.Name(id=("max" | "min") as name), args=[first, second]):
            return FUNCTIONS[name](_parse(first), _parse(second))
    raise ProgramError(f"not a size: {ast.unparse(tree)!r}")


def relates(value: int, relation: str) -> bool:
    """Whether `relation` (`==`, `!=` or `>=`) holds between an integer and 0."""
    return value == 0 if relation == "==" else value != 0 if relation == "!=" else value >= 0


@dataclass(frozen=True)
class SizeGuard:
    """`relation` (`==`, `!=` or `>=`) holds between `size` and 0."""

    size: Size
    relation: str

    def holds(self, bindings: Mapping[str, int]) -> bool:
        return relates(evaluate(self.size, bindings), self.relation)

    def __str__(self) -> str:
        return f"{self.size} {self.relation} 0"
