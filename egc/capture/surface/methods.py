"""Methods and attributes of ndarray that are no function of NumPy's."""

from __future__ import annotations

from typing import Any

import numpy as np

from egc.capture import build
from egc.capture.array import Array, as_size, python_number, to_node
from egc.capture.indexing import getitem
from egc.capture.registry import attribute, method
from egc.capture.surface.arguments import equal, refuse

THEME = "methods"
PYTHON = {"b": bool, "i": np.int64, "u": np.int64, "f": np.float64, "c": np.complex128}


@method("item", theme=THEME)
def item(x, *index):
    """A Python number: the only element, or the one at an index."""
    if x.dtype == np.uint64:
        raise refuse("item of uint64", "egc keeps Python integers in 64 bits with a sign")
    index = index[0] if len(index) == 1 and isinstance(index[0], tuple) else index
    if not index:
        if not equal(x.size, 1):
            raise ValueError("can only convert an array of size 1 to a Python scalar")
        node = build.reshape(x.node, ())
    else:
        base = x if len(index) > 1 or x.ndim == 1 else Array(build.reshape(x.node, (x.size,)))
        if len(index) != base.ndim:
            raise ValueError("incorrect number of indices for array")
        node = getitem(base, tuple(as_size(k) for k in index)).node
    return python_number(build.cast(node, PYTHON[x.dtype.kind]))


@method("fill", theme=THEME)
def fill(x, value):
    node = build.cast(to_node(value), x.dtype) if isinstance(value, Array) else to_node(value, x.dtype)
    if node.type.rank:
        if node.type.size != 1:
            raise ValueError("setting an array element with a sequence.")
        node = build.reshape(node, ())
    x.write(build.broadcast_to(node, x.shape))


@attribute("itemsize")
def _itemsize(x: Array) -> Any:
    return x.dtype.itemsize


@attribute("nbytes")
def _nbytes(x: Array) -> Any:
    return x.size * x.dtype.itemsize
