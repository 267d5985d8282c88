"""The shortest way from a call to machine code: one generated method that checks types and calls `raw`.

Ranks and layouts are checked by numba's dispatcher, which does not see byte order, and sizes by `raw` itself. Where something
does not fit, or fails, the call takes the long way.
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


class Missing:
    """Stands for a parameter that a call leaves to its default."""


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


def direct_call(
    captured: Captured,
    raw: Any,
    positional: Sequence[Any],
    values: Sequence[Any],
    parameters: Sequence[str],
    limited: bool,
) -> Callable[..., Any] | None:
    """The method `__call__` for calls like this one, whose arguments are leaves, or None where the call needs more steps.

    parameters: the names of the function's parameters, all of which can be given by position. limited: whether it is for
    arrays of some sizes only, which `limit_sizes` sets.
    """
    if len(positional) != len(values) or any(given is not value for given, value in zip(positional, values)):
        return None
    if captured.writes or unbound_guards(captured) or len(parameters) < len(positional):
        return None
    names: dict[str, Any] = {"_ndarray": np.ndarray, "_Missing": Missing, "_raw": raw, "_arguments": _arguments}
    taken, left = parameters[: len(values)], parameters[len(values) :]
    conditions = [
        _condition(leaf, value, name, names, limited) for leaf, value, name in zip(captured.leaves, values, taken)
    ]
    conditions += [f"{name} is _Missing" for name in left]
    for number, guard in enumerate(captured.value_guards):
        names[f"_v{number}"], names[f"_g{number}"] = guard.value, guard.read
        read = f"_g{number}()"
        if guard.namespace is not None:
            names[f"_g{number}"], read = guard.namespace, f"_g{number}[{guard.name!r}]"
        conditions.append(f"{read} is _v{number}")
    given = [taken[leaf] for leaf in captured.leaf_inputs]
    for number, constant in enumerate(captured.constants.values()):
        names[f"_k{number}"] = constant if constant.ndim else constant.item()
        given.append(f"_k{number}")
    result = _result_text(captured, names)
    if result is None or None in conditions or any(name.startswith("_") for name in parameters):
        return None
    names["_parameters"] = tuple(parameters)
    signature = ", ".join(["_self", *(f"{name}=_Missing" for name in parameters)])
    call = f"_raw({', '.join(given)})"
    answer = [f"_found = {call}", f"return {result}"]
    if captured.checks:
        answer[1] = f"if not ({' or '.join(f'_found[{check}]' for check in captured.checks)}): {answer[1]}"
    elif result == "_found":
        answer = [f"return {call}"]
    source = [
        f"def __call__({signature}):",
        "    try:",
        f"        if {' and '.join(text for text in conditions if text) or 'True'}:",
        *(f"            {line}" for line in answer),
        "    except Exception:",
        "        pass",
        f"    return _self._long_way(*_arguments(_parameters, ({''.join(f'{name}, ' for name in parameters)})))",
    ]
    exec("\n".join(source), names)
    return names["__call__"]


SIZE_TEST = " and _least_{0} <= {0}.size < _most_{0}"

WINDOW = 4
"""A direct call is for arrays that have up to so many times more or fewer elements than those of the last long way, since
another plan may be better for others."""


def limit_sizes(direct: Callable[..., Any], values: Sequence[Any]) -> None:
    """Sets the numbers of elements for which a direct call is made: about those of these arguments."""
    names = direct.__globals__
    for name, value in zip(names["_parameters"], values):
        if type(value) is np.ndarray:
            names[f"_least_{name}"] = value.size // WINDOW
            names[f"_most_{name}"] = value.size * WINDOW


def _arguments(parameters: Sequence[str], values: Sequence[Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The positional and the named arguments of a call; those after one that is left out are named."""
    count = next((k for k, value in enumerate(values) if value is Missing), len(values))
    rest = {name: value for name, value in zip(parameters[count:], values[count:]) if value is not Missing}
    return tuple(values[:count]), rest


def _condition(leaf: Leaf, value: Any, name: str, names: dict[str, Any], limited: bool) -> str | None:
    """What must hold of an argument that its type in `raw` does not say; None where it cannot be told quickly."""
    if leaf.kind == ARRAY:
        names[f"_d_{name}"] = value.dtype
        test = f"type({name}) is _ndarray and {name}.dtype is _d_{name}"
        test += SIZE_TEST.format(name) if limited else ""
        return test if value.ndim else None
    if leaf.kind == SCALAR:
        names[f"_t_{name}"] = type(value)
        return f"type({name}) is _t_{name}"
    if leaf.kind in NUMBERS:
        return f"type({name}) is {NUMBERS[leaf.kind]}"
    if leaf.kind == FIXED:
        names[f"_f_{name}"] = value
        return f"{name} is _f_{name}"
    return None


def _result_text(captured: Captured, names: dict[str, Any]) -> str | None:
    """The expression of the result from `_found`, what `raw` returned; None for results that are not plain outputs."""
    single = len(captured.program.outputs) == 1

    def leaf(result: Result) -> str | None:
        if result.kind not in ("array", "scalar", "python"):
            return None
        dtype, text = captured.program.outputs[result.output].type.dtype, f"_found[{result.output}]"
        rank = captured.program.outputs[result.output].type.rank
        text = "_found" if single else text
        if result.kind == "python" or (result.kind == "array" and rank):
            return text
        convert = f"_{result.kind}_{dtype.name}"
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
    every = [f"_found[{k}]" for k in range(len(captured.program.outputs))]
    return "_found" if not single and text == f"({''.join(f'{part}, ' for part in every)})" else text


def _zero_dimensional(dtype: np.dtype) -> Callable[[Any], np.ndarray]:
    return lambda value: np.asarray(value, dtype)
