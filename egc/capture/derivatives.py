"""Transformed functions: the function is captured with stand-ins for its arguments, its results are differentiated, and the
arguments take the stand-ins' places."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from egc import ir
from egc.capture import arguments as trees
from egc.capture.arguments import Tree
from egc.capture.array import Array, Cell, fresh, result, to_node
from egc.capture.build import cast
from egc.capture.context import current
from egc.capture.flow.region import inside
from egc.capture.mapped import mapped
from egc.capture.registry import implements_by_name
from egc.errors import NotDifferentiable, NotEncodable
from egc.ir import Node
from egc.sizes import Dim, Size
from egc.transformed import Transformed

Machine = Any


@dataclass
class Part:
    """A function's results in terms of stand-ins for some of the leaves of its arguments.

    inputs: the stand-ins; actual: what they stand for. tree, outputs: the results, as Nodes. kinds: what each leaf of
    the results is.
    """

    inputs: tuple[Node, ...]
    actual: tuple[Node, ...]
    argument_trees: tuple[Tree, ...]
    tree: Tree
    leaves: list[Any]
    checks: list[Node]
    auxiliary: Any = None

    @property
    def numbers(self) -> list[int]:
        """Which leaves are numbers or arrays."""
        return [k for k, leaf in enumerate(self.leaves) if is_number(leaf)]

    @property
    def outputs(self) -> tuple[Node, ...]:
        return tuple(to_node(self.leaves[k]) for k in self.numbers)

    def results(self, values: Sequence[Any]) -> Any:
        """The results with values in the place of the numbers."""
        leaves = list(self.leaves)
        for k, value in zip(self.numbers, values):
            leaves[k] = value
        return trees.unflatten(self.tree, leaves)


def is_number(leaf: Any) -> bool:
    return isinstance(leaf, (Array, Size, np.ndarray, np.generic, bool, int, float, complex))


def call(machine: Machine, given: Transformed, arguments: Sequence[Any], named: dict[str, Any]) -> Any:
    """The meaning of a call of a transformed function."""
    return MEANINGS[given.kind](machine, given, tuple(arguments), named)


def _trace(
    machine: Machine, given: Transformed, arguments: Sequence[Any], named: dict[str, Any], chosen: Sequence[Any]
) -> Part:
    """Captures the function with stand-ins for the chosen arguments, by position or name."""
    context = current()
    positional, keywords = list(arguments), dict(named)
    inputs: list[Node] = []
    actual: list[Node] = []
    argument_trees: list[Tree] = []
    with inside() as region:
        for place in chosen:
            value = positional[place] if isinstance(place, int) else keywords[place]
            leaves: list[tuple[str, Any]] = []
            tree = trees.flatten(value, str(place), leaves)
            whole = trees.unflatten(tree, [_stand_in(leaf, name, inputs, actual) for name, leaf in leaves])
            argument_trees.append(tree)
            machine.own_all(whole)
            if isinstance(place, int):
                positional[place] = whole
            else:
                keywords[place] = whole
        returned = machine.call(given.function, positional, keywords)
    if region.cells:
        raise NotEncodable(
            "a function that is differentiated", "it writes into an array from outside of it", context.line
        )
    auxiliary = None
    if given.options.get("has_aux"):
        returned, auxiliary = returned
    found: list[tuple[str, Any]] = []
    tree = trees.flatten(returned, "result", found)
    part = Part(tuple(inputs), tuple(actual), tuple(argument_trees), tree, [leaf for _, leaf in found], region.checks)
    part.auxiliary = auxiliary
    return part


def _stand_in(leaf: Any, name: str, inputs: list[Node], actual: list[Node]) -> Any:
    context = current()
    if isinstance(leaf, (bool, int, Size, np.integer, np.bool_)) or not isinstance(
        leaf, (float, complex, Array, np.ndarray, np.generic)
    ):
        kind = "an integer" if isinstance(leaf, (int, Size)) else f"a {type(leaf).__name__}"
        raise NotDifferentiable(
            f"the derivative with respect to argument {name}",
            f"it is {kind}; derivatives are with respect to floating or complex numbers",
            context.line,
        )
    node = to_node(leaf)
    if node.type.dtype.kind not in "fc":
        raise NotDifferentiable(
            f"the derivative with respect to argument {name}",
            f"its dtype is {node.type.dtype}; derivatives are with respect to floating or complex numbers",
            context.line,
        )
    place = ir.input(f"_x{context.tick()}", node.type)
    context.made[place] = context.tick()
    inputs.append(place)
    actual.append(node)
    kind = leaf.kind if isinstance(leaf, Array) else "array" if isinstance(leaf, np.ndarray) else "scalar"
    if type(leaf) in (float, complex):
        kind = "python"
    cell = Cell(place)
    cell.contiguous = not isinstance(leaf, Array) or leaf.contiguous
    return Array(cell, kind)


def _put_back(part: Part, nodes: Sequence[Node]) -> tuple[Node, ...]:
    """Nodes of the stand-ins as Nodes of the arguments, and the checks of the function among those of the capture."""
    context = current()
    known = dict(zip(part.inputs, part.actual))
    found = context.derivatives.replaced([*nodes, *part.checks], known)
    for check in found[len(nodes) :]:
        context.check(check)
    for node in ir.topological(found):
        if node not in context.made:
            context.made[node] = context.tick()
    return tuple(found[: len(nodes)])


def _strategy(given: Transformed, nodes: Sequence[Node]) -> Any:
    context = current()
    options = {name: given.options[name] for name in ("method", "memory") if name in given.options}
    strategy = context.derivatives.Strategy(
        **options, least=dict(context.least), hints=dict(context.hints), remarks=context.remarks
    )
    strategy.start_after(nodes)
    return strategy


def _argnums(given: Transformed) -> tuple[Sequence[Any], bool]:
    """The chosen arguments, and whether it is one that was not in a tuple."""
    chosen = given.options.get("argnums", 0)
    return (chosen, False) if isinstance(chosen, (tuple, list)) else ((chosen,), True)


def _chosen(
    given: Transformed, arguments: Sequence[Any], named: dict[str, Any]
) -> tuple[list[Any], dict[str, Any], list[Any]]:
    """The arguments with each chosen one at its position or under its name."""
    positional, keywords = list(arguments), dict(named)
    places: list[Any] = []
    for each in _argnums(given)[0]:
        place = each
        if isinstance(each, str):
            names = list(inspect.signature(given.function).parameters)
            place = names.index(each) if each in names and each not in keywords else each
        elif each < 0:
            place = each + len(positional)
        if isinstance(place, int) and not 0 <= place < len(positional):
            names = list(inspect.signature(given.function).parameters)
            if 0 <= place < len(names) and names[place] in keywords:
                place = names[place]
            else:
                raise TypeError(f"{given.__name__}: argument {each} is not among the {len(positional)} given")
        if isinstance(place, str) and place not in keywords:
            raise TypeError(f"{given.__name__}: no argument {place}")
        places.append(place)
    return positional, keywords, places


def _wrapped(part: Part, nodes: Sequence[Node], single: bool) -> Any:
    """Values for the leaves of the chosen arguments, as these are arranged."""
    values = [result(node) for node in nodes]
    found, at = [], 0
    for tree in part.argument_trees:
        count = _leaf_count(tree)
        found.append(trees.unflatten(tree, values[at : at + count]))
        at += count
    return found[0] if single else tuple(found)


def _leaf_count(tree: Tree) -> int:
    return 1 if tree.build is None else sum(map(_leaf_count, tree.children))


def _zeros(node: Node) -> Node:
    return ir.constant(0, node.type.dtype, node.type.shape)


def _filled(nodes: Sequence[Node | None], like: Sequence[Node]) -> list[Node]:
    return [_zeros(each) if node is None else node for node, each in zip(nodes, like)]


def _scalar(given: Transformed, part: Part) -> Node:
    if len(part.leaves) != 1 or part.tree.build is not None:
        raise NotDifferentiable(f"the gradient of {_name(given)}", "it returns several values", current().line)
    node = to_node(part.leaves[0])
    if node.type.dtype.kind not in "fc":
        raise NotDifferentiable(
            f"the gradient of {_name(given)}", f"its result's dtype is {node.type.dtype}", current().line
        )
    if node.type.dtype.kind == "c":
        raise NotDifferentiable(f"the gradient of {_name(given)}", "its result is complex", current().line)
    if node.type.rank:
        raise NotDifferentiable(
            f"the gradient of {_name(given)}", f"its result has the shape {node.type.shape}, not ()", current().line
        )
    return node


def _name(given: Transformed) -> str:
    return getattr(given.function, "__name__", "a function")


def _value_and_grad(machine: Machine, given: Transformed, arguments: Sequence[Any], named: dict[str, Any]) -> Any:
    positional, keywords, places = _chosen(given, arguments, named)
    part = _trace(machine, given, positional, keywords, places)
    engine = current().derivatives
    value = _scalar(given, part)
    auxiliary: list[tuple[str, Any]] = []
    tree = trees.flatten(part.auxiliary, "aux", auxiliary)
    kept = [to_node(leaf) if isinstance(leaf, Array) else None for _, leaf in auxiliary]
    strategy = _strategy(given, [value])
    one = ir.constant(1.0, value.type.dtype)
    found = _filled(engine.pullback([value], [one], part.inputs, strategy), part.inputs)
    traced = [node for node in kept if node is not None]
    value, *nodes = _put_back(part, engine.with_replacements([value, *found, *traced], strategy.replacements))
    gradient = _wrapped(part, nodes[: len(part.inputs)], _argnums(given)[1])
    if not given.options.get("has_aux"):
        return _like(part.leaves[0], value), gradient
    rest = iter(nodes[len(part.inputs) :])
    leaves = [_like(leaf, next(rest)) if isinstance(leaf, Array) else leaf for _, leaf in auxiliary]
    return (_like(part.leaves[0], value), trees.unflatten(tree, leaves)), gradient


def _like(leaf: Any, node: Node) -> Array:
    """A result of the kind that a leaf is."""
    kind = leaf.kind if isinstance(leaf, Array) else "array" if isinstance(leaf, np.ndarray) else "python"
    return Array(node, kind)


def _grad(machine: Machine, given: Transformed, arguments: Sequence[Any], named: dict[str, Any]) -> Any:
    value, gradient = _value_and_grad(machine, given, arguments, named)
    return (gradient, value[1]) if given.options.get("has_aux") else gradient


def _matching(machine: Machine, what: str, value: Any, trees_: Sequence[Tree], like: Sequence[Node]) -> list[Node]:
    """The leaves of tangents or cotangents, which must have the form, shapes and kinds of what they belong to."""
    leaves: list[tuple[str, Any]] = []
    given = trees.flatten(value, what, leaves)
    leaves = [each for each in leaves if is_number(each[1])]
    children = (
        given.children if len(trees_) != 1 or given.form in (tuple, list) and len(given.children) == 1 else (given,)
    )
    if len(leaves) != len(like) or len(children) != len(trees_):
        raise TypeError(f"the {what} have {len(leaves)} leaves where {len(like)} are needed")
    return [_fitting(name, leaf, node) for (name, leaf), node in zip(leaves, like)]


def _fitting(name: str, leaf: Any, node: Node, rows: int = 0) -> Node:
    """A tangent or cotangent of a Node, which must have its shape, after `rows` axes more."""
    found = cast(to_node(leaf), node.type.dtype)
    shape, wanted = found.type.shape[rows:], node.type.shape
    if len(shape) != len(wanted) or not all(current().same(a, b) for a, b in zip(shape, wanted)):
        raise TypeError(f"{name} has the shape {shape} where {wanted} is needed")
    return found


def _jvp(machine: Machine, given: Transformed, arguments: Sequence[Any], named: dict[str, Any]) -> Any:
    primals, tangents = arguments
    part = _trace(machine, given, tuple(primals), {}, range(len(primals)))
    engine = current().derivatives
    moved = _matching(machine, "tangents", tuple(tangents), part.argument_trees, part.inputs)
    outputs = part.outputs
    found = engine.pushforward(outputs, dict(zip(part.inputs, moved)))
    values = _put_back(part, [*outputs, *_filled(found, outputs)])
    plain = [_like(part.leaves[k], node) for k, node in zip(part.numbers, values)]
    return part.results(plain), part.results([result(node) for node in values[len(outputs) :]])


def _pullback(machine: Machine, given: Transformed, arguments: Sequence[Any], named: dict[str, Any]) -> Any:
    primals, cotangents = arguments
    part = _trace(machine, given, tuple(primals), {}, range(len(primals)))
    engine, outputs = current().derivatives, part.outputs
    moved = _matching(machine, "cotangents", (cotangents,), [part.tree], outputs)
    strategy = _strategy(given, outputs)
    found = _filled(engine.pullback(outputs, moved, part.inputs, strategy), part.inputs)
    return _wrapped(part, _put_back(part, engine.with_replacements(found, strategy.replacements)), False)


def _products(machine: Machine, given: Transformed, arguments: Sequence[Any], named: dict[str, Any]) -> Any:
    """The results' tangents for each row of the arguments' ones, or the other way round, of cotangents, in the mode reverse."""
    positional, keywords, places = _chosen(given, arguments[1:], named)
    part = _trace(machine, given, positional, keywords, places)
    engine, outputs, forward = current().derivatives, part.outputs, given.options["mode"] == "forward"
    leaves: list[Any] = []
    trees.flatten(arguments[0], "seeds", leaves)
    like = part.inputs if forward else outputs
    rows = [_fitting(name, leaf, node, rows=1) for (name, leaf), node in zip(leaves, like, strict=True)]
    stand_ins = [ir.input(f"_t{current().tick()}", node.type) for node in like]
    if forward:
        moved = _filled(engine.pushforward(outputs, dict(zip(part.inputs, stand_ins))), outputs)
    else:
        strategy = _strategy(given, outputs)
        found = _filled(engine.pullback(outputs, stand_ins, part.inputs, strategy), part.inputs)
        moved = engine.with_replacements(found, strategy.replacements)
    blocks = engine.mapped(moved, dict(zip(stand_ins, rows)), rows[0].type.shape[0], f"_v{current().tick()}")
    nodes = [fresh(node) for node in _put_back(part, blocks)]
    return part.results(nodes) if forward else tuple(nodes)


def _identity(node: Node) -> tuple[Node, Dim]:
    """Each unit vector of an array's elements, along a first axis, and their number."""
    count = node.type.size
    ones = ir.constant(1, node.type.dtype, (count,))
    matrix = ir.make("diagonal_matrix", ones, offset=0)
    return ir.make("reshape", matrix, shape=(count, *node.type.shape)), count


def _jacobian(machine: Machine, given: Transformed, arguments: Sequence[Any], named: dict[str, Any]) -> Any:
    positional, keywords, places = _chosen(given, arguments, named)
    part = _trace(machine, given, positional, keywords, places)
    context, engine, outputs = current(), current().derivatives, part.outputs
    sizes_of = [sum((node.type.size for node in nodes), 0) for nodes in (part.inputs, outputs)]
    mode = given.options.get("mode", "auto")
    if mode == "auto":
        mode = "forward" if context.value(sizes_of[0]) <= context.value(sizes_of[1]) else "reverse"
    blocks = _forward_blocks(part, engine) if mode == "forward" else _reverse_blocks(part, engine, given)
    nodes = _put_back(part, [block for row in blocks for block in row])
    rows = [nodes[k * len(part.inputs) : (k + 1) * len(part.inputs)] for k in range(len(outputs))]
    leaves = [_wrapped(part, row, _argnums(given)[1]) for row in rows]
    found = part.results(leaves)
    return (found, part.auxiliary) if given.options.get("has_aux") else found


def _forward_blocks(part: Part, engine: Any) -> list[list[Node]]:
    outputs = part.outputs
    columns = []
    for node in part.inputs:
        stand_in = ir.input(f"_t{current().tick()}", node.type)
        moved = _filled(engine.pushforward(outputs, {node: stand_in}), outputs)
        units, count = _identity(node)
        found = engine.mapped(moved, {stand_in: units}, count, f"_v{current().tick()}")
        columns.append([_first_last(block, node.type.shape) for block in found])
    return [list(row) for row in zip(*columns)]


def _first_last(block: Node, shape: tuple[Dim, ...]) -> Node:
    """The first axis as the last ones, of a shape."""
    rank = block.type.rank
    moved = ir.make("transpose", block, axes=(*range(1, rank), 0)) if rank > 1 else block
    return ir.make("reshape", moved, shape=(*block.type.shape[1:], *shape))


def _reverse_blocks(part: Part, engine: Any, given: Transformed) -> list[list[Node]]:
    rows = []
    for node in part.outputs:
        stand_in = ir.input(f"_t{current().tick()}", node.type)
        strategy = _strategy(given, [node])
        found = _filled(engine.pullback([node], [stand_in], part.inputs, strategy), part.inputs)
        units, count = _identity(node)
        blocks = engine.mapped(found, {stand_in: units}, count, f"_v{current().tick()}")
        rows.append([ir.make("reshape", each, shape=(*node.type.shape, *each.type.shape[1:])) for each in blocks])
    return rows


def _hessian(machine: Machine, given: Transformed, arguments: Sequence[Any], named: dict[str, Any]) -> Any:
    gradient = Transformed("grad", given.function, {**given.options, "has_aux": False})
    return _jacobian(machine, Transformed("jacobian", gradient, {**given.options, "mode": "forward"}), arguments, named)


MEANINGS: dict[str, Callable[..., Any]] = {
    "grad": _grad,
    "value_and_grad": _value_and_grad,
    "jvp": _jvp,
    "pullback": _pullback,
    "products": _products,
    "jacobian": _jacobian,
    "hessian": _hessian,
    "vmap": mapped,
}


def _made(kind: str) -> Callable[..., Any]:
    """What the function of that name in `egc.derivatives` gives in a function that is captured."""

    def meaning(function: Callable[..., Any], *positional: Any, **options: Any) -> Transformed:
        names = ("in_axes", "out_axes") if kind == "vmap" else ("argnums",)
        options.update(zip(names, positional))
        if options.pop("sparse", False):
            raise NotEncodable("a sparse derivative in a function that is captured", "it is no array", current().line)
        if "reverse" in options:
            options["method"] = options.pop("reverse")
        return Transformed(kind, function, options)

    return meaning


for _kind in ("grad", "value_and_grad", "jacobian", "hessian", "vmap"):
    implements_by_name(f"egc.derivatives.{_kind}", theme="derivatives")(_made(_kind))


@implements_by_name("egc.derivatives.jvp", theme="derivatives")
def jvp(function: Callable[..., Any], primals: Any, tangents: Any) -> Any:
    return current().interpret(Transformed("jvp", function), (primals, tangents))


@implements_by_name("egc.derivatives.hvp", theme="derivatives")
def hvp(function: Callable[..., Any], primals: Any, tangents: Any) -> Any:
    return jvp(Transformed("grad", function), primals, tangents)[1]


@implements_by_name("egc.derivatives.vjp", theme="derivatives")
def vjp(function: Callable[..., Any], *primals: Any) -> Any:
    value = current().interpret(function, primals)
    return value, Pull(Transformed("pullback", function), primals)


@dataclass(frozen=True)
class Pull:
    """The second result of `vjp`."""

    function: Transformed
    primals: tuple[Any, ...]
