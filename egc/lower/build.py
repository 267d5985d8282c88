"""Program -> loop program: kernels become loop nests and library calls, views become addresses."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import count

from egc import sizes
from egc.ir import Node, Program
from egc.kernels import FUSED_REDUCTIONS, INLINE_LEAVES, Fusible, Kernel, group
from egc.lower.access import Affine, affine, row_major
from egc.lower.collapse import collapse
from egc.lower.loops import (
    Access,
    Apply,
    Call,
    Check,
    Index,
    Literal,
    Load,
    Loop,
    LoopProgram,
    Reduce,
    Statement,
    Step,
    Store,
)


def lower(program: Program, fusible: Fusible | None = None) -> LoopProgram:
    """The loop program of a Program. Elementwise Nodes that are not `fusible` become library calls.

    >>> from egc import ir
    >>> from egc.types import parse_type
    >>> x = ir.input("x", parse_type("f64[n, 3]"))
    >>> print(lower(Program((x,), (ir.make("sum", ir.make("exp", x), axes=(0, 1)),))))
    program(x: f64[n, 3])
    for i0 < 3*n make a0: f64[]
        v0: f64 = x[i0]
        v1: f64 = exp(v0)
        a0[0] = sum(v1) over i0
    return a0
    """
    kernels = group(program, fusible)
    needed = _needed_arrays(program, kernels)
    names = _array_names(program, needed)
    steps: list[Step] = [
        Call(names[node], (), node, False) for node in program.nodes() if node in needed and node.op in INLINE_LEAVES
    ]
    for kernel in kernels:
        (node, *_) = kernel.nodes
        if kernel.kind == "fused":
            steps.extend(_loop(kernel, names))
        elif kernel.kind == "call" or node in needed:
            steps.append(Call(names[node], tuple(names[x] for x in node.inputs), node, kernel.kind == "view"))
    inputs = tuple((names[node], node.type) for node in program.inputs)
    return LoopProgram(program.name, inputs, tuple(steps), tuple(names[node] for node in program.outputs))


def _needed_arrays(program: Program, kernels: Iterable[Kernel]) -> set[Node]:
    """The values that must exist as arrays: what a library reads, what loops address, and the outputs."""
    needed = set(program.outputs)
    for kernel in reversed(tuple(kernels)):
        if kernel.kind == "fused":
            needed.update(kernel.outputs)
            needed.update(
                source.base for node in kernel.inputs if (source := affine(node)).base.op not in INLINE_LEAVES
            )
        elif kernel.kind == "call" or kernel.nodes[0] in needed:
            needed.update(kernel.nodes)
            needed.update(kernel.nodes[0].inputs)
    return needed


def _array_names(program: Program, needed: set[Node]) -> dict[Node, str]:
    names = {node: node.params["name"] for node in program.inputs}
    taken = set(names.values())
    fresh = (name for k in count() if (name := f"a{k}") not in taken)
    for node in program.nodes():
        if node in needed and node not in names:
            names[node] = next(fresh)
    return names


def _loop(kernel: Kernel, names: dict[Node, str]) -> Iterator[Step]:
    """The loop nest of a fused kernel, after the checks it relies on."""
    rank = len(kernel.shape)
    body: list[Statement] = []
    values: dict[Node, str] = {}
    read: dict[Affine, str] = {}
    checks: dict[Check, None] = {}

    def value(node: Node) -> str:
        if node in values:
            return values[node]
        source = affine(node)
        checks.update(dict.fromkeys(source.checks))
        key = Affine(source.base, source.offset, source.strides)
        if key not in read:
            read[key] = f"v{len(values) + len(read)}"
            body.append(_read(read[key], key, rank, names))
        return read[key]

    for node in kernel.nodes:
        operands = tuple(value(child) for child in node.inputs)
        if node.op not in FUSED_REDUCTIONS:
            name = values[node] = f"v{len(values) + len(read)}"
            body.append(Apply(name, operands, node))
            continue
        reduction = _reduce(node, operands[0], names[node])
        body.append(reduction if reduction.axes else Store(reduction.access, operands[0]))
        if node.op in ("max", "min"):
            checks[_nonempty(node)] = None
    body.extend(
        Store(Access(names[node], 0, row_major(kernel.shape)), values[node])
        for node in kernel.outputs
        if node.op not in FUSED_REDUCTIONS
    )
    yield from (check for check in checks if not _holds(check))
    results = tuple((names[node], node.type) for node in kernel.outputs)
    yield collapse(Loop(kernel.shape, results, tuple(body)))


def _read(name: str, source: Affine, rank: int, names: dict[Node, str]) -> Statement:
    base = source.base
    match base.op:
        case "constant":
            return Literal(name, base.params["value"], base.params["dtype"])
        case "size":
            return Index(name, base.params["value"], (0,) * rank)
        case "iota":
            return Index(name, source.offset, source.strides)
    return Load(name, Access(names[base], source.offset, source.strides), base.type.dtype, base.type.rank == 0)


def _reduce(node: Node, value: str, array: str) -> Reduce:
    operand, axes = node.inputs[0].type, frozenset(node.params["axes"])
    kept = iter(row_major(node.type.shape))
    strides = tuple(0 if axis in axes else next(kept) for axis in range(operand.rank))
    return Reduce(node.op, Access(array, 0, strides), value, axes, operand.dtype, node.type.size)


def _nonempty(node: Node) -> Check:
    reduced = sizes.product(tuple(node.inputs[0].type.shape[axis] for axis in node.params["axes"]))
    name = {"max": "maximum", "min": "minimum"}[node.op]
    text = f"zero-size array to reduction operation {name} which has no identity"
    return Check("nonempty", (reduced,), text)


def _holds(check: Check) -> bool:
    return check.what == "nonempty" and isinstance(check.values[0], int) and check.values[0] > 0
