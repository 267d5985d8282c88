"""The program representation: interned, immutable Nodes, and Programs over them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Any
from weakref import WeakValueDictionary

import numpy as np

from egc import ops, sizes
from egc.errors import EgcError, Line, ProgramError
from egc.sizes import Dim
from egc.types import ArrayType, Shape, Type


class Node:
    """One op applied to inputs. Equal Nodes are one object, so `is` compares Programs and sharing is free.

    `type` follows from op, inputs and params. `line` (the user's source line that made the Node first) and
    `scopes` (the `egc.scope` names it was written under) are remarks and take no part in equality.
    """

    __slots__ = ("op", "inputs", "params", "type", "line", "scopes", "__weakref__")

    op: str
    inputs: tuple[Node, ...]
    params: Mapping[str, Any]
    type: Any
    line: Line | None
    scopes: frozenset[str]

    def __repr__(self) -> str:
        return f"<{self.op}: {self.type}>"


_interned: WeakValueDictionary[tuple[Any, ...], Node] = WeakValueDictionary()


def _hashable(value: Any) -> Any:
    """A key that tells 1 from 1.0 and 0.0 from -0.0, and makes nan equal to itself."""
    if isinstance(value, (float, complex)):
        return type(value), repr(value)
    return type(value), value


def make(op: str, *inputs: Node, line: Line | None = None, scopes: frozenset[str] = frozenset(), **params: Any) -> Node:
    """The Node for an op on inputs; its type is inferred.

    Raises ProgramError, OperandTypeError or ShapeError, naming `line`.
    """
    key = (op, tuple(map(id, inputs)), tuple((name, _hashable(params[name])) for name in sorted(params)), scopes)
    node = _interned.get(key)
    if node is not None:
        return node
    try:
        type = ops.infer(op, [node.type for node in inputs], params)
    except EgcError as error:
        if error.line is None and line is not None:
            raise error.__class__(str(error), line) from error
        raise
    node = Node.__new__(Node)
    node.op, node.inputs, node.params, node.type = op, inputs, MappingProxyType(params), type
    node.line, node.scopes = line, scopes
    return _interned.setdefault(key, node)


def input(name: str, type: ArrayType, line: Line | None = None) -> Node:
    return make("input", name=name, type=type, line=line)


def constant(value: Any, dtype: np.dtype, shape: Shape = (), line: Line | None = None) -> Node:
    """An array of `shape` whose elements all equal `value` (a Python scalar, or a NumPy one, rounded to `dtype`)."""
    with np.errstate(all="ignore"):
        value = np.asarray(value).astype(dtype).item()
    return make("constant", value=value, dtype=dtype, shape=tuple(shape), line=line)


def size(value: Dim, line: Line | None = None) -> Node:
    """A size as an int64 scalar."""
    if isinstance(value, int):
        return constant(value, ops.INT64, line=line)
    return make("size", value=value, line=line)


def rebuild(node: Node, inputs: Sequence[Node]) -> Node:
    """The same op and params on other inputs."""
    if all(a is b for a, b in zip(node.inputs, inputs)):
        return node
    return make(node.op, *inputs, line=node.line, scopes=node.scopes, **node.params)


def is_constant(node: Node, value: Any = None) -> bool:
    """Whether a Node is a constant, and equal to `value` where one is given."""
    return node.op == "constant" and (value is None or node.params["value"] == value)


def topological(roots: Iterable[Node]) -> Iterator[Node]:
    """Every Node that the roots need, inputs first, in a fixed order."""
    done: set[Node] = set()
    stack = list(reversed(tuple(roots)))
    while stack:
        node = stack[-1]
        waiting = [child for child in reversed(node.inputs) if child not in done] if node not in done else ()
        if waiting:
            stack.extend(waiting)
            continue
        stack.pop()
        if node not in done:
            done.add(node)
            yield node


@dataclass(frozen=True)
class Program:
    """A closed function: `inputs` are `input` Nodes with distinct names; `outputs` are what it returns.

    An input whose name is also a size symbol (a Python `int` argument) binds that symbol: `size_inputs` lists them. The
    symbols of axes stand for positive lengths; an empty axis has length 0 in its type.
    """

    inputs: tuple[Node, ...]
    outputs: tuple[Node, ...]
    name: str = "program"
    size_inputs: frozenset[str] = field(default=frozenset())

    def nodes(self) -> Iterator[Node]:
        """Every Node that the outputs need, inputs first."""
        return iter(self._nodes)

    @cached_property
    def _nodes(self) -> tuple[Node, ...]:
        return tuple(topological(self.outputs))

    def with_outputs(self, outputs: Iterable[Node]) -> Program:
        given = tuple(outputs)
        return self if given == self.outputs else Program(self.inputs, given, self.name, self.size_inputs)

    def bind(self, arguments: Sequence[Any]) -> dict[str, int]:
        """The values of the size symbols for these arguments (arrays, or anything with a `shape`)."""
        bindings: dict[str, int] = {}
        for node, value in zip(self.inputs, arguments):
            if node.params["name"] in self.size_inputs:
                bindings[node.params["name"]] = int(value)
                continue
            for dim, length in zip(node.type.shape, np.shape(value)):
                if isinstance(dim, sizes.Size) and str(dim).isidentifier():
                    bindings.setdefault(str(dim), length)
        return bindings

    def __str__(self) -> str:
        from_text = [f"{node.params['name']}: {node.type}" for node in self.inputs]
        return f"{self.name}({', '.join(from_text)}) -> {', '.join(str(node.type) for node in self.outputs)}"


def map_nodes(program: Program, visit: Any) -> Program:
    """The Program with `visit(node, new_inputs) -> Node` applied to every Node, inputs first."""
    new: dict[Node, Node] = {}
    for node in program.nodes():
        new[node] = visit(node, tuple(new[child] for child in node.inputs))
    return program.with_outputs(new[node] for node in program.outputs)


def regions(node: Node) -> Iterator[tuple[str, Program]]:
    """The Programs that a Node is made of, by parameter."""
    if ops.OPS[node.op].kind == "region":
        yield from ((name, node.params[name]) for name in ops.REGIONS if node.params.get(name) is not None)


def with_regions(node: Node, visit: Callable[[Program], Program]) -> Node:
    """The Node with `visit` applied to each of the Programs that it is made of."""
    new = {name: visit(region) for name, region in regions(node)}
    if all(new[name] is region for name, region in regions(node)):
        return node
    return make(node.op, *node.inputs, line=node.line, scopes=node.scopes, **{**node.params, **new})


def loop(
    update: Program,
    states: Sequence[Node],
    operands: Sequence[Node] = (),
    count: Node | None = None,
    pre: Program | None = None,
    post: Program | None = None,
    reverse: Program | None = None,
    line: Line | None = None,
) -> tuple[Node, ...]:
    """The states after a loop: see `egc.ops`.

    >>> from egc.types import parse_type
    >>> k, x, n = input("k", parse_type("i64")), input("x", parse_type("f64")), input("n", parse_type("i64"))
    >>> doubled = Program((k, x), (make("add", x, x),), "update", frozenset(["k"]))
    >>> loop(doubled, [x], count=n)[0].type
    ArrayType(dtype=dtype('float64'), shape=())
    """
    given = (*states, *operands) if count is None else (count, *states, *operands)
    node = make(
        "loop", *given, line=line, counted=count is not None, states=len(states), pre=pre, update=update, post=post,
        reverse=reverse,
    )  # fmt: skip
    return items(node)


def cond(
    condition: Node, then: Program, otherwise: Program, operands: Sequence[Node] = (), line: Line | None = None
) -> tuple[Node, ...]:
    """The results of one of two Programs of the operands."""
    return items(make("cond", condition, *operands, line=line, then=then, otherwise=otherwise))


def items(node: Node) -> tuple[Node, ...]:
    """Each result of an op with several."""
    return tuple(make("item", node, index=k, line=node.line) for k in range(len(node.type.items)))


def dims_of(type: Type) -> Iterator[Dim]:
    for part in (type,) if isinstance(type, ArrayType) else type.items:
        yield from part.shape


def free_symbols(program: Program) -> set[str]:
    """The size symbols that a Program's types and parameters mention."""
    found: set[str] = set()
    for node in (*program.inputs, *program.nodes()):
        for dim in dims_of(node.type):
            found.update(sizes.symbols(dim))
        for value in node.params.values():
            for dim in value if isinstance(value, tuple) else (value,):
                if isinstance(dim, sizes.Size):
                    found.update(sizes.symbols(dim))
        for _, region in regions(node):
            found.update(free_symbols(region) - region.size_inputs)
    return found


def bound_symbols(program: Program) -> set[str]:
    """The size symbols that a Program's arguments determine."""
    plain = {str(dim) for node in program.inputs for dim in node.type.shape if isinstance(dim, sizes.Size)}
    return {name for name in plain if name.isidentifier()} | program.size_inputs


def validate_name(name: str) -> str:
    if not name.isidentifier():
        raise ProgramError(f"{name!r} is not a name")
    return name
