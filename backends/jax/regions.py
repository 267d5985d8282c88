"""Programs in JAX, loops and branches among their Nodes: `lax.fori_loop`, `while_loop` and `cond`.

What NumPy would raise inside of a loop is carried along as flags. A loop ends once one is set.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from egc import ops
from egc.backends.jax.ops import gap
from egc.backends.jax.scope import Scope, ragged_gap, regions_of
from egc.backends.jax.table import EMIT, Errors
from egc.ir import Node, Program
from egc.sizes import Dim
from egc.types import ArrayType, TupleType

Flags = dict[tuple[str, str], Any]

RAISED: tuple[type[Exception], ...] = (IndexError, ValueError, np.linalg.LinAlgError)
"""What an emitter raises for shapes that are wrong whatever the data."""


def emit(errors: Errors, program: Program, values: dict[Node, Any], scope: Scope) -> tuple[Any, ...]:
    """The outputs as traced values; `values` has those of the inputs."""
    for node in program.nodes():
        if node in values:
            continue
        operands = [values[child] for child in node.inputs]
        if node.op in ("loop", "cond"):
            run = _loop if node.op == "loop" else _cond
            result = run(errors, node, scope, *operands)
        elif not scope.inside:
            result = EMIT[node.op](errors, scope.params(node.params), *operands)
        else:
            result = _inside(errors, node, scope, operands)
        values[node] = _typed(node, result)
    return tuple(values[node] for node in program.outputs)


def _typed(node: Node, result: Any) -> Any:
    if isinstance(node.type, TupleType):
        return tuple(jnp.asarray(part, type.dtype) for part, type in zip(result, node.type.items, strict=True))
    return jnp.asarray(result, node.type.dtype)


def _inside(errors: Errors, node: Node, scope: Scope, operands: Sequence[Any]) -> Any:
    """A Node of a region, which may never run: an error that is certain here is one of the run."""
    try:
        special = INSIDE.get(node.op)
        if special is not None:
            return special(errors, node, scope, *operands)
        return EMIT[node.op](errors, scope.params(node.params), *operands)
    except RAISED as error:
        errors.when(jnp.asarray(True), type(error).__name__, str(error))
        parts = (node.type,) if isinstance(node.type, ArrayType) else node.type.items
        found = tuple(jnp.zeros(scope.shape(part.shape), part.dtype) for part in parts)
        return found[0] if isinstance(node.type, ArrayType) else found


Inside = Callable[..., Any]


def _positions(errors: Errors, scope: Scope, length: Dim, start: Dim, count: Dim, step: int) -> Any:
    """The elements of a window along an axis; IndexError where one lies outside. Those past `count` are any."""
    last = start + (count - 1) * step
    sure = all(scope.holds(each) and scope.holds(length - 1 - each) for each in (start, last))
    size, first, number, end = map(scope.value, (length, start, count, last))
    if not sure:
        wrong = (number > 0) & ((first < 0) | (first >= size) | (end < 0) | (end >= size))
        if not isinstance(wrong, bool) or wrong:
            errors.when(jnp.asarray(wrong), "IndexError", f"slice is out of bounds for axis of size {length}")
    return jnp.clip(first + jnp.arange(scope.most(count)) * step, 0, jnp.maximum(size - 1, 0))


def _slice(errors: Errors, node: Node, scope: Scope, x: Any) -> Any:
    params = node.params
    lengths = node.inputs[0].type.shape
    if not any(map(scope.varies, (*params["start"], *params["size"], *lengths))):
        return EMIT["slice"](errors, scope.params(params), x)
    starts, most = [scope.value(part) for part in params["start"]], scope.shape(params["size"])
    places = [
        _positions(errors, scope, *axis) for axis in zip(lengths, params["start"], params["size"], params["step"])
    ]
    if not x.size:
        return jnp.zeros(most, x.dtype)
    fits = all(size <= length for size, length in zip(most, x.shape))
    if fits and plain_lengths(scope, params["size"]) and all(step == 1 for step in params["step"]):
        return lax.dynamic_slice(x, [jnp.asarray(start, np.int64) for start in starts], most)
    for axis, place in enumerate(places):
        if most[axis] != x.shape[axis] or scope.varies(params["start"][axis]) or params["step"][axis] != 1:
            x = jnp.take(x, place, axis=axis, mode="clip")
    return x


def plain_lengths(scope: Scope, lengths: Sequence[Any]) -> bool:
    return not any(map(scope.varies, lengths))


def _update_slice(errors: Errors, node: Node, scope: Scope, x: Any, value: Any) -> Any:
    params, type = node.params, node.inputs[1].type
    if not any(map(scope.varies, (*params["start"], *type.shape, *node.type.shape))):
        return EMIT["update_slice"](errors, scope.params(params), x, value)
    starts, counts = [scope.value(part) for part in params["start"]], list(map(scope.value, type.shape))
    places = [
        _positions(errors, scope, *axis) for axis in zip(node.type.shape, params["start"], type.shape, params["step"])
    ]
    if not value.size or not x.size:
        return x
    if plain_lengths(scope, type.shape) and all(step == 1 for step in params["step"]):
        fits = all(size <= length for size, length in zip(value.shape, x.shape))
        if fits:
            return lax.dynamic_update_slice(x, value, [jnp.asarray(start, np.int64) for start in starts])
    kept = []
    for axis, place in enumerate(places):
        inside = jnp.arange(value.shape[axis]) < counts[axis]
        kept.append(jnp.where(inside, place, x.shape[axis]))
    return x.at[jnp.ix_(*kept)].set(value, mode="drop") if kept else value


IDENTITIES = {"sum": 0, "prod": 1, "any": False, "all": True}


def _reduction(errors: Errors, node: Node, scope: Scope, x: Any) -> Any:
    mask = scope.mask(node.inputs[0].type.shape)
    if mask is not None:
        if node.op in ("max", "min"):
            count = [scope.value(node.inputs[0].type.shape[axis]) for axis in node.params["axes"]]
            some = jnp.all(jnp.stack([jnp.asarray(each) > 0 for each in count]))
            errors.when(~some, "ValueError", "zero-size array to reduction operation which has no identity")
            identity = _least(x.dtype, node.op == "min")
        else:
            identity = IDENTITIES[node.op]
        x = jnp.where(mask, x, jnp.asarray(identity, x.dtype))
    return EMIT[node.op](errors, scope.params(node.params), x)


def _arg_reduction(errors: Errors, node: Node, scope: Scope, x: Any) -> Any:
    shape, axis = node.inputs[0].type.shape, node.params["axis"]
    mask = scope.mask(shape)
    if mask is not None:
        some = jnp.asarray(scope.value(shape[axis])) > 0
        errors.when(~some, "ValueError", "attempt to get argmax of an empty sequence")
        x = jnp.where(mask, x, jnp.asarray(_least(x.dtype, node.op == "argmin"), x.dtype))
    return EMIT[node.op](errors, scope.params(node.params), x)


def _least(dtype: np.dtype, largest: bool) -> Any:
    if dtype.kind == "b":
        return largest
    limits: Any = np.iinfo(dtype) if dtype.kind in "iu" else np.finfo(dtype)
    return (np.inf if largest else -np.inf) if dtype.kind == "f" else limits.max if largest else limits.min


def _matmul(errors: Errors, node: Node, scope: Scope, a: Any, b: Any) -> Any:
    masked = []
    for value, child in zip((a, b), node.inputs):
        mask = scope.mask(child.type.shape)
        masked.append(value if mask is None else jnp.where(mask, value, jnp.zeros((), value.dtype)))
    return EMIT["matmul"](errors, {}, *masked)


INSIDE: dict[str, Inside] = {
    "slice": _slice,
    "update_slice": _update_slice,
    **dict.fromkeys(["sum", "prod", "max", "min", "any", "all"], _reduction),
    **dict.fromkeys(["argmax", "argmin"], _arg_reduction),
    "matmul": _matmul,
}
"""Ops that may have traced positions or padded operands in regions."""


def _region(region: Program, scope: Scope, operands: Sequence[Any]) -> tuple[tuple[Any, ...], Flags]:
    errors = Errors()
    results = emit(errors, region, dict(zip(region.inputs, operands)), scope)
    return results, errors.flags


def _keys(function: Callable[..., tuple[Any, Flags]], *operands: Any) -> list[tuple[str, str]]:
    """The exceptions that a region may have to raise, in order."""
    found: list[tuple[str, str]] = []

    def traced(*values: Any) -> Any:
        results, flags = function(*values)
        found[:] = list(flags)
        return results

    jax.eval_shape(traced, *operands)
    return found


def _joined(keys: Sequence[tuple[str, str]], before: Flags, flags: Flags, when: Any = True) -> Flags:
    return {key: before[key] | (flags[key] & when) if key in flags else before[key] for key in keys}


def _loop(errors: Errors, node: Node, scope: Scope, *operands: Any) -> tuple[Any, ...]:
    params = node.params
    counted, number = params["counted"], params["states"]
    update, pre, post = (params[name] for name in ("update", "pre", "post"))
    count: Any = operands[0] if counted else None
    given = operands[1:] if counted else operands
    states, others = tuple(given[:number]), tuple(given[number:])
    if counted:
        name = update.inputs[0].params["name"]
        counts = {**scope.counts, name: static_count(node.inputs[0], scope)}

    def run(region: Program, index: Any, states: tuple[Any, ...]) -> tuple[tuple[Any, ...], Flags]:
        if not counted:
            return _region(region, replace(scope, inside=True), (*states, *others))
        inner = Scope(scope.static, {**scope.traced, name: index}, counts, True)
        return _region(region, inner, (index, *states, *others))

    zero = jnp.asarray(0, np.int64)
    keys: dict[tuple[str, str], None] = {}
    for region in (pre, update, post):
        if region is not None:
            keys.update(dict.fromkeys(_keys(lambda *values, r=region: run(r, values[0], values[1:]), zero, *states)))
    clear = {key: jnp.asarray(False) for key in keys}
    if counted and pre is None and post is None and not keys:
        return lax.fori_loop(zero, jnp.maximum(count, 0), lambda i, values: run(update, i, values)[0], states)

    def goes_on(index: Any, values: tuple[Any, ...], flags: Flags) -> tuple[Any, Flags]:
        """Whether there is another iteration."""
        on = jnp.asarray(True) if count is None else index < count
        if pre is not None:
            (holds,), raised = run(pre, index, values)
            flags = _joined(list(keys), flags, raised, on)
            on = on & holds
        for flag in flags.values():
            on = on & ~flag
        return on, flags

    def body(carried: Any) -> Any:
        _, index, values, flags = carried
        values, raised = run(update, index, values)
        flags = _joined(list(keys), flags, raised)
        stays: Any = jnp.asarray(True)
        if post is not None:
            (stays,), raised = run(post, index, values)
            flags = _joined(list(keys), flags, raised)
        on, later = goes_on(index + 1, values, flags)
        return on & stays, index + 1, values, {key: flags[key] | (later[key] & stays) for key in keys}

    first, flags = goes_on(zero, states, clear)
    start = (first, zero, states, flags)
    _, _, values, flags = lax.while_loop(lambda carried: carried[0], body, start)
    for (kind, message), flag in flags.items():
        errors.when(flag, kind, message)
    return tuple(values)


def static_count(node: Node, scope: Scope) -> int | None:
    """The number of iterations, where sizes tell it."""
    size = count_size(node)
    return scope.most(size) if size is not None else None


def count_size(node: Node) -> Any:
    if node.op == "constant":
        return int(node.params["value"])
    return node.params["value"] if node.op == "size" else None


def _cond(errors: Errors, node: Node, scope: Scope, condition: Any, *operands: Any) -> tuple[Any, ...]:
    branches = [node.params[name] for name in ("then", "otherwise")]
    keys: dict[tuple[str, str], None] = {}
    inner = replace(scope, inside=True)
    for branch in branches:
        keys.update(dict.fromkeys(_keys(lambda *values, b=branch: _region(b, inner, values), *operands)))

    def taken(branch: Program) -> Callable[..., Any]:
        def run(*values: Any) -> Any:
            results, flags = _region(branch, inner, values)
            return results, {key: flags.get(key, jnp.asarray(False)) for key in keys}

        return run

    results, flags = lax.cond(condition, *map(taken, branches), *operands)
    for (kind, message), flag in flags.items():
        errors.when(flag, kind, message)
    return tuple(results)


def gaps(program: Program, platform: str, counts: Mapping[str, Any] | None = None) -> list[tuple[Node, str]]:
    """The Nodes that JAX cannot run, and why, those of regions among them."""
    counts = counts or {}
    found: list[tuple[Node, str]] = []
    for node in program.nodes():
        if node.op == "input":
            continue
        why = None if node.op in ("loop", "cond") else gap(node, platform)
        why = why or (ragged_gap(node, ops.OPS[node.op].kind, counts) if counts else None)
        if why is not None:
            found.append((node, why))
        inside = dict(counts)
        if node.op == "loop" and node.params["counted"]:
            inside[node.params["update"].inputs[0].params["name"]] = count_size(node.inputs[0])
        for region in regions_of(node):
            found += gaps(region, platform, inside)
    return found
