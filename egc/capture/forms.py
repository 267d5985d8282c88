"""Tangents and cotangents belong to arguments and results: they have the forms, shapes and kinds of these."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from egc.capture import arguments as trees
from egc.capture.arguments import Tree
from egc.capture.array import to_node
from egc.capture.build import cast
from egc.capture.context import current
from egc.capture.mapped import is_number
from egc.ir import Node
from egc.sizes import Dim


def matching(what: str, value: Any, like: Any, nodes: Sequence[Node]) -> list[Node]:
    """The leaves of tangents or cotangents, in the order of those of `like`, of which the numbers are the Nodes."""
    leaves: list[tuple[str, Any]] = []
    wanted: list[tuple[str, Any]] = []
    given, tree = trees.flatten(value, what, leaves), trees.flatten(like, what, wanted)
    order = _places(given, tree, what)
    pairs = [leaves[order[k]] for k, (_, leaf) in enumerate(wanted) if is_number(leaf)]
    return [fitting(name, leaf, node) for (name, leaf), node in zip(pairs, nodes, strict=True)]


def fitting(name: str, leaf: Any, node: Node, rows: int = 0) -> Node:
    """A tangent or cotangent of a Node, which must have its shape, after `rows` axes more."""
    if not is_number(leaf):
        raise TypeError(f"{name} is a {type(leaf).__name__} where a number or an array is needed")
    found = to_node(leaf)
    if found.type.dtype.kind == "c" and node.type.dtype.kind != "c":
        raise TypeError(f"{name} is complex where real numbers are needed")
    shape, wanted = found.type.shape[rows:], node.type.shape
    if len(shape) != len(wanted) or not all(current().same(a, b) for a, b in zip(shape, wanted)):
        raise TypeError(f"{name} has the shape {text(shape)} where {text(wanted)} is needed")
    return cast(found, node.type.dtype)


def text(shape: Sequence[Dim]) -> str:
    """A shape in the numbers of this call."""
    return str(tuple(current().value(dim) for dim in shape))


def _places(given: Tree, wanted: Tree, name: str) -> list[int]:
    """For each leaf of a tree, the number of the one in its place in another of the same form."""
    if wanted.build is None and given.build is None:
        return [given.position]
    children = given.children
    if isinstance(given.form, tuple) and isinstance(wanted.form, tuple) and set(given.form[1]) == set(wanted.form[1]):
        known = dict(zip(given.form[1], given.children))
        children = tuple(known[key] for key in wanted.form[1])
    elif given.form != wanted.form and {given.form, wanted.form} != {tuple, list}:
        raise TypeError(f"{name} has another form than what it belongs to")
    if len(children) != len(wanted.children):
        raise TypeError(f"{name} has {len(children)} parts where {len(wanted.children)} are needed")
    return [place for pair in zip(children, wanted.children) for place in _places(*pair, name)]
