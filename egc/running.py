"""A Plan as a function of flattened arguments: what the Program's outputs, views and writes make of a call."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

import numpy as np

from egc import sizes
from egc.callpath import overlapping
from egc.capture import Captured, Result
from egc.capture.arguments import unflatten
from egc.ir import Node, Program, topological
from egc.kinds import VIEWS, viewed
from egc.ops import OPS
from egc.pipeline import Plan, evaluate_reference


class Mismatch(Exception):
    """A run-time check asks for the plain function."""


class Torn(MemoryError):
    """There is no memory for what is to be computed from arrays that may have changed already."""


def _may_write(values: Sequence[Any], written: Collection[int]) -> bool:
    return all(values[leaf].flags.writeable for leaf in written)


def leaf_bindings(leaves: Sequence[tuple[str, Any]]) -> dict[str, int]:
    """The values of the size symbols of flattened arguments."""
    bindings: dict[str, int] = {}
    for name, value in leaves:
        if type(value) is np.ndarray:
            for axis, length in enumerate(value.shape):
                bindings[f"{name}_{axis}"] = length
        elif type(value) is int:
            bindings[name] = value
    return bindings


def runner(plan: Plan) -> Callable[[Sequence[Any]], Any]:
    """The function from flattened arguments to the result.

    What is the same in all iterations of a loop is computed before it, even where none follows: an exception of such a
    Program may be one that the function does not raise, and asks for the plain function. So does a matrix that is singular
    where there are checks: they may rule out that the function raises.
    """
    captured, run = plan.captured, plan.compiled.run
    leaf_inputs, constants = captured.leaf_inputs, tuple(captured.constants.values())
    needs_sizes = any(result.kind == "size" for result in captured.results)
    copies, siblings = _outputs_to_copy(plan), _siblings(plan)
    parts, shared = _parts(captured)
    stored, written = plan.compiled.stored, {leaf for leaf, _ in captured.writes}
    early = any(OPS[node.op].kind == "region" for node in captured.program.nodes())

    def call(values: Sequence[Any]) -> Any:
        if written and (overlapping([*values, *constants], written) or not _may_write(values, written)):
            raise Mismatch
        given = [*[values[i] for i in leaf_inputs], *constants]
        try:
            outputs = list(run(*given))
        except Exception as error:
            if stored and isinstance(error, MemoryError):
                raise Torn from error
            if not early and not (captured.checks and isinstance(error, np.linalg.LinAlgError)):
                raise
            raise Mismatch from error
        for check in captured.checks:
            if outputs[check]:
                raise Mismatch
        for position in copies:
            outputs[position] = np.array(outputs[position])
        for position, earlier in siblings:
            if any(np.may_share_memory(outputs[position], outputs[k]) for k in earlier):
                outputs[position] = np.array(outputs[position])
        bindings = leaf_bindings([(leaf.name, v) for leaf, v in zip(captured.leaves, values)]) if needs_sizes else {}
        results = [_result(result, outputs, values, captured, bindings) for result in captured.results]
        for leaf, output in captured.writes:
            if output not in stored:
                values[leaf][...] = outputs[output]
        if parts.outputs:
            found = iter(evaluate_reference(parts, [*given, *[outputs[position] for position in shared]]))
            results = [
                _view(next(found), [*values, *outputs]) if result.kind in VIEW_KINDS else made
                for result, made in zip(captured.results, results)
            ]
        return unflatten(captured.result_tree, results)

    return call


VIEW_KINDS = ("view", "part")


def _parts(captured: Captured) -> tuple[Program, tuple[int, ...]]:
    """The Program from arguments, and from outputs that results share, to the results that are views of them."""
    program, wholes = captured.program, dict[int, Node]()
    for result in captured.results:
        if result.kind == "part":
            (wholes[result.output],) = (node for node in topological([result.value]) if node.op == "input")
    nodes = tuple(result.value for result in captured.results if result.kind in VIEW_KINDS)
    return Program((*program.inputs, *wholes.values()), nodes, program.name, program.size_inputs), tuple(wholes)


def _outputs_to_copy(plan: Plan) -> tuple[int, ...]:
    """Outputs that may share memory with an argument or another output; those that should are views made later."""
    sources = list(map(_source, plan.program.outputs))
    return tuple(k for k, node in enumerate(sources) if node.op == "input" or node in sources[:k])


def _siblings(plan: Plan) -> list[tuple[int, list[int]]]:
    """Outputs that are results of one op with others before them, which are arrays of their own in machine code only."""
    sources = list(map(_source, plan.program.outputs))
    found = [
        (k, [j for j in range(k) if sources[j].op == "item" and sources[j].inputs == node.inputs])
        for k, node in enumerate(sources)
        if node.op == "item" and node.type.rank
    ]
    return [(k, earlier) for k, earlier in found if earlier]


def outputs_share(plan: Plan) -> bool:
    """Whether an output of machine code may share memory with another one: its loops, branches and calls make each result
    apart. A direct way copies those that share memory with arguments. Numbers are read out of theirs."""
    arrays = {result.output for result in plan.captured.results if result.kind == "array"}
    outputs = [node for k, node in enumerate(plan.program.outputs) if node.type.rank or k in arrays]
    return len(set(map(viewed, outputs))) < len(outputs)


def _source(node: Node) -> Node:
    while node.op in VIEWS and node.op != "item":
        node = node.inputs[0]
    return node


def _view(part: Any, wholes: Sequence[Any]) -> Any:
    """A view is another object than what it is a view of."""
    return part.view() if any(part is whole for whole in wholes) else part


def _result(result: Result, outputs: Sequence[Any], values: Sequence[Any], captured: Captured, bindings: Any) -> Any:
    match result.kind:
        case "array":
            found = np.asarray(outputs[result.output])
            return found if found.flags.writeable else np.array(found)
        case "scalar":
            return np.asarray(outputs[result.output])[()]
        case "python":
            return np.asarray(outputs[result.output]).item()
        case "stretch":
            start, step, count = (int(outputs[number]) for number in result.value)
            return np.asarray(outputs[result.output])[start : start + count * step : step]
        case "argument":
            return values[result.output]
        case "outer":
            return captured.constants[result.value]
        case "size":
            return sizes.evaluate(result.value, bindings)
    return result.value
