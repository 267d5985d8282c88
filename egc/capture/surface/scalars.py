"""NumPy's scalar types called as conversions, and questions about dtypes."""

from __future__ import annotations

from typing import Any

import numpy as np

from egc.capture import build
from egc.capture.array import Array, as_array, promotion_key, result, to_node
from egc.capture.context import current
from egc.capture.registry import implements
from egc.capture.surface.arguments import is_traced, make, number, refuse
from egc.ir import Node
from egc.sizes import Size
from egc.types import SHORT

THEME = "scalar types"
WEAK = {int: 0, float: 0.0, complex: 0j}


def _conversion(scalar_type: Any) -> Any:
    dtype = np.dtype(scalar_type)

    def meaning(value=0, /):
        if not is_traced(value) and not isinstance(value, np.ndarray):
            return scalar_type(value)
        node = to_node(value)
        if node.type.dtype.kind == "c" and dtype.kind not in "cb":
            raise refuse(f"{dtype} of a complex number")
        if dtype.kind in "iu" and (isinstance(value, Size) or (isinstance(value, Array) and value.kind == "python")):
            _check_range(node, dtype)
        return result(build.cast(node, dtype))

    return meaning


def _check_range(node: Node, dtype: np.dtype) -> None:
    """A Python number that the integer type cannot hold raises in NumPy: such calls run as written."""
    kind = node.type.dtype
    if kind == dtype or kind.kind == "b":
        return
    limits = np.iinfo(dtype)
    if kind.kind == "i":
        unusual = make("less", node, number(max(limits.min, np.iinfo(kind).min), kind))
        if limits.max < np.iinfo(kind).max:
            unusual = make("logical_or", unusual, make("greater", node, number(limits.max, kind)))
    else:
        inside = make("less", current().make("absolute", node), number(2.0 ** (8 * dtype.itemsize - 1), kind))
        unusual = current().make("logical_not", inside)
    current().check(unusual)


for _type in (dtype.type for dtype in SHORT):
    implements(_type, theme=THEME)(_conversion(_type))


def _plain(value: Any) -> Any:
    """What NumPy's dtype functions see of an argument: a dtype, or a number for a weak one."""
    if isinstance(value, (Array, Size)):
        key = promotion_key(value)
        return WEAK.get(key, key) if isinstance(key, type) else key
    return as_array(value).dtype if isinstance(value, (list, tuple)) and is_traced(value) else value


@implements(np.result_type, theme="dtypes")
def result_type(*arrays_and_dtypes):
    return np.result_type(*map(_plain, arrays_and_dtypes))


@implements(np.can_cast, theme="dtypes")
def can_cast(from_, to, casting="safe"):
    return np.can_cast(from_.dtype if isinstance(from_, Array) else from_, to, casting)


@implements(np.common_type, theme="dtypes")
def common_type(*arrays):
    return np.common_type(*(np.empty(0, a.dtype) if isinstance(a, Array) else a for a in arrays))
