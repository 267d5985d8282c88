"""Captures a whole function: arguments in, Program out, with what must hold for the Program to be used again."""

from __future__ import annotations

import inspect
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from egc import ir, sizes
from egc.capture import arguments as trees
from egc.capture import indexing as indexing
from egc.capture import scopes as scopes
from egc.capture import selections as selections
from egc.capture import surface as surface
from egc.capture.arguments import Leaf, Tree
from egc.capture.array import Array, Cell, to_node
from egc.capture.context import Choose, Context, Restart, ValueGuard, active, equated
from egc.capture.interpreter import Interpreter
from egc.capture.stretches import Stretch
from egc.capture.unread import failing
from egc.errors import NotEncodable, ProgramError
from egc.ir import Node, Program
from egc.layouts import layout_of
from egc.sizes import Dim, Size, SizeGuard
from egc.types import SHORT

RESTARTS = 64
"""Times that a capture may begin again, besides once for each axis of the arguments."""

LEAST_SYMBOLIC = 2
"""Axes that are shorter broadcast, or have no extreme: they are captured on their own."""


@dataclass(frozen=True)
class Result:
    """One leaf of what the function returns.

    kind: `array`, `scalar` or `python` (output number `output` of the Program), `view` (of an argument: `value` is the
    Node that reads it, and no output), `part` (the same of output number `output`, which other results show too), `argument` (the
    caller's own object, leaf number `output`), `stretch` (a slice of output number `output`; `value` are the numbers of the
    outputs that say where it starts, its step, and how many elements it has), `size` (an integer that follows from sizes)
    or `fixed` (`value` itself).
    """

    kind: str
    output: int = -1
    value: Any = None


@dataclass(frozen=True)
class Captured:
    """A function captured for one kind of arguments.

    program: its inputs are the leaves `leaf_inputs` (positions among the flattened arguments), then `constants`.
    writes: (leaf, output) pairs: arguments that the function changes, and their new contents.
    checks: outputs that are bool scalars; when one is true, the function must run as written instead.
    size_guards, value_guards: what must hold of the sizes and of outer values.
    remarks: how loops are run backward, where derivatives need it.
    """

    program: Program
    leaves: tuple[Leaf, ...]
    leaf_inputs: tuple[int, ...]
    constants: Mapping[str, np.ndarray]
    result_tree: Tree
    results: tuple[Result, ...]
    writes: tuple[tuple[int, int], ...]
    checks: tuple[int, ...]
    size_guards: tuple[SizeGuard, ...]
    value_guards: tuple[ValueGuard, ...]
    shapes: Mapping[int, tuple[Dim, ...]] = field(default_factory=dict)
    remarks: tuple[Any, ...] = ()

    def layouts(self) -> dict[str, str]:
        """The order in memory of the arrays that are inputs, where it is not C's: see `layout_of`."""
        found = {}
        for leaf in self.leaf_inputs:
            if self.leaves[leaf].kind == trees.ARRAY and (layout := layout_of(self.leaves[leaf].value)) != "C":
                found[self.leaves[leaf].name] = layout
        return found

    def hints(self) -> dict[str, int]:
        """The sizes that capture saw."""
        return self.program.bind([*(self.leaves[i].value for i in self.leaf_inputs), *self.constants.values()])


def bind_arguments(function: Callable[..., Any], positional: Sequence[Any], named: Mapping[str, Any]) -> dict[str, Any]:
    """The given arguments by parameter name, without defaults."""
    return dict(inspect.signature(function).bind(*positional, **named).arguments)


def flatten_arguments(given: Mapping[str, Any]) -> tuple[dict[str, Tree], list[tuple[str, Any]]]:
    """The trees of the arguments and their leaves with distinct names."""
    leaves: list[tuple[str, Any]] = []
    forest = {name: trees.flatten(value, name, leaves) for name, value in given.items()}
    names = trees.unique_names([name for name, _ in leaves])
    return forest, [(name, value) for name, (_, value) in zip(names, leaves)]


def capture(
    function: Callable[..., Any],
    positional: Sequence[Any],
    named: Mapping[str, Any] | None = None,
    assume: Mapping[str, Sequence[str]] | None = None,
    fixed: frozenset[str] = frozenset(),
    derivatives: Any = None,
) -> Captured:
    """The Program of `function` for arguments like these.

    assume: facts about arguments by name. fixed: names of leaves to treat as constants. derivatives: the package of that name,
    by which functions that are transformed are made.
    Raises NotEncodable for what egc cannot express, and the function's own errors for bad arguments.
    """
    forest, named_leaves = flatten_arguments(bind_arguments(function, positional, named or {}))
    leaves = tuple(Leaf(n, trees.FIXED if n in fixed else trees.kind_of(v), v) for n, v in named_leaves)
    for leaf in leaves:
        if isinstance(leaf.value, np.ndarray) and leaf.kind == trees.FIXED and leaf.name not in fixed:
            why = f"its dtype is {leaf.value.dtype}; egc has {', '.join(SHORT.values())}"
            if type(leaf.value) is not np.ndarray:
                why = f"it is a {type(leaf.value).__name__}, whose functions may be others than an array's"
            raise NotEncodable(f"the argument {leaf.name}", why)
    substitution: dict[str, Dim] = {}
    ways: dict[Any, str] = {}
    attempts = RESTARTS + sum(np.ndim(leaf.value) for leaf in leaves)
    for _ in range(attempts):
        try:
            return _attempt(function, forest, leaves, substitution, assume or {}, ways, derivatives)
        except Choose as choice:
            ways[choice.loop] = choice.way
        except Restart as restart:
            substitution = equated(substitution, restart.equal)
    raise NotEncodable("the relations between sizes", f"not settled after {attempts} attempts")


def _shape(leaf: Leaf, substitution: Mapping[str, Dim], hints: dict[str, int]) -> tuple[Dim, ...]:
    """An argument's shape: one symbol per axis, but axes of length 0 and 1 have that length."""
    shape: list[Dim] = []
    for axis, length in enumerate(np.shape(leaf.value)):
        name = f"{leaf.name}_{axis}"
        hints[name] = length
        shape.append(length if length < LEAST_SYMBOLIC else substitution.get(name, sizes.symbol(name)))
    return tuple(shape)


def _attempt(
    function: Callable[..., Any],
    forest: Mapping[str, Tree],
    leaves: Sequence[Leaf],
    substitution: Mapping[str, Dim],
    assumed: Mapping[str, Sequence[str]],
    ways: Mapping[Any, str],
    derivatives: Any,
) -> Captured:
    hints: dict[str, int] = {leaf.name: leaf.value for leaf in leaves if leaf.kind == trees.INTEGER}
    values: list[Any] = []
    inputs: list[Node] = []
    owners: dict[Node, int] = {}
    shapes: dict[int, tuple[Dim, ...]] = {}
    context = Context(hints, ways=ways, derivatives=derivatives)
    with active(context), guards_of(context):
        for position, leaf in enumerate(leaves):
            shapes[position] = _shape(leaf, substitution, hints) if leaf.kind == trees.ARRAY else ()
            context.least.update({str(d): LEAST_SYMBOLIC for d in shapes[position] if str(d).isidentifier()})
            value, node = trees.traced(leaf, shapes[position])
            if leaf.kind == trees.INTEGER and leaf.name in substitution:
                value = substitution[leaf.name]
            if node is not None:
                inputs.append(node)
                owners[node] = position
            values.append(value)
        machine = Interpreter()
        context.interpret = machine.call
        given = {name: trees.unflatten(tree, values) for name, tree in forest.items()}
        given = {name: _assumed(value, assumed.get(name, ())) for name, value in given.items()}
        unknown = set(assumed) - set(inspect.signature(function).parameters)
        if unknown:
            raise ProgramError(
                f"assume names {', '.join(sorted(unknown))}, which is no parameter of {function.__name__}"
            )
        returned = _call(machine, function, given)
        context.begin_again()
        return _finish(function, context, leaves, inputs, owners, shapes, values, returned, substitution)


@contextmanager
def guards_of(context: Context) -> Iterator[None]:
    """Adds to a NotEncodable what it depended on, so that other arguments are tried anew."""
    try:
        yield
    except NotEncodable as error:
        error.size_guards = tuple(context.size_guards)
        error.value_guards = tuple(context.value_guards.values())
        raise


def _assumed(value: Any, facts: Sequence[str] | str) -> Any:
    facts = (facts,) if isinstance(facts, str) else tuple(facts)
    if not facts:
        return value
    if not isinstance(value, Array):
        raise ProgramError("facts can be assumed of array arguments only")
    value.cell.node = scopes.assume(value, *facts).node
    return value


def _call(machine: Interpreter, function: Callable[..., Any], given: Mapping[str, Any]) -> Any:
    bound = inspect.BoundArguments(inspect.signature(function), given)  # type: ignore[arg-type]
    return machine.call(function, bound.args, bound.kwargs)


def _finish(
    function: Callable[..., Any],
    context: Context,
    leaves: Sequence[Leaf],
    inputs: Sequence[Node],
    owners: Mapping[Node, int],
    shapes: Mapping[int, tuple[Dim, ...]],
    values: Sequence[Any],
    returned: Any,
    substitution: Mapping[str, Dim],
) -> Captured:
    found: list[tuple[str, Any]] = []
    tree = trees.flatten(returned, "result", found)
    outputs: list[Node] = []
    seen: dict[int, int] = {}
    shown = [value.view.array if isinstance(value, Stretch) and value.view else value for _, value in found]
    own = [value.cell for value in shown if _owns_memory(value)]
    if any(rival in own for cell in own for rival in cell.rivals):
        raise NotEncodable(
            "results that may share memory", "whether a reshaped array is a view depends on its layout", context.line
        )
    for cell in own:
        _settle_aliases(context, cell)
    uses = Counter(map(id, own))
    results = tuple(_result(value, owners, outputs, seen, uses) for _, value in found)
    writes: list[tuple[int, int]] = []
    for position, value in enumerate(values):
        if isinstance(value, Array) and value.cell.written and value.kind == "array":
            writes.append((position, _output(value.cell.node, outputs)))
    for node in failing(context.touched, [*outputs, *context.checks]):
        context.check(node)
    checks = tuple(_output(node, outputs) for node in context.checks)
    constants = [context.constant_nodes[id(value)] for value in context.constants.values()]
    size_names = frozenset(leaf.name for leaf in leaves if leaf.kind == trees.INTEGER)
    name = getattr(function, "__name__", "")
    name = name if name.isidentifier() else "function"
    program = Program((*inputs, *constants), tuple(outputs), name, size_names)
    for name, dim in substitution.items():
        difference = sizes.symbol(name) - dim
        if isinstance(difference, Size):
            context.size_guards.setdefault(SizeGuard(difference, "=="))
    return Captured(
        program, tuple(leaves), tuple(owners[node] for node in inputs), dict(context.constants), tree, results,
        tuple(writes), checks, tuple(context.size_guards), tuple(context.value_guards.values()), dict(shapes),
        tuple(dict.fromkeys(context.remarks)),
    )  # fmt: skip


def _settle_aliases(context: Context, cell: Cell) -> None:
    """A result that is an argument in some cases only: then the function runs as written."""
    for other, condition in cell.aliases.items():
        if other.argument is None and other.origin is None:
            continue
        if condition is None:
            raise NotEncodable("a result that may be an argument", "data decides whether it is", context.line)
        context.check(condition)


def _output(node: Node, outputs: list[Node]) -> int:
    outputs.append(node)
    return len(outputs) - 1


def _owns_memory(value: Any) -> bool:
    """Whether it is an array that looks into memory which the function itself made."""
    cell = value.cell if isinstance(value, Array) and value.kind == "array" else None
    return cell is not None and cell.argument is None and cell.origin is None


def _stretch(value: Stretch, outputs: list[Node], uses: Mapping[int, int]) -> Result:
    """A part of an array that the function made, from a place that depends on data on."""
    view = value.current().view
    if view is None or not _owns_memory(view.array) or view.array.path or uses[id(view.array.cell)] > 1:
        raise NotEncodable("a slice with bounds that depend on data as the result", "its shape depends on data")
    numbers = tuple(_output(node, outputs) for node in (view.start, view.step, value.count))
    return Result("stretch", _output(view.shown, outputs), numbers)


def _result(
    value: Any, owners: Mapping[Node, int], outputs: list[Node], seen: dict[int, int], uses: Mapping[int, int]
) -> Result:
    if isinstance(value, Size):
        return Result("size", value=value)
    if isinstance(value, Stretch):
        return _stretch(value, outputs, uses)
    if isinstance(value, selections.Selection):
        raise NotEncodable("a selection by a mask as the result", "its shape depends on data")
    if not isinstance(value, Array):
        if type(value) is np.ndarray:
            raise NotEncodable("an outer array as the result", "it is returned as it is")
        return Result("fixed", value=value)
    if value.cell.argument is not None and not value.path and value.kind == "array":
        return Result("argument", owners[value.cell.argument])
    if not value.writeable and not value.path and value.cell.node.op == "input" and value.kind == "array":
        return Result("outer", value=value.cell.node.params["name"])
    if _owns_memory(value) and uses[id(value.cell)] > 1:
        key = id(value.cell)
        if key not in seen:
            seen[key] = _output(value.cell.node, outputs)
        if not value.path:
            return Result("array", seen[key])
        shown = ir.input(f"output {seen[key]}", value.cell.node.type)
        for step in value.path:
            shown = step.read(shown)
        return Result("part", seen[key], shown)
    part = value.part() if value.kind == "array" else None
    if part is not None:
        return Result("view", value=part)
    key = id(value)
    if key not in seen:
        seen[key] = _output(to_node(value), outputs)
    return Result(value.kind, seen[key])
