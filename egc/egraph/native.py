"""Rules that the e-graph itself needs: constants, and shape or dtype changes that change nothing.

Arithmetic on constants is folded for float64 only, where the e-graph's f64 is the same arithmetic, and never to zero by
a product, to an infinity or to nan, which the f64 values of the e-graph do not tell apart as NumPy does.
"""

from __future__ import annotations

from egc.ops import OPS

FINITE = "(<= (abs c) 1.7976931348623157e308)"

FOLDED = {
    "add": f"(= c (+ a b)) {FINITE}",
    "subtract": f"(= c (- a b)) {FINITE}",
    "multiply": f"(= c (* a b)) (!= c 0.0) {FINITE}",
    "divide": f"(!= b 0.0) (= c (/ a b)) (!= c 0.0) {FINITE}",
}
"""The result c of an op on float64 constants a and b, and when the op may be folded."""

EXACT_CASTS = (
    ('"f32"', '"f64"', ""),
    ('"i64"', '"f64"', ""),
    ('"i32"', '"f64"', ""),
    ('"bool"', '"f64"', ""),
    ('"bool"', '"i64"', ""),
    ('"i64"', '"f32"', "(<= (abs k) 16777216.0)"),
    ('"f64"', '"f32"', "(= (% k 1.0) 0.0) (<= (abs k) 16777216.0)"),
)


CLOSED = ("add", "subtract", "multiply", "divide", "negative", "reciprocal", "power", "maximum", "minimum")
"""Ops whose terms are not rewritten further once they are known to be constant: zero equals its product with anything."""

NARROWED = tuple("absolute exp expm1 log log1p sqrt negative expit log_expit tanh isfinite".split())
"""Ops that are computed before a value is repeated, never after, or before it is given another shape."""

TYPES = """(rule ((type-at i d s) (= r (node-at i))) ((set (dtype-of r) d) (set (shape-of r) s)) :ruleset analysis)"""
"""The encoder states a Node's type in one row."""


def rules() -> list[str]:
    lines = [TYPES]
    lines += [_rule(f"(= r (op-{op} {_operand('a')} {_operand('b')})) {test}", "c") for op, test in FOLDED.items()]
    lines.append(_rule(f"(= r (op-negative {_operand('a')})) (!= a 0.0) (= c (neg a))", "c"))
    for given, wanted, test in EXACT_CASTS:
        premises = f"(= r (op-cast (op-constant k {given} s) {wanted})) {test}"
        lines.append(f"(rule ({premises}) ((union r (op-constant k {wanted} s))) :ruleset analysis)")
    for head in ("op-constant", "op-literal"):
        for op in ("(op-broadcast t s axes)", "(op-reshape t s)"):
            premises = f"(= t ({head} k d s0)) (= r {op})"
            lines.append(f"(rule ({premises}) ((union r ({head} k d s))) :ruleset analysis)")
        premises = f"(= t ({head} k d s0)) (= r (op-transpose t axes)) (= s (shape-of r))"
        lines.append(f"(rule ({premises}) ((union r ({head} k d s))) :ruleset analysis)")
    for op in CLOSED:
        operands = "x" if OPS[op].arity == 1 else "x y"
        for head in ("op-constant", "op-literal"):
            premises = f"(= r (op-{op} {operands})) (= r ({head} k d s))"
            lines.append(f"(rule ({premises}) ((subsume (op-{op} {operands}))) :ruleset analysis)")
    for term, fact in (
        ("(op-broadcast x s axes)", "(= s (shape-of x))"),
        ("(op-reshape x s)", "(= s (shape-of x))"),
        ("(op-cast x d)", "(= d (dtype-of x))"),
    ):
        lines.append(f"(rule ((= r {term}) {fact}) ((union r x)) :ruleset analysis)")
    for op in NARROWED:
        for outer, rest in (("broadcast", "s axes"), ("reshape", "s")):
            premises = f"(= r (op-{op} (op-{outer} x {rest}))) (= narrow (shape-of x)) (= d (dtype-of r))"
            made = f"(let n (op-{op} x)) (set (dtype-of n) d) (set (shape-of n) narrow)"
            done = f"(subsume (op-{op} (op-broadcast x {rest})))" if outer == "broadcast" else ""
            lines.append(f"(rule ({premises}) ({made} (union r (op-{outer} n {rest})) {done}) :ruleset analysis)")
    return lines


def _operand(name: str) -> str:
    return f'(op-constant {name} "f64" s)'


def _rule(premises: str, result: str) -> str:
    return f'(rule ({premises}) ((union r (op-constant {result} "f64" s))) :ruleset analysis)'
