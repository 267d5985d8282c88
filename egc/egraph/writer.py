"""The text of one e-graph rule.

The left side becomes premises, one equation for each Node, and the right side actions that also set the type of every
term they make. Premises begin with the root, and each is about a term of those before: where operands come first, egglog
joins terms that have nothing but an operand in common. The operand dtype is a variable; a generic rewrite's shape is one
variable, and otherwise each size symbol is a String variable, bound by the operands' shapes.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from egc import ir
from egc.egraph import instantiate, schema
from egc.egraph.directions import Compiled, Directed
from egc.egraph.dtypes import DtypeGroup
from egc.egraph.encode import Form, folded_constant
from egc.egraph.schema import MARKS, application, constant_head, fact_relation, quote, shape_term
from egc.errors import RuleError
from egc.ir import Node, is_constant
from egc.ops import OPS
from egc.rewrite import Condition
from egc.sizes import Dim, Size
from egc.types import ArrayType

CONSTANT_TESTS = {
    "positive": "(> {0} 0.0)",
    "nonnegative": "(>= {0} 0.0)",
    "negative": "(< {0} 0.0)",
    "nonpositive": "(<= {0} 0.0)",
    "nonzero": "(!= {0} 0.0)",
    "integral": "(= (% {0} 1.0) 0.0)",
    "at_least_one": "(>= {0} 1.0)",
    "at_most_one": "(<= {0} 1.0)",
    "finite": "(= {0} {0})",
    "not_nan": "(= {0} {0})",
}
"""What a predicate means for the f64 value of a literal."""

ARITHMETIC = {"add": "+", "subtract": "-", "multiply": "*", "divide": "/"}

LINKING = frozenset(["where", "ldexp", "gather", "scatter", "searchsorted", "cast", "real", "imag", "frexp_exponent"])
"""Ops whose operands and results may differ in dtype although each is of the operand dtype or a fixed one."""


class RuleWriter:
    """Writes the rule of one direction at one group of dtypes."""

    def __init__(self, result: Compiled, directed: Directed, group: DtypeGroup, scope: str | None, recorded: bool):
        self.result, self.directed, self.group, self.scope = result, directed, group, scope
        self.recorded = recorded
        self.rewrite = directed.rewrite
        self.inlined: set[Node] = set()
        self.common = instantiate.generic_shape(self.rewrite) if self.rewrite.generic else None
        self.names: dict[Node, str] = {}
        self.numbers = itertools.count()
        self.premises: list[str] = []
        self.actions: list[str] = []
        self.bound_dims: set[str] = set()
        self.form_names: dict[str, str] = {}
        self.shape_bound = False

    def error(self, why: str) -> RuleError:
        return RuleError(f"rule {self.rewrite.rule.name}: {why}", self.rewrite.rule.place)

    def rule(self, name: str) -> str:
        sources = list(ir.topological([self.group.source]))
        operands = list(ir.topological(c.operand for c in self.group.conditions))
        inputs = [node for node in dict.fromkeys([*sources, *operands]) if node.op == "input"]
        for node in inputs:
            self.names[node] = self.variable(node)
        self.shapes(inputs, sources)
        terms = (c.operand for c in self.group.conditions if self.arithmetic(c.operand) is None)
        roots = [self.group.source, *terms]
        self.inlined = self.only_broadcast(roots)
        operand_types, self.premises = self.premises, []
        for node in sources:
            self.match(node)
        self.premises = [*reversed(self.premises), *operand_types]
        self.dtypes(sources, inputs)
        for condition in self.group.conditions:
            self.condition(condition)
        self.premises += self.different()
        root = self.names[self.group.source]
        if self.scope is not None:
            self.premises.append(f"(in-scope {root} {quote(self.scope)})")
        self.inlined = self.only_broadcast([self.group.target])
        for node in ir.topological([self.group.target]):
            self.build(node)
        self.actions.append(f"(union {root} {self.names[self.group.target]})")
        if self.recorded:
            columns = [root, *map(self.variable, self.directed.variables)]
            self.actions.append(f"({self.directed.fired} {' '.join(columns)})")
        self.drop_unused_shape()
        premises, actions = " ".join(self.premises), " ".join(self.actions)
        return f"(rule ({premises}) ({actions}) :ruleset {self.result.ruleset} :name {quote(name)})"

    def different(self) -> list[str]:
        """A sum that is put together otherwise takes no operand from itself: what a compensated sum keeps would be lost."""
        if any(node.inputs and node.op not in SUMS for node in ir.topological([self.group.source])):
            return []
        differences = [node for node in ir.topological([self.group.target]) if node.op == "subtract"]
        pairs = [[self.names.get(child) for child in node.inputs] for node in differences]
        return [f"(!= {a} {b})" for a, b in pairs if a is not None and b is not None]

    def marks(self, name: str) -> Iterator[str]:
        """After `rule`: the rules that mark what loses values on the left side, or that it does not."""
        premises = " ".join(self.premises)
        lossy = [self.group.source, *self.overflowing()]
        params = {node: list(self.params(node, left=True)) for node in lossy}

        def marking(mark: str) -> str:
            return " ".join(self.note(mark, node, params[node]) for node in lossy)

        yield f"(rule ({premises}) ({marking(schema.UNSTABLE)}) :ruleset {MARKS} :name {quote(name)})"
        for number, condition in enumerate(self.group.spared):
            self.condition(condition)
            text = f"{premises} {self.premises.pop()}"
            label = quote(f"{name}-spared-{number}")
            yield f"(rule ({text}) ({marking(schema.STABLE)}) :ruleset {MARKS} :name {label})"

    def overflowing(self) -> list[Node]:
        """The exponentials that a rule against overflow takes away: whatever else is made of them loses values too."""
        kept = set(ir.topological([self.group.target]))
        inner = list(ir.topological([self.group.source]))[:-1]
        return [n for n in inner if n.op == "exp" and n not in kept and self.directed.stabilizes == "overflow"]

    def note(self, mark: str, node: Node, params: Iterable[str]) -> str:
        """The action that marks an e-node."""
        constructor = schema.constructor(node.op, len(node.inputs))
        self.result.declarations[constructor.mark_declaration(mark)] = None
        hazard = quote(str(self.directed.stabilizes))
        return (
            f"({constructor.mark(mark)} {' '.join([*(self.names[child] for child in node.inputs), *params, hazard])})"
        )

    def drop_unused_shape(self) -> None:
        used = [text for text in (*self.premises, *self.actions) if re.search(r"(?<=[ (])s(?=[ )])", text)]
        if len(used) == 1 and used[0] in self.premises:
            self.premises.remove(used[0])

    def variable(self, node: Node) -> str:
        return "v-" + re.sub(r"\W", "_", node.params["name"])

    def only_broadcast(self, roots: Sequence[Node]) -> set[Node]:
        """Literals that are only broadcast, and so have no term: a broadcast of one is a literal of another shape."""
        nodes = list(ir.topological(roots))
        direct = {child for node in nodes if node.op != "broadcast" for child in node.inputs}
        return {node for node in nodes if node not in direct and node not in roots and self.is_leaf_literal(node)}

    def is_leaf_literal(self, node: Node) -> bool:
        return is_constant(node) or (node.op == "input" and self.is_literal(node))

    def is_literal(self, node: Node) -> bool:
        """Whether a Node is a variable that stands for a literal, or the broadcast of one."""
        core = node.inputs[0] if node.op == "broadcast" else node
        return core.op == "input" and core.params["name"] in self.rewrite.constants

    def shapes(self, inputs: Iterable[Node], sources: Sequence[Node]) -> None:
        """Binds the size variables through the types of operands, one of each set that must have the same shape."""
        same = _Linked(sources)
        for node in sources:
            if OPS[node.op].kind == "elementwise":
                same.link(node, *node.inputs)
        settled = set() if self.computes_sizes(sources) else {same.leader(v) for v in sources if self.pins_shape(v)}
        for node in sorted(inputs, key=lambda each: not all(_plain(dim) for dim in each.type.shape)):
            shape = node.type.shape
            if self.is_literal(node) or (node in same and same.leader(node) in settled):
                continue
            if self.common is None:
                settled.add(same.leader(node))
                dims = [self.bind(dim) for dim in shape]
                self.premises.append(f"(= {shape_term(dims)} (shape-of {self.names[node]}))")
            elif shape == self.common and not self.shape_bound:
                self.premises.append(f"(= s (shape-of {self.names[node]}))")
                self.shape_bound = True
            elif shape not in ((), self.common):
                raise self.error("a generic rule has arrays of one shape only")

    def computes_sizes(self, sources: Iterable[Node]) -> bool:
        """Whether the left side has sizes that are tabulated, which need their arguments bound first."""
        sizes = (value for node in sources for value in node.params.values())
        flat = (part for value in sizes for part in (value if isinstance(value, tuple) else (value,)))
        return not all(map(_plain, flat))

    def pins_shape(self, node: Node) -> bool:
        """Whether the match of a Node of the left side fixes its shape and binds its sizes."""
        return self.common is None and "shape" in node.params and not self.is_leaf_literal(node)

    def bind(self, dim: Dim) -> str:
        """A size on the left side."""
        if isinstance(dim, int):
            return quote(str(dim))
        text = str(dim)
        if text.isidentifier():
            self.bound_dims.add(text)
            return f"n-{text}"
        if text in self.form_names:
            return self.form_names[text]
        form, result = Form(dim), f"m-{len(self.form_names)}"
        missing = [name for name in form.symbols if name not in self.bound_dims]
        if missing:
            raise self.error(f"its left side computes the size {text}, which cannot be matched")
        self.result.forms[form], self.form_names[text] = None, result
        arguments = " ".join(f"n-{name}" for name in form.symbols)
        self.premises.append(f"({form.relation} {quote(text)} {arguments} {result})")
        return result

    def shape(self, shape: Sequence[Dim], left: bool) -> str:
        if self.common is not None and tuple(shape) == self.common:
            self.shape_bound = self.shape_bound or left
            if not self.shape_bound:
                raise self.error("its shape is not bound by the rewritten side")
            return "s"
        if self.common and shape:
            raise self.error("a generic rule has arrays of one shape only")
        return shape_term(self.bind(dim) if left else self.computed(dim) for dim in shape)

    def computed(self, dim: Dim) -> str:
        """A size on the right side, as a String expression."""
        if isinstance(dim, int):
            return quote(str(dim))
        text = str(dim)
        if text in self.form_names:
            return self.form_names[text]
        pieces = re.split(r"([A-Za-z_]\w*)", text)
        symbols = [each for each in pieces[1::2] if each not in ("max", "min")]
        for name in symbols:
            if name not in self.bound_dims:
                raise self.error(f"the size {name} is not bound by the rewritten side")
        if text in symbols:
            return f"n-{text}"
        terms = [
            f'"(" n-{piece} ")"' if odd and piece in symbols else quote(piece)
            for odd, piece in ((position % 2, piece) for position, piece in enumerate(pieces))
            if piece
        ]
        return f"(+ {' '.join(terms)})"

    def params(self, node: Node, left: bool) -> Iterator[str]:
        for name in schema.constructor(node.op, len(node.inputs)).params:
            value = node.params[name]
            if (node.op, name) in schema.SHAPE_PARAMS:
                yield self.shape(value, left)
            elif name == "dtype":
                yield self.group.text(value)
            elif isinstance(value, Size):
                yield self.bind(value) if left else self.computed(value)
            else:
                yield schema.param_text(node.op, name, value)

    def literal(self, node: Node, left: bool) -> str | None:
        """The term of a constant or of a variable that stands for one, broadcast or not."""
        constant = node if is_constant(node) else folded_constant(node)
        if constant is not None:
            head, value = constant_head(constant.params["value"])
        elif self.is_literal(node):
            head, value = "op-constant", self.variable(node.inputs[0] if node.op == "broadcast" else node)
        else:
            return None
        return f"({head} {value} {self.group.text(node.type.dtype)} {self.shape(node.type.shape, left)})"

    def match(self, node: Node) -> None:
        """The premise of a Node of the left side."""
        if node.op == "input" and not self.is_literal(node):
            return
        if node in self.names and node.op != "input":
            return
        term = self.literal(node, left=True)
        if term is not None and node in self.inlined:
            return
        if term is None:
            self.check_arity(node)
            params = list(self.params(node, left=True))
            term = application(node.op, (self.names[child] for child in node.inputs), params)
        self.names[node] = name = f"t{next(self.numbers)}"
        self.premises.append(f"(= {name} {term})")
        self.result.sized = self.result.sized or node.op == "size"

    def check_arity(self, node: Node) -> None:
        if OPS[node.op].arity is None and len(node.inputs) not in schema.ARITIES:
            raise self.error(f"{node.op} of {len(node.inputs)} operands is not for rules")

    def dtypes(self, sources: Sequence[Node], inputs: Sequence[Node]) -> None:
        """One premise for each set of left Nodes whose dtypes are tied by the ops between them."""
        several = len(self.group.dtypes) > 1
        if several:
            key = " ".join(self.group.dtypes)
            for name in self.group.dtypes:
                self.result.declarations[f"(dtype-in {quote(key)} {quote(name)})"] = None
        tied = _Linked(sources)
        for node in sources:
            if node.op not in LINKING:
                for first, second in itertools.combinations([node, *node.inputs], 2):
                    if _dtype(first) == _dtype(second):
                        tied.link(first, second)
        done = {tied.leader(node) for node in sources if self.pins_dtype(node)}
        for node in (*inputs, *sources):
            if node not in tied or self.is_literal(node) or _dtype(node) is None or tied.leader(node) in done:
                continue
            done.add(tied.leader(node))
            self.premises.append(f"(= {self.group.text(node.type.dtype)} (dtype-of {self.names[node]}))")
        if several:
            self.premises.append(f"(dtype-in {quote(key)} d)")

    def pins_dtype(self, node: Node) -> bool:
        """Whether the match of a Node already fixes its dtype."""
        return self.literal(node, left=True) is not None or node.op in ("cast", "size", "iota", "argmax", "argmin")

    def condition(self, condition: Condition) -> None:
        value = self.arithmetic(condition.operand)
        if value is not None:
            test = CONSTANT_TESTS.get(condition.predicate)
            if test is None:
                raise self.error(f"{condition.predicate} says nothing about a literal")
            self.premises.append(test.format(value))
            return
        for node in ir.topological([condition.operand]):
            if node not in self.names:
                self.match(node)
        self.result.predicates.add(condition.predicate)
        name = self.names[condition.operand]
        if condition.predicate in schema.SHAPE_FACTS:
            shape = f"s-{len(self.premises)}"
            self.premises += [f"(= {shape} (shape-of {name}))", f"({condition.predicate}-shape {shape})"]
        else:
            self.premises.append(f"({fact_relation(condition.predicate)} {name})")

    def arithmetic(self, node: Node) -> str | None:
        """The f64 expression of a term of literals."""
        if self.is_literal(node):
            return self.variable(node.inputs[0] if node.op == "broadcast" else node)
        constant = node if is_constant(node) else folded_constant(node)
        if constant is not None:
            head, value = constant_head(constant.params["value"])
            return value if head == "op-constant" else None
        parts = [self.arithmetic(child) for child in node.inputs]
        if not parts or None in parts:
            return None
        if node.op in ARITHMETIC:
            return f"({ARITHMETIC[node.op]} {parts[0]} {parts[1]})"
        if node.op == "negative":
            return f"(neg {parts[0]})"
        return parts[0] if node.op == "broadcast" else None

    def build(self, node: Node) -> None:
        """The action that makes a Node of the right side."""
        if node in self.names and not self.is_literal(node):
            return
        if node in self.names and self.names[node].startswith("t"):
            return
        if node in self.inlined:
            return
        term = self.literal(node, left=False)
        if term is None:
            self.check_arity(node)
            params = list(self.params(node, left=False))
            term = application(node.op, (self.names[child] for child in node.inputs), params)
            if self.directed.stabilizes:
                self.actions.append(self.note(schema.STABLE, node, params))
        self.names[node] = name = f"t{next(self.numbers)}"
        self.actions.append(f"(let {name} {term})")
        if isinstance(node.type, ArrayType):
            self.actions.append(f"(set (dtype-of {name}) {self.group.text(node.type.dtype)})")
            self.actions.append(f"(set (shape-of {name}) {self.shape(node.type.shape, left=False)})")
        if self.scope is not None:
            self.actions.append(f"(in-scope {name} {quote(self.scope)})")


SUMS = frozenset(["add", "subtract", "negative", "broadcast"])


class _Linked:
    """Sets of Nodes that share a property, by union-find."""

    def __init__(self, nodes: Iterable[Node]):
        self.parent = {node: node for node in nodes}

    def __contains__(self, node: Node) -> bool:
        return node in self.parent

    def leader(self, node: Node) -> Node:
        while self.parent[node] is not node:
            node = self.parent[node]
        return node

    def link(self, first: Node, *others: Node) -> None:
        for other in others:
            self.parent[self.leader(other)] = self.leader(first)


def _plain(dim: object) -> bool:
    """Whether it is no size that is computed from others."""
    return not isinstance(dim, Size) or str(dim).isidentifier()


def _dtype(node: Node) -> np.dtype | None:
    return node.type.dtype if isinstance(node.type, ArrayType) else None
