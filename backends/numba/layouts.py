"""Arguments that are not in C order: one whose axes are in another order is the transpose of one in C order, one with gaps is
read by its own strides, others are put in order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from egc import ir, layouts, sizes
from egc.ir import Node, Program
from egc.sizes import Dim
from egc.types import ArrayType

Layouts = Mapping[str, str]
"""The layout of each input that is an array; C where an input is not named."""


def in_c_order(program: Program, layouts_of: Layouts) -> Program:
    """The Program whose inputs have their axes in the order of their layouts."""
    turned: dict[Node, Node] = {}
    for node in program.inputs:
        name, type = node.params["name"], node.type
        axes = layouts.axes_of(layouts_of.get(name, "C"), type.rank)
        if axes != tuple(range(type.rank)):
            shape = tuple(type.shape[axis] for axis in axes)
            turned[node] = ir.input(name, ArrayType(type.dtype, shape), node.line)
    if not turned:
        return program

    def visit(node: Node, inputs: tuple[Node, ...]) -> Node:
        if node in turned:
            axes = layouts.axes_of(layouts_of[node.params["name"]], node.type.rank)
            return ir.make("transpose", turned[node], axes=tuple(map(axes.index, range(node.type.rank))))
        return ir.rebuild(node, inputs)

    made = ir.map_nodes(program, visit)
    return replace(made, inputs=tuple(turned.get(node, node) for node in program.inputs))


def strides_of(program: Program, layouts_of: Layouts) -> dict[str, tuple[Dim, ...]]:
    """The strides, in elements, of those inputs of a Program `in_c_order` that have gaps."""
    return {
        node.params["name"]: _strides(node.params["name"], node.type.rank, layout)
        for node in program.inputs
        if (layout := layouts_of.get(node.params["name"], "C"))[0] in "RS"
    }


def _strides(name: str, rank: int, layout: str) -> tuple[Dim, ...]:
    near = layouts.neighbours(layout, rank)
    return (*(sizes.symbol(stride_name(name, axis)) for axis in range(rank - near)), *[1] * near)


def stride_name(name: str, axis: int) -> str:
    """The size symbol of an input's stride; no symbol of a Program has such a name."""
    return f"{name}.strides[{axis}]"


def arranged(array: np.ndarray, layout: str, dtype: np.dtype) -> np.ndarray:
    """An array that a driver for this layout and dtype takes: itself, a view of it with the dtype that equals its own, or an
    aligned copy."""
    if type(array) is not np.ndarray or not array.flags.aligned or not layouts.fits(array, layout):
        array = layouts.copied(array, layout)
    return array if array.dtype is dtype else array.view(dtype)
