"""The shortest way from a call to machine code: one generated Python function that checks types and calls `raw`.

Sizes are checked by `raw` itself. Whatever does not fit raises an exception, and the caller takes the long way.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from egc import sizes
from egc.capture import Captured, Result
from egc.capture.arguments import ARRAY, COMPLEX, FIXED, FLOAT, INTEGER, SCALAR, Leaf, Tree
from egc.capture.function import LEAST_SYMBOLIC
from egc.sizes import Dim, Size, SizeGuard

NUMBERS = {FLOAT: "float", COMPLEX: "complex", INTEGER: "int"}


class Unfit(Exception):
    """The arguments are of another kind than those that the direct call was made for."""


def entry_guards(captured: Captured) -> tuple[SizeGuard, ...]:
    """All that capture took for granted of the sizes: its guards, and that symbolic axes are not of length 0 or 1."""
    axes = {
        dim
        for node in captured.program.inputs
        for dim in node.type.shape
        if isinstance(dim, Size) and str(dim).isidentifier()
    }
    least = [SizeGuard(dim - LEAST_SYMBOLIC, ">=") for dim in sorted(axes, key=str)]
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


def direct_call(
    captured: Captured, raw: Any, positional: Sequence[Any], values: Sequence[Any]
) -> Callable[..., Any] | None:
    """A function of the positional arguments, for plain ones that are leaves, or None where the call needs more steps."""
    if len(positional) != len(values) or any(given is not value for given, value in zip(positional, values)):
        return None
    if captured.writes or captured.checks or unbound_guards(captured):
        return None
    names: dict[str, Any] = {"ndarray": np.ndarray, "Unfit": Unfit, "raw": raw}
    parameters = [f"x{position}" for position in range(len(values))]
    conditions = [
        _condition(leaf, value, name, names) for leaf, value, name in zip(captured.leaves, values, parameters)
    ]
    for number, guard in enumerate(captured.value_guards):
        names[f"v{number}"], names[f"g{number}"] = guard.value, guard.read
        read = f"g{number}()"
        if guard.namespace is not None:
            names[f"g{number}"], read = guard.namespace, f"g{number}[{guard.name!r}]"
        conditions.append(f"{read} is v{number}")
    given = [parameters[leaf] for leaf in captured.leaf_inputs]
    for number, constant in enumerate(captured.constants.values()):
        names[f"k{number}"] = constant if constant.ndim else constant.item()
        given.append(f"k{number}")
    result = _result_text(captured, names)
    if result is None or None in conditions:
        return None
    test = " and ".join(text for text in conditions if text)
    source = [f"def direct({', '.join(parameters)}):"]
    if test:
        source.append(f"    if not ({test}): raise Unfit")
    call = f"raw({', '.join(given)})"
    source += [f"    return {call}"] if result == "found" else [f"    found = {call}", f"    return {result}"]
    exec("\n".join(source), names)
    return names["direct"]


def _condition(leaf: Leaf, value: Any, name: str, names: dict[str, Any]) -> str | None:
    """What must hold of an argument that its type in `raw` does not say; None where it cannot be told quickly."""
    if leaf.kind == ARRAY:
        names[f"d{name}"] = value.dtype
        test = f"type({name}) is ndarray and {name}.dtype is d{name} and {name}.ndim == {value.ndim}"
        return test if value.ndim else None
    if leaf.kind == SCALAR:
        names[f"t{name}"] = type(value)
        return f"type({name}) is t{name}"
    if leaf.kind in NUMBERS:
        return f"type({name}) is {NUMBERS[leaf.kind]}"
    if leaf.kind == FIXED:
        names[f"f{name}"] = value
        return f"{name} is f{name}"
    return None


def _result_text(captured: Captured, names: dict[str, Any]) -> str | None:
    """The expression of the result from `found`, what `raw` returned; None for results that are not plain outputs."""
    single = len(captured.program.outputs) == 1

    def leaf(result: Result) -> str | None:
        if result.kind not in ("array", "scalar", "python"):
            return None
        dtype, text = captured.program.outputs[result.output].type.dtype, f"found[{result.output}]"
        rank = captured.program.outputs[result.output].type.rank
        text = "found" if single else text
        if result.kind == "python" or (result.kind == "array" and rank):
            return text
        convert = f"{result.kind}_{dtype.name}"
        names[convert] = dtype.type if result.kind == "scalar" else _zero_dimensional(dtype)
        return f"{convert}({text})"

    def tree(part: Tree) -> str | None:
        if part.build is None:
            return leaf(captured.results[part.position])
        if part.build is not tuple or not part.children:
            return None
        texts = [tree(child) for child in part.children]
        return None if None in texts else f"({''.join(f'{text}, ' for text in texts)})"

    text = tree(captured.result_tree)
    every = [f"found[{k}]" for k in range(len(captured.program.outputs))]
    return "found" if not single and text == f"({''.join(f'{part}, ' for part in every)})" else text


def _zero_dimensional(dtype: np.dtype) -> Callable[[Any], np.ndarray]:
    return lambda value: np.asarray(value, dtype)
