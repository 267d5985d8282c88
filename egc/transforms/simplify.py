"""What is always done: computes what depends on constants alone, and tidies loops and branches."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from egc import ir
from egc.ir import Node, Program
from egc.ops import OPS
from egc.transforms.tidy import tidy

MOST_ROUNDS = 4
"""Tidied loops may have new constants to fold, and the other way around."""

Evaluate = Callable[[Program, tuple[Any, ...]], tuple[Any, ...]]


def fold_constants(program: Program, evaluate: Evaluate) -> Program:
    """The Program with elementwise ops of constants replaced by their value.

    `evaluate(program, arguments)` is the reference interpreter. A constant is one value in every place, so the op is
    applied once to scalars. The Programs inside of loops and branches are folded too.
    """

    def visit(node: Node, inputs: tuple[Node, ...]) -> Node:
        node = ir.with_regions(ir.rebuild(node, inputs), lambda region: fold_constants(region, evaluate))
        if node.op == "broadcast" and inputs[0].op == "constant":
            return ir.constant(inputs[0].params["value"], node.type.dtype, node.type.shape, node.line)
        if OPS[node.op].kind != "elementwise" or not all(child.op == "constant" for child in inputs):
            return node
        scalars = [ir.constant(child.params["value"], child.type.dtype) for child in inputs]
        single = ir.make(node.op, *scalars, **node.params)
        (value,) = evaluate(Program((), (single,)), ())
        return ir.constant(np.asarray(value).item(), node.type.dtype, node.type.shape, node.line)

    return ir.map_nodes(program, visit)


def simplify(program: Program, evaluate: Evaluate) -> Program:
    """The Program with constants folded, and loops and branches tidied."""
    for _ in range(MOST_ROUNDS):
        before, program = program, tidy(fold_constants(program, evaluate))
        if program.outputs == before.outputs:
            break
    return program
