"""Arguments that are not in C order: one in Fortran order is the transpose of one in C order, others are put in order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from egc import ir
from egc.ir import Node, Program
from egc.types import ArrayType

Layouts = Mapping[str, str]
"""The numba layout (C, F or A) of each input that is an array; C where an input is not named."""


def in_c_order(program: Program, layouts: Layouts) -> Program:
    """The Program whose inputs in Fortran order have their axes reversed."""
    turned: dict[Node, Node] = {}
    for node in program.inputs:
        name, type = node.params["name"], node.type
        if layouts.get(name) == "F":
            flipped = ir.input(name, ArrayType(type.dtype, tuple(reversed(type.shape))), node.line)
            turned[node] = flipped
    if not turned:
        return program

    def visit(node: Node, inputs: tuple[Node, ...]) -> Node:
        if node in turned:
            return ir.make("transpose", turned[node], axes=tuple(reversed(range(node.type.rank))))
        return ir.rebuild(node, inputs)

    made = ir.map_nodes(program, visit)
    return replace(made, inputs=tuple(turned.get(node, node) for node in program.inputs))


def arranged(array: np.ndarray, layout: str, dtype: np.dtype) -> np.ndarray:
    """An array that a driver for this layout and dtype takes: itself, a view of it with the dtype that equals its own, or an
    aligned copy."""
    flags = array.flags
    contiguous = flags.c_contiguous if layout == "C" else flags.f_contiguous if layout == "F" else True
    if type(array) is not np.ndarray or not flags.aligned or not contiguous:
        array = np.array(array, order="C" if layout == "A" else layout, subok=False)  # type: ignore[call-overload]
    return array if array.dtype is dtype else array.view(dtype)
