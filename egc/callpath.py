"""The shortest way from a call to machine code: a callable of the backend's own for arguments of one kind.

Here it is said what such arguments are, and what makes the function's result from the Program's outputs. Where something does
not fit, or fails, the call takes the long way.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any

import numpy as np

from egc import sizes
from egc.backend import Argument, Compiled, DirectCall
from egc.capture import Captured, Result
from egc.capture.arguments import ARRAY, COMPLEX, FIXED, FLOAT, INTEGER, SCALAR, Tree
from egc.capture.context import ValueGuard
from egc.capture.function import LEAST_SYMBOLIC
from egc.ir import Node, dims_of, topological
from egc.sizes import Dim, Size, SizeGuard

KINDS = {ARRAY: "array", SCALAR: "number", FLOAT: "number", COMPLEX: "number", INTEGER: "integer", FIXED: "fixed"}


def entry_guards(captured: Captured) -> tuple[SizeGuard, ...]:
    """All that capture took for granted of the sizes: its guards, and that symbolic axes are not of length 0 or 1."""
    axes = {
        dim
        for node in captured.program.inputs
        for dim in node.type.shape
        if isinstance(dim, Size) and str(dim).isidentifier()
    }
    least = [SizeGuard(size, ">=") for dim in sorted(axes, key=str) if isinstance(size := dim - LEAST_SYMBOLIC, Size)]
    return (*(guard for guard in _guards(captured) if _bound(captured, guard)), *least)


def _guards(captured: Captured) -> list[SizeGuard]:
    """The guards in the symbols of the Program, without those that its types state."""
    axes: dict[str, Dim] = {}
    for leaf, node in zip(captured.leaf_inputs, captured.program.inputs):
        axes.update({f"{captured.leaves[leaf].name}_{k}": dim for k, dim in enumerate(node.type.shape)})
    found = []
    for guard in captured.size_guards:
        size = sizes.substitute(guard.size, axes)
        if isinstance(size, Size):
            found.append(SizeGuard(size, guard.relation))
        elif not sizes.relates(size, guard.relation):
            found.append(guard)
    return found


def unbound_guards(captured: Captured) -> list[SizeGuard]:
    """The guards that speak of sizes which the Program's own inputs do not tell."""
    return [guard for guard in _guards(captured) if not _bound(captured, guard)]


def _bound(captured: Captured, guard: SizeGuard) -> bool:
    """Whether the Program's own inputs tell what a guard speaks of."""
    known = {symbol for node in captured.program.inputs for dim in node.type.shape for symbol in sizes.symbols(dim)}
    return set(sizes.symbols(guard.size)) <= known | set(captured.program.size_inputs)


def stores_of(captured: Captured) -> dict[int, str]:
    """The outputs, by number, that only become the elements of arguments, with the inputs that these are; an array without axes
    goes to code as its number."""
    inputs = dict(zip(captured.leaf_inputs, captured.program.inputs))
    used = [result.output for result in captured.results if result.kind in OUTPUT_KINDS]
    used += [output for _, output in captured.writes]
    types = [node.type for node in captured.program.outputs]
    return {
        output: inputs[leaf].params["name"]
        for leaf, output in captured.writes
        if used.count(output) == 1
        and captured.leaf_inputs.count(leaf) == 1
        and inputs[leaf].type == types[output]
        and types[output].rank
    }


def direct_call(
    captured: Captured,
    compiled: Compiled,
    values: Sequence[Any],
    parameters: Sequence[str],
    windows: Sequence[range | None],
    slow: Callable[..., Any],
) -> Callable[..., Any] | None:
    """The callable for calls like this one, or None where the call needs more steps.

    values: arguments like those of calls, which are leaves. parameters: the names of the function's first parameters, empty
    for one that has none in calls. windows: for each value the numbers of elements that it may have. slow: the long way.
    """
    names = [sys.intern(name) if name else None for name in parameters[: len(values)]]
    kinds = _result_kinds(captured)
    if compiled.direct is None or unbound_guards(captured) or len(names) < len(values) or kinds is None:
        return None
    written = {leaf for leaf, _ in captured.writes}
    arguments = [
        Argument(KINDS[leaf.kind], value, window, number in written)
        for number, (leaf, value, window) in enumerate(zip(captured.leaves, values, windows))
    ]
    finish = _finish(captured, compiled.stored)
    if finish is None:
        return None
    call = DirectCall(
        tuple(names), tuple(arguments), captured.leaf_inputs, tuple(captured.constants.values()),
        tuple(map(_guard, captured.value_guards)), kinds, None if finish is as_found else finish, slow,
    )  # fmt: skip
    return compiled.direct(call)


def _guard(guard: ValueGuard) -> tuple[Any, Any, Any]:
    if type(guard.namespace) is dict:
        return guard.namespace, guard.name, guard.value
    return None, guard.read, guard.value


OUTPUT_KINDS = ("array", "scalar", "python", "part", "stretch")
"""Kinds of results that are outputs, or parts of them."""

PYTHON = frozenset(["float64", "int64", "bool", "complex128"])
"""The dtypes of Python's numbers."""


def _result_kinds(captured: Captured) -> tuple[str, ...] | None:
    """What the callable makes of each output; None where one is wanted in two ways."""
    outputs = captured.program.outputs
    kinds: dict[int, str] = {}
    for result in captured.results:
        if result.kind in ("array", "scalar", "python"):
            kind = "array" if outputs[result.output].type.rank else result.kind
            if kinds.setdefault(result.output, kind) != kind:
                return None
        elif result.kind == "stretch":
            kinds.update(dict.fromkeys(result.value, "python"))
    for position, node in enumerate(outputs):
        if kinds.get(position) == "python" and node.type.dtype.name not in PYTHON:
            return None
    return tuple(kinds.get(position, "array") for position in range(len(outputs)))


def as_found(found: Any, *arguments: Any) -> Any:
    """The result is what the callable makes: the one output, or the tuple of all."""
    return found


def _finish(captured: Captured, stored: Collection[int]) -> Callable[..., Any] | None:
    """The function that makes the result of outputs and arguments, and writes to arguments what code has not stored there;
    NotImplemented where the function must run as written. None where that takes more than this."""
    names: dict[str, Any] = {}
    count = len(captured.program.outputs)
    outputs = ["_found"] if count == 1 else [f"_found[{k}]" for k in range(count)]
    arguments = [f"_x{k}" for k in range(len(captured.leaves))]
    result = _tree_text(captured, captured.result_tree, outputs, arguments, names)
    every = outputs[0] if count == 1 else f"({''.join(f'{text}, ' for text in outputs)})"
    if result == every and not captured.checks and not captured.writes:
        return as_found
    if result is None:
        return None
    lines = [f"def finish(_found, {', '.join(arguments)}):"]
    refused = [outputs[check] for check in captured.checks]
    if refused:
        lines += [f"    if {' or '.join(refused)}:", "        return NotImplemented"]
    lines += [
        f"    {arguments[leaf]}[...] = {outputs[output]}" for leaf, output in captured.writes if output not in stored
    ]
    exec("\n".join([*lines, f"    return {result}"]), names)
    return names["finish"]


def _tree_text(
    captured: Captured, part: Tree, outputs: Sequence[str], arguments: Sequence[str], names: dict[str, Any]
) -> str | None:
    """The expression of a result."""
    if part.build is None:
        return _leaf_text(captured, captured.results[part.position], outputs, arguments, names)
    texts = [_tree_text(captured, child, outputs, arguments, names) for child in part.children]
    if None in texts:
        return None
    children = "".join(f"{text}, " for text in texts)
    if part.build is tuple:
        return f"({children})"
    if part.build is list:
        return f"[{children}]"
    build = f"_b{len(names)}"
    names[build] = part.build
    return f"{build}(({children}))"


def _leaf_text(
    captured: Captured, result: Result, outputs: Sequence[str], arguments: Sequence[str], names: dict[str, Any]
) -> str | None:
    match result.kind:
        case "array" | "scalar" | "python":
            return outputs[result.output]
        case "stretch":
            start, step, count = (outputs[number] for number in result.value)
            return f"{outputs[result.output]}[{start} : {start} + {count} * {step} : {step}]"
        case "argument":
            return arguments[result.output]
        case "view" | "part":
            return _view_text(captured, result, outputs, arguments)
        case "size":
            lengths: dict[str, Dim] = {}
            for leaf, text in zip(captured.leaves, arguments):
                lengths[leaf.name] = sizes.symbol(text)
                lengths |= {f"{leaf.name}_{k}": sizes.symbol(f"{text}.shape[{k}]") for k in range(np.ndim(leaf.value))}
            return f"({sizes.substitute(result.value, lengths)})"
        case "fixed" | "outer":
            value = captured.constants[result.value] if result.kind == "outer" else result.value
            name = f"_f{len(names)}"
            names[name] = value
            return name
    return None


def _view_text(captured: Captured, result: Result, outputs: Sequence[str], arguments: Sequence[str]) -> str | None:
    """The expression of a view of an argument, or of an output that other results show too; None where it takes more than slices,
    transposes and reshapes."""
    roots = {node: arguments[leaf] for leaf, node in zip(captured.leaf_inputs, captured.program.inputs)}
    lengths: dict[str, Dim] = {}
    for leaf, node in zip(captured.leaf_inputs, captured.program.inputs):
        if captured.leaves[leaf].kind == INTEGER:
            lengths[node.params["name"]] = sizes.symbol(arguments[leaf])
        for axis, length in enumerate(node.type.shape):
            if str(length).isidentifier():
                lengths.setdefault(str(length), sizes.symbol(f"{arguments[leaf]}.shape[{axis}]"))

    def dim(value: Dim) -> str:
        return f"({sizes.substitute(value, lengths)})"

    def text(node: Node) -> str | None:
        if node.op == "input":
            return roots.get(node, outputs[result.output] if result.kind == "part" else None)
        inner = text(node.inputs[0]) if len(node.inputs) == 1 else None
        params = node.params
        if inner is None:
            return None
        match node.op:
            case "transpose":
                return f"{inner}.transpose({', '.join(map(str, params['axes']))})"
            case "reshape":
                return f"{inner}.reshape(({''.join(f'{dim(each)}, ' for each in node.type.shape)}))"
            case "slice" if all(step > 0 for step in params["step"]):
                parts = zip(params["start"], params["size"], params["step"])
                return f"{inner}[{', '.join(f'{dim(a)} : {dim(a + n * by)} : {by}' for a, n, by in parts)}]"
        return None

    used = {name for node in topological([result.value]) for each in _sizes_of(node) for name in sizes.symbols(each)}
    found = text(result.value) if used <= set(lengths) else None
    return f"{found}.view()" if result.value.op == "input" and found is not None else found


def _sizes_of(node: Node) -> Iterator[Dim]:
    """The sizes that a view's type and parameters mention."""
    yield from dims_of(node.type)
    for value in node.params.values():
        yield from value if isinstance(value, tuple) and node.op == "slice" else ()


def overlapping(values: Sequence[Any], written: Collection[int]) -> bool:
    """Whether an argument that is written shares memory with another one."""
    arrays = [(i, value) for i, value in enumerate(values) if type(value) is np.ndarray]
    return any(np.may_share_memory(a, b) for i, a in arrays if i in written for j, b in arrays if i != j)


def window(value: Any) -> range | None:
    """The numbers of elements for which a direct call is made where another Plan may be better for others: those of about
    as many binary digits as the array's."""
    if type(value) is not np.ndarray:
        return None
    digits = (value.size.bit_length() + 1) // 2
    return range(4 ** (digits - 1), 4**digits) if digits else range(1)
