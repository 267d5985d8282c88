"""Rules that the e-graph itself needs: constants, and shape or dtype changes that change nothing.

Arithmetic on constants is folded for float64 only, where the e-graph's f64 is the same arithmetic, and never to zero by
a product, to an infinity or to nan, which the f64 values of the e-graph do not tell apart as NumPy does.
"""

from __future__ import annotations

from egc.egraph import schema
from egc.ops import MASKED, OPS

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
    twice = '(= r (op-transpose (op-transpose x "(1, 0)") "(1, 0)"))'
    lines.append(f"(rule ({twice}) ((union r x)) :ruleset analysis)")
    rows = '(= r (op-argmax (op-gather-2 i p "(0,)" m) a)) (is-identity i)'
    lines.append(
        f"(rule ({rows} (= (shape-of r) (shape-of p)) (= (dtype-of r) (dtype-of p))) ((union r p)) :ruleset analysis)"
    )
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
            # A term of the reshaped value stays, where rules may make the value of it again: that is one step an iteration.
            repeated = outer == "broadcast"
            done = f"(subsume (op-{op} (op-broadcast x {rest})))" if repeated else ""
            ruleset = "analysis" if repeated else schema.MARKS
            lines.append(f"(rule ({premises}) ({made} (union r (op-{outer} n {rest})) {done}) :ruleset {ruleset})")
    return lines


def slices() -> list[str]:
    """What a slice of elementwise results, of repetitions and of slices is: the op on slices, and so on.

    Which elements an elementwise op computes does not matter to the others, so this holds for every op and dtype. A slice of a
    slice starts at a sum that the encoder gives: sums of texts would name one place in many ways. It is forgotten then: of a
    stencil applied again and again, there would be one for each pair of windows. Where slices are nested deeply, nothing of
    this is done: the windows of all values would be too many. What is reversed twice is itself: there would be no end of reversals.
    """
    lines = []
    for name, row in OPS.items():
        if row.kind == "elementwise" and row.arity and not row.params and name not in MASKED:
            operands = "xyz"[: row.arity]
            typed = " ".join(f"(= d{x} (dtype-of {x}))" for x in operands)
            made = " ".join(_typed(f"s{x}", f"(op-slice {x} a b c)", f"d{x}", "b") for x in operands)
            parts = " ".join(f"s{x}" for x in operands)
            premises = f"({schema.FEW_WINDOWS}) (= r (op-slice (op-{name} {' '.join(operands)}) a b c)) (= d (dtype-of r)) {typed}"
            made += " " + _typed("n", f"(op-{name} {parts})", "d", "b")
            lines.append(f"(rule ({premises}) ({made} (union r n)) :ruleset analysis)")
    number = _typed("n", '(op-broadcast x b "()")', "d", "b")
    lines.append(_slice_rule('(op-broadcast x s "()") a b c', number))
    for axis in range(2):
        vector = " ".join(f"(Shape1 {name}{axis})" for name in "abc")
        matrix = " ".join(f"(Shape2 {name}0 {name}1)" for name in "abc")
        part = _typed("v", f"(op-slice x {vector})", "d", f"(Shape1 b{axis})")
        whole = _typed("n", f'(op-broadcast v (Shape2 b0 b1) "({axis},)")', "d", "(Shape2 b0 b1)")
        lines.append(_slice_rule(f'(op-broadcast x s "({axis},)") {matrix}', f"{part} {whole}"))
    for rank in range(1, 4):
        ones = schema.shape_term(['"1"'] * rank)
        lines.append(f"(rule ((= r (op-slice x a s {ones})) (= s (shape-of x))) ((union r x)) :ruleset analysis)")
        first, second, start = (schema.shape_term(f"{name}{axis}" for axis in range(rank)) for name in "apt")
        sums = " ".join(f"({schema.START_SUM} a{axis} p{axis} t{axis})" for axis in range(rank))
        nested = f"(op-slice (op-slice x {first} b {ones}) {second} q c)"
        once = _typed("n", f"(op-slice x {start} q c)", "d", "q")
        smaller = f"(= s (shape-of x)) (!= b s) (!= q b) {sums}"
        premises = f"({schema.FEW_WINDOWS}) (= r {nested}) (= d (dtype-of r)) {smaller}"
        lines.append(f"(rule ({premises}) ({once} (union r n) (delete {nested})) :ruleset analysis)")
    for steps in (["-1"], ["-1", "1"], ["1", "-1"], ["-1", "-1"]):
        turned = schema.shape_term(f'"{step}"' for step in steps)
        premises = f"(= r (op-slice (op-slice x a s {turned}) a s {turned})) (= s (shape-of x))"
        lines.append(f"(rule ({premises}) ((union r x)) :ruleset analysis)")
    return lines


def _slice_rule(operands: str, actions: str, further: str = "") -> str:
    premises = f"({schema.FEW_WINDOWS}) (= r (op-slice {operands})) (= d (dtype-of r)) {further}"
    return f"(rule ({premises}) ({actions} (union r n)) :ruleset analysis)"


def _typed(name: str, term: str, dtype: str, shape: str) -> str:
    """Actions that make a term under a name, with its type."""
    return f"(let {name} {term}) (set (dtype-of {name}) {dtype}) (set (shape-of {name}) {shape})"


def _operand(name: str) -> str:
    return f'(op-constant {name} "f64" s)'


def _rule(premises: str, result: str) -> str:
    return f'(rule ({premises}) ((union r (op-constant {result} "f64" s))) :ruleset analysis)'
