"""A Program as e-graph terms, with the type and the known facts of every Node."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from egc import ir, sizes
from egc.alternatives import Alternative
from egc.egraph import schema
from egc.egraph.schema import fact_relation, quote, shape_text
from egc.errors import ProgramError
from egc.ir import Node, Program, dims_of, is_constant
from egc.kinds import is_total
from egc.ops import OPS
from egc.rewrite import PREDICATES
from egc.sizes import Dim
from egc.types import SHORT, ArrayType, Shape

MOST_NESTED = 6
"""Slices that are nested deeper are not moved; """

MOST_STARTS = 24
"""and of those that are, these starts are known to the e-graph."""

MOST_DIMS = 24
"""Computed sizes of rules are tabulated for the first sizes of a program only, """

MOST_PAIRED = 12
"""and those of two sizes for fewer."""


@dataclass(frozen=True)
class Form:
    """A size that a rule's left side computes from other sizes, such as `n - 1`."""

    size: Dim

    @property
    def symbols(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(sizes.symbols(self.size)))

    @property
    def relation(self) -> str:
        return f"size-form-{len(self.symbols)}"

    def value(self, arguments: Iterable[Dim]) -> Dim:
        return sizes.substitute(self.size, dict(zip(self.symbols, arguments)))


@dataclass(frozen=True)
class Encoded:
    """`commands` add a Program to an e-graph; `(node-at i)` is the term of `nodes[i]`. What only some rules need to be told
    of it is asked for.

    dims, shapes: the sizes and shapes of its terms. varying, bindings: see `encode`.
    """

    commands: tuple[str, ...]
    nodes: tuple[Node, ...]
    dims: tuple[Dim, ...]
    shapes: tuple[Shape, ...]
    varying: Collection[str] = ()
    bindings: Mapping[str, int] | None = None

    def facts(self, predicates: Collection[str]) -> list[str]:
        """Which terms are invariant and which total, and which shapes are thin, where this is among the predicates."""
        lines: list[str] = []
        places = {node: index for index, node in enumerate(self.nodes)}
        invariant = _invariant(self.nodes, self.varying) if "invariant" in predicates else []
        total = _total(self.nodes) if "total" in predicates else []
        for fact, holding in (("invariant", invariant), ("total", total)):
            lines += [f"({fact_relation(fact)} (node-at {places[node]}))" for node in holding]
        if "thin" in predicates and self.bindings is not None:
            lines += _thin_shapes(list(self.dims)[:MOST_PAIRED], self.bindings)
        return lines

    def values(self, forms: Iterable[Form]) -> list[str]:
        """The values of computed sizes."""
        return _form_values(forms, list(self.dims), self.shapes, _spellings(self.nodes))

    def fixed_sizes(self) -> list[str]:
        """Ties the constants that equal a fixed size to that size."""
        return _fixed_sizes(self.nodes, self.dims)


def folded_constant(node: Node) -> Node | None:
    """The constant that a Node broadcasts: an e-graph has constants of every shape and never broadcasts one."""
    return node.inputs[0] if node.op == "broadcast" and is_constant(node.inputs[0]) else None


def all_nodes(program: Program, alternatives: Sequence[Alternative] = ()) -> tuple[Node, ...]:
    """The Nodes of a Program, and those of its alternatives after them."""
    return tuple(ir.topological([*program.outputs, *(each.after for each in alternatives)]))


def encode(
    program: Program,
    numbers: Collection[str] = (),
    alternatives: Sequence[Alternative] = (),
    varying: Collection[str] = (),
    bindings: Mapping[str, int] | None = None,
) -> Encoded:
    """The terms of a Program. `numbers` are the sizes that count the iterations of loops around it, from 0. Values and their
    alternatives are one class. `varying` are the inputs whose value changes from one iteration of the innermost loop around it
    to the next. `bindings` are the sizes that the Program is optimized for: a form that is for thin matrices only may then be
    used for all, where it is as true, but less accurate."""
    nodes = all_nodes(program, alternatives)
    dims = dict.fromkeys(dim for node in (*program.inputs, *nodes) for dim in dims_of(node.type))
    lines = _declarations(nodes)
    names: dict[Node, str] = {}
    shapes: dict[tuple[Dim, ...], None] = {}
    least = dict.fromkeys(ir.bound_symbols(program) - program.size_inputs - set(numbers), 1)
    for index, node in enumerate(nodes):
        name = names[node] = f"(node-at {index})"
        lines.append(f"(set {name} {_term(node, names)})")
        if isinstance(node.type, ArrayType):
            lines.append(f"(type-at {index} {quote(SHORT[node.type.dtype])} {shape_text(node.type.shape)})")
            shapes[node.type.shape] = None
        lines += [f"(in-scope {name} {quote(scope)})" for scope in sorted(node.scopes)]
        if node.op == "assume":
            lines += _assumed(node, names)
    factorized = (node.inputs[0] for node in program.nodes() if node.op == "cholesky")
    lines += [f"({schema.FACTORIZED} {names[node]})" for node in dict.fromkeys(factorized)]
    lines += [f"(union {names[each.before]} {names[each.after]})" for each in alternatives]
    for shape in shapes:
        if all((sizes.lower_bound(dim, least) or 0) > 0 for dim in shape):
            lines.append(f"(nonempty-shape {shape_text(shape)})")
    lines += _windows(nodes)
    return Encoded(tuple(lines), nodes, tuple(dims), tuple(shapes), varying, bindings)


def _invariant(nodes: Iterable[Node], varying: Collection[str]) -> list[Node]:
    """The Nodes that are made of no input that varies, and whose sizes do not."""
    found: dict[Node, None] = {}
    for node in nodes:
        dims = [*dims_of(node.type)]
        for value in node.params.values():
            dims += [part for part in (value if isinstance(value, tuple) else (value,)) if isinstance(part, sizes.Size)]
        still = not any(name in varying for dim in dims for name in sizes.symbols(dim))
        own = node.op != "input" or node.params["name"] not in varying
        if still and own and not any(True for _ in ir.regions(node)) and all(child in found for child in node.inputs):
            found[node] = None
    return list(found)


def _total(nodes: Iterable[Node]) -> list[Node]:
    """The Nodes that compute nothing that could raise."""
    found: dict[Node, None] = {}
    for node in nodes:
        if is_total(node) and all(child in found for child in node.inputs):
            found[node] = None
    return list(found)


def _declarations(nodes: tuple[Node, ...]) -> list[str]:
    variadic = {
        schema.constructor(node.op, len(node.inputs)).declaration: None
        for node in nodes
        if OPS[node.op].arity is None and len(node.inputs) not in schema.ARITIES
    }
    ranks = {node.type.rank for node in nodes if isinstance(node.type, ArrayType)} - set(schema.RANKS)
    return [*variadic, *map(schema.shape_declaration, sorted(ranks))]


def _term(node: Node, names: dict[Node, str]) -> str:
    constant = node if is_constant(node) else folded_constant(node)
    if constant is not None:
        return schema.constant_text(constant.params, shape_text(node.type.shape))
    return schema.application(node.op, (names[child] for child in node.inputs), schema.params_text(node))


def _assumed(node: Node, names: dict[Node, str]) -> list[str]:
    lines = [f"(union {names[node]} {names[node.inputs[0]]})"]
    for fact in node.params["facts"]:
        if fact not in PREDICATES:
            raise ProgramError(f"nothing is known about the assumption {fact!r}", node.line)
        lines.append(f"({fact_relation(fact)} {names[node]})")
    return lines


def _thin_shapes(dims: list[Dim], bindings: Mapping[str, int]) -> list[str]:
    """The shapes of matrices with at least two rows for each column."""
    known = [(dim, sizes.evaluate(dim, bindings)) for dim in dims if bindings.keys() >= set(sizes.symbols(dim))]
    return [f"(thin-shape {shape_text((a, b))})" for a, m in known for b, n in known if m >= 2 * n]


def _windows(nodes: Iterable[Node]) -> list[str]:
    """Whether slices are nested so little that there are few windows of each value, and then where slices of slices start."""
    depth: dict[Node, int] = {}
    starts: dict[Dim, None] = {0: None}
    for node in nodes:
        depth[node] = max((depth[child] for child in node.inputs), default=0) + (node.op == "slice")
        if node.op == "slice":
            starts.update(dict.fromkeys(node.params["start"]))
    deepest = max(depth.values(), default=0)
    if deepest > MOST_NESTED:
        return []
    sums = dict(starts)
    for _ in range(deepest - 1):
        further = [a + b for a in sums for b in starts if a + b not in sums]
        sums.update(dict.fromkeys(further[: MOST_STARTS - len(sums)]))
    pairs = itertools.product(list(sums), repeat=2) if deepest > 1 else ()
    tabulated = [(a, b, a + b) for a, b in pairs if a + b in sums]
    return [f"({schema.FEW_WINDOWS})"] + [
        f"({schema.START_SUM} {' '.join(quote(str(each)) for each in row)})" for row in tabulated
    ]


def _spellings(nodes: Iterable[Node]) -> dict[Dim, list[Dim]]:
    """How else the program writes sizes that it takes to be equal, as where lengths have to fit: an array is reshaped from one to
    the other, with all its other axes the same."""
    found: dict[Dim, dict[Dim, None]] = {}
    for node in nodes:
        if node.op != "reshape":
            continue
        total, shape = sizes.product(node.inputs[0].type.shape), node.type.shape
        for axis, dim in enumerate(shape):
            others = sizes.product((*shape[:axis], *shape[axis + 1 :]))
            other = sizes.floordiv(total, others) if others != 0 else dim
            if other != dim and other * others == total:
                found.setdefault(other, {})[dim] = None
    return {dim: list(others) for dim, others in found.items()}


def _form_values(
    forms: Iterable[Form], dims: list[Dim], shapes: Iterable[Shape], spellings: Mapping[Dim, Sequence[Dim]]
) -> list[str]:
    """Tabulates computed sizes: of one size everywhere, of two where the result is a size of the program, of more for the
    axes of one array. A result that is written otherwise in places is tabulated in each way."""
    lines: dict[str, None] = {}
    present = {*dims, *spellings}
    for form in forms:
        count = len(form.symbols)
        if count == 1:
            choices: Iterable[Shape] = ((dim,) for dim in dims[:MOST_DIMS])
        elif count == 2:
            pairs = itertools.product(dims[:MOST_PAIRED], repeat=2)
            choices = [pair for pair in pairs if form.value(pair) in present]
        else:
            choices = (axes for shape in shapes for axes in itertools.permutations(shape, count))
        for arguments in choices:
            value = form.value(arguments)
            for result in (value, *spellings.get(value, ())):
                texts = " ".join(quote(str(dim)) for dim in (*arguments, result))
                lines[f"({form.relation} {quote(str(form.size))} {texts})"] = None
    return list(lines)


def _fixed_sizes(nodes: Iterable[Node], dims: Iterable[Dim]) -> list[str]:
    """`size(50)` is the constant 50 in a Program; rules about sizes see both."""
    lines = []
    fixed = {dim for dim in dims if isinstance(dim, int)}
    for node in nodes:
        value = node.params["value"] if is_constant(node) else None
        if value is None or isinstance(value, complex) or value not in fixed or node.type.dtype.kind == "b":
            continue
        size, dtype, shape = quote(str(int(value))), quote(SHORT[node.type.dtype]), shape_text(node.type.shape)
        term = f"(op-size {size})"
        lines.append(f'(union {term} (op-constant {schema.float_text(value)} "i64" (Shape0)))')
        if node.type.dtype.kind != "i":
            term = f"(op-cast {term} {dtype})"
            lines.append(f"(union {term} (op-constant {schema.float_text(value)} {dtype} (Shape0)))")
        if node.type.rank:
            lines.append(f'(union (op-broadcast {term} {shape} "()") {schema.constant_text(node.params)})')
    return lines
