"""Machine code for other callers: a function for `@njit` code, and one that C code can call."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numba import carray, cfunc, from_dtype, njit, objmode, types

from egc.backend import Compiled, Interface
from egc.backends.numba.functions import mutable
from egc.errors import ShapeError
from egc.types import ArrayType


class Exported:
    """What `egc.optimize(f).compile(...)` gives on this backend; `raw` and `cfunc` compile when first asked for."""

    def __init__(self, compiled: Compiled, interface: Interface):
        self._compiled, self._interface = compiled, interface

    @cached_property
    def raw(self) -> Any:
        """numba's dispatcher: arguments as numba passes them, arrays in C order; a tuple where there are several results."""
        return raw_function(self._compiled, self._interface)

    @cached_property
    def cfunc(self) -> Any:
        """numba's CFunc of `raw`; the README says what its C signature is."""
        return c_function(self.raw, self._interface)

    @property
    def address(self) -> int:
        """The address of `cfunc`'s machine code."""
        return self.cfunc.address


def raw_function(compiled: Compiled, interface: Interface) -> Any:
    inner = compiled.raw if compiled.native is not None else _through_python(compiled, interface)
    given = [f"x{leaf}" for leaf in interface.inputs]
    names: dict[str, Any] = {"inner": inner, "mutable": mutable}
    for number, constant in enumerate(interface.constants):
        names[f"k{number}"] = constant if constant.ndim else constant.item()
        given.append(f"mutable(k{number})" if constant.ndim else f"k{number}")
    count = len(interface.program.outputs)
    part = "found" if count == 1 else "found[{}]"
    result = _tree_text(interface.results, part)
    in_order = _tree_text(tuple(range(count)) if count > 1 else 0, part)
    parameters = [f"x{leaf}" for leaf in range(len(interface.leaves))]
    if given == parameters and not interface.writes and result == in_order:
        return inner
    lines = [f"def raw({', '.join(parameters)}):", f"    found = inner({', '.join(given)})"]
    lines += [f"    x{leaf}[...] = {part.format(output)}" for leaf, output in interface.writes]
    lines.append(f"    return {result}")
    exec("\n".join(lines), names)
    return njit(tuple(map(_parameter, interface.leaves)), error_model="numpy")(names["raw"])


def _tree_text(results: Any, part: str) -> str:
    if isinstance(results, int):
        return part.format(results) if results >= 0 else f"x{-1 - results}"
    return f"({''.join(f'{_tree_text(child, part)}, ' for child in results)})"


def _parameter(type: ArrayType | None) -> Any:
    if type is None:
        return types.none
    element = from_dtype(type.dtype)
    return types.Array(element, type.rank, "C") if type.rank else element


def _through_python(compiled: Compiled, interface: Interface) -> Any:
    """A function for compiled code that takes the interpreter's lock and calls the driver."""
    inputs, outputs = interface.program.inputs, [node.type for node in interface.program.outputs]
    parameters = ", ".join(f"y{k}" for k in range(len(inputs)))

    def call(*arguments: Any) -> Any:
        sizes = interface.program.bind(arguments)
        for guard in interface.guards:
            if not guard.holds(sizes):
                raise ShapeError(f"compiled for arguments with {guard}")
        found = compiled.run(*arguments)
        results = [np.ascontiguousarray(x) if type.rank else np.asarray(x).item() for x, type in zip(found, outputs)]
        return tuple(results) if len(results) > 1 else results[0]

    found = ", ".join(f"r{k}" for k in range(len(outputs)))
    typed = ", ".join(f"r{k}=t{k}" for k in range(len(outputs)))
    names: dict[str, Any] = {"objmode": objmode, "call": call}
    names |= {f"t{k}": _parameter(type) for k, type in enumerate(outputs)}
    lines = [f"def inner({parameters}):", f"    with objmode({typed}):", f"        {found} = call({parameters})"]
    lines.append(f"    return {found}")
    exec("\n".join(lines), names)
    return njit(tuple(_parameter(node.type) for node in inputs), error_model="numpy")(names["inner"])


def c_function(raw: Any, interface: Interface) -> Any:
    """A C function: a scalar argument by value; an array as a pointer to its elements in C order, then its lengths as
    int64. One result of rank 0 is returned; otherwise each result is written to a pointer that comes after the arguments.
    """
    parameters, signature, lines, given = [], [], [], []
    for number, type in enumerate(interface.leaves):
        if type is None:
            given.append("None")
            continue
        element, name = from_dtype(type.dtype), f"x{number}"
        parameters.append(name)
        given.append(name)
        signature.append(types.CPointer(element) if type.rank else element)
        if type.rank:
            lengths = [f"{name}_{axis}" for axis in range(type.rank)]
            parameters += lengths
            signature += [types.int64] * type.rank
            lines.append(f"    {name} = carray({name}, ({', '.join(lengths)},))")
    outputs = [node.type for node in interface.program.outputs]
    results = list(_leaves(interface.results))
    names: dict[str, Any] = {"raw": raw, "carray": carray}
    lines.append(f"    found = raw({', '.join(given)})")
    single = isinstance(interface.results, int)
    if single and results[0] >= 0 and not outputs[results[0]].rank:
        returned = from_dtype(outputs[results[0]].dtype)
        lines.append("    return found")
    else:
        returned = types.void
        for number, path in enumerate(_paths(interface.results, "found")):
            type = outputs[results[number]] if results[number] >= 0 else interface.leaves[-1 - results[number]]
            assert type is not None
            parameters.append(f"r{number}")
            signature.append(types.CPointer(from_dtype(type.dtype)))
            shape = f"{path}.shape" if type.rank else "(1,)"
            lines.append(f"    carray(r{number}, {shape})[...] = {path}")
    exec("\n".join([f"def function({', '.join(parameters)}):", *lines]), names)
    return cfunc(returned(*signature), error_model="numpy")(names["function"])


def _leaves(results: Any) -> Sequence[int]:
    return [results] if isinstance(results, int) else [leaf for child in results for leaf in _leaves(child)]


def _paths(results: Any, path: str) -> list[str]:
    if isinstance(results, int):
        return [path]
    return [leaf for k, child in enumerate(results) for leaf in _paths(child, f"{path}[{k}]")]
