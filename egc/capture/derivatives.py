"""Transformed functions: the function is captured with stand-ins for its arguments, its results are differentiated, and the
arguments take the stand-ins' places."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from egc import ir
from egc.capture import arguments as trees
from egc.capture.arguments import Tree
from egc.capture.array import Array, Cell, fresh, kind_of_value, result, to_node
from egc.capture.build import zeros_like
from egc.capture.bytecode import Closure
from egc.capture.context import current
from egc.capture.flow.region import inside
from egc.capture.forms import fitting, matching, text
from egc.capture.mapped import is_number, mapped
from egc.capture.registry import implements_by_name
from egc.errors import NotDifferentiable, NotEncodable
from egc.ir import Node
from egc.sizes import Dim, Size
from egc.transformed import Transformed, loop_options

Machine = Any


@dataclass
class Part:
    """A function's results in terms of stand-ins for some of the leaves of its arguments.

    inputs: the stand-ins; actual: what they stand for. argument_leaves: the leaves of each of the chosen arguments. tree,
    leaves: the results; outputs: those that are numbers, as Nodes.
    """

    inputs: tuple[Node, ...]
    actual: tuple[Node, ...]
    argument_trees: tuple[Tree, ...]
    argument_leaves: tuple[Sequence[Any], ...]
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
    argument_leaves: list[Sequence[Any]] = []
    names = _parameters(given)
    with inside() as region:
        for place in chosen:
            value = positional[place] if isinstance(place, int) else keywords[place]
            name = names[place] if isinstance(place, int) and place < len(names) else str(place)
            leaves: list[tuple[str, Any]] = []
            tree = trees.flatten(value, name, leaves)
            parts = [leaf if leaf is None else _stand_in(leaf, name, inputs, actual) for name, leaf in leaves]
            whole = trees.unflatten(tree, parts)
            argument_trees.append(tree)
            argument_leaves.append([leaf for _, leaf in leaves])
            machine.own_all(whole)
            if isinstance(place, int):
                positional[place] = whole
            else:
                keywords[place] = whole
        returned = machine.call(given.function, positional, keywords)
    if region.writes:
        raise NotEncodable(
            "a function that is differentiated", "it writes into an array from outside of it", context.line
        )
    auxiliary = None
    if given.options.get("has_aux"):
        if not isinstance(returned, tuple) or len(returned) != 2:
            raise TypeError(f"has_aux: {_name(given)} does not return two results, the value and what is beside it")
        returned, auxiliary = returned
    found: list[tuple[str, Any]] = []
    tree = trees.flatten(returned, "result", found)
    leaves = [leaf for _, leaf in found]
    return Part(
        tuple(inputs), tuple(actual), tuple(argument_trees), tuple(argument_leaves), tree, leaves, region.checks, auxiliary
    )  # fmt: skip


def _parameters(given: Transformed) -> list[str]:
    """The names of the parameters that may be given by position."""
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    parameters = inspect.signature(given.function).parameters.values()
    return [each.name for each in parameters if each.kind in kinds]


def _stand_in(leaf: Any, name: str, inputs: list[Node], actual: list[Node]) -> Any:
    context = current()
    if isinstance(leaf, (bool, int, Size, np.integer, np.bool_)) or not isinstance(
        leaf, (float, complex, Array, np.ndarray, np.generic)
    ):
        kind = "an integer" if type(leaf) in (int, Size) else f"of type {type(leaf).__name__}"
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
    place = context.stand_in("_x", node.type)
    inputs.append(place)
    actual.append(node)
    cell = Cell(place)
    cell.contiguous = not isinstance(leaf, Array) or leaf.contiguous
    return Array(cell, kind_of_value(leaf))


def _put_back(part: Part, nodes: Sequence[Node]) -> tuple[Node, ...]:
    """Nodes of the stand-ins as Nodes of the arguments, and the checks of the function among those of the capture."""
    context = current()
    known = dict(zip(part.inputs, part.actual))
    found = context.derivatives.replaced([*nodes, *part.checks], known)
    for check in found[len(nodes) :]:
        context.check(check)
    context.note_made(found)
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
            names = _parameters(given)
            place = names.index(each) if each in names and each not in keywords else each
        elif each < 0:
            place = each + len(positional)
        if isinstance(place, int) and not 0 <= place < len(positional):
            names = _parameters(given)
            if 0 <= place < len(names) and names[place] in keywords:
                place = names[place]
            else:
                raise TypeError(f"{given.__name__}: argument {each} is not among the {len(positional)} given")
        if isinstance(place, str) and place not in keywords:
            raise TypeError(f"{given.__name__}: no argument {place}")
        if place in places:
            raise TypeError(f"{given.__name__}: argument {each} is chosen twice")
        places.append(place)
    return positional, keywords, places


def _wrapped(part: Part, nodes: Sequence[Node], single: bool) -> Any:
    """Values for the leaves of the chosen arguments, as these are arranged."""
    values = iter([result(node) for node in nodes])
    found = [
        trees.unflatten(tree, [leaf if leaf is None else next(values) for leaf in leaves])
        for tree, leaves in zip(part.argument_trees, part.argument_leaves)
    ]
    return found[0] if single else tuple(found)


def _filled(nodes: Sequence[Node | None], like: Sequence[Node]) -> list[Node]:
    return [zeros_like(each) if node is None else node for node, each in zip(nodes, like)]


def _scalar(given: Transformed, part: Part) -> Node:
    if len(part.leaves) != 1 or part.tree.build is not None:
        raise NotDifferentiable(f"the gradient of {_name(given)}", "it returns several values", current().line)
    if not is_number(part.leaves[0]):
        raise NotDifferentiable(
            f"the gradient of {_name(given)}", f"it returns a {type(part.leaves[0]).__name__}", current().line
        )
    node = to_node(part.leaves[0])
    if node.type.dtype.kind not in "fc":
        raise NotDifferentiable(
            f"the gradient of {_name(given)}", f"its result's dtype is {node.type.dtype}", current().line
        )
    if (node.type.dtype.kind == "c") != bool(given.options.get("holomorphic")):
        kind = "complex" if node.type.dtype.kind == "c" else "real, and holomorphic=True is for complex ones"
        raise NotDifferentiable(f"the gradient of {_name(given)}", f"its result is {kind}", current().line)
    if node.type.rank:
        raise NotDifferentiable(
            f"the gradient of {_name(given)}",
            f"its result has the shape {text(node.type.shape)}, not ()",
            current().line,
        )
    return node


def _name(given: Transformed) -> str:
    return getattr(given.function, "__name__", "a function")


def _value_and_grad(machine: Machine, given: Transformed, arguments: Sequence[Any], named: dict[str, Any]) -> Any:
    positional, keywords, places = _chosen(given, arguments, named)
    part = _trace(machine, given, positional, keywords, places)
    engine = current().derivatives
    value = _scalar(given, part)
    strategy = _strategy(given, [value])
    one = ir.constant(1.0, value.type.dtype)
    found = _filled(engine.pullback([value], [one], part.inputs, strategy), part.inputs)
    kept, auxiliary = _beside(part)
    value, *nodes = _put_back(part, engine.with_replacements([value, *found, *kept], strategy.replacements))
    gradient = _wrapped(part, nodes[: len(part.inputs)], _argnums(given)[1])
    shown = _like(part.leaves[0], value)
    return (shown, auxiliary(nodes[len(part.inputs) :])) if given.options.get("has_aux") else shown, gradient


def _beside(part: Part) -> tuple[list[Node], Callable[[Sequence[Node]], Any]]:
    """The Nodes of the auxiliary results, and what puts others in their places."""
    found: list[tuple[str, Any]] = []
    tree = trees.flatten(part.auxiliary, "aux", found)
    leaves = [leaf for _, leaf in found]
    places = [k for k, leaf in enumerate(leaves) if isinstance(leaf, Array)]

    def with_nodes(nodes: Sequence[Node]) -> Any:
        new = list(leaves)
        for k, node in zip(places, nodes):
            new[k] = _like(leaves[k], node)
        return trees.unflatten(tree, new)

    return [to_node(leaves[k]) for k in places], with_nodes


def _like(leaf: Any, node: Node) -> Array:
    """A result of the kind that a leaf is."""
    return Array(node, kind_of_value(leaf))


def _grad(machine: Machine, given: Transformed, arguments: Sequence[Any], named: dict[str, Any]) -> Any:
    value, gradient = _value_and_grad(machine, given, arguments, named)
    return (gradient, value[1]) if given.options.get("has_aux") else gradient


def _jvp(machine: Machine, given: Transformed, arguments: Sequence[Any], named: dict[str, Any]) -> Any:
    primals, tangents = arguments
    part = _trace(machine, given, tuple(primals), {}, range(len(primals)))
    engine = current().derivatives
    moved = matching("tangents", tuple(tangents), tuple(primals), part.inputs)
    outputs = part.outputs
    found = engine.pushforward(outputs, dict(zip(part.inputs, moved)))
    values = _put_back(part, [*outputs, *_filled(found, outputs)])
    plain = [_like(part.leaves[k], node) for k, node in zip(part.numbers, values)]
    return part.results(plain), part.results([result(node) for node in values[len(outputs) :]])


def _pullback(machine: Machine, given: Transformed, arguments: Sequence[Any], named: dict[str, Any]) -> Any:
    primals, cotangents = arguments
    part = _trace(machine, given, tuple(primals), {}, range(len(primals)))
    engine, outputs = current().derivatives, part.outputs
    moved = matching("cotangents", cotangents, part.results([0] * len(outputs)), outputs)
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
    rows = [fitting(name, leaf, node, rows=1) for (name, leaf), node in zip(leaves, like, strict=True)]
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
    few = "forward" if context.value(sizes_of[0]) <= context.value(sizes_of[1]) else "reverse"
    mode = _mode(given, part, few)
    kept, auxiliary = _beside(part)
    blocks = _forward_blocks(part, engine) if mode == "forward" else _reverse_blocks(part, engine, given)
    nodes = _put_back(part, [*(block for row in blocks for block in row), *kept])
    rows = [nodes[k * len(part.inputs) : (k + 1) * len(part.inputs)] for k in range(len(outputs))]
    leaves = [_wrapped(part, row, _argnums(given)[1]) for row in rows]
    found = part.results(leaves)
    return (found, auxiliary(nodes[len(outputs) * len(part.inputs) :])) if given.options.get("has_aux") else found


def _mode(given: Transformed, part: Part, few: str) -> str:
    """Forward or reverse: as asked, else that with few products, among those that give the derivative. Along the real axis alone a
    tangent tells it of a real argument, or of a holomorphic function; and so does a cotangent of a real result."""
    complex_in, complex_out = (
        any(node.type.dtype.kind == "c" for node in nodes) for nodes in (part.inputs, part.outputs)
    )
    holomorphic = bool(given.options.get("holomorphic"))
    right = [mode for mode, wrong in (("forward", complex_in), ("reverse", complex_out)) if holomorphic or not wrong]
    asked = given.options.get("mode", "auto")
    mode = asked if asked != "auto" else few if few in right else right[0] if right else few
    if mode not in right:
        kind = "arguments" if mode == "forward" else "results"
        why = f"in {mode} mode its {kind} must be real, unless holomorphic=True says that the function is holomorphic"
        raise NotDifferentiable(f"the Jacobian of {_name(given)}", why, current().line)
    return mode


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


def _transformed(kind: str, function: Any, options: Mapping[str, Any] | None = None) -> Transformed:
    """A transformed function, of one that may have been defined in the function being captured."""
    return Transformed(kind, function.function() if isinstance(function, Closure) else function, options)


def _with_loops(options: Mapping[str, Any]) -> dict[str, Any]:
    """Options of a derivative, with how loops run backward as the transformation names it."""
    loops = {name: each for name, each in options.items() if name in ("reverse", "memory")}
    others = {name: each for name, each in options.items() if name not in loops}
    return {**others, **loop_options(**loops)} if loops else others


def _made(kind: str) -> Callable[..., Any]:
    """What the function of that name in `egc.derivatives` gives in a function that is captured."""

    def meaning(function: Callable[..., Any], *positional: Any, **options: Any) -> Transformed:
        if kind == "vmap":
            options = {"in_axes": 0, "out_axes": 0, **options}
        names = ("in_axes", "out_axes") if kind == "vmap" else ("argnums",)
        options.update(zip(names, positional))
        if options.pop("sparse", False):
            raise NotEncodable("a sparse derivative in a function that is captured", "it is no array", current().line)
        return _transformed(kind, function, _with_loops(options))

    return meaning


for _kind in ("grad", "value_and_grad", "jacobian", "hessian", "vmap"):
    implements_by_name(f"egc.derivatives.{_kind}", theme="derivatives")(_made(_kind))


@implements_by_name("egc.derivatives.jvp", theme="derivatives")
def jvp(function: Callable[..., Any], primals: Any, tangents: Any) -> Any:
    return current().interpret(_transformed("jvp", function), (primals, tangents))


@implements_by_name("egc.derivatives.hvp", theme="derivatives")
def hvp(function: Callable[..., Any], primals: Any, tangents: Any, **options: Any) -> Any:
    return jvp(_transformed("grad", function, loop_options(**options)), primals, tangents)[1]


@implements_by_name("egc.derivatives.vjp", theme="derivatives")
def vjp(function: Callable[..., Any], *primals: Any, **options: Any) -> Any:
    value = current().interpret(function, _snapshot(primals))
    return value, Pull(_transformed("pullback", function, loop_options(**options)), _snapshot(primals))


def _snapshot(primals: tuple[Any, ...]) -> tuple[Any, ...]:
    """Arguments with arrays of their own, so that writes elsewhere do not count."""
    leaves: list[tuple[str, Any]] = []
    tree = trees.flatten(primals, "", leaves)
    new = [Array(leaf.node, leaf.kind) if isinstance(leaf, Array) else leaf for _, leaf in leaves]
    found: tuple[Any, ...] = trees.unflatten(tree, new)
    return found


@dataclass(frozen=True)
class Pull:
    """The second result of `vjp`."""

    function: Transformed
    primals: tuple[Any, ...]
