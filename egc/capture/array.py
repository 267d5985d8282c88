"""The traced value: what a NumPy array or scalar is while a function is captured.

Arrays are cells. A view remembers the cell it looks into and how; a write through any of them replaces the cell's
Node, so every other view sees it, as in NumPy.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from egc import ir, sizes
from egc.capture import build
from egc.capture.context import array_type, current, tick
from egc.errors import NotEncodable
from egc.ir import Node
from egc.sizes import Size


class Cell:
    """Memory that an array owns: the Node of its contents now. `argument` is the input it came from, if any.

    `contiguous`: known to be laid out in C order. `rivals` may be the same memory, depending on the layout, which
    capture does not know: once one of them is written, the others are `stale` and cannot be read. `origin`: what such a
    cell shows of an argument, as a Node of the argument's. `serial`: when it was made, see `Context.tick`.
    `aliases`: memory that it is where a condition holds, which decided what a variable is bound to; None where the condition
    is not known. `exchanged`: memory that it may be since variables exchanged theirs in a loop, which only these reach.
    `outside`: whether it is an array from outside of the arguments.
    """

    __slots__ = (
        "node",
        "argument",
        "written",
        "contiguous",
        "rivals",
        "stale",
        "origin",
        "serial",
        "aliases",
        "exchanged",
        "outside",
    )

    def __init__(self, node: Node, argument: Node | None = None):
        self.node, self.argument, self.written = node, argument, False
        self.contiguous, self.stale, self.outside = False, False, False
        self.rivals: list[Cell] = []
        self.origin: Node | None = None
        self.serial = tick()
        self.aliases: dict[Cell, Node | None] = {}
        self.exchanged: tuple[Cell, ...] = ()

    def rival(self, other: Cell) -> None:
        """Notes that the two may share memory."""
        for cell in (other, *other.rivals):
            if cell is not self and cell not in self.rivals:
                cell.rivals.append(self)
                self.rivals.append(cell)

    def touch(self) -> None:
        """Notes that the contents were written. NotEncodable when an argument may have been written with them."""
        if any(cell.argument is not None for cell in self.rivals):
            raise NotEncodable(
                "a write into a reshaped argument", "whether it is a view depends on its layout", current().line
            )
        current().note(self)
        self.written = True
        for cell in self.rivals:
            current().note(cell)
            cell.stale = True


@dataclass(frozen=True)
class View:
    """One step from a base to a part of it: `read(base)` is the part; `write(base, part)` the base with it replaced.

    `contiguous`: the part of a base in C order is in C order too.
    """

    read: Callable[[Node], Node]
    write: Callable[[Node, Node], Node]
    contiguous: bool = False


if TYPE_CHECKING:

    def _operator(self: Any, other: Any) -> Any: ...


KINDS = ("array", "scalar", "python")
PYTHON_ATTRIBUTES = ("real", "imag", "conjugate")


class Array:
    """A traced array, NumPy scalar or Python number.

    kind: `array` (an ndarray, mutable), `scalar` (a NumPy scalar) or `python` (a Python float, int, complex or bool,
    which is weak in NumPy's promotion). `node` is its contents now. `mixed`: for a scalar, the kinds of dtypes of the Python
    numbers that it is in some cases.
    """

    __slots__ = ("cell", "path", "kind", "writeable", "mixed", "_seen", "_node")

    __array_priority__ = 1000

    traced = True
    """What `egc.special` asks for."""

    if TYPE_CHECKING:
        __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = _operator
        __floordiv__ = __mod__ = __rmod__ = __pow__ = __and__ = __or__ = __matmul__ = _operator
        __lt__ = __le__ = __gt__ = __ge__ = __divmod__ = _operator
        __invert__: Any

    def __init__(self, node: Node | Cell, kind: str = "array", path: tuple[View, ...] = (), writeable: bool = True):
        self.cell = node if isinstance(node, Cell) else Cell(node)
        self.path, self.kind, self.writeable, self.mixed = path, kind, writeable, ""
        self._seen: Node | None = None
        self._node: Node | None = None

    @property
    def node(self) -> Node:
        base = self.cell.node
        if self.cell.stale:
            raise NotEncodable(
                "an array that may share memory with one that was written",
                "whether a reshaped array is a view depends on its layout",
                current().line,
            )
        if self._seen is not base or self._node is None:
            node = base
            for step in self.path:
                node = step.read(node)
            self._seen, self._node = base, node
        return self._node

    def write(self, value: Node) -> None:
        """Replaces the contents; every view of the same cell sees it."""
        if self.cell.outside:
            raise NotEncodable("writing into an array", "it is from outside of the arguments", current().line)
        if not self.writeable:
            raise ValueError("assignment destination is read-only")
        self.cell.touch()
        self.cell.node = _write(self.path, self.cell.node, value)

    def view(self, step: View, writeable: bool = True) -> Array:
        return Array(self.cell, "array", (*self.path, step), self.writeable and writeable)

    def part(self, read: Callable[[Node], Node] = lambda base: base) -> Node | None:
        """What it shows of the argument that it may look into, and `read` of that; None when it owns its memory."""
        node = self.cell.origin if self.cell.argument is None else self.cell.argument
        if node is None:
            return None
        for step in self.path:
            node = step.read(node)
        return read(node)

    @property
    def contiguous(self) -> bool:
        """Whether the elements are known to lie in C order without gaps."""
        return self.cell.contiguous and all(step.contiguous for step in self.path)

    @property
    def dtype(self) -> np.dtype:
        return self.node.type.dtype

    @property
    def shape(self) -> tuple[Any, ...]:
        return self.node.type.shape

    @property
    def ndim(self) -> int:
        return self.node.type.rank

    @property
    def size(self) -> Any:
        return self.node.type.size

    def __len__(self) -> int:
        if not self.ndim:
            raise TypeError("len() of unsized object")
        return current().concretize(self.shape[0])

    def __bool__(self) -> bool:
        raise NotEncodable("a branch on data", "the value is not known before the function runs", current().line)

    def __int__(self) -> int:
        raise NotEncodable("int() of data", "the value is not known before the function runs", current().line)

    __index__ = __int__

    def __float__(self) -> float:
        raise NotEncodable("float() of data", "the value is not known before the function runs", current().line)

    def __complex__(self) -> complex:
        raise NotEncodable("complex() of data", "the value is not known before the function runs", current().line)

    def __hash__(self) -> int:
        if self.kind == "array":
            raise TypeError("unhashable type: 'numpy.ndarray'")
        raise NotEncodable("a hash of data", "the value is not known before the function runs", current().line)

    def __iter__(self) -> Any:
        if not self.ndim:
            raise TypeError("iteration over a 0-d array")
        return iter([self[i] for i in range(len(self))])

    def __getattr__(self, name: str) -> Any:
        if self.kind == "python" and name not in PYTHON_ATTRIBUTES:
            raise NotEncodable(f"the attribute {name} of a Python number", "egc does not encode it", current().line)
        prop = PROPERTIES.get(name)
        if prop is not None:
            return prop(self)
        method = METHODS.get(name)
        if self.mixed:
            raise mixed_number(f"the attribute {name}")
        if method is None or name.startswith("__"):
            if not hasattr(np.ndarray, name):
                owner = "ndarray" if self.kind == "array" else self.dtype.name
                raise AttributeError(f"'numpy.{owner}' object has no attribute {name!r}")
            raise NotEncodable(f"the attribute {name}", "egc does not encode it", current().line)
        return BoundMethod(method, self, name)

    def __getitem__(self, index: Any) -> Any:
        return OPERATORS["getitem"](self, index)

    def __setitem__(self, index: Any, value: Any) -> None:
        OPERATORS["setitem"](self, index, value)

    def __array__(self, *options: Any, **named: Any) -> np.ndarray:
        raise NotEncodable(
            "a conversion to an array", "the values are not known before the function runs", current().line
        )

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *operands: Any, **options: Any) -> Any:
        return OPERATORS["ufunc"](ufunc, method, operands, options)

    def __array_function__(self, function: Any, types: Any, arguments: Any, options: Any) -> Any:
        return OPERATORS["function"](function, arguments, options)

    def __repr__(self) -> str:
        return f"<traced {self.kind} {self.node.type}>"


class BoundMethod:
    """A method of a traced array, ready to call."""

    __slots__ = ("method", "owner", "__name__")

    def __init__(self, method: Callable[..., Any], owner: Array, name: str):
        self.method, self.owner, self.__name__ = method, owner, name

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        return self.method(self.owner, *arguments, **options)


METHODS: dict[str, Callable[..., Any]] = {}
"""Methods of ndarray that capture knows, by name; filled when the NumPy surface is imported."""

PROPERTIES: dict[str, Callable[[Array], Any]] = {}
"""Attributes of ndarray that capture knows, other than dtype, shape, ndim and size."""

OPERATORS: dict[str, Callable[..., Any]] = {}
"""What Array's own protocol methods call: `getitem`, `setitem`, `ufunc`, `function`."""


def _write(path: Sequence[View], base: Node, value: Node) -> Node:
    if not path:
        return value
    step, *rest = path
    return step.write(base, _write(rest, step.read(base), value) if rest else value)


WEAK = {bool: np.dtype(bool), int: np.dtype(np.int64), float: np.dtype(float), complex: np.dtype(complex)}
WEAK_OF_KIND = {"b": bool, "i": int, "u": int, "f": float, "c": complex}


def mixed_number(what: str) -> NotEncodable:
    return NotEncodable(what, "a number is Python's in one case and NumPy's in another", current().line)


def promotion_keys(value: Any) -> tuple[Any, ...]:
    """What NumPy's promotion sees of an operand, in all cases."""
    if isinstance(value, Array) and value.mixed:
        return (value.dtype, *(WEAK_OF_KIND[kind] if kind != "b" else np.dtype(bool) for kind in value.mixed))
    return (promotion_key(value),)


def promotion_key(value: Any) -> Any:
    """What NumPy's promotion sees of an operand: a dtype, or `int`, `float`, `complex` for a Python number."""
    if isinstance(value, Array):
        if value.mixed:
            raise mixed_number("an operation")
        return WEAK_OF_KIND[value.dtype.kind] if value.kind == "python" and value.dtype.kind != "b" else value.dtype
    if isinstance(value, bool):
        return np.dtype(bool)
    if isinstance(value, (int, Size)):
        return int
    if isinstance(value, np.generic):
        return value.dtype
    if isinstance(value, (float, complex)):
        return type(value)
    return np.asarray(value).dtype


def kind_of_value(value: Any) -> str:
    """Which of the kinds of traced values a number or array is."""
    if isinstance(value, Array):
        return value.kind
    return "array" if isinstance(value, np.ndarray) else "scalar" if isinstance(value, np.generic) else "python"


def to_node(value: Any, dtype: np.dtype | None = None) -> Node:
    """The Node of any operand: traced, a size, a number, an array, or a nested sequence of these."""
    if isinstance(value, Array):
        if dtype is None and value.mixed not in ("", value.dtype.kind):
            raise mixed_number("an operation")
        node = value.node
    elif isinstance(value, Size):
        node = ir.size(value, current().line)
    elif isinstance(value, (bool, int, float, complex, np.generic)):
        return _number(value, dtype)
    elif isinstance(value, np.ndarray):
        node = _concrete_array(value)
    elif isinstance(value, (list, tuple)) and any(map(_has_traced, value)):
        node = OPERATORS["array"](value).node
    else:
        node = _concrete_array(np.asarray(value))
    return node if dtype is None else build.cast(node, dtype)


def _number(value: Any, dtype: np.dtype | None) -> Node:
    natural = np.asarray(value).dtype if isinstance(value, np.generic) else WEAK[type(value)]
    target = natural if dtype is None else dtype
    if target.kind in "iu" and isinstance(value, int) and not isinstance(value, bool):
        np.array(value, dtype=target)
    array_type(np.empty((), target))
    return ir.constant(value, target, line=current().line)


def _concrete_array(value: np.ndarray) -> Node:
    array_type(value)
    if value.size and (value.ndim == 0 or value.size <= 64) and _uniform(value):
        return ir.constant(value.flat[0], value.dtype, value.shape, line=current().line)
    return current().constant_array(value)


def _uniform(value: np.ndarray) -> bool:
    first = value.flat[0].tobytes()
    return all(element.tobytes() == first for element in value.flat)


def _has_traced(value: Any) -> bool:
    if isinstance(value, (list, tuple)):
        return any(map(_has_traced, value))
    return isinstance(value, (Array, Size))


has_traced = _has_traced


def result(node: Node) -> Array:
    """What a ufunc or reduction returns: an array, or a NumPy scalar for rank 0."""
    return Array(node, "scalar" if not node.type.shape else "array")


def fresh(node: Node) -> Array:
    """A new ndarray with these contents."""
    return Array(node, "array")


def python_number(node: Node) -> Array:
    """A Python number."""
    return Array(node, "python")


def as_array(value: Any) -> Array:
    """`np.asarray`: traced arrays stay themselves."""
    return value if isinstance(value, Array) and value.kind == "array" else Array(to_node(value))


def as_size(value: Any, what: str = "a size") -> Any:
    """A concrete or symbolic integer used as a length, shape or position. NotEncodable for data."""
    if isinstance(value, (Size, bool, int)):
        return value
    if isinstance(value, Array):
        node = value.node
        if node.op == "size":
            return node.params["value"]
        if node.op == "constant" and isinstance(node.params["value"], int):
            return node.params["value"]
        raise NotEncodable(
            f"{what} that depends on data", "shapes must follow from the arguments' shapes", current().line
        )
    return sizes.product(
        (int(np.asarray(value).__index__() if not hasattr(value, "__index__") else value.__index__()),)
    )


def as_shape(shape: Any) -> tuple[Any, ...]:
    """A shape argument: an integer or a sequence of them."""
    if isinstance(shape, (list, tuple)):
        return tuple(as_size(dim) for dim in shape)
    if isinstance(shape, np.ndarray):
        return tuple(int(dim) for dim in np.atleast_1d(shape))
    return (as_size(shape),)


def concrete_int(value: Any) -> int:
    """An integer argument that must be known at capture, such as an axis; guarded when it is a size."""
    return current().concretize(as_size(value, "an integer"))
