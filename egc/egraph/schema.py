"""The e-graph's vocabulary, generated from the table of ops, and the text of its parameters.

Every op is a constructor `op-<name>` whose arguments are its inputs (sort Expr) and then its parameters. A shape is a
term `(Shape2 "n" "2*m")` of canonical size texts, and so is a start for each axis; every other parameter is a String. An
op with any number of inputs has one constructor for each number in use (`op-concatenate-3`). The Programs of a loop or
branch are parameters like others, as texts: equal ones are one, and what is inside of them is searched before. A
constant is `(op-constant value dtype shape)` with an f64 value where the value is a finite real that f64 holds exactly,
-0.0 excepted (e-graph floats do not tell zeros apart), and `(op-literal text dtype shape)` otherwise, so nan equals
itself only as the same literal.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

import numpy as np

from egc import ir, sizes
from egc.errors import SaturationError
from egc.ir import Node
from egc.ops import OPS, REGIONS
from egc.rewrite import PREDICATES
from egc.text import parse_program, print_program
from egc.types import DTYPES, SHORT, Shape

SHAPE_PARAMS = frozenset(
    [
        ("broadcast", "shape"),
        ("reshape", "shape"),
        ("iota", "shape"),
        ("empty", "shape"),
        ("pad", "low"),
        ("pad", "high"),
    ]
    + [("slice", "start"), ("slice", "size"), ("slice", "step"), ("update_slice", "start"), ("update_slice", "step")]
)
"""Parameters with a size for each axis."""

SIZE_PARAMS = frozenset([("size", "value"), ("diagonal", "size")])
UNSTABLE, STABLE = "unstable", "stable"
"""Marks of e-nodes: one that loses values by a hazard which an equal e-node avoids, and one that a rule against this hazard
made or spares. An e-node with both for one hazard is stable: it has the form that is avoided, but harmless operands."""

MARKS = "marks"
"""The ruleset of the rules that mark e-nodes; it runs even when the rules themselves are left out."""

FACTS = tuple(PREDICATES)

RANKS = range(9)
"""Ranks whose shape constructor always exists; the encoder declares higher ones where a program needs them."""

ARITIES = range(1, 6)
"""Numbers of inputs that an op with any number of them always has constructors for."""

EXACT_INTEGER = 2**53


@dataclass(frozen=True)
class Constructor:
    """An op with a fixed number of inputs; `params` are the names of its parameters, in order."""

    name: str
    op: str
    arity: int
    params: tuple[str, ...]

    @property
    def declaration(self) -> str:
        return f"(constructor {self.name} ({self._sorts}) Expr)"

    def mark(self, mark: str) -> str:
        """The relation of the e-nodes of this op that have a mark for a hazard."""
        return f"{mark}-{self.name}"

    def mark_declaration(self, mark: str) -> str:
        return f"(relation {self.mark(mark)} ({self._sorts} String))"

    @property
    def _sorts(self) -> str:
        sorts = ["Expr"] * self.arity
        sorts += ["Shape" if (self.op, name) in SHAPE_PARAMS else "String" for name in self.params]
        return " ".join(sorts)


@cache
def constructor(op: str, arity: int) -> Constructor:
    """The constructor of an op other than `constant` applied to `arity` inputs."""
    row = OPS[op]
    name = f"op-{op}" if row.arity is not None else f"op-{op}-{arity}"
    return Constructor(name, op, arity, ("name",) if op == "input" else row.params)


def fixed_constructors() -> Iterator[Constructor]:
    for name, row in OPS.items():
        if name != "constant":
            for arity in ARITIES if row.arity is None else (row.arity,):
                yield constructor(name, arity)


START_SUM = "start-sum"
"""The relation of two starts of slices and their sum."""

FEW_WINDOWS = "few-windows"
"""Holds where a Program's slices are not nested deeply."""


def declarations() -> list[str]:
    """The part of the schema that no program changes."""
    lines = ["(sort Expr)", "(sort Shape)"]
    lines += [shape_declaration(rank) for rank in RANKS]
    lines += [
        "(constructor op-constant (f64 String Shape) Expr)",
        "(constructor op-literal (String String Shape) Expr)",
        "(function shape-of (Expr) Shape :merge old)",
        "(function dtype-of (Expr) String :merge old)",
        "(function node-at (i64) Expr :merge old)",
        "(relation type-at (i64 String Shape))",
        "(relation in-scope (Expr String))",
        "(relation dtype-in (String String))",
        "(relation nonempty-shape (Shape))",
        "(relation thin-shape (Shape))",
        f"(relation {START_SUM} (String String String))",
        f"(relation {FEW_WINDOWS} ())",
    ]
    lines.append(f"(relation {FACTORIZED} (Expr))")
    lines += [f"(relation {fact_relation(name)} (Expr))" for name in FACTS]
    lines += [each.declaration for each in fixed_constructors()]
    return lines


def shape_declaration(rank: int) -> str:
    return f"(constructor Shape{rank} ({' '.join(['String'] * rank)}) Shape)"


FACTORIZED = "factorized"
"""The relation of the matrices whose Cholesky factors a Program computes: where they are no positive definite ones, it raises."""

SHAPE_FACTS = frozenset(["nonempty", "thin"])
"""The predicates that follow from an operand's shape, which `encode` knows; relation `<predicate>-shape`."""


def fact_relation(predicate: str) -> str:
    return f"is-{predicate}"


def quote(text: str) -> str:
    """An e-graph String literal."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def shape_term(dims: Iterable[str]) -> str:
    """A shape of dims that are e-graph terms already."""
    dims = tuple(dims)
    return f"(Shape{len(dims)}{''.join(f' {dim}' for dim in dims)})"


def shape_text(shape: Shape) -> str:
    return shape_term(quote(str(dim)) for dim in shape)


def float_text(value: float) -> str:
    """An f64 literal of a finite value."""
    text = repr(float(value))
    return text if "." in text or "e" in text else text + ".0"


def constant_head(value: Any) -> tuple[str, str]:
    """The constructor of a constant and its first argument."""
    if isinstance(value, complex):
        return "op-literal", quote(repr(value))
    if isinstance(value, int) and abs(value) > EXACT_INTEGER:
        return "op-literal", quote(repr(value))
    number = float(value)
    if not math.isfinite(number) or (number == 0 and math.copysign(1, number) < 0):
        return "op-literal", quote(repr(value))
    return "op-constant", float_text(number)


def literal_value(text: str) -> Any:
    """The Python number that `repr` wrote."""
    return complex(text) if "j" in text else float(text) if not text.lstrip("-").isdigit() else int(text)


def constant_value(number: float, dtype: np.dtype) -> Any:
    return bool(number) if dtype.kind == "b" else int(number) if dtype.kind in "iu" else number


def constant_node(value: Any, dtype: str, shape: Shape) -> Node:
    return ir.constant(value, DTYPES[dtype], shape)


def param_text(op: str, name: str, value: Any) -> str:
    """A parameter's e-graph term."""
    if (op, name) in SHAPE_PARAMS:
        return shape_text(value)
    if (op, name) in SIZE_PARAMS:
        return quote(str(value))
    if name == "dtype":
        return quote(SHORT[value])
    if name == "name":
        return quote(value)
    if name in REGIONS and value is not None:
        return quote(print_program(value))
    text = repr(_plain(value))
    if parse_literal(text) != _plain(value):
        raise SaturationError(f"the parameter {name}={value!r} of {op} has no text")
    return quote(text)


def _plain(value: Any) -> Any:
    if isinstance(value, (tuple, list)):
        return tuple(map(_plain, value))
    return value.item() if isinstance(value, np.generic) else value


@lru_cache(maxsize=4096)
def parse_literal(text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return None


@lru_cache(maxsize=4096)
def parse_size(text: str) -> Any:
    return sizes.parse(text)


@lru_cache(maxsize=4096)
def param_value(op: str, name: str, text: str) -> Any:
    """The parameter that a String stands for; shapes are not Strings and are read elsewhere."""
    if (op, name) in SIZE_PARAMS:
        return parse_size(text)
    if name == "dtype":
        return DTYPES[text]
    if name in REGIONS and text != "None":
        return parse_program(text)
    return text if name == "name" else parse_literal(text)


def params_text(node: Node) -> Iterator[str]:
    """The parameters of a Node that is no constant, in its constructor's order."""
    for name in constructor(node.op, len(node.inputs)).params:
        yield param_text(node.op, name, node.params[name])


def application(op: str, inputs: Iterable[str], params: Iterable[str]) -> str:
    inputs = tuple(inputs)
    return f"({' '.join([constructor(op, len(inputs)).name, *inputs, *params])})"


def constant_text(params: Mapping[str, Any], shape: str | None = None) -> str:
    """The term of a `constant` Node, at another shape where one is given."""
    head, value = constant_head(params["value"])
    return f"({head} {value} {quote(SHORT[params['dtype']])} {shape or shape_text(params['shape'])})"
