"""Python functions over other domains than arrays: captured, folded, and their results put together again."""

from __future__ import annotations

import dataclasses
import functools
import inspect
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from egc import sizes
from egc.capture import Captured, capture
from egc.capture.arguments import Tree, flatten, unflatten
from egc.capture.function import Result
from egc.dispatch import guard_function
from egc.errors import NotEncodable
from egc.interpret import Domain, Interval, Intervals, fold
from egc.interpret.fold import Fact, has_custom
from egc.ir import Node, Program, topological
from egc.pipeline import evaluate_reference
from egc.ranges import ranges_of
from egc.transforms import derivatives, tidy
from egc.transforms.forms import Forms
from egc.transforms.vectorize import vectorized

MOST_KINDS = 64
"""Kinds of arguments of one function whose Programs are kept."""


NUMERIC = np.ndarray, np.generic, bool, int, float, complex
"""What numbers and arrays are."""


class Captures:
    """The Programs of one function, by kind of arguments."""

    def __init__(self, function: Callable[..., Any]):
        self.function = getattr(function, "__egc_plain__", function)
        self.signature = inspect.signature(self.function)
        self._apart = apart(self.function)
        self._found: dict[Any, list[tuple[Callable[[Sequence[Any]], bool], Captured]]] = {}
        self._lock = threading.RLock()

    def arguments(self, positional: Sequence[Any], named: Mapping[str, Any]) -> tuple[Any, ...]:
        """The arguments by position: see `by_position`."""
        return by_position(self.signature, positional, named)

    def flat(self, positional: Sequence[Any], named: Mapping[str, Any]) -> tuple[tuple[Tree, ...], list[Any]]:
        """The arguments' trees, and their leaves."""
        leaves: list[tuple[str, Any]] = []
        forest = tuple(flatten(value, "argument", leaves) for value in self.arguments(positional, named))
        return forest, [value for _, value in leaves]

    def get(self, forest: Sequence[Tree], samples: Sequence[Any]) -> Captured:
        """The Program for leaves like these. Raises NotEncodable."""
        key = (tuple(map(_form, forest)), tuple(map(_kind, samples)))
        with self._lock:
            for applies, captured in self._found.get(key, ()):
                if applies(samples):
                    return captured
            captured = capture(self._apart, [unflatten(tree, samples) for tree in forest], derivatives=derivatives)
            captured = dataclasses.replace(captured, program=by_arrays(captured.program))
            names = [leaf.name for leaf in captured.leaves]
            guard = guard_function(names, samples, captured.size_guards, captured.value_guards)
            if len(self._found) >= MOST_KINDS:
                self._found.clear()
            self._found.setdefault(key, []).append((guard, captured))
            return captured


ARRAY_FORMS = frozenset(
    """accumulation_is_scan accumulation_is_reduction separate_writes_are_one last_value_is_kept window_is_state
       element_is_carried branch_is_choice""".split()
)
"""Laws that give loops as array expressions of the same operations."""


def by_arrays(program: Program) -> Program:
    """The Program with fewer loops over elements, of which each iteration would be gone through. One with a function that has a
    derivative of its own stays: other forms forget it."""
    if has_custom(program):
        return program
    program = tidy(program)
    return tidy(vectorized(program, ranges_of(program), Forms([]), ARRAY_FORMS))


def by_position(signature: inspect.Signature, positional: Sequence[Any], named: Mapping[str, Any]) -> tuple[Any, ...]:
    """Arguments by position. Raises what a call raises, and NotEncodable for those that are given by name only."""
    bound = signature.bind(*positional, **named)
    if not bound.kwargs:
        return bound.args
    alone = [name for name in bound.kwargs if signature.parameters[name].kind is inspect.Parameter.KEYWORD_ONLY]
    if alone or any(each.kind is inspect.Parameter.VAR_KEYWORD for each in signature.parameters.values()):
        raise NotEncodable(f"the argument {next(iter(bound.kwargs))}", "it is given by name only")
    bound.apply_defaults()
    return bound.args


def apart(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function of copies of its arguments: a result is never one of them, and none is changed."""

    def called(*arguments: Any) -> Any:
        return function(*[np.array(each) if isinstance(each, np.ndarray) else each for each in arguments])

    return called


def _form(tree: Any) -> Any:
    return (tree.form, *map(_form, tree.children))


def _kind(value: Any) -> Any:
    if isinstance(value, (np.ndarray, np.generic)):
        return type(value), value.dtype, value.shape
    if type(value) in (float, complex):
        return type(value)
    try:
        hash(value)
    except TypeError:
        return type(value), id(value)
    return type(value), value


def run(
    captured: Captured, domain: Domain, leaves: Sequence[Fact], samples: Sequence[Any], of_any_form: bool = False
) -> Any:
    """What the function returns, with facts in the places of arrays and numbers. `leaves` are the facts of its leaves.

    of_any_form: whether the function may have to run as written; otherwise that raises NotEncodable.
    """
    given = [
        *(leaves[k] for k in captured.leaf_inputs),
        *map(domain.exact, map(np.asarray, captured.constants.values())),
    ]
    bindings = captured.program.bind([*(samples[k] for k in captured.leaf_inputs), *captured.constants.values()])
    outputs = fold(captured.program, given, domain, bindings)
    for check in captured.checks:
        truth = domain.truth(outputs[check])
        if truth or (truth is None and not of_any_form):
            raise NotEncodable("a result whose form depends on data", "it is not known which it has")
    results = [_result(captured, result, domain, given, outputs, leaves, bindings) for result in captured.results]
    return unflatten(captured.result_tree, results)


def _result(
    captured: Captured,
    result: Result,
    domain: Domain,
    given: Sequence[Fact],
    outputs: Sequence[Fact],
    leaves: Sequence[Fact],
    bindings: Mapping[str, int],
) -> Any:
    match result.kind:
        case "array" | "scalar" | "python":
            return outputs[result.output]
        case "argument":
            return leaves[result.output]
        case "view" | "part":
            known: dict[Node, Fact] = {}
            if result.kind == "part":
                (shown,) = (node for node in topological([result.value]) if node.op == "input")
                known[shown] = outputs[result.output]
            program = Program(captured.program.inputs, (result.value,), "view", captured.program.size_inputs)
            return fold(program, given, domain, bindings, known)[0]
        case "outer":
            return domain.exact(captured.constants[result.value])
        case "size":
            return sizes.evaluate(result.value, bindings)
        case "stretch":
            raise NotEncodable("a slice with bounds that depend on data as the result", "its shape depends on data")
    return result.value


def interval(fn: Callable[..., Any]) -> Callable[..., Any]:
    """The function of intervals: it takes an `egc.Interval` in the place of any array or number, and returns Intervals.

    Each result contains what fn gives for all values in the intervals of its arguments, in exact arithmetic: every operation is
    rounded outwards. Both ways are followed where it is not known which branch is taken, or whether a loop ends, and facts are
    widened until they hold in all iterations. `nan` of a result tells where it may be no number. What has no rule may be
    anything. Arguments that fn changes stay as they are.
    Raises NotEncodable for a function that runs as written, and for complex values.

    >>> import egc
    >>> egc.interval(lambda x, y: x * x + y)(egc.Interval(-1.0, 2.0), 0.5)
    Interval(0.5, 4.5)
    """
    captures = Captures(fn)

    @functools.wraps(fn)
    def bounds(*positional: Any, **named: Any) -> Any:
        forest, values = captures.flat(positional, named)
        samples = [_sample(value) for value in values]
        facts = [value if isinstance(value, Interval) else _point(value) for value in values]
        return run(captures.get(forest, samples), Intervals(evaluate_reference), facts, samples)

    return bounds


def _sample(value: Any) -> Any:
    return value.low[()] if isinstance(value, Interval) else value


def _point(value: Any) -> Any:
    """A value that is no interval: one of no width. Raises NotEncodable for a complex one."""
    return Intervals(evaluate_reference).exact(np.asarray(value)) if isinstance(value, NUMERIC) else value
