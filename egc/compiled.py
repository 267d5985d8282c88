"""`optimize(f).compile(...)`: machine code of one kind of arguments, for callers other than Python."""

from __future__ import annotations

from typing import Any

import numpy as np

from egc.backend import Interface
from egc.callpath import entry_guards, unbound_guards
from egc.capture import Captured
from egc.capture.arguments import FIXED, Tree, array_type
from egc.errors import BackendError
from egc.pipeline import Plan


def interface(captured: Captured) -> Interface:
    """How a caller without Python's types sees a captured function. Raises BackendError where it cannot."""
    for guard in unbound_guards(captured):
        raise BackendError(f"machine code cannot check that {guard}, which this function was compiled for")
    if captured.checks:
        raise BackendError("the type of a result depends on data; only Python can tell")
    leaves = tuple(
        None if leaf.kind == FIXED else array_type(np.asarray(leaf.value)).with_shape(_shape(captured, position))
        for position, leaf in enumerate(captured.leaves)
    )
    results = _results(captured, captured.result_tree)
    constants = tuple(captured.constants.values())
    return Interface(
        captured.program, leaves, captured.leaf_inputs, constants, results, captured.writes, entry_guards(captured)
    )


def _shape(captured: Captured, leaf: int) -> tuple[Any, ...]:
    for position, node in zip(captured.leaf_inputs, captured.program.inputs):
        if position == leaf:
            return node.type.shape
    return np.asarray(captured.leaves[leaf].value).shape


def _results(captured: Captured, tree: Tree) -> Any:
    """Outputs by number, and arguments that are returned themselves as -1 - leaf; containers are tuples."""
    if tree.build is not None:
        return tuple(_results(captured, child) for child in tree.children)
    result = captured.results[tree.position]
    if result.kind in ("array", "scalar", "python"):
        return result.output
    if result.kind == "argument":
        return -1 - result.output
    raise BackendError(f"machine code cannot return a {result.kind} result; return arrays or numbers")


def export(plan: Plan) -> Any:
    """The backend's handle: `raw`, and `cfunc` and `address` where the backend has them."""
    make = getattr(plan.backend, "export", None)
    if make is None:
        raise BackendError(f"backend {plan.backend.name!r} has no code for other callers than Python")
    return make(plan.compiled, interface(plan.captured))
