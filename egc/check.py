"""The verifier: a Program that passes is well formed, and later stages need not look again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from egc import ir, ops, sizes
from egc.errors import EgcError, ProgramError
from egc.ir import Node, Program
from egc.ops import UFUNCS
from egc.sizes import Dim
from egc.types import SHORT, ArrayType


def is_int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def is_count(value: Any) -> bool:
    return is_int(value) and value >= 0


def is_dim(value: Any) -> bool:
    return is_int(value) or isinstance(value, sizes.Size)


def tuple_of(holds: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, tuple) and all(map(holds, value))


def one_of(*choices: Any) -> Callable[[Any], bool]:
    return lambda value: value in choices


def is_dtype(value: Any) -> bool:
    return isinstance(value, np.dtype) and value in SHORT


def is_shape(value: Any) -> bool:
    return isinstance(value, tuple) and all(isinstance(d, sizes.Size) or (is_int(d) and d >= 0) for d in value)


def is_array_type(value: Any) -> bool:
    return isinstance(value, ArrayType) and is_dtype(value.dtype) and is_shape(value.shape)


def is_region(value: Any) -> bool:
    return isinstance(value, Program)


def is_region_or_none(value: Any) -> bool:
    return value is None or is_region(value)


is_bool = one_of(False, True)

PARAMS: Mapping[str, Callable[[Any], bool]] = {
    "above": is_count,
    "axes": tuple_of(is_int),
    "axis": is_int,
    "below": is_count,
    "counted": is_bool,
    "combine": one_of("set", *UFUNCS[2]),
    "dtype": is_dtype,
    "facts": tuple_of(lambda fact: isinstance(fact, str)),
    "full_matrices": is_bool,
    "high": tuple_of(is_dim),
    "index": is_count,
    "kind": one_of(None, "quicksort", "heapsort", "mergesort", "stable"),
    "low": tuple_of(is_dim),
    "lower": is_bool,
    "mode": one_of("raise", "clip", "wrap"),
    "name": lambda value: isinstance(value, str) and value.isidentifier(),
    "offset": is_int,
    "otherwise": is_region,
    "post": is_region_or_none,
    "pre": is_region_or_none,
    "reverse": is_region_or_none,
    "rcond": lambda value: value is None or isinstance(value, (int, float)),
    "shape": is_shape,
    "side": one_of("left", "right"),
    "size": is_shape,
    "start": tuple_of(is_dim),
    "states": is_int,
    "step": tuple_of(lambda value: is_int(value) and value != 0),
    "then": is_region,
    "transposed": is_bool,
    "right": is_bool,
    "positive": is_bool,
    "type": is_array_type,
    "unit_diagonal": is_bool,
    "update": is_region,
    "upper": is_bool,
    "value": lambda value: isinstance(value, (bool, int, float, complex)),
}
"""What each parameter must be, by its name."""

EXCEPTIONS: Mapping[tuple[str, str], Callable[[Any], bool]] = {
    ("diagonal", "size"): is_dim,
    ("qr", "mode"): one_of("reduced", "complete", "r"),
    ("size", "value"): is_dim,
}

PYTHON_KINDS = {"b": bool, "i": int, "u": int, "f": float, "c": complex}


def check(program: Program, bound: frozenset[str] = frozenset()) -> Program:
    """The Program itself. `bound` are size symbols that have a value outside of it, where it is a region.

    Raises ProgramError, OperandTypeError or ShapeError, naming the Node and the user's line, when inputs are not
    distinct or not declared, a parameter is malformed, a type does not follow from the operands', a size symbol is
    not determined by the arguments, or an output is not one array.

    >>> from egc.types import parse_type
    >>> x = ir.input("x", parse_type("f64[n]"))
    >>> check(Program((), (x,)))
    Traceback (most recent call last):
        ...
    egc.errors.ProgramError: input: x is not among the Program's inputs
    """
    _check_inputs(program)
    declared = set(program.inputs)
    for node in program.nodes():
        if node.op == "input" and node not in declared:
            raise _error(node, f"{node.params['name']} is not among the Program's inputs")
        _check_node(node)
        for name, region in ir.regions(node):
            _check_region(node, name, region, bound | ir.bound_symbols(program))
    for node in program.outputs:
        if not isinstance(node.type, ArrayType):
            raise _error(node, f"an output must be one array, not {node.type}")
    _check_symbols(program, bound)
    return program


def _check_region(node: Node, name: str, region: Program, bound: frozenset[str]) -> None:
    """A region is named as the parameter that it is. Its only size input is the number of the iteration, whose name means
    nothing outside."""
    if region.name != name:
        raise _error(node, f"its {name} must have that name, not {region.name}")
    index = {region.inputs[0].params["name"]} if node.params.get("counted") else set()
    if region.size_inputs != index:
        raise _error(node, f"the sizes {sorted(region.size_inputs)} of its {name} must be {sorted(index)}")
    if index & bound:
        raise _error(node, f"the size {index.pop()} of its {name} has a meaning outside")
    check(region, bound)


def _error(node: Node, message: str) -> ProgramError:
    return ProgramError(f"{node.op}: {message}", node.line)


def _check_inputs(program: Program) -> None:
    names: set[str] = set()
    for node in program.inputs:
        if node.op != "input":
            raise _error(node, "an input of a Program must be an input Node")
        _check_node(node)
        name = node.params["name"]
        if name in names:
            raise _error(node, f"two inputs are named {name}")
        names.add(name)
        if name in program.size_inputs and (node.type.dtype.kind not in "iu" or node.type.rank):
            raise _error(node, f"the size {name} must be an integer scalar, not {node.type}")
    for name in sorted(program.size_inputs - names):
        raise ProgramError(f"the size {name} is not among the inputs of {program.name}")


def _check_node(node: Node) -> None:
    try:
        inferred = ops.infer(node.op, [child.type for child in node.inputs], node.params)
    except EgcError as error:
        raise error.__class__(str(error), node.line if error.line is None else None) from error
    if inferred != node.type:
        raise _error(node, f"has type {node.type}, but its operands give {inferred}")
    for name, value in node.params.items():
        if not EXCEPTIONS.get((node.op, name), PARAMS[name])(value):
            raise _error(node, f"{name} cannot be {value!r}")
    if node.op == "constant" and type(node.params["value"]) is not PYTHON_KINDS[node.type.dtype.kind]:
        raise _error(node, f"the value {node.params['value']!r} is not of dtype {node.type.dtype}")


def _check_symbols(program: Program, outer: frozenset[str]) -> None:
    bound = ir.bound_symbols(program) | outer
    for node in (*program.inputs, *program.nodes()):
        for dim in _dims(node):
            for name in sizes.symbols(dim):
                if name not in bound:
                    raise _error(node, f"no argument determines the size {name}")


def _dims(node: Node) -> Iterator[Dim]:
    yield from ir.dims_of(node.type)
    for value in node.params.values():
        for part in value if isinstance(value, tuple) else (value,):
            if isinstance(part, sizes.Size):
                yield part
