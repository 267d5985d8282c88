"""The function object that `egc.optimize` returns: finds or makes the Plan for the arguments, and runs it."""

from __future__ import annotations

import contextlib
import copy
import functools
import gc
import inspect
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from egc import sizes
from egc.callpath import direct_call, limit_sizes
from egc.capture import Captured, Result, bind_arguments, flatten_arguments
from egc.capture.arguments import FIXED, kind_of, layout_of, unflatten
from egc.capture.context import ValueGuard
from egc.capture.function import LEAST_SYMBOLIC
from egc.compiled import export
from egc.errors import BackendError, EgcError, InternalError, NotEncodable, ProgramError, RuleError
from egc.explanation import Opaque, explain
from egc.ir import Node, Program, topological
from egc.kinds import VIEWS
from egc.ops import OPS
from egc.options import Options, raises_internal_failures
from egc.pipeline import Plan, evaluate_reference, make_plan
from egc.plans import SizedPlans
from egc.sizes import SizeGuard
from egc.spec import Spec
from egc.verify import require_equal

PLANS_PER_KIND = 32

MISSES = 32
"""Calls that a direct function may refuse before it is given up."""


@dataclass
class Entry:
    """A Plan, or the reason why there is none, with what must hold for it to apply.

    misses: how many calls its direct ways have refused.
    """

    applies: Callable[[Sequence[Any]], bool]
    run: Variants | None = None
    keep: Any = None
    misses: int = 0
    verified: bool = False
    suspicion: Exception | None = None


@dataclass
class Variant:
    """A Plan, what runs it, and its direct way where it has one."""

    plan: Plan
    run: Callable[[Sequence[Any]], Any]
    direct: Callable[..., Any] | None = None
    ran: bool = False


class Variants:
    """The Plans of one function and kind of arguments, by size. A call runs the one for its sizes."""

    def __init__(self, plan: Plan, options: Options):
        self._sized = SizedPlans(plan, options)
        self._variants = {id(plan): Variant(plan, runner(plan))}
        self._last = self._variants[id(plan)]

    def __call__(self, values: Sequence[Any]) -> Any:
        self._last = variant = self._at(values)
        return variant.run(values)

    def _at(self, values: Sequence[Any]) -> Variant:
        if not self._sized.symbols:
            return self._last
        leaves = self._sized.first.captured.leaves
        plan = self._sized.at(leaf_bindings([(leaf.name, value) for leaf, value in zip(leaves, values)]))
        found = self._variants.get(id(plan))
        return found if found is not None else self._variants.setdefault(id(plan), Variant(plan, runner(plan)))

    def direct(
        self, positional: Sequence[Any], values: Sequence[Any], parameters: Sequence[str]
    ) -> Callable[..., Any] | None:
        """The direct way for calls of about the sizes of the one that has just run, where there is one."""
        variant = self._last
        if not variant.ran:
            variant.ran, plan = True, variant.plan
            if plan.backend.name == "numba" and plan.compiled.raw is not None and not _outputs_to_copy(plan):
                raw, limited = plan.compiled.raw, bool(self._sized.symbols)
                variant.direct = direct_call(plan.captured, raw, positional, values, parameters, limited)
        if variant.direct is not None and self._sized.symbols:
            limit_sizes(variant.direct, values)
        return variant.direct


class Mismatch(Exception):
    """A run-time check asks for the plain function."""


@contextlib.contextmanager
def collector_paused() -> Iterator[None]:
    """Compiling makes many objects that live long, which the garbage collector would go through again and again: a tenth
    of the first call's time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@dataclass
class Statistics:
    """How often an optimized function compiled and fell back."""

    compilations: int = 0
    as_written: int = 0
    reasons: list[Opaque] = field(default_factory=list)


class Optimized:
    """An optimized function. Calls behave as calls of the plain function, which is `__wrapped__`.

    `statistics` counts compilations and calls that ran as written. Safe to call from several threads.
    """

    def __init__(self, function: Callable[..., Any], options: Options):
        functools.update_wrapper(self, function)
        self.__egc_plain__ = function
        self.options = options
        self.statistics = Statistics()
        self._signature = inspect.signature(function)
        self._simple = _positional_names(self._signature)
        self._entries: dict[Any, list[Entry]] = {}
        self._last: Entry | None = None
        self._lock = threading.RLock()
        self._warned: set[str] = set()

    def __new__(cls, function: Callable[..., Any], options: Options) -> Optimized:
        """Each has a class of its own, whose `__call__` is the direct way of its last call."""
        return object.__new__(type(cls.__name__, (cls,), {"__module__": cls.__module__, "__doc__": cls.__doc__}))

    def __call__(self, *positional: Any, **named: Any) -> Any:
        return self._call(positional, named)

    def _long_way(self, positional: tuple[Any, ...], named: dict[str, Any]) -> Any:
        """A direct call did not fit. One that does so again and again costs more than it saves."""
        entry, self._last = self._last, None
        if "__call__" in type(self).__dict__:
            with contextlib.suppress(AttributeError):
                del type(self).__call__
        if entry is not None:
            entry.misses += 1
        return self._call(positional, named)

    def _call(self, positional: tuple[Any, ...], named: dict[str, Any]) -> Any:
        """The long way: finds the Plan, or makes it."""
        function = self.__egc_plain__
        if (
            not named
            and positional
            and len(positional) == len(self._simple)
            and all(type(v) in LEAF_TYPES for v in positional)
        ):
            values: Sequence[Any] = positional
            key: Any = tuple(map(_leaf_key, values))
        else:
            try:
                given = self._signature.bind(*positional, **named).arguments
            except TypeError:
                return function(*positional, **named)
            values = [value for _, value in flatten_arguments(given)[1]]
            key = (_structure(positional), _structure(named), tuple(map(_leaf_key, values)))
        entry = self._find(key, values)
        if entry is not None:
            return self._answer(entry, positional, named, values)
        with collector_paused():
            entry = self._add(key, positional, named, values)
            if entry.run is not None:
                return self._answer(entry, positional, named, values)
        return self._answer(entry, positional, named, values)

    def _answer(self, entry: Entry, positional: Sequence[Any], named: Mapping[str, Any], values: Sequence[Any]) -> Any:
        if entry.run is None:
            self.statistics.as_written += 1
            result = self.__egc_plain__(*positional, **named)
            if entry.suspicion is not None:
                error = entry.suspicion
                self._failed(InternalError("capture", f"{type(error).__name__}: {error}"), error)
            return result
        if self.options.verify and not entry.verified:
            return self._verify(entry, positional, named, values)
        result = self._run(entry, positional, named, values)
        if not named and not self.options.verify and entry.misses < MISSES:
            direct = entry.run.direct(positional, values, self._simple)
            if direct is not None:
                self._last = entry
                if type(self).__dict__.get("__call__") is not direct:
                    type(self).__call__ = direct  # type: ignore[assignment, method-assign]
        return result

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else functools.partial(self, instance)

    def _run(self, entry: Entry, positional: Sequence[Any], named: Mapping[str, Any], values: Sequence[Any]) -> Any:
        assert entry.run is not None
        try:
            return entry.run(values)
        except Mismatch:
            self.statistics.as_written += 1
            return self.__egc_plain__(*positional, **named)
        except Exception as error:
            result = self.__egc_plain__(*positional, **named)
            entry.misses = MISSES
            self._failed(InternalError("run", f"{type(error).__name__}: {error}"), error)
            return result

    def _find(self, key: Any, values: Sequence[Any]) -> Entry | None:
        for entry in self._entries.get(key, ()):
            if entry.applies(values):
                return entry
        return None

    def _add(self, key: Any, positional: Sequence[Any], named: Mapping[str, Any], values: Sequence[Any]) -> Entry:
        """Compiles for new arguments. An Entry without `run` says that the function must run as written."""
        with self._lock:
            found = self._find(key, values)
            if found is not None:
                return found
            if len(self._entries.get(key, ())) >= PLANS_PER_KIND:
                self._remember(Opaque(None, "this call", f"more than {PLANS_PER_KIND} variants by size"))
                return Entry(lambda values: False)
            keep = [value for value in values if kind_of(value) == FIXED]
            try:
                plan = make_plan(self.__egc_plain__, positional, named, self.options)
            except NotEncodable as error:
                self._remember(Opaque(error.line, error.what, error.why))
                given = bind_arguments(self.__egc_plain__, positional, named)
                names = [name for name, _ in flatten_arguments(given)[1]]
                entry = Entry(guard_function(names, values, error.size_guards, error.value_guards), keep=keep)
            except InternalError as error:
                self._failed(error, error)
                self._remember(Opaque(error.line, f"stage {error.stage}", str(error)))
                entry = Entry(lambda values: True, keep=keep)
            except Exception as error:
                return self._suspect(error)
            else:
                self.statistics.compilations += 1
                captured = plan.captured
                names = [leaf.name for leaf in captured.leaves]
                entry = Entry(
                    guard_function(names, values, captured.size_guards, captured.value_guards),
                    Variants(plan, self.options),
                    keep,
                )
            self._entries.setdefault(key, []).append(entry)
            return entry

    def _suspect(self, error: Exception) -> Entry:
        """Capture met an error: the plain function, run next, is to raise it too. An error of options is raised."""
        if isinstance(error, (RuleError, BackendError)) or type(error) is ProgramError:
            raise error
        line = error.line if isinstance(error, EgcError) else None
        self._remember(Opaque(line, type(error).__name__, str(error)))
        return Entry(lambda values: False, suspicion=error)

    def _remember(self, reason: Opaque) -> None:
        if reason not in self.statistics.reasons:
            self.statistics.reasons.append(reason)

    def _failed(self, failure: InternalError, cause: BaseException) -> None:
        """One warning for a stage that failed, or the failure itself under EGC_RAISE."""
        if raises_internal_failures():
            raise failure from cause
        if failure.stage not in self._warned:
            self._warned.add(failure.stage)
            name = getattr(self.__egc_plain__, "__name__", "the function")
            warnings.warn(f"egc: {failure}; {name} runs as written", RuntimeWarning, stacklevel=4)

    def _verify(self, entry: Entry, positional: Sequence[Any], named: Mapping[str, Any], values: Sequence[Any]) -> Any:
        expected_arguments = copy.deepcopy((tuple(positional), dict(named)))
        expected = self.__egc_plain__(*expected_arguments[0], **expected_arguments[1])
        found = self._run(entry, positional, named, values)
        require_equal(found, expected, "the result")
        require_equal((tuple(positional), dict(named)), expected_arguments, "the arguments after the call")
        entry.verified = True
        return found

    def explain(self, *positional: Any, **named: Any) -> Any:
        """What was rewritten for these arguments and why: an `egc.Explanation`."""
        return explain(self.__egc_plain__, positional, named, self.options)

    def plan(self, *positional: Any, **named: Any) -> Plan:
        """The compiled Plan for these arguments. Raises NotEncodable when the function runs as written."""
        return make_plan(self.__egc_plain__, positional, named, self.options)

    def compile(self, *positional: Any, **named: Any) -> Any:
        """Machine code for arguments like these (values, or an `egc.spec`), for callers other than Python.

        On numba, `raw` is a dispatcher that `@njit` functions call, `cfunc` a C function and `address` its address.
        Raises NotEncodable when the function runs as written, and BackendError where it needs Python.

        >>> import numpy as np, egc
        >>> from numba import njit
        >>> norm = egc.optimize(lambda x: np.sqrt(np.sum(x * x))).compile(egc.spec("f64[n]")).raw
        >>> njit(lambda: norm(np.array([3.0, 4.0])))()
        5.0
        """
        positional, named = _samples(positional), dict(zip(named, _samples(tuple(named.values()))))
        return export(make_plan(self.__egc_plain__, positional, named, self.options, in_c_order=True))

    def __repr__(self) -> str:
        return f"<egc optimized {getattr(self.__egc_plain__, '__qualname__', 'function')}>"


def _samples(values: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(value.sample() if isinstance(value, Spec) else value for value in values)


LEAF_TYPES = frozenset([np.ndarray, float, int, complex])


def _positional_names(signature: inspect.Signature) -> tuple[str, ...]:
    """The parameters of a function that has no others than plain ones; a call with all of them needs no binding."""
    parameters = signature.parameters.values()
    if any(p.kind not in (p.POSITIONAL_OR_KEYWORD, p.POSITIONAL_ONLY) for p in parameters):
        return ()
    return tuple(signature.parameters)


def guard_function(
    names: Sequence[str], values: Sequence[Any], size_guards: Sequence[SizeGuard], value_guards: Sequence[ValueGuard]
) -> Callable[[Sequence[Any]], bool]:
    """The guards as one function of flattened arguments."""
    symbols = {name for guard in size_guards for name in sizes.symbols(guard.size)}
    lines = ["def applies(values):"]
    for position, (name, value) in enumerate(zip(names, values)):
        axes = [f"{name}_{axis}" for axis in range(np.ndim(value))] if type(value) is np.ndarray else []
        if symbols.intersection(axes):
            lines.append(f"    {', '.join(axes)}, = values[{position}].shape")
        elif name in symbols:
            lines.append(f"    {name} = values[{position}]")
    conditions = [str(guard) for guard in size_guards]
    conditions += [f"guards[{position}].holds()" for position in range(len(value_guards))]
    lines.append(f"    return {' and '.join(conditions) or 'True'}")
    namespace: dict[str, Any] = {"guards": value_guards}
    exec("\n".join(lines), namespace)
    return namespace["applies"]


def _structure(value: Any) -> Any:
    """The container types of arguments, which leaves alone do not tell."""
    if isinstance(value, (tuple, list)):
        return (type(value), *map(_structure, value))
    if isinstance(value, dict):
        return (dict, *((key, _structure(part)) for key, part in value.items()))
    return type(value)


def _leaf_key(value: Any) -> Any:
    """What a Plan is made for: dtype, rank, order in memory and which axes have length 0 or 1; the type of a number; any other
    value itself."""
    kind = type(value)
    if kind is np.ndarray:
        lengths = tuple([length if length < LEAST_SYMBOLIC else LEAST_SYMBOLIC for length in value.shape])
        return value.dtype, layout_of(value), lengths
    if kind in (float, int, complex):
        return kind if kind_of(value) != FIXED else (kind, value)
    if isinstance(value, np.generic):
        return value.dtype, kind
    try:
        hash(value)
    except TypeError:
        return kind, id(value)
    return kind, value


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
    Program may be one that the function does not raise, and asks for the plain function.
    """
    captured, run = plan.captured, plan.compiled.run
    leaf_inputs, constants = captured.leaf_inputs, tuple(captured.constants.values())
    needs_sizes = any(result.kind == "size" for result in captured.results)
    copies = _outputs_to_copy(plan)
    parts, shared = _parts(captured)
    written = {leaf for leaf, _ in captured.writes}
    early = any(OPS[node.op].kind == "region" for node in captured.program.nodes())

    def call(values: Sequence[Any]) -> Any:
        if written and _overlapping(values, written):
            raise Mismatch
        given = [*[values[i] for i in leaf_inputs], *constants]
        try:
            outputs = list(run(*given))
        except Exception as error:
            if not early:
                raise
            raise Mismatch from error
        for check in captured.checks:
            if outputs[check]:
                raise Mismatch
        for position in copies:
            outputs[position] = np.array(outputs[position])
        bindings = leaf_bindings([(leaf.name, v) for leaf, v in zip(captured.leaves, values)]) if needs_sizes else {}
        results = [_result(result, outputs, values, captured, bindings) for result in captured.results]
        for leaf, output in captured.writes:
            values[leaf][...] = outputs[output]
        if parts.outputs:
            found = iter(evaluate_reference(parts, [*given, *[outputs[position] for position in shared]]))
            results = [
                _view(next(found), [*values, *outputs]) if result.kind in VIEW_KINDS else made
                for result, made in zip(captured.results, results)
            ]
        return unflatten(captured.result_tree, results)

    return call


def _overlapping(values: Sequence[Any], written: set[int]) -> bool:
    """Whether an argument that is written shares memory with another one."""
    arrays = [(i, value) for i, value in enumerate(values) if type(value) is np.ndarray]
    return any(np.may_share_memory(a, b) for i, a in arrays if i in written for j, b in arrays if i != j)


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
    found: list[int] = []
    seen: set[Any] = set()
    for position, node in enumerate(plan.program.outputs):
        while node.op in VIEWS:
            node = node.inputs[0]
        if node.op == "input" or node in seen:
            found.append(position)
        seen.add(node)
    return tuple(found)


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
        case "argument":
            return values[result.output]
        case "outer":
            return captured.constants[result.value]
        case "size":
            return sizes.evaluate(result.value, bindings)
    return result.value


__all__ = ["Opaque", "Optimized", "Statistics"]
