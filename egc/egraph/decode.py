"""The rows of a frozen e-graph as a graph of classes and typed e-nodes, and e-nodes as Nodes.

An e-node whose op does not accept the types of its operand classes, or gives another type than its class has, is left
out: no Program is ever built from one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from egc import ir, ops
from egc.egraph import native, schema
from egc.egraph.saturate import Saturated
from egc.errors import EgcError, ProgramError, SaturationError
from egc.ir import Node, Program
from egc.rewrite import PREDICATES
from egc.text import print_program
from egc.types import DTYPES, ArrayType, Type


@dataclass(frozen=True, slots=True, eq=False)
class ENode:
    """An op with parameters, as texts, on classes. `order` is a text that orders e-nodes with equal children.

    unstable: it loses values that another e-node of its class keeps. stable: it is what avoids losing them.
    """

    op: str
    params: tuple[Any, ...]
    children: tuple[int, ...]
    order: tuple[str, ...]
    unstable: bool = False
    stable: bool = False


class Graph:
    """The part of an e-graph that the roots of a Program reach.

    `enodes[c]` are the well-typed e-nodes of class c, `types[c]` its type, `class_of[node]` the class of each
    Node of the Program, `original` a Node of it by class, `encoded` one of it or of its alternatives by class,
    `firings[relation]` the classes that each recorded firing names (floats for literals).
    """

    def __init__(self, program: Program, saturated: Saturated, firings: bool = False):
        self.program = program
        self._egraph, self._functions = saturated.egraph, saturated.frozen.functions
        self._strings: dict[Any, str] = {}
        self._numbers: dict[Any, int] = {}
        self._shapes = self._read_shapes()
        self._inputs = {node.params["name"]: node for node in (*program.nodes(), *program.inputs) if node.op == "input"}
        self._regions = {
            print_program(region): region for node in saturated.nodes_encoded for _, region in ir.regions(node)
        }
        self._inferred: dict[Any, Type | None] = {}
        self.class_of = self._read_nodes(saturated.nodes_encoded)
        self.types: list[Type | None] = self._read_types()
        self.enodes: list[list[ENode]] = []
        self._read_enodes()
        self.firings: dict[str, list[tuple[Any, ...]]] = {}
        self._known = {name: self._functions.get(schema.fact_relation(name)) for name in PREDICATES}
        if firings:
            self._read_firings(saturated)
        self.original = {self.class_of[node]: node for node in reversed(list(program.nodes()))}
        self.encoded = {self.class_of[node]: node for node in reversed(saturated.nodes_encoded)} | self.original
        self._functions = {}

    def facts(self, nodes: Iterable[Node]) -> dict[Node, tuple[str, ...]]:
        """The predicates that are known to hold, by Node of the Program."""
        found: dict[int, list[str]] = {self.class_of[node]: [] for node in nodes}
        for name, relation in self._known.items():
            for row in relation.rows if relation is not None else ():
                number = self._numbers.get(row.inputs[0])
                if number in found:
                    found[number].append(name)
        return {node: tuple(found[self.class_of[node]]) for node in nodes}

    def _string(self, value: Any) -> str:
        found = self._strings.get(value)
        if found is None:
            found = self._strings[value] = self._egraph.value_to_string(value)
        return found

    def _class(self, value: Any) -> int:
        """The number of a class; classes are numbered as they are met."""
        return self._numbers.setdefault(value, len(self._numbers))

    def _read_shapes(self) -> dict[Any, tuple[str, ...]]:
        found = {}
        for name, function in self._functions.items():
            if name.startswith("Shape"):
                for row in function.rows:
                    found[row.output] = tuple(self._string(each) for each in row.inputs)
        return found

    def _read_nodes(self, nodes: Sequence[Node]) -> dict[Node, int]:
        found = {}
        rows = [(self._egraph.value_to_i64(row.inputs[0]), row) for row in self._functions["node-at"].rows]
        for index, row in sorted(rows, key=lambda pair: pair[0]):
            found[nodes[index]] = self._class(row.output)
        return found

    def _read_types(self) -> list[Type | None]:
        shapes: dict[Any, Any] = {}
        for row in self._functions["shape-of"].rows:
            shapes[row.inputs[0]] = self._dims(row.output)
        types: dict[int, Type] = {}
        known: dict[Any, ArrayType] = {}
        for row in self._functions["dtype-of"].rows:
            value = row.inputs[0]
            if value in shapes:
                key = (self._string(row.output), shapes[value])
                if key not in known:
                    known[key] = ArrayType(DTYPES[key[0]], key[1])
                types[self._class(value)] = known[key]
        for node, number in self.class_of.items():
            types[number] = known.setdefault((str(node.type), ()), node.type)
        return [types.get(number) for number in range(len(self._numbers))]

    def _dims(self, value: Any) -> tuple[Any, ...]:
        return tuple(map(schema.parse_size, self._shapes[value]))

    def _read_enodes(self) -> None:
        """Reads e-nodes, then keeps those that the roots reach and whose types fit."""
        raw: dict[int, list[ENode]] = {}
        for name, function in self._functions.items():
            rows = function.rows if name.startswith("op-") else ()
            if not rows:
                continue
            sorts = function.input_sorts
            arity = sum(sort == "Expr" for sort in sorts)
            op = name[3:].removesuffix(f"-{arity}") if name[3:] not in OP_NAMES else name[3:]
            readers = [self._reader(sort) for sort in sorts[arity:]]
            kept = self._marked(schema.STABLE, name)
            lost = {mark[:-1] for mark in self._marked(schema.UNSTABLE, name) - kept}
            kept = {mark[:-1] for mark in kept}
            for row in rows:
                if row.subsumed and op in native.NARROWED:
                    continue
                inputs = row.inputs
                params = tuple([read(value) for read, value in zip(readers, inputs[arity:])])
                children = tuple([self._class(value) for value in inputs[:arity]])
                enode = ENode(
                    op, params, children, (op, *map(str, params)), tuple(inputs) in lost, tuple(inputs) in kept
                )
                raw.setdefault(self._class(row.output), []).append(enode)
        self.types += [None] * (len(self._numbers) - len(self.types))
        self.enodes = [[] for _ in range(len(self._numbers))]
        reached = set()
        stack = [self.class_of[output] for output in self.program.outputs]
        stack += self.class_of.values()
        while stack:
            number = stack.pop()
            if number in reached:
                continue
            reached.add(number)
            for enode in raw.get(number, ()):
                stack.extend(child for child in enode.children if child not in reached)
        self._check_types({number: raw.get(number, []) for number in reached})

    def _marked(self, mark: str, name: str) -> set[tuple[Any, ...]]:
        relation = self._functions.get(f"{mark}-{name}")
        return (
            {(*row.inputs[:-1], self._string(row.inputs[-1])) for row in relation.rows}
            if relation is not None
            else set()
        )

    def _reader(self, sort: str) -> Any:
        if sort == "f64":
            return self._egraph.value_to_f64
        return self._string if sort == "String" else self._dims

    def _check_types(self, raw: Mapping[int, list[ENode]]) -> None:
        """Keeps the e-nodes whose inferred type is that of their class. Classes of tuples get their type here."""
        untyped = [number for number in raw if self.types[number] is None]
        for _ in range(len(untyped)):
            still = []
            for number in untyped:
                found = (self.inferred(enode) for enode in raw[number])
                self.types[number] = next((type for type in found if type is not None), None)
                still += [number] if self.types[number] is None else []
            if len(still) == len(untyped):
                break
            untyped = still
        for number, enodes in raw.items():
            type = self.types[number]
            if type is not None:
                self.enodes[number] = _without_rivals([enode for enode in enodes if self._fits(enode, type)])

    def _fits(self, enode: ENode, type: Type) -> bool:
        found = self.inferred(enode)
        return found is type or found == type

    def inferred(self, enode: ENode) -> Type | None:
        """The type of an e-node; None where its op does not accept its operands."""
        types = tuple([self.types[child] for child in enode.children])
        key = (enode.op, enode.params, *map(id, types))
        if key in self._inferred:
            return self._inferred[key]
        result: Type | None = None
        if None not in types:
            try:
                op = "constant" if enode.op == "literal" else enode.op
                result = ops.infer(op, types, self.params(enode))  # type: ignore[arg-type]
            except (EgcError, IndexError, TypeError, ValueError):
                result = None
            self._inferred[key] = result
        return result

    def params(self, enode: ENode) -> dict[str, Any]:
        if enode.op in ("constant", "literal"):
            value, dtype, shape = enode.params
            return {"value": value, "dtype": DTYPES[dtype], "shape": shape}
        if enode.op == "input":
            return dict(self._inputs[enode.params[0]].params)
        names = schema.constructor(enode.op, len(enode.children)).params
        return {
            name: value if isinstance(value, tuple) else self._param(enode.op, name, value)
            for name, value in zip(names, enode.params)
        }

    def _param(self, op: str, name: str, value: str) -> Any:
        """A parameter of a text; a Program that was given is itself, with its lines."""
        known = self._regions.get(value) if name in ops.REGIONS else None
        return known if known is not None else schema.param_value(op, name, value)

    def node(self, number: int, enode: ENode, inputs: Sequence[Node]) -> Node:
        """The Node of an e-node of a class. New Nodes remember the line and scopes of the Node they are equal to."""
        if enode.op == "constant":
            value, dtype, shape = enode.params
            return ir.constant(schema.constant_value(value, DTYPES[dtype]), DTYPES[dtype], shape)
        if enode.op == "literal":
            value, dtype, shape = enode.params
            return ir.constant(schema.literal_value(value), DTYPES[dtype], shape)
        if enode.op == "input":
            return self._inputs[enode.params[0]]
        if enode.op == "size":
            return ir.size(schema.parse_size(enode.params[0]))
        origin = self.original.get(number)
        line, scopes = (origin.line, origin.scopes) if origin is not None else (None, frozenset())
        try:
            return ir.make(enode.op, *inputs, line=line, scopes=scopes, **self.params(enode))
        except ProgramError as error:
            raise SaturationError(f"an e-node has no Node: {error}") from error

    def _read_firings(self, saturated: Saturated) -> None:
        for directed in saturated.directed:
            function = self._functions[directed.fired]
            readers = [self._egraph.value_to_f64 if sort == "f64" else self._class for sort in function.input_sorts]
            rows = [tuple(read(value) for read, value in zip(readers, row.inputs)) for row in function.rows]
            self.firings[directed.fired] = rows


def _without_rivals(enodes: list[ENode]) -> list[ENode]:
    """Where a class has an unstable e-node and one that avoids its hazard, its other e-nodes may be the unstable one in
    disguise (a product with a reciprocal for a quotient, say): they count as unstable too."""
    if not any(enode.unstable for enode in enodes) or not any(each.stable and not each.unstable for each in enodes):
        return enodes
    return [enode if enode.stable else replace(enode, unstable=True) for enode in enodes]


OP_NAMES = frozenset(ops.OPS) | {"literal"}
