"""What scalars of a loop program are: int64 as sums of symbols, bools by what follows from them, and floats made of integers."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Union

import numpy as np

from egc import sizes
from egc.lower.known import FAR, Known
from egc.lower.statements import Apply
from egc.sizes import Atom, Dim, Size

INTEGER = np.dtype(np.int64)

Facts = tuple[Dim, ...]


@dataclass(frozen=True)
class Test:
    """A bool: the sums that are not negative where it is true, and where it is false; None where it never is."""

    true: Facts | None = ()
    false: Facts | None = ()

    @property
    def constant(self) -> bool | None:
        return False if self.true is None else True if self.false is None else None

    def negated(self) -> Test:
        return Test(self.false, self.true)


@dataclass(frozen=True)
class Near:
    """A float64 that is an integer, but for its rounding; or the magnitude of one."""

    value: Dim
    magnitude: bool = False


Meaning = Union[int, Size, Test, Near, float, None]

_LESS = {"less": 1, "less_equal": 0}


def meaning(statement: Apply, operands: Sequence[Meaning], known: Known) -> tuple[Meaning, Known]:
    """What an elementwise op gives, and what is known then."""
    op, dtype = statement.node.op, statement.node.type.dtype
    if dtype == INTEGER:
        return _integer(op, operands, known)
    if dtype.kind == "b":
        return _test(op, operands, known), known
    if dtype == np.float64:
        return _near(op, operands, known), known
    return None, known


def literal(value: Any, dtype: np.dtype) -> Meaning:
    """What a constant is."""
    if dtype == INTEGER:
        return int(value)
    if dtype.kind == "b":
        return Test(false=None) if value else Test(true=None)
    if dtype == np.float64 and math.isfinite(value):
        return Near(int(value)) if float(value).is_integer() and abs(value) < 2**53 else float(value)
    return None


def _dims(values: Iterable[Meaning]) -> list[Dim] | None:
    """The values, if all are sums."""
    values = list(values)
    found = [value for value in values if isinstance(value, (int, Size))]
    return found if len(found) == len(values) else None


def _integer(op: str, operands: Sequence[Meaning], known: Known) -> tuple[Dim, Known]:
    if op == "where" and isinstance(test := operands[0], Test) and (sides := _dims(operands[1:])) is not None:
        return merged(zip((test.true, test.false), sides), known)
    if op == "cast" and isinstance(operands[0], Test):
        flag = known.symbols.fresh()
        return flag, known.having([flag, 1 - flag])
    dims = _dims(operands)
    return (known.symbols.fresh(), known) if dims is None else _combined(op, dims, known)


def _combined(op: str, dims: Sequence[Dim], known: Known) -> tuple[Dim, Known]:
    """What an op makes of sums."""
    match op, dims:
        case "cast", (a,):
            return a, known
        case "maximum", (a, b):
            return merged([((a - b,), a), ((b - a,), b)], known)
        case "minimum", (a, b):
            return merged([((b - a,), a), ((a - b,), b)], known)
        case "floor_divide", (a, int(b)) if b > 0:
            return _quotient(a, b, known)
        case "remainder", (a, b) if known.holds(b - 1):
            rest = known.symbols.fresh()
            return rest, known.having([rest, b - 1 - rest])
    if op in _SUMS and known.is_exact(found := _SUMS[op](*dims)):
        return found, known
    return known.symbols.fresh(), known


def _quotient(a: Dim, b: int, known: Known) -> tuple[Dim, Known]:
    """a // b for a number b above 0: what it is not above, and not below, among the symbols of a."""
    if isinstance(a, int):
        return a // b, known
    found = known.symbols.fresh()
    facts = [a - b * found, b * found + b - 1 - a]
    near = [0, *(sizes.symbol(name) + k for name in dict.fromkeys(sizes.symbols(a)) for k in (-1, 0, 1))]
    facts += [found - each for each in near if known.holds(a - b * each)]
    facts += [each - found for each in near if known.holds(b * each + b - 1 - a)]
    return found, known.having(facts)


def index(size: Dim, known: Known) -> tuple[Dim, Known]:
    """What a size and numbers of iterations make, with symbols for quotients and rests, maxima and minima that change from one
    iteration to the next."""
    bindings: dict[Atom, Dim] = {}
    for atom in _calls(size):
        if known.symbols.newest(_alone(atom)) is not None:
            (a, known), (b, known) = index(atom[1], known), index(atom[2], known)
            bindings[atom], known = _combined(_OPS[atom[0]], (a, b), known)
    total: Dim = size
    if isinstance(size, Size) and bindings:
        total = 0
        for monomial, factor in size.terms:
            found: Dim = factor
            for part, power in monomial:
                found = found * sizes.product((bindings.get(part, _alone(part)),) * power)
            total = total + found
    if str(total).isidentifier() or known.is_exact(total):
        return total, known
    return known.symbols.fresh(), known


_OPS = {"floordiv": "floor_divide", "mod": "remainder", "max": "maximum", "min": "minimum"}


def _calls(size: Dim) -> list[tuple[str, Dim, Dim]]:
    atoms = [atom for monomial, _ in size.terms for atom, _ in monomial] if isinstance(size, Size) else []
    return [atom for atom in dict.fromkeys(atoms) if not isinstance(atom, str)]


def _alone(atom: Atom) -> Size:
    return Size(((((atom, 1),), 1),))


def merged(cases: Iterable[tuple[Facts | None, Dim]], known: Known) -> tuple[Dim, Known]:
    """The integer that is one of several values, each where facts hold; and what is known then."""
    sides = [(known.having(facts), value) for facts, value in cases if facts is not None]
    return joined(sides, known)


def joined(sides: Sequence[tuple[Known, Dim]], known: Known) -> tuple[Dim, Known]:
    """The same for values each of which comes with what is known where it is meant."""
    if not sides:
        return known.symbols.fresh(), known
    first = sides[0][1]
    if all(value == first for _, value in sides):
        return first, known
    for value in dict.fromkeys(value for _, value in sides):
        if all(side.holds(value - other) and side.holds(other - value) for side, other in sides):
            return value, known
    found = known.symbols.fresh()
    facts = dict.fromkeys([found, found + 1])
    for side, value in sides:
        facts.update(dict.fromkeys([found - value, value - found]))
        if (name := known.symbols.newest(value)) is not None:
            rest = value - sizes.symbol(name)
            if isinstance(rest, int):
                facts.update((sizes.substitute(fact, {name: found - rest}), None) for fact in side.about(value))
    name = str(found)
    kept = [fact for fact in facts if all(side.holds(sizes.substitute(fact, {name: value})) for side, value in sides)]
    return found, known.having(kept)


def _test(op: str, operands: Sequence[Meaning], known: Known) -> Test:
    match op, operands:
        case "logical_not", (Test() as test,):
            return test.negated()
        case (("logical_and" | "bitwise_and"), (a, b)):
            return _both(_as_test(a), _as_test(b), known)
        case (("logical_or" | "bitwise_or"), (a, b)):
            return _both(_as_test(a).negated(), _as_test(b).negated(), known).negated()
        case "where", (test, a, b):
            sides = ((_as_test(test).true, a), (_as_test(test).false, b))
            return chosen((known.having(facts), facts, value) for facts, value in sides if facts is not None)
        case "cast", (Test() as test,):
            return test
        case "less", (Near(value, True), float(bound)) if bound >= 1.5 * FAR:
            return Test(false=None) if known.is_exact(value) else Test()
    match _dims(operands):
        case [a, b]:
            return _compared(op, a, b, known)
    return Test()


def _as_test(value: Meaning) -> Test:
    return value if isinstance(value, Test) else Test()


def _compared(op: str, a: Dim, b: Dim, known: Known) -> Test:
    if op in ("greater", "greater_equal"):
        a, b, op = b, a, op.replace("greater", "less")
    if op in _LESS:
        true, false = b - a - _LESS[op], a - b - 1 + _LESS[op]
        return Test(None if known.holds(false) else (true,), None if known.holds(true) else (false,))
    if op not in ("equal", "not_equal"):
        return Test()
    apart = known.holds(a - b - 1) or known.holds(b - a - 1)
    same = known.holds(a - b) and known.holds(b - a)
    found = Test(None if apart else (a - b, b - a), None if same else ())
    return found if op == "equal" else found.negated()


def _both(a: Test, b: Test, known: Known) -> Test:
    true = None if a.true is None or b.true is None else tuple(dict.fromkeys((*a.true, *b.true)))
    return Test(true, either([(known, a.false), (known, b.false)]))


def either(cases: Iterable[tuple[Known, Facts | None]]) -> Facts | None:
    """The facts that follow in each of several cases that are possible; None where none is."""
    possible = [(known, facts) for known, facts in cases if facts is not None]
    if not possible:
        return None
    sides = [(known.having(facts), facts) for known, facts in possible]
    found = dict.fromkeys(fact for _, facts in sides for fact in facts)
    return tuple(fact for fact in found if all(fact in facts or side.holds(fact) for side, facts in sides))


def chosen(sides: Iterable[tuple[Known, Facts, Meaning]]) -> Test:
    """The bool that is one of several values, each where facts hold."""
    true: list[tuple[Known, Facts | None]] = []
    false: list[tuple[Known, Facts | None]] = []
    for known, facts, value in sides:
        for found, of_test in ((true, _as_test(value).true), (false, _as_test(value).false)):
            found.append((known, None if of_test is None else (*facts, *of_test)))
    return Test(either(true), either(false))


def _near(op: str, operands: Sequence[Meaning], known: Known) -> Meaning:
    match op, operands:
        case "cast", (int() | Size() as a,):
            return Near(a) if known.is_exact(a) else None
        case "absolute", (Near(a, False),):
            return Near(a, True)
    values = [each.value for each in operands if isinstance(each, Near) and not each.magnitude]
    if op not in _SUMS or len(values) != len(operands):
        return None
    found = _SUMS[op](*values)
    return Near(found) if known.is_exact(found) else None


_SUMS: Mapping[str, Callable[..., Dim]] = {
    "add": lambda a, b: a + b,
    "subtract": lambda a, b: a - b,
    "multiply": lambda a, b: a * b,
    "negative": lambda a: -a,
}
