"""A Program as NumPy source that can be pasted and run, and that computes what the reference interpreter computes."""

from __future__ import annotations

import re

from egc import ir, sizes
from egc.ir import Node, Program
from egc.source import linalg, moves, ops, regions
from egc.source.writer import Writer

WRITTEN_BY = (ops, moves, linalg, regions)
"""The modules that say how each op is written."""


def numpy_source(program: Program, name: str) -> str:
    """The Program as the source of a NumPy function, with its imports.

    The result is a tuple when the Program has several outputs or none. Raises ProgramError for an op without source.

    >>> from egc.types import parse_type
    >>> x = ir.input("x", parse_type("f64[n]"))
    >>> half = ir.constant(0.5, x.type.dtype, x.type.shape)
    >>> print(numpy_source(Program((x,), (ir.make("exp", ir.make("multiply", half, x)),)), "f"))
    import numpy as np
    <BLANKLINE>
    <BLANKLINE>
    def f(x):
        return np.exp(0.5 * x)
    <BLANKLINE>
    """
    writer = Writer(program)
    writer.free.taken.add(name)
    results = [result.text for result in writer.run()]
    returned = results[0] if len(results) == 1 else f"({', '.join(results)})"
    body = [*writer.statements, f"return {returned}"]
    body = _size_lines(writer, set(re.findall(r"\w+", " ".join(body)))) + body
    own = "factors" in writer.modules
    modules = ", ".join(sorted(writer.modules - {"factors"}))
    imports = ["import numpy as np", *([f"from scipy import {modules}"] if modules else [])]
    imports += ["from egc import factors"] if own else []
    head = f"def {ir.validate_name(name)}({', '.join(writer.inputs.values())}):"
    return "\n".join([*imports, "", "", head, *(f"    {line}" for line in body), ""])


def _size_lines(writer: Writer, words: set[str]) -> list[str]:
    """Definitions of the size symbols among the words of the source, from the arguments' shapes."""
    wanted = {name for name in writer.used_symbols - writer.program.size_inputs if writer.symbols[name] in words}
    lines = []
    for node, text in writer.inputs.items():
        dims = [str(dim) for dim in node.type.shape if isinstance(dim, sizes.Size) and str(dim) in wanted]
        if len(set(dims)) == node.type.rank > 1:
            lines.append(f"{', '.join(writer.symbols[dim] for dim in dims)} = {text}.shape")
            wanted.difference_update(dims)
            continue
        for axis, dim in enumerate(node.type.shape):
            if isinstance(dim, sizes.Size) and str(dim) in wanted:
                lines.append(f"{writer.symbols[str(dim)]} = {text}.shape[{axis}]")
                wanted.discard(str(dim))
    return lines


def expression_source(node: Node) -> str:
    """One Node as a single NumPy expression over the names of its inputs and size symbols, for display.

    >>> from egc.types import parse_type
    >>> x = ir.input("x", parse_type("f64[n]"))
    >>> expression_source(ir.make("log", ir.make("exp", x)))
    'np.log(np.exp(x))'
    """
    inputs = tuple(found for found in ir.topological([node]) if found.op == "input")
    writer = Writer(Program(inputs, (node,)), inline=True)
    return writer.run()[0].text
