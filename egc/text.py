"""A Program as text and back: `parse_program(print_program(p)) == p`.

One line per Node, inputs first, in static single assignment form:

    norm(x: f64[n], y: f64[n]) -> %2
      %0 = multiply(x, y) : f64[n]
      %1 = sum(%0) {axes=(0,)} : f64[]
      %2 = sqrt(%1) : f64[]

The Programs that a loop or a branch is made of follow below it, further indented. A size argument is written
`k: size i64[]`. Source lines and scopes are remarks and are not written.
"""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from egc import ir, ops, sizes
from egc.errors import EgcError, Line, ProgramError
from egc.ir import Node, Program
from egc.types import DTYPES, SHORT, dtype, parse_type, split_commas


def print_program(program: Program) -> str:
    """The Program's text.

    >>> x = ir.input("x", parse_type("f64[n]"))
    >>> print(print_program(Program((x,), (ir.make("sum", x, axes=(0,)),), "total")))
    total(x: f64[n]) -> %0
      %0 = sum(x) {axes=(0,)} : f64[]
    """
    return "\n".join(_lines(program, program.name))


def _lines(program: Program, title: str) -> Iterator[str]:
    names = {node: _input_name(node) for node in program.inputs}
    lines: list[str] = []
    count = 0
    for node in program.nodes():
        if node in names:
            continue
        if node.op == "input":
            raise ProgramError(f"the input {node.params['name']} is not among the Program's inputs", node.line)
        names[node] = f"%{count}"
        count += 1
        given = [name for name in sorted(node.params) if name not in ops.REGIONS]
        params = ", ".join(f"{name}={_print_value(node.params[name])}" for name in given)
        operands = ", ".join(names[child] for child in node.inputs)
        lines.append(f"  {names[node]} = {node.op}({operands}){f' {{{params}}}' if params else ''} : {node.type}")
        for name, region in ir.regions(node):
            lines.extend(f"    {line}" for line in _lines(region, name))
    inputs = ", ".join(f"{names[node]}: {_size_mark(program, node)}{node.type}" for node in program.inputs)
    header = f"{ir.validate_name(title)}({inputs}) -> {', '.join(names[node] for node in program.outputs)}"
    yield header.rstrip()
    yield from lines


def _input_name(node: Node) -> str:
    return ir.validate_name(node.params["name"])


def _size_mark(program: Program, node: Node) -> str:
    return "size " if node.params["name"] in program.size_inputs else ""


def _print_value(value: Any) -> str:
    match value:
        case np.dtype():
            return SHORT[value]
        case float():
            return repr(value) if math.isfinite(value) else f"float('{value}')"
        case complex():
            return f"complex({_print_value(value.real)}, {_print_value(value.imag)})"
        case tuple():
            inner = ", ".join(map(_print_value, value))
            return f"({inner},)" if len(value) == 1 else f"({inner})"
        case sizes.Size():
            return str(value)
        case bool() | int() | str() | None:
            return repr(value)
    raise ProgramError(f"a parameter {value!r} has no text")


HEADER = re.compile(r"(\w+)\((.*)\) ->(.*)")
NODE = re.compile(r"(%\d+) = (\w+)\((.*?)\)(?: \{(.*)\})? : (.*)")


def parse_program(text: str) -> Program:
    """The Program that a text describes. Raises ProgramError, or what making a Node raises, with the text's line.

    >>> print(parse_program("square(x: f64[n]) -> %0\\n  %0 = multiply(x, x) : f64[n]"))
    square(x: f64[n]) -> f64[n]
    """
    lines = [
        Row(number, len(line) - len(line.lstrip()), line.strip())
        for number, line in enumerate(text.splitlines(), 1)
        if line.strip()
    ]
    if not lines:
        raise ProgramError("a Program's text starts with: name(x: f64[n], ...) -> results")
    return _parse_rows(lines)


class Row(NamedTuple):
    """A line of a text: its number, how far it is indented, and what it says."""

    number: int
    indent: int
    text: str


def _parse_rows(rows: Sequence[Row]) -> Program:
    """The Program of a header and the lines that are indented below it."""
    if (header := HEADER.fullmatch(rows[0].text)) is None:
        raise ProgramError("a Program's text starts with: name(x: f64[n], ...) -> results")
    values: dict[str, Node] = {}
    size_inputs = set()
    for argument in split_commas(header[2]):
        name, _, kind = argument.partition(":")
        is_size = kind.strip().startswith("size ")
        values[name.strip()] = ir.input(ir.validate_name(name.strip()), parse_type(kind.strip().removeprefix("size ")))
        size_inputs.update([name.strip()] if is_size else [])
    inputs = tuple(values.values())
    for block in _blocks(rows[1:]):
        try:
            found = {region.name: region for region in map(_parse_rows, _blocks(block[1:]))}
            _parse_node(block[0].text, values, found)
        except EgcError as error:
            raise error.__class__(str(error), error.line or Line("<text>", block[0].number)) from error
    outputs = tuple(_value(values, name) for name in split_commas(header[3]))
    return Program(inputs, outputs, header[1], frozenset(size_inputs))


def _blocks(rows: Sequence[Row]) -> Iterator[Sequence[Row]]:
    """Each line that is indented as the first one, with those below it that are indented further."""
    start = 0
    for position in range(1, len(rows) + 1):
        if position == len(rows) or rows[position].indent <= rows[0].indent:
            yield rows[start:position]
            start = position


def _value(values: dict[str, Node], name: str) -> Node:
    if name not in values:
        raise ProgramError(f"no value named {name}")
    return values[name]


def _parse_node(line: str, values: dict[str, Node], regions: Mapping[str, Program]) -> None:
    found = NODE.fullmatch(line)
    if found is None:
        raise ProgramError(f"not a Node: {line!r}; write %0 = op(operands) {{params}} : type")
    name, op, operands, params, kind = found.groups()
    given: dict[str, Any] = {**_parse_params(params or ""), **regions}
    if op in ops.OPS:
        given = {**dict.fromkeys(name for name in ops.OPS[op].params if name in ops.REGIONS), **given}
    node = ir.make(op, *(_value(values, operand) for operand in split_commas(operands)), **given)
    if str(node.type) != kind.strip():
        raise ProgramError(f"{name} has type {node.type}, not {kind.strip()}")
    if name in values:
        raise ProgramError(f"{name} is defined twice")
    values[name] = node


def _parse_params(text: str) -> dict[str, Any]:
    try:
        call = ast.parse(f"params({text})", mode="eval").body
    except SyntaxError as error:
        raise ProgramError(f"not parameters: {text!r}") from error
    if not isinstance(call, ast.Call) or call.args:
        raise ProgramError(f"not parameters: {text!r}")
    return {str(keyword.arg): _parse_value(str(keyword.arg), keyword.value) for keyword in call.keywords}


def _parse_value(param: str, tree: ast.expr) -> Any:
    match tree:
        case ast.Constant(value=value):
            return value
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=(int() | float()) as value)):
            return -value
        case ast.Name(id=name) if param == "dtype" and name in DTYPES:
            return dtype(name)
        case ast.Call(func=ast.Name(id="float"), args=[ast.Constant(value=str(value))]):
            return float(value)
        case ast.Call(func=ast.Name(id="complex"), args=[real, imag]):
            return complex(_parse_value(param, real), _parse_value(param, imag))
        case ast.Tuple(elts=items):
            return tuple(_parse_value(param, item) for item in items)
    return sizes.parse(ast.unparse(tree))
