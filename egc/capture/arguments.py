"""Arguments and results as trees: which leaves are traced, which are fixed, and how a result is put together again."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from egc import ir, sizes
from egc.capture.array import Array, Cell
from egc.capture.context import array_type
from egc.ir import Node
from egc.sizes import Dim
from egc.types import SHORT, ArrayType

FIXED, ARRAY, SCALAR, FLOAT, COMPLEX, INTEGER = "fixed", "array", "scalar", "float", "complex", "integer"
INT64_RANGE = range(-(2**63), 2**63)


@dataclass(frozen=True)
class Tree:
    """A container's shape: `build(children)` makes it again; `form` is its type, and a dictionary's keys. A leaf has no
    children and a position."""

    children: tuple[Tree, ...] = ()
    build: Callable[[Sequence[Any]], Any] | None = None
    position: int = -1
    form: Any = None


@dataclass(frozen=True)
class Leaf:
    """One value among the arguments. `name` is an identifier unique among the leaves."""

    name: str
    kind: str
    value: Any


def kind_of(value: Any) -> str:
    """How capture treats a leaf: traced as an array, NumPy scalar or Python number, or fixed."""
    if type(value) is np.ndarray:
        return ARRAY if value.dtype in SHORT and value.dtype.isnative else FIXED
    if isinstance(value, np.generic):
        return SCALAR if value.dtype in SHORT else FIXED
    if type(value) is float:
        return FLOAT
    if type(value) is int:
        return INTEGER if value in INT64_RANGE else FIXED
    return COMPLEX if type(value) is complex else FIXED


def flatten(value: Any, name: str, leaves: list[tuple[str, Any]]) -> Tree:
    """The tree of a value; appends its leaves, with names made of `name` and the path."""
    kind = type(value)
    if kind in (tuple, list):
        return Tree(tuple(flatten(v, f"{name}_{i}", leaves) for i, v in enumerate(value)), kind, form=kind)
    if kind is dict:
        keys = tuple(value)
        children = tuple(flatten(v, f"{name}_{_identifier(k)}", leaves) for k, v in value.items())
        return Tree(children, lambda parts: dict(zip(keys, parts)), form=(dict, keys))
    if isinstance(value, tuple) and hasattr(kind, "_fields"):
        children = tuple(flatten(v, f"{name}_{f}", leaves) for f, v in zip(kind._fields, value))
        return Tree(children, lambda parts: kind(*parts), form=kind)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = [field.name for field in dataclasses.fields(value)]
        children = tuple(flatten(getattr(value, f), f"{name}_{f}", leaves) for f in fields)
        return Tree(children, lambda parts: _rebuild(kind, fields, parts), form=kind)
    leaves.append((name, value))
    return Tree(position=len(leaves) - 1)


def _identifier(key: Any) -> str:
    return "".join(c if c.isalnum() else "_" for c in str(key))


def _rebuild(kind: type, fields: Sequence[str], parts: Sequence[Any]) -> Any:
    made: Any = object.__new__(kind)
    for field, part in zip(fields, parts):
        object.__setattr__(made, field, part)
    return made


def unflatten(tree: Tree, leaves: Sequence[Any]) -> Any:
    if tree.build is None:
        return leaves[tree.position]
    return tree.build([unflatten(child, leaves) for child in tree.children])


def is_plain_leaf(tree: Tree) -> bool:
    return tree.build is None


def unique_names(names: Sequence[str]) -> list[str]:
    """The names made distinct by underscores."""
    seen: set[str] = set()
    result = []
    for name in names:
        while name in seen:
            name += "_"
        seen.add(name)
        result.append(name)
    return result


def traced(leaf: Leaf, shape: Sequence[Dim] = ()) -> tuple[Any, Node | None]:
    """What the captured function receives for a leaf, and the Program's input for it, if there is one."""
    if leaf.kind == FIXED:
        return leaf.value, None
    if leaf.kind == INTEGER:
        return sizes.symbol(leaf.name), ir.input(leaf.name, ArrayType(np.dtype(np.int64), ()))
    if leaf.kind in (FLOAT, COMPLEX):
        node = ir.input(leaf.name, ArrayType(np.dtype(type(leaf.value)), ()))
        return Array(node, "python"), node
    node = ir.input(leaf.name, array_type(np.asarray(leaf.value)).with_shape(shape))
    return Array(Cell(node, node), "array" if leaf.kind == ARRAY else "scalar"), node
