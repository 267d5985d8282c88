"""Runs a function of arrays plainly and as a captured composition of ops, and compares everything NumPy defines."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import egc.capture.surface  # noqa: F401
from egc import ir, sizes
from egc.backends.reference import evaluate
from egc.capture.array import Array, to_node
from egc.capture.context import Context, Restart, _current, active, equated
from egc.capture.registry import lookup
from egc.errors import EgcError, NotEncodable
from egc.types import ArrayType

RELATIVE = {np.dtype(np.float32): 2e-5, np.dtype(np.complex64): 2e-5}


@dataclass
class Captured:
    """A captured call: what it returned, the Nodes behind it, and what it wrote into its arguments."""

    inputs: tuple[ir.Node, ...]
    result: Any
    nodes: list[ir.Node]
    written: dict[int, ir.Node]
    context: Context

    def outputs(self) -> list[ir.Node]:
        return [*self.nodes, *self.written.values(), *self.context.checks]


def leaves(value: Any) -> Iterator[Any]:
    """The arrays and numbers of a result, in order."""
    if isinstance(value, (tuple, list)):
        for item in value:
            yield from leaves(item)
    else:
        yield value


def capture(function: Callable[..., Any], arrays: Sequence[Any]) -> Captured:
    """Calls `function` on traced arrays: every length but 1 is a symbol, until it must equal another."""
    known: dict[str, Any] = {}
    hints = {f"n{i}_{axis}": n for i, a in enumerate(arrays) for axis, n in enumerate(np.shape(a))}
    while True:
        context = Context(hints)
        traced = []
        for i, a in enumerate(arrays):
            dims = [
                sizes.substitute(sizes.symbol(f"n{i}_{k}"), known) if n != 1 else 1 for k, n in enumerate(np.shape(a))
            ]
            node = ir.input(f"x{i}", ArrayType(np.asarray(a).dtype, tuple(dims)))
            kind = "array" if isinstance(a, np.ndarray) else "scalar" if isinstance(a, np.generic) else "python"
            traced.append(Array(node, kind))
            traced[-1].cell.argument = node
        try:
            with active(context):
                result = function(*traced)
                nodes = [leaf.node for leaf in leaves(result) if isinstance(leaf, Array)]
                written = {i: a.cell.node for i, a in enumerate(traced) if a.cell.written}
        except Restart as restart:
            known = equated(known, restart.equal)
            continue
        inputs = tuple(a.cell.argument for a in traced if a.cell.argument is not None)
        return Captured(inputs, result, nodes, written, context)


def run(captured: Captured, arrays: Sequence[Any]) -> tuple[list[Any], list[Any], list[bool]]:
    """The leaves of the result, the arguments afterwards, and the checks that turned out true."""
    constants = captured.context.constants
    extra = {node.params["name"]: node for node in captured.context.constant_nodes.values()}
    program = ir.Program((*captured.inputs, *(extra[name] for name in constants)), tuple(captured.outputs()))
    given = [*arrays, *constants.values()]
    bindings = program.bind(given)
    values = list(evaluate(program, given))
    found = list(leaves(captured.result))
    sized = [sizes.evaluate(leaf, bindings) if isinstance(leaf, sizes.Size) else leaf for leaf in found]
    result = [values.pop(0) if isinstance(leaf, Array) else leaf for leaf in sized]
    after = [values.pop(0) if i in captured.written else a for i, a in enumerate(arrays)]
    return result, after, [bool(v) for v in values]


def plain(function: Callable[..., Any], arrays: Sequence[Any]) -> tuple[Any, list[Any]]:
    copies = [copy.deepcopy(a) for a in arrays]
    with np.errstate(all="ignore"):
        result = function(*copies)
    return copy.deepcopy(result), copies


def assert_equal(actual: Any, expected: Any, tolerance: float = 1.0) -> None:
    """Same dtype and shape; exact for integers and bools, up to rounding for floats."""
    actual, expected = np.asarray(actual), np.asarray(expected)
    assert actual.dtype == expected.dtype
    assert actual.shape == expected.shape
    if expected.dtype.kind not in "fc":
        np.testing.assert_array_equal(actual, expected)
        return
    relative = tolerance * RELATIVE.get(expected.dtype, 1e-12)
    finite = expected[np.isfinite(expected)]
    scale = float(np.max(np.abs(finite), initial=0.0))
    np.testing.assert_allclose(actual, expected, rtol=relative, atol=relative * scale, equal_nan=True)


def _kind(value: Any) -> str:
    return "array" if isinstance(value, np.ndarray) else "scalar" if isinstance(value, np.generic) else "python"


def assert_same(
    function: Callable[..., Any], *arrays: Any, resized: bool = True, unusual: bool = False, tolerance: float = 1.0
) -> None:
    """The captured function gives what the plain one gives: values, dtypes, shapes, kinds, writes and failures.

    `resized`: the same capture serves other sizes that its guards admit. `unusual`: a run-time check must fire.
    """
    try:
        expected, after = plain(function, arrays)
    except Exception as error:
        if isinstance(error, NotEncodable):
            raise
        with pytest.raises(Exception):  # noqa: B017, PT011
            captured = capture(function, arrays)
            *_, fired = run(captured, arrays)
            if any(fired):
                raise ValueError("a check fired") from None
        return
    captured = capture(function, arrays)
    assert _structure(captured.result) == _structure(expected)
    for leaf, value in zip(leaves(captured.result), leaves(expected)):
        if isinstance(leaf, Array):
            assert leaf.kind == _kind(value), f"a {leaf.kind} for {value!r}"
    _compare(captured, arrays, expected, after, unusual, tolerance)
    if resized and not unusual:
        _resize(function, captured, arrays, tolerance)


def _structure(value: Any) -> Any:
    if isinstance(value, (tuple, list)):
        return [type(value).__name__, *map(_structure, value)]
    return None


def _compare(
    captured: Captured, arrays: Sequence[Any], expected: Any, after: Sequence[Any], unusual: bool, tolerance: float
) -> None:
    result, written, fired = run(captured, arrays)
    assert any(fired) == unusual
    if unusual:
        return
    for actual, value in zip(result, leaves(expected), strict=True):
        if value is None or isinstance(value, str):
            assert actual == value
        else:
            assert_equal(actual, value, tolerance)
    for actual, value in zip(written, after):
        assert_equal(actual, value, tolerance)


def _resize(function: Callable[..., Any], captured: Captured, arrays: Sequence[Any], tolerance: float) -> None:
    dims = [dim for node in captured.inputs for dim in node.type.shape]
    free = {name: captured.context.hints[name] for dim in dims for name in sizes.symbols(dim)}
    for step in (1, 3):
        bindings = {name: value + step for name, value in free.items()}
        if not free or not all(guard.holds(bindings) for guard in captured.context.size_guards):
            continue
        other = [
            np.resize(a, [sizes.evaluate(d, bindings) for d in node.type.shape]) if isinstance(a, np.ndarray) else a
            for a, node in zip(arrays, captured.inputs)
        ]
        try:
            expected, after = plain(function, other)
        except Exception as error:
            with pytest.raises(Exception):  # noqa: B017, PT011
                *_, fired = run(captured, other)
                if any(fired):
                    raise ValueError("a check fired") from error
                pytest.fail(f"sizes {bindings}: NumPy raises {error!r}")
            continue
        if not any(run(captured, other)[2]):
            _compare(captured, other, expected, after, False, tolerance)


def is_capturing() -> bool:
    return _current.get() is not None


def call(function: Any, *arguments: Any, **options: Any) -> Any:
    """`function(*arguments)`, by its traced meaning in a capture: for calls without a traced array."""
    meaning = lookup(function) if is_capturing() else None
    return (meaning or function)(*arguments, **options)


def assert_refused(function: Callable[..., Any], *arrays: Any) -> None:
    """Capture raises NotEncodable although the plain function runs."""
    plain(function, arrays)
    with pytest.raises(NotEncodable):
        capture(function, arrays)


def sample(shape: Sequence[int] | int, dtype: Any = np.float64, seed: int = 0) -> np.ndarray:
    """Random values of a dtype, with repeats, negatives and zeros."""
    generator, dtype = np.random.default_rng(seed), np.dtype(dtype)
    if dtype.kind == "b":
        return generator.random(shape) < 0.5
    if dtype.kind in "iu":
        return generator.integers(-5 if dtype.kind == "i" else 0, 9, shape).astype(dtype)
    values = np.round(generator.normal(size=shape) * 3, 2)
    return (values + 1j * generator.normal(size=shape)).astype(dtype) if dtype.kind == "c" else values.astype(dtype)


__all__ = [
    "EgcError",
    "assert_equal",
    "assert_refused",
    "assert_same",
    "call",
    "capture",
    "is_capturing",
    "run",
    "sample",
    "to_node",
]
