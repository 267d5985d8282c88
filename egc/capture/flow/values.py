"""The values of variables as trees of leaves, and what two values of one leaf have in common."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from egc import ir, sizes
from egc.capture import arguments as trees
from egc.capture import build
from egc.capture.arguments import Tree
from egc.capture.array import WEAK, Array, to_node
from egc.capture.context import current
from egc.errors import NotEncodable
from egc.ir import Node
from egc.sizes import Size
from egc.types import SHORT, Shape

NUMBERS = (bool, int, float, complex, np.generic, Size)
MISSING = object()
"""The value of a variable that is not defined yet."""


@dataclass(frozen=True)
class Kind:
    """What a number or an array is: `python`, `scalar` or `array`, with its dtype and shape; see `Array.mixed`."""

    kind: str
    dtype: np.dtype
    shape: Shape = ()
    mixed: str = ""

    def value(self, node: Node) -> Array:
        made = Array(node, self.kind)
        made.mixed = self.mixed
        return made

    def node(self, value: Any) -> Node:
        """A number or array as a Node of this kind."""
        return build.cast(value.node if isinstance(value, Array) else to_node(value), self.dtype)

    @property
    def placeholder(self) -> Any:
        """A Node of this kind that stands for no value."""
        return ir.constant(0, self.dtype, self.shape)


def differs(what: str, why: str) -> NotEncodable:
    return NotEncodable(what, why, current().line)


def kind_of(value: Any) -> Kind | None:
    """The Kind of a number or array; None for any other value."""
    if isinstance(value, Array):
        return Kind(value.kind, value.dtype, value.shape, value.mixed)
    if isinstance(value, np.generic):
        return Kind("scalar", value.dtype) if value.dtype in SHORT else None
    if type(value) in WEAK:
        if type(value) is int and value not in trees.INT64_RANGE:
            return None
        return Kind("python", WEAK[type(value)])
    return Kind("python", WEAK[int]) if isinstance(value, Size) else None


def same(a: Any, b: Any) -> bool:
    """Whether two leaves are certainly the same value."""
    if a is b:
        return True
    if isinstance(a, Array) and isinstance(b, Array):
        if a.kind != b.kind or a.mixed != b.mixed:
            return False
        return (a.cell is b.cell and _same_path(a, b)) if a.kind == "array" else a.node is b.node
    if type(a) is not type(b) or isinstance(a, (Array, np.ndarray)):
        return False
    if isinstance(a, float):
        return repr(a) == repr(b)
    try:
        return bool(a == b)
    except Exception:
        return False


def _same_path(a: Array, b: Array) -> bool:
    """Whether two views of one array show the same part of it."""
    if a.path == b.path:
        return True
    whole = shown = ir.input("whole", a.cell.node.type)
    for step in a.path:
        shown = step.read(shown)
    for step in b.path:
        whole = step.read(whole)
    return shown is whole


def common(a: Any, b: Any, name: str) -> Kind:
    """The Kind of a variable that is a number or array `a` in one case and `b` in the other.

    Numbers are promoted as NumPy promotes them, where no value changes. NotEncodable for what has nothing in common.
    """
    first, second = kind_of(a), kind_of(b)
    what = f"the variable {name}" if not name.startswith("$") else "a value"
    if first is None or second is None:
        raise differs(what, "it is of different types in different cases")
    if first == second:
        return first
    if "array" in (first.kind, second.kind):
        if _alike_now(first, second):
            current().begin_again()
        raise differs(what, "it has different shapes or dtypes in different cases")
    if first.kind == second.kind == "python":
        return Kind("python", np.result_type(first.dtype, second.dtype))
    if first.kind == "python" or second.kind == "python":
        python, weak, other = (first, a, second) if first.kind == "python" else (second, b, first)
        dtype = np.result_type(other.dtype, _weak(python.dtype))
        if not _exact(weak, python.dtype, dtype):
            raise differs(what, f"it is a Python number in one case and {other.dtype} in another")
        return Kind("scalar", dtype, mixed=_joined(python.dtype.kind, first.mixed, second.mixed))
    if first.dtype == second.dtype:
        return Kind("scalar", first.dtype, mixed=_joined(first.mixed, second.mixed))
    raise differs(what, f"it is {first.dtype} in one case and {second.dtype} in another")


def _alike_now(first: Kind, second: Kind) -> bool:
    """Whether two Kinds of arrays differ by sizes only, not by the numbers of iterations, and these are equal for the arguments
    at hand. Guarded: from now on they are one."""
    if replace(first, shape=()) != replace(second, shape=()) or len(first.shape) != len(second.shape):
        return False
    context = current()
    numbers = {name for dim in (*first.shape, *second.shape) for name in sizes.symbols(dim)} - set(context.hints)
    return not numbers and all(context.alike(a, b) for a, b in zip(first.shape, second.shape))


def _joined(*kinds: str) -> str:
    return "".join(sorted(set("".join(kinds))))


def _weak(dtype: np.dtype) -> Any:
    return {"b": np.dtype(bool), "i": 0, "f": 0.0, "c": 0j}[dtype.kind]


def _exact(value: Any, natural: np.dtype, dtype: np.dtype) -> bool:
    """Whether a Python number keeps its value as a NumPy scalar of a dtype."""
    if natural == dtype:
        return True
    if isinstance(value, Array):
        if value.node.op != "constant":
            return False
        value = value.node.params["value"]
    if isinstance(value, Size):
        return False
    converted = np.asarray(value).astype(dtype).item()
    return bool(converted == value) or value != value


class Contents:
    """What arrays hold at one moment; cells change later."""

    def __init__(self, values: Iterable[Any]):
        self.nodes = {id(leaf): leaf.node for value in values for leaf in flatten(value)[1] if _is_array(leaf)}

    def node_of(self, value: Any, kind: Kind) -> Node:
        """A number or array as a Node of a Kind."""
        found = self.nodes.get(id(value))
        return kind.node(value) if found is None else build.cast(found, kind.dtype)


def _is_array(leaf: Any) -> bool:
    return isinstance(leaf, Array) and not leaf.cell.stale


def flatten(value: Any) -> tuple[Tree, list[Any]]:
    """A value as a tree of leaves. Containers that the function has not made itself are leaves."""
    leaves: list[tuple[str, Any]] = []
    tree = trees.flatten(value, "value", leaves)
    return tree, [leaf for _, leaf in leaves]


def alike(a: Tree, b: Tree) -> bool:
    """Whether two trees have the same form."""
    if (a.build is None) != (b.build is None) or len(a.children) != len(b.children):
        return False
    return bool(a.form == b.form) and all(map(alike, a.children, b.children))


def mentions_symbol(shape: Sequence[Any], symbol: str) -> bool:
    return any(isinstance(dim, Size) and symbol in sizes.symbols(dim) for dim in shape)
