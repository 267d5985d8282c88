"""Inference of facts about terms: signs, bounds and matrix structure.

A fact speaks about the exact real values of a term where they are not nan: `exp(x)` is positive although it underflows
to zero in floating point, and nothing is said about an element that is nan. Arithmetic on integers wraps around, and
complex numbers have no sign, so arithmetic facts are drawn for float32 and float64 only. Structure facts are about
matrices (rank 2), and their laws are in `structure`; `psd` is positive semidefinite. Each law below is one line:
conclusion, term, premises.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property

from egc.egraph import structure
from egc.egraph.schema import FACTORIZED, FACTS, fact_relation, quote
from egc.ops import MASKED, OPS
from egc.types import DTYPES

INTEGERS = tuple(name for name, dtype in DTYPES.items() if dtype.kind in "iub")
UNSIGNED = tuple(name for name, dtype in DTYPES.items() if dtype.kind in "ub")
FLOATS = ("f64", "f32")

SIGNS = ("positive", "nonnegative", "negative", "nonpositive", "nonzero")
ELEMENTS = (*SIGNS, "finite", "integral", "not_nan", "at_least_one", "at_most_one")
FLIPPED = {"positive": "negative", "negative": "positive", "nonnegative": "nonpositive", "nonpositive": "nonnegative"}

IMPLIED = """
positive: nonnegative nonzero
negative: nonpositive nonzero at_most_one
nonpositive: at_most_one
at_least_one: positive
finite: not_nan
"""

CONSTANTS = {
    "positive": "(> k 0.0)",
    "nonnegative": "(>= k 0.0)",
    "negative": "(< k 0.0)",
    "nonpositive": "(<= k 0.0)",
    "nonzero": "(!= k 0.0)",
    "at_least_one": "(>= k 1.0)",
    "at_most_one": "(<= k 1.0)",
    "integral": "(= (% k 1.0) 0.0)",
    "finite": "",
    "not_nan": "",
}
"""What a fact means for the value k of an `op-constant`, which is finite."""

SAME_ELEMENTS = """
(op-broadcast x s a) (op-reshape x s) (op-transpose x a) (op-slice x a b c) (op-diagonal x a b) (op-sort x a)
(op-max x a) (op-min x a) (op-cummax x a) (op-cummin x a)
"""
"""Terms whose elements are all elements of x."""

LAWS = """
positive: exp exp2 expit ndtr erfc erfcx i0e
positive: absolute x nonzero | sqrt x positive | cbrt x positive | log1p x positive | expm1 x positive
positive: reciprocal x positive | ceil x positive | sinh x positive | tanh x positive | erf x positive
nonnegative: absolute sqrt
nonnegative: cbrt x nonnegative | log1p x nonnegative | expm1 x nonnegative | floor x nonnegative
nonnegative: ceil x nonnegative | rint x nonnegative | trunc x nonnegative | sinh x nonnegative | tanh x nonnegative
nonnegative: arctan x nonnegative | erf x nonnegative | sign x nonnegative | log x at_least_one
nonpositive: log_expit log_ndtr
nonpositive: log x at_most_one
negative: reciprocal x negative
nonzero: negative x nonzero | reciprocal x nonzero
at_least_one: cosh i0
at_least_one: exp x nonnegative | sqrt x at_least_one | floor x at_least_one
at_most_one: sin cos tanh erf expit ndtr sign i0e
at_most_one: exp x nonpositive | sqrt x at_most_one
integral: floor ceil rint trunc sign
integral: negative x integral | absolute x integral
finite: sin x finite | cos x finite | tanh x finite | arctan x finite | erf x finite | expit x finite
finite: negative x finite | absolute x finite | sign x finite | floor x finite | ceil x finite
not_nan: exp x not_nan | exp2 x not_nan | expm1 x not_nan | tanh x not_nan | erf x not_nan | expit x not_nan
not_nan: negative x not_nan | absolute x not_nan | arctan x not_nan | cosh x not_nan | sinh x not_nan
positive: add x positive y nonnegative | add x nonnegative y positive
nonnegative: add x nonnegative y nonnegative
negative: add x negative y nonpositive | add x nonpositive y negative
nonpositive: add x nonpositive y nonpositive
at_least_one: add x at_least_one y nonnegative | add x nonnegative y at_least_one
integral: add x integral y integral | subtract x integral y integral | multiply x integral y integral
positive: subtract x positive y nonpositive | subtract x nonnegative y negative
nonnegative: subtract x nonnegative y nonpositive | subtract x at_least_one y at_most_one
nonpositive: subtract x nonpositive y nonnegative
at_most_one: subtract x at_most_one y nonnegative
negative: subtract x negative y nonnegative | subtract x nonpositive y positive
positive: multiply x positive y positive | multiply x negative y negative
negative: multiply x positive y negative | multiply x negative y positive
nonnegative: multiply x nonnegative y nonnegative | multiply x nonpositive y nonpositive
nonpositive: multiply x nonnegative y nonpositive | multiply x nonpositive y nonnegative
nonzero: multiply x nonzero y nonzero | divide x nonzero y nonzero
at_least_one: multiply x at_least_one y at_least_one
positive: divide x positive y positive | divide x negative y negative
negative: divide x positive y negative | divide x negative y positive
nonnegative: divide x nonnegative y positive | divide x nonpositive y negative
nonpositive: divide x nonnegative y negative | divide x nonpositive y positive
positive: power x positive
positive: maximum x positive | maximum y positive | minimum x positive y positive
nonnegative: maximum x nonnegative | maximum y nonnegative | minimum x nonnegative y nonnegative
negative: minimum x negative | minimum y negative | maximum x negative y negative
nonpositive: minimum x nonpositive | minimum y nonpositive | maximum x nonpositive y nonpositive
at_least_one: maximum x at_least_one | maximum y at_least_one | minimum x at_least_one y at_least_one
at_most_one: minimum x at_most_one | minimum y at_most_one | maximum x at_most_one y at_most_one
nonnegative: hypot
"""
"""`fact: op ...` for every operand, or `fact: op x fact y fact | ...`; x and y are the operands. Floats only."""

TERMS = """
nonnegative: (op-multiply x x)
nonnegative: (op-power x c) ; (= c (op-constant k d s)) (= (% k 2.0) 0.0)
nonnegative: (op-power x c) x nonnegative ; (= c (op-constant k d s)) (> k 0.0)
nonnegative: (op-sum x a) x nonnegative
positive: (op-sum x a) x positive ; (= s (shape-of x)) (nonempty-shape s)
nonpositive: (op-sum x a) x nonpositive
nonnegative: (op-cumsum x a) x nonnegative
nonnegative: (op-linear_recurrence x y z a) x nonnegative y nonnegative z nonnegative
positive: (op-prod x a) x positive
nonnegative: (op-prod x a) x nonnegative
nonnegative: (op-divide x (op-cast (op-size n) d)) x nonnegative
nonnegative: (op-divide x (op-broadcast (op-cast (op-size n) d) s a)) x nonnegative
nonpositive: (op-divide x (op-cast (op-size n) d)) x nonpositive
nonnegative: (op-matmul x y) x nonnegative y nonnegative
nonnegative: (op-matmul x x) ; (= (Shape1 n) (shape-of x))
nonnegative: (op-svdvals x)
peaks_at_zero: (op-subtract x (op-broadcast m s b)) ; (= m (op-max x a))
peaks_at_zero: (op-subtract x (op-broadcast (op-reshape m q) s b)) ; (= m (op-max x a))
peaks_at_zero: (op-subtract x (op-broadcast (op-where (op-isfinite m) m z) s b)) ; (= m (op-max x a))
peaks_at_zero: (op-subtract x (op-broadcast (op-reshape (op-where (op-isfinite m) m z) q) s b)) ; (= m (op-max x a))
peaks_at_zero: (op-subtract x (op-broadcast (op-where (op-isfinite t) t z) s b)) ; (= t (op-reshape (op-max x a) q))
peaks_at_zero: (op-subtract x (op-broadcast (op-reshape (op-where (op-isfinite t) t z) p) s b)) ; (= t (op-reshape (op-max x a) q))
nonpositive: (op-subtract x (op-broadcast m s b)) ; (= m (op-max x a))
nonnegative: (op-tril x a) x nonnegative
nonnegative: (op-triu x a) x nonnegative
nonnegative: (op-diagonal_matrix x a) x nonnegative
nonnegative: (op-item (op-svd x f) "1")
"""
"""`fact: term premises ; further e-graph premises`; r is the term. Floats only."""

ANY_DTYPE_TERMS = """
nonnegative: (op-iota s a)
nonnegative: (op-size n)
nonnegative: (op-argmax x a)
nonnegative: (op-argmin x a)
nonnegative: (op-cast (op-size n) d) ; (dtype-in "floats" d)
nonnegative: (op-cast (op-iota s a) d) ; (dtype-in "floats" d)
nonnegative: (op-cast x d) ; (= e (dtype-of x)) (dtype-in "unsigned" e) (dtype-in "floats" d)
at_most_one: (op-cast x d) ; (= "bool" (dtype-of x))
not_nan: (op-cast x d) ; (= e (dtype-of x)) (dtype-in "integers" e)
integral: (op-cast x "f64") ; (= e (dtype-of x)) (dtype-in "integers" e)
finite: (op-cast x "f64") ; (= e (dtype-of x)) (dtype-in "integers" e)
"""


@dataclass(frozen=True)
class Law:
    """`conclusion` holds for r where the premises do; `needs` are the facts among the premises."""

    conclusion: str
    needs: frozenset[str]
    premises: str

    @cached_property
    def ops(self) -> frozenset[str]:
        """The ops that terms must have for the law to apply."""
        found = re.findall(r"\(op-([a-z0-9_]+)(?:-\d+)?", self.premises)
        return frozenset(found) - {"constant", "literal"}

    @cached_property
    def text(self) -> str:
        return f"(rule ({self.premises}) (({fact_relation(self.conclusion)} r)) :ruleset analysis)"


FLOAT = '(= rd (dtype-of r)) (dtype-in "floats" rd)'

DTYPE_SETS = {"floats": FLOATS, "integers": INTEGERS, "unsigned": UNSIGNED}


def _fact_premises(words: list[str]) -> tuple[frozenset[str], str]:
    pairs = list(zip(words[::2], words[1::2]))
    needs = frozenset(fact for _, fact in pairs)
    assert needs <= set(FACTS), needs
    return needs, " ".join(f"({fact_relation(fact)} {name})" for name, fact in pairs)


def _elementwise_laws() -> Iterator[Law]:
    for line in LAWS.strip().splitlines():
        conclusion, _, rest = line.partition(": ")
        for piece in rest.split(" | "):
            op, *words = piece.split()
            if "x" in words or "y" in words:
                needs, premises = _fact_premises(words)
                yield Law(conclusion, needs, f"(= r {_elementwise_term(op)}) {premises} {FLOAT}")
            else:
                for name in piece.split():
                    yield Law(conclusion, frozenset(), f"(= r {_elementwise_term(name)}) {FLOAT}")


def _elementwise_term(op: str) -> str:
    binary = op in ("add", "subtract", "multiply", "divide", "power", "maximum", "minimum", "hypot")
    return f"(op-{op} x y)" if binary else f"(op-{op} x)"


def _term_laws(table: str, dtype: str) -> Iterator[Law]:
    for line in table.strip().splitlines():
        conclusion, _, rest = line.partition(": ")
        rest, _, further = rest.partition(" ; ")
        end = rest.rindex(")") + 1
        needs, premises = _fact_premises(rest[end:].split())
        needs |= set(re.findall(r"\(is-(\w+)", further))
        yield Law(conclusion, needs, f"(= r {rest[:end]}) {premises} {further} {dtype}")


def _kept_laws(table: str, dtype: str) -> Iterator[Law]:
    for line in table.strip().splitlines():
        term, _, facts = line.partition(": ")
        for fact in facts.split():
            operands = [name for name in "xy" if f" {name}" in term]
            needs, premises = _fact_premises([word for name in operands for word in (name, fact)])
            yield Law(fact, needs, f"(= r {term}) {premises} {dtype}")


def _scaled_laws() -> Iterator[Law]:
    for line in structure.SCALED.strip().splitlines():
        sign, _, facts = line.partition(": ")
        test = CONSTANTS.get(sign, "")
        for fact in facts.split():
            for term in ("(op-multiply c x)", "(op-multiply x c)", "(op-divide x c)"):
                needs, premises = _fact_premises(["x", fact, *([] if sign == "any" else ["z", sign])])
                yield Law(fact, needs, f'(= r {term}) (= c (op-broadcast z s "()")) {premises} {FLOAT}')
                needs, premises = _fact_premises(["x", fact])
                yield Law(fact, needs, f"(= r {term}) (= c (op-constant k d s)) {test} {premises} {FLOAT}")


def _scaled_row_laws() -> Iterator[Law]:
    for fact in structure.SCALED_ROWS:
        for term in ("(op-multiply c x)", "(op-multiply x c)", "(op-divide x c)"):
            for axis in "01":
                needs, premises = _fact_premises(["x", fact])
                yield Law(fact, needs, f'(= r {term}) (= c (op-broadcast v s "({axis},)")) {premises} {FLOAT}')


def _general_laws() -> Iterator[Law]:
    for line in (IMPLIED + structure.IMPLIED).split("\n"):
        premise, _, conclusions = line.partition(": ")
        for conclusion in conclusions.split():
            yield Law(conclusion, frozenset([premise]), f"({fact_relation(premise)} r)")
    for first, second, conclusion in (
        ("nonnegative", "nonzero", "positive"),
        ("nonpositive", "nonzero", "negative"),
        ("positive", "integral", "at_least_one"),
    ):
        premises = f"({fact_relation(first)} r) ({fact_relation(second)} r)"
        yield Law(conclusion, frozenset([first, second]), premises)
    for line in structure.PAIRS.strip().splitlines():
        first, second, conclusion = line.replace(":", "").split()
        premises = f"({fact_relation(first)} r) ({fact_relation(second)} r) (= (Shape2 n n) (shape-of r))"
        yield Law(conclusion, frozenset([first, second]), premises)
    for fact in ELEMENTS:
        same = f"({fact_relation(fact)} x)"
        for term in SAME_ELEMENTS.replace(") (", ")\n(").strip().splitlines():
            yield Law(fact, frozenset([fact]), f"(= r {term.strip()}) {same}")
        yield Law(fact, frozenset([fact]), f"(= r (op-where c x y)) {same} ({fact_relation(fact)} y)")
        yield Law(fact, frozenset([fact]), f"(= r (op-concatenate-2 x y a)) {same} ({fact_relation(fact)} y)")
    for fact in FLIPPED:
        premises = f"(= r (op-negative x)) ({fact_relation(FLIPPED[fact])} x) {FLOAT}"
        yield Law(fact, frozenset([FLIPPED[fact]]), premises)
    for fact, test in CONSTANTS.items():
        yield Law(fact, frozenset(), f"(= r (op-constant k d s)) {test}")
    for fact in ("not_nan", "finite", "integral"):
        yield Law(fact, frozenset(), '(= rd (dtype-of r)) (dtype-in "integers" rd)')
    premises = f"({FACTORIZED} r) ({fact_relation('symmetric')} r) (= (Shape2 n n) (shape-of r)) {FLOAT}"
    yield Law("spd", frozenset(["symmetric"]), premises)
    yield Law("nonnegative", frozenset(), '(= rd (dtype-of r)) (dtype-in "unsigned" rd)')
    for fact in structure.OF_BLOCKS:
        for place in structure.BLOCKS:
            premises = f"(= m {place}) ({fact_relation(fact)} m) (= (Shape2 n n) (shape-of r))"
            yield Law(fact, frozenset([fact]), premises)
    yield from _elementwise_kept_laws()


def _elementwise_kept_laws() -> Iterator[Law]:
    """What elementwise ops keep of equal rows and columns, symmetry, and of facts about loops and exceptions, which `encode`
    knows of a Program's own terms."""
    for fact in ("invariant", "total", "equal_rows", "equal_columns", "symmetric"):
        of_loops = fact in ("invariant", "total")
        if of_loops:
            yield Law(fact, frozenset(), "(= r (op-constant k d (Shape0)))")
        for name, row in OPS.items():
            if row.kind == "elementwise" and row.arity and not row.params and name not in MASKED:
                operands = "xyz"[: row.arity]
                premises = " ".join(f"({fact_relation(fact)} {operand})" for operand in operands)
                whole = FLOAT if name == "power" and of_loops else ""
                yield Law(fact, frozenset([fact]), f"(= r (op-{name} {' '.join(operands)})) {premises} {whole}")


@cache
def laws() -> tuple[Law, ...]:
    return (
        *_general_laws(),
        *_elementwise_laws(),
        *_term_laws(TERMS, FLOAT),
        *_kept_laws(structure.KEPT, FLOAT),
        *_kept_laws(structure.OF_ANY_NUMBERS, ""),
        *_scaled_laws(),
        *_scaled_row_laws(),
        *_term_laws(structure.TERMS, FLOAT),
        *_term_laws(ANY_DTYPE_TERMS, ""),
        *_term_laws(structure.EQUAL, ""),
    )


def inference(wanted: Iterable[str], ops: Collection[str]) -> list[str]:
    """The rules, in ruleset `analysis`, that infer the wanted predicates of terms of these ops."""
    known: set[str] = set()
    new = set(wanted)
    while new:
        known |= new
        new = {need for law in laws() if law.conclusion in known for need in law.needs} - known
    lines = [f"(dtype-in {quote(key)} {quote(name)})" for key, names in DTYPE_SETS.items() for name in names]
    lines += dict.fromkeys(law.text for law in laws() if law.conclusion in known and law.ops <= set(ops))
    if "nonempty" in known:
        premises = f"({fact_relation('nonempty')} x) (= s (shape-of x))"
        lines.append(f"(rule ({premises}) ((nonempty-shape s)) :ruleset analysis)")
    return lines
